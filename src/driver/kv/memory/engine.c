/* SPDX-License-Identifier: MIT */
/* Keys come and go. Nothing here takes longer for a large store or a large value. */
#include "driver/kv/memory/engine.h"

#include <stdlib.h>

enum {
    EXPIRED_A_CALL = 16, /* more than a call can add, so expired keys never pile up */
    AT_ONCE = 64,        /* a value with more elements is freed in parts */
    ELEMENTS_A_CALL = 64
};

void cov__kv_engine_init(kv_engine *engine, const uint64_t random[3])
{
    memset(engine, 0, sizeof *engine);
    engine->seed[0] = random[0];
    engine->seed[1] = random[1];
    engine->random = random[2] | 1;
}

static void free_dying(kv_engine *engine, size_t budget)
{
    kv_entry *entry = engine->dying;

    if (entry != NULL && cov__kv_value_free(entry->type, &entry->value, budget)) {
        engine->dying = (kv_entry *)entry->node.next;
        free(entry);
    }
}

void cov__kv_engine_dispose(kv_engine *engine)
{
    kv_entry *entry;

    while ((entry = (kv_entry *)cov__kv_table_take(&engine->keys)) != NULL) {
        (void)cov__kv_value_free(entry->type, &entry->value, SIZE_MAX);
        free(entry);
    }
    while (engine->dying != NULL)
        free_dying(engine, SIZE_MAX);
    free(engine->due.items);
}

void cov__kv_engine_begin(kv_engine *engine, int64_t now_ms)
{
    engine->now_ms = now_ms;
    for (int i = 0; i < EXPIRED_A_CALL; i++) {
        if (engine->due.len == 0 || engine->due.items[0].at_ms > now_ms)
            break;
        cov__kv_entry_delete(engine, engine->due.items[0].entry);
    }
    free_dying(engine, ELEMENTS_A_CALL);
}

kv_entry *cov__kv_lookup(kv_engine *engine, cov_str key)
{
    uint64_t hash = cov__kv_hash(engine->seed, key);
    kv_entry *entry = (kv_entry *)cov__kv_table_find(&engine->keys, key, hash);

    if (entry == NULL || !cov__kv_is_expired(engine, entry))
        return entry;
    cov__kv_entry_delete(engine, entry);
    return NULL;
}

kv_entry *cov__kv_entry_new(kv_engine *engine, cov_str key, kv_type type)
{
    kv_entry *entry = cov__kv_node_new(sizeof *entry, key, cov__kv_hash(engine->seed, key));

    if (entry != NULL)
        entry->type = type;
    return entry;
}

void cov__kv_entry_add(kv_engine *engine, kv_entry *entry)
{
    (void)cov__kv_table_put(&engine->keys, &entry->node);
}

void cov__kv_entry_free(kv_engine *engine, kv_entry *entry)
{
    if (cov__kv_value_len(entry->type, &entry->value) > AT_ONCE) {
        entry->node.next = (kv_node *)engine->dying;
        engine->dying = entry;
        return;
    }
    (void)cov__kv_value_free(entry->type, &entry->value, SIZE_MAX);
    free(entry);
}

void cov__kv_entry_delete(kv_engine *engine, kv_entry *entry)
{
    cov__kv_persist(engine, entry);
    (void)cov__kv_table_remove(&engine->keys, entry->node.key, entry->node.hash);
    cov__kv_entry_free(engine, entry);
}
