/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: chains in a power-of-two number of buckets. To resize, a second array is allocated, and each later call moves
 * one chain, so that no call waits for a whole table to be moved; meanwhile a node is in one of the two. An array
 * doubles when it has a node a bucket, and moving takes as many calls as it had buckets: it is over before the next.
 *
 * A scan counts its cursor from the top bit down. Doubling splits bucket i into i and i + size, whose low bits are
 * equal, so with the low bits as the slow digits the buckets that a bucket splits into stay next to each other in the
 * order of visits; a cursor means the same position whatever the size is when it comes back.
 */
#include "driver/kv/memory/table.h"

#include <stdlib.h>

enum { FIRST_BITS = 4, MAX_BITS = 28, SPARSE = 8 /* shrink below one node in so many buckets */ };
enum { EMPTY_BUCKETS_A_CALL = 16 };

static size_t size_of(uint8_t bits)
{
    return (size_t)1 << bits;
}

static size_t index_of(uint64_t hash, uint8_t bits)
{
    return (size_t)hash & (size_of(bits) - 1);
}

void *cov__kv_node_new(size_t size, cov_str key, uint64_t hash)
{
    kv_node *node = key.len <= SIZE_MAX - size ? malloc(size + key.len) : NULL;
    char *bytes = (char *)node + size;

    if (node == NULL)
        return NULL;
    memset(node, 0, size);
    if (key.len != 0)
        memcpy(bytes, key.ptr, key.len);
    node->hash = hash;
    node->key = cov_str_of(bytes, key.len);
    return node;
}

/* ---- resizing ---- */

static void move_chain(kv_table *table, kv_node *node)
{
    while (node != NULL) {
        kv_node *next = node->next;
        kv_node **bucket = &table->to[index_of(node->hash, table->to_bits)];

        node->next = *bucket;
        *bucket = node;
        node = next;
    }
}

static void end_resize(kv_table *table)
{
    free(table->from);
    table->from = table->to;
    table->from_bits = table->to_bits;
    table->to = NULL;
    table->moved = 0;
}

static void move_some(kv_table *table)
{
    size_t size = size_of(table->from_bits);

    for (size_t empty = 0; table->moved < size && empty < EMPTY_BUCKETS_A_CALL; empty++) {
        kv_node *chain = table->from[table->moved];

        table->from[table->moved++] = NULL;
        if (chain != NULL) {
            move_chain(table, chain);
            break;
        }
    }
    if (table->moved == size)
        end_resize(table);
}

static void start_resize(kv_table *table, uint8_t bits)
{
    kv_node **buckets = calloc(size_of(bits), sizeof *buckets);

    if (buckets == NULL)
        return;
    table->to = buckets;
    table->to_bits = bits;
    table->moved = 0;
    if (table->from == NULL) {
        move_chain(table, table->few);
        table->few = NULL;
        end_resize(table);
    }
}

static void resize_if_due(kv_table *table)
{
    uint8_t bits = table->from_bits;

    if (table->to != NULL)
        return;
    if (table->from == NULL) {
        if (table->len > KV_TABLE_FEW)
            start_resize(table, FIRST_BITS);
    } else if (table->len > size_of(bits)) {
        if (bits < MAX_BITS)
            start_resize(table, (uint8_t)(bits + 1));
    } else if (bits > FIRST_BITS && table->len < size_of(bits) / SPARSE) {
        /* Only by half: moving must be over before the smaller array is too small. */
        start_resize(table, (uint8_t)(bits - 1));
    }
}

/* ---- look-up ---- */

static kv_node **in_chain(kv_node **link, cov_str key, uint64_t hash)
{
    while (*link != NULL && !((*link)->hash == hash && cov_str_eq((*link)->key, key)))
        link = &(*link)->next;
    return link;
}

/* What points to the node of `key`, or the NULL at whose place it belongs. */
static kv_node **link_of(kv_table *table, cov_str key, uint64_t hash)
{
    size_t at;

    if (table->to != NULL)
        move_some(table);
    if (table->from == NULL)
        return in_chain(&table->few, key, hash);
    at = index_of(hash, table->from_bits);
    if (table->to == NULL)
        return in_chain(&table->from[at], key, hash);
    if (at >= table->moved) {
        kv_node **link = in_chain(&table->from[at], key, hash);

        if (*link != NULL)
            return link;
    }
    return in_chain(&table->to[index_of(hash, table->to_bits)], key, hash);
}

kv_node *cov__kv_table_find(kv_table *table, cov_str key, uint64_t hash)
{
    return table->len != 0 ? *link_of(table, key, hash) : NULL;
}

kv_node *cov__kv_table_put(kv_table *table, kv_node *node)
{
    kv_node **link = link_of(table, node->key, node->hash);

    if (*link != NULL)
        return *link;
    node->next = NULL;
    *link = node;
    table->len++;
    resize_if_due(table);
    return NULL;
}

kv_node *cov__kv_table_remove(kv_table *table, cov_str key, uint64_t hash)
{
    kv_node **link = link_of(table, key, hash);
    kv_node *node = *link;

    if (node != NULL) {
        *link = node->next;
        table->len--;
        resize_if_due(table);
    }
    return node;
}

kv_node *cov__kv_table_take(kv_table *table)
{
    kv_node **link = table->few != NULL ? &table->few : NULL;
    kv_node *node = NULL;

    while (link == NULL && table->from != NULL) {
        size_t size = size_of(table->from_bits);

        while (table->moved < size && table->from[table->moved] == NULL)
            table->moved++;
        if (table->moved < size)
            link = &table->from[table->moved];
        else
            end_resize(table);
    }
    if (link != NULL) {
        node = *link;
        *link = node->next;
        table->len--;
    }
    return node;
}

/* ---- all nodes ---- */

kv_node *cov__kv_table_next(const kv_table *table, kv_iter *it)
{
    kv_node *node;

    if (!it->started) {
        it->started = true;
        it->next = table->few;
    }
    while (it->next == NULL) {
        kv_node *const *buckets = it->second ? table->to : table->from;
        size_t size = size_of(it->second ? table->to_bits : table->from_bits);

        if (buckets != NULL && it->at < size) {
            it->next = buckets[it->at++];
        } else if (!it->second) {
            it->second = true;
            it->at = 0;
        } else {
            return NULL;
        }
    }
    node = it->next;
    it->next = node->next;
    return node;
}

static uint64_t reversed(uint64_t bits)
{
    uint64_t out = 0;

    for (int i = 0; i < 64; i++) {
        out = out << 1 | (bits & 1);
        bits >>= 1;
    }
    return out;
}

/* Add one to the cursor's bits below `mask`, counted from the highest. */
static uint64_t next_cursor(uint64_t cursor, uint64_t mask)
{
    return reversed(reversed(cursor | ~mask) + 1);
}

static void visit_chain(kv_node *node, kv_visit_fn visit, void *self)
{
    for (; node != NULL; node = node->next)
        visit(self, node);
}

uint64_t cov__kv_table_scan(const kv_table *table, uint64_t cursor, kv_visit_fn visit, void *self)
{
    bool growing = table->to != NULL && table->to_bits > table->from_bits;
    kv_node **small = table->to == NULL || growing ? table->from : table->to;
    kv_node **large = growing ? table->to : table->from;
    uint64_t small_mask;
    uint64_t large_mask;

    if (table->from == NULL) {
        visit_chain(table->few, visit, self);
        return 0;
    }
    small_mask = size_of(table->to == NULL || growing ? table->from_bits : table->to_bits) - 1;
    visit_chain(small[cursor & small_mask], visit, self);
    if (table->to == NULL)
        return next_cursor(cursor, small_mask);
    large_mask = size_of(growing ? table->to_bits : table->from_bits) - 1;
    /* Every bucket of the larger array that the one of the smaller splits into. */
    do {
        visit_chain(large[cursor & large_mask], visit, self);
        cursor = next_cursor(cursor, large_mask);
    } while ((cursor & (small_mask ^ large_mask)) != 0);
    return cursor;
}
