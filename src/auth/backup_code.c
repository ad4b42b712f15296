/* SPDX-License-Identifier: MIT */
/* Backup codes: 40 random bits each, stored as password hashes (auth/totp.h). */
#include "auth/password.h"
#include "auth/totp.h"
#include "base/encode.h"

enum { CODE_BYTES = 5, HYPHEN_AT = 5 };

static cov_status new_code(const cov_host *host, cov_arena *arena, cov_str *out, cov_error *err)
{
    uint8_t bytes[CODE_BYTES];
    cov_buf hex = COV_BUF_IN(arena);

    if (host->random(host->self, bytes, sizeof bytes) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes for a backup code");
    cov_hex(&hex, bytes, sizeof bytes);
    if (hex.failed)
        return cov_fail_nomem(err);
    *out = cov_arena_printf(arena, "%.5s-%.5s", hex.ptr, hex.ptr + HYPHEN_AT);
    return out->ptr != NULL ? COV_OK : cov_fail_nomem(err);
}

cov_status cov_backup_codes(const cov_host *host, cov_arena *arena, size_t n, cov_scrypt_cost cost,
                            const cov_str **codes, const cov_str **hashes, cov_error *err)
{
    cov_str *texts = COV_NEW_ARRAY(arena, cov_str, n);
    cov_str *hashed = COV_NEW_ARRAY(arena, cov_str, n);
    cov_status st = COV_OK;

    if (texts == NULL || hashed == NULL)
        return cov_fail_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if ((st = new_code(host, arena, &texts[i], err)) != COV_OK ||
            (st = cov_password_hash(host, arena, texts[i], cost, &hashed[i], err)) != COV_OK)
            return st;
    }
    *codes = texts;
    *hashes = hashed;
    return COV_OK;
}

bool cov_backup_code_normalise(cov_str text, cov_str *code)
{
    text = cov_str_trim(text);
    if (text.len != COV_BACKUP_CODE_CHARS)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

        if (i == HYPHEN_AT ? c != '-' : !is_hex)
            return false;
    }
    *code = text;
    return true;
}

size_t cov_backup_code_find(const cov_host *host, cov_str text, const cov_str *hashes, size_t n)
{
    cov_str code;

    if (!cov_backup_code_normalise(text, &code))
        return SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (cov_password_verify(host, code, hashes[i]))
            return i;
    return SIZE_MAX;
}
