/* SPDX-License-Identifier: MIT */
/*
 * PATCH /batch and DELETE /batch: every row that a filter matches, in one transaction (spec/01 section 11).
 *
 * DESIGN: without hooks one statement does the work. With hooks each row is written by itself, since a hook
 * may set something else for each (spec/01 Q-15); so it is with versions that SQL cannot count up.
 */
#include "resource/hooks.h"

typedef struct filtered_work {
    const cov_resource *r;
    cov_ctx *ctx;
    cov_op op;
    cov_where where;
    const cov_rsql_expr *scope; /* without the filter: judges the changed rows */
    cov_input input;
    int64_t limit;
    int64_t count;
} filtered_work;

/* Without a filter every row in scope would change (spec/01 Q-29). */
static cov_status require_filter(const cov_resource *r, cov_ctx *ctx)
{
    cov_str filter = cov_param_get(ctx, COV_PARAM_FILTER);

    if (!r->config->batch.require_filter || cov_str_trim(filter).len != 0)
        return COV_OK;
    return cov_fail(ctx->err, COV_EINVAL, "A filter is required: ?filter=...");
}

typedef struct rows_sink {
    cov_row_sink sink;
    filtered_work *work;
    const cov_value **rows; /* kept copies; NULL: each row is judged and recorded as it comes */
    size_t n;
} rows_sink;

static cov_status on_changed_row(cov_row_sink *base, const cov_value *row, size_t n, cov_error *err)
{
    rows_sink *sink = (rows_sink *)base;
    filtered_work *work = sink->work;

    (void)n;
    (void)err;
    sink->n++;
    cov__record_row(work->r, work->ctx, work->op == COV_OP_UPDATE ? "update" : "delete", row);
    if (work->op != COV_OP_UPDATE)
        return COV_OK;
    return cov__access_check_row(work->r, work->ctx, COV_OP_UPDATE, work->scope, row);
}

static cov_status on_kept_row(cov_row_sink *base, const cov_value *row, size_t n, cov_error *err)
{
    rows_sink *sink = (rows_sink *)base;

    sink->rows[sink->n] = cov__values_clone(sink->work->ctx->arena, row, n);
    return sink->rows[sink->n++] != NULL ? COV_OK : cov_fail_nomem(err);
}

static cov_status run(filtered_work *work, cov_sql *sql, rows_sink *sink)
{
    cov_stmt stmt;
    cov_status st = cov_sql_finish(sql, &stmt, work->ctx->err);

    if (st == COV_OK)
        st = cov_db_query(work->ctx->db, &stmt, &sink->sink, work->ctx->err);
    return st == COV_OK ? COV_OK : cov__fail_constraint(work->r, work->ctx, st, &work->input);
}

static bool alloc_rows(filtered_work *work, rows_sink *sink)
{
    sink->rows = COV_NEW_ARRAY(work->ctx->arena, const cov_value *, (size_t)work->count);
    return sink->rows != NULL;
}

/* UPDATE, DELETE or marking as deleted; false when there is nothing to set. */
static bool write_sql(filtered_work *work, const cov_input *input, cov_sql *sql)
{
    cov_sql_init(sql, work->ctx->arena, work->ctx->db);
    if (work->op == COV_OP_UPDATE)
        return cov__bump_version_sql(work->r, input, cov__update_sql(work->r, input, sql), sql) !=
               0;
    cov__delete_sql(work->r, work->ctx, sql);
    return true;
}

static void returning_sql(const cov_resource *r, cov_sql *sql)
{
    COV_SQL(sql, " RETURNING ");
    cov__column_list_sql(sql, &r->all);
}

/* Rows that only the database can judge are judged when the statement is through. */
static cov_status judge_kept(filtered_work *work, const rows_sink *sink)
{
    cov_status st = COV_OK;

    for (size_t i = 0; st == COV_OK && sink->rows != NULL && i < sink->n; i++) {
        cov__record_row(work->r, work->ctx, "update", sink->rows[i]);
        st = cov__access_check_row(work->r, work->ctx, COV_OP_UPDATE, work->scope, sink->rows[i]);
    }
    return st;
}

static cov_status write_together(filtered_work *work)
{
    bool keep = work->op == COV_OP_UPDATE && cov_rsql_needs_db(work->scope);
    rows_sink sink = { { keep ? on_kept_row : on_changed_row }, work, NULL, 0 };
    cov_status st;
    cov_sql sql;

    if (!write_sql(work, &work->input, &sql))
        return COV_OK;
    if (keep && !alloc_rows(work, &sink))
        return cov_fail_nomem(work->ctx->err);
    cov__where_sql(work->r, &work->where, false, &sql);
    returning_sql(work->r, &sql);
    st = run(work, &sql, &sink);
    work->count = (int64_t)sink.n;
    return st == COV_OK ? judge_kept(work, &sink) : st;
}

/* The patch of one row: hooks change a copy, never what the next row gets. */
static cov_status copy_input(filtered_work *work, cov_input *out)
{
    size_t n = work->r->table->n_columns;
    cov_arena *arena = work->ctx->arena;

    out->present = COV_NEW_ARRAY(arena, bool, n);
    out->reset = COV_NEW_ARRAY(arena, bool, n);
    out->values = COV_NEW_ARRAY(arena, cov_value, n);
    if (out->present == NULL || out->reset == NULL || out->values == NULL)
        return cov_fail_nomem(work->ctx->err);
    memcpy(out->present, work->input.present, n * sizeof *out->present);
    memcpy(out->values, work->input.values, n * sizeof *out->values);
    return COV_OK;
}

static cov_status write_one(filtered_work *work, const cov_input *input, const cov_value *row,
                            const cov_value **after)
{
    rows_sink sink = { { on_kept_row }, work, after, 0 };
    cov_sql sql;

    if (!write_sql(work, input, &sql))
        return COV_OK;
    COV_SQL(&sql, " WHERE ");
    cov_sql_str(&sql, work->r->id->quoted);
    COV_SQL(&sql, " = ");
    cov_sql_param(&sql, row[work->r->id->index]);
    returning_sql(work->r, &sql);
    return run(work, &sql, &sink);
}

static cov_status update_one(filtered_work *work, const cov_value *row)
{
    const cov_value *after = NULL;
    cov_input input;
    cov_status st = copy_input(work, &input);

    if (st == COV_OK)
        st = cov__before_update(work->r, work->ctx, COV_KIND_UPDATE, row, &input);
    if (st == COV_OK)
        cov__bump_version(work->r, row, &input);
    if (st == COV_OK)
        st = write_one(work, &input, row, &after);
    if (st != COV_OK || after == NULL)
        return st;
    st = cov__access_check_row(work->r, work->ctx, COV_OP_UPDATE, work->scope, after);
    return st == COV_OK ? cov__after_update(work->r, work->ctx, COV_KIND_UPDATE, row, after) : st;
}

static cov_status delete_one(filtered_work *work, const cov_value *row)
{
    const cov_value *gone = NULL;
    cov_status st = cov__before_delete(work->r, work->ctx, row);

    if (st == COV_OK)
        st = write_one(work, &work->input, row, &gone);
    return st == COV_OK ? cov__after_delete(work->r, work->ctx, row) : st;
}

static cov_status write_row_by_row(filtered_work *work)
{
    rows_sink sink = { { on_kept_row }, work, NULL, 0 };
    cov_status st;
    cov_sql sql;

    if (!alloc_rows(work, &sink))
        return cov_fail_nomem(work->ctx->err);
    cov_sql_init(&sql, work->ctx->arena, work->ctx->db);
    cov__select_sql(&sql, work->r, &work->r->all);
    cov__where_sql(work->r, &work->where, false, &sql);
    st = run(work, &sql, &sink);
    for (size_t i = 0; st == COV_OK && i < sink.n; i++)
        st = work->op == COV_OP_UPDATE ? update_one(work, sink.rows[i])
                                       : delete_one(work, sink.rows[i]);
    return st;
}

static bool one_by_one(const filtered_work *work)
{
    const cov_column *version = work->r->version;

    if (work->op != COV_OP_UPDATE)
        return cov__has_delete_hooks(work->r);
    return cov__has_update_hooks(work->r, COV_KIND_UPDATE) ||
           (version != NULL && version->class_ != COV_CLASS_NUM);
}

/* Counting and writing share the transaction, so exactly the counted rows change. */
static cov_status write_all(void *arg)
{
    filtered_work *work = arg;
    cov_status st = cov__count_rows(work->r, work->ctx, &work->where, &work->count);

    if (st == COV_OK)
        st = cov__batch_limit(work->ctx, work->op == COV_OP_UPDATE ? "update" : "delete",
                              work->limit, work->count);
    if (st != COV_OK || work->count == 0)
        return st;
    return one_by_one(work) ? write_row_by_row(work) : write_together(work);
}

static cov_status read_patch(filtered_work *work)
{
    cov_input_rules rules = { COV_INPUT_UPDATE, COV_STR_INIT(""), NULL, false };
    const cov_resource *r = work->r;
    yyjson_val *body = NULL;
    cov_issues issues;
    cov_status st = cov__body_read(work->ctx, &body);

    cov__issues_init(&issues, work->ctx->arena);
    if (st == COV_OK)
        st = cov__input_read(r, work->ctx, body, &rules, &issues, &work->input);
    if (st == COV_OK && work->input.present[r->id->index])
        cov__issue(&issues, COV_STR(""), r->id->name,
                   "Invalid input: the id of a row cannot be changed");
    if (st == COV_OK)
        st = cov__issues_finish(work->ctx, &issues);
    if (st == COV_OK)
        cov__input_mask(r, &work->input);
    return st;
}

static cov_status prepare(filtered_work *work, bool enabled, const char *flag)
{
    const cov_resource *r = work->r;
    cov_status st = cov__where_read(r, work->ctx, work->op, &work->where);

    if (st == COV_OK)
        st = cov__access_scope(r, work->ctx, work->op, &work->scope);
    if (st == COV_OK)
        st = cov__access_capability(r, work->ctx, r->config->capabilities.batch, "enableBatch");
    if (st == COV_OK)
        st = cov__access_capability(r, work->ctx, enabled, flag);
    return st == COV_OK ? require_filter(r, work->ctx) : st;
}

static cov_status finish(filtered_work *work)
{
    cov_ctx *ctx = work->ctx;
    cov_status st = cov__in_transaction(ctx, write_all, work);

    if (st != COV_OK)
        return st;
    COV_BUF_LIT(&ctx->res->body, "{\"count\":");
    cov_json_int(&ctx->res->body, work->count);
    cov_buf_char(&ctx->res->body, '}');
    cov__respond(ctx, 200);
    return COV_OK;
}

cov_status cov__batch_update(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    filtered_work work = {
        .r = r, .ctx = ctx, .op = COV_OP_UPDATE, .limit = r->config->batch.update
    };
    cov_status st = prepare(&work, r->config->capabilities.update, "enableUpdate");

    (void)id;
    if (st == COV_OK)
        st = read_patch(&work);
    return st == COV_OK ? finish(&work) : st;
}

cov_status cov__batch_delete(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    filtered_work work = {
        .r = r, .ctx = ctx, .op = COV_OP_DELETE, .limit = r->config->batch.delete_
    };
    cov_status st = prepare(&work, r->config->capabilities.delete_, "enableDelete");

    (void)id;
    return st == COV_OK ? finish(&work) : st;
}
