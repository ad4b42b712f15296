/* SPDX-License-Identifier: MIT */
#include "driver/db/sqlite/internal.h"

typedef struct rc_row {
    int rc;
    cov_status status;
    const char *text; /* NULL: SQLite's own message */
} rc_row;

/* Extended codes first; a primary code catches the rest of its family. */
static const rc_row rows[] = {
    { SQLITE_CONSTRAINT_UNIQUE, COV_EUNIQUE, NULL },
    { SQLITE_CONSTRAINT_PRIMARYKEY, COV_EUNIQUE, NULL },
    { SQLITE_CONSTRAINT_ROWID, COV_EUNIQUE, NULL },
    { SQLITE_CONSTRAINT_FOREIGNKEY, COV_EFOREIGN, NULL },
    { SQLITE_CONSTRAINT_NOTNULL, COV_ENOTNULL, NULL },
    { SQLITE_CONSTRAINT_CHECK, COV_ECHECK, NULL },
    { SQLITE_CONSTRAINT_DATATYPE, COV_ECHECK, NULL },
    { SQLITE_CONSTRAINT, COV_ECHECK, NULL },
    { SQLITE_MISMATCH, COV_ECHECK, NULL },
    { SQLITE_BUSY, COV_EBUSY, "the database is locked by another connection" },
    { SQLITE_LOCKED, COV_EBUSY, "the database is locked by another connection" },
    { SQLITE_CORRUPT, COV_ECORRUPT, "the database file is damaged; restore it from a backup" },
    { SQLITE_NOTADB, COV_ECORRUPT, "the file is not an SQLite database" },
    { SQLITE_FULL, COV_EINTERNAL, "the disk or the database is full" },
    { SQLITE_NOMEM, COV_ENOMEM, "out of memory" },
    { SQLITE_READONLY, COV_EINTERNAL, "the database is read-only" },
    { SQLITE_CANTOPEN, COV_EINTERNAL, "the database file cannot be opened" },
    { SQLITE_ERROR, COV_EINTERNAL, NULL },
    { SQLITE_TOOBIG, COV_ETOOLARGE, "a value is too large for the database" },
};

static const rc_row *find(int rc)
{
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        if (rows[i].rc == rc)
            return &rows[i];
    return NULL;
}

/* "UNIQUE constraint failed: users.email" names what failed after the colon. */
static cov_str subject_of(cov_error *err, const char *message)
{
    const char *colon = strstr(message, "failed: ");

    if (colon == NULL || err->arena == NULL)
        return COV_STR_NULL;
    return cov_arena_str(err->arena, cov_str_from(colon + strlen("failed: ")));
}

cov_status cov__sqlite_fail(sqlite3 *handle, int rc, cov_error *err)
{
    const char *message = handle != NULL ? sqlite3_errmsg(handle) : sqlite3_errstr(rc);
    const rc_row *row = find(rc);
    cov_status st;

    if (row == NULL)
        row = find(rc & 0xff);
    if (row == NULL)
        return cov_fail(err, COV_EINTERNAL, "SQLite error %d: %s", rc, message);
    st = cov_fail(err, row->status, "%s", row->text != NULL ? row->text : message);
    if (err != NULL && (rc & 0xff) == SQLITE_CONSTRAINT)
        err->subject = subject_of(err, message);
    return st;
}
