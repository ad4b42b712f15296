/* SPDX-License-Identifier: MIT */
/*
 * Bound predicates as things to keep, compare and look up: copies in one block, bytes that tell two apart, and the
 * equalities that every matching row fulfils.
 */
#include <stdalign.h>

#include "rsql/expr.h"

/* ---- copies ---- */

/* With `at` NULL nothing is written and `used` counts, so that size and copy cannot drift apart. */
typedef struct block {
    char *at;
    size_t used;
} block;

static void *take(block *b, size_t size)
{
    size_t start =
        (b->used + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);

    b->used = start + size;
    return b->at != NULL ? b->at + start : NULL;
}

static cov_str copy_text(block *b, cov_str s)
{
    char *to = take(b, s.len);

    if (to != NULL && s.len != 0)
        memcpy(to, s.ptr, s.len);
    return cov_str_of(to, s.len);
}

static bool has_values(const cov_rsql_expr *e)
{
    return e->kind == COV__EXPR_COMPARE || e->kind == COV__EXPR_IN ||
           e->kind == COV__EXPR_BETWEEN || e->kind == COV__EXPR_CUSTOM;
}

static bool has_kids(const cov_rsql_expr *e)
{
    return e->kind == COV__EXPR_AND || e->kind == COV__EXPR_OR;
}

static void copy_values(block *b, const cov_rsql_expr *e, cov_rsql_expr *to)
{
    cov_value *items = take(b, e->values.count * sizeof *items);

    for (size_t i = 0; i < e->values.count; i++) {
        const cov_value *v = &e->values.items[i];
        cov_value copy = *v;

        if (v->type == COV_TEXT || v->type == COV_BLOB)
            copy.s = copy_text(b, v->s);
        if (items != NULL)
            items[i] = copy;
    }
    if (to != NULL)
        to->values.items = items;
}

static const cov_rsql_expr *copy_expr(block *b, const cov_rsql_expr *e);

static void copy_kids(block *b, const cov_rsql_expr *e, cov_rsql_expr *to)
{
    const cov_rsql_expr **items = take(b, e->kids.count * sizeof(*items));

    for (size_t i = 0; i < e->kids.count; i++) {
        const cov_rsql_expr *kid = copy_expr(b, e->kids.items[i]);

        if (items != NULL)
            items[i] = kid;
    }
    if (to != NULL)
        to->kids.items = items;
}

/* Columns, relations and the application's operators live as long as the app. */
static const cov_rsql_expr *copy_expr(block *b, const cov_rsql_expr *e)
{
    cov_rsql_expr *to = take(b, sizeof *to);
    cov_str original;

    if (to != NULL)
        *to = *e;
    original = copy_text(b, e->original);
    if (to != NULL)
        to->original = original;
    if (has_kids(e)) {
        copy_kids(b, e, to);
    } else if (has_values(e)) {
        copy_values(b, e, to);
    } else if (e->kind == COV__EXPR_EXISTS) {
        const cov_rsql_expr *where = copy_expr(b, e->exists.where);

        if (to != NULL)
            to->exists.where = where;
    } else if (e->kind == COV__EXPR_MATCH) {
        cov_str pattern = copy_text(b, e->pattern);

        if (to != NULL)
            to->pattern = pattern;
    }
    return to;
}

size_t cov_rsql_copy_bytes(const cov_rsql_expr *expr)
{
    block b = { NULL, 0 };

    if (expr != NULL)
        copy_expr(&b, expr);
    return b.used;
}

const cov_rsql_expr *cov_rsql_copy(const cov_rsql_expr *expr, void *memory)
{
    block b = { memory, 0 };

    return expr != NULL ? copy_expr(&b, expr) : NULL;
}

/* ---- identity ---- */

static void raw(cov_buf *out, const void *bytes, size_t len)
{
    cov_buf_append(out, bytes, len);
}

static void sized(cov_buf *out, cov_str s)
{
    raw(out, &s.len, sizeof s.len);
    cov_buf_str(out, s);
}

static void value_identity(cov_buf *out, const cov_value *v)
{
    cov_buf_char(out, (char)v->type);
    if (v->type == COV_INT)
        raw(out, &v->i, sizeof v->i);
    else if (v->type == COV_REAL)
        raw(out, &v->r, sizeof v->r);
    else if (v->type != COV_NULL)
        sized(out, v->s);
}

static void leaf_identity(cov_buf *out, const cov_rsql_expr *e)
{
    size_t column = e->column != NULL ? e->column->index : SIZE_MAX;

    raw(out, &column, sizeof column);
    raw(out, &e->custom, sizeof(e->custom));
    cov_buf_char(out, (char)e->view);
    cov_buf_char(out, (char)e->arg);
    cov_buf_char(out, (char)e->words);
    if (e->kind == COV__EXPR_MATCH)
        sized(out, e->pattern);
    if (!has_values(e))
        return;
    raw(out, &e->values.count, sizeof e->values.count);
    for (size_t i = 0; i < e->values.count; i++)
        value_identity(out, &e->values.items[i]);
}

void cov_rsql_identity(const cov_rsql_expr *expr, cov_buf *out)
{
    if (expr == NULL) {
        cov_buf_char(out, (char)COV__EXPR_ALWAYS);
        return;
    }
    cov_buf_char(out, (char)expr->kind);
    cov_buf_char(out, (char)((expr->negate ? 1 : 0) | (expr->icase ? 2 : 0)));
    if (expr->kind == COV__EXPR_EXISTS) {
        raw(out, &expr->exists.hop, sizeof(expr->exists.hop));
        cov_rsql_identity(expr->exists.where, out);
        return;
    }
    if (!has_kids(expr)) {
        leaf_identity(out, expr);
        return;
    }
    raw(out, &expr->kids.count, sizeof expr->kids.count);
    for (size_t i = 0; i < expr->kids.count; i++)
        cov_rsql_identity(expr->kids.items[i], out);
}

/* ---- equalities ---- */

/*
 * A column that SQLite makes text of is compared as text, others as they are stored. The text view of a
 * column that may hold numbers too is left out: its values have several stored forms.
 */
static bool is_equality(const cov_rsql_expr *e)
{
    if (e->kind != COV__EXPR_COMPARE || e->arg != (int)COV__EQ || e->negate)
        return false;
    if (e->values.items[0].type == COV_NULL || e->values.items[0].type == COV_BLOB)
        return false;
    return e->view == COV__VIEW_RAW ||
           (e->view == COV__VIEW_TEXT && e->text_affinity && e->values.items[0].type == COV_TEXT);
}

static size_t collect(const cov_rsql_expr *e, cov_rsql_equality *out, size_t n, size_t most)
{
    if (e->kind == COV__EXPR_AND) {
        for (size_t i = 0; i < e->kids.count; i++)
            n = collect(e->kids.items[i], out, n, most);
        return n;
    }
    if (n < most && is_equality(e)) {
        out[n].column = e->column;
        out[n++].value = e->values.items[0];
    }
    return n;
}

size_t cov_rsql_equalities(const cov_rsql_expr *expr, cov_rsql_equality *out, size_t most)
{
    return expr != NULL ? collect(expr, out, 0, most) : 0;
}
