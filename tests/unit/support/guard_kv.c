/* SPDX-License-Identifier: MIT */
#include "guard_kv.h"

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/num.h"

enum { MAX_ENTRIES = 512, MAX_MEMBERS = 4096 };

typedef struct entry {
    char *key;
    char *text;       /* a string; of a bucket, its tokens */
    int64_t expires;  /* 0: never */
    int64_t count;    /* window */
    int64_t moment;   /* window: resetAt; bucket: lastRefillMs */
    double tokens;    /* bucket */
    int64_t *members; /* sliding window: scores, ascending */
    size_t n_members;
} entry;

typedef struct store {
    cov_kv base; /* first */
    entry entries[MAX_ENTRIES];
    size_t n;
    bool down;
} store;

static char *copy(cov_str s)
{
    char *text = malloc(s.len + 1);

    if (text == NULL)
        abort();
    if (s.len != 0)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return text;
}

static int64_t now_of(const store *s)
{
    return s->base.host->now_ms(s->base.host->self);
}

static void drop(store *s, entry *e)
{
    free(e->key);
    free(e->text);
    free(e->members);
    *e = s->entries[--s->n];
}

static entry *find(store *s, cov_str key)
{
    for (size_t i = 0; i < s->n; i++) {
        entry *e = &s->entries[i];

        if (!cov_str_eq(cov_str_from(e->key), key))
            continue;
        if (e->expires == 0 || e->expires > now_of(s))
            return e;
        drop(s, e);
        return NULL;
    }
    return NULL;
}

static entry *make(store *s, cov_str key)
{
    entry *e = find(s, key);

    if (e != NULL)
        return e;
    if (s->n == MAX_ENTRIES)
        abort();
    e = &s->entries[s->n++];
    memset(e, 0, sizeof *e);
    e->key = copy(key);
    return e;
}

static int64_t integer(cov_str s)
{
    int64_t value;

    if (!cov_parse_i64(s, &value))
        abort();
    return value;
}

static cov_kv_reply of_int(int64_t i)
{
    return (cov_kv_reply){ .type = COV_KV_INT, .i = i };
}

static cov_kv_reply of_text(cov_arena *arena, cov_str text)
{
    return (cov_kv_reply){ .type = COV_KV_TEXT, .s = cov_arena_str(arena, text) };
}

static cov_kv_reply pair(cov_arena *arena, cov_kv_reply first, cov_kv_reply second)
{
    cov_kv_reply *items = COV_NEW_ARRAY(arena, cov_kv_reply, 2);

    if (items == NULL)
        abort();
    items[0] = first;
    items[1] = second;
    return (cov_kv_reply){ .type = COV_KV_LIST, .items = items, .n = 2 };
}

static cov_kv_reply set(store *s, const cov_str *args, size_t n, cov_arena *arena)
{
    int64_t ttl = 0;
    bool only_new = false;
    entry *e;

    for (size_t i = 2; i < n; i++) {
        if (cov_str_eq(args[i], COV_STR("NX")))
            only_new = true;
        else if (cov_str_eq(args[i], COV_STR("PX")))
            ttl = integer(args[++i]);
        else
            ttl = integer(args[++i]) * 1000;
    }
    if (only_new && find(s, args[0]) != NULL)
        return (cov_kv_reply){ .type = COV_KV_NIL };
    e = make(s, args[0]);
    free(e->text);
    e->text = copy(args[1]);
    e->expires = ttl != 0 ? now_of(s) + ttl : 0;
    return of_text(arena, COV_STR("OK"));
}

static cov_kv_reply get(store *s, cov_str key, cov_arena *arena)
{
    const entry *e = find(s, key);

    return e != NULL ? of_text(arena, cov_str_from(e->text)) : (cov_kv_reply){ .type = COV_KV_NIL };
}

static cov_kv_reply delif(store *s, const cov_str *args)
{
    entry *e = find(s, args[0]);

    if (e == NULL || !cov_str_eq(cov_str_from(e->text), args[1]))
        return of_int(0);
    drop(s, e);
    return of_int(1);
}

static cov_kv_reply window(store *s, const cov_str *args, cov_arena *arena)
{
    entry *e = make(s, args[0]);
    int64_t now = integer(args[1]);

    if (e->count == 0 || e->moment <= now) {
        e->count = 0;
        e->moment = now + integer(args[2]);
    }
    e->count++;
    return pair(arena, of_int(e->count), of_int(e->moment));
}

static cov_kv_reply slide(store *s, const cov_str *args, cov_arena *arena)
{
    entry *e = make(s, args[0]);
    int64_t now = integer(args[1]);
    size_t kept = 0;

    if (e->members == NULL && (e->members = calloc(MAX_MEMBERS, sizeof *e->members)) == NULL)
        abort();
    for (size_t i = 0; i < e->n_members; i++)
        if (e->members[i] > now - integer(args[2]))
            e->members[kept++] = e->members[i];
    if (kept == MAX_MEMBERS)
        abort();
    e->members[kept++] = now;
    e->n_members = kept;
    return pair(arena, of_int((int64_t)kept), of_int(e->members[0]));
}

/* One index from the end; members are "<score>:0". */
static cov_kv_reply zrange(store *s, const cov_str *args, cov_arena *arena)
{
    const entry *e = find(s, args[0]);
    size_t back = (size_t)-integer(args[1]);
    cov_kv_reply *item = COV_NEW(arena, cov_kv_reply);
    cov_kv_reply list = { .type = COV_KV_LIST, .items = item, .n = 1 };

    if (item == NULL || e == NULL || back == 0 || back > e->n_members)
        return (cov_kv_reply){ .type = COV_KV_LIST };
    item->type = COV_KV_TEXT;
    item->s = cov_arena_printf(arena, "%lld:0", (long long)e->members[e->n_members - back]);
    return list;
}

static cov_kv_reply bucket(store *s, const cov_str *args, cov_arena *arena)
{
    entry *e = find(s, args[0]);
    double now = (double)integer(args[1]);
    double capacity = (double)integer(args[2]);
    double cost = (double)integer(args[4]);
    double tokens = capacity;
    bool enough;
    char text[COV_NUM_TEXT_BYTES];
    size_t len;

    if (e != NULL) {
        double passed = now > (double)e->moment ? now - (double)e->moment : 0;

        tokens = fmin(capacity, e->tokens + passed / 60000 * (double)integer(args[3]));
    }
    enough = tokens >= cost;
    if (!cov_str_eq(args[5], COV_STR("ASSESS"))) {
        if (enough || cov_str_eq(args[5], COV_STR("DEDUCT")))
            tokens = fmax(0, tokens - cost);
        e = make(s, args[0]);
        e->tokens = tokens;
        e->moment = integer(args[1]);
        free(e->text);
        len = cov_num_text(tokens, text);
        e->text = copy(cov_str_of(text, len));
    }
    len = cov_num_text(tokens, text);
    return pair(arena, of_text(arena, cov_str_of(text, len)), of_int(enough));
}

static cov_kv_reply answer(store *s, const cov_kv_cmd *cmd, cov_arena *arena)
{
    switch ((int)cmd->op) {
    case COV_KV_GET:
        return get(s, cmd->args[0], arena);
    case COV_KV_SET:
        return set(s, cmd->args, cmd->n_args, arena);
    case COV_KV_DELIF:
        return delif(s, cmd->args);
    case COV_KV_WINDOW:
        return window(s, cmd->args, arena);
    case COV_KV_SLIDE:
        return slide(s, cmd->args, arena);
    case COV_KV_ZRANGE:
        return zrange(s, cmd->args, arena);
    case COV_KV_BUCKET:
        return bucket(s, cmd->args, arena);
    default:
        abort();
    }
}

static cov_status run(cov_kv *kv, const cov_kv_cmd *cmds, size_t n, bool atomic, cov_arena *arena,
                      cov_kv_reply *replies, cov_error *err)
{
    store *s = (store *)kv;

    (void)atomic;
    if (s->down)
        return cov_fail(err, COV_EBUSY, "the store is down");
    for (size_t i = 0; i < n; i++)
        replies[i] = answer(s, &cmds[i], arena);
    return COV_OK;
}

static cov_status open_store(const cov_host *host, const cov_kv_config *config, cov_kv **out,
                             cov_error *err)
{
    store *s = calloc(1, sizeof *s);

    (void)config;
    if (s == NULL)
        return cov_fail_nomem(err);
    s->base.driver = &guard_kv_driver;
    s->base.host = host;
    *out = &s->base;
    return COV_OK;
}

static cov_status subscribe(cov_kv *kv, cov_str channel, cov_kv_message_fn fn, void *self,
                            uint64_t *token, cov_error *err)
{
    (void)kv;
    (void)channel;
    (void)fn;
    (void)self;
    (void)token;
    return cov_fail(err, COV_ENOSYS, "no messages here");
}

static void unsubscribe(cov_kv *kv, uint64_t token)
{
    (void)kv;
    (void)token;
}

static bool connected(cov_kv *kv)
{
    return !((store *)kv)->down;
}

static void close_store(cov_kv *kv)
{
    store *s = (store *)kv;

    if (s == NULL)
        return;
    while (s->n > 0)
        drop(s, &s->entries[s->n - 1]);
    free(s);
}

const cov_kv_driver guard_kv_driver = {
    .abi = COV_KV_ABI,
    .name = "test",
    .open = open_store,
    .run = run,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .connected = connected,
    .close = close_store,
};

void guard_kv_set_down(cov_kv *kv, bool down)
{
    ((store *)kv)->down = down;
}

const char *guard_kv_peek(cov_kv *kv, const char *key)
{
    const entry *e = find((store *)kv, cov_str_from(key));

    return e != NULL ? e->text : NULL;
}

int64_t guard_kv_ttl_ms(cov_kv *kv, const char *key)
{
    store *s = (store *)kv;
    const entry *e = find(s, cov_str_from(key));

    if (e == NULL)
        return -2;
    return e->expires == 0 ? -1 : e->expires - now_of(s);
}
