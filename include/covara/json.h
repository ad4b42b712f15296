/* SPDX-License-Identifier: MIT */
/*
 * covara/json.h - JSON for hooks and procedures: values that came in, text that goes out.
 *
 * A cov_json is a value of a parsed document: borrowed, immutable, alive as long as the request. Every
 * reader accepts NULL and a value of another kind, and then gives the `otherwise` of its description.
 */
#ifndef COVARA_JSON_H
#define COVARA_JSON_H

#include "covara/buf.h"

COV_BEGIN_C

typedef struct yyjson_val cov_json;

typedef enum cov_json_type {
    COV_JSON_MISSING, /* NULL */
    COV_JSON_NULL,
    COV_JSON_BOOL,
    COV_JSON_NUMBER,
    COV_JSON_STRING,
    COV_JSON_LIST,
    COV_JSON_OBJECT
} cov_json_type;

cov_json_type cov_json_type_of(const cov_json *value);
/* Member of an object, the last of duplicates; NULL when absent. */
const cov_json *cov_json_get(const cov_json *object, const char *name);
/* Length of a list or object; otherwise 0. */
size_t cov_json_len(const cov_json *value);
/* Item of a list, NULL beyond its end. Linear in `index`. */
const cov_json *cov_json_at(const cov_json *list, size_t index);
/* The item of a list after `item`, the first after NULL, NULL after the last: for walking a list in one go. */
const cov_json *cov_json_next(const cov_json *list, const cov_json *item);
/* Otherwise an empty string with ptr NULL. */
cov_str cov_json_text(const cov_json *value);
/* Integers within 64 bits, numbers without a fraction, and the strings that cov_json_int writes; otherwise 0. */
int64_t cov_json_int64(const cov_json *value);
/* Rounded to a double, infinite beyond its range; otherwise 0. */
double cov_json_number(const cov_json *value);
bool cov_json_is_true(const cov_json *value);

/* "text" with quotes; invalid UTF-8 becomes U+FFFD. */
void cov_json_str(cov_buf *buf, cov_str text);
/* Shortest round-trip decimal as JavaScript prints it: 1, 0.1, 1e+21, 1e-7; NaN and infinities: null. */
void cov_json_double(cov_buf *buf, double value);
/* Digits; beyond +-(2^53-1) as a string, so that no client loses digits. */
void cov_json_int(cov_buf *buf, int64_t value);
void cov_json_bool(cov_buf *buf, bool value);
/* A value in compact canonical form: array-index keys first and ascending, then insertion order; the
 * last of duplicate keys wins; numbers as above but integers always as digits. */
void cov_json_value(cov_buf *buf, const cov_json *value);

COV_END_C

#endif
