/* SPDX-License-Identifier: MIT */
/*
 * The changelog in the key-value store (spec/04 section 16): a counter and a sorted set of JSON entries.
 *
 * The ring of changelog.c mirrors its end, in its order, so that event loops never wait for a store; what other processes
 * entered is read into it by cov_live_catch_up.
 */
#include "base/json.h"
#include "base/num.h"
#include "live/internal.h"

enum { PAGE = 500 };

static const cov_str key_seq = COV_STR_INIT("covara:changelog:seq");
static const cov_str key_entries = COV_STR_INIT("covara:changelog:entries");

static cov_str number(cov_arena *arena, int64_t value)
{
    return cov_arena_printf(arena, "%lld", (long long)value);
}

/* ---- entering ---- */

static void put_row(const cov_live_table *table, cov_arena *arena, const char *name,
                    const cov_value *row, cov_buf *out)
{
    if (row == NULL)
        return;
    cov_buf_printf(out, ",\"%s\":", name);
    cov_follow_row_json(table->resource, arena, row, out);
}

/* Everything but `seq`, which comes last and is filled in by the store. ptr NULL: out of memory. */
static cov_str entry_json(const cov_live_table *table, cov_arena *arena,
                          const struct cov_mutation_node *node, int64_t now_ms)
{
    cov_buf out = COV_BUF_IN(arena);

    COV_BUF_LIT(&out, "{\"resource\":");
    cov_json_str(&out, node->mutation.resource);
    COV_BUF_LIT(&out, ",\"type\":");
    cov_json_str(&out, node->mutation.type);
    COV_BUF_LIT(&out, ",\"objectId\":");
    cov_json_str(&out, node->mutation.id);
    put_row(table, arena, "object", node->after, &out);
    put_row(table, arena, "previousObject", node->before, &out);
    cov_buf_printf(&out, ",\"timestamp\":%lld", (long long)now_ms);
    if (node->user_id.ptr != NULL) {
        COV_BUF_LIT(&out, ",\"userId\":");
        cov_json_str(&out, node->user_id);
    }
    cov_buf_char(&out, '}');
    return out.failed ? COV_STR_NULL : cov_buf_view(&out);
}

static bool make_command(const cov_live *live, const cov_live_table *table, cov_arena *arena,
                         const struct cov_mutation_node *node, int64_t latest, cov_kv_cmd *out)
{
    cov_str *args = COV_NEW_ARRAY(arena, cov_str, 5);

    if (args == NULL)
        return false;
    args[0] = key_seq;
    args[1] = key_entries;
    args[2] = entry_json(table, arena, node, live->host->now_ms(live->host->self));
    args[3] = number(arena, latest);
    args[4] = number(arena, live->log.most);
    *out = (cov_kv_cmd){ COV_KV_LOGADD, args, 5 };
    return args[2].ptr != NULL && args[3].ptr != NULL && args[4].ptr != NULL;
}

static size_t count(const cov_live *live, const cov_mutations *mutations)
{
    size_t n = 0;

    for (const struct cov_mutation_node *node = mutations->first; node != NULL; node = node->next)
        n += cov__live_table(live, node->mutation.resource) != NULL;
    return n;
}

static void take_numbers(const cov_live *live, const cov_mutations *mutations,
                         const cov_kv_reply *replies)
{
    for (struct cov_mutation_node *node = mutations->first; node != NULL; node = node->next) {
        if (cov__live_table(live, node->mutation.resource) == NULL)
            continue;
        if (replies->type == COV_KV_LIST && replies->n == 2)
            node->seq = replies->items[0].i;
        replies++;
    }
}

void cov_changelog_append(cov_live *live, cov_arena *arena, const cov_mutations *mutations)
{
    size_t n = count(live, mutations);
    int64_t latest = cov__live_seq(live);
    cov_kv_cmd *cmds = COV_NEW_ARRAY(arena, cov_kv_cmd, n + 1);
    cov_kv_reply *replies = COV_NEW_ARRAY(arena, cov_kv_reply, n + 1);
    cov_error err;
    size_t at = 0;

    if (n == 0 || cmds == NULL || replies == NULL)
        return;
    for (const struct cov_mutation_node *node = mutations->first; node != NULL; node = node->next) {
        const cov_live_table *table = cov__live_table(live, node->mutation.resource);

        if (table != NULL && !make_command(live, table, arena, node, latest, &cmds[at++]))
            return;
    }
    cov_error_init(&err, NULL);
    if (cov_kv_run(live->log.kv, cmds, n, false, arena, replies, &err) == COV_OK)
        take_numbers(live, mutations, replies);
    else
        cov__log_failure(live->host, "writing the changelog", &err);
}

/* ---- reading ---- */

/* A page of what was entered, as changes in order; false: the store or memory failed, or an entry is none. */
typedef struct page {
    cov_live *live;
    cov_arena *arena;
    cov_error err;
    const cov_kv_reply *items; /* JSON texts */
    size_t n;
    int64_t seq; /* of the entry at hand */
} page;

static cov_status read_page(page *p, int64_t since, int64_t upto)
{
    cov_str args[] = { key_entries,           number(p->arena, since + 1), number(p->arena, upto),
                       COV_STR_INIT("LIMIT"), COV_STR_INIT("0"),           number(p->arena, PAGE) };
    cov_kv_reply reply;
    cov_status st = cov_kv_call(p->live->log.kv, p->arena, COV_KV_ZRANGEBYSCORE, args,
                                COV_COUNT_OF(args), &reply, &p->err);

    p->items = reply.items;
    p->n = st == COV_OK ? reply.n : 0;
    return st;
}

static const cov_value *row_of(page *p, const cov_resource *r, cov_json *object)
{
    cov_ctx ctx = { .host = p->live->host, .arena = p->arena, .err = &p->err };
    cov_value *row = NULL;

    return cov_follow_row_of(r, &ctx, object, &row) ? row : NULL;
}

/* Rows that are not known, or do not fit the table any more: only reading again helps. */
static cov_change *change_of_entry(page *p, const cov_live_table *table, cov_json *entry)
{
    cov_change like = { .table = (size_t)(table - p->live->tables), .seq = p->seq };

    like.kind = cov_change_kind_of(cov_json_text(cov_json_get(entry, "type")));
    like.timestamp_ms = cov_json_int64(cov_json_get(entry, "timestamp"));
    like.id = cov_json_text(cov_json_get(entry, "objectId"));
    like.user_id = cov_json_text(cov_json_get(entry, "userId"));
    like.after = row_of(p, table->resource, yyjson_obj_get(entry, "object"));
    like.before = row_of(p, table->resource, yyjson_obj_get(entry, "previousObject"));
    if (like.after == NULL && (like.kind != COV_CHANGE_DELETE || cov_str_eq(like.id, COV_STR("*"))))
        like.invalidates = "external-mutation";
    return cov_change_new(&like, table->n_columns);
}

static int64_t seq_of(const page *p, const cov_kv_reply *item, yyjson_val **entry)
{
    if (item->type != COV_KV_TEXT || cov_json_read(p->arena, item->s, entry, NULL) != COV_OK)
        return 0;
    return cov_json_int64(cov_json_get(*entry, "seq"));
}

/* False: an entry between is missing, or memory is. */
static bool tell_page(page *p, int64_t *since)
{
    for (size_t i = 0; i < p->n; i++) {
        yyjson_val *entry = NULL;
        const cov_live_table *table;
        cov_change *change = NULL;

        p->seq = seq_of(p, &p->items[i], &entry);
        if (p->seq != *since + 1)
            return false;
        table = cov__live_table(p->live, cov_json_text(cov_json_get(entry, "resource")));
        if (table != NULL && (change = change_of_entry(p, table, entry)) == NULL)
            return false;
        cov__live_tell(p->live, change, p->seq);
        cov_change_release(change);
        *since = p->seq;
    }
    return true;
}

/* Up to `upto`, which the store has counted. Returns up to where all is known now. */
static int64_t tell_entries(cov_live *live, cov_arena *arena, int64_t since, int64_t upto)
{
    page p = { .live = live, .arena = arena };
    bool whole = true;

    while (whole && since < upto) {
        cov_arena_reset(arena);
        cov_error_init(&p.err, arena);
        whole = read_page(&p, since, upto) == COV_OK && p.n != 0 && tell_page(&p, &since);
    }
    return since;
}

static bool count_of_store(cov_live *live, cov_arena *arena, int64_t *seq, int64_t *oldest)
{
    cov_str set[] = { key_seq, number(arena, live->log.start), COV_STR_INIT("NX") };
    cov_str first[] = { key_entries, COV_STR_INIT("0"), COV_STR_INIT("0") };
    cov_kv_cmd cmds[] = { { COV_KV_SET, set, 3 },
                          { COV_KV_GET, set, 1 },
                          { COV_KV_ZRANGE, first, 3 } };
    cov_kv_reply replies[3];
    cov_error err;
    page p = { .live = live, .arena = arena };
    yyjson_val *entry = NULL;

    cov_error_init(&err, NULL);
    if (set[1].ptr == NULL ||
        cov_kv_run(live->log.kv, cmds, 3, true, arena, replies, &err) != COV_OK ||
        replies[1].type != COV_KV_TEXT || !cov_parse_i64(replies[1].s, seq))
        return false;
    *oldest = *seq + 1;
    if (replies[2].type == COV_KV_LIST && replies[2].n == 1)
        *oldest = seq_of(&p, &replies[2].items[0], &entry);
    return true;
}

void cov_live_catch_up(cov_live *live)
{
    cov_arena *arena;
    int64_t since;
    int64_t oldest = 0;
    int64_t upto = 0;
    bool ok;

    if (live->log.kv == NULL)
        return;
    arena = cov_arena_new(0);
    ok = arena != NULL && count_of_store(live, arena, &upto, &oldest);
    cov_host_lock(live->host, live->lock);
    since = live->log.seq;
    if (ok && !live->log.joined) {
        /* What is older than the ring's first entry cannot be served. */
        since = live->log.seq = live->log.base = oldest - 1;
        live->log.joined = true;
    }
    cov_host_unlock(live->host, live->lock);
    if (ok && since < upto)
        ok = tell_entries(live, arena, since, upto) == upto;
    if (!ok)
        cov__live_lose(live, upto);
    cov_arena_free(arena);
}
