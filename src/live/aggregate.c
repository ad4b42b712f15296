/* SPDX-License-Identifier: MIT */
/*
 * Aggregates that follow their rows (spec/04 section 11).
 *
 * A group is computed once for all who look at the same numbers with the same eyes, a pause after the first row that
 * mattered, and sent only when it differs from what was sent last. A slow reader gets the newest result when it has
 * taken the older ones.
 */
#include <stdlib.h>

#include "live/internal.h"

typedef struct cov_tally {
    cov_due due; /* first */
    cov_group *group;
    cov_buf last; /* what was sent */
} cov_tally;

void cov__tally_free(cov_tally *tally)
{
    if (tally == NULL)
        return;
    cov_due_remove(&tally->due);
    cov_buf_dispose(&tally->last);
    free(tally);
}

static cov_tally *tally_of(cov_group *group)
{
    if (group->tally == NULL) {
        group->tally = calloc(1, sizeof *group->tally);
        if (group->tally != NULL)
            group->tally->group = group;
    }
    return group->tally;
}

/* The result is then in the shard's scratch. */
static cov_status compute(cov_live_shard *shard, const cov_group *group, int64_t *seq,
                          cov_error *err)
{
    cov_resource_route route = cov_resource_find(group->resource, COV_GET, COV_STR("aggregate"));
    cov_live *live = shard->live;
    cov_status st = COV_OK;
    cov_ctx ctx;

    cov__shard_ctx(shard, group, err, &ctx);
    if (live->log.in_database) {
        st = cov_changelog_latest(&ctx, seq);
    } else {
        cov_host_lock(live->host, live->lock);
        *seq = live->log.seq;
        cov_host_unlock(live->host, live->lock);
    }
    if (st == COV_OK)
        st = route.handler(group->resource, &ctx, COV_STR(""));
    if (st == COV_OK && shard->scratch.body.failed)
        st = cov_fail_nomem(err);
    return st;
}

static void send(cov_sub *sub, const cov_buf *result, int64_t seq)
{
    cov_buf data = COV_BUF_INIT;

    if (cov_stream_queued(sub->stream) >= cov__sub_queue_limit(sub)) {
        sub->stale = true;
        return;
    }
    COV_BUF_LIT(&data, "{\"data\":");
    cov_buf_str(&data, cov_buf_view(result));
    cov_buf_printf(&data, ",\"seq\":%lld}", (long long)seq);
    cov__sub_send_payload(sub, data.failed
                                   ? NULL
                                   : cov__frame_named(sub, "aggregate", seq, cov_buf_view(&data)));
    cov_buf_dispose(&data);
}

/* True: it differs from what was sent last, and is now that. */
static bool is_new(cov_tally *tally, const cov_buf *result)
{
    if (tally->last.len != 0 && cov_str_eq(cov_buf_view(&tally->last), cov_buf_view(result)))
        return false;
    cov_buf_clear(&tally->last, SIZE_MAX);
    cov_buf_str(&tally->last, cov_buf_view(result));
    return true;
}

static void recompute(struct cov_live_shard *shard, cov_due *due, int64_t now_ms)
{
    cov_tally *tally = (cov_tally *)(void *)due;
    cov_group *group = tally->group;
    bool differs = true;
    int64_t seq = 0;
    cov_error err;
    cov_status st = compute(shard, group, &seq, &err);

    if (st == COV_OK)
        differs = is_new(tally, &shard->scratch.body);
    for (cov_sub *sub = group->subs, *next; sub != NULL; sub = next) {
        next = sub->next;
        if (sub->state != COV_SUB_LIVE || cov__sub_expired(sub, now_ms))
            continue;
        if (st != COV_OK)
            cov__sub_error(sub, &err);
        else if (differs)
            send(sub, &shard->scratch.body, seq);
    }
}

void cov__aggregate_touch(cov_live_shard *shard, cov_group *group)
{
    cov_tally *tally = tally_of(group);
    int64_t pause_ms = cov_follow_config(group->resource)->sse.debounce_ms;
    bool ok = tally != NULL;

    if (ok && tally->due.lane == NULL)
        ok = cov_due_add(&shard->lanes, &tally->due, pause_ms,
                         shard->host->now_ms(shard->host->self), recompute);
    for (cov_sub *sub = group->subs; !ok && sub != NULL; sub = sub->next)
        cov__sub_end(sub);
}

/* It starts the group's memory of what was sent, or, where others have an older result, makes them get this one too. */
void cov__aggregate_first(cov_sub *sub)
{
    cov_tally *tally = tally_of(sub->group);
    int64_t seq = 0;
    cov_error err;
    cov_status st = compute(sub->shard, sub->group, &seq, &err);

    if (st == COV_OK && tally == NULL)
        st = cov_fail_nomem(&err);
    if (st != COV_OK) {
        cov__sub_error(sub, &err);
        return;
    }
    if (tally->last.len == 0)
        is_new(tally, &sub->shard->scratch.body);
    send(sub, &sub->shard->scratch.body, seq);
    if (!cov_str_eq(cov_buf_view(&tally->last), cov_buf_view(&sub->shard->scratch.body)))
        cov__aggregate_touch(sub->shard, sub->group);
}
