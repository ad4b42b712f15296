/* SPDX-License-Identifier: MIT */
/* The application object and the way of a request through it. */
#include "app/internal.h"

enum { APP_ARENA_BYTES = 16 * 1024 * 1024, KEEP_BODY_BYTES = 256 * 1024 };

static cov_status apply_columns(cov_app *app, const cov_resource_config *config, cov_table *table, cov_error *err)
{
    for (size_t i = 0; i < config->n_columns; i++) {
        const cov_column_config *wanted = &config->columns[i];
        cov_column *column = cov_map_get(&table->by_db_name, wanted->db_name);

        if (column == NULL)
            return cov_fail(err, COV_EINVAL, "resource \"%.*s\": columns: table \"%.*s\" has no column \"%.*s\"",
                            COV_STR_ARG(config->name), COV_STR_ARG(table->name), COV_STR_ARG(wanted->db_name));
        if (wanted->name.ptr != NULL && !cov_column_rename(app->arena, table, column, wanted->name))
            return cov_fail(err, COV_EINVAL, "resource \"%.*s\": columns: \"%.*s\" is already the name of a column",
                            COV_STR_ARG(config->name), COV_STR_ARG(wanted->name));
        if (wanted->enum_values.set) {
            column->enum_values = wanted->enum_values.items;
            column->n_enum_values = wanted->enum_values.n;
        }
        if (wanted->max_length > 0)
            column->max_length = (size_t)wanted->max_length;
    }
    return COV_OK;
}

static cov_status mount(cov_app *app, const cov_resource_config *config, cov_schema *schema, cov_resource **out,
                        cov_error *err)
{
    cov_table *table = cov_map_get(&schema->by_name, config->table);
    cov_status st;

    if (table == NULL)
        return cov_fail(err, COV_EINVAL, "resource \"%.*s\": the schema has no table \"%.*s\"",
                        COV_STR_ARG(config->name), COV_STR_ARG(config->table));
    if (cov_map_get(&app->by_path, config->path) != NULL)
        return cov_fail(err, COV_EINVAL, "resource \"%.*s\": path \"%.*s\" is taken by another resource",
                        COV_STR_ARG(config->name), COV_STR_ARG(config->path));
    st = apply_columns(app, config, table, err);
    if (st == COV_OK)
        st = cov_resource_new(app->arena, app->host, config, table, out, err);
    if (st == COV_OK && !cov_map_put(&app->by_path, config->path, *out))
        st = cov_fail_nomem(err);
    return st;
}

/* Relations can be resolved only when every resource exists. */
static cov_status mount_all(cov_app *app, cov_schema *schema, cov_error *err)
{
    size_t n = app->config->n_resources;
    cov_resource **all = COV_NEW_ARRAY(app->arena, cov_resource *, n + 1);
    cov_status st = all != NULL ? COV_OK : cov_fail_nomem(err);

    for (size_t i = 0; st == COV_OK && i < n; i++)
        st = mount(app, &app->config->resources[i], schema, &all[i], err);
    for (size_t i = 0; st == COV_OK && i < n; i++)
        st = cov_resource_link(app->arena, all[i], schema, all, n, err);
    return st;
}

static cov_status build(cov_app *app, cov_schema *schema, cov_error *err)
{
    cov_str node_env;

    app->production = app->host->env(app->host->self, COV_STR("NODE_ENV"), &node_env) &&
                      cov_str_eq(node_env, COV_STR("production"));
    if (!cov_map_init(&app->by_path, app->arena, app->config->n_resources) || !cov__cors_init(app) ||
        !cov__security_init(app))
        return cov_fail_nomem(err);
    return mount_all(app, schema, err);
}

cov_status cov_app_new(const cov_host *host, const cov_config *config, cov_schema *schema, cov_app **out,
                       cov_error *err)
{
    cov_arena *arena = cov_arena_new(APP_ARENA_BYTES);
    cov_app *app = arena != NULL ? COV_NEW(arena, cov_app) : NULL;
    cov_status st;

    if (app == NULL) {
        cov_arena_free(arena);
        return cov_fail_nomem(err);
    }
    app->arena = arena;
    app->host = host;
    app->config = config;
    app->started_us = host->monotonic_us(host->self);
    atomic_init(&app->shutting_down, false);
    st = build(app, schema, err);
    if (st != COV_OK) {
        cov_app_free(app);
        return st;
    }
    *out = app;
    return COV_OK;
}

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
