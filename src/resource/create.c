/* SPDX-License-Identifier: MIT */
/* POST / (spec/01 section 6.5). */
#include "resource/hooks.h"
#include "resource/nested.h"

typedef struct create_work {
    const cov_resource *r;
    cov_ctx *ctx;
    const cov_rsql_expr *scope;
    cov_input input;
    cov_nested nested;
    cov_value *row;
} create_work;

static cov_status insert(void *arg)
{
    create_work *work = arg;
    cov_ctx *ctx = work->ctx;
    cov_status st = cov__nested_parents(ctx, &work->nested, &work->input);

    if (st == COV_OK)
        st = cov__create_row(work->r, ctx, work->scope, &work->input, &work->row);
    return st == COV_OK ? cov__nested_children(ctx, &work->nested, work->row) : st;
}

static cov_status read_input(create_work *work)
{
    cov_input_rules rules = { COV_INPUT_CREATE, COV_STR_INIT(""), NULL,
                              work->r->config->nested_writes };
    cov_ctx *ctx = work->ctx;
    yyjson_val *body = NULL;
    cov_issues issues;
    cov_status st = cov__body_read(ctx, &body);

    cov__issues_init(&issues, ctx->arena);
    if (st == COV_OK)
        st = cov__nested_read(work->r, ctx, body, &issues, &work->nested);
    rules.filled = work->nested.filled;
    if (st == COV_OK)
        st = cov__input_read(work->r, ctx, body, &rules, &issues, &work->input);
    if (st == COV_OK)
        st = cov__issues_finish(ctx, &issues);
    if (st == COV_OK)
        cov__input_mask(work->r, &work->input);
    return st;
}

/* One INSERT is atomic by itself; more of them, or a scope or hook that may refuse the row, are not. */
static bool needs_transaction(const create_work *work)
{
    return work->scope != NULL || cov__has_create_hooks(work->r) || work->nested.parents != NULL ||
           work->nested.children != NULL;
}

/* The client's own name for the row, echoed as the last member. */
static void add_optimistic_id(cov_ctx *ctx)
{
    cov_str id = cov_request_header(ctx->req, COV_STR("X-Covara-Optimistic-Id"));
    cov_buf *out = &ctx->res->body;

    if (id.len == 0 || out->failed)
        return;
    out->len--; /* reopen the object */
    cov_buf_str(out, out->ptr[out->len - 1] == '{' ? COV_STR("\"_optimisticId\":")
                                                   : COV_STR(",\"_optimisticId\":"));
    cov_json_str(out, id);
    cov_buf_char(out, '}');
}

static cov_status respond(const cov_resource *r, cov_ctx *ctx, const cov_value *row)
{
    cov_str tag = cov__etag(r, ctx, row);
    cov_status st = cov__stored_row_json(ctx, r, row);

    if (st != COV_OK)
        return st;
    if (tag.ptr != NULL)
        cov_response_header(ctx->res, COV_STR("ETag"), tag);
    add_optimistic_id(ctx);
    cov__respond(ctx, 201);
    return COV_OK;
}

cov_status cov__create(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    create_work work = { .r = r, .ctx = ctx };
    cov_status st = cov__access_gate(r, ctx, COV_OP_CREATE, &work.scope);

    (void)id;
    if (st == COV_OK)
        st = cov__access_capability(r, ctx, r->config->capabilities.create, "enableCreate");
    if (st == COV_OK)
        st = read_input(&work);
    if (st != COV_OK)
        return st;
    st = needs_transaction(&work) ? cov__in_transaction(ctx, insert, &work) : insert(&work);
    return st == COV_OK ? respond(r, ctx, work.row) : st;
}
