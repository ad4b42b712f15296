/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/map.h"

static void map__hash_is_fnv_1a(void **state)
{
    (void)state;
    assert_true(cov_hash(COV_STR("")) == UINT64_C(0xcbf29ce484222325));
    assert_true(cov_hash(COV_STR("a")) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(cov_hash(COV_STR("foobar")) == UINT64_C(0x85944171f73967e8));
}

static void map__finds_what_was_put(void **state)
{
    cov_arena *arena = cov_arena_new(0);
    int one = 1;
    int two = 2;
    cov_map map;

    (void)state;
    assert_true(cov_map_init(&map, arena, 0));
    assert_null(cov_map_get(&map, COV_STR("a")));
    assert_true(cov_map_put(&map, COV_STR("a"), &one));
    assert_true(cov_map_put(&map, COV_STR(""), &two));
    assert_ptr_equal(cov_map_get(&map, COV_STR("a")), &one);
    assert_ptr_equal(cov_map_get(&map, COV_STR_NULL), &two);
    assert_null(cov_map_get(&map, COV_STR("A")));
    assert_int_equal(map.len, 2);
    assert_true(cov_map_put(&map, COV_STR("a"), &two));
    assert_int_equal(map.len, 2);
    assert_ptr_equal(cov_map_get(&map, COV_STR("a")), &two);
    cov_arena_free(arena);
}

static void map__grows_and_keeps_everything(void **state)
{
    enum { COUNT = 5000 };
    static char keys[COUNT][8];
    cov_arena *arena = cov_arena_new(0);
    cov_map map;

    (void)state;
    assert_true(cov_map_init(&map, arena, 1));
    for (size_t i = 0; i < COUNT; i++) {
        int len = snprintf(keys[i], sizeof keys[i], "k%zu", i);

        assert_true(cov_map_put(&map, cov_str_of(keys[i], (size_t)len), keys[i]));
        assert_int_equal(map.len, i + 1);
        assert_true(map.len < map.cap);
    }
    for (size_t i = 0; i < COUNT; i++)
        assert_ptr_equal(cov_map_get(&map, cov_str_from(keys[i])), keys[i]);
    assert_null(cov_map_get(&map, COV_STR("k5000")));
    assert_int_equal(map.cap & (map.cap - 1), 0);
    cov_arena_free(arena);
}

static void map__room_for_the_expected_keys(void **state)
{
    (void)state;
    for (size_t expected = 0; expected < 100; expected++) {
        static char keys[100][4];
        cov_arena *arena = cov_arena_new(0);
        cov_map map;
        size_t cap;

        assert_true(cov_map_init(&map, arena, expected));
        cap = map.cap;
        for (size_t i = 0; i < expected; i++) {
            snprintf(keys[i], sizeof keys[i], "%zu", i % 100);
            assert_true(cov_map_put(&map, cov_str_from(keys[i]), keys[i]));
        }
        assert_int_equal(map.cap, cap);
        cov_arena_free(arena);
    }
}

static void map__reports_out_of_memory_and_stays_usable(void **state)
{
    static const char keys[][3] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
    cov_arena *arena = cov_arena_new(8 * sizeof(cov_map_slot));
    int value = 1;
    size_t put = 0;
    cov_map map;

    (void)state;
    assert_false(cov_map_init(&map, arena, SIZE_MAX));
    assert_false(cov_map_init(&map, arena, 100));
    assert_true(cov_map_init(&map, arena, 4));
    while (put < COV_COUNT_OF(keys) && cov_map_put(&map, cov_str_from(keys[put]), &value))
        put++;
    assert_in_range(put, 4, 8);
    for (size_t i = 0; i < put; i++)
        assert_ptr_equal(cov_map_get(&map, cov_str_from(keys[i])), &value);
    assert_null(cov_map_get(&map, cov_str_from(keys[put])));
    assert_true(cov_map_put(&map, COV_STR("a"), &put));
    assert_ptr_equal(cov_map_get(&map, COV_STR("a")), &put);
    cov_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map__hash_is_fnv_1a),
        cmocka_unit_test(map__finds_what_was_put),
        cmocka_unit_test(map__grows_and_keeps_everything),
        cmocka_unit_test(map__room_for_the_expected_keys),
        cmocka_unit_test(map__reports_out_of_memory_and_stays_usable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
