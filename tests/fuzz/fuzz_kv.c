/* SPDX-License-Identifier: MIT */
/* Whatever commands arrive, the memory store answers as the naive model does, and frees all it had. */
#include <stdio.h>
#include <stdlib.h>

#include "driver/kv/memory/memory.h"
#include "kv_compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_arena *arena = cov_arena_new(0);
    cov_str difference = COV_STR_NULL;
    fake_host f;

    if (arena == NULL)
        abort();
    fake_host_init(&f);
    if (size != 0 &&
        kv_compare(&cov_memory_kv_driver, &f, cov_str_of((const char *)data, size), arena,
                   &difference) == 0 &&
        size > 1) {
        fprintf(stderr, "%.*s\n", COV_STR_ARG(difference));
        abort();
    }
    fake_host_dispose(&f);
    cov_arena_free(arena);
    return 0;
}
