/* SPDX-License-Identifier: MIT */
/*
 * Who asks, and may they: the address, the client's version, the user, rate limits, challenges, idempotency keys. What
 * is refused here has cost the writer nothing.
 *
 * DESIGN: the user comes before the limits, so that these count users and not the address of a whole office, and before
 * idempotency keys, so that nobody is given another's answer (spec/07 section 1, Quirk).
 */
#include "app/internal.h"

cov_guarded cov__guarded(const cov_app *app, const cov_ctx *ctx, const cov_admission *admission)
{
    cov_guarded g = { .guard = app->guard,
                      .req = ctx->req,
                      .res = ctx->res,
                      .arena = ctx->arena,
                      .client = admission->client };

    if (admission->user != NULL)
        g.user_id = admission->user->id;
    return g;
}

/* ---- gates ---- */

static cov_str gate_label(cov_gate_op op, cov_str tail, cov_arena *arena)
{
    cov_str name = cov_gate_op_name(op);

    if (op != COV_GATE_RPC || arena == NULL)
        return name;
    return cov_arena_printf(arena, "%.*s:%.*s", COV_STR_ARG(name),
                            COV_STR_ARG(cov_str_slice(tail, strlen("rpc/"), tail.len)));
}

bool cov__gate_of(const cov_app *app, const cov_route *route, const cov_request *req,
                  cov_arena *arena, cov_gate *out)
{
    const char *label = NULL;

    *out = (cov_gate){ .op = COV_GATE_RPC };
    if (route->kind == COV_ROUTE_ACCOUNT) {
        out->config = cov_auth_gate(app->auth, route->account.action, &label);
        out->label = cov_str_from(label);
        out->defer = cov_auth_gate_deferred(route->account.action);
        return out->config != NULL;
    }
    if (route->kind != COV_ROUTE_RESOURCE)
        return false;
    out->config = &cov_resource_config_of(route->resource)->gate;
    out->resource = cov_resource_config_of(route->resource)->name;
    out->op = cov_gate_op_of(req->method, route->tail);
    out->label = gate_label(out->op, route->tail, arena);
    return true;
}

bool cov_app_blocks(const cov_app *app, const cov_request *req)
{
    cov_admission nobody = { .user = NULL };
    cov_ctx ctx = { .req = req };
    cov_route route;
    cov_guarded g;
    cov_gate gate;

    if (cov__cors_is_preflight(app, req))
        return false;
    route = cov__route_find(app, req);
    if (route.kind == COV_ROUTE_ACCOUNT && cov_auth_blocks(route.account.action))
        return true;
    if (app->auth != NULL && cov_auth_is_slow(app->auth, req))
        return true;
    if (!cov__gate_of(app, &route, req, NULL, &gate))
        return false;
    g = cov__guarded(app, &ctx, &nobody);
    return cov_gate_blocks(&g, &gate);
}

/* ---- the way in ---- */

/*
 * Account routes find out for themselves, so that a broken session cannot keep anybody from a new one; nor from the page
 * with the form for it, and files are for everyone.
 */
static cov_status find_user(const cov_app *app, const cov_route *route, cov_ctx *ctx,
                            cov_admission *admission)
{
    cov_status st;

    if (app->auth == NULL || route->kind == COV_ROUTE_ACCOUNT || route->kind == COV_ROUTE_FILE)
        return COV_OK;
    st = cov_auth_identify(app->auth, ctx, &admission->user);
    if (st == COV_OK && admission->user != NULL)
        st = cov_auth_check_origin(app->auth, ctx);
    return st;
}

static cov_status check_rates(const cov_app *app, const cov_guarded *g, const cov_gate *gate,
                              cov_error *err)
{
    cov_status st = COV_OK;

    if (app->config->guard.rate.set)
        st = cov_rate_check(g, &app->config->guard.rate, COV_STR_NULL, err);
    if (st == COV_OK && gate->config != NULL && gate->config->rate.set)
        st = cov_rate_check(g, &gate->config->rate, gate->resource, err);
    return st;
}

static bool has_route(const cov_route *route)
{
    return route->kind == COV_ROUTE_RESOURCE || route->kind == COV_ROUTE_CUSTOM ||
           route->kind == COV_ROUTE_ACCOUNT || route->kind == COV_ROUTE_ENV ||
           route->kind == COV_ROUTE_ENV_SCHEMA;
}

cov_status cov__admit(const cov_app *app, const cov_route *route, cov_ctx *ctx,
                      cov_admission *admission)
{
    cov_guarded g;
    cov_gate gate;
    bool gated;
    cov_status st = cov_client_address(ctx->req, cov_guard_trusted(app->guard), ctx->arena,
                                       &admission->client, ctx->err);

    if (st != COV_OK)
        return st;
    ctx->client_address = admission->client.address;
    ctx->https = admission->client.secure;
    g = cov__guarded(app, ctx, admission);
    if ((st = cov_version_check(&g, ctx->err)) != COV_OK ||
        (st = find_user(app, route, ctx, admission)) != COV_OK || !has_route(route))
        return st;
    g = cov__guarded(app, ctx, admission);
    gated = cov__gate_of(app, route, ctx->req, ctx->arena, &gate);
    if ((st = check_rates(app, &g, &gate, ctx->err)) != COV_OK)
        return st;
    if (gated && (st = cov_gate_enter(&g, &gate, ctx->err)) != COV_OK)
        return st;
    return cov_idempotency_begin(&g, &admission->key, ctx->err);
}
