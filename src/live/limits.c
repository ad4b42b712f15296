/* SPDX-License-Identifier: MIT */
#include "live/limits.h"

#include <stdlib.h>

#include "base/map.h"

struct cov_slot {
    cov_link link;
    const cov_resource *resource;
    cov_slot_kind kind;
    int64_t n;
    size_t len;
    char who[];
};

static cov_slot *slot_of(cov_link *link)
{
    return (cov_slot *)(void *)link;
}

static bool is_slot(const cov_slot *slot, const cov_resource *resource, cov_slot_kind kind,
                    cov_str who)
{
    return slot->resource == resource && slot->kind == kind &&
           cov_str_eq(cov_str_of(slot->who, slot->len), who);
}

static uint64_t hash_of(const cov_resource *resource, cov_slot_kind kind, cov_str who)
{
    return cov_hash(who) * 31 + (uint64_t)kind + ((uint64_t)(uintptr_t)resource >> 4);
}

/* Found or made, with the lock held; NULL: out of memory. */
static cov_slot *ensure(cov_limits *limits, const cov_resource *resource, cov_slot_kind kind,
                        cov_str who)
{
    uint64_t hash = hash_of(resource, kind, who);
    cov_slot *slot;

    for (cov_link *l = cov_links_first(&limits->slots, hash); l != NULL; l = cov_links_next(l))
        if (is_slot(slot_of(l), resource, kind, who))
            return slot_of(l);
    slot = who.len <= SIZE_MAX / 2 ? calloc(1, sizeof *slot + who.len) : NULL;
    if (slot == NULL)
        return NULL;
    slot->resource = resource;
    slot->kind = kind;
    slot->len = who.len;
    if (who.len != 0)
        memcpy(slot->who, who.ptr, who.len);
    if (cov_links_add(&limits->slots, &slot->link, hash))
        return slot;
    free(slot);
    return NULL;
}

static void give_back(cov_limits *limits, cov_slot **slots)
{
    for (int kind = 0; kind < COV_N_SLOTS; kind++) {
        cov_slot *slot = slots[kind];

        slots[kind] = NULL;
        if (slot == NULL || --slot->n > 0)
            continue;
        cov_links_remove(&limits->slots, &slot->link);
        free(slot);
    }
}

/* A counter that refuses holds at least one more, so only a new one has to be thrown away again. */
static cov_status take_one(cov_limits *limits, const cov_resource *resource, cov_slot_kind kind,
                           cov_str who, int64_t most, cov_slot **out, cov_error *err)
{
    static const char *const of[] = { " per user", " per IP", "" };
    cov_slot *slot = ensure(limits, resource, kind, who);

    if (slot == NULL)
        return cov_fail_nomem(err);
    slot->n++;
    *out = slot;
    if (slot->n <= most)
        return COV_OK;
    return cov_fail(err, COV_EBUSY, "Maximum %lld subscriptions%s", (long long)most, of[kind]);
}

cov_status cov_limits_take(cov_limits *limits, const cov_resource *resource, cov_str user_id,
                           cov_str address, cov_slot **slots, cov_error *err)
{
    const cov_sse_config *sse = &cov_follow_config(resource)->sse;
    int64_t total = sse->max_total > 0 ? sse->max_total : INT64_MAX;
    cov_status st = COV_OK;

    memset(slots, 0, COV_N_SLOTS * sizeof *slots);
    cov_host_lock(limits->host, limits->lock);
    if (user_id.ptr != NULL)
        st = take_one(limits, resource, COV_SLOT_USER, user_id, sse->max_per_user,
                      &slots[COV_SLOT_USER], err);
    if (st == COV_OK)
        st = take_one(limits, resource, COV_SLOT_ADDRESS, address, sse->max_per_address,
                      &slots[COV_SLOT_ADDRESS], err);
    if (st == COV_OK)
        st = take_one(limits, resource, COV_SLOT_TOTAL, COV_STR(""), total, &slots[COV_SLOT_TOTAL],
                      err);
    if (st != COV_OK)
        give_back(limits, slots);
    cov_host_unlock(limits->host, limits->lock);
    return st;
}

void cov_limits_release(cov_limits *limits, cov_slot **slots)
{
    cov_host_lock(limits->host, limits->lock);
    give_back(limits, slots);
    cov_host_unlock(limits->host, limits->lock);
}

void cov_limits_dispose(cov_limits *limits)
{
    cov_links_dispose(&limits->slots);
}
