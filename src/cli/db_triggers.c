/* SPDX-License-Identifier: MIT */
/* covara db triggers: what other programs write to the database is entered into its changelog, or no longer. */
#include <stdio.h>

#include "app/internal.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/project.h"
#include "schema/log_triggers.h"
#include "schema/sql.h"

/* Triggers of tables that are no resource any more go too. */
static const cov_stmt find_old = { COV_STR_INIT(
                                       "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
                                       " AND name GLOB '" COV_LOG_TRIGGERS_PREFIX "*'"),
                                   NULL, 0 };

typedef struct drops {
    cov_row_sink sink;
    cov_sql sql;
    size_t n;
} drops;

static cov_status on_trigger(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    drops *d = (drops *)(void *)base;

    (void)n;
    (void)err;
    COV_SQL(&d->sql, "DROP TRIGGER ");
    cov_sql_ident(&d->sql, values[0].s);
    COV_SQL(&d->sql, ";\n");
    d->n++;
    return COV_OK;
}

static cov_status replace(const cov_project *p, cov_db *db, bool remove, cov_error *err)
{
    drops d = { .sink = { on_trigger } };
    cov_status st;

    cov_sql_init(&d.sql, p->arena, db);
    st = cov_db_query(db, &find_old, &d.sink, err);
    if (!remove)
        cov_live_triggers_sql(p->app->live, &d.sql.text);
    if (st == COV_OK && d.sql.text.failed)
        st = cov_fail_nomem(err);
    return st == COV_OK ? cov_db_script(db, cov_buf_view(&d.sql.text), err) : st;
}

/* All or nothing: a program that writes meanwhile meets the old triggers or the new ones. */
static cov_status change(const cov_project *p, bool remove, cov_error *err)
{
    cov_db_config config = { .url = p->database_url,
                             .busy_timeout_ms = (uint32_t)p->config.database.busy_timeout_ms };
    cov_db *db = NULL;
    cov_status st;

    if (cov_cli_file_kind(p->database_path.ptr) != COV_FILE_REGULAR)
        return cov_fail(err, COV_ENOTFOUND, "%.*s: does not exist; covara serve creates it",
                        COV_STR_ARG(p->database_path));
    st = cov_db_open(p->driver, p->host, &config, &db, err);
    if (st == COV_OK && (st = cov_db_begin(db, true, err)) == COV_OK) {
        st = replace(p, db, remove, err);
        if (st == COV_OK)
            st = cov_db_commit(db, err);
        if (st != COV_OK)
            cov_db_rollback(db);
    }
    cov_db_close(db);
    return st;
}

static cov_status print(const cov_project *p, cov_error *err)
{
    cov_buf out = COV_BUF_IN(p->arena);

    cov_live_triggers_sql(p->app->live, &out);
    if (out.failed)
        return cov_fail_nomem(err);
    if (fwrite(out.ptr, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
        return cov_fail(err, COV_EINTERNAL, "the output could not be written");
    return COV_OK;
}

static cov_status run(const cov_project *p, const cov_cli_args *args, cov_error *err)
{
    bool remove = args->values[COV_CLI_REMOVE] != NULL;
    cov_status st;

    if (args->values[COV_CLI_PRINT] != NULL)
        return remove ? cov_fail(err, COV_EINVAL, "--print and --remove exclude each other")
                      : print(p, err);
    if (!remove && !p->config.changelog_in_database)
        return cov_fail(err, COV_EINVAL,
                        "%.*s: only \"changelog\": \"database\" is read from the database",
                        COV_STR_ARG(p->config_path));
    st = change(p, remove, err);
    if (st == COV_OK)
        printf("%.*s: triggers %s\n", COV_STR_ARG(p->database_path), remove ? "removed" : "made");
    return st;
}

int cov_cli_db_triggers(const cov_cli_args *args)
{
    cov_project project;
    cov_error err;
    int code = 0;

    cov_error_init(&err, NULL);
    if (cov_project_open(args, &project, &err) != COV_OK || run(&project, args, &err) != COV_OK)
        code = cov_cli_fail(&err);
    cov_project_close(&project);
    return code;
}
