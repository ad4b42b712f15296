/* SPDX-License-Identifier: MIT */
/* GET /:id (spec/01 section 6.3). */
#include "resource/internal.h"

typedef struct get_sink {
    cov_row_sink sink;
    const cov_resource *r;
    cov_ctx *ctx;
    const cov_columns *out;
    bool found;
} get_sink;

/* A tagged row is read whole, since its tag may cover every column. */
static cov_status on_tagged_row(cov_row_sink *base, const cov_value *row, size_t n, cov_error *err)
{
    get_sink *sink = (get_sink *)base;
    cov_str tag = cov__etag(sink->r, sink->ctx, row);

    (void)n;
    sink->found = true;
    if (tag.ptr == NULL)
        return cov_fail(err, COV_EINTERNAL, "the entity tag could not be made");
    cov_response_header(sink->ctx->res, COV_STR("ETag"), tag);
    if (cov__etag_none_match(sink->ctx, tag)) {
        sink->ctx->res->status = 304;
        return COV_OK;
    }
    cov__table_row_json(&sink->ctx->res->body, sink->ctx->arena, sink->out, row);
    cov__respond(sink->ctx, 200);
    return COV_OK;
}

static cov_status on_row(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    get_sink *sink = (get_sink *)base;

    (void)n;
    (void)err;
    sink->found = true;
    cov__row_json(&sink->ctx->res->body, sink->ctx->arena, sink->out, values);
    cov__respond(sink->ctx, 200);
    return COV_OK;
}

static cov_status query(const cov_resource *r, cov_ctx *ctx, const cov_where *where, const cov_value *id,
                        get_sink *sink)
{
    bool tagged = r->config->etag.set;
    cov_stmt stmt;
    cov_status st;
    cov_sql sql;

    sink->sink.row = tagged ? on_tagged_row : on_row;
    cov_sql_init(&sql, ctx->arena, ctx->db);
    cov__select_sql(&sql, r, tagged ? &r->all : sink->out);
    cov__where_sql(r, where, true, &sql);
    cov_sql_str(&sql, r->id->quoted);
    COV_SQL(&sql, " = ");
    cov_sql_param(&sql, *id);
    COV_SQL(&sql, " LIMIT 1");
    st = cov_sql_finish(&sql, &stmt, ctx->err);
    return st == COV_OK ? cov_db_query(ctx->db, &stmt, &sink->sink, ctx->err) : st;
}

/* The `filter` parameter has no meaning here and is not even parsed. */
cov_status cov__get(const cov_resource *r, cov_ctx *ctx, cov_str segment)
{
    cov_columns out;
    get_sink sink = { { NULL }, r, ctx, &out, false };
    cov_where where = { NULL, false };
    cov_value id;
    cov_status st = cov__where_row(r, ctx, COV_OP_READ, &where);

    if (st == COV_OK)
        st = cov__select_columns(r, ctx, &out);
    if (st != COV_OK)
        return st;
    if (cov__id_value(r, ctx, segment, &id))
        st = query(r, ctx, &where, &id, &sink);
    if (st != COV_OK)
        return st;
    return sink.found ? COV_OK : cov__fail_no_row(r, ctx, segment);
}
