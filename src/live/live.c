/* SPDX-License-Identifier: MIT */
/* The app's side: what requests say about their writes, and how it reaches the shards. */
#include "live/live.h"

#include <stdio.h>
#include <stdlib.h>

#include "live/internal.h"
#include "live/mux.h"
#include "resource/mutation.h"

static cov_live *of_feed(cov_feed *feed)
{
    return (cov_live *)(void *)feed;
}

const cov_live_table *cov__live_table(const cov_live *live, cov_str name)
{
    for (size_t i = 0; i < live->n_tables; i++)
        if (cov_str_eq(live->tables[i].name, name))
            return &live->tables[i];
    return NULL;
}

/* ---- what requests call ---- */

static bool records(const cov_feed *feed, cov_str table)
{
    const cov_live *live = (const cov_live *)(const void *)feed;

    return live->options.records_all || cov__live_table(live, table) != NULL ||
           (live->options.users_table.len != 0 && cov_str_eq(table, live->options.users_table));
}

static bool follows(const cov_feed *feed, const cov_resource *r)
{
    const cov_live *live = (const cov_live *)(const void *)feed;
    const cov_live_table *table = cov__live_table(live, cov_follow_table(r)->name);

    return table != NULL && atomic_load(&table->followers) != 0;
}

static const cov_resource *shows(const cov_feed *feed, cov_str name)
{
    const cov_live_table *table = cov__live_table((const cov_live *)(const void *)feed, name);

    return table != NULL ? table->resource : NULL;
}

static cov_status written(cov_feed *feed, cov_ctx *ctx, struct cov_mutation_node *node)
{
    cov_live *live = of_feed(feed);
    const cov_live_table *table = cov__live_table(live, node->mutation.resource);
    bool after_other = false;
    cov_status st;

    if (!live->log.in_database || table == NULL)
        return COV_OK;
    st = cov_changelog_enter(&live->log, table->resource, ctx, node, &after_other);
    return st == COV_OK && after_other ? cov__foreign_before(live, ctx, node->seq) : st;
}

static const cov_header head[] = {
    { COV_STR_INIT("Content-Type"), COV_STR_INIT("text/event-stream") },
    { COV_STR_INIT("Cache-Control"), COV_STR_INIT("no-cache, no-transform") },
    { COV_STR_INIT("X-Accel-Buffering"), COV_STR_INIT("no") },
    { COV_STR_INIT("X-Content-Type-Options"), COV_STR_INIT("nosniff") },
};

void cov__stream_head(cov_response *res)
{
    res->status = 200;
    for (size_t i = 0; i < COV_COUNT_OF(head); i++)
        cov_response_header(res, head[i].name, head[i].value);
}

/* Limits are answered in a form of their own, without a code (spec/04 section 3.3). */
static cov_status too_many(cov_ctx *ctx)
{
    cov_buf *out = &ctx->res->body;

    ctx->res->status = 429;
    cov_response_header(ctx->res, COV_STR("Content-Type"), COV_STR("application/json"));
    COV_BUF_LIT(out, "{\"type\":\"/__covara/problems/rate-limit-exceeded\","
                     "\"title\":\"Too many subscriptions\",\"status\":429,\"detail\":");
    cov_json_str(out, cov_error_detail(ctx->err));
    cov_buf_char(out, '}');
    return COV_OK;
}

static cov_status open_stream(cov_feed *feed, cov_ctx *ctx, const cov_resource *r, bool aggregate)
{
    cov_sub *sub = NULL;
    cov_status st;

    if (ctx->shard == NULL)
        return cov_fail(ctx->err, COV_ENOSYS, "streams are not available here");
    st = cov__sub_new(of_feed(feed), ctx, r, aggregate, &sub);
    if (st == COV_EBUSY)
        return too_many(ctx);
    if (st != COV_OK)
        return st;
    cov__stream_head(ctx->res);
    if (ctx->req->method == COV_HEAD)
        cov__sub_free(sub);
    else
        ctx->res->stream = &sub->source;
    return COV_OK;
}

static cov_status subscribe(cov_feed *feed, cov_ctx *ctx, const cov_resource *r)
{
    return open_stream(feed, ctx, r, false);
}

static cov_status subscribe_aggregate(cov_feed *feed, cov_ctx *ctx, const cov_resource *r)
{
    return open_stream(feed, ctx, r, true);
}

/* ---- life ---- */

/* Tables that nobody can follow have no changelog. */
static bool add_tables(cov_live *live, const cov_live_options *options)
{
    live->tables = COV_NEW_ARRAY(live->arena, cov_live_table, options->n_resources + 1);
    if (live->tables == NULL)
        return false;
    for (size_t i = 0; i < options->n_resources; i++) {
        const cov_table *table = cov_follow_table(options->resources[i]);
        cov_live_table *to;

        /* Writing rows that nobody can follow costs nothing here. */
        if (!cov_follow_config(options->resources[i])->capabilities.subscribe ||
            cov__live_table(live, table->name) != NULL)
            continue;
        to = &live->tables[live->n_tables++];
        to->name = table->name;
        to->n_columns = table->n_columns;
        to->resource = options->resources[i];
        atomic_init(&to->followers, 0);
    }
    return true;
}

static bool make_locks(cov_live *live)
{
    const cov_host *host = live->host;

    live->limits.host = host;
    if (host->lock_new == NULL)
        return true;
    live->lock = host->lock_new(host->self);
    live->limits.lock = host->lock_new(host->self);
    return live->lock != NULL && live->limits.lock != NULL;
}

/* What only this process could read, and not after its end, the ring has already. */
static bool is_worth_writing(const cov_kv *kv)
{
    return kv != NULL && (kv->driver->caps & (COV_KV_CAP_SHARED | COV_KV_CAP_DURABLE)) != 0;
}

static bool fill(cov_live *live, const cov_live_options *options)
{
    live->host = options->host;
    live->options = *options;
    live->feed.writes = options->changelog == COV_CHANGELOG_DATABASE;
    if (!live->feed.writes && is_worth_writing(options->kv))
        live->log.kv = options->kv;
    live->feed.records = records;
    live->feed.follows = follows;
    live->feed.shows = shows;
    live->feed.written = written;
    live->feed.subscribe = subscribe;
    live->feed.subscribe_aggregate = subscribe_aggregate;
    atomic_init(&live->commits_begun, 0);
    atomic_init(&live->commits_ended, 0);
    atomic_init(&live->waiting, 0);
    live->arena = cov_arena_new(0);
    return live->arena != NULL && add_tables(live, options) && make_locks(live) &&
           cov_changelog_init(&live->log, live->host, live->feed.writes,
                              options->changelog_entries) &&
           (!options->multiplex.enabled || cov__muxes_new(live));
}

cov_status cov_live_new(const cov_live_options *options, cov_live **out, cov_error *err)
{
    cov_live *live = calloc(1, sizeof *live);

    if (live == NULL || !fill(live, options)) {
        cov_live_free(live);
        return cov_fail_nomem(err);
    }
    *out = live;
    return COV_OK;
}

void cov_live_free(cov_live *live)
{
    const cov_host *host;

    if (live == NULL)
        return;
    host = live->host;
    cov__muxes_free(live->muxes);
    cov_changelog_dispose(&live->log);
    cov_limits_dispose(&live->limits);
    if (live->lock != NULL)
        host->lock_free(host->self, live->lock);
    if (live->limits.lock != NULL)
        host->lock_free(host->self, live->limits.lock);
    cov_arena_free(live->arena);
    free(live);
}

cov_feed *cov_live_feed(cov_live *live)
{
    return &live->feed;
}

cov_status cov_live_prepare(cov_live *live, cov_db *db, cov_error *err)
{
    cov_ctx ctx = { .host = live->host, .db = db, .err = err };
    cov_status st;

    if (!live->log.in_database) {
        cov_live_catch_up(live);
        return COV_OK;
    }
    st = cov_db_script(db, cov_changelog_table_sql, err);
    return st == COV_OK ? cov_changelog_latest(&ctx, &live->looked) : st;
}

/* ---- commits ---- */

void cov_live_commit_begin(cov_live *live)
{
    atomic_fetch_add(&live->commits_begun, 1);
}

/* Whoever found a commit under way is asked to look again. */
void cov_live_commit_end(cov_live *live)
{
    atomic_fetch_add(&live->commits_ended, 1);
    if (atomic_load(&live->waiting) == 0)
        return;
    cov_host_lock(live->host, live->lock);
    for (cov_live_shard *shard = live->shards; shard != NULL; shard = shard->next)
        if (atomic_load(&shard->waits))
            shard->wake(shard->wake_self);
    cov_host_unlock(live->host, live->lock);
}

static cov_change *change_of(const cov_live *live, const cov_live_table *table,
                             const struct cov_mutation_node *node)
{
    cov_change like = { .table = (size_t)(table - live->tables),
                        .kind = cov_change_kind_of(node->mutation.type) };

    like.seq = node->seq;
    like.timestamp_ms = live->host->now_ms(live->host->self);
    like.id = node->mutation.id;
    like.user_id = node->user_id;
    like.optimistic_id = node->optimistic_id;
    like.before = node->before;
    like.after = node->after;
    if (!node->is_row)
        like.invalidates = node->external ? "external-mutation" : "raw-sql-mutation";
    return cov_change_new(&like, table->n_columns);
}

/* The order of numbers is the order in every mailbox. */
void cov__live_spread(cov_live *live, cov_change *change)
{
    if (live->log.in_database) {
        change->position = (uint64_t)change->seq;
        if (live->looked < change->seq)
            live->looked = change->seq;
    } else {
        change->position = ++live->position;
        cov_changelog_keep(&live->log, change);
    }
    for (cov_live_shard *shard = live->shards; shard != NULL; shard = shard->next)
        if (atomic_load(&shard->tables[change->table].followers) != 0 &&
            cov__shard_post(shard, change))
            shard->wake(shard->wake_self);
}

/* Nobody may go on as if nothing had happened. */
void cov__live_lose_held(cov_live *live, int64_t upto)
{
    cov_error err;

    cov_error_init(&err, NULL);
    cov_fail(&err, COV_EBUSY, "out of memory, or the changelog cannot be reached");
    cov__log_failure(live->host, "a change was not delivered", &err);
    if (!live->log.in_database) {
        cov_changelog_lose(&live->log, upto);
        live->position++;
    }
    for (cov_live_shard *shard = live->shards; shard != NULL; shard = shard->next)
        if (cov__shard_post(shard, NULL))
            shard->wake(shard->wake_self);
}

void cov__live_lose(cov_live *live, int64_t upto)
{
    cov_host_lock(live->host, live->lock);
    cov__live_lose_held(live, upto);
    cov_host_unlock(live->host, live->lock);
}

int64_t cov__live_seq(cov_live *live)
{
    int64_t seq;

    cov_host_lock(live->host, live->lock);
    seq = live->log.seq;
    cov_host_unlock(live->host, live->lock);
    return seq;
}

/* Whoever finds an entry first tells it; who comes second finds that it was told. */
void cov__live_tell(cov_live *live, cov_change *change, int64_t seq)
{
    cov_host_lock(live->host, live->lock);
    if (seq > live->log.seq && change != NULL)
        cov__live_spread(live, change);
    else if (seq > live->log.seq)
        live->log.seq = seq;
    cov_host_unlock(live->host, live->lock);
}

/* What others entered before it comes first. */
static void fill_hole(cov_live *live, int64_t seq)
{
    bool hole;

    cov_host_lock(live->host, live->lock);
    hole = !live->log.joined || seq > live->log.seq + 1;
    cov_host_unlock(live->host, live->lock);
    if (hole)
        cov_live_catch_up(live);
}

static void publish_one(cov_live *live, const cov_live_table *table,
                        const struct cov_mutation_node *node)
{
    bool stored = live->log.kv != NULL;
    cov_change *change = !stored || node->seq != 0 ? change_of(live, table, node) : NULL;

    if (stored && change != NULL)
        fill_hole(live, node->seq);
    cov_host_lock(live->host, live->lock);
    if (change == NULL)
        cov__live_lose_held(live, node->seq);
    else if (!stored || change->seq > live->log.seq)
        cov__live_spread(live, change);
    cov_host_unlock(live->host, live->lock);
    cov_change_release(change);
}

void cov_live_publish(cov_live *live, cov_arena *arena, const cov_mutations *mutations)
{
    if (live->log.kv != NULL && mutations->first != NULL)
        cov_changelog_append(live, arena, mutations);
    for (const struct cov_mutation_node *node = mutations->first; node != NULL; node = node->next) {
        const cov_live_table *table = cov__live_table(live, node->mutation.resource);

        if (table != NULL)
            publish_one(live, table, node);
    }
}

void cov__log_failure(const cov_host *host, const char *what, const cov_error *err)
{
    char text[256];
    cov_str detail = cov_error_detail(err);
    int len = snprintf(text, sizeof text, "%s: %.*s", what, COV_STR_ARG(detail));

    host->log(host->self, COV_LOG_ERROR,
              cov_str_of(text,
                         len > 0 && (size_t)len < sizeof text ? (size_t)len : sizeof text - 1),
              COV_STR(""));
}
