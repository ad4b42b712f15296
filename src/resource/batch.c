/* SPDX-License-Identifier: MIT */
/* POST /batch and POST /batch/upsert (spec/01 section 11): all or nothing, one transaction. */
#include "resource/feed.h"
#include "resource/hooks.h"

typedef struct batch_work {
    const cov_resource *r;
    cov_ctx *ctx;
    const cov_rsql_expr *create_scope;
    cov_where update; /* the rows that an upsert may touch */
    bool upsert;
    cov_input *inputs;
    size_t n;
} batch_work;

cov_status cov__batch_limit(cov_ctx *ctx, const char *operation, int64_t limit, int64_t requested)
{
    cov_status st;

    if (requested <= limit)
        return COV_OK;
    st =
        cov_fail(ctx->err, COV_EBATCH, "Batch %s limit exceeded. Max %lld items allowed, got %lld.",
                 operation, (long long)limit, (long long)requested);
    cov_error_member(ctx->err, "\"operation\":\"%s\",\"limit\":%lld,\"requested\":%lld", operation,
                     (long long)limit, (long long)requested);
    return st;
}

/* The array under "items", or NULL with an issue. */
static yyjson_val *items_of(yyjson_val *body, cov_issues *issues)
{
    yyjson_val *items = yyjson_obj_get(body, "items");

    if (!yyjson_is_obj(body))
        cov__issue(issues, COV_STR(""), COV_STR(""), "Invalid input: expected object, received %s",
                   cov__json_kind(body));
    else if (!yyjson_is_arr(items))
        cov__issue(issues, COV_STR(""), COV_STR("items"),
                   "Invalid input: expected array, received %s", cov__json_kind(items));
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
    yyjson_arr_foreach(items, i, n, item)
    {
        cov_input_rules rules = { COV_INPUT_CREATE, cov_arena_printf(arena, "items.%zu", i), NULL,
                                  false };
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

/* What was there before decides which hooks run, which scope judges the result, and the next version. */
static cov_status load_existing(batch_work *work, const cov_input *input, cov_value **row)
{
    const cov_resource *r = work->r;
    cov_where anywhere = { NULL, false };
    bool matters = work->create_scope != NULL || work->update.expr != NULL ||
                   work->update.live_only || r->version != NULL ||
                   cov__feed_records(work->ctx, r->table->name) || cov__has_create_hooks(r) ||
                   cov__has_update_hooks(r, COV_KIND_UPDATE);

    *row = NULL;
    if (!matters || !input->present[r->id->index])
        return COV_OK;
    return cov__load_row(r, work->ctx, &anywhere, &input->values[r->id->index], row);
}

static cov_status after_upsert(batch_work *work, const cov_value *before, const cov_value *row)
{
    const cov_resource *r = work->r;
    cov_status st;

    if (row == NULL)
        return cov__access_forbidden(r, work->ctx, COV_OP_UPDATE);
    if (before == NULL) {
        st = cov__access_check_row(r, work->ctx, COV_OP_CREATE, work->create_scope, row);
        return st == COV_OK ? cov__after_create(r, work->ctx, row) : st;
    }
    st = cov__access_check_row(r, work->ctx, COV_OP_UPDATE, work->update.expr, row);
    return st == COV_OK ? cov__after_update(r, work->ctx, COV_KIND_UPDATE, before, row) : st;
}

/* A row that PATCH would not find is refused before a hook hears of it. */
static cov_status check_existing(batch_work *work, const cov_value *before)
{
    const cov_resource *r = work->r;
    bool inside = false;
    cov_status st = cov__access_covers(r, work->ctx, work->update.expr, before, &inside);

    if (st != COV_OK)
        return st;
    if (work->update.live_only && before[r->soft_delete->index].type != COV_NULL)
        inside = false;
    return inside ? COV_OK : cov__access_forbidden(r, work->ctx, COV_OP_UPDATE);
}

/* Whole rows carry the version that their sender read: only another one is a wish. */
static void next_version(batch_work *work, const cov_value *before, cov_input *input)
{
    const cov_column *version = work->r->version;

    if (version == NULL)
        return;
    if (input->present[version->index] &&
        cov__value_equal(&input->values[version->index], &before[version->index]))
        input->present[version->index] = false;
    cov__bump_version(work->r, before, input);
}

static cov_status prepare_update(batch_work *work, const cov_value *before, cov_input *input)
{
    cov_status st = check_existing(work, before);

    if (st == COV_OK)
        st = cov__before_update(work->r, work->ctx, COV_KIND_UPDATE, before, input);
    if (st == COV_OK)
        next_version(work, before, input);
    return st;
}

static cov_status upsert_row(batch_work *work, cov_input *input, cov_value **row)
{
    cov_value *before = NULL;
    cov_status st = load_existing(work, input, &before);

    if (st == COV_OK)
        st = before != NULL ? prepare_update(work, before, input)
                            : cov__before_create(work->r, work->ctx, input);
    if (st == COV_OK)
        st = cov__access_judge_failure(
            work->r, work->ctx, before != NULL ? COV_OP_UPDATE : COV_OP_CREATE,
            before != NULL ? work->update.expr : work->create_scope, before, input,
            cov__insert(work->r, work->ctx, input, work->upsert ? &work->update : NULL, row));
    return st == COV_OK ? after_upsert(work, before, *row) : st;
}

static cov_status write_item(batch_work *work, cov_input *input)
{
    cov_value *row = NULL;
    cov_status st = work->upsert
                        ? upsert_row(work, input, &row)
                        : cov__create_row(work->r, work->ctx, work->create_scope, input, &row);

    return st == COV_OK ? cov__stored_row_json(work->ctx, work->r, row) : st;
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
        st = write_item(work, &work->inputs[i]);
    }
    COV_BUF_LIT(out, "]}");
    return st;
}

static cov_status write_items(const cov_resource *r, cov_ctx *ctx, bool upsert)
{
    batch_work work = { .r = r, .ctx = ctx, .upsert = upsert };
    cov_status st = cov__access_gate(r, ctx, COV_OP_CREATE, &work.create_scope);

    if (st == COV_OK && upsert)
        st = cov__access_gate(r, ctx, COV_OP_UPDATE, &work.update.expr);
    work.update.live_only = cov__live_only(r, ctx);
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
