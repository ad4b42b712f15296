/* SPDX-License-Identifier: MIT */
/* The request as application code sees it (covara/ctx.h), and the record of what it changed. */
#include "resource/feed.h"
#include "resource/mutation.h"
#include "resource/watch.h"

const cov_host *cov_ctx_host(const cov_ctx *ctx)
{
    return ctx->host;
}

cov_arena *cov_ctx_arena(const cov_ctx *ctx)
{
    return ctx->arena;
}

const cov_request *cov_ctx_request(const cov_ctx *ctx)
{
    return ctx->req;
}

cov_response *cov_ctx_response(const cov_ctx *ctx)
{
    return ctx->res;
}

bool cov_ctx_user(const cov_ctx *ctx, const char *path, cov_value *value)
{
    cov_str full = cov_arena_printf(ctx->arena, "user.%s", path);

    return ctx->user != NULL && full.ptr != NULL && ctx->user->get(ctx->user->self, full, value);
}

cov_status cov_ctx_query(cov_ctx *ctx, cov_str sql, const cov_value *params, size_t n_params,
                         cov_row_sink *sink, cov_error *err)
{
    cov_stmt stmt = { sql, params, n_params };
    int64_t changes = 0;

    return cov__watch_statement(ctx, &stmt, sink, &changes, err);
}

cov_status cov_ctx_exec(cov_ctx *ctx, cov_str sql, const cov_value *params, size_t n_params,
                        int64_t *changes, cov_error *err)
{
    cov_stmt stmt = { sql, params, n_params };
    int64_t n = 0;
    cov_status st = cov__watch_statement(ctx, &stmt, NULL, &n, err);

    if (st == COV_OK && changes != NULL)
        *changes = n;
    return st;
}

void cov_record_external_mutation(cov_ctx *ctx, cov_str resource, cov_str type, cov_str id)
{
    struct cov_mutation_node *node =
        cov__record(ctx, resource, type, id.len != 0 ? id : COV_STR("*"));

    if (node == NULL)
        return;
    node->external = true;
    if (ctx->feed != NULL && ctx->feed->written(ctx->feed, ctx, node) != COV_OK)
        ctx->host->log(ctx->host->self, COV_LOG_ERROR,
                       COV_STR("an external mutation is not in the changelog"), COV_STR(""));
}

/* ---- writing from a thread that only reads ---- */

typedef struct remote_write {
    cov_ctx ctx;
    cov_mutations own; /* durable before the request ends, so told before that */
    cov_status (*work)(cov_ctx *ctx, void *arg);
    void *arg;
} remote_write;

static cov_status run_remote(cov_db *db, void *arg, cov_error *err)
{
    remote_write *w = arg;

    w->ctx.db = db;
    w->ctx.err = err;
    w->ctx.watch = NULL; /* of another connection */
    w->own = (cov_mutations){ NULL, NULL };
    return w->work(&w->ctx, w->arg);
}

static void publish_remote(void *arg)
{
    remote_write *w = arg;

    if (w->ctx.publisher != NULL)
        w->ctx.publisher->publish(w->ctx.publisher->self, w->ctx.arena, &w->own);
}

typedef struct local_write {
    cov_ctx *ctx;
    cov_status (*work)(cov_ctx *ctx, void *arg);
    void *arg;
} local_write;

static cov_status run_local(void *arg)
{
    const local_write *w = arg;

    return w->work(w->ctx, w->arg);
}

cov_status cov__ctx_write(cov_ctx *ctx, cov_status (*work)(cov_ctx *ctx, void *arg), void *arg)
{
    const cov_worker *worker = ctx->worker;
    remote_write remote = { .ctx = *ctx, .work = work, .arg = arg };
    local_write local = { ctx, work, arg };

    if (worker == NULL || worker->write == NULL)
        return cov__in_transaction(ctx, run_local, &local);
    if (ctx->mutations != NULL)
        remote.ctx.mutations = &remote.own;
    return worker->write(worker->self, run_remote, publish_remote, &remote, ctx->err);
}
