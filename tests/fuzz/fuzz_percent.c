/* SPDX-License-Identifier: MIT */
/* The decoders and UTF-8 walkers on any bytes: lengths, validity, and what encodes must decode to itself. */
#include <stdlib.h>

#include "base/encode.h"
#include "base/num.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_percent(cov_arena *arena, cov_str text)
{
    cov_str query = cov_percent_decode(arena, text, true);
    cov_str path = cov_percent_decode(arena, text, false);

    require(query.ptr != NULL && query.len <= text.len && path.len == query.len);
    /* Only raw bytes of the input can leave the result invalid. */
    if (cov_utf8_valid(text))
        require(cov_utf8_valid(query) && cov_utf8_valid(path));
}

static void check_base64(cov_str text)
{
    cov_buf encoded = COV_BUF_INIT;
    cov_buf decoded = COV_BUF_INIT;

    if (cov_base64_decode(&decoded, text))
        require(decoded.len <= text.len / 4 * 3 + 2);
    else
        require(decoded.len == 0);
    cov_buf_clear(&decoded, SIZE_MAX);
    cov_base64url(&encoded, text);
    require(cov_base64_decode(&decoded, cov_buf_view(&encoded)));
    require(cov_str_eq(cov_buf_view(&decoded), text));
    cov_buf_dispose(&decoded);
    cov_buf_dispose(&encoded);
}

static void check_utf8(cov_arena *arena, cov_str text)
{
    cov_str repaired = cov_utf8_repair(arena, text);
    cov_buf lower = COV_BUF_INIT;
    cov_buf again = COV_BUF_INIT;

    require(repaired.ptr != NULL && cov_utf8_valid(repaired));
    require(cov_utf8_count(repaired) == cov_utf8_count(text));
    require(cov_utf8_valid(text) == cov_str_eq(repaired, text));
    cov_utf8_lower(&lower, text);
    require(cov_utf8_valid(cov_buf_view(&lower)));
    require(cov_utf8_count(cov_buf_view(&lower)) == cov_utf8_count(text));
    cov_utf8_lower(&again, cov_buf_view(&lower));
    require(cov_str_eq(cov_buf_view(&again), cov_buf_view(&lower)));
    cov_buf_dispose(&again);
    cov_buf_dispose(&lower);
}

static void check_numbers(cov_str text)
{
    int64_t whole = 0;
    double value = 0;

    if (cov_parse_i64(text, &whole))
        require(cov_parse_double(text, &value) && value == (double)whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_arena *arena = cov_arena_new(0);
    cov_str text = cov_str_of((const char *)data, size);

    require(arena != NULL);
    check_percent(arena, text);
    check_base64(text);
    check_utf8(arena, text);
    check_numbers(text);
    cov_arena_free(arena);
    return 0;
}
