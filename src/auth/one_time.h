/* SPDX-License-Identifier: MIT */
/*
 * auth/one_time.h - tokens that are mailed and good for one use (spec/06 section 10.1).
 *
 * What is stored is the token's SHA-256, under the name of one purpose and one address: a token that verifies an address
 * resets no password. A person has one token of a purpose; a new one ends those before it.
 * Calls block as the store does.
 */
#ifndef COV_AUTH_ONE_TIME_H
#define COV_AUTH_ONE_TIME_H

#include "auth/store.h"

typedef enum cov_one_time_purpose {
    COV_ONE_TIME_VERIFY, /* an e-mail address */
    COV_ONE_TIME_RESET,  /* of a password */
    COV_ONE_TIME_MAGIC   /* link to log in with */
} cov_one_time_purpose;

/*
 * Make and store a token. `email` may be empty, which no request can name: then nobody can use the token, and the work
 * is that of a real one.
 */
COV_CHECK cov_status cov__one_time_issue(const cov_auth_store *store, cov_ctx *ctx,
                                         cov_one_time_purpose purpose, cov_str email,
                                         int64_t ttl_ms, cov_str *token, int64_t *expires_ms);
/*
 * *valid: this is the address's token, it has not expired, and it is gone now. Atomic: of several callers with one
 * token one finds it valid. A wrong token changes nothing.
 */
COV_CHECK cov_status cov__one_time_consume(const cov_auth_store *store, cov_ctx *ctx,
                                           cov_one_time_purpose purpose, cov_str email,
                                           cov_str token, bool *valid);

#endif
