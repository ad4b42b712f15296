/* SPDX-License-Identifier: MIT */
/*
 * host/native/services.h - the parts cov_native_host() is made of.
 *
 * Threads: any. What is worth reusing (digest contexts, compiled patterns, connections, the log line) is kept per thread
 * and freed by the thread's end; parsed keys are kept for all threads.
 */
#ifndef COV_HOST_NATIVE_SERVICES_H
#define COV_HOST_NATIVE_SERVICES_H

#include "covara/host.h"

cov_status cov__native_digest(void *self, cov_digest alg, cov_str data, uint8_t *out);
cov_status cov__native_hmac(void *self, cov_digest alg, cov_str key, cov_str data, uint8_t *out);
cov_status cov__native_scrypt(void *self, cov_str password, cov_str salt, cov_scrypt_cost cost,
                              uint8_t *out, size_t len);
cov_status cov__native_sign(void *self, cov_signature alg, cov_str private_pem, cov_str data,
                            cov_buf *out);
int cov__native_verify(void *self, cov_signature alg, cov_str public_pem, cov_str data,
                       cov_str signature);
cov_status cov__native_http(void *self, const cov_http_call *call, cov_arena *arena,
                            cov_http_reply *out, cov_error *err);
void *cov__native_lock_new(void *self);
void cov__native_lock(void *self, void *lock);
void cov__native_unlock(void *self, void *lock);
void cov__native_lock_free(void *self, void *lock);
int cov__native_regex(void *self, cov_str pattern, bool ignore_case, cov_str text);
void cov__native_log(void *self, cov_log_level level, cov_str msg, cov_str members);
/* Whether a line of that level would be written; lets callers skip building its members. */
bool cov__native_log_enabled(cov_log_level level);

#endif
