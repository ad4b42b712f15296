/* SPDX-License-Identifier: MIT */
/*
 * A database of one number. "insert" adds a row; "poison" adds one whose foreign key fails at the outermost
 * commit, as a deferred constraint does; nested transactions are savepoints.
 */
#include <stdlib.h>

#include "fake.h"

enum { DEPTH_MAX = 4 };

typedef struct state {
    long rows;
    bool poisoned;
} state;

typedef struct fake_db {
    cov_db base;
    bool read_only;
    state stack[DEPTH_MAX]; /* state at each open begin */
    state now;
} fake_db;

fake_counts fake_counts_all;

static cov_status fake_open(const cov_host *host, const cov_db_config *config, cov_db **out,
                            cov_error *err)
{
    fake_db *db = calloc(1, sizeof *db);

    (void)host;
    if (db == NULL)
        return cov_fail_nomem(err);
    db->base.driver = &fake_driver;
    db->read_only = config->read_only;
    *out = &db->base;
    return COV_OK;
}

static cov_status fake_query(cov_db *base, const cov_stmt *stmt, cov_row_sink *sink,
                             int64_t *changes, cov_error *err)
{
    fake_db *db = (fake_db *)base;

    (void)sink;
    if (db->read_only)
        return cov_fail(err, COV_EINTERNAL, "attempt to write a readonly database");
    db->now.rows++;
    db->now.poisoned |= cov_str_eq(stmt->sql, COV_STR("poison"));
    if (changes != NULL)
        *changes = 1;
    return COV_OK;
}

static cov_status fake_script(cov_db *base, cov_str sql, cov_error *err)
{
    (void)base;
    (void)sql;
    (void)err;
    return COV_OK;
}

static cov_status fake_begin(cov_db *base, bool write, cov_error *err)
{
    fake_db *db = (fake_db *)base;

    (void)write;
    if (base->depth == DEPTH_MAX)
        return cov_fail(err, COV_EINTERNAL, "too deep");
    if (base->depth == 0 && atomic_load(&fake_counts_all.busy_begins) > 0) {
        atomic_fetch_sub(&fake_counts_all.busy_begins, 1);
        return cov_fail(err, COV_EBUSY, "database is locked");
    }
    if (base->depth == 0)
        memset(&db->now, 0, sizeof db->now);
    db->stack[base->depth] = db->now;
    return COV_OK;
}

static cov_status fake_commit(cov_db *base, cov_error *err)
{
    fake_db *db = (fake_db *)base;
    fake_counts *counts = &fake_counts_all;

    if (base->depth != 1)
        return COV_OK;
    if (db->now.poisoned)
        return cov_fail(err, COV_EFOREIGN, "FOREIGN KEY constraint failed");
    atomic_fetch_add(&counts->rows, db->now.rows);
    atomic_fetch_add(&counts->commits, 1);
    if (db->now.rows > atomic_load(&counts->max_group)) /* one writer: no race */
        atomic_store(&counts->max_group, db->now.rows);
    return COV_OK;
}

static void fake_rollback(cov_db *base)
{
    fake_db *db = (fake_db *)base;

    db->now = db->stack[base->depth - 1];
    if (base->depth == 1)
        atomic_fetch_add(&fake_counts_all.rollbacks, 1);
}

static void fake_close(cov_db *base)
{
    free(base);
}

static const cov_dialect dialect = { .name = "fake" };

const cov_db_driver fake_driver = {
    .abi = COV_DB_ABI,
    .caps = COV_DB_CAP_TRANSACTIONS,
    .name = "fake",
    .dialect = &dialect,
    .open = fake_open,
    .query = fake_query,
    .script = fake_script,
    .begin = fake_begin,
    .commit = fake_commit,
    .rollback = fake_rollback,
    .close = fake_close,
};
