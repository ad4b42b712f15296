/* SPDX-License-Identifier: MIT */
#include "auth/totp.h"

#include "auth/equal.h"
#include "base/encode.h"

enum { MAX_KEY_BYTES = 128 };

void cov_base32(cov_buf *buf, cov_str bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t bits = 0;
    unsigned n_bits = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | (unsigned char)bytes.ptr[i];
        for (n_bits += 8; n_bits >= 5; n_bits -= 5)
            cov_buf_char(buf, alphabet[bits >> (n_bits - 5) & 31]);
    }
    if (n_bits != 0)
        cov_buf_char(buf, alphabet[bits << (5 - n_bits) & 31]);
}

static int base32_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool cov_base32_decode(cov_buf *buf, cov_str text)
{
    size_t start = buf->len;
    uint32_t bits = 0;
    unsigned n_bits = 0;

    while (text.len != 0 && (text.ptr[text.len - 1] == '=' || is_space(text.ptr[text.len - 1])))
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        int value = base32_value(text.ptr[i]);

        if (is_space(text.ptr[i]))
            continue;
        if (value < 0) {
            buf->len = start;
            return false;
        }
        bits = bits << 5 | (uint32_t)value;
        n_bits += 5;
        if (n_bits >= 8) {
            n_bits -= 8;
            cov_buf_char(buf, (char)(bits >> n_bits & 0xFF));
        }
    }
    return !buf->failed;
}

cov_status cov_totp_secret(const cov_host *host, cov_arena *arena, cov_str *out, cov_error *err)
{
    char bytes[COV_TOTP_SECRET_BYTES];
    cov_buf text = COV_BUF_IN(arena);

    if (host->random(host->self, bytes, sizeof bytes) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes for a secret");
    cov_base32(&text, cov_str_of(bytes, sizeof bytes));
    if (text.failed)
        return cov_fail_nomem(err);
    *out = cov_buf_view(&text);
    return COV_OK;
}

cov_status cov_totp_code(const cov_host *host, cov_str key, uint64_t counter,
                         char out[COV_TOTP_DIGITS])
{
    uint8_t mac[COV_SHA1_BYTES];
    char moving[8];
    uint32_t number;
    size_t at;
    cov_status st;

    for (size_t i = 0; i < sizeof moving; i++)
        moving[i] = (char)(counter >> (56 - 8 * i) & 0xFF);
    st = host->hmac(host->self, COV_SHA1, key, cov_str_of(moving, sizeof moving), mac);
    if (st != COV_OK)
        return st;
    at = mac[COV_SHA1_BYTES - 1] & 15;
    number = (mac[at] & 0x7Fu) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 |
             mac[at + 3];
    for (size_t i = COV_TOTP_DIGITS; i > 0; i--, number /= 10)
        out[i - 1] = (char)('0' + number % 10);
    return COV_OK;
}

static bool is_code(cov_str code)
{
    if (code.len != COV_TOTP_DIGITS)
        return false;
    for (size_t i = 0; i < code.len; i++)
        if (code.ptr[i] < '0' || code.ptr[i] > '9')
            return false;
    return true;
}

bool cov_totp_verify(const cov_host *host, cov_str secret, cov_str code, int64_t now_ms, int window,
                     int64_t last, int64_t *counter)
{
    char key_bytes[MAX_KEY_BYTES];
    cov_buf key = { key_bytes, 0, sizeof key_bytes, sizeof key_bytes, NULL, false };
    int64_t step = now_ms / 1000 / COV_TOTP_STEP_S;
    int64_t found = -1;

    code = cov_str_trim(code);
    if (!is_code(code) || now_ms < 0 || !cov_base32_decode(&key, secret) || key.len == 0)
        return false;
    if (window > COV_TOTP_MAX_WINDOW)
        window = COV_TOTP_MAX_WINDOW;
    /* Every step, whatever matched: of equal codes the latest counts, or the other would work once more. */
    for (int64_t at = step - window; at <= step + window; at++) {
        char expected[COV_TOTP_DIGITS];

        if (at < 0 || at <= last ||
            cov_totp_code(host, cov_buf_view(&key), (uint64_t)at, expected) != COV_OK)
            continue;
        if (cov_secret_eq(cov_str_of(expected, sizeof expected), code))
            found = at;
    }
    if (found < 0)
        return false;
    *counter = found;
    return true;
}

void cov_totp_uri(cov_buf *buf, cov_str issuer, cov_str account, cov_str secret)
{
    COV_BUF_LIT(buf, "otpauth://totp/");
    if (issuer.len != 0) {
        cov_percent_encode(buf, issuer);
        cov_buf_char(buf, ':');
    }
    cov_percent_encode(buf, account);
    COV_BUF_LIT(buf, "?secret=");
    cov_form_encode(buf, secret);
    cov_buf_printf(buf, "&algorithm=SHA1&digits=%d&period=%d", COV_TOTP_DIGITS, COV_TOTP_STEP_S);
    if (issuer.len != 0) {
        COV_BUF_LIT(buf, "&issuer=");
        cov_form_encode(buf, issuer);
    }
}
