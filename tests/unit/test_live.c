/* SPDX-License-Identifier: MIT */
/* Subscriptions of rows, as spec/04 section 22 has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "live_fixture.h"

static const char schema[] =
    "CREATE TABLE todos (id INTEGER PRIMARY KEY, title TEXT, done BOOLEAN NOT NULL DEFAULT 0,"
    " secret TEXT, owner TEXT, n INTEGER, deleted_at TIMESTAMP);"
    "CREATE TABLE notes (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, text TEXT);"
    "CREATE TABLE comments (id INTEGER PRIMARY KEY, todo_id INTEGER, body TEXT);";

static const char config[] =
    "{\"resources\":{"
    "\"todos\":{\"auth\":{\"public\":{\"read\":true,\"create\":true,\"update\":true,\"delete\":true,"
    "\"subscribe\":true}},\"fields\":{\"readable\":[\"id\",\"title\",\"done\"],"
    "\"filterable\":[\"id\",\"title\",\"done\",\"n\",\"owner\"]},"
    "\"sse\":{\"maxQueueBytes\":1024},"
    "\"relations\":{\"comments\":{\"type\":\"hasMany\",\"resource\":\"comments\",\"foreignKey\":\"todoId\"}}},"
    "\"soft\":{\"table\":\"todos\",\"auth\":{\"public\":{\"read\":true,\"create\":true,\"update\":true,"
    "\"delete\":true,\"subscribe\":true}},\"fields\":{\"readable\":[\"id\"]},"
    "\"softDelete\":{\"field\":\"deletedAt\"}},"
    "\"drop\":{\"table\":\"todos\",\"auth\":{\"public\":true},\"sse\":{\"maxQueueBytes\":1024,"
    "\"onBackpressure\":\"drop\"},\"fields\":{\"readable\":[\"id\"]}},"
    "\"comments\":{\"auth\":{\"public\":true}},"
    "\"notes\":{\"auth\":{\"read\":\"userId=={user.id}\",\"create\":true,\"update\":true,\"delete\":true,"
    "\"subscribe\":\"userId=={user.id}\"},\"strictScopeOnWrite\":false,"
    "\"sse\":{\"maxSubscriptionsPerUser\":2}}}}";

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

#define TODO(id, title) "{\"id\":" #id ",\"title\":\"" title "\",\"done\":false}"

static void begins_with_connected_and_existing(void **state)
{
    live_fixture *f = *state;
    fake_stream *s;
    const char *raw;

    app_sql(&f->app, "INSERT INTO todos (id, title) VALUES (1, 'a'), (2, 'b')");
    app_call(&f->app, "GET", "/api/todos/subscribe", NULL, NULL);
    assert_string_equal(app_header(&f->app, "Content-Type"), "text/event-stream");
    assert_string_equal(app_header(&f->app, "Cache-Control"), "no-cache, no-transform");
    assert_string_equal(app_header(&f->app, "X-Accel-Buffering"), "no");
    s = stream_open(f);
    raw = stream_take_raw(s);
    assert_memory_equal(raw, "id: ", 4);
    assert_non_null(strstr(raw, "\nevent: connected\ndata: {\"seq\":"));
    assert_non_null(strstr(raw, ":todos\",\"seq\":"));
    assert_null(strchr(raw, '\r'));
    stream_close(s);
    s = stream_get(f, NULL, "/api/todos/subscribe");
    assert_string_equal(stream_take(s),
                        "event: connected {}|{\"type\":\"existing\",\"object\":" TODO(
                            1, "a") "}|"
                                    "{\"type\":\"existing\",\"object\":" TODO(2, "b") "}|");
    stream_close(s);
}

static void rows_enter_change_and_leave(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe?filter=n%3E0");

    stream_take(s);
    write_row(f, "POST", "/api/todos", "{\"id\":1,\"title\":\"a\",\"n\":1}");
    assert_string_equal(stream_take(s), "{\"type\":\"added\",\"object\":" TODO(1, "a") "}|");
    write_row(f, "POST", "/api/todos", "{\"id\":2,\"title\":\"b\",\"n\":0}");
    assert_string_equal(stream_take(s), "");
    write_row(f, "PATCH", "/api/todos/1", "{\"title\":\"a2\"}");
    assert_string_equal(stream_take(s), "{\"type\":\"changed\",\"object\":" TODO(
                                            1, "a2") ","
                                                     "\"previousObjectId\":\"1\"}|");
    write_row(f, "PATCH", "/api/todos/1", "{\"n\":0}");
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    write_row(f, "PATCH", "/api/todos/1", "{\"n\":5}");
    assert_string_equal(stream_take(s), "{\"type\":\"added\",\"object\":" TODO(1, "a2") "}|");
    write_row(f, "DELETE", "/api/todos/1", NULL);
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    write_row(f, "DELETE", "/api/todos/2", NULL);
    assert_string_equal(stream_take(s), "");
    stream_close(s);
}

static void batches_are_told_row_by_row(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe?filter=n%3E0");

    stream_take(s);
    write_row(f, "POST", "/api/todos/batch",
              "{\"items\":[{\"id\":1,\"title\":\"a\",\"n\":1},{\"id\":2,\"title\":\"b\",\"n\":2},"
              "{\"id\":3,\"title\":\"c\",\"n\":0}]}");
    assert_string_equal(stream_take(s),
                        "{\"type\":\"added\",\"object\":" TODO(
                            1, "a") "}|"
                                    "{\"type\":\"added\",\"object\":" TODO(2, "b") "}|");
    write_row(f, "PATCH", "/api/todos/batch?filter=id%3E1", "{\"n\":7}");
    assert_string_equal(stream_take(s),
                        "{\"type\":\"changed\",\"object\":" TODO(
                            2, "b") ",\"previousObjectId\":\"2\"}|"
                                    "{\"type\":\"added\",\"object\":" TODO(3, "c") "}|");
    write_row(
        f, "POST", "/api/todos/batch/upsert",
        "{\"items\":[{\"id\":3,\"title\":\"c\",\"n\":0},{\"id\":4,\"title\":\"d\",\"n\":1}]}");
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"3\"}|"
                                        "{\"type\":\"added\",\"object\":" TODO(4, "d") "}|");
    write_row(f, "DELETE", "/api/todos/batch?filter=id%3E0", NULL);
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"1\"}|"
                                        "{\"type\":\"removed\",\"objectId\":\"2\"}|"
                                        "{\"type\":\"removed\",\"objectId\":\"4\"}|");
    stream_close(s);
}

/* Equalities find a subscription from either image; numbers and texts alike. */
static void equalities_are_found_by_index(void **state)
{
    live_fixture *f = *state;
    fake_stream *by_owner = stream_get(f, NULL, "/api/todos/subscribe?filter=owner%3D%3D%22u1%22");
    fake_stream *by_number =
        stream_get(f, NULL, "/api/todos/subscribe?filter=n%3D%3D3%3Bowner!%3D%22u9%22");
    fake_stream *other = stream_get(f, NULL, "/api/todos/subscribe?filter=owner%3D%3D%22u2%22");

    stream_take(by_owner);
    stream_take(by_number);
    stream_take(other);
    write_row(f, "POST", "/api/todos", "{\"id\":1,\"title\":\"a\",\"owner\":\"u1\",\"n\":3}");
    assert_string_equal(stream_take(by_owner), "{\"type\":\"added\",\"object\":" TODO(1, "a") "}|");
    assert_string_equal(stream_take(by_number),
                        "{\"type\":\"added\",\"object\":" TODO(1, "a") "}|");
    assert_string_equal(stream_take(other), "");
    write_row(f, "PATCH", "/api/todos/1", "{\"owner\":\"u2\",\"n\":4}");
    assert_string_equal(stream_take(by_owner), "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    assert_string_equal(stream_take(by_number), "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    assert_string_equal(stream_take(other), "{\"type\":\"added\",\"object\":" TODO(1, "a") "}|");
    stream_close(by_owner);
    stream_close(by_number);
    stream_close(other);
}

static void a_new_id_is_removed_and_added(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/comments/subscribe?skipExisting=true");
    fake_stream *t = stream_get(f, NULL, "/api/todos/subscribe?skipExisting=true");

    stream_take(s);
    stream_take(t);
    write_row(f, "POST", "/api/todos", "{\"id\":1,\"title\":\"a\"}");
    assert_string_equal(stream_take(s), "");
    assert_string_equal(stream_take(t), "{\"type\":\"added\",\"object\":" TODO(1, "a") "}|");
    stream_close(s);
    stream_close(t);
}

static void soft_deletion_removes(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/soft/subscribe");

    stream_take(s);
    write_row(f, "POST", "/api/soft", "{\"id\":1,\"title\":\"a\"}");
    assert_string_equal(stream_take(s), "{\"type\":\"added\",\"object\":{\"id\":1}}|");
    write_row(f, "DELETE", "/api/soft/1", NULL);
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    write_row(f, "PATCH", "/api/soft/1?withDeleted=true", "{\"title\":\"b\"}");
    assert_string_equal(stream_take(s), "");
    write_row(f, "PATCH", "/api/soft/1?withDeleted=true", "{\"deletedAt\":null}");
    assert_string_equal(stream_take(s), "{\"type\":\"added\",\"object\":{\"id\":1}}|");
    write_row(f, "PATCH", "/api/soft/1", "{\"deletedAt\":1700000000000}");
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    stream_close(s);
}

static void known_ids_decide(void **state)
{
    live_fixture *f = *state;
    fake_stream *s;

    app_sql(&f->app, "INSERT INTO todos (id, title) VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    s = stream_get(f, NULL, "/api/todos/subscribe?skipExisting=true&knownIds=1,,9");
    assert_string_equal(stream_take(s), "event: connected {}|");
    write_row(f, "PATCH", "/api/todos/2", "{\"done\":false,\"title\":\"b\"}");
    assert_string_equal(stream_take(s), "{\"type\":\"added\",\"object\":" TODO(2, "b") "}|");
    write_row(f, "DELETE", "/api/todos/2", NULL);
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"2\"}|");
    write_row(f, "DELETE", "/api/todos/1", NULL);
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    write_row(f, "DELETE", "/api/todos/3", NULL);
    assert_string_equal(stream_take(s), "");
    stream_close(s);
}

static void scopes_decide_who_sees(void **state)
{
    live_fixture *f = *state;
    fake_stream *u1 = stream_get(f, "u1", "/api/notes/subscribe");
    fake_stream *u2 = stream_get(f, "u2", "/api/notes/subscribe");

    stream_take(u1);
    stream_take(u2);
    assert_int_equal(app_call_as(&f->app, "u1", "POST", "/api/notes",
                                 "{\"id\":\"x\",\"userId\":\"u1\",\"text\":\"t\"}"),
                     201);
    cov_live_run(f->shard);
    assert_string_equal(stream_take(u1),
                        "{\"type\":\"added\",\"object\":{\"id\":\"x\",\"userId\":\"u1\","
                        "\"text\":\"t\"}}|");
    assert_string_equal(stream_take(u2), "");
    assert_int_equal(app_call_as(&f->app, "u1", "PATCH", "/api/notes/x", "{\"userId\":\"u2\"}"),
                     200);
    cov_live_run(f->shard);
    assert_string_equal(stream_take(u1), "{\"type\":\"removed\",\"objectId\":\"x\"}|");
    assert_string_equal(stream_take(u2),
                        "{\"type\":\"added\",\"object\":{\"id\":\"x\",\"userId\":\"u2\","
                        "\"text\":\"t\"}}|");
    stream_close(u1);
    stream_close(u2);
}

static void optimistic_ids_go_to_their_own_user(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe");

    stream_take(s);
    assert_int_equal(app_call(&f->app, "POST", "/api/todos", "X-Covara-Optimistic-Id: o1",
                              "{\"id\":1,\"title\":\"a\"}"),
                     201);
    cov_live_run(f->shard);
    assert_string_equal(stream_take(s), "{\"type\":\"added\",\"object\":" TODO(
                                            1, "a") ","
                                                    "\"meta\":{\"optimisticId\":\"o1\"}}|");
    stream_close(s);
}

static void includes_come_with_changes(void **state)
{
    live_fixture *f = *state;
    fake_stream *s;

    app_sql(&f->app, "INSERT INTO todos (id, title) VALUES (1, 'a');"
                     "INSERT INTO comments VALUES (5, 1, 'hi')");
    s = stream_get(f, NULL, "/api/todos/subscribe?include=comments&skipExisting=true");
    stream_take(s);
    write_row(f, "PATCH", "/api/todos/1", "{\"title\":\"b\"}");
    assert_string_equal(stream_take(s),
                        "{\"type\":\"changed\",\"object\":{\"id\":1,\"title\":\"b\",\"done\":false,"
                        "\"comments\":[{\"id\":5,\"todoId\":1,\"body\":\"hi\"}]},"
                        "\"previousObjectId\":\"1\"}|");
    assert_contains(&f->app,
                    app_call(&f->app, "GET",
                             "/api/todos/subscribe?include=comments(filter:nope%3D%3D1)", NULL,
                             NULL),
                    400, "Unknown column");
    stream_close(s);
}

static void refusals(void **state)
{
    live_fixture *f = *state;
    fake_stream *s[2];

    assert_contains(&f->app,
                    app_call(&f->app, "GET", "/api/todos/subscribe?filter=bad%20(", NULL, NULL),
                    400, "FILTER_PARSE_ERROR");
    assert_contains(&f->app,
                    app_call(&f->app, "GET", "/api/todos/subscribe?filter=a.b%3D%3D1", NULL, NULL),
                    400, "Relation paths are not allowed in filter queries");
    assert_contains(&f->app,
                    app_call(&f->app, "GET", "/api/comments/subscribe?filter=nope%3D%3D1", NULL,
                             NULL),
                    400, "Unknown column: nope");
    assert_contains(&f->app,
                    app_call(&f->app, "GET", "/api/todos/subscribe?resumeFrom=abc", NULL, NULL),
                    400, "resumeFrom");
    assert_contains(&f->app, app_call(&f->app, "GET", "/api/notes/subscribe", NULL, NULL), 401,
                    "Authentication required for subscribe on notes");
    for (int i = 0; i < 2; i++)
        s[i] = stream_get(f, "u1", "/api/notes/subscribe");
    assert_answer(
        &f->app, app_call_as(&f->app, "u1", "GET", "/api/notes/subscribe", NULL), 429,
        "{\"type\":\"/__covara/problems/rate-limit-exceeded\",\"title\":\"Too many "
        "subscriptions\",\"status\":429,\"detail\":\"Maximum 2 subscriptions per user\"}");
    stream_close(s[0]);
    s[0] = stream_get(f, "u1", "/api/notes/subscribe");
    stream_close(s[0]);
    stream_close(s[1]);
    /* A stream that never opened gives its slot back too. */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(app_call_as(&f->app, "u1", "GET", "/api/notes/subscribe", NULL), 200);
        f->app.res.stream->closed(f->app.res.stream);
    }
}

static long long seq_of(const char *raw)
{
    const char *at = strstr(raw, "\"seq\":");

    return at != NULL ? strtoll(at + 6, NULL, 10) : -1;
}

static fake_stream *resume(live_fixture *f, long long from, const char *more)
{
    char target[128];

    (void)snprintf(target, sizeof target, "/api/todos/subscribe?filter=n%%3E0&resumeFrom=%lld%s",
                   from, more);
    return stream_get(f, NULL, target);
}

static void who_was_away_catches_up(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe?filter=n%3E0");
    long long start = seq_of(stream_take_raw(s));

    stream_close(s);
    write_row(f, "POST", "/api/todos", "{\"id\":1,\"title\":\"a\",\"n\":1}");
    write_row(f, "POST", "/api/todos", "{\"id\":2,\"title\":\"b\",\"n\":0}");
    write_row(f, "PATCH", "/api/todos/1", "{\"title\":\"c\"}");
    write_row(f, "DELETE", "/api/todos/1", NULL);
    write_row(f, "DELETE", "/api/todos/2", NULL);
    s = resume(f, start, "");
    assert_string_equal(stream_take(s),
                        "event: connected {}|"
                        "{\"type\":\"added\",\"object\":" TODO(
                            1, "a") "}|"
                                    "{\"type\":\"changed\",\"object\":" TODO(
                                        1, "c") ","
                                                "\"previousObjectId\":\"1\"}|"
                                                "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    write_row(f, "POST", "/api/todos", "{\"id\":3,\"title\":\"d\",\"n\":1}");
    assert_string_equal(stream_take(s), "{\"type\":\"added\",\"object\":" TODO(3, "d") "}|");
    stream_close(s);
    s = resume(f, start + 3, "&skipExisting=true&knownIds=1");
    assert_string_equal(stream_take(s), "event: connected {}|"
                                        "{\"type\":\"removed\",\"objectId\":\"1\"}|"
                                        "{\"type\":\"added\",\"object\":" TODO(3, "d") "}|");
    stream_close(s);
    s = resume(f, start + 400, "");
    assert_string_equal(stream_take(s), "event: connected {}|{\"type\":\"invalidate\","
                                        "\"reason\":\"Sequence gap - please refetch\"}|");
    stream_close(s);
    s = resume(f, 5, "");
    assert_string_equal(stream_take(s), "event: connected {}|{\"type\":\"invalidate\","
                                        "\"reason\":\"Sequence gap - please refetch\"}|");
    stream_close(s);
    /* A browser sends its old URL and the header: the header counts. */
    assert_int_equal(app_call(&f->app, "GET", "/api/todos/subscribe?resumeFrom=1",
                              "Last-Event-ID: 99999999999999", NULL),
                     200);
    s = stream_open(f);
    assert_non_null(strstr(stream_take(s), "Sequence gap"));
    stream_close(s);
}

/* A client resumes from the highest number that it got: a change is done with once all of its events were sent. */
static void numbers_say_what_was_sent(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe?filter=n%3E0");
    long long start = seq_of(stream_take_raw(s));
    char removed[32];

    write_row(f, "POST", "/api/todos", "{\"id\":1,\"n\":1}");
    stream_take(s);
    write_row(f, "PATCH", "/api/todos/1", "{\"n\":0}");
    snprintf(removed, sizeof removed, "\"seq\":%lld,", start + 2);
    assert_non_null(strstr(stream_take_raw(s), removed));
    stream_close(s);
}

static void rows_changed_together_while_nobody_looked(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe?filter=n%3E0");
    long long start = seq_of(stream_take_raw(s));

    stream_close(s);
    app_sql(&f->app, "INSERT INTO todos (id, title, n) VALUES (1, 'a', 1)");
    write_row(f, "PATCH", "/api/todos/batch?filter=id%3E0", "{\"n\":0}");
    s = resume(f, start, "");
    assert_string_equal(stream_take(s), "event: connected {}|{\"type\":\"invalidate\","
                                        "\"reason\":\"Catchup unavailable - please refetch\"}|");
    stream_close(s);
}

static void slow_readers(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe");
    fake_stream *d = stream_get(f, NULL, "/api/drop/subscribe");
    char body[64];

    stream_take(s);
    stream_take(d);
    s->stuck = d->stuck = true;
    for (int i = 1; i <= 20; i++) {
        (void)snprintf(body, sizeof body, "{\"id\":%d,\"title\":\"a\"}", i);
        write_row(f, "POST", "/api/todos", body);
    }
    assert_true(s->ended);
    assert_non_null(
        strstr(stream_take(s), "|{\"type\":\"invalidate\",\"reason\":\"slow-consumer\"}|"));
    assert_false(d->ended);
    assert_null(strstr(stream_take(d), "\"id\":20"));
    stream_drain(d);
    assert_string_equal(stream_take(d), "{\"type\":\"invalidate\",\"reason\":\"slow-consumer\"}|");
    write_row(f, "DELETE", "/api/todos/3", NULL);
    assert_string_equal(stream_take(d), "{\"type\":\"removed\",\"objectId\":\"3\"}|");
    stream_close(s);
    stream_close(d);
}

/* A snapshot larger than the queue is no reason to cut anybody off (spec/04 section 3.2). */
static void a_large_snapshot_is_no_slowness(void **state)
{
    live_fixture *f = *state;
    fake_stream *s;

    app_sql(&f->app, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 3000)"
                     " INSERT INTO todos (id, title) SELECT i, hex(zeroblob(200)) FROM c");
    app_call(&f->app, "GET", "/api/todos/subscribe", NULL, NULL);
    s = stream_of(f->app.res.stream);
    s->stuck = true;
    stream_begin(s);
    assert_false(s->ended);
    assert_true(s->queued > 1000 * 1000);
    write_row(f, "DELETE", "/api/todos/3000", NULL);
    assert_false(s->ended);
    assert_non_null(strstr(stream_take_raw(s), "\"objectId\":\"3000\""));
    stream_close(s);
}

static void heartbeats(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe");
    int64_t due = cov_live_next(f->shard);

    stream_take(s);
    assert_true(due != INT64_MAX);
    assert_int_equal(cov_live_tick(f->shard, due - 1), due);
    assert_string_equal(stream_take_raw(s), "");
    assert_true(cov_live_tick(f->shard, due) >= due + 20000);
    assert_memory_equal(stream_take_raw(s), ": ping ", 7);
    stream_close(s);
    assert_true(cov_live_next(f->shard) == INT64_MAX);
}

#define OTHER(id, n)                                                                              \
    "INSERT INTO covara_changelog (resource, type, objectId, object, timestamp, origin) VALUES (" \
    "'comments', 'create', '" #id "', '{\"id\":" #id ",\"todo_id\":" #n                           \
    ",\"body\":null}', 0, 'trigger');"
#define ADDED(id, n) \
    "{\"type\":\"added\",\"object\":{\"id\":" #id ",\"todoId\":" #n ",\"body\":null}}|"

/* What others entered before a change of ours is told before it, however seldom the clock looks. */
static void entries_of_others_are_told_in_order(void **state)
{
    live_fixture f;
    fake_stream *s;
    int64_t now = cov_native_host()->now_ms(cov_native_host()->self);

    (void)state;
    live_open(&f, schema,
              "{\"changelog\":\"database\",\"resources\":{\"comments\":{\"auth\":{\"public\":{"
              "\"read\":true,\"create\":true,\"subscribe\":true}}}}}");
    s = stream_get(&f, NULL, "/api/comments/subscribe?filter=todoId%3C9");
    stream_take(s);
    app_sql(&f.app, OTHER(1, 1) OTHER(2, 9));
    write_row(&f, "POST", "/api/comments", "{\"id\":3,\"todoId\":3}");
    assert_string_equal(stream_take(s), ADDED(1, 1) ADDED(3, 3));
    app_sql(&f.app, OTHER(4, 4));
    cov_live_tick(f.shard, now + 1000);
    cov_live_run(f.shard);
    assert_string_equal(stream_take(s), ADDED(4, 4));
    write_row(&f, "POST", "/api/comments", "{\"id\":5,\"todoId\":5}");
    cov_live_tick(f.shard, now + 2000);
    cov_live_run(f.shard);
    assert_string_equal(stream_take(s), ADDED(5, 5));
    /* So many that only reading again helps; then some that nobody can know of any more. */
    app_sql(&f.app, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2001)"
                    " INSERT INTO covara_changelog (resource, type, objectId, timestamp)"
                    " SELECT 'comments', 'update', i, 0 FROM n");
    cov_live_tick(f.shard, now + 3000);
    cov_live_run(f.shard);
    assert_string_equal(stream_take(s),
                        "{\"type\":\"invalidate\",\"reason\":\"external-mutation\"}|");
    app_sql(&f.app, OTHER(6, 6) OTHER(7, 7) "DELETE FROM covara_changelog WHERE seq <"
                                            " (SELECT max(seq) FROM covara_changelog)");
    cov_live_tick(f.shard, now + 4000);
    cov_live_run(f.shard);
    assert_string_equal(stream_take(s),
                        "{\"type\":\"invalidate\",\"reason\":\"Sequence gap - please refetch\"}|");
    cov_live_tick(f.shard, now + 5000);
    cov_live_run(f.shard);
    assert_string_equal(stream_take(s), "");
    stream_close(s);
    live_close(&f);
}

/* Nothing else may happen for long: then only the clock sends heartbeats. */
static void the_first_subscription_starts_the_clock(void **state)
{
    live_fixture *f = *state;
    size_t before = f->n_wakes;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe");
    fake_stream *t;

    assert_int_equal(f->n_wakes, before + 1);
    t = stream_get(f, NULL, "/api/todos/subscribe");
    assert_int_equal(f->n_wakes, before + 1);
    stream_close(s);
    stream_close(t);
}

/* Another process, a trigger: whatever enters the changelog table is noticed. */
static void entries_of_others_invalidate(void **state)
{
    live_fixture f;
    fake_stream *s;
    fake_stream *t;
    int64_t now = cov_native_host()->now_ms(cov_native_host()->self);

    (void)state;
    live_open(
        &f, schema,
        "{\"changelog\":\"database\",\"resources\":{\"todos\":{\"auth\":{\"public\":{\"read\":true,"
        "\"create\":true,\"subscribe\":true}},\"fields\":{\"readable\":[\"id\",\"title\",\"done\"]}},"
        "\"comments\":{\"auth\":{\"public\":true}}}}");
    s = stream_get(&f, NULL, "/api/todos/subscribe");
    t = stream_get(&f, NULL, "/api/comments/subscribe");
    stream_take(s);
    stream_take(t);
    write_row(&f, "POST", "/api/todos", "{\"id\":1,\"title\":\"a\"}");
    cov_live_tick(f.shard, now + 1000);
    cov_live_run(f.shard);
    assert_string_equal(stream_take(s), "{\"type\":\"added\",\"object\":" TODO(1, "a") "}|");
    app_sql(&f.app, "INSERT INTO covara_changelog (resource, type, objectId, timestamp)"
                    " VALUES ('todos', 'update', '1', 0)");
    cov_live_tick(f.shard, now + 2000);
    cov_live_run(f.shard);
    assert_string_equal(stream_take(s),
                        "{\"type\":\"invalidate\",\"reason\":\"external-mutation\"}|");
    cov_live_tick(f.shard, now + 3000);
    cov_live_run(f.shard);
    assert_string_equal(stream_take(s), "");
    assert_string_equal(stream_take(t), "");
    stream_close(s);
    stream_close(t);
    live_close(&f);
}

static void a_refused_write_tells_nobody(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, NULL, "/api/todos/subscribe");

    stream_take(s);
    assert_int_equal(
        app_call(&f->app, "POST", "/api/todos/batch", NULL,
                 "{\"items\":[{\"id\":1,\"title\":\"a\"},{\"id\":1,\"title\":\"b\"}]}"),
        409);
    cov_live_run(f->shard);
    assert_string_equal(stream_take(s), "");
    stream_close(s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(begins_with_connected_and_existing),
        CASE(rows_enter_change_and_leave),
        CASE(batches_are_told_row_by_row),
        CASE(equalities_are_found_by_index),
        CASE(a_new_id_is_removed_and_added),
        CASE(soft_deletion_removes),
        CASE(known_ids_decide),
        CASE(scopes_decide_who_sees),
        CASE(optimistic_ids_go_to_their_own_user),
        CASE(includes_come_with_changes),
        CASE(refusals),
        CASE(who_was_away_catches_up),
        CASE(numbers_say_what_was_sent),
        CASE(rows_changed_together_while_nobody_looked),
        CASE(slow_readers),
        CASE(a_large_snapshot_is_no_slowness),
        CASE(heartbeats),
        cmocka_unit_test(entries_of_others_are_told_in_order),
        CASE(the_first_subscription_starts_the_clock),
        cmocka_unit_test(entries_of_others_invalidate),
        CASE(a_refused_write_tells_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
