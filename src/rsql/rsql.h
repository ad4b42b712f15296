/* SPDX-License-Identifier: MIT */
/*
 * rsql/rsql.h - the filter language of spec/02: text -> syntax tree -> bound predicate -> SQL or a verdict.
 *
 * Knows:   the grammar, the columns of one table, three-valued logic.
 * Ignores: HTTP, users, databases. No I/O; the host is asked only to run regular expressions.
 * Threads: trees and predicates are immutable and may be shared.
 * Memory:  everything lives in the arena passed in. The text must outlive the tree.
 *
 * The same bound predicate feeds both evaluations, so that they cannot drift apart: coercion by column
 * class (section 6) happens once, in cov_rsql_bind.
 */
#ifndef COV_RSQL_RSQL_H
#define COV_RSQL_RSQL_H

#include "covara/host.h"
#include "schema/schema.h"
#include "schema/sql.h"

/* 0 disables a limit; COV_RSQL_DEFAULT_LIMITS are those of section 3. */
typedef struct cov_rsql_limits {
    size_t max_bytes;
    size_t max_depth;
    size_t max_nodes;
} cov_rsql_limits;
#define COV_RSQL_DEFAULT_LIMITS \
    {                           \
        4096, 10, 100           \
    }
enum { COV_RSQL_MAX_HOPS = 5 };

/* What a caller may use (section 5). NULL members allow everything. */
typedef struct cov_rsql_policy {
    cov_rsql_limits limits;
    const cov_str *operators; /* allowed tokens */
    size_t n_operators;
    const bool *fields; /* by column index: may be filtered; NULL = all */
    bool trusted; /* a scope: relation paths and {user.x} placeholders may appear, no limits */
    /*
     * The application's operators, tried in this order after the built-in ones. Borrowed by trees that
     * were parsed with them and by the predicates bound from those.
     */
    const cov_operator *custom;
    size_t n_custom;
} cov_rsql_policy;

/*
 * Operators of the application (section 11; covara/resource.h has the callbacks).
 *
 * Operands are the literals as written, not coerced to the column's class: true and false are the
 * integers 1 and 0, a date is its text, a list is flattened (an empty one gives n == 0). They are
 * copied into the arena of cov_rsql_bind, so they live as long as the predicate. A placeholder without
 * a value makes the condition match nothing.
 *
 * What to_sql appends stands inside a pair of parentheses. That it does not leave them (balanced
 * parentheses and quotes, no comment, values only by cov_sql_param) is the application's duty; nothing
 * checks it. Its `column` is terminated: cov_sql_text(sql, column.ptr) writes it.
 *
 * match says true or false, never unknown: where SQL finds unknown, for a NULL value say, it says false.
 */

/*
 * Why custom[at] cannot be used beside the built-in operators and those before it: a static phrase for
 * people. NULL when it can. at < number of `custom`.
 */
const char *cov_rsql_custom_fault(const cov_operator *custom, size_t at);

typedef struct cov_rsql_node cov_rsql_node; /* syntax tree */
typedef struct cov_rsql_expr cov_rsql_expr; /* bound predicate; NULL stands for "every row" */

/*
 * Parse `text` (section 2). `table` serves the `fields` allowlist only. An empty or blank text gives
 * *out == NULL. Fails with COV_EFILTER, the detail and members of section 4.
 */
COV_CHECK cov_status cov_rsql_parse(cov_arena *arena, cov_str text, const cov_table *table,
                                    const cov_rsql_policy *policy, const cov_rsql_node **out,
                                    cov_error *err);

/*
 * Values of placeholders such as "user.id". What is not known (false, or NULL as the value) makes its
 * comparison match no row, whatever the operator. Texts are borrowed by the predicate.
 */
typedef struct cov_rsql_vars {
    bool (*get)(const void *self, cov_str path, cov_value *value);
    const void *self;
    /*
     * A list, asked for when `get` knows no value: *values and what they point to may live in `arena`. An
     * empty list counts as not known. NULL: there are no lists.
     */
    bool (*list)(const void *self, cov_str path, cov_arena *arena, const cov_value **values,
                 size_t *n);
} cov_rsql_vars;

/*
 * One step of a relation path (section 10): the rows of `target` that belong to a row of the table before,
 * those with target.inner = outer, or, by way of a junction, those that it pairs with `outer`.
 */
typedef struct cov_rsql_hop {
    const cov_table *target;
    const cov_column *outer;   /* of the table before */
    const cov_column *inner;   /* of the target */
    cov_str through;           /* manyToMany: quoted name of the junction; ptr NULL without one */
    cov_str through_outer;     /* its quoted column that holds `outer` */
    cov_str through_inner;     /* and the one that holds `inner` */
    const cov_column *deleted; /* a row in which it is not NULL does not count; or NULL */
    const void *next;          /* from where the path goes on; NULL: it cannot */
} cov_rsql_hop;

/* What a scope may cross. Hops outlive the predicates that are bound from them. */
typedef struct cov_rsql_paths {
    /* The step called `name`, NULL when there is none. `from` is `root` or a hop's `next`. */
    const cov_rsql_hop *(*hop)(const void *from, cov_str name);
    const void *root;
} cov_rsql_paths;

/*
 * Resolve columns and coerce literals (sections 6 and 7). `node` NULL gives *out NULL. `vars` may be NULL.
 * Fails with COV_EFILTER: unknown column, relation path, operator not supported for the column, wrong
 * number of values, invalid regular expression or length value.
 */
COV_CHECK cov_status cov_rsql_bind(cov_arena *arena, const cov_rsql_node *node,
                                   const cov_table *table, const cov_host *host,
                                   const cov_rsql_vars *vars, const cov_rsql_expr **out,
                                   cov_error *err);
/*
 * The same for a scope, which may cross relations: `organization.members.userId=={user.id}` holds for a row
 * with some such related row. At most COV_RSQL_MAX_HOPS relations, no table twice.
 */
COV_CHECK cov_status cov_rsql_bind_scope(cov_arena *arena, const cov_rsql_node *node,
                                         const cov_table *table, const cov_host *host,
                                         const cov_rsql_vars *vars, const cov_rsql_paths *paths,
                                         const cov_rsql_expr **out, cov_error *err);

/* a AND b; NULL operands are neutral. NULL with both NULL, or on out of memory with *ok = false. */
const cov_rsql_expr *cov_rsql_and(cov_arena *arena, const cov_rsql_expr *a, const cov_rsql_expr *b,
                                  bool *ok);
/* A predicate that no row satisfies. */
const cov_rsql_expr *cov_rsql_none(void);

/* It crosses a relation: only the database can tell, cov_rsql_eval cannot. */
bool cov_rsql_needs_db(const cov_rsql_expr *expr);

/*
 * Append the condition, in parentheses where needed; "1 = 1" for NULL. Failure is sticky in `sql`. The statement
 * must name the table by its own name, without an alias: conditions on related rows refer to it so.
 */
void cov_rsql_to_sql(const cov_rsql_expr *expr, cov_sql *sql);
/*
 * COV_EFILTER when `expr` needs what a database with these caps cannot do: regular expressions without
 * COV_DB_CAP_FUNCTIONS (D1). Unchecked, cov_rsql_to_sql lets such a condition match no row.
 */
COV_CHECK cov_status cov_rsql_check_db(const cov_rsql_expr *expr, uint32_t caps, cov_error *err);

typedef enum cov_tri { COV_FALSE = 0, COV_TRUE = 1, COV_UNKNOWN = 2 } cov_tri;

/*
 * Evaluate against one row: `row` holds table->n_columns values as the database stores them, in column
 * order. Scratch memory comes from `arena`. Exactly the meaning of cov_rsql_to_sql on SQLite, but that a condition on
 * related rows is unknown (cov_rsql_needs_db).
 */
cov_tri cov_rsql_eval(const cov_rsql_expr *expr, const cov_value *row, const cov_host *host,
                      cov_arena *arena);

/* Every operator token in the order of section 2.3. */
extern const cov_str cov_rsql_operators[];
extern const size_t cov_rsql_n_operators;

#endif
