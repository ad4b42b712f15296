/* SPDX-License-Identifier: MIT */
/* The way of a request through the application. */
#include "app/internal.h"

enum { KEEP_BODY_BYTES = 256 * 1024 };

void cov_app_free(cov_app *app)
{
    if (app != NULL)
        cov_arena_free(app->arena);
}

void cov_app_begin_shutdown(cov_app *app)
{
    atomic_store(&app->shutting_down, true);
}

cov_lane cov_app_lane(const cov_app *app, const cov_request *req)
{
    cov_route route;

    if (cov__cors_is_preflight(app, req))
        return COV_LANE_NONE;
    route = cov__route_find(app, req);
    if (route.kind == COV_ROUTE_NONE || route.kind == COV_ROUTE_HEALTH)
        return COV_LANE_NONE;
    return req->method == COV_GET || req->method == COV_HEAD ? COV_LANE_READ : COV_LANE_WRITE;
}

static cov_status no_route(const cov_request *req, cov_error *err)
{
    return cov_fail(err, COV_ENOTFOUND, "Route %.*s %.*s not found", COV_STR_ARG(req->method_name),
                    COV_STR_ARG(req->path));
}

static cov_status dispatch(const cov_app *app, const cov_worker *worker, const cov_request *req,
                           cov_response *res, cov_error *err)
{
    cov_route route = cov__route_find(app, req);
    cov_ctx ctx = { .host = worker->host, .db = worker->db, .arena = worker->arena, .req = req, .res = res, .err = err };

    switch (route.kind) {
    case COV_ROUTE_HEALTH:
        cov__health(app, res);
        return COV_OK;
    case COV_ROUTE_READY:
        cov__ready(app, worker, res);
        return COV_OK;
    case COV_ROUTE_RESOURCE:
        cov_params_read(&ctx);
        return route.target.handler(route.resource, &ctx, route.target.id);
    case COV_ROUTE_NONE:
        break;
    }
    return no_route(req, err);
}

void cov_app_fetch(const cov_app *app, const cov_worker *worker, const cov_request *req, cov_response *res)
{
    cov_error err;
    cov_status st;

    if (cov__cors_is_preflight(app, req)) {
        cov__cors_preflight(app, req, worker->arena, res);
        return;
    }
    cov_error_init(&err, worker->arena);
    st = dispatch(app, worker, req, res, &err);
    if (st == COV_OK && res->body.failed)
        st = cov_fail_nomem(&err);
    if (st != COV_OK)
        cov__problem(app, req, &err, res);
    cov__security_headers(app, req, res);
    cov__cors_headers(app, req, res);
}

void cov_app_problem(const cov_app *app, const cov_worker *worker, const cov_request *req, const cov_error *err,
                     cov_response *res)
{
    (void)worker;
    res->n_headers = 0;
    cov_buf_clear(&res->body, KEEP_BODY_BYTES);
    cov__problem(app, req, err, res);
    cov__security_headers(app, req, res);
    cov__cors_headers(app, req, res);
}
