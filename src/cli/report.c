/* SPDX-License-Identifier: MIT */
/* What more than one command tells people. */
#include <stdio.h>

#include "cli/commands.h"

int cov_cli_fail(const cov_error *err)
{
    cov_str detail = cov_error_detail(err);

    fprintf(stderr, "error: %.*s\n", COV_STR_ARG(detail));
    return 1;
}

int cov_cli_report_misfit(cov_str database, cov_str schema, cov_str report, size_t n_differences)
{
    cov_str line;

    fprintf(stderr, "error: %.*s does not fit %.*s (%zu difference%s):\n", COV_STR_ARG(database),
            COV_STR_ARG(schema), n_differences, n_differences == 1 ? "" : "s");
    while (cov_str_split(&report, '\n', &line))
        if (line.len != 0)
            fprintf(stderr, "  %.*s\n", COV_STR_ARG(line));
    fprintf(
        stderr,
        "The database was left as it is. Change one of the two so that they agree, then start again.\n");
    return 1;
}
