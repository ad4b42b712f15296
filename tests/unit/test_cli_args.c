/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L /* cli/files.c needs it before any header */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The command's sources belong to the executable, not to a library. */
#include "cli/args.c"
#include "cli/files.c"

enum { MAX_WORDS = 8 };

/* Words separated by single spaces; the texts live in `store`. */
static int split(const char *line, char store[256], char *words[MAX_WORDS])
{
    int n = 0;

    snprintf(store, 256, "%s", line);
    for (char *word = strtok(store, " "); word != NULL && n < MAX_WORDS; word = strtok(NULL, " "))
        words[n++] = word;
    return n;
}

static void cli_args__parses_every_form(void **state)
{
    static const struct {
        cov_cli_command_id command;
        const char *line;
        const char *dir;
        cov_cli_option_id option;
        const char *value;
    } rows[] = {
        { COV_CLI_SERVE, "", NULL, COV_CLI_PORT, NULL },
        { COV_CLI_SERVE, "folder", "folder", COV_CLI_PORT, NULL },
        { COV_CLI_SERVE, "--port 8080 folder", "folder", COV_CLI_PORT, "8080" },
        { COV_CLI_SERVE, "folder --port=8080", "folder", COV_CLI_PORT, "8080" },
        { COV_CLI_SERVE, "-p 1 --port 2", NULL, COV_CLI_PORT, "2" },
        { COV_CLI_SERVE, "-p=0", NULL, COV_CLI_PORT, "0" },
        { COV_CLI_SERVE, "--host ::1", NULL, COV_CLI_HOST, "::1" },
        { COV_CLI_SERVE, "--seed=a=b", NULL, COV_CLI_SEED, "a=b" },
        { COV_CLI_SERVE, "--log-level warn", NULL, COV_CLI_LOG_LEVEL, "warn" },
        { COV_CLI_SERVE, "-- --port", "--port", COV_CLI_PORT, NULL },
        { COV_CLI_SERVE, "-", "-", COV_CLI_PORT, NULL },
        { COV_CLI_CHECK, "-c file dir", "dir", COV_CLI_CONFIG, "file" },
        { COV_CLI_CHECK, "--help", NULL, COV_CLI_HELP, "" },
        { COV_CLI_SCHEMA, "--markdown", NULL, COV_CLI_MARKDOWN, "" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        char store[256];
        char *words[MAX_WORDS];
        char error[COV_CLI_ERROR_BYTES] = "";
        cov_cli_args args;

        if (!cov_cli_parse(rows[i].command, split(rows[i].line, store, words), words, &args, error))
            fail_msg("%s: %s", rows[i].line, error);
        if (rows[i].dir == NULL)
            assert_null(args.dir);
        else
            assert_string_equal(args.dir, rows[i].dir);
        if (rows[i].value == NULL)
            assert_null(args.values[rows[i].option]);
        else
            assert_string_equal(args.values[rows[i].option], rows[i].value);
    }
}

static void cli_args__refuses_mistakes(void **state)
{
    static const struct {
        cov_cli_command_id command;
        const char *line;
        const char *error;
    } rows[] = {
        { COV_CLI_SERVE, "--prot 1", "unknown option \"--prot\"; see covara serve --help" },
        { COV_CLI_CHECK, "--port 1", "unknown option \"--port\"; see covara check --help" },
        { COV_CLI_SERVE, "-x", "unknown option \"-x\"; see covara serve --help" },
        { COV_CLI_SERVE, "-port", "unknown option \"-port\"; see covara serve --help" },
        { COV_CLI_SERVE, "--port", "--port needs a value" },
        { COV_CLI_SERVE, "--port --host x", "--port needs a value" },
        { COV_CLI_SERVE, "--port -1", "--port needs a value" },
        { COV_CLI_SERVE, "--port=-1", "--port must be an integer between 0 and 65535, not \"-1\"" },
        { COV_CLI_SERVE, "--port 65536",
          "--port must be an integer between 0 and 65535, not \"65536\"" },
        { COV_CLI_SERVE, "--port 80x",
          "--port must be an integer between 0 and 65535, not \"80x\"" },
        { COV_CLI_SERVE, "--port=", "--port must be an integer between 0 and 65535, not \"\"" },
        { COV_CLI_SERVE, "--host=", "--host must not be empty" },
        { COV_CLI_SERVE, "--log-level loud",
          "--log-level must be debug, info, warn or error, not \"loud\"" },
        { COV_CLI_SERVE, "--help=1", "--help takes no value" },
        { COV_CLI_SERVE, "a b", "unexpected argument \"b\"; see covara serve --help" },
        { COV_CLI_SCHEMA, "a", "unexpected argument \"a\"; see covara schema --help" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        char store[256];
        char *words[MAX_WORDS];
        char error[COV_CLI_ERROR_BYTES] = "";
        cov_cli_args args;

        assert_false(
            cov_cli_parse(rows[i].command, split(rows[i].line, store, words), words, &args, error));
        assert_string_equal(error, rows[i].error);
    }
}

static void cli_args__knows_its_commands(void **state)
{
    static const struct {
        const char *line;
        int n; /* words of the command; 0: there is none */
        cov_cli_command_id command;
    } rows[] = {
        { "check", 1, COV_CLI_CHECK },
        { "check triggers", 1, COV_CLI_CHECK },
        { "db triggers", 2, COV_CLI_DB_TRIGGERS },
        { "db triggers dir", 2, COV_CLI_DB_TRIGGERS },
        { "db", 0, COV_CLI_SERVE },
        { "db trigger", 0, COV_CLI_SERVE },
        { "triggers", 0, COV_CLI_SERVE },
        { "Serve", 0, COV_CLI_SERVE },
        { "", 0, COV_CLI_SERVE },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        char store[256];
        char *words[MAX_WORDS];
        cov_cli_command_id command = COV_CLI_SERVE;

        assert_int_equal(cov_cli_command(split(rows[i].line, store, words), words, &command),
                         rows[i].n);
        assert_int_equal(command, rows[i].command);
    }
}

static void cli_files__joins_paths(void **state)
{
    static const char *const rows[][3] = {
        { ".", "a", "a" },         { "", "a", "a" },   { "d", "a", "d/a" },
        { "d/", "a", "d/a" },      { "/", "a", "/a" }, { "d", "/abs", "/abs" },
        { "d", "../a", "d/../a" },
    };
    static const char *const folders[][2] = {
        { "a", "." }, { "d/a", "d" }, { "/a", "/" }, { "d/e/a", "d/e" }, { "d/", "d" }, { "", "." },
    };
    cov_arena *arena = cov_arena_new(0);

    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_str path;

        assert_int_equal(cov_cli_join(arena, cov_str_from(rows[i][0]), cov_str_from(rows[i][1]),
                                      &path, NULL),
                         COV_OK);
        assert_string_equal(path.ptr, rows[i][2]);
    }
    for (size_t i = 0; i < COV_COUNT_OF(folders); i++) {
        cov_str folder = cov_arena_str(arena, cov_cli_folder(cov_str_from(folders[i][0])));

        assert_string_equal(folder.ptr, folders[i][1]);
    }
    cov_arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cli_args__parses_every_form),
        cmocka_unit_test(cli_args__refuses_mistakes),
        cmocka_unit_test(cli_args__knows_its_commands),
        cmocka_unit_test(cli_files__joins_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
