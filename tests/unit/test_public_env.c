/* SPDX-License-Identifier: MIT */
/* The public environment (spec/07 sections 14.2 and 14.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/internal.h"
#include "fake_host.h"

typedef struct fixture {
    fake_host fake;
    cov_arena *arena;
    cov_public_env env;
    cov_error err;
    const cov_config *config;
    cov_response res;
} fixture;

static void begin(fixture *f)
{
    memset(f, 0, sizeof *f);
    fake_host_init(&f->fake);
    f->arena = cov_arena_new(0);
    assert_non_null(f->arena);
    cov_error_init(&f->err, f->arena);
}

static void end(fixture *f)
{
    cov_buf_dispose(&f->res.body);
    cov_arena_free(f->arena);
    fake_host_dispose(&f->fake);
}

static cov_status read(fixture *f, const char *variables)
{
    cov_str text = cov_arena_printf(f->arena, "{\"resources\":{},\"publicEnv\":{\"variables\":%s}}",
                                    variables);

    assert_int_equal(cov_config_parse(f->arena, &f->fake.host, COV_STR("covara.jsonc"), text,
                                      &f->config, &f->err),
                     COV_OK);
    return cov__public_env_read(f->arena, &f->fake.host, &f->config->env, &f->env, &f->err);
}

static void assert_text(cov_str actual, const char *wanted)
{
    if (!cov_str_eq(actual, cov_str_from(wanted)))
        fail_msg("%.*s, wanted %s", COV_STR_ARG(actual), wanted);
}

static void env__has_the_tag_of_the_specification(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    f.fake.env[0][0] = "PUBLIC_API_URL";
    f.fake.env[0][1] = "https://api.example.com";
    f.fake.env[1][0] = "DB_PASSWORD";
    f.fake.env[1][1] = "hunter2";
    f.fake.env[2][0] = "PUBLIC_BUT_NOT";
    f.fake.env[2][1] = "hidden";
    assert_int_equal(read(&f, "{\"DB_PASSWORD\":\"string\",\"PUBLIC_API_URL\":\"url\","
                              "\"PUBLIC_BUT_NOT\":{\"visibility\":\"private\"}}"),
                     COV_OK);
    assert_text(f.env.body, "{\"PUBLIC_API_URL\":\"https://api.example.com\"}");
    assert_text(f.env.etag, "\"9b95c2b9fa75a264\"");
    assert_text(f.env.fields, "[{\"path\":[\"PUBLIC_API_URL\"],\"type\":\"string\"}]");
    end(&f);
}

static void env__converts_by_type(void **state)
{
    static const struct {
        const char *type, *text, *wanted; /* NULL: refused */
        const char *details;
    } cases[] = {
        { "\"string\"", "", "\"\"", NULL },
        { "\"string\"", "a \"b\"", "\"a \\\"b\\\"\"", NULL },
        { "\"number\"", "8080", "8080", NULL },
        { "\"number\"", " -1.50 ", "-1.5", NULL },
        { "\"number\"", "1e3", "1000", NULL },
        { "\"number\"", "", NULL, "expected a number" },
        { "\"number\"", "12px", NULL, "expected a number" },
        { "\"number\"", "1e999", NULL, "expected a number" },
        { "\"number\"", "NaN", NULL, "expected a number" },
        { "\"boolean\"", "true", "true", NULL },
        { "\"boolean\"", "1", "true", NULL },
        { "\"boolean\"", "false", "false", NULL },
        { "\"boolean\"", "0", "false", NULL },
        { "\"boolean\"", "yes", NULL, "expected true, false, 1 or 0" },
        { "\"boolean\"", "", NULL, "expected true, false, 1 or 0" },
        { "\"list\"", "a, b,,c", "[\"a\",\"b\",\"\",\"c\"]", NULL },
        { "\"list\"", "", "[]", NULL },
        { "\"json\"", "{\"a\": [1, null]}", "{\"a\":[1,null]}", NULL },
        { "\"json\"", "{", NULL, "expected JSON" },
        { "\"json\"", "", NULL, "expected JSON" },
        { "\"url\"", "https://a.example/x?y#z", "\"https://a.example/x?y#z\"", NULL },
        { "\"url\"", "postgres://u:p@h:5432/db", "\"postgres://u:p@h:5432/db\"", NULL },
        { "\"url\"", "mailto:a@b.c", "\"mailto:a@b.c\"", NULL },
        { "\"url\"", "file:///a", "\"file:///a\"", NULL },
        { "\"url\"", "http://[::1]:80/", "\"http://[::1]:80/\"", NULL },
        { "\"url\"", "example.com", NULL, "expected a URL" },
        { "\"url\"", "http:example.com", NULL, "expected a URL" },
        { "\"url\"", "http://", NULL, "expected a URL" },
        { "\"url\"", "http:///x", NULL, "expected a URL" },
        { "\"url\"", "http://a b", NULL, "expected a URL" },
        { "\"url\"", "://x", NULL, "expected a URL" },
        { "\"url\"", "1http://x", NULL, "expected a URL" },
        { "\"url\"", "", NULL, "expected a URL" },
        { "{\"type\":\"enum\",\"values\":[\"dev\",\"prod\"]}", "prod", "\"prod\"", NULL },
        { "{\"type\":\"enum\",\"values\":[\"dev\",\"prod\"]}", "Prod", NULL,
          "expected one of \"dev\", \"prod\"" },
        { "\"enum\"", "x", NULL, "an enum needs \"values\"" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(cases); i++) {
        fixture f;
        cov_status st;

        begin(&f);
        f.fake.env[0][0] = "PUBLIC_A";
        f.fake.env[0][1] = cases[i].text;
        st = read(&f, cov_arena_printf(f.arena, "{\"PUBLIC_A\":%s}", cases[i].type).ptr);
        if (cases[i].wanted != NULL) {
            assert_int_equal(st, COV_OK);
            assert_text(f.env.body,
                        cov_arena_printf(f.arena, "{\"PUBLIC_A\":%s}", cases[i].wanted).ptr);
        } else {
            assert_int_equal(st, COV_EINVAL);
            assert_text(cov_error_detail(&f.err),
                        cov_arena_printf(f.arena,
                                         "Environment variable validation error for PUBLIC_A: %s",
                                         cases[i].details)
                            .ptr);
        }
        end(&f);
    }
}

static void env__takes_defaults_and_leaves_out_what_is_optional(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    f.fake.env[0][0] = "PUBLIC_SET";
    f.fake.env[0][1] = "5";
    assert_int_equal(read(&f, "{\"PUBLIC_NONE\":{\"optional\":true},"
                              "\"PUBLIC_SET\":{\"type\":\"number\",\"default\":\"6\"},"
                              "\"PUBLIC_UNSET\":{\"type\":\"number\",\"default\":\"7\"},"
                              "\"OTHER\":{\"default\":\"x\",\"visibility\":\"public\"}}"),
                     COV_OK);
    assert_text(f.env.body, "{\"PUBLIC_SET\":5,\"PUBLIC_UNSET\":7,\"OTHER\":\"x\"}");
    assert_text(f.env.fields, "[{\"path\":[\"PUBLIC_NONE\"],\"type\":\"unknown\"},"
                              "{\"path\":[\"PUBLIC_SET\"],\"type\":\"number\"},"
                              "{\"path\":[\"PUBLIC_UNSET\"],\"type\":\"number\"},"
                              "{\"path\":[\"OTHER\"],\"type\":\"string\"}]");
    assert_int_equal(read(&f, "{\"PUBLIC_BAD\":{\"type\":\"number\",\"default\":\"x\"}}"),
                     COV_EINVAL);
    end(&f);
}

static void env__private_ones_are_checked_and_never_told(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    assert_int_equal(read(&f, "{\"PORT\":\"number\"}"), COV_EINVAL);
    assert_text(cov_error_detail(&f.err),
                "Environment variable validation error for PORT: it is required");
    f.fake.env[0][0] = "PORT";
    f.fake.env[0][1] = "hunter2";
    assert_int_equal(read(&f, "{\"PORT\":\"number\"}"), COV_EINVAL);
    assert_false(cov_str_contains(cov_error_detail(&f.err), COV_STR("hunter2")));
    f.fake.env[0][1] = "1";
    assert_int_equal(read(&f, "{\"PORT\":\"number\",\"APP_PUBLIC_NAME\":{\"default\":\"x\"}}"),
                     COV_OK);
    assert_text(f.env.body, "{}");
    assert_text(f.env.fields, "[]");
    end(&f);
}

static void schema__descends_into_objects(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    f.fake.env[0][0] = "PUBLIC_J";
    f.fake.env[0][1] = "{\"a\":{\"b\":true,\"c\":{}},\"d\":[{}],\"e\":null}";
    assert_int_equal(read(&f, "{\"PUBLIC_J\":\"json\"}"), COV_OK);
    assert_text(f.env.fields, "[{\"path\":[\"PUBLIC_J\",\"a\",\"b\"],\"type\":\"boolean\"},"
                              "{\"path\":[\"PUBLIC_J\",\"a\",\"c\"],\"type\":\"object\"},"
                              "{\"path\":[\"PUBLIC_J\",\"d\"],\"type\":\"array\"},"
                              "{\"path\":[\"PUBLIC_J\",\"e\"],\"type\":\"unknown\"}]");
    end(&f);
}

/* ---- answers ---- */

static const char *header(const fixture *f, const char *name)
{
    const cov_header *found = cov_response_find(&f->res, cov_str_from(name));

    return found != NULL ? cov_arena_str(f->arena, found->value).ptr : "";
}

static int ask(fixture *f, const char *if_none_match)
{
    cov_header condition = { COV_STR_INIT("If-None-Match"), cov_str_from(if_none_match) };
    cov_request req = { .headers = &condition, .n_headers = if_none_match != NULL };
    cov_ctx ctx = { .host = &f->fake.host, .arena = f->arena, .req = &req, .res = &f->res };

    cov_buf_clear(&f->res.body, 0);
    f->res.n_headers = 0;
    cov__public_env_answer(&f->env, &f->config->env, &ctx);
    return f->res.status;
}

static void answer__is_conditional(void **state)
{
    fixture f;
    static const char *const same[] = { "\"9b95c2b9fa75a264\"", "W/\"9b95c2b9fa75a264\"", "*",
                                        "\"a,b\", \"9b95c2b9fa75a264\" ,\"c\"" };
    static const char *const others[] = { "\"9b95c2b9fa75a265\"", "9b95c2b9fa75a264", "",
                                          "\"a, \"9b95c2b9fa75a264" };

    (void)state;
    begin(&f);
    f.fake.env[0][0] = "PUBLIC_API_URL";
    f.fake.env[0][1] = "https://api.example.com";
    assert_int_equal(read(&f, "{\"PUBLIC_API_URL\":\"url\"}"), COV_OK);
    assert_int_equal(ask(&f, NULL), 200);
    assert_string_equal(header(&f, "Content-Type"), "application/json");
    for (size_t i = 0; i < COV_COUNT_OF(same); i++) {
        assert_int_equal(ask(&f, same[i]), 304);
        assert_int_equal(f.res.body.len, 0);
        assert_string_equal(header(&f, "ETag"), "\"9b95c2b9fa75a264\"");
        assert_string_equal(header(&f, "Cache-Control"), "public, max-age=3600");
    }
    for (size_t i = 0; i < COV_COUNT_OF(others); i++) {
        assert_int_equal(ask(&f, others[i]), 200);
        assert_text(cov_buf_view(&f.res.body), "{\"PUBLIC_API_URL\":\"https://api.example.com\"}");
        assert_string_equal(header(&f, "ETag"), "\"9b95c2b9fa75a264\"");
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(env__has_the_tag_of_the_specification),
        cmocka_unit_test(env__converts_by_type),
        cmocka_unit_test(env__takes_defaults_and_leaves_out_what_is_optional),
        cmocka_unit_test(env__private_ones_are_checked_and_never_told),
        cmocka_unit_test(schema__descends_into_objects),
        cmocka_unit_test(answer__is_conditional),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
