/* SPDX-License-Identifier: MIT */
/*
 * auth/mfa_store.h - second factors of accounts (spec/06 section 11.2), in the KV or in the table auth_mfa.
 *
 * A new enrolment waits beside the factor in use until it is confirmed, for ten minutes at most. Secrets are stored as
 * they are: whoever computes a code needs them. Backup codes are stored as password hashes.
 * Calls block as the store does. Every change is atomic, and `done` says whether it was this caller's: of two that
 * spend the same code one does.
 */
#ifndef COV_AUTH_MFA_STORE_H
#define COV_AUTH_MFA_STORE_H

#include "auth/store.h"
#include "base/json.h"

enum { COV_MFA_ENROL_MS = 600000 };

typedef struct cov_mfa {
    bool enabled;
    cov_str secret;        /* base32; empty unless enabled, as all up to `pending_secret` */
    const cov_str *hashes; /* of backup codes that were not used */
    size_t n_hashes;
    int64_t last_counter;   /* of the last code accepted, or COV_TOTP_NO_COUNTER */
    cov_str pending_secret; /* empty: no enrolment waits */
} cov_mfa;

/* An enrolment that waits for its first code. */
typedef struct cov_mfa_offer {
    cov_str secret;
    const cov_str *hashes;
    size_t n_hashes;
    cov_str
        replaces; /* secret of the factor in use, empty for none: when that changes, the offer is void */
} cov_mfa_offer;

COV_CHECK cov_status cov__mfa_get(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                                  cov_mfa *out);
/* Takes the place of an earlier offer. */
COV_CHECK cov_status cov__mfa_offer(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                                    const cov_mfa_offer *offer);
/* The offer with this secret becomes the factor in use; `counter` is that of the code that confirmed it. */
COV_CHECK cov_status cov__mfa_accept(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                                     cov_str secret, int64_t counter, bool *done);
/* Note that the code of `counter` was used; not done when it, or a later one, was already. */
COV_CHECK cov_status cov__mfa_advance(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                                      cov_str secret, int64_t counter, bool *done);
/* Remove the hash of a backup code. */
COV_CHECK cov_status cov__mfa_spend(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                                    cov_str secret, cov_str hash, bool *done);
/* The factor in use and an offer are gone. */
COV_CHECK cov_status cov__mfa_remove(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id);

/* ---- the two implementations ---- */

typedef struct cov__mfa_ops {
    cov_status (*get)(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_mfa *out);
    cov_status (*offer)(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                        const cov_mfa_offer *offer);
    cov_status (*accept)(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_str secret,
                         int64_t counter, bool *done);
    cov_status (*advance)(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                          cov_str secret, int64_t counter, bool *done);
    cov_status (*spend)(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_str secret,
                        cov_str hash, bool *done);
    cov_status (*remove)(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id);
} cov__mfa_ops;

extern const cov__mfa_ops cov__mfa_kv;
extern const cov__mfa_ops cov__mfa_db;

/* A JSON list of texts, as arrays in the arena; what is no text is skipped. Fails with COV_ENOMEM. */
COV_CHECK cov_status cov__mfa_hashes_read(cov_ctx *ctx, const cov_json *list, const cov_str **out,
                                          size_t *n);
void cov__mfa_hashes_write(cov_buf *buf, const cov_str *hashes, size_t n);

#endif
