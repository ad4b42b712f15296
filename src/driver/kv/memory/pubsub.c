/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: a message remembers the last token given out when it was published, and goes to the subscriptions of its channel
 * up to that one: exactly those that were there, without a list of them. Tokens grow along a channel's list. The
 * delivering thread keeps its place in `next`, which unsubscribing moves on when it points to the one that goes.
 */
#include "driver/kv/memory/pubsub.h"

#include <stdlib.h>

typedef struct kv_channel {
    kv_node node;
    kv_subscription *first;
    kv_subscription *last;
    int64_t n;
} kv_channel;

struct kv_subscription {
    kv_subscription *next;     /* of the channel */
    kv_subscription *previous; /* of all */
    kv_channel *channel;
    cov_kv_message_fn fn;
    void *self;
    uint64_t token;
};

struct kv_message {
    kv_message *next;
    uint64_t last_token;
    cov_str channel;
    cov_str text;
};

bool cov__kv_pubsub_init(kv_pubsub *pubsub, const cov_host *host, void *lock,
                         const uint64_t seed[2])
{
    pubsub->host = host;
    pubsub->lock = lock;
    pubsub->seed[0] = seed[0];
    pubsub->seed[1] = seed[1];
    if (host->lock_new != NULL)
        pubsub->delivery = host->lock_new(host->self);
    return host->lock_new == NULL || pubsub->delivery != NULL;
}

void cov__kv_pubsub_dispose(kv_pubsub *pubsub)
{
    kv_node *channel;

    while ((channel = cov__kv_table_take(&pubsub->channels)) != NULL)
        free(channel);
    while (pubsub->all != NULL) {
        kv_subscription *gone = pubsub->all;

        pubsub->all = gone->previous;
        free(gone);
    }
    while (pubsub->first != NULL) {
        kv_message *gone = pubsub->first;

        pubsub->first = gone->next;
        free(gone);
    }
    if (pubsub->delivery != NULL)
        pubsub->host->lock_free(pubsub->host->self, pubsub->delivery);
}

static kv_channel *find_channel(kv_pubsub *pubsub, cov_str name)
{
    uint64_t hash = cov__kv_hash(pubsub->seed, name);

    return (kv_channel *)cov__kv_table_find(&pubsub->channels, name, hash);
}

static kv_message *message_new(cov_str channel, cov_str text)
{
    kv_message *m = text.len <= SIZE_MAX / 2 && channel.len <= SIZE_MAX / 2 - sizeof *m
                        ? malloc(sizeof *m + channel.len + text.len)
                        : NULL;
    char *bytes = (char *)(m + 1);

    if (m == NULL)
        return NULL;
    if (channel.len != 0)
        memcpy(bytes, channel.ptr, channel.len);
    if (text.len != 0)
        memcpy(bytes + channel.len, text.ptr, text.len);
    m->next = NULL;
    m->channel = cov_str_of(bytes, channel.len);
    m->text = cov_str_of(bytes + channel.len, text.len);
    return m;
}

int64_t cov__kv_queue(kv_pubsub *pubsub, cov_str channel_name, cov_str text)
{
    kv_channel *channel = find_channel(pubsub, channel_name);
    kv_message *message;

    if (channel == NULL)
        return 0;
    message = message_new(channel_name, text);
    if (message == NULL)
        return -1;
    message->last_token = pubsub->last_token;
    if (pubsub->last != NULL)
        pubsub->last->next = message;
    else
        pubsub->first = message;
    pubsub->last = message;
    return channel->n;
}

/* ---- delivery ---- */

static void lock(kv_pubsub *pubsub, void *which)
{
    cov_host_lock(pubsub->host, which);
}

static void unlock(kv_pubsub *pubsub, void *which)
{
    cov_host_unlock(pubsub->host, which);
}

/*
 * Call the next subscription. False: all that were there have been called. The lock is held before and after; the
 * delivery lock is taken first and kept over the call, so that an unsubscribe that saw the subscription go sees the
 * callback end, too.
 */
static bool call_next(kv_pubsub *pubsub, const kv_message *message)
{
    kv_subscription *subscription;
    cov_kv_message_fn fn;
    void *self;

    unlock(pubsub, pubsub->lock);
    lock(pubsub, pubsub->delivery);
    lock(pubsub, pubsub->lock);
    subscription = pubsub->next;
    if (subscription == NULL || subscription->token > message->last_token) {
        unlock(pubsub, pubsub->delivery);
        return false;
    }
    pubsub->next = subscription->next;
    fn = subscription->fn;
    self = subscription->self;
    unlock(pubsub, pubsub->lock);
    fn(self, message->channel, message->text);
    unlock(pubsub, pubsub->delivery);
    lock(pubsub, pubsub->lock);
    return true;
}

static void deliver_first(kv_pubsub *pubsub)
{
    kv_message *message = pubsub->first;
    kv_channel *channel = find_channel(pubsub, message->channel);

    pubsub->next = channel != NULL ? channel->first : NULL;
    while (pubsub->next != NULL && call_next(pubsub, message)) {
    }
    pubsub->next = NULL;
    pubsub->first = message->next;
    if (pubsub->first == NULL)
        pubsub->last = NULL;
    free(message);
}

void cov__kv_deliver(kv_pubsub *pubsub)
{
    lock(pubsub, pubsub->lock);
    if (!pubsub->delivering) {
        pubsub->delivering = true;
        while (pubsub->first != NULL)
            deliver_first(pubsub);
        pubsub->delivering = false;
    }
    unlock(pubsub, pubsub->lock);
}

/* ---- subscriptions ---- */

/* The channel, made when there is none; NULL: out of memory. */
static kv_channel *need_channel(kv_pubsub *pubsub, cov_str name)
{
    kv_channel *channel = find_channel(pubsub, name);

    if (channel != NULL)
        return channel;
    channel = cov__kv_node_new(sizeof *channel, name, cov__kv_hash(pubsub->seed, name));
    if (channel != NULL)
        (void)cov__kv_table_put(&pubsub->channels, &channel->node);
    return channel;
}

bool cov__kv_listen(kv_pubsub *pubsub, cov_str channel_name, cov_kv_message_fn fn, void *self,
                    uint64_t *token)
{
    kv_subscription *subscription = calloc(1, sizeof *subscription);
    kv_channel *channel = NULL;

    if (subscription == NULL)
        return false;
    lock(pubsub, pubsub->lock);
    channel = need_channel(pubsub, channel_name);
    if (channel != NULL) {
        subscription->channel = channel;
        subscription->fn = fn;
        subscription->self = self;
        *token = subscription->token = ++pubsub->last_token;
        if (channel->last != NULL)
            channel->last->next = subscription;
        else
            channel->first = subscription;
        channel->last = subscription;
        channel->n++;
        subscription->previous = pubsub->all;
        pubsub->all = subscription;
    }
    unlock(pubsub, pubsub->lock);
    if (channel == NULL)
        free(subscription);
    return channel != NULL;
}

static void leave_channel(kv_pubsub *pubsub, kv_subscription *gone)
{
    kv_channel *channel = gone->channel;
    kv_subscription *before = NULL;

    if (channel->first != gone)
        for (before = channel->first; before->next != gone; before = before->next) {
        }
    if (before != NULL)
        before->next = gone->next;
    else
        channel->first = gone->next;
    if (channel->last == gone)
        channel->last = before;
    if (--channel->n > 0)
        return;
    (void)cov__kv_table_remove(&pubsub->channels, channel->node.key, channel->node.hash);
    free(channel);
}

void cov__kv_unlisten(kv_pubsub *pubsub, uint64_t token)
{
    kv_subscription **link = &pubsub->all;
    kv_subscription *gone;

    lock(pubsub, pubsub->lock);
    while (*link != NULL && (*link)->token != token)
        link = &(*link)->previous;
    gone = *link;
    if (gone != NULL) {
        *link = gone->previous;
        if (pubsub->next == gone)
            pubsub->next = gone->next;
        leave_channel(pubsub, gone);
    }
    unlock(pubsub, pubsub->lock);
    /* A callback that had begun ends. */
    lock(pubsub, pubsub->delivery);
    unlock(pubsub, pubsub->delivery);
    free(gone);
}
