/* SPDX-License-Identifier: MIT */
/*
 * Who they are and what they may see, asked again: every scopeRecheckMs, and at once when this process hears that a user's
 * sessions or rights changed (spec/04 section 8).
 */
#include <stdlib.h>

#include "live/internal.h"

/* ---- who ---- */

/* False: the session is over, and the subscription was ended. */
static bool refresh(cov_live_shard *shard, cov_sub *sub, bool *differs)
{
    cov_principal *who = sub->who;
    cov_principal *now = who;
    cov_error err;
    cov_ctx ctx;

    *differs = false;
    if (who == NULL || who->refresh == NULL)
        return true;
    cov__shard_ctx(shard, sub->group, &err, &ctx);
    if (who->refresh(who, &ctx, &now, differs) != COV_OK) {
        cov__log_failure(shard->host, "checking a session",
                         &err); /* asked again at the next check */
        return true;
    }
    if (now == NULL) {
        cov__sub_revoked(sub);
        return false;
    }
    sub->who = now;
    who->release(who);
    return true;
}

/* ---- what ---- */

static bool scope_changed(cov_live_shard *shard, const cov_sub *sub)
{
    cov_buf identity = COV_BUF_IN(shard->arena);
    cov_buf before = COV_BUF_IN(shard->arena);
    const cov_rsql_expr *expr = NULL;
    cov_error err;
    cov_ctx ctx;

    cov__shard_ctx(shard, sub->group, &err, &ctx);
    ctx.user = sub->who != NULL ? &sub->who->vars : NULL;
    ctx.principal = sub->who;
    if (cov_follow_predicate(sub->group->resource, &ctx,
                             sub->group->aggregate ? COV_OP_READ : COV_OP_SUBSCRIBE,
                             &expr) != COV_OK)
        return false; /* asked again at the next check */
    cov_rsql_identity(expr, &identity);
    cov_rsql_identity(sub->group->expr, &before);
    return !cov_str_eq(cov_buf_view(&identity), cov_buf_view(&before));
}

/* ---- rows that only the database can judge ---- */

typedef struct arrival {
    const cov_value *row;
    struct arrival *next;
} arrival;

typedef struct survey {
    cov_row_sink sink;
    cov_sub *sub;
    cov_arena *arena;
    arrival *first;
    arrival **last;
} survey;

static cov_value *clone(cov_arena *arena, const cov_value *row, size_t n)
{
    cov_value *copy = COV_NEW_ARRAY(arena, cov_value, n);

    for (size_t i = 0; copy != NULL && i < n; i++) {
        copy[i] = row[i];
        if (row[i].type != COV_TEXT && row[i].type != COV_BLOB)
            continue;
        copy[i].s = cov_arena_str(arena, row[i].s);
        if (copy[i].s.ptr == NULL)
            return NULL;
    }
    return copy;
}

static cov_status take_row(cov_row_sink *base, const cov_value *row, size_t n, cov_error *err)
{
    survey *s = (survey *)(void *)base;
    cov_buf id = COV_BUF_IN(s->arena);
    arrival *new;

    cov_follow_id_text(&row[cov_follow_id_column(s->sub->group->resource)], &id);
    if (cov__known_mark(s->sub->known, cov_buf_view(&id)))
        return COV_OK;
    new = COV_NEW(s->arena, arrival);
    if (new != NULL)
        new->row = clone(s->arena, row, n);
    if (id.failed || new == NULL || new->row == NULL)
        return cov_fail_nomem(err);
    *s->last = new;
    s->last = &new->next;
    return COV_OK;
}

static void send_gone(cov_sub *sub)
{
    cov_change gone = { .table = sub->group->table, .kind = COV_CHANGE_DELETE };
    size_t bucket = 0;

    while ((gone.id = cov__known_unmarked(sub->known, &bucket)).ptr != NULL) {
        cov__sub_tell_as(sub, &gone, (cov_verdict){ true, false, false });
        cov__known_remove(sub->known, gone.id);
    }
}

static void send_new(cov_sub *sub, const survey *s)
{
    size_t id_column = cov_follow_id_column(sub->group->resource);

    for (const arrival *a = s->first; a != NULL && sub->state == COV_SUB_LIVE; a = a->next) {
        cov_change came = { .table = sub->group->table, .kind = COV_CHANGE_CREATE };
        cov_buf id = COV_BUF_IN(s->arena);

        cov_follow_id_text(&a->row[id_column], &id);
        came.id = cov_buf_view(&id);
        came.after = a->row;
        if (id.failed || !cov__known_add(&sub->known, came.id))
            cov__sub_end(sub);
        else
            cov__sub_tell_as(sub, &came, (cov_verdict){ false, true, false });
    }
}

/* First what left, then what came, as a new query has it. Failures wait for the next check. */
static void reconcile(cov_live_shard *shard, cov_sub *sub)
{
    survey s = { .sink = { take_row }, .sub = sub, .arena = shard->arena };
    cov_error err;
    cov_ctx ctx;

    if (sub->group->aggregate) {
        cov__aggregate_touch(shard, sub->group);
        return;
    }
    s.last = &s.first;
    cov__shard_ctx(shard, sub->group, &err, &ctx);
    cov__known_begin(sub->known);
    if (cov_follow_rows(sub->group->resource, &ctx, sub->group->expr, &s.sink) != COV_OK) {
        cov__log_failure(shard->host, "checking a scope", &err);
        return;
    }
    send_gone(sub);
    send_new(sub, &s);
}

/* ---- when ---- */

/* Another scope is another subscription: the client reads again, and gets one. */
static void check(cov_live_shard *shard, cov_sub *sub)
{
    bool varies = cov_follow_scope_varies(sub->group->resource);
    bool differs;

    if (!refresh(shard, sub, &differs))
        return;
    if ((varies || differs) &&
        (scope_changed(shard, sub) || (differs && sub->group->who != NULL))) {
        if (!sub->group->aggregate)
            cov__sub_invalidate(sub, "Scope changed - please refetch");
        cov__sub_end(sub);
        return;
    }
    if (sub->group->needs_db && sub->state == COV_SUB_LIVE)
        reconcile(shard, sub);
}

static void recheck(struct cov_live_shard *shard, cov_due *due, int64_t now_ms)
{
    cov_sub *sub = (cov_sub *)(void *)((char *)due - offsetof(cov_sub, recheck));

    check(shard, sub);
    cov_arena_reset(shard->arena);
    if (sub->state != COV_SUB_ENDED && !cov__recheck_schedule(shard, sub, now_ms))
        cov__sub_end(sub);
}

bool cov__recheck_schedule(cov_live_shard *shard, cov_sub *sub, int64_t now_ms)
{
    int64_t pause_ms = cov_follow_config(sub->group->resource)->sse.scope_recheck_ms;
    bool can_change = sub->group->needs_db || cov_follow_scope_varies(sub->group->resource) ||
                      (sub->who != NULL && sub->who->refresh != NULL);

    return !can_change || pause_ms <= 0 ||
           cov__shard_due(shard, &sub->recheck, pause_ms, now_ms, recheck);
}

/* ---- at once ---- */

typedef struct cov_recheck {
    struct cov_recheck *next;
    size_t len;
    char id[];
} cov_recheck;

void cov__recheck_free(cov_recheck *named)
{
    while (named != NULL) {
        cov_recheck *next = named->next;

        free(named);
        named = next;
    }
}

static cov_recheck *name_of(cov_str id)
{
    cov_recheck *name = id.len <= SIZE_MAX / 2 ? malloc(sizeof *name + id.len) : NULL;

    if (name == NULL)
        return NULL;
    name->len = id.len;
    if (id.len != 0)
        memcpy(name->id, id.ptr, id.len);
    return name;
}

void cov_live_recheck(cov_live *live, cov_str user_id)
{
    cov_host_lock(live->host, live->lock);
    for (cov_live_shard *shard = live->shards; shard != NULL; shard = shard->next) {
        cov_recheck *name = name_of(user_id);

        cov_host_lock(shard->host, shard->lock);
        if (name != NULL) {
            name->next = shard->rechecks;
            shard->rechecks = name;
        }
        shard->recheck_all |= name == NULL;
        cov_host_unlock(shard->host, shard->lock);
        shard->wake(shard->wake_self);
    }
    cov_host_unlock(live->host, live->lock);
}

static bool is_named(const cov_recheck *named, cov_str id)
{
    for (; named != NULL; named = named->next) {
        cov_str name = cov_str_of(named->id, named->len);

        if (cov_str_eq(name, id) || cov_str_eq(name, COV_STR("*")))
            return true;
    }
    return false;
}

/* NULL: all. */
void cov__recheck_named(cov_live_shard *shard, cov_recheck *named)
{
    for (cov_sub *sub = shard->subs, *next; sub != NULL; sub = next) {
        next = sub->next_all;
        if (sub->who == NULL || sub->state == COV_SUB_ENDED ||
            (named != NULL && !is_named(named, sub->who->id)))
            continue;
        check(shard, sub);
        cov_arena_reset(shard->arena);
    }
}
