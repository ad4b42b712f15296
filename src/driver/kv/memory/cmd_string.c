/* SPDX-License-Identifier: MIT */
/* Commands about texts and counters. */
#include "driver/kv/memory/call.h"

void cov__kv_do_get(kv_call *call)
{
    kv_entry *entry;

    if (cov__kv_open(call, KV_STRING, &entry) && entry != NULL)
        cov__kv_reply_text(call, cov__kv_blob_view(entry->value.string));
}

void cov__kv_do_getdel(kv_call *call)
{
    kv_entry *entry;

    if (!cov__kv_open(call, KV_STRING, &entry) || entry == NULL)
        return;
    cov__kv_reply_text(call, cov__kv_blob_view(entry->value.string));
    if (!call->no_room)
        cov__kv_entry_delete(call->engine, entry);
}

void cov__kv_do_delif(kv_call *call)
{
    kv_entry *entry;
    bool equal;

    if (!cov__kv_open(call, KV_STRING, &entry))
        return;
    equal = entry != NULL && cov_str_eq(cov__kv_blob_view(entry->value.string), call->args[1]);
    if (equal)
        cov__kv_entry_delete(call->engine, entry);
    cov__kv_reply_int(call, equal);
}

/* ---- SET ---- */

typedef struct set_options {
    bool only_new;
    bool only_old;
    bool keep_ttl;
    bool expires;
    int64_t ttl_ms;
} set_options;

static bool read_ttl(kv_call *call, size_t at, int64_t unit_ms, set_options *o)
{
    int64_t ttl;

    if (at >= call->n_args || o->expires || o->keep_ttl)
        return cov__kv_reply_error(call, KV_ERR_SYNTAX);
    if (!cov__kv_arg_int(call, at, &ttl))
        return false;
    if (ttl <= 0 || ttl > INT64_MAX / unit_ms || ttl * unit_ms > INT64_MAX - call->engine->now_ms)
        return cov__kv_reply_error(call, "ERR invalid expire time in 'set' command");
    o->expires = true;
    o->ttl_ms = ttl * unit_ms;
    return true;
}

static bool read_set_options(kv_call *call, set_options *o)
{
    for (size_t i = 2; i < call->n_args; i++) {
        if (cov__kv_is_word(call->args[i], "nx") && !o->only_old)
            o->only_new = true;
        else if (cov__kv_is_word(call->args[i], "xx") && !o->only_new)
            o->only_old = true;
        else if (cov__kv_is_word(call->args[i], "keepttl") && !o->expires)
            o->keep_ttl = true;
        else if (cov__kv_is_word(call->args[i], "ex") || cov__kv_is_word(call->args[i], "px")) {
            bool seconds = cov__kv_is_word(call->args[i], "ex");

            if (!read_ttl(call, ++i, seconds ? 1000 : 1, o))
                return false;
        } else {
            return cov__kv_reply_error(call, KV_ERR_SYNTAX);
        }
    }
    return true;
}

/* The value into `old` or into a new entry; NULL: out of memory, and the old value stays. */
static kv_entry *store(kv_call *call, kv_entry *old)
{
    kv_entry *entry = old;

    if (old == NULL || old->type != KV_STRING)
        entry = cov__kv_entry_new(call->engine, call->args[0], KV_STRING);
    if (entry == NULL)
        return NULL;
    if (!cov__kv_blob_assign(&entry->value.string, call->args[1])) {
        if (entry != old)
            cov__kv_entry_free(call->engine, entry);
        return NULL;
    }
    if (entry == old)
        return entry;
    if (old != NULL)
        cov__kv_entry_delete(call->engine, old);
    cov__kv_entry_add(call->engine, entry);
    return entry;
}

void cov__kv_do_set(kv_call *call)
{
    set_options o = { false, false, false, false, 0 };
    kv_entry *entry;
    int64_t kept_ms = 0;
    bool keeps;

    if (!read_set_options(call, &o))
        return;
    entry = cov__kv_lookup(call->engine, call->args[0]);
    if (entry != NULL ? o.only_new : o.only_old)
        return;
    keeps = o.keep_ttl && entry != NULL && entry->due_at != 0;
    if (keeps)
        kept_ms = entry->expires_at_ms;
    if ((o.expires || keeps) && !cov__kv_expire_reserve(call->engine)) {
        cov__kv_reply_error(call, KV_ERR_MEMORY);
        return;
    }
    entry = store(call, entry);
    if (entry == NULL) {
        cov__kv_reply_error(call, KV_ERR_MEMORY);
        return;
    }
    if (o.expires || keeps)
        cov__kv_expire_at(call->engine, entry,
                          keeps ? kept_ms : cov__kv_after(call->engine, o.ttl_ms));
    else
        cov__kv_persist(call->engine, entry);
    cov__kv_reply_ok(call);
}

/* ---- counters ---- */

static void add(kv_call *call, int64_t by)
{
    char buffer[KV_NUM_BYTES];
    kv_edit edit;
    int64_t value = 0;

    if (!cov__kv_edit(call, KV_STRING, &edit))
        return;
    if (!edit.fresh && !cov__kv_is_int(cov__kv_blob_view(edit.entry->value.string), &value))
        cov__kv_reply_error(call, KV_ERR_INTEGER);
    else if (!cov__kv_add(value, by, &value))
        cov__kv_reply_error(call, KV_ERR_OVERFLOW);
    else if (!cov__kv_blob_assign(&edit.entry->value.string, cov__kv_int_text(value, buffer)))
        cov__kv_reply_error(call, KV_ERR_MEMORY);
    else
        cov__kv_reply_int(call, value);
    cov__kv_close(call, &edit);
}

void cov__kv_do_incr(kv_call *call)
{
    add(call, 1);
}

void cov__kv_do_decr(kv_call *call)
{
    add(call, -1);
}

void cov__kv_do_incrby(kv_call *call)
{
    int64_t by;

    if (cov__kv_arg_int(call, 1, &by))
        add(call, by);
}
