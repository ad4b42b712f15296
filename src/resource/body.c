/* SPDX-License-Identifier: MIT */
/* Request bodies and the list of what is wrong with them (spec/01 sections 4 and 9.3). */
#include <stdarg.h>
#include <stdio.h>

#include "resource/internal.h"

/* An empty body reads as {}. */
cov_status cov__body_read(cov_ctx *ctx, yyjson_val **out)
{
    cov_str text = ctx->req->body.len != 0 ? ctx->req->body : COV_STR("{}");
    cov_status st = cov_json_read(ctx->arena, text, out, ctx->err);

    if (st == COV_EINVAL)
        st = cov_fail(ctx->err, COV_EINVAL, "Request body is not valid JSON");
    return st;
}

void cov__issues_init(cov_issues *issues, cov_arena *arena)
{
    memset(issues, 0, sizeof *issues);
    issues->json.arena = arena;
}

static void path_json(cov_buf *out, cov_arena *arena, cov_str prefix, cov_str field)
{
    cov_buf path = COV_BUF_IN(arena);

    cov_buf_str(&path, prefix);
    if (prefix.len != 0 && field.len != 0)
        cov_buf_char(&path, '.');
    cov_buf_str(&path, field);
    cov_json_str(out, cov_buf_view(&path));
}

void cov__issue(cov_issues *issues, cov_str prefix, cov_str field, const char *format, ...)
{
    cov_arena *arena = issues->json.arena;
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = len >= 0 ? cov_arena_alloc(arena, (size_t)len + 1) : NULL;
    if (text == NULL) {
        issues->json.failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    cov_buf_str(&issues->json, issues->n++ == 0 ? COV_STR("{\"field\":") : COV_STR(",{\"field\":"));
    path_json(&issues->json, arena, prefix, field);
    COV_BUF_LIT(&issues->json, ",\"message\":");
    cov_json_str(&issues->json, cov_str_of(text, (size_t)len));
    cov_buf_char(&issues->json, '}');
}

cov_status cov__issues_finish(cov_ctx *ctx, const cov_issues *issues)
{
    cov_status st;

    if (issues->json.failed)
        return cov_fail_nomem(ctx->err);
    if (issues->n == 0)
        return COV_OK;
    st = cov_fail(ctx->err, COV_EINVAL, "Validation failed");
    cov_error_member(ctx->err, "\"errors\":[%.*s]", COV_STR_ARG(cov_buf_view(&issues->json)));
    return st;
}
