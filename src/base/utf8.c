/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

enum { REPLACEMENT = 0xFFFD, MAX_CODE_POINT = 0x10FFFF, MAX_BYTES = 4, LOWER_STEP = 64 };

/* Every stride-th code point of [first, last] maps to itself plus delta. */
typedef struct lower_range {
    uint32_t first;
    uint32_t last;
    int32_t delta;
    uint32_t stride;
} lower_range;

#include "base/unicode_lower.inc"

static bool is_tail(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/*
 * The length of the well-formed sequence at `p` (1 to 4), or 0. Overlong forms, surrogates and numbers
 * beyond U+10FFFF are not well-formed (Unicode, table 3-7).
 */
static size_t decode(const unsigned char *p, size_t len, uint32_t *out)
{
    uint32_t c = p[0];

    if (c < 0x80) {
        *out = c;
        return 1;
    }
    if (c < 0xE0) {
        *out = (c & 0x1F) << 6 | (len > 1 ? p[1] & 0x3Fu : 0);
        return c >= 0xC2 && len > 1 && is_tail(p[1]) ? 2 : 0;
    }
    if (c < 0xF0) {
        if (len < 3 || !is_tail(p[1]) || !is_tail(p[2]))
            return 0;
        c = (c & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        *out = c;
        return c >= 0x800 && (c & 0xF800) != 0xD800 ? 3 : 0;
    }
    if (len < 4 || c > 0xF4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3]))
        return 0;
    c = (c & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    *out = c;
    return c >= 0x10000 && c <= MAX_CODE_POINT ? 4 : 0;
}

/* The first byte at or after `at` that is not ASCII, or s.len. */
static size_t skip_ascii(cov_str s, size_t at)
{
    uint64_t word;

    while (s.len - at >= sizeof word) {
        memcpy(&word, s.ptr + at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
        at += sizeof word;
    }
    while (at < s.len && (unsigned char)s.ptr[at] < 0x80)
        at++;
    return at;
}

uint32_t cov_utf8_next(cov_str s, size_t *at)
{
    uint32_t code_point = REPLACEMENT;
    size_t len = decode((const unsigned char *)s.ptr + *at, s.len - *at, &code_point);

    if (len == 0) {
        *at += 1;
        return REPLACEMENT;
    }
    *at += len;
    return code_point;
}

/* The first byte that is not part of a well-formed sequence, or s.len. */
static size_t first_invalid(cov_str s)
{
    size_t at = 0;
    uint32_t ignored;

    while ((at = skip_ascii(s, at)) < s.len) {
        size_t len = decode((const unsigned char *)s.ptr + at, s.len - at, &ignored);

        if (len == 0)
            return at;
        at += len;
    }
    return at;
}

bool cov_utf8_valid(cov_str s)
{
    return first_invalid(s) == s.len;
}

size_t cov_utf8_count(cov_str s)
{
    size_t count = 0;
    size_t at = 0;

    while (at < s.len) {
        size_t end = skip_ascii(s, at);

        count += end - at;
        at = end;
        if (at < s.len) {
            cov_utf8_next(s, &at);
            count++;
        }
    }
    return count;
}

/* Write a code point and return the end. */
static char *encode(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xE0 | c >> 12);
        } else {
            *to++ = (char)(0xF0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (c & 0x3F));
    return to;
}

void cov_utf8_append(cov_buf *buf, uint32_t c)
{
    char bytes[MAX_BYTES];

    if (c > MAX_CODE_POINT || (c & 0xFFFFF800) == 0xD800)
        c = REPLACEMENT;
    cov_buf_append(buf, bytes, (size_t)(encode(bytes, c) - bytes));
}

cov_str cov_utf8_repair(cov_arena *arena, cov_str s)
{
    cov_buf out = COV_BUF_IN(arena);
    size_t good = first_invalid(s);

    if (good == s.len)
        return s.ptr != NULL ? s : COV_STR("");
    while (s.len != 0) {
        cov_buf_append(&out, s.ptr, good);
        if (good < s.len)
            cov_utf8_append(&out, REPLACEMENT);
        s = cov_str_slice(s, good + 1, s.len);
        good = first_invalid(s);
    }
    return out.failed ? COV_STR_NULL : cov_buf_view(&out);
}

uint32_t cov_unicode_lower(uint32_t c)
{
    size_t page = c >> 8;
    size_t low;
    size_t high;

    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c < 0x100)
        return c >= 0xC0 && c <= 0xDE && c != 0xD7 ? c + 32 : c;
    if (page >= COV_COUNT_OF(lower_pages) - 1)
        return c;
    low = lower_pages[page];
    high = lower_pages[page + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const lower_range *range = &lower_ranges[middle];

        if (c < range->first)
            high = middle;
        else if (c > range->last)
            low = middle + 1;
        else
            return (c - range->first) % range->stride == 0 ? (uint32_t)((int32_t)c + range->delta)
                                                           : c;
    }
    return c;
}

/* All bytes are ASCII, so that no sum carries into the next byte. */
static uint64_t lower_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t from_a = word + ones * (0x80 - 'A');
    uint64_t past_z = word + ones * (0x80 - 'Z' - 1);

    return word | (from_a & ~past_z & ones * 0x80) >> 2;
}

static void lower_ascii(cov_buf *buf, const char *from, size_t len)
{
    char *to = cov_buf_reserve(buf, len);
    uint64_t word;
    size_t i = 0;

    if (to == NULL)
        return;
    for (; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, from + i, sizeof word);
        word = lower_word(word);
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < len; i++)
        to[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] + 32 : from[i]);
    buf->len += len;
}

/* A stretch of text that begins outside ASCII; short, so that its worst case fits on the stack. */
static size_t lower_step(cov_buf *buf, cov_str s, size_t at)
{
    size_t end = s.len - at < LOWER_STEP ? s.len : at + LOWER_STEP;
    char text[LOWER_STEP * MAX_BYTES];
    char *to = text;

    while (at < end)
        to = encode(to, cov_unicode_lower(cov_utf8_next(s, &at)));
    cov_buf_append(buf, text, (size_t)(to - text));
    return at;
}

void cov_utf8_lower(cov_buf *buf, cov_str s)
{
    size_t at = 0;

    while (at < s.len && !buf->failed) {
        size_t end = skip_ascii(s, at);

        if (end > at)
            lower_ascii(buf, s.ptr + at, end - at);
        at = end < s.len ? lower_step(buf, s, end) : end;
    }
}
