/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/equal.h"
#include "auth/token.h"
#include "auth_host.h"

static cov_arena *arena;
static auth_host host;

static int set_up(void **state)
{
    (void)state;
    arena = cov_arena_new(0);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    cov_arena_free(arena);
    return 0;
}

static void assert_str(cov_str actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.ptr, expected, actual.len);
}

static void equal__compares_bytes(void **state)
{
    (void)state;
    assert_true(cov_secret_eq(COV_STR_NULL, COV_STR("")));
    assert_true(cov_secret_eq(COV_STR("a\0b"), COV_STR("a\0b")));
    assert_false(cov_secret_eq(COV_STR("a\0b"), COV_STR("a\0c")));
    assert_false(cov_secret_eq(COV_STR("abc"), COV_STR("abcd")));
    assert_false(cov_secret_eq(COV_STR("xbc"), COV_STR("abc")));
    /* Two differences that would cancel out under a sum or an exclusive or of all. */
    assert_false(cov_secret_eq(COV_STR("ba"), COV_STR("ab")));
    assert_false(cov_secret_eq(COV_STR("\x80\x80"), COV_STR("\0\0")));
}

static void token__random_ones_are_base64url(void **state)
{
    cov_str token;

    (void)state;
    auth_host_init(&host);
    host.next_random = 0xE0;
    assert_int_equal(cov_token_random(&host.host, arena, COV_TOKEN_BYTES, &token, NULL), COV_OK);
    assert_str(token, "4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8");
    host.fail_random = true;
    assert_int_equal(cov_token_random(&host.host, arena, 1, &token, NULL), COV_EINTERNAL);
}

static void token__hash_of_the_spec(void **state)
{
    char hash[COV_TOKEN_HASH_CHARS];

    (void)state;
    auth_host_init(&host);
    assert_int_equal(cov_token_hash(&host.host, COV_STR("abc"), hash), COV_OK);
    assert_str(cov_str_of(hash, sizeof hash),
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void api_key__is_prefix_id_secret(void **state)
{
    cov_str key;
    cov_str id;

    (void)state;
    auth_host_init(&host);
    assert_int_equal(cov_api_key_new(&host.host, arena, COV_STR_NULL, &key, &id, NULL), COV_OK);
    assert_str(key, "0001020304050607.CAkKCwwNDg8QERITFBUWFxgZGhscHR4f");
    assert_str(id, "0001020304050607");
    host.next_random = 0;
    assert_int_equal(cov_api_key_new(&host.host, arena, COV_STR("my_app"), &key, &id, NULL),
                     COV_OK);
    assert_str(key, "my_app_0001020304050607.CAkKCwwNDg8QERITFBUWFxgZGhscHR4f");
    assert_str(id, "0001020304050607");
    host.fail_random = true;
    assert_int_equal(cov_api_key_new(&host.host, arena, COV_STR_NULL, &key, &id, NULL),
                     COV_EINTERNAL);
}

static void api_key__prefixes_that_hide_the_id_are_refused(void **state)
{
    static const char *const rows[] = { "a.b", ".", "a b", "a\n", "\xC3\xA4", "a\x7F" };
    cov_str key;
    cov_str id;

    (void)state;
    auth_host_init(&host);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_int_equal(cov_api_key_new(&host.host, arena, cov_str_from(rows[i]), &key, &id, NULL),
                         COV_EINVAL);
}

static void api_key__id_is_before_the_dot(void **state)
{
    static const struct {
        const char *key;
        const char *id; /* NULL: no key */
    } rows[] = {
        { "my_app_0011223344556677.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "0011223344556677" },
        { "0011223344556677.x", "0011223344556677" },
        { "_0011223344556677.x.y", "0011223344556677" },
        { "a_b_ffffffffffffffff.", "ffffffffffffffff" },
        { "0011223344556677", NULL },
        { ".0011223344556677", NULL },
        { "a_.x", NULL },
        { "a_all.x", NULL },
        { "a_user:u1.x", NULL },
        { "a0011223344556677.x", NULL },
        { "a-0011223344556677.x", NULL },
        { "00112233_44556677.x", NULL },
        { "_011223344556677.x", NULL },
        { "00112233445566AA.x", NULL },
        { "001122334455667g.x", NULL },
        { "0011223344556677 .x", NULL },
        { "", NULL },
        { ".", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_str id = cov_api_key_id(cov_str_from(rows[i].key));

        if ((id.ptr == NULL) != (rows[i].id == NULL))
            fail_msg("%s", rows[i].key);
        if (rows[i].id != NULL)
            assert_str(id, rows[i].id);
    }
    assert_null(cov_api_key_id(COV_STR_NULL).ptr);
    assert_null(cov_api_key_id(COV_STR("0011223344\0006677.x")).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal__compares_bytes),
        cmocka_unit_test(token__random_ones_are_base64url),
        cmocka_unit_test(token__hash_of_the_spec),
        cmocka_unit_test(api_key__is_prefix_id_secret),
        cmocka_unit_test(api_key__prefixes_that_hide_the_id_are_refused),
        cmocka_unit_test(api_key__id_is_before_the_dot),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
