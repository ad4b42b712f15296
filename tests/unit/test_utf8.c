/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

static void assert_str(cov_str actual, const char *expected)
{
    char text[512];

    assert_true(actual.len < sizeof text);
    if (actual.len != 0)
        memcpy(text, actual.ptr, actual.len);
    text[actual.len] = '\0';
    assert_string_equal(text, expected);
}

/* One row a sequence: the code point it decodes to and the bytes that takes; invalid takes 1. */
static void utf8__decodes_and_refuses(void **state)
{
    static const struct {
        cov_str bytes;
        uint32_t code_point;
        size_t len;
    } rows[] = {
        { COV_STR_INIT("\0"), 0, 1 },
        { COV_STR_INIT("a"), 'a', 1 },
        { COV_STR_INIT("\x7F"), 0x7F, 1 },
        { COV_STR_INIT("\xC2\x80"), 0x80, 2 },
        { COV_STR_INIT("\xDF\xBF"), 0x7FF, 2 },
        { COV_STR_INIT("\xE0\xA0\x80"), 0x800, 3 },
        { COV_STR_INIT("\xED\x9F\xBF"), 0xD7FF, 3 },
        { COV_STR_INIT("\xEE\x80\x80"), 0xE000, 3 },
        { COV_STR_INIT("\xEF\xBF\xBD"), 0xFFFD, 3 },
        { COV_STR_INIT("\xEF\xBF\xBF"), 0xFFFF, 3 },
        { COV_STR_INIT("\xF0\x90\x80\x80"), 0x10000, 4 },
        { COV_STR_INIT("\xF4\x8F\xBF\xBF"), 0x10FFFF, 4 },
        { COV_STR_INIT("\x80"), 0xFFFD, 1 },     /* a tail alone */
        { COV_STR_INIT("\xC0\x80"), 0xFFFD, 1 }, /* overlong */
        { COV_STR_INIT("\xC1\xBF"), 0xFFFD, 1 },
        { COV_STR_INIT("\xE0\x9F\xBF"), 0xFFFD, 1 },
        { COV_STR_INIT("\xF0\x8F\xBF\xBF"), 0xFFFD, 1 },
        { COV_STR_INIT("\xED\xA0\x80"), 0xFFFD, 1 }, /* surrogates */
        { COV_STR_INIT("\xED\xBF\xBF"), 0xFFFD, 1 },
        { COV_STR_INIT("\xF4\x90\x80\x80"), 0xFFFD, 1 }, /* beyond U+10FFFF */
        { COV_STR_INIT("\xF5\x80\x80\x80"), 0xFFFD, 1 },
        { COV_STR_INIT("\xFF"), 0xFFFD, 1 },
        { COV_STR_INIT("\xC3"), 0xFFFD, 1 }, /* cut short */
        { COV_STR_INIT("\xE2\x82"), 0xFFFD, 1 },
        { COV_STR_INIT("\xF0\x9F\x98"), 0xFFFD, 1 },
        { COV_STR_INIT("\xC3\x28"), 0xFFFD, 1 }, /* no tail */
        { COV_STR_INIT("\xE2\x82\x28"), 0xFFFD, 1 },
        { COV_STR_INIT("\xF0\x9F\x98\x28"), 0xFFFD, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        size_t at = 0;
        bool valid = rows[i].code_point != 0xFFFD || rows[i].len == 3;

        assert_int_equal(cov_utf8_next(rows[i].bytes, &at), rows[i].code_point);
        assert_int_equal(at, rows[i].len);
        assert_int_equal(cov_utf8_valid(rows[i].bytes), valid);
    }
}

/* Every code point survives append and next, with the length that its range asks for. */
static void utf8__append_and_next_agree(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF + 16; c++) {
        bool scalar = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        uint32_t expected = scalar ? c : 0xFFFD;
        size_t len = expected < 0x80 ? 1 : expected < 0x800 ? 2 : expected < 0x10000 ? 3 : 4;
        size_t at = 0;

        cov_buf_clear(&buf, SIZE_MAX);
        cov_utf8_append(&buf, c);
        assert_int_equal(buf.len, len);
        assert_int_equal(cov_utf8_next(cov_buf_view(&buf), &at), expected);
        assert_int_equal(at, len);
    }
    cov_buf_dispose(&buf);
}

/* Where the bad byte stands must not matter to the word-at-a-time walk. */
static void utf8__validity_at_every_position(void **state)
{
    char text[40];

    (void)state;
    assert_true(cov_utf8_valid(COV_STR_NULL));
    for (size_t len = 1; len <= sizeof text; len++) {
        memset(text, 'a', sizeof text);
        assert_true(cov_utf8_valid(cov_str_of(text, len)));
        for (size_t bad = 0; bad < len; bad++) {
            memset(text, 'a', sizeof text);
            text[bad] = '\x80';
            assert_false(cov_utf8_valid(cov_str_of(text, len)));
            assert_int_equal(cov_utf8_count(cov_str_of(text, len)), len);
        }
    }
}

static void utf8__counts_code_points(void **state)
{
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        { "", 0 },
        { "abcdefgh", 8 },
        { "na\xC3\xAFve caf\xC3\xA9", 10 },
        { "\xE2\x82\xAC", 1 },
        { "\xF0\x9F\x98\x80!", 2 },
        { "\xE2\x82", 2 },
        { "abcdefgh\xF0\x9F\x98ij", 13 },
    };

    (void)state;
    assert_int_equal(cov_utf8_count(COV_STR_NULL), 0);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_int_equal(cov_utf8_count(cov_str_from(rows[i].text)), rows[i].count);
}

static void utf8__repairs_each_invalid_byte(void **state)
{
    static const struct {
        const char *text;
        const char *repaired;
    } rows[] = {
        { "\xFF", "\xEF\xBF\xBD" },
        { "a\x80z", "a\xEF\xBF\xBDz" },
        { "\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "abcdefgh\xC3", "abcdefgh\xEF\xBF\xBD" },
        { "\xC3\xA9\xED\xA0\x80\xC3\xA9", "\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9" },
    };
    cov_arena *arena = cov_arena_new(0);

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_str(cov_utf8_repair(arena, cov_str_from(rows[i].text)), rows[i].repaired);
    cov_arena_free(arena);
}

static void utf8__repair_returns_valid_text_itself(void **state)
{
    cov_arena *arena = cov_arena_new(16);
    cov_str text = COV_STR("caf\xC3\xA9");
    cov_str bad = COV_STR("0123456789012345678901234567890123456789\xFF");

    (void)state;
    assert_ptr_equal(cov_utf8_repair(arena, text).ptr, text.ptr);
    assert_int_equal(cov_arena_used(arena), 0);
    assert_non_null(cov_utf8_repair(arena, COV_STR_NULL).ptr);
    assert_null(cov_utf8_repair(arena, bad).ptr);
    cov_arena_free(arena);
}

static void utf8__lowers_by_the_simple_mapping(void **state)
{
    static const struct {
        uint32_t from;
        uint32_t to;
    } rows[] = {
        { 'A', 'a' },
        { 'Z', 'z' },
        { '@', '@' },
        { '[', '[' },
        { 0xC0, 0xE0 },
        { 0xD7, 0xD7 },
        { 0xDE, 0xFE },
        { 0xDF, 0xDF },
        { 0xB5, 0xB5 },
        { 0xFF, 0xFF },
        { 0x100, 0x101 },
        { 0x101, 0x101 },
        { 0x130, 0x69 },
        { 0x131, 0x131 },
        { 0x139, 0x13A },
        { 0x13A, 0x13A },
        { 0x178, 0xFF },
        { 0x181, 0x253 },
        { 0x1C4, 0x1C6 },
        { 0x1C5, 0x1C6 },
        { 0x23A, 0x2C65 },
        { 0x386, 0x3AC },
        { 0x391, 0x3B1 },
        { 0x3A2, 0x3A2 },
        { 0x3A3, 0x3C3 },
        { 0x3C2, 0x3C2 },
        { 0x400, 0x450 },
        { 0x410, 0x430 },
        { 0x42F, 0x44F },
        { 0x430, 0x430 },
        { 0x531, 0x561 },
        { 0x10A0, 0x2D00 },
        { 0x13A0, 0xAB70 },
        { 0x1E9E, 0xDF },
        { 0x1FBA, 0x1F70 },
        { 0x2126, 0x3C9 },
        { 0x212A, 0x6B },
        { 0x212B, 0xE5 },
        { 0x2160, 0x2170 },
        { 0x24B6, 0x24D0 },
        { 0x4E00, 0x4E00 },
        { 0xAC00, 0xAC00 },
        { 0xFF21, 0xFF41 },
        { 0x10400, 0x10428 },
        { 0x1E921, 0x1E943 },
        { 0x1E922, 0x1E922 },
        { 0x1F600, 0x1F600 },
        { 0x10FFFF, 0x10FFFF },
        { 0xFFFFFFFF, 0xFFFFFFFF },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_int_equal(cov_unicode_lower(rows[i].from), rows[i].to);
}

static void utf8__lower_is_idempotent_everywhere(void **state)
{
    size_t changed = 0;

    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        uint32_t once = cov_unicode_lower(c);

        assert_int_equal(cov_unicode_lower(once), once);
        changed += once != c;
    }
    /* Unicode 14 has 1433 code points with a simple lower-case mapping. */
    assert_int_equal(changed, 1433);
}

static void utf8__lowers_text(void **state)
{
    static const struct {
        const char *text;
        const char *lower;
    } rows[] = {
        { "", "" },
        { "Hello, World @[`{ 0123456789 XYZ", "hello, world @[`{ 0123456789 xyz" },
        { "\xC3\x89"
          "COLE",
          "\xC3\xA9"
          "cole" },
        { "\xD0\x9F\xD0\xA0\xD0\x98 AbC", "\xD0\xBF\xD1\x80\xD0\xB8 abc" },
        { "\xCE\xA3\xCE\xA3", "\xCF\x83\xCF\x83" },
        { "\xC8\xBA", "\xE2\xB1\xA5" },
        { "A\xFFZ", "a\xEF\xBF\xBDz" },
        { "\xE4\xB8\xAD\xE6\x96\x87", "\xE4\xB8\xAD\xE6\x96\x87" },
    };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_buf_clear(&buf, SIZE_MAX);
        cov_utf8_lower(&buf, cov_str_from(rows[i].text));
        assert_false(buf.failed);
        assert_str(cov_buf_view(&buf), rows[i].lower);
    }
    cov_buf_dispose(&buf);
}

/* The word, step and byte paths give what one code point after the other gives. */
static void utf8__lower_does_not_depend_on_position(void **state)
{
    cov_buf text = COV_BUF_INIT;
    cov_buf whole = COV_BUF_INIT;
    cov_buf single = COV_BUF_INIT;
    uint32_t random = 12345;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        cov_buf_clear(&text, SIZE_MAX);
        cov_buf_clear(&whole, SIZE_MAX);
        cov_buf_clear(&single, SIZE_MAX);
        for (int i = 0; i < round % 150; i++) {
            random = random * 1664525 + 1013904223;
            cov_utf8_append(&text, random >> 31 ? random % 128 : random % 0x2500);
        }
        cov_utf8_lower(&whole, cov_buf_view(&text));
        for (size_t at = 0; at < text.len;)
            cov_utf8_append(&single, cov_unicode_lower(cov_utf8_next(cov_buf_view(&text), &at)));
        assert_int_equal(whole.len, single.len);
        if (single.len != 0)
            assert_memory_equal(whole.ptr, single.ptr, single.len);
    }
    cov_buf_dispose(&single);
    cov_buf_dispose(&whole);
    cov_buf_dispose(&text);
}

static void utf8__lower_fits_an_exact_limit(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    buf.limit = 4;
    cov_utf8_lower(&buf, COV_STR("A\xC3\x89Z"));
    assert_false(buf.failed);
    assert_str(cov_buf_view(&buf), "a\xC3\xA9z");
    cov_utf8_lower(&buf, COV_STR("\xC3\x89"));
    assert_true(buf.failed);
    cov_buf_dispose(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8__decodes_and_refuses),
        cmocka_unit_test(utf8__append_and_next_agree),
        cmocka_unit_test(utf8__validity_at_every_position),
        cmocka_unit_test(utf8__counts_code_points),
        cmocka_unit_test(utf8__repairs_each_invalid_byte),
        cmocka_unit_test(utf8__repair_returns_valid_text_itself),
        cmocka_unit_test(utf8__lowers_by_the_simple_mapping),
        cmocka_unit_test(utf8__lower_is_idempotent_everywhere),
        cmocka_unit_test(utf8__lowers_text),
        cmocka_unit_test(utf8__lower_does_not_depend_on_position),
        cmocka_unit_test(utf8__lower_fits_an_exact_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
