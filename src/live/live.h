/* SPDX-License-Identifier: MIT */
/*
 * live/live.h - subscriptions: who follows which rows, and how a committed change reaches them (spec/04).
 *
 * DESIGN. One cov_live an app, one *shard* an event loop. A shard is single-threaded: it owns the subscriptions of its
 * loop's streams, matches and writes without a lock. A committed change is made once (live/change.h) and put into the
 * mailbox of every shard where somebody follows its table; `wake` tells the loop, and cov_live_run matches there.
 *
 * The cut: what a subscriber reads when it begins and what it is sent afterwards must neither overlap nor leave a gap.
 * It is registered in its shard first, so that from then on changes reach the mailbox; then it reads its rows in one
 * read transaction, and learns which changes that transaction contains: all with position <= cut. Changes of the mailbox
 * up to the cut are dropped for it, later ones are sent. How the cut is known depends on the changelog:
 *
 *   database  The changelog is a table, and a change's position is its sequence there, written in the transaction of the
 *             row. The cut is the highest sequence that the subscriber's own transaction sees.
 *   kv        Positions are given after the commit, between cov_live_commit_begin and cov_live_commit_end, which every
 *             writer calls around COMMIT and publishing. Both count. A reader that finds the counts equal, pins its
 *             snapshot, takes the highest position, and finds the begin count unchanged, knows that no commit came
 *             between: everything published is in its snapshot and nothing else. Otherwise it waits for
 *             cov_live_commit_end, which wakes it, and tries again; nothing ever blocks. Between two commits lie the
 *             statements of the next transaction, many times as long as pinning a snapshot.
 *
 * Threads: cov_live_new and _free alone; _publish and _commit_ from any thread; a shard's calls on its loop's thread.
 */
#ifndef COV_LIVE_LIVE_H
#define COV_LIVE_LIVE_H

#include "covara/kv.h"
#include "resource/feed.h"

typedef struct cov_live cov_live;
typedef struct cov_live_shard cov_live_shard;

typedef enum cov_changelog_kind {
    COV_CHANGELOG_KV, /* after the commit, into the key-value store; read from a ring in memory that mirrors its end */
    COV_CHANGELOG_DATABASE
} cov_changelog_kind;

typedef struct cov_live_options {
    const cov_host *host;
    cov_str base_path; /* of resources: "/api" */
    cov_resource *const *resources;
    size_t n_resources;
    cov_changelog_kind changelog;
    cov_kv *
        kv; /* NULL, or one that nobody else sees and that does not last: the ring is the changelog */
    bool records_all;          /* changes of every table are recorded: somebody listens to all */
    cov_str users_table;       /* its changes are recorded too; empty: none */
    int64_t changelog_entries; /* most that are kept, over all resources; 0 = 10000 */
    struct {
        bool enabled;
        int64_t max_channels;    /* 0 = 200 */
        int64_t heartbeat_ms;    /* 0 = 20000 */
        int64_t max_queue_bytes; /* 0 = 262144 */
    } multiplex;
} cov_live_options;

/* All is borrowed for its life. Freed with cov_live_free, after its shards. */
COV_CHECK cov_status cov_live_new(const cov_live_options *options, cov_live **out, cov_error *err);
void cov_live_free(cov_live *live);
/* For cov_ctx.feed. */
cov_feed *cov_live_feed(cov_live *live);
/* Before the first request, on a writing connection: make the changelog's table, or go on where the store ended. */
COV_CHECK cov_status cov_live_prepare(cov_live *live, cov_db *db, cov_error *err);

/* SQL that makes the changelog's table, unless it is there, and the triggers that enter into it what others change. */
void cov_live_triggers_sql(const cov_live *live, cov_buf *out);

/*
 * Around each COMMIT of rows and the cov_live_publish calls that belong to it:
 *
 *   cov_live_commit_begin(live); cov_db_commit(...); if it worked: cov_live_publish(live, ...) ...;
 *   cov_live_commit_end(live);
 */
void cov_live_commit_begin(cov_live *live);
void cov_live_commit_end(cov_live *live);
/* What a request changed, once it is durable and before its arena is reset. In the order of commits. Blocks as the
 * key-value store does; `arena` owns what that needs. */
void cov_live_publish(cov_live *live, cov_arena *arena, const cov_mutations *mutations);
/*
 * With COV_CHANGELOG_KV: tell followers what other processes entered into the store. To be called when one of them says
 * that it did (a message of `covara:events`), and after messages may have been lost. Blocks as the store does; not on an
 * event loop when that waits for a socket.
 */
void cov_live_catch_up(cov_live *live);

/* The user's sessions or rights changed ("*": anybody's): ask again now what their subscriptions may see. Any thread. */
void cov_live_recheck(cov_live *live, cov_str user_id);

/*
 * db    the loop's reading connection; borrowed
 * wake  ask the loop to call cov_live_run soon; called from any thread, must be quick and must not call back
 * NULL: out of memory.
 */
COV_CHECK cov_live_shard *cov_live_shard_new(cov_live *live, cov_db *db, void (*wake)(void *self),
                                             void *self);
/* When none of its streams is open any more. */
void cov_live_shard_free(cov_live_shard *shard);
/* End every stream of the shard (shutdown). */
void cov_live_shard_end(cov_live_shard *shard);
/* Deliver what waits in the mailbox. */
void cov_live_run(cov_live_shard *shard);
/*
 * What is due at `now_ms` (host->now_ms): heartbeats, aggregates, checks of scopes and sessions. Returns when to call
 * again, INT64_MAX for never. When a subscription brings that forward, the shard wakes its loop; cov_live_next says to when.
 */
int64_t cov_live_tick(cov_live_shard *shard, int64_t now_ms);
int64_t cov_live_next(const cov_live_shard *shard);

/* Is the request for /__covara/stream or below it? Answering it needs no connection but the reading one. */
bool cov_live_is_multiplex(const cov_live *live, const cov_request *req);
/* The resource that such a request wants to follow, for whoever limits that; NULL: it is about something else. */
const cov_resource *cov_live_wanted(const cov_live *live, const cov_request *req, cov_arena *arena);
COV_CHECK cov_status cov_live_multiplex(cov_live *live, cov_ctx *ctx);

/* Open subscriptions of a shard, for health and tests. */
size_t cov_live_count(const cov_live_shard *shard);

#endif
