/* SPDX-License-Identifier: MIT */
/* A cov_host for tests of src/auth: OpenSSL's algorithms, a clock and random bytes that the test sets. */
#ifndef AUTH_HOST_H
#define AUTH_HOST_H

#include "covara/host.h"

typedef struct auth_host {
    cov_host host; /* .self is this struct */
    int64_t now_ms;
    unsigned char next_random; /* the next random byte; each is one more than the one before */
    bool fail_random;
    size_t n_scrypts; /* calls */
    cov_scrypt_cost last_cost;
} auth_host;

/* Random bytes 00, 01, 02, ...; the clock at 1700000000000. */
void auth_host_init(auth_host *out);

#endif
