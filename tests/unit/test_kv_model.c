/* SPDX-License-Identifier: MIT */
/* Random commands: the memory store answers as a naive model does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "driver/kv/memory/memory.h"
#include "kv_compare.h"

enum { SEEDS = 12, BYTES = 40000 };

static void kv_model__replies_are_equal(void **state)
{
    char *bytes = malloc(BYTES);
    size_t commands = 0;

    (void)state;
    assert_non_null(bytes);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        cov_arena *arena = cov_arena_new(0);
        cov_str difference = COV_STR_NULL;
        fake_host f;
        size_t n;

        assert_non_null(arena);
        fake_host_init(&f);
        f.random_state = seed * 1000003;
        assert_int_equal(f.host.random(f.host.self, bytes, BYTES), COV_OK);
        n = kv_compare(&cov_memory_kv_driver, &f, cov_str_of(bytes, BYTES), arena, &difference);
        if (n == 0)
            fail_msg("seed %d: %.*s", (int)seed, COV_STR_ARG(difference));
        commands += n;
        fake_host_dispose(&f);
        cov_arena_free(arena);
    }
    free(bytes);
    assert_true(commands > (size_t)SEEDS * 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kv_model__replies_are_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
