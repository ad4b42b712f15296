/* SPDX-License-Identifier: MIT */
/*
 * schema/sql.h - a SQL statement under construction: text and bound values.
 *
 * Failure is sticky, like cov_buf; cov_sql_finish tells. Text, parameters and the values they
 * point to live in the arena.
 */
#ifndef COV_SCHEMA_SQL_H
#define COV_SCHEMA_SQL_H

#include "covara/buf.h"
#include "covara/resource.h"

struct cov_sql {
    const cov_dialect *dialect;
    uint32_t caps; /* of the driver: COV_DB_CAP_FUNCTIONS decides how lower case... are spelled */
    cov_buf text;
    cov_value *params;
    size_t n_params;
    size_t cap_params;
    bool copies; /* application code is writing: cov_sql_param copies bytes into the arena */
};

void cov_sql_init(cov_sql *sql, cov_arena *arena, const cov_db *db);
#define COV_SQL(sql, literal) cov_buf_append(&(sql)->text, "" literal, sizeof(literal) - 1)
static inline void cov_sql_str(cov_sql *sql, cov_str s)
{
    cov_buf_str(&sql->text, s);
}
/* "name", with quotes doubled. */
void cov_sql_ident(cov_sql *sql, cov_str name);
COV_CHECK cov_status cov_sql_finish(const cov_sql *sql, cov_stmt *out, cov_error *err);

#endif
