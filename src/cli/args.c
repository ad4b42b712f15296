/* SPDX-License-Identifier: MIT */
#include "cli/args.h"

#include <string.h>

#include "base/num.h"
#include "covara/version.h"

typedef struct command_row {
    const char *name;
    const char *operand; /* "[DIR]" or NULL */
    const char *help;
} command_row;

static const command_row commands[COV_CLI_N_COMMANDS] = {
    [COV_CLI_SERVE] = { "serve", "[DIR]",
                        "Serve the project in DIR (by default the current folder)." },
    [COV_CLI_CHECK] = { "check", "[DIR]",
                        "Check configuration, schema and database; change nothing." },
    [COV_CLI_DB_TRIGGERS] = { "db triggers", "[DIR]",
                              "Make triggers that tell subscribers what other programs change." },
    [COV_CLI_SCHEMA] = { "schema", NULL, "Print the JSON Schema of covara.jsonc." },
};

#define IN(command) (1u << (command))
#define ON_PROJECT (IN(COV_CLI_SERVE) | IN(COV_CLI_CHECK) | IN(COV_CLI_DB_TRIGGERS))

static const char *const levels[] = { "debug", "info", "warn", "error", NULL };

const cov_cli_option cov__cli_options[COV_CLI_N_OPTIONS] = {
    [COV_CLI_PORT] = { "port", 'p', "N", "PORT", IN(COV_CLI_SERVE), NULL, true,
                       "Port to listen on; 0 takes any free one." },
    [COV_CLI_HOST] = { "host", '\0', "H", NULL, IN(COV_CLI_SERVE), NULL, false,
                       "Address to listen on." },
    [COV_CLI_CONFIG] = { "config", 'c', "FILE", NULL, ON_PROJECT, NULL, false,
                         "Configuration to read; by default DIR/covara.jsonc." },
    [COV_CLI_DATABASE] = { "database", '\0', "URL", NULL, ON_PROJECT, NULL, false,
                           "Database, such as sqlite:app.db (relative to DIR)." },
    [COV_CLI_LOG_LEVEL] = { "log-level", '\0', "LEVEL", "COVARA_LOG_LEVEL", IN(COV_CLI_SERVE),
                            levels, false, "debug, info, warn or error." },
    [COV_CLI_SEED] = { "seed", '\0', "FILE", NULL, IN(COV_CLI_SERVE), NULL, false,
                       "SQL to run when the database is created, and only then." },
    [COV_CLI_MARKDOWN] = { "markdown", '\0', NULL, NULL, IN(COV_CLI_SCHEMA), NULL, false,
                           "Print the manual instead (docs/configuration.md)." },
    [COV_CLI_PRINT] = { "print", '\0', NULL, NULL, IN(COV_CLI_DB_TRIGGERS), NULL, false,
                        "Print the SQL and change nothing." },
    [COV_CLI_REMOVE] = { "remove", '\0', NULL, NULL, IN(COV_CLI_DB_TRIGGERS), NULL, false,
                         "Remove the triggers instead." },
    [COV_CLI_HELP] = { "help", 'h', NULL, NULL, ~0u, NULL, false, "Print this help." },
};

/* How many of the words spell `name`, whose words have one space between them; 0: they do not. */
static int words_of(const char *name, int n_words, char *const *words)
{
    cov_str rest = cov_str_from(name);
    cov_str word;
    int n = 0;

    while (cov_str_split(&rest, ' ', &word))
        if (n >= n_words || !cov_str_eq(word, cov_str_from(words[n++])))
            return 0;
    return n;
}

int cov_cli_command(int n_words, char *const *words, cov_cli_command_id *out)
{
    for (int i = 0; i < COV_CLI_N_COMMANDS; i++) {
        int n = words_of(commands[i].name, n_words, words);

        if (n != 0) {
            *out = (cov_cli_command_id)i;
            return n;
        }
    }
    return 0;
}

static bool is_one_of(const char *const *choices, const char *value)
{
    for (; *choices != NULL; choices++)
        if (strcmp(*choices, value) == 0)
            return true;
    return false;
}

bool cov_cli_check_value(cov_cli_option_id id, const char *source, const char *value,
                         char error[COV_CLI_ERROR_BYTES])
{
    const cov_cli_option *option = &cov__cli_options[id];
    int64_t number = 0;

    if (option->is_port &&
        (!cov_parse_i64(cov_str_from(value), &number) || number < 0 || number > 65535)) {
        snprintf(error, COV_CLI_ERROR_BYTES,
                 "%s must be an integer between 0 and 65535, not \"%.80s\"", source, value);
        return false;
    }
    if (option->choices != NULL && !is_one_of(option->choices, value)) {
        snprintf(error, COV_CLI_ERROR_BYTES, "%s must be %s not \"%.80s\"", source,
                 "debug, info, warn or error,", value);
        return false;
    }
    if (*value == '\0' && option->value != NULL) {
        snprintf(error, COV_CLI_ERROR_BYTES, "%s must not be empty", source);
        return false;
    }
    return true;
}

/* The option that `name` (without dashes, up to its '=') means to this command, or -1. */
static int option_named(cov_cli_command_id command, cov_str name, bool is_letter)
{
    for (int i = 0; i < COV_CLI_N_OPTIONS; i++) {
        const cov_cli_option *option = &cov__cli_options[i];
        bool same = is_letter ? name.len == 1 && name.ptr[0] == option->letter
                              : cov_str_eq(name, cov_str_from(option->name));

        if (same && (option->commands & IN(command)))
            return i;
    }
    return -1;
}

/* One option word; may take the next word as its value. Returns how many words were used, 0 on error. */
static int take_option(cov_cli_args *out, int n_words, char *const *words,
                       char error[COV_CLI_ERROR_BYTES])
{
    const char *word = words[0];
    bool is_letter = word[1] != '-';
    cov_str text = cov_str_from(word + (is_letter ? 1 : 2));
    size_t equals = cov_str_find(text, '=', 0);
    int id = option_named(out->command, cov_str_slice(text, 0, equals), is_letter);
    const char *value = equals < text.len ? text.ptr + equals + 1 : NULL;
    char source[32];
    int used = 1;

    if (id < 0) {
        snprintf(error, COV_CLI_ERROR_BYTES, "unknown option \"%.80s\"; see covara %s --help", word,
                 commands[out->command].name);
        return 0;
    }
    snprintf(source, sizeof source, "--%s", cov__cli_options[id].name);
    if (cov__cli_options[id].value == NULL) {
        if (value != NULL) {
            snprintf(error, COV_CLI_ERROR_BYTES, "%s takes no value", source);
            return 0;
        }
        out->values[id] = "";
        return used;
    }
    if (value == NULL && n_words > 1 && words[1][0] != '-') {
        value = words[1];
        used = 2;
    }
    if (value == NULL) {
        snprintf(error, COV_CLI_ERROR_BYTES, "%s needs a value", source);
        return 0;
    }
    out->values[id] = value;
    return cov_cli_check_value((cov_cli_option_id)id, source, value, error) ? used : 0;
}

static bool take_operand(cov_cli_args *out, const char *word, char error[COV_CLI_ERROR_BYTES])
{
    if (commands[out->command].operand == NULL || out->dir != NULL) {
        snprintf(error, COV_CLI_ERROR_BYTES, "unexpected argument \"%.80s\"; see covara %s --help",
                 word, commands[out->command].name);
        return false;
    }
    out->dir = word;
    return true;
}

bool cov_cli_parse(cov_cli_command_id command, int n_words, char *const *words, cov_cli_args *out,
                   char error[COV_CLI_ERROR_BYTES])
{
    bool options_end = false;

    memset(out, 0, sizeof *out);
    out->command = command;
    for (int i = 0; i < n_words;) {
        if (!options_end && strcmp(words[i], "--") == 0) {
            options_end = true;
            i++;
        } else if (!options_end && words[i][0] == '-' && words[i][1] != '\0') {
            int used = take_option(out, n_words - i, words + i, error);

            if (used == 0)
                return false;
            i += used;
        } else if (!take_operand(out, words[i++], error)) {
            return false;
        }
    }
    return true;
}

void cov_cli_help(FILE *out)
{
    fprintf(
        out,
        "covara %s: your SQL schema as a REST API\n\nUsage: covara <command> [options]\n\nCommands:\n",
        COV_VERSION);
    for (int i = 0; i < COV_CLI_N_COMMANDS; i++)
        fprintf(out, "  %-11s %-6s %s\n", commands[i].name,
                commands[i].operand != NULL ? commands[i].operand : "", commands[i].help);
    fprintf(
        out,
        "\ncovara <command> --help describes a command; covara --version says what this build holds.\n");
}

void cov_cli_command_help(FILE *out, cov_cli_command_id command)
{
    const char *operand = commands[command].operand;

    fprintf(out, "Usage: covara %s%s%s [options]\n\n%s\n\nOptions:\n", commands[command].name,
            operand != NULL ? " " : "", operand != NULL ? operand : "", commands[command].help);
    for (int i = 0; i < COV_CLI_N_OPTIONS; i++) {
        const cov_cli_option *option = &cov__cli_options[i];
        char name[48];
        char letter[8] = "    ";

        if (!(option->commands & IN(command)))
            continue;
        if (option->letter != '\0')
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(name, sizeof name, "--%s%s%s", option->name, option->value != NULL ? " " : "",
                 option->value != NULL ? option->value : "");
        fprintf(out, "  %s%-18s %s", letter, name, option->help);
        if (option->env != NULL)
            fprintf(out, " [environment: %s]", option->env);
        fputc('\n', out);
    }
}
