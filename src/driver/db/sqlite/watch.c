/* SPDX-License-Identifier: MIT */
/*
 * Which rows a statement changes, from SQLite's preupdate hook.
 *
 * The hook numbers columns as they are stored: those that are computed when read (VIRTUAL) have no value there. Its
 * values live until it returns. In a library without the hook this file is empty and the capability is missing.
 */
#ifdef COV_SQLITE_WATCHES
#define SQLITE_ENABLE_PREUPDATE_HOOK 1

#include <stdlib.h>

#include "driver/db/sqlite/internal.h"

static void read_value(sqlite3_value *from, cov_value *out)
{
    switch (sqlite3_value_type(from)) {
    case SQLITE_INTEGER:
        *out = cov_value_int(sqlite3_value_int64(from));
        return;
    case SQLITE_FLOAT:
        *out = cov_value_real(sqlite3_value_double(from));
        return;
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_value_text(from);

        *out = cov_value_text(cov_str_of(text, (size_t)sqlite3_value_bytes(from)));
        return;
    }
    case SQLITE_BLOB: {
        const char *bytes = sqlite3_value_blob(from);

        *out = cov_value_blob(cov_str_of(bytes, (size_t)sqlite3_value_bytes(from)));
        return;
    }
    default:
        *out = cov_value_null();
    }
}

typedef int (*value_at)(sqlite3 *handle, int column, sqlite3_value **out);

static bool read_row(sqlite_db *db, value_at at, cov_value *row, int n)
{
    for (int i = 0; i < n; i++) {
        sqlite3_value *value = NULL;

        if (at(db->handle, i, &value) != SQLITE_OK || value == NULL)
            return false;
        read_value(value, &row[i]);
    }
    return true;
}

static bool has_room(sqlite_db *db, size_t n)
{
    cov_value *wider;

    if (n <= db->cap_images)
        return true;
    wider = realloc(db->images, n * sizeof *wider);
    if (wider == NULL)
        return false;
    db->images = wider;
    db->cap_images = n;
    return true;
}

static void tell(sqlite_db *db, cov_str table, int op)
{
    int n = sqlite3_preupdate_count(db->handle);
    bool ok = has_room(db, 2 * (size_t)n);
    cov_value *before = op != SQLITE_INSERT ? db->images : NULL;
    cov_value *after = op != SQLITE_DELETE ? db->images + n : NULL;

    if (ok && before != NULL)
        ok = read_row(db, sqlite3_preupdate_old, before, n);
    if (ok && after != NULL)
        ok = read_row(db, sqlite3_preupdate_new, after, n);
    db->watch->changed(db->watch, table, ok ? before : NULL, ok ? after : NULL, (size_t)n);
}

/* Statements may touch temporary tables and, with ATTACH, other files: those are not the application's tables. */
static void on_change(void *self, sqlite3 *handle, int op, const char *database, const char *table,
                      sqlite3_int64 before_id, sqlite3_int64 after_id)
{
    sqlite_db *db = self;
    cov_str name = cov_str_from(table);

    (void)before_id;
    (void)after_id;
    if (cov_str_eq(cov_str_from(database), COV_STR("main")) &&
        db->watch->wants(db->watch, name, sqlite3_preupdate_depth(handle) > 0))
        tell(db, name, op);
}

void cov__sqlite_watch(cov_db *base, cov_row_watch *watch)
{
    sqlite_db *db = (sqlite_db *)base;

    db->watch = watch;
    sqlite3_preupdate_hook(db->handle, watch != NULL ? on_change : NULL, db);
}

#else
typedef int cov__sqlite_does_not_watch;
#endif
