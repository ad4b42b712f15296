/* SPDX-License-Identifier: MIT */
/* Base32, codes of RFC 6238 and the spec, windows, replays, URIs, backup codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/totp.h"
#include "auth_host.h"

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static void assert_str(cov_str actual, const char *expected)
{
    char text[512];

    assert_true(actual.len < sizeof text);
    if (actual.len != 0)
        memcpy(text, actual.ptr, actual.len);
    text[actual.len] = '\0';
    assert_string_equal(text, expected);
}

static void base32__of_the_rfc(void **state)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "f", "MY" },
        { "fo", "MZXQ" },
        { "foo", "MZXW6" },
        { "foob", "MZXW6YQ" },
        { "fooba", "MZXW6YTB" },
        { "foobar", "MZXW6YTBOI" },
    };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_buf_clear(&buf, SIZE_MAX);
        cov_base32(&buf, cov_str_from(rows[i][0]));
        assert_str(cov_buf_view(&buf), rows[i][1]);
        cov_buf_clear(&buf, SIZE_MAX);
        assert_true(cov_base32_decode(&buf, cov_str_from(rows[i][1])));
        assert_str(cov_buf_view(&buf), rows[i][0]);
    }
    cov_buf_dispose(&buf);
}

static void base32__decodes_what_people_type(void **state)
{
    static const char *const good[] = { "MZXW6YTBOI======", "mzxw6ytboi", " MZXW 6YTB\r\n\tOI ",
                                        "MzXw6yTbOi= = " };
    static const char *const bad[] = { "MZXW6YTB0I", "MZXW6YTB1",     "MZXW6YTB8", "MZXW-6YTB",
                                       "MZ=XW6",     "MZXW6\xC3\xA9", "*" };
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(good); i++) {
        cov_buf_clear(&buf, SIZE_MAX);
        assert_true(cov_base32_decode(&buf, cov_str_from(good[i])));
        assert_str(cov_buf_view(&buf), "foobar");
    }
    for (size_t i = 0; i < COV_COUNT_OF(bad); i++)
        if (cov_base32_decode(&buf, cov_str_from(bad[i])))
            fail_msg("\"%s\" was accepted", bad[i]);
    assert_false(cov_base32_decode(&buf, COV_STR("MZXW\0")));
    assert_str(cov_buf_view(&buf), "foobar");
    cov_buf_dispose(&buf);
}

static bool verify(auth_host *host, const char *code, int64_t now_s, int window, int64_t last,
                   int64_t *counter)
{
    return cov_totp_verify(&host->host, COV_STR(SECRET), cov_str_from(code), now_s * 1000, window,
                           last, counter);
}

static void totp__codes_of_the_rfc(void **state)
{
    static const struct {
        int64_t now_s;
        const char *code;
    } rows[] = {
        { 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
        { 1234567890, "005924" }, { 2000000000, "279037" }, { INT64_C(20000000000), "353130" },
    };
    auth_host host;
    char code[COV_TOTP_DIGITS];

    (void)state;
    auth_host_init(&host);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        int64_t counter = -7;

        assert_int_equal(cov_totp_code(&host.host, COV_STR("12345678901234567890"),
                                       (uint64_t)(rows[i].now_s / 30), code),
                         COV_OK);
        assert_str(cov_str_of(code, sizeof code), rows[i].code);
        assert_true(verify(&host, rows[i].code, rows[i].now_s, 1, COV_TOTP_NO_COUNTER, &counter));
        assert_int_equal(counter, rows[i].now_s / 30);
    }
}

static void totp__window_of_one_step(void **state)
{
    auth_host host;
    int64_t counter = -7;

    (void)state;
    auth_host_init(&host);
    for (int64_t t = 0; t < 90; t++) {
        assert_true(verify(&host, "287082", t, 1, COV_TOTP_NO_COUNTER, &counter));
        assert_int_equal(counter, 1);
        assert_int_equal(verify(&host, "287082", t, 0, COV_TOTP_NO_COUNTER, &counter),
                         t >= 30 && t < 60);
    }
    counter = -7;
    assert_false(verify(&host, "287082", 90, 1, COV_TOTP_NO_COUNTER, &counter));
    assert_false(verify(&host, "287082", 30 * 60, 1000, COV_TOTP_NO_COUNTER, &counter));
    assert_int_equal(counter, -7);
    assert_true(verify(&host, "287082", 90, 2, COV_TOTP_NO_COUNTER, &counter));
    assert_false(verify(&host, "287082", 59, -1, COV_TOTP_NO_COUNTER, &counter));
}

static void totp__a_code_works_once(void **state)
{
    auth_host host;
    int64_t last = COV_TOTP_NO_COUNTER;
    char next[COV_TOTP_DIGITS + 1] = "";
    char before[COV_TOTP_DIGITS + 1] = "";

    (void)state;
    auth_host_init(&host);
    assert_true(verify(&host, "287082", 59, 1, last, &last));
    assert_int_equal(last, 1);
    assert_false(verify(&host, "287082", 59, 1, last, &last));
    assert_false(verify(&host, "287082", 89, 1, last, &last));
    assert_int_equal(cov_totp_code(&host.host, COV_STR("12345678901234567890"), 0, before), COV_OK);
    assert_false(verify(&host, before, 59, 1, last, &last));
    assert_int_equal(cov_totp_code(&host.host, COV_STR("12345678901234567890"), 2, next), COV_OK);
    assert_true(verify(&host, next, 59, 1, last, &last));
    assert_int_equal(last, 2);
}

/* Every step has the same code, 000000. */
static cov_status constant_hmac(void *self, cov_digest alg, cov_str key, cov_str data, uint8_t *out)
{
    (void)self;
    (void)alg;
    (void)key;
    (void)data;
    memset(out, 0, COV_SHA1_BYTES);
    return COV_OK;
}

static void totp__of_equal_codes_the_latest_is_spent(void **state)
{
    auth_host host;
    int64_t last = COV_TOTP_NO_COUNTER;

    (void)state;
    auth_host_init(&host);
    host.host.hmac = constant_hmac;
    assert_true(verify(&host, "000000", 59, 1, last, &last));
    assert_int_equal(last, 2);
    assert_false(verify(&host, "000000", 59, 1, last, &last));
}

static void totp__codes_are_six_digits(void **state)
{
    static const char *const good[] = { "287082", " 287082 ", "\t287082\r\n" };
    static const char *const bad[] = {
        "",       "28708",  "2870820", "287 082", "28708a",
        "+87082", "-28708", "287082.", "287081",  "\xD9\xA2\xD9\xA8\xD9\xA7"
    };
    auth_host host;
    int64_t counter;

    (void)state;
    auth_host_init(&host);
    for (size_t i = 0; i < COV_COUNT_OF(good); i++)
        assert_true(verify(&host, good[i], 59, 1, COV_TOTP_NO_COUNTER, &counter));
    for (size_t i = 0; i < COV_COUNT_OF(bad); i++)
        assert_false(verify(&host, bad[i], 59, 1, COV_TOTP_NO_COUNTER, &counter));
    assert_false(verify(&host, "287082", -59, 1, COV_TOTP_NO_COUNTER, &counter));
}

static void totp__bad_secrets_match_nothing(void **state)
{
    static const char *const rows[] = { "", "=", " ", "A", "GEZDGNBV!" };
    char large[400];
    auth_host host;
    int64_t counter;
    char code[COV_TOTP_DIGITS];

    (void)state;
    auth_host_init(&host);
    /* What an empty key would give. */
    assert_int_equal(cov_totp_code(&host.host, COV_STR(""), 1, code), COV_OK);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_false(cov_totp_verify(&host.host, cov_str_from(rows[i]),
                                     cov_str_of(code, sizeof code), 59000, 1, COV_TOTP_NO_COUNTER,
                                     &counter));
    memset(large, 'A', sizeof large);
    assert_false(cov_totp_verify(&host.host, cov_str_of(large, sizeof large),
                                 cov_str_of(code, sizeof code), 59000, 1, COV_TOTP_NO_COUNTER,
                                 &counter));
}

static void totp__secrets_are_32_characters(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    auth_host host;
    cov_str secret;

    (void)state;
    auth_host_init(&host);
    assert_int_equal(cov_totp_secret(&host.host, arena, &secret, NULL), COV_OK);
    assert_str(secret, "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT");
    host.fail_random = true;
    assert_int_equal(cov_totp_secret(&host.host, arena, &secret, NULL), COV_EINTERNAL);
    cov_arena_free(arena);
}

static void totp__uri_of_the_spec(void **state)
{
    cov_buf buf = COV_BUF_INIT;

    (void)state;
    cov_totp_uri(&buf, COV_STR("My App"), COV_STR("a b@c.d"), COV_STR(SECRET));
    assert_str(cov_buf_view(&buf), "otpauth://totp/My%20App:a%20b%40c.d?secret=" SECRET
                                   "&algorithm=SHA1&digits=6&period=30&issuer=My+App");
    cov_buf_clear(&buf, SIZE_MAX);
    cov_totp_uri(&buf, COV_STR_NULL, COV_STR("\303\244:/?&=#'~"), COV_STR(SECRET));
    assert_str(cov_buf_view(&buf), "otpauth://totp/%C3%A4%3A%2F%3F%26%3D%23'~?secret=" SECRET
                                   "&algorithm=SHA1&digits=6&period=30");
    cov_buf_clear(&buf, SIZE_MAX);
    cov_totp_uri(&buf, COV_STR("a&b=~'"), COV_STR("x"), COV_STR(SECRET));
    assert_str(cov_buf_view(&buf), "otpauth://totp/a%26b%3D~':x?secret=" SECRET
                                   "&algorithm=SHA1&digits=6&period=30&issuer=a%26b%3D%7E%27");
    cov_buf_dispose(&buf);
}

static const cov_scrypt_cost cheap = { 16, 1, 1 };

static void backup__codes_are_made_and_found(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    auth_host host;
    const cov_str *codes;
    const cov_str *hashes;

    (void)state;
    auth_host_init(&host);
    assert_int_equal(cov_backup_codes(&host.host, arena, 3, cheap, &codes, &hashes, NULL), COV_OK);
    assert_str(codes[0], "00010-20304");
    /* Codes take 5 random bytes, salts 16. */
    assert_str(codes[1], "15161-71819");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(cov_backup_code_find(&host.host, codes[i], hashes, 3), i);
    assert_int_equal(cov_backup_code_find(&host.host, COV_STR(" 15161-71819\n"), hashes, 3), 1);
    assert_int_equal(cov_backup_code_find(&host.host, COV_STR("15161-71818"), hashes, 3), SIZE_MAX);
    assert_int_equal(cov_backup_code_find(&host.host, codes[0], hashes, 0), SIZE_MAX);
    host.fail_random = true;
    assert_int_equal(cov_backup_codes(&host.host, arena, 1, cheap, &codes, &hashes, NULL),
                     COV_EINTERNAL);
    cov_arena_free(arena);
}

static void backup__other_shapes_cost_nothing(void **state)
{
    static const char *const rows[] = { "",
                                        "0001020304",
                                        "00010-2030",
                                        "00010-203044",
                                        "0001-020304",
                                        "00010-2030G",
                                        "0001A-20304",
                                        "00010 -20304",
                                        "287082",
                                        "00010_20304" };
    static const cov_str hash = COV_STR_INIT("scrypt$N=16,r=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA==");
    auth_host host;

    (void)state;
    auth_host_init(&host);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_int_equal(cov_backup_code_find(&host.host, cov_str_from(rows[i]), &hash, 1),
                         SIZE_MAX);
    assert_int_equal(host.n_scrypts, 0);
    assert_int_equal(cov_backup_code_find(&host.host, COV_STR("00010-20304"), &hash, 1), SIZE_MAX);
    assert_int_equal(host.n_scrypts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base32__of_the_rfc),
        cmocka_unit_test(base32__decodes_what_people_type),
        cmocka_unit_test(totp__codes_of_the_rfc),
        cmocka_unit_test(totp__window_of_one_step),
        cmocka_unit_test(totp__a_code_works_once),
        cmocka_unit_test(totp__of_equal_codes_the_latest_is_spent),
        cmocka_unit_test(totp__codes_are_six_digits),
        cmocka_unit_test(totp__bad_secrets_match_nothing),
        cmocka_unit_test(totp__secrets_are_32_characters),
        cmocka_unit_test(totp__uri_of_the_spec),
        cmocka_unit_test(backup__codes_are_made_and_found),
        cmocka_unit_test(backup__other_shapes_cost_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
