/* SPDX-License-Identifier: MIT */
/*
 * base/json.h - JSON text in and out, by the rules of spec/01 section 8.
 *
 * Reading is yyjson's (strict, exact 64-bit integers; larger numbers stay raw text). Writing is to a
 * cov_buf: strings as raw UTF-8 with the shortest escapes, numbers as JavaScript prints them.
 */
#ifndef COV_BASE_JSON_H
#define COV_BASE_JSON_H

#include <yyjson.h>

#include "covara/error.h"
#include "covara/json.h"

enum { COV_JSON_MAX_DEPTH = 64, COV_NUM_TEXT_BYTES = 32 };
/* The largest integer that every client can hold exactly: 2^53 - 1. */
#define COV_JSON_MAX_SAFE_INT INT64_C(9007199254740991)

/* The text of a number as cov_json_double writes it ("NaN", "Infinity" for those). Returns its length. */
size_t cov_num_text(double value, char out[COV_NUM_TEXT_BYTES]);

/*
 * Parse a whole text (spec/01 section 4): a byte order mark is dropped, invalid UTF-8 and unpaired
 * surrogate escapes become U+FFFD, nesting deeper than COV_JSON_MAX_DEPTH is refused. The document lives in
 * `arena`. Integers beyond 64 bits and numbers beyond double are yyjson raw values.
 * Fails with COV_EINVAL and a byte offset; the detail names the place.
 */
COV_CHECK cov_status cov_json_read(cov_arena *arena, cov_str text, yyjson_val **out,
                                   cov_error *err);

/* An instant as ISO 8601 text (base/time.h); null when it is out of range. */
void cov_json_time(cov_buf *buf, int64_t ms);
/* cov_json_get by a name that is not terminated. */
const cov_json *cov_json_member(const cov_json *object, cov_str name);

#endif
