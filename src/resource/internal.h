/* SPDX-License-Identifier: MIT */
/* resource/internal.h - what the files of this folder share. */
#ifndef COV_RESOURCE_INTERNAL_H
#define COV_RESOURCE_INTERNAL_H

#include "base/json.h"
#include "resource/etag.h"
#include "resource/resource.h"
#include "resource/row.h"

/* Columns in an order: what to read, or what to write into a JSON row. */
typedef struct cov_columns {
    const cov_column **items;
    size_t n;
} cov_columns;

typedef struct cov_relation cov_relation;

typedef struct cov_access {
    bool public_;
    bool denied;                /* an explicit empty scope: nobody */
    const cov_rsql_node *scope; /* NULL: no restriction */
} cov_access;

struct cov_resource {
    const cov_resource_config *config;
    const cov_resource_code *code; /* hooks, computed fields...; all zero without any */
    const cov_table *table;
    const cov_column *id;
    const cov_column *version;     /* etag.versionField, or NULL */
    const cov_column *updated_at;  /* etag.updatedAtField, or NULL */
    const cov_column *etag_id;     /* etag.idField, or NULL */
    const cov_column *soft_delete; /* or NULL */
    cov_access access[COV_N_OPS];
    cov_rsql_policy filter_policy;
    cov_rsql_policy scope_policy; /* trusted, without limits */
    cov_columns all;              /* every column of the table */
    cov_columns readable;         /* what a response may show, in column order */
    /* By column index. */
    const bool *is_readable;
    const bool *is_writable;  /* a client may set it: fields.writable, the id, generated fields */
    const bool *is_generated; /* generatedFields, or generated always */
    const bool *is_sortable;
    const bool *is_groupable;
    const bool *is_metric;
    cov_relation *relations; /* set by cov_resource_link */
    size_t n_relations;      /* what a request may name */
    size_t n_paths;          /* with those behind them, what a scope may cross */
};

/* --- access.c: who may (spec/01 section 5, spec/02 section 8) --- */

/* "read", ... by cov_op. */
extern const char *const cov__op_names[COV_N_OPS];
/* The predicate that `op` is limited to, NULL when unlimited. Fails with 401; a denying scope gives
 * cov_rsql_none(). */
COV_CHECK cov_status cov__access_scope(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                       const cov_rsql_expr **out);
/* As above where no row is looked up first, for creating: a denying scope is 403. */
COV_CHECK cov_status cov__access_gate(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                      const cov_rsql_expr **out);
/* Does a stored row, given in table order, lie inside? The database is asked when only it can tell. */
COV_CHECK cov_status cov__access_covers(const cov_resource *r, cov_ctx *ctx,
                                        const cov_rsql_expr *scope, const cov_value *row,
                                        bool *inside);
cov_status cov__access_forbidden(const cov_resource *r, cov_ctx *ctx, cov_op op);
/* 403 unless the row, as it now is stored, lies inside `scope`. Not from within a row callback. */
COV_CHECK cov_status cov__access_check_row(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                           const cov_rsql_expr *scope, const cov_value *row);
/* 400 when the capability is off (spec/01 section 10). `flag` is "enableCreate", ... */
COV_CHECK cov_status cov__access_capability(const cov_resource *r, cov_ctx *ctx, bool enabled,
                                            const char *flag);

/* --- predicate.c: the WHERE of a request --- */

typedef struct cov_where {
    const cov_rsql_expr *expr; /* scope AND filter; NULL = all rows */
    bool live_only;            /* exclude soft-deleted rows */
} cov_where;

/* Does this request leave out soft-deleted rows? */
bool cov__live_only(const cov_resource *r, cov_ctx *ctx);
/* A caller's filter text under the resource's policy; NULL for an empty one. */
COV_CHECK cov_status cov__filter_bind(const cov_resource *r, cov_ctx *ctx, cov_str text,
                                      const cov_rsql_expr **out);
/* Scope of `op`, the `filter` parameter and `withDeleted`. */
COV_CHECK cov_status cov__where_read(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                     cov_where *out);
/* For /:id routes: as above without the `filter` parameter. */
COV_CHECK cov_status cov__where_row(const cov_resource *r, cov_ctx *ctx, cov_op op, cov_where *out);
/* Append " WHERE ..." or nothing; `more` says that a condition follows (then the text ends in " AND " or " WHERE "). */
void cov__where_sql(const cov_resource *r, const cov_where *where, bool more, cov_sql *sql);
/* The value of a raw id segment in the id column's storage; false: no row can have it. */
bool cov__id_value(const cov_resource *r, cov_ctx *ctx, cov_str segment, cov_value *out);
/* 404 for a row, with the decoded id. */
cov_status cov__fail_no_row(const cov_resource *r, cov_ctx *ctx, cov_str segment);

/* --- row.c: rows as JSON (spec/01 section 8); single values: resource/row.h --- */

/* "a":1,...: values[i] belongs to columns->items[i], or (whole) values are a row in table order. */
void cov__columns_json(cov_buf *out, cov_arena *arena, const cov_columns *columns, bool whole,
                       const cov_value *values);
/* {"a":1,...}: values[i] belongs to columns->items[i]. */
void cov__row_json(cov_buf *out, cov_arena *arena, const cov_columns *columns,
                   const cov_value *values);
/* `SELECT "a","b" FROM "t"` */
void cov__select_sql(cov_sql *sql, const cov_resource *r, const cov_columns *columns);
/* `"a","b"` */
void cov__column_list_sql(cov_sql *sql, const cov_columns *columns);
/* --- object.c: a row with all that belongs to it --- */

/* How a row lies in memory: `out` in order at the front, or (whole) every column in table order. */
typedef struct cov_layout {
    cov_columns out; /* what the object shows */
    bool whole;
} cov_layout;
typedef struct cov_include cov_include;

/* Computed fields are made from whole rows. */
bool cov__reads_whole_rows(const cov_resource *r);
/* Append {columns, includes, computed}. `includes` may be NULL; `parent` is the row's place among their parents. */
COV_CHECK cov_status cov__object_json(cov_buf *out, cov_ctx *ctx, const cov_resource *r,
                                      const cov_layout *layout, const cov_value *values,
                                      const cov_include *includes, size_t parent);
/* Append a row in table order, as readable, to the response. */
COV_CHECK cov_status cov__stored_row_json(cov_ctx *ctx, const cov_resource *r,
                                          const cov_value *row);
COV_CHECK cov_status cov__computed_json(cov_buf *out, cov_ctx *ctx, const cov_resource *r,
                                        const cov_value *values, bool empty);

/* Run a statement that gives at most one row; *row is NULL when there was none, else a clone. */
COV_CHECK cov_status cov__query_row(cov_ctx *ctx, const cov_sql *sql, cov_value **row);
/* Read the whole row with this id, as far as `where` allows; NULL when there is none. */
COV_CHECK cov_status cov__load_row(const cov_resource *r, cov_ctx *ctx, const cov_where *where,
                                   const cov_value *id, cov_value **row);
/* Set status 200/201 and the JSON media type. */
void cov__respond(cov_ctx *ctx, int status);

/* --- select.c: projection (spec/01 section 6.9) --- */
COV_CHECK cov_status cov__select_columns(const cov_resource *r, cov_ctx *ctx, cov_columns *out);
/* The readable columns among a comma list, in its order; all readable ones when the list is empty. */
COV_CHECK cov_status cov__columns_named(const cov_resource *r, cov_ctx *ctx, cov_str list,
                                        cov_columns *out);

/* The place of `column` among them, appended when it is not there yet: there must be room. */
size_t cov__columns_ensure(cov_columns *columns, const cov_column *column);
/* 400: the field exists but policy forbids it. */
cov_status cov__fail_field(cov_ctx *ctx, const cov_resource *r, cov_str field,
                           const char *operation, const bool *allowed);

/* --- etag.c: spec/01 section 15 --- */

/* The tag of a row in table order, with quotes and W/; ptr NULL when `etag` is not configured or on failure. */
cov_str cov__etag(const cov_resource *r, cov_ctx *ctx, const cov_value *row);
/* 412 unless If-Match allows. *conditional: an If-Match header was there. */
COV_CHECK cov_status cov__etag_if_match(const cov_resource *r, cov_ctx *ctx, const cov_value *row,
                                        bool *conditional);
cov_status cov__fail_precondition(cov_ctx *ctx, cov_str tag);
/* " AND version = ?" for a conditional write. */
void cov__etag_cas_sql(const cov_resource *r, const cov_value *row, cov_sql *sql);

/* --- body.c, input.c: spec/01 sections 4 and 9 --- */

typedef enum cov_input_mode { COV_INPUT_CREATE, COV_INPUT_UPDATE } cov_input_mode;

typedef struct cov_input_rules {
    cov_input_mode mode;
    cov_str prefix;     /* path of the object in the body: "items.0", or "" */
    const bool *filled; /* by column: the server provides it, so it may be absent; NULL = none */
    bool nested;        /* names of relations are no unknown keys */
} cov_input_rules;

/* What a client wants to set, by column index. */
typedef struct cov_input {
    bool *present;
    cov_value *values; /* in the column's storage */
    bool *reset;       /* back to the default, or NULL; never together with present */
} cov_input;

/* Collects {field, message} of a 400. */
typedef struct cov_issues {
    cov_buf json;
    size_t n;
} cov_issues;

COV_CHECK cov_status cov__body_read(cov_ctx *ctx, yyjson_val **out);
void cov__issues_init(cov_issues *issues, cov_arena *arena);
void cov__issue(cov_issues *issues, cov_str prefix, cov_str field, const char *format, ...)
    COV_PRINTF(4, 5);
/* COV_OK when there are none, else 400 "Validation failed" with `errors`. */
COV_CHECK cov_status cov__issues_finish(cov_ctx *ctx, const cov_issues *issues);
/* Validate one object against the table and convert it. Problems go to `issues`; only COV_ENOMEM is returned. */
COV_CHECK cov_status cov__input_read(const cov_resource *r, cov_ctx *ctx, yyjson_val *value,
                                     const cov_input_rules *rules, cov_issues *issues,
                                     cov_input *out);
/* Take away what the client may not set (spec/01 section 10). */
void cov__input_mask(const cov_resource *r, cov_input *input);
/* 400 when the body sets the id to another value than `id`; an equal id is taken away. */
COV_CHECK cov_status cov__input_fix_id(const cov_resource *r, cov_ctx *ctx, const cov_value *id,
                                       cov_input *input);
/* Convert one JSON value to a column's storage, without messages; used by cursors. */
bool cov__value_from_json(cov_ctx *ctx, const cov_column *column, yyjson_val *json, cov_value *out);
bool cov__value_equal(const cov_value *a, const cov_value *b);

/*
 * A constraint refused a row that lies outside the scope as well: 403, as if it had been written and looked at, so that
 * nobody learns what exists outside. `before` NULL: a new row. Anything else stays `st`. A scope with a relation path
 * cannot be asked about a row that is not there; then a reference to nothing counts as outside.
 */
COV_CHECK cov_status cov__access_judge_failure(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                               const cov_rsql_expr *scope, const cov_value *before,
                                               const cov_input *input, cov_status st);

/* --- write.c: INSERT and UPDATE statements --- */

/*
 * Insert one row; *row is what the table then holds. With `update`, a row with the same id is updated
 * instead, if it is one of those: *row is NULL when it is not.
 */
COV_CHECK cov_status cov__insert(const cov_resource *r, cov_ctx *ctx, const cov_input *input,
                                 const cov_where *update, cov_value **row);
/* Set the next version, unless the input sets one or the old one cannot be counted up (spec/01 section 15.4). */
void cov__bump_version(const cov_resource *r, const cov_value *before, cov_input *input);
/* The same for every row of an UPDATE that has `n` assignments so far, if versions are numbers; returns the new n. */
size_t cov__bump_version_sql(const cov_resource *r, const cov_input *input, size_t n, cov_sql *sql);
/* Insert with everything around it: hooks, the create scope, the record for listeners. */
COV_CHECK cov_status cov__create_row(const cov_resource *r, cov_ctx *ctx,
                                     const cov_rsql_expr *scope, cov_input *input, cov_value **row);
/* `UPDATE "t" SET "a"=?,...`; returns the number of columns set: with 0 the statement is not complete. */
size_t cov__update_sql(const cov_resource *r, const cov_input *input, cov_sql *sql);
/* Turn a constraint failure in ctx->err into its problem (spec/01 Q-11); others pass. `input` may be NULL. */
cov_status cov__fail_constraint(const cov_resource *r, cov_ctx *ctx, cov_status st,
                                const cov_input *input);

/* `DELETE FROM "t"`, or the UPDATE that marks rows as deleted. */
void cov__delete_sql(const cov_resource *r, cov_ctx *ctx, cov_sql *sql);
COV_CHECK cov_status cov__count_rows(const cov_resource *r, cov_ctx *ctx, const cov_where *where,
                                     int64_t *out);
/* "undefined", "null", "boolean", "number", "string", "array", "object". */
const char *cov__json_kind(yyjson_val *json);

/* 400 when a batch is larger than the limit. */
COV_CHECK cov_status cov__batch_limit(cov_ctx *ctx, const char *operation, int64_t limit,
                                      int64_t requested);

/* The routes beside /:id and /rpc by place, false behind the last: no route may go without a test of its scopes. */
bool cov__fixed_route(size_t at, cov_method *method, cov_str *tail);

/* --- handlers, one file each --- */
cov_status cov__list(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__get(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__count(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__aggregate(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__create(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__patch(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__put(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__delete(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__batch_create(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__batch_upsert(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__batch_update(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__batch_delete(const cov_resource *r, cov_ctx *ctx, cov_str id);

/* procedure.c: NULL when the resource has no procedure of that name. `id` is the raw name of the handler. */
const cov_procedure *cov__procedure_named(const cov_resource *r, cov_str name);
cov_status cov__procedure(const cov_resource *r, cov_ctx *ctx, cov_str id);

#endif
