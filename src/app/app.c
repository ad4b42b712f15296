/* SPDX-License-Identifier: MIT */
/* The way of a request through the application. */
#include "app/internal.h"
#include "resource/mutation.h"
#include "resource/watch.h"

enum { KEEP_BODY_BYTES = 256 * 1024 };

void cov_app_free(cov_app *app)
{
    if (app == NULL)
        return;
    cov_auth_dispose(app->auth);
    cov_live_free(app->live);
    cov_arena_free(app->arena);
}

void cov_app_begin_shutdown(cov_app *app)
{
    atomic_store(&app->shutting_down, true);
}

/* Account routes find their user while they answer: that may hash an API key, or wait for a store. */
static bool answers_slowly(const cov_app *app, const cov_route *route, const cov_request *req)
{
    return cov_auth_blocks(route->account.action) || cov_auth_is_slow(app->auth, req) ||
           cov_guard_store_waits(app->guard);
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
    case COV_ROUTE_ACCOUNT:
        return answers_slowly(app, route, req) ? COV_LANE_POOL : COV_LANE_READ;
    case COV_ROUTE_NONE:
    case COV_ROUTE_HEALTH:
    case COV_ROUTE_ENV:
    case COV_ROUTE_ENV_SCHEMA:
    case COV_ROUTE_FILE:
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
    cov_passage *passage;
    cov_route route;
    cov_ctx ctx;
    cov_rsql_vars user_vars;
    /* What admission and middleware put on the response; a problem keeps them (spec/01 Q-20b, spec/07 section 3.2). */
    cov_header kept[COV_RESPONSE_MAX_HEADERS];
    size_t n_kept;
} journey;

static void keep_headers(journey *j)
{
    j->n_kept = j->ctx.res->n_headers;
    if (j->n_kept != 0)
        memcpy(j->kept, j->ctx.res->headers, j->n_kept * sizeof *j->kept);
}

/*
 * What an account route put on the response stays on a refusal: cookies, Retry-After, no-store. A failed attempt is
 * charged afterwards, and an unpaid charge must not change the answer.
 */
static cov_status run_account(journey *j)
{
    bool failed = false;
    cov_status st = cov_auth_run(j->app->auth, &j->route.account, &j->ctx, &failed);
    cov_guarded g;
    cov_gate gate;
    cov_error ignored;

    keep_headers(j);
    if (!failed || !cov__gate_of(j->app, &j->route, j->ctx.req, j->ctx.arena, &gate))
        return st;
    cov_error_init(&ignored, j->ctx.arena);
    g = cov__guarded(j->app, &j->ctx, j->passage->admission);
    (void)!cov_gate_charge(&g, &gate, &ignored);
    return st;
}

static cov_status dispatch(journey *j)
{
    const cov_route *route = &j->route;

    switch (route->kind) {
    case COV_ROUTE_CUSTOM:
        return cov__custom_run(route->custom, &j->ctx);
    case COV_ROUTE_ACCOUNT:
        return run_account(j);
    case COV_ROUTE_HEALTH:
        cov__health(j->app, j->ctx.res);
        return COV_OK;
    case COV_ROUTE_ENV:
        cov__public_env_answer(&j->app->env, &j->app->config->env, &j->ctx);
        return COV_OK;
    case COV_ROUTE_ENV_SCHEMA:
        cov__public_env_schema(&j->app->env, &j->ctx);
        return COV_OK;
    case COV_ROUTE_READY:
        cov__ready(j->app, j->worker, j->ctx.res);
        return COV_OK;
    case COV_ROUTE_RESOURCE:
        cov_params_read(&j->ctx);
        return route->target.handler(route->resource, &j->ctx, route->target.id);
    case COV_ROUTE_MULTIPLEX:
        return cov_live_multiplex(j->app->live, &j->ctx);
    case COV_ROUTE_FILE:
        return cov__file_answer(route->file, &j->ctx);
    case COV_ROUTE_NONE:
        break;
    }
    return no_route(j->ctx.req, j->ctx.err);
}

static cov_status answer(void *arg)
{
    journey *j = arg;
    cov_status st = cov__middleware_run(j->app, &j->ctx);

    keep_headers(j);
    if (st == COV_OK && j->ctx.res->status == 0)
        st = dispatch(j);
    return st;
}

/* A writing request with middleware is one transaction: what middleware wrote is undone with the rest. */
static cov_status answer_on_lane(journey *j)
{
    cov_watch watch;
    cov_status st;

    if (lane_of(j->app, &j->route, j->ctx.req) != COV_LANE_WRITE)
        return answer(j);
    cov__watch_begin(&watch, &j->ctx);
    st = j->app->middleware != NULL ? cov__in_transaction(&j->ctx, answer, j) : answer(j);
    if (st == COV_OK)
        st = cov__watch_flush(&j->ctx);
    cov__watch_end(&watch);
    return st;
}

/* Of cookies there may be several. */
static bool is_kept(const cov_response *res, const cov_header *header)
{
    return cov_response_find(res, header->name) == NULL ||
           cov_str_eq_nocase(header->name, COV_STR("Set-Cookie"));
}

static void answer_problem(const journey *j)
{
    cov_response *res = j->ctx.res;

    cov_response_drop_stream(res);
    cov__problem(j->app, j->ctx.req, j->ctx.err, res);
    for (size_t i = 0; i < j->n_kept; i++)
        if (is_kept(res, &j->kept[i]))
            cov_response_add_header(res, j->kept[i].name, j->kept[i].value);
}

/* Everything of a request but its answer: the same in each step. */
static void begin(journey *j, const cov_app *app, const cov_worker *worker, const cov_request *req,
                  cov_passage *passage, cov_response *res, cov_error *err)
{
    cov_error_init(err, worker->arena);
    res->status = 0; /* nobody answered yet */
    res->stream = NULL;
    j->app = app;
    j->worker = worker;
    j->passage = passage;
    j->route = cov__route_find(app, req);
    j->ctx = (cov_ctx){ .host = worker->host,
                        .worker = worker,
                        .db = worker->db,
                        .arena = worker->arena,
                        .req = req,
                        .res = res,
                        .err = err,
                        .mutations = &passage->mutations,
                        .publisher = &app->publisher,
                        .feed = cov_live_feed(app->live),
                        .shard = worker->streams ? worker->loop_client : NULL };
    j->n_kept = 0;
}

static void standard_headers(const cov_app *app, const cov_request *req, bool https,
                             cov_response *res)
{
    cov__security_headers(app, https, res);
    cov__cors_headers(app, req, res);
}

/* Headers of admission are on the answer whatever it becomes, and however often it is made. */
static void save_headers(cov_passage *passage, const cov_response *res)
{
    size_t n = res->n_headers < COV_PASSAGE_MAX_HEADERS ? res->n_headers : COV_PASSAGE_MAX_HEADERS;

    if (n != 0)
        memcpy(passage->headers, res->headers, n * sizeof *passage->headers);
    passage->n_headers = n;
}

/* A replayed answer is one already; what is refused becomes a problem. */
static bool finish_admission(journey *j, cov_status st)
{
    cov_response *res = j->ctx.res;

    if (st == COV_OK && res->status == 0) {
        save_headers(j->passage, res);
        return true;
    }
    if (st != COV_OK) {
        keep_headers(j);
        answer_problem(j);
    }
    standard_headers(j->app, j->ctx.req, j->ctx.https, res);
    return false;
}

bool cov_app_admit(const cov_app *app, const cov_worker *worker, const cov_request *req,
                   cov_passage *passage, cov_response *res)
{
    cov_error err;
    journey j;

    if (cov__cors_is_preflight(app, req)) {
        cov__cors_preflight(app, req, worker->arena, res);
        return false;
    }
    passage->admission = COV_NEW(worker->arena, cov_admission);
    begin(&j, app, worker, req, passage, res, &err);
    if (passage->admission == NULL)
        return finish_admission(&j, cov_fail_nomem(&err));
    return finish_admission(&j, cov__admit(app, &j.route, &j.ctx, passage->admission));
}

static void join_admission(journey *j)
{
    const cov_admission *admission = j->passage->admission;

    if (admission == NULL)
        return;
    j->ctx.client_address = admission->client.address;
    j->ctx.https = admission->client.secure;
    if (admission->user == NULL)
        return;
    j->user_vars = cov_user_vars(admission->user);
    j->ctx.user = &j->user_vars;
}

/* A stream outlives its request, and so does the user whom it belongs to. */
static cov_status answer_for(journey *j)
{
    const cov_admission *admission = j->passage->admission;
    cov_status st = COV_OK;

    if (j->ctx.shard != NULL && admission != NULL && admission->user != NULL &&
        cov__opens_stream(&j->route))
        st = cov__principal_new(j->app, admission->user, &j->ctx.principal, j->ctx.err);
    if (st == COV_OK)
        st = answer_on_lane(j);
    if (j->ctx.principal != NULL)
        j->ctx.principal->release(j->ctx.principal);
    return st;
}

void cov_app_answer(const cov_app *app, const cov_worker *worker, const cov_request *req,
                    cov_passage *passage, cov_response *res)
{
    cov_error err;
    journey j;

    begin(&j, app, worker, req, passage, res, &err);
    join_admission(&j);
    res->n_headers = 0; /* of admission, which follow, or of an answer that was undone */
    cov_buf_clear(&res->body, KEEP_BODY_BYTES);
    for (size_t i = 0; i < passage->n_headers; i++)
        cov_response_add_header(res, passage->headers[i].name, passage->headers[i].value);
    memset(&passage->mutations, 0, sizeof passage->mutations);
    if (answer_for(&j) != COV_OK) {
        memset(&passage->mutations, 0, sizeof passage->mutations);
        answer_problem(&j);
    } else if (res->body.failed) {
        /* Only the answer is lost: what was written stays, and listeners hear of it. */
        cov_fail_nomem(&err);
        answer_problem(&j);
    }
    standard_headers(app, req, j.ctx.https, res);
}

/* Users are cached for a moment; whoever changes one must not meet the old one again. */
static bool changes_users(const cov_app *app, const cov_mutation *mutation)
{
    return app->auth != NULL && cov_str_eq(mutation->resource, app->config->auth.users.table);
}

/* Before anybody is told of changes that the user may not see any more. A new user follows nothing yet. */
static void forget_user(const cov_app *app, const struct cov_mutation_node *node)
{
    cov_auth_forget(app->auth);
    if (!cov_str_eq(node->mutation.type, COV_STR("create")))
        cov_live_recheck(app->live, node->mutation.id);
}

void cov__publish(void *self, cov_arena *arena, const cov_mutations *mutations)
{
    const cov_app *app = self;

    for (const struct cov_mutation_node *node = mutations->first; node != NULL; node = node->next)
        if (changes_users(app, &node->mutation))
            forget_user(app, node);
    cov_live_publish(app->live, arena, mutations);
    for (const struct cov_mutation_node *node = mutations->first; node != NULL; node = node->next)
        for (const cov_listener_node *to = app->listeners; to != NULL; to = to->next)
            to->listener(&node->mutation, to->self);
}

/* A host that could not keep an answer has put another in its place (cov_app_problem). */
static void restore_headers(const cov_passage *passage, cov_response *res)
{
    for (size_t i = 0; i < passage->n_headers; i++)
        if (cov_response_find(res, passage->headers[i].name) == NULL)
            cov_response_add_header(res, passage->headers[i].name, passage->headers[i].value);
}

void cov_app_finish(const cov_app *app, const cov_worker *worker, const cov_request *req,
                    cov_passage *passage, cov_response *res)
{
    cov_ctx ctx = { .req = req, .res = res, .arena = worker->arena };
    cov_guarded g;

    app->publisher.publish(app->publisher.self, worker->arena, &passage->mutations);
    restore_headers(passage, res);
    if (passage->admission == NULL || passage->admission->key.state != COV_IDEMPOTENCY_CLAIMED)
        return;
    g = cov__guarded(app, &ctx, passage->admission);
    cov_idempotency_finish(&g, &passage->admission->key);
}

cov_status cov_app_start(const cov_app *app, const cov_worker *worker, cov_error *err)
{
    cov_str ddl = app->auth != NULL ? cov_auth_ddl(app->auth) : COV_STR("");
    cov_status st = ddl.len != 0 ? cov_db_script(worker->db, ddl, err) : COV_OK;

    return st == COV_OK ? cov_live_prepare(app->live, worker->db, err) : st;
}

void cov_app_fetch(const cov_app *app, const cov_worker *worker, const cov_request *req,
                   cov_response *res)
{
    cov_passage passage = { 0 };

    if (cov_app_admit(app, worker, req, &passage, res))
        cov_app_answer(app, worker, req, &passage, res);
    cov_app_finish(app, worker, req, &passage, res);
}

void cov_app_committing(const cov_app *app)
{
    cov_live_commit_begin(app->live);
}

void cov_app_committed(const cov_app *app)
{
    cov_live_commit_end(app->live);
}

void cov_app_problem(const cov_app *app, const cov_worker *worker, const cov_request *req,
                     const cov_error *err, cov_response *res)
{
    cov_ctx ctx = { .req = req, .res = res, .arena = worker->arena };
    cov_admission nobody = { .user = NULL };
    cov_guarded g = cov__guarded(app, &ctx, &nobody);

    res->n_headers = 0;
    cov_buf_clear(&res->body, KEEP_BODY_BYTES);
    cov__problem(app, req, err, res);
    if (req != NULL)
        cov_version_headers(&g);
    standard_headers(app, req, req != NULL && req->secure, res);
}
