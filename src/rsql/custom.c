/* SPDX-License-Identifier: MIT */
/* Operators of the application (spec/02 section 11): which tokens will do, binding one comparison. */
#include "rsql/leaf.h"

/* --- tokens --- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* =name= */
static bool is_word_token(cov_str token)
{
    if (token.len < 3 || token.ptr[0] != '=' || token.ptr[token.len - 1] != '=' ||
        !is_letter(token.ptr[1]))
        return false;
    for (size_t i = 2; i + 1 < token.len; i++)
        if (!is_letter(token.ptr[i]) && !(token.ptr[i] >= '0' && token.ptr[i] <= '9'))
            return false;
    return true;
}

/*
 * ASCII symbols only, and none that would end or begin something else. An underscore counts as a
 * letter: a selector would swallow it.
 */
static bool is_symbol_token(cov_str token)
{
    static const char refused[] = "\"'`()[]{};,_";

    for (size_t i = 0; i < token.len; i++) {
        char c = token.ptr[i];
        bool alphanumeric = is_letter(c) || (c >= '0' && c <= '9');

        if (c <= ' ' || c > '~' || alphanumeric || strchr(refused, c) != NULL)
            return false;
    }
    return token.len != 0;
}

const char *cov_rsql_custom_fault(const cov_operator *custom, size_t at)
{
    cov_str token = cov_str_from(custom[at].token);

    if (!is_word_token(token) && !is_symbol_token(token))
        return "the token must be a word between equal signs (\"=has=\") or consist of symbols other than quotes, "
               "brackets, ';' and ','";
    for (size_t i = 0; i < cov_rsql_n_operators; i++) {
        if (cov_str_eq(token, cov_rsql_operators[i]))
            return "the token is that of a built-in operator";
        if (cov_str_starts(token, cov_rsql_operators[i]))
            return "the token begins with a built-in operator and would never be reached";
    }
    for (size_t i = 0; i < at; i++) {
        cov_str earlier = cov_str_from(custom[i].token);

        if (cov_str_eq(token, earlier))
            return "the token is used twice";
        if (cov_str_starts(token, earlier))
            return "the token begins with one declared before it and would never be reached";
    }
    if (custom[at].to_sql == NULL)
        return "to_sql is missing";
    return custom[at].match != NULL ? NULL : "match is missing";
}

/* --- binding --- */

/* The literal as the callbacks see it, with its text in the arena. False: out of memory. */
static bool operand(cov_arena *arena, const cov__literal *literal, cov_value *out)
{
    switch (literal->kind) {
    case COV__LIT_TRUE:
    case COV__LIT_FALSE:
        *out = cov_value_int(literal->kind == COV__LIT_TRUE);
        break;
    case COV__LIT_INT:
        *out = cov_value_int(literal->i);
        break;
    case COV__LIT_REAL:
        *out = cov_value_real(literal->r);
        break;
    case COV__LIT_STRING:
        *out = cov_value_text(cov_arena_str(arena, literal->text));
        return out->s.ptr != NULL;
    default:
        *out = cov_value_null();
        break;
    }
    return true;
}

static cov_status collect(cov__binder *b, const cov__literal *literal, cov_rsql_expr *out,
                          bool *unknown)
{
    cov_status st = COV_OK;

    if (literal->kind == COV__LIT_LIST) {
        for (const cov__literal *e = literal->list.first; e != NULL && st == COV_OK; e = e->next)
            st = collect(b, e, out, unknown);
        return st;
    }
    *unknown |= literal->kind == COV__LIT_UNKNOWN;
    if (!operand(b->arena, literal, &out->values.items[out->values.count]))
        return cov_fail_nomem(b->err);
    out->values.count++;
    return COV_OK;
}

cov_status cov__rsql_bind_custom(cov__binder *b, const cov_rsql_node *node, cov_rsql_expr *out)
{
    bool unknown = false;
    cov__literal value;
    cov_status st = cov__rsql_resolve(b, &node->compare.value, &value);

    if (st != COV_OK)
        return st;
    /* One more than needed: an empty list, too, gets an address. */
    out->values.items = COV_NEW_ARRAY(b->arena, cov_value, cov__rsql_count_scalars(&value) + 1);
    if (out->values.items == NULL)
        return cov_fail_nomem(b->err);
    st = collect(b, &value, out, &unknown);
    out->custom = node->compare.op.custom;
    /* The operator may be a negative one: a scope must not widen by a missing value. */
    out->kind = unknown ? COV__EXPR_NEVER : COV__EXPR_CUSTOM;
    return st;
}
