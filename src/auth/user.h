/* SPDX-License-Identifier: MIT */
/*
 * auth/user.h - the user that a request runs as (spec/06 section 1.4), as JSON and as placeholders of scopes.
 *
 * A user always has a non-empty id: cov_user_init makes none without, so that no scope can compare with nothing.
 * Memory: texts and metadata are borrowed; cov_user_clone copies them.
 */
#ifndef COV_AUTH_USER_H
#define COV_AUTH_USER_H

#include "base/json.h"
#include "rsql/rsql.h"

#define COV_USER_NO_TIME INT64_MIN

typedef struct cov_user {
    cov_str id;
    cov_str email; /* ptr NULL: null, as are name and image */
    cov_str name;
    cov_str image;
    int64_t email_verified_ms; /* Unix time, or COV_USER_NO_TIME */
    cov_str session_id;
    int64_t session_expires_ms; /* Unix time, or COV_USER_NO_TIME */
    const cov_json *metadata;   /* an object, or NULL */
} cov_user;

/* A user with this id and nothing else. False, with `user` untouched, when the id is empty. */
COV_CHECK bool cov_user_init(cov_user *user, cov_str id);
/*
 * Metadata from the text of a column or claim. What is no JSON object counts as none: a scope that needs it denies,
 * and the account stays usable. Fails with COV_ENOMEM only.
 */
COV_CHECK cov_status cov_user_set_metadata(cov_arena *arena, cov_user *user, cov_str text,
                                           cov_error *err);
/*
 * Begin the text of new metadata with the members that there are, so that further ones follow: the last of equal ones
 * counts. The closing brace is the caller's.
 */
void cov_user_extend_metadata(const cov_user *user, cov_buf *text);
/* Add metadata.apiKeyScopes, replacing a member of that name. Fails with COV_ENOMEM. */
COV_CHECK cov_status cov_user_set_key_scopes(cov_arena *arena, cov_user *user,
                                             const cov_str *scopes, size_t n, cov_error *err);
/* A copy that shares nothing with `user`. Fails with COV_ENOMEM. */
COV_CHECK cov_status cov_user_clone(cov_arena *arena, const cov_user *user, cov_user *out,
                                    cov_error *err);

/* {"id","email","name","image"}, null kept: what clients are told. */
void cov_user_json(cov_buf *buf, const cov_user *user);
/* The whole context, in the order of section 1.4. */
void cov_user_context_json(cov_buf *buf, const cov_user *user);

/*
 * Placeholders: user.id, user.email, user.name, user.image, user.metadata.<path>; lists of the metadata as lists. Null,
 * objects and whatever is not there have no value, and the scope denies. Booleans are 1 and 0. Borrows `user`.
 */
cov_rsql_vars cov_user_vars(const cov_user *user);

#endif
