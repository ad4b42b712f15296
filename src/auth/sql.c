/* SPDX-License-Identifier: MIT */
#include "auth/sql.h"

#include <stdlib.h>

#include "resource/row.h"

/* ---- reading ---- */

typedef struct collector {
    cov_row_sink sink; /* first */
    cov_arena *arena;
    cov_rows rows;
    size_t cap;
} collector;

static cov_status collect(cov_row_sink *sink, const cov_value *values, size_t n_values,
                          cov_error *err)
{
    collector *c = (collector *)sink;
    cov_value *row = cov__values_clone(c->arena, values, n_values);

    if (row != NULL && c->rows.n == c->cap) {
        size_t cap = c->cap == 0 ? 4 : c->cap * 2;
        cov_value **grown = COV_NEW_ARRAY(c->arena, cov_value *, cap);

        if (grown == NULL)
            return cov_fail_nomem(err);
        if (c->rows.n != 0)
            memcpy(grown, c->rows.items, c->rows.n * sizeof *grown);
        c->rows.items = grown;
        c->cap = cap;
    }
    if (row == NULL)
        return cov_fail_nomem(err);
    c->rows.items[c->rows.n++] = row;
    return COV_OK;
}

cov_status cov__sql_rows(cov_ctx *ctx, cov_str sql, const cov_value *params, size_t n_params,
                         cov_rows *out)
{
    cov_stmt stmt = { sql, params, n_params };
    collector c = { .sink = { collect }, .arena = ctx->arena };
    cov_status st = cov_db_query(ctx->db, &stmt, &c.sink, ctx->err);

    *out = c.rows;
    return st;
}

/* ---- changing ---- */

typedef struct change {
    cov_stmt stmt;
    int64_t changes;
} change;

static cov_status run_change(cov_ctx *ctx, void *arg)
{
    change *c = arg;

    return cov_db_exec(ctx->db, &c->stmt, &c->changes, ctx->err);
}

cov_status cov__sql_change(cov_ctx *ctx, cov_str sql, const cov_value *params, size_t n_params,
                           int64_t *changes)
{
    change c = { { sql, params, n_params }, 0 };
    cov_status st = cov__ctx_write(ctx, run_change, &c);

    if (st == COV_OK && changes != NULL)
        *changes = c.changes;
    return st;
}

/* ---- later ---- */

typedef struct later {
    cov_arena *arena; /* owns this too */
    cov_stmt stmt;
} later;

static cov_status run_later(cov_db *db, void *arg, cov_error *err)
{
    later *l = arg;

    return cov_db_exec(db, &l->stmt, NULL, err);
}

static void free_later(void *arg)
{
    later *l = arg;

    cov_arena_free(l->arena);
}

static later *later_new(cov_str sql, const cov_value *params, size_t n_params)
{
    cov_arena *arena = cov_arena_new(0);
    later *l = arena != NULL ? COV_NEW(arena, later) : NULL;

    if (l != NULL) {
        l->arena = arena;
        l->stmt.sql = cov_arena_str(arena, sql);
        l->stmt.params = cov__values_clone(arena, params, n_params);
        l->stmt.n_params = n_params;
    }
    if (l != NULL && l->stmt.sql.ptr != NULL && l->stmt.params != NULL)
        return l;
    cov_arena_free(arena);
    return NULL;
}

void cov__sql_later(cov_ctx *ctx, cov_str sql, const cov_value *params, size_t n_params)
{
    const cov_worker *worker = ctx->worker;
    later *l = later_new(sql, params, n_params);
    cov_error ignored;

    if (l == NULL)
        return;
    if (worker != NULL && worker->write_later != NULL) {
        worker->write_later(worker->self, run_later, free_later, l);
        return;
    }
    cov_error_init(&ignored, NULL);
    (void)!run_later(ctx->db, l, &ignored);
    free_later(l);
}
