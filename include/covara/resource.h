/* SPDX-License-Identifier: MIT */
/*
 * covara/resource.h - what code can add to a resource: hooks, computed fields, filter operators, scopes.
 *
 * Callbacks return COV_OK, or a failure that they describe with cov_fail(err, ...): the request is refused with
 * that problem and everything that it wrote is rolled back. When a group of requests fails to commit, each runs again
 * alone: what a callback does outside the database may happen twice, so leave it to cov_app_on_mutation. `self` is the
 * pointer given beside the callback; the
 * application keeps it alive as long as the app.
 */
#ifndef COVARA_RESOURCE_H
#define COVARA_RESOURCE_H

#include "covara/ctx.h"

COV_BEGIN_C

/*
 * Lifecycle hooks; all may be NULL. All run inside the transaction of the request, on single-row, batch,
 * upsert and nested writes alike. Before-hooks see and may change what will be written (after validation,
 * so a column that only a hook fills in belongs into `generatedFields`); after-hooks see the stored row.
 * A PUT calls the replace hooks, or the update hooks where there are none.
 */
typedef struct cov_hooks {
    cov_status (*before_create)(cov_ctx *ctx, cov_row *data, void *self, cov_error *err);
    cov_status (*after_create)(cov_ctx *ctx, const cov_row *row, void *self, cov_error *err);
    /* `row` is the stored row; `data` what will be set */
    cov_status (*before_update)(cov_ctx *ctx, const cov_row *row, cov_row *data, void *self,
                                cov_error *err);
    cov_status (*after_update)(cov_ctx *ctx, const cov_row *before, const cov_row *row, void *self,
                               cov_error *err);
    cov_status (*before_replace)(cov_ctx *ctx, const cov_row *row, cov_row *data, void *self,
                                 cov_error *err);
    cov_status (*after_replace)(cov_ctx *ctx, const cov_row *before, const cov_row *row, void *self,
                                cov_error *err);
    cov_status (*before_delete)(cov_ctx *ctx, const cov_row *row, void *self, cov_error *err);
    cov_status (*after_delete)(cov_ctx *ctx, const cov_row *row, void *self, cov_error *err);
    void *self;
} cov_hooks;

/* A virtual output field: `write` appends one JSON value made from the whole stored row. */
typedef struct cov_computed_field {
    const char *name;
    cov_status (*write)(cov_ctx *ctx, const cov_row *row, cov_buf *json, void *self,
                        cov_error *err);
    void *self;
} cov_computed_field;

/* Text and bound values of a condition under construction. */
typedef struct cov_sql cov_sql;
void cov_sql_text(cov_sql *sql, const char *text);
void cov_sql_param(cov_sql *sql, cov_value value);

/*
 * A filter operator of the application (spec/02 section 11): `note=has="x"`. The token is a word between equal
 * signs ("=has=") or a symbol sequence, and must not begin with a built-in one. The two halves must agree:
 * `match` decides live what `to_sql` decides in the database, and answers false where SQL finds NULL.
 * operands[0..n) are the literals (one, or a list's, which may be empty): text, integer, real or NULL.
 */
typedef struct cov_operator {
    const char *token;
    /* Append a condition that keeps its parentheses balanced; `column` is the quoted name, terminated. Values given
     * to cov_sql_param are copied. */
    void (*to_sql)(cov_sql *sql, cov_str column, const cov_value *operands, size_t n, void *self);
    /* `value` is the row's; may be NULL-typed. */
    bool (*match)(const cov_value *value, const cov_value *operands, size_t n, void *self);
    void *self;
} cov_operator;

typedef enum cov_operation {
    COV_ALLOW_READ = 1 << 0,
    COV_ALLOW_CREATE = 1 << 1,
    COV_ALLOW_UPDATE = 1 << 2,
    COV_ALLOW_DELETE = 1 << 3,
    COV_ALLOW_SUBSCRIBE = 1 << 4
} cov_operation;

/*
 * Which rows the caller may touch: append RSQL to `scope`; "*" for all, nothing for none. Values are only ever
 * added with cov_scope_value, which quotes them.
 */
typedef cov_status (*cov_scope_fn)(cov_ctx *ctx, cov_operation operation, cov_buf *scope,
                                   void *self, cov_error *err);
void cov_scope_value(cov_buf *scope, const cov_value *value);

/* Everything zero means: as configured, or the default. All is borrowed for the app's life. */
typedef struct cov_resource_options {
    const char *table; /* SQL name; default: the resource's name */
    const char *path;
    const char *id;
    unsigned
        public_operations; /* COV_ALLOW_READ | COV_ALLOW_SUBSCRIBE ... in addition to the configured ones */
    cov_hooks hooks;
    const cov_computed_field *computed;
    size_t n_computed;
    const cov_operator *operators;
    size_t n_operators;
    cov_scope_fn scope; /* instead of configured scopes */
    void *scope_self;
} cov_resource_options;

COV_END_C

#endif
