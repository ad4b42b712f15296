/* SPDX-License-Identifier: MIT */
/*
 * rsql/ast.h - the syntax tree of a filter and the table of operators; private to src/rsql.
 *
 * The tree holds what was written: which column is meant and how a literal compares with it is decided
 * by bind.c. Children and list elements are linked lists, so parsing allocates each node exactly once.
 */
#ifndef COV_RSQL_AST_H
#define COV_RSQL_AST_H

#include "rsql/rsql.h"

/* Whole text (or, in a scope, a term) that matches no row (spec/02 section 8.2). */
#define COV__RSQL_DENY "__covara_deny_all_sentinel__"

enum {
    COV__RSQL_MAX_NESTING = 128,    /* bounds the parser's recursion, whatever the limits say */
    COV__RSQL_MAX_LIST_NESTING = 32 /* sets within sets */
};

typedef enum cov__rel { COV__EQ, COV__NE, COV__LT, COV__LE, COV__GT, COV__GE } cov__rel;

typedef enum cov__match {
    COV__LIKE,
    COV__CONTAINS,
    COV__STARTS,
    COV__ENDS,
    COV__REGEX,
    COV__SAME /* equality of the whole text; bound as a comparison */
} cov__match;

typedef enum cov__op_kind {
    COV__OP_EQUALITY,
    COV__OP_ORDER,
    COV__OP_IN,
    COV__OP_BETWEEN,
    COV__OP_NULL,
    COV__OP_EMPTY,
    COV__OP_MATCH,
    COV__OP_LENGTH
} cov__op_kind;

typedef struct cov__op {
    cov__op_kind kind;
    unsigned classes; /* bit per cov_class that takes it */
    int arg;          /* cov__rel of ORDER and LENGTH, cov__match of MATCH */
    bool negate;
    bool icase;
} cov__op;

/* Parallel to cov_rsql_operators. */
extern const cov__op cov__rsql_ops[];

/* The operator that was written. */
typedef struct cov__op_ref {
    size_t builtin;             /* index into cov_rsql_operators */
    const cov_operator *custom; /* the application's, instead of a built-in one; or NULL */
} cov__op_ref;

typedef enum cov__literal_kind {
    COV__LIT_NULL,
    COV__LIT_TRUE,
    COV__LIT_FALSE,
    COV__LIT_INT,
    COV__LIT_REAL,
    COV__LIT_STRING,
    COV__LIT_LIST,        /* set or range */
    COV__LIT_PLACEHOLDER, /* text: the path, "user.id" */
    COV__LIT_UNKNOWN      /* a placeholder without a value; made by bind.c */
} cov__literal_kind;

typedef struct cov__literal cov__literal;
struct cov__literal {
    cov__literal_kind kind;
    union {
        int64_t i;
        double r;
        cov_str text;
        struct {
            cov__literal *first;
            size_t count;
        } list;
    };
    cov__literal *next; /* in its list */
};

typedef enum cov__node_kind {
    COV__NODE_AND,
    COV__NODE_OR,
    COV__NODE_COMPARE,
    COV__NODE_ALL, /* `*` in a scope */
    COV__NODE_NONE /* the deny sentinel */
} cov__node_kind;

struct cov_rsql_node {
    cov__node_kind kind;
    cov_rsql_node *next; /* next operand of the parent */
    union {
        struct { /* AND, OR: never directly inside the same kind */
            cov_rsql_node *first;
            cov_rsql_node *last;
            size_t count;
        } chain;
        struct {
            cov_str selector; /* may hold dots: a relation path */
            cov__op_ref op;
            size_t offset; /* byte of the selector in the text */
            cov__literal value;
        } compare;
    };
};

/* The message follows as a string literal, then its arguments. */
#define COV__RSQL_FAIL(err, offset, ...) \
    cov_fail_at((err), COV_EFILTER, (offset), "Invalid filter expression: " __VA_ARGS__)

#endif
