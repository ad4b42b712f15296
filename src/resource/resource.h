/* SPDX-License-Identifier: MIT */
/*
 * resource/resource.h - one table mounted as routes (spec/01).
 *
 * Knows:   its table, its policies, the SQL of its requests.
 * Ignores: sockets, threads, middleware.
 * Threads: a resource is immutable after cov_resource_new and shared by all.
 */
#ifndef COV_RESOURCE_RESOURCE_H
#define COV_RESOURCE_RESOURCE_H

#include "covara/procedure.h"
#include "resource/config.h"
#include "resource/ctx.h"

typedef struct cov_resource cov_resource;

/* What application code adds to a resource. */
typedef struct cov_resource_code {
    cov_resource_options options;
    const cov_procedure **procedures;
    size_t n_procedures;
} cov_resource_code;

/*
 * Make a resource of `table`; checks that every name in `config` is a column. All is borrowed, the result
 * lives in `arena`. Fails with COV_EINVAL; the detail names the option and the nearest column.
 */
COV_CHECK cov_status cov_resource_new(cov_arena *arena, const cov_resource_config *config,
                                      const cov_resource_code *code, const cov_table *table,
                                      cov_resource **out, cov_error *err);

/* Resolve the relations of `resource` among all resources of the app; once, before the first request. */
COV_CHECK cov_status cov_resource_link(cov_arena *arena, cov_resource *resource,
                                       const cov_schema *schema, cov_resource *const *all,
                                       size_t n_all, cov_error *err);

typedef struct cov_named_value {
    cov_str column; /* SQL name */
    cov_value value;
} cov_named_value;
/*
 * Insert a row with what is given and the table's defaults, as a POST does (hooks, record for listeners), but for
 * whoever asks: no access rule applies. Names that are no columns are skipped. `ctx->db` must be able to write.
 */
COV_CHECK cov_status cov_resource_insert(const cov_resource *resource, cov_ctx *ctx,
                                         const cov_named_value *values, size_t n, cov_value **row);
const cov_table *cov_resource_table(const cov_resource *resource);
const cov_resource_config *cov_resource_config_of(const cov_resource *resource);
/*
 * Bind every configured scope once, when all resources are linked: relation paths lead through several of
 * them. Fails with COV_EINVAL; the detail names resource, operation and what is wrong.
 */
COV_CHECK cov_status cov_resource_check(cov_arena *arena, const cov_resource *resource,
                                        const cov_host *host, cov_error *err);

typedef cov_status (*cov_resource_handler)(const cov_resource *resource, cov_ctx *ctx, cov_str id);

typedef struct cov_resource_route {
    cov_resource_handler handler; /* NULL: no such route */
    cov_str id;                   /* raw path segment of /:id routes */
} cov_resource_route;

/*
 * The route for `tail`, the raw path below the mount without its leading slash ("", "7", "batch/upsert").
 * HEAD is GET.
 */
cov_resource_route cov_resource_find(const cov_resource *resource, cov_method method, cov_str tail);

#endif
