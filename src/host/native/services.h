/* SPDX-License-Identifier: MIT */
/*
 * host/native/services.h - the parts cov_native_host() is made of.
 *
 * Threads: any. What is worth reusing (digest contexts, compiled patterns, the log line) is kept per thread
 * and freed by the thread's end.
 */
#ifndef COV_HOST_NATIVE_SERVICES_H
#define COV_HOST_NATIVE_SERVICES_H

#include "covara/host.h"

cov_status cov__native_digest(void *self, cov_digest alg, cov_str data, uint8_t *out);
cov_status cov__native_hmac(void *self, cov_digest alg, cov_str key, cov_str data, uint8_t *out);
int cov__native_regex(void *self, cov_str pattern, bool ignore_case, cov_str text);
void cov__native_log(void *self, cov_log_level level, cov_str msg, cov_str members);
/* Whether a line of that level would be written; lets callers skip building its members. */
bool cov__native_log_enabled(cov_log_level level);

#endif
