/* SPDX-License-Identifier: MIT */
/*
 * live/changelog.h - what changed lately, so that who was away can catch up (spec/04 sections 7 and 16).
 *
 * Two stores behind one set of calls. In the key-value store an entry is appended after the commit; event loops read it
 * from a ring in memory that mirrors the store's end, so they never wait for a store, and without one the ring is all
 * there is. In the database an entry is part of the row's transaction, so no crash separates the two.
 */
#ifndef COV_LIVE_CHANGELOG_H
#define COV_LIVE_CHANGELOG_H

#include "base/encode.h"
#include "covara/kv.h"
#include "live/change.h"
#include "resource/feed.h"
#include "resource/mutation.h"

struct cov_live;

typedef struct cov_changelog {
    bool in_database;
    int64_t most;     /* entries kept */
    size_t max_bytes; /* memory: of all entries */
    /* database: marks entries of this process; what others wrote has another one, or that of triggers */
    char origin[COV_UUID_TEXT_BYTES];
    cov_kv *kv; /* NULL: the ring alone, which ends with the process */
    /* the ring, under the lock of cov_live */
    cov_change **ring;
    size_t first;
    size_t n;
    size_t bytes;
    int64_t seq;   /* the latest */
    int64_t base;  /* what is above it is complete */
    int64_t start; /* where a store that holds no number begins */
    bool joined;   /* the ring goes on where the store ended */
} cov_changelog;

COV_CHECK bool cov_changelog_init(cov_changelog *log, const cov_host *host, bool in_database,
                                  int64_t most);
void cov_changelog_dispose(cov_changelog *log);

/* Keep a change in the ring; without a store it gets its sequence here. With the lock of cov_live. */
void cov_changelog_keep(cov_changelog *log, cov_change *change);

/* Changes, up to `upto` when that is above what is known, cannot be kept: who was away must read again. */
void cov_changelog_lose(cov_changelog *log, int64_t upto);

/* What a reader gets of the past. */
typedef struct cov_missed {
    cov_change **items; /* in order; to be released */
    size_t n;
    bool gap; /* not all of it is kept any more */
} cov_missed;
void cov_missed_dispose(cov_missed *missed);
/* The ring: entries of `table` with since < seq <= upto. With the lock of cov_live. False: out of memory. */
COV_CHECK bool cov_changelog_recall(const cov_changelog *log, size_t table, int64_t since,
                                    int64_t upto, cov_missed *out);

/* ---- changelog_kv.c ---- */

/*
 * Enter what a request changed; sets node->seq, which stays 0 when that failed. Blocks as the store does. `arena` owns
 * what the call needs.
 */
void cov_changelog_append(struct cov_live *live, cov_arena *arena, const cov_mutations *mutations);

/* ---- changelog_database.c ---- */

extern const cov_str cov_changelog_table_sql;
/* Enter a change within its transaction; sets node->seq. Old entries go now and then. *after_other: the entry before it
 * is not of this process. */
COV_CHECK cov_status cov_changelog_enter(const cov_changelog *log, const cov_resource *r,
                                         cov_ctx *ctx, struct cov_mutation_node *node,
                                         bool *after_other);
/* The latest sequence that the connection's transaction sees. */
COV_CHECK cov_status cov_changelog_latest(cov_ctx *ctx, int64_t *seq);
/* *upto: every entry above `since` up to there is of others. */
COV_CHECK cov_status cov_changelog_settled(const cov_changelog *log, cov_ctx *ctx, int64_t since,
                                           int64_t *upto);
/*
 * Entries of others with since < seq <= upto, in order, and one more than `most` when there are more than that. `find`
 * says which resource shows a table and the table's place; NULL leaves the entry out.
 */
COV_CHECK cov_status cov_changelog_others(const cov_changelog *log, cov_ctx *ctx, int64_t since,
                                          int64_t upto, int64_t most,
                                          const cov_resource *(*find)(void *self, cov_str name,
                                                                      size_t *table),
                                          void *self, cov_missed *out);
/* The same, but `found` is called once for each table, with the latest of its entries. */
COV_CHECK cov_status cov_changelog_foreign(const cov_changelog *log, cov_ctx *ctx, int64_t since,
                                           int64_t upto,
                                           void (*found)(void *self, cov_str table, int64_t seq),
                                           void *self);
/* As cov_changelog_recall, from the connection's transaction. `r` names the columns. */
COV_CHECK cov_status cov_changelog_read(cov_ctx *ctx, const cov_resource *r, size_t table,
                                        int64_t since, int64_t upto, cov_missed *out);

#endif
