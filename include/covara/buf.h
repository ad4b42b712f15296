/* SPDX-License-Identifier: MIT */
/*
 * covara/buf.h - a growing byte buffer whose failure is sticky.
 *
 * Appends return nothing; after the first failed growth the buffer stays `failed` and further appends
 * do nothing, so a builder checks once, at the end. The storage is kept by cov_buf_clear.
 * With `arena` set, storage comes from there (old storage stays until the arena is reset) and
 * cov_buf_dispose frees nothing.
 */
#ifndef COVARA_BUF_H
#define COVARA_BUF_H

#include "covara/arena.h"

COV_BEGIN_C

typedef struct cov_buf {
    char *ptr;
    size_t len;       /* bytes in use */
    size_t cap;       /* bytes allocated */
    size_t limit;     /* most bytes it may hold; 0 = no limit */
    cov_arena *arena; /* borrowed; NULL = malloc */
    bool failed;
} cov_buf;

#define COV_BUF_INIT               \
    {                              \
        NULL, 0, 0, 0, NULL, false \
    }
#define COV_BUF_IN(arena_pointer)             \
    {                                         \
        NULL, 0, 0, 0, (arena_pointer), false \
    }

void cov_buf_dispose(cov_buf *buf);
/* Empty and usable again; storage above `keep_bytes` is given back. */
void cov_buf_clear(cov_buf *buf, size_t keep_bytes);
/* Room for `extra` more bytes. Returns where to write them, or NULL (sticky). Commit by adding to len. */
COV_CHECK char *cov_buf_reserve(cov_buf *buf, size_t extra);
void cov_buf_append(cov_buf *buf, const void *bytes, size_t len);
void cov_buf_str(cov_buf *buf, cov_str s);
void cov_buf_char(cov_buf *buf, char c);
void cov_buf_printf(cov_buf *buf, const char *format, ...) COV_PRINTF(2, 3);
void cov_buf_i64(cov_buf *buf, int64_t value); /* decimal digits */
void cov_buf_u64(cov_buf *buf, uint64_t value);

#define COV_BUF_LIT(buf, literal) cov_buf_append((buf), "" literal, sizeof(literal) - 1)

static inline cov_str cov_buf_view(const cov_buf *buf)
{
    return cov_str_of(buf->ptr, buf->len);
}

COV_END_C

#endif
