/* SPDX-License-Identifier: MIT */
/*
 * auth/jwt.h - JSON Web Tokens (RFC 7519) as compact JWS (RFC 7515), and the claims of session tokens (spec/06
 * section 8).
 *
 * Strict: exactly one algorithm is accepted, the configured one; base64url is canonical and without padding; `crit`
 * and types other than JWT are refused; `exp` is required. A payload is parsed only after its signature was checked.
 * Ignores: sessions, users, where tokens come from.
 */
#ifndef COV_AUTH_JWT_H
#define COV_AUTH_JWT_H

#include "auth/config.h"
#include "base/json.h"
#include "covara/host.h"

enum { COV_JWT_MAX_BYTES = 16384 };

typedef enum cov_jwt_alg {
    COV_JWT_HS256,
    COV_JWT_HS384,
    COV_JWT_HS512,
    COV_JWT_RS256,
    COV_JWT_RS384,
    COV_JWT_RS512,
    COV_JWT_PS256,
    COV_JWT_PS384,
    COV_JWT_PS512,
    COV_JWT_ES256,
    COV_JWT_ES384,
    COV_JWT_ES512,
    COV_JWT_N_ALGS
} cov_jwt_alg;

/* From "HS256"; exactly so spelled. `none` is no algorithm. */
bool cov_jwt_alg_of(cov_str name, cov_jwt_alg *out);

typedef struct cov_jwt_key {
    cov_jwt_alg alg;
    cov_str secret;     /* HMAC secret, or private key (PEM) */
    cov_str public_key; /* PEM; not for HMAC */
} cov_jwt_key;

/*
 * Sign `payload`, the JSON text of an object. `header`: JSON text, or ptr NULL for {"alg":"<alg>","typ":"JWT"}.
 * Fails with COV_EINTERNAL (the key is none for the algorithm), COV_ENOMEM.
 */
COV_CHECK cov_status cov_jwt_sign(const cov_host *host, cov_arena *arena, const cov_jwt_key *key,
                                  cov_str header, cov_str payload, cov_str *out, cov_error *err);

/* What a token must say beside its signature. */
typedef struct cov_jwt_rules {
    cov_str issuer;   /* ptr NULL: any */
    cov_str audience; /* ptr NULL: any; else the token's `aud` is this text or a list with it */
    int64_t tolerance_s;
} cov_jwt_rules;

typedef enum cov_jwt_verdict {
    COV_JWT_INVALID, /* also when memory ran out or the key is none: never accepted by accident */
    COV_JWT_EXPIRED, /* right in everything else */
    COV_JWT_VALID
} cov_jwt_verdict;

/* `payload`, an object in the arena, is set unless the token is invalid. */
cov_jwt_verdict cov_jwt_verify(const cov_host *host, cov_arena *arena, const cov_jwt_key *key,
                               const cov_jwt_rules *rules, cov_str token, int64_t now_ms,
                               const cov_json **payload);

/* What session tokens say. Texts with ptr NULL are left out. */
typedef struct cov_jwt_claims {
    cov_str sub;
    cov_str email;
    cov_str name;
    cov_str image;
    bool email_verified;
    cov_str metadata; /* JSON text of an object */
    cov_str jti;      /* of the access token; the refresh token's is "refresh:" and this */
    int64_t iat_s;
    int64_t exp_s;
    cov_names audience; /* one: a string; several: a list */
    cov_str issuer;
} cov_jwt_claims;

#define COV_JWT_REFRESH_PREFIX "refresh:"

/* The payload of an access or a refresh token as JSON text, members in the order of section 8.2. */
void cov_jwt_access_payload(cov_buf *buf, const cov_jwt_claims *claims);
void cov_jwt_refresh_payload(cov_buf *buf, const cov_jwt_claims *claims);

#endif
