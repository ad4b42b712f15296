/* SPDX-License-Identifier: MIT */
/* Placeholders of a scope: their values become literals before anything else looks at them. */
#include "rsql/leaf.h"

/* What cannot be written as a literal counts as unknown. */
static void literal_of(const cov_value *value, cov__literal *out)
{
    out->kind = COV__LIT_UNKNOWN;
    switch (value->type) {
    case COV_NULL:
        out->kind = COV__LIT_NULL;
        break;
    case COV_INT:
        out->kind = COV__LIT_INT;
        out->i = value->i;
        break;
    case COV_REAL:
        out->kind = value->r == value->r ? COV__LIT_REAL : COV__LIT_UNKNOWN;
        out->r = value->r;
        break;
    case COV_TEXT:
        out->kind = COV__LIT_STRING;
        out->text = value->s;
        break;
    case COV_BLOB:
        break;
    }
}

static cov_status list_value(const cov__binder *b, cov_str path, cov__literal *out)
{
    const cov_value *values = NULL;
    cov__literal *items;
    size_t n = 0;

    if (b->vars->list == NULL || !b->vars->list(b->vars->self, path, b->arena, &values, &n) ||
        n == 0)
        return COV_OK;
    items = COV_NEW_ARRAY(b->arena, cov__literal, n);
    if (items == NULL)
        return cov_fail_nomem(b->err);
    for (size_t i = 0; i < n; i++) {
        literal_of(&values[i], &items[i]);
        items[i].next = i + 1 < n ? &items[i + 1] : NULL;
    }
    out->kind = COV__LIT_LIST;
    out->list.first = items;
    out->list.count = n;
    return COV_OK;
}

/* NULL as a value is no value: `owner=={user.team}` must not find the rows without an owner. */
static cov_status placeholder_value(const cov__binder *b, cov_str path, cov__literal *out)
{
    cov_value value = cov_value_null();

    out->kind = COV__LIT_UNKNOWN;
    if (b->vars == NULL)
        return COV_OK;
    if (!b->vars->get(b->vars->self, path, &value))
        return list_value(b, path, out);
    if (value.type != COV_NULL)
        literal_of(&value, out);
    return COV_OK;
}

static bool has_placeholder(const cov__literal *literal)
{
    bool found = literal->kind == COV__LIT_PLACEHOLDER;

    if (literal->kind == COV__LIT_LIST)
        for (const cov__literal *e = literal->list.first; e != NULL && !found; e = e->next)
            found = has_placeholder(e);
    return found;
}

/* Lists nest no deeper than the lexer allows. */
cov_status cov__rsql_resolve(const cov__binder *b, const cov__literal *in, cov__literal *out)
{
    cov__literal **tail = &out->list.first;

    *out = *in;
    out->next = NULL;
    if (in->kind == COV__LIT_PLACEHOLDER)
        return placeholder_value(b, in->text, out);
    if (!has_placeholder(in))
        return COV_OK;
    for (const cov__literal *e = in->list.first; e != NULL; e = e->next) {
        cov_status st;

        *tail = COV_NEW(b->arena, cov__literal);
        if (*tail == NULL)
            return cov_fail_nomem(b->err);
        if ((st = cov__rsql_resolve(b, e, *tail)) != COV_OK)
            return st;
        tail = &(*tail)->next;
    }
    return COV_OK;
}
