/* SPDX-License-Identifier: MIT */
/* Limits of requests a window (spec/07 section 4, cases 1 to 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard_fixture.h"

static cov_rate_config limit(bool sliding, int64_t max)
{
    cov_rate_config rate = { .set = true,
                             .sliding = sliding,
                             .window_ms = 60000,
                             .max_requests = max,
                             .message = COV_STR("Too many requests, please try again later"),
                             .headers = true };

    return rate;
}

static cov_status hit(guard_fixture *f, const cov_rate_config *rate, const char *user,
                      const char *scope)
{
    guard_request(f, "GET", "/api/todos", "", "");
    if (user != NULL)
        guard_as(f, user);
    return cov_rate_check(&f->g, rate, cov_str_from(scope), &f->err);
}

static void rate__refuses_above_the_limit(void **state)
{
    cov_rate_config rate = limit(false, 2);
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    assert_string_equal(guard_header(&f, "X-RateLimit-Limit"), "2");
    assert_string_equal(guard_header(&f, "X-RateLimit-Remaining"), "1");
    assert_string_equal(guard_header(&f, "X-RateLimit-Reset"), "1700000060");
    assert_string_equal(guard_header(&f, "Retry-After"), "");
    f.fake.now_ms += 999;
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    assert_string_equal(guard_header(&f, "X-RateLimit-Remaining"), "0");
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_ERATELIMIT);
    assert_string_equal(guard_header(&f, "X-RateLimit-Remaining"), "0");
    assert_string_equal(guard_header(&f, "X-RateLimit-Reset"), "1700000060");
    assert_string_equal(guard_header(&f, "Retry-After"), "60");
    assert_string_equal(guard_members(&f), "\"retryAfter\":60");
    assert_string_equal(guard_detail(&f), "Too many requests, please try again later");
    assert_int_equal(cov_status_http(f.err.status), 429);
    f.fake.now_ms += 59000;
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_ERATELIMIT);
    assert_string_equal(guard_header(&f, "Retry-After"), "1");
    f.fake.now_ms += 1;
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    guard_close(&f);
}

static void rate__counters_are_apart(void **state)
{
    cov_rate_config rate = limit(false, 1);
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    assert_int_equal(hit(&f, &rate, "u1", NULL), COV_OK);
    assert_int_equal(hit(&f, &rate, "u2", NULL), COV_OK);
    assert_int_equal(hit(&f, &rate, NULL, "todos"), COV_OK);
    assert_int_equal(hit(&f, &rate, NULL, "posts"), COV_OK);
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_ERATELIMIT);
    assert_int_equal(hit(&f, &rate, "u1", NULL), COV_ERATELIMIT);
    assert_int_equal(hit(&f, &rate, NULL, "todos"), COV_ERATELIMIT);
    guard_close(&f);
}

static void rate__none_and_without_headers(void **state)
{
    cov_rate_config rate = limit(false, 1);
    cov_rate_config none = { 0 };
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    assert_int_equal(hit(&f, &none, NULL, NULL), COV_OK);
    assert_int_equal(hit(&f, &none, NULL, NULL), COV_OK);
    rate.headers = false;
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    assert_int_equal(f.res.n_headers, 0);
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_ERATELIMIT);
    assert_int_equal(f.res.n_headers, 1);
    assert_string_equal(guard_header(&f, "Retry-After"), "60");
    rate = limit(false, 0);
    assert_int_equal(hit(&f, &rate, "u9", NULL), COV_ERATELIMIT);
    guard_close(&f);
}

static void rate__a_sliding_window_keeps_hammering_out(void **state)
{
    cov_rate_config rate = limit(true, 2);
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    assert_string_equal(guard_header(&f, "X-RateLimit-Remaining"), "1");
    assert_string_equal(guard_header(&f, "X-RateLimit-Reset"), "");
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_ERATELIMIT);
    assert_string_equal(guard_header(&f, "X-RateLimit-Reset"), "1700000060");
    assert_string_equal(guard_header(&f, "Retry-After"), "60");
    for (int i = 0; i < 20; i++) {
        f.fake.now_ms += 20000;
        assert_int_equal(hit(&f, &rate, NULL, NULL), COV_ERATELIMIT);
    }
    f.fake.now_ms += 60000;
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    guard_close(&f);
}

/* Whoever waits as told gets in, and who comes a moment earlier does not. */
static void rate__retry_after_of_a_sliding_window_is_right(void **state)
{
    cov_rate_config rate = limit(true, 2);
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    for (int i = 0; i < 4; i++) {
        f.fake.now_ms += i * 10000;
        assert_int_equal(hit(&f, &rate, NULL, NULL), i < 2 ? COV_OK : COV_ERATELIMIT);
    }
    /* Requests at 0, 10, 30 and 60 s: with a third one refused, the one of 30 s has to leave. */
    assert_string_equal(guard_header(&f, "Retry-After"), "30");
    f.fake.now_ms += 30000;
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    rate.max_requests = 0;
    assert_int_equal(hit(&f, &rate, "u", NULL), COV_ERATELIMIT);
    assert_string_equal(guard_header(&f, "Retry-After"), "60");
    guard_close(&f);
}

/* The rule of section 4.4 over a list of moments: a request passes when at most `max` fell into the last window. */
static void rate__sliding_equals_the_naive_model(void **state)
{
    static int64_t moments[4000];
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    srand(7);
    for (int round = 0; round < 20; round++) {
        cov_rate_config rate = limit(true, rand() % 6);
        cov_str user = cov_arena_printf(f.arena, "u%d", round);
        size_t n = 0;

        rate.window_ms = 1 + rand() % 50;
        for (int i = 0; i < 200; i++) {
            int64_t recent = 1;
            int64_t left;
            cov_status st;

            f.fake.now_ms += rand() % 3 == 0 ? rand() % 60 : rand() % 4;
            for (size_t j = 0; j < n; j++)
                recent += moments[j] > f.fake.now_ms - rate.window_ms;
            moments[n++] = f.fake.now_ms;
            st = hit(&f, &rate, user.ptr, NULL);
            assert_int_equal(st, recent <= rate.max_requests ? COV_OK : COV_ERATELIMIT);
            left = recent < rate.max_requests ? rate.max_requests - recent : 0;
            assert_int_equal(atoll(guard_header(&f, "X-RateLimit-Remaining")), left);
        }
    }
    guard_close(&f);
}

static void rate__a_lost_store_refuses(void **state)
{
    cov_rate_config rate = limit(false, 5);
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    guard_set_down(&f, true);
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_EBUSY);
    guard_set_down(&f, false);
    assert_int_equal(hit(&f, &rate, NULL, NULL), COV_OK);
    guard_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate__refuses_above_the_limit),
        cmocka_unit_test(rate__counters_are_apart),
        cmocka_unit_test(rate__none_and_without_headers),
        cmocka_unit_test(rate__a_sliding_window_keeps_hammering_out),
        cmocka_unit_test(rate__retry_after_of_a_sliding_window_is_right),
        cmocka_unit_test(rate__sliding_equals_the_naive_model),
        cmocka_unit_test(rate__a_lost_store_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
