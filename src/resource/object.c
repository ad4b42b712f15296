/* SPDX-License-Identifier: MIT */
/* One row as a JSON object: its columns, what it includes, its computed fields. */
#include "resource/hooks.h"
#include "resource/include.h"

bool cov__reads_whole_rows(const cov_resource *r)
{
    return r->code->options.n_computed != 0;
}

cov_status cov__object_json(cov_buf *out, cov_ctx *ctx, const cov_resource *r,
                            const cov_layout *layout, const cov_value *values,
                            const cov_include *includes, size_t parent)
{
    cov_status st = COV_OK;
    size_t n = layout->out.n;

    cov_buf_char(out, '{');
    cov__columns_json(out, ctx->arena, &layout->out, layout->whole, values);
    if (includes != NULL) {
        st = cov__include_json(out, ctx, includes, parent, n == 0);
        n++;
    }
    if (st == COV_OK && layout->whole)
        st = cov__computed_json(out, ctx, r, values, n == 0);
    cov_buf_char(out, '}');
    return st;
}

cov_status cov__stored_row_json(cov_ctx *ctx, const cov_resource *r, const cov_value *row)
{
    cov_layout layout = { r->readable, true };

    return cov__object_json(&ctx->res->body, ctx, r, &layout, row, NULL, 0);
}
