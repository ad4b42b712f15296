/* SPDX-License-Identifier: MIT */
/* Triggers that enter what other programs change: in a connection that knows nothing of Covara, and in ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "driver/db/sqlite/sqlite.h"
#include "host/native/native.h"
#include "live/changelog.h"
#include "schema/log_triggers.h"

static void must(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%.200s: %s", sql, message);
}

/* The rows of a query, values joined by spaces, a line each. */
static char answer[16384];
static const char *ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    answer[0] = '\0';
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const char *text = (const char *)sqlite3_column_text(stmt, i);
            size_t len = strlen(answer);

            snprintf(answer + len, sizeof answer - len, "%s%s", text != NULL ? text : "NULL",
                     i + 1 < sqlite3_column_count(stmt) ? " " : "\n");
        }
    sqlite3_finalize(stmt);
    return answer;
}

/* Triggers for table `name` of `ddl`, as `covara db triggers --print` has them. */
static void triggers_of(const char *ddl, const char *name, const char *id, int64_t most,
                        cov_buf *out)
{
    cov_arena *arena = cov_arena_new(0);
    cov_db_config config = { .url = COV_STR("sqlite::memory:") };
    cov_schema *schema = NULL;
    cov_db *db = NULL;
    const cov_table *table;
    cov_error err;

    cov_error_init(&err, arena);
    assert_int_equal(cov_db_open(&cov_sqlite_driver, cov_native_host(), &config, &db, &err),
                     COV_OK);
    assert_int_equal(cov_db_script(db, cov_str_from(ddl), &err), COV_OK);
    assert_int_equal(cov_schema_read_sqlite(arena, db, COV_NAMING_CAMEL, &schema, &err), COV_OK);
    table = cov_schema_table(schema, cov_str_from(name));
    assert_non_null(table);
    cov_log_triggers_sql(out, table, cov_table_db_column(table, cov_str_from(id)), most);
    assert_false(out->failed);
    cov_buf_char(out, '\0');
    cov_db_close(db);
    cov_arena_free(arena);
}

static sqlite3 *with_triggers(const char *ddl, const char *name, const char *id, int64_t most)
{
    cov_buf sql = COV_BUF_INIT;
    sqlite3 *db = NULL;

    triggers_of(ddl, name, id, most, &sql);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
    must(db, ddl);
    must(db, cov_changelog_table_sql.ptr);
    must(db, sql.ptr);
    cov_buf_dispose(&sql);
    return db;
}

static const char odd[] =
    "CREATE TABLE \"a 'b\"\"c\" (\"the id\" TEXT PRIMARY KEY, \"x\"\"y\" REAL, doc JSON,"
    " twice AS (\"x\"\"y\" * 2)) WITHOUT ROWID;";

static void every_value_is_written_as_it_is_stored(void **state)
{
    sqlite3 *db = with_triggers(odd, "a 'b\"c", "the id", 100);

    (void)state;
    must(db,
         "INSERT INTO \"a 'b\"\"c\" VALUES ('one', 0.1, '{\"a\":[1]}'), ('t''w\"o\\', 3, NULL),"
         " ('l' || char(10), x'00ff', char(1) || '\xC3\xA9'), ('n' || char(0) || 'l', 9e999, -5)");
    assert_string_equal(
        ask(db, "SELECT seq, resource, type, object, previousObject, origin FROM covara_changelog"),
        "1 a 'b\"c create {\"the id\":\"one\",\"x\\\"y\":0.10000000000000001,\"doc\":\"{\\\"a\\\":[1]}\","
        "\"twice\":0.20000000000000001} NULL trigger\n"
        "2 a 'b\"c create {\"the id\":\"t'w\\\"o\\\\\",\"x\\\"y\":3.0,\"doc\":null,\"twice\":6.0} NULL trigger\n"
        "3 a 'b\"c create {\"the id\":{\"text\":\"6C0A\"},\"x\\\"y\":{\"blob\":\"00FF\"},"
        "\"doc\":{\"text\":\"01C3A9\"},\"twice\":0} NULL trigger\n"
        "4 a 'b\"c create {\"the id\":{\"text\":\"6E006C\"},\"x\\\"y\":Inf,\"doc\":-5,\"twice\":Inf} NULL trigger\n");
    sqlite3_close(db);
}

static void each_change_has_its_images(void **state)
{
    sqlite3 *db =
        with_triggers("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);", "t", "id", 100);

    (void)state;
    must(
        db,
        "INSERT INTO t VALUES (1, 1); UPDATE t SET id = 2; INSERT INTO t VALUES (2, 5)"
        " ON CONFLICT DO UPDATE SET n = excluded.n; BEGIN; DELETE FROM t; ROLLBACK; DELETE FROM t");
    assert_string_equal(ask(db, "SELECT type, objectId, object, previousObject, timestamp > 1e12"
                                " FROM covara_changelog"),
                        "create 1 {\"id\":1,\"n\":1} NULL 1\n"
                        "update 2 {\"id\":2,\"n\":1} {\"id\":1,\"n\":1} 1\n"
                        "update 2 {\"id\":2,\"n\":5} {\"id\":2,\"n\":1} 1\n"
                        "delete 2 NULL {\"id\":2,\"n\":5} 1\n");
    sqlite3_close(db);
}

static void the_log_stays_bounded(void **state)
{
    sqlite3 *db = with_triggers("CREATE TABLE t (id INTEGER PRIMARY KEY);", "t", "id", 3);

    (void)state;
    must(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)"
             " INSERT INTO t SELECT i FROM n");
    assert_string_equal(ask(db, "SELECT min(seq), max(seq), count(*) FROM covara_changelog"),
                        "48 50 3\n");
    sqlite3_close(db);
}

static void tables_may_be_wide(void **state)
{
    char ddl[32768] = "CREATE TABLE wide (id INTEGER PRIMARY KEY";
    sqlite3 *db;

    (void)state;
    for (int i = 0; i < 600; i++)
        snprintf(ddl + strlen(ddl), sizeof ddl - strlen(ddl), ", \"column %d\" TEXT", i);
    strcat(ddl, ");");
    db = with_triggers(ddl, "wide", "id", 10);
    must(db, "INSERT INTO wide (id, \"column 599\") VALUES (1, 'end')");
    assert_string_equal(ask(db, "SELECT json_extract(object, '$.\"column 599\"'),"
                                " (SELECT count(*) FROM json_each(object)) FROM covara_changelog"),
                        "end 601\n");
    sqlite3_close(db);
}

/* Our own connection runs the same triggers and enters nothing; about other options it tells the truth. */
static void the_server_is_told_apart(void **state)
{
    static const char ddl[] = "CREATE TABLE t (id INTEGER PRIMARY KEY);"
                              "CREATE TABLE other (n INTEGER);";
    static const cov_stmt count = {
        COV_STR_INIT("INSERT INTO other SELECT 1 FROM covara_changelog"), NULL, 0
    };
    static const cov_stmt options = {
        COV_STR_INIT("INSERT INTO other SELECT 1 WHERE sqlite_compileoption_used('THREADSAFE')"
                     " AND NOT sqlite_compileoption_used('NO_SUCH_OPTION')"),
        NULL, 0
    };
    cov_db_config config = { .url = COV_STR("sqlite::memory:") };
    cov_buf sql = COV_BUF_INIT;
    cov_db *db = NULL;
    int64_t changes = -1;
    cov_error err;

    (void)state;
    cov_error_init(&err, NULL);
    triggers_of(ddl, "t", "id", 10, &sql);
    assert_int_equal(cov_db_open(&cov_sqlite_driver, cov_native_host(), &config, &db, &err),
                     COV_OK);
    assert_int_equal(cov_db_script(db, cov_str_from(ddl), &err), COV_OK);
    assert_int_equal(cov_db_script(db, cov_changelog_table_sql, &err), COV_OK);
    assert_int_equal(cov_db_script(db, cov_str_from(sql.ptr), &err), COV_OK);
    assert_int_equal(cov_db_script(db,
                                   COV_STR("INSERT INTO t VALUES (1); UPDATE t SET id = 2;"
                                           "DELETE FROM t"),
                                   &err),
                     COV_OK);
    assert_int_equal(cov_db_exec(db, &count, &changes, &err), COV_OK);
    assert_int_equal(changes, 0);
    assert_int_equal(cov_db_exec(db, &options, &changes, &err), COV_OK);
    assert_int_equal(changes, 1);
    cov_db_close(db);
    cov_buf_dispose(&sql);
}

static void views_have_none(void **state)
{
    cov_buf sql = COV_BUF_INIT;

    (void)state;
    triggers_of("CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t;", "v",
                "id", 10, &sql);
    assert_string_equal(sql.ptr, "");
    cov_buf_dispose(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_written_as_it_is_stored),
        cmocka_unit_test(each_change_has_its_images),
        cmocka_unit_test(the_log_stays_bounded),
        cmocka_unit_test(tables_may_be_wide),
        cmocka_unit_test(the_server_is_told_apart),
        cmocka_unit_test(views_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
