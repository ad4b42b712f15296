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

static void assert_str(cov_str actual, const char *expected)
{
    char text[2048];

    assert_true(actual.len < sizeof text);
    if (actual.len != 0)
        memcpy(text, actual.ptr, actual.len);
    text[actual.len] = '\0';
    assert_string_equal(text, expected);
}

/* ---- writing ---- */

static void json__escapes_strings(void **state)
{
    static const struct {
        cov_str text;
        const char *json;
    } rows[] = {
        { COV_STR_INIT(""), "\"\"" },
        { COV_STR_INIT("abc"), "\"abc\"" },
        { COV_STR_INIT("a\"b\\c/"), "\"a\\\"b\\\\c/\"" },
        { COV_STR_INIT("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"" },
        { COV_STR_INIT("\0\x01\x0B\x1E\x1F\x7F"), "\"\\u0000\\u0001\\u000b\\u001e\\u001f\x7F\"" },
        { COV_STR_INIT("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"),
          "\"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"" },
        { COV_STR_INIT("\xE2\x80\xA8\xE2\x80\xA9"), "\"\xE2\x80\xA8\xE2\x80\xA9\"" },
        { COV_STR_INIT("\xFF"), "\"\xEF\xBF\xBD\"" },
        { COV_STR_INIT("a\xE2\x82z"), "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\"" },
        { COV_STR_INIT("\xEF\xBF\xBD"), "\"\xEF\xBF\xBD\"" },
        { COV_STR_INIT("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
    };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_buf_clear(&buf, SIZE_MAX);
        cov_json_str(&buf, rows[i].text);
        assert_false(buf.failed);
        assert_str(cov_buf_view(&buf), rows[i].json);
    }
    cov_buf_clear(&buf, SIZE_MAX);
    cov_json_str(&buf, COV_STR_NULL);
    assert_str(cov_buf_view(&buf), "\"\"");
    cov_buf_dispose(&buf);
}

/* What JSON says about one byte, written the slow way. */
static size_t naive_byte(unsigned char c, char *out)
{
    static const char names[] = "\"\\\b\t\n\f\r";
    static const char letters[] = "\"\\btnfr";

    for (size_t i = 0; i < sizeof names - 1; i++)
        if (c == (unsigned char)names[i])
            return (size_t)sprintf(out, "\\%c", letters[i]);
    if (c < 0x20)
        return (size_t)sprintf(out, "\\u%04x", c);
    if (c >= 0x80)
        return (size_t)sprintf(out, "\xEF\xBF\xBD");
    return (size_t)sprintf(out, "%c", c);
}

/* Every byte at every place of texts of every length that the word-at-a-time loop tells apart. */
static void json__every_byte_at_every_position(void **state)
{
    cov_buf buf = COV_BUF_INIT;
    char *text = malloc(40);

    (void)state;
    assert_non_null(text);
    for (size_t len = 1; len <= 26; len++) {
        /* At the end of its block, so that a read too far is seen. */
        char *start = text + 40 - len;

        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                char expected[64] = "\"";
                size_t n = 1;

                memset(start, 'z', len);
                start[at] = (char)c;
                for (size_t i = 0; i < len; i++)
                    n += naive_byte((unsigned char)start[i], expected + n);
                expected[n++] = '"';
                cov_buf_clear(&buf, SIZE_MAX);
                cov_json_str(&buf, cov_str_of(start, len));
                if (buf.len != n || memcmp(buf.ptr, expected, n) != 0)
                    fail_msg("byte %d at %zu of %zu: %.*s, not %.*s", c, at, len, (int)buf.len,
                             buf.ptr, (int)n, expected);
            }
        }
    }
    free(text);
    cov_buf_dispose(&buf);
}

static void json__str_fits_an_exact_limit(void **state)
{
    static const struct {
        const char *text;
        size_t limit;
    } rows[] = { { "abc", 5 }, { "a\"c", 6 }, { "\x01", 8 }, { "\xC3\xA9", 4 }, { "", 2 } };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_buf fits = COV_BUF_INIT;
        cov_buf fails = COV_BUF_INIT;

        fits.limit = rows[i].limit;
        fails.limit = rows[i].limit - 1;
        cov_json_str(&fits, cov_str_from(rows[i].text));
        cov_json_str(&fails, cov_str_from(rows[i].text));
        assert_false(fits.failed);
        assert_int_equal(fits.len, rows[i].limit);
        assert_true(fails.failed);
        cov_buf_dispose(&fits);
        cov_buf_dispose(&fails);
    }
}

static void json__integers_beyond_2_53_become_strings(void **state)
{
    static const struct {
        int64_t value;
        const char *json;
    } rows[] = {
        { 0, "0" },
        { -5, "-5" },
        { COV_JSON_MAX_SAFE_INT, "9007199254740991" },
        { -COV_JSON_MAX_SAFE_INT, "-9007199254740991" },
        { COV_JSON_MAX_SAFE_INT + 1, "\"9007199254740992\"" },
        { -COV_JSON_MAX_SAFE_INT - 1, "\"-9007199254740992\"" },
        { INT64_MAX, "\"9223372036854775807\"" },
        { INT64_MIN, "\"-9223372036854775808\"" },
    };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_buf_clear(&buf, SIZE_MAX);
        cov_json_int(&buf, rows[i].value);
        assert_str(cov_buf_view(&buf), rows[i].json);
    }
    cov_buf_dispose(&buf);
}

static void json__scalars(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    cov_json_double(&buf, 3.35);
    cov_buf_char(&buf, ' ');
    cov_json_double(&buf, 2.0);
    cov_buf_char(&buf, ' ');
    cov_json_double(&buf, -0.0);
    cov_buf_char(&buf, ' ');
    cov_json_double(&buf, 1e21);
    cov_buf_char(&buf, ' ');
    cov_json_double(&buf, NAN);
    cov_buf_char(&buf, ' ');
    cov_json_double(&buf, -INFINITY);
    cov_buf_char(&buf, ' ');
    cov_json_bool(&buf, true);
    cov_buf_char(&buf, ' ');
    cov_json_bool(&buf, false);
    assert_str(cov_buf_view(&buf), "3.35 2 0 1e+21 null null true false");
    cov_buf_dispose(&buf);
}

/* ---- reading, and writing what was read ---- */

/* Read `text` and write it to `out`, which the caller disposes. */
static cov_status rewrite(cov_arena *arena, cov_str text, cov_buf *out, cov_error *err)
{
    yyjson_val *value = NULL;
    cov_status st;

    cov_error_init(err, arena);
    st = cov_json_read(arena, text, &value, err);
    if (st == COV_OK)
        cov_json_value(out, value);
    else
        assert_null(value);
    return st;
}

static void assert_rewrite(cov_str text, const char *expected)
{
    cov_arena *arena = cov_arena_new(0);
    cov_buf out = COV_BUF_INIT;
    cov_error err;

    if (rewrite(arena, text, &out, &err) != COV_OK)
        fail_msg("%.*s: %.*s", COV_STR_ARG(text), COV_STR_ARG(cov_error_detail(&err)));
    assert_false(out.failed);
    assert_str(cov_buf_view(&out), expected);
    cov_buf_dispose(&out);
    cov_arena_free(arena);
}

static void json__canonical_form(void **state)
{
    static const struct {
        const char *text;
        const char *json;
    } rows[] = {
        { "null", "null" },
        { " true ", "true" },
        { "\t\r\n[ ]", "[]" },
        { "{ }", "{}" },
        { "\"\\u0041\\/\\u00e9\\ud83d\\ude00\"", "\"A/\xC3\xA9\xF0\x9F\x98\x80\"" },
        { "\"\\u0000\\u001f\\n\"", "\"\\u0000\\u001f\\n\"" },
        { "[1, 1.0, 1e0, -0, -0.0, 0.10, 100e-2]", "[1,1,1,0,0,0.1,1]" },
        { "[1e21,1e-7,1e20,123456789012345678901234567890.5]",
          "[1e+21,1e-7,100000000000000000000,1.2345678901234568e+29]" },
        { "[9007199254740993,-9007199254740993]", "[9007199254740993,-9007199254740993]" },
        { "[9223372036854775807,-9223372036854775808]",
          "[9223372036854775807,-9223372036854775808]" },
        { "[18446744073709551615,18446744073709551616]",
          "[18446744073709551615,18446744073709551616]" },
        { "[-9223372036854775809, 1]", "[-9223372036854775809,1]" },
        { "[1e400,-1e400,1E+999]", "[null,null,null]" },
        { "{\"b\":1,\"a\":[{\"c\":null}],\"\":2}", "{\"b\":1,\"a\":[{\"c\":null}],\"\":2}" },
        /* array indexes first */
        { "{\"b\":1,\"2\":2,\"1\":1}", "{\"1\":1,\"2\":2,\"b\":1}" },
        { "{\"10\":1,\"9\":2,\"0\":3}", "{\"0\":3,\"9\":2,\"10\":1}" },
        { "{\"4294967295\":1,\"4294967294\":2,\"z\":0}",
          "{\"4294967294\":2,\"4294967295\":1,\"z\":0}" },
        { "{\"01\":1,\"-1\":2,\"1.0\":3,\"1\":4}", "{\"1\":4,\"01\":1,\"-1\":2,\"1.0\":3}" },
        { "{\"99999999999\":1,\"5\":2}", "{\"5\":2,\"99999999999\":1}" },
        /* duplicates */
        { "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}" },
        { "{\"a\":1,\"a\":2,\"a\":[]}", "{\"a\":[]}" },
        { "{\"1\":1,\"a\":{\"x\":1,\"x\":2},\"1\":2}", "{\"1\":2,\"a\":{\"x\":2}}" },
        { "{\"a\":1,\"\\u0061\":2}", "{\"a\":2}" },
        { "{\"__proto__\":1}", "{\"__proto__\":1}" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_rewrite(cov_str_from(rows[i].text), rows[i].json);
}

/* 40 keys, three times each in another order: sorted and unsorted objects end the same way. */
static void json__large_objects_follow_the_same_rules(void **state)
{
    cov_buf text = COV_BUF_INIT;
    cov_buf expected = COV_BUF_INIT;

    (void)state;
    cov_buf_char(&text, '{');
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 40; i++)
            cov_buf_printf(&text, "%s\"%s%d\":%d", round + i == 0 ? "" : ",", i % 2 != 0 ? "k" : "",
                           (39 - i) / 2, round * 100 + i);
    cov_buf_char(&text, '}');
    cov_buf_char(&expected, '{');
    for (int i = 38; i >= 0; i -= 2)
        cov_buf_printf(&expected, "\"%d\":%d,", (39 - i) / 2, 200 + i);
    for (int i = 1; i < 40; i += 2)
        cov_buf_printf(&expected, "\"k%d\":%d%s", (39 - i) / 2, 200 + i, i < 39 ? "," : "}");
    cov_buf_char(&expected, '\0');
    assert_false(text.failed || expected.failed);
    assert_rewrite(cov_buf_view(&text), expected.ptr);
    cov_buf_dispose(&expected);
    cov_buf_dispose(&text);
}

/* Keys chosen to be many: quadratic work would take minutes. */
static void json__a_hundred_thousand_keys_are_quick(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    cov_buf text = COV_BUF_INIT;
    cov_buf out = COV_BUF_INIT;
    cov_error err;

    (void)state;
    cov_buf_char(&text, '{');
    for (int i = 0; i < 100000; i++)
        cov_buf_printf(&text, "%s\"a%d\":1", i == 0 ? "" : ",", i);
    cov_buf_char(&text, '}');
    assert_int_equal(rewrite(arena, cov_buf_view(&text), &out, &err), COV_OK);
    assert_int_equal(out.len, text.len);
    assert_memory_equal(out.ptr, text.ptr, out.len);
    cov_buf_dispose(&out);
    cov_buf_dispose(&text);
    cov_arena_free(arena);
}

static void json__repairs_text(void **state)
{
    static const struct {
        const char *text;
        const char *json;
    } rows[] = {
        { "\xEF\xBB\xBF{\"a\":1}", "{\"a\":1}" },
        { "\"a\xFFz\"", "\"a\xEF\xBF\xBDz\"" },
        { "{\"\xC3\":\"\xE2\x82\"}", "{\"\xEF\xBF\xBD\":\"\xEF\xBF\xBD\xEF\xBF\xBD\"}" },
        { "\"\\ud800\"", "\"\xEF\xBF\xBD\"" },
        { "\"\\udc00\"", "\"\xEF\xBF\xBD\"" },
        { "\"\\uD83D\\uDE00\\uD83D\"", "\"\xF0\x9F\x98\x80\xEF\xBF\xBD\"" },
        { "\"\\ud800\\ud83d\\ude00\"", "\"\xEF\xBF\xBD\xF0\x9F\x98\x80\"" },
        { "\"\\udE00\\uD83D\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },
        { "\"\\ud800\\u0041\"", "\"\xEF\xBF\xBD"
                                "A\"" },
        { "\"\\ud800x\\\\ud800\"", "\"\xEF\xBF\xBDx\\\\ud800\"" },
        { "\"\\\\\\ud800\xFF\"", "\"\\\\\xEF\xBF\xBD\xEF\xBF\xBD\"" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_rewrite(cov_str_from(rows[i].text), rows[i].json);
}

static void json__refuses_with_the_place(void **state)
{
    static const struct {
        cov_str text;
        size_t offset;
    } rows[] = {
        { COV_STR_INIT(""), 0 },
        { COV_STR_INIT("  \n"), 3 },
        { COV_STR_INIT("\xEF\xBB\xBF"), 3 },
        { COV_STR_INIT("\xEF\xBB\xBF "), 4 },
        { COV_STR_INIT("[1,]"), 2 },
        { COV_STR_INIT("[1,2"), 4 },
        { COV_STR_INIT("{\"a\":1,}"), 6 },
        { COV_STR_INIT("{a:1}"), 1 },
        { COV_STR_INIT("{\"a\" 1}"), 5 },
        { COV_STR_INIT("[1 2]"), 3 },
        { COV_STR_INIT("nul"), 3 },
        { COV_STR_INIT("[nil]"), 1 },
        { COV_STR_INIT("'a'"), 0 },
        { COV_STR_INIT("\"a"), 2 },
        { COV_STR_INIT("\"a\nb\""), 2 },
        { COV_STR_INIT("\"\\x\""), 2 },
        { COV_STR_INIT("\"\\u12g4\""), 1 },
        { COV_STR_INIT("1 2"), 2 },
        { COV_STR_INIT("1\0"), 1 },
        { COV_STR_INIT("01"), 0 },
        { COV_STR_INIT("NaN"), 0 },
        { COV_STR_INIT("Infinity"), 0 },
        { COV_STR_INIT("-"), 1 },
        { COV_STR_INIT("/**/1"), 0 },
        { COV_STR_INIT("\xFF"), 0 },
        { COV_STR_INIT("\xEF\xBB\xBF[1 2]"), 6 },
        { COV_STR_INIT("[\"\xFF\xFF\",x]"), 6 },
        { COV_STR_INIT("[\"\\ud800\xFF\" x]"), 11 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_arena *arena = cov_arena_new(0);
        cov_buf out = COV_BUF_INIT;
        char prefix[64];
        cov_error err;

        if (rewrite(arena, rows[i].text, &out, &err) != COV_EINVAL)
            fail_msg("\"%.*s\" was accepted", COV_STR_ARG(rows[i].text));
        if (err.offset != rows[i].offset)
            fail_msg("\"%.*s\": at %zu, not %zu: %.*s", COV_STR_ARG(rows[i].text), err.offset,
                     rows[i].offset, COV_STR_ARG(cov_error_detail(&err)));
        snprintf(prefix, sizeof prefix, "invalid JSON at byte %zu: ", rows[i].offset);
        assert_true(cov_str_starts(cov_error_detail(&err), cov_str_from(prefix)));
        cov_buf_dispose(&out);
        cov_arena_free(arena);
    }
}

static void json__error_may_be_null(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    yyjson_val *value = NULL;

    (void)state;
    assert_int_equal(cov_json_read(arena, COV_STR("["), &value, NULL), COV_EINVAL);
    assert_int_equal(cov_json_read(arena, COV_STR_NULL, &value, NULL), COV_EINVAL);
    assert_null(value);
    cov_arena_free(arena);
}

/* `depth` brackets, opened and, when asked, closed. */
static void nest(cov_buf *text, int depth, bool objects, bool closed)
{
    for (int i = 0; i < depth; i++)
        cov_buf_str(text, objects ? COV_STR("{\"[\":") : COV_STR("["));
    COV_BUF_LIT(text, "1");
    for (int i = 0; closed && i < depth; i++)
        cov_buf_char(text, objects ? '}' : ']');
}

static void json__depth_is_bounded(void **state)
{
    static const struct {
        int depth;
        bool objects;
        bool closed;
        size_t offset; /* COV_NO_OFFSET: accepted */
    } rows[] = {
        { 1, false, true, COV_NO_OFFSET }, { 64, false, true, COV_NO_OFFSET },
        { 64, true, true, COV_NO_OFFSET }, { 65, false, true, 64 },
        { 65, true, true, 64 * 5 },        { 65, false, false, 64 },
        { 64, false, false, 65 },          { 100000, false, true, 64 },
        { 1000000, false, false, 64 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_arena *arena = cov_arena_new(0);
        cov_buf text = COV_BUF_INIT;
        cov_buf out = COV_BUF_INIT;
        cov_error err;
        cov_status st;

        nest(&text, rows[i].depth, rows[i].objects, rows[i].closed);
        st = rewrite(arena, cov_buf_view(&text), &out, &err);
        assert_int_equal(st, rows[i].offset == COV_NO_OFFSET ? COV_OK : COV_EINVAL);
        assert_int_equal(err.offset, rows[i].offset);
        if (st == COV_OK) {
            assert_false(out.failed);
            assert_int_equal(out.len, text.len);
            assert_memory_equal(out.ptr, text.ptr, out.len);
        }
        cov_buf_dispose(&out);
        cov_buf_dispose(&text);
        cov_arena_free(arena);
    }
}

static void json__depth_counts_the_byte_order_mark(void **state)
{
    (void)state;
    for (int closed = 0; closed < 2; closed++) {
        cov_arena *arena = cov_arena_new(0);
        cov_buf text = COV_BUF_INIT;
        cov_buf out = COV_BUF_INIT;
        cov_error err;

        COV_BUF_LIT(&text, "\xEF\xBB\xBF");
        nest(&text, 65, false, closed);
        assert_int_equal(rewrite(arena, cov_buf_view(&text), &out, &err), COV_EINVAL);
        assert_int_equal(err.offset, 3 + 64);
        cov_buf_dispose(&out);
        cov_buf_dispose(&text);
        cov_arena_free(arena);
    }
}

/* Siblings do not add up, whatever closes before the next one opens. */
static void json__depth_is_not_a_count(void **state)
{
    cov_buf text = COV_BUF_INIT;

    (void)state;
    cov_buf_char(&text, '[');
    for (int i = 0; i < 200; i++)
        cov_buf_printf(&text, "%s[[],{\"a\":[]},[1]]", i == 0 ? "" : ",");
    cov_buf_char(&text, ']');
    {
        cov_arena *arena = cov_arena_new(0);
        cov_buf out = COV_BUF_INIT;
        cov_error err;

        assert_int_equal(rewrite(arena, cov_buf_view(&text), &out, &err), COV_OK);
        assert_int_equal(out.len, text.len);
        cov_buf_dispose(&out);
        cov_arena_free(arena);
    }
    cov_buf_dispose(&text);
}

/* A value that cov_json_read would not return fails the buffer instead of the stack. */
static void json__writer_refuses_unbounded_depth(void **state)
{
    cov_buf text = COV_BUF_INIT;
    cov_buf out = COV_BUF_INIT;
    yyjson_doc *doc;

    (void)state;
    nest(&text, 5000, false, true);
    doc = yyjson_read(text.ptr, text.len, 0);
    assert_non_null(doc);
    cov_json_value(&out, yyjson_doc_get_root(doc));
    assert_true(out.failed);
    yyjson_doc_free(doc);
    cov_buf_dispose(&out);
    cov_buf_dispose(&text);
}

static void json__the_input_is_not_touched(void **state)
{
    char text[] = "\xEF\xBB\xBF{\"a\\n\":[1,\"\\ud800\xFF\"]}";
    char before[sizeof text];
    cov_arena *arena = cov_arena_new(0);
    yyjson_val *value = NULL;
    cov_error err;

    (void)state;
    memcpy(before, text, sizeof text);
    cov_error_init(&err, arena);
    assert_int_equal(cov_json_read(arena, cov_str_of(text, sizeof text - 1), &value, &err), COV_OK);
    assert_memory_equal(text, before, sizeof text);
    memset(text, 0, sizeof text);
    assert_string_equal(yyjson_get_str(yyjson_arr_get(yyjson_obj_get(value, "a\n"), 1)),
                        "\xEF\xBF\xBD\xEF\xBF\xBD");
    cov_arena_free(arena);
}

/* However little memory there is, the answer is a value or COV_ENOMEM, and writing marks the buffer. */
static void json__out_of_memory_at_every_size(void **state)
{
    cov_str text = COV_STR(
        "{\"b\":[1,2,3,{\"x\":\"\\ud800\xFF\"}],\"1\":[],\"c\":[[[[[[1]]]]]],\"d\":18446744073709551616}");
    bool succeeded = false;

    (void)state;
    for (size_t limit = 16; limit < 4096; limit += 16) {
        cov_arena *arena = cov_arena_new(limit);
        yyjson_val *value = NULL;
        cov_error err;
        cov_status st;

        cov_error_init(&err, NULL);
        st = cov_json_read(arena, text, &value, &err);
        if (st == COV_OK) {
            cov_buf out = COV_BUF_IN(arena);

            succeeded = true;
            cov_json_value(&out, value);
            if (!out.failed)
                assert_true(
                    cov_str_starts(cov_buf_view(&out), COV_STR("{\"1\":[],\"b\":[1,2,3,{\"x\":")));
        } else {
            assert_int_equal(st, COV_ENOMEM);
            assert_null(value);
        }
        cov_arena_free(arena);
    }
    assert_true(succeeded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json__escapes_strings),
        cmocka_unit_test(json__every_byte_at_every_position),
        cmocka_unit_test(json__str_fits_an_exact_limit),
        cmocka_unit_test(json__integers_beyond_2_53_become_strings),
        cmocka_unit_test(json__scalars),
        cmocka_unit_test(json__canonical_form),
        cmocka_unit_test(json__large_objects_follow_the_same_rules),
        cmocka_unit_test(json__a_hundred_thousand_keys_are_quick),
        cmocka_unit_test(json__repairs_text),
        cmocka_unit_test(json__refuses_with_the_place),
        cmocka_unit_test(json__error_may_be_null),
        cmocka_unit_test(json__depth_is_bounded),
        cmocka_unit_test(json__depth_counts_the_byte_order_mark),
        cmocka_unit_test(json__depth_is_not_a_count),
        cmocka_unit_test(json__writer_refuses_unbounded_depth),
        cmocka_unit_test(json__the_input_is_not_touched),
        cmocka_unit_test(json__out_of_memory_at_every_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
