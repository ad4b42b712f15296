/* SPDX-License-Identifier: MIT */
/* Password hashes against vectors of the spec and of Node's crypto; hostile hashes; the policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "auth/password.h"
#include "auth_host.h"
#include "password_vectors.h"

#define SALT "AAECAwQFBgcICQoLDA0ODw=="
#define HASH32 "Uq0C4CwRm0IDPtFc08bfgCC9yu4MRZ3/Od0mZl2FKl4="
#define LETTERS60 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const cov_scrypt_cost cheap = { 1024, 8, 1 };

static void password__hashes_as_the_spec_does(void **state)
{
    static const cov_scrypt_cost standard = COV_PASSWORD_DEFAULT_COST;
    cov_arena *arena = cov_arena_new(0);
    auth_host host;
    cov_str stored;

    (void)state;
    auth_host_init(&host);
    assert_int_equal(cov_password_hash(&host.host, arena, COV_STR("correct horse"), standard,
                                       &stored, NULL),
                     COV_OK);
    assert_true(cov_str_eq(stored, vector_passwords[0].stored));
    assert_int_equal(stored.len, 136);
    cov_arena_free(arena);
}

static void password__verifies_what_node_made(void **state)
{
    auth_host host;

    (void)state;
    auth_host_init(&host);
    for (size_t i = 0; i < COV_COUNT_OF(vector_passwords); i++) {
        if (!cov_password_verify(&host.host, vector_passwords[i].password,
                                 vector_passwords[i].stored))
            fail_msg("%s", vector_passwords[i].stored.ptr);
        assert_false(
            cov_password_verify(&host.host, COV_STR("another"), vector_passwords[i].stored));
    }
}

static void password__each_hash_has_its_own_salt(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    auth_host host;
    cov_str first;
    cov_str second;

    (void)state;
    auth_host_init(&host);
    assert_int_equal(cov_password_hash(&host.host, arena, COV_STR("pw"), cheap, &first, NULL),
                     COV_OK);
    assert_int_equal(cov_password_hash(&host.host, arena, COV_STR("pw"), cheap, &second, NULL),
                     COV_OK);
    assert_false(cov_str_eq(first, second));
    assert_true(cov_password_verify(&host.host, COV_STR("pw"), first));
    assert_true(cov_password_verify(&host.host, COV_STR("pw"), second));
    assert_false(cov_password_verify(&host.host, COV_STR("pw "), second));
    cov_arena_free(arena);
}

static void password__accepts_other_spellings_of_a_hash(void **state)
{
    static const char *const rows[] = {
        "scrypt$N=1024,r=8,p=2$" SALT "$" HASH32,
        "scrypt$p=2,N=1024,r=8$" SALT "$" HASH32,
        "scrypt$N=01024,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N=1024,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$"
        "Uq0C4CwRm0IDPtFc08bfgCC9yu4MRZ3_Od0mZl2FKl4",
    };
    auth_host host;

    (void)state;
    auth_host_init(&host);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        if (!cov_password_verify(&host.host, COV_STR("p\303\244ssw\303\266rd \342\230\203"),
                                 cov_str_from(rows[i])))
            fail_msg("%s", rows[i]);
}

static void password__irregular_hashes_match_nothing(void **state)
{
    static const char *const rows[] = {
        "",
        "scrypt",
        "$$$",
        "bcrypt$N=1024,r=8,p=2$" SALT "$" HASH32,
        "Scrypt$N=1024,r=8,p=2$" SALT "$" HASH32,
        "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "scrypt$N=1024,r=8,p=2$" SALT,
        "scrypt$N=1024,r=8,p=2$" SALT "$" HASH32 "$",
        "scrypt$N=1024,r=8,p=2$" SALT "$" HASH32 "$x",
        " scrypt$N=1024,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N=1024,r=8$" SALT "$" HASH32,
        "scrypt$N=1024,r=8,p=2,$" SALT "$" HASH32,
        "scrypt$N=1024,r=8,p=2,x=1$" SALT "$" HASH32,
        "scrypt$N=1024,r=8,p=2,p=2$" SALT "$" HASH32,
        "scrypt$n=1024,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N =1024,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N= 1024,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N=+1024,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N=1.024e3,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N=0x400,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N=1024,r=8,p=$" SALT "$" HASH32,
        "scrypt$N=1024,r=8,p$" SALT "$" HASH32,
        "scrypt$$" SALT "$" HASH32,
        "scrypt$N=1024,r=0,p=2$" SALT "$" HASH32,
        "scrypt$N=1024,r=-8,p=2$" SALT "$" HASH32,
        "scrypt$N=1,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N=1000,r=8,p=2$" SALT "$" HASH32,
        "scrypt$N=1024,r=8,p=2$$" HASH32,
        "scrypt$N=1024,r=8,p=2$" SALT "$",
        "scrypt$N=1024,r=8,p=2$" SALT "$====",
        "scrypt$N=1024,r=8,p=2$" SALT "$!!!!",
        "scrypt$N=1024,r=8,p=2$\xFF\xFF\xFF\xFF$" HASH32,
        "scrypt$N=1024,r=8,p=2$" SALT "$Uq0=", /* 2 bytes: a guess in 65536 */
    };
    auth_host host;

    (void)state;
    auth_host_init(&host);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_str stored = cov_str_from(rows[i]);

        if (cov_password_verify(&host.host, COV_STR("p\303\244ssw\303\266rd \342\230\203"), stored))
            fail_msg("\"%s\" was accepted", rows[i]);
    }
    assert_int_equal(host.n_scrypts, 0);
    assert_false(cov_password_verify(&host.host, COV_STR("x"), COV_STR_NULL));
    assert_false(
        cov_password_verify(&host.host, COV_STR("x"), COV_STR("scrypt$\0=1,r=8,p=1$" SALT "$AA")));
}

static void password__hostile_costs_are_not_paid(void **state)
{
    static const char *const rows[] = {
        "scrypt$N=131072,r=8,p=1$" SALT "$" HASH32,  /* 128 MiB */
        "scrypt$N=65536,r=16,p=1$" SALT "$" HASH32,  /* 128 MiB */
        "scrypt$N=65536,r=8,p=5$" SALT "$" HASH32,   /* work */
        "scrypt$N=2,r=1,p=1048576$" SALT "$" HASH32, /* PBKDF2 */
        "scrypt$N=2,r=262144,p=1$" SALT "$" HASH32,  /* PBKDF2 */
        "scrypt$N=4611686018427387904,r=4,p=1$" SALT "$" HASH32,
        "scrypt$N=9223372036854775807,r=8,p=1$" SALT "$" HASH32,
        "scrypt$N=18446744073709551616,r=8,p=1$" SALT "$" HASH32,
        "scrypt$N=16384,r=4294967297,p=1$" SALT "$" HASH32,
        "scrypt$N=16384,r=8,p=4294967297$" SALT "$" HASH32,
        "scrypt$N=1024,r=8,p=1$" SALT "$" LETTERS60 LETTERS60 LETTERS60, /* 135 bytes of hash */
        "scrypt$N=1024,r=8,p=1$" LETTERS60 LETTERS60 LETTERS60 "$" HASH32,
    };
    auth_host host;

    (void)state;
    auth_host_init(&host);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_false(cov_password_verify(&host.host, COV_STR("pw"), cov_str_from(rows[i])));
    assert_int_equal(host.n_scrypts, 0);
}

static void password__costs_have_bounds(void **state)
{
    static const struct {
        cov_scrypt_cost cost;
        bool ok;
    } rows[] = {
        { { 16384, 8, 1 }, true },       { { 16384, 8, 16 }, true },
        { { 16384, 8, 17 }, false },     { { 65536, 8, 4 }, true },
        { { 65536, 8, 5 }, false },      { { 32768, 16, 4 }, true },
        { { 524288, 1, 4 }, true },      { { 1048576, 1, 1 }, false },
        { { 2, 1, 1 }, true },           { { 2, 64, 64 }, true },
        { { 2, 65, 1 }, false },         { { 2, 1, 65 }, false },
        { { 0, 8, 1 }, false },          { { 1, 8, 1 }, false },
        { { 3, 8, 1 }, false },          { { 16384, 0, 1 }, false },
        { { 16384, 8, 0 }, false },      { { UINT64_C(1) << 63, 8, 1 }, false },
        { { UINT64_MAX, 8, 1 }, false },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        if (cov_password_cost_ok(rows[i].cost) != rows[i].ok)
            fail_msg("row %zu", i);
}

static void password__refuses_to_hash_what_it_would_not_verify(void **state)
{
    static const cov_scrypt_cost dear = { 131072, 8, 1 };
    cov_arena *arena = cov_arena_new(0);
    cov_str out = COV_STR("untouched");
    auth_host host;
    cov_error err;

    (void)state;
    auth_host_init(&host);
    cov_error_init(&err, arena);
    assert_int_equal(cov_password_hash(&host.host, arena, COV_STR("pw"), dear, &out, &err),
                     COV_EINTERNAL);
    host.fail_random = true;
    assert_int_equal(cov_password_hash(&host.host, arena, COV_STR("pw"), cheap, &out, &err),
                     COV_EINTERNAL);
    assert_int_equal(host.n_scrypts, 0);
    assert_true(cov_str_eq(out, COV_STR("untouched")));
    cov_arena_free(arena);
}

static void password__nobody_costs_what_somebody_does(void **state)
{
    auth_host host;

    (void)state;
    auth_host_init(&host);
    cov_password_verify_nobody(&host.host, COV_STR("pw"), cheap);
    assert_int_equal(host.n_scrypts, 1);
    assert_int_equal(host.last_cost.n, 1024);
    assert_int_equal(host.last_cost.r, 8);
    assert_int_equal(host.last_cost.p, 1);
}

static void password__needs_rehash_when_weaker(void **state)
{
    static const cov_scrypt_cost target = COV_PASSWORD_DEFAULT_COST;
    static const struct {
        const char *stored;
        bool needed;
    } rows[] = {
        { "scrypt$N=16384,r=8,p=1$" SALT "$" HASH32, false },
        { "scrypt$N=32768,r=8,p=2$" SALT "$" HASH32, false },
        { "scrypt$N=1024,r=8,p=1$" SALT "$" HASH32, true },
        { "scrypt$N=16384,r=4,p=1$" SALT "$" HASH32, true },
        { "scrypt$N=65536,r=4,p=1$" SALT "$" HASH32, true },
        { "scrypt$N=16384,r=8,p=1$" SALT, true },
        { "bcrypt$x", true },
        { "", true },
    };
    cov_scrypt_cost parallel = { 16384, 8, 2 };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        if (cov_password_needs_rehash(cov_str_from(rows[i].stored), target) != rows[i].needed)
            fail_msg("%s", rows[i].stored);
    assert_true(cov_password_needs_rehash(cov_str_from(rows[0].stored), parallel));
}

/* ---- policy ---- */

#define ITEM(message) "{\"field\":\"password\",\"message\":\"" message "\"}"

static void assert_policy(const cov_password_policy *policy, cov_str password, const char *items)
{
    cov_arena *arena = cov_arena_new(0);
    char expected[800];
    char actual[800];
    cov_error err;

    cov_error_init(&err, arena);
    if (items == NULL) {
        assert_int_equal(cov_password_check(policy, password, &err), COV_OK);
    } else {
        assert_int_equal(cov_password_check(policy, password, &err), COV_EINVAL);
        assert_true(
            cov_str_eq(cov_error_detail(&err), COV_STR("Password does not meet requirements")));
        snprintf(expected, sizeof expected, "\"errors\":[%s]", items);
        snprintf(actual, sizeof actual, "%.*s", COV_STR_ARG(err.members));
        assert_string_equal(actual, expected);
        assert_int_equal(cov_password_check(policy, password, NULL), COV_EINVAL);
    }
    cov_arena_free(arena);
}

static void policy__lists_every_violation_in_order(void **state)
{
    static const cov_str denied[] = { COV_STR_INIT("\303\204B") };
    cov_password_policy all = { true, 8, 3, true, true, true, true, { denied, 1, true }, true };

    (void)state;
    assert_policy(
        &all, COV_STR("----"),
        ITEM("Password must be at least 8 characters long") "," ITEM("Password must be at most 3 characters long") "," ITEM(
            "Password must contain an uppercase letter") "," ITEM("Password must contain a lowercase letter") "," ITEM("Password must contain a number"));
    all.max_length = 0;
    assert_policy(&all, COV_STR("PassW0rd"),
                  ITEM("Password must contain a symbol") "," ITEM("Password is too common"));
    assert_policy(
        &all, COV_STR("\303\244b"),
        ITEM("Password must be at least 8 characters long") "," ITEM("Password must contain an uppercase letter") "," ITEM(
            "Password must contain a number") "," ITEM("Password is too common"));
    assert_policy(&all, COV_STR("Ab3-Ab3-"), NULL);
    assert_policy(&all, COV_STR("Ab345678\303\244"), NULL);
}

static void policy__of_the_acceptance_cases(void **state)
{
    cov_password_policy a = { .set = true, .min_length = 10, .number = true };

    (void)state;
    assert_policy(&a, COV_STR("abc"),
                  ITEM("Password must be at least 10 characters long") "," ITEM(
                      "Password must contain a number"));
    assert_policy(&a, COV_STR("abcdefghi1"), NULL);
}

static void policy__counts_utf16_units(void **state)
{
    cov_password_policy p = { .set = true, .min_length = 4, .max_length = 5 };

    (void)state;
    assert_policy(&p, COV_STR("\360\237\230\200\360\237\230\200"), NULL); /* 2 * 2 */
    assert_policy(&p, COV_STR("\342\230\203\342\230\203\342\230\203"),
                  ITEM("Password must be at least 4 characters long"));
    assert_policy(&p, COV_STR("\360\237\230\200\360\237\230\200\360\237\230\200"),
                  ITEM("Password must be at most 5 characters long"));
    assert_policy(&p, COV_STR(""), ITEM("Password must be at least 4 characters long"));
}

static void policy__denylists_can_be_off(void **state)
{
    static const cov_str own[] = { COV_STR_INIT("Hunter2") };
    cov_password_policy p = { .set = true, .built_in_denylist = true };

    (void)state;
    assert_policy(&p, COV_STR("CHANGEME"), ITEM("Password is too common"));
    assert_policy(&p, COV_STR("changeme1"), NULL);
    assert_policy(&p, COV_STR("hunter2"), NULL);
    p.built_in_denylist = false;
    assert_policy(&p, COV_STR("changeme"), NULL);
    p.denylist = (cov_names){ own, 1, true };
    assert_policy(&p, COV_STR("hUNTER2"), ITEM("Password is too common"));
    p.set = false;
    assert_policy(&p, COV_STR("hunter2"), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(password__hashes_as_the_spec_does),
        cmocka_unit_test(password__verifies_what_node_made),
        cmocka_unit_test(password__each_hash_has_its_own_salt),
        cmocka_unit_test(password__accepts_other_spellings_of_a_hash),
        cmocka_unit_test(password__irregular_hashes_match_nothing),
        cmocka_unit_test(password__hostile_costs_are_not_paid),
        cmocka_unit_test(password__costs_have_bounds),
        cmocka_unit_test(password__refuses_to_hash_what_it_would_not_verify),
        cmocka_unit_test(password__nobody_costs_what_somebody_does),
        cmocka_unit_test(password__needs_rehash_when_weaker),
        cmocka_unit_test(policy__lists_every_violation_in_order),
        cmocka_unit_test(policy__of_the_acceptance_cases),
        cmocka_unit_test(policy__counts_utf16_units),
        cmocka_unit_test(policy__denylists_can_be_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
