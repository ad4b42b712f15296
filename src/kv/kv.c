/* SPDX-License-Identifier: MIT */
/*
 * The calls of covara/kv.h. Features speak of logical keys and drivers of physical ones: the prefix is put in front of
 * arguments here, and taken off what KEYS and SCAN list.
 */
#include "covara/kv.h"

#include <stdlib.h>

typedef struct op_info {
    const char *name;
    int least;
    int most;         /* -1: any number */
    const char *keys; /* "k" all arguments, "k." the first, "." none */
} op_info;

/* clang-format off */
#define OP_INFO(op, name, least, most, keys) [op] = { name, least, most, keys },
static const op_info ops[COV_KV_N_OPS] = { COV_KV_OP_MAP(OP_INFO) };
#undef OP_INFO
/* clang-format on */

/* ---- the store ---- */

static bool copy_prefix(cov_kv *kv, cov_str prefix)
{
    char *copy;

    kv->prefix = COV_STR("");
    if (prefix.len == 0)
        return true;
    copy = prefix.len <= SIZE_MAX - 2 ? malloc(prefix.len + 2) : NULL;
    if (copy == NULL)
        return false;
    memcpy(copy, prefix.ptr, prefix.len);
    memcpy(copy + prefix.len, ":", 2);
    kv->prefix = cov_str_of(copy, prefix.len + 1);
    return true;
}

cov_status cov_kv_open(const cov_kv_driver *driver, const cov_host *host,
                       const cov_kv_config *config, cov_kv **out, cov_error *err)
{
    cov_kv *kv = NULL;
    cov_status st;

    if (driver->abi != COV_KV_ABI)
        return cov_fail(err, COV_EINTERNAL, "key-value driver %s has interface version %u, not %u",
                        driver->name, (unsigned)driver->abi, (unsigned)COV_KV_ABI);
    if ((st = driver->open(host, config, &kv, err)) != COV_OK)
        return st;
    kv->driver = driver;
    kv->host = host;
    if (!copy_prefix(kv, config->prefix)) {
        driver->close(kv);
        return cov_fail_nomem(err);
    }
    *out = kv;
    return COV_OK;
}

void cov_kv_close(cov_kv *kv)
{
    union {
        const char *borrowed;
        char *owned;
    } prefix;

    if (kv == NULL)
        return;
    prefix.borrowed = kv->prefix.len != 0 ? kv->prefix.ptr : NULL;
    kv->driver->close(kv);
    free(prefix.owned);
}

/* ---- prefixes going in ---- */

static cov_str join(cov_arena *arena, cov_str a, cov_str b)
{
    char *p = a.len <= SIZE_MAX - b.len ? cov_arena_alloc(arena, a.len + b.len) : NULL;

    if (p == NULL)
        return COV_STR_NULL;
    memcpy(p, a.ptr, a.len);
    if (b.len != 0)
        memcpy(p + a.len, b.ptr, b.len);
    return cov_str_of(p, a.len + b.len);
}

/* The prefix as it is, then `pattern`: a prefix such as "app[1]" is no class. */
static cov_str join_pattern(cov_arena *arena, cov_str prefix, cov_str pattern)
{
    cov_buf buf = COV_BUF_IN(arena);

    for (size_t i = 0; i < prefix.len; i++) {
        if (memchr("*?[\\", prefix.ptr[i], 4) != NULL)
            cov_buf_char(&buf, '\\');
        cov_buf_char(&buf, prefix.ptr[i]);
    }
    cov_buf_str(&buf, pattern);
    return buf.failed ? COV_STR_NULL : cov_buf_view(&buf);
}

/* SCAN's options are pairs; one MATCH more comes last when there is none. `args` has room for it. */
static bool prefix_scan(const cov_kv *kv, cov_arena *arena, cov_str *args, size_t *n_args)
{
    bool found = false;

    for (size_t i = 1; i + 1 < *n_args; i += 2) {
        if (!cov_str_eq_nocase(args[i], COV_STR("MATCH")))
            continue;
        found = true;
        args[i + 1] = join_pattern(arena, kv->prefix, args[i + 1]);
        if (args[i + 1].ptr == NULL)
            return false;
    }
    /* An option without its value is left for the driver to refuse. */
    if (found || *n_args % 2 == 0)
        return true;
    args[*n_args] = COV_STR("MATCH");
    args[*n_args + 1] = join_pattern(arena, kv->prefix, COV_STR("*"));
    *n_args += 2;
    return args[*n_args - 1].ptr != NULL;
}

static bool prefix_keys(const cov_kv *kv, cov_arena *arena, cov_kv_op op, cov_str *args,
                        size_t n_args)
{
    const char *letter = ops[op].keys;

    for (size_t i = 0; i < n_args; i++) {
        if (*letter == 'k') {
            args[i] = join(arena, kv->prefix, args[i]);
            if (args[i].ptr == NULL)
                return false;
        }
        letter += letter[1] != '\0';
    }
    return true;
}

static bool prefix_cmd(const cov_kv *kv, cov_arena *arena, const cov_kv_cmd *cmd, cov_kv_cmd *out)
{
    cov_str *args = COV_NEW_ARRAY(arena, cov_str, cmd->n_args + 2);
    size_t n_args = cmd->n_args;
    bool ok;

    if (args == NULL)
        return false;
    memcpy(args, cmd->args, n_args * sizeof *args);
    if (cmd->op == COV_KV_SCAN) {
        ok = prefix_scan(kv, arena, args, &n_args);
    } else if (cmd->op == COV_KV_KEYS) {
        args[0] = join_pattern(arena, kv->prefix, args[0]);
        ok = args[0].ptr != NULL;
    } else {
        ok = prefix_keys(kv, arena, cmd->op, args, n_args);
    }
    out->op = cmd->op;
    out->args = args;
    out->n_args = n_args;
    return ok;
}

/* ---- prefixes coming out ---- */

static bool strip_list(const cov_kv *kv, cov_arena *arena, cov_kv_reply *list)
{
    cov_kv_reply *items = COV_NEW_ARRAY(arena, cov_kv_reply, list->n);
    size_t n = 0;

    if (items == NULL)
        return false;
    for (size_t i = 0; i < list->n; i++) {
        if (!cov_str_starts(list->items[i].s, kv->prefix))
            continue;
        items[n] = list->items[i];
        items[n].s = cov_str_slice(items[n].s, kv->prefix.len, items[n].s.len);
        n++;
    }
    list->items = items;
    list->n = n;
    return true;
}

static bool strip_reply(const cov_kv *kv, cov_arena *arena, cov_kv_op op, cov_kv_reply *reply)
{
    cov_kv_reply *items;

    if (reply->type != COV_KV_LIST)
        return true;
    if (op == COV_KV_KEYS)
        return strip_list(kv, arena, reply);
    if (op != COV_KV_SCAN || reply->n != 2)
        return true;
    items = COV_NEW_ARRAY(arena, cov_kv_reply, 2);
    if (items == NULL)
        return false;
    items[0] = reply->items[0];
    items[1] = reply->items[1];
    reply->items = items;
    return strip_list(kv, arena, &items[1]);
}

/* ---- running ---- */

static cov_status check_counts(const cov_kv_cmd *cmds, size_t n, cov_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const op_info *op = (unsigned)cmds[i].op < COV_KV_N_OPS ? &ops[cmds[i].op] : NULL;

        if (op == NULL)
            return cov_fail(err, COV_EINTERNAL, "key-value command %d is none", (int)cmds[i].op);
        if (cmds[i].n_args < (size_t)op->least ||
            (op->most >= 0 && cmds[i].n_args > (size_t)op->most))
            return cov_fail(err, COV_EINTERNAL, "wrong number of arguments for '%s'", op->name);
    }
    return COV_OK;
}

static cov_status run_prefixed(cov_kv *kv, const cov_kv_cmd *cmds, size_t n, bool atomic,
                               cov_arena *arena, cov_kv_reply *replies, cov_error *err)
{
    cov_kv_cmd *physical = COV_NEW_ARRAY(arena, cov_kv_cmd, n);
    cov_status st;

    if (physical == NULL)
        return cov_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (!prefix_cmd(kv, arena, &cmds[i], &physical[i]))
            return cov_fail_nomem(err);
    if ((st = kv->driver->run(kv, physical, n, atomic, arena, replies, err)) != COV_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        if (!strip_reply(kv, arena, cmds[i].op, &replies[i]))
            return cov_fail_nomem(err);
    return COV_OK;
}

cov_status cov_kv_run(cov_kv *kv, const cov_kv_cmd *cmds, size_t n, bool atomic, cov_arena *arena,
                      cov_kv_reply *replies, cov_error *err)
{
    cov_status st = check_counts(cmds, n, err);

    if (st != COV_OK || n == 0)
        return st;
    if (kv->prefix.len != 0)
        return run_prefixed(kv, cmds, n, atomic, arena, replies, err);
    return kv->driver->run(kv, cmds, n, atomic, arena, replies, err);
}

cov_status cov_kv_call(cov_kv *kv, cov_arena *arena, cov_kv_op op, const cov_str *args,
                       size_t n_args, cov_kv_reply *reply, cov_error *err)
{
    cov_kv_cmd cmd = { op, args, n_args };
    cov_kv_reply got = { .type = COV_KV_NIL };
    cov_status st = cov_kv_run(kv, &cmd, 1, false, arena, &got, err);

    if (st != COV_OK)
        return st;
    if (got.type == COV_KV_ERROR)
        return cov_fail(err, COV_EINTERNAL, "%s: %.*s", ops[op].name, COV_STR_ARG(got.s));
    *reply = got;
    return COV_OK;
}

/* ---- the common ones ---- */

cov_status cov_kv_get(cov_kv *kv, cov_arena *arena, cov_str key, cov_str *value, cov_error *err)
{
    cov_kv_reply reply = { .type = COV_KV_NIL };
    cov_status st = cov_kv_call(kv, arena, COV_KV_GET, &key, 1, &reply, err);

    if (st == COV_OK)
        *value = reply.type == COV_KV_TEXT ? reply.s : COV_STR_NULL;
    return st;
}

cov_status cov_kv_set(cov_kv *kv, cov_arena *arena, cov_str key, cov_str value, int64_t ttl_ms,
                      bool only_new, bool *stored, cov_error *err)
{
    char digits[24];
    cov_buf number = { .ptr = digits, .cap = sizeof digits, .limit = sizeof digits };
    cov_str args[5] = { key, value };
    size_t n = 2;
    cov_kv_reply reply = { .type = COV_KV_NIL };
    cov_status st = COV_OK;

    if (ttl_ms > 0) {
        cov_buf_i64(&number, ttl_ms);
        args[n++] = COV_STR("PX");
        args[n++] = cov_buf_view(&number);
    }
    if (only_new)
        args[n++] = COV_STR("NX");
    if (ttl_ms >= 0)
        st = cov_kv_call(kv, arena, COV_KV_SET, args, n, &reply, err);
    if (st == COV_OK && stored != NULL)
        *stored = reply.type != COV_KV_NIL;
    return st;
}

cov_status cov_kv_del(cov_kv *kv, cov_arena *arena, cov_str key, int64_t *deleted, cov_error *err)
{
    cov_kv_reply reply = { .type = COV_KV_NIL };
    cov_status st = cov_kv_call(kv, arena, COV_KV_DEL, &key, 1, &reply, err);

    if (st == COV_OK && deleted != NULL)
        *deleted = reply.i;
    return st;
}

cov_str cov_kv_field(const cov_kv_reply *hash, cov_str name)
{
    for (size_t i = 0; i + 1 < hash->n; i += 2)
        if (cov_str_eq(hash->items[i].s, name))
            return hash->items[i + 1].s;
    return COV_STR_NULL;
}

cov_status cov_kv_subscribe(cov_kv *kv, cov_str channel, cov_kv_message_fn fn, void *self,
                            uint64_t *token, cov_error *err)
{
    return kv->driver->subscribe(kv, channel, fn, self, token, err);
}

void cov_kv_unsubscribe(cov_kv *kv, uint64_t token)
{
    kv->driver->unsubscribe(kv, token);
}

cov_status cov_kv_publish(cov_kv *kv, cov_arena *arena, cov_str channel, cov_str message,
                          cov_error *err)
{
    cov_str args[2] = { channel, message };
    cov_kv_reply reply = { .type = COV_KV_NIL };

    return cov_kv_call(kv, arena, COV_KV_PUBLISH, args, 2, &reply, err);
}
