/* SPDX-License-Identifier: MIT */
/*
 * covara/host.h - the core's only door to the outside.
 *
 * The native host fills it from OpenSSL, PCRE2 and the operating system; the Workers host from its
 * JavaScript imports; tests from a fake with a settable clock. Calls may come from any thread.
 */
#ifndef COVARA_HOST_H
#define COVARA_HOST_H

#include "covara/error.h"

COV_BEGIN_C

#define COV_HOST_ABI 1

typedef enum cov_digest { COV_MD5, COV_SHA1, COV_SHA256 } cov_digest;
enum { COV_MD5_BYTES = 16, COV_SHA1_BYTES = 20, COV_SHA256_BYTES = 32, COV_DIGEST_MAX_BYTES = 32 };

typedef enum cov_log_level {
    COV_LOG_DEBUG = 10,
    COV_LOG_INFO = 20,
    COV_LOG_WARN = 30,
    COV_LOG_ERROR = 40
} cov_log_level;

typedef struct cov_host {
    uint32_t abi; /* COV_HOST_ABI; members are only ever added at the end */
    void *self;   /* passed back to every call */

    int64_t (*now_ms)(void *self);       /* must: Unix time in milliseconds */
    int64_t (*monotonic_us)(void *self); /* must: never goes back; any origin */
    /* must: `len` bytes from a cryptographic source */
    cov_status (*random)(void *self, void *out, size_t len);
    /* must: writes COV_<ALG>_BYTES bytes to `out` */
    cov_status (*digest)(void *self, cov_digest alg, cov_str data, uint8_t *out);
    cov_status (*hmac)(void *self, cov_digest alg, cov_str key, cov_str data, uint8_t *out);
    /*
     * must: 1 = `pattern` matches somewhere in `text`, 0 = no, -1 = the pattern is invalid.
     * The pattern was checked against spec/02 section 7.4 already. Work is bounded: a match that would
     * exceed the engine's step limit counts as no match. Compiled patterns are cached by the host.
     */
    int (*regex)(void *self, cov_str pattern, bool ignore_case, cov_str text);
    /* must: one log line; `members` is JSON text without braces, possibly empty */
    void (*log)(void *self, cov_log_level level, cov_str msg, cov_str members);
    /* must: value of an environment variable (borrowed for the process's life), or false */
    bool (*env)(void *self, cov_str name, cov_str *value);
} cov_host;

COV_END_C

#endif
