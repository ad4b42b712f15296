/* SPDX-License-Identifier: MIT */
/* resource/order.h - `orderBy`, and cursors into its order (spec/03 sections 2 to 5). */
#ifndef COV_RESOURCE_ORDER_H
#define COV_RESOURCE_ORDER_H

#include "resource/internal.h"

typedef struct cov_order_term {
    const cov_column *column;
    bool desc;
} cov_order_term;

enum { COV_MAX_ORDER_TERMS = 32 };

typedef struct cov_order {
    cov_order_term terms[COV_MAX_ORDER_TERMS];
    size_t n;
    size_t n_sql;    /* terms that decide the order: nothing after the unique id does */
    bool ends_in_id; /* terms[n_sql - 1] is the id; otherwise the id is appended, ascending */
    cov_str text;    /* decoded parameter, for the cursor's hash; empty = default */
} cov_order;

typedef struct cov_cursor {
    bool present;
    cov_value id;
    cov_value values[COV_MAX_ORDER_TERMS]; /* by order term */
} cov_cursor;

/* Split and check the syntax; unknown fields are found by cov__order_resolve, after the cursor (spec/03
 * section 1, failure order). */
typedef struct cov_order_part {
    cov_str field;
    bool desc;
} cov_order_part;
typedef struct cov_order_syntax {
    cov_order_part parts[COV_MAX_ORDER_TERMS];
    size_t n;
    cov_str text;
} cov_order_syntax;
COV_CHECK cov_status cov__order_parse(cov_ctx *ctx, cov_order_syntax *out);
COV_CHECK cov_status cov__order_resolve(const cov_resource *r, cov_ctx *ctx,
                                        const cov_order_syntax *syntax, cov_order *out);
/* " ORDER BY ..." always ending in the id. */
void cov__order_sql(const cov_resource *r, const cov_order *order, cov_sql *sql);
/*
 * What comes after a cursor (spec/03 section 5) falls into cov__keyset_n parts: rows equal in the first `equal`
 * terms and later in the next one. The parts with more equal terms come first and no row is in two of them, so
 * reading them one after another, each in the page's order, continues exactly; and every part is a range that
 * an index can start in.
 */
size_t cov__keyset_n(const cov_order *order);
/* Append the condition of one part; false when the part is empty. */
bool cov__keyset_sql(const cov_resource *r, const cov_order *order, const cov_cursor *cursor,
                     size_t equal, cov_sql *sql);

/* The decoded document of a cursor parameter: checked signature, version, hash and age. */
COV_CHECK cov_status cov__cursor_open(const cov_resource *r, cov_ctx *ctx,
                                      const cov_order_syntax *order, yyjson_val **document);
/* Its values in the columns' storage. */
COV_CHECK cov_status cov__cursor_values(const cov_resource *r, cov_ctx *ctx, const cov_order *order,
                                        yyjson_val *document, cov_cursor *out);
/* Append the cursor after a row as a JSON string. values[i] belongs to order->terms[i]. */
COV_CHECK cov_status cov__cursor_write(const cov_resource *r, cov_ctx *ctx, const cov_order *order,
                                       const cov_value *id, const cov_value *const *values,
                                       cov_buf *out);

#endif
