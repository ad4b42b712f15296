/* SPDX-License-Identifier: MIT */
/* Subscriptions whose scope crosses relations: only the database knows who is inside (spec/04 sections 5, 7 and 8.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "live_fixture.h"

static const char schema[] =
    "CREATE TABLE orgs (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE members (id INTEGER PRIMARY KEY, org_id INTEGER REFERENCES orgs(id), user_id TEXT);"
    "CREATE TABLE docs (id INTEGER PRIMARY KEY, org_id INTEGER REFERENCES orgs(id), title TEXT);"
    "INSERT INTO orgs VALUES (1, 'one'), (2, 'two');"
    "INSERT INTO members VALUES (1, 1, 'u1'), (2, 2, 'u2');"
    "INSERT INTO docs VALUES (1, 1, 'a'), (2, 2, 'b');";

#define DOCS(name, recheck)                                                                      \
    "\"" name "\":{\"table\":\"docs\",\"auth\":{\"public\":{\"create\":true,\"update\":true,"    \
    "\"delete\":true},\"read\":\"org.members.userId=={user.id}\","                               \
    "\"subscribe\":\"org.members.userId=={user.id}\"},\"sse\":{\"scopeRecheckMs\":" recheck "}," \
    "\"relations\":{\"org\":{\"type\":\"belongsTo\",\"resource\":\"orgs\",\"foreignKey\":"       \
    "\"orgId\"}}}"

static const char config[] = "{\"resources\":{" DOCS("docs", "80") "," DOCS(
    "unchecked",
    "0") ","
         "\"orgs\":{\"auth\":{\"public\":true},\"relations\":{\"members\":{\"type\":\"hasMany\","
         "\"resource\":\"members\",\"foreignKey\":\"orgId\"}}},"
         "\"members\":{\"auth\":{\"public\":true}}}}";

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

/* A second later than the last time. */
static void check_scopes(live_fixture *f)
{
    static int64_t later_ms;
    const cov_host *host = cov_native_host();

    later_ms += 1000;
    cov_live_tick(f->shard, host->now_ms(host->self) + later_ms);
}

#define DOC(id, org, title) "{\"id\":" #id ",\"orgId\":" #org ",\"title\":\"" title "\"}"
#define ADDED(id, org, title) "{\"type\":\"added\",\"object\":" DOC(id, org, title) "}|"
#define REMOVED(id) "{\"type\":\"removed\",\"objectId\":\"" #id "\"}|"

static void rows_come_and_go_with_membership(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, "u1", "/api/docs/subscribe");

    assert_string_equal(stream_take(s),
                        "event: connected {}|{\"type\":\"existing\",\"object\":" DOC(1, 1,
                                                                                     "a") "}|");
    check_scopes(f);
    assert_string_equal(stream_take(s), "");
    app_sql(&f->app, "INSERT INTO members VALUES (3, 2, 'u1')");
    check_scopes(f);
    assert_string_equal(stream_take(s), ADDED(2, 2, "b"));
    app_sql(&f->app, "DELETE FROM members WHERE id = 1");
    check_scopes(f);
    assert_string_equal(stream_take(s), REMOVED(1));
    check_scopes(f);
    assert_string_equal(stream_take(s), "");
    stream_close(s);
}

static void changes_are_judged_by_the_database(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, "u1", "/api/docs/subscribe?filter=title!=%22none%22");
    fake_stream *t = stream_get(f, "u2", "/api/docs/subscribe?skipExisting=true");

    stream_take(s);
    stream_take(t);
    write_row(f, "PATCH", "/api/docs/1", "{\"title\":\"a2\"}");
    assert_string_equal(stream_take(s), "{\"type\":\"changed\",\"object\":" DOC(
                                            1, 1, "a2") ",\"previousObjectId\":\"1\"}|");
    assert_string_equal(stream_take(t), "");
    write_row(f, "POST", "/api/docs", DOC(3, 2, "c"));
    assert_string_equal(stream_take(s), "");
    assert_string_equal(stream_take(t), ADDED(3, 2, "c"));
    write_row(f, "PATCH", "/api/docs/1", "{\"orgId\":2}");
    assert_string_equal(stream_take(s), REMOVED(1));
    assert_string_equal(stream_take(t), ADDED(1, 2, "a2"));
    write_row(f, "DELETE", "/api/docs/2", NULL);
    assert_string_equal(stream_take(s), "");
    assert_string_equal(stream_take(t), REMOVED(2)); /* noted, though it was not sent */
    stream_close(s);
    stream_close(t);
}

static void a_change_that_a_check_told_already_is_not_new(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, "u1", "/api/docs/subscribe?skipExisting=true&knownIds=1");

    stream_take(s);
    assert_int_equal(app_call(&f->app, "POST", "/api/docs", NULL, DOC(3, 1, "c")), 201);
    check_scopes(f);
    assert_string_equal(stream_take(s), ADDED(3, 1, "c"));
    cov_live_run(f->shard);
    assert_string_equal(stream_take(s), "{\"type\":\"changed\",\"object\":" DOC(
                                            3, 1, "c") ",\"previousObjectId\":\"3\"}|");
    stream_close(s);
}

static void users_do_not_share_their_scopes(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, "u1", "/api/docs/subscribe");
    fake_stream *t = stream_get(f, "u2", "/api/docs/subscribe");

    assert_non_null(strstr(stream_take(s), "\"title\":\"a\""));
    assert_string_equal(stream_take(t),
                        "event: connected {}|{\"type\":\"existing\",\"object\":" DOC(2, 2,
                                                                                     "b") "}|");
    stream_close(s);
    stream_close(t);
}

static void who_was_away_reads_again(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, "u1", "/api/docs/subscribe?resumeFrom=5");

    assert_string_equal(stream_take(s),
                        "event: connected {}|{\"type\":\"invalidate\",\"reason\":\"Catchup "
                        "unavailable for relation-scoped subscription - please refetch\"}|");
    stream_close(s);
}

static void without_checks_it_is_refused(void **state)
{
    live_fixture *f = *state;

    assert_int_equal(app_call_as(&f->app, "u1", "GET", "/api/unchecked/subscribe", NULL), 400);
    assert_non_null(strstr(app_body(&f->app),
                           "\"detail\":\"Invalid filter expression: Relation-path "
                           "subscribe scopes require sse.scopeRecheckMs > 0\""));
    assert_non_null(strstr(app_body(&f->app), "FILTER_PARSE_ERROR"));
}

static void aggregates_are_computed_again(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = stream_get(f, "u1", "/api/docs/aggregate/subscribe?count=true");

    assert_non_null(strstr(stream_take(s), "\"count\":1"));
    app_sql(&f->app, "INSERT INTO members VALUES (3, 2, 'u1')");
    check_scopes(f);
    check_scopes(f);
    assert_non_null(strstr(stream_take(s), "\"count\":2"));
    stream_close(s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_come_and_go_with_membership),
        CASE(changes_are_judged_by_the_database),
        CASE(a_change_that_a_check_told_already_is_not_new),
        CASE(users_do_not_share_their_scopes),
        CASE(who_was_away_reads_again),
        CASE(without_checks_it_is_refused),
        CASE(aggregates_are_computed_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
