/* SPDX-License-Identifier: MIT */
/* The changelog in the key-value store: what a restart and a second process find there (spec/04 section 16). */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/build.h"
#include "driver/kv/memory/memory.h"
#include "live/internal.h"
#include "live_fixture.h"

static const char schema[] = "CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER);";
static const char config_text[] =
    "{\"resources\":{\"rows\":{\"auth\":{\"public\":{\"read\":true,\"create\":true,"
    "\"update\":true,\"delete\":true,\"subscribe\":true}}}}}";

/* One app, and another one on the same database and store. */
typedef struct pair {
    live_fixture one;
    cov_app *apps[2];
    cov_live_shard *shards[2];
} pair;

static void no_wake(void *self)
{
    (void)self;
}

static int setup(void **state)
{
    pair *p = calloc(1, sizeof *p);

    assert_non_null(p);
    app_fixture_store_lasts(true);
    live_open(&p->one, schema, config_text);
    p->apps[0] = p->one.app.app;
    p->shards[0] = p->one.shard;
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    pair *p = *state;

    cov_live_shard_free(p->shards[1]);
    cov_app_free(p->apps[1]);
    p->one.app.app = p->apps[0];
    live_close(&p->one);
    free(p);
    return 0;
}

static void start_other(pair *p)
{
    app_fixture *f = &p->one.app;
    const cov_config *config = NULL;
    cov_schema *read = NULL;
    cov_error err;

    cov_error_init(&err, f->arena);
    assert_int_equal(cov_config_parse(f->arena, cov_native_host(), COV_STR("test"),
                                      cov_str_from(config_text), &config, &err),
                     COV_OK);
    assert_int_equal(cov_schema_read_sqlite(f->arena, f->db, config->naming, &read, &err), COV_OK);
    assert_int_equal(cov__app_build(cov_native_host(), config, read, f->kv, NULL, &p->apps[1],
                                    &err),
                     COV_OK);
    assert_int_equal(cov_live_prepare(p->apps[1]->live, f->db, &err), COV_OK);
    p->shards[1] = cov_live_shard_new(p->apps[1]->live, f->db, no_wake, p);
    assert_non_null(p->shards[1]);
}

/* Requests go to this app from now on. */
static void use(pair *p, int which)
{
    p->one.app.app = p->apps[which];
    p->one.app.shard = p->shards[which];
}

static void put(pair *p, int n)
{
    char body[32];

    (void)snprintf(body, sizeof body, "{\"id\":%d,\"n\":%d}", n, n);
    assert_int_equal(app_call(&p->one.app, "POST", "/api/rows", NULL, body), 201);
}

static void run(pair *p)
{
    for (int i = 0; i < 2; i++)
        if (p->shards[i] != NULL)
            cov_live_run(p->shards[i]);
}

static const cov_kv_reply *command(pair *p, cov_kv_op op, const char *a, const char *b,
                                   const char *c)
{
    static cov_kv_reply reply;
    cov_str args[] = { cov_str_from(a), cov_str_from(b), cov_str_from(c) };
    cov_error err;

    cov_error_init(&err, NULL);
    assert_int_equal(cov_kv_call(p->one.app.kv, p->one.app.arena, op, args, b == NULL ? 1 : 3,
                                 &reply, &err),
                     COV_OK);
    return &reply;
}

static long long number_of(pair *p)
{
    return strtoll(command(p, COV_KV_GET, "covara:changelog:seq", NULL, NULL)->s.ptr, NULL, 10);
}

/* Long numbers, times and sequences, as N. */
static const char *without_numbers(cov_str text)
{
    static char out[1024];
    size_t n = 0;

    for (size_t i = 0; i < text.len && n + 1 < sizeof out; i++) {
        size_t digits = 0;

        while (i + digits < text.len && isdigit((unsigned char)text.ptr[i + digits]))
            digits++;
        out[n++] = digits > 9 ? 'N' : text.ptr[i];
        if (digits > 9)
            i += digits - 1;
    }
    out[n] = '\0';
    return out;
}

static void entries_are_as_the_spec_has_them(void **state)
{
    static const char *const want[] = {
        "{\"resource\":\"rows\",\"type\":\"create\",\"objectId\":\"1\",\"object\":{\"id\":1,\"n\":1},"
        "\"timestamp\":N,\"seq\":N}",
        "{\"resource\":\"rows\",\"type\":\"update\",\"objectId\":\"1\",\"object\":{\"id\":1,\"n\":2},"
        "\"previousObject\":{\"id\":1,\"n\":1},\"timestamp\":N,\"userId\":\"u1\",\"seq\":N}",
        "{\"resource\":\"rows\",\"type\":\"delete\",\"objectId\":\"1\",\"previousObject\":"
        "{\"id\":1,\"n\":2},\"timestamp\":N,\"seq\":N}",
    };
    pair *p = *state;
    const cov_kv_reply *entries;
    long long start = number_of(p);

    assert_true(start > INT64_C(1700000000000000));
    put(p, 1);
    assert_int_equal(app_call_as(&p->one.app, "u1", "PATCH", "/api/rows/1", "{\"n\":2}"), 200);
    assert_int_equal(app_call(&p->one.app, "DELETE", "/api/rows/1", NULL, NULL), 204);
    assert_int_equal(number_of(p), start + 3);
    entries = command(p, COV_KV_ZRANGE, "covara:changelog:entries", "0", "-1");
    assert_int_equal(entries->n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(without_numbers(entries->items[i].s), want[i]);
}

static fake_stream *resume(pair *p, long long from)
{
    char target[80];

    (void)snprintf(target, sizeof target, "/api/rows/subscribe?resumeFrom=%lld", from);
    return stream_get(&p->one, NULL, target);
}

#define ADDED(n) "{\"type\":\"added\",\"object\":{\"id\":" #n ",\"n\":" #n "}}|"
#define GAP "{\"type\":\"invalidate\",\"reason\":\"Sequence gap - please refetch\"}|"

static void a_restart_goes_on(void **state)
{
    pair *p = *state;
    long long start = number_of(p);
    fake_stream *s;

    put(p, 1);
    put(p, 2);
    start_other(p);
    use(p, 1);
    s = resume(p, start + 1);
    assert_string_equal(stream_take(s), "event: connected {}|" ADDED(2));
    put(p, 3);
    run(p);
    assert_string_equal(stream_take(s), ADDED(3));
    assert_int_equal(number_of(p), start + 3);
    stream_close(s);
    s = resume(p, start - 1);
    assert_string_equal(stream_take(s), "event: connected {}|" GAP);
    stream_close(s);
}

static void what_another_process_entered_is_told_in_order(void **state)
{
    pair *p = *state;
    fake_stream *s;

    start_other(p);
    use(p, 0);
    s = stream_get(&p->one, NULL, "/api/rows/subscribe");
    stream_take(s);
    use(p, 1);
    put(p, 1);
    run(p);
    assert_string_equal(stream_take(s), "");
    cov_live_catch_up(p->apps[0]->live);
    cov_live_catch_up(p->apps[0]->live);
    run(p);
    assert_string_equal(stream_take(s), ADDED(1));
    put(p, 2); /* nobody says so, but the next number shows it */
    use(p, 0);
    put(p, 3);
    run(p);
    assert_string_equal(stream_take(s), ADDED(2) ADDED(3));
    stream_close(s);
}

static void numbers_never_go_back(void **state)
{
    pair *p = *state;
    long long before;

    put(p, 1);
    before = number_of(p);
    command(p, COV_KV_DEL, "covara:changelog:seq", NULL, NULL);
    command(p, COV_KV_DEL, "covara:changelog:entries", NULL, NULL);
    put(p, 2);
    assert_int_equal(number_of(p), before + 1);
}

static void old_entries_go(void **state)
{
    pair *p = *state;
    long long start = number_of(p);
    fake_stream *s;

    p->apps[0]->live->log.most = 2;
    put(p, 1);
    put(p, 2);
    put(p, 3);
    assert_int_equal(command(p, COV_KV_ZRANGE, "covara:changelog:entries", "0", "-1")->n, 2);
    start_other(p);
    use(p, 1);
    s = resume(p, start);
    assert_string_equal(stream_take(s), "event: connected {}|" GAP);
    stream_close(s);
    s = resume(p, start + 1);
    assert_string_equal(stream_take(s), "event: connected {}|" ADDED(2) ADDED(3));
    stream_close(s);
}

static cov_status unreachable(cov_kv *kv, const cov_kv_cmd *cmds, size_t n, bool atomic,
                              cov_arena *arena, cov_kv_reply *replies, cov_error *err)
{
    (void)kv, (void)cmds, (void)n, (void)atomic, (void)arena, (void)replies;
    return cov_fail(err, COV_EBUSY, "not there");
}

static void a_store_that_fails_costs_no_write(void **state)
{
    pair *p = *state;
    cov_kv_driver broken = cov_memory_kv_driver;
    const cov_kv_driver *whole = p->one.app.kv->driver;
    fake_stream *s = stream_get(&p->one, NULL, "/api/rows/subscribe");
    long long before = number_of(p);

    stream_take(s);
    broken.run = unreachable;
    p->one.app.kv->driver = &broken;
    put(p, 1);
    p->one.app.kv->driver = whole;
    run(p);
    assert_string_equal(stream_take(s), GAP);
    put(p, 2);
    run(p);
    assert_string_equal(stream_take(s), ADDED(2));
    stream_close(s);
    s = resume(p, before);
    assert_string_equal(stream_take(s), "event: connected {}|" GAP);
    stream_close(s);
}

static void a_store_that_nobody_else_sees_is_not_written(void **state)
{
    live_fixture f;
    cov_str key = COV_STR("covara:changelog:entries");
    cov_kv_reply reply;
    cov_error err;

    (void)state;
    app_fixture_store_lasts(false);
    live_open(&f, schema, config_text);
    cov_error_init(&err, NULL);
    assert_int_equal(app_call(&f.app, "POST", "/api/rows", NULL, "{\"id\":1}"), 201);
    assert_int_equal(cov_kv_call(f.app.kv, f.app.arena, COV_KV_EXISTS, &key, 1, &reply, &err),
                     COV_OK);
    assert_int_equal(reply.i, 0);
    live_close(&f);
}

static void nothing_is_recorded_that_nobody_can_follow(void **state)
{
    live_fixture f;
    cov_feed *feed;

    (void)state;
    live_open(
        &f,
        "CREATE TABLE rows (id INTEGER PRIMARY KEY); CREATE TABLE mute (id INTEGER PRIMARY KEY);",
        "{\"resources\":{\"rows\":{},\"mute\":{\"capabilities\":{\"enableSubscribe\":false}}}}");
    feed = cov_live_feed(f.app.app->live);
    assert_true(feed->records(feed, COV_STR("rows")));
    assert_false(feed->records(feed, COV_STR("mute")));
    live_close(&f);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(entries_are_as_the_spec_has_them),
        CASE(a_restart_goes_on),
        CASE(what_another_process_entered_is_told_in_order),
        CASE(numbers_never_go_back),
        CASE(old_entries_go),
        CASE(a_store_that_fails_costs_no_write),
        cmocka_unit_test(a_store_that_nobody_else_sees_is_not_written),
        cmocka_unit_test(nothing_is_recorded_that_nobody_can_follow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
