/* SPDX-License-Identifier: MIT */
/*
 * resource/feed.h - between requests on a resource and those who follow its changes (src/live).
 *
 * Downwards, cov_feed: what a request tells and asks the layer above. Upwards, the cov_follow_ calls: what a
 * subscription needs of a resource, so that it sees nothing of how a resource is made.
 */
#ifndef COV_RESOURCE_FEED_H
#define COV_RESOURCE_FEED_H

#include "resource/resource.h"

struct cov_mutation_node;

/* ---- what the layer above provides; embedded as its first member. Called from any thread. ---- */
typedef struct cov_feed cov_feed;
struct cov_feed {
    /* `written` writes to the database, so it and the row's statement need one transaction. */
    bool writes;
    /* Somebody may want to know of changes of this table: they are recorded. */
    bool (*records)(const cov_feed *feed, cov_str table);
    /* Somebody follows the table now: both images of each row that changes are needed. */
    bool (*follows)(const cov_feed *feed, const cov_resource *r);
    /* A resource that shows the table; NULL: none does. */
    const cov_resource *(*shows)(const cov_feed *feed, cov_str table);
    /* A change was recorded, inside its transaction. */
    cov_status (*written)(cov_feed *feed, cov_ctx *ctx, struct cov_mutation_node *node);
    cov_status (*subscribe)(cov_feed *feed, cov_ctx *ctx, const cov_resource *r);
    cov_status (*subscribe_aggregate)(cov_feed *feed, cov_ctx *ctx, const cov_resource *r);
};

bool cov__feed_writes(const cov_ctx *ctx);
bool cov__feed_records(const cov_ctx *ctx, cov_str table);
bool cov__feed_follows(const cov_resource *r, const cov_ctx *ctx);
/* Record a row of a statement on many rows: as it is now, or (op delete) as it was or was marked as deleted. Borrowed. */
COV_CHECK cov_status cov__feed_changed_together(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                                const cov_value *row);

/* GET /subscribe and GET /aggregate/subscribe: 404 where nobody can follow. */
cov_status cov__subscribe(const cov_resource *r, cov_ctx *ctx, cov_str id);
cov_status cov__aggregate_subscribe(const cov_resource *r, cov_ctx *ctx, cov_str id);

/* ---- what a subscription needs ---- */

const cov_table *cov_follow_table(const cov_resource *r);
size_t cov_follow_id_column(const cov_resource *r);
const cov_resource_config *cov_follow_config(const cov_resource *r);
/* The scope may answer differently another time: it is the application's code. */
bool cov_follow_scope_varies(const cov_resource *r);
/* Objects depend on who looks: they have computed fields, or (with `include`) relations. */
bool cov_follow_is_personal(const cov_resource *r, cov_str include);

/*
 * Scope of `op` AND the `filter` parameter, in the request's arena; NULL for all rows. Fails with 401 or 400. A mark of
 * deletion is no part of it: see cov_follow_is_deleted.
 */
COV_CHECK cov_status cov_follow_predicate(const cov_resource *r, cov_ctx *ctx, cov_op op,
                                          const cov_rsql_expr **out);
/* Refuse an `include` parameter that does not fit (400). */
COV_CHECK cov_status cov_follow_check_include(const cov_resource *r, cov_ctx *ctx);
bool cov_follow_is_deleted(const cov_resource *r, const cov_value *row);
/* Append a row in table order as the resource shows it; with what the `include` parameter names when `related`. */
COV_CHECK cov_status cov_follow_object(const cov_resource *r, cov_ctx *ctx, const cov_value *row,
                                       bool related, cov_buf *out);
/* Every row that satisfies `expr` and is not marked as deleted, in table order. */
COV_CHECK cov_status cov_follow_rows(const cov_resource *r, cov_ctx *ctx, const cov_rsql_expr *expr,
                                     cov_row_sink *sink);
/* Whether the database finds the row inside `expr`: for predicates that cov_rsql_needs_db. */
COV_CHECK cov_status cov_follow_covers(const cov_resource *r, cov_ctx *ctx,
                                       const cov_rsql_expr *expr, const cov_value *row,
                                       bool *inside);
/* Refuse aggregate parameters that do not fit (400). */
COV_CHECK cov_status cov_follow_check_aggregate(const cov_resource *r, cov_ctx *ctx);
/* The whole row as the changelog keeps it: every column, as JSON. And back: false when it does not fit the table. */
void cov_follow_row_json(const cov_resource *r, cov_arena *arena, const cov_value *row,
                         cov_buf *out);
bool cov_follow_row_read(const cov_resource *r, cov_ctx *ctx, cov_str json, cov_value **row);
bool cov_follow_row_of(const cov_resource *r, cov_ctx *ctx, cov_json *object, cov_value **row);
/* The same for a row as a trigger enters it (schema/log_triggers.h). */
bool cov_follow_row_read_stored(const cov_resource *r, cov_ctx *ctx, cov_str json, cov_value **row);
/* The text of an id, as `objectId` has it. */
void cov_follow_id_text(const cov_value *id, cov_buf *out);

#endif
