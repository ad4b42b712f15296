/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "fake_host.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/native/native.h"

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fake host: %s\n", what);
        abort();
    }
}

static int64_t now_ms(void *self)
{
    return atomic_load(&((fake_host *)self)->now_ms);
}

static int64_t monotonic_us(void *self)
{
    return atomic_load(&((fake_host *)self)->monotonic_us);
}

/* splitmix64 */
static uint64_t next_word(fake_host *f)
{
    uint64_t z = f->random_state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static cov_status random_bytes(void *self, void *out, size_t len)
{
    fake_host *f = self;
    unsigned char *to = out;

    if (f->random_fails)
        return COV_EINTERNAL;
    pthread_mutex_lock(&f->mutex);
    for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
        uint64_t word = next_word(f);

        memcpy(to + i, &word, len - i < sizeof word ? len - i : sizeof word);
    }
    pthread_mutex_unlock(&f->mutex);
    return COV_OK;
}

static const char *level_name(cov_log_level level)
{
    switch (level) {
    case COV_LOG_DEBUG:
        return "debug";
    case COV_LOG_INFO:
        return "info";
    case COV_LOG_WARN:
        return "warn";
    case COV_LOG_ERROR:
        break;
    }
    return "error";
}

static void log_line(void *self, cov_log_level level, cov_str msg, cov_str members)
{
    fake_host *f = self;

    pthread_mutex_lock(&f->mutex);
    cov_buf_printf(&f->logged, "%s %.*s {%.*s}\n", level_name(level), COV_STR_ARG(msg),
                   COV_STR_ARG(members));
    pthread_mutex_unlock(&f->mutex);
}

static bool env_value(void *self, cov_str name, cov_str *value)
{
    const fake_host *f = self;

    for (size_t i = 0; i < FAKE_HOST_ENV; i++) {
        if (f->env[i][0] != NULL && cov_str_eq(cov_str_from(f->env[i][0]), name)) {
            *value = cov_str_from(f->env[i][1]);
            return true;
        }
    }
    return false;
}

static cov_status http(void *self, const cov_http_call *call, cov_arena *arena, cov_http_reply *out,
                       cov_error *err)
{
    fake_host *f = self;

    pthread_mutex_lock(&f->mutex);
    f->http_calls++;
    pthread_mutex_unlock(&f->mutex);
    if (f->http == NULL)
        return cov_fail(err, COV_EBUSY, "the fake host reaches nobody");
    return f->http(f->http_self, call, arena, out, err);
}

/* ---- locks ---- */

static void *lock_new(void *self)
{
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    pthread_mutexattr_t attributes;

    if (mutex == NULL)
        return NULL;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    atomic_fetch_add(&((fake_host *)self)->locks, 1);
    return mutex;
}

static void lock(void *self, void *mutex)
{
    (void)self;
    must(pthread_mutex_lock(mutex) == 0, "a thread took a lock twice");
}

static void unlock(void *self, void *mutex)
{
    (void)self;
    must(pthread_mutex_unlock(mutex) == 0, "a thread gave back a lock that it did not have");
}

static void lock_free(void *self, void *mutex)
{
    if (mutex == NULL)
        return;
    must(pthread_mutex_destroy(mutex) == 0, "a lock was freed while it was held");
    free(mutex);
    atomic_fetch_sub(&((fake_host *)self)->locks, 1);
}

/* ---- the native host's, whose `self` is not ours ---- */

static cov_status digest(void *self, cov_digest alg, cov_str data, uint8_t *out)
{
    const cov_host *native = cov_native_host();

    (void)self;
    return native->digest(native->self, alg, data, out);
}

static cov_status hmac(void *self, cov_digest alg, cov_str key, cov_str data, uint8_t *out)
{
    const cov_host *native = cov_native_host();

    (void)self;
    return native->hmac(native->self, alg, key, data, out);
}

static int regex(void *self, cov_str pattern, bool ignore_case, cov_str text)
{
    const cov_host *native = cov_native_host();

    (void)self;
    return native->regex(native->self, pattern, ignore_case, text);
}

static cov_status scrypt(void *self, cov_str password, cov_str salt, cov_scrypt_cost cost,
                         uint8_t *out, size_t len)
{
    const cov_host *native = cov_native_host();

    (void)self;
    return native->scrypt(native->self, password, salt, cost, out, len);
}

static cov_status sign(void *self, cov_signature alg, cov_str private_pem, cov_str data,
                       cov_buf *out)
{
    const cov_host *native = cov_native_host();

    (void)self;
    return native->sign(native->self, alg, private_pem, data, out);
}

static int verify(void *self, cov_signature alg, cov_str public_pem, cov_str data,
                  cov_str signature)
{
    const cov_host *native = cov_native_host();

    (void)self;
    return native->verify(native->self, alg, public_pem, data, signature);
}

/* ---- the test's side ---- */

static const cov_host table = {
    .abi = COV_HOST_ABI,
    .now_ms = now_ms,
    .monotonic_us = monotonic_us,
    .random = random_bytes,
    .digest = digest,
    .hmac = hmac,
    .regex = regex,
    .log = log_line,
    .env = env_value,
    .scrypt = scrypt,
    .sign = sign,
    .verify = verify,
    .http = http,
    .lock_new = lock_new,
    .lock = lock,
    .unlock = unlock,
    .lock_free = lock_free,
};

void fake_host_init(fake_host *f)
{
    memset(f, 0, sizeof *f);
    f->host = table;
    f->host.self = f;
    atomic_store(&f->now_ms, INT64_C(1700000000000));
    f->random_state = 1;
    pthread_mutex_init(&f->mutex, NULL);
}

void fake_host_dispose(fake_host *f)
{
    must(atomic_load(&f->locks) == 0, "a lock was not freed");
    cov_buf_dispose(&f->logged);
    pthread_mutex_destroy(&f->mutex);
}

void fake_host_advance(fake_host *f, int64_t ms)
{
    atomic_fetch_add(&f->now_ms, ms);
    atomic_fetch_add(&f->monotonic_us, ms * 1000);
}

bool fake_host_has_logged(fake_host *f, const char *text)
{
    bool found;

    pthread_mutex_lock(&f->mutex);
    found = cov_str_contains(cov_buf_view(&f->logged), cov_str_from(text));
    pthread_mutex_unlock(&f->mutex);
    return found;
}
