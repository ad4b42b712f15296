/* SPDX-License-Identifier: MIT */
#include "resource/feed.h"

#include "base/encode.h"
#include "resource/aggregate.h"
#include "resource/hooks.h"
#include "resource/include.h"

/* ---- from requests ---- */

bool cov__feed_writes(const cov_ctx *ctx)
{
    return ctx->feed != NULL && ctx->feed->writes;
}

bool cov__feed_records(const cov_ctx *ctx, cov_str table)
{
    return ctx->mutations != NULL && (ctx->feed == NULL || ctx->feed->records(ctx->feed, table));
}

bool cov__feed_follows(const cov_resource *r, const cov_ctx *ctx)
{
    return ctx->feed != NULL && ctx->mutations != NULL && ctx->feed->follows(ctx->feed, r);
}

/* A row that was just marked as deleted had no mark before. */
cov_status cov__feed_changed_together(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                      const cov_value *row)
{
    cov_value *image;

    if (!cov__feed_records(ctx, r->table->name))
        return COV_OK;
    image = cov__values_clone(ctx->arena, row, r->table->n_columns);
    if (image == NULL)
        return cov_fail_nomem(ctx->err);
    if (op == COV_OP_UPDATE)
        return cov__record_row(r, ctx, "update", NULL, image);
    if (r->soft_delete != NULL)
        image[r->soft_delete->index] = cov_value_null();
    return cov__record_row(r, ctx, "delete", image, NULL);
}

static cov_status no_streams(const cov_resource *r, cov_ctx *ctx)
{
    return cov_fail(ctx->err, COV_ENOTFOUND, "%.*s has no subscriptions",
                    COV_STR_ARG(r->table->name));
}

cov_status cov__subscribe(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    (void)id;
    if (ctx->feed == NULL || !r->config->capabilities.subscribe)
        return no_streams(r, ctx);
    return ctx->feed->subscribe(ctx->feed, ctx, r);
}

cov_status cov__aggregate_subscribe(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    (void)id;
    if (ctx->feed == NULL || !r->config->capabilities.subscribe)
        return no_streams(r, ctx);
    return ctx->feed->subscribe_aggregate(ctx->feed, ctx, r);
}

/* ---- for subscriptions ---- */

const cov_table *cov_follow_table(const cov_resource *r)
{
    return r->table;
}

size_t cov_follow_id_column(const cov_resource *r)
{
    return r->id->index;
}

const cov_resource_config *cov_follow_config(const cov_resource *r)
{
    return r->config;
}

bool cov_follow_scope_varies(const cov_resource *r)
{
    return r->code->options.scope != NULL;
}

bool cov_follow_is_personal(const cov_resource *r, cov_str include)
{
    return include.len != 0 || cov__reads_whole_rows(r);
}

cov_status cov_follow_predicate(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                const cov_rsql_expr **out)
{
    const cov_rsql_expr *filter = NULL;
    const cov_rsql_expr *scope = NULL;
    bool ok = true;
    cov_status st = cov__access_scope(r, ctx, op, &scope);

    if (st == COV_OK)
        st = cov__filter_bind(r, ctx, cov_param_get(ctx, COV_PARAM_FILTER), &filter);
    if (st != COV_OK)
        return st;
    *out = cov_rsql_and(ctx->arena, scope, filter, &ok);
    return ok ? COV_OK : cov_fail_nomem(ctx->err);
}

/* Loading for no parents binds every nested filter and column list. */
cov_status cov_follow_check_include(const cov_resource *r, cov_ctx *ctx)
{
    cov_include *nodes = NULL;
    cov_status st = cov__include_parse(r, ctx, &nodes);

    return st == COV_OK && nodes != NULL ? cov__include_load(r, ctx, nodes, &r->all, NULL, 0) : st;
}

bool cov_follow_is_deleted(const cov_resource *r, const cov_value *row)
{
    return r->soft_delete != NULL && row[r->soft_delete->index].type != COV_NULL;
}

cov_status cov_follow_object(const cov_resource *r, cov_ctx *ctx, const cov_value *row,
                             bool related, cov_buf *out)
{
    cov_layout layout = { r->readable, true };
    cov_include *nodes = NULL;
    cov_status st = COV_OK;

    if (related && ctx->params[COV_PARAM_INCLUDE].len != 0)
        st = cov__include_parse(r, ctx, &nodes);
    if (st == COV_OK && nodes != NULL)
        st = cov__include_load(r, ctx, nodes, &r->all, &row, 1);
    return st == COV_OK ? cov__object_json(out, ctx, r, &layout, row, nodes, 0) : st;
}

cov_status cov_follow_rows(const cov_resource *r, cov_ctx *ctx, const cov_rsql_expr *expr,
                           cov_row_sink *sink)
{
    cov_where where = { expr, r->soft_delete != NULL };
    cov_stmt stmt;
    cov_status st;
    cov_sql sql;

    cov_sql_init(&sql, ctx->arena, ctx->db);
    cov__select_sql(&sql, r, &r->all);
    cov__where_sql(r, &where, false, &sql);
    st = cov_sql_finish(&sql, &stmt, ctx->err);
    return st == COV_OK ? cov_db_query(ctx->db, &stmt, sink, ctx->err) : st;
}

cov_status cov_follow_covers(const cov_resource *r, cov_ctx *ctx, const cov_rsql_expr *expr,
                             const cov_value *row, bool *inside)
{
    return cov__access_covers(r, ctx, expr, row, inside);
}

cov_status cov_follow_check_aggregate(const cov_resource *r, cov_ctx *ctx)
{
    cov_status st =
        cov__access_capability(r, ctx, r->config->capabilities.aggregations, "enableAggregations");

    return st == COV_OK ? cov__aggregate_check(r, ctx) : st;
}

void cov_follow_row_json(const cov_resource *r, cov_arena *arena, const cov_value *row,
                         cov_buf *out)
{
    cov__row_json(out, arena, &r->all, row);
}

/* What cov__value_from_json leaves out, since no cursor holds it. */
static bool document_from_json(cov_ctx *ctx, const cov_column *column, yyjson_val *json,
                               cov_value *out)
{
    cov_buf text = COV_BUF_IN(ctx->arena);
    bool ok = true;

    if (column->class_ == COV_CLASS_BLOB)
        ok = cov_base64_decode(&text, cov_str_of(yyjson_get_str(json), yyjson_get_len(json)));
    else
        cov_json_value(&text, json);
    *out = column->class_ == COV_CLASS_BLOB ? cov_value_blob(cov_buf_view(&text))
                                            : cov_value_text(cov_buf_view(&text));
    return ok && !text.failed;
}

static bool value_of(cov_ctx *ctx, const cov_column *column, yyjson_val *json, cov_value *out)
{
    if (column->class_ == COV_CLASS_JSON || column->class_ == COV_CLASS_BLOB)
        return document_from_json(ctx, column, json, out);
    return cov__value_from_json(ctx, column, json, out);
}

bool cov_follow_row_read(const cov_resource *r, cov_ctx *ctx, cov_str json, cov_value **row)
{
    yyjson_val *object = NULL;

    return cov_json_read(ctx->arena, json, &object, NULL) == COV_OK &&
           cov_follow_row_of(r, ctx, object, row);
}

bool cov_follow_row_of(const cov_resource *r, cov_ctx *ctx, cov_json *object, cov_value **row)
{
    cov_value *values = COV_NEW_ARRAY(ctx->arena, cov_value, r->table->n_columns);

    if (values == NULL || !yyjson_is_obj(object))
        return false;
    for (size_t i = 0; i < r->table->n_columns; i++) {
        const cov_column *column = &r->table->columns[i];
        yyjson_val *member = yyjson_obj_getn(object, column->name.ptr, column->name.len);

        if (member == NULL || yyjson_is_null(member))
            values[i] = cov_value_null();
        else if (!value_of(ctx, column, member, &values[i]))
            return false;
    }
    *row = values;
    return true;
}

/* {"text":"0A"}, {"blob":"00FF"} */
static bool bytes_from_hex(cov_ctx *ctx, yyjson_val *json, cov_value *out)
{
    cov_buf bytes = COV_BUF_IN(ctx->arena);
    yyjson_val *text = yyjson_obj_get(json, "text");
    yyjson_val *member = text != NULL ? text : yyjson_obj_get(json, "blob");
    cov_str hex = cov_str_of(yyjson_get_str(member), yyjson_get_len(member));

    if (!yyjson_is_str(member))
        return false;

    for (size_t i = 0; i + 1 < hex.len; i += 2) {
        int high = cov_hex_value(hex.ptr[i]);
        int low = cov_hex_value(hex.ptr[i + 1]);

        if (high < 0 || low < 0)
            return false;
        cov_buf_char(&bytes, (char)(high * 16 + low));
    }
    *out =
        text != NULL ? cov_value_text(cov_buf_view(&bytes)) : cov_value_blob(cov_buf_view(&bytes));
    return !bytes.failed;
}

static bool stored_from_json(cov_ctx *ctx, yyjson_val *json, cov_value *out)
{
    switch (yyjson_get_tag(json)) {
    case YYJSON_TYPE_NULL | YYJSON_SUBTYPE_NONE:
        *out = cov_value_null();
        return true;
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_UINT:
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_SINT:
        *out = cov_value_int(yyjson_get_sint(json));
        return true;
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL:
        *out = cov_value_real(yyjson_get_real(json));
        return true;
    case YYJSON_TYPE_OBJ | YYJSON_SUBTYPE_NONE:
        return bytes_from_hex(ctx, json, out);
    default:
        *out = cov_value_text(cov_str_of(yyjson_get_str(json), yyjson_get_len(json)));
        return yyjson_is_str(json);
    }
}

/* A column that is missing is younger than the trigger: then the row is not known. */
bool cov_follow_row_read_stored(const cov_resource *r, cov_ctx *ctx, cov_str json, cov_value **row)
{
    cov_value *values = COV_NEW_ARRAY(ctx->arena, cov_value, r->table->n_columns);
    yyjson_val *object = NULL;

    if (values == NULL || cov_json_read(ctx->arena, json, &object, NULL) != COV_OK)
        return false;
    for (size_t i = 0; i < r->table->n_columns; i++) {
        cov_str name = r->table->columns[i].db_name;
        yyjson_val *member = yyjson_obj_getn(object, name.ptr, name.len);

        if (member == NULL || !stored_from_json(ctx, member, &values[i]))
            return false;
    }
    *row = values;
    return true;
}

void cov_follow_id_text(const cov_value *id, cov_buf *out)
{
    cov__plain_text(out, id);
}
