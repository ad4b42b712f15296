/* SPDX-License-Identifier: MIT */
/* live/limits.h - how many subscriptions a user, an address and the process may have (spec/04 section 9). */
#ifndef COV_LIVE_LIMITS_H
#define COV_LIVE_LIMITS_H

#include "live/links.h"
#include "resource/feed.h"

typedef enum cov_slot_kind {
    COV_SLOT_USER,
    COV_SLOT_ADDRESS,
    COV_SLOT_TOTAL,
    COV_N_SLOTS
} cov_slot_kind;

/* One counter: of a resource and a user, or a resource and an address, or a resource. */
typedef struct cov_slot cov_slot;

/* Zero-initialised but for `host` and `lock`. */
typedef struct cov_limits {
    const cov_host *host;
    void *lock;
    cov_links slots;
} cov_limits;

/*
 * Take one of each for `resource`. `user_id` ptr NULL: anonymous, counted by address alone. COV_EBUSY: a limit is reached,
 * the detail says which. On failure `slots` is all NULL.
 */
COV_CHECK cov_status cov_limits_take(cov_limits *limits, const cov_resource *resource,
                                     cov_str user_id, cov_str address, cov_slot **slots,
                                     cov_error *err);
/* Give back what was taken. */
void cov_limits_release(cov_limits *limits, cov_slot **slots);
void cov_limits_dispose(cov_limits *limits);

#endif
