/* SPDX-License-Identifier: MIT */
/*
 * schema/schema.h - tables as the API sees them.
 *
 * Knows:   columns, logical types, keys, defaults, names in SQL and in JSON.
 * Ignores: HTTP, users, rows. No I/O: catalogue readers live beside (read_sqlite.c) and use a cov_db.
 * Memory:  a schema and all it points to live in one arena and never change after it was read.
 */
#ifndef COV_SCHEMA_SCHEMA_H
#define COV_SCHEMA_SCHEMA_H

#include "base/map.h"
#include "covara/buf.h"
#include "covara/db.h"

/* What a column means (design.md, Configuration), independent of the engine's storage. */
typedef enum cov_type {
    COV_TYPE_TEXT,
    COV_TYPE_INTEGER,
    COV_TYPE_REAL,
    COV_TYPE_NUMERIC,      /* decimal text in JSON */
    COV_TYPE_BOOLEAN,      /* 0/1 */
    COV_TYPE_TIMESTAMP,    /* integer seconds */
    COV_TYPE_TIMESTAMP_MS, /* integer milliseconds */
    COV_TYPE_DATETIME,     /* ISO 8601 text */
    COV_TYPE_JSON,         /* JSON text */
    COV_TYPE_BLOB          /* base64 in JSON */
} cov_type;

/* How filters treat it (spec/02 section 6.2). */
typedef enum cov_class {
    COV_CLASS_TEXT,
    COV_CLASS_NUM,
    COV_CLASS_BOOL,
    COV_CLASS_TIME,
    COV_CLASS_JSON,
    COV_CLASS_BLOB
} cov_class;

typedef struct cov_column {
    size_t index;     /* place in table->columns */
    cov_str name;     /* property: "createdAt" */
    cov_str db_name;  /* "created_at" */
    cov_str quoted;   /* "\"created_at\"" for SQL */
    cov_str json_key; /* "\"createdAt\":" for JSON */
    cov_str declared; /* declared type as written, "VARCHAR(20)" */
    cov_type type;
    cov_class class_;
    bool primary_key;
    bool not_null;    /* a primary key is not-null */
    bool has_default; /* a DEFAULT clause, or the integer primary key that SQLite numbers itself */
    bool generated;   /* GENERATED ALWAYS: never written */
    cov_str default_sql;        /* SQL expression of the DEFAULT clause; ptr NULL when none */
    size_t max_length;          /* VARCHAR(n) in code points; 0 = unlimited */
    const cov_str *enum_values; /* from configuration, or a CHECK (column IN ('a', 'b')) */
    size_t n_enum_values;
} cov_column;

/* Column sets are arrays of indexes into table->columns. */
typedef struct cov_key {
    cov_str name; /* index name; may be empty */
    const size_t *columns;
    size_t n_columns;
} cov_key;

typedef struct cov_foreign_key {
    const size_t *columns;
    size_t n_columns;
    cov_str table;          /* referenced table, SQL name */
    const cov_str *targets; /* referenced columns, SQL names; n_columns of them */
} cov_foreign_key;

typedef struct cov_check_constraint {
    cov_str name; /* empty when unnamed */
    cov_str sql;  /* the expression between the parentheses */
    int column;   /* index of the first column that it mentions, or -1 */
} cov_check_constraint;

typedef struct cov_table {
    cov_str name;   /* SQL name, also the resource name */
    cov_str quoted; /* "\"todos\"" */
    cov_column *columns;
    size_t n_columns;
    int primary_key; /* index of the single-column primary key, or -1 */
    const cov_key *unique_keys;
    size_t n_unique_keys;
    const cov_foreign_key *foreign_keys;
    size_t n_foreign_keys;
    const cov_check_constraint *checks;
    size_t n_checks;
    bool is_view;
    cov_map by_name;    /* property -> cov_column */
    cov_map by_db_name; /* SQL name -> cov_column */
} cov_table;

typedef struct cov_schema {
    cov_table *tables;
    size_t n_tables;
    cov_map by_name; /* SQL name -> cov_table */
} cov_schema;

typedef enum cov_naming { COV_NAMING_CAMEL, COV_NAMING_AS_IS } cov_naming;

const cov_table *cov_schema_table(const cov_schema *schema, cov_str name);
/* By property. NULL when absent. */
const cov_column *cov_table_column(const cov_table *table, cov_str property);
const cov_column *cov_table_db_column(const cov_table *table, cov_str db_name);
cov_class cov_type_class(cov_type type);
const char *cov_type_name(cov_type type);
/* The logical type of a SQLite declared type (design.md's table, then the affinity rules). */
cov_type cov_sqlite_type(cov_str declared, size_t *max_length);
/* "created_at" -> "createdAt"; leading underscores and names without underscore are kept. */
cov_str cov_camel_case(cov_arena *arena, cov_str name);
/* Give `column` another property name and rebuild what derives from it. False: out of memory or taken. */
bool cov_column_rename(cov_arena *arena, cov_table *table, cov_column *column, cov_str property);
/* A copy whose columns may be renamed without touching `table`; NULL: out of memory. */
cov_table *cov_table_clone(cov_arena *arena, const cov_table *table);
/* Read every table and view from the catalogue of an open SQLite connection. */
COV_CHECK cov_status cov_schema_read_sqlite(cov_arena *arena, cov_db *db, cov_naming naming,
                                            cov_schema **out, cov_error *err);
/*
 * Does the live database hold what `wanted` describes? Every difference becomes one line of `report`
 * ("notes.text: declared TEXT in schema.sql, VARCHAR(10) in the database"). Extra tables, and extra
 * columns that an insert may leave out, are no difference. Returns the number of differences.
 */
size_t cov_schema_diff(const cov_schema *wanted, const cov_schema *live, cov_buf *report);

#endif
