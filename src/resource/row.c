/* SPDX-License-Identifier: MIT */
/* Rows between SQL and JSON (spec/01 section 8). */
#include <math.h>

#include "base/encode.h"
#include "base/time.h"
#include "resource/internal.h"

static void base64_json(cov_buf *out, cov_str bytes)
{
    cov_buf_char(out, '"');
    cov_base64(out, bytes);
    cov_buf_char(out, '"');
}

void cov__plain_text(cov_buf *out, const cov_value *value)
{
    char number[COV_NUM_TEXT_BYTES];

    switch (value->type) {
    case COV_NULL:
        COV_BUF_LIT(out, "null");
        return;
    case COV_INT:
        cov_buf_i64(out, value->i);
        return;
    case COV_REAL:
        cov_buf_append(out, number, cov_num_text(value->r, number));
        return;
    case COV_TEXT:
    case COV_BLOB:
        cov_buf_str(out, value->s);
        return;
    }
}

/* What the storage class alone says; also for values that do not fit their column's type. */
static void plain_json(cov_buf *out, const cov_value *value)
{
    switch (value->type) {
    case COV_NULL:
        COV_BUF_LIT(out, "null");
        return;
    case COV_INT:
        cov_json_int(out, value->i);
        return;
    case COV_REAL:
        cov_json_double(out, value->r);
        return;
    case COV_TEXT:
        cov_json_str(out, value->s);
        return;
    case COV_BLOB:
        base64_json(out, value->s);
        return;
    }
}

static void numeric_json(cov_buf *out, const cov_value *value)
{
    char text[COV_NUM_TEXT_BYTES];

    if (value->type != COV_INT && value->type != COV_REAL) {
        plain_json(out, value);
        return;
    }
    cov_buf_char(out, '"');
    if (value->type == COV_INT)
        cov_buf_i64(out, value->i);
    else
        cov_buf_append(out, text, cov_num_text(value->r, text));
    cov_buf_char(out, '"');
}

static void instant_json(cov_buf *out, int64_t ms)
{
    char text[COV_TIME_TEXT_BYTES];
    size_t len = cov_time_format(ms, text);

    if (len == 0) {
        COV_BUF_LIT(out, "null");
        return;
    }
    cov_buf_char(out, '"');
    cov_buf_append(out, text, len);
    cov_buf_char(out, '"');
}

static void timestamp_json(cov_buf *out, const cov_value *value, int64_t scale)
{
    double d;

    if (value->type == COV_INT) {
        int64_t most = COV_TIME_MAX_MS / scale;

        instant_json(out, value->i >= -most && value->i <= most ? value->i * scale : INT64_MAX);
        return;
    }
    if (value->type != COV_REAL) {
        plain_json(out, value);
        return;
    }
    d = floor(value->r * (double)scale);
    instant_json(out, fabs(d) <= (double)COV_TIME_MAX_MS ? (int64_t)d : INT64_MAX);
}

static void datetime_json(cov_buf *out, const cov_value *value)
{
    int64_t ms;

    if (value->type == COV_TEXT && cov_time_parse_iso(value->s, &ms, NULL))
        instant_json(out, ms);
    else
        plain_json(out, value);
}

/*
 * Text that is not JSON, written by somebody else, goes out as a string: a row stays readable. SQLite stores a
 * document that is one number as a number; it goes out as one, however large, since numbers in JSON are doubles.
 */
static void document_json(cov_buf *out, cov_arena *arena, const cov_value *value)
{
    yyjson_val *document = NULL;

    if ((value->type == COV_TEXT || value->type == COV_BLOB) &&
        cov_json_read(arena, value->s, &document, NULL) == COV_OK)
        cov_json_value(out, document);
    else if (value->type == COV_INT)
        cov_json_double(out, (double)value->i);
    else
        plain_json(out, value);
}

void cov__value_json(cov_buf *out, cov_arena *arena, const cov_column *column,
                     const cov_value *value)
{
    if (value->type == COV_NULL) {
        COV_BUF_LIT(out, "null");
        return;
    }
    switch (column->type) {
    case COV_TYPE_TEXT:
    case COV_TYPE_INTEGER:
    case COV_TYPE_REAL:
    case COV_TYPE_BLOB:
        plain_json(out, value);
        return;
    case COV_TYPE_NUMERIC:
        numeric_json(out, value);
        return;
    case COV_TYPE_BOOLEAN:
        cov_json_bool(out, (value->type == COV_INT && value->i == 1) ||
                               (value->type == COV_REAL && value->r == 1));
        return;
    case COV_TYPE_TIMESTAMP:
        timestamp_json(out, value, 1000);
        return;
    case COV_TYPE_TIMESTAMP_MS:
        timestamp_json(out, value, 1);
        return;
    case COV_TYPE_DATETIME:
        datetime_json(out, value);
        return;
    case COV_TYPE_JSON:
        document_json(out, arena, value);
        return;
    }
}

void cov__columns_json(cov_buf *out, cov_arena *arena, const cov_columns *columns, bool whole,
                       const cov_value *values)
{
    for (size_t i = 0; i < columns->n; i++) {
        const cov_column *column = columns->items[i];

        if (i != 0)
            cov_buf_char(out, ',');
        cov_buf_str(out, column->json_key);
        cov__value_json(out, arena, column, &values[whole ? column->index : i]);
    }
}

void cov__row_json(cov_buf *out, cov_arena *arena, const cov_columns *columns,
                   const cov_value *values)
{
    cov_buf_char(out, '{');
    cov__columns_json(out, arena, columns, false, values);
    cov_buf_char(out, '}');
}

cov_value *cov__values_clone(cov_arena *arena, const cov_value *values, size_t n)
{
    cov_value *copy = COV_NEW_ARRAY(arena, cov_value, n != 0 ? n : 1);

    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        copy[i] = values[i];
        if (values[i].type != COV_TEXT && values[i].type != COV_BLOB)
            continue;
        copy[i].s = cov_arena_str(arena, values[i].s);
        if (copy[i].s.ptr == NULL)
            return NULL;
    }
    return copy;
}

void cov__column_list_sql(cov_sql *sql, const cov_columns *columns)
{
    for (size_t i = 0; i < columns->n; i++) {
        if (i != 0)
            COV_SQL(sql, ",");
        cov_sql_str(sql, columns->items[i]->quoted);
    }
}

void cov__select_sql(cov_sql *sql, const cov_resource *r, const cov_columns *columns)
{
    COV_SQL(sql, "SELECT ");
    if (columns->n == 0)
        COV_SQL(sql, "1");
    cov__column_list_sql(sql, columns);
    COV_SQL(sql, " FROM ");
    cov_sql_str(sql, r->table->quoted);
}

typedef struct one_row {
    cov_row_sink sink;
    cov_arena *arena;
    cov_value *row;
} one_row;

static cov_status take_row(cov_row_sink *sink, const cov_value *values, size_t n, cov_error *err)
{
    one_row *one = (one_row *)sink;

    one->row = cov__values_clone(one->arena, values, n);
    return one->row != NULL ? COV_OK : cov_fail_nomem(err);
}

cov_status cov__query_row(cov_ctx *ctx, const cov_sql *sql, cov_value **row)
{
    one_row one = { { take_row }, ctx->arena, NULL };
    cov_stmt stmt;
    cov_status st = cov_sql_finish(sql, &stmt, ctx->err);

    if (st == COV_OK)
        st = cov_db_query(ctx->db, &stmt, &one.sink, ctx->err);
    *row = one.row;
    return st;
}

cov_status cov__load_row(const cov_resource *r, cov_ctx *ctx, const cov_where *where,
                         const cov_value *id, cov_value **row)
{
    cov_sql sql;

    cov_sql_init(&sql, ctx->arena, ctx->db);
    cov__select_sql(&sql, r, &r->all);
    cov__where_sql(r, where, true, &sql);
    cov_sql_str(&sql, r->id->quoted);
    COV_SQL(&sql, " = ");
    cov_sql_param(&sql, *id);
    return cov__query_row(ctx, &sql, row);
}

void cov__respond(cov_ctx *ctx, int status)
{
    ctx->res->status = status;
    cov_response_header(ctx->res, COV_STR("Content-Type"), COV_STR("application/json"));
}
