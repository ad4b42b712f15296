/* SPDX-License-Identifier: MIT */
/*
 * covara/app.h - the application: configuration, schema and code turned into a request handler.
 *
 * An app is immutable once it was built and may then be used from any number of threads at once.
 */
#ifndef COVARA_APP_H
#define COVARA_APP_H

#include "covara/procedure.h"
#include "covara/resource.h"

COV_BEGIN_C

typedef struct cov_app cov_app;

/* ---- for applications: what an app consists of ---- */

/* Where an application is built: its configuration, schema and environment. Valid during the build only. */
typedef struct cov_env cov_env;
/* An environment variable; ptr NULL when unset. Lives as long as the process. */
cov_str cov_env_get(const cov_env *env, const char *name);

/* Everything zero means: as configured, or the default. */
typedef struct cov_app_options {
    const char *base_path;
    bool any_origin; /* CORS for every origin */
} cov_app_options;

/*
 * Begin an app with what the configuration says. NULL when out of memory. The calls below add to it; they
 * borrow their options for the app's life. The first mistake among them is remembered and reported when the build
 * ends, so that no call needs checking.
 */
COV_CHECK cov_app *cov_app_new(cov_env *env, const cov_app_options *options);
/* Add to a configured resource, or make one of a table that the configuration does not mention. */
void cov_app_resource(cov_app *app, const char *name, const cov_resource_options *options);
void cov_app_procedure(cov_app *app, const char *resource, const cov_procedure *procedure);
void cov_app_route(cov_app *app, const cov_custom_route *route);
void cov_app_use(cov_app *app, const cov_middleware *middleware);

/* A committed change. All is borrowed for the call. */
typedef struct cov_mutation {
    cov_str resource; /* table name */
    cov_str type;     /* "create", "update", "delete" */
    cov_str id;       /* text of the row's id, or "*" for statements of application code */
} cov_mutation;
/* Called after the commit, in order, on the thread that committed; it must be quick and must not block. */
void cov_app_on_mutation(cov_app *app, void (*listener)(const cov_mutation *mutation, void *self),
                         void *self);

typedef cov_app *(*cov_build_fn)(cov_env *env);
/* The `covara` command with this application inside: serve, check, ... Returns the exit status. */
int cov_main(int argc, char **argv, cov_build_fn build);
/* main() of an application on a native host. */
#define COVARA_APP(build)                   \
    int main(int argc, char **argv)         \
    {                                       \
        return cov_main(argc, argv, build); \
    }

/* ---- for hosts: requests in, responses out ---- */

/* Where a request may run. */
typedef enum cov_lane {
    COV_LANE_READ,  /* touches at most the reading connection: in place on the event loop */
    COV_LANE_WRITE, /* may change rows: on the single writer of an embedded database */
    COV_LANE_NONE   /* needs no database: in place */
} cov_lane;

/* What a thread lends to a request for its duration. */
typedef struct cov_worker {
    const cov_host *host;
    cov_db *db;       /* reading or writing connection, by lane; may be NULL for COV_LANE_NONE */
    cov_arena *arena; /* the request's arena; reset by the host after the response was sent */
    /* What the request changed, for cov_app_publish after the commit; NULL: published by cov_app_fetch. */
    struct cov_mutations *mutations;
    /* Of the event loop whose connection this is (src/live/live.h); NULL: streams cannot be opened. */
    struct cov_live_shard *shard;
} cov_worker;

COV_CHECK cov_lane cov_app_lane(const cov_app *app, const cov_request *req);

/*
 * Answer one request: always fills `res` (a problem at the least). Blocks as the driver blocks.
 * A writing request runs in a transaction of its own (a savepoint when the host has one open).
 */
void cov_app_fetch(const cov_app *app, const cov_worker *worker, const cov_request *req,
                   cov_response *res);

/*
 * A problem for requests that never reach cov_app_fetch (malformed, too large, timed out): the same
 * body and the same security and CORS headers. `req` may be NULL when nothing could be parsed.
 */
void cov_app_problem(const cov_app *app, const cov_worker *worker, const cov_request *req,
                     const cov_error *err, cov_response *res);

/* The list of one request's mutations, in its arena. Zero-initialised by the host. */
typedef struct cov_mutations {
    struct cov_mutation_node *first;
    struct cov_mutation_node *last;
} cov_mutations;
/* Tell the listeners and subscribers; called by the host once the transaction is durable. */
void cov_app_publish(const cov_app *app, const cov_mutations *mutations);
/*
 * Around a COMMIT and the cov_app_publish calls that belong to it, also when it failed: whoever begins to follow rows
 * meanwhile waits for its end, so that no change is lost or told twice.
 */
void cov_app_committing(const cov_app *app);
void cov_app_committed(const cov_app *app);
/* Subscriptions: src/live/live.h. */
struct cov_live *cov_app_live(const cov_app *app);

/* Readiness turns 503 once shutting down; called by the host from any thread. */
void cov_app_begin_shutdown(cov_app *app);
void cov_app_free(cov_app *app);

COV_END_C

#endif
