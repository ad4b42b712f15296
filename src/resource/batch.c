/* SPDX-License-Identifier: MIT */
/* The batch routes (spec/01 section 11): all or nothing, one transaction. */
#include "resource/internal.h"

typedef struct batch_work {
    const cov_resource *r;
    cov_ctx *ctx;
    const cov_rsql_expr *create_scope;
    const cov_rsql_expr *update_scope;
    bool upsert;
    cov_input *inputs;
    size_t n;
} batch_work;

cov_status cov__batch_limit(cov_ctx *ctx, const char *operation, int64_t limit, int64_t requested)
{
    cov_status st;

    if (requested <= limit)
        return COV_OK;
    st = cov_fail(ctx->err, COV_EBATCH, "Batch %s limit exceeded. Max %lld items allowed, got %lld.", operation,
                  (long long)limit, (long long)requested);
    cov_error_member(ctx->err, "\"operation\":\"%s\",\"limit\":%lld,\"requested\":%lld", operation,
                     (long long)limit, (long long)requested);
    return st;
}

/* The array under "items", or NULL with an issue. */
static yyjson_val *items_of(yyjson_val *body, cov_issues *issues)
{
    yyjson_val *items = yyjson_obj_get(body, "items");

    if (!yyjson_is_obj(body))
        cov__issue(issues, COV_STR(""), COV_STR(""), "Invalid input: expected object, received %s", cov__json_kind(body));
    else if (!yyjson_is_arr(items))
        cov__issue(issues, COV_STR(""), COV_STR("items"), "Invalid input: expected array, received %s", cov__json_kind(items));
    return yyjson_is_arr(items) ? items : NULL;
}

static cov_status read_items(batch_work *work, yyjson_val *items, cov_issues *issues)
{
    cov_arena *arena = work->ctx->arena;
    yyjson_val *item;
    size_t i;
    size_t n;

    work->n = yyjson_arr_size(items);
    work->inputs = COV_NEW_ARRAY(arena, cov_input, work->n);
    if (work->inputs == NULL)
        return cov_fail_nomem(work->ctx->err);
    yyjson_arr_foreach(items, i, n, item) {
        cov_input_rules rules = { COV_INPUT_CREATE, cov_arena_printf(arena, "items.%zu", i), NULL, false };
        cov_status st = cov__input_read(work->r, work->ctx, item, &rules, issues, &work->inputs[i]);

        if (st != COV_OK)
            return st;
    }
    return COV_OK;
}

static cov_status read_body(batch_work *work)
{
    yyjson_val *body = NULL;
    yyjson_val *items = NULL;
    cov_issues issues;
    cov_status st = cov__body_read(work->ctx, &body);

    if (st != COV_OK)
        return st;
    cov__issues_init(&issues, work->ctx->arena);
    items = items_of(body, &issues);
    if (items != NULL)
        st = read_items(work, items, &issues);
    if (st == COV_OK)
        st = cov__issues_finish(work->ctx, &issues);
    if (st == COV_OK)
        st = cov__batch_limit(work->ctx, "create", work->r->config->batch.create, (int64_t)work->n);
    for (size_t i = 0; st == COV_OK && i < work->n; i++)
        cov__input_mask(work->r, &work->inputs[i]);
    return st;
}

/* An upserted row is judged by the scope of what happened to it. */
static cov_status check_scope(batch_work *work, const cov_value *row, bool existed)
{
    return existed ? cov__access_check_row(work->r, work->ctx, COV_OP_UPDATE, work->update_scope, row)
                   : cov__access_check_row(work->r, work->ctx, COV_OP_CREATE, work->create_scope, row);
}

static cov_status row_exists(batch_work *work, const cov_input *input, bool *exists)
{
    cov_where anywhere = { NULL, false };
    cov_value *row = NULL;
    cov_status st = COV_OK;

    *exists = false;
    if (!work->upsert || !input->present[work->r->id->index] ||
        (work->create_scope == NULL && work->update_scope == NULL))
        return COV_OK;
    st = cov__load_row(work->r, work->ctx, &anywhere, &input->values[work->r->id->index], &row);
    *exists = row != NULL;
    return st;
}

static cov_status insert_item(batch_work *work, const cov_input *input)
{
    cov_value *row = NULL;
    bool existed;
    cov_status st = row_exists(work, input, &existed);

    if (st == COV_OK)
        st = cov__insert(work->r, work->ctx, input, work->upsert, work->update_scope, &row);
    if (st != COV_OK)
        return st;
    if (row == NULL)
        return cov_fail(work->ctx->err, COV_EFORBIDDEN, "Not authorized to update on %.*s", COV_STR_ARG(work->r->table->name));
    st = check_scope(work, row, existed);
    if (st == COV_OK)
        cov__table_row_json(&work->ctx->res->body, work->ctx->arena, &work->r->readable, row);
    return st;
}

static cov_status insert_all(void *arg)
{
    batch_work *work = arg;
    cov_buf *out = &work->ctx->res->body;
    cov_status st = COV_OK;

    COV_BUF_LIT(out, "{\"items\":[");
    for (size_t i = 0; st == COV_OK && i < work->n; i++) {
        if (i != 0)
            cov_buf_char(out, ',');
        st = insert_item(work, &work->inputs[i]);
    }
    COV_BUF_LIT(out, "]}");
    return st;
}

static cov_status write_items(const cov_resource *r, cov_ctx *ctx, bool upsert)
{
    batch_work work = { .r = r, .ctx = ctx, .upsert = upsert };
    cov_status st = cov__access_create(r, ctx, &work.create_scope);

    if (st == COV_OK && upsert)
        st = cov__access_scope(r, ctx, COV_OP_UPDATE, &work.update_scope);
    if (st == COV_OK)
        st = cov__access_capability(r, ctx, r->config->capabilities.batch, "enableBatch");
    if (st == COV_OK)
        st = cov__access_capability(r, ctx, r->config->capabilities.create, "enableCreate");
    if (st == COV_OK && upsert)
        st = cov__access_capability(r, ctx, r->config->capabilities.update, "enableUpdate");
    if (st == COV_OK)
        st = read_body(&work);
    if (st == COV_OK)
        st = cov__in_transaction(ctx, insert_all, &work);
    if (st == COV_OK)
        cov__respond(ctx, 200);
    return st;
}

cov_status cov__batch_create(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    (void)id;
    return write_items(r, ctx, false);
}

cov_status cov__batch_upsert(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    (void)id;
    return write_items(r, ctx, true);
}

/* PATCH /batch and DELETE /batch: every row that the filter matches. */
typedef struct filtered_work {
    const cov_resource *r;
    cov_ctx *ctx;
    cov_where where;
    cov_input input;
    bool deleting;
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

typedef struct scope_sink {
    cov_row_sink sink;
    filtered_work *work;
    const cov_rsql_expr *scope;
} scope_sink;

static cov_status on_changed_row(cov_row_sink *base, const cov_value *row, size_t n, cov_error *err)
{
    scope_sink *sink = (scope_sink *)base;

    (void)n;
    (void)err;
    sink->work->count++;
    return cov__access_check_row(sink->work->r, sink->work->ctx, COV_OP_UPDATE, sink->scope, row);
}

static cov_status update_matching(filtered_work *work)
{
    scope_sink sink = { { on_changed_row }, work, NULL };
    cov_stmt stmt;
    cov_status st;
    cov_sql sql;

    cov_sql_init(&sql, work->ctx->arena, work->ctx->db);
    if (cov__update_sql(work->r, &work->input, &sql) == 0)
        return COV_OK;
    cov__where_sql(work->r, &work->where, false, &sql);
    COV_SQL(&sql, " RETURNING ");
    cov__column_list_sql(&sql, &work->r->all);
    st = cov__access_scope(work->r, work->ctx, COV_OP_UPDATE, &sink.scope);
    if (st == COV_OK)
        st = cov_sql_finish(&sql, &stmt, work->ctx->err);
    if (st != COV_OK)
        return st;
    work->count = 0;
    st = cov_db_query(work->ctx->db, &stmt, &sink.sink, work->ctx->err);
    return st == COV_OK ? COV_OK : cov__fail_constraint(work->r, work->ctx, st, &work->input);
}

static cov_status delete_matching(filtered_work *work)
{
    cov_stmt stmt;
    cov_status st;
    cov_sql sql;

    cov_sql_init(&sql, work->ctx->arena, work->ctx->db);
    cov__delete_sql(work->r, work->ctx, &sql);
    cov__where_sql(work->r, &work->where, false, &sql);
    st = cov_sql_finish(&sql, &stmt, work->ctx->err);
    if (st == COV_OK)
        st = cov_db_exec(work->ctx->db, &stmt, &work->count, work->ctx->err);
    return st == COV_OK ? COV_OK : cov__fail_constraint(work->r, work->ctx, st, NULL);
}

/* Counting and writing share the transaction, so exactly the counted rows change. */
static cov_status run_filtered(void *arg)
{
    filtered_work *work = arg;
    cov_status st = cov__count_rows(work->r, work->ctx, &work->where, &work->count);

    if (st == COV_OK)
        st = cov__batch_limit(work->ctx, work->deleting ? "delete" : "update", work->limit, work->count);
    if (st != COV_OK || work->count == 0)
        return st;
    return work->deleting ? delete_matching(work) : update_matching(work);
}

static cov_status read_patch(const cov_resource *r, cov_ctx *ctx, cov_input *out)
{
    cov_input_rules rules = { COV_INPUT_UPDATE, COV_STR_INIT(""), NULL, false };
    yyjson_val *body = NULL;
    cov_issues issues;
    cov_status st = cov__body_read(ctx, &body);

    cov__issues_init(&issues, ctx->arena);
    if (st == COV_OK)
        st = cov__input_read(r, ctx, body, &rules, &issues, out);
    if (st == COV_OK && out->present[r->id->index])
        cov__issue(&issues, COV_STR(""), r->id->name, "Invalid input: the id of a row cannot be changed");
    if (st == COV_OK)
        st = cov__issues_finish(ctx, &issues);
    if (st == COV_OK)
        cov__input_mask(r, out);
    return st;
}

static cov_status write_filtered(filtered_work *work)
{
    cov_ctx *ctx = work->ctx;
    cov_status st = cov__in_transaction(ctx, run_filtered, work);

    if (st != COV_OK)
        return st;
    COV_BUF_LIT(&ctx->res->body, "{\"count\":");
    cov_json_int(&ctx->res->body, work->count);
    cov_buf_char(&ctx->res->body, '}');
    cov__respond(ctx, 200);
    return COV_OK;
}

static cov_status prepare(filtered_work *work, cov_op op, bool enabled, const char *flag)
{
    const cov_resource *r = work->r;
    cov_status st = cov__where_read(r, work->ctx, op, &work->where);

    if (st == COV_OK)
        st = cov__access_capability(r, work->ctx, r->config->capabilities.batch, "enableBatch");
    if (st == COV_OK)
        st = cov__access_capability(r, work->ctx, enabled, flag);
    return st == COV_OK ? require_filter(r, work->ctx) : st;
}

cov_status cov__batch_update(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    filtered_work work = { .r = r, .ctx = ctx, .limit = r->config->batch.update };
    cov_status st = prepare(&work, COV_OP_UPDATE, r->config->capabilities.update, "enableUpdate");

    (void)id;
    if (st == COV_OK)
        st = read_patch(r, ctx, &work.input);
    return st == COV_OK ? write_filtered(&work) : st;
}

cov_status cov__batch_delete(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    filtered_work work = { .r = r, .ctx = ctx, .deleting = true, .limit = r->config->batch.delete_ };
    cov_status st = prepare(&work, COV_OP_DELETE, r->config->capabilities.delete_, "enableDelete");

    (void)id;
    return st == COV_OK ? write_filtered(&work) : st;
}
