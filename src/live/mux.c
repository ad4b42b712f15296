/* SPDX-License-Identifier: MIT */
/* Multiplexed streams on their shard's thread: opening, channels, heartbeats, closing. */
#include "live/mux_internal.h"

#include <stdlib.h>

#include "base/map.h"

enum { DEFAULT_HEARTBEAT_MS = 20000, DEFAULT_QUEUE_BYTES = 262144 };

bool cov__muxes_new(cov_live *live)
{
    live->muxes = calloc(1, sizeof *live->muxes);
    return live->muxes != NULL;
}

void cov__muxes_free(struct cov_muxes *muxes)
{
    if (muxes == NULL)
        return;
    cov_links_dispose(&muxes->by_cid);
    free(muxes);
}

int64_t cov__mux_queue_limit(const cov_live *live)
{
    int64_t most = live->options.multiplex.max_queue_bytes;

    return most > 0 ? most : DEFAULT_QUEUE_BYTES;
}

cov_mux *cov__mux_find(const cov_live *live, cov_str cid)
{
    for (cov_link *l = cov_links_first(&live->muxes->by_cid, cov_hash(cid)); l != NULL;
         l = cov_links_next(l)) {
        cov_mux *mux = (cov_mux *)(void *)((char *)l - offsetof(cov_mux, link));

        if (cov_str_eq(cov_str_of(mux->cid, sizeof mux->cid), cid))
            return mux;
    }
    return NULL;
}

/* ---- names of channels; with the lock of cov_live ---- */

cov_channel **cov__channel_at(cov_mux *mux, cov_str name)
{
    cov_channel **at = &mux->names;

    while (*at != NULL && !cov_str_eq(cov_str_of((*at)->name, (*at)->len), name))
        at = &(*at)->next;
    return at;
}

bool cov__channel_remove(cov_mux *mux, cov_str name)
{
    cov_channel **at = cov__channel_at(mux, name);
    cov_channel *channel = *at;

    if (channel == NULL)
        return false;
    *at = channel->next;
    mux->n_names--;
    free(channel);
    return true;
}

/* ---- channels ---- */

static void drop_channel(cov_mux *mux, cov_sub *sub)
{
    cov_sub **at = &mux->channels;

    while (*at != sub)
        at = &(*at)->next_channel;
    *at = sub->next_channel;
    sub->state = sub->state == COV_SUB_NEW ? COV_SUB_NEW : COV_SUB_ENDED;
    cov__sub_leave(sub);
    cov__sub_free(sub);
}

static void forget_name(cov_mux *mux, cov_str name)
{
    cov_host_lock(mux->live->host, mux->live->lock);
    cov__channel_remove(mux, name);
    cov_host_unlock(mux->live->host, mux->live->lock);
}

/* Only a slow reader's channel takes the whole stream with it: there is one queue for all (spec/04 section 10). */
void cov__mux_ended(cov_sub *sub)
{
    cov_mux *mux = sub->mux;

    if (cov_stream_queued(mux->stream) >= cov__sub_queue_limit(sub))
        cov_stream_end(mux->stream);
    mux->has_ended = true;
    sub->shard->has_ended = true;
}

static void sweep(cov_mux *mux)
{
    for (cov_sub *sub = mux->channels, *next; sub != NULL; sub = next) {
        next = sub->next_channel;
        if (sub->state != COV_SUB_ENDED)
            continue;
        forget_name(mux, sub->channel);
        drop_channel(mux, sub);
    }
    mux->has_ended = false;
}

void cov__mux_sweep(cov_live_shard *shard)
{
    if (!shard->has_ended)
        return;
    shard->has_ended = false;
    for (cov_mux *mux = shard->muxes; mux != NULL; mux = mux->next_in_shard)
        if (mux->has_ended)
            sweep(mux);
}

static void begin_channel(cov_mux *mux, cov_sub *sub)
{
    cov__sub_begin(mux->shard, sub, mux->stream);
}

static void add_channel(cov_mux *mux, cov_sub *sub)
{
    sub->mux = mux;
    sub->next_channel = mux->channels;
    mux->channels = sub;
    if (mux->stream != NULL)
        begin_channel(mux, sub);
}

static void remove_channel(cov_mux *mux, cov_str name)
{
    for (cov_sub *sub = mux->channels, *next; sub != NULL; sub = next) {
        next = sub->next_channel;
        if (cov_str_eq(sub->channel, name) && sub->state != COV_SUB_ENDED)
            drop_channel(mux, sub);
    }
}

/* ---- messages ---- */

static void message_free(cov_message *message)
{
    cov__sub_free(message->sub);
    free(message);
}

void cov__messages_free(cov_message *messages)
{
    while (messages != NULL) {
        cov_message *next = messages->next;

        message_free(messages);
        messages = next;
    }
}

static void run_message(cov_live_shard *shard, cov_message *message)
{
    cov_live *live = shard->live;
    cov_mux *mux;

    cov_host_lock(live->host, live->lock);
    mux = cov__mux_find(live, cov_str_of(message->cid, sizeof message->cid));
    cov_host_unlock(live->host, live->lock);
    if (mux != NULL && message->sub != NULL) {
        add_channel(mux, message->sub);
        message->sub = NULL;
    } else if (mux != NULL) {
        remove_channel(mux, cov_str_of(message->name, message->len));
    }
    message_free(message);
}

/* Only this thread closes streams, so what was found stays. Requests of one client are run in its order. */
void cov__messages_run(cov_live_shard *shard, cov_message *messages)
{
    cov_message *oldest = NULL;

    while (messages != NULL) {
        cov_message *next = messages->next;

        messages->next = oldest;
        oldest = messages;
        messages = next;
    }
    while (oldest != NULL) {
        cov_message *next = oldest->next;

        run_message(shard, oldest);
        oldest = next;
    }
}

/* ---- the stream ---- */

static void heartbeat(struct cov_live_shard *shard, cov_due *due, int64_t now_ms)
{
    cov_mux *mux = (cov_mux *)(void *)((char *)due - offsetof(cov_mux, heartbeat));
    int64_t pause_ms = shard->live->options.multiplex.heartbeat_ms;
    cov_payload *ping = cov__shard_ping(shard, now_ms);

    if (pause_ms <= 0)
        pause_ms = DEFAULT_HEARTBEAT_MS;
    if (ping == NULL || !cov_due_add(&shard->lanes, due, pause_ms, now_ms, heartbeat))
        cov_stream_end(mux->stream);
    else
        (void)cov_stream_write(mux->stream, &ping, 1);
    cov_payload_release(ping);
}

static void opened(cov_stream_source *source, cov_stream *stream)
{
    cov_mux *mux = (cov_mux *)(void *)source;
    cov_live_shard *shard = mux->shard;
    int64_t pause_ms = shard->live->options.multiplex.heartbeat_ms;

    mux->stream = stream;
    mux->next_in_shard = shard->muxes;
    shard->muxes = mux;
    if (!cov__shard_due(shard, &mux->heartbeat, pause_ms > 0 ? pause_ms : DEFAULT_HEARTBEAT_MS,
                        shard->host->now_ms(shard->host->self), heartbeat)) {
        cov_stream_end(stream);
        return;
    }
    for (cov_sub *sub = mux->channels, *next; sub != NULL; sub = next) {
        next = sub->next_channel;
        if (sub->state == COV_SUB_NEW)
            begin_channel(mux, sub);
    }
}

static void drained(cov_stream_source *source)
{
    for (cov_sub *sub = ((cov_mux *)(void *)source)->channels; sub != NULL; sub = sub->next_channel)
        cov__sub_drained(sub);
}

static void unlink_mux(cov_mux *mux)
{
    cov_mux **at = &mux->shard->muxes;

    cov_host_lock(mux->live->host, mux->live->lock);
    cov_links_remove(&mux->live->muxes->by_cid, &mux->link);
    while (mux->names != NULL)
        cov__channel_remove(mux, cov_str_of(mux->names->name, mux->names->len));
    cov_host_unlock(mux->live->host, mux->live->lock);
    while (*at != NULL && *at != mux)
        at = &(*at)->next_in_shard;
    if (*at != NULL)
        *at = mux->next_in_shard;
}

static void closed(cov_stream_source *source)
{
    cov_mux *mux = (cov_mux *)(void *)source;

    unlink_mux(mux);
    cov_due_remove(&mux->heartbeat);
    while (mux->channels != NULL)
        drop_channel(mux, mux->channels);
    free(mux);
}

void cov__muxes_end(cov_live_shard *shard)
{
    for (cov_mux *mux = shard->muxes; mux != NULL; mux = mux->next_in_shard)
        cov_stream_end(mux->stream);
}

cov_status cov__mux_new(cov_live *live, cov_ctx *ctx, cov_str user_id, cov_mux **out)
{
    cov_mux *mux = calloc(1, sizeof *mux + user_id.len);
    bool added;

    if (mux == NULL)
        return cov_fail_nomem(ctx->err);
    mux->source.opened = opened;
    mux->source.drained = drained;
    mux->source.closed = closed;
    mux->live = live;
    mux->shard = ctx->shard;
    mux->user_len = user_id.len;
    if (user_id.len != 0)
        memcpy(mux->user, user_id.ptr, user_id.len);
    if (cov_uuid(ctx->host, mux->cid) != COV_OK) {
        free(mux);
        return cov_fail(ctx->err, COV_EINTERNAL, "no random bytes");
    }
    cov_host_lock(live->host, live->lock);
    added = cov_links_add(&live->muxes->by_cid, &mux->link,
                          cov_hash(cov_str_of(mux->cid, sizeof mux->cid)));
    cov_host_unlock(live->host, live->lock);
    if (!added) {
        free(mux);
        return cov_fail_nomem(ctx->err);
    }
    *out = mux;
    return COV_OK;
}
