/* SPDX-License-Identifier: MIT */
/*
 * rsql/expr.h - the bound predicate that SQL and evaluation share; private to src/rsql.
 *
 * DESIGN: coercion is finished here. A leaf compares a *view* of the stored value with operands of one
 * storage class, by SQLite's own order (NULL unknown; numbers < text < blobs; text by bytes), so that to_sql.c
 * and eval.c have nothing left to decide. What can never hold is COV__EXPR_NEVER, not an unknown: the
 * language has no NOT above a leaf, so false and unknown cannot be told apart by any row.
 */
#ifndef COV_RSQL_EXPR_H
#define COV_RSQL_EXPR_H

#include "rsql/ast.h"

typedef enum cov__expr_kind {
    COV__EXPR_AND,
    COV__EXPR_OR,
    COV__EXPR_NEVER,
    COV__EXPR_ALWAYS,
    COV__EXPR_IS_NULL,  /* negate: is not null */
    COV__EXPR_IS_EMPTY, /* NULL or ''; negate: neither; never unknown */
    COV__EXPR_COMPARE,  /* view rel values[0] */
    COV__EXPR_IN,       /* view equals one of values, or one of the words; negate */
    COV__EXPR_BETWEEN,  /* values[0] <= view <= values[1]; negate */
    COV__EXPR_MATCH,    /* the text operators; negate */
    COV__EXPR_CUSTOM,   /* the application's, with values as its operands; never unknown */
    COV__EXPR_EXISTS    /* some related row satisfies; only SQL can tell */
} cov__expr_kind;

typedef enum cov__view {
    COV__VIEW_RAW,   /* as stored */
    COV__VIEW_TEXT,  /* numbers as JavaScript prints them, anything else as stored */
    COV__VIEW_LOWER, /* the text view in lower case */
    COV__VIEW_LENGTH /* code points of the text view; NULL for a blob */
} cov__view;

/* The words of a text column that a boolean literal matches, in any case. */
enum { COV__WORD_TRUE = 1, COV__WORD_FALSE = 2 };

struct cov_rsql_expr {
    cov__expr_kind kind;
    bool negate;
    bool icase; /* MATCH: `pattern` is lower-cased already */
    /* The column's declared type makes SQLite store text: the bare column is its own text view. */
    bool text_affinity;
    uint8_t words; /* IN */
    cov__view view;
    int arg; /* COMPARE: cov__rel; MATCH: cov__match */
    const cov_column *column;
    const cov_operator *custom;
    union {
        struct {
            const cov_rsql_expr **items;
            size_t count;
        } kids;
        struct {
            cov_value *items;
            size_t count;
        } values;
        cov_str pattern;
        struct {
            const cov_rsql_hop *hop;
            cov_str outer; /* quoted table that the hop starts from */
            const cov_rsql_expr *where;
        } exists;
    };
    /* Pattern or operand before lower-casing, for engines with their own lower(). */
    cov_str original;
};

/* Deepest AND/OR alternation, so that SQLite's parser stack and D1's expression depth of 100 suffice. */
enum { COV__EXPR_MAX_DEPTH = 20 };

/* What a scalar literal means for a column (section 6.2). */
typedef struct cov__operand {
    cov_value value[2]; /* a date literal on text matches its raw and its canonical text */
    size_t n_values;    /* 0 with no words: incomparable */
    uint8_t words;
} cov__operand;

/* `literal` is INT, REAL, STRING, TRUE or FALSE. False: out of memory. */
COV_CHECK bool cov__rsql_coerce(cov_arena *arena, const cov_column *column,
                                const cov__literal *literal, bool equality, cov__operand *out);
/* The literal's text as text operators see it. ptr NULL: out of memory. */
cov_str cov__rsql_raw_text(cov_arena *arena, const cov__literal *literal);
/* A decimal number with surrounding space; COV_NULL when it is none. */
cov_value cov__rsql_number(cov_str text);
/* SQLite's TEXT affinity rule for a declared type. */
bool cov__rsql_text_affinity(cov_str declared);

/* Is the pattern inside the subset of section 7.4? */
bool cov__rsql_regex_ok(cov_str pattern);

#endif
