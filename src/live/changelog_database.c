/* SPDX-License-Identifier: MIT */
/* The changelog as a table, written in the transaction of the row. */
#include "live/changelog.h"

#include <stdlib.h>

#include "schema/log_triggers.h"
#include "schema/sql.h"

/* How often old entries are removed: the table is then at most this much longer than wanted. */
enum { PRUNE_EVERY = 256 };

/* AUTOINCREMENT: a number is never given twice, also when the entry that had it is gone. */
const cov_str cov_changelog_table_sql = COV_STR_INIT(
    "CREATE TABLE IF NOT EXISTS covara_changelog ("
    "seq INTEGER PRIMARY KEY AUTOINCREMENT, resource TEXT NOT NULL, type TEXT NOT NULL,"
    " objectId TEXT NOT NULL, object TEXT, previousObject TEXT, timestamp INTEGER NOT NULL,"
    " userId TEXT, origin TEXT);"
    "CREATE INDEX IF NOT EXISTS covara_changelog_resource ON covara_changelog(resource, seq);");

typedef struct one_int {
    cov_row_sink sink;
    int64_t value;
    bool second; /* the row's second column is true */
} one_int;

static cov_status take_int(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    one_int *to = (one_int *)(void *)base;

    (void)err;
    to->value = values[0].type == COV_INT ? values[0].i : 0;
    to->second = n > 1 && values[1].type == COV_INT && values[1].i != 0;
    return COV_OK;
}

static cov_value row_value(const cov_resource *r, cov_ctx *ctx, const cov_value *row)
{
    cov_buf text = COV_BUF_IN(ctx->arena);

    if (row == NULL)
        return cov_value_null();
    cov_follow_row_json(r, ctx->arena, row, &text);
    return text.failed ? cov_value_null() : cov_value_text(cov_buf_view(&text));
}

static cov_status prune(const cov_changelog *log, cov_ctx *ctx, int64_t seq)
{
    cov_value upto = cov_value_int(seq - log->most);
    cov_stmt stmt = { COV_STR("DELETE FROM covara_changelog WHERE seq <= ?"), &upto, 1 };

    return cov_db_exec(ctx->db, &stmt, NULL, ctx->err);
}

cov_status cov_changelog_enter(const cov_changelog *log, const cov_resource *r, cov_ctx *ctx,
                               struct cov_mutation_node *node, bool *after_other)
{
    cov_value params[] = { cov_value_text(node->mutation.resource),
                           cov_value_text(node->mutation.type),
                           cov_value_text(node->mutation.id),
                           row_value(r, ctx, node->after),
                           row_value(r, ctx, node->before),
                           cov_value_int(ctx->host->now_ms(ctx->host->self)),
                           node->user_id.ptr != NULL ? cov_value_text(node->user_id)
                                                     : cov_value_null(),
                           cov_value_text(cov_str_of(log->origin, sizeof log->origin)),
                           cov_value_text(cov_str_of(log->origin, sizeof log->origin)) };
    cov_stmt stmt = { COV_STR("INSERT INTO covara_changelog (resource, type, objectId, object,"
                              " previousObject, timestamp, userId, origin)"
                              " VALUES (?,?,?,?,?,?,?,?)"
                              " RETURNING seq, NOT EXISTS (SELECT 1 FROM covara_changelog AS other"
                              " WHERE other.seq = covara_changelog.seq - 1 AND other.origin = ?)"),
                      params, COV_COUNT_OF(params) };
    one_int seq = { { take_int }, 0, false };
    cov_status st = cov_db_query(ctx->db, &stmt, &seq.sink, ctx->err);

    node->seq = seq.value;
    *after_other = seq.second;
    return st == COV_OK && seq.value % PRUNE_EVERY == 0 ? prune(log, ctx, seq.value) : st;
}

cov_status cov_changelog_latest(cov_ctx *ctx, int64_t *seq)
{
    cov_stmt stmt = { COV_STR("SELECT max(seq) FROM covara_changelog"), NULL, 0 };
    one_int latest = { { take_int }, 0, false };
    cov_status st = cov_db_query(ctx->db, &stmt, &latest.sink, ctx->err);

    *seq = latest.value;
    return st;
}

/* ---- entries of others ---- */

typedef struct foreign_sink {
    cov_row_sink sink;
    void (*found)(void *self, cov_str table, int64_t seq);
    void *self;
} foreign_sink;

static cov_status on_foreign(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    foreign_sink *sink = (foreign_sink *)(void *)base;

    (void)n;
    (void)err;
    sink->found(sink->self, values[0].s, values[1].i);
    return COV_OK;
}

cov_status cov_changelog_foreign(const cov_changelog *log, cov_ctx *ctx, int64_t since,
                                 int64_t upto,
                                 void (*found)(void *self, cov_str table, int64_t seq), void *self)
{
    foreign_sink sink = { { on_foreign }, found, self };
    cov_value params[] = { cov_value_int(since), cov_value_int(upto),
                           cov_value_text(cov_str_of(log->origin, sizeof log->origin)) };
    cov_stmt stmt = { COV_STR("SELECT resource, max(seq) FROM covara_changelog"
                              " WHERE seq > ? AND seq <= ? AND origin IS NOT ? GROUP BY resource"
                              " ORDER BY max(seq)"),
                      params, COV_COUNT_OF(params) };

    return cov_db_query(ctx->db, &stmt, &sink.sink, ctx->err);
}

cov_status cov_changelog_settled(const cov_changelog *log, cov_ctx *ctx, int64_t since,
                                 int64_t *upto)
{
    cov_value params[] = { cov_value_int(since),
                           cov_value_text(cov_str_of(log->origin, sizeof log->origin)) };
    cov_stmt stmt = { COV_STR("SELECT coalesce((SELECT seq - 1 FROM covara_changelog WHERE seq > ?"
                              " AND origin = ? ORDER BY seq LIMIT 1),"
                              " (SELECT max(seq) FROM covara_changelog))"),
                      params, COV_COUNT_OF(params) };
    one_int last = { { take_int }, 0, false };
    cov_status st = cov_db_query(ctx->db, &stmt, &last.sink, ctx->err);

    *upto = last.value;
    return st;
}

/* ---- reading ---- */

typedef struct entry_sink {
    cov_row_sink sink;
    cov_ctx *ctx;
    const cov_resource *r; /* of the entry at hand */
    size_t table;
    const cov_resource *(*find)(void *self, cov_str name,
                                size_t *table); /* NULL: always that one */
    void *self;
    const char *unknown; /* what an entry without its row makes subscribers read */
    bool stored;         /* the entry at hand is a trigger's */
    cov_missed *out;
    size_t cap;
} entry_sink;

enum { SEQ, TYPE, OBJECT_ID, OBJECT, PREVIOUS, TIMESTAMP, RESOURCE, ORIGIN };
#define COLUMNS "seq, type, objectId, object, previousObject, timestamp, resource, origin"

static bool push(entry_sink *sink, cov_change *change)
{
    cov_missed *out = sink->out;

    if (out->n == sink->cap) {
        size_t cap = sink->cap != 0 ? sink->cap * 2 : 16;
        cov_change **wider = realloc(out->items, cap * sizeof(*wider));

        if (wider == NULL)
            return false;
        out->items = wider;
        sink->cap = cap;
    }
    out->items[out->n++] = change;
    return true;
}

/* NULL when the entry has no such row, or the table has changed since. */
static const cov_value *row_of(const entry_sink *sink, const cov_value *json)
{
    cov_value *row = NULL;

    bool ok = json->type == COV_TEXT &&
              (sink->stored ? cov_follow_row_read_stored(sink->r, sink->ctx, json->s, &row)
                            : cov_follow_row_read(sink->r, sink->ctx, json->s, &row));

    return ok ? row : NULL;
}

static cov_status on_entry(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    entry_sink *sink = (entry_sink *)(void *)base;
    cov_change like = { .kind = cov_change_kind_of(values[TYPE].s) };
    cov_change *change;

    (void)n;
    if (sink->find != NULL &&
        (sink->r = sink->find(sink->self, values[RESOURCE].s, &sink->table)) == NULL)
        return COV_OK;
    like.table = sink->table;
    sink->stored = values[ORIGIN].type == COV_TEXT &&
                   cov_str_eq(values[ORIGIN].s, COV_STR(COV_LOG_TRIGGERS_ORIGIN));
    like.position = (uint64_t)values[SEQ].i;
    like.seq = values[SEQ].i;
    like.timestamp_ms = values[TIMESTAMP].i;
    like.id = values[OBJECT_ID].s;
    like.after = row_of(sink, &values[OBJECT]);
    like.before = row_of(sink, &values[PREVIOUS]);
    if (like.after == NULL && (like.kind != COV_CHANGE_DELETE || cov_str_eq(like.id, COV_STR("*"))))
        like.invalidates = sink->unknown;
    change = cov_change_new(&like, cov_follow_table(sink->r)->n_columns);
    if (change != NULL && push(sink, change))
        return COV_OK;
    cov_change_release(change);
    return cov_fail_nomem(err);
}

static cov_status oldest(cov_ctx *ctx, int64_t *seq)
{
    cov_stmt stmt = { COV_STR("SELECT min(seq) FROM covara_changelog"), NULL, 0 };
    one_int first = { { take_int }, 0, false };
    cov_status st = cov_db_query(ctx->db, &stmt, &first.sink, ctx->err);

    *seq = first.value;
    return st;
}

static cov_status read_entries(cov_ctx *ctx, cov_stmt stmt, entry_sink *sink)
{
    cov_status st;

    if (sink->out->gap)
        return COV_OK;
    st = cov_db_query(ctx->db, &stmt, &sink->sink, ctx->err);
    if (st != COV_OK)
        cov_missed_dispose(sink->out);
    return st;
}

cov_status cov_changelog_read(cov_ctx *ctx, const cov_resource *r, size_t table, int64_t since,
                              int64_t upto, cov_missed *out)
{
    entry_sink sink = { .sink = { on_entry }, .ctx = ctx, .r = r, .table = table, .out = out };
    cov_value params[] = { cov_value_text(cov_follow_table(r)->name), cov_value_int(since),
                           cov_value_int(upto) };
    cov_stmt stmt = { COV_STR("SELECT " COLUMNS " FROM covara_changelog"
                              " WHERE resource = ? AND seq > ? AND seq <= ? ORDER BY seq"),
                      params, COV_COUNT_OF(params) };
    int64_t first = 0;
    cov_status st = oldest(ctx, &first);

    memset(out, 0, sizeof *out);
    sink.unknown = "Catchup unavailable - please refetch";
    out->gap = since > upto || (since < upto && since + 1 < first);
    return st == COV_OK ? read_entries(ctx, stmt, &sink) : st;
}

cov_status cov_changelog_others(const cov_changelog *log, cov_ctx *ctx, int64_t since, int64_t upto,
                                int64_t most,
                                const cov_resource *(*find)(void *self, cov_str name,
                                                            size_t *table),
                                void *self, cov_missed *out)
{
    entry_sink sink = { .sink = { on_entry }, .ctx = ctx, .find = find, .self = self, .out = out };
    cov_value params[] = { cov_value_int(since), cov_value_int(upto),
                           cov_value_text(cov_str_of(log->origin, sizeof log->origin)),
                           cov_value_int(most + 1) };
    cov_stmt stmt = { COV_STR("SELECT " COLUMNS " FROM covara_changelog"
                              " WHERE seq > ? AND seq <= ? AND origin IS NOT ?"
                              " ORDER BY seq LIMIT ?"),
                      params, COV_COUNT_OF(params) };
    int64_t first = 0;
    cov_status st = oldest(ctx, &first);

    memset(out, 0, sizeof *out);
    sink.unknown = "external-mutation";
    out->gap = since + 1 < first;
    return st == COV_OK ? read_entries(ctx, stmt, &sink) : st;
}
