/* SPDX-License-Identifier: MIT */
/* The cov_host of a native process: clock, random and environment here, the rest in its own files. */
#define _GNU_SOURCE
#include "host/native/native.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "host/native/services.h"

static int64_t now_ms(void *self)
{
    struct timespec t;

    (void)self;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t monotonic_us(void *self)
{
    struct timespec t;

    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static cov_status random_bytes(void *self, void *out, size_t len)
{
    char *to = out;

    (void)self;
    while (len > 0) {
        ssize_t got = getrandom(to, len, 0);

        if (got < 0 && errno != EINTR)
            return COV_EINTERNAL;
        if (got > 0) {
            to += got;
            len -= (size_t)got;
        }
    }
    return COV_OK;
}

/* Longest name looked up; an environment name beyond this is not one that anybody set. */
enum { ENV_NAME_MAX = 255 };

static bool env_value(void *self, cov_str name, cov_str *value)
{
    char terminated[ENV_NAME_MAX + 1];
    const char *found;

    (void)self;
    if (name.len == 0 || name.len > ENV_NAME_MAX || memchr(name.ptr, '\0', name.len) != NULL)
        return false;
    memcpy(terminated, name.ptr, name.len);
    terminated[name.len] = '\0';
    found = getenv(terminated);
    if (found == NULL)
        return false;
    *value = cov_str_from(found);
    return true;
}

const cov_host *cov_native_host(void)
{
    static const cov_host host = {
        .abi = COV_HOST_ABI,
        .now_ms = now_ms,
        .monotonic_us = monotonic_us,
        .random = random_bytes,
        .digest = cov__native_digest,
        .hmac = cov__native_hmac,
        .regex = cov__native_regex,
        .log = cov__native_log,
        .env = env_value,
        .scrypt = cov__native_scrypt,
        .sign = cov__native_sign,
        .verify = cov__native_verify,
        .http = cov__native_http,
        .lock_new = cov__native_lock_new,
        .lock = cov__native_lock,
        .unlock = cov__native_unlock,
        .lock_free = cov__native_lock_free,
    };

    return &host;
}
