/* SPDX-License-Identifier: MIT */
/* schema/target.h - which table a statement changes, read from its text (spec/01 section 18.1). */
#ifndef COV_SCHEMA_TARGET_H
#define COV_SCHEMA_TARGET_H

#include "covara/arena.h"

/*
 * True for INSERT, REPLACE, UPDATE and DELETE, also behind comments or a WITH. `*table` is the bare name without
 * schema and quotes, in `arena`; `*type` is "create", "update" or "delete".
 */
bool cov_sql_target(cov_arena *arena, cov_str sql, cov_str *table, cov_str *type);

#endif
