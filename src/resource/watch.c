/* SPDX-License-Identifier: MIT */
#include "resource/watch.h"

#include "resource/feed.h"
#include "resource/hooks.h"
#include "resource/mutation.h"
#include "schema/target.h"

/* Rows of one flush that are told one by one. Whoever follows reads faster than it is told of so many. */
enum { MAX_ROWS = 1000 };

struct cov_seen {
    size_t number;
    const cov_resource *resource;
    const cov_value *before;
    const cov_value *after;
    bool is_new; /* `before` is NULL since there was none; otherwise it is not known */
    bool many;   /* not which rows: "*" */
    struct cov_seen *next;
};

static const cov_resource *shown(const cov_ctx *ctx, cov_str table)
{
    return ctx->feed != NULL ? ctx->feed->shows(ctx->feed, table) : NULL;
}

static bool wants(cov_row_watch *base, cov_str table, bool indirect)
{
    const cov_watch *watch = (const cov_watch *)(const void *)base;

    return (indirect || watch->direct) && shown(watch->ctx, table) != NULL;
}

/* Generated columns are not among the values; a table that was altered since the start has others. */
static bool fits(const cov_table *table, size_t n_values)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].generated)
            return false;
    return n_values == table->n_columns;
}

/* NULL may stand for the default of a column that is younger than the row: then the image is not known. */
static bool is_certain(const cov_table *table, const cov_value *before)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (before[i].type == COV_NULL && table->columns[i].default_sql.ptr != NULL)
            return false;
    return true;
}

static bool take_images(cov_watch *watch, struct cov_seen *seen, const cov_value *before,
                        const cov_value *after, size_t n)
{
    cov_arena *arena = watch->ctx->arena;
    const cov_table *table = seen->resource->table;

    if ((before == NULL && after == NULL) || !fits(table, n))
        return false;
    if (before != NULL && is_certain(table, before) &&
        (seen->before = cov__values_clone(arena, before, n)) == NULL)
        return false;
    if (after != NULL && (seen->after = cov__values_clone(arena, after, n)) == NULL)
        return false;
    /* Of a row that is gone nothing else says which it was; without its image an update still does. */
    return seen->after != NULL || seen->before != NULL;
}

static bool is_noted(const cov_watch *watch, const cov_resource *r)
{
    for (const struct cov_seen *seen = watch->first; seen != NULL; seen = seen->next)
        if (seen->many && seen->resource == r)
            return true;
    return false;
}

static void changed(cov_row_watch *base, cov_str table, const cov_value *before,
                    const cov_value *after, size_t n)
{
    cov_watch *watch = (cov_watch *)(void *)base;
    const cov_resource *r = shown(watch->ctx, table);
    bool full = watch->first != NULL && watch->n - watch->first->number + 1 >= MAX_ROWS;
    struct cov_seen *seen;

    if (is_noted(watch, r))
        return;
    seen = COV_NEW(watch->ctx->arena, struct cov_seen);
    if (seen == NULL)
        return; /* the request has no memory left and fails */
    seen->number = ++watch->n;
    seen->resource = r;
    seen->is_new = before == NULL;
    seen->many = full || !take_images(watch, seen, before, after, n);
    if (watch->last != NULL)
        watch->last->next = seen;
    else
        watch->first = seen;
    watch->last = seen;
}

void cov__watch_begin(cov_watch *watch, cov_ctx *ctx)
{
    memset(watch, 0, sizeof *watch);
    if (ctx->mutations == NULL || ctx->feed == NULL)
        return;
    watch->base.wants = wants;
    watch->base.changed = changed;
    watch->ctx = ctx;
    ctx->watch = cov_db_watch(ctx->db, &watch->base) ? watch : NULL;
}

void cov__watch_end(cov_watch *watch)
{
    if (watch->ctx != NULL && watch->ctx->watch != NULL) {
        (void)cov_db_watch(watch->ctx->db, NULL);
        watch->ctx->watch = NULL;
    }
}

/* Of a statement that failed nothing remains. */
static void forget_after(cov_watch *watch, size_t number)
{
    struct cov_seen **at = &watch->first;

    watch->last = NULL;
    while (*at != NULL && (*at)->number <= number) {
        watch->last = *at;
        at = &(*at)->next;
    }
    *at = NULL;
}

static cov_status record_target(cov_ctx *ctx, cov_str sql)
{
    cov_str table;
    cov_str type;

    if (ctx->watch != NULL && cov_sql_target(ctx->arena, sql, &table, &type) &&
        shown(ctx, table) != NULL)
        return cov__watch_flush(ctx);
    return cov__record_statement(ctx, sql);
}

cov_status cov__watch_statement(cov_ctx *ctx, const cov_stmt *stmt, cov_row_sink *sink,
                                int64_t *changes, cov_error *err)
{
    cov_watch *watch = ctx->watch;
    size_t before = watch != NULL ? watch->n : 0;
    bool was_direct = watch != NULL && watch->direct;
    cov_status st;

    *changes = 0;
    if (watch != NULL)
        watch->direct = true;
    st = ctx->db->driver->query(ctx->db, stmt, sink, changes, err);
    if (watch != NULL) {
        watch->direct = was_direct;
        if (st != COV_OK)
            forget_after(watch, before);
    }
    return st == COV_OK && *changes > 0 ? record_target(ctx, stmt->sql) : st;
}

static cov_status record(cov_ctx *ctx, const struct cov_seen *seen)
{
    struct cov_mutation_node *node;

    if (!seen->many)
        return cov__record_row(
            seen->resource, ctx,
            seen->after == NULL ? "delete" : (seen->is_new ? "create" : "update"), seen->before,
            seen->after);
    node = cov__record(ctx, seen->resource->table->name, COV_STR("update"), COV_STR("*"));
    return node != NULL ? ctx->feed->written(ctx->feed, ctx, node) : COV_OK;
}

/* The client's own name for a row is for the row that it created. */
cov_status cov__watch_flush(cov_ctx *ctx)
{
    bool names_row = ctx->names_row;
    struct cov_seen *seen;
    cov_status st = COV_OK;

    if (ctx->watch == NULL)
        return COV_OK;
    seen = ctx->watch->first;
    ctx->watch->first = ctx->watch->last = NULL;
    ctx->names_row = false;
    for (; st == COV_OK && seen != NULL; seen = seen->next)
        st = record(ctx, seen);
    ctx->names_row = names_row;
    return st;
}
