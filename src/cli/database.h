/* SPDX-License-Identifier: MIT */
/* cli/database.h - a project's database file: creating it whole or not at all, and checking that it fits. */
#ifndef COV_CLI_DATABASE_H
#define COV_CLI_DATABASE_H

#include "cli/project.h"

/*
 * Create the database from schema.sql, then the text of `seed` (ptr NULL: none; `seed_path` is for messages).
 * It is made in a file beside the final place, which gets it in one step when all of it succeeded.
 * *created is false when another process made the database in the meantime.
 */
COV_CHECK cov_status cov_database_create(const cov_project *project, cov_str seed_path,
                                         cov_str seed, bool *created, cov_error *err);
/*
 * Compare the existing database with schema.sql, changing nothing. Every difference is one line of `report`;
 * *n_differences is 0 when it fits.
 */
COV_CHECK cov_status cov_database_fits(const cov_project *project, cov_buf *report,
                                       size_t *n_differences, cov_error *err);

#endif
