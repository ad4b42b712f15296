/* SPDX-License-Identifier: MIT */
/*
 * An app with accounts and a clock that the test sets, over SQLite in memory, with mails kept instead of sent.
 *
 * A test runs for each store: ACCOUNTS_TEST(name) is two cmocka tests, whose `*state` is an `accounts`.
 */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/internal.h"
#include "fake_host.h"

typedef struct accounts {
    fake_host fake;
    cov_arena *arena;
    cov_arena *request; /* reset by each call */
    cov_db *db;
    cov_kv_driver kv_driver; /* the memory engine, which says that it lasts */
    cov_kv *kv;
    cov_app *app;
    bool in_database;
    cov_live_shard *shard; /* where streams live, when a test makes one */
    cov_response res;      /* of the last call */
    const char *address;   /* of the client, "9.9.9.9" at first */
    size_t n_mails;
    char mail[16384]; /* the last one: the JSON object that a mail service gets */
    bool mail_fails;
    char cookies[1024]; /* "session=...; mfa_pending=...", as a browser keeps them */
} accounts;

/* With another value of one option of "auth", or NULL and NULL. */
void accounts_open(accounts *f, bool in_database, const char *option, const char *value);
void accounts_close(accounts *f);
int accounts_setup_kv(void **state);
int accounts_setup_database(void **state);
int accounts_teardown(void **state);

#define ACCOUNTS_TEST(name)                                                        \
    { "kv: " #name, name, accounts_setup_kv, accounts_teardown, NULL },            \
    {                                                                              \
        "database: " #name, name, accounts_setup_database, accounts_teardown, NULL \
    }

/* A request to any path without a query, with the cookies. */
int request_as(accounts *f, const char *method, const char *target, const char *body);
/* POST below /api/auth; returns the status. Cookies are sent and kept. */
int post(accounts *f, const char *path, const char *body);
int get(accounts *f, const char *path);
/* The same with a printf format for the body. */
int postf(accounts *f, const char *path, const char *format, ...) COV_PRINTF(3, 4);
const char *body_of(accounts *f);
bool body_has(accounts *f, const char *text);
/* All headers of the last response as lines; the time of day is not part of any. */
const char *headers_of(accounts *f);
/* Set-Cookie of this name, or NULL. */
const char *set_cookie_of(accounts *f, const char *name);
void forget_cookies(accounts *f);

/* "ann@example.com", "correct horse 1"; the session of the signup is forgotten. */
void sign_up(accounts *f, const char *email);
int log_in(accounts *f, const char *email, const char *password);
/* "token=" of the last mail; terminated, 43 characters. */
const char *mailed_token(accounts *f);
/* One text from SQL; "" when there is no row. */
const char *sql_text(accounts *f, const char *sql);

#define assert_status(f, call, want)                                  \
    do {                                                              \
        int status_ = (call);                                         \
        if (status_ != (want))                                        \
            print_error("status %d, body %s\n", status_, body_of(f)); \
        assert_int_equal(status_, (want));                            \
    } while (0)
#define assert_detail(f, call, want, text)                           \
    do {                                                             \
        assert_status(f, call, want);                                \
        if (!body_has(f, (text)))                                    \
            print_error("body %s, wanted %s\n", body_of(f), (text)); \
        assert_true(body_has(f, (text)));                            \
    } while (0)

#endif
