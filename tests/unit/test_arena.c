/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "covara/arena.h"

static void arena__aligns_every_allocation(void **state)
{
    cov_arena *arena = cov_arena_new(0);

    (void)state;
    assert_non_null(arena);
    for (size_t size = 0; size < 200; size++) {
        char *p = cov_arena_alloc(arena, size);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        memset(p, 0xA5, size);
    }
    cov_arena_free(arena);
}

static void arena__allocations_do_not_overlap(void **state)
{
    enum { COUNT = 300 };
    cov_arena *arena = cov_arena_new(0);
    unsigned char *blocks[COUNT];
    size_t sizes[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = i % 7 == 0 ? 20000 + i : i * 3 + 1;
        blocks[i] = cov_arena_alloc(arena, sizes[i]);
        assert_non_null(blocks[i]);
        memset(blocks[i], (int)(i & 0xFF), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(blocks[i][0], i & 0xFF);
        assert_int_equal(blocks[i][sizes[i] - 1], i & 0xFF);
    }
    cov_arena_free(arena);
}

static void arena__limit_counts_until_reset(void **state)
{
    cov_arena *arena = cov_arena_new(1024);
    void *p;

    (void)state;
    assert_null(cov_arena_alloc(arena, 1025));
    assert_null(cov_arena_alloc(arena, SIZE_MAX));
    p = cov_arena_alloc(arena, 1008);
    assert_non_null(p);
    p = cov_arena_alloc(arena, 16);
    assert_non_null(p);
    assert_int_equal(cov_arena_used(arena), 1024);
    assert_null(cov_arena_alloc(arena, 1));
    cov_arena_reset(arena);
    assert_int_equal(cov_arena_used(arena), 0);
    p = cov_arena_alloc(arena, 1024);
    assert_non_null(p);
    cov_arena_free(arena);
}

static void arena__calloc_refuses_overflow_and_zeroes(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    unsigned char *p;

    (void)state;
    p = cov_arena_alloc(arena, 64);
    assert_non_null(p);
    memset(p, 0xFF, 64);
    cov_arena_reset(arena);
    assert_null(cov_arena_calloc(arena, SIZE_MAX / 2 + 1, 2));
    assert_null(cov_arena_calloc(arena, SIZE_MAX, SIZE_MAX));
    p = cov_arena_calloc(arena, 8, 8);
    assert_non_null(p);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(p[i], 0);
    assert_non_null(p = cov_arena_calloc(arena, 0, 8));
    assert_non_null(p = cov_arena_calloc(arena, 8, 0));
    cov_arena_free(arena);
}

static void arena__str_is_terminated_copy(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    char original[] = "abc";
    cov_str copy = cov_arena_str(arena, cov_str_of(original, 2));

    (void)state;
    original[0] = 'X';
    assert_int_equal(copy.len, 2);
    assert_string_equal(copy.ptr, "ab");
    copy = cov_arena_str(arena, COV_STR_NULL);
    assert_int_equal(copy.len, 0);
    assert_string_equal(copy.ptr, "");
    cov_arena_free(arena);
}

static void arena__printf_measures_itself(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    cov_arena *tiny = cov_arena_new(16);
    cov_str text = cov_arena_printf(arena, "%0*d|%s", 500, 7, "end");

    (void)state;
    assert_int_equal(text.len, 504);
    assert_memory_equal(text.ptr + 499, "7|end", 6);
    text = cov_arena_printf(tiny, "%0*d", 500, 7);
    assert_null(text.ptr);
    assert_int_equal(text.len, 0);
    cov_arena_free(tiny);
    cov_arena_free(arena);
}

static void arena__free_accepts_null(void **state)
{
    (void)state;
    cov_arena_free(NULL);
}

static void arena__survives_many_resets(void **state)
{
    cov_arena *arena = cov_arena_new(0);

    (void)state;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 20; i++) {
            char *p = cov_arena_alloc(arena, (size_t)(round * 1000 + 1));

            assert_non_null(p);
            memset(p, round, (size_t)(round * 1000 + 1));
        }
        assert_true(cov_arena_used(arena) >= (size_t)round * 20000);
        cov_arena_reset(arena);
    }
    cov_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena__aligns_every_allocation),
        cmocka_unit_test(arena__allocations_do_not_overlap),
        cmocka_unit_test(arena__limit_counts_until_reset),
        cmocka_unit_test(arena__calloc_refuses_overflow_and_zeroes),
        cmocka_unit_test(arena__str_is_terminated_copy),
        cmocka_unit_test(arena__printf_measures_itself),
        cmocka_unit_test(arena__free_accepts_null),
        cmocka_unit_test(arena__survives_many_resets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
