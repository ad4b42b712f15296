/* SPDX-License-Identifier: MIT */
/* covara schema: what the option table says about covara.jsonc, for editors or for people. */
#include <stdio.h>

#include "app/config.h"
#include "cli/commands.h"

int cov_cli_schema(const cov_cli_args *args)
{
    cov_buf out = COV_BUF_INIT;
    bool written;

    if (args->values[COV_CLI_MARKDOWN] != NULL)
        cov_config_markdown(&out);
    else
        cov_config_json_schema(&out);
    written = !out.failed && fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    cov_buf_dispose(&out);
    if (!written)
        fprintf(stderr, "error: the output could not be written\n");
    return written ? 0 : 1;
}
