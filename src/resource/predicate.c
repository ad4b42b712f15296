/* SPDX-License-Identifier: MIT */
/* The WHERE of a request: scope AND filter AND not soft-deleted; and the id of /:id routes. */
#include <math.h>

#include "base/encode.h"
#include "base/num.h"
#include "base/time.h"
#include "base/utf8.h"
#include "resource/internal.h"

cov_status cov__filter_bind(const cov_resource *r, cov_ctx *ctx, cov_str text,
                            const cov_rsql_expr **out)
{
    const cov_rsql_node *node = NULL;
    cov_status st;

    *out = NULL;
    if (text.len == 0)
        return COV_OK;
    st = cov_rsql_parse(ctx->arena, text, r->table, &r->filter_policy, &node, ctx->err);
    if (st != COV_OK)
        return st;
    st = cov_rsql_bind(ctx->arena, node, r->table, ctx->host, NULL, out, ctx->err);
    return st == COV_OK ? cov_rsql_check_db(*out, ctx->db->driver->caps, ctx->err) : st;
}

bool cov__live_only(const cov_resource *r, cov_ctx *ctx)
{
    return r->soft_delete != NULL && !cov_param_flag(ctx, COV_PARAM_WITH_DELETED);
}

cov_status cov__where_row(const cov_resource *r, cov_ctx *ctx, cov_op op, cov_where *out)
{
    out->live_only = cov__live_only(r, ctx);
    return cov__access_scope(r, ctx, op, &out->expr);
}

cov_status cov__where_read(const cov_resource *r, cov_ctx *ctx, cov_op op, cov_where *out)
{
    const cov_rsql_expr *filter = NULL;
    bool ok = true;
    cov_status st = cov__where_row(r, ctx, op, out);

    if (st == COV_OK)
        st = cov__filter_bind(r, ctx, cov_param_get(ctx, COV_PARAM_FILTER), &filter);
    if (st != COV_OK)
        return st;
    out->expr = cov_rsql_and(ctx->arena, out->expr, filter, &ok);
    return ok ? COV_OK : cov_fail_nomem(ctx->err);
}

void cov__where_sql(const cov_resource *r, const cov_where *where, bool more, cov_sql *sql)
{
    if (where->expr == NULL && !where->live_only && !more)
        return;
    COV_SQL(sql, " WHERE ");
    if (where->expr != NULL) {
        cov_rsql_to_sql(where->expr, sql);
        if (where->live_only || more)
            COV_SQL(sql, " AND ");
    }
    if (where->live_only) {
        cov_sql_str(sql, r->soft_delete->quoted);
        COV_SQL(sql, " IS NULL");
        if (more)
            COV_SQL(sql, " AND ");
    }
}

/* "01", "1.0" and "1e0" name the integer 1, as SQLite's column affinity has it. */
static bool integer_id(cov_str text, cov_value *out)
{
    int64_t i;
    double d;

    if (cov_parse_i64(text, &i)) {
        *out = cov_value_int(i);
        return true;
    }
    if (!cov_parse_double(text, &d) || d != floor(d) || fabs(d) > 9.0e18)
        return false;
    *out = cov_value_int((int64_t)d);
    return true;
}

static bool number_id(cov_str text, cov_value *out)
{
    double d;

    if (integer_id(text, out))
        return true;
    if (!cov_parse_double(text, &d))
        return false;
    *out = cov_value_real(d);
    return true;
}

static bool time_id(const cov_column *column, cov_str text, cov_value *out)
{
    int64_t ms;

    if (!cov_time_parse_iso(text, &ms, NULL))
        return false;
    *out = cov_value_int(column->type == COV_TYPE_TIMESTAMP ? ms / 1000 : ms);
    return true;
}

static bool id_value(const cov_column *column, cov_str text, cov_value *out)
{
    switch (column->type) {
    case COV_TYPE_INTEGER:
        return integer_id(text, out);
    case COV_TYPE_REAL:
    case COV_TYPE_NUMERIC:
        return number_id(text, out);
    case COV_TYPE_TIMESTAMP:
    case COV_TYPE_TIMESTAMP_MS:
        return time_id(column, text, out);
    case COV_TYPE_TEXT:
    case COV_TYPE_DATETIME:
        *out = cov_value_text(text);
        return true;
    case COV_TYPE_BOOLEAN:
    case COV_TYPE_JSON:
    case COV_TYPE_BLOB:
        break;
    }
    return false;
}

bool cov__id_value(const cov_resource *r, cov_ctx *ctx, cov_str segment, cov_value *out)
{
    cov_str text = cov_percent_decode(ctx->arena, segment, false);

    return text.ptr != NULL && cov_utf8_valid(text) && id_value(r->id, text, out);
}

cov_status cov__fail_no_row(const cov_resource *r, cov_ctx *ctx, cov_str segment)
{
    cov_str text = cov_percent_decode(ctx->arena, segment, false);
    cov_status st;

    if (text.ptr != NULL)
        text = cov_utf8_repair(ctx->arena, text);
    st = cov_fail(ctx->err, COV_ENOTFOUND, "%.*s with id '%.*s' not found",
                  COV_STR_ARG(r->table->name), COV_STR_ARG(text));
    cov_error_member_str(ctx->err, "resource", r->table->name);
    cov_error_member_str(ctx->err, "id", text);
    return st;
}
