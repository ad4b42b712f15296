/* SPDX-License-Identifier: MIT */
#include "rsql/text_ops.h"

#include "base/utf8.h"

bool cov__value_text(const cov_value *value, char number[COV_NUM_TEXT_BYTES], cov_str *out)
{
    cov_buf digits = { number, 0, COV_NUM_TEXT_BYTES, COV_NUM_TEXT_BYTES, NULL, false };

    switch (value->type) {
    case COV_TEXT:
        *out = value->s.ptr != NULL ? value->s : COV_STR("");
        return true;
    case COV_INT:
        cov_buf_i64(&digits, value->i);
        *out = cov_buf_view(&digits);
        return true;
    case COV_REAL:
        *out = cov_str_of(number, cov_num_text(value->r, number));
        return true;
    default:
        return false;
    }
}

cov_str cov__text_lower(cov_str text, cov_buf *scratch)
{
    scratch->len = 0;
    scratch->failed = false;
    cov_utf8_lower(scratch, text);
    if (scratch->failed)
        return COV_STR_NULL;
    return scratch->len != 0 ? cov_buf_view(scratch) : COV_STR("");
}

static bool contains(cov_str text, cov_str needle)
{
    const char *at = text.ptr;
    size_t left;

    if (needle.len == 0)
        return true;
    if (needle.len > text.len)
        return false;
    left = text.len - needle.len + 1; /* places where it may begin */
    for (;;) {
        const char *hit = memchr(at, needle.ptr[0], left);

        if (hit == NULL)
            return false;
        if (memcmp(hit, needle.ptr, needle.len) == 0)
            return true;
        left -= (size_t)(hit - at) + 1;
        at = hit + 1;
        if (left == 0)
            return false;
    }
}

static bool ends(cov_str text, cov_str suffix)
{
    return text.len >= suffix.len &&
           cov_str_eq(cov_str_slice(text, text.len - suffix.len, text.len), suffix);
}

/* An ASCII byte that stands for itself in a pattern. */
static bool is_plain(char c)
{
    return (unsigned char)c < 0x80 && c != '%' && c != '_' && c != '\\';
}

/* One pattern element other than % against one code point; advances both only on a match. */
static bool like_one(cov_str pattern, size_t *p, cov_str text, size_t *t)
{
    size_t from = *p;
    size_t p_end;
    size_t t_end = *t;

    cov_utf8_next(text, &t_end);
    if (pattern.ptr[from] == '_') {
        *p = from + 1;
        *t = t_end;
        return true;
    }
    if (pattern.ptr[from] == '\\' && from + 1 < pattern.len)
        from++;
    p_end = from;
    cov_utf8_next(pattern, &p_end);
    if (!cov_str_eq(cov_str_slice(pattern, from, p_end), cov_str_slice(text, *t, t_end)))
        return false;
    *p = p_end;
    *t = t_end;
    return true;
}

/* As far as both go together before the next %. */
static void like_run(cov_str pattern, size_t *p, cov_str text, size_t *t)
{
    while (*p < pattern.len && *t < text.len && pattern.ptr[*p] != '%') {
        if (is_plain(pattern.ptr[*p])) {
            if (pattern.ptr[*p] != text.ptr[*t])
                return;
            ++*p;
            ++*t;
        } else if (!like_one(pattern, p, text, t)) {
            return;
        }
    }
}

/* Where the part of the pattern at `p` may begin, at or after `t`. An ASCII byte is always a code point. */
static size_t like_candidate(cov_str pattern, size_t p, cov_str text, size_t t)
{
    return p < pattern.len && is_plain(pattern.ptr[p]) ? cov_str_find(text, pattern.ptr[p], t) : t;
}

/*
 * Two positions and the last %: on a mismatch only that % takes one more code point, never an earlier one,
 * because what lies between two %s may as well match as early as it can. So the work is bounded by the
 * product of the lengths.
 */
static bool like(cov_str pattern, cov_str text)
{
    size_t p = 0;
    size_t t = 0;
    size_t after_star = SIZE_MAX;
    size_t star_text = 0;

    for (;;) {
        like_run(pattern, &p, text, &t);
        if (p < pattern.len && pattern.ptr[p] == '%') {
            after_star = ++p;
            star_text = t;
        } else if (t == text.len) {
            return p == pattern.len;
        } else if (after_star == SIZE_MAX) {
            return false;
        } else {
            cov_utf8_next(text, &star_text);
        }
        if (after_star == pattern.len)
            return true;
        p = after_star;
        t = star_text = like_candidate(pattern, p, text, star_text);
    }
}

bool cov__text_match(cov__match match, bool icase, cov_str operand, cov_str text, cov_buf *scratch)
{
    if (icase) {
        text = cov__text_lower(text, scratch);
        if (text.ptr == NULL)
            return false;
    }
    switch (match) {
    case COV__LIKE:
        return like(operand, text);
    case COV__CONTAINS:
        return contains(text, operand);
    case COV__STARTS:
        return cov_str_starts(text, operand);
    case COV__ENDS:
        return ends(text, operand);
    case COV__SAME:
        return cov_str_eq(text, operand);
    case COV__REGEX:
        break;
    }
    return false;
}
