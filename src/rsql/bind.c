/* SPDX-License-Identifier: MIT */
/*
 * Syntax tree + table -> bound predicate: columns, operator support, coercion (sections 6 and 7).
 *
 * Every operand of the tree is bound before constants are folded, so an error anywhere is reported even
 * where the rest already decides the outcome.
 */
#include "rsql/leaf.h"

static const cov_rsql_expr never = { .kind = COV__EXPR_NEVER };
static const cov_rsql_expr always = { .kind = COV__EXPR_ALWAYS };

const cov_rsql_expr *cov_rsql_none(void)
{
    return &never;
}

static cov_status find_column(cov__binder *b, const cov_rsql_node *node, cov__path *out)
{
    cov_str selector = node->compare.selector;

    out->n = 0;
    out->column = cov_table_column(b->table, selector);
    if (out->column != NULL)
        return COV_OK;
    if (cov_str_find(selector, '.', 0) < selector.len)
        return cov__rsql_find_path(b, node, out);
    return COV__RSQL_FAIL(b->err, node->compare.offset, "Unknown column: %.*s",
                          COV_STR_ARG(selector));
}

static cov_status bind_compare(cov__binder *b, const cov_rsql_node *node, const cov_rsql_expr **out)
{
    cov__path path;
    cov_rsql_expr *leaf;
    cov_status st = find_column(b, node, &path);

    if (st != COV_OK)
        return st;
    leaf = COV_NEW(b->arena, cov_rsql_expr);
    if (leaf == NULL)
        return cov_fail_nomem(b->err);
    leaf->column = path.column;
    leaf->text_affinity = cov__rsql_text_affinity(path.column->declared);
    st = node->compare.op.custom != NULL ? cov__rsql_bind_custom(b, node, leaf)
                                         : cov__rsql_bind_leaf(b, node, path.column, leaf);
    return st == COV_OK ? cov__rsql_wrap_path(b, &path, leaf, out) : st;
}

static cov_rsql_expr *new_chain(cov_arena *arena, cov__expr_kind kind, size_t cap)
{
    cov_rsql_expr *chain = COV_NEW(arena, cov_rsql_expr);

    if (chain == NULL)
        return NULL;
    chain->kind = kind;
    chain->kids.items = cov_arena_calloc(arena, cap, sizeof *chain->kids.items);
    return chain->kids.items != NULL ? chain : NULL;
}

/*
 * Add an operand; false when it decides the whole chain. The neutral constant is left out, and a chain of
 * the same kind is not flattened here: to_sql.c writes it without parentheses anyway.
 */
static bool chain_add(cov_rsql_expr *chain, const cov_rsql_expr *operand)
{
    bool is_and = chain->kind == COV__EXPR_AND;

    if (operand->kind == (is_and ? COV__EXPR_NEVER : COV__EXPR_ALWAYS))
        return false;
    if (operand->kind != (is_and ? COV__EXPR_ALWAYS : COV__EXPR_NEVER))
        chain->kids.items[chain->kids.count++] = operand;
    return true;
}

static const cov_rsql_expr *chain_result(const cov_rsql_expr *chain, bool decided)
{
    bool is_and = chain->kind == COV__EXPR_AND;

    if (decided)
        return is_and ? &never : &always;
    if (chain->kids.count == 0)
        return is_and ? &always : &never;
    return chain->kids.count == 1 ? chain->kids.items[0] : chain;
}

static cov_status bind_node(cov__binder *b, const cov_rsql_node *node, size_t depth,
                            const cov_rsql_expr **out);

static cov_status bind_chain(cov__binder *b, const cov_rsql_node *node, size_t depth,
                             const cov_rsql_expr **out)
{
    cov__expr_kind kind = node->kind == COV__NODE_AND ? COV__EXPR_AND : COV__EXPR_OR;
    cov_rsql_expr *chain = new_chain(b->arena, kind, node->chain.count);
    bool decided = false;

    if (chain == NULL)
        return cov_fail_nomem(b->err);
    if (depth > COV__EXPR_MAX_DEPTH)
        return COV__RSQL_FAIL(b->err, COV_NO_OFFSET, "Filter is too deeply nested");
    for (const cov_rsql_node *n = node->chain.first; n != NULL; n = n->next) {
        const cov_rsql_expr *operand = NULL;
        cov_status st = bind_node(b, n, depth + 1, &operand);

        if (st != COV_OK)
            return st;
        decided |= !chain_add(chain, operand);
    }
    *out = chain_result(chain, decided);
    return COV_OK;
}

static cov_status bind_node(cov__binder *b, const cov_rsql_node *node, size_t depth,
                            const cov_rsql_expr **out)
{
    switch (node->kind) {
    case COV__NODE_AND:
    case COV__NODE_OR:
        return bind_chain(b, node, depth, out);
    case COV__NODE_COMPARE:
        return bind_compare(b, node, out);
    case COV__NODE_ALL:
        *out = &always;
        return COV_OK;
    case COV__NODE_NONE:
        break;
    }
    *out = &never;
    return COV_OK;
}

cov_status cov_rsql_bind_scope(cov_arena *arena, const cov_rsql_node *node, const cov_table *table,
                               const cov_host *host, const cov_rsql_vars *vars,
                               const cov_rsql_paths *paths, const cov_rsql_expr **out,
                               cov_error *err)
{
    cov__binder b = { arena, table, host, vars, paths, err };
    const cov_rsql_expr *expr = NULL;
    cov_status st = COV_OK;

    if (node != NULL)
        st = bind_node(&b, node, 0, &expr);
    if (st == COV_OK)
        *out = expr;
    return st;
}

cov_status cov_rsql_bind(cov_arena *arena, const cov_rsql_node *node, const cov_table *table,
                         const cov_host *host, const cov_rsql_vars *vars, const cov_rsql_expr **out,
                         cov_error *err)
{
    return cov_rsql_bind_scope(arena, node, table, host, vars, NULL, out, err);
}

const cov_rsql_expr *cov_rsql_and(cov_arena *arena, const cov_rsql_expr *a, const cov_rsql_expr *b,
                                  bool *ok)
{
    cov_rsql_expr *chain;
    bool decided;

    *ok = true;
    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    chain = new_chain(arena, COV__EXPR_AND, 2);
    if (chain == NULL) {
        *ok = false;
        return NULL;
    }
    decided = !chain_add(chain, a);
    decided |= !chain_add(chain, b);
    return chain_result(chain, decided);
}
