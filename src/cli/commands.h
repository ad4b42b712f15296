/* SPDX-License-Identifier: MIT */
/* cli/commands.h - the commands; each returns the process's exit code. */
#ifndef COV_CLI_COMMANDS_H
#define COV_CLI_COMMANDS_H

#include "cli/args.h"
#include "covara/error.h"

int cov_cli_serve(const cov_cli_args *args);
int cov_cli_check(const cov_cli_args *args);
int cov_cli_db_triggers(const cov_cli_args *args);
int cov_cli_schema(const cov_cli_args *args);
int cov_cli_version(void);

/* "error: ..." on stderr; returns 1. */
int cov_cli_fail(const cov_error *err);
/* The differences between schema.sql and a database, on stderr; returns 1. */
int cov_cli_report_misfit(cov_str database, cov_str schema, cov_str report, size_t n_differences);

#endif
