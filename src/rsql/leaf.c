/* SPDX-License-Identifier: MIT */
/* What each operator means for a column: support, list arity, coercion (spec/02 sections 6 and 7). */
#include "rsql/leaf.h"

#include "base/utf8.h"

typedef struct leaf {
    cov__binder *b;
    const cov_rsql_node *node;
    const cov__op *op;
    cov_str token;
    const cov_column *column;
    cov__literal literal; /* the value, its placeholders resolved */
    cov_rsql_expr *out;
} leaf;

/* The last step of every rule. */
static cov_status settle(leaf *l, cov__expr_kind kind)
{
    l->out->kind = kind;
    return COV_OK;
}

static cov_status null_test(leaf *l, bool negate)
{
    l->out->negate = negate;
    return settle(l, COV__EXPR_IS_NULL);
}

static cov_status fail_support(leaf *l)
{
    return COV__RSQL_FAIL(l->b->err, l->node->compare.offset,
                          "Operator '%.*s' is not supported for column '%.*s'",
                          COV_STR_ARG(l->token), COV_STR_ARG(l->column->name));
}

static cov_status fail_plain(leaf *l, const char *message)
{
    return COV__RSQL_FAIL(l->b->err, l->node->compare.offset, "%s", message);
}

/* Its value is the user's; how many there are is then no mistake of the scope. */
static bool is_given(const leaf *l)
{
    return l->node->compare.value.kind == COV__LIT_PLACEHOLDER;
}

static bool set_operands(leaf *l, const cov_value *values, size_t count)
{
    cov_value *items = COV_NEW_ARRAY(l->b->arena, cov_value, count);

    if (items == NULL)
        return false;
    memcpy(items, values, count * sizeof *items);
    l->out->values.items = items;
    l->out->values.count = count;
    return true;
}

static bool has_text_view(const cov_column *column)
{
    return column->class_ == COV_CLASS_TEXT || column->class_ == COV_CLASS_JSON;
}

/* view rel value */
static cov_status compare(leaf *l, cov__view view, cov__rel rel, cov_value value)
{
    l->out->view = view;
    l->out->arg = (int)rel;
    if (!set_operands(l, &value, 1))
        return cov_fail_nomem(l->b->err);
    return settle(l, COV__EXPR_COMPARE);
}

static cov_status compare_stored(leaf *l, cov__rel rel, cov_value value)
{
    return compare(l, has_text_view(l->column) ? COV__VIEW_TEXT : COV__VIEW_RAW, rel, value);
}

/* --- boolean columns: an operator is a set of accepted truth values --- */

enum { ACCEPT_FALSE = 1, ACCEPT_TRUE = 2, ACCEPT_ANY = 3 };

static unsigned accept_relation(cov__rel rel, int64_t than)
{
    /* Below `than`, at it, above it. */
    unsigned below = than == 1 ? ACCEPT_FALSE : 0;
    unsigned at = than == 1 ? ACCEPT_TRUE : ACCEPT_FALSE;
    unsigned above = than == 1 ? 0 : ACCEPT_TRUE;

    switch (rel) {
    case COV__EQ:
        return at;
    case COV__NE:
        return below | above;
    case COV__LT:
        return below;
    case COV__LE:
        return below | at;
    case COV__GT:
        return above;
    case COV__GE:
        return at | above;
    }
    return 0;
}

/* True is stored as 1; every other value that is not NULL reads as false. */
static cov_status accept(leaf *l, unsigned accepted)
{
    if (accepted == 0)
        return settle(l, COV__EXPR_NEVER);
    if (accepted == ACCEPT_ANY)
        return null_test(l, true);
    return compare(l, COV__VIEW_RAW, accepted == ACCEPT_TRUE ? COV__EQ : COV__NE, cov_value_int(1));
}

/* --- ==, !=, =in=, =out= --- */

typedef struct value_set {
    cov_value *items;
    size_t count;
    size_t cap;
    uint8_t words;
    bool has_null;
    bool has_unknown;
} value_set;

size_t cov__rsql_count_scalars(const cov__literal *literal)
{
    size_t count = 0;

    if (literal->kind != COV__LIT_LIST)
        return 1;
    for (const cov__literal *e = literal->list.first; e != NULL; e = e->next)
        count += cov__rsql_count_scalars(e);
    return count;
}

static cov_status collect(leaf *l, const cov__literal *literal, value_set *set)
{
    cov__operand operand;

    if (literal->kind == COV__LIT_LIST) {
        cov_status st = COV_OK;

        for (const cov__literal *e = literal->list.first; e != NULL && st == COV_OK; e = e->next)
            st = collect(l, e, set);
        return st;
    }
    set->has_null |= literal->kind == COV__LIT_NULL;
    set->has_unknown |= literal->kind == COV__LIT_UNKNOWN;
    if (literal->kind == COV__LIT_NULL || literal->kind == COV__LIT_UNKNOWN)
        return COV_OK;
    if (!cov__rsql_coerce(l->b->arena, l->column, literal, true, &operand))
        return cov_fail_nomem(l->b->err);
    set->words |= operand.words;
    for (size_t i = 0; i < operand.n_values; i++)
        set->items[set->count++] = operand.value[i];
    return COV_OK;
}

static cov_status accept_set(leaf *l, const value_set *set)
{
    unsigned accepted = 0;

    for (size_t i = 0; i < set->count; i++)
        accepted |= set->items[i].i != 0 ? ACCEPT_TRUE : ACCEPT_FALSE;
    return accept(l, l->op->negate ? ACCEPT_ANY & ~accepted : accepted);
}

/* `set` holds at least one literal that is neither null nor unknown, or nothing that compares. */
static cov_status member_of(leaf *l, const value_set *set)
{
    if (l->column->class_ == COV_CLASS_BOOL)
        return accept_set(l, set);
    if (set->count == 0 && set->words == 0)
        return l->op->negate ? null_test(l, true) : settle(l, COV__EXPR_NEVER);
    if (set->count == 1 && set->words == 0)
        return compare_stored(l, l->op->negate ? COV__NE : COV__EQ, set->items[0]);
    l->out->view = has_text_view(l->column) ? COV__VIEW_TEXT : COV__VIEW_RAW;
    l->out->negate = l->op->negate;
    l->out->words = set->words;
    l->out->values.items = set->items;
    l->out->values.count = set->count;
    return settle(l, COV__EXPR_IN);
}

static cov_status bind_in(leaf *l)
{
    value_set set = { .cap = 2 * cov__rsql_count_scalars(&l->literal) };
    cov_status st;

    if (set.cap == 0)
        return settle(l, l->op->negate ? COV__EXPR_ALWAYS : COV__EXPR_NEVER);
    set.items = COV_NEW_ARRAY(l->b->arena, cov_value, set.cap);
    if (set.items == NULL)
        return cov_fail_nomem(l->b->err);
    if ((st = collect(l, &l->literal, &set)) != COV_OK)
        return st;
    /* With a null among its elements =out= is never true; a scope must not widen by a missing value. */
    if (l->op->negate && (set.has_null || set.has_unknown))
        return settle(l, COV__EXPR_NEVER);
    return member_of(l, &set);
}

static cov_status bind_equality(leaf *l)
{
    cov_value items[2];
    value_set set = { .items = items, .cap = COV_COUNT_OF(items) };
    cov_status st;

    if (l->literal.kind == COV__LIT_NULL)
        return null_test(l, l->op->negate);
    if (l->column->class_ == COV_CLASS_BLOB)
        return fail_support(l);
    if ((st = collect(l, &l->literal, &set)) != COV_OK)
        return st;
    if (set.count > 1) {
        if (!set_operands(l, items, set.count))
            return cov_fail_nomem(l->b->err);
        set.items = l->out->values.items;
    }
    return member_of(l, &set);
}

/* --- order --- */

/* One value for an order operator; COV_NULL type: incomparable. */
static cov_status order_operand(leaf *l, const cov__literal *literal, cov_value *out)
{
    cov__operand operand;

    *out = cov_value_null();
    if (literal->kind == COV__LIT_NULL || literal->kind == COV__LIT_UNKNOWN)
        return COV_OK;
    if (!cov__rsql_coerce(l->b->arena, l->column, literal, false, &operand))
        return cov_fail_nomem(l->b->err);
    if (operand.n_values != 0)
        *out = operand.value[0];
    return COV_OK;
}

static cov_status bind_order(leaf *l)
{
    cov_value value;
    cov_status st = order_operand(l, &l->literal, &value);

    if (st != COV_OK)
        return st;
    if (value.type == COV_NULL)
        return settle(l, COV__EXPR_NEVER);
    if (l->column->class_ == COV_CLASS_BOOL)
        return accept(l, accept_relation((cov__rel)l->op->arg, value.i));
    return compare_stored(l, (cov__rel)l->op->arg, value);
}

static void flatten(const cov__literal *literal, const cov__literal **out, size_t cap,
                    size_t *count)
{
    if (literal->kind == COV__LIT_LIST) {
        for (const cov__literal *e = literal->list.first; e != NULL; e = e->next)
            flatten(e, out, cap, count);
    } else {
        if (*count < cap)
            out[*count] = literal;
        (*count)++;
    }
}

static cov_status bind_between(leaf *l)
{
    const cov__literal *written[2] = { NULL, NULL };
    cov_value bounds[2];
    size_t count = 0;

    flatten(&l->literal, written, COV_COUNT_OF(written), &count);
    if (count != 2 && is_given(l))
        return settle(l, COV__EXPR_NEVER);
    if (l->literal.kind != COV__LIT_LIST || count != 2)
        return COV__RSQL_FAIL(l->b->err, l->node->compare.offset,
                              "%.*s requires exactly two values", COV_STR_ARG(l->token));
    for (size_t i = 0; i < 2; i++) {
        cov_status st = order_operand(l, written[i], &bounds[i]);

        if (st != COV_OK)
            return st;
    }
    if (bounds[0].type == COV_NULL || bounds[1].type == COV_NULL)
        return settle(l, COV__EXPR_NEVER);
    if (l->column->class_ == COV_CLASS_BOOL) {
        unsigned accepted =
            accept_relation(COV__GE, bounds[0].i) & accept_relation(COV__LE, bounds[1].i);

        return accept(l, l->op->negate ? ACCEPT_ANY & ~accepted : accepted);
    }
    if (!set_operands(l, bounds, 2))
        return cov_fail_nomem(l->b->err);
    l->out->view = has_text_view(l->column) ? COV__VIEW_TEXT : COV__VIEW_RAW;
    l->out->negate = l->op->negate;
    return settle(l, COV__EXPR_BETWEEN);
}

/* --- flags --- */

static bool is_true_flag(const cov__literal *literal)
{
    return literal->kind == COV__LIT_TRUE ||
           (literal->kind == COV__LIT_STRING && cov_str_eq_nocase(literal->text, COV_STR("true")));
}

static cov_status bind_null(leaf *l)
{
    return null_test(l, !is_true_flag(&l->literal));
}

static cov_status bind_empty(leaf *l)
{
    if (l->column->class_ != COV_CLASS_TEXT)
        return bind_null(l);
    l->out->negate = !is_true_flag(&l->literal);
    return settle(l, COV__EXPR_IS_EMPTY);
}

/* --- text operators --- */

/*
 * Many LIKE patterns need no wildcard matcher: "x" is equality, "x%" a prefix, "%x" a suffix, "%x%" a
 * substring. That saves time in both evaluations, lets an index serve, and on D1, where a pattern may
 * have 50 bytes, makes the common ones work. Returns the operator and its literal text, or LIKE.
 */
static cov__match simplify_like(cov_arena *arena, cov_str pattern, cov_str *text)
{
    size_t from = 0;
    size_t len = 0;
    bool open_end = false;
    char *out;

    while (from < pattern.len && pattern.ptr[from] == '%')
        from++;
    out = cov_arena_alloc(arena, pattern.len);
    if (out == NULL)
        return COV__LIKE;
    for (size_t i = from; i < pattern.len; i++) {
        char c = pattern.ptr[i];

        if (c == '%') {
            open_end = true;
            continue;
        }
        if (c == '_' || open_end)
            return COV__LIKE;
        if (c == '\\' && i + 1 < pattern.len)
            c = pattern.ptr[++i];
        out[len++] = c;
    }
    *text = cov_str_of(out, len);
    if (from != 0)
        return open_end || len == 0 ? COV__CONTAINS : COV__ENDS;
    return open_end ? COV__STARTS : COV__SAME;
}

static cov_str lower(cov_arena *arena, cov_str text)
{
    cov_buf buf = COV_BUF_INIT;

    buf.arena = arena;
    cov_utf8_lower(&buf, text);
    if (buf.failed)
        return COV_STR_NULL;
    return buf.ptr != NULL ? cov_buf_view(&buf) : COV_STR("");
}

static cov_status same_text(leaf *l, cov_str text)
{
    cov__view view = l->op->icase ? COV__VIEW_LOWER : COV__VIEW_TEXT;

    l->out->original = text;
    if (l->op->icase)
        text = lower(l->b->arena, text);
    if (text.ptr == NULL)
        return cov_fail_nomem(l->b->err);
    return compare(l, view, l->op->negate ? COV__NE : COV__EQ, cov_value_text(text));
}

static cov_status check_regex(leaf *l, cov_str pattern)
{
    const cov_host *host = l->b->host;

    if (!cov__rsql_regex_ok(pattern) ||
        (host != NULL && host->regex(host->self, pattern, l->op->icase, COV_STR("")) < 0))
        return fail_plain(l, "Invalid regular expression");
    return COV_OK;
}

static cov_status bind_match(leaf *l)
{
    cov__match match = (cov__match)l->op->arg;
    cov_str text;

    if (l->literal.kind == COV__LIT_NULL)
        return settle(l, COV__EXPR_NEVER);
    text = cov__rsql_raw_text(l->b->arena, &l->literal);
    if (text.ptr == NULL)
        return cov_fail_nomem(l->b->err);
    if (match == COV__LIKE)
        match = simplify_like(l->b->arena, text, &text);
    if (match == COV__SAME)
        return same_text(l, text);
    if (match == COV__REGEX) {
        cov_status st = check_regex(l, text);

        if (st != COV_OK)
            return st;
    } else if (text.len == 0 && match != COV__LIKE) { /* the empty text is part of every text */
        return l->op->negate ? settle(l, COV__EXPR_NEVER) : null_test(l, true);
    }
    l->out->original = text;
    l->out->pattern = l->op->icase && match != COV__REGEX ? lower(l->b->arena, text) : text;
    if (l->out->pattern.ptr == NULL)
        return cov_fail_nomem(l->b->err);
    l->out->arg = (int)match;
    l->out->icase = l->op->icase;
    l->out->negate = l->op->negate;
    return settle(l, COV__EXPR_MATCH);
}

static cov_status bind_length(leaf *l)
{
    cov_value length = cov_value_null();

    switch (l->literal.kind) {
    case COV__LIT_NULL:
        return settle(l, COV__EXPR_NEVER);
    case COV__LIT_INT:
        length = cov_value_int(l->literal.i);
        break;
    case COV__LIT_REAL:
        length = cov_value_real(l->literal.r);
        break;
    case COV__LIT_STRING:
        length = cov__rsql_number(l->literal.text);
        break;
    default:
        break;
    }
    if (length.type == COV_NULL)
        return fail_plain(l, "Invalid length value");
    return compare(l, COV__VIEW_LENGTH, (cov__rel)l->op->arg, length);
}

/* --- the choice --- */

static cov_status (*const bind_rules[])(leaf *) = {
    [COV__OP_EQUALITY] = bind_equality,
    [COV__OP_ORDER] = bind_order,
    [COV__OP_IN] = bind_in,
    [COV__OP_BETWEEN] = bind_between,
    [COV__OP_NULL] = bind_null,
    [COV__OP_EMPTY] = bind_empty,
    [COV__OP_MATCH] = bind_match,
    [COV__OP_LENGTH] = bind_length,
};

static cov_status bind_value(leaf *l)
{
    bool takes_list = l->op->kind == COV__OP_IN || l->op->kind == COV__OP_BETWEEN;

    if ((l->op->classes & (1u << l->column->class_)) == 0)
        return fail_support(l);
    if (l->literal.kind == COV__LIT_LIST && !takes_list && !is_given(l))
        return COV__RSQL_FAIL(l->b->err, l->node->compare.offset,
                              "Operator '%.*s' does not accept a list", COV_STR_ARG(l->token));
    if (l->literal.kind == COV__LIT_UNKNOWN || (l->literal.kind == COV__LIT_LIST && !takes_list))
        return settle(l, COV__EXPR_NEVER);
    return bind_rules[l->op->kind](l);
}

cov_status cov__rsql_bind_leaf(cov__binder *b, const cov_rsql_node *node, const cov_column *column,
                               cov_rsql_expr *out)
{
    leaf l = {
        .b = b,
        .node = node,
        .op = &cov__rsql_ops[node->compare.op.builtin],
        .token = cov_rsql_operators[node->compare.op.builtin],
        .column = column,
        .out = out,
    };

    cov_status st = cov__rsql_resolve(b, &node->compare.value, &l.literal);

    return st == COV_OK ? bind_value(&l) : st;
}
