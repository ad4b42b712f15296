/* SPDX-License-Identifier: MIT */
#include "auth/cache.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/map.h"

enum { WAYS = 4, MAX_ENTRY_BYTES = 16 * 1024 };

typedef struct entry {
    uint64_t hash;
    uint64_t epoch;
    int64_t at_us;
    size_t key_len;
    size_t value_len;
    char bytes[]; /* key, value */
} entry;

struct cov_cache {
    const cov_host *host;
    void *lock;
    _Atomic uint64_t epoch;
    size_t n_sets; /* a power of two */
    entry *sets[][WAYS];
};

cov_cache *cov_cache_new(const cov_host *host, size_t capacity)
{
    size_t n_sets = 1;
    cov_cache *cache;

    while (n_sets * WAYS < capacity)
        n_sets *= 2;
    cache = calloc(1, sizeof *cache + n_sets * sizeof cache->sets[0]);
    if (cache == NULL)
        return NULL;
    cache->host = host;
    cache->n_sets = n_sets;
    atomic_init(&cache->epoch, 1);
    if (host->lock_new != NULL && (cache->lock = host->lock_new(host->self)) == NULL) {
        free(cache);
        return NULL;
    }
    return cache;
}

void cov_cache_free(cov_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < cache->n_sets; i++)
        for (size_t way = 0; way < WAYS; way++)
            free(cache->sets[i][way]);
    if (cache->lock != NULL)
        cache->host->lock_free(cache->host->self, cache->lock);
    free(cache);
}

uint64_t cov_cache_epoch(const cov_cache *cache)
{
    return atomic_load(&cache->epoch);
}

void cov_cache_forget_all(cov_cache *cache)
{
    atomic_fetch_add(&cache->epoch, 1);
}

static int64_t now_us(const cov_cache *cache)
{
    return cache->host->monotonic_us(cache->host->self);
}

static bool same_key(const entry *e, uint64_t hash, cov_str key)
{
    return e != NULL && e->hash == hash && e->key_len == key.len &&
           memcmp(e->bytes, key.ptr, key.len) == 0;
}

/* Under the lock. */
static const entry *find(const cov_cache *cache, cov_str key, int64_t max_age_us)
{
    uint64_t hash = cov_hash(key);
    entry *const *set = cache->sets[hash & (cache->n_sets - 1)];

    for (size_t way = 0; key.len != 0 && way < WAYS; way++)
        if (same_key(set[way], hash, key) && set[way]->epoch == atomic_load(&cache->epoch) &&
            now_us(cache) - set[way]->at_us <= max_age_us)
            return set[way];
    return NULL;
}

bool cov_cache_get(cov_cache *cache, cov_str key, int64_t max_age_us, cov_arena *arena,
                   cov_str *value)
{
    const entry *e;

    *value = COV_STR_NULL;
    cov_host_lock(cache->host, cache->lock);
    e = find(cache, key, max_age_us);
    if (e != NULL)
        *value = cov_arena_str(arena, cov_str_of(e->bytes + e->key_len, e->value_len));
    cov_host_unlock(cache->host, cache->lock);
    return value->ptr != NULL;
}

bool cov_cache_has(cov_cache *cache, cov_str key, int64_t max_age_us)
{
    bool found;

    cov_host_lock(cache->host, cache->lock);
    found = find(cache, key, max_age_us) != NULL;
    cov_host_unlock(cache->host, cache->lock);
    return found;
}

static entry *entry_new(const cov_cache *cache, cov_str key, cov_str value, uint64_t epoch)
{
    entry *e;

    if (key.len == 0 || key.len > MAX_ENTRY_BYTES || value.len > MAX_ENTRY_BYTES)
        return NULL;
    e = malloc(sizeof *e + key.len + value.len);
    if (e == NULL)
        return NULL;
    e->hash = cov_hash(key);
    e->epoch = epoch;
    e->at_us = now_us(cache);
    e->key_len = key.len;
    e->value_len = value.len;
    memcpy(e->bytes, key.ptr, key.len);
    if (value.len != 0)
        memcpy(e->bytes + key.len, value.ptr, value.len);
    return e;
}

/* The way of the same key, of a free place, or of what is oldest. */
static size_t place(entry *const *set, const entry *fresh)
{
    cov_str key = cov_str_of(fresh->bytes, fresh->key_len);
    size_t oldest = 0;

    for (size_t way = 0; way < WAYS; way++)
        if (same_key(set[way], fresh->hash, key))
            return way;
    for (size_t way = 0; way < WAYS; way++) {
        if (set[way] == NULL)
            return way;
        if (set[way]->at_us < set[oldest]->at_us)
            oldest = way;
    }
    return oldest;
}

void cov_cache_put(cov_cache *cache, cov_str key, cov_str value, uint64_t epoch)
{
    entry *fresh = entry_new(cache, key, value, epoch);
    entry **set;
    size_t way;
    entry *old;

    if (fresh == NULL)
        return;
    set = cache->sets[fresh->hash & (cache->n_sets - 1)];
    cov_host_lock(cache->host, cache->lock);
    way = place(set, fresh);
    old = set[way];
    set[way] = fresh;
    cov_host_unlock(cache->host, cache->lock);
    free(old);
}
