/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver/db/sqlite/sqlite.h"
#include "host/native/native.h"
#include "schema/ddl.h"

static cov_arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = cov_arena_new(0);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    cov_arena_free(arena);
    return 0;
}

static void assert_str(cov_str actual, const char *expected)
{
    if (expected == NULL) {
        assert_null(actual.ptr);
        return;
    }
    assert_non_null(actual.ptr);
    assert_string_equal(cov_arena_str(arena, actual).ptr, expected);
}

static cov_status read_schema(const char *sql, cov_naming naming, cov_schema **out, cov_error *err)
{
    cov_db_config config = { .url = COV_STR_INIT("sqlite::memory:") };
    cov_db *db = NULL;
    cov_status st;

    cov_error_init(err, arena);
    assert_int_equal(cov_db_open(&cov_sqlite_driver, cov_native_host(), &config, &db, err), COV_OK);
    if (cov_db_script(db, cov_str_from(sql), err) != COV_OK)
        fail_msg("%s", err->text);
    st = cov_schema_read_sqlite(arena, db, naming, out, err);
    cov_db_close(db);
    return st;
}

static const cov_schema *schema_of(const char *sql)
{
    cov_schema *schema = NULL;
    cov_error err;

    if (read_schema(sql, COV_NAMING_CAMEL, &schema, &err) != COV_OK)
        fail_msg("%s", err.text);
    return schema;
}

static const cov_table *table_of(const char *sql, const char *name)
{
    const cov_table *table = cov_schema_table(schema_of(sql), cov_str_from(name));

    assert_non_null(table);
    return table;
}

static const cov_column *column_of(const cov_table *table, const char *property)
{
    const cov_column *column = cov_table_column(table, cov_str_from(property));

    assert_non_null(column);
    return column;
}

/* "id,userId": properties of the columns with these indexes */
static void assert_columns(const cov_table *table, const size_t *columns, size_t n,
                           const char *expected)
{
    cov_buf text = COV_BUF_IN(arena);

    for (size_t i = 0; i < n; i++)
        cov_buf_printf(&text, "%s%.*s", i == 0 ? "" : ",",
                       COV_STR_ARG(table->columns[columns[i]].name));
    assert_str(n != 0 ? cov_buf_view(&text) : COV_STR(""), expected);
}

/* ---- types ---- */

static void schema__maps_sqlite_types(void **state)
{
    static const struct {
        const char *declared;
        cov_type type;
        size_t max_length;
    } rows[] = {
        { "", COV_TYPE_TEXT, 0 },
        { "TEXT", COV_TYPE_TEXT, 0 },
        { "text", COV_TYPE_TEXT, 0 },
        { "INTEGER", COV_TYPE_INTEGER, 0 },
        { "INT", COV_TYPE_INTEGER, 0 },
        { "bigint", COV_TYPE_INTEGER, 0 },
        { "UNSIGNED BIG INT", COV_TYPE_INTEGER, 0 },
        { "TINYINT(1)", COV_TYPE_INTEGER, 0 },
        { "FLOATING POINT", COV_TYPE_INTEGER, 0 }, /* SQLite's own surprise: it contains INT */
        { "REAL", COV_TYPE_REAL, 0 },
        { "DOUBLE PRECISION", COV_TYPE_REAL, 0 },
        { "float", COV_TYPE_REAL, 0 },
        { "NUMERIC", COV_TYPE_NUMERIC, 0 },
        { "DECIMAL(10,2)", COV_TYPE_NUMERIC, 0 },
        { "decimal (10, 2)", COV_TYPE_NUMERIC, 0 },
        { "MONEY", COV_TYPE_NUMERIC, 0 },
        { "BOOLEAN", COV_TYPE_BOOLEAN, 0 },
        { "Bool", COV_TYPE_BOOLEAN, 0 },
        { "TIMESTAMP", COV_TYPE_TIMESTAMP, 0 },
        { "timestamp_ms", COV_TYPE_TIMESTAMP_MS, 0 },
        { "DATETIME", COV_TYPE_DATETIME, 0 },
        { "DATE", COV_TYPE_TEXT, 0 },
        { "TIME", COV_TYPE_TEXT, 0 },
        { "UUID", COV_TYPE_TEXT, 0 },
        { "ANY", COV_TYPE_TEXT, 0 },
        { "JSON", COV_TYPE_JSON, 0 },
        { "JSONB", COV_TYPE_JSON, 0 },
        { "BLOB", COV_TYPE_BLOB, 0 },
        { "TINYBLOB", COV_TYPE_BLOB, 0 },
        { "CLOB", COV_TYPE_TEXT, 0 },
        { "VARCHAR(20)", COV_TYPE_TEXT, 20 },
        { "varchar ( 20 )", COV_TYPE_TEXT, 20 },
        { "CHAR(1)", COV_TYPE_TEXT, 1 },
        { "NVARCHAR(255)", COV_TYPE_TEXT, 255 },
        { "CHARACTER VARYING(9)", COV_TYPE_TEXT, 9 },
        { "VARCHAR", COV_TYPE_TEXT, 0 },
        { "VARCHAR(x)", COV_TYPE_TEXT, 0 },
        { "VARCHAR(-3)", COV_TYPE_TEXT, 0 },
        { "VARCHAR(99999999999999999999)", COV_TYPE_TEXT, 0 },
        { "VARCHAR(", COV_TYPE_TEXT, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        size_t max_length = 77;
        cov_type type = cov_sqlite_type(cov_str_from(rows[i].declared), &max_length);

        if (type != rows[i].type || max_length != rows[i].max_length)
            fail_msg("%s: %s(%zu)", rows[i].declared, cov_type_name(type), max_length);
        assert_int_equal(cov_sqlite_type(cov_str_from(rows[i].declared), NULL), rows[i].type);
    }
}

static void schema__classes_follow_types(void **state)
{
    (void)state;
    assert_int_equal(cov_type_class(COV_TYPE_TEXT), COV_CLASS_TEXT);
    assert_int_equal(cov_type_class(COV_TYPE_NUMERIC), COV_CLASS_NUM);
    assert_int_equal(cov_type_class(COV_TYPE_BOOLEAN), COV_CLASS_BOOL);
    assert_int_equal(cov_type_class(COV_TYPE_DATETIME), COV_CLASS_TIME);
    assert_int_equal(cov_type_class(COV_TYPE_TIMESTAMP_MS), COV_CLASS_TIME);
    assert_int_equal(cov_type_class(COV_TYPE_JSON), COV_CLASS_JSON);
    assert_int_equal(cov_type_class(COV_TYPE_BLOB), COV_CLASS_BLOB);
}

/* ---- names ---- */

static void schema__camel_cases_names(void **state)
{
    static const char *const rows[][2] = {
        { "created_at", "createdAt" },
        { "user_id2", "userId2" },
        { "address_2", "address2" },
        { "a_b_c", "aBC" },
        { "a__b", "aB" },
        { "name", "name" },
        { "createdAt", "createdAt" },
        { "_private", "_private" },
        { "_private_key", "_privateKey" },
        { "__v", "__v" },
        { "trailing_", "trailing_" },
        { "trailing_one_", "trailingOne_" },
        { "_", "_" },
        { "___", "___" },
        { "", "" },
        { "ALL_CAPS", "allCaps" },
        { "ID", "ID" },
        { "User_Id", "UserId" },
        { "\xC3\xA9t\xC3\xA9_2", "\xC3\xA9t\xC3\xA9"
                                 "2" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_str(cov_camel_case(arena, cov_str_from(rows[i][0])), rows[i][1]);
}

static void schema__refuses_two_columns_of_one_name(void **state)
{
    cov_schema *schema = NULL;
    cov_error err;
    const char *sql = "CREATE TABLE t (created_at TEXT, createdAt2 TEXT, createdAt TEXT)";

    (void)state;
    assert_int_equal(read_schema(sql, COV_NAMING_CAMEL, &schema, &err), COV_EINVAL);
    assert_str(cov_error_detail(&err),
               "table \"t\": the columns \"created_at\" and \"createdAt\" would both be called "
               "\"createdAt\"; rename one of them, or set \"naming\" to \"asIs\"");
    assert_int_equal(read_schema(sql, COV_NAMING_AS_IS, &schema, &err), COV_OK);
    assert_str(schema->tables[0].columns[0].name, "created_at");
}

static void schema__renames_a_column(void **state)
{
    cov_schema *schema = NULL;
    cov_error err;
    cov_table *table;

    (void)state;
    assert_int_equal(read_schema("CREATE TABLE t (a_b TEXT, c TEXT)", COV_NAMING_CAMEL, &schema,
                                 &err),
                     COV_OK);
    table = &schema->tables[0];
    assert_false(cov_column_rename(arena, table, &table->columns[0], COV_STR("c")));
    assert_true(cov_column_rename(arena, table, &table->columns[0], COV_STR("aB")));
    assert_true(cov_column_rename(arena, table, &table->columns[0], COV_STR("x\"y")));
    assert_null(cov_table_column(table, COV_STR("aB")));
    assert_ptr_equal(cov_table_column(table, COV_STR("x\"y")), &table->columns[0]);
    assert_ptr_equal(cov_table_db_column(table, COV_STR("a_b")), &table->columns[0]);
    assert_str(table->columns[0].json_key, "\"x\\\"y\":");
}

/* ---- the catalogue ---- */

static void schema__reads_columns(void **state)
{
    const cov_table *t =
        table_of("CREATE TABLE \"to\"\"dos\" ("
                 " id INTEGER PRIMARY KEY, \"the title\" VARCHAR(20) NOT NULL DEFAULT 'it''s',"
                 " created_at TIMESTAMP DEFAULT (unixepoch()), done BOOLEAN,"
                 " up GENERATED ALWAYS AS (upper(\"the title\")) STORED,"
                 " low TEXT AS (lower(\"the title\")))",
                 "to\"dos");
    const cov_column *c;

    (void)state;
    assert_str(t->quoted, "\"to\"\"dos\"");
    assert_int_equal(t->n_columns, 6);
    assert_int_equal(t->primary_key, 0);
    assert_false(t->is_view);

    c = column_of(t, "id");
    assert_true(c->primary_key && c->not_null && c->has_default);
    assert_null(c->default_sql.ptr);
    assert_int_equal(c->type, COV_TYPE_INTEGER);

    c = column_of(t, "the title");
    assert_int_equal(c->index, 1);
    assert_true(c->not_null && c->has_default);
    assert_str(c->default_sql, "'it''s'");
    assert_str(c->declared, "VARCHAR(20)");
    assert_str(c->quoted, "\"the title\"");
    assert_str(c->json_key, "\"the title\":");
    assert_int_equal(c->max_length, 20);

    c = column_of(t, "createdAt");
    assert_str(c->db_name, "created_at");
    assert_str(c->default_sql, "unixepoch()");
    assert_int_equal(c->class_, COV_CLASS_TIME);
    assert_false(c->not_null);

    c = column_of(t, "done");
    assert_false(c->has_default);
    assert_true(column_of(t, "up")->generated);
    assert_true(column_of(t, "low")->generated);
    assert_null(cov_table_column(t, COV_STR("created_at")));
}

static void schema__knows_which_keys_number_themselves(void **state)
{
    static const struct {
        const char *sql;
        int primary_key;
        bool has_default;
    } rows[] = {
        { "CREATE TABLE t (id INTEGER PRIMARY KEY)", 0, true },
        { "CREATE TABLE t (id integer PRIMARY KEY AUTOINCREMENT)", 0, true },
        { "CREATE TABLE t (id INTEGER, PRIMARY KEY (id))", 0, true },
        { "CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT", 0, true },
        { "CREATE TABLE t (id INT PRIMARY KEY)", 0, false },
        { "CREATE TABLE t (id INTEGER PRIMARY KEY DESC)", 0, false },
        { "CREATE TABLE t (id INTEGER PRIMARY KEY) WITHOUT ROWID", 0, false },
        { "CREATE TABLE t (id TEXT PRIMARY KEY)", 0, false },
        { "CREATE TABLE t (id INTEGER, b INTEGER, PRIMARY KEY (id, b))", -1, false },
        { "CREATE TABLE t (id INTEGER)", -1, false },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        const cov_table *t = table_of(rows[i].sql, "t");

        if (t->primary_key != rows[i].primary_key ||
            t->columns[0].has_default != rows[i].has_default)
            fail_msg("%s: primary key %d, default %d", rows[i].sql, t->primary_key,
                     t->columns[0].has_default);
        assert_false(t->columns[0].generated);
    }
}

static void schema__reads_unique_keys(void **state)
{
    const cov_table *t =
        table_of("CREATE TABLE t (b TEXT, a TEXT, c TEXT UNIQUE, d TEXT, PRIMARY KEY (a, b), "
                 "UNIQUE (c, d));"
                 "CREATE UNIQUE INDEX named ON t (d);"
                 "CREATE UNIQUE INDEX partial ON t (b) WHERE b IS NOT NULL;"
                 "CREATE UNIQUE INDEX expression ON t (lower(b));"
                 "CREATE INDEX plain ON t (b);",
                 "t");

    (void)state;
    assert_int_equal(t->n_unique_keys, 4);
    assert_columns(t, t->unique_keys[0].columns, t->unique_keys[0].n_columns, "a,b");
    assert_columns(t, t->unique_keys[1].columns, t->unique_keys[1].n_columns, "c");
    assert_columns(t, t->unique_keys[2].columns, t->unique_keys[2].n_columns, "c,d");
    assert_columns(t, t->unique_keys[3].columns, t->unique_keys[3].n_columns, "d");
    assert_str(t->unique_keys[3].name, "named");
    t = table_of("CREATE TABLE t (id INTEGER PRIMARY KEY)", "t");
    assert_int_equal(t->n_unique_keys, 1);
    assert_columns(t, t->unique_keys[0].columns, t->unique_keys[0].n_columns, "id");
}

static void schema__reads_foreign_keys(void **state)
{
    const cov_table *t = table_of(
        "CREATE TABLE child (a_id TEXT REFERENCES Parent, b INTEGER REFERENCES pair (y),"
        " p INTEGER, q INTEGER, gone INTEGER REFERENCES nowhere, far INTEGER REFERENCES nowhere (z),"
        " FOREIGN KEY (q, p) REFERENCES pair);"
        "CREATE TABLE parent (key TEXT PRIMARY KEY);"
        "CREATE TABLE pair (x INTEGER, Y INTEGER UNIQUE, PRIMARY KEY (Y, x));",
        "child");

    (void)state;
    assert_int_equal(t->n_foreign_keys, 4);
    assert_columns(t, t->foreign_keys[0].columns, t->foreign_keys[0].n_columns, "aId");
    assert_str(t->foreign_keys[0].table, "parent");
    assert_str(t->foreign_keys[0].targets[0], "key");
    assert_str(t->foreign_keys[1].targets[0], "Y");
    assert_str(t->foreign_keys[2].table, "nowhere"); /* kept as written */
    assert_str(t->foreign_keys[2].targets[0], "z");
    assert_columns(t, t->foreign_keys[3].columns, t->foreign_keys[3].n_columns, "q,p");
    assert_str(t->foreign_keys[3].targets[0], "Y");
    assert_str(t->foreign_keys[3].targets[1], "x");
}

static void schema__reads_views_and_skips_shadows(void **state)
{
    const cov_schema *s =
        schema_of("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, body_text TEXT);"
                  "CREATE VIEW v AS SELECT id, body_text, 1 AS one FROM t;"
                  "CREATE VIRTUAL TABLE f USING fts5(body_text);");
    const cov_table *t;

    (void)state;
    assert_int_equal(s->n_tables, 3);
    assert_str(s->tables[0].name, "t");
    t = cov_schema_table(s, COV_STR("v"));
    assert_true(t->is_view);
    assert_int_equal(t->primary_key, -1);
    assert_int_equal(t->n_columns, 3);
    assert_int_equal(column_of(t, "id")->type, COV_TYPE_INTEGER);
    t = cov_schema_table(s, COV_STR("f"));
    assert_false(t->is_view);
    assert_int_equal(t->n_columns, 1); /* neither "f" nor "rank", which are hidden */
    assert_str(t->columns[0].name, "bodyText");
    assert_null(cov_schema_table(s, COV_STR("f_data")));
    assert_null(cov_schema_table(s, COV_STR("sqlite_sequence")));
}

static void schema__reads_an_empty_database(void **state)
{
    (void)state;
    assert_int_equal(schema_of("")->n_tables, 0);
}

/* ---- DDL ---- */

static void ddl__splits_tokens(void **state)
{
    static const struct {
        const char *sql;
        const char *tokens; /* each with its kind's first letter, separated by a bar */
    } rows[] = {
        { "", "" },
        { "  -- c\n /* d */ ", "" },
        { "a1 _b$", "wa1|w_b$|" },
        { "\"a\"\"b\" [c d] `e``f` 'g''h'", "q\"a\"\"b\"|q[c d]|q`e``f`|s'g''h'|" },
        { "x(-1.5)", "wx|p(|p-|w1|p.|w5|p)|" },
        { "a--b\n/c/*", "wa|p/|wc|" },
        { "'open", "s'open|" },
        { "'open''", "s'open''|" },
        { "[open", "q[open|" },
        { "\xC3\xA9t\xC3\xA9", "w\xC3\xA9t\xC3\xA9|" },
    };
    static const char kinds[] = {
        [COV_DDL_WORD] = 'w', [COV_DDL_QUOTED] = 'q', [COV_DDL_STRING] = 's', [COV_DDL_PUNCT] = 'p'
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_str sql = cov_str_from(rows[i].sql);
        cov_buf out = COV_BUF_IN(arena);
        size_t at = 0;
        cov_ddl_token token;

        while ((token = cov_ddl_next(sql, &at)).kind != COV_DDL_END) {
            assert_ptr_equal(token.text.ptr, sql.ptr + token.offset);
            cov_buf_printf(&out, "%c%.*s|", kinds[token.kind], COV_STR_ARG(token.text));
        }
        assert_str(out.len != 0 ? cov_buf_view(&out) : COV_STR(""), rows[i].tokens);
    }
}

static void ddl__unquotes(void **state)
{
    static const char *const rows[][2] = {
        { "abc", "abc" },    { "\"a\"\"b\"", "a\"b" }, { "[a]", "a" },
        { "`a``b`", "a`b" }, { "'it''s'", "it's" },    { "''", "" },
        { "'", "'" },        { "'open", "open" },      { "\"\"", "" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_str(cov_ddl_unquote(arena, cov_str_from(rows[i][0])), rows[i][1]);
}

static void ddl__reads_checks(void **state)
{
    const cov_table *t =
        table_of("CREATE TABLE t (id INTEGER PRIMARY KEY, -- CHECK (no)\n"
                 " a TEXT CHECK (length(a) > 0) CONSTRAINT a_short CHECK (length(a) < 10),"
                 " \"check\" TEXT DEFAULT 'CHECK (x)', length INTEGER,"
                 " CONSTRAINT pair UNIQUE (a, length),"
                 " CONSTRAINT \"Sum Of\" CHECK ( /* c */ length(a) + [LENGTH] < 5 AND ')' <> '(' ),"
                 " CHECK (1 = 1))",
                 "t");

    (void)state;
    assert_int_equal(t->n_checks, 4);
    assert_str(t->checks[0].sql, "length(a) > 0");
    assert_int_equal(t->checks[0].name.len, 0);
    assert_int_equal(t->checks[0].column, 1);
    assert_str(t->checks[1].name, "a_short");
    assert_str(t->checks[1].sql, "length(a) < 10");
    assert_str(t->checks[2].name, "Sum Of");
    assert_str(t->checks[2].sql, "/* c */ length(a) + [LENGTH] < 5 AND ')' <> '('");
    assert_int_equal(t->checks[2].column, 1);
    assert_str(t->checks[3].sql, "1 = 1");
    assert_int_equal(t->checks[3].column, -1);
}

static void ddl__reads_enums(void **state)
{
    static const struct {
        const char *check;
        const char *values; /* NULL: not an enum */
    } rows[] = {
        { "s IN ('draft', 'it''s done')", "draft|it's done" },
        { "\"S\" in ('one')", "one" },
        { "[s] IN ('a', 'b') ", "a|b" },
        { "s IN ('a', 1)", NULL },
        { "s IN ('a') OR s = ''", NULL },
        { "s NOT IN ('a')", NULL },
        { "s IN (SELECT 1)", NULL },
        { "n IN ('1', '2')", NULL }, /* not a text column */
        { "lower(s) IN ('a')", NULL },
        { "s IN ()", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_str sql =
            cov_arena_printf(arena, "CREATE TABLE t (s TEXT CHECK (%s), n INTEGER)", rows[i].check);
        const cov_column *c;
        cov_buf values = COV_BUF_IN(arena);

        /* SQLite refuses subqueries in CHECKs, so the text goes to the tokenizer directly. */
        cov_table table = *table_of("CREATE TABLE t (s TEXT, n INTEGER)", "t");
        cov_error err;

        cov_error_init(&err, arena);
        assert_int_equal(cov_ddl_read_checks(arena, sql, &table, &err), COV_OK);
        assert_int_equal(table.n_checks, 1);
        c = column_of(&table, "s");
        for (size_t k = 0; k < c->n_enum_values; k++)
            cov_buf_printf(&values, "%s%.*s", k == 0 ? "" : "|", COV_STR_ARG(c->enum_values[k]));
        assert_str(cov_buf_view(&values), rows[i].values);
        assert_int_equal(column_of(&table, "n")->n_enum_values, 0);
    }
}

static void ddl__reads_broken_text(void **state)
{
    static const char *const rows[] = { "CREATE TABLE t (CHECK",
                                        "(CHECK (",
                                        "(CHECK ('",
                                        "(CONSTRAINT",
                                        "((((CHECK",
                                        "(CHECK x",
                                        "(s TEXT CHECK (s IN ('a'",
                                        "(CHECK (s IN ('a',",
                                        ")" };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_table table = *table_of("CREATE TABLE t (s TEXT)", "t");

        assert_int_equal(cov_ddl_read_checks(arena, cov_str_from(rows[i]), &table, NULL), COV_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(schema__maps_sqlite_types),
        TEST(schema__classes_follow_types),
        TEST(schema__camel_cases_names),
        TEST(schema__refuses_two_columns_of_one_name),
        TEST(schema__renames_a_column),
        TEST(schema__reads_columns),
        TEST(schema__knows_which_keys_number_themselves),
        TEST(schema__reads_unique_keys),
        TEST(schema__reads_foreign_keys),
        TEST(schema__reads_views_and_skips_shadows),
        TEST(schema__reads_an_empty_database),
        TEST(ddl__splits_tokens),
        TEST(ddl__unquotes),
        TEST(ddl__reads_checks),
        TEST(ddl__reads_enums),
        TEST(ddl__reads_broken_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
