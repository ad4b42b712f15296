/* SPDX-License-Identifier: MIT */
/*
 * auth/token.h - random tokens and the text of API keys (spec/06 sections 9.1 and 10.1).
 *
 *     [<prefix>_]<id, 16 hexadecimal digits>.<secret, base64url>
 */
#ifndef COV_AUTH_TOKEN_H
#define COV_AUTH_TOKEN_H

#include "covara/host.h"

enum {
    COV_TOKEN_BYTES = 32, /* 43 characters */
    COV_TOKEN_HASH_CHARS = 2 * COV_SHA256_BYTES,
    COV_API_KEY_ID_CHARS = 16,
    COV_API_KEY_SECRET_BYTES = 24 /* 32 characters */
};

/* `n_bytes` random bytes as base64url. Fails with COV_EINTERNAL, COV_ENOMEM. */
COV_CHECK cov_status cov_token_random(const cov_host *host, cov_arena *arena, size_t n_bytes,
                                      cov_str *out, cov_error *err);
/* SHA-256 of a token's text in hexadecimal: what is stored instead of the token. */
COV_CHECK cov_status cov_token_hash(const cov_host *host, cov_str token,
                                    char out[COV_TOKEN_HASH_CHARS]);

/*
 * A new key. `prefix` may be empty; one with a dot or anything but printable ASCII is refused (COV_EINVAL), since the
 * id could not be found behind it.
 */
COV_CHECK cov_status cov_api_key_new(const cov_host *host, cov_arena *arena, cov_str prefix,
                                     cov_str *key, cov_str *id, cov_error *err);
/* The id in the text of a key, a part of `key`; ptr NULL when the text is no key. */
cov_str cov_api_key_id(cov_str key);
/* Whether a text has the form of an id. */
bool cov_api_key_is_id(cov_str text);

#endif
