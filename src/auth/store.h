/* SPDX-License-Identifier: MIT */
/*
 * auth/store.h - where sessions, API keys, one-time tokens and second factors are: the KV (spec/06 sections 3.4, 9.2,
 * 10.1) or tables of the database (section 15).
 *
 * Calls block as their store does. Those that change something run through cov__ctx_write when the store is the database.
 */
#ifndef COV_AUTH_STORE_H
#define COV_AUTH_STORE_H

#include "auth/config.h"
#include "covara/kv.h"
#include "resource/ctx.h"

typedef struct cov_session {
    cov_str id; /* also "refresh:<jti>" */
    cov_str user_id;
    int64_t created_ms;
    int64_t expires_ms;
    cov_str data; /* JSON text of an object, or empty */
} cov_session;

typedef struct cov_sessions {
    const cov_session *items;
    size_t n;
} cov_sessions;

/* One store of sessions. Members of a kind that cannot fail to find something report it by `found`. */
typedef struct cov_auth_store {
    bool in_database;
    cov_kv *kv;
    cov_str prefix; /* of sessions in the KV */
} cov_auth_store;

/* `CREATE TABLE IF NOT EXISTS` of everything in the database; empty for the KV. */
cov_str cov_auth_store_ddl(const cov_auth_store *store);

COV_CHECK cov_status cov_session_put(const cov_auth_store *store, cov_ctx *ctx,
                                     const cov_session *session);
/* *found false: unknown or expired. */
COV_CHECK cov_status cov_session_get(const cov_auth_store *store, cov_ctx *ctx, cov_str id,
                                     cov_session *out, bool *found);
/* Note the time of use, and with `expires_ms` other than 0 the new end; only if the session is still there. */
void cov_session_touch(const cov_auth_store *store, cov_ctx *ctx, const cov_session *session,
                       int64_t expires_ms);
/* *found (may be NULL): it was there. Atomic: of two callers one finds it. */
COV_CHECK cov_status cov_session_delete(const cov_auth_store *store, cov_ctx *ctx, cov_str id,
                                        cov_str user_id, bool *found);
COV_CHECK cov_status cov_session_list(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                                      cov_sessions *out);
/* All of the user's, but the one with the id `except` (may be empty), refresh tokens included. */
COV_CHECK cov_status cov_session_delete_all(const cov_auth_store *store, cov_ctx *ctx,
                                            cov_str user_id, cov_str except);

#endif
