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

/*
 * A request takes three steps, which may run on different threads, one after another: it is admitted (who asks, limits,
 * challenges), answered, and finished once what it changed is durable. A host whose threads are all alike calls
 * cov_app_fetch, which does the three in one.
 */

/* Where a request is answered. */
typedef enum cov_lane {
    COV_LANE_READ,  /* touches at most the reading connection: in place on the event loop */
    COV_LANE_WRITE, /* may change rows: on the single writer of an embedded database */
    COV_LANE_NONE,  /* needs no database: in place */
    COV_LANE_POOL /* takes long or waits (a password hash, another server): on a thread of its own */
} cov_lane;

/* Work on the writing connection, in a transaction of its own; when the commit fails it may run again. */
typedef cov_status (*cov_write_fn)(cov_db *db, void *arg, cov_error *err);

/* What a thread lends to a request for its duration. */
typedef struct cov_worker {
    const cov_host *host;
    cov_db *db;       /* reading or writing connection, by lane; may be NULL for COV_LANE_NONE */
    cov_arena *arena; /* the request's arena; reset by the host after the response was sent */
    /*
     * Run `work` where rows may be changed and wait until it is durable. Then, before it returns, `committed` is called
     * once, where and in the order in which the host calls cov_app_finish. NULL: `db` itself may write.
     */
    cov_status (*write)(void *self, cov_write_fn work, void (*committed)(void *arg), void *arg,
                        cov_error *err);
    /* The same without waiting; `done` frees `arg` in any case. NULL: `db` itself may write, and it is done at once. */
    void (*write_later)(void *self, cov_write_fn work, void (*done)(void *arg), void *arg);
    /*
     * Run `work`, which frees `arg`, when the answer was handed on: what nobody should wait for, and nobody should be
     * able to time. It may block. NULL: at once.
     */
    void (*after)(void *self, void (*work)(void *arg), void *arg);
    void *self; /* of the three above */
    /* On an event loop: what cov_loop_client.open made for it, and the answer may be a stream. */
    void *loop_client;
    bool streams;
} cov_worker;

/*
 * What an app keeps on each event loop of a host, all in one thread: the streams that live there, and how it hears of
 * changes made elsewhere.
 */
typedef struct cov_loop_client {
    /*
     * Before the host's threads start. `db` is the loop's reading connection, good until `close`. `wake(wake_self)`
     * may be called from any thread, the loop's own included, from now until `close`: `run` follows soon, once for any
     * number of calls; it calls nothing back. *client becomes cov_worker.loop_client.
     */
    cov_status (*open)(const cov_app *app, const cov_host *host, cov_db *db,
                       void (*wake)(void *wake_self), void *wake_self, void **client,
                       cov_error *err);
    /*
     * On the loop's thread, after a wake and when it asked to be called; `worker` reads. Returns the milliseconds until
     * it wants to be called next, whatever else happens; negative: not before it is woken.
     */
    int64_t (*run)(void *client, const cov_worker *worker);
    /* The last call, when no thread of the host runs any more; each of its streams was closed before. */
    void (*close)(void *client);
} cov_loop_client;

/* The changes of one request, in its arena. */
typedef struct cov_mutations {
    struct cov_mutation_node *first;
    struct cov_mutation_node *last;
} cov_mutations;

enum { COV_PASSAGE_MAX_HEADERS = 16 };

/* What one step leaves for the next. Zeroed by the host before the first; all it points to is in the request's arena. */
typedef struct cov_passage {
    struct cov_admission *admission; /* who asks, and what is to be settled at the end */
    cov_mutations mutations;         /* told to listeners once they are durable */
    /* What admission put on the answer, whatever that becomes. */
    cov_header headers[COV_PASSAGE_MAX_HEADERS];
    size_t n_headers;
} cov_passage;

/*
 * Once before the first request, with a connection that may write: makes the tables that accounts need. Whatever the
 * database then lacks is an error of the start.
 */
COV_CHECK cov_status cov_app_start(const cov_app *app, const cov_worker *worker, cov_error *err);
/* Whether admission or answer may block for long: then both belong on a thread of their own. */
COV_CHECK bool cov_app_blocks(const cov_app *app, const cov_request *req);
COV_CHECK cov_lane cov_app_lane(const cov_app *app, const cov_request *req);

/* Step one. False: refused or answered already, and `res` is filled. `worker->db` needs to read only. */
COV_CHECK bool cov_app_admit(const cov_app *app, const cov_worker *worker, const cov_request *req,
                             cov_passage *passage, cov_response *res);
/*
 * Step two: always fills `res` (a problem at the least). Blocks as the driver blocks. A writing request runs in a
 * transaction of its own (a savepoint when the host has one open). May be repeated with the same passage when the
 * host's transaction failed; the arena is not reset in between.
 */
void cov_app_answer(const cov_app *app, const cov_worker *worker, const cov_request *req,
                    cov_passage *passage, cov_response *res);
/* Step three, on any thread, once what step two wrote is durable or is known to be undone; `res` may get headers. */
void cov_app_finish(const cov_app *app, const cov_worker *worker, const cov_request *req,
                    cov_passage *passage, cov_response *res);
/* All three. */
void cov_app_fetch(const cov_app *app, const cov_worker *worker, const cov_request *req,
                   cov_response *res);

/*
 * A problem for requests that never reach cov_app_fetch (malformed, too large, timed out): the same
 * body and the same security and CORS headers. `req` may be NULL when nothing could be parsed.
 */
void cov_app_problem(const cov_app *app, const cov_worker *worker, const cov_request *req,
                     const cov_error *err, cov_response *res);

/* The streams of an app, for cov_native_options and its like. */
extern const cov_loop_client cov_app_loop_client;
/*
 * Around a COMMIT and the cov_app_finish calls of what it made durable, also when it failed: whoever begins to follow
 * rows meanwhile waits for its end, so that no change is lost or told twice.
 */
void cov_app_committing(const cov_app *app);
void cov_app_committed(const cov_app *app);

/* Readiness turns 503 once shutting down; called by the host from any thread. */
void cov_app_begin_shutdown(cov_app *app);
void cov_app_free(cov_app *app);

COV_END_C

#endif
