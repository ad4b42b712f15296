/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "covara/buf.h"

static void assert_text(const cov_buf *buf, const char *expected)
{
    char text[256];

    assert_false(buf->failed);
    assert_true(buf->len < sizeof text);
    memcpy(text, buf->ptr, buf->len);
    text[buf->len] = '\0';
    assert_string_equal(text, expected);
}

static void buf__appends_in_order(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    COV_BUF_LIT(&buf, "a");
    cov_buf_char(&buf, 'b');
    cov_buf_str(&buf, COV_STR("cd"));
    cov_buf_str(&buf, COV_STR_NULL);
    cov_buf_printf(&buf, "[%d %s]", 42, "x");
    assert_text(&buf, "abcd[42 x]");
    cov_buf_dispose(&buf);
}

static void buf__writes_integers(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } rows[] = {
        { 0, "0" },
        { 7, "7" },
        { -1, "-1" },
        { 10, "10" },
        { 1234567890123, "1234567890123" },
        { INT64_MAX, "9223372036854775807" },
        { INT64_MIN, "-9223372036854775808" },
    };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_buf_clear(&buf, SIZE_MAX);
        cov_buf_i64(&buf, rows[i].value);
        assert_text(&buf, rows[i].text);
    }
    cov_buf_clear(&buf, SIZE_MAX);
    cov_buf_u64(&buf, UINT64_MAX);
    assert_text(&buf, "18446744073709551615");
    cov_buf_dispose(&buf);
}

static void buf__limit_is_exact_and_failure_is_sticky(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    buf.limit = 4;
    COV_BUF_LIT(&buf, "abcd");
    assert_text(&buf, "abcd");
    cov_buf_char(&buf, 'e');
    assert_true(buf.failed);
    assert_int_equal(buf.len, 4);
    assert_null(cov_buf_reserve(&buf, 0));
    cov_buf_append(&buf, "x", 1);
    cov_buf_printf(&buf, "%d", 1);
    cov_buf_u64(&buf, 1);
    assert_int_equal(buf.len, 4);
    cov_buf_clear(&buf, SIZE_MAX);
    assert_false(buf.failed);
    COV_BUF_LIT(&buf, "ok");
    assert_text(&buf, "ok");
    cov_buf_dispose(&buf);
}

static void buf__refuses_a_length_that_overflows(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    COV_BUF_LIT(&buf, "abc");
    assert_null(cov_buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    assert_int_equal(buf.len, 3);
    cov_buf_dispose(&buf);
}

static void buf__grows_and_keeps_content(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (int i = 0; i < 10000; i++)
        cov_buf_char(&buf, (char)('a' + i % 26));
    assert_false(buf.failed);
    assert_int_equal(buf.len, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf.ptr[i], 'a' + i % 26);
    cov_buf_dispose(&buf);
}

static void buf__clear_gives_back_large_storage(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    COV_BUF_LIT(&buf, "abc");
    cov_buf_clear(&buf, 4096);
    assert_true(buf.cap > 0);
    assert_int_equal(buf.len, 0);
    cov_buf_clear(&buf, 1);
    assert_int_equal(buf.cap, 0);
    assert_null(buf.ptr);
}

static void buf__takes_storage_from_an_arena(void **state)
{
    cov_arena *arena = cov_arena_new(2048);
    cov_buf buf = COV_BUF_IN(arena);
    char expected[600];

    (void)state;
    memset(expected, 'x', sizeof expected);
    for (int i = 0; i < 600; i++)
        cov_buf_char(&buf, 'x');
    assert_false(buf.failed);
    assert_int_equal(buf.len, 600);
    assert_true(cov_arena_used(arena) >= 600);
    for (int i = 0; i < 3000; i++)
        cov_buf_char(&buf, 'y');
    assert_true(buf.failed);
    assert_true(buf.len < 3600);
    assert_memory_equal(buf.ptr, expected, sizeof expected);
    cov_buf_dispose(&buf);
    cov_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf__appends_in_order),
        cmocka_unit_test(buf__writes_integers),
        cmocka_unit_test(buf__limit_is_exact_and_failure_is_sticky),
        cmocka_unit_test(buf__refuses_a_length_that_overflows),
        cmocka_unit_test(buf__grows_and_keeps_content),
        cmocka_unit_test(buf__clear_gives_back_large_storage),
        cmocka_unit_test(buf__takes_storage_from_an_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
