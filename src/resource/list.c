/* SPDX-License-Identifier: MIT */
/*
 * GET / and GET /count (spec/01 section 6.2, spec/03).
 *
 * DESIGN: rows go from the driver's columns to JSON bytes in the response; no row object is built. One row
 * more than the page is asked for, only to know whether there is a next page.
 */
#include "base/num.h"
#include "resource/include.h"
#include "resource/order.h"

typedef struct list_plan {
    cov_where where;
    cov_layout layout; /* what each item shows */
    cov_columns query; /* the layout's columns, then what cursor and includes need beyond them */
    cov_order order;
    cov_cursor cursor;
    size_t limit;
    cov_include *include; /* NULL: rows are written as they come */
    size_t id_at;         /* place in query */
    size_t term_at[COV_MAX_ORDER_TERMS];
} list_plan;

typedef struct list_sink {
    cov_row_sink sink;
    const cov_resource *r;
    cov_ctx *ctx;
    const list_plan *plan;
    size_t n;
    bool more;
    const cov_value *last;  /* the page's last row, only on a full page */
    const cov_value **rows; /* the whole page, only when includes need it */
} list_sink;

/* Leading integer of the text, as JavaScript's parseInt; false when there is none. */
static bool leading_int(cov_str text, int64_t *out)
{
    cov_str s = cov_str_trim(text);
    size_t end = s.len != 0 && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
    size_t first = end;

    while (end < s.len && s.ptr[end] >= '0' && s.ptr[end] <= '9')
        end++;
    if (end == first)
        return false;
    if (!cov_parse_i64(cov_str_slice(s, 0, end), out))
        *out = s.ptr[0] == '-' ? INT64_MIN : INT64_MAX;
    return true;
}

static cov_status read_limit(const cov_resource *r, cov_ctx *ctx, size_t *out)
{
    cov_str text = cov_param_get(ctx, COV_PARAM_LIMIT);
    int64_t limit = r->config->pagination.default_limit;

    if (text.len != 0 && !leading_int(text, &limit))
        return cov_fail(ctx->err, COV_EINVAL, "Invalid limit: %.*s", COV_STR_ARG(text));
    if (limit > r->config->pagination.max_limit)
        limit = r->config->pagination.max_limit;
    *out = limit < 1 ? 1 : (size_t)limit;
    return COV_OK;
}

static cov_status plan_columns(const cov_resource *r, cov_ctx *ctx, list_plan *plan)
{
    const cov_columns *first;
    size_t most;

    plan->layout.whole = cov__reads_whole_rows(r);
    first = plan->layout.whole ? &r->all : &plan->layout.out;
    most = first->n + plan->order.n + 1 + cov__include_count(plan->include);

    plan->query.items = COV_NEW_ARRAY(ctx->arena, const cov_column *, most);
    if (plan->query.items == NULL)
        return cov_fail_nomem(ctx->err);
    plan->query.n = first->n;
    for (size_t i = 0; i < first->n; i++)
        plan->query.items[i] = first->items[i];
    plan->id_at = cov__columns_ensure(&plan->query, r->id);
    for (size_t i = 0; i < plan->order.n; i++)
        plan->term_at[i] = cov__columns_ensure(&plan->query, plan->order.terms[i].column);
    cov__include_parent_columns(plan->include, &plan->query);
    return COV_OK;
}

/* In the order of failures that spec/03 section 1 fixes. */
static cov_status make_plan(const cov_resource *r, cov_ctx *ctx, list_plan *plan)
{
    cov_order_syntax syntax;
    yyjson_val *document = NULL;
    cov_status st = cov__where_read(r, ctx, COV_OP_READ, &plan->where);

    if (st == COV_OK)
        st = read_limit(r, ctx, &plan->limit);
    if (st == COV_OK)
        st = cov__select_columns(r, ctx, &plan->layout.out);
    if (st == COV_OK)
        st = cov__include_parse(r, ctx, &plan->include);
    if (st == COV_OK)
        st = cov__order_parse(ctx, &syntax);
    if (st == COV_OK)
        st = cov__cursor_open(r, ctx, &syntax, &document);
    if (st == COV_OK)
        st = cov__order_resolve(r, ctx, &syntax, &plan->order);
    if (st == COV_OK)
        st = cov__cursor_values(r, ctx, &plan->order, document, &plan->cursor);
    return st == COV_OK ? plan_columns(r, ctx, plan) : st;
}

static cov_status on_row(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    list_sink *sink = (list_sink *)base;
    const cov_value *kept = NULL;
    cov_buf *out = &sink->ctx->res->body;

    if (sink->n == sink->plan->limit) {
        sink->more = true;
        return COV_OK;
    }
    if (sink->rows != NULL || sink->n + 1 == sink->plan->limit) {
        kept = cov__values_clone(sink->ctx->arena, values, n);
        if (kept == NULL)
            return cov_fail_nomem(err);
        sink->last = kept;
    }
    if (sink->rows != NULL) {
        sink->rows[sink->n++] = kept;
        return COV_OK;
    }
    if (sink->n++ != 0)
        cov_buf_char(out, ',');
    return cov__object_json(out, sink->ctx, sink->r, &sink->plan->layout, values, NULL, 0);
}

static cov_status write_with_includes(const cov_resource *r, cov_ctx *ctx, const list_plan *plan,
                                      const list_sink *sink)
{
    cov_buf *out = &ctx->res->body;
    cov_status st = cov__include_load(r, ctx, plan->include, &plan->query, sink->rows, sink->n);

    for (size_t i = 0; st == COV_OK && i < sink->n && !out->failed; i++) {
        if (i != 0)
            cov_buf_char(out, ',');
        st = cov__object_json(out, ctx, r, &plan->layout, sink->rows[i], plan->include, i);
    }
    return st;
}

/* One part of what follows the cursor, or (without one) everything from the start. */
static cov_status query_part(const cov_resource *r, cov_ctx *ctx, const list_plan *plan,
                             size_t equal, list_sink *sink)
{
    cov_stmt stmt;
    cov_status st;
    cov_sql sql;

    cov_sql_init(&sql, ctx->arena, ctx->db);
    cov__select_sql(&sql, r, &plan->query);
    cov__where_sql(r, &plan->where, plan->cursor.present, &sql);
    if (plan->cursor.present && !cov__keyset_sql(r, &plan->order, &plan->cursor, equal, &sql))
        return COV_OK;
    cov__order_sql(r, &plan->order, &sql);
    COV_SQL(&sql, " LIMIT ");
    cov_sql_param(&sql, cov_value_int((int64_t)(plan->limit + 1 - sink->n)));
    st = cov_sql_finish(&sql, &stmt, ctx->err);
    return st == COV_OK ? cov_db_query(ctx->db, &stmt, &sink->sink, ctx->err) : st;
}

static cov_status query_page(const cov_resource *r, cov_ctx *ctx, const list_plan *plan,
                             list_sink *sink)
{
    size_t n = plan->cursor.present ? cov__keyset_n(&plan->order) : 1;
    cov_status st = COV_OK;

    while (st == COV_OK && n-- > 0 && !sink->more)
        st = query_part(r, ctx, plan, n, sink);
    return st;
}

static cov_status next_cursor(const cov_resource *r, cov_ctx *ctx, const list_plan *plan,
                              const list_sink *sink)
{
    const cov_value *values[COV_MAX_ORDER_TERMS] = { NULL };

    for (size_t i = 0; i < plan->order.n; i++)
        values[i] = &sink->last[plan->term_at[i]];
    return cov__cursor_write(r, ctx, &plan->order, &sink->last[plan->id_at], values,
                             &ctx->res->body);
}

cov_status cov__count_rows(const cov_resource *r, cov_ctx *ctx, const cov_where *where,
                           int64_t *out)
{
    cov_value *row = NULL;
    cov_status st;
    cov_sql sql;

    cov_sql_init(&sql, ctx->arena, ctx->db);
    COV_SQL(&sql, "SELECT count(*) FROM ");
    cov_sql_str(&sql, r->table->quoted);
    cov__where_sql(r, where, false, &sql);
    st = cov__query_row(ctx, &sql, &row);
    if (st == COV_OK)
        *out = row != NULL ? row->i : 0;
    return st;
}

static cov_status write_page(const cov_resource *r, cov_ctx *ctx, const list_plan *plan)
{
    list_sink sink = { { on_row }, r, ctx, plan, 0, false, NULL, NULL };
    cov_buf *out = &ctx->res->body;
    cov_status st;

    if (plan->include != NULL) {
        sink.rows = COV_NEW_ARRAY(ctx->arena, const cov_value *, plan->limit);
        if (sink.rows == NULL)
            return cov_fail_nomem(ctx->err);
    }
    COV_BUF_LIT(out, "{\"items\":[");
    st = query_page(r, ctx, plan, &sink);
    if (st == COV_OK && plan->include != NULL)
        st = write_with_includes(r, ctx, plan, &sink);
    COV_BUF_LIT(out, "],\"nextCursor\":");
    if (st == COV_OK && sink.more)
        st = next_cursor(r, ctx, plan, &sink);
    else
        COV_BUF_LIT(out, "null");
    COV_BUF_LIT(out, ",\"hasMore\":");
    cov_json_bool(out, sink.more);
    return st;
}

/* The parts of a page, includes and count see the same snapshot. */
static cov_status write_consistently(const cov_resource *r, cov_ctx *ctx, const list_plan *plan)
{
    bool counted = cov_param_flag(ctx, COV_PARAM_TOTAL_COUNT);
    int64_t count = 0;
    cov_status st;

    if (!counted && plan->include == NULL &&
        (!plan->cursor.present || cov__keyset_n(&plan->order) == 1))
        return write_page(r, ctx, plan);
    st = cov_db_begin(ctx->db, false, ctx->err);
    if (st != COV_OK)
        return st;
    st = write_page(r, ctx, plan);
    if (st == COV_OK && counted)
        st = cov__count_rows(r, ctx, &plan->where, &count);
    cov_db_rollback(ctx->db);
    if (counted) {
        COV_BUF_LIT(&ctx->res->body, ",\"totalCount\":");
        cov_json_int(&ctx->res->body, count);
    }
    return st;
}

cov_status cov__list(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    list_plan plan;
    cov_status st = make_plan(r, ctx, &plan);

    (void)id;
    if (st != COV_OK)
        return st;
    st = write_consistently(r, ctx, &plan);
    cov_buf_char(&ctx->res->body, '}');
    cov__respond(ctx, 200);
    return st;
}

cov_status cov__count(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    int64_t count = 0;
    cov_where where;
    cov_status st = cov__where_read(r, ctx, COV_OP_READ, &where);

    (void)id;
    if (st == COV_OK)
        st = cov__count_rows(r, ctx, &where, &count);
    if (st != COV_OK)
        return st;
    COV_BUF_LIT(&ctx->res->body, "{\"count\":");
    cov_json_int(&ctx->res->body, count);
    cov_buf_char(&ctx->res->body, '}');
    cov__respond(ctx, 200);
    return COV_OK;
}
