/* SPDX-License-Identifier: MIT */
/* GET /:id (spec/01 section 6.3). */
#include "resource/include.h"

typedef struct get_work {
    cov_row_sink sink;
    const cov_resource *r;
    cov_ctx *ctx;
    cov_where where;
    cov_layout layout; /* whole rows for entity tags and computed fields */
    cov_columns query; /* the layout's columns, then what includes need */
    cov_include *include;
    const cov_value *row; /* kept only for includes */
    bool found;
} get_work;

static cov_status write_row(get_work *work, const cov_value *row)
{
    return cov__object_json(&work->ctx->res->body, work->ctx, work->r, &work->layout, row,
                            work->include, 0);
}

/* Sets the ETag header; true when the client has this version already. */
static cov_status tag_row(get_work *work, const cov_value *row, bool *unchanged)
{
    cov_str tag = cov__etag(work->r, work->ctx, row);

    if (tag.ptr == NULL)
        return cov_fail(work->ctx->err, COV_EINTERNAL, "the entity tag could not be made");
    cov_response_header(work->ctx->res, COV_STR("ETag"), tag);
    *unchanged = cov__etag_none_match(work->ctx, tag);
    return COV_OK;
}

static cov_status on_row(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    get_work *work = (get_work *)base;
    bool unchanged = false;
    cov_status st = work->r->config->etag.set ? tag_row(work, values, &unchanged) : COV_OK;

    work->found = true;
    if (st != COV_OK)
        return st;
    if (unchanged) {
        work->ctx->res->status = 304;
        return COV_OK;
    }
    cov__respond(work->ctx, 200);
    if (work->include == NULL)
        return write_row(work, values);
    work->row = cov__values_clone(work->ctx->arena, values, n);
    return work->row != NULL ? COV_OK : cov_fail_nomem(err);
}

static cov_status plan(get_work *work)
{
    const cov_resource *r = work->r;
    const cov_columns *first;
    cov_status st = cov__select_columns(r, work->ctx, &work->layout.out);

    if (st == COV_OK)
        st = cov__include_parse(r, work->ctx, &work->include);
    if (st != COV_OK)
        return st;
    work->layout.whole = r->config->etag.set || cov__reads_whole_rows(r);
    first = work->layout.whole ? &r->all : &work->layout.out;
    work->query = *first;
    if (work->include == NULL || work->layout.whole)
        return COV_OK;
    work->query.items = COV_NEW_ARRAY(work->ctx->arena, const cov_column *,
                                      first->n + cov__include_count(work->include));
    if (work->query.items == NULL)
        return cov_fail_nomem(work->ctx->err);
    for (size_t i = 0; i < first->n; i++)
        work->query.items[i] = first->items[i];
    cov__include_parent_columns(work->include, &work->query);
    return COV_OK;
}

static cov_status query(get_work *work, const cov_value *id)
{
    cov_ctx *ctx = work->ctx;
    cov_stmt stmt;
    cov_status st;
    cov_sql sql;

    cov_sql_init(&sql, ctx->arena, ctx->db);
    cov__select_sql(&sql, work->r, &work->query);
    cov__where_sql(work->r, &work->where, true, &sql);
    cov_sql_str(&sql, work->r->id->quoted);
    COV_SQL(&sql, " = ");
    cov_sql_param(&sql, *id);
    COV_SQL(&sql, " LIMIT 1");
    st = cov_sql_finish(&sql, &stmt, ctx->err);
    return st == COV_OK ? cov_db_query(ctx->db, &stmt, &work->sink, ctx->err) : st;
}

/* The row and what it includes see the same snapshot. */
static cov_status query_with_includes(get_work *work, const cov_value *id)
{
    cov_status st = cov_db_begin(work->ctx->db, false, work->ctx->err);

    if (st != COV_OK)
        return st;
    st = query(work, id);
    if (st == COV_OK && work->row != NULL)
        st = cov__include_load(work->r, work->ctx, work->include, &work->query, &work->row, 1);
    cov_db_rollback(work->ctx->db);
    return st == COV_OK && work->row != NULL ? write_row(work, work->row) : st;
}

/* The `filter` parameter has no meaning here and is not even parsed. */
cov_status cov__get(const cov_resource *r, cov_ctx *ctx, cov_str segment)
{
    get_work work = { .sink = { on_row }, .r = r, .ctx = ctx };
    cov_value id;
    cov_status st = cov__where_row(r, ctx, COV_OP_READ, &work.where);

    if (st == COV_OK)
        st = plan(&work);
    if (st != COV_OK)
        return st;
    if (cov__id_value(r, ctx, segment, &id))
        st = work.include != NULL ? query_with_includes(&work, &id) : query(&work, &id);
    if (st != COV_OK)
        return st;
    return work.found ? COV_OK : cov__fail_no_row(r, ctx, segment);
}
