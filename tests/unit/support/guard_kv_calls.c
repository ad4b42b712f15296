/* SPDX-License-Identifier: MIT */
/* The calls of covara/kv.h that limits and keys make, until the store itself is merged (src/kv); then this file goes. */
#include "covara/kv.h"

cov_status cov_kv_open(const cov_kv_driver *driver, const cov_host *host,
                       const cov_kv_config *config, cov_kv **out, cov_error *err)
{
    return driver->open(host, config, out, err);
}

void cov_kv_close(cov_kv *kv)
{
    if (kv != NULL)
        kv->driver->close(kv);
}

cov_status cov_kv_run(cov_kv *kv, const cov_kv_cmd *cmds, size_t n, bool atomic, cov_arena *arena,
                      cov_kv_reply *replies, cov_error *err)
{
    return kv->driver->run(kv, cmds, n, atomic, arena, replies, err);
}

cov_status cov_kv_call(cov_kv *kv, cov_arena *arena, cov_kv_op op, const cov_str *args,
                       size_t n_args, cov_kv_reply *reply, cov_error *err)
{
    cov_kv_cmd cmd = { op, args, n_args };

    return kv->driver->run(kv, &cmd, 1, false, arena, reply, err);
}

cov_status cov_kv_get(cov_kv *kv, cov_arena *arena, cov_str key, cov_str *value, cov_error *err)
{
    cov_kv_reply reply;
    cov_status st = cov_kv_call(kv, arena, COV_KV_GET, &key, 1, &reply, err);

    if (st == COV_OK)
        *value = reply.type == COV_KV_TEXT ? reply.s : COV_STR_NULL;
    return st;
}

cov_status cov_kv_set(cov_kv *kv, cov_arena *arena, cov_str key, cov_str value, int64_t ttl_ms,
                      bool only_new, bool *stored, cov_error *err)
{
    cov_str args[5] = { key, value };
    size_t n = 2;
    cov_kv_reply reply;
    cov_status st;

    if (only_new)
        args[n++] = COV_STR("NX");
    if (ttl_ms != 0) {
        args[n++] = COV_STR("PX");
        args[n++] = cov_arena_printf(arena, "%lld", (long long)ttl_ms);
    }
    st = cov_kv_call(kv, arena, COV_KV_SET, args, n, &reply, err);
    if (st == COV_OK && stored != NULL)
        *stored = reply.type != COV_KV_NIL;
    return st;
}
