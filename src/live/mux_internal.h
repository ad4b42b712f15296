/* SPDX-License-Identifier: MIT */
/* live/mux_internal.h - a multiplexed stream, shared by mux.c and mux_control.c. */
#ifndef COV_LIVE_MUX_INTERNAL_H
#define COV_LIVE_MUX_INTERNAL_H

#include "live/mux.h"

struct cov_muxes {
    cov_links by_cid; /* with the lock of cov_live */
};

typedef struct cov_channel cov_channel;
struct cov_channel {
    cov_channel *next;
    size_t len;
    char name[];
};

struct cov_mux {
    cov_stream_source source; /* first */
    cov_link link;
    cov_live *live;
    cov_live_shard *shard;
    /* With the lock: which channels the client has, counted from its requests on. */
    cov_channel *names;
    int64_t n_names;
    /* The shard's thread: */
    cov_stream *stream; /* NULL until opened */
    cov_sub *channels;
    cov_mux *next_in_shard;
    cov_due heartbeat;
    bool has_ended; /* some channel */
    char cid[COV_UUID_TEXT_BYTES];
    size_t user_len;
    char user[]; /* id; empty: anonymous */
};

struct cov_message {
    cov_message *next;
    cov_sub *sub; /* to add; NULL: the named channel is to go */
    char cid[COV_UUID_TEXT_BYTES];
    size_t len;
    char name[];
};

/* With the lock. */
cov_mux *cov__mux_find(const cov_live *live, cov_str cid);
cov_channel **cov__channel_at(cov_mux *mux, cov_str name);
bool cov__channel_remove(cov_mux *mux, cov_str name);

/* A stream for this user, in the request's shard, known by its cid from now on. */
COV_CHECK cov_status cov__mux_new(cov_live *live, cov_ctx *ctx, cov_str user_id, cov_mux **out);

#endif
