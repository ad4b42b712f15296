/* SPDX-License-Identifier: MIT */
/* Files of app.static: what is served, how, and what comes before them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/build.h"
#include "app_fixture.h"

static const char schema[] = "CREATE TABLE things (id INTEGER PRIMARY KEY);";
#define CONFIG(app_options)                                    \
    "{\"app\":{\"basePath\":\"/api\",\"static\":{" app_options \
    "}},\"resources\":{\"things\":{\"auth\":{\"public\":true}}}}"
static const char plain[] = CONFIG("\"/\":\"public\"");

static cov_status give(app_fixture *f, size_t from, const char *name, const char *bytes,
                       cov_error *err)
{
    cov_file file = { &f->app->config->app.statics[from], cov_str_from(name), cov_str_from(bytes) };

    cov_error_init(err, f->arena);
    return cov__app_serve_files(f->app, &file, 1, err);
}

static void open_with(app_fixture *f, const char *config, const cov_str (*files)[2], size_t n)
{
    cov_file *list;
    cov_error err;

    app_fixture_open(f, schema, config);
    cov_error_init(&err, f->arena);
    list = COV_NEW_ARRAY(f->arena, cov_file, n);
    for (size_t i = 0; i < n; i++)
        list[i] = (cov_file){ f->app->config->app.statics, files[i][0], files[i][1] };
    assert_int_equal(cov__app_serve_files(f->app, list, n, &err), COV_OK);
}

static const cov_str site[][2] = {
    { COV_STR_INIT("index.html"), COV_STR_INIT("<p>home") },
    { COV_STR_INIT("docs/index.html"), COV_STR_INIT("<p>docs") },
    { COV_STR_INIT("docs/a b.css"), COV_STR_INIT("p{}") },
    { COV_STR_INIT("app.JS"), COV_STR_INIT("1") },
    { COV_STR_INIT("LICENSE"), COV_STR_INIT("free") },
    { COV_STR_INIT("api/things"), COV_STR_INIT("never") },
    { COV_STR_INIT("healthz"), COV_STR_INIT("never") },
};

static void static_files__answers_with_type_tag_and_headers(void **state)
{
    static const struct {
        const char *path, *body, *type;
    } rows[] = {
        { "/", "<p>home", "text/html; charset=utf-8" },
        { "/index.html", "<p>home", "text/html; charset=utf-8" },
        { "/?x=1", "<p>home", "text/html; charset=utf-8" },
        { "/docs/", "<p>docs", "text/html; charset=utf-8" },
        { "/docs/a%20b.css", "p{}", "text/css; charset=utf-8" },
        { "/%64ocs/a%20b%2ecss", "p{}", "text/css; charset=utf-8" },
        { "/app.JS", "1", "text/javascript; charset=utf-8" },
        { "/LICENSE", "free", "application/octet-stream" },
    };
    app_fixture f;

    (void)state;
    open_with(&f, plain, site, COV_COUNT_OF(site));
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        assert_answer(&f, app_call(&f, "GET", rows[i].path, NULL, NULL), 200, rows[i].body);
        assert_string_equal(app_header(&f, "Content-Type"), rows[i].type);
        assert_string_equal(app_header(&f, "Cache-Control"), "no-cache");
        assert_string_equal(app_header(&f, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(app_header(&f, "Content-Security-Policy"),
                            "default-src 'self'; base-uri 'none'; form-action 'self'");
    }
    app_fixture_close(&f);
}

static void static_files__conditional(void **state)
{
    app_fixture f;
    char headers[128];

    (void)state;
    open_with(&f, plain, site, COV_COUNT_OF(site));
    assert_int_equal(app_call(&f, "HEAD", "/", NULL, NULL), 200);
    snprintf(headers, sizeof headers, "If-None-Match: \"other\", W/%s\n", app_header(&f, "ETag"));
    assert_answer(&f, app_call(&f, "GET", "/", headers, NULL), 304, "");
    assert_non_null(app_header(&f, "ETag"));
    assert_answer(&f, app_call(&f, "GET", "/docs/", headers, NULL), 200, "<p>docs");
    app_fixture_close(&f);
}

static void static_files__folder_without_slash_leads_to_it(void **state)
{
    app_fixture f;

    (void)state;
    open_with(&f, plain, site, COV_COUNT_OF(site));
    assert_int_equal(app_call(&f, "GET", "/docs", NULL, NULL), 308);
    assert_string_equal(app_header(&f, "Location"), "/docs/");
    assert_int_equal(app_call(&f, "GET", "//docs", NULL, NULL), 404);
    app_fixture_close(&f);
}

static void static_files__nothing_else_is_reached(void **state)
{
    static const char *const paths[] = {
        "/docs/../index.html", "/%2e%2e/covara.jsonc", "/docs%00",     "/docs/index.html%00",
        "/docs/index.html/",   "/Index.html",          "//index.html", "/docs%",
        "/index.html%2",       "/api/index.html",
    };
    app_fixture f;
    char longest[3000];

    (void)state;
    open_with(&f, plain, site, COV_COUNT_OF(site));
    for (size_t i = 0; i < COV_COUNT_OF(paths); i++)
        assert_int_equal(app_call(&f, "GET", paths[i], NULL, NULL), 404);
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(app_call(&f, "GET", longest, NULL, NULL), 404);
    assert_int_equal(app_call(&f, "POST", "/index.html", NULL, "{}"), 404);
    app_fixture_close(&f);
}

static void static_files__resources_and_health_come_first(void **state)
{
    app_fixture f;

    (void)state;
    open_with(&f, plain, site, COV_COUNT_OF(site));
    assert_contains(&f, app_call(&f, "GET", "/api/things", NULL, NULL), 200, "\"items\":[]");
    assert_contains(&f, app_call(&f, "GET", "/healthz", NULL, NULL), 200, "healthy");
    app_fixture_close(&f);
}

static void static_files__mounts_have_policies_of_their_own(void **state)
{
    app_fixture f;
    cov_error err;

    (void)state;
    app_fixture_open(&f, schema,
                     CONFIG("\"/help/\":{\"folder\":\"x\",\"contentSecurityPolicy\":false}"));
    assert_int_equal(give(&f, 0, "a.txt", "hello", &err), COV_OK);
    assert_answer(&f, app_call(&f, "GET", "/help/a.txt", NULL, NULL), 200, "hello");
    assert_null(app_header(&f, "Content-Security-Policy"));
    assert_int_equal(app_call(&f, "GET", "/a.txt", NULL, NULL), 404);
    app_fixture_close(&f);
}

static void static_files__one_file_a_path(void **state)
{
    static const cov_str twice[][2] = { { COV_STR_INIT("a"), COV_STR_INIT("1") },
                                        { COV_STR_INIT("a"), COV_STR_INIT("2") } };
    app_fixture f;
    cov_file files[2];
    cov_error err;

    (void)state;
    app_fixture_open(&f, schema, plain);
    cov_error_init(&err, f.arena);
    for (size_t i = 0; i < 2; i++)
        files[i] = (cov_file){ f.app->config->app.statics, twice[i][0], twice[i][1] };
    assert_int_equal(cov__app_serve_files(f.app, files, 2, &err), COV_EINVAL);
    assert_string_equal(err.text, "app.static: two files are served as \"/a\"");
    app_fixture_close(&f);
}

static void static_files__configuration(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    const cov_config *config;
    cov_error err;
    cov_str wrong = COV_STR("{\"app\":{\"static\":{\"docs\":\"x\"}},\"resources\":{}}");

    (void)state;
    cov_error_init(&err, arena);
    assert_int_equal(cov_config_parse(arena, cov_native_host(), COV_STR("c"), wrong, &config, &err),
                     COV_EINVAL);
    assert_string_equal(err.text, "c:1:19: a path in \"static\" must begin with /: \"docs\"");
    cov_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_files__answers_with_type_tag_and_headers),
        cmocka_unit_test(static_files__conditional),
        cmocka_unit_test(static_files__folder_without_slash_leads_to_it),
        cmocka_unit_test(static_files__nothing_else_is_reached),
        cmocka_unit_test(static_files__resources_and_health_come_first),
        cmocka_unit_test(static_files__mounts_have_policies_of_their_own),
        cmocka_unit_test(static_files__one_file_a_path),
        cmocka_unit_test(static_files__configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
