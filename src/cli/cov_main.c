/* SPDX-License-Identifier: MIT */
/* The covara command, alone or with an application inside: words to a command, the command to an exit code. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"

static bool is_any(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static int run(cov_cli_command_id command, int n_words, char *const *words, cov_build_fn build)
{
    static int (*const run_command[COV_CLI_N_COMMANDS])(const cov_cli_args *) = {
        [COV_CLI_SERVE] = cov_cli_serve,
        [COV_CLI_CHECK] = cov_cli_check,
        [COV_CLI_DB_TRIGGERS] = cov_cli_db_triggers,
        [COV_CLI_SCHEMA] = cov_cli_schema,
    };
    cov_cli_args args;
    char error[COV_CLI_ERROR_BYTES];

    if (!cov_cli_parse(command, n_words, words, &args, error)) {
        fprintf(stderr, "error: %s\n", error);
        return 1;
    }
    args.build = build;
    if (args.values[COV_CLI_HELP] != NULL) {
        cov_cli_command_help(stdout, command);
        return 0;
    }
    return run_command[command](&args);
}

/* "covara help" and "covara help serve" */
static int help(int n_words, char *const *words)
{
    cov_cli_command_id command;

    if (n_words > 0 && cov_cli_command(n_words, words, &command) != 0)
        cov_cli_command_help(stdout, command);
    else
        cov_cli_help(stdout);
    return 0;
}

int cov_main(int argc, char **argv, cov_build_fn build)
{
    cov_cli_command_id command;
    int n;

    if (argc < 2) {
        cov_cli_help(stdout);
        return 1;
    }
    if (is_any(argv[1], "help", "--help", "-h"))
        return help(argc - 2, argv + 2);
    if (is_any(argv[1], "version", "--version", "-v"))
        return cov_cli_version();
    n = cov_cli_command(argc - 1, argv + 1, &command);
    if (n == 0) {
        fprintf(stderr, "error: unknown command \"%s\"\n\n", argv[1]);
        cov_cli_help(stderr);
        return 1;
    }
    return run(command, argc - 1 - n, argv + 1 + n, build);
}
