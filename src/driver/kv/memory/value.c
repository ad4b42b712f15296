/* SPDX-License-Identifier: MIT */
/* Texts, hash fields, lists, and the end of any value. */
#include "driver/kv/memory/value.h"

#include <stdlib.h>

enum {
    MIN_CAP = 32, /* holds every number, so counting never allocates */
    FIRST_ITEMS = 4
};

/* ---- text ---- */

static void blob_fill(kv_blob *blob, cov_str text)
{
    if (text.len != 0)
        memcpy(blob->bytes, text.ptr, text.len);
    blob->len = text.len;
}

kv_blob *cov__kv_blob_new(cov_str text)
{
    size_t cap = text.len > MIN_CAP ? text.len : MIN_CAP;
    kv_blob *blob = cap <= SIZE_MAX - sizeof *blob ? malloc(sizeof *blob + cap) : NULL;

    if (blob != NULL) {
        blob->cap = cap;
        blob_fill(blob, text);
    }
    return blob;
}

bool cov__kv_blob_assign(kv_blob **blob, cov_str text)
{
    kv_blob *old = *blob;
    bool fits = old != NULL && text.len <= old->cap;
    bool wastes = fits && old->cap / 2 > text.len + MIN_CAP;
    kv_blob *other = fits && !wastes ? NULL : cov__kv_blob_new(text);

    if (other != NULL) {
        *blob = other;
        free(old);
    } else if (fits) {
        blob_fill(old, text);
    }
    return other != NULL || fits;
}

/* ---- hash fields ---- */

kv_field *cov__kv_field_new(cov_str name, uint64_t hash, cov_str value)
{
    kv_field *field = cov__kv_node_new(sizeof *field, name, hash);

    if (field == NULL)
        return NULL;
    field->value = cov__kv_blob_new(value);
    if (field->value == NULL) {
        free(field);
        return NULL;
    }
    return field;
}

void cov__kv_field_free(kv_field *field)
{
    free(field->value);
    free(field);
}

bool cov__kv_hash_put(kv_table *hash, kv_field *field)
{
    kv_field *there = (kv_field *)cov__kv_table_put(hash, &field->node);
    kv_blob *old;

    if (there == NULL)
        return true;
    old = there->value;
    there->value = field->value;
    field->value = old;
    cov__kv_field_free(field);
    return false;
}

/* ---- lists ---- */

static size_t place_of(const kv_list *list, size_t at)
{
    return (list->head + at) & (list->cap - 1);
}

kv_blob *cov__kv_list_at(const kv_list *list, size_t at)
{
    return list->items[place_of(list, at)];
}

static bool list_resize(kv_list *list, size_t cap)
{
    kv_blob **items = cap <= SIZE_MAX / sizeof *items ? malloc(cap * sizeof *items) : NULL;

    if (items == NULL)
        return false;
    for (size_t i = 0; i < list->len; i++)
        items[i] = cov__kv_list_at(list, i);
    free(list->items);
    list->items = items;
    list->cap = cap;
    list->head = 0;
    return true;
}

bool cov__kv_list_reserve(kv_list *list, size_t extra)
{
    size_t cap = list->cap != 0 ? list->cap : FIRST_ITEMS;

    if (extra <= list->cap - list->len)
        return true;
    while (cap - list->len < extra) {
        if (cap > SIZE_MAX / 2)
            return false;
        cap *= 2;
    }
    return list_resize(list, cap);
}

void cov__kv_list_push(kv_list *list, kv_blob *item, bool at_head)
{
    if (at_head)
        list->head = place_of(list, list->cap - 1);
    list->items[place_of(list, at_head ? 0 : list->len)] = item;
    list->len++;
}

kv_blob *cov__kv_list_pop(kv_list *list, bool at_head)
{
    kv_blob *item = cov__kv_list_at(list, at_head ? 0 : list->len - 1);

    if (at_head)
        list->head = place_of(list, 1);
    list->len--;
    /* Without memory for a smaller ring the larger one does. */
    if (list->cap > FIRST_ITEMS && list->len < list->cap / 4)
        (void)!list_resize(list, list->cap / 2);
    return item;
}

/* ---- any ---- */

size_t cov__kv_value_len(kv_type type, const kv_value *value)
{
    switch (type) {
    case KV_HASH:
        return value->hash.len;
    case KV_SET:
        return value->set.len;
    case KV_LIST:
        return value->list.len;
    case KV_ZSET:
        return value->zset.members.len;
    case KV_STRING:
        break;
    }
    return 1;
}

/* The budget is not 0. */
static bool free_nodes(kv_table *table, bool fields, size_t budget)
{
    kv_node *node = NULL;

    while (budget-- > 0 && (node = cov__kv_table_take(table)) != NULL) {
        if (fields)
            free(((kv_field *)node)->value);
        free(node);
    }
    return node == NULL;
}

static bool free_items(kv_list *list, size_t budget)
{
    while (budget-- > 0 && list->len > 0)
        free(cov__kv_list_at(list, --list->len));
    if (list->len > 0)
        return false;
    free(list->items);
    return true;
}

bool cov__kv_value_free(kv_type type, kv_value *value, size_t budget)
{
    switch (type) {
    case KV_HASH:
        return free_nodes(&value->hash, true, budget);
    case KV_SET:
        return free_nodes(&value->set, false, budget);
    case KV_LIST:
        return free_items(&value->list, budget);
    case KV_ZSET:
        return free_nodes(&value->zset.members, false, budget);
    case KV_STRING:
        break;
    }
    free(value->string);
    return true;
}
