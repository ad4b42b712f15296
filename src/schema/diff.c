/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: only what `wanted` relies on is compared, so a database may hold more than schema.sql says: more
 * tables, more columns that an insert may leave out, more keys. Names compare as SQLite compares them.
 */
#include <stdarg.h>
#include <stdio.h>

#include "schema/build.h"
#include "schema/schema.h"

typedef struct differ {
    const cov_table *table; /* wanted */
    cov_buf *report;
    size_t n;
} differ;

/* "table.column: ..." or "table: ..." with column NULL. */
static void differs(differ *d, const cov_column *column, const char *format, ...) COV_PRINTF(3, 4);
static void differs(differ *d, const cov_column *column, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cov_buf_str(d->report, d->table->name);
    if (column != NULL) {
        cov_buf_char(d->report, '.');
        cov_buf_str(d->report, column->db_name);
    }
    cov_buf_printf(d->report, ": %s\n", text);
    d->n++;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static size_t skip_space(cov_str s, size_t at)
{
    while (at < s.len && is_space(s.ptr[at]))
        at++;
    return at;
}

/* Case and spaces say nothing: "varchar( 20 )" is VARCHAR(20). */
static bool same_declared(cov_str a, cov_str b)
{
    size_t i = skip_space(a, 0);
    size_t j = skip_space(b, 0);

    while (i < a.len && j < b.len && to_upper(a.ptr[i]) == to_upper(b.ptr[j])) {
        i = skip_space(a, i + 1);
        j = skip_space(b, j + 1);
    }
    return i == a.len && j == b.len;
}

static const char *nullness(const cov_column *column)
{
    return column->not_null ? "NOT NULL" : "nullable";
}

static cov_str declared_name(const cov_column *column)
{
    return column->declared.len != 0 ? column->declared : COV_STR("without a type");
}

static void compare_column(differ *d, const cov_column *wanted, const cov_column *live)
{
    if (wanted->type != live->type || !same_declared(wanted->declared, live->declared)) {
        cov_str w = declared_name(wanted);
        cov_str l = declared_name(live);

        differs(d, wanted, "declared %.*s in schema.sql, %.*s in the database", COV_STR_ARG(w),
                COV_STR_ARG(l));
    }
    if (wanted->not_null != live->not_null && wanted->primary_key == live->primary_key)
        differs(d, wanted, "%s in schema.sql, %s in the database", nullness(wanted),
                nullness(live));
    if (wanted->generated != live->generated)
        differs(d, wanted, "generated in %s only",
                wanted->generated ? "schema.sql" : "the database");
    else if (wanted->default_sql.ptr != NULL && !live->has_default)
        differs(d, wanted, "has a default in schema.sql, none in the database");
}

static void compare_columns(differ *d, const cov_table *live)
{
    for (size_t i = 0; i < d->table->n_columns; i++) {
        const cov_column *wanted = &d->table->columns[i];
        const cov_column *found = cov__column_nocase(live, wanted->db_name);

        if (found == NULL)
            differs(d, wanted, "missing in the database");
        else
            compare_column(d, wanted, found);
    }
    for (size_t i = 0; i < live->n_columns; i++) {
        const cov_column *extra = &live->columns[i];

        if (cov__column_nocase(d->table, extra->db_name) == NULL && extra->not_null &&
            !extra->has_default && !extra->generated)
            differs(d, extra,
                    "NOT NULL without a default in the database, missing in schema.sql, "
                    "so no row could be added");
    }
}

static const cov_key *primary_key_of(const cov_table *table)
{
    const cov_key *first = table->n_unique_keys != 0 ? &table->unique_keys[0] : NULL;

    return first != NULL && table->columns[first->columns[0]].primary_key ? first : NULL;
}

static cov_str column_name(const cov_table *table, const size_t *columns, size_t i)
{
    return table->columns[columns[i]].db_name;
}

/* Are these the same columns? A unique key's order says nothing, so every one is looked for. */
static bool same_columns(const cov_table *a, const cov_key *x, const cov_table *b, const cov_key *y)
{
    if (x == NULL || y == NULL)
        return x == y;
    if (x->n_columns != y->n_columns)
        return false;
    for (size_t i = 0; i < x->n_columns; i++) {
        bool found = false;

        for (size_t j = 0; j < y->n_columns && !found; j++)
            found = cov_str_eq_nocase(column_name(a, x->columns, i), column_name(b, y->columns, j));
        if (!found)
            return false;
    }
    return true;
}

/* "(a, b)"; "none" for no key. Cut where `text` ends. */
static const char *list_columns(const cov_table *table, const size_t *columns, size_t n,
                                char text[200])
{
    size_t len = 0;

    if (n == 0)
        return "none";
    for (size_t i = 0; i < n && len < 200; i++) {
        cov_str name = column_name(table, columns, i);
        int written = snprintf(text + len, 200 - len, "%s%.*s%s", i == 0 ? "(" : ", ",
                               COV_STR_ARG(name), i + 1 == n ? ")" : "");

        len += written > 0 ? (size_t)written : 0;
    }
    return text;
}

static void compare_primary_key(differ *d, const cov_table *live)
{
    const cov_key none = { 0 };
    const cov_key *w = primary_key_of(d->table);
    const cov_key *l = primary_key_of(live);
    char wanted_text[200];
    char live_text[200];

    if (same_columns(d->table, w, live, l))
        return;
    w = w != NULL ? w : &none;
    l = l != NULL ? l : &none;
    differs(d, NULL, "primary key %s in schema.sql, %s in the database",
            list_columns(d->table, w->columns, w->n_columns, wanted_text),
            list_columns(live, l->columns, l->n_columns, live_text));
}

static void compare_unique_keys(differ *d, const cov_table *live)
{
    for (size_t i = 0; i < d->table->n_unique_keys; i++) {
        const cov_key *key = &d->table->unique_keys[i];
        bool found = key == primary_key_of(d->table); /* was compared already */
        char text[200];

        for (size_t j = 0; j < live->n_unique_keys && !found; j++)
            found = same_columns(d->table, key, live, &live->unique_keys[j]);
        if (!found)
            differs(d, NULL, "unique key %s in schema.sql, missing in the database",
                    list_columns(d->table, key->columns, key->n_columns, text));
    }
}

static bool same_foreign_key(const cov_table *a, const cov_foreign_key *x, const cov_table *b,
                             const cov_foreign_key *y)
{
    if (x->n_columns != y->n_columns || !cov_str_eq_nocase(x->table, y->table))
        return false;
    for (size_t i = 0; i < x->n_columns; i++) {
        bool found = false;

        for (size_t j = 0; j < y->n_columns && !found; j++)
            found =
                cov_str_eq_nocase(column_name(a, x->columns, i), column_name(b, y->columns, j)) &&
                cov_str_eq_nocase(x->targets[i], y->targets[j]);
        if (!found)
            return false;
    }
    return true;
}

static void compare_foreign_keys(differ *d, const cov_table *live)
{
    for (size_t i = 0; i < d->table->n_foreign_keys; i++) {
        const cov_foreign_key *key = &d->table->foreign_keys[i];
        bool found = false;
        char text[200];

        for (size_t j = 0; j < live->n_foreign_keys && !found; j++)
            found = same_foreign_key(d->table, key, live, &live->foreign_keys[j]);
        if (!found)
            differs(d, NULL, "foreign key %s to %.*s in schema.sql, missing in the database",
                    list_columns(d->table, key->columns, key->n_columns, text),
                    COV_STR_ARG(key->table));
    }
}

size_t cov_schema_diff(const cov_schema *wanted, const cov_schema *live, cov_buf *report)
{
    differ d = { NULL, report, 0 };

    for (size_t i = 0; i < wanted->n_tables; i++) {
        const cov_table *found = cov__table_nocase(live, wanted->tables[i].name);

        d.table = &wanted->tables[i];
        if (found == NULL) {
            differs(&d, NULL, "missing in the database");
        } else if (found->is_view != d.table->is_view) {
            differs(&d, NULL, "a %s in schema.sql, a %s in the database",
                    d.table->is_view ? "view" : "table", found->is_view ? "view" : "table");
        } else {
            compare_columns(&d, found);
            compare_primary_key(&d, found);
            compare_unique_keys(&d, found);
            compare_foreign_keys(&d, found);
        }
    }
    return d.n;
}
