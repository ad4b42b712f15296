/* SPDX-License-Identifier: MIT */
/*
 * kv/memory/pubsub.h - channels, who listens to them, and messages on their way.
 *
 * Publishing only queues, under the store's lock; cov__kv_deliver calls back, with no lock of the store held. One thread
 * delivers at a time, so that every subscriber sees the order of publishing; a message that is published meanwhile,
 * by another thread or by a callback, is delivered by the thread that is at it.
 */
#ifndef COV_KV_MEMORY_PUBSUB_H
#define COV_KV_MEMORY_PUBSUB_H

#include "covara/kv.h"
#include "driver/kv/memory/table.h"

typedef struct kv_message kv_message;
typedef struct kv_subscription kv_subscription;

typedef struct kv_pubsub {
    const cov_host *host;
    void *lock;     /* the store's; guards all below */
    void *delivery; /* held while a callback runs: unsubscribing waits for it */
    kv_table channels;
    kv_subscription *all;  /* the latest first; NULL: none */
    kv_subscription *next; /* whom the delivering thread calls next */
    kv_message *first;
    kv_message *last;
    uint64_t last_token;
    uint64_t seed[2];
    bool delivering;
} kv_pubsub;

/* The lock is the store's. False: out of memory. */
COV_CHECK bool cov__kv_pubsub_init(kv_pubsub *pubsub, const cov_host *host, void *lock,
                                   const uint64_t seed[2]);
void cov__kv_pubsub_dispose(kv_pubsub *pubsub);

/* The caller holds the lock. Returns how many will get it, or -1: out of memory. */
int64_t cov__kv_queue(kv_pubsub *pubsub, cov_str channel, cov_str message);
/* The caller holds no lock. */
void cov__kv_deliver(kv_pubsub *pubsub);
COV_CHECK bool cov__kv_listen(kv_pubsub *pubsub, cov_str channel, cov_kv_message_fn fn, void *self,
                              uint64_t *token);
void cov__kv_unlisten(kv_pubsub *pubsub, uint64_t token);

#endif
