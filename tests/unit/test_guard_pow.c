/* SPDX-License-Identifier: MIT */
/* Proof of work: bytes of the challenge and every way to refuse a solution (spec/07 sections 5.5 and 5.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
#include "guard_fixture.h"

/* Computed with the reference's primitives and, again, with node:crypto. */
static const char token[] =
    "eyJ2IjoxLCJkIjoxMiwiZnAiOiI0MmQ2YWMyMjUwNjdmZDZkMzZlNTQzNzYwNmMxYzk3ZjhiNjA2ZDZlZjBhODk3MTU1ZmU5"
    "N2VjMzE5MjE0NjhhIiwiaWF0IjoxNzAwMDAwMDAwMDAwLCJleHAiOjE3MDAwMDAxMjAwMDAsIm4iOiIwMDAxMDIwMzA0MDUw"
    "NjA3MDgwOTBhMGIwYzBkMGUwZiIsImFsZyI6InNoYTI1NiJ9.PZlv5OSP0GFub81-eZKgQCQf4nz9Dg8IIVHgWtdWCG4";
static const char target[] = "/api/todos?x=1";
static const char body[] = "{\"title\":\"hi\"}";
static const char used_key[] = "covara:pow:used:000102030405060708090a0b0c0d0e0f";

static void open_guard(guard_fixture *f)
{
    guard_open(f);
    guard_build(f);
}

static bool solved_with(guard_fixture *f, const char *method, const char *to, const char *text,
                        const char *challenge, const char *nonce, int64_t least_bits)
{
    cov_str headers = cov_arena_printf(f->arena, "Covara-PoW-Challenge: %s\ncovara-pow-nonce: %s",
                                       challenge, nonce);
    bool solved = true;

    guard_request(f, method, to, headers.ptr, text);
    assert_int_equal(cov__pow_solved(&f->g, least_bits, &solved, &f->err), COV_OK);
    return solved;
}

static bool solved(guard_fixture *f, const char *challenge, const char *nonce)
{
    return solved_with(f, "POST", target, body, challenge, nonce, 12);
}

static void pow__challenge_is_that_of_the_reference(void **state)
{
    guard_fixture f;

    (void)state;
    open_guard(&f);
    guard_request(&f, "POST", target, "", body);
    assert_int_equal(cov__pow_challenge(&f.g, 12, &f.err), COV_EPOW);
    assert_string_equal(guard_header(&f, "Covara-PoW-Challenge"), token);
    assert_string_equal(guard_header(&f, "Covara-PoW-Difficulty"), "12");
    assert_string_equal(guard_header(&f, "Covara-PoW-Algorithm"), "sha256");
    assert_string_equal(guard_header(&f, "Covara-Challenge-Type"), "pow");
    assert_string_equal(guard_members(&f), "\"difficulty\":12,\"algorithm\":\"sha256\"");
    assert_string_equal(guard_detail(&f), "Proof of work required");
    assert_int_equal(cov_status_http(COV_EPOW), 428);
    guard_close(&f);
}

static void pow__solution_is_accepted_once(void **state)
{
    guard_fixture f;

    (void)state;
    open_guard(&f);
    f.fake.now_ms += 1500;
    assert_false(solved(&f, token, "4783"));
    assert_null(guard_peek(&f, used_key));
    assert_true(solved(&f, token, "4784"));
    assert_string_equal(guard_peek(&f, used_key), "1");
    assert_int_equal(guard_ttl_ms(&f, used_key), 119000);
    assert_false(solved(&f, token, "4784"));
    guard_close(&f);
}

static void pow__solution_is_for_one_request(void **state)
{
    guard_fixture f;

    (void)state;
    open_guard(&f);
    assert_false(solved_with(&f, "PUT", target, body, token, "4784", 12));
    assert_false(solved_with(&f, "POST", "/api/todos?x=2", body, token, "4784", 12));
    assert_false(solved_with(&f, "POST", "/api/todos", body, token, "4784", 12));
    assert_false(solved_with(&f, "POST", "/api/posts?x=1", body, token, "4784", 12));
    assert_false(solved_with(&f, "POST", target, "{\"title\":\"ho\"}", token, "4784", 12));
    assert_false(solved_with(&f, "POST", target, "", token, "4784", 12));
    assert_null(guard_peek(&f, used_key));
    assert_true(solved_with(&f, "POST", target, body, token, "4784", 12));
    guard_close(&f);
}

static void pow__time_runs_out(void **state)
{
    guard_fixture f;

    (void)state;
    open_guard(&f);
    f.fake.now_ms += 120000;
    assert_false(solved(&f, token, "4784"));
    f.fake.now_ms -= 1;
    assert_true(solved(&f, token, "4784"));
    assert_int_equal(guard_ttl_ms(&f, used_key), 1000);
    guard_close(&f);
}

static void pow__an_easier_token_does_not_do(void **state)
{
    guard_fixture f;

    (void)state;
    open_guard(&f);
    assert_false(solved_with(&f, "POST", target, body, token, "4784", 13));
    assert_true(solved_with(&f, "POST", target, body, token, "4784", 12));
    guard_close(&f);
}

/* Every single byte of the token counts. */
static void pow__a_changed_token_is_refused(void **state)
{
    guard_fixture f;
    char changed[sizeof token];

    (void)state;
    open_guard(&f);
    for (size_t i = 0; i < sizeof token - 1; i++) {
        memcpy(changed, token, sizeof token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_false(solved(&f, changed, "4784"));
    }
    assert_null(guard_peek(&f, used_key));
    assert_true(solved(&f, token, "4784"));
    guard_close(&f);
}

static void pow__garbage_is_refused(void **state)
{
    static const char *const garbage[] = { "garbage", ".",  "a.", ".a",   "..",
                                           "a.b",     "{}", "",   "a.b.c" };
    guard_fixture f;

    (void)state;
    open_guard(&f);
    for (size_t i = 0; i < COV_COUNT_OF(garbage); i++)
        assert_false(solved(&f, garbage[i], "0"));
    assert_false(solved(&f, token, ""));
    guard_request(&f, "POST", target, "", body);
    guard_close(&f);
}

/* A payload that was signed, by another server with the same secret say, and still is no challenge. */
static void pow__signed_nonsense_is_refused(void **state)
{
    static const char *const payloads[] = {
        "null",
        "[]",
        "{}",
        "12",
        "not json",
        "",
        "{\"d\":\"0\",\"fp\":\"x\",\"exp\":9e15,\"n\":\"a\"}",
        "{\"d\":0,\"fp\":1,\"exp\":9e15,\"n\":\"a\"}",
        "{\"d\":0,\"fp\":\"x\",\"exp\":\"9\",\"n\":\"a\"}",
        "{\"d\":0,\"fp\":\"x\",\"exp\":9e15,\"n\":null}",
        "{\"d\":0,\"fp\":\"x\",\"exp\":9e15,\"n\":\"a\"}",
    };
    guard_fixture f;

    (void)state;
    open_guard(&f);
    for (size_t i = 0; i < COV_COUNT_OF(payloads); i++) {
        cov_buf text = COV_BUF_IN(f.arena);
        uint8_t mac[COV_SHA256_BYTES];

        cov_base64url(&text, cov_str_from(payloads[i]));
        assert_int_equal(f.fake.host.hmac(&f, COV_SHA256, COV_STR("test-secret"),
                                          cov_buf_view(&text), mac),
                         COV_OK);
        cov_buf_char(&text, '.');
        cov_base64url(&text, cov_str_of((const char *)mac, sizeof mac));
        cov_buf_char(&text, '\0');
        assert_false(solved_with(&f, "POST", target, body, text.ptr, "0", 0));
    }
    guard_close(&f);
}

static void fingerprint_of(guard_fixture *f, const char *method, const char *to, const char *text,
                           char out[65])
{
    cov_buf payload = COV_BUF_IN(f->arena);
    cov_str challenge;
    cov_str fp = COV_STR_INIT("\"fp\":\"");
    size_t at = 0;

    guard_request(f, method, to, "", text);
    assert_int_equal(cov__pow_challenge(&f->g, 1, &f->err), COV_EPOW);
    challenge = cov_str_from(guard_header(f, "Covara-PoW-Challenge"));
    assert_true(
        cov_base64_decode(&payload, cov_str_slice(challenge, 0, cov_str_find(challenge, '.', 0))));
    while (!cov_str_starts(cov_str_slice(cov_buf_view(&payload), at, payload.len), fp))
        at++;
    memcpy(out, payload.ptr + at + fp.len, 64);
    out[64] = '\0';
}

static void pow__fingerprints(void **state)
{
    guard_fixture f;
    char a[65];
    char b[65];

    (void)state;
    open_guard(&f);
    fingerprint_of(&f, "GET", "/api/todos", "", a);
    assert_string_equal(a, "6b4bd4808b62e39a5f11488b4c2e917b010a117060aeded307ea80bd137bb14f");
    fingerprint_of(&f, "GET", "/api/todos?", "a body is not read", a);
    assert_string_equal(a, "6b4bd4808b62e39a5f11488b4c2e917b010a117060aeded307ea80bd137bb14f");
    /* A byte order mark is not part of the text, and what is no UTF-8 is replaced. */
    fingerprint_of(&f, "POST", "/x", "\xEF\xBB\xBF{}", a);
    fingerprint_of(&f, "POST", "/x", "{}", b);
    assert_string_equal(a, b);
    fingerprint_of(&f, "POST", "/x", "a\xFF", a);
    fingerprint_of(&f, "POST", "/x", "a\xEF\xBF\xBD", b);
    assert_string_equal(a, b);
    f.config.abuse.pow.bind_body = false;
    fingerprint_of(&f, "DELETE", "/x", "a", a);
    fingerprint_of(&f, "DELETE", "/x", "", b);
    assert_string_equal(a, b);
    guard_close(&f);
}

static void pow__secret(void **state)
{
    guard_fixture f;

    (void)state;
    guard_open(&f);
    f.config.abuse.pow.secret = COV_STR("configured");
    guard_build(&f);
    assert_true(cov_str_eq(f.guard->pow_secret, COV_STR("configured")));
    f.config.abuse.pow.secret = COV_STR_NULL;
    guard_build(&f);
    assert_true(cov_str_eq(f.guard->pow_secret, COV_STR("test-secret")));
    /* An empty variable is no key: anybody could sign with it. */
    f.pow_secret = "";
    guard_build(&f);
    assert_int_equal(f.guard->pow_secret.len, 64);
    assert_int_equal(f.n_logged, 0);
    f.pow_secret = NULL;
    f.setup.pow_gates = true;
    guard_build(&f);
    assert_int_equal(f.guard->pow_secret.len, 64);
    assert_int_equal(f.n_logged, 1);
    f.setup.pow_gates = false;
    f.config.abuse.set = f.config.abuse.budget.enabled = true;
    guard_build(&f);
    assert_int_equal(f.n_logged, 2);
    f.config.abuse.pow.enabled = false;
    guard_build(&f);
    assert_int_equal(f.n_logged, 2);
    guard_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pow__challenge_is_that_of_the_reference),
        cmocka_unit_test(pow__solution_is_accepted_once),
        cmocka_unit_test(pow__solution_is_for_one_request),
        cmocka_unit_test(pow__time_runs_out),
        cmocka_unit_test(pow__an_easier_token_does_not_do),
        cmocka_unit_test(pow__a_changed_token_is_refused),
        cmocka_unit_test(pow__garbage_is_refused),
        cmocka_unit_test(pow__signed_nonsense_is_refused),
        cmocka_unit_test(pow__fingerprints),
        cmocka_unit_test(pow__secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
