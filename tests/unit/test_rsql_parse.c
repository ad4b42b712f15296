/* SPDX-License-Identifier: MIT */
/* The grammar, limits, allowlists and messages of spec/02 sections 2 to 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rsql_fixture.h"
#include "rsql_host.h"

static const rsql_column columns[] = {
    { "id", "id", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "name", "name", "TEXT", COV_TYPE_TEXT, NULL },
    { "age", "age", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "and", "and", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "true", "true", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "or_1", "or_1", "INTEGER", COV_TYPE_INTEGER, NULL },
};

static int set_up(void **state)
{
    static rsql_fixture f;

    rsql_fixture_open(&f, columns, COV_COUNT_OF(columns));
    rsql_fixture_load(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    rsql_fixture_close(*state);
    return 0;
}

static int defaults(void **state)
{
    rsql_fixture *f = *state;

    f->policy = (cov_rsql_policy){ .limits = COV_RSQL_DEFAULT_LIMITS };
    f->vars = (cov_rsql_vars){ 0 };
    return 0;
}

static cov_status parse(rsql_fixture *f, cov_str text, const cov_rsql_node **node)
{
    *node = NULL;
    cov_arena_reset(f->arena);
    cov_error_init(&f->err, f->arena);
    return cov_rsql_parse(f->arena, text, &f->table, &f->policy, node, &f->err);
}

static void accepts(rsql_fixture *f, const char *filter)
{
    const cov_rsql_node *node;

    if (parse(f, cov_str_from(filter), &node) != COV_OK)
        fail_msg("%s: %.*s", filter, COV_STR_ARG(cov_error_detail(&f->err)));
}

/* The SQL of the whole way, so that the structure of the tree can be seen. */
static void means(rsql_fixture *f, const char *filter, const char *sql)
{
    const cov_rsql_expr *expr = NULL;
    cov_stmt stmt;
    cov_str text;

    if (rsql_fixture_bind(f, cov_str_from(filter), &expr) != COV_OK)
        fail_msg("%s: %.*s", filter, COV_STR_ARG(cov_error_detail(&f->err)));
    stmt = rsql_fixture_sql(f, expr, COV_DB_CAP_FUNCTIONS);
    text = cov_arena_str(f->arena, stmt.sql);
    assert_string_equal(text.ptr, sql);
}

/* The one text parameter of a filter. */
static void binds_text(rsql_fixture *f, const char *filter, cov_str expected)
{
    const cov_rsql_expr *expr = NULL;
    cov_stmt stmt;

    if (rsql_fixture_bind(f, cov_str_from(filter), &expr) != COV_OK)
        fail_msg("%s: %.*s", filter, COV_STR_ARG(cov_error_detail(&f->err)));
    stmt = rsql_fixture_sql(f, expr, COV_DB_CAP_FUNCTIONS);
    assert_int_equal(stmt.n_params, 1);
    assert_int_equal(stmt.params[0].type, COV_TEXT);
    assert_int_equal(stmt.params[0].s.len, expected.len);
    assert_memory_equal(stmt.params[0].s.ptr, expected.ptr, expected.len);
}

static void binds_number(rsql_fixture *f, const char *number, cov_value expected)
{
    const cov_rsql_expr *expr = NULL;
    char filter[128];
    cov_stmt stmt;

    snprintf(filter, sizeof filter, "age==%s", number);
    assert_int_equal(rsql_fixture_bind(f, cov_str_from(filter), &expr), COV_OK);
    stmt = rsql_fixture_sql(f, expr, COV_DB_CAP_FUNCTIONS);
    assert_int_equal(stmt.n_params, 1);
    assert_int_equal(stmt.params[0].type, expected.type);
    if (expected.type == COV_INT)
        assert_int_equal(stmt.params[0].i, expected.i);
    else
        assert_true(stmt.params[0].r == expected.r);
}

/* Refused with COV_EFILTER, this message and these members. */
static void refuses_n(rsql_fixture *f, cov_str filter, const char *message, const char *members)
{
    const cov_rsql_node *node;
    cov_status st = parse(f, filter, &node);
    char detail[8192];
    cov_str shown;

    if (st == COV_OK)
        fail_msg("%.*s: accepted", COV_STR_ARG(filter));
    assert_int_equal(st, COV_EFILTER);
    assert_int_equal(f->err.status, COV_EFILTER);
    snprintf(detail, sizeof detail, "Invalid filter expression: %s", message);
    shown = cov_arena_str(f->arena, cov_error_detail(&f->err));
    assert_string_equal(shown.ptr, detail);
    shown = cov_arena_str(f->arena, f->err.members);
    assert_string_equal(shown.ptr, members);
}

static void refuses(rsql_fixture *f, const char *filter, const char *message, const char *members)
{
    refuses_n(f, cov_str_from(filter), message, members);
}

#define EXPECTED_OPERATOR "\"suggestion\":\"Expected an operator\""
#define EXPECTED_LITERAL "\"suggestion\":\"Expected a quoted string, number, true, false, or null\""
#define EXPECTED_VALUE "\"suggestion\":\"Expected a value (string, number, boolean, or null)\""
#define OPERATOR_FORMAT \
    "\"suggestion\":\"Operators must be in format =name= or symbolic (==, !=, etc.)\""
#define OPERATOR_START \
    "\"suggestion\":\"Operators must start with = or ! or be symbolic (>, <, etc.)\""

static void rsql__blank_text_is_no_filter(void **state)
{
    static const char *const blanks[] = {
        "", " ", "\t\n\v\f\r ", "\xC2\xA0\xE1\x9A\x80\xE2\x80\x80\xE2\x80\x8A",
        "\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAF\xE2\x81\x9F\xE3\x80\x80\xEF\xBB\xBF"
    };
    const cov_rsql_node *node;

    for (size_t i = 0; i < COV_COUNT_OF(blanks); i++) {
        assert_int_equal(parse(*state, cov_str_from(blanks[i]), &node), COV_OK);
        assert_null(node);
    }
    refuses(*state, "\xE2\x80\x8B", "Invalid identifier start", "");
}

static void rsql__and_binds_tighter_than_or(void **state)
{
    means(*state, "id==1;age==2,id==3", "(\"id\" = ? AND \"age\" = ? OR \"id\" = ?)");
    means(*state, "id==1,age==2;id==3", "(\"id\" = ? OR \"age\" = ? AND \"id\" = ?)");
    means(*state, "(id==1,age==2);id==3", "(\"id\" = ? OR \"age\" = ?) AND \"id\" = ?");
    means(*state, "id==1;age==2;id==3", "\"id\" = ? AND \"age\" = ? AND \"id\" = ?");
    means(*state, "((id==1);(age==2));((id==3))", "\"id\" = ? AND \"age\" = ? AND \"id\" = ?");
    means(*state, "id==1,(age==2,(id==3,id==4))",
          "(\"id\" = ? OR \"age\" = ? OR \"id\" = ? OR \"id\" = ?)");
    means(*state, "id==1 and age==2 or id==3", "(\"id\" = ? AND \"age\" = ? OR \"id\" = ?)");
    means(*state, "id==1 && age==2 || id==3", "(\"id\" = ? AND \"age\" = ? OR \"id\" = ?)");
    means(*state, "id==1 AND age==2 OR id==3", "(\"id\" = ? AND \"age\" = ? OR \"id\" = ?)");
}

static void rsql__words_combine_only_in_operator_position(void **state)
{
    accepts(*state, "age==5and name==1");
    accepts(*state, "age==5 and(name==1)");
    accepts(*state, "age==5and(name==1)");
    accepts(*state, "and==1 and true==2 or or_1==3");
    accepts(*state, "age==1 or ");
    accepts(*state, "age==1 or");
    accepts(*state, "age==1 and ");
    accepts(*state, "age==1;");
    accepts(*state, "age==1,  ");
    refuses(*state, "age==5andname==\"bob\"",
            "Unexpected input after parsing filter expression: andname==\"bob\"", "\"position\":6");
    refuses(*state, "age==5 And name==1",
            "Unexpected input after parsing filter expression: And name==1", "\"position\":7");
    refuses(*state, "age==5 age==6", "Unexpected input after parsing filter expression: age==6",
            "\"position\":7");
    refuses(*state, "id==1),(id!=0", "Unexpected input after parsing filter expression: ),(id!=0",
            "\"position\":5");
}

static void rsql__selectors(void **state)
{
    static const char *const bad[] = { ";age==1",   "age==1;;age==2", "()",         "( )",
                                       "(age==1;)", "1==1",           "==1",        "\"a\"==1",
                                       "(,age==1)", "age==1,,",       "\xC3\xA9==1" };

    for (size_t i = 0; i < COV_COUNT_OF(bad); i++)
        refuses(*state, bad[i], "Invalid identifier start", "");
    refuses(*state, "name.==1", "Invalid operator", OPERATOR_START);
    refuses(*state, "name.1==1", "Invalid operator", OPERATOR_START);
    accepts(*state, "_x==1");
    accepts(*state, " age == 1 ");
    accepts(*state, "\xC2\xA0"
                    "age\xE3\x80\x80==\xEF\xBB\xBF"
                    "1");
}

static void rsql__operators(void **state)
{
    rsql_fixture *f = *state;
    cov_str list;

    refuses(f, "age", "Invalid operator start", EXPECTED_OPERATOR);
    refuses(f, "age  ", "Invalid operator start", EXPECTED_OPERATOR);
    refuses(f, "age=5", "Invalid operator format", OPERATOR_FORMAT);
    refuses(f, "age=>5", "Invalid operator format", OPERATOR_FORMAT);
    refuses(f, "age=foo1=1", "Invalid operator format", OPERATOR_FORMAT);
    refuses(f, "age=", "Invalid operator format", OPERATOR_FORMAT);
    refuses(f, "age!5", "Invalid operator format", OPERATOR_FORMAT);
    refuses(f, "age = =5", "Invalid operator format", OPERATOR_FORMAT);
    refuses(f, "age~5", "Invalid operator", OPERATOR_START);
    refuses(f, "age)", "Invalid operator", OPERATOR_START);
    refuses(f, "age===5", "Unknown value type", EXPECTED_LITERAL);
    assert_int_equal(cov_rsql_n_operators, 33);
    for (size_t i = 0; i < cov_rsql_n_operators; i++) {
        char filter[64];

        snprintf(filter, sizeof filter, "age%.*s1", COV_STR_ARG(cov_rsql_operators[i]));
        accepts(f, filter);
    }
    assert_int_equal(rsql_fixture_bind(f, COV_STR("age=foo=1"), &(const cov_rsql_expr *){ NULL }),
                     COV_EFILTER);
    assert_string_equal(cov_error_detail(&f->err).ptr,
                        "Invalid filter expression: Unknown operator: =foo=");
    list = cov_arena_str(f->arena, f->err.members);
    assert_non_null(
        strstr(list.ptr,
               "\"suggestion\":\"Use a valid operator like ==, !=, =isnull=, =in=, etc.\","
               "\"allowedOperators\":[\"!%=\",\"%=\",\"==\",\"!=\",\">=\","));
    assert_non_null(strstr(list.ptr, "\"=minlength=\",\"=maxlength=\"]"));
    assert_int_equal(rsql_fixture_bind(f, COV_STR("age!foo=1"), &(const cov_rsql_expr *){ NULL }),
                     COV_EFILTER);
    assert_string_equal(cov_error_detail(&f->err).ptr,
                        "Invalid filter expression: Unknown operator: !foo=");
    assert_int_equal(rsql_fixture_bind(f, COV_STR("age=IN=(1)"), &(const cov_rsql_expr *){ NULL }),
                     COV_EFILTER);
    assert_string_equal(cov_error_detail(&f->err).ptr,
                        "Invalid filter expression: Unknown operator: =IN=");
}

static void rsql__values(void **state)
{
    static const char *const unknown[] = { "name==active",   "name=='x'",      "age==TRUE",
                                           "age==NULL",      "age==trueish",   "age=in=(,1)",
                                           "age=in=(1,,2)",  "age==)",         "age==null_",
                                           "age==*",         "age=between=[]", "age=={user.id}",
                                           "age==${user.id}" };

    for (size_t i = 0; i < COV_COUNT_OF(unknown); i++)
        refuses(*state, unknown[i], "Unknown value type", EXPECTED_LITERAL);
    refuses(*state, "age==", "Invalid value", EXPECTED_VALUE);
    refuses(*state, "age=between=[", "Invalid value", EXPECTED_VALUE);
    refuses(*state, "age=between=[1,", "Invalid value", EXPECTED_VALUE);
    refuses(*state, "name==\"abc", "Unterminated string value", "");
    refuses(*state, "name==\"abc\\\"", "Unterminated string value", "");
    refuses(*state, "name==\"abc\\", "Unterminated string value", "");
    refuses(*state, "age==-", "Invalid number value", "");
    refuses(*state, "age==+", "Invalid number value", "");
    refuses(*state, "age==.", "Invalid number value", "");
    refuses(*state, "age==-.", "Invalid number value", "");
    refuses(*state, "age==.e5", "Invalid number value", "");
    refuses(*state, "age==-true", "Invalid number value", "");
    refuses(*state, "age==1.2.3", "Unexpected input after parsing filter expression: .3",
            "\"position\":8");
    refuses(*state, "age==1e", "Unexpected input after parsing filter expression: e",
            "\"position\":6");
    refuses(*state, "age==1e+", "Unexpected input after parsing filter expression: e+",
            "\"position\":6");
}

static void rsql__sets_and_ranges(void **state)
{
    char nested[256];
    size_t len;

    accepts(*state, "age=in=()");
    accepts(*state, "age=in=( )");
    accepts(*state, "age=in=(1,2,)");
    accepts(*state, "age=in=( 1 , 2 , )");
    accepts(*state, "age=in=((1,2),[3,4])");
    accepts(*state, "age=in=[ 1 , 2 ]");
    refuses(*state, "age=in=(1 2)", "Invalid set value format", "");
    refuses(*state, "age=in=(1,2", "Invalid set value format", "");
    refuses(*state, "age=in=(", "Unterminated set value", "");
    refuses(*state, "age=in=(1,", "Unterminated set value", "");
    refuses(*state, "age=between=[1]", "Range must have exactly two values separated by comma", "");
    refuses(*state, "age=between=[1", "Range must have exactly two values separated by comma", "");
    refuses(*state, "age=between=[1,2", "Unterminated range value", "");
    refuses(*state, "age=between=[1,2,3]", "Unterminated range value", "");
    len = (size_t)snprintf(nested, sizeof nested, "age=in=");
    memset(nested + len, '(', 32);
    nested[len + 32] = '1';
    memset(nested + len + 33, ')', 32);
    nested[len + 65] = '\0';
    accepts(*state, nested);
    memset(nested + len, '(', 33);
    nested[len + 33] = '\0';
    refuses(*state, nested, "Invalid set value format", "");
}

static void rsql__groups(void **state)
{
    refuses(*state, "(age==1", "Unterminated parenthesis in filter expression", "\"position\":0");
    refuses(*state, "(", "Unterminated parenthesis in filter expression", "\"position\":0");
    refuses(*state, "age==1;((age==2)", "Unterminated parenthesis in filter expression",
            "\"position\":7");
    refuses(*state, "(age==1;", "Unterminated parenthesis in filter expression", "\"position\":0");
    refuses(*state, "(age==5x)", "Unterminated parenthesis in filter expression", "\"position\":0");
    refuses(*state, "name==\"\xF0\x9F\x98\x80\xC3\xA9\";(age==1",
            "Unterminated parenthesis in filter expression", "\"position\":12");
}

static void rsql__strings_unescape_quote_and_backslash_only(void **state)
{
    rsql_fixture *f = *state;

    binds_text(f, "name==\"a\\\"b\"", COV_STR("a\"b"));
    binds_text(f, "name==\"a\\\\b\"", COV_STR("a\\b"));
    binds_text(f, "name==\"a\\nb\"", COV_STR("a\\nb"));
    binds_text(f, "name==\"O\\'B\"", COV_STR("O\\'B"));
    binds_text(f, "name==\"a,b;(c)\n\"", COV_STR("a,b;(c)\n"));
    binds_text(f, "name==\"\\\\\\\\\"", COV_STR("\\\\"));
    f->policy.trusted = true;
    binds_text(f, "name==\"O\\'B\"", COV_STR("O'B"));
    binds_text(f, "name==\"a\\nb\"", COV_STR("a\\nb"));
}

static void rsql__strings_may_hold_nul(void **state)
{
    const cov_rsql_node *node;

    assert_int_equal(parse(*state, COV_STR("name==\"a\0b\""), &node), COV_OK);
    refuses_n(*state, COV_STR("\0"), "Invalid identifier start", "");
    refuses_n(*state, COV_STR("age\0==1"), "Invalid operator", OPERATOR_START);
}

static void rsql__numbers_keep_their_value(void **state)
{
    binds_number(*state, "5.", cov_value_real(5));
    binds_number(*state, ".5", cov_value_real(0.5));
    binds_number(*state, "+5", cov_value_int(5));
    binds_number(*state, "00012", cov_value_int(12));
    binds_number(*state, "-0", cov_value_int(0));
    binds_number(*state, "1e+21", cov_value_real(1e21));
    binds_number(*state, "1e-7", cov_value_real(1e-7));
    binds_number(*state, "1E2", cov_value_real(100));
    binds_number(*state, "9223372036854775807", cov_value_int(INT64_MAX));
    binds_number(*state, "-9223372036854775807", cov_value_int(-INT64_MAX));
    binds_number(*state, "9007199254740993", cov_value_int(INT64_C(9007199254740993)));
    binds_number(*state, "9223372036854775808", cov_value_real(9223372036854775808.0));
}

static const char *repeated(char *out, const char *head, const char *part, size_t count,
                            const char *tail)
{
    strcpy(out, head);
    for (size_t i = 0; i < count; i++)
        strcat(out, part);
    strcat(out, tail);
    return out;
}

static void rsql__limits(void **state)
{
    rsql_fixture *f = *state;
    char text[20000];
    char tail[600];

    accepts(f, repeated(text, "", "(", 10, "age==1))))))))))"));
    refuses(f, repeated(text, "", "(", 11, "age==1)))))))))))"), "Filter is too deeply nested",
            "\"suggestion\":\"Maximum nesting depth is 10\"");
    accepts(f, repeated(text, "", "age==1;", 99, "age==1"));
    refuses(f, repeated(text, "", "age==1;", 100, "age==1"), "Filter has too many conditions",
            "\"suggestion\":\"Maximum 100 conditions allowed\"");
    refuses(f, repeated(text, "", "(age==1);", 50, "!"), "Filter has too many conditions",
            "\"suggestion\":\"Maximum 100 conditions allowed\"");
    accepts(f, repeated(text, "name==\"", "x", 4088, "\""));
    refuses(f, repeated(text, "name==\"", "x", 4089, "\""), "Filter exceeds maximum length",
            "\"suggestion\":\"Maximum filter length is 4096 characters\"");
    assert_string_equal(rsql_fixture_ids(f, repeated(text, "", " ", 5000, "")),
                        ""); /* blank is exempt */
    f->policy.limits = (cov_rsql_limits){ 0, 0, 0 };
    accepts(f, repeated(text, "", "age==1;", 2000, "age==1"));
    accepts(f, repeated(text, "", "(", 128, repeated(tail, "age==1", ")", 128, "")));
    refuses(f, repeated(text, "", "(", 5000, ""), "Filter is too deeply nested",
            "\"suggestion\":\"Maximum nesting depth is 128\"");
    f->policy.limits = (cov_rsql_limits){ 20, 1, 2 };
    f->policy.trusted = true;
    accepts(f, "((age==1));age==2;age==3");
}

static void rsql__allowed_operators(void **state)
{
    static const cov_str allowed[] = { COV_STR_INIT("=="), COV_STR_INIT("=gt=") };
    rsql_fixture *f = *state;

    f->policy.operators = allowed;
    f->policy.n_operators = COV_COUNT_OF(allowed);
    accepts(f, "age==1;age=gt=2");
    refuses(f, "age>1", "Operator '>' is not allowed", "\"allowedOperators\":[\"==\",\"=gt=\"]");
    refuses(f, "age=5", "Invalid operator format", OPERATOR_FORMAT);
    f->policy.trusted = true;
    accepts(f, "age>1");
}

static void rsql__allowed_fields_come_before_the_operator(void **state)
{
    static const bool fields[COV_COUNT_OF(columns)] = { true, true };
    rsql_fixture *f = *state;

    f->policy.fields = fields;
    accepts(f, "name==\"x\";id==1");
    refuses(f, "age~1", "Field 'age' is not filterable", "\"allowedFields\":[\"id\",\"name\"]");
    refuses(f, "nope==1", "Field 'nope' is not filterable", "\"allowedFields\":[\"id\",\"name\"]");
    refuses(f, "age.name==1", "Relation paths are not allowed in filter queries", "");
    f->policy.trusted = true;
    accepts(f, "age==1");
}

static void rsql__relation_paths_are_refused_after_syntax(void **state)
{
    rsql_fixture *f = *state;

    refuses(f, "owner.name==\"x\"", "Relation paths are not allowed in filter queries", "");
    refuses(f, "owner.name==\"x\";age=5", "Invalid operator format", OPERATOR_FORMAT);
    f->policy.trusted = true;
    accepts(f, "owner.name==\"x\"");
    assert_string_equal(rsql_fixture_ids(f, "owner.name==\"x\""),
                        "!Unknown relation 'owner' on 't'");
}

static void rsql__deny_sentinel_and_scope_terms(void **state)
{
    rsql_fixture *f = *state;

    means(f, "__covara_deny_all_sentinel__", "1 = 0");
    refuses(f, " __covara_deny_all_sentinel__", "Invalid operator start", EXPECTED_OPERATOR);
    refuses(f, "age==1;(*)", "Invalid identifier start", "");
    f->policy.trusted = true;
    means(f, "age==1;(*)", "\"age\" = ?");
    means(f, "age==1,(*)", "1 = 1");
    means(f, "*", "1 = 1");
    means(f, "age==1;(__covara_deny_all_sentinel__)", "1 = 0");
    means(f, "age==1,(__covara_deny_all_sentinel__)", "\"age\" = ?");
}

static void rsql__the_parser_needs_no_error_object(void **state)
{
    static const char *const bad[] = { "age=foo=1", "(", "age==5x", "age", "x.y==1" };
    rsql_fixture *f = *state;
    const cov_rsql_node *node = NULL;
    cov_error without_arena;

    cov_error_init(&without_arena, NULL);
    for (size_t i = 0; i < COV_COUNT_OF(bad); i++) {
        assert_int_equal(cov_rsql_parse(f->arena, cov_str_from(bad[i]), &f->table, &f->policy,
                                        &node, NULL),
                         COV_EFILTER);
        assert_int_equal(cov_rsql_parse(f->arena, cov_str_from(bad[i]), &f->table, NULL, &node,
                                        &without_arena),
                         COV_EFILTER);
    }
}

static void rsql__parsing_fails_cleanly_without_memory(void **state)
{
    rsql_fixture *f = *state;
    cov_str filter = COV_STR(
        "(name==\"a\\\"b\",age=in=(1,2,3));name=ilike=\"A_%b\";name==\"2024-01-15\";age=length=1");
    cov_status st = COV_ENOMEM;

    for (size_t limit = 16; st == COV_ENOMEM; limit += 16) {
        cov_arena *arena = cov_arena_new(limit);
        const cov_rsql_node *node = NULL;
        const cov_rsql_expr *expr = NULL;

        assert_non_null(arena);
        st = cov_rsql_parse(arena, filter, &f->table, &f->policy, &node, NULL);
        if (st == COV_OK)
            st = cov_rsql_bind(arena, node, &f->table, &rsql_host, NULL, &expr, NULL);
        cov_arena_free(arena);
    }
    assert_int_equal(st, COV_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, defaults)
    const struct CMUnitTest tests[] = {
        TEST(rsql__blank_text_is_no_filter),
        TEST(rsql__and_binds_tighter_than_or),
        TEST(rsql__words_combine_only_in_operator_position),
        TEST(rsql__selectors),
        TEST(rsql__operators),
        TEST(rsql__values),
        TEST(rsql__sets_and_ranges),
        TEST(rsql__groups),
        TEST(rsql__strings_unescape_quote_and_backslash_only),
        TEST(rsql__strings_may_hold_nul),
        TEST(rsql__numbers_keep_their_value),
        TEST(rsql__limits),
        TEST(rsql__allowed_operators),
        TEST(rsql__allowed_fields_come_before_the_operator),
        TEST(rsql__relation_paths_are_refused_after_syntax),
        TEST(rsql__deny_sentinel_and_scope_terms),
        TEST(rsql__the_parser_needs_no_error_object),
        TEST(rsql__parsing_fails_cleanly_without_memory),
    };

    return cmocka_run_group_tests_name("rsql_parse", tests, set_up, tear_down);
}
