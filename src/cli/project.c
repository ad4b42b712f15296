/* SPDX-License-Identifier: MIT */
#include "cli/project.h"

#include "app/build.h"
#include "base/num.h"
#include "cli/files.h"
#include "cli/static.h"
#include "driver/db/sqlite/sqlite.h"
#include "driver/kv/memory/memory.h"
#include "host/native/native.h"
#include "schema/ddl.h"

#define PROJECT_MAX_BYTES ((size_t)512 * 1024 * 1024)

/* ---- Settings that may come from outside the file ---- */

static const char *environment(const cov_project *p, const char *name)
{
    cov_str value;

    return p->host->env(p->host->self, cov_str_from(name), &value) ? value.ptr : NULL;
}

static cov_status apply_port(cov_project *p, const char *flag, cov_error *err)
{
    const char *value = flag != NULL ? flag : environment(p, cov__cli_options[COV_CLI_PORT].env);
    char error[COV_CLI_ERROR_BYTES];

    if (value == NULL || *value == '\0')
        return COV_OK;
    if (!cov_cli_check_value(COV_CLI_PORT, flag != NULL ? "--port" : "PORT", value, error))
        return cov_fail(err, COV_EINVAL, "%s", error);
    (void)cov_parse_i64(cov_str_from(value), &p->config.server.port);
    return COV_OK;
}

static bool level_of(const char *name, cov_log_level *level)
{
    static const struct {
        cov_str name;
        cov_log_level level;
    } rows[] = {
        { COV_STR_INIT("debug"), COV_LOG_DEBUG },
        { COV_STR_INIT("info"), COV_LOG_INFO },
        { COV_STR_INIT("warn"), COV_LOG_WARN },
        { COV_STR_INIT("error"), COV_LOG_ERROR },
    };

    for (size_t i = 0; name != NULL && i < COV_COUNT_OF(rows); i++) {
        if (cov_str_eq_nocase(cov_str_from(name), rows[i].name)) {
            *level = rows[i].level;
            return true;
        }
    }
    return false;
}

/* A level in the environment that is none is ignored, as spec/07 section 10 has it. */
static void apply_level(cov_project *p, const char *flag)
{
    const char *debug = environment(p, "COVARA_DEBUG");

    if (level_of(flag, &p->config.log_level) ||
        level_of(environment(p, cov__cli_options[COV_CLI_LOG_LEVEL].env), &p->config.log_level))
        return;
    if (debug != NULL && strcmp(debug, "1") == 0)
        p->config.log_level = COV_LOG_DEBUG;
}

static cov_status apply_settings(cov_project *p, const cov_cli_args *args, cov_error *err)
{
    if (args->values[COV_CLI_HOST] != NULL)
        p->config.server.host = cov_str_from(args->values[COV_CLI_HOST]);
    if (args->values[COV_CLI_DATABASE] != NULL)
        p->config.database.url = cov_str_from(args->values[COV_CLI_DATABASE]);
    apply_level(p, args->values[COV_CLI_LOG_LEVEL]);
    return apply_port(p, args->values[COV_CLI_PORT], err);
}

/* ---- covara.jsonc ---- */

static cov_status fail_no_config(const cov_project *p, cov_error *err)
{
    return cov_fail(
        err, COV_ENOTFOUND,
        "there is no covara.jsonc in \"%.*s\". Create one beside schema.sql; for a table \"todos\" this will do:\n"
        "\n"
        "  { \"resources\": { \"todos\": { \"auth\": { \"public\": true } } } }\n"
        "\n"
        "docs/configuration.md has every option",
        COV_STR_ARG(p->dir));
}

static cov_status place_config(cov_project *p, const cov_cli_args *args, cov_error *err)
{
    const char *file = args->values[COV_CLI_CONFIG];

    p->dir = cov_str_from(args->dir != NULL ? args->dir : ".");
    if (args->dir == NULL && file != NULL)
        p->dir = cov_cli_folder(cov_str_from(file));
    p->dir = cov_arena_str(p->arena, p->dir);
    if (p->dir.ptr == NULL)
        return cov_fail_nomem(err);
    if (cov_cli_file_kind(p->dir.ptr) != COV_FILE_FOLDER)
        return cov_fail(err, COV_ENOTFOUND, "there is no folder \"%.*s\"", COV_STR_ARG(p->dir));
    return file != NULL
               ? cov_cli_join(p->arena, COV_STR("."), cov_str_from(file), &p->config_path, err)
               : cov_cli_join(p->arena, p->dir, COV_STR("covara.jsonc"), &p->config_path, err);
}

static cov_status read_config(cov_project *p, const cov_cli_args *args, cov_error *err)
{
    const cov_config *config;
    cov_str env_path;
    cov_str text;
    cov_status st;

    if ((st = place_config(p, args, err)) != COV_OK ||
        (st = cov_cli_join(p->arena, p->dir, COV_STR(".env"), &env_path, err)) != COV_OK ||
        (st = cov_cli_load_env(p->arena, env_path, err)) != COV_OK)
        return st;
    st = cov_cli_read_file(p->arena, p->config_path, &text, err);
    if (st == COV_ENOTFOUND && args->values[COV_CLI_CONFIG] == NULL)
        return fail_no_config(p, err);
    if (st != COV_OK)
        return st;
    if ((st = cov_config_parse(p->arena, p->host, p->config_path, text, &config, err)) != COV_OK)
        return st;
    p->config = *config;
    return apply_settings(p, args, err);
}

/* ---- The database's URL ---- */

static cov_str scheme_of(cov_str url)
{
    return cov_str_slice(url, 0, cov_str_find(url, ':', 0));
}

/* Only the scheme of a foreign URL is shown: the rest may hold a password. */
static cov_status fail_scheme(cov_str url, cov_error *err)
{
    cov_str scheme = scheme_of(url);

    if (scheme.len == url.len)
        return cov_fail(err, COV_EINVAL,
                        "\"%.*s\" is not a database URL; for a file write \"sqlite:%.*s\"",
                        COV_STR_ARG(url), COV_STR_ARG(url));
    return cov_fail(err, COV_EINVAL,
                    "this build has no driver for databases of the kind \"%.*s:\"; it has: sqlite",
                    COV_STR_ARG(scheme));
}

/* "sqlite:app.db" and SQLite's own "file:app.db?options", relative to the project's folder. */
static cov_status place_database(cov_project *p, cov_error *err)
{
    cov_str url = p->config.database.url;
    cov_str scheme = scheme_of(url);
    bool uri = cov_str_eq(scheme, COV_STR("file"));
    cov_str path = cov_str_slice(url, scheme.len + 1, url.len);
    size_t query = uri ? cov_str_find(path, '?', 0) : path.len;
    cov_str options = cov_str_slice(path, query, path.len);
    cov_status st;

    if (!uri && !cov_str_eq(scheme, COV_STR("sqlite")))
        return fail_scheme(url, err);
    path = cov_str_slice(path, 0, query);
    if (uri &&
        cov_str_find(path, '%', 0) != path.len) /* SQLite would decode it, the file system not */
        return cov_fail(err, COV_EINVAL,
                        "\"%.*s\": write \"sqlite:\" and the path without percent signs",
                        COV_STR_ARG(url));
    if (cov_str_starts(path, COV_STR("//")))
        path = cov_str_slice(path, 2, path.len);
    if (path.len == 0 || cov_str_eq(path, COV_STR(":memory:")))
        return cov_fail(
            err, COV_EINVAL,
            "the database must be a file: every thread would have a \"%.*s\" of its own",
            COV_STR_ARG(url));
    if ((st = cov_cli_join(p->arena, p->dir, path, &p->database_path, err)) != COV_OK)
        return st;
    p->database_url = cov_arena_printf(p->arena, "%.*s:%.*s%.*s", COV_STR_ARG(scheme),
                                       COV_STR_ARG(p->database_path), COV_STR_ARG(options));
    p->driver = &cov_sqlite_driver;
    return p->database_url.ptr != NULL ? COV_OK : cov_fail_nomem(err);
}

/* ---- schema.sql ---- */

cov_status cov_project_sql_error(cov_str file, cov_str sql, cov_error *err)
{
    size_t at = err->offset != COV_NO_OFFSET && err->offset <= sql.len ? err->offset : 0;
    size_t line = 1;
    size_t start = 0;
    cov_str detail = cov_error_detail(err);
    char text[sizeof err->text];

    at = cov_ddl_next(sql, &at).offset; /* a statement's comments come before it */
    for (size_t i = 0; i < at; i++) {
        if (sql.ptr[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    snprintf(text, sizeof text, "%.*s", COV_STR_ARG(detail));
    return cov_fail_at(err, err->status, at, "%.*s:%zu:%zu: %s", COV_STR_ARG(file), line,
                       at - start + 1, text);
}

/* The schema is what SQLite makes of the text, so it runs in an empty database in memory. */
static cov_status read_schema(cov_project *p, cov_error *err)
{
    cov_db_config memory = { .url = COV_STR_INIT("sqlite::memory:") };
    cov_db *db = NULL;
    cov_status st;

    if ((st = cov_cli_join(p->arena, cov_cli_folder(p->config_path), p->config.schema_path,
                           &p->schema_path, err)) != COV_OK ||
        (st = cov_cli_read_file(p->arena, p->schema_path, &p->schema_sql, err)) != COV_OK ||
        (st = cov_db_open(p->driver, p->host, &memory, &db, err)) != COV_OK)
        return st;
    st = cov_db_script(db, p->schema_sql, err);
    if (st != COV_OK)
        st = cov_project_sql_error(p->schema_path, p->schema_sql, err);
    else
        st = cov_schema_read_sqlite(p->arena, db, p->config.naming, &p->schema, err);
    cov_db_close(db);
    return st;
}

static cov_status open_kv(cov_project *p, cov_error *err)
{
    cov_kv_config config = { .prefix = p->config.kv.prefix };

    return cov_kv_open(&cov_memory_kv_driver, p->host, &config, &p->kv, err);
}

static cov_status serve_files(cov_project *p, cov_error *err)
{
    cov_file *files = NULL;
    size_t n = 0;
    cov_status st = cov_static_read(p, &files, &n, err);

    return st == COV_OK ? cov__app_serve_files(p->app, files, n, err) : st;
}

cov_status cov_project_open(const cov_cli_args *args, cov_project *out, cov_error *err)
{
    cov_status st;

    memset(out, 0, sizeof *out);
    out->host = cov_native_host();
    out->arena = cov_arena_new(PROJECT_MAX_BYTES);
    if (out->arena == NULL)
        return cov_fail_nomem(err);
    err->arena = out->arena;
    if ((st = read_config(out, args, err)) != COV_OK || (st = place_database(out, err)) != COV_OK ||
        (st = read_schema(out, err)) != COV_OK)
        return st;
    if ((st = open_kv(out, err)) != COV_OK)
        return st;
    st = cov__app_build(out->host, &out->config, out->schema, out->kv, args->build, &out->app, err);
    return st == COV_OK ? serve_files(out, err) : st;
}

void cov_project_close(cov_project *project)
{
    if (project->app != NULL)
        cov_app_free(project->app);
    cov_kv_close(project->kv);
    cov_arena_free(project->arena);
}
