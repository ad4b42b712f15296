/* SPDX-License-Identifier: MIT */
/* DELETE /:id and soft deletion (spec/01 sections 6.8 and 14). */
#include "base/time.h"
#include "resource/hooks.h"

typedef struct delete_work {
    const cov_resource *r;
    cov_ctx *ctx;
    cov_str segment;
    cov_where where;
} delete_work;

/* What marks a row as deleted, in the column's own storage. */
static cov_value deletion_mark(const cov_resource *r, cov_ctx *ctx)
{
    int64_t now = ctx->host->now_ms(ctx->host->self);
    char text[COV_TIME_TEXT_BYTES];

    switch (r->soft_delete->type) {
    case COV_TYPE_BOOLEAN:
        return cov_value_int(1);
    case COV_TYPE_TIMESTAMP:
        return cov_value_int(now / 1000);
    case COV_TYPE_TIMESTAMP_MS:
    case COV_TYPE_INTEGER:
    case COV_TYPE_REAL:
    case COV_TYPE_NUMERIC:
        return cov_value_int(now);
    case COV_TYPE_TEXT:
    case COV_TYPE_DATETIME:
    case COV_TYPE_JSON:
    case COV_TYPE_BLOB:
        break;
    }
    return cov_value_text(cov_arena_str(ctx->arena, cov_str_of(text, cov_time_format(now, text))));
}

void cov__delete_sql(const cov_resource *r, cov_ctx *ctx, cov_sql *sql)
{
    if (r->soft_delete == NULL) {
        COV_SQL(sql, "DELETE FROM ");
        cov_sql_str(sql, r->table->quoted);
        return;
    }
    COV_SQL(sql, "UPDATE ");
    cov_sql_str(sql, r->table->quoted);
    COV_SQL(sql, " SET ");
    cov_sql_str(sql, r->soft_delete->quoted);
    COV_SQL(sql, "=");
    cov_sql_param(sql, deletion_mark(r, ctx));
}

static cov_status remove_row(delete_work *work, const cov_value *row, bool conditional)
{
    const cov_resource *r = work->r;
    int64_t changes = 0;
    cov_stmt stmt;
    cov_status st;
    cov_sql sql;

    cov_sql_init(&sql, work->ctx->arena, work->ctx->db);
    cov__delete_sql(r, work->ctx, &sql);
    cov__where_sql(r, &work->where, true, &sql);
    cov_sql_str(&sql, r->id->quoted);
    COV_SQL(&sql, " = ");
    cov_sql_param(&sql, row[r->id->index]);
    if (conditional)
        cov__etag_cas_sql(r, row, &sql);
    st = cov_sql_finish(&sql, &stmt, work->ctx->err);
    if (st == COV_OK)
        st = cov_db_exec(work->ctx->db, &stmt, &changes, work->ctx->err);
    if (st != COV_OK)
        return cov__fail_constraint(r, work->ctx, st, NULL);
    if (changes > 0)
        return COV_OK;
    return conditional ? cov__fail_precondition(work->ctx, cov__etag(r, work->ctx, row))
                       : cov__fail_no_row(r, work->ctx, work->segment);
}

static cov_status run(void *arg)
{
    delete_work *work = arg;
    cov_value *row = NULL;
    bool conditional = false;
    cov_status st = COV_OK;
    cov_value id;

    if (cov__id_value(work->r, work->ctx, work->segment, &id))
        st = cov__load_row(work->r, work->ctx, &work->where, &id, &row);
    if (st != COV_OK)
        return st;
    if (row == NULL)
        return cov__fail_no_row(work->r, work->ctx, work->segment);
    st = cov__etag_if_match(work->r, work->ctx, row, &conditional);
    if (st == COV_OK)
        st = cov__before_delete(work->r, work->ctx, row);
    if (st == COV_OK)
        st = remove_row(work, row, conditional);
    return st == COV_OK ? cov__after_delete(work->r, work->ctx, row) : st;
}

cov_status cov__delete(const cov_resource *r, cov_ctx *ctx, cov_str segment)
{
    delete_work work = { r, ctx, segment, { NULL, false } };
    cov_status st = cov__where_row(r, ctx, COV_OP_DELETE, &work.where);

    if (st == COV_OK)
        st = cov__access_capability(r, ctx, r->config->capabilities.delete_, "enableDelete");
    if (st == COV_OK)
        st = cov__in_transaction(ctx, run, &work);
    if (st == COV_OK)
        ctx->res->status = 204;
    return st;
}
