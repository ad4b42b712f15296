/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/cookie.h"

/* Mon, 23 Nov 2026 06:38:34 GMT */
#define NOW_MS INT64_C(1795415914000)
#define DAY_MS INT64_C(86400000)

static cov_arena *arena;

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
    char text[512];

    assert_true(actual.len < sizeof text);
    if (actual.len != 0)
        memcpy(text, actual.ptr, actual.len);
    text[actual.len] = '\0';
    assert_string_equal(text, expected);
}

/* ---- of requests ---- */

static cov_str get(const char *cookies, const char *name)
{
    cov_header headers[] = {
        { COV_STR("Host"), COV_STR("session=host") },
        { COV_STR("cookie"), cov_str_from(cookies) },
    };
    cov_request req = { .headers = headers, .n_headers = 2 };

    return cov_cookie_get(arena, &req, cov_str_from(name));
}

static void cookie__parses(void **state)
{
    static const struct {
        const char *cookies;
        const char *value; /* of "session"; NULL: none */
    } rows[] = {
        { "session=abc", "abc" },
        { "a=1; session=abc; b=2", "abc" },
        { "a=1;session=abc;b=2", "abc" },
        { "a=1;\tsession \t=\t abc \t;b=2", "abc" },
        { "session=abc; session=def", "abc" },
        { "session=", "" },
        { "session=\"\"", "" },
        { "session=a=b==", "a=b==" },
        { "session=\"a b\"", "a b" },
        { "session=\" a \"", " a " },
        { "session=a b", "a b" },
        { "session=\"\"abc\"\"", NULL },
        { "session=\"", NULL },
        { "session=\"abc", NULL },
        { "session=abc\"", NULL },
        { "session=a\\b", NULL },
        { "session=a\tb", NULL },
        { "session=\xC3\xA4", NULL },
        { "session=a\x7F", NULL },
        { "session=a\x01", NULL },
        { "session=a\\b; session=good", "good" },
        { "session=%C3%A4%20%3B", "\xC3\xA4 ;" },
        { "session=a%2", "a%2" },
        { "session=%41%2", "%41%2" },
        { "session=%41%zz", "%41%zz" },
        { "session=%41%FF", "%41%FF" },
        { "session=%ED%A0%80", "%ED%A0%80" },
        { "session=a+b", "a+b" },
        { "session", NULL },
        { "session;", NULL },
        { "Session=abc", NULL },
        { "xsession=abc", NULL },
        { "session2=abc", NULL },
        { "\"session\"=abc", NULL },
        { "=abc", NULL },
        { "a=session=abc", NULL },
        { "a=\"; session=abc\"", NULL },
        { ";;;; session=abc", "abc" },
        { "", NULL },
        { ";", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_str value = get(rows[i].cookies, "session");

        if (rows[i].value == NULL && value.ptr != NULL)
            fail_msg("\"%s\" has a value", rows[i].cookies);
        if (rows[i].value != NULL && value.ptr == NULL)
            fail_msg("\"%s\" has no value", rows[i].cookies);
        if (rows[i].value != NULL)
            assert_str(value, rows[i].value);
    }
}

static void cookie__of_several_headers_the_first_wins(void **state)
{
    cov_header headers[] = {
        { COV_STR("Cookie"), COV_STR("a=1") },
        { COV_STR("COOKIE"), COV_STR("b=2; session=\\") },
        { COV_STR("cookie"), COV_STR("session=first; session=second") },
        { COV_STR("Cookie"), COV_STR("session=third") },
    };
    cov_request req = { .headers = headers, .n_headers = COV_COUNT_OF(headers) };
    cov_request none = { .n_headers = 0 };

    (void)state;
    assert_str(cov_cookie_get(arena, &req, COV_STR("session")), "first");
    assert_str(cov_cookie_get(arena, &req, COV_STR("a")), "1");
    assert_str(cov_cookie_get(arena, &req, COV_STR("b")), "2");
    assert_null(cov_cookie_get(arena, &req, COV_STR("c")).ptr);
    assert_null(cov_cookie_get(arena, &none, COV_STR("a")).ptr);
}

/* ---- of responses ---- */

static cov_cookie session(void)
{
    static const cov_cookie_config config = { .path = COV_STR_INIT("/"), .max_age_s = -1 };

    return cov_cookie_of(&config, COV_STR("session"), false);
}

static void assert_set(const cov_cookie *cookie, const char *expected)
{
    cov_str text = COV_STR_NULL;

    assert_int_equal(cov_cookie_set(arena, cookie, NOW_MS, &text, NULL), COV_OK);
    assert_str(text, expected);
}

static void cookie__texts_of_the_spec(void **state)
{
    cov_cookie c = session();

    (void)state;
    c.value = COV_STR("00000000-0000-4000-8000-000000000001");
    c.expires_ms = NOW_MS + DAY_MS;
    assert_set(&c, "session=00000000-0000-4000-8000-000000000001; Path=/; "
                   "Expires=Tue, 24 Nov 2026 06:38:34 GMT; HttpOnly; SameSite=Lax");
    c.secure = true;
    assert_set(&c, "session=00000000-0000-4000-8000-000000000001; Path=/; "
                   "Expires=Tue, 24 Nov 2026 06:38:34 GMT; HttpOnly; Secure; SameSite=Lax");
    c = session();
    c.name = COV_STR("refreshToken");
    c.value = COV_STR("a.b-c_d");
    c.max_age_s = 604800;
    c.same_site = COV_SAME_SITE_STRICT;
    assert_set(&c, "refreshToken=a.b-c_d; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict");
    c = session();
    c.name = COV_STR("csrf_token");
    c.value = COV_STR("x");
    c.http_only = false;
    assert_set(&c, "csrf_token=x; Path=/; SameSite=Lax");
}

static void cookie__attributes_have_one_order(void **state)
{
    static const cov_cookie_config config = {
        .same_site = COV_SAME_SITE_NONE,
        .path = COV_STR_INIT("/api"),
        .domain = COV_STR_INIT("example.com"),
        .max_age_s = 0,
        .priority = COV_STR_INIT("hIGH"),
        .partitioned = true,
    };
    cov_cookie c = cov_cookie_of(&config, COV_STR("__Secure-s"), true);

    (void)state;
    c.value = COV_STR("\xC3\xA4 ;,=\"%\\!~*'()");
    c.expires_ms = 0;
    assert_set(&c, "__Secure-s=%C3%A4%20%3B%2C%3D%22%25%5C!~*'(); Max-Age=0; Domain=example.com; "
                   "Path=/api; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; "
                   "SameSite=None; Priority=High; Partitioned");
}

static void cookie__clears_by_name_domain_and_path(void **state)
{
    cov_cookie c = session();
    cov_str text;

    (void)state;
    c.value = COV_STR("old");
    c.max_age_s = 5;
    c.secure = true;
    c.expires_ms = NOW_MS;
    assert_int_equal(cov_cookie_clear(arena, &c, &text, NULL), COV_OK);
    assert_str(text, "session=; Max-Age=0; Path=/");
    c.domain = COV_STR("example.com");
    c.path = COV_STR("/app");
    assert_int_equal(cov_cookie_clear(arena, &c, &text, NULL), COV_OK);
    assert_str(text, "session=; Max-Age=0; Domain=example.com; Path=/app");
    c.name = COV_STR("__Host-s");
    c.domain = COV_STR_NULL;
    assert_int_equal(cov_cookie_clear(arena, &c, &text, NULL), COV_OK);
    assert_str(text, "__Host-s=; Max-Age=0; Path=/app; Secure");
    c.name = COV_STR("s");
    c.partitioned = true;
    assert_int_equal(cov_cookie_clear(arena, &c, &text, NULL), COV_OK);
    assert_str(text, "s=; Max-Age=0; Path=/app; Secure; Partitioned");
    c.path = COV_STR("/;x");
    assert_int_equal(cov_cookie_clear(arena, &c, &text, NULL), COV_EINTERNAL);
}

static void assert_refused(const cov_cookie *cookie)
{
    cov_str text = COV_STR("untouched");

    assert_int_equal(cov_cookie_set(arena, cookie, NOW_MS, &text, NULL), COV_EINTERNAL);
    assert_str(text, "untouched");
}

static void cookie__lives_at_most_400_days(void **state)
{
    cov_cookie c = session();

    (void)state;
    c.max_age_s = 34560000;
    assert_set(&c, "session=; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax");
    c.max_age_s = 34560001;
    assert_refused(&c);
    c = session();
    c.expires_ms = NOW_MS + 400 * DAY_MS;
    assert_set(&c, "session=; Path=/; Expires=Tue, 28 Dec 2027 06:38:34 GMT; HttpOnly; "
                   "SameSite=Lax");
    c.expires_ms += 1000;
    assert_refused(&c);
    c.expires_ms = INT64_MAX;
    assert_refused(&c);
    c.expires_ms = INT64_MIN + 1;
    assert_refused(&c);
}

static void cookie__refuses_what_could_break_out(void **state)
{
    static const cov_str bad_names[] = { COV_STR_INIT(""),        COV_STR_INIT("a b"),
                                         COV_STR_INIT("a=b"),     COV_STR_INIT("a;b"),
                                         COV_STR_INIT("a\n"),     COV_STR_INIT("a\0b"),
                                         COV_STR_INIT("\xC3\xA4") };
    static const cov_str bad_parts[] = { COV_STR_INIT("/\r\nX: y"), COV_STR_INIT("/\0"),
                                         COV_STR_INIT("/\x7F"), COV_STR_INIT("/\t"),
                                         COV_STR_INIT("/; Secure") };
    cov_cookie c;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(bad_names); i++) {
        c = session();
        c.name = bad_names[i];
        assert_refused(&c);
    }
    for (size_t i = 0; i < COV_COUNT_OF(bad_parts); i++) {
        c = session();
        c.path = bad_parts[i];
        assert_refused(&c);
        c = session();
        c.domain = bad_parts[i];
        assert_refused(&c);
        c = session();
        c.priority = bad_parts[i];
        assert_refused(&c);
        c = session();
        c.value = bad_parts[i];
        if (i < COV_COUNT_OF(bad_parts) - 1)
            assert_refused(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookie__parses),
        cmocka_unit_test(cookie__of_several_headers_the_first_wins),
        cmocka_unit_test(cookie__texts_of_the_spec),
        cmocka_unit_test(cookie__attributes_have_one_order),
        cmocka_unit_test(cookie__clears_by_name_domain_and_path),
        cmocka_unit_test(cookie__lives_at_most_400_days),
        cmocka_unit_test(cookie__refuses_what_could_break_out),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
