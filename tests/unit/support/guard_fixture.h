/* SPDX-License-Identifier: MIT */
/* A guard on the memory store, with a clock and a provider of CAPTCHAs that the test sets; one request at a time. */
#ifndef GUARD_FIXTURE_H
#define GUARD_FIXTURE_H

#include "fake_host.h"
#include "guard/internal.h"

enum { GUARD_MAX_HEADERS = 16, GUARD_LOG_BYTES = 512 };

typedef struct guard_fixture {
    fake_host fake;         /* first */
    uint8_t next_random;    /* random bytes count up from here */
    const char *pow_secret; /* COVARA_POW_SECRET; NULL: unset */
    cov_arena *arena;
    cov_kv *kv;
    cov_guard_config config;
    cov_guard_setup setup;
    cov_guard *guard;
    cov_header headers[GUARD_MAX_HEADERS];
    cov_request req;
    cov_response res;
    cov_guarded g;
    cov_error err;
    char log[GUARD_LOG_BYTES]; /* the last line: message and members */
    int n_logged;
    /* the provider */
    cov_status http_status;
    cov_http_reply http_reply;
    char http_url[128];
    char http_body[512];
} guard_fixture;

/* Defaults as the configuration has them; change `config` and `setup`, then guard_build. */
void guard_open(guard_fixture *f);
void guard_build(guard_fixture *f);
void guard_close(guard_fixture *f);
/* A new request, from 192.0.2.1 and nobody; `headers` as "Name: value\nName: value". */
void guard_request(guard_fixture *f, const char *method, const char *target, const char *headers,
                   const char *body);
void guard_as(guard_fixture *f, const char *user_id);
/* While down, the store fails every command as a server does that is not there. */
void guard_set_down(guard_fixture *f, bool down);
/* What a key holds: a string, or a bucket's tokens; NULL when there is none. */
const char *guard_peek(guard_fixture *f, const char *key);
/* Milliseconds that a key has left, -1: forever, -2: no such key. */
int64_t guard_ttl_ms(guard_fixture *f, const char *key);
/* A header of the response; "" when absent. */
const char *guard_header(guard_fixture *f, const char *name);
/* The members of the error, as JSON text without braces. */
const char *guard_members(guard_fixture *f);
const char *guard_detail(guard_fixture *f);

#endif
