/* SPDX-License-Identifier: MIT */
#include "driver/db/sqlite/sqlite.h"

#include <stdlib.h>

#include "driver/db/sqlite/functions.h"
#include "driver/db/sqlite/internal.h"

enum { DEFAULT_BUSY_MS = 5000 };

static cov_status exec(sqlite_db *db, const char *sql, cov_error *err)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? COV_OK : cov__sqlite_fail(db->handle, rc, err);
}

/* "sqlite:app.db" -> "app.db"; "file:..." is an SQLite URI and stays whole. */
static const char *path_of(cov_str url, char *path, size_t size)
{
    cov_str prefix = COV_STR("sqlite:");

    if (cov_str_starts(url, prefix))
        url = cov_str_slice(url, prefix.len, url.len);
    if (url.len == 0 || url.len >= size || memchr(url.ptr, '\0', url.len) != NULL)
        return NULL;
    memcpy(path, url.ptr, url.len);
    path[url.len] = '\0';
    return path;
}

/*
 * Only the writer sets journal_mode: it is a property of the file. A reading connection is opened for
 * writing by SQLite, since WAL readers write to the shared-memory index, and is kept from
 * changing rows by query_only.
 */
static cov_status configure(sqlite_db *db, const cov_db_config *config, cov_error *err)
{
    uint32_t busy_ms = config->busy_timeout_ms != 0 ? config->busy_timeout_ms : DEFAULT_BUSY_MS;
    cov_status st;

    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, (int)busy_ms);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
    st =
        exec(db, "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000;", err);
    if (st != COV_OK)
        return st;
    if (config->read_only)
        return exec(db, "PRAGMA query_only=ON", err);
    st = exec(db, "PRAGMA journal_mode=WAL", err);
    if (st != COV_OK)
        return st;
    return exec(db, config->relaxed_sync ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL",
                err);
}

static void sqlite_close(cov_db *base)
{
    sqlite_db *db = (sqlite_db *)base;

    if (db == NULL)
        return;
    cov__sqlite_clear_statements(db);
    sqlite3_close(db->handle);
    free(db->images);
    free(db);
}

static cov_status connect(sqlite_db *db, const cov_host *host, const cov_db_config *config,
                          cov_error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    char path[4096];
    cov_status st;
    int rc;

    if (path_of(config->url, path, sizeof path) == NULL)
        return cov_fail(err, COV_EINVAL, "not a database URL: \"%.*s\"", COV_STR_ARG(config->url));
    if (!config->read_only)
        flags |= SQLITE_OPEN_CREATE;
    cov__sqlite_configure_memory();
    rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (rc != SQLITE_OK)
        return cov__sqlite_fail(db->handle, rc, err);
    st = configure(db, config, err);
    if (st != COV_OK)
        return st;
    rc = cov__sqlite_register_functions(db->handle, host);
    return rc == SQLITE_OK ? COV_OK : cov__sqlite_fail(db->handle, rc, err);
}

static cov_status sqlite_open(const cov_host *host, const cov_db_config *config, cov_db **out,
                              cov_error *err)
{
    sqlite_db *db = calloc(1, sizeof *db);
    cov_status st;

    if (db == NULL)
        return cov_fail_nomem(err);
    db->base.driver = &cov_sqlite_driver;
    st = connect(db, host, config, err);
    if (st != COV_OK) {
        sqlite_close(&db->base);
        return st;
    }
    *out = &db->base;
    return COV_OK;
}

/* Borrowed bindings are safe: every run of a statement binds all of them anew. */
static int bind_one(sqlite3_stmt *stmt, int at, const cov_value *value)
{
    switch (value->type) {
    case COV_INT:
        return sqlite3_bind_int64(stmt, at, value->i);
    case COV_REAL:
        return sqlite3_bind_double(stmt, at, value->r);
    case COV_TEXT:
        return sqlite3_bind_text64(stmt, at, value->s.ptr != NULL ? value->s.ptr : "", value->s.len,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case COV_BLOB:
        return value->s.len != 0
                   ? sqlite3_bind_blob64(stmt, at, value->s.ptr, value->s.len, SQLITE_STATIC)
                   : sqlite3_bind_zeroblob(stmt, at, 0);
    case COV_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, at);
}

static cov_status bind_all(sqlite_db *db, sqlite3_stmt *handle, const cov_stmt *stmt,
                           cov_error *err)
{
    if ((size_t)sqlite3_bind_parameter_count(handle) != stmt->n_params)
        return cov_fail(err, COV_EINTERNAL, "statement takes %d values, %zu given",
                        sqlite3_bind_parameter_count(handle), stmt->n_params);
    for (size_t i = 0; i < stmt->n_params; i++) {
        int rc = bind_one(handle, (int)i + 1, &stmt->params[i]);

        if (rc != SQLITE_OK)
            return cov__sqlite_fail(db->handle, rc, err);
    }
    return COV_OK;
}

static void read_value(sqlite3_stmt *stmt, int column, cov_value *out)
{
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        out->type = COV_INT;
        out->i = sqlite3_column_int64(stmt, column);
        return;
    case SQLITE_FLOAT:
        out->type = COV_REAL;
        out->r = sqlite3_column_double(stmt, column);
        return;
    case SQLITE_TEXT:
        out->type = COV_TEXT;
        out->s.ptr = (const char *)sqlite3_column_text(stmt, column);
        out->s.len = (size_t)sqlite3_column_bytes(stmt, column);
        return;
    case SQLITE_BLOB:
        out->type = COV_BLOB;
        out->s.ptr = sqlite3_column_blob(stmt, column);
        out->s.len = (size_t)sqlite3_column_bytes(stmt, column);
        return;
    default:
        out->type = COV_NULL;
        return;
    }
}

static cov_status step_all(sqlite_db *db, cached_stmt *stmt, cov_row_sink *sink, cov_error *err)
{
    for (;;) {
        int rc = sqlite3_step(stmt->handle);
        cov_status st;

        if (rc == SQLITE_DONE)
            return COV_OK;
        if (rc != SQLITE_ROW)
            return cov__sqlite_fail(db->handle, rc, err);
        if (sink == NULL)
            continue;
        for (size_t i = 0; i < stmt->n_values; i++)
            read_value(stmt->handle, (int)i, &stmt->values[i]);
        st = sink->row(sink, stmt->values, stmt->n_values, err);
        if (st != COV_OK)
            return st;
    }
}

/* SQLite itself ends a transaction after a full disk or an I/O error. */
static bool ended_by_engine(const cov_db *db)
{
    return sqlite3_get_autocommit(((const sqlite_db *)db)->handle) != 0;
}

static cov_status fail_ended(cov_error *err)
{
    return cov_fail(err, COV_EINTERNAL, "the transaction was rolled back by the database");
}

static cov_status sqlite_query(cov_db *base, const cov_stmt *stmt, cov_row_sink *sink,
                               int64_t *changes, cov_error *err)
{
    sqlite_db *db = (sqlite_db *)base;
    cached_stmt *cached = NULL;
    cov_status st;

    /* Outside the transaction that the caller believes in, a statement would commit by itself. */
    if (base->depth > 0 && ended_by_engine(base))
        return fail_ended(err);
    st = cov__sqlite_acquire(db, stmt->sql, &cached, err);
    if (st != COV_OK)
        return st;
    st = bind_all(db, cached->handle, stmt, err);
    if (st == COV_OK)
        st = step_all(db, cached, sink, err);
    if (st == COV_OK && changes != NULL)
        *changes = sqlite3_stmt_readonly(cached->handle) ? 0 : sqlite3_changes64(db->handle);
    cov__sqlite_release(db, cached);
    return st;
}

static cov_status sqlite_script(cov_db *base, cov_str sql, cov_error *err)
{
    sqlite_db *db = (sqlite_db *)base;
    const char *at = sql.ptr;
    const char *end = sql.ptr + sql.len;

    if (sql.len > INT32_MAX)
        return cov_fail(err, COV_ETOOLARGE, "script of %zu bytes", sql.len);
    while (at < end) {
        sqlite3_stmt *stmt = NULL;
        const char *next = at;
        int rc = sqlite3_prepare_v2(db->handle, at, (int)(end - at), &stmt, &next);

        while (rc == SQLITE_OK && stmt != NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
            rc = SQLITE_OK;
        if (rc != SQLITE_OK && rc != SQLITE_DONE) {
            cov_status st = cov__sqlite_fail(db->handle, rc, err);
            int within = stmt == NULL ? sqlite3_error_offset(db->handle) : -1;

            sqlite3_finalize(stmt);
            if (err != NULL)
                err->offset = (size_t)(at - sql.ptr) + (within > 0 ? (size_t)within : 0);
            return st;
        }
        sqlite3_finalize(stmt);
        if (next == at)
            break;
        at = next;
    }
    return COV_OK;
}

static cov_status run(cov_db *db, cov_str sql, cov_error *err)
{
    cov_stmt stmt = { sql, NULL, 0 };

    return sqlite_query(db, &stmt, NULL, NULL, err);
}

static cov_status sqlite_begin(cov_db *db, bool write, cov_error *err)
{
    if (db->depth > 0)
        return run(db, COV_STR("SAVEPOINT cov"), err);
    return run(db, write ? COV_STR("BEGIN IMMEDIATE") : COV_STR("BEGIN"), err);
}

static cov_status sqlite_commit(cov_db *db, cov_error *err)
{
    if (ended_by_engine(db))
        return fail_ended(err);
    return run(db, db->depth > 1 ? COV_STR("RELEASE cov") : COV_STR("COMMIT"), err);
}

static void sqlite_rollback(cov_db *db)
{
    if (ended_by_engine(db))
        return;
    if (db->depth > 1) {
        if (run(db, COV_STR("ROLLBACK TO cov"), NULL) == COV_OK)
            (void)!run(db, COV_STR("RELEASE cov"), NULL);
        return;
    }
    (void)!run(db, COV_STR("ROLLBACK"), NULL);
}

#ifdef COV_SQLITE_WATCHES
#define WATCH_CAP COV_DB_CAP_WATCH
#else
#define WATCH_CAP 0u
#endif

static const cov_dialect dialect = { .name = "sqlite", .nulls_first_natively = true };

const cov_db_driver cov_sqlite_driver = {
    .abi = COV_DB_ABI,
    .caps = COV_DB_CAP_TRANSACTIONS | COV_DB_CAP_RETURNING | COV_DB_CAP_FUNCTIONS | WATCH_CAP,
    .name = "sqlite",
    .dialect = &dialect,
    .open = sqlite_open,
    .query = sqlite_query,
    .script = sqlite_script,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .close = sqlite_close,
#ifdef COV_SQLITE_WATCHES
    .watch = cov__sqlite_watch,
#endif
};
