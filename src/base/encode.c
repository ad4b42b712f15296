/* SPDX-License-Identifier: MIT */
#include "base/encode.h"

#include "base/utf8.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void base64_encode(cov_buf *buf, cov_str bytes, const char *alphabet, bool pad)
{
    const unsigned char *from = (const unsigned char *)bytes.ptr;
    size_t groups = bytes.len / 3 + (bytes.len % 3 != 0);
    size_t rest = bytes.len % 3;
    char *to;

    if (groups == 0)
        return;
    if (groups > SIZE_MAX / 4)
        buf->failed = true;
    to = cov_buf_reserve(buf, groups * 4);
    if (to == NULL)
        return;
    for (size_t i = 0; i < bytes.len / 3; i++, from += 3, to += 4) {
        to[0] = alphabet[from[0] >> 2];
        to[1] = alphabet[(from[0] & 3) << 4 | from[1] >> 4];
        to[2] = alphabet[(from[1] & 15) << 2 | from[2] >> 6];
        to[3] = alphabet[from[2] & 63];
    }
    if (rest != 0) {
        unsigned second = rest == 2 ? from[1] : 0;

        to[0] = alphabet[from[0] >> 2];
        to[1] = alphabet[(from[0] & 3) << 4 | second >> 4];
        to[2] = rest == 2 ? alphabet[(second & 15) << 2] : '=';
        to[3] = '=';
    }
    buf->len += groups * 4 - (pad || rest == 0 ? 0 : 3 - rest);
}

void cov_base64(cov_buf *buf, cov_str bytes)
{
    base64_encode(buf, bytes, base64_standard, true);
}

void cov_base64url(cov_buf *buf, cov_str bytes)
{
    base64_encode(buf, bytes, base64_url, false);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Padding, when there is any, must complete the last group of four. */
static bool strip_padding(cov_str *text)
{
    size_t len = text->len;

    while (len > 0 && text->len - len < 2 && text->ptr[len - 1] == '=')
        len--;
    if (len % 4 == 1 || (len != text->len && text->len % 4 != 0))
        return false;
    text->len = len;
    return true;
}

bool cov_base64_decode(cov_buf *buf, cov_str text)
{
    uint32_t bits = 0;
    size_t len = 0;
    char *to;

    if (!strip_padding(&text))
        return false;
    if (text.len == 0)
        return !buf->failed;
    to = cov_buf_reserve(buf, text.len / 4 * 3 + text.len % 4);
    if (to == NULL)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.ptr[i]);

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0)
            to[len++] = (char)(bits >> (6 - i % 4 * 2) & 0xFF);
    }
    buf->len += len;
    return true;
}

void cov_hex(cov_buf *buf, const uint8_t *bytes, size_t n_bytes)
{
    char *to;

    if (n_bytes == 0)
        return;
    if (n_bytes > SIZE_MAX / 2)
        buf->failed = true;
    to = cov_buf_reserve(buf, n_bytes * 2);
    if (to == NULL)
        return;
    for (size_t i = 0; i < n_bytes; i++) {
        to[2 * i] = hex_digits[bytes[i] >> 4];
        to[2 * i + 1] = hex_digits[bytes[i] & 15];
    }
    buf->len += n_bytes * 2;
}

int cov_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that the escape at `at` stands for, or -1 when there is none. */
static int escape_at(cov_str s, size_t at)
{
    int high;
    int low;

    if (s.len - at < 3 || s.ptr[at] != '%')
        return -1;
    high = cov_hex_value(s.ptr[at + 1]);
    low = cov_hex_value(s.ptr[at + 2]);
    return high >= 0 && low >= 0 ? high << 4 | low : -1;
}

/* Decode into `to`, which has room for s.len bytes; with `keep_bad_runs` only runs that are UTF-8. */
static size_t percent_decode(char *to, cov_str s, bool plus_is_space, bool keep_bad_runs)
{
    size_t len = 0;
    size_t at = 0;

    while (at < s.len) {
        size_t run_at = at;
        size_t run_len = len;
        int byte = escape_at(s, at);

        if (byte < 0) {
            to[len++] = plus_is_space && s.ptr[at] == '+' ? ' ' : s.ptr[at];
            at++;
            continue;
        }
        for (; at < s.len && (byte = escape_at(s, at)) >= 0; at += 3)
            to[len++] = (char)byte;
        if (keep_bad_runs && !cov_utf8_valid(cov_str_of(to + run_len, len - run_len))) {
            memcpy(to + run_len, s.ptr + run_at, at - run_at);
            len = run_len + (at - run_at);
        }
    }
    return len;
}

cov_str cov_percent_decode(cov_arena *arena, cov_str s, bool plus_is_space)
{
    size_t len;
    char *to;

    if (cov_str_find(s, '%', 0) == s.len && (!plus_is_space || cov_str_find(s, '+', 0) == s.len))
        return s.ptr != NULL ? s : COV_STR("");
    to = cov_arena_alloc(arena, s.len);
    if (to == NULL)
        return COV_STR_NULL;
    len = percent_decode(to, s, plus_is_space, false);
    if (!cov_utf8_valid(cov_str_of(to, len)))
        len = percent_decode(to, s, plus_is_space, true);
    return cov_str_of(to, len);
}

static bool has_bad_escape(cov_str s)
{
    for (size_t at = cov_str_find(s, '%', 0); at < s.len; at = cov_str_find(s, '%', at + 1))
        if (escape_at(s, at) < 0)
            return true;
    return false;
}

cov_str cov_percent_decode_all(cov_arena *arena, cov_str s)
{
    size_t len;
    char *to;

    if (cov_str_find(s, '%', 0) == s.len || has_bad_escape(s))
        return s.ptr != NULL ? s : COV_STR("");
    to = cov_arena_alloc(arena, s.len);
    if (to == NULL)
        return COV_STR_NULL;
    len = percent_decode(to, s, false, false);
    return cov_utf8_valid(cov_str_of(to, len)) ? cov_str_of(to, len) : s;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* `plain`: what stands for itself beside letters and digits; terminated. */
static void percent_encode(cov_buf *buf, cov_str s, const char *plain, bool space_is_plus)
{
    static const char upper_hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (is_alphanumeric((char)c) || (c != 0 && strchr(plain, c) != NULL)) {
            cov_buf_char(buf, (char)c);
        } else if (c == ' ' && space_is_plus) {
            cov_buf_char(buf, '+');
        } else {
            char escape[3] = { '%', upper_hex[c >> 4], upper_hex[c & 15] };

            cov_buf_append(buf, escape, sizeof escape);
        }
    }
}

void cov_percent_encode(cov_buf *buf, cov_str s)
{
    percent_encode(buf, s, "-_.!~*'()", false);
}

void cov_form_encode(cov_buf *buf, cov_str s)
{
    percent_encode(buf, s, "*-._", true);
}

cov_status cov_uuid(const cov_host *host, char out[COV_UUID_TEXT_BYTES])
{
    uint8_t bytes[16];
    cov_status st = host->random(host->self, bytes, sizeof bytes);

    if (st != COV_OK)
        return st;
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    for (size_t i = 0, at = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = hex_digits[bytes[i] >> 4];
        out[at++] = hex_digits[bytes[i] & 15];
    }
    return COV_OK;
}
