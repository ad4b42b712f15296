/* SPDX-License-Identifier: MIT */
/*
 * resource/hooks.h - where application code enters a write or a row (covara/resource.h).
 *
 * Every call does nothing and costs a test of a pointer when the application gave no such callback.
 */
#ifndef COV_RESOURCE_HOOKS_H
#define COV_RESOURCE_HOOKS_H

#include "resource/internal.h"

/* A row in table order, or (with `input`) the data of a before-hook. */
struct cov_row {
    const cov_table *table;
    cov_arena *arena;
    const cov_value *values;
    cov_input *input; /* NULL: read-only */
};

typedef enum cov_update_kind { COV_KIND_UPDATE, COV_KIND_REPLACE } cov_update_kind;

bool cov__has_update_hooks(const cov_resource *r, cov_update_kind kind);
bool cov__has_delete_hooks(const cov_resource *r);
bool cov__has_create_hooks(const cov_resource *r);
COV_CHECK cov_status cov__before_create(const cov_resource *r, cov_ctx *ctx, cov_input *data);
COV_CHECK cov_status cov__after_create(const cov_resource *r, cov_ctx *ctx, const cov_value *row);
COV_CHECK cov_status cov__before_update(const cov_resource *r, cov_ctx *ctx, cov_update_kind kind,
                                        const cov_value *row, cov_input *data);
COV_CHECK cov_status cov__after_update(const cov_resource *r, cov_ctx *ctx, cov_update_kind kind,
                                       const cov_value *before, const cov_value *row);
COV_CHECK cov_status cov__before_delete(const cov_resource *r, cov_ctx *ctx, const cov_value *row);
COV_CHECK cov_status cov__after_delete(const cov_resource *r, cov_ctx *ctx, const cov_value *row);
/*
 * Record what happened to a row, for listeners and subscriptions (mutation.c); `type` is "create", "update" or "delete".
 * The images are in the request's arena, NULL where there is none or it is not known; not both.
 */
COV_CHECK cov_status cov__record_row(const cov_resource *r, cov_ctx *ctx, const char *type,
                                     const cov_value *before, const cov_value *after);

#endif
