/* SPDX-License-Identifier: MIT */
/* timegm and gmtime_r are the oracle. */
#define _DEFAULT_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "base/time.h"

static void assert_format(int64_t ms, const char *expected)
{
    char text[COV_TIME_TEXT_BYTES + 1];

    text[cov_time_format(ms, text)] = '\0';
    assert_string_equal(text, expected);
}

static void time__formats(void **state)
{
    char text[COV_TIME_TEXT_BYTES];

    (void)state;
    assert_format(0, "1970-01-01T00:00:00.000Z");
    assert_format(-1, "1969-12-31T23:59:59.999Z");
    assert_format(1705314600000, "2024-01-15T10:30:00.000Z");
    assert_format(1709164800000 + 7, "2024-02-29T00:00:00.007Z");
    assert_format(-62167219200000, "0000-01-01T00:00:00.000Z");
    assert_format(-62167219200001, "-000001-12-31T23:59:59.999Z");
    assert_format(253402300799999, "9999-12-31T23:59:59.999Z");
    assert_format(253402300800000, "+010000-01-01T00:00:00.000Z");
    assert_format(COV_TIME_MAX_MS, "+275760-09-13T00:00:00.000Z");
    assert_format(-COV_TIME_MAX_MS, "-271821-04-20T00:00:00.000Z");
    assert_int_equal(cov_time_format(COV_TIME_MAX_MS + 1, text), 0);
    assert_int_equal(cov_time_format(-COV_TIME_MAX_MS - 1, text), 0);
    assert_int_equal(cov_time_format(INT64_MIN, text), 0);
    assert_int_equal(cov_time_format(INT64_MAX, text), 0);
}

static void assert_http(int64_t ms, const char *expected)
{
    char text[COV_TIME_HTTP_BYTES + 1] = "";

    assert_true(cov_time_format_http(ms, text));
    assert_string_equal(text, expected);
}

static void time__formats_for_http(void **state)
{
    char text[COV_TIME_HTTP_BYTES + 1] = "untouched";

    (void)state;
    assert_http(784111777000, "Sun, 06 Nov 1994 08:49:37 GMT"); /* RFC 9110 */
    assert_http(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_http(999, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_http(-1, "Wed, 31 Dec 1969 23:59:59 GMT");
    assert_http(1709164800000, "Thu, 29 Feb 2024 00:00:00 GMT");
    assert_http(-62167219200000, "Sat, 01 Jan 0000 00:00:00 GMT");
    assert_http(253402300799999, "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_false(cov_time_format_http(253402300800000, text));
    assert_false(cov_time_format_http(-62167219200001, text));
    assert_false(cov_time_format_http(INT64_MAX, text));
    assert_string_equal(text, "untouched");
}

/* strftime is the oracle; its names are those of the C locale. */
static void time__http_dates_agree_with_strftime(void **state)
{
    char expected[COV_TIME_HTTP_BYTES + 1];

    (void)state;
    for (int64_t s = -4000000000; s < 8000000000; s += 7654321) {
        time_t at = (time_t)s;
        struct tm parts;

        assert_int_equal(strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT",
                                  gmtime_r(&at, &parts)),
                         COV_TIME_HTTP_BYTES);
        assert_http(s * 1000, expected);
    }
}

typedef struct literal_row {
    const char *text;
    const char *canonical; /* NULL: refused */
} literal_row;

static const literal_row literal_rows[] = {
    { "2024-01-15", "2024-01-15T00:00:00.000Z" },
    { "2024-01-15T10:30:00", "2024-01-15T10:30:00.000Z" },
    { "2024-01-15T10:30:00Z", "2024-01-15T10:30:00.000Z" },
    { "2024-01-15T10:30:00.5Z", "2024-01-15T10:30:00.500Z" },
    { "2024-01-15T10:30:00.05", "2024-01-15T10:30:00.050Z" },
    { "2024-01-15T10:30:00.123Z", "2024-01-15T10:30:00.123Z" },
    { "2024-01-15T10:30:00+05:30", "2024-01-15T05:00:00.000Z" },
    { "2024-01-15T10:30:00+0530", "2024-01-15T05:00:00.000Z" },
    { "2024-01-15T10:30:00-23:59", "2024-01-16T10:29:00.000Z" },
    { "2024-01-15T10:30:00-00:00", "2024-01-15T10:30:00.000Z" },
    { "2024-01-15T24:00:00Z", "2024-01-16T00:00:00.000Z" },
    { "2024-12-31T24:00:00.000Z", "2025-01-01T00:00:00.000Z" },
    { "0000-01-01", "0000-01-01T00:00:00.000Z" },
    { "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z" },
    { "0000-01-01T00:00:00+00:01", "-000001-12-31T23:59:00.000Z" },
    { "9999-12-31T24:00:00Z", "+010000-01-01T00:00:00.000Z" },
    { "2024-02-29", "2024-02-29T00:00:00.000Z" },
    { "2024-13-01", NULL },
    { "2024-00-10", NULL },
    { "2024-01-32", NULL },
    { "2024-01-00", NULL },
    { "2024-01-15T24:00:01Z", NULL },
    { "2024-01-15T24:01:00Z", NULL },
    { "2024-01-15T24:00:00.001Z", NULL },
    { "2024-01-15T25:00:00Z", NULL },
    { "2024-01-15T23:60:00Z", NULL },
    { "2024-01-15T23:59:60Z", NULL },
    { "2024-01-15T10:30:00+24:00", NULL },
    { "2024-01-15T10:30:00+05:60", NULL },
    { "2024-01-15T10:30:00+05", NULL },
    { "2024-01-15T10:30:00+05:3", NULL },
    { "2024-01-15T10:30:00.Z", NULL },
    { "2024-01-15T10:30Z", NULL },
    { "2024-01-15T10:30:00Zx", NULL },
    { "2024-01-15T", NULL },
    { "2024-01-15Z", NULL },
    { "2024-1-15", NULL },
    { "2024-01-1", NULL },
    { "24-01-15", NULL },
    { "2024/01/15", NULL },
    { "2024-01-15t10:30:00z", NULL },
    { " 2024-01-15", NULL },
    { "2024-01-15 ", NULL },
    { "-024-01-15", NULL },
    { "2024-01--5", NULL },
    { "", NULL },
    { "hello", NULL },
};

/* Where the two grammars differ. */
static const struct {
    const char *text;
    const char *literal;
    const char *iso;
    int micros;
} both_rows[] = {
    { "2024-02-30", "2024-03-01T00:00:00.000Z", NULL, 0 },
    { "2023-02-31", "2023-03-03T00:00:00.000Z", NULL, 0 },
    { "2023-02-29", "2023-03-01T00:00:00.000Z", NULL, 0 },
    { "1900-02-29", "1900-03-01T00:00:00.000Z", NULL, 0 },
    { "2000-02-29", "2000-02-29T00:00:00.000Z", "2000-02-29T00:00:00.000Z", 0 },
    { "2024-04-31", "2024-05-01T00:00:00.000Z", NULL, 0 },
    { "2024-01-15 10:30:00", NULL, "2024-01-15T10:30:00.000Z", 0 },
    { "2024-01-15 10:30:00.1234Z", NULL, "2024-01-15T10:30:00.123Z", 400 },
    { "2024-01-15T10:30:00.123456Z", NULL, "2024-01-15T10:30:00.123Z", 456 },
    { "2024-01-15T10:30:00.123456789+01:00", NULL, "2024-01-15T09:30:00.123Z", 456 },
    { "2024-01-15T10:30:00.000000001Z", NULL, "2024-01-15T10:30:00.000Z", 0 },
    { "2024-01-15T10:30:00.1234567890Z", NULL, NULL, 0 },
    { "1969-12-31T23:59:59.999999Z", NULL, "1969-12-31T23:59:59.999Z", 999 },
    { "2024-01-15T24:00:00.000001Z", NULL, NULL, 0 },
    { "+010000-01-01T00:00:00.000Z", NULL, "+010000-01-01T00:00:00.000Z", 0 },
    { "-000001-12-31", NULL, "-000001-12-31T00:00:00.000Z", 0 },
    { "-000000-12-31", NULL, NULL, 0 },
    { "+275760-09-13T00:00:00.000Z", NULL, "+275760-09-13T00:00:00.000Z", 0 },
    { "+275760-09-13T00:00:00.001Z", NULL, NULL, 0 },
    { "+999999-01-01", NULL, NULL, 0 },
};

static void check(const char *text, bool accepted, int64_t ms, const char *canonical)
{
    char formatted[COV_TIME_TEXT_BYTES + 1];

    if (accepted != (canonical != NULL))
        fail_msg("\"%s\" was %s", text, accepted ? "accepted" : "refused");
    if (!accepted) {
        assert_int_equal(ms, 4711);
        return;
    }
    formatted[cov_time_format(ms, formatted)] = '\0';
    assert_string_equal(formatted, canonical);
}

static void time__literals_follow_the_filter_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(literal_rows); i++) {
        int64_t ms = 4711;
        bool accepted = cov_time_parse_literal(cov_str_from(literal_rows[i].text), &ms);

        check(literal_rows[i].text, accepted, ms, literal_rows[i].canonical);
        ms = 4711;
        accepted = cov_time_parse_iso(cov_str_from(literal_rows[i].text), &ms, NULL);
        check(literal_rows[i].text, accepted, ms, literal_rows[i].canonical);
    }
}

static void time__iso_is_stricter_about_days_and_wider_elsewhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(both_rows); i++) {
        cov_str text = cov_str_from(both_rows[i].text);
        int micros = 4711;
        int64_t ms = 4711;
        bool accepted = cov_time_parse_literal(text, &ms);

        check(both_rows[i].text, accepted, ms, both_rows[i].literal);
        ms = 4711;
        accepted = cov_time_parse_iso(text, &ms, &micros);
        check(both_rows[i].text, accepted, ms, both_rows[i].iso);
        assert_int_equal(micros, accepted ? both_rows[i].micros : 4711);
    }
}

static void time__every_prefix_is_handled(void **state)
{
    static const char full[] = "2024-01-15T10:30:00.123+05:30";
    int64_t ms;

    (void)state;
    for (size_t len = 0; len < sizeof full - 1; len++) {
        bool expected = len == 10 || len == 19 || (len >= 21 && len <= 23);

        if (cov_time_parse_literal(cov_str_of(full, len), &ms) != expected)
            fail_msg("\"%.*s\"", (int)len, full);
    }
    assert_false(cov_time_parse_literal(COV_STR_NULL, &ms));
}

/* The C library's own calendar over years -271821 to 275760. */
static void time__agrees_with_gmtime_and_timegm(void **state)
{
    uint64_t random = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char expected[64];
        char text[COV_TIME_TEXT_BYTES + 1];
        int64_t ms;
        int64_t again = 0;
        time_t seconds;
        struct tm tm;
        int year;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        ms = (int64_t)(random % (2 * (uint64_t)COV_TIME_MAX_MS)) - COV_TIME_MAX_MS;
        if (i % 2 != 0)
            ms /= 40; /* mostly four-digit years */
        seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(timegm(&tm) == seconds);
        year = tm.tm_year + 1900;
        snprintf(expected, sizeof expected, "%s%0*d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                 year < 0      ? "-"
                 : year > 9999 ? "+"
                               : "",
                 year < 0 || year > 9999 ? 6 : 4, year < 0 ? -year : year, tm.tm_mon + 1,
                 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms - (int64_t)seconds * 1000));
        text[cov_time_format(ms, text)] = '\0';
        assert_string_equal(text, expected);
        assert_true(cov_time_parse_iso(cov_str_from(text), &again, NULL));
        if (again != ms)
            fail_msg("%s: %lld, not %lld", text, (long long)again, (long long)ms);
    }
}

/* Every day of 1,200 years, and no other: the iso grammar accepts exactly what mktime leaves alone. */
static void time__knows_every_calendar_day(void **state)
{
    int64_t expected = -62167219200000;
    char text[16];

    (void)state;
    for (int year = 0; year < 1200; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= 31; day++) {
                int64_t ms = 0;
                struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
                bool real = timegm(&tm) != -1 && tm.tm_mday == day;

                snprintf(text, sizeof text, "%04d-%02d-%02d", year % 10000, month % 100, day % 100);
                if (cov_time_parse_iso(cov_str_from(text), &ms, NULL) != real)
                    fail_msg("%s", text);
                if (!real)
                    continue;
                assert_true(ms == expected);
                expected += 86400000;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time__formats),
        cmocka_unit_test(time__formats_for_http),
        cmocka_unit_test(time__http_dates_agree_with_strftime),
        cmocka_unit_test(time__literals_follow_the_filter_grammar),
        cmocka_unit_test(time__iso_is_stricter_about_days_and_wider_elsewhere),
        cmocka_unit_test(time__every_prefix_is_handled),
        cmocka_unit_test(time__agrees_with_gmtime_and_timegm),
        cmocka_unit_test(time__knows_every_calendar_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
