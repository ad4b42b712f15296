/* SPDX-License-Identifier: MIT */
/* The problems of limits, challenges, keys and versions as they go out: title, type, code and members (spec/07 section 3.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app_fixture.h"

static const char schema[] = "CREATE TABLE t (id INTEGER PRIMARY KEY);";

static void assert_problem(app_fixture *f, cov_status st, const char *members, const char *expected)
{
    cov_worker worker = { .host = cov_native_host(), .db = f->db, .arena = f->request };
    cov_error err;

    cov_error_init(&err, f->request);
    cov_fail(&err, st, "detail");
    if (*members != '\0')
        cov_error_member(&err, "%s", members);
    cov_app_problem(f->app, &worker, NULL, &err, &f->res);
    assert_string_equal(app_body(f), expected);
    assert_true(cov_str_eq(cov_response_find(&f->res, COV_STR("Content-Type"))->value,
                           COV_STR("application/problem+json")));
}

static void problems__have_their_texts(void **state)
{
    app_fixture f;

    (void)state;
    app_fixture_open(&f, schema, "{\"resources\":{\"t\":{}}}");
    assert_problem(
        &f, COV_ERATELIMIT, "\"retryAfter\":60",
        "{\"type\":\"/__covara/problems/rate-limit-exceeded\",\"title\":\"Rate limit exceeded\","
        "\"status\":429,\"detail\":\"detail\",\"code\":\"RATE_LIMIT_EXCEEDED\",\"retryAfter\":60}");
    assert_problem(
        &f, COV_EPOW, "\"difficulty\":20,\"algorithm\":\"sha256\"",
        "{\"type\":\"/__covara/problems/proof-of-work-required\",\"title\":\"Proof of work required\","
        "\"status\":428,\"detail\":\"detail\",\"code\":\"PROOF_OF_WORK_REQUIRED\",\"difficulty\":20,"
        "\"algorithm\":\"sha256\"}");
    assert_problem(
        &f, COV_ECAPTCHA, "",
        "{\"type\":\"/__covara/problems/captcha-required\",\"title\":\"Captcha required\","
        "\"status\":428,\"detail\":\"detail\",\"code\":\"CAPTCHA_REQUIRED\"}");
    assert_problem(
        &f, COV_EIDEMPOTENCY, "",
        "{\"type\":\"/__covara/problems/idempotency-mismatch\",\"title\":\"Idempotency mismatch\","
        "\"status\":409,\"detail\":\"detail\",\"code\":\"IDEMPOTENCY_MISMATCH\"}");
    assert_problem(
        &f, COV_EINPROGRESS, "",
        "{\"type\":\"/__covara/problems/idempotency-in-progress\",\"title\":\"Idempotency in progress\","
        "\"status\":409,\"detail\":\"detail\",\"code\":\"IDEMPOTENCY_IN_PROGRESS\"}");
    assert_problem(
        &f, COV_EIDEMKEY, "",
        "{\"type\":\"/__covara/problems/validation-error\",\"title\":\"Invalid idempotency key\","
        "\"status\":400,\"detail\":\"detail\",\"code\":\"INVALID_IDEMPOTENCY_KEY\"}");
    assert_problem(
        &f, COV_EIDEMSTORE, "",
        "{\"type\":\"/__covara/problems/idempotency-store-unavailable\",\"title\":\"Idempotency store "
        "unavailable\",\"status\":503,\"detail\":\"detail\",\"code\":\"IDEMPOTENCY_STORE_UNAVAILABLE\"}");
    assert_problem(
        &f, COV_EOLDCLIENT, "",
        "{\"type\":\"/__covara/problems/unsupported-version\",\"title\":\"Unsupported client version\","
        "\"status\":400,\"detail\":\"detail\",\"code\":\"UNSUPPORTED_CLIENT_VERSION\"}");
    app_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(problems__have_their_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
