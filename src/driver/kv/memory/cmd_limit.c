/* SPDX-License-Identifier: MIT */
/*
 * Counting requests in one step: WINDOW, SLIDE and BUCKET (spec/07 sections 4.3, 4.4 and 5.3). The keys are what the
 * sequences of single commands leave, so other servers on the same store may go on with them. What is stored there and
 * is no number counts as absent.
 */
#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "driver/kv/memory/call.h"

/* Times and lengths within what every client and script language holds exactly. */
#define MAX_MS INT64_C(9007199254740991)

static bool arg_within(kv_call *call, size_t at, int64_t least, int64_t *out)
{
    if (!cov__kv_arg_int(call, at, out))
        return false;
    return (*out >= least && *out <= MAX_MS) || cov__kv_reply_error(call, KV_ERR_INTEGER);
}

static kv_field *find(kv_call *call, kv_entry *entry, cov_str name)
{
    return (kv_field *)cov__kv_table_find(&entry->value.hash, name, cov__kv_hash_of(call, name));
}

static bool int_of(const kv_field *field, int64_t *out)
{
    return field != NULL && cov__kv_is_int(cov__kv_blob_view(field->value), out) && *out >= 0 &&
           *out <= MAX_MS;
}

/* Two fields with numbers. A number always fits in the place of a text, so only new fields can fail. */
static bool put_two(kv_call *call, kv_entry *entry, const cov_str names[2], const cov_str texts[2])
{
    kv_field *fields[2] = { find(call, entry, names[0]), find(call, entry, names[1]) };
    kv_field *made[2] = { NULL, NULL };
    bool ok = true;

    for (int i = 0; i < 2; i++) {
        if (fields[i] == NULL) {
            made[i] = cov__kv_field_new(names[i], cov__kv_hash_of(call, names[i]), texts[i]);
            ok = ok && made[i] != NULL;
        }
    }
    for (int i = 0; i < 2; i++) {
        if (ok && fields[i] != NULL)
            ok = cov__kv_blob_assign(&fields[i]->value, texts[i]);
        else if (ok)
            (void)cov__kv_hash_put(&entry->value.hash, made[i]);
        else if (made[i] != NULL)
            cov__kv_field_free(made[i]);
    }
    return ok || cov__kv_reply_error(call, KV_ERR_MEMORY);
}

static bool reserve_expiry(kv_call *call)
{
    return cov__kv_expire_reserve(call->engine) || cov__kv_reply_error(call, KV_ERR_MEMORY);
}

/* ---- WINDOW key now window ---- */

static const cov_str window_names[2] = { COV_STR_INIT("count"), COV_STR_INIT("resetAt") };

static void count_in_window(kv_call *call, kv_entry *entry, int64_t now, int64_t window,
                            cov_kv_reply *items)
{
    char buffers[2][KV_NUM_BYTES];
    cov_str texts[2];
    int64_t count;
    int64_t reset_at;

    if (!int_of(find(call, entry, window_names[0]), &count) ||
        !int_of(find(call, entry, window_names[1]), &reset_at) || reset_at <= now) {
        count = 0;
        reset_at = now + window;
    }
    count += count < MAX_MS;
    texts[0] = cov__kv_int_text(count, buffers[0]);
    texts[1] = cov__kv_int_text(reset_at, buffers[1]);
    if (!reserve_expiry(call) || !put_two(call, entry, window_names, texts))
        return;
    cov__kv_expire_at(call->engine, entry,
                      cov__kv_after(call->engine, ((reset_at - now + 999) / 1000 + 1) * 1000));
    cov__kv_item_int(&items[0], count);
    cov__kv_item_int(&items[1], reset_at);
}

void cov__kv_do_window(kv_call *call)
{
    kv_edit edit;
    cov_kv_reply *items;
    int64_t now;
    int64_t window;

    if (!arg_within(call, 1, 0, &now) || !arg_within(call, 2, 1, &window))
        return;
    if (!cov__kv_edit(call, KV_HASH, &edit))
        return;
    items = cov__kv_reply_list(call, 2);
    if (items != NULL)
        count_in_window(call, edit.entry, now, window, items);
    cov__kv_close(call, &edit);
}

/* ---- SLIDE key now window member max ---- */

static const kv_scored *first_of(const kv_zset *zset)
{
    const kv_scored *first = NULL;

    cov__kv_zset_slice(zset, 0, 1, &first);
    return first;
}

/* Members beyond max + 1 cannot change an answer: when one of them counts, so do max + 1 later ones. */
static void forget(kv_zset *zset, int64_t before, int64_t max)
{
    size_t len;

    cov__kv_zset_cut(zset, 0, cov__kv_zset_count(zset, (double)before, true));
    len = zset->members.len;
    if ((uint64_t)len > (uint64_t)max + 1)
        cov__kv_zset_cut(zset, 0, len - (size_t)max - 1);
}

static void slide(kv_call *call, kv_entry *entry, int64_t now, int64_t window, int64_t max,
                  cov_kv_reply *items)
{
    kv_zset *zset = &entry->value.zset;
    cov_str member = call->args[3];
    uint64_t hash = cov__kv_hash_of(call, member);
    kv_scored *there = (kv_scored *)cov__kv_table_find(&zset->members, member, hash);

    if (!reserve_expiry(call))
        return;
    if (there != NULL) {
        cov__kv_zset_move(zset, there, (double)now);
    } else {
        there = cov__kv_scored_new(member, hash, (double)now, &call->engine->random);
        if (there == NULL) {
            cov__kv_reply_error(call, KV_ERR_MEMORY);
            return;
        }
        cov__kv_zset_add(zset, there);
    }
    forget(zset, now - window, max);
    cov__kv_expire_at(call->engine, entry,
                      cov__kv_after(call->engine, ((window + 999) / 1000 + 1) * 1000));
    cov__kv_item_int(&items[0], (int64_t)zset->members.len);
    cov__kv_item_int(&items[1], cov_double_to_i64(first_of(zset)->score));
}

void cov__kv_do_slide(kv_call *call)
{
    kv_edit edit;
    cov_kv_reply *items;
    int64_t now;
    int64_t window;
    int64_t max;

    if (!arg_within(call, 1, 0, &now) || !arg_within(call, 2, 1, &window) ||
        !arg_within(call, 4, 0, &max) || !cov__kv_edit(call, KV_ZSET, &edit))
        return;
    items = cov__kv_reply_list(call, 2);
    if (items != NULL)
        slide(call, edit.entry, now, window, max, items);
    cov__kv_close(call, &edit);
}

/* ---- BUCKET key now capacity refillPerMinute cost mode ---- */

typedef enum bucket_mode { ASSESS, DEDUCT, CONSUME, CREDIT } bucket_mode;

typedef struct bucket {
    int64_t now;
    double capacity;
    double refill; /* a minute */
    double cost;
    bucket_mode mode;
} bucket;

static const cov_str bucket_names[2] = { COV_STR_INIT("tokens"), COV_STR_INIT("lastRefillMs") };

static bool arg_amount(kv_call *call, size_t at, double *out)
{
    if (!cov__kv_arg_double(call, at, out))
        return false;
    return (*out >= 0 && *out - *out == 0) || cov__kv_reply_error(call, KV_ERR_FLOAT);
}

static bool read_bucket(kv_call *call, bucket *b)
{
    static const char *const modes[] = {
        [ASSESS] = "assess", [DEDUCT] = "deduct", [CONSUME] = "consume", [CREDIT] = "credit"
    };

    if (!arg_within(call, 1, 0, &b->now) || !arg_amount(call, 2, &b->capacity) ||
        !arg_amount(call, 3, &b->refill) || !arg_amount(call, 4, &b->cost))
        return false;
    for (size_t i = 0; i < COV_COUNT_OF(modes); i++) {
        if (cov__kv_is_word(call->args[5], modes[i])) {
            b->mode = (bucket_mode)i;
            return true;
        }
    }
    return cov__kv_reply_error(call, KV_ERR_SYNTAX);
}

/* The tokens that are there now; what is missing or damaged is a full bucket. */
static double tokens_now(kv_call *call, kv_entry *entry, const bucket *b)
{
    const kv_field *field = entry != NULL ? find(call, entry, bucket_names[0]) : NULL;
    double tokens;
    double more = 0;
    int64_t last;

    if (field == NULL || !cov__kv_is_double(cov__kv_blob_view(field->value), &tokens) ||
        !int_of(find(call, entry, bucket_names[1]), &last))
        return b->capacity;
    if (b->now > last)
        more = (double)(b->now - last) / 60000 * b->refill;
    return tokens + more < b->capacity ? tokens + more : b->capacity;
}

static double charged(const bucket *b, double tokens)
{
    switch (b->mode) {
    case DEDUCT:
        return tokens > b->cost ? tokens - b->cost : 0;
    case CONSUME:
        return tokens >= b->cost ? tokens - b->cost : tokens;
    case CREDIT:
        return tokens + b->cost < b->capacity ? tokens + b->cost : b->capacity;
    case ASSESS:
        break;
    }
    return tokens;
}

/* A bucket lives until it would be full; without refill it stays as it is. */
static void set_bucket_ttl(kv_call *call, kv_entry *entry, const bucket *b, double tokens)
{
    double seconds = b->refill > 0 ? ceil((b->capacity - tokens) / b->refill * 60) + 1 : 0;

    if (seconds >= 1)
        cov__kv_expire_at(call->engine, entry,
                          cov__kv_after(call->engine, seconds < (double)(MAX_MS / 1000)
                                                          ? (int64_t)seconds * 1000
                                                          : MAX_MS));
}

static bool save_bucket(kv_call *call, const bucket *b, double tokens)
{
    char buffers[2][KV_NUM_BYTES];
    cov_str texts[2] = { cov__kv_double_text(tokens, buffers[0]),
                         cov__kv_int_text(b->now, buffers[1]) };
    kv_edit edit;
    bool ok;

    if (!cov__kv_edit(call, KV_HASH, &edit))
        return false;
    ok = reserve_expiry(call) && put_two(call, edit.entry, bucket_names, texts);
    if (ok)
        set_bucket_ttl(call, edit.entry, b, tokens);
    cov__kv_close(call, &edit);
    return ok;
}

void cov__kv_do_bucket(kv_call *call)
{
    char buffer[KV_NUM_BYTES];
    cov_kv_reply *items;
    kv_entry *entry;
    bucket b;
    double before;
    double after;

    if (!read_bucket(call, &b) || !cov__kv_open(call, KV_HASH, &entry))
        return;
    before = tokens_now(call, entry, &b);
    after = charged(&b, before);
    items = cov__kv_reply_list(call, 2);
    if (items == NULL)
        return;
    cov__kv_item_text(call, &items[0], cov__kv_double_text(after, buffer));
    cov__kv_item_int(&items[1], before >= b.cost);
    if (b.mode == ASSESS || (b.mode == DEDUCT && b.cost == 0) || call->no_room)
        return;
    (void)save_bucket(call, &b, after);
}
