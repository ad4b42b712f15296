/* SPDX-License-Identifier: MIT */
/* Who may do what (spec/01 section 5, spec/02 section 8). */
#include "resource/internal.h"

static const char *const op_names[COV_N_OPS] = {
    [COV_OP_READ] = "read",     [COV_OP_CREATE] = "create",       [COV_OP_UPDATE] = "update",
    [COV_OP_DELETE] = "delete", [COV_OP_SUBSCRIBE] = "subscribe",
};

static cov_status fail_scope(const cov_resource *r, cov_ctx *ctx, cov_op op)
{
    return cov_fail(ctx->err, COV_EINTERNAL, "scope for %s on %.*s: %s", op_names[op],
                    COV_STR_ARG(r->table->name), ctx->err->text);
}

/* What the application's scope function writes is parsed like a configured scope, on each request. */
static cov_status scope_from_code(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                  const cov_rsql_expr **out)
{
    const cov_resource_options *code = &r->code->options;
    cov_buf text = COV_BUF_IN(ctx->arena);
    const cov_rsql_node *node = NULL;
    cov_str trimmed;
    cov_status st = code->scope(ctx, (cov_operation)(1 << op), &text, code->scope_self, ctx->err);

    if (st != COV_OK)
        return st;
    if (text.failed)
        return cov_fail_nomem(ctx->err);
    trimmed = cov_str_trim(cov_buf_view(&text));
    *out = trimmed.len == 0 ? cov_rsql_none() : NULL;
    if (trimmed.len == 0 || cov_str_eq(trimmed, COV_STR("*")))
        return COV_OK;
    if (cov_rsql_parse(ctx->arena, trimmed, r->table, &r->scope_policy, &node, ctx->err) !=
            COV_OK ||
        cov_rsql_bind(ctx->arena, node, r->table, ctx->host, ctx->user, out, ctx->err) != COV_OK)
        return fail_scope(r, ctx, op);
    return COV_OK;
}

/* A quoted literal that the filter language reads back as the same value. */
void cov_scope_value(cov_buf *scope, const cov_value *value)
{
    if (value->type != COV_TEXT && value->type != COV_BLOB) {
        cov__plain_text(scope, value);
        return;
    }
    cov_buf_char(scope, '"');
    for (size_t i = 0; i < value->s.len; i++) {
        if (value->s.ptr[i] == '"' || value->s.ptr[i] == '\\')
            cov_buf_char(scope, '\\');
        cov_buf_char(scope, value->s.ptr[i]);
    }
    cov_buf_char(scope, '"');
}

cov_status cov__access_scope(const cov_resource *r, cov_ctx *ctx, cov_op op,
                             const cov_rsql_expr **out)
{
    const cov_access *access = &r->access[op];

    *out = NULL;
    if (access->public_)
        return COV_OK;
    if (ctx->user == NULL)
        return cov_fail(ctx->err, COV_EUNAUTH, "Authentication required for %s on %.*s",
                        op_names[op], COV_STR_ARG(r->table->name));
    if (r->code->options.scope != NULL)
        return scope_from_code(r, ctx, op, out);
    if (access->denied) {
        *out = cov_rsql_none();
        return COV_OK;
    }
    if (access->scope == NULL)
        return COV_OK;
    /* A scope that does not fit the table is the operator's mistake, not the caller's (spec/02 F-11). */
    if (cov_rsql_bind(ctx->arena, access->scope, r->table, ctx->host, ctx->user, out, ctx->err) ==
        COV_OK)
        return COV_OK;
    return fail_scope(r, ctx, op);
}

static cov_status forbidden(const cov_resource *r, cov_ctx *ctx, cov_op op)
{
    return cov_fail(ctx->err, COV_EFORBIDDEN, "Not authorized to %s on %.*s", op_names[op],
                    COV_STR_ARG(r->table->name));
}

cov_status cov__access_create(const cov_resource *r, cov_ctx *ctx, const cov_rsql_expr **out)
{
    cov_status st = cov__access_scope(r, ctx, COV_OP_CREATE, out);

    if (st == COV_OK && *out == cov_rsql_none())
        return forbidden(r, ctx, COV_OP_CREATE);
    return st;
}

cov_status cov__access_check_row(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                 const cov_rsql_expr *scope, const cov_value *row)
{
    if (scope == NULL || !r->config->strict_scope_on_write)
        return COV_OK;
    if (cov_rsql_eval(scope, row, ctx->host, ctx->arena) == COV_TRUE)
        return COV_OK;
    return forbidden(r, ctx, op);
}

/* "enableCreate" -> "create" in the text (spec/01 section 10). */
cov_status cov__access_capability(const cov_resource *r, cov_ctx *ctx, bool enabled,
                                  const char *flag)
{
    const char *name = flag + strlen("enable");
    cov_status st;

    if (enabled)
        return COV_OK;
    st = cov_fail(ctx->err, COV_EINVAL, "%c%s is not enabled for resource '%.*s'",
                  name[0] + ('a' - 'A'), name + 1, COV_STR_ARG(r->table->name));
    cov_error_member_str(ctx->err, "resource", r->table->name);
    cov_error_member(ctx->err, "\"capability\":\"%s\"", flag);
    cov_error_member(ctx->err, "\"suggestion\":\"Enable %s in the resource configuration\"", flag);
    return st;
}
