/* SPDX-License-Identifier: MIT */
/* The way of a request through the application. */
#include "app/internal.h"
#include "covara/stream.h"
#include "resource/mutation.h"

enum { KEEP_BODY_BYTES = 256 * 1024 };

void cov_app_free(cov_app *app)
{
    if (app == NULL)
        return;
    cov_live_free(app->live);
    cov_arena_free(app->arena);
}

void cov_app_begin_shutdown(cov_app *app)
{
    atomic_store(&app->shutting_down, true);
}

/* Middleware runs before every answer and may ask the database, so with any there is always a connection. */
static cov_lane lane_of(const cov_app *app, const cov_route *route, const cov_request *req)
{
    switch (route->kind) {
    case COV_ROUTE_CUSTOM:
        return cov__custom_writes(route->custom) ? COV_LANE_WRITE : COV_LANE_READ;
    case COV_ROUTE_RESOURCE:
        return req->method == COV_GET || req->method == COV_HEAD ? COV_LANE_READ : COV_LANE_WRITE;
    case COV_ROUTE_MULTIPLEX:
    case COV_ROUTE_READY:
        return COV_LANE_READ;
    case COV_ROUTE_NONE:
    case COV_ROUTE_HEALTH:
        break;
    }
    return app->middleware != NULL ? COV_LANE_READ : COV_LANE_NONE;
}

cov_lane cov_app_lane(const cov_app *app, const cov_request *req)
{
    cov_route route;

    if (cov__cors_is_preflight(app, req))
        return COV_LANE_NONE;
    route = cov__route_find(app, req);
    return lane_of(app, &route, req);
}

static cov_status no_route(const cov_request *req, cov_error *err)
{
    return cov_fail(err, COV_ENOTFOUND, "Route %.*s %.*s not found", COV_STR_ARG(req->method_name),
                    COV_STR_ARG(req->path));
}

/* One request on its way to its answer. */
typedef struct journey {
    const cov_app *app;
    const cov_worker *worker;
    cov_route route;
    cov_ctx ctx;
    /* What middleware put on the response; a problem keeps them (spec/01 Q-20b). */
    cov_header kept[COV_RESPONSE_MAX_HEADERS];
    size_t n_kept;
} journey;

static cov_status dispatch(journey *j)
{
    const cov_route *route = &j->route;

    switch (route->kind) {
    case COV_ROUTE_CUSTOM:
        return cov__custom_run(route->custom, &j->ctx);
    case COV_ROUTE_HEALTH:
        cov__health(j->app, j->ctx.res);
        return COV_OK;
    case COV_ROUTE_READY:
        cov__ready(j->app, j->worker, j->ctx.res);
        return COV_OK;
    case COV_ROUTE_RESOURCE:
        cov_params_read(&j->ctx);
        return route->target.handler(route->resource, &j->ctx, route->target.id);
    case COV_ROUTE_MULTIPLEX:
        return cov_live_multiplex(j->app->live, &j->ctx);
    case COV_ROUTE_NONE:
        break;
    }
    return no_route(j->ctx.req, j->ctx.err);
}

static cov_status answer(void *arg)
{
    journey *j = arg;
    cov_status st = cov__middleware_run(j->app, &j->ctx);

    j->n_kept = j->ctx.res->n_headers;
    if (j->n_kept != 0)
        memcpy(j->kept, j->ctx.res->headers, j->n_kept * sizeof *j->kept);
    if (st == COV_OK && j->ctx.res->status == 0)
        st = dispatch(j);
    return st;
}

/* A writing request with middleware is one transaction: what middleware wrote is undone with the rest. */
static cov_status answer_on_lane(journey *j)
{
    bool writes =
        j->app->middleware != NULL && lane_of(j->app, &j->route, j->ctx.req) == COV_LANE_WRITE;

    return writes ? cov__in_transaction(&j->ctx, answer, j) : answer(j);
}

static void answer_problem(const journey *j)
{
    cov_response *res = j->ctx.res;

    if (res->stream != NULL)
        res->stream->closed(res->stream);
    res->stream = NULL;
    cov__problem(j->app, j->ctx.req, j->ctx.err, res);
    for (size_t i = 0; i < j->n_kept; i++)
        if (cov_response_find(res, j->kept[i].name) == NULL)
            cov_response_header(res, j->kept[i].name, j->kept[i].value);
}

void cov_app_fetch(const cov_app *app, const cov_worker *worker, const cov_request *req,
                   cov_response *res)
{
    cov_mutations own = { NULL, NULL };
    cov_mutations *mutations = worker->mutations != NULL ? worker->mutations : &own;
    cov_error err;
    journey j;

    if (cov__cors_is_preflight(app, req)) {
        cov__cors_preflight(app, req, worker->arena, res);
        return;
    }
    cov_error_init(&err, worker->arena);
    res->status = 0; /* nobody answered yet */
    res->stream = NULL;
    j.app = app;
    j.worker = worker;
    j.route = cov__route_find(app, req);
    j.ctx = (cov_ctx){ .host = worker->host,
                       .db = worker->db,
                       .arena = worker->arena,
                       .req = req,
                       .res = res,
                       .err = &err,
                       .mutations = mutations,
                       .feed = cov_live_feed(app->live),
                       .shard = worker->shard };
    j.n_kept = 0;
    if (answer_on_lane(&j) != COV_OK) {
        memset(mutations, 0, sizeof *mutations);
        answer_problem(&j);
    } else if (res->body.failed) {
        /* Only the answer is lost: what was written stays, and listeners hear of it. */
        cov_fail_nomem(&err);
        answer_problem(&j);
    }
    cov_app_publish(app, &own);
    cov__security_headers(app, req, res);
    cov__cors_headers(app, req, res);
}

void cov_app_publish(const cov_app *app, const cov_mutations *mutations)
{
    cov_live_publish(app->live, mutations);
    for (const struct cov_mutation_node *node = mutations->first; node != NULL; node = node->next)
        for (const cov_listener_node *to = app->listeners; to != NULL; to = to->next)
            to->listener(&node->mutation, to->self);
}

void cov_app_committing(const cov_app *app)
{
    cov_live_commit_begin(app->live);
}

void cov_app_committed(const cov_app *app)
{
    cov_live_commit_end(app->live);
}

struct cov_live *cov_app_live(const cov_app *app)
{
    return app->live;
}

void cov_app_problem(const cov_app *app, const cov_worker *worker, const cov_request *req,
                     const cov_error *err, cov_response *res)
{
    (void)worker;
    res->n_headers = 0;
    cov_buf_clear(&res->body, KEEP_BODY_BYTES);
    cov__problem(app, req, err, res);
    cov__security_headers(app, req, res);
    cov__cors_headers(app, req, res);
}
