/* SPDX-License-Identifier: MIT */
/* GET /aggregate (spec/03 section 9). */
#include "resource/aggregate.h"

const char *const cov__metric_names[COV_N_METRICS] = { "sum", "avg", "min", "max" };

static const cov_param metric_params[COV_N_METRICS] = { COV_PARAM_SUM, COV_PARAM_AVG, COV_PARAM_MIN,
                                                        COV_PARAM_MAX };

static bool fits_group(const cov_column *column)
{
    return column->class_ != COV_CLASS_JSON && column->class_ != COV_CLASS_BLOB;
}

static bool fits_metric(cov_metric metric, const cov_column *column)
{
    if (metric == COV_METRIC_SUM || metric == COV_METRIC_AVG)
        return column->class_ == COV_CLASS_NUM || column->class_ == COV_CLASS_BOOL;
    return fits_group(column);
}

static bool listed(const cov_field_list *list, const cov_column *column)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i] == column)
            return true;
    return false;
}

typedef struct list_rule {
    const char *param;     /* for "Invalid sum field: x" */
    const char *operation; /* for "not allowed for metric" */
    const bool *allowed;
    bool grouping;
    cov_metric metric;
} list_rule;

static cov_status read_list(const cov_resource *r, cov_ctx *ctx, cov_str text,
                            const list_rule *rule, cov_field_list *out)
{
    cov_str part;

    while (text.len != 0 && cov_str_split(&text, ',', &part)) {
        const cov_column *column;

        part = cov_str_trim(part);
        if (part.len == 0)
            continue;
        column = cov_table_column(r->table, part);
        if (column == NULL ||
            !(rule->grouping ? fits_group(column) : fits_metric(rule->metric, column)))
            return cov_fail(ctx->err, COV_EINVAL, "Invalid %s field: %.*s", rule->param,
                            COV_STR_ARG(part));
        if (!rule->allowed[column->index])
            return cov__fail_field(ctx, r, part, rule->operation, rule->allowed);
        if (listed(out, column))
            continue;
        if (out->n == COV_MAX_AGGREGATE_FIELDS)
            return cov_fail(ctx->err, COV_EINVAL, "Too many %s fields (at most %d)", rule->param,
                            COV_MAX_AGGREGATE_FIELDS);
        out->items[out->n++] = column;
    }
    return COV_OK;
}

static cov_status read_request(const cov_resource *r, cov_ctx *ctx, cov_aggregate *a)
{
    list_rule grouping = { "groupBy", "groupBy", r->is_groupable, true, COV_METRIC_SUM };
    cov_status st =
        read_list(r, ctx, cov_param_get(ctx, COV_PARAM_GROUP_BY), &grouping, &a->group_by);
    bool any = a->group_by.n != 0;

    for (int m = 0; st == COV_OK && m < COV_N_METRICS; m++) {
        list_rule rule = { cov__metric_names[m], "metric", r->is_metric, false, (cov_metric)m };

        st = read_list(r, ctx, cov_param_get(ctx, metric_params[m]), &rule, &a->metrics[m]);
        any = any || a->metrics[m].n != 0;
    }
    a->count = cov_param_flag(ctx, COV_PARAM_COUNT);
    if (st == COV_OK && !any && !a->count)
        st = cov_fail(ctx->err, COV_EINVAL,
                      "At least one of groupBy, count, sum, avg, min, max is required");
    return st;
}

void cov__metric_sql(const cov_aggregate *a, cov_metric metric, const cov_column *column,
                     cov_sql *sql)
{
    bool total = metric == COV_METRIC_SUM && a->total;

    cov_sql_str(sql, total ? COV_STR("total") : cov_str_from(cov__metric_names[metric]));
    COV_SQL(sql, "(");
    cov_sql_str(sql, column->quoted);
    COV_SQL(sql, ")");
}

static void comma(cov_sql *sql, bool *first)
{
    if (!*first)
        COV_SQL(sql, ",");
    *first = false;
}

static void group_columns_sql(const cov_aggregate *a, cov_sql *sql, bool *first)
{
    for (size_t i = 0; i < a->group_by.n; i++) {
        comma(sql, first);
        cov_sql_str(sql, a->group_by.items[i]->quoted);
    }
}

static void select_sql(const cov_resource *r, const cov_aggregate *a, cov_sql *sql)
{
    bool first = true;

    COV_SQL(sql, "SELECT ");
    group_columns_sql(a, sql, &first);
    if (a->count) {
        comma(sql, &first);
        COV_SQL(sql, "count(*)");
    }
    for (int m = 0; m < COV_N_METRICS; m++)
        for (size_t i = 0; i < a->metrics[m].n; i++) {
            comma(sql, &first);
            cov__metric_sql(a, (cov_metric)m, a->metrics[m].items[i], sql);
        }
    COV_SQL(sql, " FROM ");
    cov_sql_str(sql, r->table->quoted);
}

/* Ordered by the group columns, so that equal data give equal bytes. */
static void order_groups_sql(const cov_resource *r, const cov_aggregate *a, cov_sql *sql)
{
    for (size_t i = 0; i < a->group_by.n; i++) {
        cov_sql_str(sql, i == 0 ? COV_STR(" ORDER BY ") : COV_STR(","));
        cov_sql_str(sql, a->group_by.items[i]->quoted);
        cov_sql_str(sql, r->config->pagination.nulls_first ? COV_STR(" NULLS FIRST")
                                                           : COV_STR(" NULLS LAST"));
    }
}

static cov_status statement(const cov_resource *r, cov_ctx *ctx, const cov_aggregate *a,
                            const cov_where *where, cov_sql *sql)
{
    bool first = true;
    cov_status st;

    cov_sql_init(sql, ctx->arena, ctx->db);
    select_sql(r, a, sql);
    cov__where_sql(r, where, false, sql);
    if (a->group_by.n != 0) {
        COV_SQL(sql, " GROUP BY ");
        group_columns_sql(a, sql, &first);
    }
    st = cov__having_sql(r, ctx, a, sql);
    order_groups_sql(r, a, sql);
    return st;
}

cov_status cov__aggregate_check(const cov_resource *r, cov_ctx *ctx)
{
    cov_aggregate *a = COV_NEW(ctx->arena, cov_aggregate);
    cov_where anywhere = { NULL, false };
    cov_status st = a != NULL ? read_request(r, ctx, a) : cov_fail_nomem(ctx->err);
    cov_sql sql;

    return st == COV_OK ? statement(r, ctx, a, &anywhere, &sql) : st;
}

typedef struct group_sink {
    cov_row_sink sink;
    const cov_resource *r;
    cov_ctx *ctx;
    const cov_aggregate *a;
    int64_t n;
} group_sink;

static void key_json(group_sink *sink, const cov_value *values)
{
    cov_columns columns = { (const cov_column **)(uintptr_t)sink->a->group_by.items,
                            sink->a->group_by.n };
    cov_buf *out = &sink->ctx->res->body;

    COV_BUF_LIT(out, "{\"key\":");
    if (columns.n == 0)
        COV_BUF_LIT(out, "null");
    else
        cov__row_json(out, sink->ctx->arena, &columns, values);
}

/* sum and avg are numbers whatever the column; min and max look like the column, booleans as text. */
static void metric_json(group_sink *sink, cov_metric metric, const cov_column *column,
                        const cov_value *value)
{
    cov_buf *out = &sink->ctx->res->body;

    if (metric == COV_METRIC_SUM || metric == COV_METRIC_AVG) {
        cov_json_double(out, value->type == COV_INT ? (double)value->i : value->r);
        return;
    }
    if (column->type == COV_TYPE_BOOLEAN)
        cov_buf_str(out, value->type == COV_INT && value->i == 1 ? COV_STR("\"true\"")
                                                                 : COV_STR("\"false\""));
    else
        cov__value_json(out, sink->ctx->arena, column, value);
}

static void metrics_json(group_sink *sink, cov_metric metric, const cov_value *values)
{
    const cov_field_list *list = &sink->a->metrics[metric];
    cov_buf *out = &sink->ctx->res->body;
    bool first = true;

    if (list->n == 0)
        return;
    cov_buf_printf(out, ",\"%s\":{", cov__metric_names[metric]);
    for (size_t i = 0; i < list->n; i++) {
        if (values[i].type == COV_NULL)
            continue;
        if (!first)
            cov_buf_char(out, ',');
        first = false;
        cov_buf_str(out, list->items[i]->json_key);
        metric_json(sink, metric, list->items[i], &values[i]);
    }
    cov_buf_char(out, '}');
}

static cov_status on_group(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    group_sink *sink = (group_sink *)base;
    int64_t most = sink->r->config->aggregate_max_groups;
    cov_buf *out = &sink->ctx->res->body;

    (void)n;
    if (most > 0 && sink->n >= most)
        return cov_fail(err, COV_EINVAL, "Too many groups");
    if (sink->n++ != 0)
        cov_buf_char(out, ',');
    key_json(sink, values);
    values += sink->a->group_by.n;
    if (sink->a->count) {
        COV_BUF_LIT(out, ",\"count\":");
        cov_json_int(out, (values++)->i);
    }
    for (int m = 0; m < COV_N_METRICS; m++) {
        metrics_json(sink, (cov_metric)m, values);
        values += sink->a->metrics[m].n;
    }
    cov_buf_char(out, '}');
    return COV_OK;
}

static cov_status query(const cov_resource *r, cov_ctx *ctx, const cov_aggregate *a,
                        const cov_where *where)
{
    group_sink sink = { { on_group }, r, ctx, a, 0 };
    cov_stmt stmt;
    cov_sql sql;
    cov_status st = statement(r, ctx, a, where, &sql);

    ctx->res->body.len = 0;
    COV_BUF_LIT(&ctx->res->body, "{\"groups\":[");
    if (st == COV_OK)
        st = cov_sql_finish(&sql, &stmt, ctx->err);
    if (st == COV_OK)
        st = cov_db_query(ctx->db, &stmt, &sink.sink, ctx->err);
    COV_BUF_LIT(&ctx->res->body, "]}");
    return st;
}

cov_status cov__aggregate(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    cov_aggregate *a = COV_NEW(ctx->arena, cov_aggregate);
    cov_where where;
    cov_status st = cov__where_read(r, ctx, COV_OP_READ, &where);

    (void)id;
    if (a == NULL)
        return cov_fail_nomem(ctx->err);
    if (st == COV_OK)
        st = cov__access_capability(r, ctx, r->config->capabilities.aggregations,
                                    "enableAggregations");
    if (st == COV_OK)
        st = read_request(r, ctx, a);
    if (st != COV_OK)
        return st;
    st = query(r, ctx, a, &where);
    /* The exact integer sum of SQLite fails on overflow; JSON would round it anyway. */
    if (st == COV_EINTERNAL && a->metrics[COV_METRIC_SUM].n != 0) {
        a->total = true;
        st = query(r, ctx, a, &where);
    }
    cov__respond(ctx, 200);
    return st;
}
