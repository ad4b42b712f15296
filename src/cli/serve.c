/* SPDX-License-Identifier: MIT */
/* covara serve: a checked project, its database made or found to fit, then requests until a signal. */
#include <stdio.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/files.h"
#include "host/native/native.h"

/* One log line with one member; dropped when memory is out. */
static void log_line(const cov_project *p, cov_log_level level, const char *msg, const char *name,
                     cov_str value)
{
    cov_buf members = COV_BUF_INIT;

    cov_json_str(&members, cov_str_from(name));
    cov_buf_char(&members, ':');
    cov_json_str(&members, value);
    if (!members.failed)
        p->host->log(p->host->self, level, cov_str_from(msg), cov_buf_view(&members));
    cov_buf_dispose(&members);
}

/* "http://localhost:3000": an address that a browser can open. */
static void on_listen(void *self, const char *host, int port)
{
    const cov_project *p = self;
    bool any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    bool v6 = !any && strchr(host, ':') != NULL;
    char url[300];

    snprintf(url, sizeof url, "http://%s%.255s%s:%d", v6 ? "[" : "", any ? "localhost" : host,
             v6 ? "]" : "", port);
    log_line(p, COV_LOG_INFO, "Listening", "url", cov_str_from(url));
}

static cov_status create_database(const cov_project *p, const char *seed_file, bool *created,
                                  cov_error *err)
{
    cov_str seed_path = cov_str_from(seed_file);
    cov_str seed = COV_STR_NULL;
    cov_status st = COV_OK;

    if (seed_file != NULL)
        st = cov_cli_read_file(p->arena, seed_path, &seed, err);
    if (st == COV_OK)
        st = cov_database_create(p, seed_path, seed, created, err);
    if (st == COV_OK && *created)
        log_line(p, COV_LOG_INFO, "Database created", "file", p->database_path);
    return st;
}

/* 0: the database is there and fits. Otherwise the reason was printed. */
static int prepare_database(const cov_project *p, const cov_cli_args *args, cov_error *err)
{
    cov_buf report = COV_BUF_IN(p->arena);
    size_t n_differences = 0;
    bool created = false;

    if (cov_cli_file_kind(p->database_path.ptr) == COV_FILE_NONE &&
        create_database(p, args->values[COV_CLI_SEED], &created, err) != COV_OK)
        return cov_cli_fail(err);
    if (created)
        return 0;
    if (cov_database_fits(p, &report, &n_differences, err) != COV_OK)
        return cov_cli_fail(err);
    if (n_differences != 0)
        return cov_cli_report_misfit(p->database_path, p->schema_path, cov_buf_view(&report),
                                     n_differences);
    return 0;
}

static cov_status serve(cov_project *p, cov_error *err)
{
    const cov_server_config *server = &p->config.server;
    cov_str host = cov_arena_str(p->arena, server->host);
    cov_native_options options = {
        .app = p->app,
        .driver = p->driver,
        .database = { .url = p->database_url,
                      .busy_timeout_ms = (uint32_t)p->config.database.busy_timeout_ms,
                      .relaxed_sync = p->config.database.relaxed_sync },
        .host = host.ptr,
        .port = (int)server->port,
        .threads = (int)server->threads,
        .pool_threads = (size_t)server->pool_threads,
        .max_body_bytes = (size_t)server->max_body_bytes,
        .max_header_bytes = (size_t)server->max_header_bytes,
        .max_url_bytes = (size_t)server->max_url_bytes,
        .header_timeout_ms = (uint32_t)server->header_timeout_ms,
        .body_timeout_ms = (uint32_t)server->body_timeout_ms,
        .idle_timeout_ms = (uint32_t)server->idle_timeout_ms,
        .write_timeout_ms = (uint32_t)server->write_timeout_ms,
        .drain_timeout_ms = (uint32_t)server->drain_timeout_ms,
        .pre_stop_delay_ms = (uint32_t)server->pre_stop_delay_ms,
        .max_connections = (size_t)server->max_connections,
        .access_log = server->access_log,
        .on_listen = on_listen,
        .self = p,
    };

    return host.ptr != NULL ? cov_native_serve(&options, err) : cov_fail_nomem(err);
}

int cov_cli_serve(const cov_cli_args *args)
{
    cov_project project;
    cov_error err;
    int code;

    cov_error_init(&err, NULL);
    if (cov_project_open(args, &project, &err) != COV_OK) {
        code = cov_cli_fail(&err);
    } else {
        cov_native_log_level(project.config.log_level);
        for (size_t i = 0; i < project.config.unused.n; i++)
            log_line(&project, COV_LOG_WARN, "Not in effect yet", "option",
                     project.config.unused.items[i]);
        code = prepare_database(&project, args, &err);
        if (code == 0 && serve(&project, &err) != COV_OK)
            code = cov_cli_fail(&err);
    }
    cov_project_close(&project);
    return code;
}
