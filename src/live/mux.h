/* SPDX-License-Identifier: MIT */
/*
 * live/mux.h - one stream for many subscriptions, and the requests that add and remove them (spec/04 section 12).
 *
 * A stream lives in one shard; its control requests may come on any thread. What both need, the stream's owner and the
 * names of its channels, is guarded by the lock of cov_live; everything else happens by message on the shard's thread.
 */
#ifndef COV_LIVE_MUX_H
#define COV_LIVE_MUX_H

#include "live/internal.h"

typedef struct cov_mux cov_mux;
typedef struct cov_message cov_message;

COV_CHECK bool cov__muxes_new(cov_live *live);
void cov__muxes_free(struct cov_muxes *muxes);
/* End the multiplexed streams of a shard. */
void cov__muxes_end(cov_live_shard *shard);
/* A channel ended by itself: it is taken away when the shard is done with the change at hand. */
void cov__mux_ended(cov_sub *sub);
void cov__mux_sweep(cov_live_shard *shard);
int64_t cov__mux_queue_limit(const cov_live *live);

/* Messages, newest first. */
void cov__messages_free(cov_message *messages);
void cov__messages_run(cov_live_shard *shard, cov_message *messages);

#endif
