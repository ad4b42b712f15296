/* SPDX-License-Identifier: MIT */
/* /__covara/stream: many subscriptions over one stream (spec/04 section 12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "live_fixture.h"

static const char schema[] = "CREATE TABLE todos (id INTEGER PRIMARY KEY, title TEXT, n INTEGER);"
                             "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id TEXT);";

static const char config[] =
    "{\"multiplex\":{\"maxChannelsPerConnection\":3,\"maxQueueBytes\":1024},\"resources\":{"
    "\"todos\":{\"auth\":{\"public\":{\"read\":true,\"create\":true,\"update\":true,\"delete\":true,"
    "\"subscribe\":true}},\"sse\":{\"maxSubscriptionsPerIP\":3}},"
    "\"notes\":{\"auth\":{\"read\":\"userId=={user.id}\"}}}}";

typedef struct mux_fixture {
    live_fixture live;
    fake_stream *stream;
    char cid[37];
} mux_fixture;

static int setup(void **state)
{
    mux_fixture *f = calloc(1, sizeof *f);
    const char *raw;

    live_open(&f->live, schema, config);
    f->stream = stream_get(&f->live, NULL, "/__covara/stream");
    raw = stream_take_raw(f->stream);
    assert_memory_equal(raw, "event: ready\ndata: {\"cid\":\"", 27);
    memcpy(f->cid, raw + 27, 36);
    assert_string_equal(raw + 27 + 36, "\"}\n\n");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    mux_fixture *f = *state;

    if (f->stream != NULL)
        stream_close(f->stream);
    live_close(&f->live);
    free(f);
    return 0;
}

static int control(mux_fixture *f, const char *verb, const char *body)
{
    char target[96];
    int status;

    (void)snprintf(target, sizeof target, "/__covara/stream/%s/%s", f->cid, verb);
    status = app_call(&f->live.app, "POST", target, NULL, body);
    cov_live_run(f->live.shard);
    return status;
}

static void write_row(mux_fixture *f, const char *method, const char *target, const char *body)
{
    int status = app_call(&f->live.app, method, target, NULL, body);

    if (status >= 300)
        fail_msg("%s %s: %d %s", method, target, status, app_body(&f->live.app));
    cov_live_run(f->live.shard);
}

#define CH1 \
    "{\"channelId\":\"ch1\",\"resource\":\"/api/todos\",\"kind\":\"resource\",\"filter\":\"n>0\"}"
#define MUX(c, n, d) "event: mux {\"c\":\"" c "\",\"n\":\"" n "\",\"d\":" d "}|"

static void channels_get_what_is_theirs(void **state)
{
    mux_fixture *f = *state;

    write_row(f, "POST", "/api/todos", "{\"id\":1,\"title\":\"a\",\"n\":1}");
    assert_answer(&f->live.app, control(f, "subscribe", CH1), 200,
                  "{\"ok\":true,\"channelId\":\"ch1\"}");
    assert_string_equal(
        stream_take(f->stream),
        MUX("ch1", "connected", "{}")
            MUX("ch1", "message",
                "{\"type\":\"existing\",\"object\":{\"id\":1,\"title\":\"a\",\"n\":1}}"));
    assert_int_equal(
        control(f, "subscribe",
                "{\"channelId\":\"ch2\",\"resource\":\"/api/todos/\",\"filter\":\"n==0\","
                "\"skipExisting\":true,\"knownIds\":[\"7\"]}"),
        200);
    assert_int_equal(
        control(f, "subscribe",
                "{\"channelId\":\"ch3\",\"resource\":\"todos\",\"kind\":\"aggregate\","
                "\"filter\":\"n>0\",\"aggregate\":{\"count\":\"true\",\"sum\":[\"n\"]}}"),
        200);
    stream_take(f->stream);
    write_row(f, "PATCH", "/api/todos/1", "{\"n\":0}");
    assert_string_equal(stream_take(f->stream),
                        MUX("ch2", "message",
                            "{\"type\":\"added\",\"object\":{\"id\":1,\"title\":\"a\",\"n\":0}}")
                            MUX("ch1", "message", "{\"type\":\"removed\",\"objectId\":\"1\"}"));
    cov_live_tick(f->live.shard, cov_native_host()->now_ms(cov_native_host()->self) + 1000);
    assert_string_equal(stream_take(f->stream),
                        MUX("ch3", "aggregate",
                            "{\"data\":{\"groups\":[{\"key\":null,\"count\":0,\"sum\":{}}]}}"));
    assert_answer(&f->live.app, control(f, "unsubscribe", "{\"channelId\":\"ch2\"}"), 200,
                  "{\"ok\":true}");
    write_row(f, "PATCH", "/api/todos/1", "{\"title\":\"b\"}");
    assert_string_equal(stream_take(f->stream), "");
    assert_int_equal(cov_live_count(f->live.shard), 2);
}

static void refusals(void **state)
{
    mux_fixture *f = *state;
    app_fixture *app = &f->live.app;
    fake_stream *alone;

    assert_answer(
        app,
        app_call(app, "POST", "/__covara/stream/00000000-0000-4000-8000-000000000000/subscribe",
                 NULL, CH1),
        409,
        "{\"type\":\"/__covara/problems/multiplex\",\"title\":\"Stream not found\",\"status\":409,"
        "\"detail\":\"The multiplex stream is not open on this server\",\"code\":"
        "\"stream_not_found\"}");
    assert_answer(app,
                  app_call(app, "POST", "/__covara/stream/nope/unsubscribe", NULL,
                           "{\"channelId\":\"ch1\"}"),
                  200, "{\"ok\":true}");
    assert_contains(app, control(f, "subscribe", "{bad"), 400, "Request body is not valid JSON");
    assert_contains(app, control(f, "subscribe", "{}"), 400, "channelId and resource are required");
    assert_contains(app, control(f, "subscribe", "{\"channelId\":\"c\",\"resource\":\"/api/zzz\"}"),
                    404, "No subscribable resource at /api/zzz");
    assert_contains(app,
                    control(f, "subscribe", "{\"channelId\":\"c\",\"resource\":\"/api/notes\"}"),
                    400, "Authentication required for subscribe on notes");
    assert_int_equal(control(f, "subscribe", CH1), 200);
    assert_contains(app, control(f, "subscribe", CH1), 409, "Channel ch1 is already subscribed");
    assert_int_equal(control(f, "subscribe", "{\"channelId\":\"ch2\",\"resource\":\"todos\"}"),
                     200);
    assert_int_equal(control(f, "subscribe", "{\"channelId\":\"ch3\",\"resource\":\"todos\"}"),
                     200);
    assert_contains(app, control(f, "subscribe", "{\"channelId\":\"ch4\",\"resource\":\"todos\"}"),
                    429, "Maximum 3 channels per connection");
    assert_int_equal(control(f, "unsubscribe", "{\"channelId\":\"ch3\"}"), 200);
    alone = stream_get(&f->live, NULL, "/api/todos/subscribe");
    assert_contains(app, control(f, "subscribe", "{\"channelId\":\"ch4\",\"resource\":\"todos\"}"),
                    429, "Maximum 3 subscriptions per IP");
    stream_close(alone);
    app_call(app, "GET", "/__covara/nothing", NULL, NULL);
    assert_int_equal(app->res.status, 404);
}

static void a_stream_belongs_to_its_user(void **state)
{
    mux_fixture *f = *state;
    cov_error err;
    char path[96];
    cov_request req = { .method = COV_POST };
    cov_principal other = { .id = COV_STR_INIT("u2") };
    cov_ctx ctx = { .host = cov_native_host(),
                    .db = f->live.app.db,
                    .arena = f->live.app.request,
                    .req = &req,
                    .res = &f->live.app.res,
                    .err = &err,
                    .principal = &other };

    (void)snprintf(path, sizeof path, "/__covara/stream/%s/subscribe", f->cid);
    req.path = cov_str_from(path);
    req.body = COV_STR(CH1);
    cov_error_init(&err, NULL);
    cov_buf_clear(&f->live.app.res.body, 0);
    assert_int_equal(cov_live_multiplex(f->live.app.app->live, &ctx), COV_OK);
    assert_contains(&f->live.app, f->live.app.res.status, 403,
                    "Stream belongs to a different user");
}

static void closing_the_stream_frees_everything(void **state)
{
    mux_fixture *f = *state;

    assert_int_equal(control(f, "subscribe", CH1), 200);
    assert_int_equal(control(f, "subscribe", "{\"channelId\":\"ch2\",\"resource\":\"todos\"}"),
                     200);
    assert_int_equal(cov_live_count(f->live.shard), 2);
    stream_close(f->stream);
    f->stream = NULL;
    assert_int_equal(cov_live_count(f->live.shard), 0);
    assert_contains(&f->live.app, control(f, "subscribe", CH1), 409, "stream_not_found");
}

/* What was handed to a stream that closed before its shard looked is freed there. */
static void a_stream_that_closes_meanwhile(void **state)
{
    mux_fixture *f = *state;
    char target[96];

    (void)snprintf(target, sizeof target, "/__covara/stream/%s/subscribe", f->cid);
    assert_int_equal(app_call(&f->live.app, "POST", target, NULL, CH1), 200);
    stream_close(f->stream);
    f->stream = NULL;
    cov_live_run(f->live.shard);
    assert_int_equal(cov_live_count(f->live.shard), 0);
}

static void a_slow_reader_loses_the_stream(void **state)
{
    mux_fixture *f = *state;

    assert_int_equal(control(f, "subscribe", "{\"channelId\":\"ch1\",\"resource\":\"todos\"}"),
                     200);
    stream_take(f->stream);
    f->stream->stuck = true;
    f->stream->queued = 4096;
    write_row(f, "POST", "/api/todos", "{\"id\":1}");
    assert_string_equal(stream_take(f->stream),
                        MUX("ch1", "message",
                            "{\"type\":\"invalidate\",\"reason\":\"slow-consumer\"}"));
    assert_true(f->stream->ended);
}

static void one_heartbeat_for_all(void **state)
{
    mux_fixture *f = *state;
    int64_t now = cov_native_host()->now_ms(cov_native_host()->self);

    assert_int_equal(control(f, "subscribe", CH1), 200);
    assert_int_equal(control(f, "subscribe", "{\"channelId\":\"ch2\",\"resource\":\"todos\"}"),
                     200);
    stream_take(f->stream);
    cov_live_tick(f->live.shard, now + 20500);
    assert_int_equal(f->stream->n_writes, 2 + 1);
    assert_memory_equal(stream_take_raw(f->stream), ": ping ", 7);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(channels_get_what_is_theirs),    CASE(refusals),
        CASE(a_stream_belongs_to_its_user),   CASE(closing_the_stream_frees_everything),
        CASE(a_stream_that_closes_meanwhile), CASE(a_slow_reader_loses_the_stream),
        CASE(one_heartbeat_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
