/* SPDX-License-Identifier: MIT */
/*
 * When keys end. DESIGN: a heap with four children a node. Times are beside the pointers, so that sifting stays in the
 * heap's own memory, and an entry knows its place, so that a new time moves it from there; sessions and windows get
 * a new one at each use, mostly a little later than the old, which moves few steps.
 */
#include <stdlib.h>

#include "driver/kv/memory/engine.h"

enum { CHILDREN = 4, FIRST_CAP = 64 };

static void place(kv_heap *heap, size_t at, kv_due item)
{
    heap->items[at] = item;
    item.entry->due_at = at + 1;
}

static void sift_up(kv_heap *heap, size_t at, kv_due item)
{
    while (at > 0) {
        size_t parent = (at - 1) / CHILDREN;

        if (heap->items[parent].at_ms <= item.at_ms)
            break;
        place(heap, at, heap->items[parent]);
        at = parent;
    }
    place(heap, at, item);
}

/* The earliest child of `at`, or `len` when there is none. */
static size_t first_child(const kv_heap *heap, size_t at)
{
    size_t first = at * CHILDREN + 1;
    size_t best = first;

    if (first >= heap->len)
        return heap->len;
    for (size_t i = first + 1; i < heap->len && i < first + CHILDREN; i++)
        if (heap->items[i].at_ms < heap->items[best].at_ms)
            best = i;
    return best;
}

static void sift_down(kv_heap *heap, size_t at, kv_due item)
{
    size_t child;

    while ((child = first_child(heap, at)) < heap->len && heap->items[child].at_ms < item.at_ms) {
        place(heap, at, heap->items[child]);
        at = child;
    }
    place(heap, at, item);
}

/* `at` is free; put `item` there or where it belongs. */
static void settle(kv_heap *heap, size_t at, kv_due item)
{
    if (at > 0 && heap->items[(at - 1) / CHILDREN].at_ms > item.at_ms)
        sift_up(heap, at, item);
    else
        sift_down(heap, at, item);
}

bool cov__kv_expire_reserve(kv_engine *engine)
{
    kv_heap *heap = &engine->due;
    size_t cap = heap->cap != 0 ? heap->cap * 2 : FIRST_CAP;
    kv_due *items;

    if (heap->len < heap->cap)
        return true;
    if (cap > SIZE_MAX / CHILDREN / sizeof *items)
        return false;
    items = realloc(heap->items, cap * sizeof *items);
    if (items == NULL)
        return false;
    heap->items = items;
    heap->cap = cap;
    return true;
}

void cov__kv_expire_at(kv_engine *engine, kv_entry *entry, int64_t at_ms)
{
    kv_due item = { at_ms, entry };

    entry->expires_at_ms = at_ms;
    if (entry->due_at != 0)
        settle(&engine->due, entry->due_at - 1, item);
    else
        sift_up(&engine->due, engine->due.len++, item);
}

void cov__kv_persist(kv_engine *engine, kv_entry *entry)
{
    kv_heap *heap = &engine->due;
    size_t at = entry->due_at;
    kv_due last;

    if (at == 0)
        return;
    entry->due_at = 0;
    last = heap->items[--heap->len];
    if (last.entry != entry)
        settle(heap, at - 1, last);
}
