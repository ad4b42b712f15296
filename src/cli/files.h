/* SPDX-License-Identifier: MIT */
/* cli/files.h - whole files, paths, and the .env file. Texts come terminated, in the arena. */
#ifndef COV_CLI_FILES_H
#define COV_CLI_FILES_H

#include "covara/buf.h"
#include "covara/error.h"

typedef enum cov_file_kind {
    COV_FILE_NONE,
    COV_FILE_REGULAR,
    COV_FILE_FOLDER,
    COV_FILE_OTHER
} cov_file_kind;

cov_file_kind cov_cli_file_kind(const char *path);
/* "dir/name"; `name` itself when it is absolute or dir is "." or empty. Never NULL: fails as out of memory. */
COV_CHECK cov_status cov_cli_join(cov_arena *arena, cov_str dir, cov_str name, cov_str *out,
                                  cov_error *err);
/* The folder that holds `path`: "." when it names none. */
cov_str cov_cli_folder(cov_str path);
/* Fails with COV_ENOTFOUND when there is no such file, COV_EINTERNAL otherwise; the detail names it. */
COV_CHECK cov_status cov_cli_read_file(cov_arena *arena, cov_str path, cov_str *out,
                                       cov_error *err);
/* KEY=value lines into the environment; what is set already stays. No such file is fine. */
COV_CHECK cov_status cov_cli_load_env(cov_arena *arena, cov_str path, cov_error *err);

#endif
