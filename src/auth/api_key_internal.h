/* SPDX-License-Identifier: MIT */
/* auth/api_key_internal.h - the two implementations of auth/api_key_store.h. */
#ifndef COV_AUTH_API_KEY_INTERNAL_H
#define COV_AUTH_API_KEY_INTERNAL_H

#include "auth/api_key_store.h"

typedef struct cov__api_key_ops {
    cov_status (*put)(const cov_auth_store *store, cov_ctx *ctx, const cov_api_key *key,
                      size_t most, bool *stored);
    cov_status (*get)(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_api_key *out,
                      bool *found);
    void (*used)(const cov_auth_store *store, cov_ctx *ctx, const cov_api_key *key, int64_t now_ms);
    cov_status (*remove)(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_str user_id,
                         bool *found);
    cov_status (*list)(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                       cov_api_keys *out);
} cov__api_key_ops;

extern const cov__api_key_ops cov__api_key_kv;
extern const cov__api_key_ops cov__api_key_db;

#endif
