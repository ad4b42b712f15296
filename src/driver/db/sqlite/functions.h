/* SPDX-License-Identifier: MIT */
/*
 * sqlite/functions.h - the SQL functions that filters need beside SQLite's own, registered on every connection.
 * They call the very code that evaluates filters in memory, so both evaluations agree.
 */
#ifndef COV_SQLITE_FUNCTIONS_H
#define COV_SQLITE_FUNCTIONS_H

#include <sqlite3.h>

#include "covara/host.h"

/* The host is borrowed for the connection's life. Returns an SQLite result code. */
int cov__sqlite_register_functions(sqlite3 *connection, const cov_host *host);

#endif
