/* SPDX-License-Identifier: MIT */
#include "schema/schema.h"

#include "base/json.h"
#include "schema/build.h"
#include "schema/sql.h"

const cov_table *cov_schema_table(const cov_schema *schema, cov_str name)
{
    return cov_map_get(&schema->by_name, name);
}

const cov_column *cov_table_column(const cov_table *table, cov_str property)
{
    return cov_map_get(&table->by_name, property);
}

const cov_column *cov_table_db_column(const cov_table *table, cov_str db_name)
{
    return cov_map_get(&table->by_db_name, db_name);
}

cov_str cov__quote_ident(cov_arena *arena, cov_str name)
{
    cov_sql sql = { .text = COV_BUF_IN(arena) };

    cov_sql_ident(&sql, name);
    return sql.text.failed ? COV_STR_NULL : cov_buf_view(&sql.text);
}

bool cov__column_set_name(cov_arena *arena, cov_column *column, cov_str property)
{
    cov_buf key = COV_BUF_IN(arena);

    cov_json_str(&key, property);
    cov_buf_char(&key, ':');
    if (key.failed)
        return false;
    column->name = property;
    column->json_key = cov_buf_view(&key);
    return true;
}

cov_status cov__table_index(cov_arena *arena, cov_table *table, cov_error *err)
{
    if (!cov_map_init(&table->by_name, arena, table->n_columns) ||
        !cov_map_init(&table->by_db_name, arena, table->n_columns))
        return cov_fail_nomem(err);
    for (size_t i = 0; i < table->n_columns; i++) {
        cov_column *column = &table->columns[i];
        const cov_column *other = cov_map_get(&table->by_name, column->name);

        if (other != NULL)
            return cov_fail(
                err, COV_EINVAL,
                "table \"%.*s\": the columns \"%.*s\" and \"%.*s\" would both be called \"%.*s\"; "
                "rename one of them, or set \"naming\" to \"asIs\"",
                COV_STR_ARG(table->name), COV_STR_ARG(other->db_name), COV_STR_ARG(column->db_name),
                COV_STR_ARG(column->name));
        if (!cov_map_put(&table->by_name, column->name, column) ||
            !cov_map_put(&table->by_db_name, column->db_name, column))
            return cov_fail_nomem(err);
    }
    return COV_OK;
}

bool cov_column_rename(cov_arena *arena, cov_table *table, cov_column *column, cov_str property)
{
    const cov_column *taken = cov_map_get(&table->by_name, property);

    if (taken != NULL)
        return taken == column;
    property = cov_arena_str(arena, property);
    return property.ptr != NULL && cov__column_set_name(arena, column, property) &&
           cov__table_index(arena, table, NULL) == COV_OK;
}

cov_table *cov_table_clone(cov_arena *arena, const cov_table *table)
{
    cov_table *copy = COV_NEW(arena, cov_table);

    if (copy == NULL)
        return NULL;
    *copy = *table;
    copy->columns = COV_NEW_ARRAY(arena, cov_column, table->n_columns);
    if (copy->columns == NULL || !cov_map_init(&copy->by_name, arena, table->n_columns) ||
        !cov_map_init(&copy->by_db_name, arena, table->n_columns))
        return NULL;
    for (size_t i = 0; i < table->n_columns; i++) {
        cov_column *column = &copy->columns[i];

        *column = table->columns[i];
        if (!cov_map_put(&copy->by_name, column->name, column) ||
            !cov_map_put(&copy->by_db_name, column->db_name, column))
            return NULL;
    }
    return copy;
}

const cov_table *cov__table_nocase(const cov_schema *schema, cov_str name)
{
    for (size_t i = 0; i < schema->n_tables; i++)
        if (cov_str_eq_nocase(schema->tables[i].name, name))
            return &schema->tables[i];
    return NULL;
}

const cov_column *cov__column_nocase(const cov_table *table, cov_str name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (cov_str_eq_nocase(table->columns[i].db_name, name))
            return &table->columns[i];
    return NULL;
}
