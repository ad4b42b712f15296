/* SPDX-License-Identifier: MIT */
#include "auth/jwt.h"

#include "auth/equal.h"
#include "base/encode.h"

typedef struct algorithm {
    cov_str name;
    bool symmetric;
    cov_digest digest;       /* symmetric */
    size_t digest_bytes;     /* symmetric */
    cov_signature signature; /* otherwise */
} algorithm;

#define HS(bits, bytes) \
    [COV_JWT_HS##bits] = { COV_STR_INIT("HS" #bits), true, COV_SHA##bits, bytes, 0 }
#define ASYMMETRIC(name) [COV_JWT_##name] = { COV_STR_INIT(#name), false, 0, 0, COV_##name }
static const algorithm algorithms[COV_JWT_N_ALGS] = {
    HS(256, COV_SHA256_BYTES), HS(384, COV_SHA384_BYTES), HS(512, COV_SHA512_BYTES),
    ASYMMETRIC(RS256),         ASYMMETRIC(RS384),         ASYMMETRIC(RS512),
    ASYMMETRIC(PS256),         ASYMMETRIC(PS384),         ASYMMETRIC(PS512),
    ASYMMETRIC(ES256),         ASYMMETRIC(ES384),         ASYMMETRIC(ES512),
};
#undef HS
#undef ASYMMETRIC

bool cov_jwt_alg_of(cov_str name, cov_jwt_alg *out)
{
    for (size_t i = 0; i < COV_JWT_N_ALGS; i++) {
        if (cov_str_eq(algorithms[i].name, name)) {
            *out = (cov_jwt_alg)i;
            return true;
        }
    }
    return false;
}

/* ---- signing ---- */

static cov_status put_signature(const cov_host *host, cov_arena *arena, const cov_jwt_key *key,
                                cov_buf *text)
{
    const algorithm *alg = &algorithms[key->alg];
    cov_buf raw = COV_BUF_IN(arena);
    cov_str signed_text = cov_buf_view(text);
    uint8_t mac[COV_DIGEST_MAX_BYTES];
    cov_status st;

    if (alg->symmetric) {
        st = host->hmac(host->self, alg->digest, key->secret, signed_text, mac);
        cov_buf_append(&raw, mac, st == COV_OK ? alg->digest_bytes : 0);
    } else {
        st = host->sign(host->self, alg->signature, key->secret, signed_text, &raw);
    }
    if (st != COV_OK)
        return st;
    if (raw.failed)
        return COV_ENOMEM;
    cov_buf_char(text, '.');
    cov_base64url(text, cov_buf_view(&raw));
    return COV_OK;
}

cov_status cov_jwt_sign(const cov_host *host, cov_arena *arena, const cov_jwt_key *key,
                        cov_str header, cov_str payload, cov_str *out, cov_error *err)
{
    cov_str name = algorithms[key->alg].name;
    cov_buf text = COV_BUF_IN(arena);
    cov_status st;

    if (header.ptr == NULL)
        header = cov_arena_printf(arena, "{\"alg\":\"%.*s\",\"typ\":\"JWT\"}", COV_STR_ARG(name));
    if (header.ptr == NULL)
        return cov_fail_nomem(err);
    cov_base64url(&text, header);
    cov_buf_char(&text, '.');
    cov_base64url(&text, payload);
    if (text.failed)
        return cov_fail_nomem(err);
    st = put_signature(host, arena, key, &text);
    if (text.failed || st == COV_ENOMEM)
        return cov_fail_nomem(err);
    if (st != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "a token cannot be signed: the key is none for %.*s",
                        COV_STR_ARG(name));
    *out = cov_buf_view(&text);
    return COV_OK;
}

/* ---- verifying ---- */

/* RFC 4648 section 5 without padding, and the only text of these bytes: two texts of one token are none. */
static bool decode_part(cov_arena *arena, cov_str text, cov_str *out)
{
    cov_buf bytes = COV_BUF_IN(arena);
    cov_buf again = COV_BUF_IN(arena);

    if (text.len == 0 || !cov_base64_decode(&bytes, text))
        return false;
    cov_base64url(&again, cov_buf_view(&bytes));
    if (bytes.failed || again.failed || !cov_str_eq(cov_buf_view(&again), text))
        return false;
    *out = cov_buf_view(&bytes);
    return true;
}

static const cov_json *read_object(cov_arena *arena, cov_str part)
{
    yyjson_val *value = NULL;
    cov_str text;

    if (!decode_part(arena, part, &text) || cov_json_read(arena, text, &value, NULL) != COV_OK ||
        cov_json_type_of(value) != COV_JSON_OBJECT)
        return NULL;
    return value;
}

static bool is_text(const cov_json *value, cov_str expected)
{
    return cov_json_type_of(value) == COV_JSON_STRING && cov_str_eq(cov_json_text(value), expected);
}

/* Absent is fine: the type is optional. */
static bool is_jwt_type(const cov_json *typ)
{
    return typ == NULL || (cov_json_type_of(typ) == COV_JSON_STRING &&
                           cov_str_eq_nocase(cov_json_text(typ), COV_STR("JWT")));
}

static bool is_signed(const cov_host *host, cov_arena *arena, const cov_jwt_key *key, cov_str data,
                      cov_str signature_part)
{
    const algorithm *alg = &algorithms[key->alg];
    uint8_t mac[COV_DIGEST_MAX_BYTES];
    cov_str signature;

    if (!decode_part(arena, signature_part, &signature))
        return false;
    if (!alg->symmetric)
        return host->verify(host->self, alg->signature, key->public_key, data, signature) == 1;
    return host->hmac(host->self, alg->digest, key->secret, data, mac) == COV_OK &&
           cov_secret_eq(cov_str_of((const char *)mac, alg->digest_bytes), signature);
}

static bool has_audience(const cov_json *aud, cov_str expected)
{
    const cov_json *item = NULL;

    if (is_text(aud, expected))
        return true;
    while ((item = cov_json_next(aud, item)) != NULL)
        if (is_text(item, expected))
            return true;
    return false;
}

static cov_jwt_verdict check_claims(const cov_json *claims, const cov_jwt_rules *rules,
                                    int64_t now_ms)
{
    const cov_json *exp = cov_json_get(claims, "exp");
    const cov_json *nbf = cov_json_get(claims, "nbf");
    int64_t whole_s = now_ms / 1000; /* as `iat` and `exp` are counted */
    double now_s = (double)whole_s;
    double tolerance_s = (double)rules->tolerance_s;

    if (rules->issuer.ptr != NULL && !is_text(cov_json_get(claims, "iss"), rules->issuer))
        return COV_JWT_INVALID;
    if (rules->audience.ptr != NULL && !has_audience(cov_json_get(claims, "aud"), rules->audience))
        return COV_JWT_INVALID;
    if (cov_json_type_of(exp) != COV_JSON_NUMBER ||
        (nbf != NULL && cov_json_type_of(nbf) != COV_JSON_NUMBER))
        return COV_JWT_INVALID;
    if (nbf != NULL && cov_json_number(nbf) > now_s + tolerance_s)
        return COV_JWT_INVALID;
    return cov_json_number(exp) <= now_s - tolerance_s ? COV_JWT_EXPIRED : COV_JWT_VALID;
}

/* The three parts of a compact JWS, and the two that are signed. */
static bool split_token(cov_str token, cov_str parts[3], cov_str *signed_text)
{
    size_t first = cov_str_find(token, '.', 0);
    size_t second = cov_str_find(token, '.', first + 1);

    if (token.len > COV_JWT_MAX_BYTES || first >= token.len || second >= token.len)
        return false;
    parts[0] = cov_str_slice(token, 0, first);
    parts[1] = cov_str_slice(token, first + 1, second);
    parts[2] = cov_str_slice(token, second + 1, token.len);
    *signed_text = cov_str_slice(token, 0, second);
    return true;
}

cov_jwt_verdict cov_jwt_verify(const cov_host *host, cov_arena *arena, const cov_jwt_key *key,
                               const cov_jwt_rules *rules, cov_str token, int64_t now_ms,
                               const cov_json **payload)
{
    const cov_json *header;
    const cov_json *claims;
    cov_jwt_verdict verdict;
    cov_str parts[3];
    cov_str signed_text;

    if (!split_token(token, parts, &signed_text) ||
        (header = read_object(arena, parts[0])) == NULL ||
        !is_text(cov_json_get(header, "alg"), algorithms[key->alg].name) ||
        !is_jwt_type(cov_json_get(header, "typ")) || cov_json_get(header, "crit") != NULL ||
        !is_signed(host, arena, key, signed_text, parts[2]) ||
        (claims = read_object(arena, parts[1])) == NULL)
        return COV_JWT_INVALID;
    verdict = check_claims(claims, rules, now_ms);
    if (verdict != COV_JWT_INVALID)
        *payload = claims;
    return verdict;
}
