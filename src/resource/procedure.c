/* SPDX-License-Identifier: MIT */
/* POST <resource>/rpc/<name>: application code behind a checked input and output (spec/01 section 17). */
#include "resource/internal.h"
#include "resource/shape.h"

typedef struct call {
    const cov_resource *r;
    cov_ctx *ctx;
    const cov_procedure *procedure;
    yyjson_val *input;
    yyjson_val *output; /* NULL: the procedure gave none */
} call;

const cov_procedure *cov__procedure_named(const cov_resource *r, cov_str name)
{
    for (size_t i = 0; i < r->code->n_procedures; i++)
        if (cov_str_eq(cov_str_from(r->code->procedures[i]->name), name))
            return r->code->procedures[i];
    return NULL;
}

static cov_status require_user(const call *c)
{
    if (!c->procedure->signed_in || c->ctx->user != NULL)
        return COV_OK;
    return cov_fail(c->ctx->err, COV_EUNAUTH, "Authentication required for %s on %.*s",
                    c->procedure->name, COV_STR_ARG(c->r->table->name));
}

static cov_status check_input(const call *c)
{
    cov_buf issues = COV_BUF_IN(c->ctx->arena);
    cov_status st;

    if (c->procedure->n_input == 0)
        return COV_OK;
    cov__shape_check(c->input, c->procedure->input, c->procedure->n_input, &issues);
    if (issues.failed)
        return cov_fail_nomem(c->ctx->err);
    if (issues.len == 0)
        return COV_OK;
    st = cov_fail(c->ctx->err, COV_EINVAL, "Invalid procedure input");
    cov_error_member(c->ctx->err, "\"errors\":[%.*s]", COV_STR_ARG(cov_buf_view(&issues)));
    return st;
}

/* The reason is for the log; problem.c says a fixed sentence. */
static cov_status bad_output(const call *c, cov_str reason)
{
    cov_status st = c->procedure->n_output != 0 ? COV_EOUTPUT : COV_EINTERNAL;

    return cov_fail(c->ctx->err, st, "output of procedure \"%s\" on %.*s: %.*s", c->procedure->name,
                    COV_STR_ARG(c->r->table->name), COV_STR_ARG(reason));
}

static cov_status read_output(call *c, const cov_buf *text)
{
    cov_error why;

    if (text->failed)
        return cov_fail_nomem(c->ctx->err);
    if (text->len == 0)
        return COV_OK;
    cov_error_init(&why, c->ctx->arena);
    switch (cov_json_read(c->ctx->arena, cov_buf_view(text), &c->output, &why)) {
    case COV_OK:
        return COV_OK;
    case COV_ENOMEM:
        return cov_fail_nomem(c->ctx->err);
    default:
        return bad_output(c, cov_error_detail(&why));
    }
}

static cov_status check_output(const call *c)
{
    cov_buf issues = COV_BUF_IN(c->ctx->arena);

    if (c->procedure->n_output == 0)
        return COV_OK;
    cov__shape_check(c->output, c->procedure->output, c->procedure->n_output, &issues);
    if (issues.failed)
        return cov_fail_nomem(c->ctx->err);
    return issues.len == 0 ? COV_OK : bad_output(c, cov_buf_view(&issues));
}

/* Inside the transaction, so that a procedure whose answer is refused changed nothing. */
static cov_status run(void *arg)
{
    call *c = arg;
    const cov_procedure *procedure = c->procedure;
    cov_buf output = COV_BUF_IN(c->ctx->arena);
    cov_status st = procedure->call(c->ctx, c->input, &output, procedure->self, c->ctx->err);

    if (st != COV_OK && c->ctx->err->status != st)
        return cov_fail(c->ctx->err, st, "Procedure %s refused the request", procedure->name);
    if (st == COV_OK)
        st = read_output(c, &output);
    return st == COV_OK ? check_output(c) : st;
}

static void respond(const call *c)
{
    cov_buf *body = &c->ctx->res->body;

    cov__respond(c->ctx, 200);
    cov_buf_char(body, '{');
    if (c->output != NULL) {
        COV_BUF_LIT(body, "\"data\":");
        if (c->procedure->n_output != 0)
            cov__shape_write(body, c->output, c->procedure->output, c->procedure->n_output);
        else
            cov_json_value(body, c->output);
    }
    cov_buf_char(body, '}');
}

cov_status cov__procedure(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    call c = { r, ctx, cov__procedure_named(r, id), NULL, NULL };
    cov_status st = require_user(&c);

    if (st == COV_OK)
        st = cov__body_read(ctx, &c.input);
    if (st == COV_OK)
        st = check_input(&c);
    if (st == COV_OK)
        st = cov__in_transaction(ctx, run, &c);
    if (st == COV_OK)
        respond(&c);
    return st;
}
