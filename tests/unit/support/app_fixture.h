/* SPDX-License-Identifier: MIT */
/* An app over an in-memory SQLite database, driven without a socket. */
#ifndef APP_FIXTURE_H
#define APP_FIXTURE_H

#include "app/internal.h"
#include "host/native/native.h"

typedef struct app_fixture {
    cov_arena *arena;   /* lives as long as the fixture */
    cov_arena *request; /* reset by each call */
    cov_db *db;
    cov_kv *kv;
    cov_app *app;
    struct cov_live_shard *shard; /* where streams go; NULL: nowhere (live_fixture.h) */
    cov_response res;             /* of the last call */
} app_fixture;

/* `sql` makes tables and rows, `config` is a covara.jsonc; stops the test with the message on failure. */
/* Apps opened from now on have a store that says that it lasts. */
void app_fixture_store_lasts(bool lasts);
void app_fixture_open(app_fixture *f, const char *sql, const char *config);
/* The same with application code. */
void app_fixture_build(app_fixture *f, const char *sql, const char *config, cov_build_fn build);
void app_fixture_close(app_fixture *f);
/* One request; `target` is path and query, `headers` "Name: value" lines or NULL. Returns the status. */
int app_call(app_fixture *f, const char *method, const char *target, const char *headers,
             const char *body);
/* Who asks: {user.id} and the list {user.metadata.teams}. */
typedef struct app_user {
    const char *id;
    const int64_t *teams;
    size_t n_teams;
} app_user;
/* The same straight to a resource, as this user (NULL: anonymous). */
int app_call_user(app_fixture *f, const app_user *as, const char *method, const char *target,
                  const char *body);
/* The same as a user who has nothing but an id. */
int app_call_as(app_fixture *f, const char *user_id, const char *method, const char *target,
                const char *body);
/* The body of the last response, terminated. */
const char *app_body(app_fixture *f);
const char *app_header(app_fixture *f, const char *name);
/* Run SQL beside the app; stops the test on failure. */
void app_sql(app_fixture *f, const char *sql);
/* Append what a query gives: "a|b" and a newline for each row. */
void app_query(app_fixture *f, const char *sql, cov_buf *out);

/* Assert status and exact body. */
#define assert_answer(f, call, want_status, want_body)                 \
    do {                                                               \
        int status_ = (call);                                          \
        if (status_ != (want_status))                                  \
            print_error("status %d, body %s\n", status_, app_body(f)); \
        assert_int_equal(status_, (want_status));                      \
        assert_string_equal(app_body(f), (want_body));                 \
    } while (0)
/* Assert status and that the body contains a text. */
#define assert_contains(f, call, want_status, text)                                       \
    do {                                                                                  \
        int status_ = (call);                                                             \
        if (status_ != (want_status) || strstr(app_body(f), (text)) == NULL)              \
            print_error("status %d, body %s, wanted %s\n", status_, app_body(f), (text)); \
        assert_int_equal(status_, (want_status));                                         \
        assert_non_null(strstr(app_body(f), (text)));                                     \
    } while (0)

#endif
