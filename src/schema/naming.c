/* SPDX-License-Identifier: MIT */
/* SQL names to JSON names. Only ASCII letters change, so the answer never depends on a locale. */
#include "schema/schema.h"

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static char to_upper(char c)
{
    return is_lower(c) ? (char)(c - ('a' - 'A')) : c;
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* CREATED_AT: the upper case is the name's style, not a word boundary. */
static bool is_shouted(cov_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (is_lower(name.ptr[i]))
            return false;
    return true;
}

cov_str cov_camel_case(cov_arena *arena, cov_str name)
{
    size_t from = 0;
    size_t to = name.len;
    cov_str copy = cov_arena_str(arena, name);
    cov_buf out = COV_BUF_IN(arena);
    bool shouted = is_shouted(name);
    bool boundary = false;

    while (from < name.len && name.ptr[from] == '_')
        from++;
    while (to > from && name.ptr[to - 1] == '_')
        to--;
    if (copy.ptr == NULL || cov_str_find(cov_str_slice(name, 0, to), '_', from) == to)
        return copy;
    cov_buf_str(&out, cov_str_slice(name, 0, from));
    for (size_t i = from; i < to; i++) {
        char c = name.ptr[i];

        if (c == '_') {
            boundary = true;
            continue;
        }
        c = boundary ? to_upper(c) : shouted ? to_lower(c) : c;
        cov_buf_char(&out, c);
        boundary = false;
    }
    cov_buf_str(&out, cov_str_slice(name, to, name.len));
    return out.failed ? COV_STR_NULL : cov_buf_view(&out);
}
