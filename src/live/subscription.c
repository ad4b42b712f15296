/* SPDX-License-Identifier: MIT */
/* One subscription: made from a request, at home in a shard from the time its stream is open until it is closed. */
#include <stdlib.h>

#include "base/num.h"
#include "live/internal.h"
#include "live/mux.h"
#include "live/principal.h"

enum { LOOK_MS = 500 };

/* ---- from a request ---- */

/* A header wins over the parameter: a browser that reconnects sends the old URL again (spec/04 section 3.1). */
static cov_status read_resume(const cov_ctx *ctx, int64_t *out)
{
    cov_str text = cov_str_trim(cov_request_header(ctx->req, COV_STR("Last-Event-ID")));

    *out = 0;
    if (text.len == 0)
        text = cov_param_get(ctx, COV_PARAM_RESUME_FROM);
    if (text.len == 0)
        return COV_OK;
    if (!cov_parse_i64(text, out) || *out < 0)
        return cov_fail(ctx->err, COV_EINVAL, "Invalid resumeFrom: %.*s", COV_STR_ARG(text));
    return COV_OK;
}

static cov_status read_known(const cov_ctx *ctx, cov_sub *sub)
{
    cov_str ids = cov_param_get(ctx, COV_PARAM_KNOWN_IDS);
    cov_str id;

    if (!sub->skip_existing || sub->resume_from != 0)
        return COV_OK;
    while (ids.len != 0 && cov_str_split(&ids, ',', &id))
        if (id.len != 0 && !cov__known_add(&sub->known, id))
            return cov_fail_nomem(ctx->err);
    return COV_OK;
}

static cov_status read_options(const cov_ctx *ctx, cov_sub *sub)
{
    cov_status st = read_resume(ctx, &sub->resume_from);

    sub->skip_existing = cov_param_flag(ctx, COV_PARAM_SKIP_EXISTING);
    return st == COV_OK ? read_known(ctx, sub) : st;
}

/* What crosses relations is followed by asking again only. */
static cov_status check_relations(const cov_ctx *ctx, const cov_resource *r,
                                  const cov_rsql_expr *expr)
{
    if (expr == NULL || !cov_rsql_needs_db(expr) || cov_follow_config(r)->sse.scope_recheck_ms > 0)
        return COV_OK;
    return cov_fail(ctx->err, COV_EFILTER,
                    "Invalid filter expression: Relation-path subscribe scopes require "
                    "sse.scopeRecheckMs > 0");
}

static cov_status make_group(cov_live *live, cov_ctx *ctx, const cov_resource *r, bool aggregate,
                             cov_sub *sub)
{
    const cov_rsql_expr *expr = NULL;
    cov_status st = cov_follow_predicate(r, ctx, aggregate ? COV_OP_READ : COV_OP_SUBSCRIBE, &expr);

    if (st == COV_OK && !aggregate)
        st = check_relations(ctx, r, expr);
    if (st == COV_OK)
        st = aggregate ? cov_follow_check_aggregate(r, ctx) : cov_follow_check_include(r, ctx);
    if (st == COV_OK && !aggregate)
        st = read_options(ctx, sub);
    if (st == COV_OK)
        st = cov_principal_of(ctx, &sub->who);
    if (st != COV_OK)
        return st;
    sub->group = cov__group_new(live, ctx, r, expr, aggregate, sub->who);
    return sub->group != NULL ? COV_OK : cov_fail_nomem(ctx->err);
}

static cov_status make_name(const cov_resource *r, cov_ctx *ctx, cov_sub *sub)
{
    char id[COV_UUID_TEXT_BYTES];
    cov_str name;

    if (cov_uuid(ctx->host, id) != COV_OK)
        return cov_fail(ctx->err, COV_EINTERNAL, "no random bytes");
    name = cov_arena_printf(ctx->arena, "%.*s:%.*s", (int)sizeof id, id,
                            COV_STR_ARG(cov_follow_table(r)->name));
    sub->name = name.ptr != NULL ? cov__payload_of(name) : NULL;
    return sub->name != NULL ? COV_OK : cov_fail_nomem(ctx->err);
}

static void opened(cov_stream_source *source, cov_stream *stream);
static void drained(cov_stream_source *source);
static void closed(cov_stream_source *source);

/* Slots come last: what was refused for another reason never counted. */
cov_status cov__sub_new(cov_live *live, cov_ctx *ctx, const cov_resource *r, bool aggregate,
                        cov_sub **out)
{
    cov_sub *sub = calloc(1, sizeof *sub);
    cov_str user = COV_STR_NULL;
    cov_status st;

    if (sub == NULL)
        return cov_fail_nomem(ctx->err);
    sub->live = live;
    sub->shard = ctx->shard;
    sub->source.opened = opened;
    sub->source.drained = drained;
    sub->source.closed = closed;
    st = make_group(live, ctx, r, aggregate, sub);
    if (st == COV_OK)
        st = make_name(r, ctx, sub);
    if (sub->who != NULL)
        user = sub->who->id;
    if (st == COV_OK)
        st = cov_limits_take(&live->limits, r, user, ctx->client_address, sub->slots, ctx->err);
    if (st == COV_OK)
        *out = sub;
    else
        cov__sub_free(sub);
    return st;
}

void cov__sub_free(cov_sub *sub)
{
    if (sub == NULL)
        return;
    cov_limits_release(&sub->live->limits, sub->slots);
    if (sub->who != NULL)
        sub->who->release(sub->who);
    cov__group_free(sub->group);
    cov__known_free(sub->known);
    cov_payload_release(sub->name);
    cov_payload_release(sub->prefix);
    free((char *)(uintptr_t)sub->channel.ptr);
    free(sub);
}

/* ---- in a shard ---- */

static void link_sub(cov_live_shard *shard, cov_sub *sub)
{
    cov_group *group = sub->group;

    sub->next = group->subs;
    if (group->subs != NULL)
        group->subs->prev = sub;
    group->subs = sub;
    sub->next_all = shard->subs;
    if (shard->subs != NULL)
        shard->subs->prev_all = sub;
    shard->subs = sub;
    shard->n_subs++;
    atomic_fetch_add(&shard->tables[group->table].followers, 1);
    atomic_fetch_add(&shard->live->tables[group->table].followers, 1);
}

static void unlink_sub(cov_live_shard *shard, cov_sub *sub)
{
    cov_group *group = sub->group;

    atomic_fetch_sub(&shard->live->tables[group->table].followers, 1);
    atomic_fetch_sub(&shard->tables[group->table].followers, 1);
    shard->n_subs--;
    if (sub->prev != NULL)
        sub->prev->next = sub->next;
    else
        group->subs = sub->next;
    if (sub->next != NULL)
        sub->next->prev = sub->prev;
    if (sub->prev_all != NULL)
        sub->prev_all->next_all = sub->next_all;
    else
        shard->subs = sub->next_all;
    if (sub->next_all != NULL)
        sub->next_all->prev_all = sub->prev_all;
}

static void leave_pending(cov_live_shard *shard, cov_sub *sub)
{
    for (cov_sub **at = &shard->pending; *at != NULL; at = &(*at)->next_pending)
        if (*at == sub) {
            *at = sub->next_pending;
            return;
        }
}

/* Anything still to be read of this session is not for whoever holds it now. */
static void heartbeat(struct cov_live_shard *shard, cov_due *due, int64_t now_ms)
{
    cov_sub *sub = (cov_sub *)(void *)((char *)due - offsetof(cov_sub, heartbeat));
    int64_t pause_ms = cov_follow_config(sub->group->resource)->sse.heartbeat_ms;

    if (cov__sub_expired(sub, now_ms))
        return;
    if (sub->mux == NULL)
        cov__sub_send_payload(sub, cov__shard_ping(shard, now_ms));
    if (sub->state != COV_SUB_ENDED &&
        !cov_due_add(&shard->lanes, due, pause_ms, now_ms, heartbeat))
        cov__sub_end(sub);
}

/* Twice a second, as long as somebody follows. */
static void look(struct cov_live_shard *shard, cov_due *due, int64_t now_ms)
{
    cov__shard_look(shard);
    if (shard->n_subs != 0)
        (void)!cov_due_add(&shard->lanes, due, LOOK_MS, now_ms, look);
}

static bool schedule(cov_live_shard *shard, cov_sub *sub)
{
    const cov_resource_config *config = cov_follow_config(sub->group->resource);
    int64_t now_ms = shard->host->now_ms(shard->host->self);

    if (shard->live->log.in_database && shard->look.lane == NULL &&
        !cov__shard_due(shard, &shard->look, LOOK_MS, now_ms, look))
        return false;

    if (!cov__shard_due(shard, &sub->heartbeat, config->sse.heartbeat_ms, now_ms, heartbeat))
        return false;
    return cov__recheck_schedule(shard, sub, now_ms);
}

/* Look again after having said that somebody waits: the commit may have ended in between. */
static void wait_for_cut(cov_live_shard *shard, cov_sub *sub)
{
    cov_sub **at = &shard->pending;

    if (!atomic_exchange(&shard->waits, true))
        atomic_fetch_add(&shard->live->waiting, 1);
    if (cov__begin(sub))
        return;
    while (*at != NULL)
        at = &(*at)->next_pending;
    *at = sub;
}

void cov__sub_begin(cov_live_shard *shard, cov_sub *sub, cov_stream *stream)
{
    sub->shard = shard;
    sub->stream = stream;
    sub->group = cov__group_join(shard, sub->group);
    if (sub->group == NULL) {
        sub->state = COV_SUB_ENDED;
        cov_stream_end(stream);
        return;
    }
    sub->state = COV_SUB_WAITING;
    link_sub(shard, sub);
    if (!schedule(shard, sub)) {
        cov__sub_end(sub);
        return;
    }
    if (!cov__begin(sub))
        wait_for_cut(shard, sub);
    cov_arena_reset(shard->arena);
}

bool cov__sub_retry(cov_sub *sub)
{
    return sub->state != COV_SUB_WAITING || cov__begin(sub);
}

void cov__sub_leave(cov_sub *sub)
{
    cov_live_shard *shard = sub->shard;
    cov_group *group = sub->group;

    if (sub->state == COV_SUB_NEW || group == NULL)
        return;
    leave_pending(shard, sub);
    cov_due_remove(&sub->heartbeat);
    cov_due_remove(&sub->recheck);
    unlink_sub(shard, sub);
    sub->group = NULL;
    if (group->subs == NULL)
        cov__group_drop(shard, group);
}

void cov__sub_end(cov_sub *sub)
{
    if (sub->state == COV_SUB_ENDED)
        return;
    sub->state = COV_SUB_ENDED;
    if (sub->mux != NULL)
        cov__mux_ended(sub);
    else if (sub->stream != NULL)
        cov_stream_end(sub->stream);
}

size_t cov__sub_queue_limit(const cov_sub *sub)
{
    int64_t most = sub->mux != NULL ? cov__mux_queue_limit(sub->live)
                                    : cov_follow_config(sub->group->resource)->sse.max_queue_bytes;

    return (size_t)most + sub->snapshot_bytes;
}

/* ---- what the host calls for a stream of its own ---- */

static void opened(cov_stream_source *source, cov_stream *stream)
{
    cov_sub *sub = (cov_sub *)(void *)source;

    cov__sub_begin(sub->shard, sub, stream);
}

static void drained(cov_stream_source *source)
{
    cov__sub_drained((cov_sub *)(void *)source);
}

static void closed(cov_stream_source *source)
{
    cov_sub *sub = (cov_sub *)(void *)source;

    sub->state = sub->state == COV_SUB_NEW ? COV_SUB_NEW : COV_SUB_ENDED;
    cov__sub_leave(sub);
    cov__sub_free(sub);
}
