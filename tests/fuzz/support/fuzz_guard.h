/* SPDX-License-Identifier: MIT */
/* A guard on the memory store for fuzz targets, and requests made of the pieces of an input. */
#ifndef FUZZ_GUARD_H
#define FUZZ_GUARD_H

#include "fake_host.h"
#include "guard/internal.h"

enum { FUZZ_GUARD_HEADERS = 64 };

typedef struct fuzz_guard {
    fake_host fake;
    cov_arena *arena;
    cov_kv *kv;
    cov_guard_config config;
    cov_guard *guard;
    cov_header headers[FUZZ_GUARD_HEADERS];
    cov_request req;
    cov_response res;
    cov_guarded g;
    cov_error err;
} fuzz_guard;

/* Ends the program when it does not hold. */
void fuzz_require(bool holds);
/* Everything on that needs nothing from outside. */
void fuzz_guard_open(fuzz_guard *f);
void fuzz_guard_close(fuzz_guard *f);
/* A new request: POST to `path` without headers. */
void fuzz_guard_request(fuzz_guard *f, cov_str path, cov_str body);
void fuzz_guard_header(fuzz_guard *f, const char *name, cov_str value);
/* The next line of `*rest`, without its end. */
cov_str fuzz_line(cov_str *rest);

#endif
