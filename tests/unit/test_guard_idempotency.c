/* SPDX-License-Identifier: MIT */
/* Idempotency keys (spec/07 section 6, cases 30 to 37). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard_fixture.h"

static const char with_key[] = "Idempotency-Key: key-12345";

static void open_keys(guard_fixture *f)
{
    guard_open(f);
    f->config.idempotency.enabled = true;
    guard_build(f);
}

static cov_status begin_as(guard_fixture *f, const char *user, const char *headers,
                           const char *body, cov_idempotency *key)
{
    memset(key, 0, sizeof *key);
    guard_request(f, "POST", "/x?a=b", headers, body);
    if (user != NULL)
        guard_as(f, user);
    return cov_idempotency_begin(&f->g, key, &f->err);
}

/* The handler: an answer, then the end of the request. */
static void answer(guard_fixture *f, cov_idempotency *key, int status, const char *type,
                   const char *body)
{
    assert_int_equal(key->state, COV_IDEMPOTENCY_CLAIMED);
    f->res.status = status;
    cov_response_header(&f->res, COV_STR("Content-Type"), cov_str_from(type));
    cov_buf_str(&f->res.body, cov_str_from(body));
    cov_idempotency_finish(&f->g, key);
    assert_int_equal(key->state, COV_IDEMPOTENCY_NONE);
}

static void run(guard_fixture *f, const char *user, const char *body, int status,
                const char *answer_body)
{
    cov_idempotency key;

    assert_int_equal(begin_as(f, user, with_key, body, &key), COV_OK);
    answer(f, &key, status, "application/json; charset=utf-8", answer_body);
}

static void assert_replays(guard_fixture *f, const char *user, const char *body, int status,
                           const char *answer_body)
{
    cov_idempotency key;

    assert_int_equal(begin_as(f, user, with_key, body, &key), COV_OK);
    assert_int_equal(key.state, COV_IDEMPOTENCY_REPLAYED);
    assert_int_equal(f->res.status, status);
    assert_string_equal(guard_header(f, "Content-Type"), "application/json");
    assert_true(cov_str_eq(cov_buf_view(&f->res.body), cov_str_from(answer_body)));
}

static void keys__the_response_is_given_again(void **state)
{
    guard_fixture f;

    (void)state;
    open_keys(&f);
    run(&f, NULL, "{\"a\":1,\"b\":2}", 201, "{\"id\":7}");
    assert_string_equal(guard_peek(&f, "idempotency:anonymous:key-12345"),
                        "{\"status\":201,\"body\":{\"id\":7},\"requestHash\":"
                        "\"79b6d821bf2809b013c44e3d19a9422e75f586305acd47e09aaebc88a7c57e91\","
                        "\"createdAt\":1700000000000}");
    assert_int_equal(guard_ttl_ms(&f, "idempotency:anonymous:key-12345"), 86400000);
    assert_null(guard_peek(&f, "idempotency:anonymous:key-12345:lock"));
    assert_replays(&f, NULL, "{\"a\":1,\"b\":2}", 201, "{\"id\":7}");
    assert_replays(&f, NULL, " { \"a\" : 1, \"b\" : 2 }", 201, "{\"id\":7}");
    f.fake.now_ms += 86400000;
    run(&f, NULL, "{\"a\":1,\"b\":2}", 201, "{\"id\":8}");
    guard_close(&f);
}

static void keys__headers_come_along(void **state)
{
    cov_idempotency key;
    guard_fixture f;

    (void)state;
    open_keys(&f);
    assert_int_equal(begin_as(&f, NULL, with_key, "", &key), COV_OK);
    cov_response_header(&f.res, COV_STR("etag"), COV_STR("\"v1\""));
    cov_response_header(&f.res, COV_STR("Location"), COV_STR("/x/7"));
    cov_response_header(&f.res, COV_STR("Set-Cookie"), COV_STR("a=b"));
    answer(&f, &key, 201, "application/json", "{}");
    assert_non_null(strstr(guard_peek(&f, "idempotency:anonymous:key-12345"),
                           ",\"headers\":{\"ETag\":\"\\\"v1\\\"\",\"Location\":\"/x/7\"}}"));
    assert_replays(&f, NULL, "", 201, "{}");
    assert_string_equal(guard_header(&f, "ETag"), "\"v1\"");
    assert_string_equal(guard_header(&f, "Location"), "/x/7");
    assert_string_equal(guard_header(&f, "Set-Cookie"), "");
    guard_close(&f);
}

static void keys__another_request_is_a_mismatch(void **state)
{
    static const char *const others[] = { "{\"b\":2,\"a\":1}", "{\"a\":1,\"b\":3}", "",
                                          "{\"a\":1,\"b\":2", "[]" };
    cov_idempotency key;
    guard_fixture f;

    (void)state;
    open_keys(&f);
    run(&f, NULL, "{\"a\":1,\"b\":2}", 201, "{}");
    for (size_t i = 0; i < COV_COUNT_OF(others); i++) {
        assert_int_equal(begin_as(&f, NULL, with_key, others[i], &key), COV_EIDEMPOTENCY);
        assert_int_equal(key.state, COV_IDEMPOTENCY_NONE);
    }
    assert_int_equal(cov_status_http(f.err.status), 409);
    assert_string_equal(guard_detail(&f),
                        "Idempotency key was already used with different request parameters");
    assert_string_equal(guard_members(&f),
                        "\"suggestion\":\"Use a new idempotency key for different requests\"");
    memset(&key, 0, sizeof key);
    guard_request(&f, "PUT", "/x", with_key, "{\"a\":1,\"b\":2}");
    assert_int_equal(cov_idempotency_begin(&f.g, &key, &f.err), COV_EIDEMPOTENCY);
    guard_request(&f, "POST", "/y", with_key, "{\"a\":1,\"b\":2}");
    assert_int_equal(cov_idempotency_begin(&f.g, &key, &f.err), COV_EIDEMPOTENCY);
    guard_close(&f);
}

/* Nobody ever sees the response of somebody else, whatever the ids look like. */
static void keys__users_are_apart(void **state)
{
    static const char *const users[] = { NULL, "u1", "u2", "anonymous", "%61nonymous", "", "u1:k" };
    guard_fixture f;

    (void)state;
    open_keys(&f);
    for (size_t i = 0; i < COV_COUNT_OF(users); i++)
        run(&f, users[i], "{}", 201, "{}");
    for (size_t i = 0; i < COV_COUNT_OF(users); i++)
        assert_replays(&f, users[i], "{}", 201, "{}");
    assert_non_null(guard_peek(&f, "idempotency:u1:key-12345"));
    guard_close(&f);
}

static void keys__user_and_key_do_not_mix(void **state)
{
    cov_idempotency key;
    guard_fixture f;

    (void)state;
    open_keys(&f);
    assert_int_equal(begin_as(&f, "a:b", "Idempotency-Key: c", "", &key), COV_OK);
    answer(&f, &key, 200, "application/json", "{}");
    assert_int_equal(begin_as(&f, "a", "Idempotency-Key: b:c", "", &key), COV_OK);
    assert_int_equal(key.state, COV_IDEMPOTENCY_CLAIMED);
    guard_close(&f);
}

static void keys__one_runs_at_a_time(void **state)
{
    cov_idempotency first;
    cov_idempotency second;
    guard_fixture f;

    (void)state;
    open_keys(&f);
    assert_int_equal(begin_as(&f, NULL, with_key, "{}", &first), COV_OK);
    assert_int_equal(first.state, COV_IDEMPOTENCY_CLAIMED);
    assert_int_equal(guard_ttl_ms(&f, "idempotency:anonymous:key-12345:lock"), 60000);
    /* The handler runs again: the claim is its own. */
    assert_int_equal(cov_idempotency_begin(&f.g, &first, &f.err), COV_OK);
    assert_int_equal(begin_as(&f, NULL, with_key, "{}", &second), COV_EINPROGRESS);
    assert_int_equal(cov_status_http(f.err.status), 409);
    assert_string_equal(guard_header(&f, "Retry-After"), "1");
    assert_int_equal(begin_as(&f, NULL, with_key, "{\"a\":1}", &second), COV_EIDEMPOTENCY);
    assert_int_equal(begin_as(&f, "u1", with_key, "{}", &second), COV_OK);
    guard_request(&f, "POST", "/x?a=b", with_key, "{}");
    answer(&f, &first, 201, "application/json", "{}");
    assert_replays(&f, NULL, "{}", 201, "{}");
    guard_close(&f);
}

/* A process died: its claim lapses. When it was only slow, it does not give back what is another's now. */
static void keys__a_lapsed_claim_is_free(void **state)
{
    cov_idempotency first;
    cov_idempotency second;
    guard_fixture f;

    (void)state;
    open_keys(&f);
    assert_int_equal(begin_as(&f, NULL, with_key, "{}", &first), COV_OK);
    f.fake.now_ms += 60000;
    assert_int_equal(begin_as(&f, NULL, with_key, "{}", &second), COV_OK);
    assert_int_equal(second.state, COV_IDEMPOTENCY_CLAIMED);
    cov_idempotency_abandon(&f.g, &first);
    assert_non_null(guard_peek(&f, "idempotency:anonymous:key-12345:lock"));
    cov_idempotency_abandon(&f.g, &second);
    assert_null(guard_peek(&f, "idempotency:anonymous:key-12345:lock"));
    guard_close(&f);
}

static void keys__what_is_kept(void **state)
{
    static const struct {
        int status;
        const char *type;
        const char *body;
        bool kept;
    } rows[] = {
        { 200, "application/json", "[1,2.50,\"\xC3\xA9\"]", true },
        { 422, "application/json", "{\"e\":1}", true },
        { 200, "application/json", "\xEF\xBB\xBF{}", true },
        { 200, "application/json", "1,\"requestHash\":\"x\"", false },
        { 500, "application/json", "{}", false },
        { 503, "application/json", "{}", false },
        { 400, "application/problem+json", "{}", false },
        { 200, "text/plain", "{}", false },
        { 200, "application/json", "{", false },
        { 204, "application/json", "", false },
    };
    guard_fixture f;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_idempotency key;

        open_keys(&f);
        assert_int_equal(begin_as(&f, NULL, with_key, "{}", &key), COV_OK);
        answer(&f, &key, rows[i].status, rows[i].type, rows[i].body);
        assert_int_equal(begin_as(&f, NULL, with_key, "{}", &key), COV_OK);
        assert_int_equal(key.state,
                         rows[i].kept ? COV_IDEMPOTENCY_REPLAYED : COV_IDEMPOTENCY_CLAIMED);
        if (rows[i].kept)
            assert_int_equal(f.res.status, rows[i].status);
        guard_close(&f);
    }
}

static cov_idempotency_state state_of(guard_fixture *f, const char *method, const char *target,
                                      const char *headers)
{
    cov_idempotency key = { 0 };
    cov_idempotency_state state;

    guard_request(f, method, target, headers, "");
    assert_int_equal(cov_idempotency_begin(&f->g, &key, &f->err), COV_OK);
    state = key.state;
    cov_idempotency_abandon(&f->g, &key);
    return state;
}

static void keys__whom_they_concern(void **state)
{
    static const cov_str include[] = { COV_STR_INIT("/api/"), COV_STR_INIT("/pay") };
    static const cov_str exclude[] = { COV_STR_INIT("/api/health") };
    guard_fixture f;

    (void)state;
    open_keys(&f);
    assert_int_equal(state_of(&f, "POST", "/x", ""), COV_IDEMPOTENCY_NONE);
    assert_int_equal(state_of(&f, "POST", "/x", with_key), COV_IDEMPOTENCY_CLAIMED);
    assert_int_equal(state_of(&f, "PATCH", "/x", "idempotency-key: k"), COV_IDEMPOTENCY_CLAIMED);
    assert_int_equal(state_of(&f, "POST", "/x", "X-Idempotency-Key: create-/api/x-1"),
                     COV_IDEMPOTENCY_CLAIMED);
    assert_int_equal(state_of(&f, "GET", "/x", with_key), COV_IDEMPOTENCY_NONE);
    assert_int_equal(state_of(&f, "DELETE", "/x", with_key), COV_IDEMPOTENCY_NONE);
    f.config.idempotency.paths = (cov_names){ include, 2, true };
    f.config.idempotency.exclude_paths = (cov_names){ exclude, 1, true };
    assert_int_equal(state_of(&f, "POST", "/x", with_key), COV_IDEMPOTENCY_NONE);
    assert_int_equal(state_of(&f, "POST", "/api/x", with_key), COV_IDEMPOTENCY_CLAIMED);
    assert_int_equal(state_of(&f, "POST", "/api/healthz", with_key), COV_IDEMPOTENCY_NONE);
    f.config.idempotency.enabled = false;
    assert_int_equal(state_of(&f, "POST", "/api/x", with_key), COV_IDEMPOTENCY_NONE);
    guard_close(&f);
}

static void keys__form_is_checked_when_asked(void **state)
{
    static const struct {
        const char *headers;
        cov_status st;
    } rows[] = {
        { "Idempotency-Key: short", COV_EIDEMKEY },
        { "Idempotency-Key: 1234567", COV_EIDEMKEY },
        { "Idempotency-Key: 12345678", COV_OK },
        { "Idempotency-Key: aZ09_-aZ", COV_OK },
        { "Idempotency-Key: 1234567/", COV_EIDEMKEY },
        { "Idempotency-Key: 1234567\xC3\xA9", COV_EIDEMKEY },
        { "X-Idempotency-Key: a/b", COV_OK },
        { "Idempotency-Key: short\nX-Idempotency-Key: a/b", COV_EIDEMKEY },
    };
    cov_idempotency key;
    char text[300] = "Idempotency-Key: ";
    guard_fixture f;

    (void)state;
    open_keys(&f);
    assert_int_equal(begin_as(&f, NULL, "Idempotency-Key: short", "", &key), COV_OK);
    f.config.idempotency.validate_key = true;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_int_equal(begin_as(&f, "u", rows[i].headers, "", &key), rows[i].st);
    assert_int_equal(cov_status_http(COV_EIDEMKEY), 400);
    memset(text + 17, 'a', 256);
    assert_int_equal(begin_as(&f, "u", text, "", &key), COV_OK);
    text[17 + 256] = 'a';
    assert_int_equal(begin_as(&f, "u", text, "", &key), COV_EIDEMKEY);
    f.config.idempotency.header = COV_STR("X-Idempotency-Key");
    assert_int_equal(begin_as(&f, "v", "X-Idempotency-Key: a/b", "", &key), COV_OK);
    guard_close(&f);
}

static void keys__a_lost_store(void **state)
{
    cov_idempotency key;
    guard_fixture f;

    (void)state;
    open_keys(&f);
    guard_set_down(&f, true);
    assert_int_equal(begin_as(&f, NULL, with_key, "{}", &key), COV_OK);
    assert_int_equal(key.state, COV_IDEMPOTENCY_NONE);
    assert_string_equal(f.log, "Idempotency store unreachable \"error\":\"the store is down\"");
    f.config.idempotency.fail_on_store_error = true;
    assert_int_equal(begin_as(&f, NULL, with_key, "{}", &key), COV_EIDEMSTORE);
    assert_int_equal(cov_status_http(COV_EIDEMSTORE), 503);
    assert_string_equal(guard_detail(&f), "The idempotency store is unreachable; retry shortly.");
    assert_string_equal(guard_header(&f, "Retry-After"), "1");
    /* Lost in between: the answer goes out all the same. */
    guard_set_down(&f, false);
    assert_int_equal(begin_as(&f, NULL, with_key, "{}", &key), COV_OK);
    guard_set_down(&f, true);
    f.n_logged = 0;
    answer(&f, &key, 200, "application/json", "{}");
    assert_int_equal(f.n_logged, 2);
    guard_close(&f);
}

static void store(guard_fixture *f, const char *text)
{
    assert_int_equal(cov_kv_set(f->kv, f->arena, COV_STR("idempotency:anonymous:key-12345"),
                                cov_str_from(text), 0, false, NULL, &f->err),
                     COV_OK);
}

/* What others stored: the reference's has no headers; what is no response counts as nothing. */
static void keys__stored_by_others(void **state)
{
    static const char *const damaged[] = {
        "",
        "x",
        "null",
        "{}",
        "[1]",
        "{\"status\":200,\"body\":{}}",
        "{\"status\":\"200\",\"body\":{},\"requestHash\":\"x\"}",
        "{\"status\":99,\"body\":{},\"requestHash\":\"x\"}",
        "{\"status\":500,\"body\":{},\"requestHash\":\"x\"}",
        "{\"status\":0,\"requestHash\":\"x\"}",
    };
    cov_idempotency key;
    guard_fixture f;

    (void)state;
    open_keys(&f);
    store(&f, "{\"status\":201,\"body\":{\"a\":[1]},\"requestHash\":"
              "\"79b6d821bf2809b013c44e3d19a9422e75f586305acd47e09aaebc88a7c57e91\","
              "\"createdAt\":1,\"headers\":{\"ETag\":7,\"X-Evil\":\"x\"}}");
    assert_replays(&f, NULL, "{\"a\":1,\"b\":2}", 201, "{\"a\":[1]}");
    assert_int_equal(f.res.n_headers, 1);
    for (size_t i = 0; i < COV_COUNT_OF(damaged); i++) {
        store(&f, damaged[i]);
        assert_int_equal(begin_as(&f, NULL, with_key, "{}", &key), COV_OK);
        assert_int_equal(key.state, COV_IDEMPOTENCY_CLAIMED);
        cov_idempotency_abandon(&f.g, &key);
    }
    guard_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys__the_response_is_given_again),
        cmocka_unit_test(keys__headers_come_along),
        cmocka_unit_test(keys__another_request_is_a_mismatch),
        cmocka_unit_test(keys__users_are_apart),
        cmocka_unit_test(keys__user_and_key_do_not_mix),
        cmocka_unit_test(keys__one_runs_at_a_time),
        cmocka_unit_test(keys__a_lapsed_claim_is_free),
        cmocka_unit_test(keys__what_is_kept),
        cmocka_unit_test(keys__whom_they_concern),
        cmocka_unit_test(keys__form_is_checked_when_asked),
        cmocka_unit_test(keys__a_lost_store),
        cmocka_unit_test(keys__stored_by_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
