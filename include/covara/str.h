/* SPDX-License-Identifier: MIT */
/*
 * covara/str.h - text as pointer and length.
 *
 * A cov_str is a borrowed view: UTF-8 unless stated otherwise, not terminated, never freed through
 * this type. The empty string may have a NULL pointer.
 */
#ifndef COVARA_STR_H
#define COVARA_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "covara/compiler.h"

typedef struct cov_str {
    const char *ptr;
    size_t len; /* bytes */
} cov_str;

/* A view of a string literal; COV_STR_INIT is for static initialisers. */
#define COV_STR_INIT(literal)           \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }
#define COV_STR(literal) cov_str_of("" literal, sizeof(literal) - 1)
#define COV_STR_NULL cov_str_of(NULL, 0)

/* printf("%.*s", COV_STR_ARG(s)) */
#define COV_STR_ARG(s) (int)(s).len, ((s).ptr != NULL ? (s).ptr : "")

static inline cov_str cov_str_of(const char *ptr, size_t len)
{
    cov_str s;
    s.ptr = ptr;
    s.len = len;
    return s;
}

static inline cov_str cov_str_from(const char *terminated)
{
    return cov_str_of(terminated, terminated != NULL ? strlen(terminated) : 0);
}

static inline bool cov_str_eq(cov_str a, cov_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool cov_str_starts(cov_str s, cov_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* The bytes [from, to) of `s`; both are clamped to its length. */
static inline cov_str cov_str_slice(cov_str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return cov_str_of(s.ptr != NULL ? s.ptr + from : NULL, to - from);
}

COV_BEGIN_C
/* ASCII only, so that the answer never depends on a locale. */
bool cov_str_eq_nocase(cov_str a, cov_str b);
bool cov_str_contains(cov_str haystack, cov_str needle);
/* Byte order; a prefix sorts first. Returns <0, 0, >0. */
int cov_str_compare(cov_str a, cov_str b);
/* Index of the first `byte` at or after `from`, or s.len. */
size_t cov_str_find(cov_str s, char byte, size_t from);
/* Without leading and trailing space, tab, CR, LF, FF, VT. */
cov_str cov_str_trim(cov_str s);
/*
 * Take the next part of `*rest` up to `separator` and advance past it.
 * Returns false when nothing is left, which a NULL ptr marks. "a,,b" gives "a", "", "b"; "" gives "".
 */
bool cov_str_split(cov_str *rest, char separator, cov_str *part);
COV_END_C

#endif
