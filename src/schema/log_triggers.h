/* SPDX-License-Identifier: MIT */
/*
 * schema/log_triggers.h - SQLite triggers that enter what other programs change into the changelog's table.
 *
 * DESIGN: A trigger runs in every program that writes to the file, the server too, whose own writes are entered already.
 * It must tell the two apart with nothing but what every SQLite has. So it asks for a compile option that no build has,
 * and the server's connections answer yes: they register a sqlite_compileoption_used of their own
 * (driver/db/sqlite/functions.c). A marker in a table would cost each transaction of the server two statements; a
 * function that only the server has would make every other program's writes fail.
 *
 * A row is entered as a JSON object of its columns, by SQL name, each as it is stored: null, number, text, a blob as
 * {"blob":"00FF"}, and text that has control characters as {"text":"0A"}. The server knows such rows by the entry's origin. What cannot be written so makes no statement of the
 * other program fail; the server finds that it cannot read the row, and subscribers read again.
 */
#ifndef COV_SCHEMA_LOG_TRIGGERS_H
#define COV_SCHEMA_LOG_TRIGGERS_H

#include "schema/schema.h"

/* The option that only the server's connections say they were compiled with. */
#define COV_LOG_TRIGGERS_OPTION "COVARA_SERVER"
/* What names of triggers begin with, and the origin of their entries. */
#define COV_LOG_TRIGGERS_PREFIX "covara_changelog_"
#define COV_LOG_TRIGGERS_ORIGIN "trigger"

/*
 * Append the statements that make a table's three triggers. `id` is the column that names its rows; `most` entries are
 * kept. Nothing for a view.
 */
void cov_log_triggers_sql(cov_buf *out, const cov_table *table, const cov_column *id, int64_t most);

#endif
