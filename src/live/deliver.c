/* SPDX-License-Identifier: MIT */
/*
 * From a change to the streams (spec/04 section 5).
 *
 * DESIGN: whether a row entered, stayed in or left a subscription follows from its two images alone: did the predicate
 * hold before, does it hold now. So no set of ids is kept. Two cases are different: a client that said which ids it holds
 * (known.c), and a change whose first image nobody took, where only reading again is right.
 */
#include <stdio.h>

#include "live/internal.h"

/* ---- sending ---- */

static void write_pieces(cov_sub *sub, const cov_frame *frame)
{
    cov_payload *pieces[COV_STREAM_MAX_PIECES];
    int kind = sub->mux != NULL ? 1 : 0;
    size_t n = 0;

    if (sub->prefix != NULL)
        pieces[n++] = sub->prefix;
    pieces[n++] = frame->head[kind];
    pieces[n++] = sub->name;
    pieces[n++] = frame->tail[kind];
    if (!cov_stream_write(sub->stream, pieces, n))
        sub->state = COV_SUB_ENDED;
    if (frame->seq > sub->seq)
        sub->seq = frame->seq;
}

void cov__sub_send_payload(cov_sub *sub, cov_payload *payload)
{
    if (payload == NULL)
        cov__sub_end(sub); /* out of memory: the client will come again */
    else if (sub->state != COV_SUB_ENDED && !cov_stream_write(sub->stream, &payload, 1))
        sub->state = COV_SUB_ENDED;
    cov_payload_release(payload);
}

static void slow(cov_sub *sub)
{
    switch (cov_follow_config(sub->group->resource)->sse.on_backpressure) {
    case COV_SLOW_DROP:
        sub->stale = true;
        return;
    case COV_SLOW_INVALIDATE:
        cov__sub_send_payload(
            sub,
            cov__frame_named(sub, "message", -1,
                             COV_STR("{\"type\":\"invalidate\",\"reason\":\"slow-consumer\"}")));
        break;
    case COV_SLOW_DISCONNECT:
        break;
    }
    cov__sub_end(sub);
}

/* After an event was dropped, all are until the client was told to read again: a later one would make no sense. */
void cov__sub_send(cov_sub *sub, const cov_frame *frame)
{
    size_t most = cov__sub_queue_limit(sub);

    if (sub->state == COV_SUB_ENDED || sub->stale)
        return;
    if (cov_stream_queued(sub->stream) >= most)
        slow(sub);
    else
        write_pieces(sub, frame);
}

static void send_invalidate(cov_sub *sub, const char *reason, bool always)
{
    cov_frame frame;
    char members[160];

    (void)snprintf(members, sizeof members, ",\"reason\":\"%s\"", reason);
    if (!cov__frame_make(&frame, sub->live->host, COV_EVENT_INVALIDATE, sub->seq,
                         cov_str_from(members))) {
        cov__sub_end(sub);
        return;
    }
    if (always && sub->state != COV_SUB_ENDED)
        write_pieces(sub, &frame);
    else
        cov__sub_send(sub, &frame);
    cov__frame_dispose(&frame);
}

void cov__sub_invalidate(cov_sub *sub, const char *reason)
{
    send_invalidate(sub, reason, false);
}

void cov__sub_connected(cov_sub *sub, int64_t seq)
{
    char data[48];

    (void)snprintf(data, sizeof data, "{\"seq\":%lld}", (long long)seq);
    sub->seq = seq;
    cov__sub_send_payload(sub, cov__frame_named(sub, "connected", seq, cov_str_from(data)));
}

/* Failures of the server are for the log; a client reads a fixed sentence. */
void cov__sub_error(cov_sub *sub, const cov_error *err)
{
    cov_buf data = COV_BUF_IN(sub->shard->arena);
    bool ours = cov_status_http(err->status) >= 500;

    if (ours)
        cov__log_failure(sub->live->host, "subscription", err);
    COV_BUF_LIT(&data, "{\"error\":");
    cov_json_str(&data,
                 ours ? COV_STR("The subscription could not be served") : cov_error_detail(err));
    cov_buf_char(&data, '}');
    cov__sub_send_payload(sub, data.failed
                                   ? NULL
                                   : cov__frame_named(sub, "error", -1, cov_buf_view(&data)));
}

void cov__sub_revoked(cov_sub *sub)
{
    if (sub->state != COV_SUB_ENDED)
        send_invalidate(sub, "Authentication expired", true);
    cov__sub_end(sub);
}

bool cov__sub_expired(cov_sub *sub, int64_t now_ms)
{
    if (sub->who == NULL || sub->who->expires_at_ms == 0 || sub->who->expires_at_ms > now_ms)
        return false;
    cov__sub_revoked(sub);
    return true;
}

/* The queue is empty: what was dropped must be read again. */
void cov__sub_drained(cov_sub *sub)
{
    sub->snapshot_bytes = 0;
    if (!sub->stale || sub->state != COV_SUB_LIVE)
        return;
    sub->stale = false;
    if (sub->group->aggregate)
        cov__aggregate_first(sub);
    else
        cov__sub_invalidate(sub, "slow-consumer");
}

/* ---- frames of one change, made once for all who see the same ---- */

typedef struct cached_frame {
    const cov_resource *resource;
    const cov_group *owner; /* whose eyes; NULL: everybody's */
    cov_event event;
    bool named; /* with the optimistic id */
    bool half;  /* another event of the same change follows */
    cov_frame frame;
} cached_frame;

enum { MAX_FRAMES = 16 };

typedef struct delivery {
    cached_frame frames[MAX_FRAMES];
    size_t n;
    size_t oldest;
    int64_t now_ms;
    int64_t floor; /* least sequence: after "connected" none may be lower (spec/04 section 4.1) */
} delivery;

static cov_status changed_members(cov_live_shard *shard, const cov_group *group,
                                  const cov_change *change, cov_event event, bool named,
                                  cov_buf *out, cov_error *err)
{
    cov_ctx ctx;
    cov_status st;

    cov__shard_ctx(shard, group, err, &ctx);
    COV_BUF_LIT(out, ",\"object\":");
    st = cov_follow_object(group->resource, &ctx, change->after, true, out);
    if (event == COV_EVENT_CHANGED) {
        COV_BUF_LIT(out, ",\"previousObjectId\":");
        cov_json_str(out, change->id);
    }
    if (named) {
        COV_BUF_LIT(out, ",\"meta\":{\"optimisticId\":");
        cov_json_str(out, change->optimistic_id);
        cov_buf_char(out, '}');
    }
    return st;
}

/* Without a first image, the row's id is taken to have stayed. */
static cov_str id_before(const cov_group *group, const cov_change *change, cov_buf *text)
{
    if (change->before == NULL)
        return change->id;
    cov_follow_id_text(&change->before[cov_follow_id_column(group->resource)], text);
    return cov_buf_view(text);
}

static void removed_members(const cov_group *group, const cov_change *change, cov_buf *out)
{
    cov_buf id = COV_BUF_IN(out->arena);

    COV_BUF_LIT(out, ",\"objectId\":");
    cov_json_str(out, id_before(group, change, &id));
}

static bool make(cov_live_shard *shard, const cov_group *group, const cov_change *change,
                 int64_t floor, cached_frame *to)
{
    cov_buf members = COV_BUF_IN(shard->arena);
    /* A row that took another id is removed and added: until it was added, not all of this change was sent. */
    int64_t seq = to->half ? change->seq - 1 : change->seq;
    cov_status st = COV_OK;
    cov_error err;

    cov_error_init(&err, shard->arena);
    if (to->event == COV_EVENT_REMOVED) {
        removed_members(group, change, &members);
    } else {
        st = changed_members(shard, group, change, to->event, to->named, &members, &err);
    }
    if (st != COV_OK)
        cov__log_failure(shard->host, "event", &err);
    if (seq < floor)
        seq = floor;
    return st == COV_OK && !members.failed &&
           cov__frame_make(&to->frame, shard->host, to->event, seq, cov_buf_view(&members));
}

/* NULL: it cannot be made, and those who should get it must read again. */
static const cov_frame *frame_of(cov_live_shard *shard, const cov_group *group,
                                 const cov_change *change, delivery *d, cached_frame want)
{
    /* An id looks the same to everybody. */
    bool personal = want.event != COV_EVENT_REMOVED &&
                    (group->who != NULL || group->params[COV_PARAM_INCLUDE].len != 0);
    cached_frame *slot;

    want.resource = group->resource;
    want.owner = personal ? group : NULL;
    for (size_t i = 0; i < d->n; i++) {
        const cached_frame *f = &d->frames[i];

        if (f->resource == want.resource && f->owner == want.owner && f->event == want.event &&
            f->named == want.named && f->half == want.half)
            return &f->frame;
    }
    if (!make(shard, group, change, d->floor, &want))
        return NULL;
    slot = d->n < MAX_FRAMES ? &d->frames[d->n++] : &d->frames[d->oldest++ % MAX_FRAMES];
    cov__frame_dispose(&slot->frame);
    *slot = want;
    return &slot->frame;
}

/* ---- who gets what ---- */

/*
 * Only the database can tell, and what it tells is of now: later than the change, never earlier. So the first image says
 * nothing, and what the client holds is what its subscription has noted (as_known).
 */
static cov_verdict verdict_of_database(cov_live_shard *shard, const cov_group *group,
                                       const cov_change *change)
{
    cov_verdict v = { true, false, false };
    cov_status st;
    cov_error err;
    cov_ctx ctx;

    if (group->aggregate || change->after == NULL ||
        (!group->with_deleted && cov_follow_is_deleted(group->resource, change->after)))
        return v;
    cov__shard_ctx(shard, group, &err, &ctx);
    st = cov_follow_covers(group->resource, &ctx, group->expr, change->after, &v.after);
    if (st != COV_OK)
        cov__log_failure(shard->host, "scope of a subscription", &err);
    v.unknown = st != COV_OK;
    return v;
}

cov_verdict cov__verdict(cov_live_shard *shard, const cov_group *group, const cov_change *change)
{
    cov_verdict v = { false, false, false };

    if (group->needs_db)
        return verdict_of_database(shard, group, change);
    v.unknown = change->before == NULL && change->kind != COV_CHANGE_CREATE;
    v.before = change->before != NULL && cov__group_matches(shard, group, change->before);
    v.after = change->after != NULL && cov__group_matches(shard, group, change->after);
    return v;
}

static void send_one(cov_live_shard *shard, cov_sub *sub, const cov_change *change, delivery *d,
                     cov_event event, bool half)
{
    bool named = event == COV_EVENT_ADDED && change->optimistic_id.len != 0 &&
                 cov_str_eq(change->user_id, sub->who != NULL ? sub->who->id : COV_STR(""));
    const cov_frame *frame =
        frame_of(shard, sub->group, change, d,
                 (cached_frame){ .event = event, .named = named, .half = half });

    if (frame != NULL)
        cov__sub_send(sub, frame);
    else
        cov__sub_invalidate(sub, "Catchup unavailable - please refetch");
}

/* For a client that told us what it holds: what left must have been there, what stays may be new to it. */
static cov_verdict as_known(cov_sub *sub, const cov_change *change, cov_verdict v)
{
    cov_buf text = COV_BUF_IN(sub->shard->arena);

    if (sub->known == NULL && !sub->group->needs_db)
        return v;
    if (v.before) {
        cov_str id = id_before(sub->group, change, &text);

        v.before = cov__known_has(sub->known, id);
        cov__known_remove(sub->known, id);
    }
    if (v.after && !cov__known_add(&sub->known, change->id))
        cov__sub_end(sub);
    return v;
}

static bool same_id(const cov_sub *sub, const cov_change *change)
{
    size_t at = cov_follow_id_column(sub->group->resource);
    cov_buf text = COV_BUF_IN(sub->shard->arena);

    if (change->before == NULL)
        return true;
    if (change->before[at].type == COV_INT && change->after[at].type == COV_INT)
        return change->before[at].i == change->after[at].i;
    return cov_str_eq(id_before(sub->group, change, &text), change->id);
}

static void tell_as(cov_live_shard *shard, cov_sub *sub, const cov_change *change, delivery *d,
                    cov_verdict v)
{
    if (v.before && v.after && same_id(sub, change)) {
        send_one(shard, sub, change, d, COV_EVENT_CHANGED, false);
        return;
    }
    if (v.before)
        send_one(shard, sub, change, d, COV_EVENT_REMOVED, v.after);
    if (v.after)
        send_one(shard, sub, change, d, COV_EVENT_ADDED, false);
}

static void tell(cov_live_shard *shard, cov_sub *sub, const cov_change *change, delivery *d,
                 cov_verdict verdict)
{
    if (verdict.unknown)
        cov__sub_invalidate(sub, "Catchup unavailable - please refetch");
    else
        tell_as(shard, sub, change, d, as_known(sub, change, verdict));
}

static void tell_group(cov_live_shard *shard, cov_group *group, const cov_change *change, void *arg)
{
    delivery *d = arg;
    cov_verdict v = { false, false, false };

    if (change->invalidates == NULL) {
        v = cov__verdict(shard, group, change);
        if (!v.before && !v.after && !v.unknown)
            return;
    }
    if (group->aggregate) {
        cov__aggregate_touch(shard, group);
        return;
    }
    for (cov_sub *sub = group->subs, *next; sub != NULL; sub = next) {
        next = sub->next;
        if (sub->state != COV_SUB_LIVE || change->position <= sub->cut ||
            cov__sub_expired(sub, d->now_ms))
            continue;
        if (change->invalidates != NULL)
            cov__sub_invalidate(sub, change->invalidates);
        else
            tell(shard, sub, change, d, v);
    }
}

void cov__shard_change(cov_live_shard *shard, const cov_change *change)
{
    delivery d;

    d.n = d.oldest = 0;
    d.floor = 0;
    d.now_ms = shard->host->now_ms(shard->host->self);
    memset(d.frames, 0, sizeof d.frames);
    cov__groups_each(shard, change, tell_group, &d);
    for (size_t i = 0; i < d.n; i++)
        cov__frame_dispose(&d.frames[i].frame);
}

static void tell_alone(cov_sub *sub, const cov_change *change, cov_verdict v,
                       void (*how)(cov_live_shard *, cov_sub *, const cov_change *, delivery *,
                                   cov_verdict))
{
    delivery d;

    d.n = d.oldest = 0;
    d.floor = sub->seq;
    memset(d.frames, 0, sizeof d.frames);
    how(sub->shard, sub, change, &d, v);
    for (size_t i = 0; i < d.n; i++)
        cov__frame_dispose(&d.frames[i].frame);
}

void cov__sub_tell_as(cov_sub *sub, const cov_change *change, cov_verdict v)
{
    tell_alone(sub, change, v, tell_as);
}

void cov__sub_tell(cov_sub *sub, const cov_change *change)
{
    cov_verdict v;

    if (change->invalidates != NULL) {
        cov__sub_invalidate(sub, change->invalidates);
        return;
    }
    v = cov__verdict(sub->shard, sub->group, change);
    if (v.before || v.after || v.unknown)
        tell_alone(sub, change, v, tell);
}
