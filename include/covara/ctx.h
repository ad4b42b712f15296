/* SPDX-License-Identifier: MIT */
/*
 * covara/ctx.h - the request that application code runs in, and rows as it sees them.
 *
 * Hooks, procedures, computed fields, scope functions, routes and middleware all get a cov_ctx. It is theirs
 * for the call only. Whatever is allocated in its arena lives until the response was sent.
 * Threads: the request's own; application code needs no locks for anything reached from here.
 */
#ifndef COVARA_CTX_H
#define COVARA_CTX_H

#include "covara/db.h"
#include "covara/http.h"
#include "covara/json.h"

COV_BEGIN_C

typedef struct cov_ctx cov_ctx;

const cov_host *cov_ctx_host(const cov_ctx *ctx);
cov_arena *cov_ctx_arena(const cov_ctx *ctx);
const cov_request *cov_ctx_request(const cov_ctx *ctx);
cov_response *cov_ctx_response(const cov_ctx *ctx);
/* What a custom route's ":name" segment matched, percent-decoded; ptr NULL when there is none. */
cov_str cov_ctx_path_param(const cov_ctx *ctx, const char *name);
/* The first query parameter of that name, decoded; ptr NULL when absent. */
cov_str cov_ctx_query_param(const cov_ctx *ctx, const char *name);
/* A property of the signed-in user ("id", "metadata.org"); false when anonymous or unknown. */
bool cov_ctx_user(const cov_ctx *ctx, const char *path, cov_value *value);

/*
 * SQL with bound values on the request's own connection, inside its transaction when it has one: what a
 * hook writes is rolled back with the request. Rows of resources that a statement changes are told to listeners
 * (cov_app_on_mutation) and subscribers as the API's own are, with those that triggers and foreign keys change in turn;
 * of more than 1000 rows, and of tables with generated columns, only that they changed: id "*". So it is for tables
 * that are no resource, by the name in the statement's text.
 *
 * sql     one statement with `?` placeholders; never put values into the text
 * sink    rows one at a time, or NULL; see cov_row_sink
 * changes rows inserted, updated or deleted; may be NULL
 */
COV_CHECK cov_status cov_ctx_query(cov_ctx *ctx, cov_str sql, const cov_value *params,
                                   size_t n_params, cov_row_sink *sink, cov_error *err);
COV_CHECK cov_status cov_ctx_exec(cov_ctx *ctx, cov_str sql, const cov_value *params,
                                  size_t n_params, int64_t *changes, cov_error *err);
/*
 * Say that rows of `resource` changed in a way this process did not see (another process, another system).
 * `type` is "create", "update" or "delete"; `id` may be empty for "some rows".
 */
void cov_record_external_mutation(cov_ctx *ctx, cov_str resource, cov_str type, cov_str id);

/*
 * One row of a resource, by property name. Values are in the column's storage: booleans 0/1, TIMESTAMP seconds,
 * TIMESTAMP_MS milliseconds, DATETIME and JSON text.
 */
typedef struct cov_row cov_row;

/* NULL when the row has no such column, or (before-hooks) when the client did not send it. Borrowed. */
const cov_value *cov_row_get(const cov_row *row, const char *property);
/* Conveniences: ptr NULL, 0 when absent or of another kind. */
cov_str cov_row_text(const cov_row *row, const char *property);
int64_t cov_row_int(const cov_row *row, const char *property);
/*
 * Set a column of the data that a before-hook was given. Text and blobs are copied into the request's arena.
 * Fails with COV_EINVAL for an unknown or generated column.
 */
COV_CHECK cov_status cov_row_set(cov_row *row, const char *property, cov_value value,
                                 cov_error *err);
/* As if the client had not sent it. */
void cov_row_unset(cov_row *row, const char *property);

COV_END_C

#endif
