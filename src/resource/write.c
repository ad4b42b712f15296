/* SPDX-License-Identifier: MIT */
/* INSERT and UPDATE statements, and the transaction around a mutation. */
#include "resource/hooks.h"
#include "resource/watch.h"

/*
 * SQLite's CURRENT_TIMESTAMP is text without a zone; a column of a time type gets the same instant in its
 * own storage instead, so that what the database fills in compares with what clients send.
 */
static cov_str default_of(const cov_column *column)
{
    if (!cov_str_eq_nocase(column->default_sql, COV_STR("CURRENT_TIMESTAMP")))
        return column->default_sql;
    switch (column->type) {
    case COV_TYPE_DATETIME:
        return COV_STR("strftime('%Y-%m-%dT%H:%M:%fZ','now')");
    case COV_TYPE_TIMESTAMP:
        return COV_STR("CAST(strftime('%s','now') AS INTEGER)");
    case COV_TYPE_TIMESTAMP_MS:
        return COV_STR("CAST(round((julianday('now')-2440587.5)*86400000) AS INTEGER)");
    default:
        return column->default_sql;
    }
}

static bool fills_in_now(const cov_column *column)
{
    return !column->generated && column->default_sql.ptr != NULL &&
           default_of(column).ptr != column->default_sql.ptr;
}

static size_t insert_columns(const cov_resource *r, const cov_input *input, cov_sql *sql)
{
    size_t n = 0;

    for (size_t i = 0; i < r->table->n_columns; i++) {
        if (!input->present[i] && !fills_in_now(&r->table->columns[i]))
            continue;
        cov_sql_str(sql, n++ == 0 ? COV_STR(" (") : COV_STR(","));
        cov_sql_str(sql, r->table->columns[i].quoted);
    }
    return n;
}

static void insert_values(const cov_resource *r, const cov_input *input, cov_sql *sql)
{
    size_t n = 0;

    COV_SQL(sql, ") VALUES (");
    for (size_t i = 0; i < r->table->n_columns; i++) {
        if (!input->present[i] && !fills_in_now(&r->table->columns[i]))
            continue;
        if (n++ != 0)
            COV_SQL(sql, ",");
        if (input->present[i])
            cov_sql_param(sql, input->values[i]);
        else
            cov_sql_str(sql, default_of(&r->table->columns[i]));
    }
    COV_SQL(sql, ")");
}

static void set_excluded(const cov_column *column, bool first, cov_sql *sql)
{
    if (!first)
        COV_SQL(sql, ",");
    cov_sql_str(sql, column->quoted);
    COV_SQL(sql, "=excluded.");
    cov_sql_str(sql, column->quoted);
}

/* With nothing but the id given, the id is set to itself, so that RETURNING has a row. */
static void on_conflict(const cov_resource *r, const cov_input *input, const cov_where *update,
                        cov_sql *sql)
{
    size_t n = 0;

    COV_SQL(sql, " ON CONFLICT (");
    cov_sql_str(sql, r->id->quoted);
    COV_SQL(sql, ") DO UPDATE SET ");
    for (size_t i = 0; i < r->table->n_columns; i++)
        if (input->present[i] && i != r->id->index)
            set_excluded(&r->table->columns[i], n++ == 0, sql);
    if (n == 0)
        set_excluded(r->id, true, sql);
    cov__where_sql(r, update, false, sql);
}

cov_status cov__insert(const cov_resource *r, cov_ctx *ctx, const cov_input *input,
                       const cov_where *update, cov_value **row)
{
    cov_status st;
    cov_sql sql;

    cov_sql_init(&sql, ctx->arena, ctx->db);
    COV_SQL(&sql, "INSERT INTO ");
    cov_sql_str(&sql, r->table->quoted);
    if (insert_columns(r, input, &sql) != 0)
        insert_values(r, input, &sql);
    else
        COV_SQL(&sql, " DEFAULT VALUES");
    if (update != NULL && input->present[r->id->index])
        on_conflict(r, input, update, &sql);
    COV_SQL(&sql, " RETURNING ");
    cov__column_list_sql(&sql, &r->all);
    st = cov__query_row(ctx, &sql, row);
    return st == COV_OK ? COV_OK : cov__fail_constraint(r, ctx, st, input);
}

cov_status cov__create_row(const cov_resource *r, cov_ctx *ctx, const cov_rsql_expr *scope,
                           cov_input *input, cov_value **row)
{
    cov_status st = cov__before_create(r, ctx, input);

    if (st == COV_OK)
        st = cov__access_judge_failure(r, ctx, COV_OP_CREATE, scope, NULL, input,
                                       cov__insert(r, ctx, input, NULL, row));
    if (st == COV_OK)
        st = cov__access_check_row(r, ctx, COV_OP_CREATE, scope, *row);
    return st == COV_OK ? cov__after_create(r, ctx, *row) : st;
}

cov_status cov_resource_insert(const cov_resource *resource, cov_ctx *ctx,
                               const cov_named_value *values, size_t n, cov_value **row)
{
    size_t n_columns = resource->table->n_columns;
    cov_input input = { COV_NEW_ARRAY(ctx->arena, bool, n_columns),
                        COV_NEW_ARRAY(ctx->arena, cov_value, n_columns),
                        COV_NEW_ARRAY(ctx->arena, bool, n_columns) };

    if (input.present == NULL || input.values == NULL || input.reset == NULL)
        return cov_fail_nomem(ctx->err);
    for (size_t i = 0; i < n; i++) {
        const cov_column *column = cov_table_db_column(resource->table, values[i].column);

        if (column == NULL)
            continue;
        input.present[column->index] = true;
        input.values[column->index] = values[i].value;
    }
    return cov__create_row(resource, ctx, NULL, &input, row);
}

size_t cov__update_sql(const cov_resource *r, const cov_input *input, cov_sql *sql)
{
    size_t n = 0;

    COV_SQL(sql, "UPDATE ");
    cov_sql_str(sql, r->table->quoted);
    for (size_t i = 0; i < r->table->n_columns; i++) {
        const cov_column *column = &r->table->columns[i];

        if (!input->present[i] && !input->reset[i])
            continue;
        cov_sql_str(sql, n++ == 0 ? COV_STR(" SET ") : COV_STR(","));
        cov_sql_str(sql, column->quoted);
        COV_SQL(sql, "=");
        if (input->present[i]) {
            cov_sql_param(sql, input->values[i]);
        } else if (column->default_sql.ptr != NULL) {
            COV_SQL(sql, "(");
            cov_sql_str(sql, default_of(column));
            COV_SQL(sql, ")");
        } else {
            COV_SQL(sql, "NULL");
        }
    }
    return n;
}

cov_status cov__in_transaction(cov_ctx *ctx, cov_status (*work)(void *arg), void *arg)
{
    cov_status st = cov_db_begin(ctx->db, true, ctx->err);

    if (st != COV_OK)
        return st;
    st = work(arg);
    if (st == COV_OK)
        st = cov__watch_flush(ctx);
    if (st == COV_OK)
        st = cov_db_commit(ctx->db, ctx->err);
    if (st != COV_OK)
        cov_db_rollback(ctx->db);
    return st;
}
