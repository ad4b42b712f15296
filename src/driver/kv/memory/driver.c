/* SPDX-License-Identifier: MIT */
/* The table of covara/kv.h: the engine behind one lock, and messages after it. */
#include <stdlib.h>

#include "driver/kv/memory/call.h"
#include "driver/kv/memory/memory.h"

typedef struct memory_kv {
    cov_kv base;
    void *lock; /* NULL on a host with one thread */
    kv_engine engine;
    kv_pubsub pubsub;
} memory_kv;

typedef void (*command_fn)(kv_call *call);

static const command_fn commands[COV_KV_N_OPS] = {
#define KV_ENTRY(op, name) [COV_KV_##op] = cov__kv_do_##name,
    KV_COMMANDS(KV_ENTRY)
#undef KV_ENTRY
};

#define KV_ONE(op, name) +1
_Static_assert(0 KV_COMMANDS(KV_ONE) == COV_KV_N_OPS, "every command has a function");
#undef KV_ONE

static void close_kv(cov_kv *kv)
{
    memory_kv *m = (memory_kv *)kv;

    if (m == NULL)
        return;
    cov__kv_pubsub_dispose(&m->pubsub);
    cov__kv_engine_dispose(&m->engine);
    if (m->lock != NULL)
        m->base.host->lock_free(m->base.host->self, m->lock);
    free(m);
}

static cov_status open_kv(const cov_host *host, const cov_kv_config *config, cov_kv **out,
                          cov_error *err)
{
    uint64_t random[3];
    memory_kv *m;
    bool ok = true;

    (void)config;
    if (host->random(host->self, random, sizeof random) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes for the key-value store");
    m = calloc(1, sizeof *m);
    if (m == NULL)
        return cov_fail_nomem(err);
    m->base.driver = &cov_memory_kv_driver;
    m->base.host = host;
    cov__kv_engine_init(&m->engine, random);
    if (host->lock_new != NULL) {
        m->lock = host->lock_new(host->self);
        ok = m->lock != NULL;
    }
    /* Also when the lock failed: closing needs the host in there. */
    ok = cov__kv_pubsub_init(&m->pubsub, host, m->lock, m->engine.seed) && ok;
    if (!ok) {
        close_kv(&m->base);
        return cov_fail_nomem(err);
    }
    *out = &m->base;
    return COV_OK;
}

static cov_status run_all(memory_kv *m, const cov_kv_cmd *cmds, size_t n, cov_arena *arena,
                          cov_kv_reply *replies, cov_error *err)
{
    for (size_t i = 0; i < n; i++) {
        kv_call call = { .engine = &m->engine,
                         .pubsub = &m->pubsub,
                         .args = cmds[i].args,
                         .n_args = cmds[i].n_args,
                         .arena = arena,
                         .reply = &replies[i] };

        memset(&replies[i], 0, sizeof replies[i]);
        commands[cmds[i].op](&call);
        if (call.no_room)
            return cov_fail_nomem(err);
    }
    return COV_OK;
}

static cov_status run(cov_kv *kv, const cov_kv_cmd *cmds, size_t n, bool atomic, cov_arena *arena,
                      cov_kv_reply *replies, cov_error *err)
{
    memory_kv *m = (memory_kv *)kv;
    int64_t now_ms = kv->host->now_ms(kv->host->self);
    bool published;
    cov_status st;

    (void)atomic; /* one lock for all of them either way */
    cov_host_lock(kv->host, m->lock);
    cov__kv_engine_begin(&m->engine, now_ms);
    st = run_all(m, cmds, n, arena, replies, err);
    published = m->pubsub.first != NULL;
    cov_host_unlock(kv->host, m->lock);
    if (published)
        cov__kv_deliver(&m->pubsub);
    return st;
}

static cov_status subscribe(cov_kv *kv, cov_str channel, cov_kv_message_fn fn, void *self,
                            uint64_t *token, cov_error *err)
{
    return cov__kv_listen(&((memory_kv *)kv)->pubsub, channel, fn, self, token)
               ? COV_OK
               : cov_fail_nomem(err);
}

static void unsubscribe(cov_kv *kv, uint64_t token)
{
    cov__kv_unlisten(&((memory_kv *)kv)->pubsub, token);
}

static bool connected(cov_kv *kv)
{
    (void)kv;
    return true;
}

const cov_kv_driver cov_memory_kv_driver = {
    .abi = COV_KV_ABI,
    .caps = 0,
    .name = "memory",
    .open = open_kv,
    .run = run,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .connected = connected,
    .close = close_kv,
};
