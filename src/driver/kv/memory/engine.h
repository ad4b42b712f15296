/* SPDX-License-Identifier: MIT */
/*
 * kv/memory/engine.h - the keyspace: keys, their values and when they end. Whoever stores it elsewhere reads it here.
 *
 * Threads: whoever calls holds the lock of the store. Time stands still within a call: `now_ms`, which
 * cov__kv_engine_begin sets.
 */
#ifndef COV_KV_MEMORY_ENGINE_H
#define COV_KV_MEMORY_ENGINE_H

#include "driver/kv/memory/value.h"

typedef struct kv_entry {
    kv_node node;
    kv_value value;
    int64_t expires_at_ms; /* while due_at is not 0 */
    size_t due_at;         /* place in the heap plus one; 0: it does not expire */
    kv_type type;
} kv_entry;

typedef struct kv_due {
    int64_t at_ms;
    kv_entry *entry;
} kv_due;

/* Every entry that expires, the earliest first. */
typedef struct kv_heap {
    kv_due *items;
    size_t len;
    size_t cap;
} kv_heap;

typedef struct kv_engine {
    kv_table
        keys; /* kv_entry; none that is expired may be seen: cov__kv_lookup, cov__kv_is_expired */
    kv_heap due;
    kv_entry *dying; /* large values that are gone and are freed a little in each call */
    uint64_t seed[2];
    uint64_t random; /* never 0 */
    int64_t now_ms;
} kv_engine;

/* `random`: three words of random bits. */
void cov__kv_engine_init(kv_engine *engine, const uint64_t random[3]);
void cov__kv_engine_dispose(kv_engine *engine);
/* The start of each call: the time, and some of what has expired is removed. */
void cov__kv_engine_begin(kv_engine *engine, int64_t now_ms);

static inline bool cov__kv_is_expired(const kv_engine *engine, const kv_entry *entry)
{
    return entry->due_at != 0 && entry->expires_at_ms <= engine->now_ms;
}

/* NULL when absent or expired. */
kv_entry *cov__kv_lookup(kv_engine *engine, cov_str key);
/* An entry without elements that is not in the keyspace; NULL: out of memory. */
COV_CHECK kv_entry *cov__kv_entry_new(kv_engine *engine, cov_str key, kv_type type);
/* Into the keyspace, which has no such key. */
void cov__kv_entry_add(kv_engine *engine, kv_entry *entry);
/* Out of the keyspace, and freed. */
void cov__kv_entry_delete(kv_engine *engine, kv_entry *entry);
/* Free an entry that is not in the keyspace. */
void cov__kv_entry_free(kv_engine *engine, kv_entry *entry);

/* ---- expiry.c ---- */

/* Room for one more entry that expires, so that cov__kv_expire_at cannot fail. */
COV_CHECK bool cov__kv_expire_reserve(kv_engine *engine);
void cov__kv_expire_at(kv_engine *engine, kv_entry *entry, int64_t at_ms);
void cov__kv_persist(kv_engine *engine, kv_entry *entry);

#endif
