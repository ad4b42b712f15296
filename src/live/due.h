/* SPDX-License-Identifier: MIT */
/*
 * live/due.h - what must happen at a time, without a timer each.
 *
 * DESIGN: all that recurs with one interval stands in one list, ordered by itself, since whoever is put there is due
 * later than all before it. Adding, removing and finding the first cost the same for ten or ten thousand.
 */
#ifndef COV_LIVE_DUE_H
#define COV_LIVE_DUE_H

#include "covara/str.h"

typedef struct cov_due cov_due;
typedef struct cov_due_lane cov_due_lane;
struct cov_live_shard;

/* Embedded in what is due. Zero-initialised. */
struct cov_due {
    cov_due *prev, *next;
    cov_due_lane *lane; /* NULL: not waiting */
    int64_t at_ms;
};

/* `due` is out of its lane and may be put back. */
typedef void (*cov_due_fn)(struct cov_live_shard *shard, cov_due *due, int64_t now_ms);

typedef struct cov_due_lanes {
    cov_due_lane *first;
} cov_due_lanes;

/* Wait `after_ms` from `now_ms`. False: out of memory, it does not wait. */
COV_CHECK bool cov_due_add(cov_due_lanes *lanes, cov_due *due, int64_t after_ms, int64_t now_ms,
                           cov_due_fn fn);
/* Not waiting is fine. */
void cov_due_remove(cov_due *due);
/* Call all that are due. Returns when the next one is, INT64_MAX for never. */
int64_t cov_due_run(cov_due_lanes *lanes, struct cov_live_shard *shard, int64_t now_ms);
int64_t cov_due_next(const cov_due_lanes *lanes);
void cov_due_dispose(cov_due_lanes *lanes);

#endif
