/* SPDX-License-Identifier: MIT */
#include "resource/mutation.h"

#include "resource/feed.h"
#include "resource/hooks.h"
#include "schema/target.h"

/* Running out of memory here must not undo the write: listeners are told less, and the log says so. */
struct cov_mutation_node *cov__record(cov_ctx *ctx, cov_str resource, cov_str type, cov_str id)
{
    struct cov_mutation_node *node;

    if (!cov__feed_records(ctx, resource))
        return NULL;
    node = COV_NEW(ctx->arena, struct cov_mutation_node);
    if (node != NULL) {
        node->mutation.resource = cov_arena_str(ctx->arena, resource);
        node->mutation.type = cov_arena_str(ctx->arena, type);
        node->mutation.id = cov_arena_str(ctx->arena, id);
    }
    if (node == NULL || node->mutation.id.ptr == NULL) {
        ctx->host->log(ctx->host->self, COV_LOG_ERROR,
                       COV_STR("out of memory: a mutation was not recorded"), COV_STR(""));
        return NULL;
    }
    if (ctx->mutations->last != NULL)
        ctx->mutations->last->next = node;
    else
        ctx->mutations->first = node;
    ctx->mutations->last = node;
    return node;
}

/* The changelog may be part of the transaction: what cannot be entered there must not be written. */
static cov_status enter(cov_ctx *ctx, struct cov_mutation_node *node)
{
    if (node == NULL || ctx->feed == NULL)
        return COV_OK;
    return ctx->feed->written(ctx->feed, ctx, node);
}

cov_status cov__record_statement(cov_ctx *ctx, cov_str sql)
{
    cov_str table;
    cov_str type;

    if (ctx->mutations == NULL || !cov_sql_target(ctx->arena, sql, &table, &type))
        return COV_OK;
    return enter(ctx, cov__record(ctx, table, type, COV_STR("*")));
}

cov_status cov__record_row(const cov_resource *r, cov_ctx *ctx, const char *type,
                           const cov_value *before, const cov_value *after)
{
    cov_buf id = COV_BUF_IN(ctx->arena);
    struct cov_mutation_node *node;
    cov_value user;

    if (!cov__feed_records(ctx, r->table->name))
        return COV_OK;
    cov__plain_text(&id, &(after != NULL ? after : before)[r->id->index]);
    node = cov__record(ctx, r->table->name, cov_str_from(type), cov_buf_view(&id));
    if (node == NULL || ctx->feed == NULL)
        return COV_OK;
    node->is_row = true;
    node->before = before;
    node->after = after;
    if (ctx->user != NULL && ctx->user->get(ctx->user->self, COV_STR("user.id"), &user) &&
        user.type == COV_TEXT)
        node->user_id = cov_arena_str(ctx->arena, user.s);
    if (ctx->names_row)
        node->optimistic_id = cov_request_header(ctx->req, COV_STR("X-Covara-Optimistic-Id"));
    return enter(ctx, node);
}
