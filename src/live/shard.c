/* SPDX-License-Identifier: MIT */
/* One event loop's part: mailbox, clock, connection. */
#include <stdio.h>
#include <stdlib.h>

#include "live/internal.h"
#include "live/mux.h"

enum { SCRATCH_KEEP_BYTES = 256 * 1024 };

static bool fill(cov_live_shard *shard, cov_live *live, cov_db *db)
{
    const cov_host *host = live->host;

    shard->live = live;
    shard->host = host;
    shard->db = db;
    atomic_init(&shard->waits, false);
    shard->arena = cov_arena_new(0);
    shard->tables = calloc(live->n_tables + 1, sizeof *shard->tables);
    if (shard->arena == NULL || shard->tables == NULL)
        return false;
    for (size_t i = 0; i < live->n_tables; i++) {
        atomic_init(&shard->tables[i].followers, 0);
        shard->tables[i].n_by_column = calloc(live->tables[i].n_columns + 1, sizeof(size_t));
        if (shard->tables[i].n_by_column == NULL)
            return false;
    }
    if (host->lock_new != NULL)
        shard->lock = host->lock_new(host->self);
    return host->lock_new == NULL || shard->lock != NULL;
}

static void dispose(cov_live_shard *shard)
{
    for (size_t i = 0; shard->tables != NULL && i < shard->live->n_tables; i++) {
        cov_links_dispose(&shard->tables[i].by_term);
        free(shard->tables[i].n_by_column);
    }
    for (size_t i = 0; i < shard->n_inbox; i++)
        cov_change_release(shard->inbox[i]);
    free(shard->inbox);
    cov__messages_free(shard->messages);
    cov__recheck_free(shard->rechecks);
    cov_payload_release(shard->ping);
    cov_links_dispose(&shard->groups);
    cov_due_dispose(&shard->lanes);
    cov_buf_dispose(&shard->scratch.body);
    cov_arena_free(shard->arena);
    if (shard->lock != NULL)
        shard->host->lock_free(shard->host->self, shard->lock);
    free(shard->tables);
    free(shard);
}

cov_live_shard *cov_live_shard_new(cov_live *live, cov_db *db, void (*wake)(void *self), void *self)
{
    cov_live_shard *shard = calloc(1, sizeof *shard);

    if (shard == NULL)
        return NULL;
    if (!fill(shard, live, db)) {
        dispose(shard);
        return NULL;
    }
    shard->wake = wake;
    shard->wake_self = self;
    cov_host_lock(live->host, live->lock);
    shard->next = live->shards;
    live->shards = shard;
    cov_host_unlock(live->host, live->lock);
    return shard;
}

void cov_live_shard_free(cov_live_shard *shard)
{
    cov_live *live;
    cov_live_shard **at;

    if (shard == NULL)
        return;
    live = shard->live;
    cov_host_lock(live->host, live->lock);
    for (at = &live->shards; *at != shard;)
        at = &(*at)->next;
    *at = shard->next;
    cov_host_unlock(live->host, live->lock);
    if (atomic_load(&shard->waits))
        atomic_fetch_sub(&live->waiting, 1);
    dispose(shard);
}

void cov_live_shard_end(cov_live_shard *shard)
{
    for (cov_sub *sub = shard->subs, *next; sub != NULL; sub = next) {
        next = sub->next_all;
        if (sub->mux == NULL)
            cov__sub_end(sub);
    }
    cov__muxes_end(shard);
}

size_t cov_live_count(const cov_live_shard *shard)
{
    return shard->n_subs;
}

/* ---- the mailbox ---- */

static bool has_room(cov_live_shard *shard)
{
    size_t cap = shard->cap_inbox != 0 ? shard->cap_inbox * 2 : 64;
    cov_change **wider;

    if (shard->n_inbox < shard->cap_inbox)
        return true;
    wider = cap <= SIZE_MAX / sizeof(*wider) ? realloc(shard->inbox, cap * sizeof(*wider)) : NULL;
    if (wider == NULL)
        return false;
    shard->inbox = wider;
    shard->cap_inbox = cap;
    return true;
}

/* NULL stands for a change that could not be made. Only the first of many needs to wake the loop. */
bool cov__shard_post(cov_live_shard *shard, cov_change *change)
{
    bool first;

    cov_host_lock(shard->host, shard->lock);
    first = shard->n_inbox == 0 && !shard->overflow;
    if (change != NULL && has_room(shard))
        shard->inbox[shard->n_inbox++] = cov_change_retain(change);
    else
        shard->overflow = true;
    cov_host_unlock(shard->host, shard->lock);
    return first;
}

static void invalidate_all(cov_live_shard *shard)
{
    for (cov_sub *sub = shard->subs, *next; sub != NULL; sub = next) {
        next = sub->next_all;
        if (sub->group->aggregate)
            cov__aggregate_touch(shard, sub->group);
        else if (sub->state == COV_SUB_LIVE)
            cov__sub_invalidate(sub, "Sequence gap - please refetch");
    }
}

/* Whoever waits for a cut drops out of the list when it got one. */
static void retry_pending(cov_live_shard *shard)
{
    cov_sub **at = &shard->pending;

    while (*at != NULL) {
        cov_sub *sub = *at;

        if (!cov__sub_retry(sub))
            break; /* a commit is under way: nobody else would fare better */
        *at = sub->next_pending;
        sub->next_pending = NULL;
    }
    if (shard->pending == NULL && atomic_exchange(&shard->waits, false))
        atomic_fetch_sub(&shard->live->waiting, 1);
}

/* What other threads put there, taken out at once. */
typedef struct mail {
    cov_change **inbox;
    size_t n;
    struct cov_message *messages;
    struct cov_recheck *rechecks;
    bool overflow;
    bool recheck_all;
} mail;

static mail take_mail(cov_live_shard *shard)
{
    mail m;

    cov_host_lock(shard->host, shard->lock);
    m = (mail){ shard->inbox,    shard->n_inbox,  shard->messages,
                shard->rechecks, shard->overflow, shard->recheck_all };
    shard->inbox = NULL;
    shard->n_inbox = shard->cap_inbox = 0;
    shard->overflow = shard->recheck_all = false;
    shard->messages = NULL;
    shard->rechecks = NULL;
    cov_host_unlock(shard->host, shard->lock);
    return m;
}

/* Who must not see any more is out before what changed is told. */
void cov_live_run(cov_live_shard *shard)
{
    mail m = take_mail(shard);

    if (m.recheck_all || m.rechecks != NULL)
        cov__recheck_named(shard, m.recheck_all ? NULL : m.rechecks);
    cov__recheck_free(m.rechecks);
    for (size_t i = 0; i < m.n; i++) {
        cov__shard_change(shard, m.inbox[i]);
        cov_change_release(m.inbox[i]);
        cov_arena_reset(shard->arena);
    }
    free(m.inbox);
    if (m.overflow)
        invalidate_all(shard);
    cov__messages_run(shard, m.messages);
    retry_pending(shard);
    cov__mux_sweep(shard);
    cov_arena_reset(shard->arena);
}

/* ---- the clock ---- */

int64_t cov_live_tick(cov_live_shard *shard, int64_t now_ms)
{
    int64_t next = cov_due_run(&shard->lanes, shard, now_ms);

    cov__mux_sweep(shard);
    cov_arena_reset(shard->arena);
    return next;
}

bool cov__shard_due(cov_live_shard *shard, cov_due *due, int64_t after_ms, int64_t now_ms,
                    cov_due_fn fn)
{
    int64_t next_ms = cov_due_next(&shard->lanes);

    if (!cov_due_add(&shard->lanes, due, after_ms, now_ms, fn))
        return false;
    if (due->at_ms < next_ms)
        shard->wake(shard->wake_self);
    return true;
}

int64_t cov_live_next(const cov_live_shard *shard)
{
    return cov_due_next(&shard->lanes);
}

/* Those who are due together share the bytes. */
cov_payload *cov__shard_ping(cov_live_shard *shard, int64_t now_ms)
{
    char text[48];

    if (shard->ping == NULL || shard->ping_ms != now_ms) {
        int len = snprintf(text, sizeof text, ": ping %lld\n\n", (long long)now_ms);

        cov_payload_release(shard->ping);
        shard->ping = cov__payload_of(cov_str_of(text, (size_t)len));
        shard->ping_ms = now_ms;
    }
    return shard->ping != NULL ? cov_payload_retain(shard->ping) : NULL;
}

/* ---- reading as a subscriber ---- */

void cov__shard_ctx(cov_live_shard *shard, const cov_group *group, cov_error *err, cov_ctx *ctx)
{
    static const cov_request none = { .method = COV_GET };

    cov_error_init(err, shard->arena);
    shard->scratch.n_headers = 0;
    shard->scratch.status = 0;
    cov_buf_clear(&shard->scratch.body, SCRATCH_KEEP_BYTES);
    *ctx = (cov_ctx){ .host = shard->host,
                      .db = shard->db,
                      .arena = shard->arena,
                      .req = &none,
                      .res = &shard->scratch,
                      .err = err };
    memcpy(ctx->params, group->params, sizeof ctx->params);
    if (group->who != NULL) {
        ctx->user = &group->who->vars;
        ctx->principal = group->who;
    }
}
