/* SPDX-License-Identifier: MIT */
/* Reading JSON values as application code does (covara/json.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/json.h"

static cov_arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = cov_arena_new(0);
    return arena != NULL ? 0 : -1;
}

static int free_arena(void **state)
{
    (void)state;
    cov_arena_free(arena);
    return 0;
}

static const cov_json *parse(const char *text)
{
    yyjson_val *value = NULL;

    assert_int_equal(cov_json_read(arena, cov_str_from(text), &value, NULL), COV_OK);
    return value;
}

static void json_access__tells_types(void **state)
{
    static const struct {
        const char *text;
        cov_json_type type;
        size_t len;
    } rows[] = {
        { "null", COV_JSON_NULL, 0 },    { "true", COV_JSON_BOOL, 0 },
        { "false", COV_JSON_BOOL, 0 },   { "0", COV_JSON_NUMBER, 0 },
        { "-1.5", COV_JSON_NUMBER, 0 },  { "123456789012345678901234567890", COV_JSON_NUMBER, 0 },
        { "1e999", COV_JSON_NUMBER, 0 }, { "\"abc\"", COV_JSON_STRING, 0 },
        { "[]", COV_JSON_LIST, 0 },      { "[[1,2],3]", COV_JSON_LIST, 2 },
        { "{}", COV_JSON_OBJECT, 0 },    { "{\"a\":[1,2,3]}", COV_JSON_OBJECT, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        assert_int_equal(cov_json_type_of(parse(rows[i].text)), rows[i].type);
        assert_int_equal(cov_json_len(parse(rows[i].text)), rows[i].len);
    }
    assert_int_equal(cov_json_type_of(NULL), COV_JSON_MISSING);
}

static void json_access__finds_members(void **state)
{
    const cov_json *object =
        parse("{\"a\":{\"a\":1,\"z\":2},\"b\":[{\"c\":3}],\"a\\u0000\":4,\"b\":5,\"\":6}");

    (void)state;
    assert_int_equal(cov_json_int64(cov_json_get(cov_json_get(object, "a"), "a")), 1);
    assert_int_equal(cov_json_int64(cov_json_get(object, "b")), 5); /* the last of duplicates */
    assert_int_equal(cov_json_int64(cov_json_get(object, "")), 6);
    assert_null(cov_json_get(object, "z"));
    assert_null(cov_json_get(object, "c"));
    assert_null(cov_json_get(cov_json_get(object, "b"), "c"));
    assert_null(cov_json_get(parse("{}"), "a"));
    assert_null(cov_json_get(parse("[\"a\",1]"), "a"));
    assert_null(cov_json_get(NULL, "a"));
}

static void json_access__finds_and_walks_items(void **state)
{
    const cov_json *list = parse("[[10,11],{\"a\":[12]},\"x\",13]");
    const cov_json *item = NULL;
    size_t n = 0;

    (void)state;
    assert_int_equal(cov_json_int64(cov_json_at(list, 3)), 13);
    assert_int_equal(cov_json_int64(cov_json_at(cov_json_at(list, 0), 1)), 11);
    assert_null(cov_json_at(list, 4));
    assert_null(cov_json_at(list, SIZE_MAX));
    assert_null(cov_json_at(parse("{\"a\":1}"), 0));
    assert_null(cov_json_at(NULL, 0));
    while ((item = cov_json_next(list, item)) != NULL)
        assert_ptr_equal(item, cov_json_at(list, n++));
    assert_int_equal(n, 4);
    assert_null(cov_json_next(parse("[]"), NULL));
    assert_null(cov_json_next(parse("{\"a\":1}"), NULL));
    assert_null(cov_json_next(NULL, NULL));
}

static void json_access__reads_text(void **state)
{
    cov_str text = cov_json_text(parse("\"a\\u0000\\u20ac\""));

    (void)state;
    assert_true(cov_str_eq(text, COV_STR("a\0\xE2\x82\xAC")));
    assert_non_null(cov_json_text(parse("\"\"")).ptr);
    assert_null(cov_json_text(parse("1")).ptr);
    assert_null(cov_json_text(parse("123456789012345678901234567890"))
                    .ptr); /* text inside, a number outside */
    assert_null(cov_json_text(NULL).ptr);
}

static void json_access__reads_integers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        { "7", 7 },
        { "-7", -7 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
        { "9223372036854775808", 0 },
        { "123456789012345678901234567890", 0 },
        { "2.0", 2 },
        { "-4e3", -4000 },
        { "2.5", 0 },
        { "9.3e18", 0 },
        { "-9223372036854775808.0", INT64_MIN },
        { "1e999", 0 },
        { "\"9007199254740993\"", INT64_C(9007199254740993) },
        { "\"-9007199254740993\"", INT64_C(-9007199254740993) },
        { "\"9007199254740991\"", 0 }, /* cov_json_int writes this one as a number */
        { "\"12\"", 0 },
        { "\"9223372036854775808\"", 0 },
        { "true", 0 },
        { "[5]", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_int_equal(cov_json_int64(parse(rows[i].text)), rows[i].value);
    assert_int_equal(cov_json_int64(NULL), 0);
}

static void json_access__reads_numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        { "7", 7 },
        { "-7", -7 },
        { "0.1", 0.1 },
        { "18446744073709551615", 18446744073709551615.0 },
        { "123456789012345678901234567890", 123456789012345678901234567890.0 },
        { "1e999", (double)INFINITY },
        { "-1e999", -(double)INFINITY },
        { "\"7\"", 0 },
        { "null", 0 },
        { "[7]", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_true(cov_json_number(parse(rows[i].text)) == rows[i].value);
    assert_true(cov_json_number(NULL) == 0);
}

static void json_access__only_true_is_true(void **state)
{
    static const char *const others[] = { "false",    "null",   "1",
                                          "\"true\"", "[true]", "{\"true\":true}" };

    (void)state;
    assert_true(cov_json_is_true(parse("true")));
    for (size_t i = 0; i < COV_COUNT_OF(others); i++)
        assert_false(cov_json_is_true(parse(others[i])));
    assert_false(cov_json_is_true(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_access__tells_types),
        cmocka_unit_test(json_access__finds_members),
        cmocka_unit_test(json_access__finds_and_walks_items),
        cmocka_unit_test(json_access__reads_text),
        cmocka_unit_test(json_access__reads_integers),
        cmocka_unit_test(json_access__reads_numbers),
        cmocka_unit_test(json_access__only_true_is_true),
    };

    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
