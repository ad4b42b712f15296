/* SPDX-License-Identifier: MIT */
/*
 * cli/project.h - a folder with covara.jsonc and schema.sql, read and checked; its database is not touched.
 */
#ifndef COV_CLI_PROJECT_H
#define COV_CLI_PROJECT_H

#include "app/config.h"
#include "cli/args.h"
#include "covara/app.h"
#include "covara/kv.h"

typedef struct cov_project {
    cov_arena *arena; /* owns everything here but `app` */
    const cov_host *host;
    const cov_db_driver *driver;
    cov_str dir;         /* as given, or "." */
    cov_str config_path; /* for messages and reading: "examples/todo/covara.jsonc" */
    cov_str schema_path;
    cov_config config; /* with environment and flags applied */
    cov_str schema_sql;
    cov_schema *schema;
    cov_kv *kv;
    cov_app *app;
    cov_str database_path; /* in the file system */
    cov_str database_url;  /* for the driver: "sqlite:examples/todo/app.db" */
} cov_project;

/* Defaults, file, environment, flags; then schema.sql, and the app made of both. Free with cov_project_close. */
COV_CHECK cov_status cov_project_open(const cov_cli_args *args, cov_project *out, cov_error *err);
void cov_project_close(cov_project *project);
/* A driver's failure in a script as "schema.sql:3:8: ..."; returns err->status. */
cov_status cov_project_sql_error(cov_str file, cov_str sql, cov_error *err);

#endif
