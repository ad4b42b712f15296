/* SPDX-License-Identifier: MIT */
/*
 * How a subscription begins: the cut (live.h), then the rows that exist, or what was missed, or nothing.
 *
 * A snapshot is written to the stream as one and waits there; it does not count as the slowness of a reader. Its bytes
 * are bounded: beyond that a client must page with GET and subscribe with skipExisting.
 */
#include "live/internal.h"

enum { CHUNK_BYTES = 64 * 1024 };
#define MAX_SNAPSHOT_BYTES ((size_t)64 * 1024 * 1024)

/* ---- the cut ---- */

typedef struct cut {
    uint64_t position;
    int64_t seq;
} cut;

static cut latest(cov_live *live)
{
    cut c;

    cov_host_lock(live->host, live->lock);
    c.position = live->position;
    c.seq = live->log.seq;
    cov_host_unlock(live->host, live->lock);
    return c;
}

/* A read transaction has its snapshot from its first statement on. */
static cov_status pin(cov_ctx *ctx, const cov_resource *r)
{
    cov_stmt stmt = { COV_STR_NULL, NULL, 0 };

    stmt.sql = cov_arena_printf(ctx->arena, "SELECT 1 FROM %.*s LIMIT 1",
                                COV_STR_ARG(cov_follow_table(r)->quoted));
    if (stmt.sql.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    return cov_db_exec(ctx->db, &stmt, NULL, ctx->err);
}

static bool quiet(cov_live *live, uint64_t *begun)
{
    *begun = atomic_load(&live->commits_begun);
    return atomic_load(&live->commits_ended) == *begun;
}

static cov_status cut_in_memory(cov_live *live, cov_ctx *ctx, const cov_resource *r, cut *out)
{
    uint64_t begun;
    cov_status st = COV_OK;

    if (!quiet(live, &begun))
        return COV_EBUSY;
    st = pin(ctx, r);
    *out = latest(live);
    if (st == COV_OK && atomic_load(&live->commits_begun) != begun)
        st = COV_EBUSY;
    return st;
}

static cov_status cut_in_database(cov_ctx *ctx, cut *out)
{
    cov_status st = cov_changelog_latest(ctx, &out->seq);

    out->position = (uint64_t)out->seq;
    return st;
}

/* ---- rows that exist ---- */

typedef struct snapshot {
    cov_row_sink sink;
    cov_sub *sub;
    cov_ctx *ctx;
    int64_t seq;
    cov_buf out;
    size_t sent;
    bool claims; /* the client said what it holds */
} snapshot;

static void flush(snapshot *s)
{
    s->sent += s->out.len;
    cov__sub_send_payload(s->sub, s->out.failed ? NULL : cov__payload_of(cov_buf_view(&s->out)));
    cov_buf_clear(&s->out, 2 * CHUNK_BYTES);
}

/* Where only the database knows who is inside, the subscription notes what its client holds. */
static cov_status note_row(cov_sub *sub, cov_arena *arena, const cov_value *row, cov_error *err)
{
    cov_buf id = COV_BUF_IN(arena);

    if (!sub->group->needs_db)
        return COV_OK;
    cov_follow_id_text(&row[cov_follow_id_column(sub->group->resource)], &id);
    return !id.failed && cov__known_add(&sub->known, cov_buf_view(&id)) ? COV_OK
                                                                        : cov_fail_nomem(err);
}

static cov_status known_row(cov_row_sink *base, const cov_value *row, size_t n, cov_error *err)
{
    snapshot *s = (snapshot *)(void *)base;
    cov_buf id = COV_BUF_IN(s->ctx->arena);

    (void)n;
    if (s->sub->known == NULL || !s->claims)
        return note_row(s->sub, s->ctx->arena, row, err);
    cov_follow_id_text(&row[cov_follow_id_column(s->sub->group->resource)], &id);
    (void)cov__known_mark(s->sub->known, cov_buf_view(&id));
    return id.failed ? cov_fail_nomem(err) : COV_OK;
}

static cov_status existing_row(cov_row_sink *base, const cov_value *row, size_t n, cov_error *err)
{
    snapshot *s = (snapshot *)(void *)base;
    const cov_host *host = s->ctx->host;
    char id[COV_UUID_TEXT_BYTES];
    cov_status st;

    (void)n;
    if (s->sub->state == COV_SUB_ENDED || s->sent > MAX_SNAPSHOT_BYTES)
        return cov_fail(err, COV_ETOOLARGE, "The rows are too many for one subscription");
    if (cov_uuid(host, id) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes");
    if (s->sub->prefix != NULL)
        cov_buf_append(&s->out, cov_payload_bytes(s->sub->prefix), cov_payload_len(s->sub->prefix));
    else
        COV_BUF_LIT(&s->out, "data: ");
    cov_buf_printf(&s->out, "{\"id\":\"%.*s\",\"subscriptionId\":\"%.*s\",\"seq\":%lld,",
                   (int)sizeof id, id, (int)cov_payload_len(s->sub->name),
                   cov_payload_bytes(s->sub->name), (long long)s->seq);
    cov_buf_printf(&s->out, "\"timestamp\":%lld,\"type\":\"existing\",\"object\":",
                   (long long)host->now_ms(host->self));
    st = cov_follow_object(s->sub->group->resource, s->ctx, row, false, &s->out);
    if (st == COV_OK)
        st = note_row(s->sub, s->ctx->arena, row, err);
    cov_buf_str(&s->out, s->sub->prefix != NULL ? COV_STR("}}\n\n") : COV_STR("}\n\n"));
    if (s->out.len >= CHUNK_BYTES)
        flush(s);
    return st;
}

/* Of what a client claims to hold, rows outside are forgotten: it must not learn when they change. */
static cov_status note_existing(cov_sub *sub, cov_ctx *ctx)
{
    snapshot s = { { known_row }, sub, ctx, 0, COV_BUF_INIT, 0, sub->known != NULL };
    size_t bucket = 0;
    cov_status st;
    cov_str id;

    cov__known_begin(sub->known);
    st = cov_follow_rows(sub->group->resource, ctx, sub->group->expr, &s.sink);
    while (s.claims && (id = cov__known_unmarked(sub->known, &bucket)).ptr != NULL)
        cov__known_remove(sub->known, id);
    return st;
}

static cov_status send_existing(cov_sub *sub, cov_ctx *ctx, int64_t seq)
{
    snapshot s = { { existing_row }, sub, ctx, seq, COV_BUF_INIT, 0, false };
    cov_status st = cov_follow_rows(sub->group->resource, ctx, sub->group->expr, &s.sink);

    if (s.out.len != 0)
        flush(&s);
    cov_buf_dispose(&s.out);
    sub->snapshot_bytes = s.sent;
    return st;
}

/* ---- what was missed ---- */

/* Rows may have come and gone by changes of other tables. */
static const char blind[] = "Catchup unavailable for relation-scoped subscription - please refetch";

/* After an invalidate nothing of the past is of use. */
static void send_missed(cov_sub *sub, const cov_missed *missed)
{
    if (missed->gap) {
        cov__sub_invalidate(sub, "Sequence gap - please refetch");
        return;
    }
    for (size_t i = 0; i < missed->n; i++) {
        const cov_change *change = missed->items[i];

        cov__sub_tell(sub, change);
        if (change->invalidates != NULL ||
            (change->before == NULL && change->kind != COV_CHANGE_CREATE))
            return;
    }
}

static cov_status resume_in_memory(cov_sub *sub, cut *c)
{
    cov_live *live = sub->live;
    cov_missed missed;
    bool ok;

    cov_host_lock(live->host, live->lock);
    c->position = live->position;
    c->seq = live->log.seq;
    ok = cov_changelog_recall(&live->log, sub->group->table, sub->resume_from, c->seq, &missed);
    cov_host_unlock(live->host, live->lock);
    if (!ok)
        return COV_ENOMEM;
    cov__sub_connected(sub, c->seq);
    send_missed(sub, &missed);
    cov_missed_dispose(&missed);
    return COV_OK;
}

static cov_status resume_in_database(cov_sub *sub, cov_ctx *ctx, const cut *c)
{
    const cov_live_table *table = &sub->live->tables[sub->group->table];
    cov_missed missed;
    cov_status st;

    cov__sub_connected(sub, c->seq);
    if (sub->group->needs_db) {
        cov__sub_invalidate(sub, blind);
        return COV_OK;
    }
    st = cov_changelog_read(ctx, table->resource, sub->group->table, sub->resume_from, c->seq,
                            &missed);
    if (st != COV_OK)
        return st;
    send_missed(sub, &missed);
    cov_missed_dispose(&missed);
    return COV_OK;
}

/* ---- beginning ---- */

static bool must_note(const cov_sub *sub)
{
    return sub->group->needs_db && sub->skip_existing;
}

/* Within the snapshot whose cut is known. */
static cov_status begin_in_snapshot(cov_sub *sub, cov_ctx *ctx, const cut *c)
{
    if (sub->group->aggregate) {
        cov__sub_connected(sub, c->seq);
        cov__aggregate_first(sub);
        return COV_OK;
    }
    if (sub->resume_from != 0)
        return resume_in_database(sub, ctx, c);
    cov__sub_connected(sub, c->seq);
    if (must_note(sub))
        return note_existing(sub, ctx);
    return sub->skip_existing ? COV_OK : send_existing(sub, ctx, c->seq);
}

static cov_status begin_with_snapshot(cov_sub *sub, cov_ctx *ctx, cut *c)
{
    cov_status st = cov_db_begin(ctx->db, false, ctx->err);

    if (st != COV_OK)
        return st;
    st = sub->live->log.in_database ? cut_in_database(ctx, c)
                                    : cut_in_memory(sub->live, ctx, sub->group->resource, c);
    if (st == COV_OK)
        st = begin_in_snapshot(sub, ctx, c);
    cov_db_rollback(ctx->db);
    return st;
}

static void resume_blindly(cov_sub *sub, cut *c)
{
    *c = latest(sub->live);
    cov__sub_connected(sub, c->seq);
    cov__sub_invalidate(sub, blind);
}

/* Without rows to read, any moment is a cut; an aggregate is computed again after whatever follows. */
static cov_status begin(cov_sub *sub, cov_ctx *ctx, cut *c)
{
    if (sub->live->log.in_database)
        return begin_with_snapshot(sub, ctx, c);
    if (sub->group->needs_db && sub->resume_from != 0) {
        resume_blindly(sub, c);
        return COV_OK;
    }
    if (sub->group->aggregate || (sub->skip_existing && sub->resume_from == 0 && !must_note(sub))) {
        *c = latest(sub->live);
        return begin_in_snapshot(sub, ctx, c);
    }
    if (sub->resume_from != 0)
        return resume_in_memory(sub, c);
    return begin_with_snapshot(sub, ctx, c);
}

bool cov__begin(cov_sub *sub)
{
    cut c = { 0, 0 };
    cov_error err;
    cov_status st;
    cov_ctx ctx;

    cov__shard_ctx(sub->shard, sub->group, &err, &ctx);
    st = begin(sub, &ctx, &c);
    if (st == COV_EBUSY && err.status == COV_OK)
        return false;
    sub->cut = c.position;
    if (st != COV_OK) {
        if (err.status == COV_OK)
            cov_fail(&err, st, "out of memory");
        cov__sub_error(sub, &err);
        cov__sub_end(sub);
    }
    if (sub->state == COV_SUB_WAITING)
        sub->state = COV_SUB_LIVE;
    return true;
}
