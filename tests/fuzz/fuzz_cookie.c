/* SPDX-License-Identifier: MIT */
/*
 * The first line is a cookie's name, the second its value, the rest a Cookie header. Any header is parsed. What can be
 * set as Set-Cookie is one line, has its attributes after the first semicolon, and comes back from a browser that sends
 * it as it stands.
 */
#include <stdlib.h>

#include "auth/cookie.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_header(cov_arena *arena, cov_str header, cov_str name)
{
    cov_header headers[] = { { COV_STR("Cookie"), header }, { COV_STR("cookie"), header } };
    cov_request req = { .headers = headers, .n_headers = 2 };
    cov_str value = cov_cookie_get(arena, &req, name);

    require(value.len <= header.len);
    if (value.ptr != NULL)
        require(cov_utf8_valid(value));
}

static void check_line(cov_str text)
{
    for (size_t i = 0; i < text.len; i++)
        require((unsigned char)text.ptr[i] >= ' ' && text.ptr[i] != 0x7F);
}

static void check_set(cov_arena *arena, cov_str name, cov_str value, cov_str domain)
{
    cov_cookie_config config = { .path = COV_STR("/"), .domain = domain, .max_age_s = 5 };
    cov_cookie cookie = cov_cookie_of(&config, name, true);
    cov_header header = { COV_STR("Cookie"), COV_STR_NULL };
    cov_request req = { .headers = &header, .n_headers = 1 };
    cov_str text;

    cookie.value = value;
    if (cov_cookie_set(arena, &cookie, 0, &text, NULL) != COV_OK)
        return;
    check_line(text);
    header.value = cov_str_slice(text, 0, cov_str_find(text, ';', 0));
    if (cov_utf8_valid(value))
        require(cov_str_eq(cov_cookie_get(arena, &req, name), value));
    require(cov_cookie_clear(arena, &cookie, &text, NULL) == COV_OK);
    check_line(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_arena *arena = cov_arena_new(0);
    cov_str rest = cov_str_of((const char *)data, size);
    cov_str name = COV_STR_NULL;
    cov_str value = COV_STR_NULL;

    require(arena != NULL);
    (void)(cov_str_split(&rest, '\n', &name) && cov_str_split(&rest, '\n', &value));
    check_header(arena, rest, name);
    check_set(arena, name, value, rest);
    cov_arena_free(arena);
    return 0;
}
