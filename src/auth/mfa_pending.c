/* SPDX-License-Identifier: MIT */
#include "auth/mfa_pending.h"

#include "auth/token.h"

static cov_cookie cookie_of(const cov_auth *auth, const cov_ctx *ctx)
{
    cov_cookie_config config = auth->config->session.cookie;

    config.same_site = COV_SAME_SITE_STRICT;
    config.max_age_s = COV_MFA_PENDING_S;
    return cov_cookie_of(&config, COV_MFA_PENDING_COOKIE, cov__auth_secure(auth, ctx));
}

static cov_status keys_of(cov_ctx *ctx, cov_str token, cov_mfa_pending *out)
{
    char hash[COV_TOKEN_HASH_CHARS];

    if (cov_token_hash(ctx->host, token, hash) != COV_OK)
        return cov_fail(ctx->err, COV_EINTERNAL, "no digest of a token");
    out->key = cov_arena_printf(ctx->arena, "covara:mfa:login:%.*s", (int)sizeof hash, hash);
    out->tries_key = cov_arena_printf(ctx->arena, "covara:mfa:tries:%.*s", (int)sizeof hash, hash);
    return out->key.ptr != NULL && out->tries_key.ptr != NULL ? COV_OK : cov_fail_nomem(ctx->err);
}

cov_status cov__mfa_pending_begin(const cov_auth *auth, cov_ctx *ctx, cov_str user_id)
{
    cov_cookie cookie = cookie_of(auth, ctx);
    cov_mfa_pending pending;
    cov_status st =
        cov_token_random(auth->host, ctx->arena, COV_TOKEN_BYTES, &cookie.value, ctx->err);

    if (st == COV_OK)
        st = keys_of(ctx, cookie.value, &pending);
    if (st == COV_OK)
        st = cov_kv_set(auth->kv, ctx->arena, pending.key, user_id, COV_MFA_PENDING_S * 1000, false,
                        NULL, ctx->err);
    return st == COV_OK ? cov__auth_set_cookie(ctx, &cookie) : st;
}

cov_status cov__mfa_pending_find(const cov_auth *auth, cov_ctx *ctx, cov_mfa_pending *out)
{
    cov_str token = cov_cookie_get(ctx->arena, ctx->req, COV_MFA_PENDING_COOKIE);
    cov_status st;

    *out = (cov_mfa_pending){ .user_id = COV_STR("") };
    if (token.len == 0)
        return COV_OK;
    st = keys_of(ctx, token, out);
    return st == COV_OK ? cov_kv_get(auth->kv, ctx->arena, out->key, &out->user_id, ctx->err) : st;
}

cov_status cov__mfa_pending_try(const cov_auth *auth, cov_ctx *ctx, const cov_mfa_pending *pending,
                                bool *allowed)
{
    cov_str args[] = {
        pending->tries_key,
        cov_arena_printf(ctx->arena, "%lld", (long long)ctx->host->now_ms(ctx->host->self)),
        cov_arena_printf(ctx->arena, "%d", COV_MFA_PENDING_S * 1000),
    };
    cov_kv_reply reply;
    cov_status st = cov_kv_call(auth->kv, ctx->arena, COV_KV_WINDOW, args, COV_COUNT_OF(args),
                                &reply, ctx->err);
    bool mine;

    if (st != COV_OK)
        return st;
    *allowed = reply.n != 0 && reply.items[0].i <= COV_MFA_PENDING_TRIES;
    return *allowed ? COV_OK : cov__mfa_pending_end(auth, ctx, pending, &mine);
}

cov_status cov__mfa_pending_end(const cov_auth *auth, cov_ctx *ctx, const cov_mfa_pending *pending,
                                bool *mine)
{
    cov_str args[] = { pending->key, pending->user_id };
    cov_cookie cookie = cookie_of(auth, ctx);
    cov_kv_reply reply;
    cov_status st = cov_kv_call(auth->kv, ctx->arena, COV_KV_DELIF, args, 2, &reply, ctx->err);

    *mine = st == COV_OK && reply.i == 1;
    return st == COV_OK ? cov__auth_clear_cookie(ctx, &cookie) : st;
}
