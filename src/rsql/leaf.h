/* SPDX-License-Identifier: MIT */
/* rsql/leaf.h - binding one comparison; private to src/rsql. */
#ifndef COV_RSQL_LEAF_H
#define COV_RSQL_LEAF_H

#include "rsql/expr.h"

typedef struct cov__binder {
    cov_arena *arena;
    const cov_table *table;
    const cov_host *host;
    const cov_rsql_vars *vars;
    const cov_rsql_paths *paths; /* NULL: no relation may be crossed */
    cov_error *err;
} cov__binder;

/* Each placeholder becomes the literal that its value would have been written as, a list a list. */
COV_CHECK cov_status cov__rsql_resolve(const cov__binder *b, const cov__literal *in,
                                       cov__literal *out);
/* The number of elements of a list, nested ones included; 1 for a scalar. */
size_t cov__rsql_count_scalars(const cov__literal *literal);

/* A selector with dots: the steps to another table, and the column there. */
typedef struct cov__path {
    const cov_rsql_hop *hops[COV_RSQL_MAX_HOPS];
    size_t n;
    const cov_column *column;
} cov__path;
COV_CHECK cov_status cov__rsql_find_path(const cov__binder *b, const cov_rsql_node *node,
                                         cov__path *out);
/* `leaf` on the last table as a condition on the first. */
COV_CHECK cov_status cov__rsql_wrap_path(const cov__binder *b, const cov__path *path,
                                         const cov_rsql_expr *leaf, const cov_rsql_expr **out);

/* Turn the comparison `node` on `column` into *out, which comes zeroed but for its column. */
COV_CHECK cov_status cov__rsql_bind_leaf(cov__binder *b, const cov_rsql_node *node,
                                         const cov_column *column, cov_rsql_expr *out);
/* The same for an operator of the application. */
COV_CHECK cov_status cov__rsql_bind_custom(cov__binder *b, const cov_rsql_node *node,
                                           cov_rsql_expr *out);

#endif
