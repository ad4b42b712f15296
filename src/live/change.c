/* SPDX-License-Identifier: MIT */
#include "live/change.h"

#include <stdlib.h>

static const cov_str types[] = {
    [COV_CHANGE_CREATE] = COV_STR_INIT("create"),
    [COV_CHANGE_UPDATE] = COV_STR_INIT("update"),
    [COV_CHANGE_DELETE] = COV_STR_INIT("delete"),
};

cov_str cov_change_type(cov_change_kind kind)
{
    return types[kind];
}

cov_change_kind cov_change_kind_of(cov_str type)
{
    if (cov_str_eq(type, types[COV_CHANGE_CREATE]))
        return COV_CHANGE_CREATE;
    return cov_str_eq(type, types[COV_CHANGE_DELETE]) ? COV_CHANGE_DELETE : COV_CHANGE_UPDATE;
}

static bool has_text(const cov_value *v)
{
    return v->type == COV_TEXT || v->type == COV_BLOB;
}

static size_t text_bytes(const cov_value *row, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; row != NULL && i < n; i++)
        if (has_text(&row[i]))
            bytes += row[i].s.len;
    return bytes;
}

static cov_str copy_text(char **at, cov_str s)
{
    cov_str copy = cov_str_of(s.ptr != NULL ? *at : NULL, s.len);

    if (s.len != 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return copy;
}

static const cov_value *copy_row(cov_value *to, char **text, const cov_value *row, size_t n)
{
    if (row == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        to[i] = row[i];
        if (has_text(&row[i]))
            to[i].s = copy_text(text, row[i].s);
    }
    return to;
}

/* The block: the change, both rows' values, then all texts. */
cov_change *cov_change_new(const cov_change *from, size_t n_columns)
{
    size_t n_rows = (from->before != NULL ? 1u : 0u) + (from->after != NULL ? 1u : 0u);
    size_t bytes = sizeof(cov_change) + n_rows * n_columns * sizeof(cov_value) + from->id.len +
                   from->user_id.len + from->optimistic_id.len +
                   text_bytes(from->before, n_columns) + text_bytes(from->after, n_columns);
    cov_change *change = malloc(bytes);
    cov_value *values = (cov_value *)(void *)(change + 1);
    char *text = (char *)(values + n_rows * n_columns);

    if (change == NULL)
        return NULL;
    memcpy(change, from, sizeof *change);
    atomic_init(&change->refs, 1);
    change->bytes = bytes;
    change->id = copy_text(&text, from->id);
    change->user_id = copy_text(&text, from->user_id);
    change->optimistic_id = copy_text(&text, from->optimistic_id);
    change->before = copy_row(values, &text, from->before, n_columns);
    if (from->before != NULL)
        values += n_columns;
    change->after = copy_row(values, &text, from->after, n_columns);
    return change;
}

cov_change *cov_change_retain(cov_change *change)
{
    atomic_fetch_add_explicit(&change->refs, 1, memory_order_relaxed);
    return change;
}

void cov_change_release(cov_change *change)
{
    if (change != NULL && atomic_fetch_sub_explicit(&change->refs, 1, memory_order_acq_rel) == 1)
        free(change);
}
