/* SPDX-License-Identifier: MIT */
/*
 * A whole cov_host for tests: its clock stands still until the test moves it, its random bytes are the same in every run,
 * and it keeps what was logged. Digests, regular expressions, scrypt and signatures are the native host's.
 *
 *   fake_host f;
 *   fake_host_init(&f);
 *   ... &f.host ...            a cov_host
 *   fake_host_advance(&f, 60000);
 *   fake_host_dispose(&f);     fails when a lock was not freed
 *
 * Threads: any may use the host; members are set by the test while no other thread runs, but for the clock. A lock that
 * is taken twice by one thread, or given back by another, ends the test with a message. Needs no cmocka.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include <pthread.h>
#include <stdatomic.h>

#include "covara/host.h"

enum { FAKE_HOST_ENV = 16 };

/* Answers outbound calls; like cov_host.http without the host. */
typedef cov_status (*fake_http_fn)(void *self, const cov_http_call *call, cov_arena *arena,
                                   cov_http_reply *out, cov_error *err);

typedef struct fake_host {
    cov_host host; /* members may be replaced before use, `self` not */

    _Atomic int64_t now_ms; /* 2023-11-14T22:13:20Z at first */
    _Atomic int64_t monotonic_us;

    uint64_t random_state; /* of the bytes that come next; set it for another sequence */
    bool random_fails;

    const char
        *env[FAKE_HOST_ENV]
            [2]; /* name, value; unset are NULL. Nothing of the process's environment is seen. */

    fake_http_fn http; /* NULL: every call fails with COV_EBUSY */
    void *http_self;
    size_t http_calls;

    cov_buf logged; /* a line each: "warn The text {members}" */

    pthread_mutex_t mutex; /* guards random_state, http_calls and logged */
    atomic_int locks;      /* that were made and not freed */
} fake_host;

void fake_host_init(fake_host *f);
void fake_host_dispose(fake_host *f);
/* Both clocks. */
void fake_host_advance(fake_host *f, int64_t ms);
/* Whether a logged line contains `text`. */
bool fake_host_has_logged(fake_host *f, const char *text);

#endif
