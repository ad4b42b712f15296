/* SPDX-License-Identifier: MIT */
/* The version column of entity tags: every update raises it, so that no stale tag survives (spec/01 section 15.4). */
#include <math.h>

#include "base/num.h"
#include "resource/internal.h"

static bool next_version(const cov_value *value, cov_value *out)
{
    double d;

    switch (value->type) {
    case COV_NULL:
        *out = cov_value_int(1);
        return true;
    case COV_INT:
        *out = cov_value_int(value->i < INT64_MAX ? value->i + 1 : value->i);
        return true;
    case COV_REAL:
        *out = cov_value_real(value->r + 1);
        return true;
    case COV_TEXT:
    case COV_BLOB:
        break;
    }
    if (!cov_parse_double(value->s, &d) || fabs(d) >= (double)COV_JSON_MAX_SAFE_INT)
        return false;
    *out = d == floor(d) ? cov_value_int((int64_t)d + 1) : cov_value_real(d + 1);
    return true;
}

/* A version that the client sets wins. */
static const cov_column *to_bump(const cov_resource *r, const cov_input *input)
{
    const cov_column *version = r->version;

    return version != NULL && !version->generated && !input->present[version->index] ? version
                                                                                     : NULL;
}

void cov__bump_version(const cov_resource *r, const cov_value *before, cov_input *input)
{
    const cov_column *version = to_bump(r, input);

    if (version != NULL)
        input->present[version->index] =
            next_version(&before[version->index], &input->values[version->index]);
}

size_t cov__bump_version_sql(const cov_resource *r, const cov_input *input, size_t n, cov_sql *sql)
{
    const cov_column *version = to_bump(r, input);

    if (version == NULL || version->class_ != COV_CLASS_NUM)
        return n;
    cov_sql_str(sql, n == 0 ? COV_STR(" SET ") : COV_STR(","));
    cov_sql_str(sql, version->quoted);
    COV_SQL(sql, "=coalesce(");
    cov_sql_str(sql, version->quoted);
    COV_SQL(sql, ",0)+1");
    return n + 1;
}
