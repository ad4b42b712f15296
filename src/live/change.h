/* SPDX-License-Identifier: MIT */
/*
 * live/change.h - one committed change of one row, as the shards of every event loop share it.
 *
 * Made once after the commit, immutable, freed by the last of those who hold it. All texts and both images lie in its
 * own block.
 */
#ifndef COV_LIVE_CHANGE_H
#define COV_LIVE_CHANGE_H

#include <stdatomic.h>

#include "covara/db.h"

typedef enum cov_change_kind {
    COV_CHANGE_CREATE,
    COV_CHANGE_UPDATE,
    COV_CHANGE_DELETE
} cov_change_kind;

typedef struct cov_change {
    atomic_size_t refs;
    size_t bytes;
    size_t table; /* place among the tables of cov_live */
    cov_change_kind kind;
    const char
        *invalidates; /* the rows are not known: why followers must read again; NULL otherwise */
    uint64_t
        position; /* order of commits in this process; the changelog's when that is in the database */
    int64_t seq; /* changelog */
    int64_t timestamp_ms;
    cov_str id;              /* text of the row's id, or "*" */
    cov_str user_id;         /* who; ptr NULL: anonymous */
    cov_str optimistic_id;   /* ptr NULL: none */
    const cov_value *before; /* in table order; NULL: there was none, or it is not known */
    const cov_value *after;
} cov_change;

/* A copy of `from` with all that it points to and one reference; NULL: out of memory. */
COV_CHECK cov_change *cov_change_new(const cov_change *from, size_t n_columns);
cov_change *cov_change_retain(cov_change *change);
void cov_change_release(cov_change *change);
/* "create", "update", "delete". */
cov_str cov_change_type(cov_change_kind kind);
cov_change_kind cov_change_kind_of(cov_str type);

#endif
