/* SPDX-License-Identifier: MIT */
/* live/internal.h - what the files of this folder share. */
#ifndef COV_LIVE_INTERNAL_H
#define COV_LIVE_INTERNAL_H

#include "base/encode.h"
#include "covara/stream.h"
#include "live/change.h"
#include "live/changelog.h"
#include "live/due.h"
#include "live/known.h"
#include "live/limits.h"
#include "live/links.h"
#include "live/live.h"

typedef struct cov_group cov_group;
typedef struct cov_sub cov_sub;

/* One table of the database; several resources may show it. Immutable but for the count. */
typedef struct cov_live_table {
    cov_str name;
    size_t n_columns;
    const cov_resource *resource; /* one that shows it: names its columns in the changelog */
    atomic_size_t followers;      /* subscriptions in all shards */
} cov_live_table;

struct cov_live {
    cov_feed feed; /* first: requests see only this */
    const cov_host *host;
    cov_live_options options;
    cov_arena *arena; /* owns tables */
    cov_live_table *tables;
    size_t n_tables;
    cov_changelog log;
    cov_limits limits;
    struct cov_muxes *muxes; /* NULL: not multiplexed */
    atomic_uint_fast64_t commits_begun;
    atomic_uint_fast64_t commits_ended;
    atomic_size_t waiting; /* shards with subscriptions that wait for a cut */

    void
        *lock; /* guards the rest; taken by publishers and by who registers, never while matching */
    uint64_t position;
    int64_t looked; /* database: entries up to here were told, whoever made them */
    cov_live_shard *shards;
};

/* ---- live.c ---- */

/* NULL: no resource shows it. */
const cov_live_table *cov__live_table(const cov_live *live, cov_str name);
/* The latest sequence that was told here; not with COV_CHANGELOG_DATABASE. */
int64_t cov__live_seq(cov_live *live);
/* Tell an entry of the key-value store unless it was told already; NULL: one that concerns nobody here. */
void cov__live_tell(cov_live *live, cov_change *change, int64_t seq);
/* Changes, up to `upto` when that is not 0, are not known here: everybody reads again. */
void cov__live_lose(cov_live *live, int64_t upto);
/* The same, for who holds the lock. */
void cov__live_lose_held(cov_live *live, int64_t upto);
/* Number the change and put it into the mailboxes. With the lock. */
void cov__live_spread(cov_live *live, cov_change *change);

/* ---- foreign.c ---- */

/* Tell what others entered before `seq`, which `ctx` just entered in its transaction. */
COV_CHECK cov_status cov__foreign_before(cov_live *live, cov_ctx *ctx, int64_t seq);

/* ---- shard.c ---- */

/* Groups of one table in one shard: those that an equality finds, and the rest. */
typedef struct cov_shard_table {
    cov_links by_term;       /* cov_group.term */
    size_t *n_by_column;     /* groups that are found by this column */
    cov_group *others;       /* list */
    atomic_size_t followers; /* subscriptions; read by publishers */
} cov_shard_table;

struct cov_live_shard {
    cov_live *live;
    const cov_host *host;
    cov_db *db;
    void (*wake)(void *self);
    void *wake_self;
    cov_arena *arena;     /* of the change at hand */
    cov_response scratch; /* where objects and aggregates are written */
    cov_shard_table *tables;
    cov_links groups; /* by identity: cov_group.by_identity */
    cov_due_lanes lanes;
    cov_due look;      /* waits while somebody follows and the changelog is in the database */
    cov_sub *pending;  /* wait for a cut: list by cov_sub.next_pending */
    atomic_bool waits; /* `pending` is not empty */
    uint64_t round;    /* number of the change at hand, so that no group is visited twice */
    size_t n_subs;
    cov_sub *subs;         /* all, for shutdown */
    struct cov_mux *muxes; /* open multiplexed streams */
    bool has_ended;        /* some channel of them */
    cov_payload *ping;     /* the latest heartbeat's bytes */
    int64_t ping_ms;

    void *lock; /* guards the mailbox */
    cov_change **inbox;
    size_t n_inbox;
    size_t cap_inbox;
    bool overflow;                /* a change was lost for want of memory: everybody reads again */
    struct cov_message *messages; /* of other threads, newest first */
    struct cov_recheck *rechecks; /* users to be asked about again */
    bool recheck_all;             /* there was no memory for their names */
    cov_live_shard *next;         /* of the app */
};

/* cov_due_add outside of the clock's own round: the loop learns of it when nothing was due so early. */
COV_CHECK bool cov__shard_due(cov_live_shard *shard, cov_due *due, int64_t after_ms, int64_t now_ms,
                              cov_due_fn fn);
/* What every stream's response begins with. */
void cov__stream_head(cov_response *res);
/* A context to read as a subscriber: arena, connection and error of the shard. `err` is the caller's. */
void cov__shard_ctx(cov_live_shard *shard, const cov_group *group, cov_error *err, cov_ctx *ctx);
void cov__log_failure(const cov_host *host, const char *what, const cov_error *err);
/* Put a change into the mailbox; under no lock. True: wake the shard. */
bool cov__shard_post(cov_live_shard *shard, cov_change *change);
/* With COV_CHANGELOG_DATABASE: tell followers what other processes entered. */
void cov__shard_look(cov_live_shard *shard);
/* The bytes of a heartbeat, to be released; NULL: out of memory. */
cov_payload *cov__shard_ping(cov_live_shard *shard, int64_t now_ms);
/* Let every follower of what changed know. */
void cov__shard_change(cov_live_shard *shard, const cov_change *change);

/* ---- group.c: subscriptions that see the same bytes ---- */

struct cov_group {
    cov_link by_identity;
    cov_link term;          /* in cov_shard_table.by_term when `indexed` */
    cov_group *prev, *next; /* in cov_shard_table.others otherwise */
    cov_sub *subs;
    uint64_t round;
    const cov_resource *resource;
    size_t table;
    const cov_rsql_expr *expr; /* NULL: all rows */
    cov_str identity;
    cov_str params
        [COV_N_PARAMS]; /* percent-encoded, as in cov_ctx: filter, include and those of aggregates */
    cov_principal *who; /* whose eyes: NULL when what is seen does not depend on them */
    size_t term_column;
    uint64_t term_hash;
    bool indexed;
    bool aggregate;
    bool with_deleted;
    bool
        needs_db; /* only the database knows who is inside, so each subscription keeps the ids it holds */
    struct cov_tally *tally; /* aggregates */
};

/*
 * A group of what the request asks for, not yet in a shard. `expr` is copied. `who` is retained when objects depend on
 * who looks. NULL: out of memory.
 */
COV_CHECK cov_group *cov__group_new(const cov_live *live, const cov_ctx *ctx, const cov_resource *r,
                                    const cov_rsql_expr *expr, bool aggregate, cov_principal *who);
void cov__group_free(cov_group *group);
/* The shard's group with the same identity, `candidate` being freed, or `candidate` itself, now in the shard. NULL: out
 * of memory, and `candidate` is freed. */
COV_CHECK cov_group *cov__group_join(cov_live_shard *shard, cov_group *candidate);
/* Take an empty group out of the shard and free it. */
void cov__group_drop(cov_live_shard *shard, cov_group *group);
bool cov__group_matches(cov_live_shard *shard, const cov_group *group, const cov_value *row);
/* Call `visit` for each group that may match either image (rows known), or for all. */
void cov__groups_each(cov_live_shard *shard, const cov_change *change,
                      void (*visit)(cov_live_shard *shard, cov_group *group,
                                    const cov_change *change, void *arg),
                      void *arg);

/* ---- event.c: frames ---- */

typedef enum cov_event {
    COV_EVENT_EXISTING,
    COV_EVENT_ADDED,
    COV_EVENT_CHANGED,
    COV_EVENT_REMOVED,
    COV_EVENT_INVALIDATE
} cov_event;

/* What many subscriptions get, but for their own id, which goes between head and tail. [1]: multiplexed. */
typedef struct cov_frame {
    cov_payload *head[2];
    cov_payload *tail[2];
    int64_t seq;
} cov_frame;

/* `members` is JSON text after "type", with its leading comma, or empty. Frames of a failure are empty: false. */
COV_CHECK bool cov__frame_make(cov_frame *frame, const cov_host *host, cov_event event, int64_t seq,
                               cov_str members);
void cov__frame_dispose(cov_frame *frame);
/* One that is not shared: "connected", "aggregate", "error" with this data. NULL: out of memory. */
cov_payload *cov__frame_named(const cov_sub *sub, const char *name, int64_t id, cov_str data);
cov_payload *cov__payload_of(cov_str bytes);

/* ---- subscription.c ---- */

typedef enum cov_sub_state {
    COV_SUB_NEW,     /* not in a shard */
    COV_SUB_WAITING, /* in its group, without a cut: changes are dropped, a later snapshot has them */
    COV_SUB_LIVE,
    COV_SUB_ENDED /* nothing is sent any more; `closed` will come */
} cov_sub_state;

struct cov_sub {
    cov_stream_source source; /* first; standalone streams only */
    cov_live *live;
    cov_live_shard *shard;
    cov_group *group;             /* its own until it was opened */
    cov_sub *prev, *next;         /* in the group */
    cov_sub *prev_all, *next_all; /* in the shard */
    cov_sub *next_pending;
    cov_stream *stream;
    struct cov_mux *mux; /* the stream's owner when this is a channel; else NULL */
    cov_sub *next_channel;
    cov_payload *prefix; /* channels: what frames begin with */
    cov_str channel;     /* channels: name */
    cov_payload *name;   /* "<uuid>:<table>" */
    cov_principal *who;  /* NULL: anonymous */
    cov_slot *slots[COV_N_SLOTS];
    cov_known *known; /* ids the client holds, only when it told us some; else NULL */
    cov_due heartbeat;
    cov_due recheck;
    uint64_t cut;
    int64_t seq;         /* highest that was written */
    int64_t resume_from; /* 0: none */
    size_t
        snapshot_bytes; /* of the snapshot that may still be queued: no reason to call a reader slow */
    cov_sub_state state;
    bool skip_existing;
    bool stale; /* events were dropped: invalidate once the queue is empty */
};

/* From a request: 400, 401, 429. The result has its slots, and is freed by cov__sub_free while in no shard. */
COV_CHECK cov_status cov__sub_new(cov_live *live, cov_ctx *ctx, const cov_resource *r,
                                  bool aggregate, cov_sub **out);
void cov__sub_free(cov_sub *sub);
/* Put it into its shard, and begin: connected, then rows, what was missed, or nothing. */
void cov__sub_begin(cov_live_shard *shard, cov_sub *sub, cov_stream *stream);
/* Try again to begin. False: it still waits for a cut. */
bool cov__sub_retry(cov_sub *sub);
/* Out of its shard. */
void cov__sub_leave(cov_sub *sub);
/* The stream, or the channel, ends. */
void cov__sub_end(cov_sub *sub);

/* ---- deliver.c: what a subscription may be sent ---- */

/* Send a frame, or do what the policy says when the reader is slow. */
void cov__sub_send(cov_sub *sub, const cov_frame *frame);
/* Regardless of the queue. */
void cov__sub_send_payload(cov_sub *sub, cov_payload *payload);
void cov__sub_invalidate(cov_sub *sub, const char *reason);
/* Named frames; failures for want of memory end the stream. */
void cov__sub_connected(cov_sub *sub, int64_t seq);
void cov__sub_error(cov_sub *sub, const cov_error *err);
/* The session ended before `now_ms`: say so and end. */
bool cov__sub_expired(cov_sub *sub, int64_t now_ms);
/* What became of a row in the eyes of a group. */
typedef struct cov_verdict {
    bool before; /* inside before the change */
    bool after;
    bool unknown; /* it is inside or not, but whether it was is not known */
} cov_verdict;
cov_verdict cov__verdict(cov_live_shard *shard, const cov_group *group, const cov_change *change);

/* Bytes in the queue from which a reader counts as slow. */
size_t cov__sub_queue_limit(const cov_sub *sub);
/* Everything queued was taken. */
void cov__sub_drained(cov_sub *sub);
/* One change, to this subscription alone. */
void cov__sub_tell(cov_sub *sub, const cov_change *change);
/* The same, when what became of the row is known. */
void cov__sub_tell_as(cov_sub *sub, const cov_change *change, cov_verdict v);
/* The session is over: say so and end. */
void cov__sub_revoked(cov_sub *sub);

/* ---- recheck.c: who they are and what they may see, asked again ---- */

/* Ask every scopeRecheckMs. False: out of memory. */
COV_CHECK bool cov__recheck_schedule(cov_live_shard *shard, cov_sub *sub, int64_t now_ms);
/* Ask those whose user is named in the mailbox now. */
void cov__recheck_named(cov_live_shard *shard, struct cov_recheck *named);
void cov__recheck_free(struct cov_recheck *named);

/* ---- begin.c: the cut, the snapshot, what was missed ---- */

/* Find the cut, say connected, send what comes first. False: a commit is under way, nothing was sent. */
bool cov__begin(cov_sub *sub);

/* ---- aggregate.c ---- */
/* Rows changed that may matter: compute soon. */
void cov__aggregate_touch(cov_live_shard *shard, cov_group *group);
/* Send the group's result to one that just came. */
void cov__aggregate_first(cov_sub *sub);
void cov__tally_free(struct cov_tally *tally);

#endif
