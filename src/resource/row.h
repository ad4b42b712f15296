/* SPDX-License-Identifier: MIT */
/* resource/row.h - single values of rows: as JSON (spec/01 section 8), as text, copied. */
#ifndef COV_RESOURCE_ROW_H
#define COV_RESOURCE_ROW_H

#include "schema/schema.h"

void cov__value_json(cov_buf *out, cov_arena *arena, const cov_column *column,
                     const cov_value *value);
/* The plain text of a value, as ids and entity tags have it; "null" for NULL. */
void cov__plain_text(cov_buf *out, const cov_value *value);
/* Deep copy of n values into the arena; NULL: out of memory. */
cov_value *cov__values_clone(cov_arena *arena, const cov_value *values, size_t n);

#endif
