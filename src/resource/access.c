/* SPDX-License-Identifier: MIT */
/* Who may do what (spec/01 section 5, spec/02 section 8). */
#include "resource/relation.h"

const char *const cov__op_names[COV_N_OPS] = {
    [COV_OP_READ] = "read",     [COV_OP_CREATE] = "create",       [COV_OP_UPDATE] = "update",
    [COV_OP_DELETE] = "delete", [COV_OP_SUBSCRIBE] = "subscribe",
};

static cov_status fail_scope(const cov_resource *r, cov_ctx *ctx, cov_op op)
{
    return cov_fail(ctx->err, COV_EINTERNAL, "scope for %s on %.*s: %s", cov__op_names[op],
                    COV_STR_ARG(r->table->name), ctx->err->text);
}

/* A scope that does not fit the table is the operator's mistake, not the caller's (spec/02 F-11). */
static cov_status bind(const cov_resource *r, cov_ctx *ctx, cov_op op, const cov_rsql_node *node,
                       const cov_rsql_expr **out)
{
    cov_rsql_paths paths = cov__relation_paths(r);
    cov_status st = cov_rsql_bind_scope(ctx->arena, node, r->table, ctx->host, ctx->user, &paths,
                                        out, ctx->err);

    if (st == COV_OK)
        st = cov_rsql_check_db(*out, ctx->db->driver->caps, ctx->err);
    return st == COV_OK || st == COV_ENOMEM ? st : fail_scope(r, ctx, op);
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
    if (cov_rsql_parse(ctx->arena, trimmed, r->table, &r->scope_policy, &node, ctx->err) != COV_OK)
        return fail_scope(r, ctx, op);
    return bind(r, ctx, op, node, out);
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
                        cov__op_names[op], COV_STR_ARG(r->table->name));
    if (r->code->options.scope != NULL)
        return scope_from_code(r, ctx, op, out);
    if (access->denied) {
        *out = cov_rsql_none();
        return COV_OK;
    }
    if (access->scope == NULL)
        return COV_OK;
    return bind(r, ctx, op, access->scope, out);
}

cov_status cov_resource_check(cov_arena *arena, const cov_resource *r, const cov_host *host,
                              cov_error *err)
{
    cov_rsql_paths paths = cov__relation_paths(r);

    for (int op = 0; op < COV_N_OPS; op++) {
        const cov_rsql_expr *checked = NULL;

        /* Without a user no placeholder has a value; what is checked are columns, relations and operators. */
        if (cov_rsql_bind_scope(arena, r->access[op].scope, r->table, host, NULL, &paths, &checked,
                                err) != COV_OK)
            return cov_fail(err, COV_EINVAL, "resource \"%.*s\": scope for %s: %s",
                            COV_STR_ARG(r->config->name), cov__op_names[op], err->text);
    }
    return COV_OK;
}

cov_status cov__access_forbidden(const cov_resource *r, cov_ctx *ctx, cov_op op)
{
    return cov_fail(ctx->err, COV_EFORBIDDEN, "Not authorized to %s on %.*s", cov__op_names[op],
                    COV_STR_ARG(r->table->name));
}

cov_status cov__access_gate(const cov_resource *r, cov_ctx *ctx, cov_op op,
                            const cov_rsql_expr **out)
{
    cov_status st = cov__access_scope(r, ctx, op, out);

    if (st == COV_OK && *out == cov_rsql_none())
        return cov__access_forbidden(r, ctx, op);
    return st;
}

cov_status cov__access_covers(const cov_resource *r, cov_ctx *ctx, const cov_rsql_expr *scope,
                              const cov_value *row, bool *inside)
{
    cov_columns columns = { (const cov_column *[]){ r->id }, 1 };
    cov_where where = { scope, false };
    cov_value *found = NULL;
    cov_status st;
    cov_sql sql;

    if (!cov_rsql_needs_db(scope)) {
        *inside = cov_rsql_eval(scope, row, ctx->host, ctx->arena) == COV_TRUE;
        return COV_OK;
    }
    cov_sql_init(&sql, ctx->arena, ctx->db);
    cov__select_sql(&sql, r, &columns);
    cov__where_sql(r, &where, true, &sql);
    cov_sql_str(&sql, r->id->quoted);
    COV_SQL(&sql, " = ");
    cov_sql_param(&sql, row[r->id->index]);
    st = cov__query_row(ctx, &sql, &found);
    *inside = found != NULL;
    return st;
}

cov_status cov__access_check_row(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                 const cov_rsql_expr *scope, const cov_value *row)
{
    bool inside = false;
    cov_status st;

    if (scope == NULL || !r->config->strict_scope_on_write)
        return COV_OK;
    st = cov__access_covers(r, ctx, scope, row, &inside);
    return st != COV_OK || inside ? st : cov__access_forbidden(r, ctx, op);
}

static bool is_constraint(cov_status st)
{
    return st == COV_EUNIQUE || st == COV_EFOREIGN || st == COV_ENOTNULL || st == COV_ECHECK;
}

/* `before` with what the client sets; NULL: out of memory. */
static const cov_value *wished_row(const cov_resource *r, cov_ctx *ctx, const cov_value *before,
                                   const cov_input *input)
{
    cov_value *row = COV_NEW_ARRAY(ctx->arena, cov_value, r->table->n_columns);

    for (size_t i = 0; row != NULL && i < r->table->n_columns; i++) {
        if (input->present[i])
            row[i] = input->values[i];
        else if (before != NULL)
            row[i] = before[i];
    }
    return row;
}

cov_status cov__access_judge_failure(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                     const cov_rsql_expr *scope, const cov_value *before,
                                     const cov_input *input, cov_status st)
{
    const cov_value *row;

    if (!is_constraint(st) || scope == NULL || !r->config->strict_scope_on_write)
        return st;
    if (cov_rsql_needs_db(scope))
        return st == COV_EFOREIGN ? cov__access_forbidden(r, ctx, op) : st;
    row = wished_row(r, ctx, before, input);
    if (row == NULL)
        return cov_fail_nomem(ctx->err);
    return cov_rsql_eval(scope, row, ctx->host, ctx->arena) == COV_TRUE
               ? st
               : cov__access_forbidden(r, ctx, op);
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
