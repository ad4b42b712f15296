/* SPDX-License-Identifier: MIT */
/* Sessions begin and end (spec/06 sections 2 and 3.1). */
#include "auth/internal.h"
#include "base/encode.h"

enum { USER_AGENT_MAX_BYTES = 512 };

/* ---- cookies ---- */

bool cov__auth_secure(const cov_auth *auth, const cov_ctx *ctx)
{
    switch (auth->config->session.cookie.secure) {
    case COV_SECURE_ON:
        return true;
    case COV_SECURE_OFF:
        return false;
    default:
        return auth->production || ctx->https;
    }
}

cov_cookie cov__auth_session_cookie(const cov_auth *auth, const cov_ctx *ctx)
{
    return cov_cookie_of(&auth->config->session.cookie, auth->config->session.cookie_name,
                         cov__auth_secure(auth, ctx));
}

cov_status cov__auth_set_cookie(cov_ctx *ctx, const cov_cookie *cookie)
{
    cov_str text;
    cov_status st =
        cov_cookie_set(ctx->arena, cookie, ctx->host->now_ms(ctx->host->self), &text, ctx->err);

    if (st == COV_OK)
        cov_response_add_header(ctx->res, COV_STR("Set-Cookie"), text);
    return st;
}

cov_status cov__auth_clear_cookie(cov_ctx *ctx, const cov_cookie *cookie)
{
    cov_str text;
    cov_status st = cov_cookie_clear(ctx->arena, cookie, &text, ctx->err);

    if (st == COV_OK)
        cov_response_add_header(ctx->res, COV_STR("Set-Cookie"), text);
    return st;
}

/* ---- cookie sessions ---- */

/* A client cannot store more than a line of text. */
cov_str cov__auth_session_data(cov_ctx *ctx)
{
    cov_str agent = cov_request_header(ctx->req, COV_STR("User-Agent"));
    cov_buf text = COV_BUF_IN(ctx->arena);

    cov_buf_char(&text, '{');
    if (ctx->client_address.len != 0) {
        COV_BUF_LIT(&text, "\"ipAddress\":");
        cov_json_str(&text, ctx->client_address);
    }
    if (agent.len != 0) {
        cov_buf_str(&text, text.len > 1 ? COV_STR(",\"userAgent\":") : COV_STR("\"userAgent\":"));
        cov_json_str(&text, cov_str_slice(agent, 0, USER_AGENT_MAX_BYTES));
    }
    cov_buf_char(&text, '}');
    return text.failed ? COV_STR_NULL : cov_buf_view(&text);
}

static cov_status drop_presented(const cov_auth *auth, cov_ctx *ctx)
{
    cov_str id = cov_cookie_get(ctx->arena, ctx->req, auth->config->session.cookie_name);
    cov_session session;
    bool found = false;
    cov_status st;

    if (id.len == 0)
        return COV_OK;
    st = cov_session_get(&auth->store, ctx, id, &session, &found);
    if (st == COV_OK && found)
        st = cov_session_delete(&auth->store, ctx, id, session.user_id, NULL);
    if (st == COV_OK && found)
        cov__auth_revoked(auth, session.user_id);
    else
        cov_cache_forget_all(auth->identities);
    return st;
}

static cov_status begin_cookie(cov_auth_call *call, const cov_account *account)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    int64_t now_ms = ctx->host->now_ms(ctx->host->self);
    cov_session session = { .user_id = account->user.id,
                            .created_ms = now_ms,
                            .expires_ms = now_ms + auth->config->session.ttl_ms,
                            .data = cov__auth_session_data(ctx) };
    cov_cookie cookie = cov__auth_session_cookie(auth, ctx);
    char uuid[COV_UUID_TEXT_BYTES];
    cov_status st = drop_presented(auth, ctx);

    if (st == COV_OK)
        st = cov_uuid(ctx->host, uuid);
    if (st != COV_OK)
        return st;
    session.id = cov_arena_str(ctx->arena, cov_str_of(uuid, sizeof uuid));
    if (session.id.ptr == NULL || session.data.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    st = cov_session_put(&auth->store, ctx, &session);
    if (st != COV_OK)
        return st;
    cookie.value = session.id;
    cookie.expires_ms = session.expires_ms;
    COV_BUF_LIT(&ctx->res->body, ",\"sessionId\":");
    cov_json_str(&ctx->res->body, session.id);
    cov_buf_char(&ctx->res->body, '}');
    return cov__auth_set_cookie(ctx, &cookie);
}

/* ---- either kind ---- */

cov_status cov__auth_begin_session(cov_auth_call *call, const cov_account *account)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_status st = auth->config->session.type == COV_SESSION_JWT
                        ? cov__auth_issue_tokens(auth, ctx, account)
                        : begin_cookie(call, account);

    if (st == COV_OK || st == COV_ENOMEM || st == COV_EBUSY)
        return st == COV_OK ? cov__auth_ok(call) : st;
    /* Why is the operator's business. */
    ctx->host->log(ctx->host->self, COV_LOG_ERROR, COV_STR("A session could not be created"),
                   COV_STR(""));
    return cov_fail(ctx->err, COV_EUNAUTH, "Failed to create session");
}

cov_status cov__auth_end_session(cov_auth_call *call)
{
    const cov_auth *auth = call->auth;
    cov_cookie cookie = cov__auth_session_cookie(auth, call->ctx);
    cov_status st;

    if (auth->config->session.type == COV_SESSION_JWT)
        return cov__auth_revoke_refresh(auth, call->ctx);
    st = drop_presented(auth, call->ctx);
    return st == COV_OK ? cov__auth_clear_cookie(call->ctx, &cookie) : st;
}

cov_status cov__auth_end_all(const cov_auth *auth, cov_ctx *ctx, cov_str user_id, cov_str except)
{
    cov_status st = COV_OK;

    if (auth->config->session.store != COV_KEEP_NONE)
        st = cov_session_delete_all(&auth->store, ctx, user_id, except);
    cov__auth_revoked(auth, user_id);
    return st;
}
