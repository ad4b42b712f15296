/* SPDX-License-Identifier: MIT */
/* Placeholders, regular expressions, combination, and stored values of unexpected classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rsql_fixture.h"
#include "rsql_host.h"

static const rsql_column columns[] = {
    { "id", "id", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "owner", "owner", "TEXT", COV_TYPE_TEXT, NULL },
    { "age", "age", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "flag", "flag", "BOOLEAN", COV_TYPE_BOOLEAN, NULL },
    { "at", "at", "TIMESTAMP", COV_TYPE_TIMESTAMP, NULL },
    { "key", "key", "UUID", COV_TYPE_TEXT, NULL }, /* NUMERIC affinity: SQLite stores "5" as 5 */
};

static void insert(rsql_fixture *f, int64_t id, cov_value owner, cov_value age, cov_value flag,
                   cov_value at, cov_value key)
{
    const cov_value values[] = { cov_value_int(id), owner, age, flag, at, key };

    rsql_fixture_insert(f, values);
}

static int set_up(void **state)
{
    static rsql_fixture f;
    cov_value none = cov_value_null();

    rsql_fixture_open(&f, columns, COV_COUNT_OF(columns));
    insert(&f, 1, cov_value_text(COV_STR("O'Brien")), cov_value_int(1), cov_value_int(1),
           cov_value_real(0.5), cov_value_text(COV_STR("5")));
    insert(&f, 2, cov_value_text(COV_STR("2024-01-15")), cov_value_text(COV_STR("abc")),
           cov_value_int(7), cov_value_text(COV_STR("x")), cov_value_text(COV_STR("1e3")));
    insert(&f, 3, none, none, none, none, none);
    insert(&f, 4, cov_value_blob(COV_STR("O'Brien")), cov_value_real(1.0),
           cov_value_text(COV_STR("yes")), cov_value_int(1), cov_value_text(COV_STR("k-1")));
    insert(&f, 5, cov_value_text(COV_STR("a\0b")), cov_value_int(INT64_C(9007199254740993)),
           cov_value_real(1.0), cov_value_int(0), cov_value_blob(COV_STR("k-1")));
    rsql_fixture_load(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    rsql_fixture_close(*state);
    return 0;
}

static bool var(const void *self, cov_str path, cov_value *value)
{
    static const struct {
        const char *path;
        cov_value value;
    } known[] = {
        { "user.id", { COV_TEXT, { .s = COV_STR_INIT("O'Brien") } } },
        { "user.metadata.day", { COV_TEXT, { .s = COV_STR_INIT("2024-01-15") } } },
        { "user.metadata.level", { COV_INT, { .i = 1 } } },
        { "user.metadata.half", { COV_REAL, { .r = 0.5 } } },
        { "user.metadata.nothing", { COV_NULL, { 0 } } },
        { "user.metadata.evil", { COV_TEXT, { .s = COV_STR_INIT("x\",id!=\"") } } },
    };

    (void)self;
    for (size_t i = 0; i < COV_COUNT_OF(known); i++) {
        if (cov_str_eq(path, cov_str_from(known[i].path))) {
            *value = known[i].value;
            return true;
        }
    }
    return false;
}

static int defaults(void **state)
{
    rsql_fixture *f = *state;

    f->policy = (cov_rsql_policy){ .limits = COV_RSQL_DEFAULT_LIMITS };
    f->vars = (cov_rsql_vars){ .get = var };
    return 0;
}

static int trusted(void **state)
{
    defaults(state);
    ((rsql_fixture *)*state)->policy.trusted = true;
    return 0;
}

static void rsql__placeholders_are_values(void **state)
{
    rsql_fixture *f = *state;

    assert_string_equal(rsql_fixture_ids(f, "owner=={user.id}"), "1");
    assert_string_equal(rsql_fixture_ids(f, "owner==${user.id}"), "1");
    assert_string_equal(rsql_fixture_ids(f, "owner=={user.metadata.day}"), "2");
    assert_string_equal(rsql_fixture_ids(f, "owner=in=({user.id},{user.metadata.day})"), "1,2");
    assert_string_equal(rsql_fixture_ids(f, "age=={user.metadata.level}"), "1,4");
    assert_string_equal(rsql_fixture_ids(f, "at=={user.metadata.half}"), "1");
    assert_string_equal(rsql_fixture_ids(f, "owner=contains={user.id}"), "1");
    assert_string_equal(rsql_fixture_ids(f, "owner==\"{user.id}\""), "");
    assert_string_equal(rsql_fixture_ids(f, "owner=={user.metadata.evil}"), "");
    assert_string_equal(rsql_fixture_ids(f, "owner=={user id}"), "!Unknown value type");
    assert_string_equal(rsql_fixture_ids(f, "owner=={}"), "!Unknown value type");
}

static void rsql__an_unknown_placeholder_denies(void **state)
{
    static const char *const filters[] = {
        "owner=={user.nope}",
        "owner!={user.nope}",
        "owner=out=({user.nope})",
        "owner=out=(\"a\",{user.nope})",
        "owner=isnull={user.nope}",
        "owner=isempty={user.nope}",
        "owner!%={user.nope}",
        "age>{user.nope}",
        "age=nbetween=[1,{user.nope}]",
        "owner=length={user.nope}",
        "owner=nilike={user.nope}",
        "flag!={user.nope}",
        "owner=={user.metadata.nothing}",
        "owner!={user.metadata.nothing}",
        "owner=isnull={user.metadata.nothing}",
        "owner=out=({user.metadata.nothing})",
    };
    rsql_fixture *f = *state;

    for (size_t i = 0; i < COV_COUNT_OF(filters); i++)
        assert_string_equal(rsql_fixture_ids(f, filters[i]), "");
    assert_string_equal(rsql_fixture_ids(f, "owner=={user.nope},id==2"), "2");
    assert_string_equal(rsql_fixture_ids(f, "owner=in=({user.nope},{user.id})"), "1");
    f->vars.get = NULL;
    assert_string_equal(rsql_fixture_ids(f, "owner!={user.id}"), "");
}

static void rsql__unexpected_storage_orders_as_in_sqlite(void **state)
{
    rsql_fixture *f = *state;

    assert_string_equal(rsql_fixture_ids(f, "age>0"), "1,2,4,5"); /* text sorts after numbers */
    assert_string_equal(rsql_fixture_ids(f, "age<2"), "1,4");
    assert_string_equal(rsql_fixture_ids(f, "age==9007199254740992.0"), "");
    assert_string_equal(rsql_fixture_ids(f, "age==9007199254740993"), "5");
    assert_string_equal(rsql_fixture_ids(f, "age=contains=\"b\""), "2");
    assert_string_equal(rsql_fixture_ids(f, "flag==true"), "1,5");
    assert_string_equal(rsql_fixture_ids(f, "flag==false"), "2,4");
    assert_string_equal(rsql_fixture_ids(f, "at>=\"1970-01-01T00:00:00.5Z\""), "1,2,4");
    assert_string_equal(rsql_fixture_ids(f, "owner>\"z\""), "4");              /* a blob */
    assert_string_equal(rsql_fixture_ids(f, "owner=contains=\"Brien\""), "1"); /* has no text */
    assert_string_equal(rsql_fixture_ids(f, "owner!%=\"%z%z\""), "1,2,5");
    assert_string_equal(rsql_fixture_ids(f, "owner=length=7"), "1");
    assert_string_equal(rsql_fixture_ids(f, "owner=length=3"), "5"); /* with its NUL byte */
    assert_string_equal(rsql_fixture_ids(f, "owner=endswith=\"b\""), "5");
    assert_string_equal(rsql_fixture_ids(f, "owner%=\"a_b\""), "5");
}

static void rsql__text_columns_without_text_affinity(void **state)
{
    rsql_fixture *f = *state;

    assert_string_equal(rsql_fixture_ids(f, "key==\"5\""), "1");
    assert_string_equal(rsql_fixture_ids(f, "key==\"5.0\""), "");
    assert_string_equal(rsql_fixture_ids(f, "key==\"1000\""), "2");
    assert_string_equal(rsql_fixture_ids(f, "key=startswith=\"k\""), "4");
    assert_string_equal(rsql_fixture_ids(f, "key=in=(\"5\",\"k-1\")"), "1,4");
    assert_string_equal(rsql_fixture_ids(f, "key>\"5\""), "4,5");
}

static void rsql__regular_expressions_keep_to_the_subset(void **state)
{
    static const char *const good[] = {
        "",
        "a",
        "^a.b$",
        "[a-z]",
        "[^a-z0-9_-]",
        "\\d+\\D*\\w?\\W\\s\\S",
        "\\bx\\b",
        "(a|b)+",
        "(?:a)?",
        "a{2}",
        "a{2,}",
        "a{2,5}",
        "\\.\\*\\[\\]\\(\\)\\{\\}\\\\",
        "[\\]\\-\\d]",
        "a|",
        "()",
        "\xC3\xA9+",
        "[\xC3\xA9-\xC3\xBC]",
        "[-a]",
        "[a-]",
    };
    static const char *const bad[] = {
        "(",       ")",      "a)",     "[",      "[]",          "[^]",      "*a",      "a**",
        "a*?",     "a+?",    "a??",    "a*+",    "a{2}?",       "a{2}+",    "a{",      "a{,2}",
        "a{3,2}",  "a{256}", "{",      "}",      "]",           "^*",       "\\b+",    "(*UTF)",
        "(?=a)",   "(?!a)",  "(?<=a)", "(?<!a)", "(?<n>a)",     "(?P<n>a)", "(?i)a",   "(?#x)",
        "(?>a)",   "(a)\\1", "\\k<n>", "\\x41",  "\\u0041",     "\\pL",     "\\A",     "\\z",
        "\\B",     "\\Q",    "\\",     "[\\b]",  "[[:alpha:]]", "[[.a.]]",  "[[=a=]]", "[a-\\d]",
        "[\\d-z]", "[z-a]",  "[a",     "(|*)",   "\\0",         "\\cA",     "|*",
    };
    rsql_fixture *f = *state;
    char filter[1200];

    for (size_t i = 0; i < COV_COUNT_OF(good) + COV_COUNT_OF(bad); i++) {
        bool is_good = i < COV_COUNT_OF(good);
        const char *pattern = is_good ? good[i] : bad[i - COV_COUNT_OF(good)];
        size_t len = (size_t)snprintf(filter, sizeof filter, "owner=regex=\"");
        const char *answer;

        for (const char *c = pattern; *c != '\0'; c++) {
            if (*c == '\\')
                filter[len++] = '\\';
            filter[len++] = *c;
        }
        snprintf(filter + len, sizeof filter - len, "\"");
        answer = rsql_fixture_ids(f, filter);
        if (is_good ? answer[0] == '!' : strcmp(answer, "!Invalid regular expression") != 0)
            fail_msg("%s: %s", filter, answer);
    }
    memset(filter, 'a', sizeof filter);
    memcpy(filter, "owner=regex=\"", 13);
    memcpy(filter + 13 + 512, "\"", 2);
    assert_string_equal(rsql_fixture_ids(f, filter), "");
    memcpy(filter + 13 + 512, "a\"", 3);
    assert_string_equal(rsql_fixture_ids(f, filter), "!Invalid regular expression");
}

static void rsql__regex_work_is_bounded(void **state)
{
    /* No row of the table can take exponential time either way. */
    assert_string_equal(rsql_fixture_ids(*state, "owner=regex=\"^(a+)+$\""), "");
    assert_string_equal(rsql_fixture_ids(*state, "age=regex=5"), "5"); /* 9007199254740993 */
}

static const cov_rsql_expr *bound(rsql_fixture *f, const char *filter)
{
    const cov_rsql_node *node = NULL;
    const cov_rsql_expr *expr = NULL;

    assert_int_equal(cov_rsql_parse(f->arena, cov_str_from(filter), &f->table, &f->policy, &node,
                                    &f->err),
                     COV_OK);
    assert_int_equal(cov_rsql_bind(f->arena, node, &f->table, &rsql_host, &f->vars, &expr, &f->err),
                     COV_OK);
    return expr;
}

static void assert_sql(rsql_fixture *f, const cov_rsql_expr *expr, uint32_t caps,
                       const char *expected)
{
    cov_str text = cov_arena_str(f->arena, rsql_fixture_sql(f, expr, caps).sql);

    assert_string_equal(text.ptr, expected);
}

static void rsql__and_of_scope_and_filter(void **state)
{
    rsql_fixture *f = *state;
    const cov_rsql_expr *scope = bound(f, "owner==\"u\"");
    const cov_rsql_expr *filter = bound(f, "age==1,age==2");
    bool ok = false;

    assert_null(cov_rsql_and(f->arena, NULL, NULL, &ok));
    assert_true(ok);
    assert_ptr_equal(cov_rsql_and(f->arena, scope, NULL, &ok), scope);
    assert_ptr_equal(cov_rsql_and(f->arena, NULL, filter, &ok), filter);
    assert_sql(f, cov_rsql_and(f->arena, scope, filter, &ok), COV_DB_CAP_FUNCTIONS,
               "\"owner\" COLLATE BINARY = ? AND (\"age\" = ? OR \"age\" = ?)");
    assert_sql(f, cov_rsql_and(f->arena, cov_rsql_none(), filter, &ok), COV_DB_CAP_FUNCTIONS,
               "1 = 0");
    assert_sql(f, NULL, COV_DB_CAP_FUNCTIONS, "1 = 1");
    assert_int_equal(cov_rsql_eval(cov_rsql_none(), f->rows, &rsql_host, f->arena), COV_FALSE);
    assert_int_equal(cov_rsql_eval(NULL, f->rows, &rsql_host, f->arena), COV_TRUE);
}

static void rsql__regex_needs_functions(void **state)
{
    rsql_fixture *f = *state;
    const cov_rsql_expr *expr = bound(f, "age==1,(age==2;owner=iregex=\"a\")");

    assert_int_equal(cov_rsql_check_db(expr, COV_DB_CAP_FUNCTIONS, &f->err), COV_OK);
    assert_int_equal(cov_rsql_check_db(NULL, 0, &f->err), COV_OK);
    assert_int_equal(cov_rsql_check_db(bound(f, "age==1"), 0, &f->err), COV_OK);
    assert_int_equal(cov_rsql_check_db(expr, 0, &f->err), COV_EFILTER);
    assert_string_equal(
        cov_error_detail(&f->err).ptr,
        "Invalid filter expression: Operator '=iregex=' is not supported by this database");
    assert_sql(f, expr, 0, "(\"age\" = ? OR \"age\" = ? AND 1 = 0)");
}

static void rsql__deep_alternation_is_refused_before_sqlite_would(void **state)
{
    rsql_fixture *f = *state;
    char filter[2048] = "";

    for (int i = 0; i < 21; i++)
        strcat(filter, i % 2 == 0 ? "age==1;(" : "age==1,(");
    strcat(filter, "age==1");
    for (int i = 0; i < 21; i++)
        strcat(filter, ")");
    assert_string_equal(rsql_fixture_ids(f, filter), "1,4");
    memmove(filter + 16, filter, strlen(filter) + 1);
    memcpy(filter, "age==1;(age==1,(", 16);
    strcat(filter, "))");
    assert_string_equal(rsql_fixture_ids(f, filter), "!Filter is too deeply nested");
}

static void rsql__long_chains_stay_shallow(void **state)
{
    static char filter[40000];
    rsql_fixture *f = *state;

    for (int i = 0; i < 4000; i++)
        strcat(filter, i == 0 ? "age==1" : ";age!=2");
    assert_string_equal(rsql_fixture_ids(f, filter), "1,4");
}

int main(void)
{
#define UNTRUSTED(name) cmocka_unit_test_setup(name, defaults)
#define TRUSTED(name) cmocka_unit_test_setup(name, trusted)
    const struct CMUnitTest tests[] = {
        TRUSTED(rsql__placeholders_are_values),
        TRUSTED(rsql__an_unknown_placeholder_denies),
        UNTRUSTED(rsql__unexpected_storage_orders_as_in_sqlite),
        UNTRUSTED(rsql__text_columns_without_text_affinity),
        UNTRUSTED(rsql__regular_expressions_keep_to_the_subset),
        UNTRUSTED(rsql__regex_work_is_bounded),
        UNTRUSTED(rsql__and_of_scope_and_filter),
        UNTRUSTED(rsql__regex_needs_functions),
        TRUSTED(rsql__deep_alternation_is_refused_before_sqlite_would),
        TRUSTED(rsql__long_chains_stay_shallow),
    };

    return cmocka_run_group_tests_name("rsql_bind", tests, set_up, tear_down);
}
