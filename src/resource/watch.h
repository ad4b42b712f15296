/* SPDX-License-Identifier: MIT */
/*
 * resource/watch.h - rows that a request changes without saying so: by SQL of the application, by triggers, by the
 * actions of foreign keys. The connection tells of them (cov_db_watch), and they are recorded as the request's other
 * changes are, each with both images.
 *
 * Rows that a resource's own statement changes are not seen here: whoever runs it records them. A connection that
 * cannot watch leaves "*" of the table that a statement of the application names.
 */
#ifndef COV_RESOURCE_WATCH_H
#define COV_RESOURCE_WATCH_H

#include "resource/internal.h"

struct cov_seen;

typedef struct cov_watch {
    cov_row_watch base; /* first */
    cov_ctx *ctx;       /* the request's own; NULL: not watching */
    bool direct;        /* a statement of the application runs: its own rows count too */
    size_t n;           /* seen so far */
    struct cov_seen *first;
    struct cov_seen *last;
} cov_watch;

/* For a request that may write. `watch` lives as long as `ctx`. */
void cov__watch_begin(cov_watch *watch, cov_ctx *ctx);
void cov__watch_end(cov_watch *watch);
/* Run a statement of the application and record what it changed. *changes as cov_db_exec says. */
COV_CHECK cov_status cov__watch_statement(cov_ctx *ctx, const cov_stmt *stmt, cov_row_sink *sink,
                                          int64_t *changes, cov_error *err);
/* Record what was seen since the last time. Within the transaction of the rows. */
COV_CHECK cov_status cov__watch_flush(cov_ctx *ctx);

#endif
