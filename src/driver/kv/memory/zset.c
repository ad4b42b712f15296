/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: a treap, a search tree that random priorities keep balanced whatever the order of insertions. It is built
 * from two operations only, splitting by rank and merging; a range of ranks comes out as a subtree. The recursion is
 * as deep as the tree: about 50 for a million members. The priorities come from a generator with a random seed, so no
 * one can choose members that make it deep.
 */
#include <stdlib.h>

#include "driver/kv/memory/value.h"

static size_t count_of(const kv_scored *node)
{
    return node != NULL ? node->count : 0;
}

static void recount(kv_scored *node)
{
    node->count = 1 + count_of(node->left) + count_of(node->right);
}

/* The first `rank` nodes to `left`, the others to `right`. */
static void split(kv_scored *node, size_t rank, kv_scored **left, kv_scored **right)
{
    size_t before;

    if (node == NULL) {
        *left = *right = NULL;
        return;
    }
    before = count_of(node->left);
    if (before < rank) {
        split(node->right, rank - before - 1, &node->right, right);
        *left = node;
    } else {
        split(node->left, rank, left, &node->left);
        *right = node;
    }
    recount(node);
}

static kv_scored *merge(kv_scored *left, kv_scored *right)
{
    if (left == NULL)
        return right;
    if (right == NULL)
        return left;
    if (left->priority > right->priority) {
        left->right = merge(left->right, right);
        recount(left);
        return left;
    }
    right->left = merge(left, right->left);
    recount(right);
    return right;
}

static bool is_before(const kv_scored *node, double score, cov_str member)
{
    if (node->score != score)
        return node->score < score;
    return cov_str_compare(node->node.key, member) < 0;
}

/* How many members come before (score, member). */
static size_t rank_of(const kv_zset *zset, double score, cov_str member)
{
    const kv_scored *node = zset->root;
    size_t rank = 0;

    while (node != NULL) {
        if (is_before(node, score, member)) {
            rank += count_of(node->left) + 1;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return rank;
}

size_t cov__kv_zset_count(const kv_zset *zset, double score, bool inclusive)
{
    const kv_scored *node = zset->root;
    size_t n = 0;

    while (node != NULL) {
        if (node->score < score || (inclusive && node->score == score)) {
            n += count_of(node->left) + 1;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return n;
}

/* xorshift*, good enough for balance. */
static uint32_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

kv_scored *cov__kv_scored_new(cov_str member, uint64_t hash, double score, uint64_t *random)
{
    kv_scored *node = cov__kv_node_new(sizeof *node, member, hash);

    if (node != NULL) {
        node->score = score;
        node->priority = next_random(random);
    }
    return node;
}

static void insert(kv_zset *zset, kv_scored *node)
{
    kv_scored *left;
    kv_scored *right;

    node->left = node->right = NULL;
    node->count = 1;
    split(zset->root, rank_of(zset, node->score, node->node.key), &left, &right);
    zset->root = merge(merge(left, node), right);
}

/* The subtree of ranks [from, to), which is no longer in the tree. */
static kv_scored *detach(kv_zset *zset, size_t from, size_t to)
{
    kv_scored *left;
    kv_scored *middle;
    kv_scored *right;

    split(zset->root, to, &left, &right);
    split(left, from, &left, &middle);
    zset->root = merge(left, right);
    return middle;
}

void cov__kv_zset_add(kv_zset *zset, kv_scored *node)
{
    (void)cov__kv_table_put(&zset->members, &node->node);
    insert(zset, node);
}

void cov__kv_zset_move(kv_zset *zset, kv_scored *node, double score)
{
    size_t rank;

    if (node->score == score)
        return;
    rank = rank_of(zset, node->score, node->node.key);
    (void)detach(zset, rank, rank + 1);
    node->score = score;
    insert(zset, node);
}

static void free_tree(kv_zset *zset, kv_scored *node)
{
    if (node == NULL)
        return;
    free_tree(zset, node->left);
    free_tree(zset, node->right);
    (void)cov__kv_table_remove(&zset->members, node->node.key, node->node.hash);
    free(node);
}

void cov__kv_zset_cut(kv_zset *zset, size_t from, size_t to)
{
    if (from < to)
        free_tree(zset, detach(zset, from, to));
}

void cov__kv_zset_remove(kv_zset *zset, kv_scored *node)
{
    size_t rank = rank_of(zset, node->score, node->node.key);

    cov__kv_zset_cut(zset, rank, rank + 1);
}

/* `first` is the rank of the subtree's first node. */
static void collect(const kv_scored *node, size_t first, size_t from, size_t to,
                    const kv_scored **out)
{
    size_t rank;

    if (node == NULL || first >= to || first + node->count <= from)
        return;
    rank = first + count_of(node->left);
    collect(node->left, first, from, to, out);
    if (rank >= from && rank < to)
        out[rank - from] = node;
    collect(node->right, rank + 1, from, to, out);
}

void cov__kv_zset_slice(const kv_zset *zset, size_t from, size_t to, const kv_scored **out)
{
    collect(zset->root, 0, from, to, out);
}
