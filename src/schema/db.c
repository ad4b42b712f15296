/* SPDX-License-Identifier: MIT */
/* The calls of covara/db.h: each checks what every driver would otherwise check, then asks the table. */
#include "covara/db.h"

cov_status cov_db_open(const cov_db_driver *driver, const cov_host *host,
                       const cov_db_config *config, cov_db **out, cov_error *err)
{
    if (driver->abi != COV_DB_ABI)
        return cov_fail(err, COV_EINTERNAL, "database driver %s has interface version %u, not %u",
                        driver->name, (unsigned)driver->abi, (unsigned)COV_DB_ABI);
    return driver->open(host, config, out, err);
}

cov_status cov_db_query(cov_db *db, const cov_stmt *stmt, cov_row_sink *sink, cov_error *err)
{
    return db->driver->query(db, stmt, sink, NULL, err);
}

cov_status cov_db_exec(cov_db *db, const cov_stmt *stmt, int64_t *changes, cov_error *err)
{
    return db->driver->query(db, stmt, NULL, changes, err);
}

cov_status cov_db_script(cov_db *db, cov_str sql, cov_error *err)
{
    return db->driver->script(db, sql, err);
}

cov_status cov_db_begin(cov_db *db, bool write, cov_error *err)
{
    cov_status st = db->driver->begin(db, write, err);

    if (st == COV_OK)
        db->depth++;
    return st;
}

cov_status cov_db_commit(cov_db *db, cov_error *err)
{
    cov_status st = db->driver->commit(db, err);

    if (st == COV_OK)
        db->depth--;
    return st;
}

void cov_db_rollback(cov_db *db)
{
    if (db->depth > 0) {
        db->driver->rollback(db);
        db->depth--;
    }
}

bool cov_db_watch(cov_db *db, cov_row_watch *watch)
{
    if ((db->driver->caps & COV_DB_CAP_WATCH) == 0)
        return false;
    db->driver->watch(db, watch);
    return true;
}

void cov_db_close(cov_db *db)
{
    if (db != NULL)
        db->driver->close(db);
}
