/* SPDX-License-Identifier: MIT */
/* What replies cannot show: expired keys and large values are really freed, a little in each call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "driver/kv/memory/engine.h"

enum { KEYS = 2000 };

static kv_entry *add(kv_engine *engine, int number)
{
    char name[16];
    cov_str key = cov_str_of(name, (size_t)snprintf(name, sizeof name, "k%d", number));
    kv_entry *entry = cov__kv_entry_new(engine, key, KV_SET);

    assert_non_null(entry);
    cov__kv_entry_add(engine, entry);
    return entry;
}

static void assert_heap(const kv_engine *engine)
{
    for (size_t i = 0; i < engine->due.len; i++) {
        assert_ptr_equal(engine->due.items[engine->due.items[i].entry->due_at - 1].entry,
                         engine->due.items[i].entry);
        assert_true(engine->due.items[i].at_ms == engine->due.items[i].entry->expires_at_ms);
        assert_true(engine->due.items[i].at_ms >= engine->due.items[i > 0 ? (i - 1) / 4 : 0].at_ms);
    }
}

static void kv_engine__due_keys_go_in_order(void **state)
{
    const uint64_t random[3] = { 1, 2, 3 };
    kv_entry *entries[KEYS];
    kv_engine engine;
    unsigned r = 1;
    size_t left;

    (void)state;
    cov__kv_engine_init(&engine, random);
    for (int i = 0; i < KEYS; i++)
        entries[i] = add(&engine, i);
    for (int i = 0; i < KEYS * 3; i++) {
        r = r * 1664525 + 1013904223;
        if (r >> 28 == 0) {
            cov__kv_persist(&engine, entries[i % KEYS]);
        } else {
            assert_true(cov__kv_expire_reserve(&engine));
            cov__kv_expire_at(&engine, entries[i % KEYS], 1 + (r >> 8) % 1000);
        }
        if (i % 64 == 0)
            assert_heap(&engine);
    }
    left = KEYS - engine.due.len;
    assert_true(left > 0 && left < KEYS / 4);
    for (int64_t now = 1; now <= 1000; now++) {
        cov__kv_engine_begin(&engine, now);
        for (size_t i = 0; i < engine.due.len; i++)
            assert_true(engine.due.items[i].at_ms > now);
    }
    assert_int_equal(engine.due.len, 0);
    assert_int_equal(engine.keys.len, left);
    cov__kv_engine_dispose(&engine);
}

static void kv_engine__a_call_removes_a_few(void **state)
{
    const uint64_t random[3] = { 1, 2, 3 };
    kv_engine engine;

    (void)state;
    cov__kv_engine_init(&engine, random);
    for (int i = 0; i < KEYS; i++) {
        kv_entry *entry = add(&engine, i);

        assert_true(cov__kv_expire_reserve(&engine));
        cov__kv_expire_at(&engine, entry, 5);
    }
    cov__kv_engine_begin(&engine, 5);
    assert_int_equal(engine.keys.len, KEYS - 16);
    for (int i = 0; i < KEYS / 16; i++)
        cov__kv_engine_begin(&engine, 5);
    assert_int_equal(engine.keys.len, 0);
    cov__kv_engine_dispose(&engine);
}

static void kv_engine__large_values_are_freed_in_parts(void **state)
{
    const uint64_t random[3] = { 1, 2, 3 };
    kv_engine engine;
    kv_entry *entry;
    int calls = 0;

    (void)state;
    cov__kv_engine_init(&engine, random);
    entry = add(&engine, 0);
    for (uint64_t i = 0; i < KEYS; i++) {
        kv_node *node = cov__kv_node_new(sizeof *node, cov_str_of((char *)&i, sizeof i), i * 77);

        assert_non_null(node);
        assert_null(cov__kv_table_put(&entry->value.set, node));
    }
    cov__kv_entry_delete(&engine, entry);
    assert_int_equal(engine.keys.len, 0);
    for (; engine.dying != NULL; calls++)
        cov__kv_engine_begin(&engine, 0);
    assert_in_range(calls, KEYS / 64, KEYS / 64 + 2);
    cov__kv_engine_dispose(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kv_engine__due_keys_go_in_order),
        cmocka_unit_test(kv_engine__a_call_removes_a_few),
        cmocka_unit_test(kv_engine__large_values_are_freed_in_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
