/* SPDX-License-Identifier: MIT */
/*
 * Routes of application code (covara/procedure.h): patterns of exact segments and ":name" segments, compared with
 * the raw path one segment at a time. They are few, so a list in the order added will do.
 */
#include "app/internal.h"
#include "base/encode.h"

/* ---- patterns ---- */

/* The segment at the front of `*rest`, which begins with a slash, and advance past it. False: no more. */
static bool next_segment(cov_str *rest, cov_str *segment)
{
    size_t end;

    if (rest->len == 0)
        return false;
    end = cov_str_find(*rest, '/', 1);
    *segment = cov_str_slice(*rest, 1, end);
    *rest = cov_str_slice(*rest, end, rest->len);
    return true;
}

static bool is_param(cov_str segment)
{
    return segment.len != 0 && segment.ptr[0] == ':';
}

/* A trailing or doubled slash makes an empty segment, which no parameter takes. */
static bool fits(cov_str pattern, cov_str path)
{
    cov_str want;
    cov_str have;

    if (path.len == 0 || path.ptr[0] != '/')
        return false;
    while (next_segment(&pattern, &want)) {
        if (!next_segment(&path, &have))
            return false;
        if (is_param(want) ? have.len == 0 : !cov_str_eq(want, have))
            return false;
    }
    return path.len == 0;
}

/* Do both match the same paths, whatever their parameters are called? */
static bool same_pattern(cov_str a, cov_str b)
{
    cov_str left;
    cov_str right;

    while (next_segment(&a, &left)) {
        if (!next_segment(&b, &right) || is_param(left) != is_param(right))
            return false;
        if (!is_param(left) && !cov_str_eq(left, right))
            return false;
    }
    return b.len == 0;
}

static const char *params_mistake(cov_str pattern)
{
    cov_str names[COV_MAX_PATH_PARAMS];
    cov_str segment;
    size_t n = 0;

    while (next_segment(&pattern, &segment)) {
        if (!is_param(segment))
            continue;
        if (segment.len == 1)
            return "a parameter without a name in the route";
        if (n == COV_MAX_PATH_PARAMS)
            return "more than 8 parameters in the route";
        for (size_t i = 0; i < n; i++)
            if (cov_str_eq(names[i], segment))
                return "two parameters of one name in the route";
        names[n++] = segment;
    }
    return NULL;
}

const char *cov__custom_mistake(const cov_app *app, const cov_route_node *node)
{
    const char *wrong;

    if (node->path.len == 0 || node->path.ptr[0] != '/')
        return "a route's path must begin with a slash:";
    if (node->route->handle == NULL)
        return "a route without a handler:";
    wrong = params_mistake(node->path);
    if (wrong != NULL)
        return wrong;
    for (const cov_route_node *other = app->routes; other != NULL; other = other->next)
        if (other->route->method == node->route->method && same_pattern(other->path, node->path))
            return "two routes of one method match the same paths:";
    return NULL;
}

static const cov_route_node *find(const cov_app *app, cov_method method, cov_str path)
{
    const cov_route_node *node = app->routes;

    while (node != NULL && !(node->route->method == method && fits(node->path, path)))
        node = node->next;
    return node;
}

const cov_route_node *cov__custom_find(const cov_app *app, cov_method method, cov_str path)
{
    const cov_route_node *node = find(app, method, path);

    return node == NULL && method == COV_HEAD ? find(app, COV_GET, path) : node;
}

/* ---- running ---- */

bool cov__custom_writes(const cov_route_node *node)
{
    return node->route->writes ||
           (node->route->method != COV_GET && node->route->method != COV_HEAD);
}

cov_status cov__code_status(cov_ctx *ctx, cov_status st, const char *who)
{
    int status = ctx->res->status;

    if (st != COV_OK && ctx->err->status != st)
        return cov_fail(ctx->err, st, "%s refused the request", who);
    if (st == COV_OK && status != 0 && (status < 200 || status > 599))
        return cov_fail(ctx->err, COV_EINTERNAL, "%s set the status %d", who, status);
    return st;
}

static cov_status bind_params(const cov_route_node *node, cov_ctx *ctx)
{
    cov_str pattern = node->path;
    cov_str path = ctx->req->path;
    cov_str want;
    cov_str have;

    ctx->n_path_params = 0;
    while (next_segment(&pattern, &want) && next_segment(&path, &have)) {
        cov_header *param = &ctx->path_params[ctx->n_path_params];

        if (!is_param(want))
            continue;
        param->name = cov_str_slice(want, 1, want.len);
        param->value = cov_percent_decode(ctx->arena, have, false);
        if (param->value.ptr == NULL)
            return cov_fail_nomem(ctx->err);
        ctx->n_path_params++;
    }
    return COV_OK;
}

typedef struct call {
    const cov_route_node *node;
    cov_ctx *ctx;
} call;

static cov_status handle(void *arg)
{
    const call *c = arg;
    const cov_custom_route *route = c->node->route;
    cov_status st = route->handle(c->ctx, route->self, c->ctx->err);

    st = cov__code_status(c->ctx, st, "route handler");
    if (st == COV_OK && c->ctx->res->status == 0)
        st = cov_fail(c->ctx->err, COV_EINTERNAL, "route handler set no status");
    return st;
}

cov_status cov__custom_run(const cov_route_node *node, cov_ctx *ctx)
{
    call c = { node, ctx };
    cov_status st = bind_params(node, ctx);

    if (st != COV_OK)
        return st;
    return cov__custom_writes(node) ? cov__in_transaction(ctx, handle, &c) : handle(&c);
}

/* ---- what a handler asks ---- */

cov_str cov_ctx_path_param(const cov_ctx *ctx, const char *name)
{
    cov_str wanted = cov_str_from(name);

    for (size_t i = 0; i < ctx->n_path_params; i++)
        if (cov_str_eq(ctx->path_params[i].name, wanted))
            return ctx->path_params[i].value;
    return COV_STR_NULL;
}

cov_str cov_ctx_query_param(const cov_ctx *ctx, const char *name)
{
    cov_str wanted = cov_str_from(name);
    cov_str rest = ctx->req->query;
    cov_str part;

    while (rest.len != 0 && cov_str_split(&rest, '&', &part)) {
        size_t equals = cov_str_find(part, '=', 0);
        cov_str value = equals < part.len ? cov_str_slice(part, equals + 1, part.len) : COV_STR("");

        if (part.len != 0 &&
            cov_str_eq(cov_percent_decode(ctx->arena, cov_str_slice(part, 0, equals), true),
                       wanted))
            return cov_percent_decode(ctx->arena, value, true);
    }
    return COV_STR_NULL;
}
