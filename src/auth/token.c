/* SPDX-License-Identifier: MIT */
#include "auth/token.h"

#include "base/encode.h"

enum { API_KEY_ID_BYTES = COV_API_KEY_ID_CHARS / 2 };

static cov_status random_bytes(const cov_host *host, void *out, size_t len, cov_error *err)
{
    if (host->random(host->self, out, len) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes for a token");
    return COV_OK;
}

cov_status cov_token_random(const cov_host *host, cov_arena *arena, size_t n_bytes, cov_str *out,
                            cov_error *err)
{
    char *bytes = cov_arena_alloc(arena, n_bytes);
    cov_buf text = COV_BUF_IN(arena);
    cov_status st;

    if (bytes == NULL)
        return cov_fail_nomem(err);
    if ((st = random_bytes(host, bytes, n_bytes, err)) != COV_OK)
        return st;
    cov_base64url(&text, cov_str_of(bytes, n_bytes));
    if (text.failed)
        return cov_fail_nomem(err);
    *out = cov_buf_view(&text);
    return COV_OK;
}

cov_status cov_token_hash(const cov_host *host, cov_str token, char out[COV_TOKEN_HASH_CHARS])
{
    uint8_t digest[COV_SHA256_BYTES];
    cov_buf hex = { out, 0, COV_TOKEN_HASH_CHARS, COV_TOKEN_HASH_CHARS, NULL, false };
    cov_status st = host->digest(host->self, COV_SHA256, token, digest);

    if (st == COV_OK)
        cov_hex(&hex, digest, sizeof digest);
    return st;
}

static bool is_prefix(cov_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '.')
            return false;
    return true;
}

cov_status cov_api_key_new(const cov_host *host, cov_arena *arena, cov_str prefix, cov_str *key,
                           cov_str *id, cov_error *err)
{
    uint8_t id_bytes[API_KEY_ID_BYTES];
    cov_buf text = COV_BUF_IN(arena);
    cov_str secret = COV_STR_NULL;
    cov_status st;

    if (!is_prefix(prefix))
        return cov_fail(err, COV_EINVAL,
                        "the prefix of API keys must be printable ASCII without a dot");
    if ((st = random_bytes(host, id_bytes, sizeof id_bytes, err)) != COV_OK ||
        (st = cov_token_random(host, arena, COV_API_KEY_SECRET_BYTES, &secret, err)) != COV_OK)
        return st;
    if (prefix.len != 0) {
        cov_buf_str(&text, prefix);
        cov_buf_char(&text, '_');
    }
    cov_hex(&text, id_bytes, sizeof id_bytes);
    cov_buf_char(&text, '.');
    cov_buf_str(&text, secret);
    if (text.failed)
        return cov_fail_nomem(err);
    *key = cov_buf_view(&text);
    *id = cov_api_key_id(*key);
    return COV_OK;
}

/* The id becomes part of a storage key, so that nothing but what was generated may pass. */
bool cov_api_key_is_id(cov_str text)
{
    if (text.len != COV_API_KEY_ID_CHARS)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (cov_hex_value(text.ptr[i]) < 0 || (text.ptr[i] >= 'A' && text.ptr[i] <= 'F'))
            return false;
    return true;
}

cov_str cov_api_key_id(cov_str key)
{
    size_t dot = cov_str_find(key, '.', 0);
    cov_str id;

    if (dot == key.len || dot < COV_API_KEY_ID_CHARS)
        return COV_STR_NULL;
    id = cov_str_slice(key, dot - COV_API_KEY_ID_CHARS, dot);
    if (dot > COV_API_KEY_ID_CHARS && id.ptr[-1] != '_')
        return COV_STR_NULL;
    return cov_api_key_is_id(id) ? id : COV_STR_NULL;
}
