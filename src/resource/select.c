/* SPDX-License-Identifier: MIT */
/* The `select` parameter (spec/01 section 6.9, spec/03 section 7), and errors about a field's policy. */
#include "base/distance.h"
#include "resource/internal.h"

static bool already_selected(const cov_columns *columns, const cov_column *column)
{
    for (size_t i = 0; i < columns->n; i++)
        if (columns->items[i] == column)
            return true;
    return false;
}

cov_status cov__select_columns(const cov_resource *r, cov_ctx *ctx, cov_columns *out)
{
    return cov__columns_named(r, ctx, cov_param_get(ctx, COV_PARAM_SELECT), out);
}

/* Unknown and masked names are ignored; an empty list selects everything. */
cov_status cov__columns_named(const cov_resource *r, cov_ctx *ctx, cov_str rest, cov_columns *out)
{
    bool any = false;
    cov_str part;

    *out = r->readable;
    if (rest.len == 0)
        return COV_OK;
    out->n = 0;
    out->items = COV_NEW_ARRAY(ctx->arena, const cov_column *, r->table->n_columns);
    if (out->items == NULL)
        return cov_fail_nomem(ctx->err);
    while (cov_str_split(&rest, ',', &part)) {
        const cov_column *column;

        part = cov_str_trim(part);
        if (part.len == 0)
            continue;
        any = true;
        column = cov_table_column(r->table, part);
        if (column != NULL && r->is_readable[column->index] && !already_selected(out, column))
            out->items[out->n++] = column;
    }
    if (!any)
        *out = r->readable;
    return COV_OK;
}

/* Short names are within everything, so they must be meant almost exactly. */
static bool is_similar(cov_str name, cov_str field)
{
    size_t shorter = name.len < field.len ? name.len : field.len;

    if (shorter < 3)
        return cov_str_eq_nocase(name, field);
    return cov_str_contains(name, field) || cov_str_contains(field, name) ||
           cov_edit_distance(field, name) <= 2;
}

/* "Did you mean: a, b?" with at most three allowed names (spec/01 section 10). */
static void suggest(cov_ctx *ctx, const cov_resource *r, cov_str field, const bool *allowed)
{
    cov_buf text = COV_BUF_IN(ctx->arena);
    size_t n = 0;

    for (size_t i = 0; i < r->table->n_columns && n < 3; i++) {
        cov_str name = r->table->columns[i].name;

        if (!allowed[i] || !is_similar(name, field))
            continue;
        cov_buf_str(&text, n++ == 0 ? COV_STR("Did you mean: ") : COV_STR(", "));
        cov_buf_str(&text, name);
    }
    cov_buf_char(&text, '?');
    if (n != 0 && !text.failed)
        cov_error_member_str(ctx->err, "suggestion", cov_buf_view(&text));
}

cov_status cov__fail_field(cov_ctx *ctx, const cov_resource *r, cov_str field,
                           const char *operation, const bool *allowed)
{
    cov_buf names = COV_BUF_IN(ctx->arena);
    cov_status st = cov_fail(ctx->err, COV_EINVAL, "Field '%.*s' is not allowed for %s",
                             COV_STR_ARG(field), operation);

    cov_error_member_str(ctx->err, "field", field);
    cov_error_member(ctx->err, "\"operation\":\"%s\"", operation);
    COV_BUF_LIT(&names, "\"invalidFields\":[");
    cov_json_str(&names, field);
    COV_BUF_LIT(&names, "],\"allowedFields\":[");
    for (size_t i = 0, n = 0; i < r->table->n_columns; i++) {
        if (!allowed[i])
            continue;
        if (n++ != 0)
            cov_buf_char(&names, ',');
        cov_json_str(&names, r->table->columns[i].name);
    }
    cov_buf_char(&names, ']');
    if (!names.failed)
        cov_error_member(ctx->err, "%.*s", COV_STR_ARG(cov_buf_view(&names)));
    suggest(ctx, r, field, allowed);
    return st;
}

size_t cov__columns_ensure(cov_columns *columns, const cov_column *column)
{
    size_t at = 0;

    while (at < columns->n && columns->items[at] != column)
        at++;
    if (at == columns->n)
        columns->items[columns->n++] = column;
    return at;
}
