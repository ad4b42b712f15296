/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "cli/database.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/files.h"

static cov_status fail_path(const cov_project *p, cov_error *err)
{
    char text[sizeof err->text];
    cov_str detail = cov_error_detail(err);

    snprintf(text, sizeof text, "%.*s", COV_STR_ARG(detail));
    return cov_fail(err, err->status, "%.*s: %s", COV_STR_ARG(p->database_path), text);
}

static void remove_with_sidecars(cov_arena *arena, cov_str path)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

    for (size_t i = 0; i < COV_COUNT_OF(suffixes); i++) {
        cov_str name = cov_arena_printf(arena, "%.*s%s", COV_STR_ARG(path), suffixes[i]);

        if (name.ptr != NULL)
            unlink(name.ptr);
    }
}

static cov_status run_script(cov_db *db, cov_str file, cov_str sql, cov_error *err)
{
    if (sql.len == 0 || cov_db_script(db, sql, err) == COV_OK) {
        /* A script that leaves its own transaction open would lose all it did. */
        if (cov_db_begin(db, true, err) != COV_OK)
            return cov_fail(err, COV_EINVAL, "%.*s: a BEGIN has no COMMIT", COV_STR_ARG(file));
        return cov_db_commit(db, err);
    }
    return cov_project_sql_error(file, sql, err);
}

/*
 * Without a transaction around it all, so that the scripts may have their own; half a file is never
 * seen because it has another name. The checkpoint moves everything into that one file, or says why not.
 */
static cov_status fill(const cov_project *p, cov_str path, cov_str seed_path, cov_str seed,
                       cov_error *err)
{
    cov_db_config config = { .url = cov_arena_printf(p->arena, "sqlite:%.*s", COV_STR_ARG(path)),
                             .relaxed_sync = true };
    const cov_stmt checkpoint = { COV_STR_INIT("PRAGMA wal_checkpoint(TRUNCATE)"), NULL, 0 };
    cov_db *db = NULL;
    cov_status st;

    if (config.url.ptr == NULL)
        return cov_fail_nomem(err);
    if (cov_db_open(p->driver, p->host, &config, &db, err) != COV_OK)
        return fail_path(p, err);
    st = run_script(db, p->schema_path, p->schema_sql, err);
    if (st == COV_OK)
        st = run_script(db, seed_path, seed, err);
    if (st == COV_OK && (st = cov_db_exec(db, &checkpoint, NULL, err)) != COV_OK)
        st = fail_path(p, err);
    cov_db_close(db);
    return st;
}

/* The new name must survive a power failure as the contents do. */
static void sync_folder(const cov_project *p)
{
    cov_str folder = cov_arena_str(p->arena, cov_cli_folder(p->database_path));
    int fd = folder.ptr != NULL ? open(folder.ptr, O_RDONLY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

/* link() refuses to replace a file, which rename() would; where there are no hard links, rename() must do. */
static cov_status move_into_place(const cov_project *p, cov_str path, bool *created, cov_error *err)
{
    bool linked = link(path.ptr, p->database_path.ptr) == 0;

    *created = true;
    if (!linked && errno == EEXIST) {
        *created = false;
    } else if (!linked && rename(path.ptr, p->database_path.ptr) != 0) {
        return cov_fail(err, COV_EINTERNAL, "%.*s: cannot be created: %s",
                        COV_STR_ARG(p->database_path), strerror(errno));
    }
    sync_folder(p);
    return COV_OK;
}

cov_status cov_database_create(const cov_project *p, cov_str seed_path, cov_str seed, bool *created,
                               cov_error *err)
{
    cov_str path =
        cov_arena_printf(p->arena, "%.*s.new-%ld", COV_STR_ARG(p->database_path), (long)getpid());
    cov_str folder = cov_arena_str(p->arena, cov_cli_folder(p->database_path));
    cov_status st;

    *created = false;
    if (path.ptr == NULL || folder.ptr == NULL)
        return cov_fail_nomem(err);
    if (cov_cli_file_kind(folder.ptr) != COV_FILE_FOLDER)
        return cov_fail(err, COV_ENOTFOUND, "%.*s: there is no folder \"%s\" for the database",
                        COV_STR_ARG(p->database_path), folder.ptr);
    remove_with_sidecars(p->arena, path);
    st = fill(p, path, seed_path, seed, err);
    if (st == COV_OK)
        st = move_into_place(p, path, created, err);
    remove_with_sidecars(p->arena, path);
    return st;
}

cov_status cov_database_fits(const cov_project *p, cov_buf *report, size_t *n_differences,
                             cov_error *err)
{
    cov_db_config config = { .url = p->database_url,
                             .read_only = true,
                             .busy_timeout_ms = (uint32_t)p->config.database.busy_timeout_ms };
    cov_schema *live = NULL;
    cov_db *db = NULL;
    cov_status st;

    if (cov_cli_file_kind(p->database_path.ptr) != COV_FILE_REGULAR)
        return cov_fail(err, COV_EINVAL, "%.*s: is not a file", COV_STR_ARG(p->database_path));
    if (cov_db_open(p->driver, p->host, &config, &db, err) != COV_OK)
        return fail_path(p, err);
    st = cov_schema_read_sqlite(p->arena, db, p->config.naming, &live, err);
    cov_db_close(db);
    if (st != COV_OK)
        return fail_path(p, err);
    *n_differences = cov_schema_diff(p->schema, live, report);
    return report->failed ? cov_fail_nomem(err) : COV_OK;
}
