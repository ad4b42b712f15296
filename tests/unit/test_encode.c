/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"

static void assert_str(cov_str actual, const char *expected)
{
    char text[256];

    assert_true(actual.len < sizeof text);
    if (actual.len != 0)
        memcpy(text, actual.ptr, actual.len);
    text[actual.len] = '\0';
    assert_string_equal(text, expected);
}

/* RFC 4648 section 10, and bytes whose text differs between the alphabets. */
static const struct {
    cov_str bytes;
    const char *standard;
    const char *url;
} base64_rows[] = {
    { COV_STR_INIT(""), "", "" },
    { COV_STR_INIT("f"), "Zg==", "Zg" },
    { COV_STR_INIT("fo"), "Zm8=", "Zm8" },
    { COV_STR_INIT("foo"), "Zm9v", "Zm9v" },
    { COV_STR_INIT("foob"), "Zm9vYg==", "Zm9vYg" },
    { COV_STR_INIT("fooba"), "Zm9vYmE=", "Zm9vYmE" },
    { COV_STR_INIT("foobar"), "Zm9vYmFy", "Zm9vYmFy" },
    { COV_STR_INIT("\xFB\xEF\xFF"), "++//", "--__" },
    { COV_STR_INIT("\0\0"), "AAA=", "AAA" },
    { COV_STR_INIT("{\"v\":20,\"id\":\"20\",\"_ver\":1}"), "eyJ2IjoyMCwiaWQiOiIyMCIsIl92ZXIiOjF9",
      "eyJ2IjoyMCwiaWQiOiIyMCIsIl92ZXIiOjF9" },
};

static void encode__base64_of_the_rfc(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(base64_rows); i++) {
        cov_buf_clear(&buf, SIZE_MAX);
        cov_base64(&buf, base64_rows[i].bytes);
        assert_str(cov_buf_view(&buf), base64_rows[i].standard);
        cov_buf_clear(&buf, SIZE_MAX);
        cov_base64url(&buf, base64_rows[i].bytes);
        assert_str(cov_buf_view(&buf), base64_rows[i].url);
    }
    cov_buf_dispose(&buf);
}

static void encode__base64_decodes_either_alphabet(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(base64_rows); i++) {
        const char *const texts[] = { base64_rows[i].standard, base64_rows[i].url };

        for (size_t j = 0; j < 2; j++) {
            cov_buf_clear(&buf, SIZE_MAX);
            assert_true(cov_base64_decode(&buf, cov_str_from(texts[j])));
            assert_int_equal(buf.len, base64_rows[i].bytes.len);
            if (buf.len != 0)
                assert_memory_equal(buf.ptr, base64_rows[i].bytes.ptr, buf.len);
        }
    }
    cov_buf_dispose(&buf);
}

static void encode__base64_refuses_other_text(void **state)
{
    static const char *const rows[] = { "A",      "AAAAA",      "=",    "==",       "====",
                                        "A=",     "A===",       "AA=",  "AAA==",    "AAAA=",
                                        "AAAA==", "Zg= ",       "Z g=", "Zg==\n",   "Zm9v!",
                                        "Z=g=",   "Zm\xC3\xA9", "Zg=a", "Zg==Zg==", "Zg.A" };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    COV_BUF_LIT(&buf, "kept");
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        if (cov_base64_decode(&buf, cov_str_from(rows[i])))
            fail_msg("\"%s\" was accepted", rows[i]);
    assert_false(cov_base64_decode(&buf, COV_STR("AA\0A")));
    assert_false(buf.failed);
    assert_str(cov_buf_view(&buf), "kept");
    cov_buf_dispose(&buf);
}

static void encode__base64_round_trips(void **state)
{
    cov_buf text = COV_BUF_INIT;
    cov_buf back = COV_BUF_INIT;
    uint32_t random = 1;
    char bytes[200];

    (void)state;
    for (size_t round = 0; round < 2000; round++) {
        cov_str original = cov_str_of(bytes, round % sizeof bytes);

        for (size_t i = 0; i < original.len; i++)
            bytes[i] = (char)((random = random * 1664525 + 1013904223) >> 24);
        for (int url = 0; url < 2; url++) {
            cov_buf_clear(&text, SIZE_MAX);
            cov_buf_clear(&back, SIZE_MAX);
            if (url)
                cov_base64url(&text, original);
            else
                cov_base64(&text, original);
            assert_int_equal(text.len,
                             url ? (original.len * 4 + 2) / 3 : (original.len + 2) / 3 * 4);
            assert_true(cov_base64_decode(&back, cov_buf_view(&text)));
            assert_int_equal(back.len, original.len);
            if (back.len != 0)
                assert_memory_equal(back.ptr, bytes, back.len);
        }
    }
    cov_buf_dispose(&back);
    cov_buf_dispose(&text);
}

static void encode__hex_is_lower_case(void **state)
{
    static const uint8_t bytes[] = { 0x00, 0x0F, 0xF0, 0xAB, 0xFF };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    cov_hex(&buf, bytes, sizeof bytes);
    assert_str(cov_buf_view(&buf), "000ff0abff");
    cov_hex(&buf, bytes, 0);
    assert_int_equal(buf.len, 10);
    cov_buf_dispose(&buf);
}

static void encode__failure_is_sticky(void **state)
{
    static const uint8_t bytes[] = { 1, 2, 3 };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    buf.limit = 3;
    cov_base64(&buf, COV_STR("abc"));
    assert_true(buf.failed);
    assert_false(cov_base64_decode(&buf, COV_STR("AAAA")));
    cov_hex(&buf, bytes, 1);
    assert_int_equal(buf.len, 0);
    cov_buf_dispose(&buf);
}

static void encode__percent_decodes_leniently(void **state)
{
    static const struct {
        const char *text;
        bool plus_is_space;
        const char *decoded;
    } rows[] = {
        /* spec/02 section 1 */
        { "email%=\"%@x.com\"", true, "email%=\"%@x.com\"" },
        { "a%ad", true, "a%ad" },
        { "a%C3%A9%zz+b%2Bc", true, "a\xC3\xA9%zz b+c" },
        { "", true, "" },
        { "plain", true, "plain" },
        { "a+b", true, "a b" },
        { "a+b", false, "a+b" },
        { "a%2Fb", false, "a/b" },
        { "%41%62%7a", true, "Abz" },
        { "%41+%FF+", false, "A+%FF+" },
        { "%c3%a9%C3%A9", true, "\xC3\xA9\xC3\xA9" },
        { "%", true, "%" },
        { "%4", true, "%4" },
        { "%%41", true, "%A" },
        { "%4%41", true, "%4A" },
        { "%g1%1g", true, "%g1%1g" },
        { "%2541", true, "%41" },
        /* one bad run leaves the good ones decoded */
        { "%C3%A9-%FF-%41", true, "\xC3\xA9-%FF-A" },
        { "%C3-%A9", true, "%C3-%A9" },
        { "%41%FF", true, "%41%FF" },
        { "%FF+%2B", true, "%FF +" },
        { "%ED%A0%80", true, "%ED%A0%80" },
        { "%F0%9F%98%80", true, "\xF0\x9F\x98\x80" },
        { "%C3\xA9", true, "\xC3\xA9" },
        { "%e2%82%ac%", true, "\xE2\x82\xAC%" },
    };
    cov_arena *arena = cov_arena_new(0);

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_str(cov_percent_decode(arena, cov_str_from(rows[i].text), rows[i].plus_is_space),
                   rows[i].decoded);
    assert_int_equal(cov_percent_decode(arena, COV_STR("a%00b"), true).len, 3);
    cov_arena_free(arena);
}

static void encode__percent_decode_borrows_when_it_can(void **state)
{
    cov_arena *arena = cov_arena_new(16);
    cov_str plain = COV_STR("a=b");
    cov_str plus = COV_STR("a+b");
    cov_str large = COV_STR("%41%41%41%41%41%41%41%41%41%41%41%41%41%41");

    (void)state;
    assert_ptr_equal(cov_percent_decode(arena, plain, true).ptr, plain.ptr);
    assert_ptr_equal(cov_percent_decode(arena, plus, false).ptr, plus.ptr);
    assert_non_null(cov_percent_decode(arena, COV_STR_NULL, true).ptr);
    assert_int_equal(cov_arena_used(arena), 0);
    assert_null(cov_percent_decode(arena, large, true).ptr);
    cov_arena_free(arena);
}

static void encode__percent_decodes_all_or_nothing(void **state)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "a+b", "a+b" },
        { "%41%62", "Ab" },
        { "%C3%A9", "\xC3\xA9" },
        { "%41%zz", "%41%zz" },
        { "%41%", "%41%" },
        { "%41%4", "%41%4" },
        { "%41%FF", "%41%FF" },
        { "%C3-%A9", "%C3-%A9" },
        { "%2541", "%41" },
        { "%ED%A0%80%41", "%ED%A0%80%41" },
    };
    cov_arena *arena = cov_arena_new(0);
    cov_arena *small = cov_arena_new(1);

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_str(cov_percent_decode_all(arena, cov_str_from(rows[i][0])), rows[i][1]);
    assert_non_null(cov_percent_decode_all(arena, COV_STR_NULL).ptr);
    assert_null(cov_percent_decode_all(small, COV_STR("%41%41")).ptr);
    cov_arena_free(small);
    cov_arena_free(arena);
}

static void encode__percent_encodes(void **state)
{
    static const struct {
        cov_str text;
        const char *component;
        const char *form;
    } rows[] = {
        { COV_STR_INIT(""), "", "" },
        { COV_STR_INIT("azAZ09-_."), "azAZ09-_.", "azAZ09-_." },
        { COV_STR_INIT("!~*'()"), "!~*'()", "%21%7E*%27%28%29" },
        { COV_STR_INIT("a b+c"), "a%20b%2Bc", "a+b%2Bc" },
        { COV_STR_INIT("\xC3\xA9/?&=#%\""), "%C3%A9%2F%3F%26%3D%23%25%22",
          "%C3%A9%2F%3F%26%3D%23%25%22" },
        { COV_STR_INIT("\0\n\x7F\xFF"), "%00%0A%7F%FF", "%00%0A%7F%FF" },
    };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_buf_clear(&buf, SIZE_MAX);
        cov_percent_encode(&buf, rows[i].text);
        assert_str(cov_buf_view(&buf), rows[i].component);
        cov_buf_clear(&buf, SIZE_MAX);
        cov_form_encode(&buf, rows[i].text);
        assert_str(cov_buf_view(&buf), rows[i].form);
    }
    cov_buf_dispose(&buf);
}

static cov_status fake_random(void *self, void *out, size_t len)
{
    const int *byte = self;

    if (*byte < 0)
        return COV_EINTERNAL;
    memset(out, *byte, len);
    return COV_OK;
}

static void encode__uuid_is_version_4(void **state)
{
    static const struct {
        int byte;
        const char *text;
    } rows[] = {
        { 0x00, "00000000-0000-4000-8000-000000000000" },
        { 0xFF, "ffffffff-ffff-4fff-bfff-ffffffffffff" },
        { 0x5A, "5a5a5a5a-5a5a-4a5a-9a5a-5a5a5a5a5a5a" },
    };
    int byte = -1;
    cov_host host = { .abi = COV_HOST_ABI, .self = &byte, .random = fake_random };
    char text[COV_UUID_TEXT_BYTES] = "untouched";

    (void)state;
    assert_int_equal(cov_uuid(&host, text), COV_EINTERNAL);
    assert_string_equal(text, "untouched");
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        byte = rows[i].byte;
        assert_int_equal(cov_uuid(&host, text), COV_OK);
        assert_str(cov_str_of(text, sizeof text), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode__base64_of_the_rfc),
        cmocka_unit_test(encode__base64_decodes_either_alphabet),
        cmocka_unit_test(encode__base64_refuses_other_text),
        cmocka_unit_test(encode__base64_round_trips),
        cmocka_unit_test(encode__hex_is_lower_case),
        cmocka_unit_test(encode__failure_is_sticky),
        cmocka_unit_test(encode__percent_decodes_leniently),
        cmocka_unit_test(encode__percent_decode_borrows_when_it_can),
        cmocka_unit_test(encode__percent_decodes_all_or_nothing),
        cmocka_unit_test(encode__percent_encodes),
        cmocka_unit_test(encode__uuid_is_version_4),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
