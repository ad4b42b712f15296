/* SPDX-License-Identifier: MIT */
/*
 * An auth object of its own, called without an app around each request: over SQLite in memory, with a clock that the test
 * sets and hashes that are counted.
 *
 * A test runs for each store: AUTH_TEST(name) is two cmocka tests, whose `*state` is an `auth_fixture`.
 */
#ifndef AUTH_FIXTURE_H
#define AUTH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/internal.h"
#include "auth/internal.h"
#include "fake_host.h"

typedef struct auth_fixture {
    fake_host fake;
    size_t n_scrypts;
    cov_arena *arena;   /* lives as long as the fixture */
    cov_arena *request; /* reset by each call */
    cov_db *db;
    cov_kv_driver kv_driver; /* the memory engine, which says that it lasts */
    cov_kv *kv;
    cov_app *app;
    const cov_auth *auth;
    bool in_database;
    const char *address; /* of the client, "192.0.2.1" at first */
    cov_header headers[8];
    cov_request req; /* of the last call, as are the others */
    cov_response res;
    cov_error err;
    cov_ctx ctx;
} auth_fixture;

/* `options`: further members of "auth", with a comma before them, or "". */
void auth_open(auth_fixture *f, bool in_database, const char *options);
void auth_close(auth_fixture *f);
int auth_setup_kv(void **state);
int auth_setup_database(void **state);
int auth_teardown(void **state);

#define AUTH_TEST(name)                                                    \
    { "kv: " #name, name, auth_setup_kv, auth_teardown, NULL },            \
    {                                                                      \
        "database: " #name, name, auth_setup_database, auth_teardown, NULL \
    }

/* An account route below "/api/auth"; `headers` are "Name: value" lines. Returns the status; a problem's detail is the body. */
int auth_call(auth_fixture *f, const char *method, const char *path, const char *headers,
              const char *body);
const char *auth_body(auth_fixture *f);
/* A text member of the last body, in the fixture's arena; "" when there is none. */
const char *auth_member(auth_fixture *f, const char *name);
/* Who a request with these headers is; NULL: anonymous. */
const cov_user *auth_who(auth_fixture *f, const char *headers);
bool auth_slow(auth_fixture *f, const char *headers);
/* Sign up and give the "Cookie: session=..." line of the session, in the fixture's arena. */
const char *auth_sign_up(auth_fixture *f, const char *email);
/* Sign in once more, from a browser of this name. */
const char *auth_sign_in(auth_fixture *f, const char *email, const char *agent);
/* "Cookie: a=..; b=.." of what the last answer set. */
const char *auth_cookies(auth_fixture *f);
/* Text in the fixture's arena. */
const char *auth_text(auth_fixture *f, const char *format, ...) COV_PRINTF(2, 3);
void auth_sql(auth_fixture *f, const char *sql);
/* The one value that a query gives, as text; "" for no row. */
const char *auth_sql_text(auth_fixture *f, const char *sql);
/* What a string key of the KV holds; NULL: there is none. */
const char *auth_kv_text(auth_fixture *f, const char *key);
size_t auth_kv_set_size(auth_fixture *f, const char *key);

#define assert_status(f, call, want)                                    \
    do {                                                                \
        int status_ = (call);                                           \
        if (status_ != (want))                                          \
            print_error("status %d, body %s\n", status_, auth_body(f)); \
        assert_int_equal(status_, (want));                              \
    } while (0)
#define assert_detail(f, call, want, text)                        \
    do {                                                          \
        assert_status(f, call, want);                             \
        if (strstr(auth_body(f), (text)) == NULL)                 \
            fail_msg("body %s, wanted %s", auth_body(f), (text)); \
    } while (0)

#endif
