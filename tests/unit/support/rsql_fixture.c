/* SPDX-License-Identifier: MIT */
#include "rsql_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "driver/db/sqlite/functions.h"
#include "rsql_host.h"

static const cov_dialect dialect = { "sqlite", false, true };

static void add_column(rsql_fixture *f, const rsql_column *from)
{
    cov_column *c = &f->table.columns[f->table.n_columns];

    c->index = f->table.n_columns++;
    c->name = cov_str_from(from->property);
    c->db_name = cov_str_from(from->db_name);
    c->quoted = cov_arena_printf(f->schema, "\"%s\"", from->db_name);
    c->declared = cov_str_from(from->declared);
    c->type = from->type;
    c->class_ = cov_type_class(from->type);
    assert_non_null(c->quoted.ptr);
    assert_true(cov_map_put(&f->table.by_name, c->name, c));
    assert_true(cov_map_put(&f->table.by_db_name, c->db_name, c));
}

static void create_table(rsql_fixture *f, const rsql_column *columns, size_t n_columns)
{
    cov_buf sql = COV_BUF_INIT;

    COV_BUF_LIT(&sql, "CREATE TABLE t(");
    for (size_t i = 0; i < n_columns; i++)
        cov_buf_printf(&sql, "%s\"%s\" %s %s", i != 0 ? "," : "", columns[i].db_name,
                       columns[i].declared,
                       i == 0                          ? "PRIMARY KEY"
                       : columns[i].constraint != NULL ? columns[i].constraint
                                                       : "");
    cov_buf_append(&sql, ")", 2);
    rsql_fixture_exec(f, sql.ptr);
    cov_buf_dispose(&sql);
}

void rsql_fixture_open(rsql_fixture *f, const rsql_column *columns, size_t n_columns)
{
    memset(f, 0, sizeof *f);
    f->schema = cov_arena_new(0);
    f->rows_arena = cov_arena_new(0);
    f->arena = cov_arena_new(0);
    assert_non_null(f->schema);
    assert_non_null(f->rows_arena);
    assert_non_null(f->arena);
    f->table.name = COV_STR("t");
    f->table.quoted = COV_STR("\"t\"");
    f->table.columns = COV_NEW_ARRAY(f->schema, cov_column, n_columns);
    assert_non_null(f->table.columns);
    assert_true(cov_map_init(&f->table.by_name, f->schema, n_columns));
    assert_true(cov_map_init(&f->table.by_db_name, f->schema, n_columns));
    for (size_t i = 0; i < n_columns; i++)
        add_column(f, &columns[i]);
    f->policy = (cov_rsql_policy){ .limits = COV_RSQL_DEFAULT_LIMITS };
    assert_int_equal(sqlite3_open(":memory:", &f->connection), SQLITE_OK);
    assert_int_equal(cov__sqlite_register_functions(f->connection, &rsql_host), SQLITE_OK);
    create_table(f, columns, n_columns);
}

void rsql_fixture_close(rsql_fixture *f)
{
    assert_int_equal(sqlite3_close(f->connection), SQLITE_OK);
    cov_arena_free(f->arena);
    cov_arena_free(f->rows_arena);
    cov_arena_free(f->schema);
}

void rsql_fixture_exec(rsql_fixture *f, const char *sql)
{
    if (sqlite3_exec(f->connection, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(f->connection));
}

static void bind_value(sqlite3_stmt *stmt, int at, const cov_value *v)
{
    const char *bytes = v->type >= COV_TEXT && v->s.ptr != NULL ? v->s.ptr : "";

    switch (v->type) {
    case COV_NULL:
        sqlite3_bind_null(stmt, at);
        break;
    case COV_INT:
        sqlite3_bind_int64(stmt, at, v->i);
        break;
    case COV_REAL:
        sqlite3_bind_double(stmt, at, v->r);
        break;
    case COV_TEXT:
        sqlite3_bind_text64(stmt, at, bytes, v->s.len, SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    case COV_BLOB:
        sqlite3_bind_blob64(stmt, at, bytes, v->s.len, SQLITE_TRANSIENT);
        break;
    }
}

void rsql_fixture_insert(rsql_fixture *f, const cov_value *values)
{
    cov_buf sql = COV_BUF_INIT;
    sqlite3_stmt *stmt = NULL;

    COV_BUF_LIT(&sql, "INSERT INTO t VALUES(");
    for (size_t i = 0; i < f->table.n_columns; i++)
        cov_buf_printf(&sql, "%s?", i != 0 ? "," : "");
    cov_buf_char(&sql, ')');
    assert_int_equal(sqlite3_prepare_v2(f->connection, sql.ptr, (int)sql.len, &stmt, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < f->table.n_columns; i++)
        bind_value(stmt, (int)i + 1, &values[i]);
    if (sqlite3_step(stmt) != SQLITE_DONE)
        fail_msg("insert: %s", sqlite3_errmsg(f->connection));
    sqlite3_finalize(stmt);
    cov_buf_dispose(&sql);
    f->n_rows++;
}

static cov_value column_value(rsql_fixture *f, sqlite3_stmt *stmt, int at)
{
    int type = sqlite3_column_type(stmt, at);
    const void *bytes;
    cov_str copy;

    if (type == SQLITE_INTEGER)
        return cov_value_int(sqlite3_column_int64(stmt, at));
    if (type == SQLITE_FLOAT)
        return cov_value_real(sqlite3_column_double(stmt, at));
    if (type == SQLITE_NULL)
        return cov_value_null();
    bytes = type == SQLITE_TEXT ? (const void *)sqlite3_column_text(stmt, at)
                                : sqlite3_column_blob(stmt, at);
    copy = cov_arena_str(f->rows_arena, cov_str_of(bytes, (size_t)sqlite3_column_bytes(stmt, at)));
    assert_non_null(copy.ptr);
    return type == SQLITE_TEXT ? cov_value_text(copy) : cov_value_blob(copy);
}

void rsql_fixture_load(rsql_fixture *f)
{
    size_t width = f->table.n_columns;
    sqlite3_stmt *stmt = NULL;
    size_t row = 0;

    f->rows = COV_NEW_ARRAY(f->rows_arena, cov_value, f->n_rows * width);
    assert_non_null(f->rows);
    assert_int_equal(sqlite3_prepare_v2(f->connection, "SELECT * FROM t ORDER BY 1", -1, &stmt,
                                        NULL),
                     SQLITE_OK);
    for (; sqlite3_step(stmt) == SQLITE_ROW; row++)
        for (size_t i = 0; i < width; i++)
            f->rows[row * width + i] = column_value(f, stmt, (int)i);
    assert_int_equal(row, f->n_rows);
    sqlite3_finalize(stmt);
}

cov_status rsql_fixture_bind(rsql_fixture *f, cov_str filter, const cov_rsql_expr **out)
{
    const cov_rsql_node *node = NULL;
    cov_status st;

    cov_arena_reset(f->arena);
    cov_error_init(&f->err, f->arena);
    st = cov_rsql_parse(f->arena, filter, &f->table, &f->policy, &node, &f->err);
    if (st != COV_OK)
        return st;
    return cov_rsql_bind(f->arena, node, &f->table, &rsql_host,
                         f->vars.get != NULL ? &f->vars : NULL, out, &f->err);
}

cov_stmt rsql_fixture_sql(rsql_fixture *f, const cov_rsql_expr *expr, uint32_t caps)
{
    cov_db_driver driver = {
        .abi = COV_DB_ABI, .caps = caps, .name = "sqlite", .dialect = &dialect
    };
    cov_db db = { .driver = &driver };
    cov_sql sql;
    cov_stmt out = { .n_params = 0 };

    cov_sql_init(&sql, f->arena, &db);
    cov_rsql_to_sql(expr, &sql);
    assert_int_equal(cov_sql_finish(&sql, &out, &f->err), COV_OK);
    return out;
}

static sqlite3_stmt *prepare(rsql_fixture *f, const cov_stmt *condition)
{
    cov_str text =
        cov_arena_printf(f->arena, "SELECT \"%.*s\" FROM t WHERE %.*s",
                         COV_STR_ARG(f->table.columns[0].db_name), COV_STR_ARG(condition->sql));
    sqlite3_stmt *stmt = NULL;

    assert_non_null(text.ptr);
    sqlite3_prepare_v2(f->connection, text.ptr, (int)text.len, &stmt, NULL);
    if (stmt != NULL && (size_t)sqlite3_bind_parameter_count(stmt) != condition->n_params)
        fail_msg("%zu parameters for %s", condition->n_params, text.ptr);
    for (size_t i = 0; i < condition->n_params; i++)
        bind_value(stmt, (int)i + 1, &condition->params[i]);
    return stmt;
}

static size_t row_of_id(const rsql_fixture *f, int64_t id)
{
    size_t row = 0;

    while (row < f->n_rows && f->rows[row * f->table.n_columns].i != id)
        row++;
    assert_true(row < f->n_rows);
    return row;
}

bool rsql_fixture_query(rsql_fixture *f, const cov_stmt *condition, bool *matches,
                        const char **message)
{
    sqlite3_stmt *stmt = prepare(f, condition);
    int rc = SQLITE_ERROR;

    memset(matches, 0, f->n_rows * sizeof *matches);
    while (stmt != NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        matches[row_of_id(f, sqlite3_column_int64(stmt, 0))] = true;
    *message = sqlite3_errmsg(f->connection);
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE;
}

static const char *refusal(rsql_fixture *f)
{
    static char text[8192];
    cov_str prefix = COV_STR("Invalid filter expression: ");
    cov_str detail = cov_error_detail(&f->err);

    assert_true(cov_str_starts(detail, prefix));
    assert_int_equal(f->err.status, COV_EFILTER);
    snprintf(text, sizeof text, "!%.*s",
             COV_STR_ARG(cov_str_slice(detail, prefix.len, detail.len)));
    return text;
}

const char *rsql_fixture_ids(rsql_fixture *f, const char *filter)
{
    static char ids[512];
    const cov_rsql_expr *expr = NULL;
    const char *message = NULL;
    bool matches[64];
    cov_stmt condition;
    size_t len = 0;

    assert_true(f->n_rows <= COV_COUNT_OF(matches));
    if (rsql_fixture_bind(f, cov_str_from(filter), &expr) != COV_OK)
        return refusal(f);
    condition = rsql_fixture_sql(f, expr, COV_DB_CAP_FUNCTIONS);
    if (!rsql_fixture_query(f, &condition, matches, &message))
        fail_msg("%s: %.*s: %s", filter, COV_STR_ARG(condition.sql), message);
    ids[0] = '\0';
    for (size_t i = 0; i < f->n_rows; i++) {
        const cov_value *row = &f->rows[i * f->table.n_columns];
        bool in_memory = cov_rsql_eval(expr, row, &rsql_host, f->arena) == COV_TRUE;

        if (in_memory != matches[i])
            fail_msg("%s: row %d: SQL says %d, memory %d: %.*s", filter, (int)row[0].i, matches[i],
                     in_memory, COV_STR_ARG(condition.sql));
        if (matches[i])
            len += (size_t)snprintf(ids + len, sizeof ids - len, "%s%d", len != 0 ? "," : "",
                                    (int)row[0].i);
    }
    return ids;
}
