/* SPDX-License-Identifier: MIT */
/*
 * covara/host.h - the core's only door to the outside.
 *
 * The native host fills it from OpenSSL, PCRE2, libcurl and the operating system; the Workers host from its
 * JavaScript imports; tests from a fake with a settable clock. Calls may come from any thread.
 */
#ifndef COVARA_HOST_H
#define COVARA_HOST_H

#include "covara/buf.h"
#include "covara/error.h"

COV_BEGIN_C

#define COV_HOST_ABI 1

typedef enum cov_digest { COV_MD5, COV_SHA1, COV_SHA256, COV_SHA384, COV_SHA512 } cov_digest;
enum {
    COV_MD5_BYTES = 16,
    COV_SHA1_BYTES = 20,
    COV_SHA256_BYTES = 32,
    COV_SHA384_BYTES = 48,
    COV_SHA512_BYTES = 64,
    COV_DIGEST_MAX_BYTES = 64
};

/* RFC 7914. Memory is 128 * n * r bytes. */
typedef struct cov_scrypt_cost {
    uint64_t n; /* a power of two above 1 */
    uint32_t r;
    uint32_t p;
} cov_scrypt_cost;

/* RFC 7518 sections 3.3 to 3.5; the number is the digest's. ES signatures are R || S. */
typedef enum cov_signature {
    COV_RS256,
    COV_RS384,
    COV_RS512,
    COV_PS256,
    COV_PS384,
    COV_PS512,
    COV_ES256,
    COV_ES384,
    COV_ES512
} cov_signature;

/* An outbound HTTP call. All is borrowed for the call. */
typedef struct cov_http_call {
    cov_str method;              /* "POST" */
    cov_str url;                 /* http: or https: */
    const cov_str (*headers)[2]; /* name, value */
    size_t n_headers;
    cov_str body;
    uint32_t timeout_ms;       /* of the whole call; 0 = 10000 */
    size_t max_response_bytes; /* 0 = 1 MiB */
} cov_http_call;
typedef struct cov_http_reply {
    int status;
    cov_str content_type; /* ptr NULL when absent */
    cov_str body;
} cov_http_reply;

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
    /*
     * must: `len` bytes of scrypt. Takes tens of milliseconds: only where blocking is allowed (COV_LANE_POOL). Fails
     * with COV_EINVAL for a cost that is none, or needs more than 512 MiB.
     */
    cov_status (*scrypt)(void *self, cov_str password, cov_str salt, cov_scrypt_cost cost,
                         uint8_t *out, size_t len);
    /* must: append the signature of `data`; COV_EINVAL when the PEM is no key for `alg` (RSA: 2048 bits at least) */
    cov_status (*sign)(void *self, cov_signature alg, cov_str private_pem, cov_str data,
                       cov_buf *out);
    /* must: 1 = valid, 0 = not, -1 = the PEM is no key for `alg`. Parsed keys are cached by the host. */
    int (*verify)(void *self, cov_signature alg, cov_str public_pem, cov_str data,
                  cov_str signature);
    /*
     * must: one call to another server; blocks. Redirects are not followed. The reply lives in `arena`. Fails with
     * COV_EBUSY (not reached, cut off, TLS), COV_ETIMEOUT, COV_ETOOLARGE, COV_EINVAL (no http URL, or a header that
     * holds controls or frames the body). What `err` says names the host, never the rest of the URL.
     */
    cov_status (*http)(void *self, const cov_http_call *call, cov_arena *arena, cov_http_reply *out,
                       cov_error *err);
    /*
     * Mutual exclusion for what threads share; all four NULL on a host with one thread. Locks are short: no call that
     * can block is made while one is held. cov_host_lock and cov_host_unlock accept hosts without.
     */
    void *(*lock_new)(void *self); /* NULL: out of memory */
    void (*lock)(void *self, void *lock);
    void (*unlock)(void *self, void *lock);
    void (*lock_free)(void *self, void *lock);
} cov_host;

static inline void cov_host_lock(const cov_host *host, void *lock)
{
    if (host->lock != NULL)
        host->lock(host->self, lock);
}
static inline void cov_host_unlock(const cov_host *host, void *lock)
{
    if (host->unlock != NULL)
        host->unlock(host->self, lock);
}

COV_END_C

#endif
