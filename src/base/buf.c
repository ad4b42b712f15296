/* SPDX-License-Identifier: MIT */
#include "covara/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAP = 256 };

void cov_buf_dispose(cov_buf *buf)
{
    if (buf->arena == NULL)
        free(buf->ptr);
    buf->ptr = NULL;
    buf->len = buf->cap = 0;
}

void cov_buf_clear(cov_buf *buf, size_t keep_bytes)
{
    if (buf->cap > keep_bytes)
        cov_buf_dispose(buf);
    buf->len = 0;
    buf->failed = false;
}

static bool grow(cov_buf *buf, size_t needed)
{
    size_t cap = buf->cap < FIRST_CAP ? FIRST_CAP : buf->cap;
    char *p;

    while (cap < needed)
        cap = cap <= SIZE_MAX / 2 ? cap * 2 : needed;
    if (buf->arena == NULL) {
        p = realloc(buf->ptr, cap);
    } else {
        p = cov_arena_alloc(buf->arena, cap);
        if (p != NULL && buf->len != 0)
            memcpy(p, buf->ptr, buf->len);
    }
    if (p == NULL)
        return false;
    buf->ptr = p;
    buf->cap = cap;
    return true;
}

char *cov_buf_reserve(cov_buf *buf, size_t extra)
{
    if (COV_UNLIKELY(buf->failed))
        return NULL;
    if (COV_LIKELY(extra <= buf->cap - buf->len &&
                   (buf->limit == 0 || extra <= buf->limit - buf->len)))
        return buf->ptr + buf->len;
    if (extra > SIZE_MAX - buf->len || (buf->limit != 0 && extra > buf->limit - buf->len) ||
        (extra > buf->cap - buf->len && !grow(buf, buf->len + extra))) {
        buf->failed = true;
        return NULL;
    }
    return buf->ptr + buf->len;
}

void cov_buf_append(cov_buf *buf, const void *bytes, size_t len)
{
    char *to;

    if (len == 0)
        return;
    to = cov_buf_reserve(buf, len);
    if (to == NULL)
        return;
    memcpy(to, bytes, len);
    buf->len += len;
}

void cov_buf_str(cov_buf *buf, cov_str s)
{
    cov_buf_append(buf, s.ptr, s.len);
}

void cov_buf_char(cov_buf *buf, char c)
{
    char *to = cov_buf_reserve(buf, 1);

    if (to != NULL) {
        *to = c;
        buf->len++;
    }
}

void cov_buf_printf(cov_buf *buf, const char *format, ...)
{
    va_list args;
    int len;
    char *to;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    to = len >= 0 ? cov_buf_reserve(buf, (size_t)len + 1) : NULL;
    if (to == NULL)
        return;
    va_start(args, format);
    vsnprintf(to, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

void cov_buf_u64(cov_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    cov_buf_append(buf, digits + at, sizeof digits - at);
}

void cov_buf_i64(cov_buf *buf, int64_t value)
{
    if (value < 0) {
        cov_buf_char(buf, '-');
        cov_buf_u64(buf, (uint64_t)0 - (uint64_t)value);
    } else {
        cov_buf_u64(buf, (uint64_t)value);
    }
}
