/* SPDX-License-Identifier: MIT */
/* resource/aggregate.h - a request for groups and metrics (spec/03 section 9), shared by parsing, SQL and having. */
#ifndef COV_RESOURCE_AGGREGATE_H
#define COV_RESOURCE_AGGREGATE_H

#include "resource/internal.h"

typedef enum cov_metric {
    COV_METRIC_SUM,
    COV_METRIC_AVG,
    COV_METRIC_MIN,
    COV_METRIC_MAX,
    COV_N_METRICS
} cov_metric;

enum { COV_MAX_AGGREGATE_FIELDS = 64 };

typedef struct cov_field_list {
    const cov_column *items[COV_MAX_AGGREGATE_FIELDS];
    size_t n;
} cov_field_list;

typedef struct cov_aggregate {
    cov_field_list group_by;
    cov_field_list metrics[COV_N_METRICS];
    bool count;
    bool total; /* sum as a double: the exact one overflowed */
} cov_aggregate;

/* Would the request be answered? 400 when a parameter does not fit. */
COV_CHECK cov_status cov__aggregate_check(const cov_resource *r, cov_ctx *ctx);

/* "sum", "avg", ...: the parameter, the SQL function, the JSON member. */
extern const char *const cov__metric_names[COV_N_METRICS];

/* `sum("views")` */
void cov__metric_sql(const cov_aggregate *a, cov_metric metric, const cov_column *column,
                     cov_sql *sql);
/* Append " HAVING ..." for the `having` parameter, or nothing. */
COV_CHECK cov_status cov__having_sql(const cov_resource *r, cov_ctx *ctx, const cov_aggregate *a,
                                     cov_sql *sql);

#endif
