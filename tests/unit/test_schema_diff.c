/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver/db/sqlite/sqlite.h"
#include "host/native/native.h"
#include "schema/schema.h"

static const cov_schema *schema_of(cov_arena *arena, const char *sql)
{
    cov_db_config config = { .url = COV_STR_INIT("sqlite::memory:") };
    cov_schema *schema = NULL;
    cov_db *db = NULL;
    cov_error err;

    cov_error_init(&err, arena);
    assert_int_equal(cov_db_open(&cov_sqlite_driver, cov_native_host(), &config, &db, &err),
                     COV_OK);
    if (cov_db_script(db, cov_str_from(sql), &err) != COV_OK ||
        cov_schema_read_sqlite(arena, db, COV_NAMING_CAMEL, &schema, &err) != COV_OK)
        fail_msg("%s: %s", sql, err.text);
    cov_db_close(db);
    return schema;
}

typedef struct pair {
    const char *wanted;
    const char *live;
    const char *report; /* lines */
} pair;

static void compare_all(const pair *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cov_arena *arena = cov_arena_new(0);
        cov_buf report = COV_BUF_INIT;
        size_t lines = 0;
        size_t differences;

        assert_non_null(arena);
        differences = cov_schema_diff(schema_of(arena, rows[i].wanted),
                                      schema_of(arena, rows[i].live), &report);
        for (size_t k = 0; k < report.len; k++)
            lines += report.ptr[k] == '\n';
        cov_buf_char(&report, '\0');
        assert_string_equal(report.ptr, rows[i].report);
        assert_int_equal(differences, lines);
        cov_buf_dispose(&report);
        cov_arena_free(arena);
    }
}

static void diff__accepts_what_fits(void **state)
{
    static const pair rows[] = {
        { "", "CREATE TABLE extra (a)", "" },
        { "CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT)", "" },
        { "CREATE TABLE t (a TEXT)", "CREATE TABLE T (A text)", "" },
        { "CREATE TABLE t (a VARCHAR(20))", "CREATE TABLE t (a varchar( 20 ))", "" },
        { "CREATE TABLE t (a TEXT, b TEXT)", "CREATE TABLE t (b TEXT, a TEXT)", "" },
        { "CREATE TABLE t (a TEXT)",
          "CREATE TABLE t (a TEXT, n TEXT, d TEXT NOT NULL DEFAULT '', g TEXT NOT NULL AS (a))",
          "" },
        { "CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT UNIQUE)", "" },
        { "CREATE TABLE t (a TEXT UNIQUE)",
          "CREATE TABLE t (a TEXT); CREATE UNIQUE INDEX u ON t (a)", "" },
        { "CREATE TABLE t (a TEXT, b TEXT, UNIQUE (a, b))",
          "CREATE TABLE t (a TEXT, b TEXT, UNIQUE (b, a))", "" },
        { "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INTEGER REFERENCES p)",
          "CREATE TABLE c (p INTEGER, FOREIGN KEY (p) REFERENCES P (ID)); CREATE TABLE p (id INTEGER PRIMARY KEY)",
          "" },
        { "CREATE TABLE t (a TEXT); CREATE VIEW v AS SELECT a FROM t",
          "CREATE TABLE t (a TEXT); CREATE VIEW v AS SELECT a, 1 AS one FROM t", "" },
    };

    (void)state;
    compare_all(rows, COV_COUNT_OF(rows));
}

static void diff__reports_tables_and_columns(void **state)
{
    static const pair rows[] = {
        { "CREATE TABLE notes (a TEXT)", "", "notes: missing in the database\n" },
        { "CREATE TABLE t (a TEXT)", "CREATE TABLE x (a TEXT); CREATE VIEW t AS SELECT a FROM x",
          "t: a table in schema.sql, a view in the database\n" },
        { "CREATE TABLE t (a TEXT, b TEXT)", "CREATE TABLE t (a TEXT)",
          "t.b: missing in the database\n" },
        { "CREATE TABLE notes (text TEXT)", "CREATE TABLE notes (text VARCHAR(10))",
          "notes.text: declared TEXT in schema.sql, VARCHAR(10) in the database\n" },
        { "CREATE TABLE t (a)", "CREATE TABLE t (a BLOB)",
          "t.a: declared without a type in schema.sql, BLOB in the database\n" },
        { "CREATE TABLE t (a TEXT NOT NULL, b TEXT)", "CREATE TABLE t (a TEXT, b TEXT NOT NULL)",
          "t.a: NOT NULL in schema.sql, nullable in the database\n"
          "t.b: nullable in schema.sql, NOT NULL in the database\n" },
        { "CREATE TABLE t (a TEXT DEFAULT 'x')", "CREATE TABLE t (a TEXT)",
          "t.a: has a default in schema.sql, none in the database\n" },
        { "CREATE TABLE t (a TEXT, b TEXT)", "CREATE TABLE t (a TEXT, b TEXT AS (a))",
          "t.b: generated in the database only\n" },
        { "CREATE TABLE t (a TEXT, b TEXT AS (a))", "CREATE TABLE t (a TEXT, b TEXT)",
          "t.b: generated in schema.sql only\n" },
        { "CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT, extra TEXT NOT NULL)",
          "t.extra: NOT NULL without a default in the database, missing in schema.sql, so no row could be "
          "added\n" },
    };

    (void)state;
    compare_all(rows, COV_COUNT_OF(rows));
}

static void diff__reports_keys(void **state)
{
    static const pair rows[] = {
        { "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER)",
          "CREATE TABLE t (a INTEGER, b INTEGER, PRIMARY KEY (a, b))",
          "t: primary key (a) in schema.sql, (a, b) in the database\n" },
        { "CREATE TABLE t (a INTEGER PRIMARY KEY)", "CREATE TABLE t (a INTEGER)",
          "t: primary key (a) in schema.sql, none in the database\n" },
        { "CREATE TABLE t (a INTEGER)", "CREATE TABLE t (a INTEGER PRIMARY KEY)",
          "t: primary key none in schema.sql, (a) in the database\n" },
        { "CREATE TABLE t (a TEXT UNIQUE, b TEXT, UNIQUE (a, b))",
          "CREATE TABLE t (a TEXT, b TEXT UNIQUE)",
          "t: unique key (a) in schema.sql, missing in the database\n"
          "t: unique key (a, b) in schema.sql, missing in the database\n" },
        { "CREATE TABLE p (id INTEGER PRIMARY KEY, k TEXT UNIQUE); CREATE TABLE c (p INTEGER REFERENCES p (id))",
          "CREATE TABLE p (id INTEGER PRIMARY KEY, k TEXT UNIQUE); CREATE TABLE c (p INTEGER REFERENCES p (k))",
          "c: foreign key (p) to p in schema.sql, missing in the database\n" },
    };

    (void)state;
    compare_all(rows, COV_COUNT_OF(rows));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(diff__accepts_what_fits),
        cmocka_unit_test(diff__reports_tables_and_columns),
        cmocka_unit_test(diff__reports_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
