/* SPDX-License-Identifier: MIT */
/* Any text is either a configuration or an error with a place; the environment answers some names. */
#include <stdlib.h>

#include "app/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool fake_env(void *self, cov_str name, cov_str *value)
{
    (void)self;
    *value = COV_STR("value\"\n${X}");
    return name.len % 2 == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const cov_host host = { .abi = COV_HOST_ABI, .env = fake_env };
    cov_arena *arena = cov_arena_new(0);
    const cov_config *config = NULL;
    cov_error err;
    cov_status st;

    if (arena == NULL)
        abort();
    cov_error_init(&err, arena);
    st = cov_config_parse(arena, &host, COV_STR("fuzz"), cov_str_of((const char *)data, size),
                          &config, &err);
    if (st == COV_OK ? config == NULL : cov_error_detail(&err).len == 0)
        abort();
    if (st == COV_EINVAL && !cov_str_starts(cov_error_detail(&err), COV_STR("fuzz:")))
        abort();
    cov_arena_free(arena);
    return 0;
}
