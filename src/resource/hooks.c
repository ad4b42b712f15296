/* SPDX-License-Identifier: MIT */
#include "resource/hooks.h"

/* ---- rows ---- */

static const cov_column *column_of(const cov_row *row, const char *property)
{
    return cov_table_column(row->table, cov_str_from(property));
}

const cov_value *cov_row_get(const cov_row *row, const char *property)
{
    const cov_column *column = column_of(row, property);

    if (column == NULL)
        return NULL;
    if (row->input == NULL)
        return &row->values[column->index];
    return row->input->present[column->index] ? &row->input->values[column->index] : NULL;
}

cov_str cov_row_text(const cov_row *row, const char *property)
{
    const cov_value *value = cov_row_get(row, property);

    return value != NULL && value->type == COV_TEXT ? value->s : COV_STR_NULL;
}

int64_t cov_row_int(const cov_row *row, const char *property)
{
    const cov_value *value = cov_row_get(row, property);

    return value != NULL && value->type == COV_INT ? value->i : 0;
}

cov_status cov_row_set(cov_row *row, const char *property, cov_value value, cov_error *err)
{
    const cov_column *column = column_of(row, property);

    if (row->input == NULL)
        return cov_fail(err, COV_EINVAL,
                        "this row cannot be changed: set the data of a before-hook");
    if (column == NULL || column->generated)
        return cov_fail(err, COV_EINVAL, "%.*s has no column \"%s\" that can be set",
                        COV_STR_ARG(row->table->name), property);
    if (value.type == COV_TEXT || value.type == COV_BLOB) {
        value.s = cov_arena_str(row->arena, value.s);
        if (value.s.ptr == NULL)
            return cov_fail_nomem(err);
    }
    row->input->present[column->index] = true;
    row->input->reset[column->index] = false;
    row->input->values[column->index] = value;
    return COV_OK;
}

void cov_row_unset(cov_row *row, const char *property)
{
    const cov_column *column = column_of(row, property);

    if (column != NULL && row->input != NULL)
        row->input->present[column->index] = false;
}

static cov_row stored(const cov_resource *r, cov_ctx *ctx, const cov_value *values)
{
    return (cov_row){ r->table, ctx->arena, values, NULL };
}

static cov_row writable(const cov_resource *r, cov_ctx *ctx, cov_input *input)
{
    return (cov_row){ r->table, ctx->arena, NULL, input };
}

/* A callback that fails without saying why is a mistake of the application. */
static cov_status checked(cov_ctx *ctx, cov_status st)
{
    if (st != COV_OK && ctx->err->status != st)
        return cov_fail(ctx->err, st, "a hook refused the request");
    return st;
}

/* ---- hooks ---- */

typedef cov_status (*before_update_fn)(cov_ctx *, const cov_row *, cov_row *, void *, cov_error *);
typedef cov_status (*after_update_fn)(cov_ctx *, const cov_row *, const cov_row *, void *,
                                      cov_error *);

static before_update_fn before_update_of(const cov_hooks *hooks, cov_update_kind kind)
{
    return kind == COV_KIND_REPLACE && hooks->before_replace != NULL ? hooks->before_replace
                                                                     : hooks->before_update;
}

static after_update_fn after_update_of(const cov_hooks *hooks, cov_update_kind kind)
{
    return kind == COV_KIND_REPLACE && hooks->after_replace != NULL ? hooks->after_replace
                                                                    : hooks->after_update;
}

bool cov__has_create_hooks(const cov_resource *r)
{
    const cov_hooks *hooks = &r->code->options.hooks;

    return hooks->before_create != NULL || hooks->after_create != NULL;
}

bool cov__has_update_hooks(const cov_resource *r, cov_update_kind kind)
{
    const cov_hooks *hooks = &r->code->options.hooks;

    return before_update_of(hooks, kind) != NULL || after_update_of(hooks, kind) != NULL;
}

bool cov__has_delete_hooks(const cov_resource *r)
{
    const cov_hooks *hooks = &r->code->options.hooks;

    return hooks->before_delete != NULL || hooks->after_delete != NULL;
}

cov_status cov__before_create(const cov_resource *r, cov_ctx *ctx, cov_input *data)
{
    const cov_hooks *hooks = &r->code->options.hooks;
    cov_row row = writable(r, ctx, data);

    if (hooks->before_create == NULL)
        return COV_OK;
    return checked(ctx, hooks->before_create(ctx, &row, hooks->self, ctx->err));
}

cov_status cov__after_create(const cov_resource *r, cov_ctx *ctx, const cov_value *values)
{
    const cov_hooks *hooks = &r->code->options.hooks;
    cov_row row = stored(r, ctx, values);
    cov_status st = cov__record_row(r, ctx, "create", NULL, values);

    if (st != COV_OK || hooks->after_create == NULL)
        return st;
    return checked(ctx, hooks->after_create(ctx, &row, hooks->self, ctx->err));
}

cov_status cov__before_update(const cov_resource *r, cov_ctx *ctx, cov_update_kind kind,
                              const cov_value *values, cov_input *input)
{
    const cov_hooks *hooks = &r->code->options.hooks;
    before_update_fn hook = before_update_of(hooks, kind);
    cov_row row = stored(r, ctx, values);
    cov_row data = writable(r, ctx, input);

    return hook != NULL ? checked(ctx, hook(ctx, &row, &data, hooks->self, ctx->err)) : COV_OK;
}

cov_status cov__after_update(const cov_resource *r, cov_ctx *ctx, cov_update_kind kind,
                             const cov_value *before, const cov_value *values)
{
    const cov_hooks *hooks = &r->code->options.hooks;
    after_update_fn hook = after_update_of(hooks, kind);
    cov_row old = stored(r, ctx, before);
    cov_row row = stored(r, ctx, values);
    cov_status st = cov__record_row(r, ctx, "update", before, values);

    if (st != COV_OK || hook == NULL)
        return st;
    return checked(ctx, hook(ctx, &old, &row, hooks->self, ctx->err));
}

cov_status cov__before_delete(const cov_resource *r, cov_ctx *ctx, const cov_value *values)
{
    const cov_hooks *hooks = &r->code->options.hooks;
    cov_row row = stored(r, ctx, values);

    if (hooks->before_delete == NULL)
        return COV_OK;
    return checked(ctx, hooks->before_delete(ctx, &row, hooks->self, ctx->err));
}

cov_status cov__after_delete(const cov_resource *r, cov_ctx *ctx, const cov_value *values)
{
    const cov_hooks *hooks = &r->code->options.hooks;
    cov_row row = stored(r, ctx, values);
    cov_status st = cov__record_row(r, ctx, "delete", values, NULL);

    if (st != COV_OK || hooks->after_delete == NULL)
        return st;
    return checked(ctx, hooks->after_delete(ctx, &row, hooks->self, ctx->err));
}

/* ---- computed fields ---- */

cov_status cov__computed_json(cov_buf *out, cov_ctx *ctx, const cov_resource *r,
                              const cov_value *values, bool empty)
{
    const cov_resource_options *options = &r->code->options;
    cov_row row = stored(r, ctx, values);
    cov_status st = COV_OK;

    for (size_t i = 0; st == COV_OK && i < options->n_computed; i++) {
        const cov_computed_field *field = &options->computed[i];
        size_t start;

        if (!empty || i != 0)
            cov_buf_char(out, ',');
        cov_json_str(out, cov_str_from(field->name));
        cov_buf_char(out, ':');
        start = out->len;
        st = checked(ctx, field->write(ctx, &row, out, field->self, ctx->err));
        if (st == COV_OK && out->len == start)
            COV_BUF_LIT(out, "null");
    }
    return st;
}
