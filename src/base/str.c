/* SPDX-License-Identifier: MIT */
#include "covara/str.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool cov_str_eq_nocase(cov_str a, cov_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool cov_str_contains(cov_str haystack, cov_str needle)
{
    if (needle.len == 0)
        return true;
    if (needle.len > haystack.len)
        return false;
    for (size_t i = 0; i <= haystack.len - needle.len; i++)
        if (haystack.ptr[i] == needle.ptr[0] &&
            memcmp(haystack.ptr + i, needle.ptr, needle.len) == 0)
            return true;
    return false;
}

int cov_str_compare(cov_str a, cov_str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter != 0 ? memcmp(a.ptr, b.ptr, shorter) : 0;

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

size_t cov_str_find(cov_str s, char byte, size_t from)
{
    const char *hit = from < s.len ? memchr(s.ptr + from, byte, s.len - from) : NULL;

    return hit != NULL ? (size_t)(hit - s.ptr) : s.len;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

cov_str cov_str_trim(cov_str s)
{
    size_t from = 0;
    size_t to = s.len;

    while (from < to && is_space(s.ptr[from]))
        from++;
    while (to > from && is_space(s.ptr[to - 1]))
        to--;
    return cov_str_slice(s, from, to);
}

bool cov_str_split(cov_str *rest, char separator, cov_str *part)
{
    size_t end;

    if (rest->ptr == NULL)
        return false;
    end = cov_str_find(*rest, separator, 0);
    *part = cov_str_slice(*rest, 0, end);
    *rest = end == rest->len ? COV_STR_NULL : cov_str_slice(*rest, end + 1, rest->len);
    return true;
}
