/* SPDX-License-Identifier: MIT */
/*
 * auth/cache.h - what was looked up a moment ago: credentials to users, API keys to verified hashes.
 *
 * Bounded: sets of four entries, the oldest of a set goes first. Revocation in this process is immediate: it raises the
 * epoch, and entries of an earlier epoch, also those whose look-up began before it, are not there any more. Revocation
 * by another process is noticed when an entry is older than the caller's bound.
 * Threads: any. Memory: malloc; values are copied both ways.
 */
#ifndef COV_AUTH_CACHE_H
#define COV_AUTH_CACHE_H

#include "covara/host.h"

typedef struct cov_cache cov_cache;

/* Room for `capacity` entries, rounded up to a power of two. NULL: out of memory. */
COV_CHECK cov_cache *cov_cache_new(const cov_host *host, size_t capacity);
void cov_cache_free(cov_cache *cache);
/* To be asked before the look-up whose result is put. */
uint64_t cov_cache_epoch(const cov_cache *cache);
/* Everything is gone, also what is being looked up now. */
void cov_cache_forget_all(cov_cache *cache);
/* False: not there, or older than `max_age_us`. The value lives in `arena`. */
bool cov_cache_get(cov_cache *cache, cov_str key, int64_t max_age_us, cov_arena *arena,
                   cov_str *value);
/* Whether cov_cache_get would find it. */
bool cov_cache_has(cov_cache *cache, cov_str key, int64_t max_age_us);
/* Does nothing when the epoch changed since `epoch`, or when memory is out. */
void cov_cache_put(cov_cache *cache, cov_str key, cov_str value, uint64_t epoch);

#endif
