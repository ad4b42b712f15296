/* SPDX-License-Identifier: MIT */
#include "resource/mutation.h"

#include "schema/target.h"

/* Running out of memory here must not undo the write: listeners are told less, and the log says so. */
void cov__record(cov_ctx *ctx, cov_str resource, cov_str type, cov_str id)
{
    struct cov_mutation_node *node;

    if (ctx->mutations == NULL)
        return;
    node = COV_NEW(ctx->arena, struct cov_mutation_node);
    if (node != NULL) {
        node->mutation.resource = cov_arena_str(ctx->arena, resource);
        node->mutation.type = cov_arena_str(ctx->arena, type);
        node->mutation.id = cov_arena_str(ctx->arena, id);
    }
    if (node == NULL || node->mutation.id.ptr == NULL) {
        ctx->host->log(ctx->host->self, COV_LOG_ERROR,
                       COV_STR("out of memory: a mutation was not recorded"), COV_STR(""));
        return;
    }
    if (ctx->mutations->last != NULL)
        ctx->mutations->last->next = node;
    else
        ctx->mutations->first = node;
    ctx->mutations->last = node;
}

void cov__record_statement(cov_ctx *ctx, cov_str sql)
{
    cov_str table;
    cov_str type;

    if (ctx->mutations != NULL && cov_sql_target(ctx->arena, sql, &table, &type))
        cov__record(ctx, table, type, COV_STR("*"));
}
