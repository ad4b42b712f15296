/* SPDX-License-Identifier: MIT */
/* covara check: everything that serve checks before it serves, and nothing changed. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/database.h"
#include "cli/files.h"

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_project(const cov_project *p)
{
    printf("%.*s: ok, %zu resource%s\n", COV_STR_ARG(p->config_path), p->config.n_resources,
           plural(p->config.n_resources));
    printf("%.*s: ok, %zu table%s\n", COV_STR_ARG(p->schema_path), p->schema->n_tables,
           plural(p->schema->n_tables));
}

static int check_database(const cov_project *p, cov_error *err)
{
    cov_buf report = COV_BUF_IN(p->arena);
    size_t n_differences = 0;

    if (cov_cli_file_kind(p->database_path.ptr) == COV_FILE_NONE) {
        printf("%.*s: does not exist; covara serve creates it\n", COV_STR_ARG(p->database_path));
        return 0;
    }
    if (cov_database_fits(p, &report, &n_differences, err) != COV_OK)
        return cov_cli_fail(err);
    if (n_differences != 0)
        return cov_cli_report_misfit(p->database_path, p->schema_path, cov_buf_view(&report),
                                     n_differences);
    printf("%.*s: ok, fits %.*s\n", COV_STR_ARG(p->database_path), COV_STR_ARG(p->schema_path));
    return 0;
}

int cov_cli_check(const cov_cli_args *args)
{
    cov_project project;
    cov_error err;
    int code;

    cov_error_init(&err, NULL);
    if (cov_project_open(args, &project, &err) == COV_OK) {
        print_project(&project);
        code = check_database(&project, &err);
    } else {
        code = cov_cli_fail(&err);
    }
    cov_project_close(&project);
    return code;
}
