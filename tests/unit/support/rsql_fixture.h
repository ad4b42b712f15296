/* SPDX-License-Identifier: MIT */
/*
 * One table of a given shape in an in-memory SQLite database, its cov_table built by hand, and both
 * evaluations of a filter on its rows. The first column is the integer primary key "id".
 */
#ifndef RSQL_FIXTURE_H
#define RSQL_FIXTURE_H

#include <sqlite3.h>

#include "rsql/rsql.h"

typedef struct rsql_column {
    const char *property;
    const char *db_name;
    const char *declared;
    cov_type type;
    const char *constraint; /* "COLLATE NOCASE", or NULL */
} rsql_column;

typedef struct rsql_fixture {
    cov_arena *schema; /* the table's memory */
    cov_table table;
    sqlite3 *connection;
    cov_arena *rows_arena;
    cov_value *rows; /* n_rows * table.n_columns, as the database stores them */
    size_t n_rows;
    cov_arena *arena; /* of the filter at hand */
    cov_error err;
    cov_rsql_policy policy;
    cov_rsql_vars vars;
} rsql_fixture;

void rsql_fixture_open(rsql_fixture *f, const rsql_column *columns, size_t n_columns);
void rsql_fixture_close(rsql_fixture *f);
/* `values` for every column, "id" included. */
void rsql_fixture_insert(rsql_fixture *f, const cov_value *values);
/* Read back what was stored; call after the last insert. */
void rsql_fixture_load(rsql_fixture *f);
void rsql_fixture_exec(rsql_fixture *f, const char *sql);

/* Forget the last filter, then parse and bind. */
cov_status rsql_fixture_bind(rsql_fixture *f, cov_str filter, const cov_rsql_expr **out);
/* The condition with the capabilities of a driver. */
cov_stmt rsql_fixture_sql(rsql_fixture *f, const cov_rsql_expr *expr, uint32_t caps);
/* Whether row i satisfies it, for each row: 1 or 0. False: SQLite refused; *message says why. */
bool rsql_fixture_query(rsql_fixture *f, const cov_stmt *condition, bool *matches,
                        const char **message);

/*
 * The ids of the rows that both evaluations return, "1,4" or ""; "!" and the error's detail without its
 * prefix when the filter is refused; fails the test when the evaluations differ. Lives until the next call.
 */
const char *rsql_fixture_ids(rsql_fixture *f, const char *filter);

#endif
