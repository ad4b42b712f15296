/* SPDX-License-Identifier: MIT */
/*
 * cli/args.h - the command line: one table of commands, one of options; parsing and help follow from both.
 */
#ifndef COV_CLI_ARGS_H
#define COV_CLI_ARGS_H

#include <stdio.h>

#include "covara/app.h"

typedef enum cov_cli_option_id {
    COV_CLI_PORT,
    COV_CLI_HOST,
    COV_CLI_CONFIG,
    COV_CLI_DATABASE,
    COV_CLI_LOG_LEVEL,
    COV_CLI_SEED,
    COV_CLI_MARKDOWN,
    COV_CLI_PRINT,
    COV_CLI_REMOVE,
    COV_CLI_HELP,
    COV_CLI_N_OPTIONS
} cov_cli_option_id;

typedef enum cov_cli_command_id {
    COV_CLI_SERVE,
    COV_CLI_CHECK,
    COV_CLI_DB_TRIGGERS,
    COV_CLI_SCHEMA,
    COV_CLI_N_COMMANDS
} cov_cli_command_id;

typedef struct cov_cli_option {
    const char *name;           /* without dashes */
    char letter;                /* '\0': none */
    const char *value;          /* what help calls its value; NULL: a switch */
    const char *env;            /* variable that counts when the option is not given; NULL: none */
    unsigned commands;          /* bit per cov_cli_command_id */
    const char *const *choices; /* NULL-terminated; NULL: any text */
    bool is_port;               /* an integer between 0 and 65535 */
    const char *help;
} cov_cli_option;

typedef struct cov_cli_args {
    cov_cli_command_id command;
    const char *dir;                       /* NULL: not given */
    const char *values[COV_CLI_N_OPTIONS]; /* NULL: not given; switches: "" */
    cov_build_fn build;                    /* application code, or NULL */
} cov_cli_args;

enum { COV_CLI_ERROR_BYTES = 256 };

extern const cov_cli_option cov__cli_options[COV_CLI_N_OPTIONS];

/* The command that the first words name. Returns how many they are, 0 when there is no such command. */
int cov_cli_command(int n_words, char *const *words, cov_cli_command_id *out);
/*
 * The words behind it: "--name value", "--name=value", "-p value", "--" and one folder.
 * False: `error` says why, in one line.
 */
bool cov_cli_parse(cov_cli_command_id command, int n_words, char *const *words, cov_cli_args *out,
                   char error[COV_CLI_ERROR_BYTES]);
/* Is `value` good for this option? `source` is what the message calls it: "--port" or "PORT". */
bool cov_cli_check_value(cov_cli_option_id option, const char *source, const char *value,
                         char error[COV_CLI_ERROR_BYTES]);
void cov_cli_help(FILE *out);
void cov_cli_command_help(FILE *out, cov_cli_command_id command);

#endif
