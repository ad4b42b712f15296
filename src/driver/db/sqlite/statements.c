/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: the statement cache is 4-way set-associative over the hash of the SQL text, so a lookup touches
 * one cache line or two and never allocates. The text is the key: equal shapes give equal text.
 */
#include <stdlib.h>

#include "base/map.h"
#include "driver/db/sqlite/internal.h"

static void clear(cached_stmt *stmt)
{
    sqlite3_finalize(stmt->handle);
    free((void *)(uintptr_t)stmt->sql.ptr);
    free(stmt->values);
    memset(stmt, 0, sizeof *stmt);
}

void cov__sqlite_clear_statements(sqlite_db *db)
{
    for (size_t i = 0; i < STMT_SETS; i++)
        for (size_t j = 0; j < STMT_WAYS; j++)
            clear(&db->statements.sets[i][j]);
}

static cov_status prepare(sqlite_db *db, cov_str sql, unsigned flags, cached_stmt *stmt,
                          cov_error *err)
{
    int rc;

    if (sql.len > INT32_MAX)
        return cov_fail(err, COV_ETOOLARGE, "statement of %zu bytes", sql.len);
    rc = sqlite3_prepare_v3(db->handle, sql.ptr, (int)sql.len, flags, &stmt->handle, NULL);
    if (rc != SQLITE_OK)
        return cov__sqlite_fail(db->handle, rc, err);
    if (stmt->handle == NULL)
        return cov_fail(err, COV_EINTERNAL, "empty statement");
    stmt->n_values = (size_t)sqlite3_column_count(stmt->handle);
    if (stmt->n_values != 0) {
        stmt->values = calloc(stmt->n_values, sizeof *stmt->values);
        if (stmt->values == NULL)
            return cov_fail_nomem(err);
    }
    return COV_OK;
}

static cov_status fill(sqlite_db *db, cov_str sql, uint64_t hash, cached_stmt *slot, cov_error *err)
{
    cov_status st;
    char *copy;

    clear(slot);
    st = prepare(db, sql, SQLITE_PREPARE_PERSISTENT, slot, err);
    copy = st == COV_OK ? malloc(sql.len) : NULL;
    if (copy == NULL) {
        clear(slot);
        return st == COV_OK ? cov_fail_nomem(err) : st;
    }
    memcpy(copy, sql.ptr, sql.len);
    slot->sql = cov_str_of(copy, sql.len);
    slot->hash = hash;
    return COV_OK;
}

/* For a statement that runs inside another run of itself. */
static cov_status private_stmt(sqlite_db *db, cov_str sql, cached_stmt **out, cov_error *err)
{
    cached_stmt *stmt = calloc(1, sizeof *stmt);
    cov_status st = stmt != NULL ? prepare(db, sql, 0, stmt, err) : cov_fail_nomem(err);

    if (st == COV_OK) {
        *out = stmt;
        return COV_OK;
    }
    if (stmt != NULL)
        clear(stmt);
    free(stmt);
    return st;
}

cov_status cov__sqlite_acquire(sqlite_db *db, cov_str sql, cached_stmt **out, cov_error *err)
{
    uint64_t hash = cov_hash(sql);
    cached_stmt *set = db->statements.sets[hash % STMT_SETS];
    cached_stmt *victim = NULL;
    cov_status st;

    db->statements.clock++;
    for (size_t i = 0; i < STMT_WAYS; i++) {
        cached_stmt *stmt = &set[i];
        bool busy = stmt->handle != NULL && sqlite3_stmt_busy(stmt->handle) != 0;

        if (stmt->hash == hash && stmt->handle != NULL && cov_str_eq(stmt->sql, sql)) {
            if (busy)
                return private_stmt(db, sql, out, err);
            stmt->used_at = db->statements.clock;
            *out = stmt;
            return COV_OK;
        }
        if (!busy && (victim == NULL || stmt->used_at < victim->used_at))
            victim = stmt;
    }
    if (victim == NULL)
        return private_stmt(db, sql, out, err);
    st = fill(db, sql, hash, victim, err);
    if (st != COV_OK)
        return st;
    victim->used_at = db->statements.clock;
    *out = victim;
    return COV_OK;
}

void cov__sqlite_release(sqlite_db *db, cached_stmt *stmt)
{
    const cached_stmt *first = &db->statements.sets[0][0];

    sqlite3_reset(stmt->handle);
    if (stmt >= first && stmt < first + STMT_SETS * STMT_WAYS)
        return;
    clear(stmt);
    free(stmt);
}
