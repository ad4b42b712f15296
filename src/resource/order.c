/* SPDX-License-Identifier: MIT */
/* orderBy and the keyset predicate (spec/03 sections 2 and 5). */
#include "resource/order.h"

/* "desc", "ASC", "" -> known; anything else false. */
static bool direction(cov_str text, bool *given, bool *desc)
{
    *given = text.len != 0;
    *desc = cov_str_eq_nocase(text, COV_STR("desc"));
    return !*given || *desc || cov_str_eq_nocase(text, COV_STR("asc"));
}

static cov_status parse_part(cov_ctx *ctx, cov_str part, cov_order_part *out)
{
    bool prefixed = part.ptr[0] == '-' || part.ptr[0] == '+';
    cov_str rest = cov_str_slice(part, prefixed ? 1 : 0, part.len);
    size_t colon = cov_str_find(rest, ':', 0);
    size_t second = cov_str_find(rest, ':', colon < rest.len ? colon + 1 : colon);
    cov_str suffix =
        colon < rest.len ? cov_str_trim(cov_str_slice(rest, colon + 1, second)) : COV_STR_NULL;
    bool given;
    bool desc;

    out->field = cov_str_trim(cov_str_slice(rest, 0, colon));
    if (!direction(suffix, &given, &desc))
        return cov_fail(
            ctx->err, COV_EINVAL,
            "Invalid sort direction \"%.*s\" for \"%.*s\" (expected \"asc\" or \"desc\")",
            COV_STR_ARG(suffix), COV_STR_ARG(out->field));
    if (prefixed && given)
        return cov_fail(
            ctx->err, COV_EINVAL,
            "Conflicting sort direction for \"%.*s\": use either \"%c%.*s\" or \"%.*s:%.*s\", not both",
            COV_STR_ARG(out->field), part.ptr[0], COV_STR_ARG(out->field), COV_STR_ARG(out->field),
            COV_STR_ARG(suffix));
    out->desc = prefixed ? part.ptr[0] == '-' : desc;
    return COV_OK;
}

cov_status cov__order_parse(cov_ctx *ctx, cov_order_syntax *out)
{
    cov_str rest = cov_param_get(ctx, COV_PARAM_ORDER_BY);
    cov_str part;

    out->n = 0;
    out->text = rest;
    while (rest.len != 0 && cov_str_split(&rest, ',', &part)) {
        cov_status st;

        part = cov_str_trim(part);
        if (part.len == 0)
            continue;
        if (out->n == COV_MAX_ORDER_TERMS)
            return cov_fail(ctx->err, COV_EINVAL, "Too many orderBy fields (at most %d)",
                            COV_MAX_ORDER_TERMS);
        st = parse_part(ctx, part, &out->parts[out->n++]);
        if (st != COV_OK)
            return st;
    }
    return COV_OK;
}

static bool has_term(const cov_order *order, const cov_column *column)
{
    for (size_t i = 0; i < order->n; i++)
        if (order->terms[i].column == column)
            return true;
    return false;
}

cov_status cov__order_resolve(const cov_resource *r, cov_ctx *ctx, const cov_order_syntax *syntax,
                              cov_order *out)
{
    out->n = out->n_sql = 0;
    out->ends_in_id = false;
    out->text = syntax->text;
    for (size_t i = 0; i < syntax->n; i++) {
        const cov_order_part *part = &syntax->parts[i];
        const cov_column *column = cov_table_column(r->table, part->field);

        if (column == NULL || column->class_ == COV_CLASS_JSON || column->class_ == COV_CLASS_BLOB)
            return cov_fail(ctx->err, COV_EINVAL, "Invalid orderBy field: %.*s",
                            COV_STR_ARG(part->field));
        if (!r->is_sortable[column->index])
            return cov__fail_field(ctx, r, part->field, "sort", r->is_sortable);
        if (has_term(out, column))
            continue;
        out->terms[out->n].column = column;
        out->terms[out->n++].desc = part->desc;
        if (!out->ends_in_id) {
            out->n_sql = out->n;
            out->ends_in_id = column == r->id;
        }
    }
    return COV_OK;
}

/* Do NULLs of this term come after all values? (spec/03 section 2) */
static bool nulls_at_end(const cov_resource *r, const cov_order_term *term)
{
    return term->desc == r->config->pagination.nulls_first;
}

static void nulls_clause(const cov_resource *r, const cov_order_term *term, cov_sql *sql)
{
    bool at_end = nulls_at_end(r, term);
    bool natively_at_end = term->desc == sql->dialect->nulls_first_natively;

    if (term->column->not_null || at_end == natively_at_end)
        return;
    cov_sql_str(sql, at_end ? COV_STR(" NULLS LAST") : COV_STR(" NULLS FIRST"));
}

void cov__order_sql(const cov_resource *r, const cov_order *order, cov_sql *sql)
{
    COV_SQL(sql, " ORDER BY ");
    for (size_t i = 0; i < order->n_sql; i++) {
        const cov_order_term *term = &order->terms[i];

        if (i != 0)
            COV_SQL(sql, ",");
        cov_sql_str(sql, term->column->quoted);
        if (term->desc)
            COV_SQL(sql, " DESC");
        nulls_clause(r, term, sql);
    }
    if (order->ends_in_id)
        return;
    if (order->n_sql != 0)
        COV_SQL(sql, ",");
    cov_sql_str(sql, r->id->quoted);
}

static void compare_sql(const cov_column *column, const char *op, const cov_value *value,
                        cov_sql *sql)
{
    cov_sql_str(sql, column->quoted);
    cov_sql_str(sql, cov_str_from(op));
    cov_sql_param(sql, *value);
}

static void equal_sql(const cov_column *column, const cov_value *value, cov_sql *sql)
{
    if (value->type != COV_NULL) {
        compare_sql(column, " = ", value, sql);
        return;
    }
    cov_sql_str(sql, column->quoted);
    COV_SQL(sql, " IS NULL");
}

/* gt(f, v) of spec/03 section 5, where something may come after v. */
static void after_sql(const cov_resource *r, const cov_order_term *term, const cov_value *value,
                      cov_sql *sql)
{
    bool nulls_follow = nulls_at_end(r, term) && !term->column->not_null;

    if (value->type == COV_NULL) {
        cov_sql_str(sql, term->column->quoted);
        COV_SQL(sql, " IS NOT NULL");
        return;
    }
    if (nulls_follow)
        COV_SQL(sql, "(");
    compare_sql(term->column, term->desc ? " < " : " > ", value, sql);
    if (nulls_follow) {
        COV_SQL(sql, " OR ");
        cov_sql_str(sql, term->column->quoted);
        COV_SQL(sql, " IS NULL)");
    }
}

size_t cov__keyset_n(const cov_order *order)
{
    return order->ends_in_id ? order->n_sql : order->n_sql + 1;
}

bool cov__keyset_sql(const cov_resource *r, const cov_order *order, const cov_cursor *cursor,
                     size_t equal, cov_sql *sql)
{
    const cov_order_term *term = equal < order->n_sql ? &order->terms[equal] : NULL;

    if (term != NULL && cursor->values[equal].type == COV_NULL && nulls_at_end(r, term))
        return false; /* nothing comes after NULL there */
    for (size_t i = 0; i < equal; i++) {
        equal_sql(order->terms[i].column, &cursor->values[i], sql);
        COV_SQL(sql, " AND ");
    }
    if (term != NULL)
        after_sql(r, term, &cursor->values[equal], sql);
    else
        compare_sql(r->id, " > ", &cursor->id, sql);
    return true;
}
