/* SPDX-License-Identifier: MIT */
/*
 * Whatever cov_json_read accepts, cov_json_value writes as valid UTF-8 that reads back and is written to the
 * same bytes; what it refuses names a place within the text. cov_json_str writes JSON of any bytes.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_value(cov_arena *arena, cov_str text)
{
    cov_buf first = COV_BUF_INIT;
    cov_buf second = COV_BUF_INIT;
    yyjson_val *value = NULL;
    cov_error err;
    cov_status st;

    cov_error_init(&err, arena);
    st = cov_json_read(arena, text, &value, &err);
    if (st == COV_EINVAL)
        require(value == NULL && err.offset <= text.len && cov_error_detail(&err).len != 0);
    if (st != COV_OK)
        return;
    cov_json_value(&first, value);
    require(!first.failed && cov_utf8_valid(cov_buf_view(&first)));
    require(cov_json_read(arena, cov_buf_view(&first), &value, &err) == COV_OK);
    cov_json_value(&second, value);
    require(!second.failed && cov_str_eq(cov_buf_view(&first), cov_buf_view(&second)));
    cov_buf_dispose(&second);
    cov_buf_dispose(&first);
}

static void check_string(cov_arena *arena, cov_str text)
{
    cov_buf json = COV_BUF_INIT;
    yyjson_val *value = NULL;
    cov_str repaired = cov_utf8_repair(arena, text);

    cov_json_str(&json, text);
    require(!json.failed && cov_json_read(arena, cov_buf_view(&json), &value, NULL) == COV_OK);
    require(yyjson_is_str(value));
    require(cov_str_eq(repaired, cov_str_of(yyjson_get_str(value), yyjson_get_len(value))));
    cov_buf_dispose(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_arena *arena = cov_arena_new(0);
    cov_str text = cov_str_of((const char *)data, size);

    require(arena != NULL);
    check_value(arena, text);
    check_string(arena, text);
    cov_arena_free(arena);
    return 0;
}
