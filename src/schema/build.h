/* SPDX-License-Identifier: MIT */
/* schema/build.h - what catalogue readers share: the texts and maps that derive from a column's names. */
#ifndef COV_SCHEMA_BUILD_H
#define COV_SCHEMA_BUILD_H

#include "schema/schema.h"

/* "\"name\"" with quotes doubled; ptr NULL: out of memory. */
cov_str cov__quote_ident(cov_arena *arena, cov_str name);
/* Set column->name and json_key. False: out of memory. */
COV_CHECK bool cov__column_set_name(cov_arena *arena, cov_column *column, cov_str property);
/*
 * Build by_name and by_db_name. Returns COV_OK, COV_ENOMEM, or COV_EINVAL when two columns have one
 * property name; the detail names the table and both columns.
 */
COV_CHECK cov_status cov__table_index(cov_arena *arena, cov_table *table, cov_error *err);

/* By SQL name without regard to case, as SQLite compares names; NULL when there is none. */
const cov_table *cov__table_nocase(const cov_schema *schema, cov_str name);
const cov_column *cov__column_nocase(const cov_table *table, cov_str name);

#endif
