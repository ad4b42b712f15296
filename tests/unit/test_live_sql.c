/* SPDX-License-Identifier: MIT */
/* Rows that change without the API: by SQL of the application, by triggers, by foreign keys (resource/watch.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "live_fixture.h"

static const char schema[] =
    "CREATE TABLE boards (id INTEGER PRIMARY KEY, name TEXT, edits INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE cards (id INTEGER PRIMARY KEY, board_id INTEGER REFERENCES boards(id) ON DELETE CASCADE,"
    " title TEXT UNIQUE, weight REAL, color TEXT DEFAULT 'red');"
    "CREATE TABLE sums (id TEXT PRIMARY KEY, n INTEGER, twice INTEGER AS (n * 2)) WITHOUT ROWID;"
    "CREATE TABLE audit (id INTEGER PRIMARY KEY, line TEXT);"
    "CREATE TRIGGER count_edits AFTER UPDATE ON cards BEGIN"
    " UPDATE boards SET edits = edits + 1 WHERE id = NEW.board_id; END;";

#define OPEN                                                                                \
    "{\"auth\":{\"public\":{\"read\":true,\"create\":true,\"update\":true,\"delete\":true," \
    "\"subscribe\":true}}}"
#define RESOURCES "\"resources\":{\"boards\":" OPEN ",\"cards\":" OPEN ",\"sums\":" OPEN "}"

/* What the next request to /sql runs, one statement after another. */
static const char *const *statements;
static bool tolerant; /* a statement that fails is skipped */

static cov_status run_sql(cov_ctx *ctx, void *self, cov_error *err)
{
    cov_status st = COV_OK;

    (void)self;
    for (const char *const *sql = statements; st == COV_OK && *sql != NULL; sql++) {
        st = cov_ctx_exec(ctx, cov_str_from(*sql), NULL, 0, NULL, err);
        if (tolerant)
            st = COV_OK;
    }
    cov_ctx_response(ctx)->status = 204;
    return st;
}

static size_t n_heard;
static char heard[4096];

static void hear(const cov_mutation *m, void *self)
{
    (void)self;
    if (n_heard++ < 8)
        snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%.*s %.*s %.*s|",
                 COV_STR_ARG(m->type), COV_STR_ARG(m->resource), COV_STR_ARG(m->id));
}

static cov_app *build(cov_env *env)
{
    static const cov_custom_route route = { .method = COV_POST, .path = "/sql", .handle = run_sql };
    cov_app *app = cov_app_new(env, NULL);

    cov_app_route(app, &route);
    cov_app_on_mutation(app, hear, NULL);
    return app;
}

static int setup(void **state, const char *config)
{
    live_fixture *f = malloc(sizeof *f);

    live_build(f, schema, config, build);
    app_sql(&f->app, "INSERT INTO boards (id, name) VALUES (1, 'one'), (2, 'two');"
                     "INSERT INTO cards VALUES (1, 1, 'a', 1, 'red'), (2, 1, 'b', 2, 'red')");
    tolerant = false;
    n_heard = 0;
    heard[0] = '\0';
    *state = f;
    return 0;
}

static int setup_memory(void **state)
{
    return setup(state, "{" RESOURCES "}");
}

static int setup_database(void **state)
{
    return setup(state, "{\"changelog\":\"database\"," RESOURCES "}");
}

static int teardown(void **state)
{
    live_close(*state);
    free(*state);
    return 0;
}

static int sql_list(live_fixture *f, const char *const *list)
{
    int status;

    statements = list;
    status = app_call(&f->app, "POST", "/sql", NULL, NULL);
    cov_live_run(f->shard);
    return status;
}

static void sql(live_fixture *f, const char *statement)
{
    const char *const list[] = { statement, NULL };

    assert_int_equal(sql_list(f, list), 204);
}

static fake_stream *follow(live_fixture *f, const char *target)
{
    fake_stream *s = stream_get(f, NULL, target);

    stream_take(s);
    return s;
}

#define CARD(id, board, title, weight)                                                   \
    "{\"id\":" #id ",\"boardId\":" #board ",\"title\":\"" title "\",\"weight\":" #weight \
    ",\"color\":\"red\"}"

static void statements_tell_their_rows(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = follow(f, "/api/cards/subscribe?filter=weight%3E=1");

    sql(f, "INSERT INTO cards VALUES (3, 2, 'c', 3, 'red'), (4, 2, 'd', 0, 'red')");
    assert_string_equal(stream_take(s), "{\"type\":\"added\",\"object\":" CARD(3, 2, "c", 3) "}|");
    sql(f, "UPDATE cards SET weight = weight - 1.5 WHERE id IN (1, 2, 3)");
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"1\"}|"
                                        "{\"type\":\"removed\",\"objectId\":\"2\"}|"
                                        "{\"type\":\"changed\",\"object\":" CARD(
                                            3, 2, "c", 1.5) ",\"previousObjectId\":\"3\"}|");
    sql(f, "UPDATE cards SET id = 30 WHERE id = 3");
    assert_string_equal(stream_take(s),
                        "{\"type\":\"removed\",\"objectId\":\"3\"}|"
                        "{\"type\":\"added\",\"object\":" CARD(30, 2, "c", 1.5) "}|");
    sql(f, "DELETE FROM cards");
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"30\"}|");
    sql(f, "DELETE FROM cards");
    assert_string_equal(stream_take(s), "");
    stream_close(s);
}

/* REPLACE removes whatever is in its way, also rows with another id. */
static void replaced_rows_are_removed(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = follow(f, "/api/cards/subscribe");

    sql(f, "INSERT OR REPLACE INTO cards VALUES (2, 2, 'a', 9, 'red')");
    assert_string_equal(stream_take(s), "{\"type\":\"removed\",\"objectId\":\"2\"}|"
                                        "{\"type\":\"removed\",\"objectId\":\"1\"}|"
                                        "{\"type\":\"added\",\"object\":" CARD(2, 2, "a", 9) "}|");
    stream_close(s);
}

static void triggers_and_foreign_keys_tell_theirs(void **state)
{
    live_fixture *f = *state;
    fake_stream *boards = follow(f, "/api/boards/subscribe");
    fake_stream *cards = follow(f, "/api/cards/subscribe");

    assert_int_equal(app_call(&f->app, "PATCH", "/api/cards/1", NULL, "{\"title\":\"a2\"}"), 200);
    cov_live_run(f->shard);
    assert_string_equal(
        stream_take(boards),
        "{\"type\":\"changed\",\"object\":{\"id\":1,\"name\":\"one\",\"edits\":1},\"previousObjectId\":\"1\"}|");
    assert_string_equal(stream_take(cards), "{\"type\":\"changed\",\"object\":" CARD(
                                                1, 1, "a2", 1) ",\"previousObjectId\":\"1\"}|");
    assert_string_equal(heard, "update cards 1|update boards 1|");
    assert_int_equal(app_call(&f->app, "DELETE", "/api/boards/1", NULL, NULL), 204);
    cov_live_run(f->shard);
    assert_string_equal(stream_take(boards), "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    assert_string_equal(stream_take(cards), "{\"type\":\"removed\",\"objectId\":\"1\"}|"
                                            "{\"type\":\"removed\",\"objectId\":\"2\"}|");
    stream_close(boards);
    stream_close(cards);
}

static void what_did_not_happen_is_not_told(void **state)
{
    static const char *const fails_late[] = { "UPDATE cards SET weight = 7", "NO SQL", NULL };
    static const char *const skips[] = {
        "INSERT INTO cards VALUES (5, 1, 'e', 1, 'red'), (6, 1, 'e', 1, 'red')",
        "UPDATE cards SET weight = 8 WHERE id = 1", NULL
    };
    live_fixture *f = *state;
    fake_stream *s = follow(f, "/api/cards/subscribe");

    assert_int_equal(sql_list(f, fails_late), 500);
    assert_string_equal(stream_take(s), "");
    assert_int_equal(n_heard, 0);
    tolerant = true;
    assert_int_equal(sql_list(f, skips), 204);
    assert_string_equal(stream_take(s), "{\"type\":\"changed\",\"object\":" CARD(
                                            1, 1, "a", 8) ",\"previousObjectId\":\"1\"}|");
    stream_close(s);
}

/* NULL before may be the default of a younger column, generated columns have no value: then followers read again. */
static void images_that_are_not_certain(void **state)
{
    live_fixture *f = *state;
    fake_stream *cards = follow(f, "/api/cards/subscribe?filter=weight==2");
    fake_stream *sums = follow(f, "/api/sums/subscribe");

    sql(f, "UPDATE cards SET color = NULL WHERE id = 2");
    stream_take(cards);
    sql(f, "UPDATE cards SET color = 'red' WHERE id = 2");
    assert_string_equal(
        stream_take(cards),
        "{\"type\":\"invalidate\",\"reason\":\"Catchup unavailable - please refetch\"}|");
    sql(f, "INSERT INTO sums (id, n) VALUES ('a', 1), ('b', 2)");
    assert_string_equal(stream_take(sums),
                        "{\"type\":\"invalidate\",\"reason\":\"raw-sql-mutation\"}|");
    stream_close(cards);
    stream_close(sums);
}

static void very_many_rows_are_one_invalidate(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = follow(f, "/api/cards/subscribe?filter=id%3E1500");

    sql(f, "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 2009)"
           " INSERT INTO cards (id, title) SELECT i, 'card ' || i FROM n");
    assert_string_equal(stream_take(s),
                        "{\"type\":\"invalidate\",\"reason\":\"raw-sql-mutation\"}|");
    assert_int_equal(n_heard, 1001);
    stream_close(s);
}

/* Tables that are not served are for listeners: what the statement's text says. */
static void tables_that_are_not_served(void **state)
{
    live_fixture *f = *state;

    sql(f, "INSERT INTO audit (line) VALUES ('x'), ('y')");
    sql(f, "UPDATE boards SET name = 'x' WHERE id = 1");
    assert_string_equal(heard, "create audit *|update boards 1|");
}

static void rows_of_statements_can_be_caught_up_with(void **state)
{
    live_fixture *f = *state;
    fake_stream *s = follow(f, "/api/cards/subscribe");
    char target[96];
    const char *raw;

    stream_close(s);
    s = stream_get(f, NULL, "/api/cards/subscribe?skipExisting=true");
    raw = stream_take_raw(s);
    snprintf(target, sizeof target, "/api/cards/subscribe?resumeFrom=%lld",
             strtoll(strstr(raw, "id: ") + 4, NULL, 10));
    stream_close(s);
    sql(f, "INSERT INTO cards VALUES (7, 1, 'g', 0.1, 'red')");
    sql(f, "DELETE FROM cards WHERE id = 1");
    if (strstr(target, "resumeFrom=0") != NULL)
        return;
    s = stream_get(f, NULL, target);
    assert_string_equal(stream_take(s),
                        "event: connected {}|"
                        "{\"type\":\"added\",\"object\":" CARD(
                            7, 1, "g", 0.1) "}|"
                                            "{\"type\":\"removed\",\"objectId\":\"1\"}|");
    stream_close(s);
}

#define IN(test, log)                                      \
    {                                                      \
#test "__" #log, test, setup_##log, teardown, NULL \
    }
#define IN_BOTH(test) IN(test, memory), IN(test, database)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(statements_tell_their_rows),
        IN_BOTH(replaced_rows_are_removed),
        IN_BOTH(triggers_and_foreign_keys_tell_theirs),
        IN_BOTH(what_did_not_happen_is_not_told),
        IN_BOTH(images_that_are_not_certain),
        IN_BOTH(very_many_rows_are_one_invalidate),
        IN_BOTH(tables_that_are_not_served),
        IN_BOTH(rows_of_statements_can_be_caught_up_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
