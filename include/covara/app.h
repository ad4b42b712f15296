/* SPDX-License-Identifier: MIT */
/*
 * covara/app.h - the application: configuration and schema turned into a request handler.
 *
 * An app is immutable after cov_app_new and may be used from any number of threads at once.
 */
#ifndef COVARA_APP_H
#define COVARA_APP_H

#include "covara/db.h"
#include "covara/http.h"

COV_BEGIN_C

typedef struct cov_app cov_app;

/* Where a request may run. */
typedef enum cov_lane {
    COV_LANE_READ,  /* touches at most the reading connection: in place on the event loop */
    COV_LANE_WRITE, /* may change rows: on the single writer of an embedded database */
    COV_LANE_NONE   /* needs no database: in place */
} cov_lane;

/* What a thread lends to a request for its duration. */
typedef struct cov_worker {
    const cov_host *host;
    cov_db *db;         /* reading or writing connection, by lane; may be NULL for COV_LANE_NONE */
    cov_arena *arena;   /* the request's arena; reset by the host after the response was sent */
} cov_worker;

COV_CHECK cov_lane cov_app_lane(const cov_app *app, const cov_request *req);

/*
 * Answer one request: always fills `res` (a problem at the least). Blocks as the driver blocks.
 * A writing request runs in a transaction of its own (a savepoint when the host has one open).
 */
void cov_app_fetch(const cov_app *app, const cov_worker *worker, const cov_request *req, cov_response *res);

/*
 * A problem for requests that never reach cov_app_fetch (malformed, too large, timed out): the same
 * body and the same security and CORS headers. `req` may be NULL when nothing could be parsed.
 */
void cov_app_problem(const cov_app *app, const cov_worker *worker, const cov_request *req,
                     const cov_error *err, cov_response *res);

/* Readiness turns 503 once shutting down; called by the host from any thread. */
void cov_app_begin_shutdown(cov_app *app);
void cov_app_free(cov_app *app);

COV_END_C

#endif
