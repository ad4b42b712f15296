/* SPDX-License-Identifier: MIT */
/*
 * resource/nested.h - parents and children written together with a row (spec/01 section 12).
 *
 * Each nested object obeys its own resource: create permission and scope, validation, writable columns,
 * batch limit. Foreign keys are wired by the relation's columns, whatever they are called.
 */
#ifndef COV_RESOURCE_NESTED_H
#define COV_RESOURCE_NESTED_H

#include "resource/relation.h"

typedef struct cov_nested_row cov_nested_row;
struct cov_nested_row {
    const cov_relation *relation;
    const cov_rsql_expr *scope; /* of creating at the target */
    cov_input input;
    cov_nested_row *next;
};

typedef struct cov_nested {
    cov_nested_row *parents;  /* belongsTo */
    cov_nested_row *children; /* hasOne, hasMany */
    bool *filled;             /* by column of the main row: a parent will provide it */
} cov_nested;

/* Take the relations out of the body. Issues get paths such as "comments.0.text". */
COV_CHECK cov_status cov__nested_read(const cov_resource *r, cov_ctx *ctx, yyjson_val *body,
                                      cov_issues *issues, cov_nested *out);
/* Insert the parents and point `input` at them. */
COV_CHECK cov_status cov__nested_parents(cov_ctx *ctx, const cov_nested *nested, cov_input *input);
/* Insert the children of the new row. */
COV_CHECK cov_status cov__nested_children(cov_ctx *ctx, const cov_nested *nested,
                                          const cov_value *row);

#endif
