/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "covara/http.h"

static void assert_str(cov_str actual, const char *expected)
{
    char text[256];

    assert_true(actual.len < sizeof text);
    if (actual.len != 0)
        memcpy(text, actual.ptr, actual.len);
    text[actual.len] = '\0';
    assert_string_equal(text, expected);
}

static void http__method_names_are_case_sensitive(void **state)
{
    static const struct {
        const char *name;
        cov_method method;
    } rows[] = {
        { "GET", COV_GET },         { "HEAD", COV_HEAD },          { "POST", COV_POST },
        { "PUT", COV_PUT },         { "PATCH", COV_PATCH },        { "DELETE", COV_DELETE },
        { "OPTIONS", COV_OPTIONS }, { "get", COV_METHOD_OTHER },   { "GETX", COV_METHOD_OTHER },
        { "", COV_METHOD_OTHER },   { "TRACE", COV_METHOD_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_int_equal(cov_method_of(cov_str_from(rows[i].name)), rows[i].method);
}

static void http__first_request_header_of_any_case_wins(void **state)
{
    static const cov_header headers[] = {
        { COV_STR_INIT("Accept"), COV_STR_INIT("a") },
        { COV_STR_INIT("If-Match"), COV_STR_INIT("1") },
        { COV_STR_INIT("if-match"), COV_STR_INIT("2") },
    };
    cov_request req = { 0 };

    (void)state;
    assert_null(cov_request_header(&req, COV_STR("accept")).ptr);
    req.headers = headers;
    req.n_headers = COV_COUNT_OF(headers);
    assert_str(cov_request_header(&req, COV_STR("IF-MATCH")), "1");
    assert_str(cov_request_header(&req, COV_STR("accept")), "a");
    assert_null(cov_request_header(&req, COV_STR("accep")).ptr);
}

static void http__response_header_replaces(void **state)
{
    cov_response res = { 0 };

    (void)state;
    assert_null(cov_response_find(&res, COV_STR("ETag")));
    cov_response_header(&res, COV_STR("ETag"), COV_STR("1"));
    cov_response_header(&res, COV_STR("Vary"), COV_STR("x"));
    cov_response_header(&res, COV_STR("etag"), COV_STR("2"));
    assert_int_equal(res.n_headers, 2);
    assert_str(cov_response_find(&res, COV_STR("ETAG"))->value, "2");
    assert_str(cov_response_find(&res, COV_STR("vary"))->value, "x");
}

static void http__response_headers_are_bounded(void **state)
{
    static char names[COV_RESPONSE_MAX_HEADERS + 1][2];
    cov_response res = { 0 };

    (void)state;
    for (size_t i = 0; i <= COV_RESPONSE_MAX_HEADERS; i++) {
        names[i][0] = (char)('0' + i / 10);
        names[i][1] = (char)('0' + i % 10);
        cov_response_header(&res, cov_str_of(names[i], 2), COV_STR("v"));
    }
    assert_int_equal(res.n_headers, COV_RESPONSE_MAX_HEADERS);
    assert_null(cov_response_find(&res, COV_STR("32")));
    cov_response_header(&res, COV_STR("31"), COV_STR("new"));
    assert_str(cov_response_find(&res, COV_STR("31"))->value, "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http__method_names_are_case_sensitive),
        cmocka_unit_test(http__first_request_header_of_any_case_wins),
        cmocka_unit_test(http__response_header_replaces),
        cmocka_unit_test(http__response_headers_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
