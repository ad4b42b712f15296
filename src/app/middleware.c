/* SPDX-License-Identifier: MIT */
/* Application code that runs before routing (spec/01 section 1.2), on every path but preflights. */
#include "app/internal.h"

/*
 * A body without a status is nobody's answer: it must not end up in front of the handler's. Headers stay, for
 * that is how middleware adds them to what others answer.
 */
cov_status cov__middleware_run(const cov_app *app, cov_ctx *ctx)
{
    for (const cov_middleware_node *node = app->middleware; node != NULL; node = node->next) {
        const cov_middleware *middleware = node->middleware;
        cov_status st = middleware->before(ctx, middleware->self, ctx->err);

        st = cov__code_status(ctx, st, "middleware");
        if (st != COV_OK || ctx->res->status != 0)
            return st;
        ctx->res->body.len = 0;
        ctx->res->body.failed = false;
    }
    return COV_OK;
}
