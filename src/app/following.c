/* SPDX-License-Identifier: MIT */
/* What ties an app's subscriptions (src/live) to a host's event loops, and to the users whom they belong to. */
#include <stdatomic.h>
#include <stdlib.h>

#include "app/internal.h"

/* ---- event loops ---- */

static cov_status open_shard(const cov_app *app, const cov_host *host, cov_db *db,
                             void (*wake)(void *wake_self), void *wake_self, void **client,
                             cov_error *err)
{
    (void)host;
    *client = cov_live_shard_new(app->live, db, wake, wake_self);
    return *client != NULL ? COV_OK : cov_fail_nomem(err);
}

static int64_t run_shard(void *client, const cov_worker *worker)
{
    cov_live_shard *shard = client;
    int64_t now_ms = worker->host->now_ms(worker->host->self);
    int64_t next_ms;

    cov_live_run(shard);
    next_ms = cov_live_tick(shard, now_ms);
    if (next_ms == INT64_MAX)
        return -1;
    return next_ms > now_ms ? next_ms - now_ms : 0;
}

static void close_shard(void *client)
{
    cov_live_shard_free(client);
}

const cov_loop_client cov_app_loop_client = { open_shard, run_shard, close_shard };

/* ---- users ---- */

bool cov__opens_stream(const cov_route *route)
{
    cov_str subscribe = COV_STR("subscribe");
    size_t n = subscribe.len;

    if (route->kind == COV_ROUTE_MULTIPLEX)
        return true;
    return route->kind == COV_ROUTE_RESOURCE && route->tail.len >= n &&
           cov_str_eq(cov_str_slice(route->tail, route->tail.len - n, route->tail.len), subscribe);
}

typedef struct follower {
    cov_principal principal; /* first */
    atomic_size_t refs;
    cov_arena *arena; /* owns this too */
    const cov_app *app;
    cov_user user;
} follower;

static void retain(cov_principal *principal)
{
    atomic_fetch_add_explicit(&((follower *)(void *)principal)->refs, 1, memory_order_relaxed);
}

static void release(cov_principal *principal)
{
    follower *self = (follower *)(void *)principal;

    if (atomic_fetch_sub_explicit(&self->refs, 1, memory_order_acq_rel) == 1)
        cov_arena_free(self->arena);
}

/* Ten thousand followers must not take 16 KiB each. Parsed JSON takes at most some tens of bytes for each of its own. */
static size_t room_for(const cov_user *user)
{
    size_t texts = user->id.len + user->email.len + user->name.len + user->image.len;
    cov_buf metadata = COV_BUF_INIT;
    size_t room;

    if (user->metadata != NULL)
        cov_json_value(&metadata, user->metadata);
    room = sizeof(follower) + 512 + texts + (user->metadata != NULL ? 512 + 40 * metadata.len : 0);
    cov_buf_dispose(&metadata);
    return room;
}

/* All but the end of the session. */
static bool same_user(cov_arena *arena, const cov_user *a, const cov_user *b)
{
    cov_user ends_alike = *a;
    cov_buf texts[2] = { COV_BUF_IN(arena), COV_BUF_IN(arena) };

    ends_alike.session_expires_ms = b->session_expires_ms;
    cov_user_context_json(&texts[0], &ends_alike);
    cov_user_context_json(&texts[1], b);
    return !texts[0].failed && !texts[1].failed &&
           cov_str_eq(cov_buf_view(&texts[0]), cov_buf_view(&texts[1]));
}

static cov_status refresh(cov_principal *principal, cov_ctx *ctx, cov_principal **out,
                          bool *differs)
{
    follower *self = (follower *)(void *)principal;
    const cov_user *now = NULL;
    cov_status st = cov_auth_recheck(self->app->auth, ctx, &self->user, &now);

    *differs = false;
    if (st != COV_OK)
        return st;
    *out = now != NULL ? principal : NULL;
    if (now == NULL)
        return COV_OK;
    *differs = now != &self->user && !same_user(ctx->arena, &self->user, now);
    if (*differs || now->session_expires_ms != self->user.session_expires_ms)
        return cov__principal_new(self->app, now, out, ctx->err);
    retain(principal);
    return COV_OK;
}

void cov__revoked(void *self, cov_str user_id)
{
    const cov_app *app = self;

    cov_live_recheck(app->live, user_id);
}

cov_status cov__principal_new(const cov_app *app, const cov_user *user, cov_principal **out,
                              cov_error *err)
{
    cov_arena *arena = cov_arena_new(room_for(user));
    follower *self = arena != NULL ? COV_NEW(arena, follower) : NULL;

    if (self == NULL || cov_user_clone(arena, user, &self->user, err) != COV_OK) {
        cov_arena_free(arena);
        return cov_fail_nomem(err);
    }
    self->arena = arena;
    self->app = app;
    atomic_init(&self->refs, 1);
    self->principal = (cov_principal){ .vars = cov_user_vars(&self->user),
                                       .id = self->user.id,
                                       .retain = retain,
                                       .release = release,
                                       .refresh = refresh };
    if (self->user.session_expires_ms != COV_USER_NO_TIME)
        self->principal.expires_at_ms = self->user.session_expires_ms;
    *out = &self->principal;
    return COV_OK;
}
