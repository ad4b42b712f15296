/* SPDX-License-Identifier: MIT */
/*
 * Paths to routes. A mount path may hold slashes, and at most two segments follow it ("batch/upsert"), so
 * three look-ups decide: the whole path, without its last segment, without its last two. Routes of application
 * code come first, files last.
 */
#include "app/internal.h"

enum { MAX_TAIL_SEGMENTS = 2 };

static size_t last_slash(cov_str s)
{
    size_t at = s.len;

    while (at > 0 && s.ptr[at - 1] != '/')
        at--;
    return at;
}

/* A trailing or doubled slash is part of the path and matches nothing (spec/01 section 4). */
static cov_route find_resource(const cov_app *app, cov_method method, cov_str path)
{
    cov_route route = { .kind = COV_ROUTE_NONE };
    cov_str mount = path;

    for (int i = 0; i <= MAX_TAIL_SEGMENTS; i++) {
        size_t slash;

        route.resource = cov_map_get(&app->by_path, mount);
        if (route.resource != NULL) {
            size_t from = i == 0 ? path.len : mount.len + 1;

            if (i > 0 && from == path.len)
                return route;
            route.tail = cov_str_slice(path, from, path.len);
            route.target = cov_resource_find(route.resource, method, route.tail);
            route.kind = route.target.handler != NULL ? COV_ROUTE_RESOURCE : COV_ROUTE_NONE;
            return route;
        }
        slash = last_slash(mount);
        if (slash == 0)
            return route;
        mount = cov_str_slice(mount, 0, slash - 1);
    }
    return route;
}

static bool is_read(const cov_request *req)
{
    return req->method == COV_GET || req->method == COV_HEAD;
}

static cov_route_kind find_env(const cov_app *app, const cov_request *req)
{
    const cov_public_env_config *env = &app->config->env;
    cov_str tail;

    if (!env->set || !is_read(req) || !cov_str_starts(req->path, env->path))
        return COV_ROUTE_NONE;
    tail = cov_str_slice(req->path, env->path.len, req->path.len);
    if (tail.len == 0)
        return COV_ROUTE_ENV;
    return env->expose_schema && cov_str_eq(tail, COV_STR("/schema")) ? COV_ROUTE_ENV_SCHEMA
                                                                      : COV_ROUTE_NONE;
}

static bool is_health(const cov_app *app, const cov_request *req, cov_str name)
{
    cov_str prefix = app->config->app.health_path;

    return app->config->app.health && is_read(req) && cov_str_starts(req->path, prefix) &&
           cov_str_eq(cov_str_slice(req->path, prefix.len, req->path.len), name);
}

cov_route cov__route_find(const cov_app *app, const cov_request *req)
{
    cov_route route = { .kind = COV_ROUTE_NONE };
    cov_str base = app->config->app.base_path;
    cov_str path = req->path;

    route.custom = cov__custom_find(app, req->method, path);
    if (route.custom != NULL) {
        route.kind = COV_ROUTE_CUSTOM;
        return route;
    }
    if (app->auth != NULL) {
        route.account = cov_auth_find(app->auth, req->method, path);
        if (route.account.action != NULL) {
            route.kind = COV_ROUTE_ACCOUNT;
            return route;
        }
    }
    route.kind = find_env(app, req);
    if (route.kind != COV_ROUTE_NONE)
        return route;
    if (path.len > base.len && path.ptr[base.len] == '/' && cov_str_starts(path, base))
        route = find_resource(app, req->method, cov_str_slice(path, base.len + 1, path.len));
    if (route.kind != COV_ROUTE_NONE)
        return route;
    if (cov_live_is_multiplex(app->live, req))
        route.kind = COV_ROUTE_MULTIPLEX;
    else if (is_health(app, req, COV_STR("/healthz")))
        route.kind = COV_ROUTE_HEALTH;
    else if (is_health(app, req, COV_STR("/readyz")))
        route.kind = COV_ROUTE_READY;
    else if ((route.file = cov__file_find(app, req->method, path)) != NULL)
        route.kind = COV_ROUTE_FILE;
    return route;
}
