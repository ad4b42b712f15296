/* SPDX-License-Identifier: MIT */
/* The steps of a request (covara/app.h): what admission did once, and what every answer gets of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "app/build.h"
#include "app_fixture.h"
#include "driver/kv/memory/memory.h"

enum { MAX_LINES = 8, ARENA_BYTES = 1 << 20 };

static const char schema[] = "CREATE TABLE things (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
                             "CREATE TABLE others (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
                             "CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT, hash TEXT);";

#define PUBLIC "\"auth\":{\"public\":{\"read\":true,\"create\":true,\"subscribe\":true}}"
#define POW "\"pow\":{\"secret\":\"s\",\"difficulty\":4}"

/* ---- application code ---- */

static size_t n_calls;

/* Answers with what it was added with: status, and whether it says that it varies. */
static cov_status answer(cov_ctx *ctx, void *self, cov_error *err)
{
    cov_response *res = cov_ctx_response(ctx);

    (void)err;
    n_calls++;
    res->status = *(const int *)self;
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/json"));
    cov_response_header(res, COV_STR("Vary"), COV_STR("Accept-Language"));
    cov_buf_printf(&res->body, "{\"call\":%zu}", n_calls);
    return COV_OK;
}

static cov_status work(cov_ctx *ctx, const cov_json *input, cov_buf *output, void *self,
                       cov_error *err)
{
    (void)ctx;
    (void)input;
    (void)self;
    (void)err;
    n_calls++;
    COV_BUF_LIT(output, "true");
    return COV_OK;
}

static int status_422 = 422;
static int status_500 = 500;
static const cov_custom_route routes[] = {
    { .method = COV_POST, .path = "/refuses", .handle = answer, .self = &status_422 },
    { .method = COV_POST, .path = "/fails", .handle = answer, .self = &status_500 },
};
static const cov_procedure procedure = { .name = "work", .call = work };

static cov_app *build(cov_env *env)
{
    cov_app *app = cov_app_new(env, NULL);

    for (size_t i = 0; app != NULL && i < COV_COUNT_OF(routes); i++)
        cov_app_route(app, &routes[i]);
    if (app != NULL)
        cov_app_procedure(app, "things", &procedure);
    return app;
}

/* ---- a request, step by step ---- */

typedef struct steps {
    app_fixture f;
    cov_arena *arena; /* of the request */
    cov_worker worker;
    cov_header headers[MAX_LINES];
    cov_request req;
    cov_passage passage;
    cov_response res;
} steps;

static void open_app(steps *s, const char *config)
{
    memset(s, 0, sizeof *s);
    n_calls = 0;
    app_fixture_build(&s->f, schema, config, build);
    s->arena = cov_arena_new(ARENA_BYTES);
    assert_non_null(s->arena);
    s->worker = (cov_worker){ .host = cov_native_host(), .db = s->f.db, .arena = s->arena };
}

static void close_app(steps *s)
{
    cov_buf_dispose(&s->res.body);
    cov_arena_free(s->arena);
    app_fixture_close(&s->f);
}

static void request(steps *s, const char *method, const char *path, const char *headers,
                    const char *body)
{
    cov_str text = cov_str_from(headers);
    cov_str line;

    cov_arena_reset(s->arena);
    memset(&s->passage, 0, sizeof s->passage);
    s->res.n_headers = 0;
    s->res.status = 200;
    cov_buf_clear(&s->res.body, 0);
    s->req = (cov_request){ .method_name = cov_str_from(method),
                            .path = cov_str_from(path),
                            .body = cov_str_from(body),
                            .peer_address = COV_STR("192.0.2.1"),
                            .headers = s->headers };
    s->req.method = cov_method_of(s->req.method_name);
    while (text.len != 0 && cov_str_split(&text, '\n', &line)) {
        size_t colon = cov_str_find(line, ':', 0);

        assert_in_range(s->req.n_headers, 0, MAX_LINES - 1);
        s->headers[s->req.n_headers].name = cov_str_slice(line, 0, colon);
        s->headers[s->req.n_headers++].value =
            cov_str_trim(cov_str_slice(line, colon + 1, line.len));
    }
}

static bool admit(steps *s)
{
    return cov_app_admit(s->f.app, &s->worker, &s->req, &s->passage, &s->res);
}

static int answer_once(steps *s)
{
    cov_app_answer(s->f.app, &s->worker, &s->req, &s->passage, &s->res);
    return s->res.status;
}

static void finish(steps *s)
{
    cov_app_finish(s->f.app, &s->worker, &s->req, &s->passage, &s->res);
}

static int fetch(steps *s, const char *method, const char *path, const char *headers,
                 const char *body)
{
    request(s, method, path, headers, body);
    if (admit(s))
        answer_once(s);
    finish(s);
    return s->res.status;
}

static void begin(steps *s)
{
    cov_error err;

    cov_error_init(&err, NULL);
    assert_int_equal(cov_db_begin(s->f.db, true, &err), COV_OK);
}

static void commit(steps *s)
{
    cov_error err;

    cov_error_init(&err, NULL);
    assert_int_equal(cov_db_commit(s->f.db, &err), COV_OK);
}

/* ---- what came of it ---- */

static size_t count_header(const steps *s, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < s->res.n_headers; i++)
        n += cov_str_eq_nocase(s->res.headers[i].name, cov_str_from(name));
    return n;
}

static void assert_header(const steps *s, const char *name, const char *value)
{
    const cov_header *header = cov_response_find(&s->res, cov_str_from(name));

    assert_int_equal(count_header(s, name), 1);
    if (!cov_str_eq(header->value, cov_str_from(value)))
        fail_msg("%s: %.*s, wanted %s", name, COV_STR_ARG(header->value), value);
}

static void assert_body(const steps *s, const char *text)
{
    cov_str body = cov_buf_view(&s->res.body);

    if (!cov_str_contains(body, cov_str_from(text)))
        fail_msg("%.*s, wanted %s", COV_STR_ARG(body), text);
}

static void assert_rows(steps *s, const char *expected)
{
    cov_buf out = COV_BUF_INIT;

    app_query(&s->f, "SELECT count(*) FROM things", &out);
    if (!cov_str_eq(cov_buf_view(&out), cov_str_from(expected)))
        fail_msg("%.*s rows", COV_STR_ARG(cov_buf_view(&out)));
    cov_buf_dispose(&out);
}

static bool has_zero_bits(cov_str text, int bits)
{
    const cov_host *host = cov_native_host();
    uint8_t digest[COV_SHA256_BYTES];

    assert_int_equal(host->digest(host->self, COV_SHA256, text, digest), COV_OK);
    return digest[0] >> (8 - bits) == 0;
}

/* The headers that solve the challenge of the last answer, and `more`. */
static void solve(const steps *s, const char *more, char *out, size_t size)
{
    const cov_header *challenge = cov_response_find(&s->res, COV_STR("Covara-PoW-Challenge"));
    char text[1024];
    int nonce = -1;

    assert_int_equal(s->res.status, 428);
    assert_non_null(challenge);
    do
        snprintf(text, sizeof text, "%.*s:%d", COV_STR_ARG(challenge->value), ++nonce);
    while (!has_zero_bits(cov_str_from(text), 4));
    snprintf(out, size, "Covara-PoW-Challenge: %.*s\nCovara-PoW-Nonce: %d\n%s",
             COV_STR_ARG(challenge->value), nonce, more);
}

/* ---- tests ---- */

#define ONCE                                                                                    \
    "{\"idempotency\":true,\"versioning\":{\"currentVersion\":\"3\"},\"abuseProtection\":{" POW \
    "},\"resources\":{\"things\":{" PUBLIC ",\"rateLimit\":{\"maxRequests\":10},\"pow\":true}}}"

static void admission__is_not_repeated_with_the_answer(void **state)
{
    static const char body[] = "{\"n\":1}";
    char solution[1024];
    steps s;

    (void)state;
    open_app(&s, ONCE);
    assert_int_equal(fetch(&s, "POST", "/api/things", "", body), 428);
    solve(&s, "Idempotency-Key: key-0001", solution, sizeof solution);
    request(&s, "POST", "/api/things", solution, body);
    assert_true(admit(&s));
    for (int run = 0; run < 3; run++) {
        begin(&s);
        assert_int_equal(answer_once(&s), 201);
        assert_header(&s, "X-RateLimit-Remaining", "8");
        assert_header(&s, "X-RateLimit-Limit", "10");
        assert_header(&s, "X-Covara-Version", "3");
        assert_body(&s, "{\"id\":1,\"n\":1}");
        if (run < 2)
            cov_db_rollback(s.f.db);
    }
    commit(&s);
    finish(&s);
    assert_header(&s, "X-RateLimit-Remaining", "8");
    assert_rows(&s, "1\n");
    /* The solution was used, once; the key is settled; each request so far was counted once. */
    assert_int_equal(fetch(&s, "POST", "/api/things", solution, body), 428);
    assert_header(&s, "X-RateLimit-Remaining", "7");
    solve(&s, "Idempotency-Key: key-0001", solution, sizeof solution);
    assert_int_equal(fetch(&s, "POST", "/api/things", solution, body), 201);
    assert_body(&s, "{\"id\":1,\"n\":1}");
    assert_header(&s, "X-RateLimit-Remaining", "6");
    assert_rows(&s, "1\n");
    close_app(&s);
}

static void admission__an_undone_answer_leaves_nothing(void **state)
{
    static const char key[] = "Idempotency-Key: key-0001";
    static const char body[] = "{\"n\":1}";
    cov_error err;
    steps s;

    (void)state;
    open_app(
        &s,
        "{\"idempotency\":true,\"versioning\":true,\"rateLimit\":true,\"resources\":{\"things\":{" PUBLIC
        "}}}");
    request(&s, "POST", "/api/things", key, body);
    assert_true(admit(&s));
    begin(&s);
    assert_int_equal(answer_once(&s), 201);
    cov_db_rollback(s.f.db);
    memset(&s.passage.mutations, 0, sizeof s.passage.mutations);
    cov_error_init(&err, NULL);
    cov_fail(&err, COV_EBUSY, "the disk is full");
    cov_app_problem(s.f.app, &s.worker, &s.req, &err, &s.res);
    finish(&s);
    assert_int_equal(s.res.status, 503);
    assert_header(&s, "X-RateLimit-Remaining", "99");
    assert_header(&s, "X-Covara-Version", "1.0.0");
    assert_header(&s, "Retry-After", "1");
    assert_int_equal(fetch(&s, "POST", "/api/things", key, body), 201);
    assert_rows(&s, "1\n");
    close_app(&s);
}

static void admission__a_claim_holds_until_the_end(void **state)
{
    static const char key[] = "Idempotency-Key: key-0001";
    steps first;
    steps *s = &first;
    cov_passage kept;
    cov_arena *arena;

    (void)state;
    open_app(s, "{\"idempotency\":true,\"resources\":{}}");
    request(s, "POST", "/refuses", key, "{}");
    assert_true(admit(s));
    kept = s->passage;
    arena = s->arena;
    s->worker.arena = s->arena = cov_arena_new(ARENA_BYTES);
    assert_int_equal(fetch(s, "POST", "/refuses", key, "{}"), 409);
    assert_body(s, "in progress");
    assert_header(s, "Retry-After", "1");
    assert_int_equal(fetch(s, "POST", "/refuses", key, "{\"a\":1}"), 409);
    assert_body(s, "IDEMPOTENCY_MISMATCH");
    assert_int_equal(n_calls, 0);
    request(s, "POST", "/refuses", key, "{}");
    s->passage = kept;
    assert_int_equal(answer_once(s), 422);
    finish(s);
    cov_arena_free(arena);
    assert_int_equal(fetch(s, "POST", "/refuses", key, "{}"), 422);
    assert_body(s, "{\"call\":1}");
    close_app(s);
}

static void admission__answers_that_are_kept(void **state)
{
    steps s;

    (void)state;
    open_app(&s, "{\"idempotency\":true,\"resources\":{}}");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fetch(&s, "POST", "/refuses", "Idempotency-Key: key-0001", "{}"), 422);
        assert_body(&s, "{\"call\":1}");
    }
    assert_int_equal(n_calls, 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fetch(&s, "POST", "/fails", "Idempotency-Key: key-0002", "{}"), 500);
    assert_int_equal(n_calls, 3);
    close_app(&s);
}

static void admission__the_refused_reach_nothing(void **state)
{
    static const struct {
        const char *config;
        const char *path;
        const char *headers;
        int status;
    } cases[] = {
        { "{\"rateLimit\":{\"maxRequests\":0},\"resources\":{}}", "/refuses", "", 429 },
        { "{\"versioning\":{\"minimumClientVersion\":\"2\"},\"resources\":{}}", "/refuses",
          "X-Covara-Client-Version: 1", 400 },
        { "{\"idempotency\":{\"validateKey\":true},\"resources\":{}}", "/refuses",
          "Idempotency-Key: short", 400 },
        { "{\"resources\":{\"things\":{" PUBLIC ",\"rateLimit\":{\"maxRequests\":0}}}}",
          "/api/things/rpc/work", "", 429 },
        { "{\"abuseProtection\":{" POW "},\"resources\":{\"things\":{" PUBLIC
          ",\"pow\":{\"operations\":[\"rpc\"]}}}}",
          "/api/things/rpc/work", "", 428 },
        { "{\"abuseProtection\":{\"pow\":{\"enabled\":false},\"budget\":{\"classes\":{"
          "\"anonymous\":{\"capacity\":1}}}},\"resources\":{\"things\":{" PUBLIC
          ",\"cost\":{\"rpc\":2}}}}",
          "/api/things/rpc/work", "", 429 },
        { "{\"abuseProtection\":{\"captcha\":{\"provider\":\"turnstile\",\"secret\":\"s\"}},"
          "\"resources\":{\"things\":{" PUBLIC ",\"captcha\":{\"operations\":[\"rpc\"]}}}}",
          "/api/things/rpc/work", "", 428 },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(cases); i++) {
        steps s;

        open_app(&s, cases[i].config);
        assert_int_equal(fetch(&s, "POST", cases[i].path, cases[i].headers, "{}"), cases[i].status);
        assert_int_equal(n_calls, 0);
        close_app(&s);
    }
}

static void admission__procedures_have_gates(void **state)
{
    char solution[1024];
    steps s;

    (void)state;
    open_app(&s, "{\"abuseProtection\":{" POW "},\"resources\":{\"things\":{" PUBLIC
                 ",\"pow\":{\"operations\":[\"rpc\"]}}}}");
    assert_int_equal(fetch(&s, "POST", "/api/things", "", "{\"n\":1}"), 201);
    assert_int_equal(fetch(&s, "POST", "/api/things/rpc/work", "", "{}"), 428);
    solve(&s, "", solution, sizeof solution);
    assert_int_equal(fetch(&s, "POST", "/api/things/rpc/work", solution, "{}"), 200);
    assert_int_equal(n_calls, 1);
    close_app(&s);
}

static void admission__head_is_get_and_options_is_free(void **state)
{
    steps s;

    (void)state;
    open_app(&s, "{\"abuseProtection\":{\"pow\":{\"enabled\":false},\"budget\":{\"classes\":{"
                 "\"anonymous\":{\"capacity\":10}}}},\"resources\":{\"things\":{" PUBLIC
                 ",\"rateLimit\":{\"maxRequests\":5},\"cost\":{\"read\":3,\"count\":1}}}}");
    for (int i = 0; i < 3; i++)
        assert_int_equal(fetch(&s, "OPTIONS", "/api/things", "", ""), 404);
    assert_int_equal(fetch(&s, "HEAD", "/api/things", "", ""), 200);
    assert_header(&s, "X-RateLimit-Remaining", "4");
    assert_int_equal(fetch(&s, "HEAD", "/api/things", "", ""), 200);
    assert_int_equal(fetch(&s, "HEAD", "/api/things/count", "", ""), 200); /* 4 units were left */
    assert_int_equal(fetch(&s, "HEAD", "/api/things", "", ""), 200);       /* none are */
    assert_int_equal(fetch(&s, "HEAD", "/api/things/count", "", ""), 429);
    assert_body(&s, "Budget exhausted");
    assert_int_equal(fetch(&s, "HEAD", "/api/things/count", "", ""), 429);
    assert_body(&s, "Too many requests");
    close_app(&s);
}

static void admission__an_answer_varies_by_all_that_it_varies_by(void **state)
{
    bool origin = false;
    bool language = false;
    steps s;

    (void)state;
    open_app(&s, "{\"app\":{\"cors\":{\"origin\":[\"https://a.example\"]}},\"resources\":{}}");
    assert_int_equal(fetch(&s, "POST", "/refuses", "", "{}"), 422);
    assert_int_equal(count_header(&s, "Vary"), 2);
    for (size_t i = 0; i < s.res.n_headers; i++) {
        origin |= cov_str_eq(s.res.headers[i].value, COV_STR("Origin"));
        language |= cov_str_eq(s.res.headers[i].value, COV_STR("Accept-Language"));
    }
    assert_true(origin && language);
    close_app(&s);
}

/* ---- which requests may wait ---- */

#define ACCOUNTS "\"auth\":{\"users\":{\"table\":\"users\"},\"login\":false},"
#define CAPTCHA                                                                       \
    "\"abuseProtection\":{\"captcha\":{\"provider\":\"turnstile\",\"secret\":\"s\"}," \
    "\"budget\":{\"classes\":{\"authenticated\":{\"capacity\":1}}}},"
#define THINGS                                                  \
    "\"resources\":{\"things\":{" PUBLIC                        \
    ",\"captcha\":{\"operations\":[\"create\",\"subscribe\"]}," \
    "\"cost\":{\"read\":1,\"rpc\":1},\"overflow\":\"captcha\"},\"others\":{" PUBLIC "}}"

typedef struct ask {
    const char *method;
    const char *path;
    bool with_token; /* when it has a CAPTCHA's token, and the store answers in place */
    bool far_store;  /* when the store is in another process, without a token */
} ask;

static const ask asks[] = {
    { "GET", "/api/things", true, true },
    { "HEAD", "/api/things", true, true },
    { "GET", "/api/things/1", true, true },
    { "GET", "/api/things/count", false, false },
    { "GET", "/api/things/aggregate", false, false },
    { "GET", "/api/things/subscribe", true, false },
    { "GET", "/api/things/aggregate/subscribe", true, false },
    { "POST", "/api/things", true, false },
    { "POST", "/api/things/batch", true, false },
    { "PATCH", "/api/things/1", false, false },
    { "DELETE", "/api/things/1", false, false },
    { "POST", "/api/things/rpc/work", true, true },
    { "GET", "/api/others", false, false },
    { "POST", "/api/others", false, false },
    { "POST", "/refuses", false, false },
    { "GET", "/healthz", false, false },
    { "GET", "/readyz", false, false },
    { "GET", "/nowhere", false, false },
    { "OPTIONS", "/api/things", false, false },
    { "GET", "/__covara/stream", false, false },
    { "POST", "/__covara/stream/x/subscribe", true, true },
};

static bool blocks(steps *s, const ask *a, const char *headers)
{
    request(s, a->method, a->path, headers, "{}");
    return cov_app_blocks(s->f.app, &s->req);
}

static void assert_blocks(steps *s, const ask *a, const char *headers, bool expected)
{
    if (blocks(s, a, headers) != expected)
        fail_msg("%s %s %s: wanted %d", a->method, a->path, headers, expected);
}

static void blocks__where_a_gate_may_wait(void **state)
{
    cov_kv_driver far = cov_memory_kv_driver;
    steps s;

    (void)state;
    open_app(&s, "{" CAPTCHA THINGS "}");
    for (size_t i = 0; i < COV_COUNT_OF(asks); i++) {
        assert_blocks(&s, &asks[i], "", false);
        assert_blocks(&s, &asks[i], "Covara-Captcha-Token: x", asks[i].with_token);
    }
    far.caps |= COV_KV_CAP_BLOCKS;
    s.f.kv->driver = &far;
    for (size_t i = 0; i < COV_COUNT_OF(asks); i++)
        assert_blocks(&s, &asks[i], "", asks[i].far_store);
    s.f.kv->driver = &cov_memory_kv_driver;
    close_app(&s);
}

/* With a limit of everything, keys or accounts, all that is counted, kept or asked about waits for a far store. */
static void blocks__where_everything_asks_the_store(void **state)
{
    static const struct {
        const char *config;
        const char *method;
        const char *path;
        bool expected;
    } cases[] = {
        { "{\"rateLimit\":true," THINGS "}", "GET", "/api/others", true },
        { "{\"rateLimit\":true," THINGS "}", "POST", "/refuses", true },
        { "{\"rateLimit\":true," THINGS "}", "GET", "/__covara/stream", true },
        { "{\"rateLimit\":true," THINGS "}", "GET", "/healthz", false },
        { "{\"rateLimit\":true," THINGS "}", "GET", "/nowhere", false },
        { "{\"idempotency\":true," THINGS "}", "POST", "/api/others", true },
        { "{\"idempotency\":true," THINGS "}", "POST", "/refuses", true },
        { "{\"idempotency\":true," THINGS "}", "GET", "/__covara/stream", false },
        { "{\"idempotency\":true," THINGS "}", "GET", "/nowhere", false },
        { "{" ACCOUNTS THINGS "}", "GET", "/api/others", true },
    };
    cov_kv_driver far = cov_memory_kv_driver;

    (void)state;
    far.caps |= COV_KV_CAP_BLOCKS;
    for (size_t i = 0; i < COV_COUNT_OF(cases); i++) {
        ask a = { .method = cases[i].method, .path = cases[i].path };
        steps s;

        open_app(&s, cases[i].config);
        assert_blocks(&s, &a, "", false);
        s.f.kv->driver = &far;
        assert_blocks(&s, &a, cases[i].config, cases[i].expected);
        s.f.kv->driver = &cov_memory_kv_driver;
        close_app(&s);
    }
}

static void blocks__where_a_password_is_hashed(void **state)
{
    static const ask account_asks[] = {
        { .method = "POST", .path = "/api/auth/login", .with_token = true },
        { .method = "POST", .path = "/api/auth/logout", .with_token = true },
        { .method = "GET", .path = "/api/auth/me" },
        { .method = "GET", .path = "/api/auth/login" },
        { .method = "OPTIONS", .path = "/api/auth/login" },
    };
    steps s;

    (void)state;
    open_app(&s, "{\"auth\":{\"users\":{\"table\":\"users\",\"passwordHash\":\"hash\"},"
                 "\"login\":true}," THINGS "}");
    for (size_t i = 0; i < COV_COUNT_OF(account_asks); i++)
        assert_blocks(&s, &account_asks[i], "", account_asks[i].with_token);
    close_app(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admission__is_not_repeated_with_the_answer),
        cmocka_unit_test(admission__an_undone_answer_leaves_nothing),
        cmocka_unit_test(admission__a_claim_holds_until_the_end),
        cmocka_unit_test(admission__answers_that_are_kept),
        cmocka_unit_test(admission__the_refused_reach_nothing),
        cmocka_unit_test(admission__procedures_have_gates),
        cmocka_unit_test(admission__head_is_get_and_options_is_free),
        cmocka_unit_test(admission__an_answer_varies_by_all_that_it_varies_by),
        cmocka_unit_test(blocks__where_a_gate_may_wait),
        cmocka_unit_test(blocks__where_everything_asks_the_store),
        cmocka_unit_test(blocks__where_a_password_is_hashed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
