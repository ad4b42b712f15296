/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "covara/str.h"

static void assert_str(cov_str actual, const char *expected)
{
    char text[256];

    assert_true(actual.len < sizeof text);
    if (actual.len != 0)
        memcpy(text, actual.ptr, actual.len);
    text[actual.len] = '\0';
    assert_string_equal(text, expected);
}

static void str__equality_knows_length_and_null(void **state)
{
    (void)state;
    assert_true(cov_str_eq(COV_STR_NULL, COV_STR("")));
    assert_true(cov_str_eq(COV_STR("a\0b"), cov_str_of("a\0b", 3)));
    assert_false(cov_str_eq(COV_STR("a\0b"), COV_STR("a\0c")));
    assert_false(cov_str_eq(COV_STR("ab"), COV_STR("abc")));
    assert_int_equal(cov_str_from(NULL).len, 0);
    assert_int_equal(cov_str_from("four").len, 4);
}

static void str__ignores_case_of_ascii_only(void **state)
{
    (void)state;
    assert_true(cov_str_eq_nocase(COV_STR("Content-Type"), COV_STR("cONTENT-tYPE")));
    assert_false(cov_str_eq_nocase(COV_STR("\xC3\x89"), COV_STR("\xC3\xA9")));
    assert_false(cov_str_eq_nocase(COV_STR("@"), COV_STR("`")));
    assert_false(cov_str_eq_nocase(COV_STR("["), COV_STR("{")));
    assert_false(cov_str_eq_nocase(COV_STR("a"), COV_STR("ab")));
}

static void str__starts_and_contains(void **state)
{
    (void)state;
    assert_true(cov_str_starts(COV_STR("abc"), COV_STR("ab")));
    assert_true(cov_str_starts(COV_STR("abc"), COV_STR_NULL));
    assert_false(cov_str_starts(COV_STR("ab"), COV_STR("abc")));
    assert_true(cov_str_contains(COV_STR("aaab"), COV_STR("aab")));
    assert_true(cov_str_contains(COV_STR("ab"), COV_STR("b")));
    assert_true(cov_str_contains(COV_STR_NULL, COV_STR_NULL));
    assert_false(cov_str_contains(COV_STR("ab"), COV_STR("abc")));
    assert_false(cov_str_contains(COV_STR("ab"), COV_STR("c")));
}

static void str__compares_bytes_and_prefixes(void **state)
{
    static const struct {
        cov_str a;
        cov_str b;
        int order;
    } rows[] = {
        { COV_STR_INIT(""), COV_STR_INIT(""), 0 },
        { COV_STR_INIT(""), COV_STR_INIT("a"), -1 },
        { COV_STR_INIT("a"), COV_STR_INIT("ab"), -1 },
        { COV_STR_INIT("B"), COV_STR_INIT("a"), -1 },
        { COV_STR_INIT("\xC3\xA9"), COV_STR_INIT("z"), 1 },
        { COV_STR_INIT("a\0b"), COV_STR_INIT("a\0c"), -1 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        int forth = cov_str_compare(rows[i].a, rows[i].b);
        int back = cov_str_compare(rows[i].b, rows[i].a);

        assert_int_equal((forth > 0) - (forth < 0), rows[i].order);
        assert_int_equal((back > 0) - (back < 0), -rows[i].order);
    }
}

static void str__find_returns_length_when_absent(void **state)
{
    (void)state;
    assert_int_equal(cov_str_find(COV_STR("a,b,c"), ',', 0), 1);
    assert_int_equal(cov_str_find(COV_STR("a,b,c"), ',', 2), 3);
    assert_int_equal(cov_str_find(COV_STR("a,b,c"), ',', 4), 5);
    assert_int_equal(cov_str_find(COV_STR("a,b,c"), ',', 99), 5);
    assert_int_equal(cov_str_find(COV_STR_NULL, ',', 0), 0);
}

static void str__slice_clamps(void **state)
{
    (void)state;
    assert_str(cov_str_slice(COV_STR("abcdef"), 1, 3), "bc");
    assert_str(cov_str_slice(COV_STR("abc"), 1, 99), "bc");
    assert_str(cov_str_slice(COV_STR("abc"), 5, 9), "");
    assert_str(cov_str_slice(COV_STR("abc"), 2, 1), "");
    assert_null(cov_str_slice(COV_STR_NULL, 0, 5).ptr);
}

static void str__trim_knows_ascii_space(void **state)
{
    (void)state;
    assert_str(cov_str_trim(COV_STR(" \t\r\n\v\fa b \n")), "a b");
    assert_str(cov_str_trim(COV_STR("  ")), "");
    assert_str(cov_str_trim(COV_STR_NULL), "");
    assert_str(cov_str_trim(COV_STR("\xC2\xA0x")), "\xC2\xA0x");
}

static void str__split_yields_every_part(void **state)
{
    static const struct {
        const char *text;
        const char *parts[4];
    } rows[] = {
        { "a,,b", { "a", "", "b", NULL } },
        { "", { "", NULL } },
        { ",", { "", "", NULL } },
        { "abc", { "abc", NULL } },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_str rest = cov_str_from(rows[i].text);
        cov_str part;
        size_t n = 0;

        for (; rows[i].parts[n] != NULL; n++) {
            assert_true(cov_str_split(&rest, ',', &part));
            assert_str(part, rows[i].parts[n]);
        }
        assert_false(cov_str_split(&rest, ',', &part));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(str__equality_knows_length_and_null),
        cmocka_unit_test(str__ignores_case_of_ascii_only),
        cmocka_unit_test(str__starts_and_contains),
        cmocka_unit_test(str__compares_bytes_and_prefixes),
        cmocka_unit_test(str__find_returns_length_when_absent),
        cmocka_unit_test(str__slice_clamps),
        cmocka_unit_test(str__trim_knows_ascii_space),
        cmocka_unit_test(str__split_yields_every_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
