/* SPDX-License-Identifier: MIT */
/* auth/session_internal.h - the two implementations of auth/store.h's sessions. */
#ifndef COV_AUTH_SESSION_INTERNAL_H
#define COV_AUTH_SESSION_INTERNAL_H

#include "auth/store.h"

typedef struct cov__session_ops {
    cov_status (*put)(const cov_auth_store *store, cov_ctx *ctx, const cov_session *session);
    cov_status (*get)(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_session *out,
                      bool *found);
    void (*touch)(const cov_auth_store *store, cov_ctx *ctx, const cov_session *session,
                  int64_t expires_ms);
    cov_status (*remove)(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_str user_id,
                         bool *found);
    cov_status (*list)(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                       cov_sessions *out);
    cov_status (*remove_all)(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                             cov_str except);
} cov__session_ops;

extern const cov__session_ops cov__session_kv;
extern const cov__session_ops cov__session_db;

#endif
