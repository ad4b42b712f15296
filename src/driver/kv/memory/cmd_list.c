/* SPDX-License-Identifier: MIT */
/* Commands about lists. */
#include <stdlib.h>

#include "driver/kv/memory/call.h"

/* Texts first into the arena's array, so that nothing is pushed unless all can be. */
static kv_blob **make_items(kv_call *call)
{
    size_t n = call->n_args - 1;
    kv_blob **items = COV_NEW_ARRAY(call->arena, kv_blob *, n);

    if (items == NULL) {
        call->no_room = true;
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = cov__kv_blob_new(call->args[i + 1]);
        if (items[i] == NULL) {
            while (i > 0)
                free(items[--i]);
            cov__kv_reply_error(call, KV_ERR_MEMORY);
            return NULL;
        }
    }
    return items;
}

static void push(kv_call *call, bool at_head)
{
    size_t n = call->n_args - 1;
    kv_list *list;
    kv_blob **items = NULL;
    kv_edit edit;

    if (!cov__kv_edit(call, KV_LIST, &edit))
        return;
    list = &edit.entry->value.list;
    if (!cov__kv_list_reserve(list, n))
        cov__kv_reply_error(call, KV_ERR_MEMORY);
    else
        items = make_items(call);
    for (size_t i = 0; items != NULL && i < n; i++)
        cov__kv_list_push(list, items[i], at_head);
    if (items != NULL)
        cov__kv_reply_int(call, (int64_t)list->len);
    cov__kv_close(call, &edit);
}

void cov__kv_do_lpush(kv_call *call)
{
    push(call, true);
}

void cov__kv_do_rpush(kv_call *call)
{
    push(call, false);
}

static void pop(kv_call *call, bool at_head)
{
    kv_edit edit = { NULL, false };
    const kv_list *list;

    if (!cov__kv_open(call, KV_LIST, &edit.entry) || edit.entry == NULL)
        return;
    list = &edit.entry->value.list;
    cov__kv_reply_text(call, cov__kv_blob_view(cov__kv_list_at(list, at_head ? 0 : list->len - 1)));
    if (call->no_room)
        return;
    free(cov__kv_list_pop(&edit.entry->value.list, at_head));
    cov__kv_close(call, &edit);
}

void cov__kv_do_lpop(kv_call *call)
{
    pop(call, true);
}

void cov__kv_do_rpop(kv_call *call)
{
    pop(call, false);
}

void cov__kv_do_llen(kv_call *call)
{
    kv_entry *entry;

    if (cov__kv_open(call, KV_LIST, &entry))
        cov__kv_reply_int(call, entry != NULL ? (int64_t)entry->value.list.len : 0);
}

void cov__kv_do_lrange(kv_call *call)
{
    kv_entry *entry;
    cov_kv_reply *items;
    size_t from;
    size_t to;

    if (!cov__kv_open_range(call, KV_LIST, &entry, &from, &to))
        return;
    items = cov__kv_reply_list(call, to - from);
    for (size_t i = from; items != NULL && i < to; i++)
        cov__kv_item_text(call, &items[i - from],
                          cov__kv_blob_view(cov__kv_list_at(&entry->value.list, i)));
}

void cov__kv_do_ltrim(kv_call *call)
{
    kv_edit edit = { NULL, false };
    size_t len;
    size_t from;
    size_t to;

    if (!cov__kv_open_range(call, KV_LIST, &edit.entry, &from, &to))
        return;
    len = edit.entry != NULL ? edit.entry->value.list.len : 0;
    for (size_t i = to; i < len; i++)
        free(cov__kv_list_pop(&edit.entry->value.list, false));
    for (size_t i = 0; i < from; i++)
        free(cov__kv_list_pop(&edit.entry->value.list, true));
    if (edit.entry != NULL)
        cov__kv_close(call, &edit);
    cov__kv_reply_ok(call);
}
