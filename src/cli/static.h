/* SPDX-License-Identifier: MIT */
/* cli/static.h - the folders of app.static, read into memory. */
#ifndef COV_CLI_STATIC_H
#define COV_CLI_STATIC_H

#include "app/build.h"
#include "cli/project.h"

/*
 * Every regular file below the folders; names that begin with a dot are left out. At most 1000 files and 16 MiB. Symbolic
 * links are refused, and so is a folder that holds the configuration, the schema or the database: whoever asks may read
 * what is served. Results live in the project's arena.
 */
COV_CHECK cov_status cov_static_read(const cov_project *p, cov_file **files, size_t *n,
                                     cov_error *err);

#endif
