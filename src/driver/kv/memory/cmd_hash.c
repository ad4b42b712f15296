/* SPDX-License-Identifier: MIT */
/* Commands about hashes. */
#include "driver/kv/memory/call.h"

static kv_field *find(kv_call *call, kv_entry *entry, cov_str name)
{
    return (kv_field *)cov__kv_table_find(&entry->value.hash, name, cov__kv_hash_of(call, name));
}

void cov__kv_do_hget(kv_call *call)
{
    kv_entry *entry;
    const kv_field *field;

    if (!cov__kv_open(call, KV_HASH, &entry) || entry == NULL)
        return;
    field = find(call, entry, call->args[1]);
    if (field != NULL)
        cov__kv_reply_text(call, cov__kv_blob_view(field->value));
}

void cov__kv_do_hexists(kv_call *call)
{
    kv_entry *entry;

    if (cov__kv_open(call, KV_HASH, &entry))
        cov__kv_reply_int(call, entry != NULL && find(call, entry, call->args[1]) != NULL);
}

void cov__kv_do_hlen(kv_call *call)
{
    kv_entry *entry;

    if (cov__kv_open(call, KV_HASH, &entry))
        cov__kv_reply_int(call, entry != NULL ? (int64_t)entry->value.hash.len : 0);
}

/* ---- writing ---- */

static kv_field *next_of(const kv_field *field)
{
    return (kv_field *)field->node.next;
}

/* The fields of the arguments as a list; false: out of memory. */
static bool make_fields(kv_call *call, kv_field **out)
{
    kv_field *list = NULL;

    /* From the last, so that the list begins with the first. */
    for (size_t i = call->n_args; i > 2; i -= 2) {
        cov_str name = call->args[i - 2];
        kv_field *field = cov__kv_field_new(name, cov__kv_hash_of(call, name), call->args[i - 1]);

        if (field == NULL) {
            while (list != NULL) {
                field = list;
                list = next_of(field);
                cov__kv_field_free(field);
            }
            return false;
        }
        field->node.next = (kv_node *)list;
        list = field;
    }
    *out = list;
    return true;
}

/* Puts the fields of the arguments; -1: the reply is the error. Returns how many are new. */
static int64_t put_fields(kv_call *call, kv_entry *entry)
{
    kv_field *list;
    int64_t added = 0;

    if (!make_fields(call, &list)) {
        cov__kv_reply_error(call, KV_ERR_MEMORY);
        return -1;
    }
    while (list != NULL) {
        kv_field *field = list;

        list = next_of(field);
        added += cov__kv_hash_put(&entry->value.hash, field);
    }
    return added;
}

static bool has_pairs(kv_call *call)
{
    return call->n_args % 2 == 1 ||
           cov__kv_reply_error(call, "ERR wrong number of arguments for 'hset' command");
}

void cov__kv_do_hset(kv_call *call)
{
    kv_edit edit;
    int64_t added;

    if (!has_pairs(call) || !cov__kv_edit(call, KV_HASH, &edit))
        return;
    added = put_fields(call, edit.entry);
    if (added >= 0)
        cov__kv_reply_int(call, added);
    cov__kv_close(call, &edit);
}

void cov__kv_do_hsetif(kv_call *call)
{
    kv_entry *entry;

    if (!has_pairs(call) || !cov__kv_open(call, KV_HASH, &entry))
        return;
    if (entry == NULL)
        cov__kv_reply_int(call, 0);
    else if (put_fields(call, entry) >= 0)
        cov__kv_reply_int(call, 1);
}

void cov__kv_do_hdel(kv_call *call)
{
    kv_edit edit = { NULL, false };
    int64_t n = 0;

    if (!cov__kv_open(call, KV_HASH, &edit.entry))
        return;
    for (size_t i = 1; edit.entry != NULL && i < call->n_args; i++) {
        kv_field *field = (kv_field *)cov__kv_table_remove(&edit.entry->value.hash, call->args[i],
                                                           cov__kv_hash_of(call, call->args[i]));

        if (field != NULL) {
            cov__kv_field_free(field);
            n++;
        }
    }
    if (n != 0)
        cov__kv_close(call, &edit);
    cov__kv_reply_int(call, n);
}

/* The counter of a field becomes `value`. */
static bool put_count(kv_call *call, kv_entry *entry, kv_field *field, int64_t value)
{
    char buffer[KV_NUM_BYTES];
    cov_str text = cov__kv_int_text(value, buffer);

    if (field != NULL)
        return cov__kv_blob_assign(&field->value, text);
    field = cov__kv_field_new(call->args[1], cov__kv_hash_of(call, call->args[1]), text);
    return field != NULL && cov__kv_hash_put(&entry->value.hash, field);
}

void cov__kv_do_hincrby(kv_call *call)
{
    kv_edit edit;
    kv_field *field;
    int64_t by;
    int64_t value = 0;

    if (!cov__kv_arg_int(call, 2, &by) || !cov__kv_edit(call, KV_HASH, &edit))
        return;
    field = find(call, edit.entry, call->args[1]);
    if (field != NULL && !cov__kv_is_int(cov__kv_blob_view(field->value), &value))
        cov__kv_reply_error(call, "ERR hash value is not an integer");
    else if (!cov__kv_add(value, by, &value))
        cov__kv_reply_error(call, KV_ERR_OVERFLOW);
    else if (!put_count(call, edit.entry, field, value))
        cov__kv_reply_error(call, KV_ERR_MEMORY);
    else
        cov__kv_reply_int(call, value);
    cov__kv_close(call, &edit);
}

/* ---- all fields ---- */

static void list_fields(kv_call *call, bool values)
{
    kv_iter it = { .next = NULL };
    kv_entry *entry;
    cov_kv_reply *item;
    kv_node *node;

    if (!cov__kv_open(call, KV_HASH, &entry))
        return;
    item = cov__kv_reply_list(call, entry != NULL ? entry->value.hash.len * (values ? 2 : 1) : 0);
    if (item == NULL || entry == NULL)
        return;
    while ((node = cov__kv_table_next(&entry->value.hash, &it)) != NULL) {
        cov__kv_item_text(call, item++, node->key);
        if (values)
            cov__kv_item_text(call, item++, cov__kv_blob_view(((kv_field *)node)->value));
    }
}

void cov__kv_do_hgetall(kv_call *call)
{
    list_fields(call, true);
}

void cov__kv_do_hkeys(kv_call *call)
{
    list_fields(call, false);
}
