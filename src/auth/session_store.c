/* SPDX-License-Identifier: MIT */
#include "auth/session_internal.h"

/*
 * Spec/06 section 15, with an index that finds expired tokens, and the one table that it only suggests, auth_mfa
 * (section 11.2; auth/mfa_store.h).
 */
#define DDL                                                                                      \
    "CREATE TABLE IF NOT EXISTS auth_sessions (id TEXT PRIMARY KEY NOT NULL, userId TEXT NOT "   \
    "NULL, createdAt INTEGER NOT NULL, expiresAt INTEGER NOT NULL, data TEXT);\n"                \
    "CREATE INDEX IF NOT EXISTS auth_session_userId_idx ON auth_sessions (userId);\n"            \
    "CREATE INDEX IF NOT EXISTS auth_session_expiresAt_idx ON auth_sessions (expiresAt);\n"      \
    "CREATE TABLE IF NOT EXISTS auth_api_keys (id TEXT PRIMARY KEY NOT NULL, userId TEXT NOT "   \
    "NULL, name TEXT NOT NULL, keyHash TEXT NOT NULL, keyPrefix TEXT NOT NULL, scopes TEXT, "    \
    "createdAt INTEGER NOT NULL, expiresAt INTEGER, lastUsedAt INTEGER, revokedAt INTEGER);\n"   \
    "CREATE INDEX IF NOT EXISTS auth_api_key_userId_idx ON auth_api_keys (userId);\n"            \
    "CREATE INDEX IF NOT EXISTS auth_api_key_prefix_idx ON auth_api_keys (keyPrefix);\n"         \
    "CREATE TABLE IF NOT EXISTS auth_verification_tokens (identifier TEXT NOT NULL, token TEXT " \
    "NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (identifier, token));\n"                    \
    "CREATE INDEX IF NOT EXISTS auth_verification_token_expires_idx ON "                         \
    "auth_verification_tokens (expires);\n"                                                      \
    "CREATE TABLE IF NOT EXISTS auth_mfa (userId TEXT PRIMARY KEY NOT NULL, secret TEXT NOT "    \
    "NULL, enabled INTEGER NOT NULL, backupCodeHashes TEXT NOT NULL, lastCounter INTEGER NOT "   \
    "NULL, pendingSecret TEXT, pendingBackupCodeHashes TEXT, pendingUntil INTEGER, updatedAt "   \
    "INTEGER NOT NULL);\n"

cov_str cov_auth_store_ddl(const cov_auth_store *store)
{
    return store->in_database ? COV_STR(DDL) : COV_STR("");
}

static const cov__session_ops *ops(const cov_auth_store *store)
{
    return store->in_database ? &cov__session_db : &cov__session_kv;
}

cov_status cov_session_put(const cov_auth_store *store, cov_ctx *ctx, const cov_session *session)
{
    return ops(store)->put(store, ctx, session);
}

cov_status cov_session_get(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_session *out,
                           bool *found)
{
    return ops(store)->get(store, ctx, id, out, found);
}

void cov_session_touch(const cov_auth_store *store, cov_ctx *ctx, const cov_session *session,
                       int64_t expires_ms)
{
    ops(store)->touch(store, ctx, session, expires_ms);
}

cov_status cov_session_delete(const cov_auth_store *store, cov_ctx *ctx, cov_str id,
                              cov_str user_id, bool *found)
{
    return ops(store)->remove(store, ctx, id, user_id, found);
}

cov_status cov_session_list(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                            cov_sessions *out)
{
    return ops(store)->list(store, ctx, user_id, out);
}

cov_status cov_session_delete_all(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                                  cov_str except)
{
    return ops(store)->remove_all(store, ctx, user_id, except);
}
