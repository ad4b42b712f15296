/* SPDX-License-Identifier: MIT */
/*
 * kv/memory/value.h - what a key holds. All memory is malloc's, so that each value can die by itself.
 *
 * Whoever writes first allocates everything (these can fail) and then puts it in place (those cannot), so that being out
 * of memory leaves the old value whole.
 */
#ifndef COV_KV_MEMORY_VALUE_H
#define COV_KV_MEMORY_VALUE_H

#include "driver/kv/memory/table.h"

/* ---- text ---- */

typedef struct kv_blob {
    size_t len;
    size_t cap;
    char bytes[];
} kv_blob;

COV_CHECK kv_blob *cov__kv_blob_new(cov_str text);
/* Replace the text. False: out of memory, and the old text stays; never for a number in the place of another. */
COV_CHECK bool cov__kv_blob_assign(kv_blob **blob, cov_str text);

static inline cov_str cov__kv_blob_view(const kv_blob *blob)
{
    return cov_str_of(blob->bytes, blob->len);
}

/* ---- hashes: tables of kv_field; sets: tables of kv_node ---- */

typedef struct kv_field {
    kv_node node;
    kv_blob *value;
} kv_field;

COV_CHECK kv_field *cov__kv_field_new(cov_str name, uint64_t hash, cov_str value);
void cov__kv_field_free(kv_field *field);
/* Put `field` in; when its name is there, that one takes the value, and `field` is freed. True: the name is new. */
bool cov__kv_hash_put(kv_table *hash, kv_field *field);

/* ---- lists: a ring ---- */

typedef struct kv_list {
    kv_blob **items;
    size_t cap; /* a power of two, or 0 */
    size_t head;
    size_t len;
} kv_list;

COV_CHECK bool cov__kv_list_reserve(kv_list *list, size_t extra);
/* After a reserve. */
void cov__kv_list_push(kv_list *list, kv_blob *item, bool at_head);
kv_blob *cov__kv_list_at(const kv_list *list, size_t at);
/* The list is not empty; the item is the caller's. */
kv_blob *cov__kv_list_pop(kv_list *list, bool at_head);

/* ---- sorted sets: a table of kv_scored that are also a tree in the order of (score, member's bytes) ---- */

typedef struct kv_scored {
    kv_node node;
    double score; /* never NaN */
    struct kv_scored *left;
    struct kv_scored *right;
    size_t count; /* nodes in this subtree */
    uint32_t priority;
} kv_scored;

typedef struct kv_zset {
    kv_table members;
    kv_scored *root;
} kv_zset;

COV_CHECK kv_scored *cov__kv_scored_new(cov_str member, uint64_t hash, double score,
                                        uint64_t *random);
/* `node` has a member that the set does not have. */
void cov__kv_zset_add(kv_zset *zset, kv_scored *node);
void cov__kv_zset_move(kv_zset *zset, kv_scored *node, double score);
/* Take out and free the members of ranks [from, to). */
void cov__kv_zset_cut(kv_zset *zset, size_t from, size_t to);
void cov__kv_zset_remove(kv_zset *zset, kv_scored *node);
/* How many scores are below `score`, or not above it. */
size_t cov__kv_zset_count(const kv_zset *zset, double score, bool inclusive);
/* The members of ranks [from, to) in order, into to - from pointers. */
void cov__kv_zset_slice(const kv_zset *zset, size_t from, size_t to, const kv_scored **out);

/* ---- any ---- */

typedef enum kv_type { KV_STRING, KV_HASH, KV_SET, KV_LIST, KV_ZSET } kv_type;

typedef union kv_value {
    kv_blob *string; /* NULL only until it was set */
    kv_table hash;
    kv_table set;
    kv_list list;
    kv_zset zset;
} kv_value;

/* Elements; 1 for a string. */
size_t cov__kv_value_len(kv_type type, const kv_value *value);
/* Free up to `budget` elements; true when nothing is left, else the value is of no use but for more of this. */
bool cov__kv_value_free(kv_type type, kv_value *value, size_t budget);

#endif
