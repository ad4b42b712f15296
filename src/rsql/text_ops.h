/* SPDX-License-Identifier: MIT */
/*
 * rsql/text_ops.h - what the text operators do with one stored value. Evaluation in memory and the SQL
 * functions of driver/db/sqlite/functions.c both call these, so they agree to the byte.
 */
#ifndef COV_RSQL_TEXT_OPS_H
#define COV_RSQL_TEXT_OPS_H

#include "base/json.h"
#include "rsql/ast.h"

/* Text as it is, a number as JavaScript prints it (into `number`). False: NULL or a blob, which have none. */
bool cov__value_text(const cov_value *value, char number[COV_NUM_TEXT_BYTES], cov_str *out);

/*
 * LIKE, CONTAINS, STARTS or ENDS. With `icase` the operand is in lower case already and the text is
 * lowered into `scratch` first, whose content is lost; a failure to grow it counts as no match.
 */
bool cov__text_match(cov__match match, bool icase, cov_str operand, cov_str text, cov_buf *scratch);

/* `text` in lower case, in `scratch`; ptr NULL: out of memory. */
cov_str cov__text_lower(cov_str text, cov_buf *scratch);

#endif
