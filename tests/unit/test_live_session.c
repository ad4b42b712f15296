/* SPDX-License-Identifier: MIT */
/* Subscriptions whose user logs out, is deleted, or becomes somebody else (spec/04 section 8). */
#include "accounts.h"
#include "live_fixture.h"

#include <stdio.h>

static void count_wake(void *self)
{
    ++*(int *)self;
}

typedef struct following {
    accounts *f;
    fake_stream *stream;
    int wakes;
} following;

static void sql(accounts *f, const char *text)
{
    cov_error err;

    cov_error_init(&err, f->arena);
    assert_int_equal(cov_db_script(f->db, cov_str_from(text), &err), COV_OK);
}

/* Ann follows her notes. */
static void begin(following *t, accounts *f)
{
    memset(t, 0, sizeof *t);
    t->f = f;
    f->shard = cov_live_shard_new(f->app->live, f->db, count_wake, &t->wakes);
    assert_non_null(f->shard);
    sign_up(f, "ann@example.com");
    sql(f, "UPDATE people SET name = 'ann'; INSERT INTO notes VALUES (1, 'ann'), (2, 'bob')");
    assert_status(f, log_in(f, "ann@example.com", "correct horse 1"), 200);
    fake_host_advance(&f->fake, 1);
    assert_status(f, request_as(f, "GET", "/api/notes/subscribe", ""), 200);
    assert_non_null(f->res.stream);
    t->stream = stream_of(f->res.stream);
    stream_begin(t->stream);
    assert_string_equal(stream_take(t->stream),
                        "event: connected {}|{\"type\":\"existing\",\"object\":{\"id\":1,"
                        "\"owner\":\"ann\"}}|");
}

static void end(following *t)
{
    stream_close(t->stream);
    cov_live_shard_free(t->f->shard);
    t->f->shard = NULL;
}

static void pass(following *t, int64_t ms)
{
    fake_host_advance(&t->f->fake, ms);
    cov_live_run(t->f->shard);
    cov_live_tick(t->f->shard, t->f->fake.now_ms);
}

#define EXPIRED "{\"type\":\"invalidate\",\"reason\":\"Authentication expired\"}|"

static void session__nothing_happens_while_it_is_valid(void **state)
{
    following t;

    begin(&t, *state);
    for (int i = 0; i < 5; i++)
        pass(&t, 1000);
    assert_string_equal(stream_take(t.stream), "");
    assert_false(t.stream->ended);
    end(&t);
}

static void session__logout_ends_it_at_once(void **state)
{
    following t;

    begin(&t, *state);
    t.wakes = 0;
    assert_status(t.f, post(t.f, "/logout", "{}"), 200);
    assert_true(t.wakes > 0);
    cov_live_run(t.f->shard);
    assert_string_equal(stream_take(t.stream), EXPIRED);
    assert_true(t.stream->ended);
    end(&t);
}

static void session__another_session_of_the_user_goes_on(void **state)
{
    following t;
    accounts *f = *state;

    begin(&t, f);
    forget_cookies(f);
    assert_status(f, log_in(f, "ann@example.com", "correct horse 1"), 200);
    assert_status(f, post(f, "/logout", "{}"), 200);
    pass(&t, 1000);
    assert_string_equal(stream_take(t.stream), "");
    assert_false(t.stream->ended);
    end(&t);
}

static void session__a_deleted_user_is_out_at_the_next_check(void **state)
{
    following t;

    begin(&t, *state);
    sql(t.f, "DELETE FROM people");
    pass(&t, 999);
    assert_string_equal(stream_take(t.stream), "");
    pass(&t, 1);
    assert_string_equal(stream_take(t.stream), EXPIRED);
    assert_true(t.stream->ended);
    end(&t);
}

static void session__a_scope_follows_its_user(void **state)
{
    following t;

    begin(&t, *state);
    sql(t.f, "UPDATE people SET name = 'bob'");
    pass(&t, 1000);
    assert_string_equal(stream_take(t.stream),
                        "{\"type\":\"invalidate\",\"reason\":\"Scope changed - please refetch\"}|");
    assert_true(t.stream->ended);
    stream_close(t.stream);
    fake_host_advance(&t.f->fake, 1000);
    assert_status(t.f, request_as(t.f, "GET", "/api/notes/subscribe", ""), 200);
    t.stream = stream_of(t.f->res.stream);
    stream_begin(t.stream);
    assert_non_null(strstr(stream_take(t.stream), "\"owner\":\"bob\""));
    end(&t);
}

static void session__what_a_scope_does_not_name_may_change(void **state)
{
    following t;

    begin(&t, *state);
    sql(t.f, "UPDATE people SET verified_at = '2020-01-01T00:00:00.000Z'");
    pass(&t, 1000);
    assert_string_equal(stream_take(t.stream), "");
    assert_false(t.stream->ended);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCOUNTS_TEST(session__nothing_happens_while_it_is_valid),
        ACCOUNTS_TEST(session__logout_ends_it_at_once),
        ACCOUNTS_TEST(session__another_session_of_the_user_goes_on),
        ACCOUNTS_TEST(session__a_deleted_user_is_out_at_the_next_check),
        ACCOUNTS_TEST(session__a_scope_follows_its_user),
        ACCOUNTS_TEST(session__what_a_scope_does_not_name_may_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
