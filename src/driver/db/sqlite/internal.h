/* SPDX-License-Identifier: MIT */
/* sqlite/internal.h - shared by the driver's files. */
#ifndef COV_SQLITE_INTERNAL_H
#define COV_SQLITE_INTERNAL_H

#include <sqlite3.h>

#include "covara/db.h"

/* Derived: 4 ways x 64 sets hold every statement of a dozen resources and their common list shapes. */
enum { STMT_SETS = 64, STMT_WAYS = 4 };

typedef struct cached_stmt {
    uint64_t hash;
    cov_str sql; /* malloc'd copy */
    sqlite3_stmt *handle;
    cov_value *values; /* one row, n_values of them */
    size_t n_values;
    uint64_t used_at; /* the cache's clock, for least-recently-used eviction */
} cached_stmt;

typedef struct stmt_cache {
    cached_stmt sets[STMT_SETS][STMT_WAYS];
    uint64_t clock;
} stmt_cache;

typedef struct sqlite_db {
    cov_db base;
    sqlite3 *handle;
    stmt_cache statements;
    cov_row_watch *watch;
    cov_value *images; /* of the row at hand: before, after */
    size_t cap_images;
} sqlite_db;

/*
 * The prepared statement for `sql`, ready to bind. Give it back with cov__sqlite_release.
 * The cache owns it unless an equal statement is running: then it is a private one.
 */
COV_CHECK cov_status cov__sqlite_acquire(sqlite_db *db, cov_str sql, cached_stmt **out,
                                         cov_error *err);
void cov__sqlite_release(sqlite_db *db, cached_stmt *stmt);
void cov__sqlite_clear_statements(sqlite_db *db);

#ifdef COV_SQLITE_WATCHES
void cov__sqlite_watch(cov_db *db, cov_row_watch *watch);
#endif

/* Give SQLite the allocator of memory.c; before the first connection of the process. */
void cov__sqlite_configure_memory(void);

/* The connection's last failure as a cov_error; `rc` is an (extended) SQLite result code. */
cov_status cov__sqlite_fail(sqlite3 *handle, int rc, cov_error *err);

#endif
