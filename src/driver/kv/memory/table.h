/* SPDX-License-Identifier: MIT */
/*
 * kv/memory/table.h - a hash table of nodes that their owners allocate, whose growth is spread over later calls.
 *
 * A table of zeros is empty. Up to KV_TABLE_FEW nodes are a plain list in the order added, so that the many small
 * hashes and sets cost no table.
 */
#ifndef COV_KV_MEMORY_TABLE_H
#define COV_KV_MEMORY_TABLE_H

#include "covara/str.h"

enum { KV_TABLE_FEW = 8 };

/* The first member of whatever is in a table. The key's bytes follow the owner's struct: cov__kv_node_new. */
typedef struct kv_node {
    struct kv_node *next;
    uint64_t hash;
    cov_str key;
} kv_node;

typedef struct kv_table {
    kv_node *few;   /* all nodes, while `from` is NULL */
    kv_node **from; /* buckets */
    kv_node **to;   /* while resizing: where the nodes of `from` move to */
    size_t moved;   /* while resizing: buckets of `from` below this one are empty */
    size_t len;
    uint8_t from_bits; /* 1 << bits buckets */
    uint8_t to_bits;
} kv_table;

/* SipHash-1-3: without the seed nobody can choose keys that collide. */
uint64_t cov__kv_hash(const uint64_t seed[2], cov_str s);

/* `size` zeroed bytes that begin with a node, followed by a copy of `key`; NULL: out of memory. Freed with free. */
COV_CHECK void *cov__kv_node_new(size_t size, cov_str key, uint64_t hash);

kv_node *cov__kv_table_find(kv_table *table, cov_str key, uint64_t hash);
/* Add `node`, unless a node with its key is there, which is then returned. Never fails: without memory for more
   buckets, chains get longer. */
kv_node *cov__kv_table_put(kv_table *table, kv_node *node);
/* Take the node of `key` out; NULL when there is none. */
kv_node *cov__kv_table_remove(kv_table *table, cov_str key, uint64_t hash);
/* Take any node out of a table that is used for nothing else any more; NULL: nothing is left, buckets included. */
kv_node *cov__kv_table_take(kv_table *table);

/* Every node once, while nothing else is done with the table: kv_iter it = { 0 }; */
typedef struct kv_iter {
    kv_node *next;
    size_t at;
    bool started;
    bool second; /* in `to` */
} kv_iter;
kv_node *cov__kv_table_next(const kv_table *table, kv_iter *it);

/*
 * The nodes of some buckets; returns the cursor to go on with, 0 at the end. Starting from 0, nodes that are there all
 * the time are visited at least once, whatever is added and removed between the calls.
 */
typedef void (*kv_visit_fn)(void *self, kv_node *node);
uint64_t cov__kv_table_scan(const kv_table *table, uint64_t cursor, kv_visit_fn visit, void *self);

#endif
