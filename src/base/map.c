/* SPDX-License-Identifier: MIT */
#include "base/map.h"

/*
 * DESIGN: linear probing in a power-of-two table at most three quarters full, so that a probe always meets
 * an empty slot (value NULL). Nothing is ever removed. The old table stays in the arena when it grows.
 */
enum { MIN_CAP = 8 };

uint64_t cov_hash(cov_str s)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * UINT64_C(1099511628211);
    return hash;
}

static bool is_full(size_t len, size_t cap)
{
    return len >= cap - cap / 4;
}

/* The slot of `key`, or the empty one where it belongs. */
static cov_map_slot *slot_of(cov_map_slot *slots, size_t cap, cov_str key)
{
    uint64_t hash = cov_hash(key);
    /* FNV's high bits are the better mixed ones. */
    size_t at = (size_t)(hash ^ hash >> 32) & (cap - 1);

    while (slots[at].value != NULL && !cov_str_eq(slots[at].key, key))
        at = (at + 1) & (cap - 1);
    return &slots[at];
}

bool cov_map_init(cov_map *map, cov_arena *arena, size_t expected)
{
    size_t cap = MIN_CAP;

    while (is_full(expected, cap)) {
        if (cap > SIZE_MAX / 2)
            return false;
        cap *= 2;
    }
    map->arena = arena;
    map->cap = cap;
    map->len = 0;
    map->slots = COV_NEW_ARRAY(arena, cov_map_slot, cap);
    return map->slots != NULL;
}

static bool grow(cov_map *map)
{
    size_t cap = map->cap * 2;
    cov_map_slot *slots =
        map->cap <= SIZE_MAX / 2 ? COV_NEW_ARRAY(map->arena, cov_map_slot, cap) : NULL;

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < map->cap; i++)
        if (map->slots[i].value != NULL)
            *slot_of(slots, cap, map->slots[i].key) = map->slots[i];
    map->slots = slots;
    map->cap = cap;
    return true;
}

bool cov_map_put(cov_map *map, cov_str key, void *value)
{
    cov_map_slot *slot = slot_of(map->slots, map->cap, key);

    if (slot->value == NULL) {
        if (is_full(map->len + 1, map->cap)) {
            if (!grow(map))
                return false;
            slot = slot_of(map->slots, map->cap, key);
        }
        slot->key = key;
        map->len++;
    }
    slot->value = value;
    return true;
}

void *cov_map_get(const cov_map *map, cov_str key)
{
    return map->len != 0 ? slot_of(map->slots, map->cap, key)->value : NULL;
}
