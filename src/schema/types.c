/* SPDX-License-Identifier: MIT */
/* Logical types: their names and classes, and how SQLite's declared types map to them. */
#include "base/num.h"
#include "schema/schema.h"

typedef struct type_row {
    const char *name;
    cov_class class_;
} type_row;

static const type_row type_rows[] = {
    [COV_TYPE_TEXT] = { "text", COV_CLASS_TEXT },
    [COV_TYPE_INTEGER] = { "integer", COV_CLASS_NUM },
    [COV_TYPE_REAL] = { "real", COV_CLASS_NUM },
    [COV_TYPE_NUMERIC] = { "numeric", COV_CLASS_NUM },
    [COV_TYPE_BOOLEAN] = { "boolean", COV_CLASS_BOOL },
    [COV_TYPE_TIMESTAMP] = { "timestamp", COV_CLASS_TIME },
    [COV_TYPE_TIMESTAMP_MS] = { "timestamp_ms", COV_CLASS_TIME },
    [COV_TYPE_DATETIME] = { "datetime", COV_CLASS_TIME },
    [COV_TYPE_JSON] = { "json", COV_CLASS_JSON },
    [COV_TYPE_BLOB] = { "blob", COV_CLASS_BLOB },
};

cov_class cov_type_class(cov_type type)
{
    return type_rows[type].class_;
}

const char *cov_type_name(cov_type type)
{
    return type_rows[type].name;
}

typedef struct declared_row {
    cov_str word;
    cov_type type;
} declared_row;

/* Whole names, before SQLite's own rules: those would make DATE a number and TIMESTAMP plain numeric. */
static const declared_row exact[] = {
    { COV_STR_INIT(""), COV_TYPE_TEXT },
    { COV_STR_INIT("ANY"), COV_TYPE_TEXT }, /* a STRICT table's untyped column */
    { COV_STR_INIT("BOOLEAN"), COV_TYPE_BOOLEAN },
    { COV_STR_INIT("BOOL"), COV_TYPE_BOOLEAN },
    { COV_STR_INIT("TIMESTAMP"), COV_TYPE_TIMESTAMP },
    { COV_STR_INIT("TIMESTAMP_MS"), COV_TYPE_TIMESTAMP_MS },
    { COV_STR_INIT("DATETIME"), COV_TYPE_DATETIME },
    { COV_STR_INIT("JSON"), COV_TYPE_JSON },
    { COV_STR_INIT("JSONB"), COV_TYPE_JSON },
    { COV_STR_INIT("BLOB"), COV_TYPE_BLOB },
    { COV_STR_INIT("NUMERIC"), COV_TYPE_NUMERIC },
    { COV_STR_INIT("DECIMAL"), COV_TYPE_NUMERIC },
    { COV_STR_INIT("DATE"), COV_TYPE_TEXT },
    { COV_STR_INIT("TIME"), COV_TYPE_TEXT },
    { COV_STR_INIT("UUID"), COV_TYPE_TEXT },
};

/* "Determination Of Column Affinity" in SQLite's datatype3.html: the first row that is contained wins. */
static const declared_row affinity[] = {
    { COV_STR_INIT("INT"), COV_TYPE_INTEGER }, { COV_STR_INIT("CHAR"), COV_TYPE_TEXT },
    { COV_STR_INIT("CLOB"), COV_TYPE_TEXT },   { COV_STR_INIT("TEXT"), COV_TYPE_TEXT },
    { COV_STR_INIT("BLOB"), COV_TYPE_BLOB },   { COV_STR_INIT("REAL"), COV_TYPE_REAL },
    { COV_STR_INIT("FLOA"), COV_TYPE_REAL },   { COV_STR_INIT("DOUB"), COV_TYPE_REAL },
};

static bool contains_nocase(cov_str s, cov_str word)
{
    for (size_t i = 0; i + word.len <= s.len; i++)
        if (cov_str_eq_nocase(cov_str_slice(s, i, i + word.len), word))
            return true;
    return false;
}

/* VARCHAR(20) and its kin bound the length; SQLite itself ignores the number. */
static size_t length_of(cov_str name, cov_str parameter)
{
    int64_t length = 0;

    if (!contains_nocase(name, COV_STR("CHAR")) || !cov_parse_i64(cov_str_trim(parameter), &length))
        return 0;
    return length > 0 && length <= INT32_MAX ? (size_t)length : 0;
}

cov_type cov_sqlite_type(cov_str declared, size_t *max_length)
{
    size_t open = cov_str_find(declared, '(', 0);
    size_t close = cov_str_find(declared, ')', open);
    cov_str name = cov_str_trim(cov_str_slice(declared, 0, open));

    if (max_length != NULL)
        *max_length = length_of(name, cov_str_slice(declared, open + 1, close));
    for (size_t i = 0; i < COV_COUNT_OF(exact); i++)
        if (cov_str_eq_nocase(name, exact[i].word))
            return exact[i].type;
    for (size_t i = 0; i < COV_COUNT_OF(affinity); i++)
        if (contains_nocase(declared, affinity[i].word))
            return affinity[i].type;
    return COV_TYPE_NUMERIC;
}
