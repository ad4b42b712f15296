/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/num.h"

/* Print both sides: a double as its bits and its text. */
static void assert_double(double actual, double expected, const char *text)
{
    uint64_t a;
    uint64_t b;

    memcpy(&a, &actual, sizeof a);
    memcpy(&b, &expected, sizeof b);
    if (a != b)
        fail_msg("%s: %.17g != %.17g", text, actual, expected);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void num__parses_integers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } rows[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "+7", true, 7 },
        { "007", true, 7 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "00000000000000000000000000012", true, 12 },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "92233720368547758070", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "+", false, 0 },
        { "+-1", false, 0 },
        { " 1", false, 0 },
        { "1 ", false, 0 },
        { "1.0", false, 0 },
        { "1e3", false, 0 },
        { "0x10", false, 0 },
        { "1a", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        int64_t value = 4711;

        if (cov_parse_i64(cov_str_from(rows[i].text), &value) != rows[i].ok)
            fail_msg("\"%s\": expected %s", rows[i].text, rows[i].ok ? "a number" : "a refusal");
        assert_int_equal(value, rows[i].ok ? rows[i].value : 4711);
    }
    {
        int64_t value = 4711;

        assert_false(cov_parse_i64(COV_STR("1\0"), &value));
        assert_false(cov_parse_i64(COV_STR_NULL, &value));
    }
}

static void num__refuses_what_is_no_decimal(void **state)
{
    static const char *const rows[] = {
        "",     ".",        "-",     "+",     "e5",  ".e5",   "1e",  "1e+",
        "1e-",  "1.2.3",    "1e5.0", " 1",    "1 ",  "0x1p3", "nan", "inf",
        "-inf", "Infinity", "1,5",   "1_000", "--1", "1e5 ",  "1f",
    };
    double value = 42;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        if (cov_parse_double(cov_str_from(rows[i]), &value))
            fail_msg("\"%s\" was accepted as %g", rows[i], value);
    assert_false(cov_parse_double(COV_STR_NULL, &value));
    assert_false(cov_parse_double(COV_STR("1\0"), &value));
    assert_double(value, 42, "untouched on failure");
}

static void num__parses_decimals(void **state)
{
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        { "0", 0.0 },
        { "-0", -0.0 },
        { "-0.0e-99", -0.0 },
        { "0e999999999999999999999999", 0.0 },
        { "1", 1.0 },
        { "+1.5", 1.5 },
        { ".5", 0.5 },
        { "5.", 5.0 },
        { "-.5e1", -5.0 },
        { "3.35", 3.35 },
        { "0003.3500", 3.35 },
        { "1e22", 1e22 },
        { "1e23", 1e23 },
        { "1E-7", 1e-7 },
        { "1e+2", 100.0 },
        { "123456789012345678", 123456789012345678.0 },
        { "18446744073709551616", 18446744073709551616.0 },
        { "9007199254740993", 9007199254740992.0 },
        { "9007199254740993.0000000000000000000000000000000000000001", 9007199254740994.0 },
        { "1.7976931348623157e308", 1.7976931348623157e308 },
        { "1.7976931348623159e308", INFINITY },
        { "1e309", INFINITY },
        { "-1e309", -INFINITY },
        { "1e99999999999999999999999999", INFINITY },
        { "1e-99999999999999999999999999", 0.0 },
        { "5e-324", 5e-324 },
        { "2.4703282292062327e-324", 0.0 },
        { "2.4703282292062328e-324", 5e-324 },
        { "2.2250738585072011e-308", 2.2250738585072011e-308 },
        { "0.000000000000000000000000000000000000001e39", 1.0 },
        { "1000000000000000000000000000000000000000e-39", 1.0 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        double value = 42;

        if (!cov_parse_double(cov_str_from(rows[i].text), &value))
            fail_msg("\"%s\" was refused", rows[i].text);
        assert_double(value, rows[i].value, rows[i].text);
    }
}

/* The text of 2^53 + 1, a halfway case, with a digit that decides it further and further away. */
static void num__far_digits_decide_halfway_cases(void **state)
{
    enum { LONGEST = 3000 };
    char *text = malloc(LONGEST + 32);
    double value = 0;

    (void)state;
    assert_non_null(text);
    for (size_t zeros = 1; zeros < LONGEST; zeros += zeros < 60 ? 1 : 97) {
        int len = sprintf(text, "9007199254740993.%0*d", (int)zeros, 0);

        assert_true(cov_parse_double(cov_str_of(text, (size_t)len), &value));
        assert_double(value, 9007199254740992.0, "halfway to even");
        text[len++] = '1';
        assert_true(cov_parse_double(cov_str_of(text, (size_t)len), &value));
        assert_double(value, 9007199254740994.0, "above halfway");
    }
    memset(text, '7', LONGEST);
    text[LONGEST] = '\0';
    assert_true(cov_parse_double(cov_str_of(text, LONGEST), &value));
    assert_double(value, INFINITY, "3000 digits");
    memcpy(text + LONGEST, "e-2999", sizeof "e-2999");
    assert_true(cov_parse_double(cov_str_from(text), &value));
    assert_double(value, strtod(text, NULL), "3000 digits scaled down");
    free(text);
}

/* Texts exactly between two doubles, which only all of their up to 768 digits tell from their neighbours. */
static void num__exact_midpoints_round_to_even(void **state)
{
    enum { DIGITS = 780 };
    uint64_t random = 7;

    (void)state;
    for (int i = 0; i < 4000; i++) {
        uint64_t bits = next_random(&random) & INT64_MAX;
        char *text = malloc(DIGITS + 64);
        double number;
        double above;
        double value = 0;
        int len;

        assert_non_null(text);
        if (i % 2 != 0)
            bits %= UINT64_C(0x0010000000000000) * 3; /* subnormal and tiny: the longest texts */
        memcpy(&number, &bits, sizeof number);
        above = nextafter(number, INFINITY);
        if (isfinite(above)) {
            len = snprintf(text, DIGITS + 64, "%.*Le", DIGITS,
                           ((long double)number + (long double)above) / 2);
            assert_true(cov_parse_double(cov_str_of(text, (size_t)len), &value));
            assert_double(value, strtod(text, NULL), text);
        }
        free(text);
    }
}

static void num__agrees_with_strtod(void **state)
{
    static const int precisions[] = { 17, 15, 6, 20, 3, 40, 12 };
    uint64_t random = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = next_random(&random);
        double number;
        double value = 0;
        char text[512];
        int precision;

        memcpy(&number, &bits, sizeof number);
        if (i % 2 != 0)
            number = (double)(int64_t)bits / (double)(1 << (i % 30));
        if (!isfinite(number))
            continue;
        precision = precisions[(size_t)i % COV_COUNT_OF(precisions)];
        if (i % 3 == 0)
            snprintf(text, sizeof text, "%.*g", precision, number);
        else if (i % 3 == 1)
            snprintf(text, sizeof text, "%.*e", precision, number);
        else
            snprintf(text, sizeof text, "%.*f", precision, number);
        if (!cov_parse_double(cov_str_from(text), &value))
            fail_msg("%s was refused", text);
        assert_double(value, strtod(text, NULL), text);
    }
}

static void num__text_is_javascript_text(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        { 0.0, "0" },
        { -0.0, "0" },
        { 1.0, "1" },
        { -1.0, "-1" },
        { 0.1, "0.1" },
        { 3.35, "3.35" },
        { -3.35, "-3.35" },
        { 12.5, "12.5" },
        { 0.5, "0.5" },
        { -0.001, "-0.001" },
        { 0.30000000000000004, "0.30000000000000004" },
        { 100.0, "100" },
        { 1e-6, "0.000001" },
        { 1.5e-6, "0.0000015" },
        { 1e-7, "1e-7" },
        { 1.5e-7, "1.5e-7" },
        { 9.999999999999997e-7, "9.999999999999997e-7" },
        { 1e20, "100000000000000000000" },
        { 123456789012345680000.0, "123456789012345680000" },
        { 999999999999999900000.0, "999999999999999900000" },
        { 1e21, "1e+21" },
        { -1.5e300, "-1.5e+300" },
        { 9007199254740991.0, "9007199254740991" },
        { 9007199254740992.0, "9007199254740992" },
        { -9007199254740994.0, "-9007199254740994" },
        { 5e-324, "5e-324" },
        { -1.7976931348623157e308, "-1.7976931348623157e+308" },
        { 2.2250738585072014e-308, "2.2250738585072014e-308" },
        { -1.2345678901234567e-308, "-1.2345678901234567e-308" },
        { 123456.789, "123456.789" },
        { 4.35, "4.35" },
        { 0.000123, "0.000123" },
        { 99999999.999999, "99999999.999999" },
        { 999999999999.999, "999999999999.999" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        char text[COV_NUM_TEXT_BYTES + 1];
        size_t len = cov_num_text(rows[i].value, text);

        assert_in_range(len, 1, COV_NUM_TEXT_BYTES);
        text[len] = '\0';
        assert_string_equal(text, rows[i].text);
    }
    {
        char text[COV_NUM_TEXT_BYTES];

        assert_int_equal(cov_num_text(NAN, text), 3);
        assert_memory_equal(text, "NaN", 3);
        assert_int_equal(cov_num_text(INFINITY, text), 8);
        assert_memory_equal(text, "Infinity", 8);
        assert_int_equal(cov_num_text(-INFINITY, text), 9);
        assert_memory_equal(text, "-Infinity", 9);
    }
}

static size_t digits_of(const char *text)
{
    size_t digits = 0;
    size_t zeros = 0;

    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (*text == '0' && digits == 0))
            continue;
        digits++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return digits - zeros;
}

/* The text of `number` reads back, has no more digits than needed, and the notation that its size asks for. */
static void check_text(double number)
{
    char text[COV_NUM_TEXT_BYTES + 1];
    char printed[64];
    size_t needed = 1;
    bool plain = number == 0 || (fabs(number) >= 1e-6 && fabs(number) < 1e21);

    text[cov_num_text(number, text)] = '\0';
    if (strtod(text, NULL) != number)
        fail_msg("%s is not %.17g", text, number);
    for (; needed < 17; needed++) {
        snprintf(printed, sizeof printed, "%.*e", (int)needed - 1, number);
        if (strtod(printed, NULL) == number)
            break;
    }
    if (digits_of(text) > needed)
        fail_msg("%s has more digits than %s", text, printed);
    if ((strchr(text, 'e') == NULL) != plain || strchr(text, '.') == text + strlen(text) - 1)
        fail_msg("%s is not the notation of %.17g", text, number);
}

static void num__text_of_random_doubles_is_shortest(void **state)
{
    uint64_t random = 0x9E3779B97F4A7C15u;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = next_random(&random);
        double number;

        memcpy(&number, &bits, sizeof number);
        if (isfinite(number))
            check_text(number);
    }
}

/* Decimals like prices, and their neighbours, which the short path must not take for them. */
static void num__text_of_short_decimals_is_shortest(void **state)
{
    static const double scales[] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8 };
    uint64_t random = 42;

    (void)state;
    for (int i = 0; i < 60000; i++) {
        double scale = scales[(size_t)i % COV_COUNT_OF(scales)];
        double number = (double)(next_random(&random) % 100000000000u) / scale;

        check_text(number);
        check_text(-nextafter(number, INFINITY));
        check_text(nextafter(nextafter(number, 0), 0));
    }
}

static void num__compares_integers_with_doubles_exactly(void **state)
{
    static const struct {
        int64_t a;
        double b;
        int order;
    } rows[] = {
        { 0, 0.0, 0 },
        { 0, -0.0, 0 },
        { 1, 1.0, 0 },
        { 1, 1.5, -1 },
        { 2, 1.5, 1 },
        { -1, -1.5, 1 },
        { -2, -1.5, -1 },
        { 0, 5e-324, -1 },
        { 0, -5e-324, 1 },
        { 9007199254740993, 9007199254740992.0, 1 },
        { 9007199254740992, 9007199254740992.0, 0 },
        { 9007199254740991, 9007199254740992.0, -1 },
        { INT64_MAX, 9223372036854775807.0, -1 }, /* the double is 2^63 */
        { INT64_MAX, 9223372036854774784.0, 1 },
        { INT64_MIN, -9223372036854775808.0, 0 },
        { INT64_MIN, -9223372036854777856.0, 1 },
        { INT64_MIN + 1, -9223372036854775808.0, 1 },
        { INT64_MAX, (double)INFINITY, -1 },
        { INT64_MIN, (double)-INFINITY, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        int order = cov_compare_int_double(rows[i].a, rows[i].b);

        if ((order > 0) - (order < 0) != rows[i].order)
            fail_msg("%lld and %.17g: %d", (long long)rows[i].a, rows[i].b, order);
    }
}

static void num__doubles_to_integers_stop_at_the_ends(void **state)
{
    (void)state;
    assert_int_equal(cov_double_to_i64(-1.9), -1);
    assert_int_equal(cov_double_to_i64(9007199254740993.0), 9007199254740992);
    assert_int_equal(cov_double_to_i64(-9223372036854775808.0), INT64_MIN);
    assert_int_equal(cov_double_to_i64(9223372036854774784.0), 9223372036854774784);
    assert_int_equal(cov_double_to_i64(9223372036854775808.0), INT64_MAX);
    assert_int_equal(cov_double_to_i64(-INFINITY), INT64_MIN);
    assert_int_equal(cov_double_to_i64(NAN), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(num__parses_integers),
        cmocka_unit_test(num__refuses_what_is_no_decimal),
        cmocka_unit_test(num__parses_decimals),
        cmocka_unit_test(num__far_digits_decide_halfway_cases),
        cmocka_unit_test(num__exact_midpoints_round_to_even),
        cmocka_unit_test(num__agrees_with_strtod),
        cmocka_unit_test(num__text_is_javascript_text),
        cmocka_unit_test(num__text_of_random_doubles_is_shortest),
        cmocka_unit_test(num__text_of_short_decimals_is_shortest),
        cmocka_unit_test(num__compares_integers_with_doubles_exactly),
        cmocka_unit_test(num__doubles_to_integers_stop_at_the_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
