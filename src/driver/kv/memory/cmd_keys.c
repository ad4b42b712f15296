/* SPDX-License-Identifier: MIT */
/* Commands about keys of any type, and PUBLISH. */
#include "driver/kv/memory/call.h"
#include "driver/kv/memory/glob.h"

void cov__kv_do_del(kv_call *call)
{
    int64_t n = 0;

    for (size_t i = 0; i < call->n_args; i++) {
        kv_entry *entry = cov__kv_lookup(call->engine, call->args[i]);

        if (entry != NULL) {
            cov__kv_entry_delete(call->engine, entry);
            n++;
        }
    }
    cov__kv_reply_int(call, n);
}

void cov__kv_do_exists(kv_call *call)
{
    int64_t n = 0;

    for (size_t i = 0; i < call->n_args; i++)
        n += cov__kv_lookup(call->engine, call->args[i]) != NULL;
    cov__kv_reply_int(call, n);
}

void cov__kv_do_type(kv_call *call)
{
    static const char *const names[] = { [KV_STRING] = "string",
                                         [KV_HASH] = "hash",
                                         [KV_SET] = "set",
                                         [KV_LIST] = "list",
                                         [KV_ZSET] = "zset" };
    const kv_entry *entry = cov__kv_lookup(call->engine, call->args[0]);

    call->reply->type = COV_KV_TEXT;
    call->reply->s = cov_str_from(entry != NULL ? names[entry->type] : "none");
}

/* ---- expiry ---- */

/* The time argument as milliseconds from now. */
static bool read_ttl(kv_call *call, size_t at, int64_t unit_ms, int64_t *ttl_ms)
{
    int64_t ttl;

    if (!cov__kv_arg_int(call, at, &ttl))
        return false;
    if (ttl > INT64_MAX / unit_ms || ttl < INT64_MIN / unit_ms ||
        (ttl > 0 && ttl * unit_ms > INT64_MAX - call->engine->now_ms))
        return cov__kv_reply_error(call, "ERR invalid expire time");
    *ttl_ms = ttl * unit_ms;
    return true;
}

/* Nothing is left of a key whose time is over at once. The reply is 1, or the error. */
static void live_for(kv_call *call, kv_entry *entry, int64_t ttl_ms)
{
    if (ttl_ms <= 0) {
        cov__kv_entry_delete(call->engine, entry);
    } else if (cov__kv_expire_reserve(call->engine)) {
        cov__kv_expire_at(call->engine, entry, cov__kv_after(call->engine, ttl_ms));
    } else {
        cov__kv_reply_error(call, KV_ERR_MEMORY);
        return;
    }
    cov__kv_reply_int(call, 1);
}

static void expire(kv_call *call, int64_t unit_ms)
{
    kv_entry *entry;
    int64_t ttl_ms = 0;

    if (!read_ttl(call, 1, unit_ms, &ttl_ms))
        return;
    entry = cov__kv_lookup(call->engine, call->args[0]);
    if (entry != NULL)
        live_for(call, entry, ttl_ms);
    else
        cov__kv_reply_int(call, 0);
}

void cov__kv_do_expire(kv_call *call)
{
    expire(call, 1000);
}

void cov__kv_do_pexpire(kv_call *call)
{
    expire(call, 1);
}

void cov__kv_do_expireif(kv_call *call)
{
    kv_entry *entry;
    int64_t ttl_ms = 0;

    if (!read_ttl(call, 2, 1000, &ttl_ms) || !cov__kv_open(call, KV_STRING, &entry))
        return;
    if (entry != NULL && cov_str_eq(cov__kv_blob_view(entry->value.string), call->args[1]))
        live_for(call, entry, ttl_ms);
    else
        cov__kv_reply_int(call, 0);
}

/* Rounded up, so that 0 is never the answer for a key that is there. */
static void ttl_in(kv_call *call, int64_t unit_ms)
{
    const kv_entry *entry = cov__kv_lookup(call->engine, call->args[0]);
    int64_t left_ms;

    if (entry == NULL || entry->due_at == 0) {
        cov__kv_reply_int(call, entry == NULL ? -2 : -1);
        return;
    }
    left_ms = entry->expires_at_ms - call->engine->now_ms;
    cov__kv_reply_int(call, left_ms / unit_ms + (left_ms % unit_ms != 0));
}

void cov__kv_do_ttl(kv_call *call)
{
    ttl_in(call, 1000);
}

void cov__kv_do_pttl(kv_call *call)
{
    ttl_in(call, 1);
}

/* ---- listing ---- */

typedef struct key_list {
    kv_call *call;
    cov_str pattern;
    cov_str *keys; /* in the arena */
    size_t n;
    size_t cap;
    size_t seen;
} key_list;

static bool list_has_room(key_list *list)
{
    size_t cap = list->cap != 0 ? list->cap * 2 : 16;
    cov_str *keys;

    if (list->n < list->cap)
        return true;
    keys = COV_NEW_ARRAY(list->call->arena, cov_str, cap);
    if (keys == NULL) {
        list->call->no_room = true;
        return false;
    }
    if (list->n != 0)
        memcpy(keys, list->keys, list->n * sizeof *keys);
    list->keys = keys;
    list->cap = cap;
    return true;
}

static void add_key(void *self, kv_node *node)
{
    key_list *list = self;

    list->seen++;
    if (cov__kv_is_expired(list->call->engine, (kv_entry *)node) ||
        !cov__kv_glob(list->pattern, node->key) || !list_has_room(list))
        return;
    list->keys[list->n++] = node->key;
}

static void fill_keys(const key_list *list, cov_kv_reply *items)
{
    for (size_t i = 0; i < list->n; i++)
        cov__kv_item_text(list->call, &items[i], list->keys[i]);
}

void cov__kv_do_keys(kv_call *call)
{
    key_list list = { .call = call, .pattern = call->args[0] };
    kv_iter it = { .next = NULL };
    kv_node *node;
    cov_kv_reply *items;

    while ((node = cov__kv_table_next(&call->engine->keys, &it)) != NULL)
        add_key(&list, node);
    items = call->no_room ? NULL : cov__kv_reply_list(call, list.n);
    if (items != NULL)
        fill_keys(&list, items);
}

static bool read_scan_options(kv_call *call, cov_str *pattern, int64_t *count)
{
    for (size_t i = 1; i < call->n_args; i += 2) {
        if (i + 1 == call->n_args)
            return cov__kv_reply_error(call, KV_ERR_SYNTAX);
        if (cov__kv_is_word(call->args[i], "match"))
            *pattern = call->args[i + 1];
        else if (!cov__kv_is_word(call->args[i], "count"))
            return cov__kv_reply_error(call, KV_ERR_SYNTAX);
        else if (!cov__kv_arg_int(call, i + 1, count))
            return false;
    }
    return *count >= 1 || cov__kv_reply_error(call, KV_ERR_SYNTAX);
}

void cov__kv_do_scan(kv_call *call)
{
    key_list list = { .call = call, .pattern = COV_STR("*") };
    char buffer[KV_NUM_BYTES];
    int64_t count = 10;
    int64_t cursor;
    uint64_t at;
    cov_kv_reply *items;
    cov_kv_reply *keys;

    if (!cov__kv_is_int(call->args[0], &cursor) || cursor < 0) {
        cov__kv_reply_error(call, "ERR invalid cursor");
        return;
    }
    if (!read_scan_options(call, &list.pattern, &count))
        return;
    at = (uint64_t)cursor;
    /* Empty buckets count a little, so that the work of a call is bounded. */
    for (size_t buckets = 0; list.seen + buckets / 8 < (uint64_t)count; buckets++) {
        at = cov__kv_table_scan(&call->engine->keys, at, add_key, &list);
        if (at == 0)
            break;
    }
    items = call->no_room ? NULL : cov__kv_reply_list(call, 2);
    keys = items != NULL ? COV_NEW_ARRAY(call->arena, cov_kv_reply, list.n) : NULL;
    if (keys == NULL) {
        call->no_room = true;
        return;
    }
    cov__kv_item_text(call, &items[0], cov__kv_int_text((int64_t)at, buffer));
    fill_keys(&list, keys);
    items[1].type = COV_KV_LIST;
    items[1].items = keys;
    items[1].n = list.n;
}

void cov__kv_do_publish(kv_call *call)
{
    int64_t receivers = cov__kv_queue(call->pubsub, call->args[0], call->args[1]);

    if (receivers < 0)
        cov__kv_reply_error(call, KV_ERR_MEMORY);
    else
        cov__kv_reply_int(call, receivers);
}
