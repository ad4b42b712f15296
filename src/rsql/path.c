/* SPDX-License-Identifier: MIT */
/*
 * Relation paths of scopes (spec/02 section 10): "organization.members.userId" to nested conditions on related rows.
 *
 * A table may stand on a path once, so a table's own name always means the nearest one in the SQL.
 */
#include "rsql/expr.h"
#include "rsql/leaf.h"

static size_t count_dots(cov_str selector)
{
    size_t n = 0;

    for (size_t i = 0; i < selector.len; i++)
        n += selector.ptr[i] == '.';
    return n;
}

/* Two resources may call one table's columns differently: tables are the same by name. */
static bool was_visited(const cov__binder *b, const cov__path *path, const cov_table *table)
{
    if (cov_str_eq(b->table->name, table->name))
        return true;
    for (size_t i = 0; i < path->n; i++)
        if (cov_str_eq(path->hops[i]->target->name, table->name))
            return true;
    return false;
}

static cov_status add_hop(const cov__binder *b, const cov_rsql_node *node, cov_str name,
                          cov__path *path)
{
    const cov_rsql_hop *last = path->n != 0 ? path->hops[path->n - 1] : NULL;
    const cov_table *table = last != NULL ? last->target : b->table;
    const cov_rsql_hop *hop = NULL;

    if (b->paths != NULL && (last == NULL || last->next != NULL))
        hop = b->paths->hop(last != NULL ? last->next : b->paths->root, name);
    if (hop == NULL)
        return COV__RSQL_FAIL(b->err, node->compare.offset, "Unknown relation '%.*s' on '%.*s'",
                              COV_STR_ARG(name), COV_STR_ARG(table->name));
    if (was_visited(b, path, hop->target))
        return COV__RSQL_FAIL(b->err, node->compare.offset, "Cyclic relation path through '%.*s'",
                              COV_STR_ARG(hop->target->name));
    path->hops[path->n++] = hop;
    return COV_OK;
}

cov_status cov__rsql_find_path(const cov__binder *b, const cov_rsql_node *node, cov__path *out)
{
    cov_str rest = node->compare.selector;
    size_t n = count_dots(rest);
    cov_status st = COV_OK;

    out->n = 0;
    if (n > COV_RSQL_MAX_HOPS)
        return COV__RSQL_FAIL(b->err, node->compare.offset,
                              "Relation path too deep (max %d relations): %.*s",
                              (int)COV_RSQL_MAX_HOPS, COV_STR_ARG(rest));
    for (size_t i = 0; st == COV_OK && i < n; i++) {
        size_t dot = cov_str_find(rest, '.', 0);

        st = add_hop(b, node, cov_str_slice(rest, 0, dot), out);
        rest = cov_str_slice(rest, dot + 1, rest.len);
    }
    if (st != COV_OK)
        return st;
    out->column = cov_table_column(out->hops[n - 1]->target, rest);
    if (out->column != NULL)
        return COV_OK;
    return COV__RSQL_FAIL(b->err, node->compare.offset,
                          "Unknown column '%.*s' on relation target '%.*s'", COV_STR_ARG(rest),
                          COV_STR_ARG(out->hops[n - 1]->target->name));
}

cov_status cov__rsql_wrap_path(const cov__binder *b, const cov__path *path,
                               const cov_rsql_expr *leaf, const cov_rsql_expr **out)
{
    for (size_t i = path->n; i-- > 0 && leaf->kind != COV__EXPR_NEVER;) {
        cov_rsql_expr *exists = COV_NEW(b->arena, cov_rsql_expr);

        if (exists == NULL)
            return cov_fail_nomem(b->err);
        exists->kind = COV__EXPR_EXISTS;
        exists->exists.hop = path->hops[i];
        exists->exists.outer = i != 0 ? path->hops[i - 1]->target->quoted : b->table->quoted;
        exists->exists.where = leaf;
        leaf = exists;
    }
    *out = leaf;
    return COV_OK;
}

bool cov_rsql_needs_db(const cov_rsql_expr *expr)
{
    bool needs = expr != NULL && expr->kind == COV__EXPR_EXISTS;

    if (expr != NULL && (expr->kind == COV__EXPR_AND || expr->kind == COV__EXPR_OR))
        for (size_t i = 0; i < expr->kids.count && !needs; i++)
            needs = cov_rsql_needs_db(expr->kids.items[i]);
    return needs;
}
