/* SPDX-License-Identifier: MIT */
/* Commands about sets. */
#include <stdlib.h>

#include "driver/kv/memory/call.h"

/* The members of the arguments as a list; false: out of memory. */
static bool make_members(kv_call *call, kv_node **out)
{
    kv_node *list = NULL;

    for (size_t i = call->n_args; i-- > 1;) {
        kv_node *node =
            cov__kv_node_new(sizeof *node, call->args[i], cov__kv_hash_of(call, call->args[i]));

        if (node == NULL) {
            while (list != NULL) {
                node = list;
                list = node->next;
                free(node);
            }
            return false;
        }
        node->next = list;
        list = node;
    }
    *out = list;
    return true;
}

void cov__kv_do_sadd(kv_call *call)
{
    kv_edit edit;
    kv_node *list;
    int64_t added = 0;

    if (!cov__kv_edit(call, KV_SET, &edit))
        return;
    if (make_members(call, &list)) {
        while (list != NULL) {
            kv_node *node = list;

            list = node->next;
            if (cov__kv_table_put(&edit.entry->value.set, node) == NULL)
                added++;
            else
                free(node);
        }
        cov__kv_reply_int(call, added);
    } else {
        cov__kv_reply_error(call, KV_ERR_MEMORY);
    }
    cov__kv_close(call, &edit);
}

void cov__kv_do_srem(kv_call *call)
{
    kv_edit edit = { NULL, false };
    int64_t n = 0;

    if (!cov__kv_open(call, KV_SET, &edit.entry))
        return;
    for (size_t i = 1; edit.entry != NULL && i < call->n_args; i++) {
        kv_node *node = cov__kv_table_remove(&edit.entry->value.set, call->args[i],
                                             cov__kv_hash_of(call, call->args[i]));

        n += node != NULL;
        free(node);
    }
    if (n != 0)
        cov__kv_close(call, &edit);
    cov__kv_reply_int(call, n);
}

void cov__kv_do_smembers(kv_call *call)
{
    kv_iter it = { .next = NULL };
    kv_entry *entry;
    cov_kv_reply *item;
    kv_node *node;

    if (!cov__kv_open(call, KV_SET, &entry))
        return;
    item = cov__kv_reply_list(call, entry != NULL ? entry->value.set.len : 0);
    if (item == NULL || entry == NULL)
        return;
    while ((node = cov__kv_table_next(&entry->value.set, &it)) != NULL)
        cov__kv_item_text(call, item++, node->key);
}

void cov__kv_do_sismember(kv_call *call)
{
    kv_entry *entry;

    if (cov__kv_open(call, KV_SET, &entry))
        cov__kv_reply_int(call,
                          entry != NULL &&
                              cov__kv_table_find(&entry->value.set, call->args[1],
                                                 cov__kv_hash_of(call, call->args[1])) != NULL);
}

void cov__kv_do_scard(kv_call *call)
{
    kv_entry *entry;

    if (cov__kv_open(call, KV_SET, &entry))
        cov__kv_reply_int(call, entry != NULL ? (int64_t)entry->value.set.len : 0);
}
