/* SPDX-License-Identifier: MIT */
/* Reading JSON values for application code (covara/json.h): total over NULL and values of any kind. */
#include <math.h>

#include "base/json.h"
#include "base/num.h"

/* yyjson's getters take pointers to non-const; these read the same members. */
static yyjson_type kind_of(const cov_json *value)
{
    return value != NULL ? (yyjson_type)(value->tag & YYJSON_TYPE_MASK) : YYJSON_TYPE_NONE;
}

static bool is_subtype(const cov_json *value, uint64_t subtype)
{
    return (value->tag & YYJSON_SUBTYPE_MASK) == subtype;
}

static cov_str chars_of(const cov_json *value)
{
    return cov_str_of(value->uni.str, (size_t)(value->tag >> YYJSON_TAG_BIT));
}

/* The value after this one and everything in it. */
static const cov_json *after(const cov_json *value)
{
    if (kind_of(value) != YYJSON_TYPE_ARR && kind_of(value) != YYJSON_TYPE_OBJ)
        return value + 1;
    return (const cov_json *)(const void *)((const char *)value + value->uni.ofs);
}

cov_json_type cov_json_type_of(const cov_json *value)
{
    switch (kind_of(value)) {
    case YYJSON_TYPE_NULL:
        return COV_JSON_NULL;
    case YYJSON_TYPE_BOOL:
        return COV_JSON_BOOL;
    case YYJSON_TYPE_NUM:
    case YYJSON_TYPE_RAW: /* a number beyond 64 bits or beyond double */
        return COV_JSON_NUMBER;
    case YYJSON_TYPE_STR:
        return COV_JSON_STRING;
    case YYJSON_TYPE_ARR:
        return COV_JSON_LIST;
    case YYJSON_TYPE_OBJ:
        return COV_JSON_OBJECT;
    default:
        return COV_JSON_MISSING;
    }
}

const cov_json *cov_json_member(const cov_json *object, cov_str name)
{
    const cov_json *found = NULL;
    const cov_json *key;

    if (kind_of(object) != YYJSON_TYPE_OBJ)
        return NULL;
    key = object + 1;
    for (size_t left = cov_json_len(object); left > 0; left--, key = after(key + 1))
        if (cov_str_eq(chars_of(key), name))
            found = key + 1;
    return found;
}

const cov_json *cov_json_get(const cov_json *object, const char *name)
{
    return cov_json_member(object, cov_str_from(name));
}

size_t cov_json_len(const cov_json *value)
{
    if (kind_of(value) != YYJSON_TYPE_ARR && kind_of(value) != YYJSON_TYPE_OBJ)
        return 0;
    return (size_t)(value->tag >> YYJSON_TAG_BIT);
}

const cov_json *cov_json_at(const cov_json *list, size_t index)
{
    const cov_json *item;

    if (kind_of(list) != YYJSON_TYPE_ARR || index >= cov_json_len(list))
        return NULL;
    item = list + 1;
    for (size_t i = 0; i < index; i++)
        item = after(item);
    return item;
}

const cov_json *cov_json_next(const cov_json *list, const cov_json *item)
{
    const cov_json *next;

    if (kind_of(list) != YYJSON_TYPE_ARR || cov_json_len(list) == 0)
        return NULL;
    next = item != NULL ? after(item) : list + 1;
    return next < after(list) ? next : NULL;
}

cov_str cov_json_text(const cov_json *value)
{
    return kind_of(value) == YYJSON_TYPE_STR ? chars_of(value) : COV_STR_NULL;
}

static int64_t whole_of(double d)
{
    bool fits = d == floor(d) && d >= -9223372036854775808.0 && d < 9223372036854775808.0;

    return fits ? (int64_t)d : 0;
}

/* What cov_json_int writes as a string, it also reads from one. */
static int64_t big_integer_of(cov_str text)
{
    int64_t i;

    if (!cov_parse_i64(text, &i) || (i <= COV_JSON_MAX_SAFE_INT && i >= -COV_JSON_MAX_SAFE_INT))
        return 0;
    return i;
}

int64_t cov_json_int64(const cov_json *value)
{
    if (kind_of(value) == YYJSON_TYPE_STR)
        return big_integer_of(chars_of(value));
    if (kind_of(value) != YYJSON_TYPE_NUM)
        return 0;
    if (is_subtype(value, YYJSON_SUBTYPE_REAL))
        return whole_of(value->uni.f64);
    if (is_subtype(value, YYJSON_SUBTYPE_SINT))
        return value->uni.i64;
    return value->uni.u64 <= INT64_MAX ? (int64_t)value->uni.u64 : 0;
}

double cov_json_number(const cov_json *value)
{
    double d = 0;

    if (kind_of(value) == YYJSON_TYPE_RAW)
        return cov_parse_double(chars_of(value), &d) ? d : 0;
    if (kind_of(value) != YYJSON_TYPE_NUM)
        return 0;
    if (is_subtype(value, YYJSON_SUBTYPE_REAL))
        return value->uni.f64;
    return is_subtype(value, YYJSON_SUBTYPE_SINT) ? (double)value->uni.i64 : (double)value->uni.u64;
}

bool cov_json_is_true(const cov_json *value)
{
    return kind_of(value) == YYJSON_TYPE_BOOL && is_subtype(value, YYJSON_SUBTYPE_TRUE);
}
