/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a filter, as a user's and as a scope: parse, bind, translate, run on SQLite, evaluate. SQLite must accept
 * every condition, and both evaluations must agree on every row.
 */
#include <stdio.h>
#include <stdlib.h>

#include "driver/db/sqlite/sqlite.h"
#include "host/native/native.h"
#include "rsql/rsql.h"

enum { MAX_INPUT = 8192, N_ROWS = 5 };

static cov_db *db;
static cov_arena *lasting;
static cov_arena *arena;
static const cov_table *table;

typedef struct row_sink {
    cov_row_sink base;
    const cov_rsql_expr *expr;
    size_t n_rows;
} row_sink;

static void stop(const char *what, cov_str detail)
{
    fprintf(stderr, "%s: %.*s\n", what, COV_STR_ARG(detail));
    abort();
}

static void set_up(void)
{
    static const char sql[] =
        "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, word TEXT COLLATE NOCASE, age INTEGER, score REAL,"
        " price NUMERIC, active BOOLEAN, at TIMESTAMP, at_ms TIMESTAMP_MS, day DATETIME, meta JSON, data BLOB);"
        "CREATE INDEX t_name ON t(name); CREATE INDEX t_age ON t(age); CREATE INDEX t_at ON t(at);"
        "INSERT INTO t VALUES(1,'Alice','True',30,1.5,'12.50',1,1705314600,1705314600000,"
        "'2024-01-15T10:30:00.000Z','{\"a\":1}',x'6162');"
        "INSERT INTO t VALUES(2,'','FALSE',5,-0.0,5,0,0,0,'1970-01-01T00:00:00.000Z','5',x'');"
        "INSERT INTO t(id) VALUES(3);"
        "INSERT INTO t VALUES(4,'50% off_x\\y','1','abc',1e21,'x',7,'x',0.5,'not a date','\"x\"','text');"
        "INSERT INTO t VALUES(5,x'c38961',char(201,10,90,128512,0,66),9007199254740993,1e-7,1,'1',-1,-1,5,'[1,2]',7);";
    cov_db_config config = { .url = COV_STR_INIT("sqlite::memory:") };
    cov_schema *schema = NULL;
    cov_error err;

    lasting = cov_arena_new(0);
    arena = cov_arena_new(0);
    cov_error_init(&err, lasting);
    if (cov_db_open(&cov_sqlite_driver, cov_native_host(), &config, &db, &err) != COV_OK ||
        cov_db_script(db, cov_str_of(sql, sizeof sql - 1), &err) != COV_OK ||
        cov_schema_read_sqlite(lasting, db, COV_NAMING_CAMEL, &schema, &err) != COV_OK)
        stop("set-up", cov_error_detail(&err));
    table = cov_schema_table(schema, COV_STR("t"));
}

/* Column n_columns of the result says whether SQL accepts the row. */
static cov_status check_row(cov_row_sink *base, const cov_value *values, size_t n_values,
                            cov_error *err)
{
    row_sink *sink = (row_sink *)base;
    const cov_value *verdict = &values[n_values - 1];
    bool in_sql = verdict->type == COV_INT && verdict->i != 0;
    bool in_memory = cov_rsql_eval(sink->expr, values, cov_native_host(), arena) == COV_TRUE;

    (void)err;
    sink->n_rows++;
    if (in_sql != in_memory)
        stop("SQL and memory disagree",
             in_sql ? COV_STR("SQL accepts") : COV_STR("memory accepts"));
    return COV_OK;
}

static void run(const cov_rsql_expr *expr, uint32_t caps)
{
    cov_db_driver driver = *db->driver;
    cov_db shape = { .driver = &driver };
    row_sink sink = { .base = { check_row }, .expr = expr };
    cov_stmt stmt = { .n_params = 0 };
    cov_error err;
    cov_sql sql;

    driver.caps = caps;
    cov_error_init(&err, arena);
    cov_sql_init(&sql, arena, &shape);
    COV_SQL(&sql, "SELECT *, (");
    cov_rsql_to_sql(expr, &sql);
    COV_SQL(&sql, ") FROM t");
    if (cov_sql_finish(&sql, &stmt, &err) != COV_OK)
        stop("memory", COV_STR(""));
    if (cov_db_query(db, &stmt, (caps & COV_DB_CAP_FUNCTIONS) != 0 ? &sink.base : NULL, &err) !=
        COV_OK) {
        fprintf(stderr, "%.*s\n", COV_STR_ARG(stmt.sql));
        stop("SQLite", cov_error_detail(&err));
    }
    if (sink.n_rows != N_ROWS && (caps & COV_DB_CAP_FUNCTIONS) != 0)
        stop("rows", COV_STR(""));
}

static bool var(const void *self, cov_str path, cov_value *value)
{
    (void)self;
    *value = path.len % 2 == 0 ? cov_value_text(path) : cov_value_null();
    return path.len % 3 != 0;
}

static void try_filter(cov_str text, bool trusted)
{
    cov_rsql_policy policy = { .limits = COV_RSQL_DEFAULT_LIMITS, .trusted = trusted };
    cov_rsql_vars vars = { .get = var };
    const cov_rsql_node *node = NULL;
    const cov_rsql_expr *expr = NULL;
    cov_error err;
    cov_status st;

    cov_arena_reset(arena);
    cov_error_init(&err, arena);
    st = cov_rsql_parse(arena, text, table, &policy, &node, &err);
    if (st == COV_OK)
        st = cov_rsql_bind(arena, node, table, cov_native_host(), &vars, &expr, &err);
    if (st == COV_OK) {
        run(expr, COV_DB_CAP_FUNCTIONS);
        run(expr, 0);
    } else if (st != COV_EFILTER) {
        stop("status", cov_error_detail(&err));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_str text = cov_str_of((const char *)data, size);

    if (size > MAX_INPUT)
        return 0;
    if (table == NULL)
        set_up();
    try_filter(text, false);
    try_filter(text, true);
    return 0;
}
