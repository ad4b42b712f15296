/* SPDX-License-Identifier: MIT */
/*
 * resource/include.h - rows of related resources beside a row (spec/01 sections 13.2 to 13.4).
 *
 * DESIGN: the `include` parameter becomes a tree. Each node is loaded with one query for all parents of its
 * level, whatever their number; rows are then handed to their parents by key. What the target resource
 * hides (mask, scope, deleted rows) stays hidden here.
 */
#ifndef COV_RESOURCE_INCLUDE_H
#define COV_RESOURCE_INCLUDE_H

#include "resource/relation.h"

enum { COV_INCLUDE_MAX_NODES = 64 };

typedef struct cov_include_row cov_include_row;
struct cov_include_row {
    const cov_value *values; /* by the node's `query` columns */
    size_t index;            /* among the node's rows */
    cov_include_row *next;   /* of the same parent */
};

struct cov_include {
    const cov_relation *relation;
    cov_str select; /* ptr NULL: all readable */
    cov_str filter; /* ptr NULL: none */
    int64_t limit;  /* -1: none */
    int64_t offset;
    cov_include *children;
    cov_include *next;

    /* After loading: */
    cov_layout layout;
    cov_columns query;           /* what is read: the layout's columns, then keys */
    cov_include_row **by_parent; /* first row of each parent */
    cov_include_row **rows;
    size_t n_rows;
};

/* The tree of the request: eager relations and the `include` parameter. NULL when there is none. */
COV_CHECK cov_status cov__include_parse(const cov_resource *r, cov_ctx *ctx, cov_include **out);
/* Append what the nodes need of their parent to `query`, which has room for it. */
void cov__include_parent_columns(const cov_include *nodes, cov_columns *query);
size_t cov__include_count(const cov_include *nodes);
/* Load every level below `n` parent rows; parents[i] has its values by `columns`. */
COV_CHECK cov_status cov__include_load(const cov_resource *r, cov_ctx *ctx, cov_include *nodes,
                                       const cov_columns *columns, const cov_value *const *parents,
                                       size_t n);
/* Append ,"author":{...} for each node to an open object. `empty`: the object has no member yet. */
COV_CHECK cov_status cov__include_json(cov_buf *out, cov_ctx *ctx, const cov_include *nodes,
                                       size_t parent, bool empty);

#endif
