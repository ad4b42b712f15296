/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "covara/error.h"

static void assert_str(cov_str actual, const char *expected)
{
    char text[1024];

    assert_true(actual.len < sizeof text);
    if (actual.len != 0)
        memcpy(text, actual.ptr, actual.len);
    text[actual.len] = '\0';
    assert_string_equal(text, expected);
}

static void error__table_is_complete(void **state)
{
    static const struct {
        cov_status status;
        int http;
        const char *slug;
        const char *code;
        const char *name;
    } rows[] = {
        { COV_OK, 200, "", "", "COV_OK" },
        { COV_EINVAL, 400, "validation-error", "VALIDATION_ERROR", "COV_EINVAL" },
        { COV_EFILTER, 400, "filter-parse-error", "FILTER_PARSE_ERROR", "COV_EFILTER" },
        { COV_ENOTFOUND, 404, "not-found", "NOT_FOUND", "COV_ENOTFOUND" },
        { COV_EUNIQUE, 409, "conflict", "CONFLICT", "COV_EUNIQUE" },
        { COV_ENOMEM, 500, "internal-error", "INTERNAL_ERROR", "COV_ENOMEM" },
        { COV_EVERSION, 505, "http-version-not-supported", "HTTP_VERSION_NOT_SUPPORTED",
          "COV_EVERSION" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        assert_int_equal(cov_status_http(rows[i].status), rows[i].http);
        assert_string_equal(cov_status_slug(rows[i].status), rows[i].slug);
        assert_string_equal(cov_status_code(rows[i].status), rows[i].code);
        assert_string_equal(cov_status_name(rows[i].status), rows[i].name);
    }
    for (int status = COV_OK; status >= COV_EVERSION; status--)
        assert_non_null(cov_status_name((cov_status)status));
}

static void error__unknown_status_is_internal(void **state)
{
    (void)state;
    assert_int_equal(cov_status_http((cov_status)(COV_EVERSION - 1)), 500);
    assert_int_equal(cov_status_http((cov_status)1), 500);
    assert_string_equal(cov_status_name((cov_status)-1000), "COV_EINTERNAL");
}

static void error__fail_fills_and_clears(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    cov_error err;

    (void)state;
    cov_error_init(&err, arena);
    assert_int_equal(err.status, COV_OK);
    assert_int_equal(err.offset, COV_NO_OFFSET);
    assert_str(cov_error_detail(&err), "");
    assert_int_equal(cov_fail_at(&err, COV_EFILTER, 12, "at %d", 12), COV_EFILTER);
    assert_int_equal(err.status, COV_EFILTER);
    assert_int_equal(err.offset, 12);
    assert_str(cov_error_detail(&err), "at 12");
    cov_error_member(&err, "\"n\":%d", 1);
    err.subject = COV_STR("users.email");
    assert_int_equal(cov_fail(&err, COV_EINVAL, "second"), COV_EINVAL);
    assert_int_equal(err.offset, COV_NO_OFFSET);
    assert_int_equal(err.members.len, 0);
    assert_int_equal(err.subject.len, 0);
    assert_str(cov_error_detail(&err), "second");
    assert_int_equal(cov_fail_nomem(&err), COV_ENOMEM);
    assert_int_equal(cov_fail(NULL, COV_EBUSY, "nobody listens"), COV_EBUSY);
    cov_error_member(NULL, "x");
    cov_error_member_str(NULL, "x", COV_STR("y"));
    cov_arena_free(arena);
}

static void error__members_join_and_escape(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    cov_error err;

    (void)state;
    cov_error_init(&err, arena);
    cov_fail(&err, COV_EINVAL, "x");
    cov_error_member(&err, "\"max\":%d", 5);
    cov_error_member_str(&err, "field", COV_STR("a\"b\n"));
    assert_str(err.members, "\"max\":5,\"field\":\"a\\\"b\\n\"");
    cov_error_init(&err, NULL);
    cov_fail(&err, COV_EINVAL, "x");
    cov_error_member(&err, "\"max\":%d", 5);
    cov_error_member_str(&err, "field", COV_STR("a"));
    assert_int_equal(err.members.len, 0);
    cov_arena_free(arena);
}

static void error__long_text_needs_an_arena(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    cov_error err;

    (void)state;
    cov_error_init(&err, arena);
    cov_fail(&err, COV_EINVAL, "%0*d", 500, 1);
    assert_int_equal(cov_error_detail(&err).len, 500);
    cov_fail(&err, COV_EINVAL, "short");
    assert_str(cov_error_detail(&err), "short");
    cov_error_init(&err, NULL);
    cov_fail(&err, COV_EINVAL, "%0*d", 500, 1);
    assert_int_equal(cov_error_detail(&err).len, sizeof err.text - 1);
    cov_arena_free(arena);
}

/* However the text is shifted, the cut falls between two code points and loses less than one. */
static void error__cut_keeps_code_points_whole(void **state)
{
    static const char *const units[] = { "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };

    (void)state;
    for (size_t u = 0; u < COV_COUNT_OF(units); u++) {
        size_t unit_len = strlen(units[u]);

        for (int shift = 0; shift < 4; shift++) {
            char text[512] = "";
            cov_error err;
            cov_str detail;

            for (int i = 0; i < shift; i++)
                strcat(text, "a");
            while (strlen(text) < 300)
                strcat(text, units[u]);
            cov_error_init(&err, NULL);
            cov_fail(&err, COV_EINVAL, "%s", text);
            detail = cov_error_detail(&err);
            assert_true(cov_utf8_valid(detail));
            assert_in_range(detail.len, sizeof err.text - unit_len, sizeof err.text - 1);
            assert_memory_equal(detail.ptr, text, detail.len);
        }
    }
}

static void error__names_a_field_as_validation_does(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    cov_error err;

    (void)state;
    cov_error_init(&err, arena);
    assert_int_equal(cov_fail_field(&err, COV_STR("a\"b"), "at most %d", 3), COV_EINVAL);
    assert_string_equal(err.text, "Validation failed");
    assert_true(
        cov_str_eq(err.members,
                   COV_STR("\"errors\":[{\"field\":\"a\\\"b\",\"message\":\"at most 3\"}]")));
    cov_arena_free(arena);
}

static void error__may_quote_itself(void **state)
{
    cov_error err;

    (void)state;
    cov_error_init(&err, NULL);
    cov_fail(&err, COV_EINVAL, "inner %d", 1);
    cov_fail(&err, COV_EINTERNAL, "outer: %s", err.text);
    assert_string_equal(err.text, "outer: inner 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error__may_quote_itself),
        cmocka_unit_test(error__names_a_field_as_validation_does),
        cmocka_unit_test(error__table_is_complete),
        cmocka_unit_test(error__unknown_status_is_internal),
        cmocka_unit_test(error__fail_fills_and_clears),
        cmocka_unit_test(error__members_join_and_escape),
        cmocka_unit_test(error__long_text_needs_an_arena),
        cmocka_unit_test(error__cut_keeps_code_points_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
