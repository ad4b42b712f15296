/* SPDX-License-Identifier: MIT */
/*
 * auth/api_key_store.h - API keys as they are stored (spec/06 section 9.2): JSON texts in the KV, or the table
 * auth_api_keys.
 *
 * The text of a key is not stored, only its hash. Calls block as their store does; see auth/store.h.
 */
#ifndef COV_AUTH_API_KEY_STORE_H
#define COV_AUTH_API_KEY_STORE_H

#include "auth/store.h"
#include "auth/token.h"
#include "auth/user.h"

typedef struct cov_api_key {
    cov_str id;
    cov_str label;         /* ptr NULL: none */
    cov_str user_id;       /* empty: nobody's, and good for nothing */
    const cov_str *scopes; /* NULL: none were given */
    size_t n_scopes;
    int64_t created_ms;
    int64_t last_used_ms; /* these two may be COV_USER_NO_TIME */
    int64_t expires_ms;
    cov_str hash;
    cov_str
        prefix; /* the key's text up to its dot: to be given with cov_api_keys_put, never read */
} cov_api_key;

typedef struct cov_api_keys {
    const cov_api_key *items;
    size_t n;
} cov_api_keys;

/* The time as the store can hold it: the table has whole seconds. */
int64_t cov_api_keys_time(const cov_auth_store *store, int64_t ms);
/* *stored false: the user has `most` keys already. */
COV_CHECK cov_status cov_api_keys_put(const cov_auth_store *store, cov_ctx *ctx,
                                      const cov_api_key *key, size_t most, bool *stored);
/* Expired keys are found; revoked ones are not. */
COV_CHECK cov_status cov_api_keys_get(const cov_auth_store *store, cov_ctx *ctx, cov_str id,
                                      cov_api_key *out, bool *found);
/* Note the time of use, unless the key was deleted meanwhile; nobody hears of a failure. */
void cov_api_keys_used(const cov_auth_store *store, cov_ctx *ctx, const cov_api_key *key,
                       int64_t now_ms);
/* Only a key of this user. Of two callers one finds it. */
COV_CHECK cov_status cov_api_keys_delete(const cov_auth_store *store, cov_ctx *ctx, cov_str id,
                                         cov_str user_id, bool *found);
/* The user's, oldest first. */
COV_CHECK cov_status cov_api_keys_list(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                                       cov_api_keys *out);

/* "id":...,"expiresAt":... in the order of the specification, without braces and hash. */
void cov_api_key_members(cov_buf *out, const cov_api_key *key);
void cov_api_key_scopes_json(cov_buf *out, const cov_api_key *key);
/* Scopes from a JSON list; what is no text in it is left out. Fails with COV_ENOMEM. */
COV_CHECK cov_status cov_api_key_read_scopes(cov_ctx *ctx, const cov_json *list, cov_api_key *out);

#endif
