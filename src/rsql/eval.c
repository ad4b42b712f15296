/* SPDX-License-Identifier: MIT */
/*
 * The bound predicate on one row, with Kleene's three values.
 *
 * Comparison is SQLite's: NULL is unknown, numbers sort before text before blobs, an integer and a double compare
 * exactly, text and blobs by bytes.
 */
#include "base/num.h"
#include "base/utf8.h"
#include "rsql/expr.h"
#include "rsql/text_ops.h"

enum { SCRATCH_BYTES = 512 };

typedef struct evaluation {
    const cov_value *row;
    const cov_host *host;
    cov_buf scratch; /* starts on the stack, grows into the caller's arena */
    char number[COV_NUM_TEXT_BYTES];
} evaluation;

static cov_tri tri(bool value)
{
    return value ? COV_TRUE : COV_FALSE;
}

static cov_tri not_if(bool negate, cov_tri value)
{
    if (!negate || value == COV_UNKNOWN)
        return value;
    return value == COV_TRUE ? COV_FALSE : COV_TRUE;
}

static int storage_rank(cov_value_type type)
{
    return type == COV_BLOB ? 2 : type == COV_TEXT ? 1 : 0;
}

static int compare_doubles(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* Neither is NULL. */
static int compare_values(const cov_value *a, const cov_value *b)
{
    int rank = storage_rank(a->type);

    if (rank != storage_rank(b->type))
        return rank - storage_rank(b->type);
    if (rank != 0)
        return cov_str_compare(a->s, b->s);
    if (a->type == COV_INT && b->type == COV_INT)
        return a->i < b->i ? -1 : a->i > b->i;
    if (a->type == COV_INT)
        return cov_compare_int_double(a->i, b->r);
    if (b->type == COV_INT)
        return -cov_compare_int_double(b->i, a->r);
    return compare_doubles(a->r, b->r);
}

static bool relation_holds(cov__rel rel, int order)
{
    switch (rel) {
    case COV__EQ:
        return order == 0;
    case COV__NE:
        return order != 0;
    case COV__LT:
        return order < 0;
    case COV__LE:
        return order <= 0;
    case COV__GT:
        return order > 0;
    case COV__GE:
        return order >= 0;
    }
    return false;
}

/* SQLite stores no NaN. */
static cov_value stored(const evaluation *ev, const cov_rsql_expr *e)
{
    cov_value v = ev->row[e->column->index];

    return v.type == COV_REAL && v.r != v.r ? cov_value_null() : v;
}

static cov_value view_of(evaluation *ev, const cov_rsql_expr *e)
{
    cov_value v = stored(ev, e);
    cov_str text;

    if (e->view == COV__VIEW_RAW || v.type == COV_NULL)
        return v;
    if (!cov__value_text(&v, ev->number, &text))
        return e->view == COV__VIEW_LENGTH ? cov_value_null() : v;
    if (e->view == COV__VIEW_LENGTH)
        return cov_value_int((int64_t)cov_utf8_count(text));
    if (e->view == COV__VIEW_LOWER)
        text = cov__text_lower(text, &ev->scratch);
    return text.ptr != NULL ? cov_value_text(text) : cov_value_null();
}

static cov_tri eval_compare(evaluation *ev, const cov_rsql_expr *e)
{
    cov_value v = view_of(ev, e);

    if (v.type == COV_NULL)
        return COV_UNKNOWN;
    return tri(relation_holds((cov__rel)e->arg, compare_values(&v, &e->values.items[0])));
}

static cov_tri eval_between(evaluation *ev, const cov_rsql_expr *e)
{
    cov_value v = view_of(ev, e);

    if (v.type == COV_NULL)
        return COV_UNKNOWN;
    return not_if(e->negate, tri(compare_values(&v, &e->values.items[0]) >= 0 &&
                                 compare_values(&v, &e->values.items[1]) <= 0));
}

static bool is_word(uint8_t words, const cov_value *v, char number[COV_NUM_TEXT_BYTES])
{
    cov_str text;

    if (words == 0 || !cov__value_text(v, number, &text))
        return false;
    if ((words & COV__WORD_TRUE) != 0 &&
        (cov_str_eq_nocase(text, COV_STR("true")) || cov_str_eq(text, COV_STR("1"))))
        return true;
    return (words & COV__WORD_FALSE) != 0 &&
           (cov_str_eq_nocase(text, COV_STR("false")) || cov_str_eq(text, COV_STR("0")));
}

static cov_tri eval_in(evaluation *ev, const cov_rsql_expr *e)
{
    cov_value v = view_of(ev, e);
    bool found;

    if (v.type == COV_NULL)
        return COV_UNKNOWN;
    found = is_word(e->words, &v, ev->number);
    for (size_t i = 0; i < e->values.count && !found; i++)
        found = compare_values(&v, &e->values.items[i]) == 0;
    return not_if(e->negate, tri(found));
}

static cov_tri eval_match(evaluation *ev, const cov_rsql_expr *e)
{
    cov_value v = stored(ev, e);
    cov_str text;
    bool matches;

    if (!cov__value_text(&v, ev->number, &text))
        return COV_UNKNOWN;
    if (e->arg == COV__REGEX)
        matches = ev->host->regex(ev->host->self, e->pattern, e->icase, text) == 1;
    else
        matches = cov__text_match((cov__match)e->arg, e->icase, e->pattern, text, &ev->scratch);
    return not_if(e->negate, tri(matches));
}

/* Where SQL would say unknown this says false: nothing above a leaf can tell. */
static cov_tri eval_custom(const evaluation *ev, const cov_rsql_expr *e)
{
    cov_value v = stored(ev, e);

    return tri(e->custom->match(&v, e->values.items, e->values.count, e->custom->self));
}

static cov_tri eval_expr(evaluation *ev, const cov_rsql_expr *e);

/* The deciding value ends the chain at once; an unknown operand only spoils the other outcome. */
static cov_tri eval_chain(evaluation *ev, const cov_rsql_expr *e)
{
    cov_tri deciding = e->kind == COV__EXPR_AND ? COV_FALSE : COV_TRUE;
    cov_tri result = e->kind == COV__EXPR_AND ? COV_TRUE : COV_FALSE;

    for (size_t i = 0; i < e->kids.count; i++) {
        cov_tri value = eval_expr(ev, e->kids.items[i]);

        if (value == deciding)
            return deciding;
        if (value == COV_UNKNOWN)
            result = COV_UNKNOWN;
    }
    return result;
}

static cov_tri eval_expr(evaluation *ev, const cov_rsql_expr *e)
{
    cov_value v;

    switch (e->kind) {
    case COV__EXPR_AND:
    case COV__EXPR_OR:
        return eval_chain(ev, e);
    case COV__EXPR_NEVER:
        break;
    case COV__EXPR_ALWAYS:
        return COV_TRUE;
    case COV__EXPR_IS_NULL:
        return not_if(e->negate, tri(stored(ev, e).type == COV_NULL));
    case COV__EXPR_IS_EMPTY:
        v = stored(ev, e);
        return not_if(e->negate, tri(v.type == COV_NULL || (v.type == COV_TEXT && v.s.len == 0)));
    case COV__EXPR_COMPARE:
        return eval_compare(ev, e);
    case COV__EXPR_IN:
        return eval_in(ev, e);
    case COV__EXPR_BETWEEN:
        return eval_between(ev, e);
    case COV__EXPR_MATCH:
        return eval_match(ev, e);
    case COV__EXPR_CUSTOM:
        return eval_custom(ev, e);
    case COV__EXPR_EXISTS:
        return COV_UNKNOWN;
    }
    return COV_FALSE;
}

cov_tri cov_rsql_eval(const cov_rsql_expr *expr, const cov_value *row, const cov_host *host,
                      cov_arena *arena)
{
    char stack[SCRATCH_BYTES];
    evaluation ev = { .row = row, .host = host };

    if (expr == NULL)
        return COV_TRUE;
    ev.scratch.ptr = stack;
    ev.scratch.cap = sizeof stack;
    ev.scratch.arena = arena;
    return eval_expr(&ev, expr);
}
