/* SPDX-License-Identifier: MIT */
/*
 * auth/mfa_pending.h - logins that wait for their second factor (spec/06 section 11.3).
 *
 * Who proved the first factor gets a cookie with a random token. Its hash is in the KV for five minutes, with whose login
 * it is. It is good for one login and for a few wrong codes: then it is gone, and the first factor must be proved again.
 */
#ifndef COV_AUTH_MFA_PENDING_H
#define COV_AUTH_MFA_PENDING_H

#include "auth/internal.h"

#define COV_MFA_PENDING_COOKIE COV_STR("mfa_pending")
enum { COV_MFA_PENDING_S = 300, COV_MFA_PENDING_TRIES = 5 };

typedef struct cov_mfa_pending {
    cov_str user_id; /* empty: the request has no login that waits */
    cov_str key;
    cov_str tries_key;
} cov_mfa_pending;

COV_CHECK cov_status cov__mfa_pending_begin(const cov_auth *auth, cov_ctx *ctx, cov_str user_id);
COV_CHECK cov_status cov__mfa_pending_find(const cov_auth *auth, cov_ctx *ctx,
                                           cov_mfa_pending *out);
/*
 * Count a try, before its code is looked at, so that tries at the same time count too. *allowed false: there were too
 * many, and the login is gone.
 */
COV_CHECK cov_status cov__mfa_pending_try(const cov_auth *auth, cov_ctx *ctx,
                                          const cov_mfa_pending *pending, bool *allowed);
/* The login is gone, and its cookie. *mine: of several callers one gets true. */
COV_CHECK cov_status cov__mfa_pending_end(const cov_auth *auth, cov_ctx *ctx,
                                          const cov_mfa_pending *pending, bool *mine);

#endif
