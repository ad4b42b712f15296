/* SPDX-License-Identifier: MIT */
/* base/map.h - text to pointer, open addressing, in an arena; for tables built once and read often. */
#ifndef COV_BASE_MAP_H
#define COV_BASE_MAP_H

#include "covara/arena.h"

typedef struct cov_map_slot {
    cov_str key;
    void *value;
} cov_map_slot;

typedef struct cov_map {
    cov_arena *arena;
    cov_map_slot *slots;
    size_t cap; /* a power of two */
    size_t len;
} cov_map;

/* Room for `expected` keys; grows by itself. */
COV_CHECK bool cov_map_init(cov_map *map, cov_arena *arena, size_t expected);
/* Keys are borrowed. Replaces an equal key. False: out of memory. `value` is not NULL. */
COV_CHECK bool cov_map_put(cov_map *map, cov_str key, void *value);
/* NULL when absent. */
void *cov_map_get(const cov_map *map, cov_str key);
/* FNV-1a of the bytes. */
uint64_t cov_hash(cov_str s);

#endif
