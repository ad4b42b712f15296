/* SPDX-License-Identifier: MIT */
/* Who may do what (spec/01 section 5, spec/02 section 8). */
#include "resource/internal.h"

static const char *const op_names[COV_N_OPS] = {
    [COV_OP_READ] = "read",     [COV_OP_CREATE] = "create",       [COV_OP_UPDATE] = "update",
    [COV_OP_DELETE] = "delete", [COV_OP_SUBSCRIBE] = "subscribe",
};

cov_status cov__access_scope(const cov_resource *r, cov_ctx *ctx, cov_op op, const cov_rsql_expr **out)
{
    const cov_access *access = &r->access[op];

    *out = NULL;
    if (access->public_)
        return COV_OK;
    if (ctx->user == NULL)
        return cov_fail(ctx->err, COV_EUNAUTH, "Authentication required for %s on %.*s", op_names[op],
                        COV_STR_ARG(r->table->name));
    if (access->denied) {
        *out = cov_rsql_none();
        return COV_OK;
    }
    if (access->scope == NULL)
        return COV_OK;
    /* A scope that does not fit the table is the operator's mistake, not the caller's (spec/02 F-11). */
    if (cov_rsql_bind(ctx->arena, access->scope, r->table, ctx->host, ctx->user, out, ctx->err) == COV_OK)
        return COV_OK;
    return cov_fail(ctx->err, COV_EINTERNAL, "scope for %s on %.*s: %s", op_names[op],
                    COV_STR_ARG(r->table->name), ctx->err->text);
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

cov_status cov__access_check_row(const cov_resource *r, cov_ctx *ctx, cov_op op, const cov_rsql_expr *scope,
                                 const cov_value *row)
{
    if (scope == NULL || !r->config->strict_scope_on_write)
        return COV_OK;
    if (cov_rsql_eval(scope, row, ctx->host, ctx->arena) == COV_TRUE)
        return COV_OK;
    return forbidden(r, ctx, op);
}

/* "enableCreate" -> "create" in the text (spec/01 section 10). */
cov_status cov__access_capability(const cov_resource *r, cov_ctx *ctx, bool enabled, const char *flag)
{
    const char *name = flag + strlen("enable");
    cov_status st;

    if (enabled)
        return COV_OK;
    st = cov_fail(ctx->err, COV_EINVAL, "%c%s is not enabled for resource '%.*s'", name[0] + ('a' - 'A'),
                  name + 1, COV_STR_ARG(r->table->name));
    cov_error_member_str(ctx->err, "resource", r->table->name);
    cov_error_member(ctx->err, "\"capability\":\"%s\"", flag);
    cov_error_member(ctx->err, "\"suggestion\":\"Enable %s in the resource configuration\"", flag);
    return st;
}
