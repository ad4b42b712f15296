/* SPDX-License-Identifier: MIT */
/* The REQ column of spec/02 section 13 and what else sections 6 and 7 fix, in SQLite and in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/time.h"
#include "rsql_fixture.h"
#include "rsql_host.h"

typedef struct filter_case {
    const char *filter;
    const char *ids; /* "!message" when refused */
} filter_case;

static const rsql_column columns[] = {
    { "id", "id", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "name", "name", "TEXT", COV_TYPE_TEXT, NULL },
    { "age", "age", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "active", "active", "BOOLEAN", COV_TYPE_BOOLEAN, NULL },
    { "ts", "ts", "TIMESTAMP", COV_TYPE_TIMESTAMP, NULL },
    { "iso", "iso", "VARCHAR(40)", COV_TYPE_TEXT, NULL },
    { "tsMs", "ts_ms", "TIMESTAMP_MS", COV_TYPE_TIMESTAMP_MS, NULL },
    { "at", "at", "DATETIME", COV_TYPE_DATETIME, NULL },
    { "score", "score", "REAL", COV_TYPE_REAL, NULL },
    { "meta", "meta", "JSON", COV_TYPE_JSON, NULL },
    { "data", "data", "BLOB", COV_TYPE_BLOB, NULL },
    { "word", "word", "TEXT", COV_TYPE_TEXT, "COLLATE NOCASE" },
};

typedef struct sample {
    const char *name;
    int age;
    int active;
    const char *time; /* NULL: the row is all NULL */
    const char *iso;
    double score;
    const char *meta;
    const char *word;
} sample;

static const sample samples[] = {
    { "Alice", 30, 1, "2024-01-15T10:30:00Z", "2024-01-15T10:30:00.000Z", 1.5, "{\"a\":1}",
      "True" },
    { "bob", 5, 0, "2024-06-15", "2024-06-15", -0.0, "5", "false" },
    { NULL, 0, 0, NULL, NULL, 0, NULL, NULL },
    { "50% off_x\\y", 0, 1, "1970-01-01", "not a date", 1e21, "\"x\"", "1" },
    { "", 100, 0, "2030-01-01", "", 0.1, "true", "0" },
    { "\xC3\x89\nZ\xF0\x9F\x98\x80", 7, 1, "2020-01-01", "12abc", 1e-7, "[1,2]", "5" },
};

static void insert_sample(rsql_fixture *f, int64_t id, const sample *s)
{
    cov_value v[COV_COUNT_OF(columns)];
    char text[COV_TIME_TEXT_BYTES];
    int64_t ms = 0;

    for (size_t i = 0; i < COV_COUNT_OF(v); i++)
        v[i] = cov_value_null();
    v[0] = cov_value_int(id);
    if (s->time != NULL) {
        assert_true(cov_time_parse_literal(cov_str_from(s->time), &ms));
        v[1] = cov_value_text(cov_str_from(s->name));
        v[2] = cov_value_int(s->age);
        v[3] = cov_value_int(s->active);
        v[4] = cov_value_int(ms / 1000);
        v[5] = cov_value_text(cov_str_from(s->iso));
        v[6] = cov_value_int(ms + id);
        v[7] = cov_value_text(cov_str_of(text, cov_time_format(ms, text)));
        v[8] = cov_value_real(s->score);
        v[9] = cov_value_text(cov_str_from(s->meta));
        v[10] = cov_value_blob(COV_STR("ab"));
        v[11] = cov_value_text(cov_str_from(s->word));
    }
    rsql_fixture_insert(f, v);
}

static int set_up(void **state)
{
    static rsql_fixture f;

    rsql_fixture_open(&f, columns, COV_COUNT_OF(columns));
    for (size_t i = 0; i < COV_COUNT_OF(samples); i++)
        insert_sample(&f, (int64_t)i + 1, &samples[i]);
    rsql_fixture_load(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    rsql_fixture_close(*state);
    return 0;
}

static void check(rsql_fixture *f, const filter_case *cases, size_t n_cases)
{
    size_t failed = 0;

    for (size_t i = 0; i < n_cases; i++) {
        const char *ids = rsql_fixture_ids(f, cases[i].filter);

        if (strcmp(ids, cases[i].ids) != 0) {
            print_error("%s: expected [%s], got [%s]\n", cases[i].filter, cases[i].ids, ids);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}

#define CHECK(state, ...)                                   \
    do {                                                    \
        static const filter_case cases[] = { __VA_ARGS__ }; \
        check(*(state), cases, COV_COUNT_OF(cases));        \
    } while (0)

static void rsql__measured_deviations_follow_the_requirement(void **state)
{
    CHECK(state, { "name!=\"Alice\"", "2,4,5,6" }, { "name==\"null\"", "" }, { "age==\"05\"", "2" },
          { "age==5.5", "" }, { "age>5", "1,5,6" }, { "age=out=(5,30)", "4,5,6" },
          { "age=out=(5,null)", "" }, { "age=in=(5,null)", "2" }, { "age=in=()", "" },
          { "age=out=()", "1,2,3,4,5,6" }, { "age=nbetween=[5,30]", "4,5" }, { "age==false", "4" },
          { "active==true", "1,4,6" }, { "active!=true", "2,5" }, { "active==1", "1,4,6" },
          { "active==\"true\"", "1,4,6" }, { "name%=\"a%\"", "" }, { "name!%=\"a%\"", "1,2,4,5,6" },
          { "name%=\"50\\\\%%\"", "4" }, { "name=contains=\"%\"", "4" },
          { "name=contains=\"LICE\"", "" }, { "name=contains=\"\\\\\"", "4" },
          { "name=startswith=\"al\"", "" }, { "name=contains=\"ul\"", "" },
          { "name=nilike=\"ali%\"", "2,4,5,6" }, { "name%=\"%Z%\"", "6" },
          { "name=regex=\"^A\"", "1" }, { "name=length=5", "1" }, { "name=length=4", "6" },
          { "age=length=2", "1" }, { "age=isempty=true", "3" }, { "name>\"a\"", "2,6" },
          { "iso>\"2024-01-01\"", "1,2,4" }, { "iso==\"2024-06-15\"", "2" },
          { "iso==\"2024-01-15T12:30:00+02:00\"", "1" }, { "iso>\"9\"", "4" },
          { "ts>\"2024-01-01\"", "1,2,5" }, { "ts<\"2024-01-01\"", "4,6" },
          { "ts==\"2024-01-15T10:30:00Z\"", "1" }, { "ts>1704067200", "1,2,5" },
          { "ts>1704067200000", "1,2,5" }, { "ts=between=[\"2024-01-01\",\"2024-12-31\"]", "1,2" },
          { "ts=contains=\"2024\"", "!Operator '=contains=' is not supported for column 'ts'" },
          { "name==(\"Alice\",\"bob\")", "!Operator '==' does not accept a list" },
          { "age==\"abc\"", "" }, { "age!=\"abc\"", "1,2,4,5,6" }, { "age<\"abc\"", "" },
          { "age=contains=\"0\"", "1,4,5" }, { "word==5", "6" });
}

static void rsql__acceptance_cases(void **state)
{
    CHECK(state, { "", "1,2,3,4,5,6" }, { " ", "1,2,3,4,5,6" }, { "name==\"Alice\";age>18", "1" },
          { "age==5,age==30", "1,2" }, { "name==\"x\";age==5,active==true", "1,4,6" },
          { "(age==5,age==30);active==true", "1" }, { "age==5 and name==\"bob\" or age==7", "2,6" },
          { "age==1;", "" }, { "age==5;", "2" }, { "age=in=(1,5,)", "2" },
          { "age=between=[5,30]", "1,2,6" }, { "age=between=(5,30)", "1,2,6" },
          { "age=between=(1,2,3)", "!=between= requires exactly two values" },
          { "age=nbetween=5", "!=nbetween= requires exactly two values" },
          { "nope==1", "!Unknown column: nope" }, { "ts_ms==1", "!Unknown column: ts_ms" },
          { "owner.name==\"x\"", "!Relation paths are not allowed in filter queries" },
          { "name==null", "3" }, { "name=isnull=true", "3" }, { "name!=null", "1,2,4,5,6" },
          { "name=isempty=true", "3,5" }, { "name=isempty=false", "1,2,4,6" },
          { "name=isnull=1", "1,2,4,5,6" }, { "name=isnull=\"TRUE\"", "3" },
          { "name=isnull=null", "1,2,4,5,6" }, { "score==1e+21", "4" }, { "score==1e-7", "6" },
          { "name=regex=\"(\"", "!Invalid regular expression" },
          { "__covara_deny_all_sentinel__", "" },
          { "constructor==\"x\"", "!Unknown column: constructor" });
}

static void rsql__null_literals_match_nothing_elsewhere(void **state)
{
    CHECK(state, { "age>null", "" }, { "age=between=[null,5]", "" },
          { "age=nbetween=[null,5]", "" }, { "name%=null", "" }, { "name!%=null", "" },
          { "name=ine=null", "" }, { "name=length=null", "" }, { "age=in=(null)", "" },
          { "age=in=null", "" }, { "age=out=null", "" }, { "data==null", "3" },
          { "data!=null", "1,2,4,5,6" });
}

static void rsql__text_columns(void **state)
{
    CHECK(state, { "word==true", "1,4" }, { "word!=true", "2,5,6" }, { "word==false", "2,5" },
          { "word=in=(true,\"5\")", "1,4,6" }, { "word=out=(true,\"5\")", "2,5" },
          { "word=in=(true,false)", "1,2,4,5" }, { "word>true", "" }, { "word==\"TRUE\"", "" },
          { "word==\"True\"", "1" }, { "word=startswith=\"tr\"", "" },
          { "word=startswith=\"Tr\"", "1" }, { "word=istartswith=\"TR\"", "1" },
          { "word=ieq=\"TRUE\"", "1" }, { "word=ine=\"TRUE\"", "2,4,5,6" },
          { "iso=in=(\"2024-06-15\",\"12abc\")", "2,6" }, { "iso!=\"2024-06-15\"", "1,4,5,6" },
          { "name=ieq=\"\xC3\xA9\nz\xF0\x9F\x98\x80\"", "6" },
          { "name=icontains=\"\xC3\xA9\"", "6" }, { "name=ilike=\"_\nz_\"", "6" },
          { "name%=\"____\"", "6" }, { "name%=\"%\"", "1,2,4,5,6" }, { "name!%=\"%\"", "" },
          { "name%=\"\"", "5" }, { "name%=\"b\\ob\"", "2" }, { "name%=\"b_b\"", "2" },
          { "name=endswith=\"\"", "1,2,4,5,6" }, { "name=endswith=\"\\\\y\"", "4" },
          { "name=iendswith=\"CE\"", "1" }, { "name=startswith=\"50%\"", "4" },
          { "name%=\"50\\%%\\_x%y\"", "4" }, { "name=iregex=\"^AL\"", "1" },
          { "name=regex=\"^.Z\"", "" }, { "name=regex=\"^[^a]\\sZ\"", "6" },
          { "name=minlength=4", "1,4,6" }, { "name=maxlength=\"4\"", "2,5,6" },
          { "name=length=4.5", "" }, { "name=minlength=4.5", "1,4" },
          { "name=length=\"x\"", "!Invalid length value" },
          { "name=length=true", "!Invalid length value" },
          { "name%=(\"a\")", "!Operator '%=' does not accept a list" },
          { "name=isnull=(true)", "!Operator '=isnull=' does not accept a list" });
}

static void rsql__number_columns(void **state)
{
    CHECK(state, { "age==\" 5 \"", "2" }, { "age==+5", "2" }, { "age==5.0", "2" },
          { "age==50e-1", "2" }, { "age==true", "" }, { "age=in=((5,7),30.0)", "1,2,6" },
          { "age=in=[5,7]", "2,6" }, { "age=in=(\"abc\",5)", "2" },
          { "age=out=(\"abc\",5)", "1,4,5,6" }, { "age=out=(\"abc\")", "1,2,4,5,6" },
          { "age=between=[\"abc\",5]", "" }, { "age=nbetween=[\"abc\",5]", "" },
          { "age<9223372036854775807", "1,2,4,5,6" }, { "age<1e999", "1,2,4,5,6" },
          { "age>-1e999", "1,2,4,5,6" }, { "score==0", "2" }, { "score==-0.0", "2" },
          { "score==\"1e21\"", "4" }, { "score=contains=\"e+\"", "4" },
          { "score=contains=\"e-\"", "6" }, { "score=ieq=\"1E+21\"", "4" }, { "score%=\"0\"", "2" },
          { "score=length=3", "1,5" }, { "age%=5", "2" }, { "age=startswith=1", "5" },
          { "age=regex=\"^[0-9]$\"", "2,4,6" });
}

static void rsql__boolean_columns(void **state)
{
    CHECK(state, { "active==false", "2,5" }, { "active!=false", "1,4,6" },
          { "active==\"1\"", "1,4,6" }, { "active==\"FALSE\"", "2,5" }, { "active==2", "" },
          { "active!=2", "1,2,4,5,6" }, { "active==\"x\"", "" }, { "active>false", "1,4,6" },
          { "active>=false", "1,2,4,5,6" }, { "active<true", "2,5" }, { "active>true", "" },
          { "active<=\"0\"", "2,5" }, { "active=in=(true,false)", "1,2,4,5,6" },
          { "active=out=(true)", "2,5" }, { "active=out=(true,null)", "" },
          { "active=between=[false,true]", "1,2,4,5,6" }, { "active=nbetween=[true,true]", "2,5" },
          { "active=between=[1,0]", "" },
          { "active%=\"1\"", "!Operator '%=' is not supported for column 'active'" },
          { "active=length=1", "!Operator '=length=' is not supported for column 'active'" },
          { "active=isempty=true", "3" });
}

static void rsql__time_columns(void **state)
{
    CHECK(state, { "ts==1705314600", "1" }, { "ts==1705314600000", "1" },
          { "ts==1705314600001", "" }, { "ts>\"2024-01-15T10:29:59.999Z\"", "1,2,5" },
          { "ts>=\"2024-01-15T10:30:00.001Z\"", "2,5" },
          { "ts<\"2024-01-15T10:30:00.001Z\"", "1,4,6" },
          { "ts==\"2024-01-15T10:30:00.500Z\"", "" },
          { "ts!=\"2024-01-15T10:30:00.500Z\"", "1,2,4,5,6" }, { "ts==\"nonsense\"", "" },
          { "ts!=\"nonsense\"", "1,2,4,5,6" }, { "ts==true", "" }, { "ts==1705314600.0", "1" },
          { "ts=in=(\"2024-01-15T10:30:00Z\",0)", "1,4" }, { "ts==99999999999", "" },
          { "tsMs==\"2024-01-15T10:30:00.001Z\"", "1" },
          { "tsMs>\"2024-01-15T10:30:00Z\"", "1,2,5" }, { "tsMs==4", "4" }, { "tsMs<4.5", "4" },
          { "tsMs==\"2024-02-30\"", "" }, { "at==\"2024-06-15\"", "2" },
          { "at>\"2024-01-15T12:29:59+02:00\"", "1,2,5" }, { "at==0", "4" }, { "at<0.5", "4" },
          { "at>0.5", "1,2,5,6" }, { "at>=-0.5", "1,2,4,5,6" }, { "at==0.5", "" },
          { "at<1e300", "1,2,4,5,6" }, { "at>-1e300", "1,2,4,5,6" }, { "at==\"x\"", "" },
          { "at=between=[\"2024-01-01\",\"2024-12-31\"]", "1,2" });
}

static void rsql__json_and_blob_columns(void **state)
{
    CHECK(state, { "meta==\"{\\\"a\\\":1}\"", "1" }, { "meta==5", "2" }, { "meta==\"5\"", "2" },
          { "meta==true", "5" }, { "meta!=true", "1,2,4,6" }, { "meta=in=(5,\"[1,2]\")", "2,6" },
          { "meta=contains=\"a\"", "1" }, { "meta=length=5", "6" },
          { "meta>5", "!Operator '>' is not supported for column 'meta'" },
          { "meta=between=[1,2]", "!Operator '=between=' is not supported for column 'meta'" },
          { "data==\"ab\"", "!Operator '==' is not supported for column 'data'" },
          { "data>\"ab\"", "!Operator '>' is not supported for column 'data'" },
          { "data=in=()", "!Operator '=in=' is not supported for column 'data'" },
          { "data=contains=\"a\"", "!Operator '=contains=' is not supported for column 'data'" },
          { "data=isnull=true", "3" }, { "data=isempty=true", "3" });
}

static void rsql__long_lists_keep_their_meaning(void **state)
{
    char filter[2048] = "name=in=(\"Alice\",\"50% off_x\\\\y\"";
    char numbers[2048] = "age=out=(30,\"7\"";

    for (int i = 0; i < 60; i++) {
        snprintf(filter + strlen(filter), sizeof filter - strlen(filter), ",\"x%d\"", i);
        snprintf(numbers + strlen(numbers), sizeof numbers - strlen(numbers), ",%d", 1000 + i);
    }
    strcat(filter, ")");
    strcat(numbers, ")");
    assert_string_equal(rsql_fixture_ids(*state, filter), "1,4");
    assert_string_equal(rsql_fixture_ids(*state, numbers), "2,4,5");
}

static void rsql__evaluation_is_three_valued(void **state)
{
    static const struct {
        const char *filter;
        cov_tri on_nulls;
    } cases[] = {
        { "age==5", COV_UNKNOWN },
        { "age!=5", COV_UNKNOWN },
        { "age=out=()", COV_TRUE },
        { "age=isnull=true", COV_TRUE },
        { "name%=\"%a%\"", COV_UNKNOWN },
        { "name!%=\"a%a\"", COV_UNKNOWN },
        { "age==5,id==3", COV_TRUE },
        { "age==5,id==4", COV_UNKNOWN },
        { "age==5;id==4", COV_FALSE },
        { "age==5;id==3", COV_UNKNOWN },
        { "age=nbetween=[1,2]", COV_UNKNOWN },
        { "name=length=1", COV_UNKNOWN },
        { "age=in=(1,2)", COV_UNKNOWN },
    };
    rsql_fixture *f = *state;

    for (size_t i = 0; i < COV_COUNT_OF(cases); i++) {
        const cov_rsql_expr *expr = NULL;

        assert_int_equal(rsql_fixture_bind(f, cov_str_from(cases[i].filter), &expr), COV_OK);
        assert_int_equal(cov_rsql_eval(expr, &f->rows[2 * f->table.n_columns], &rsql_host,
                                       f->arena),
                         cases[i].on_nulls);
    }
}

/* The plan of a filter's query must not begin with a scan. */
static void assert_uses_index(rsql_fixture *f, const char *filter)
{
    const cov_rsql_expr *expr = NULL;
    sqlite3_stmt *stmt = NULL;
    cov_stmt condition;
    cov_str text;
    cov_str plan;

    assert_int_equal(rsql_fixture_bind(f, cov_str_from(filter), &expr), COV_OK);
    condition = rsql_fixture_sql(f, expr, COV_DB_CAP_FUNCTIONS);
    text = cov_arena_printf(f->arena, "EXPLAIN QUERY PLAN SELECT id FROM t WHERE %.*s",
                            COV_STR_ARG(condition.sql));
    assert_int_equal(sqlite3_prepare_v2(f->connection, text.ptr, (int)text.len, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    plan = cov_str_from((const char *)sqlite3_column_text(stmt, 3));
    if (cov_str_contains(plan, COV_STR("SCAN")))
        fail_msg("%s: %.*s: %.*s", filter, COV_STR_ARG(text), COV_STR_ARG(plan));
    sqlite3_finalize(stmt);
}

static void rsql__indexes_serve(void **state)
{
    static const char *const filters[] = {
        "name==\"bob\"",
        "name>\"b\"",
        "name=in=(\"a\",\"b\")",
        "name=between=[\"a\",\"b\"]",
        "name=startswith=\"a\"",
        "name%=\"a%\"",
        "name%=\"a_c\"",
        "name%=\"abc\"",
        "iso==\"2024-06-15\"",
        "age==5",
        "age<=5",
        "age=in=(1,2)",
        "ts>\"2024-01-01T00:00:00.5Z\"",
        "at>=\"2024-01-01\"",
        "active==true",
        "name==null",
        "age==5,name==\"x\"",
        "id==1",
    };
    rsql_fixture *f = *state;

    rsql_fixture_exec(
        f, "CREATE INDEX i1 ON t(name); CREATE INDEX i2 ON t(age); CREATE INDEX i3 ON t(ts);"
           "CREATE INDEX i4 ON t(at); CREATE INDEX i5 ON t(active); CREATE INDEX i6 ON t(iso)");
    for (size_t i = 0; i < COV_COUNT_OF(filters); i++)
        assert_uses_index(f, filters[i]);
    rsql_fixture_exec(
        f,
        "DROP INDEX i1; DROP INDEX i2; DROP INDEX i3; DROP INDEX i4; DROP INDEX i5; DROP INDEX i6");
}

static void rsql__plain_sqlite_answers_alike_for_ascii(void **state)
{
    static const filter_case cases[] = {
        { "name%=\"%o%_x%\"", "4" },
        { "name=ilike=\"A%E\"", "1" },
        { "name%=\"[a]*?\"", "" },
        { "name=contains=\"%\"", "4" },
        { "name=icontains=\"LIC\"", "1" },
        { "name=startswith=\"bo\"", "2" },
        { "name=istartswith=\"BO\"", "2" },
        { "name=endswith=\"ce\"", "1" },
        { "name=iendswith=\"CE\"", "1" },
        { "name=ieq=\"ALICE\"", "1" },
        { "word==true", "1,4" },
        { "name=length=5", "1" },
        { "age=contains=\"0\"", "1,4,5" },
        { "meta==5", "2" },
        { "name!%=\"%i_e\"", "2,4,5,6" },
    };
    rsql_fixture *f = *state;

    for (size_t i = 0; i < COV_COUNT_OF(cases); i++) {
        const cov_rsql_expr *expr = NULL;
        const char *message = NULL;
        bool matches[COV_COUNT_OF(samples)];
        char ids[64] = "";
        cov_stmt condition;

        assert_int_equal(rsql_fixture_bind(f, cov_str_from(cases[i].filter), &expr), COV_OK);
        condition = rsql_fixture_sql(f, expr, 0);
        if (!rsql_fixture_query(f, &condition, matches, &message))
            fail_msg("%s: %.*s: %s", cases[i].filter, COV_STR_ARG(condition.sql), message);
        for (size_t row = 0; row < f->n_rows; row++)
            if (matches[row])
                snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%zu",
                         ids[0] != '\0' ? "," : "", row + 1);
        assert_string_equal(ids, cases[i].ids);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsql__measured_deviations_follow_the_requirement),
        cmocka_unit_test(rsql__acceptance_cases),
        cmocka_unit_test(rsql__null_literals_match_nothing_elsewhere),
        cmocka_unit_test(rsql__text_columns),
        cmocka_unit_test(rsql__number_columns),
        cmocka_unit_test(rsql__boolean_columns),
        cmocka_unit_test(rsql__time_columns),
        cmocka_unit_test(rsql__json_and_blob_columns),
        cmocka_unit_test(rsql__long_lists_keep_their_meaning),
        cmocka_unit_test(rsql__evaluation_is_three_valued),
        cmocka_unit_test(rsql__indexes_serve),
        cmocka_unit_test(rsql__plain_sqlite_answers_alike_for_ascii),
    };

    return cmocka_run_group_tests_name("rsql_semantics", tests, set_up, tear_down);
}
