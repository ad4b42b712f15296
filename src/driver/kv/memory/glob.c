/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: when something after a star does not match, only that star can take more bytes: an earlier one would
 * leave the later a suffix of what it has already tried. One place to return to is enough, and there is no recursion.
 */
#include "driver/kv/memory/glob.h"

/* A byte of a class, escapes resolved. */
static unsigned char class_byte(cov_str pattern, size_t *at)
{
    if (pattern.ptr[*at] == '\\' && *at + 1 < pattern.len)
        ++*at;
    return (unsigned char)pattern.ptr[(*at)++];
}

/* `*at` is after the bracket, and ends after the closing one, or at the end when there is none. */
static bool class_matches(cov_str pattern, size_t *at, unsigned char c)
{
    bool negated = *at < pattern.len && pattern.ptr[*at] == '^';
    bool found = false;

    *at += negated;
    while (*at < pattern.len && pattern.ptr[*at] != ']') {
        bool escaped = pattern.ptr[*at] == '\\' && *at + 1 < pattern.len;
        unsigned char from = class_byte(pattern, at);
        unsigned char to = from;

        if (!escaped && pattern.len - *at >= 2 && pattern.ptr[*at] == '-') {
            ++*at;
            to = (unsigned char)pattern.ptr[(*at)++];
        }
        found |= from <= to ? from <= c && c <= to : to <= c && c <= from;
    }
    if (*at < pattern.len)
        ++*at;
    return found != negated;
}

/* Whether the element of the pattern at `*at`, which is no star, matches `c`; `*at` ends after it. */
static bool element_matches(cov_str pattern, size_t *at, unsigned char c)
{
    char p = pattern.ptr[(*at)++];

    if (p == '?')
        return true;
    if (p == '[')
        return class_matches(pattern, at, c);
    if (p == '\\' && *at < pattern.len)
        p = pattern.ptr[(*at)++];
    return (unsigned char)p == c;
}

bool cov__kv_glob(cov_str pattern, cov_str text)
{
    size_t p = 0;
    size_t t = 0;
    size_t after_star = SIZE_MAX; /* none yet */
    size_t star_ends = 0;         /* where in the text that star's bytes end */

    while (t < text.len) {
        size_t next = p;

        if (p < pattern.len && pattern.ptr[p] == '*') {
            after_star = ++p;
            star_ends = t;
        } else if (p < pattern.len && element_matches(pattern, &next, (unsigned char)text.ptr[t])) {
            p = next;
            t++;
        } else if (after_star != SIZE_MAX) {
            p = after_star;
            t = ++star_ends;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}
