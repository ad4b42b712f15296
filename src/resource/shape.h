/* SPDX-License-Identifier: MIT */
/*
 * resource/shape.h - JSON values against the shapes of procedures (covara/procedure.h).
 *
 * Nothing is coerced, as in bodies of resources (spec/01 section 9.2). A value's nesting is bounded by the parser
 * (COV_JSON_MAX_DEPTH), so shapes may refer to themselves.
 */
#ifndef COV_RESOURCE_SHAPE_H
#define COV_RESOURCE_SHAPE_H

#include "base/json.h"
#include "covara/procedure.h"

/* A list of as many numbers as fit a body would otherwise give an answer 80 times its size. */
enum { COV_SHAPE_MAX_ISSUES = 1000 };

/*
 * Check an object against its members. Appends {"path":"items.0.n","message":"..."} for each mistake, with commas
 * between, in the order of the shape, to `issues`; nothing when the value fits. The first COV_SHAPE_MAX_ISSUES
 * are listed. Members that the shape does not mention are no mistakes.
 */
void cov__shape_check(const cov_json *value, const cov_field *fields, size_t n_fields,
                      cov_buf *issues);
/* Append a value that fits, with the members of the shape only, in the shape's order. */
void cov__shape_write(cov_buf *out, const cov_json *value, const cov_field *fields,
                      size_t n_fields);

#endif
