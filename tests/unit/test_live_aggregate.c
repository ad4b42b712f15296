/* SPDX-License-Identifier: MIT */
/* Aggregates that follow their rows, sessions that end, scopes that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "live_fixture.h"

static const char schema[] =
    "CREATE TABLE todos (id INTEGER PRIMARY KEY, title TEXT, done BOOLEAN NOT"
    " NULL DEFAULT 0, n INTEGER);"
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id TEXT);";

static const char config[] =
    "{\"resources\":{\"todos\":{\"auth\":{\"public\":{\"read\":true,\"create\":true,\"update\":true,"
    "\"delete\":true,\"subscribe\":true}},\"sse\":{\"maxQueueBytes\":1024}},"
    "\"notes\":{\"auth\":{\"read\":\"userId=={user.id}\"},\"strictScopeOnWrite\":false,"
    "\"sse\":{\"scopeRecheckMs\":80}}}}";

static int setup(void **state)
{
    live_fixture *f = malloc(sizeof *f);

    live_open(f, schema, config);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    live_close(*state);
    free(*state);
    return 0;
}

static void write_row(live_fixture *f, const char *method, const char *target, const char *body)
{
    int status = app_call(&f->app, method, target, NULL, body);

    if (status >= 300)
        fail_msg("%s %s: %d %s", method, target, status, app_body(&f->app));
    cov_live_run(f->shard);
}

/* Everything that is due before the next heartbeat. */
static void let_time_pass(live_fixture *f)
{
    int64_t now = cov_native_host()->now_ms(cov_native_host()->self);

    cov_live_tick(f->shard, now + 1000);
}

#define COUNT(n) "event: aggregate {\"data\":{\"groups\":[{\"key\":null,\"count\":" #n "}]}}|"

static void begins_with_a_result(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/aggregate/subscribe?count=true");
    const char *raw;

    assert_string_equal(stream_take(s), "event: connected {}|" COUNT(0));
    write_row(f, "POST", "/api/todos", "{\"id\":1}");
    let_time_pass(f);
    raw = stream_take_raw(s);
    assert_memory_equal(raw, "id: ", 4);
    assert_non_null(strstr(raw, "\nevent: aggregate\ndata: {\"data\":{\"groups\":[{\"key\":null,"
                                "\"count\":1}]},\"seq\":"));
    stream_close(s);
}

static void many_changes_make_one_frame(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/aggregate/subscribe?count=true");
    fake_stream *t = stream_get(f, NULL, "/api/todos/aggregate/subscribe?count=true");
    char body[32];

    stream_take(s);
    stream_take(t);
    for (int i = 1; i <= 5; i++) {
        (void)snprintf(body, sizeof body, "{\"id\":%d}", i);
        write_row(f, "POST", "/api/todos", body);
        assert_string_equal(stream_take(s), "");
    }
    let_time_pass(f);
    assert_string_equal(stream_take(s), COUNT(5));
    assert_string_equal(stream_take(t), COUNT(5));
    let_time_pass(f);
    assert_string_equal(stream_take(s), "");
    stream_close(s);
    stream_close(t);
}

static void what_does_not_matter_is_not_sent(void **state)
{
    live_fixture *f = *state;
    fake_stream *by_done =
        stream_get(f, NULL, "/api/todos/aggregate/subscribe?groupBy=done&count=true");
    fake_stream *open =
        stream_get(f, NULL, "/api/todos/aggregate/subscribe?count=true&filter=done%3D%3Dfalse");

    stream_take(by_done);
    stream_take(open);
    write_row(f, "POST", "/api/todos", "{\"id\":1,\"done\":true}");
    let_time_pass(f);
    assert_non_null(strstr(stream_take(by_done), "\"count\":1"));
    assert_string_equal(stream_take(open), "");
    write_row(f, "PATCH", "/api/todos/1", "{\"title\":\"other\"}");
    let_time_pass(f);
    assert_string_equal(stream_take(by_done), "");
    write_row(f, "PATCH", "/api/todos/1", "{\"done\":false}");
    let_time_pass(f);
    assert_string_equal(stream_take(open), COUNT(1));
    stream_close(by_done);
    stream_close(open);
}

static void a_slow_reader_gets_the_newest(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/aggregate/subscribe?count=true");

    stream_take(s);
    s->stuck = true;
    s->queued = 4096;
    write_row(f, "POST", "/api/todos", "{\"id\":1}");
    let_time_pass(f);
    write_row(f, "POST", "/api/todos", "{\"id\":2}");
    let_time_pass(f);
    assert_string_equal(stream_take(s), "");
    stream_drain(s);
    assert_string_equal(stream_take(s), COUNT(2));
    stream_close(s);
}

static void refusals(void **state)
{
    live_fixture *f = *state;

    assert_contains(&f->app,
                    app_call(&f->app, "GET", "/api/todos/aggregate/subscribe?sum=nope", NULL, NULL),
                    400, "Invalid sum field: nope");
    assert_contains(&f->app, app_call(&f->app, "GET", "/api/todos/aggregate/subscribe", NULL, NULL),
                    400, "At least one of");
    assert_contains(&f->app,
                    app_call(&f->app, "GET", "/api/todos/aggregate/subscribe?count=true&having=zzz",
                             NULL, NULL),
                    400, "having");
    assert_contains(&f->app,
                    app_call(&f->app, "GET", "/api/notes/aggregate/subscribe?count=true", NULL,
                             NULL),
                    401, "Authentication required for read on notes");
}

/* ---- sessions ---- */

typedef struct session {
    cov_principal principal; /* first */
    int refs;
} session;

static void retain(cov_principal *principal)
{
    ((session *)(void *)principal)->refs++;
}

static void release(cov_principal *principal)
{
    ((session *)(void *)principal)->refs--;
}

static bool get_id(const void *self, cov_str path, cov_value *value)
{
    if (!cov_str_eq(path, COV_STR("user.id")))
        return false;
    *value = cov_value_text(((const session *)self)->principal.id);
    return true;
}

/* As authentication will: a stream for a session. */
static fake_stream *stream_in_session(live_fixture *f, session *of, cov_str path)
{
    cov_request req = { .method = COV_GET, .path = path };
    cov_route route = cov__route_find(f->app.app, &req);
    cov_error err;
    cov_ctx ctx = { .host = cov_native_host(),
                    .db = f->app.db,
                    .arena = f->app.request,
                    .req = &req,
                    .res = &f->app.res,
                    .err = &err,
                    .user = &of->principal.vars,
                    .principal = &of->principal,
                    .feed = cov_live_feed(f->app.app->live),
                    .shard = f->shard };

    cov_error_init(&err, NULL);
    f->app.res.n_headers = 0;
    cov_buf_clear(&f->app.res.body, 0);
    assert_int_equal(route.target.handler(route.resource, &ctx, route.target.id), COV_OK);
    return stream_open(f);
}

static void a_session_that_ends_ends_its_streams(void **state)
{
    live_fixture *f = *state;
    int64_t now = cov_native_host()->now_ms(cov_native_host()->self);
    session own = {
        { { get_id, &own, NULL }, COV_STR_INIT("u1"), now + 500, retain, release, NULL }, 1
    };
    fake_stream *s = stream_in_session(f, &own, COV_STR("/api/notes/subscribe"));
    fake_stream *t = stream_in_session(f, &own, COV_STR("/api/notes/subscribe"));

    stream_take(s);
    stream_take(t);
    assert_int_equal(app_call_as(&f->app, "u1", "POST", "/api/notes",
                                 "{\"id\":1,\"userId\":\"u1\"}"),
                     201);
    cov_live_run(f->shard);
    assert_non_null(strstr(stream_take(s), "\"added\""));
    assert_non_null(strstr(stream_take(t), "\"added\""));
    own.principal.expires_at_ms = now - 1;
    assert_int_equal(app_call_as(&f->app, "u1", "POST", "/api/notes",
                                 "{\"id\":2,\"userId\":\"u1\"}"),
                     201);
    cov_live_run(f->shard);
    assert_string_equal(stream_take(s),
                        "{\"type\":\"invalidate\",\"reason\":\"Authentication expired\"}|");
    assert_true(s->ended);
    assert_true(t->ended);
    stream_close(s);
    stream_close(t);
    /* Without any change it is the heartbeat that notices. */
    own.principal.expires_at_ms = 0;
    s = stream_in_session(f, &own, COV_STR("/api/notes/subscribe"));
    own.principal.expires_at_ms = now + 1;
    cov_live_tick(f->shard, now + 30000);
    assert_true(s->ended);
    assert_null(strstr(stream_take_raw(s), "ping"));
    stream_close(s);
    assert_int_equal(own.refs, 1);
}

/* ---- scopes of code ---- */

static const char *granted = "u1";

static cov_status scope(cov_ctx *ctx, cov_operation operation, cov_buf *out, void *self,
                        cov_error *err)
{
    cov_value who = cov_value_text(cov_str_from(granted));

    (void)ctx;
    (void)operation;
    (void)self;
    (void)err;
    cov_buf_str(out, COV_STR("userId=="));
    cov_scope_value(out, &who);
    return COV_OK;
}

static cov_app *build(cov_env *env)
{
    static const cov_resource_options options = { .scope = scope };
    cov_app *app = cov_app_new(env, NULL);

    cov_app_resource(app, "notes", &options);
    return app;
}

static void a_scope_that_changes_is_noticed(void **state)
{
    live_fixture f;
    fake_stream *s;

    (void)state;
    granted = "u1";
    live_build(&f, schema, config, build);
    s = stream_get(&f, "u1", "/api/notes/subscribe");
    stream_take(s);
    let_time_pass(&f);
    assert_string_equal(stream_take(s), "");
    assert_false(s->ended);
    granted = "u2";
    cov_live_tick(f.shard, cov_native_host()->now_ms(cov_native_host()->self) + 2000);
    assert_string_equal(stream_take(s),
                        "{\"type\":\"invalidate\",\"reason\":\"Scope changed - please refetch\"}|");
    assert_true(s->ended);
    stream_close(s);
    live_close(&f);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(begins_with_a_result),
        CASE(many_changes_make_one_frame),
        CASE(what_does_not_matter_is_not_sent),
        CASE(a_slow_reader_gets_the_newest),
        CASE(refusals),
        CASE(a_session_that_ends_ends_its_streams),
        cmocka_unit_test(a_scope_that_changes_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
