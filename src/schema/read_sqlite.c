/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: the catalogue is read through pragma functions with ordinary queries, so the same code serves
 * every driver that speaks SQLite (a file, D1). Each answer is copied whole before the next question, since
 * a row sink may not query. Foreign keys come last: their targets may be tables that were read later.
 */
#include "schema/build.h"
#include "schema/ddl.h"

typedef struct reader {
    cov_arena *arena;
    cov_db *db;
    cov_naming naming;
    cov_error *err;
} reader;

/* An answer, copied into the arena row by row. */
typedef struct answer {
    cov_row_sink sink; /* must stay first: the sink is the answer */
    cov_arena *arena;
    cov_value *cells;
    size_t n_columns;
    size_t n_rows;
    size_t cap_rows;
} answer;

static bool grow(answer *a)
{
    size_t cap = a->cap_rows == 0 ? 16 : a->cap_rows * 2;
    cov_value *cells = COV_NEW_ARRAY(a->arena, cov_value, cap * a->n_columns);

    if (cells == NULL)
        return false;
    if (a->n_rows != 0)
        memcpy(cells, a->cells, a->n_rows * a->n_columns * sizeof *cells);
    a->cells = cells;
    a->cap_rows = cap;
    return true;
}

static cov_status keep_row(cov_row_sink *sink, const cov_value *values, size_t n_values,
                           cov_error *err)
{
    answer *a = (answer *)sink;

    a->n_columns = n_values;
    if (a->n_rows == a->cap_rows && !grow(a))
        return cov_fail_nomem(err);
    for (size_t i = 0; i < n_values; i++) {
        cov_value value = values[i];

        if (value.type == COV_TEXT || value.type == COV_BLOB) {
            value.s = cov_arena_str(a->arena, value.s);
            if (value.s.ptr == NULL)
                return cov_fail_nomem(err);
        }
        a->cells[a->n_rows * n_values + i] = value;
    }
    a->n_rows++;
    return COV_OK;
}

/* `about` (ptr NULL: none) is the statement's one parameter. */
static cov_status ask(reader *r, cov_str sql, cov_str about, answer *out)
{
    cov_value param = cov_value_text(about);
    cov_stmt stmt = { sql, &param, about.ptr != NULL ? 1 : 0 };

    *out = (answer){ .sink = { keep_row }, .arena = r->arena };
    return cov_db_query(r->db, &stmt, &out->sink, r->err);
}

static cov_str text_at(const answer *a, size_t row, size_t column)
{
    const cov_value *value = &a->cells[row * a->n_columns + column];

    return value->type == COV_TEXT ? value->s : COV_STR_NULL;
}

static int64_t int_at(const answer *a, size_t row, size_t column)
{
    const cov_value *value = &a->cells[row * a->n_columns + column];

    return value->type == COV_INT ? value->i : 0;
}

/* ---- Columns ---- */

enum { COL_NAME, COL_TYPE, COL_NOT_NULL, COL_DEFAULT, COL_PK, COL_HIDDEN };
enum { HIDDEN_VIRTUAL = 1, HIDDEN_GENERATED = 2, HIDDEN_STORED = 3 };

static bool fill_column(reader *r, const answer *a, size_t row, cov_column *column)
{
    int64_t hidden = int_at(a, row, COL_HIDDEN);
    cov_str property;

    column->db_name = text_at(a, row, COL_NAME);
    column->declared = text_at(a, row, COL_TYPE);
    column->type = cov_sqlite_type(column->declared, &column->max_length);
    column->class_ = cov_type_class(column->type);
    column->primary_key = int_at(a, row, COL_PK) > 0;
    column->not_null = column->primary_key || int_at(a, row, COL_NOT_NULL) != 0;
    column->generated = hidden == HIDDEN_GENERATED || hidden == HIDDEN_STORED;
    column->default_sql = text_at(a, row, COL_DEFAULT);
    column->has_default = column->default_sql.ptr != NULL;
    column->quoted = cov__quote_ident(r->arena, column->db_name);
    property =
        r->naming == COV_NAMING_CAMEL ? cov_camel_case(r->arena, column->db_name) : column->db_name;
    return property.ptr != NULL && column->quoted.ptr != NULL &&
           cov__column_set_name(r->arena, column, property);
}

/* The columns of the primary key, in the key's order. */
static bool fill_primary_key(reader *r, cov_table *table, const size_t *pk_place, cov_key *key)
{
    size_t *columns = COV_NEW_ARRAY(r->arena, size_t, table->n_columns);

    if (columns == NULL)
        return false;
    key->columns = columns;
    for (size_t place = 1; place <= table->n_columns; place++)
        for (size_t i = 0; i < table->n_columns; i++)
            if (pk_place[i] == place)
                columns[key->n_columns++] = i;
    table->primary_key = key->n_columns == 1 ? (int)columns[0] : -1;
    return true;
}

static cov_status read_columns(reader *r, cov_table *table, cov_key *primary_key)
{
    answer a;
    size_t *pk_place;
    cov_status st = ask(r,
                        COV_STR("SELECT name, type, \"notnull\", dflt_value, pk, hidden"
                                " FROM pragma_table_xinfo(?) ORDER BY cid"),
                        table->name, &a);

    if (st != COV_OK)
        return st;
    table->columns = COV_NEW_ARRAY(r->arena, cov_column, a.n_rows);
    pk_place = COV_NEW_ARRAY(r->arena, size_t, a.n_rows);
    if (table->columns == NULL || pk_place == NULL)
        return cov_fail_nomem(r->err);
    for (size_t row = 0; row < a.n_rows; row++) {
        cov_column *column = &table->columns[table->n_columns];

        if (int_at(&a, row, COL_HIDDEN) == HIDDEN_VIRTUAL)
            continue;
        column->index = table->n_columns;
        if (!fill_column(r, &a, row, column))
            return cov_fail_nomem(r->err);
        pk_place[table->n_columns++] = (size_t)int_at(&a, row, COL_PK);
    }
    if (!fill_primary_key(r, table, pk_place, primary_key))
        return cov_fail_nomem(r->err);
    return cov__table_index(r->arena, table, r->err);
}

/* ---- Unique keys ---- */

/* False when the index has an expression, or a column that is not shown: such a key tells nothing here. */
static cov_status read_key(reader *r, const cov_table *table, cov_key *key, bool *usable)
{
    answer a;
    size_t *columns;
    cov_status st =
        ask(r, COV_STR("SELECT name FROM pragma_index_info(?) ORDER BY seqno"), key->name, &a);

    if (st != COV_OK)
        return st;
    columns = COV_NEW_ARRAY(r->arena, size_t, a.n_rows);
    if (columns == NULL)
        return cov_fail_nomem(r->err);
    *usable = a.n_rows != 0;
    for (size_t row = 0; row < a.n_rows; row++) {
        cov_str name = text_at(&a, row, 0);
        const cov_column *column = name.ptr != NULL ? cov_table_db_column(table, name) : NULL;

        if (column == NULL)
            *usable = false;
        else
            columns[row] = column->index;
    }
    key->columns = columns;
    key->n_columns = a.n_rows;
    return COV_OK;
}

/*
 * An INTEGER PRIMARY KEY that is the rowid has no index of its own, which is also how it is told from
 * "INTEGER PRIMARY KEY DESC" and from a WITHOUT ROWID table's key: SQLite numbers only the former.
 */
static void number_rowid(cov_table *table)
{
    cov_column *column = table->primary_key >= 0 ? &table->columns[table->primary_key] : NULL;

    if (column != NULL && cov_str_eq_nocase(column->declared, COV_STR("INTEGER")))
        column->has_default = true;
}

static cov_status read_keys(reader *r, cov_table *table, const cov_key *primary_key)
{
    answer a;
    cov_key *keys;
    bool pk_index = false;
    cov_status st = ask(r,
                        COV_STR("SELECT name, origin FROM pragma_index_list(?)"
                                " WHERE \"unique\" = 1 AND partial = 0 ORDER BY seq DESC"),
                        table->name, &a);

    if (st != COV_OK)
        return st;
    keys = COV_NEW_ARRAY(r->arena, cov_key, a.n_rows + 1);
    if (keys == NULL)
        return cov_fail_nomem(r->err);
    table->unique_keys = keys;
    if (primary_key->n_columns != 0)
        keys[table->n_unique_keys++] = *primary_key;
    for (size_t row = 0; row < a.n_rows; row++) {
        cov_key key = { .name = text_at(&a, row, 0) };
        bool is_pk = cov_str_eq(text_at(&a, row, 1), COV_STR("pk"));
        bool usable = false;

        pk_index = pk_index || is_pk;
        if (is_pk && primary_key->n_columns != 0)
            keys[0].name = key.name;
        else if ((st = read_key(r, table, &key, &usable)) != COV_OK)
            return st;
        else if (usable)
            keys[table->n_unique_keys++] = key;
    }
    if (!pk_index)
        number_rowid(table);
    return COV_OK;
}

/* ---- Foreign keys ---- */

enum { FK_ID, FK_SEQ, FK_TABLE, FK_FROM, FK_TO };

/* The column that part `seq` of a key refers to: as written, or the parent's primary key. ptr NULL: none. */
static cov_str target_of(const cov_table *parent, cov_str written, size_t seq)
{
    const cov_column *column;

    if (parent == NULL)
        return written;
    if (written.ptr != NULL) {
        column = cov__column_nocase(parent, written);
        return column != NULL ? column->db_name : written;
    }
    if (parent->n_unique_keys == 0 || seq >= parent->unique_keys[0].n_columns)
        return COV_STR_NULL;
    column = &parent->columns[parent->unique_keys[0].columns[seq]];
    return column->primary_key ? column->db_name : COV_STR_NULL;
}

/*
 * One key from the rows [from, to). False when it cannot be followed (an implicit target that does not
 * exist): SQLite accepts the declaration and then refuses every write, so such a key is left out.
 */
static cov_status fill_foreign_key(reader *r, const cov_schema *schema, const cov_table *table,
                                   const answer *a, size_t from, size_t to, cov_foreign_key *key,
                                   bool *usable)
{
    cov_str parent_name = text_at(a, from, FK_TABLE);
    const cov_table *parent = cov__table_nocase(schema, parent_name);
    size_t *columns = COV_NEW_ARRAY(r->arena, size_t, to - from);
    cov_str *targets = COV_NEW_ARRAY(r->arena, cov_str, to - from);

    if (columns == NULL || targets == NULL)
        return cov_fail_nomem(r->err);
    *usable = true;
    for (size_t row = from; row < to; row++) {
        const cov_column *column = cov__column_nocase(table, text_at(a, row, FK_FROM));

        targets[row - from] = target_of(parent, text_at(a, row, FK_TO), row - from);
        if (column == NULL || targets[row - from].ptr == NULL)
            *usable = false;
        else
            columns[row - from] = column->index;
    }
    *key = (cov_foreign_key){ columns, to - from, parent != NULL ? parent->name : parent_name,
                              targets };
    return COV_OK;
}

/* SQLite numbers foreign keys backwards; descending ids are the order of declaration. */
static cov_status read_foreign_keys(reader *r, const cov_schema *schema, cov_table *table)
{
    answer a;
    cov_foreign_key *keys;
    cov_status st =
        ask(r,
            COV_STR("SELECT id, seq, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?)"
                    " ORDER BY id DESC, seq"),
            table->name, &a);

    if (st != COV_OK)
        return st;
    keys = COV_NEW_ARRAY(r->arena, cov_foreign_key, a.n_rows);
    if (keys == NULL)
        return cov_fail_nomem(r->err);
    table->foreign_keys = keys;
    for (size_t from = 0, to; from < a.n_rows; from = to) {
        bool usable = false;

        for (to = from + 1; to < a.n_rows && int_at(&a, to, FK_ID) == int_at(&a, from, FK_ID);)
            to++;
        st =
            fill_foreign_key(r, schema, table, &a, from, to, &keys[table->n_foreign_keys], &usable);
        if (st != COV_OK)
            return st;
        if (usable)
            table->n_foreign_keys++;
    }
    return COV_OK;
}

/* ---- Tables ---- */

enum { TAB_NAME, TAB_TYPE, TAB_SQL };

/* pragma_table_list marks the tables behind FTS and R-Tree indexes as 'shadow'; they are nobody's business. */
#define TABLES_SQL                                                                     \
    "SELECT l.name, l.type, s.sql FROM pragma_table_list AS l JOIN sqlite_schema AS s" \
    " ON s.name = l.name AND s.type IN ('table', 'view')"                              \
    " WHERE l.schema = 'main' AND l.type IN ('table', 'virtual', 'view')"              \
    " AND l.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY s.rowid"

static cov_status read_table(reader *r, const answer *a, size_t row, cov_table *table)
{
    cov_key primary_key = { 0 };
    cov_status st;

    table->name = text_at(a, row, TAB_NAME);
    table->quoted = cov__quote_ident(r->arena, table->name);
    table->is_view = cov_str_eq(text_at(a, row, TAB_TYPE), COV_STR("view"));
    table->primary_key = -1;
    if (table->quoted.ptr == NULL)
        return cov_fail_nomem(r->err);
    if ((st = read_columns(r, table, &primary_key)) != COV_OK ||
        (st = read_keys(r, table, &primary_key)) != COV_OK)
        return st;
    if (!cov_str_eq(text_at(a, row, TAB_TYPE), COV_STR("table")))
        return COV_OK;
    return cov_ddl_read_checks(r->arena, text_at(a, row, TAB_SQL), table, r->err);
}

static cov_status read_tables(reader *r, const answer *a, cov_schema *schema)
{
    schema->tables = COV_NEW_ARRAY(r->arena, cov_table, a->n_rows);
    if (schema->tables == NULL || !cov_map_init(&schema->by_name, r->arena, a->n_rows))
        return cov_fail_nomem(r->err);
    for (size_t row = 0; row < a->n_rows; row++) {
        cov_table *table = &schema->tables[schema->n_tables++];
        cov_status st = read_table(r, a, row, table);

        if (st != COV_OK)
            return st;
        if (!cov_map_put(&schema->by_name, table->name, table))
            return cov_fail_nomem(r->err);
    }
    for (size_t i = 0; i < schema->n_tables; i++) {
        cov_status st = read_foreign_keys(r, schema, &schema->tables[i]);

        if (st != COV_OK)
            return st;
    }
    return COV_OK;
}

cov_status cov_schema_read_sqlite(cov_arena *arena, cov_db *db, cov_naming naming, cov_schema **out,
                                  cov_error *err)
{
    reader r = { arena, db, naming, err };
    cov_schema *schema = COV_NEW(arena, cov_schema);
    answer tables;
    cov_status st;

    if (schema == NULL)
        return cov_fail_nomem(err);
    if ((st = ask(&r, COV_STR(TABLES_SQL), COV_STR_NULL, &tables)) != COV_OK ||
        (st = read_tables(&r, &tables, schema)) != COV_OK)
        return st;
    *out = schema;
    return COV_OK;
}
