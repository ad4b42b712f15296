/* SPDX-License-Identifier: MIT */
/* Outbound calls of the native host, to a real server of Node.js (support/http_target.mjs). */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/native/native.h"

static const cov_host *host;
static cov_arena *arena;
static cov_error err;
static cov_http_reply reply;

static struct {
    pid_t pid;
    int input; /* its end is the server's */
    FILE *output;
    int plain_port;
    int tls_port;
    int nobody_port;
    int other_name_port;
    int closed_port;
    char trusted[256];
} target;

/* ---- calls ---- */

static cov_str url_of(const char *scheme, int port, const char *path)
{
    cov_str url = cov_arena_printf(arena, "%s://127.0.0.1:%d%s", scheme, port, path);

    assert_non_null(url.ptr);
    return url;
}

static cov_status run(const cov_http_call *call)
{
    cov_error_init(&err, arena);
    memset(&reply, 0, sizeof reply);
    return host->http(host->self, call, arena, &reply, &err);
}

static cov_status get(const char *path)
{
    cov_http_call call = { .method = COV_STR("GET"),
                           .url = url_of("http", target.plain_port, path) };

    return run(&call);
}

static void assert_text(cov_str actual, const char *expected)
{
    if (!cov_str_eq(actual, cov_str_from(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", COV_STR_ARG(actual), expected);
}

static void assert_contains(cov_str text, const char *part)
{
    if (!cov_str_contains(text, cov_str_from(part)))
        fail_msg("\"%.*s\" holds no \"%s\"", COV_STR_ARG(text), part);
}

static void assert_lacks(cov_str text, const char *part)
{
    if (cov_str_contains(text, cov_str_from(part)))
        fail_msg("\"%.*s\" holds \"%s\"", COV_STR_ARG(text), part);
}

static void assert_status(cov_status actual, cov_status expected)
{
    if (actual != expected)
        fail_msg("%s instead of %s: %.*s", cov_status_name(actual), cov_status_name(expected),
                 COV_STR_ARG(cov_error_detail(&err)));
    if (actual != COV_OK)
        assert_int_equal(err.status, actual);
}

/* ---- success ---- */

static void http__gives_status_type_and_body(void **state)
{
    (void)state;
    assert_status(get("/hello"), COV_OK);
    assert_int_equal(reply.status, 200);
    assert_text(reply.content_type, "text/plain; charset=utf-8");
    assert_text(reply.body, "hello");

    assert_status(get("/bare"), COV_OK);
    assert_int_equal(reply.status, 204);
    assert_null(reply.content_type.ptr);
    assert_int_equal(reply.body.len, 0);

    assert_status(get("/failed"), COV_OK);
    assert_int_equal(reply.status, 503);
    assert_text(reply.body, "{\"a\":1}");

    assert_status(get("/chunked"), COV_OK);
    assert_text(reply.body, "one two");
}

static void http__sends_what_it_is_given(void **state)
{
    const cov_str headers[][2] = { { COV_STR("Content-Type"), COV_STR("application/json") },
                                   { COV_STR("X-Empty"), COV_STR("") },
                                   { COV_STR("X-Text"), COV_STR(" a;b: \xc3\xa4 ") } };
    cov_http_call call = { .method = COV_STR("POST"),
                           .url = url_of("http", target.plain_port, "/a/b?c=d%20e"),
                           .headers = headers,
                           .n_headers = COV_COUNT_OF(headers),
                           .body = COV_STR("{\"a\":\"\0\"}") };

    (void)state;
    assert_status(run(&call), COV_OK);
    assert_contains(reply.body, "POST /a/b?c=d%20e\n");
    assert_contains(reply.body, "\nContent-Type: application/json\n");
    assert_contains(reply.body, "\nX-Empty: \n");
    assert_contains(reply.body, "\nX-Text: a;b: ");
    assert_contains(reply.body, "\nContent-Length: 9\n");
    assert_contains(reply.body, "\nUser-Agent: covara/");
    assert_true(cov_str_contains(reply.body, COV_STR("\n\n{\"a\":\"\0\"}")));
    assert_lacks(reply.body, "Expect");
    assert_lacks(reply.body, "Accept-Encoding");
}

static void http__methods(void **state)
{
    static const struct {
        const char *method;
        const char *body;
        const char *length;
    } rows[] = {
        { "GET", "", NULL },     { "POST", "", "0" },    { "PUT", "ab", "2" },
        { "PATCH", "ab", "2" },  { "DELETE", "", NULL }, { "DELETE", "ab", "2" },
        { "REPORT", "ab", "2" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_http_call call = { .method = cov_str_from(rows[i].method),
                               .url = url_of("http", target.plain_port, "/x"),
                               .body = cov_str_from(rows[i].body) };
        char expected[64];

        assert_status(run(&call), COV_OK);
        snprintf(expected, sizeof expected, "%s /x\n", rows[i].method);
        assert_contains(reply.body, expected);
        assert_lacks(reply.body, "Content-Type");
        if (rows[i].length != NULL) {
            snprintf(expected, sizeof expected, "\nContent-Length: %s\n", rows[i].length);
            assert_contains(reply.body, expected);
        } else {
            assert_lacks(reply.body, "Content-Length");
        }
        snprintf(expected, sizeof expected, "\n\n%s", rows[i].body);
        assert_contains(reply.body, expected);
    }
}

static void http__head_has_no_body(void **state)
{
    cov_http_call call = { .method = COV_STR("HEAD"),
                           .url = url_of("http", target.plain_port, "/exactly-1000"),
                           .max_response_bytes = 999 };

    (void)state;
    assert_status(run(&call), COV_OK);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.len, 0);
}

/* A large body is sent at once, without a wait for "100 Continue". */
static void http__large_body(void **state)
{
    size_t len = 3 * 1024 * 1024;
    char *bytes = cov_arena_alloc(arena, len);
    cov_http_call call = { .method = COV_STR("POST"),
                           .url = url_of("http", target.plain_port, "/x"),
                           .body = cov_str_of(bytes, len),
                           .max_response_bytes = 4 * 1024 * 1024 };

    (void)state;
    memset(bytes, 'x', len);
    assert_status(run(&call), COV_OK);
    assert_true(reply.body.len > len);
    assert_lacks(cov_str_slice(reply.body, 0, reply.body.len - len), "Expect");
}

/* ---- what is not done ---- */

static void http__follows_no_redirect(void **state)
{
    (void)state;
    assert_status(get("/redirect"), COV_OK);
    assert_int_equal(reply.status, 302);
    assert_text(reply.body, "over there");
}

static void http__keeps_no_cookies(void **state)
{
    (void)state;
    assert_status(get("/cookie"), COV_OK);
    assert_status(get("/x"), COV_OK);
    assert_lacks(reply.body, "ookie");
}

static void http__unpacks_nothing(void **state)
{
    (void)state;
    assert_status(get("/gzip"), COV_OK);
    assert_memory_equal(reply.body.ptr, "\x1f\x8b", 2);
}

/* A reset between calls: nothing of the one before is left. */
static void http__forgets_the_call_before(void **state)
{
    const cov_str headers[][2] = { { COV_STR("Authorization"), COV_STR("Bearer secret") } };
    cov_http_call call = { .method = COV_STR("POST"),
                           .url = cov_arena_printf(arena, "http://u:p@127.0.0.1:%d/x",
                                                   target.plain_port),
                           .headers = headers,
                           .n_headers = 0,
                           .body = COV_STR("body") };

    (void)state;
    assert_status(run(&call), COV_OK);
    assert_contains(reply.body, "\nAuthorization: Basic dTpw\n");
    call.url = url_of("http", target.plain_port, "/x");
    call.n_headers = 1;
    assert_status(run(&call), COV_OK);
    assert_contains(reply.body, "\nAuthorization: Bearer secret\n");
    assert_lacks(reply.body, "Basic");
    assert_status(get("/x"), COV_OK);
    assert_contains(reply.body, "GET /x\n");
    assert_lacks(reply.body, "Authorization");
    assert_lacks(reply.body, "body");
}

/* ---- limits ---- */

static void http__time_is_of_the_whole_call(void **state)
{
    static const char *const paths[] = { "/never", "/drip" };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(paths); i++) {
        cov_http_call call = { .method = COV_STR("GET"),
                               .url = url_of("http", target.plain_port, paths[i]),
                               .timeout_ms = 300 };
        int64_t begin_us = host->monotonic_us(host->self);
        int64_t took_ms;

        assert_status(run(&call), COV_ETIMEOUT);
        took_ms = (host->monotonic_us(host->self) - begin_us) / 1000;
        assert_in_range(took_ms, 290, 5000);
        assert_contains(cov_error_detail(&err), "127.0.0.1: no answer within 300 ms");
    }
}

static void http__answers_are_bounded(void **state)
{
    static const char *const paths[] = { "/announced", "/endless", "/exactly-1000", "/head-flood" };
    cov_http_call call = { .method = COV_STR("GET"), .max_response_bytes = 999 };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(paths); i++) {
        call.url = url_of("http", target.plain_port, paths[i]);
        assert_status(run(&call), COV_ETOOLARGE);
        assert_true(cov_arena_used(arena) < 64 * 1024);
    }
    call.url = url_of("http", target.plain_port, "/exactly-1000");
    call.max_response_bytes = 1000;
    assert_status(run(&call), COV_OK);
    assert_int_equal(reply.body.len, 1000);
    call.url = url_of("http", target.plain_port, "/endless");
    call.max_response_bytes = 0;
    assert_status(run(&call), COV_ETOOLARGE);
}

static void http__arena_is_too_small(void **state)
{
    cov_arena *small = cov_arena_new(4096);
    cov_http_call call = { .method = COV_STR("GET"),
                           .url = url_of("http", target.plain_port, "/endless") };

    (void)state;
    cov_error_init(&err, NULL);
    assert_status(host->http(host->self, &call, small, &reply, &err), COV_ENOMEM);
    cov_arena_free(small);
}

/* ---- failures ---- */

static void http__not_reached_or_cut_off(void **state)
{
    cov_http_call call = { .method = COV_STR("GET"),
                           .url =
                               cov_arena_printf(arena, "http://user:secret@127.0.0.1:%d/p?token=t",
                                                target.closed_port) };

    (void)state;
    assert_status(run(&call), COV_EBUSY);
    assert_contains(cov_error_detail(&err), "127.0.0.1: ");
    assert_lacks(cov_error_detail(&err), "secret");
    assert_lacks(cov_error_detail(&err), "token");
    assert_status(get("/cut-off"), COV_EBUSY);
    assert_status(get("/hello"), COV_OK); /* the handle is good after each */
}

static void http__refuses_what_is_no_call(void **state)
{
    static const cov_str urls[] = {
        COV_STR_INIT(""),
        COV_STR_INIT("/hello"),
        COV_STR_INIT("example.com"),
        COV_STR_INIT("http://"),
        COV_STR_INIT("http://a b/"),
        COV_STR_INIT("http://a/\r\nX: y"),
        COV_STR_INIT("http://a\0"),
        COV_STR_INIT("file:///etc/passwd"),
        COV_STR_INIT("ftp://a/"),
        COV_STR_INIT("gopher://a/"),
        COV_STR_INIT("http://a:99999/"),
    };
    static const cov_str methods[] = { COV_STR_INIT(""), COV_STR_INIT("GET /"),
                                       COV_STR_INIT("GET\r\nX"), COV_STR_INIT("G\0"),
                                       COV_STR_INIT("AVERYLONGMETHODNAME") };
    cov_http_call call = { .method = COV_STR("GET") };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(urls); i++) {
        call.url = urls[i];
        assert_status(run(&call), COV_EINVAL);
        assert_lacks(cov_error_detail(&err), "passwd");
    }
    call.url = url_of("http", target.plain_port, "/hello");
    for (size_t i = 0; i < COV_COUNT_OF(methods); i++) {
        call.method = methods[i];
        assert_status(run(&call), COV_EINVAL);
    }
}

static void http__refuses_headers_that_are_more(void **state)
{
    static const cov_str rows[][2] = {
        { COV_STR_INIT("X"), COV_STR_INIT("a\r\nEvil: 1") },
        { COV_STR_INIT("X"), COV_STR_INIT("a\nEvil: 1") },
        { COV_STR_INIT("X"), COV_STR_INIT("a\rb") },
        { COV_STR_INIT("X"), COV_STR_INIT("a\0b") },
        { COV_STR_INIT("X"), COV_STR_INIT("a\x7f") },
        { COV_STR_INIT("X\r\nEvil"), COV_STR_INIT("1") },
        { COV_STR_INIT("X: 1\nEvil"), COV_STR_INIT("1") },
        { COV_STR_INIT("X "), COV_STR_INIT("1") },
        { COV_STR_INIT(""), COV_STR_INIT("1") },
        { COV_STR_INIT("content-length"), COV_STR_INIT("1") },
        { COV_STR_INIT("Transfer-Encoding"), COV_STR_INIT("chunked") },
    };
    cov_http_call call = { .method = COV_STR("GET"), .n_headers = 1 };

    (void)state;
    call.url = url_of("http", target.plain_port, "/x");
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        call.headers = &rows[i];
        assert_status(run(&call), COV_EINVAL);
    }
}

/* ---- TLS ---- */

static void http__tls_is_verified(void **state)
{
    cov_http_call call = { .method = COV_STR("GET"),
                           .url = url_of("https", target.tls_port, "/hello") };

    (void)state;
    assert_status(run(&call), COV_OK);
    assert_text(reply.body, "hello");
    call.url = url_of("https", target.nobody_port, "/hello");
    assert_status(run(&call), COV_EBUSY);
    assert_contains(cov_error_detail(&err), "127.0.0.1: SSL certificate problem");
    call.url = url_of("https", target.other_name_port, "/hello");
    assert_status(run(&call), COV_EBUSY);
    assert_contains(cov_error_detail(&err), "127.0.0.1: SSL: ");
    call.url = url_of("https", target.plain_port, "/hello");
    assert_status(run(&call), COV_EBUSY);
}

/* ---- connections ---- */

static void http__reuses_its_connection(void **state)
{
    cov_str before;

    (void)state;
    assert_status(get("/connections"), COV_OK);
    before = reply.body;
    for (int i = 0; i < 100; i++)
        assert_status(get("/hello"), COV_OK);
    assert_status(get("/connections"), COV_OK);
    if (!cov_str_eq(before, reply.body))
        fail_msg("%.*s connections became %.*s", COV_STR_ARG(before), COV_STR_ARG(reply.body));
}

enum { THREADS = 4, CALLS = 25 };

static void *call_often(void *arg)
{
    int *failures = arg;
    cov_arena *own = cov_arena_new(0);

    for (int i = 0; own != NULL && i < CALLS; i++) {
        char url[64];
        cov_http_call call = { .method = COV_STR("GET") };
        cov_http_reply answer;

        snprintf(url, sizeof url, "http%s://127.0.0.1:%d/hello", i % 5 == 0 ? "s" : "",
                 i % 5 == 0 ? target.tls_port : target.plain_port);
        call.url = cov_str_from(url);
        if (host->http(host->self, &call, own, &answer, NULL) != COV_OK ||
            !cov_str_eq(answer.body, COV_STR("hello")))
            ++*failures;
        cov_arena_reset(own);
    }
    cov_arena_free(own);
    return NULL;
}

static void http__calls_from_threads(void **state)
{
    pthread_t threads[THREADS];
    int failures[THREADS] = { 0 };

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &failures[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failures[i], 0);
    }
}

/* ---- the server ---- */

static int target_start(void **state)
{
    extern char **environ;
    char *argv[] = { (char[]){ "node" },
                     (char[]){ COVARA_SOURCE_DIR "/tests/unit/support/http_target.mjs" }, NULL };
    posix_spawn_file_actions_t actions;
    int in[2];
    int out[2];

    (void)state;
    if (pipe(in) != 0 || pipe(out) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    for (size_t i = 0; i < 2; i++) {
        posix_spawn_file_actions_addclose(&actions, in[i]);
        posix_spawn_file_actions_addclose(&actions, out[i]);
    }
    if (posix_spawnp(&target.pid, argv[0], &actions, NULL, argv, environ) != 0)
        return -1;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    target.input = in[1];
    target.output = fdopen(out[0], "r");
    if (target.output == NULL ||
        fscanf(target.output, "%d %d %d %d %d %255s", &target.plain_port, &target.tls_port,
               &target.nobody_port, &target.other_name_port, &target.closed_port,
               target.trusted) != 6)
        return -1;
    /* Read at the first call. A proxy would break every test: no call may ask one. */
    setenv("SSL_CERT_FILE", target.trusted, 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    host = cov_native_host();
    return 0;
}

static int target_stop(void **state)
{
    int status = -1;

    (void)state;
    close(target.input);
    fclose(target.output);
    return waitpid(target.pid, &status, 0) == target.pid && status == 0 ? 0 : -1;
}

static int arena_start(void **state)
{
    (void)state;
    arena = cov_arena_new(0);
    return arena != NULL ? 0 : -1;
}

static int arena_end(void **state)
{
    (void)state;
    cov_arena_free(arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_start, arena_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(http__gives_status_type_and_body),
        TEST(http__sends_what_it_is_given),
        TEST(http__methods),
        TEST(http__head_has_no_body),
        TEST(http__large_body),
        TEST(http__follows_no_redirect),
        TEST(http__keeps_no_cookies),
        TEST(http__unpacks_nothing),
        TEST(http__forgets_the_call_before),
        TEST(http__time_is_of_the_whole_call),
        TEST(http__answers_are_bounded),
        TEST(http__arena_is_too_small),
        TEST(http__not_reached_or_cut_off),
        TEST(http__refuses_what_is_no_call),
        TEST(http__refuses_headers_that_are_more),
        TEST(http__tls_is_verified),
        TEST(http__reuses_its_connection),
        TEST(http__calls_from_threads),
    };

    return cmocka_run_group_tests(tests, target_start, target_stop);
}
