/* SPDX-License-Identifier: MIT */
/* Routes and middleware of application code (covara/procedure.h, spec/01 section 1.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "app/build.h"
#include "app_fixture.h"

static const char schema[] =
    "CREATE TABLE things (id INTEGER PRIMARY KEY, n INTEGER NOT NULL); INSERT INTO things VALUES (7,1);";
static const char config[] =
    "{\"app\":{\"cors\":true},\"resources\":{\"things\":{\"auth\":{\"public\":{\"read\":true,\"create\":true}}}}}";

#define PROBLEM_500                                                                                \
    "{\"type\":\"/__covara/problems/internal-error\",\"title\":\"Internal error\",\"status\":500," \
    "\"detail\":\"An internal server error occurred\",\"code\":\"INTERNAL_ERROR\"}"

static cov_status insert(cov_ctx *ctx, cov_error *err)
{
    return cov_ctx_exec(ctx, COV_STR("INSERT INTO things (n) VALUES (2)"), NULL, 0, NULL, err);
}

static void answer(cov_ctx *ctx, int status, const char *text)
{
    cov_response *res = cov_ctx_response(ctx);

    res->status = status;
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("text/plain"));
    cov_buf_str(&res->body, cov_str_from(text));
}

/* ---- routes ---- */

static int depth_seen;

/* Answers with what the route was called, and the transaction that it runs in. */
static cov_status tell(cov_ctx *ctx, void *self, cov_error *err)
{
    (void)err;
    depth_seen = ctx->db->depth;
    answer(ctx, 200, self);
    return COV_OK;
}

/* "[name=value]" of each parameter that the path, then the query has. */
static cov_status tell_params(cov_ctx *ctx, void *self, cov_error *err)
{
    static const char *const names[] = { "year", "month", "a", "h", "limit", "q", "x y" };
    cov_buf *body = &cov_ctx_response(ctx)->body;

    (void)err;
    answer(ctx, 200, self);
    for (size_t i = 0; i < COV_COUNT_OF(names); i++) {
        cov_str value = cov_ctx_path_param(ctx, names[i]);

        if (value.ptr != NULL)
            cov_buf_printf(body, "[%s=%.*s]", names[i], COV_STR_ARG(value));
    }
    COV_BUF_LIT(body, "?");
    for (size_t i = 0; i < COV_COUNT_OF(names); i++) {
        cov_str value = cov_ctx_query_param(ctx, names[i]);

        if (value.ptr != NULL)
            cov_buf_printf(body, "[%s=%.*s]", names[i], COV_STR_ARG(value));
    }
    return COV_OK;
}

static cov_status write_then(cov_ctx *ctx, void *self, cov_error *err)
{
    const char *what = self;
    cov_status st = insert(ctx, err);

    depth_seen = ctx->db->depth;
    if (st != COV_OK)
        return st;
    cov_response_header(cov_ctx_response(ctx), COV_STR("X-Handler"), COV_STR("was here"));
    if (strcmp(what, "conflict") == 0) {
        answer(ctx, 201, "half an answer");
        return cov_fail(err, COV_ECONFLICT, "already taken");
    }
    if (strcmp(what, "silent") == 0)
        return COV_EFORBIDDEN;
    if (strcmp(what, "none") == 0)
        return COV_OK;
    answer(ctx, strcmp(what, "odd") == 0 ? 42 : 201, "written");
    return COV_OK;
}

#define SELF(text) \
    (char[])       \
    {              \
        text       \
    }

static cov_custom_route routes[] = {
    { .method = COV_GET, .path = "/feed.xml", .handle = tell, .self = SELF("feed") },
    { .method = COV_POST, .path = "/feed.xml", .handle = tell, .self = SELF("post") },
    { .method = COV_GET, .path = "/reports/:year", .handle = tell_params, .self = SELF("year") },
    { .method = COV_GET, .path = "/reports/latest", .handle = tell, .self = SELF("shadowed") },
    { .method = COV_GET,
      .path = "/reports/:year/:month",
      .handle = tell_params,
      .self = SELF("month") },
    { .method = COV_GET, .path = "/reports/:year/all", .handle = tell, .self = SELF("shadowed") },
    { .method = COV_GET, .path = "/", .handle = tell, .self = SELF("root") },
    { .method = COV_GET,
      .path = "/:a/:b/:c/:d/:e/:f/:g/:h",
      .handle = tell_params,
      .self = SELF("eight") },
    { .method = COV_GET, .path = "/api/things/special", .handle = tell, .self = SELF("special") },
    { .method = COV_GET, .path = "/api/things/count", .handle = tell, .self = SELF("counted") },
    { .method = COV_GET, .path = "/probe", .handle = tell, .self = SELF("by GET") },
    { .method = COV_HEAD, .path = "/probe", .handle = tell, .self = SELF("by HEAD") },
    { .method = COV_GET,
      .path = "/ticket",
      .handle = write_then,
      .self = SELF("ok"),
      .writes = true },
    { .method = COV_POST, .path = "/ok", .handle = write_then, .self = SELF("ok") },
    { .method = COV_POST, .path = "/conflict", .handle = write_then, .self = SELF("conflict") },
    { .method = COV_DELETE, .path = "/silent", .handle = write_then, .self = SELF("silent") },
    { .method = COV_PUT, .path = "/none", .handle = write_then, .self = SELF("none") },
    { .method = COV_PATCH, .path = "/odd", .handle = write_then, .self = SELF("odd") },
};

/* ---- middleware ---- */

/* What each of the two does: a letter, or nothing. The second writes what it does behind the first. */
static char first_does, second_does;
static char trace[64];

static cov_status act(cov_ctx *ctx, char what, cov_error *err)
{
    cov_response *res = cov_ctx_response(ctx);

    switch (what) {
    case 'a': /* answer */
        answer(ctx, 503, "closed");
        return COV_OK;
    case 'h': /* a header for whoever answers, and a body that nobody asked for */
        cov_response_header(res, COV_STR("X-Trace"), COV_STR("t-1"));
        COV_BUF_LIT(&res->body, "noise");
        return COV_OK;
    case 'r': /* refuse, with a header for the refusal */
        cov_response_header(res, COV_STR("WWW-Authenticate"), COV_STR("Bearer"));
        cov_response_header(res, COV_STR("Content-Type"), COV_STR("text/plain"));
        return cov_fail(err, COV_EUNAUTH, "who are you?");
    case 's': /* refuse silently */
        return COV_EFORBIDDEN;
    case 'o': /* no status of HTTP */
        res->status = 1000;
        return COV_OK;
    case 'w':
        return insert(ctx, err);
    default:
        return COV_OK;
    }
}

static cov_status run_first(cov_ctx *ctx, void *self, cov_error *err)
{
    (void)self;
    snprintf(trace, sizeof trace, "1:%.*s", COV_STR_ARG(cov_ctx_request(ctx)->path));
    return act(ctx, first_does, err);
}

static cov_status run_second(cov_ctx *ctx, void *self, cov_error *err)
{
    assert_string_equal(self, "self");
    snprintf(trace + strlen(trace), sizeof trace - strlen(trace), " 2");
    return act(ctx, second_does, err);
}

static const cov_middleware middleware[] = { { run_first, NULL }, { run_second, SELF("self") } };

/* ---- the fixture, with the log in a text ---- */

static bool with_middleware;
static char logged[1024];
static cov_host host;

static cov_app *build(cov_env *env)
{
    cov_app *app = cov_app_new(env, NULL);

    for (size_t i = 0; app != NULL && i < COV_COUNT_OF(routes); i++)
        cov_app_route(app, &routes[i]);
    for (size_t i = 0; app != NULL && with_middleware && i < COV_COUNT_OF(middleware); i++)
        cov_app_use(app, &middleware[i]);
    return app;
}

static void keep_log(void *self, cov_log_level level, cov_str msg, cov_str members)
{
    (void)self;
    if (level >= COV_LOG_ERROR)
        snprintf(logged, sizeof logged, "%.*s %.*s", COV_STR_ARG(msg), COV_STR_ARG(members));
}

static int open_app(void **state)
{
    static app_fixture f;

    app_fixture_build(&f, schema, config, build);
    host = *f.app->host;
    host.log = keep_log;
    f.app->host = &host;
    logged[0] = trace[0] = '\0';
    first_does = second_does = '\0';
    *state = &f;
    return 0;
}

static int open_plain(void **state)
{
    with_middleware = false;
    return open_app(state);
}

static int open_with_middleware(void **state)
{
    with_middleware = true;
    return open_app(state);
}

static int close_app(void **state)
{
    app_fixture_close(*state);
    return 0;
}

static int get(app_fixture *f, const char *target)
{
    return app_call(f, "GET", target, NULL, NULL);
}

static int64_t n_rows(app_fixture *f)
{
    int64_t n = 0;
    cov_stmt stmt = { COV_STR_INIT("UPDATE things SET n = n"), NULL, 0 };

    assert_int_equal(cov_db_exec(f->db, &stmt, &n, NULL), COV_OK);
    return n;
}

static cov_lane lane(app_fixture *f, const char *method, const char *path)
{
    cov_header preflight[] = { { COV_STR_INIT("Origin"), COV_STR_INIT("https://a.example") },
                               { COV_STR_INIT("Access-Control-Request-Method"),
                                 COV_STR_INIT("POST") } };
    cov_request req = { .method_name = cov_str_from(method),
                        .path = cov_str_from(path),
                        .headers = preflight,
                        .n_headers = 2 };

    req.method = cov_method_of(req.method_name);
    return cov_app_lane(f->app, &req);
}

/* ---- tests of routes ---- */

static void route__answers_for_itself(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, get(f, "/feed.xml"), 200, "feed");
    assert_string_equal(app_header(f, "Content-Type"), "text/plain");
    assert_string_equal(app_header(f, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(app_header(f, "Access-Control-Allow-Origin"), "*");
    assert_answer(f, app_call(f, "POST", "/feed.xml?x=1", NULL, "{"), 200, "post");
    assert_answer(f, get(f, "/"), 200, "root");
}

static void route__other_paths_and_methods_are_not_its(void **state)
{
    app_fixture *f = *state;
    static const struct {
        const char *method;
        const char *path;
    } rows[] = {
        { "PUT", "/feed.xml" },      { "PURGE", "/ok" },       { "HEAD", "/ok" },
        { "GET", "/feed.xml/" },     { "GET", "//feed.xml" },  { "GET", "/feed%2Exml" },
        { "GET", "/Feed.xml" },      { "GET", "/feed.xm" },    { "GET", "/reports" },
        { "GET", "/reports/" },      { "GET", "/reports//1" }, { "GET", "/reports/1/" },
        { "GET", "/reports/1/2/3" }, { "GET", "feed.xml" },    { "GET", "" },
        { "GET", "/api/feed.xml" },
    };

    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        char detail[96];

        snprintf(detail, sizeof detail, "\"detail\":\"Route %s %s not found\"", rows[i].method,
                 rows[i].path);
        assert_contains(f, app_call(f, rows[i].method, rows[i].path, NULL, NULL), 404, detail);
    }
}

static void route__first_added_answers(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, get(f, "/reports/latest"), 200, "year[year=latest]?");
    assert_answer(f, get(f, "/reports/1/all"), 200, "month[year=1][month=all]?");
}

static void route__goes_before_resources(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, get(f, "/api/things/special"), 200, "special");
    assert_answer(f, get(f, "/api/things/count"), 200, "counted");
    assert_answer(f, get(f, "/api/things/7"), 200, "{\"id\":7,\"n\":1}");
    assert_contains(f, app_call(f, "POST", "/api/things/special", NULL, "{}"), 404, "Route POST");
}

static void route__head_runs_get_unless_it_has_its_own(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, app_call(f, "HEAD", "/feed.xml", NULL, NULL), 200, "feed");
    assert_answer(f, app_call(f, "HEAD", "/probe", NULL, NULL), 200, "by HEAD");
    assert_answer(f, get(f, "/probe"), 200, "by GET");
}

static void route__parameters_are_decoded(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, get(f, "/reports/2024"), 200, "year[year=2024]?");
    assert_answer(f, get(f, "/reports/a%2Fb%20c+d/%E2%82%AC"), 200,
                  "month[year=a/b c+d][month=\xE2\x82\xAC]?");
    assert_answer(f, get(f, "/reports/%zz/%ff"), 200, "month[year=%zz][month=%ff]?");
    assert_answer(f, get(f, "/1/2/3/4/5/6/7/8"), 200, "eight[a=1][h=8]?");
}

static void route__sees_every_query_parameter(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, get(f, "/reports/1?limit=5&year=2&limit=6&q=a+b%26%3D&x%20y=1=2&unknown"), 200,
                  "year[year=1]?[year=2][limit=5][q=a b&=][x y=1=2]");
    assert_answer(f, get(f, "/reports/1?q&limit=&&="), 200, "year[year=1]?[limit=][q=]");
    assert_answer(f, get(f, "/reports/1?qq=1&Q=2"), 200, "year[year=1]?");
}

static void route__lane_follows_the_method_unless_it_writes(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(lane(f, "GET", "/feed.xml"), COV_LANE_READ);
    assert_int_equal(lane(f, "HEAD", "/feed.xml"), COV_LANE_READ);
    assert_int_equal(lane(f, "POST", "/feed.xml"), COV_LANE_WRITE);
    assert_int_equal(lane(f, "GET", "/ticket"), COV_LANE_WRITE);
    assert_int_equal(lane(f, "HEAD", "/ticket"), COV_LANE_WRITE);
    assert_int_equal(lane(f, "GET", "/api/things/special"), COV_LANE_READ);
    assert_int_equal(lane(f, "DELETE", "/feed.xml"), COV_LANE_NONE);
    assert_int_equal(lane(f, "OPTIONS", "/feed.xml"), COV_LANE_NONE);
    assert_int_equal(lane(f, "GET", "/healthz"), COV_LANE_NONE);
    assert_int_equal(lane(f, "GET", "/readyz"), COV_LANE_READ);
}

static void route__writing_runs_in_a_transaction(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, get(f, "/feed.xml"), 200, "feed");
    assert_int_equal(depth_seen, 0);
    assert_answer(f, app_call(f, "POST", "/ok", NULL, NULL), 201, "written");
    assert_int_equal(depth_seen, 1);
    assert_answer(f, get(f, "/ticket"), 201, "written");
    assert_int_equal(depth_seen, 1);
    assert_int_equal(n_rows(f), 3);
}

static void route__failure_is_its_problem_and_rolls_back(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, app_call(f, "POST", "/conflict", NULL, NULL), 409,
                  "{\"type\":\"/__covara/problems/conflict\",\"title\":\"Conflict\",\"status\":409,"
                  "\"detail\":\"already taken\",\"code\":\"CONFLICT\"}");
    assert_string_equal(app_header(f, "Content-Type"), "application/problem+json");
    assert_null(app_header(f, "X-Handler"));
    assert_answer(
        f, app_call(f, "DELETE", "/silent", NULL, NULL), 403,
        "{\"type\":\"/__covara/problems/forbidden\",\"title\":\"Forbidden\",\"status\":403,"
        "\"detail\":\"route handler refused the request\",\"code\":\"FORBIDDEN\"}");
    assert_int_equal(depth_seen, 1);
    assert_int_equal(n_rows(f), 1);
}

static void route__must_set_a_status(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, app_call(f, "PUT", "/none", NULL, NULL), 500, PROBLEM_500);
    assert_non_null(
        strstr(logged,
               "\"path\":\"/none\",\"status\":500,\"error\":\"route handler set no status\""));
    assert_answer(f, app_call(f, "PATCH", "/odd", NULL, NULL), 500, PROBLEM_500);
    assert_non_null(strstr(logged, "\"error\":\"route handler set the status 42\""));
    assert_int_equal(n_rows(f), 1);
}

static void route__status_left_by_the_host_does_not_count(void **state)
{
    app_fixture *f = *state;
    cov_worker worker = { .host = cov_native_host(), .db = f->db, .arena = f->request };
    cov_request req = { .method = COV_PUT,
                        .method_name = COV_STR("PUT"),
                        .path = COV_STR("/none") };

    f->res.status = 200; /* as the native host leaves it */
    cov_app_fetch(f->app, &worker, &req, &f->res);
    assert_int_equal(f->res.status, 500);
}

/* ---- mistakes ---- */

static const cov_custom_route *wrong;

static cov_app *build_wrong(cov_env *env)
{
    static const cov_custom_route right = { .method = COV_GET, .path = "/a/:b/c", .handle = tell };
    cov_app *app = cov_app_new(env, NULL);

    if (app != NULL) {
        cov_app_route(app, &right);
        cov_app_route(app, wrong);
    }
    return app;
}

static cov_status build_with(app_fixture *f, cov_method method, const char *path,
                             cov_handler_fn handle, cov_error *err)
{
    cov_custom_route route = { .method = method, .path = path, .handle = handle };
    cov_schema *tables = NULL;
    cov_app *app = NULL;
    cov_status st;

    wrong = &route;
    cov_error_init(err, f->arena);
    assert_int_equal(cov_schema_read_sqlite(f->arena, f->db, f->app->config->naming, &tables, err),
                     COV_OK);
    st = cov__app_build(cov_native_host(), f->app->config, tables, NULL, build_wrong, &app, err);
    cov_app_free(app);
    return st;
}

static void route__mistakes_stop_the_build(void **state)
{
    app_fixture *f = *state;
    static const struct {
        const char *path;
        const char *text; /* NULL: none */
    } rows[] = {
        { "/a/:b/c", "two routes of one method match the same paths: \"/a/:b/c\"" },
        { "/a/:other/c", "two routes of one method match the same paths: \"/a/:other/c\"" },
        { "/a/b/c", NULL },
        { "/a/:b/:c", NULL },
        { "/a/:b", NULL },
        { "/a/:b/c/", NULL },
        { "/:1/:2/:3/:4/:5/:6/:7/:8", NULL },
        { "/:1/:2/:3/:4/:5/:6/:7/:8/:9",
          "more than 8 parameters in the route \"/:1/:2/:3/:4/:5/:6/:7/:8/:9\"" },
        { "/x/:", "a parameter without a name in the route \"/x/:\"" },
        { "/:x/:x", "two parameters of one name in the route \"/:x/:x\"" },
        { "feed", "a route's path must begin with a slash: \"feed\"" },
        { "", "a route's path must begin with a slash: \"\"" },
    };
    cov_error err;

    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        assert_int_equal(build_with(f, COV_GET, rows[i].path, tell, &err),
                         rows[i].text != NULL ? COV_EINVAL : COV_OK);
        if (rows[i].text != NULL)
            assert_string_equal(cov_error_detail(&err).ptr + strlen("application code: "),
                                rows[i].text);
    }
    assert_int_equal(build_with(f, COV_POST, "/a/:b/c", tell, &err), COV_OK);
    assert_int_equal(build_with(f, COV_GET, "/x", NULL, &err), COV_EINVAL);
    assert_string_equal(cov_error_detail(&err).ptr,
                        "application code: a route without a handler: \"/x\"");
}

/* ---- tests of middleware ---- */

static void middleware__runs_in_order_before_everything(void **state)
{
    app_fixture *f = *state;
    static const struct {
        const char *path;
        int status;
    } rows[] = { { "/feed.xml", 200 },
                 { "/api/things/7", 200 },
                 { "/healthz", 200 },
                 { "/readyz", 200 },
                 { "/nowhere", 404 } };

    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        char want[64];

        snprintf(want, sizeof want, "1:%s 2", rows[i].path);
        assert_int_equal(get(f, rows[i].path), rows[i].status);
        assert_string_equal(trace, want);
    }
}

static void middleware__does_not_see_preflights(void **state)
{
    app_fixture *f = *state;

    first_does = 'a';
    assert_int_equal(app_call(f, "OPTIONS", "/feed.xml",
                              "Origin: https://a.example\nAccess-Control-Request-Method: POST",
                              NULL),
                     204);
    assert_string_equal(trace, "");
}

static void middleware__may_answer(void **state)
{
    app_fixture *f = *state;

    first_does = 'a';
    assert_answer(f, get(f, "/healthz"), 503, "closed");
    assert_string_equal(trace, "1:/healthz");
    assert_string_equal(app_header(f, "X-Content-Type-Options"), "nosniff");
    assert_answer(f, app_call(f, "POST", "/ok", NULL, NULL), 503, "closed");
    assert_int_equal(n_rows(f), 1);
    first_does = '\0';
    second_does = 'a';
    assert_answer(f, get(f, "/nowhere"), 503, "closed");
}

static void middleware__may_refuse(void **state)
{
    app_fixture *f = *state;

    first_does = 'h';
    second_does = 'r';
    assert_answer(
        f, get(f, "/feed.xml"), 401,
        "{\"type\":\"/__covara/problems/unauthorized\",\"title\":\"Unauthorized\",\"status\":401,"
        "\"detail\":\"who are you?\",\"code\":\"UNAUTHORIZED\"}");
    assert_string_equal(app_header(f, "WWW-Authenticate"), "Bearer");
    assert_string_equal(app_header(f, "X-Trace"), "t-1");
    assert_string_equal(app_header(f, "Content-Type"), "application/problem+json");
    first_does = 's';
    assert_contains(f, get(f, "/feed.xml"), 403, "\"detail\":\"middleware refused the request\"");
    assert_string_equal(trace, "1:/feed.xml");
    first_does = 'o';
    assert_answer(f, get(f, "/feed.xml"), 500, PROBLEM_500);
    assert_non_null(strstr(logged, "middleware set the status 1000"));
}

static void middleware__adds_headers_but_no_body(void **state)
{
    app_fixture *f = *state;

    first_does = 'h';
    assert_answer(f, get(f, "/feed.xml"), 200, "feed");
    assert_string_equal(app_header(f, "X-Trace"), "t-1");
    assert_answer(f, get(f, "/api/things/7"), 200, "{\"id\":7,\"n\":1}");
    assert_string_equal(app_header(f, "X-Trace"), "t-1");
    assert_contains(f, get(f, "/api/things/8"), 404, "{\"type\":");
    assert_string_equal(app_header(f, "X-Trace"), "t-1");
    assert_int_equal(app_call(f, "POST", "/conflict", NULL, NULL), 409);
    assert_string_equal(app_header(f, "X-Trace"), "t-1");
    assert_null(app_header(f, "X-Handler"));
}

static void middleware__is_one_transaction_with_a_writing_answer(void **state)
{
    app_fixture *f = *state;

    second_does = 'w';
    assert_int_equal(app_call(f, "POST", "/ok", NULL, NULL), 201);
    assert_int_equal(n_rows(f), 3);
    assert_int_equal(depth_seen, 2);
    assert_int_equal(app_call(f, "POST", "/conflict", NULL, NULL), 409);
    assert_int_equal(n_rows(f), 3);
    assert_int_equal(app_call(f, "POST", "/api/things", NULL, "{}"), 400);
    assert_int_equal(n_rows(f), 3);
    assert_int_equal(app_call(f, "POST", "/api/things", NULL, "{\"n\":5}"), 201);
    assert_int_equal(n_rows(f), 5);
    first_does = 'w';
    second_does = 'r';
    assert_int_equal(app_call(f, "POST", "/ok", NULL, NULL), 401);
    assert_int_equal(n_rows(f), 5);
}

/* A reading connection is a query_only one: what middleware tries to write there fails the request. */
static void middleware__cannot_write_where_requests_read(void **state)
{
    app_fixture *f = *state;

    first_does = 'w';
    app_sql(f, "PRAGMA query_only=ON");
    assert_answer(f, get(f, "/feed.xml"), 500, PROBLEM_500);
    assert_non_null(strstr(logged, "read-only"));
    app_sql(f, "PRAGMA query_only=OFF");
    assert_int_equal(n_rows(f), 1);
}

static void middleware__always_has_a_connection(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(lane(f, "GET", "/healthz"), COV_LANE_READ);
    assert_int_equal(lane(f, "POST", "/nowhere"), COV_LANE_READ);
    assert_int_equal(lane(f, "GET", "/api/things"), COV_LANE_READ);
    assert_int_equal(lane(f, "POST", "/api/things"), COV_LANE_WRITE);
    assert_int_equal(lane(f, "OPTIONS", "/api/things"), COV_LANE_NONE);
}

int main(void)
{
#define ROUTE_TEST(name) cmocka_unit_test_setup_teardown(name, open_plain, close_app)
#define MIDDLEWARE_TEST(name) cmocka_unit_test_setup_teardown(name, open_with_middleware, close_app)
    const struct CMUnitTest tests[] = {
        ROUTE_TEST(route__answers_for_itself),
        ROUTE_TEST(route__other_paths_and_methods_are_not_its),
        ROUTE_TEST(route__first_added_answers),
        ROUTE_TEST(route__goes_before_resources),
        ROUTE_TEST(route__head_runs_get_unless_it_has_its_own),
        ROUTE_TEST(route__parameters_are_decoded),
        ROUTE_TEST(route__sees_every_query_parameter),
        ROUTE_TEST(route__lane_follows_the_method_unless_it_writes),
        ROUTE_TEST(route__writing_runs_in_a_transaction),
        ROUTE_TEST(route__failure_is_its_problem_and_rolls_back),
        ROUTE_TEST(route__must_set_a_status),
        ROUTE_TEST(route__status_left_by_the_host_does_not_count),
        ROUTE_TEST(route__mistakes_stop_the_build),
        MIDDLEWARE_TEST(middleware__runs_in_order_before_everything),
        MIDDLEWARE_TEST(middleware__does_not_see_preflights),
        MIDDLEWARE_TEST(middleware__may_answer),
        MIDDLEWARE_TEST(middleware__may_refuse),
        MIDDLEWARE_TEST(middleware__adds_headers_but_no_body),
        MIDDLEWARE_TEST(middleware__is_one_transaction_with_a_writing_answer),
        MIDDLEWARE_TEST(middleware__cannot_write_where_requests_read),
        MIDDLEWARE_TEST(middleware__always_has_a_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
