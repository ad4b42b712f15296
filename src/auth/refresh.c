/* SPDX-License-Identifier: MIT */
/*
 * JWT sessions (spec/06 section 8.4): access tokens that nobody stores, and refresh tokens that are good for one use.
 *
 * Browsers' tabs refresh at the same time, so for a few seconds the same refresh token gives an access token once more,
 * but no second refresh token. Later than that its use again means that it was stolen: all of the user's are revoked.
 */
#include "auth/internal.h"
#include "base/encode.h"
#include "base/num.h"

enum { GRACE_MS = 10000 };

static bool has_store(const cov_auth *auth)
{
    return auth->config->session.store != COV_KEEP_NONE;
}

static int64_t now_ms(const cov_ctx *ctx)
{
    return ctx->host->now_ms(ctx->host->self);
}

static bool is_refresh(cov_str jti)
{
    return cov_str_starts(jti, COV_STR(COV_JWT_REFRESH_PREFIX));
}

/* ---- authenticating ---- */

cov_status cov__auth_user_of_token(const cov_auth *auth, cov_ctx *ctx, cov_str token,
                                   const cov_user **out)
{
    const cov_json *payload = NULL;
    cov_str jti;
    cov_user *user;
    cov_buf metadata = COV_BUF_IN(ctx->arena);

    if (cov_jwt_verify(auth->host, ctx->arena, &auth->jwt_key, &auth->jwt_rules, token, now_ms(ctx),
                       &payload) != COV_JWT_VALID)
        return COV_OK;
    jti = cov_json_text(cov_json_get(payload, "jti"));
    user = COV_NEW(ctx->arena, cov_user);
    if (user == NULL)
        return cov_fail_nomem(ctx->err);
    if (is_refresh(jti) || !cov_user_init(user, cov_json_text(cov_json_get(payload, "sub"))))
        return COV_OK;
    user->email = cov_json_text(cov_json_get(payload, "email"));
    user->name = cov_json_text(cov_json_get(payload, "name"));
    user->image = cov_json_text(cov_json_get(payload, "image"));
    if (cov_json_is_true(cov_json_get(payload, "emailVerified")))
        user->email_verified_ms = now_ms(ctx);
    user->session_id =
        jti.len != 0 ? jti : cov_arena_printf(ctx->arena, "jwt:%.*s", COV_STR_ARG(user->id));
    user->session_expires_ms =
        cov_double_to_i64(cov_json_number(cov_json_get(payload, "exp")) * 1000);
    if (cov_json_type_of(cov_json_get(payload, "metadata")) == COV_JSON_OBJECT)
        cov_json_value(&metadata, cov_json_get(payload, "metadata"));
    *out = user;
    return cov_user_set_metadata(ctx->arena, user, cov_buf_view(&metadata), ctx->err);
}

/* ---- issuing ---- */

static cov_status sign(const cov_auth *auth, cov_ctx *ctx, const cov_jwt_claims *claims,
                       void (*payload)(cov_buf *buf, const cov_jwt_claims *claims), cov_str *out)
{
    cov_buf text = COV_BUF_IN(ctx->arena);

    payload(&text, claims);
    if (text.failed)
        return cov_fail_nomem(ctx->err);
    return cov_jwt_sign(auth->host, ctx->arena, &auth->jwt_key, COV_STR_NULL, cov_buf_view(&text),
                        out, ctx->err);
}

static cov_status make_claims(const cov_auth *auth, cov_ctx *ctx, const cov_user *user,
                              cov_jwt_claims *out)
{
    cov_buf metadata = COV_BUF_IN(ctx->arena);
    char uuid[COV_UUID_TEXT_BYTES];
    cov_status st = cov_uuid(ctx->host, uuid);

    if (st != COV_OK)
        return cov_fail(ctx->err, st, "no random bytes for a token");
    if (user->metadata != NULL)
        cov_json_value(&metadata, user->metadata);
    *out = (cov_jwt_claims){ .sub = user->id,
                             .email = user->email,
                             .name = user->name,
                             .image = user->image,
                             .email_verified = user->email_verified_ms != COV_USER_NO_TIME,
                             .metadata = cov_buf_view(&metadata),
                             .jti = cov_arena_str(ctx->arena, cov_str_of(uuid, sizeof uuid)),
                             .iat_s = now_ms(ctx) / 1000,
                             .audience = auth->config->session.jwt.audience,
                             .issuer = auth->config->session.jwt.issuer };
    return out->jti.ptr != NULL && !metadata.failed ? COV_OK : cov_fail_nomem(ctx->err);
}

static cov_cookie refresh_cookie(const cov_auth *auth, const cov_ctx *ctx)
{
    cov_cookie_config config = auth->config->session.cookie;

    config.same_site = COV_SAME_SITE_STRICT;
    config.max_age_s = auth->config->session.jwt.refresh_ttl_s;
    return cov_cookie_of(&config, auth->config->session.jwt.refresh_cookie_name,
                         cov__auth_secure(auth, ctx));
}

static cov_status store_refresh(const cov_auth *auth, cov_ctx *ctx, const cov_jwt_claims *claims)
{
    int64_t now = now_ms(ctx);
    cov_session record = { .id = cov_arena_printf(ctx->arena, COV_JWT_REFRESH_PREFIX "%.*s",
                                                  COV_STR_ARG(claims->jti)),
                           .user_id = claims->sub,
                           .created_ms = now,
                           .expires_ms = now + auth->config->session.jwt.refresh_ttl_s * 1000,
                           .data = cov__auth_session_data(ctx) };

    if (!has_store(auth))
        return COV_OK;
    return record.id.ptr != NULL && record.data.ptr != NULL
               ? cov_session_put(&auth->store, ctx, &record)
               : cov_fail_nomem(ctx->err);
}

/* Without `refresh` the client keeps the refresh token that another of its tabs got. */
static cov_status issue(const cov_auth *auth, cov_ctx *ctx, const cov_user *user, bool refresh)
{
    const cov_session_config *session = &auth->config->session;
    cov_cookie cookie = refresh_cookie(auth, ctx);
    cov_jwt_claims claims;
    cov_str access;
    cov_status st = make_claims(auth, ctx, user, &claims);

    if (st == COV_OK) {
        claims.exp_s = claims.iat_s + session->jwt.access_ttl_s;
        st = sign(auth, ctx, &claims, cov_jwt_access_payload, &access);
    }
    if (st != COV_OK)
        return st;
    COV_BUF_LIT(&ctx->res->body, "\"accessToken\":");
    cov_json_str(&ctx->res->body, access);
    cov_buf_printf(&ctx->res->body, ",\"expiresIn\":%lld,\"tokenType\":\"Bearer\"}",
                   (long long)session->jwt.access_ttl_s);
    if (!refresh)
        return COV_OK;
    claims.exp_s = claims.iat_s + session->jwt.refresh_ttl_s;
    if ((st = sign(auth, ctx, &claims, cov_jwt_refresh_payload, &cookie.value)) != COV_OK ||
        (st = store_refresh(auth, ctx, &claims)) != COV_OK)
        return st;
    return cov__auth_set_cookie(ctx, &cookie);
}

cov_status cov__auth_issue_tokens(const cov_auth *auth, cov_ctx *ctx, const cov_account *account)
{
    cov_buf_char(&ctx->res->body, ',');
    return issue(auth, ctx, &account->user, true);
}

/* ---- the refresh route ---- */

/* These answers are flat (section 1.7): the client reads `error.message`. */
static cov_status flat_error(cov_auth_call *call, int status, const char *code, const char *message)
{
    cov_response *res = call->ctx->res;

    cov_buf_printf(&res->body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code, message);
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/json"));
    res->status = status;
    return COV_OK;
}

static cov_str presented_token(cov_auth_call *call)
{
    cov_str token = cov_cookie_get(call->ctx->arena, call->ctx->req,
                                   call->auth->config->session.jwt.refresh_cookie_name);

    return token.len != 0 ? token : cov__auth_text(call, "refreshToken");
}

typedef enum use {
    USE_FIRST,
    USE_AGAIN,   /* a moment after the first: another tab */
    USE_REVOKED, /* logged out */
    USE_STOLEN   /* long after the first */
} use;

/* When the token was used first, or 0 when that is now. The mark lives as long as the token would. */
static cov_status mark_used(const cov_auth *auth, cov_ctx *ctx, cov_str key, int64_t *first_ms)
{
    cov_str now = cov_arena_printf(ctx->arena, "%lld", (long long)now_ms(ctx));
    int64_t ttl_ms = auth->config->session.jwt.refresh_ttl_s * 1000;
    cov_str seen = COV_STR_NULL;
    bool fresh = false;
    cov_status st = cov_kv_set(auth->kv, ctx->arena, key, now, ttl_ms, true, &fresh, ctx->err);

    *first_ms = 0;
    if (st != COV_OK || fresh)
        return st;
    st = cov_kv_get(auth->kv, ctx->arena, key, &seen, ctx->err);
    if (st == COV_OK && !cov_parse_i64(seen, first_ms))
        *first_ms = now_ms(ctx);
    return st;
}

/* Who ended all sessions a moment ago has no other tab whose token counts. */
static cov_status check_family(const cov_auth *auth, cov_ctx *ctx, cov_str user_id, use *out)
{
    cov_sessions all;
    cov_status st = cov_session_list(&auth->store, ctx, user_id, &all);

    *out = USE_REVOKED;
    for (size_t i = 0; st == COV_OK && i < all.n; i++)
        if (is_refresh(all.items[i].id))
            *out = USE_AGAIN;
    return st;
}

/* Of several requests with one token one is the first. */
static cov_status use_record(const cov_auth *auth, cov_ctx *ctx, cov_str jti, cov_str user_id,
                             use *out)
{
    cov_str key = cov_arena_printf(ctx->arena, "covara:refresh:used:%.*s", COV_STR_ARG(jti));
    int64_t first_ms = 0;
    bool found = false;
    cov_status st =
        key.ptr != NULL ? mark_used(auth, ctx, key, &first_ms) : cov_fail_nomem(ctx->err);

    if (st != COV_OK)
        return st;
    if (first_ms != 0) {
        *out = now_ms(ctx) - first_ms <= GRACE_MS ? USE_AGAIN : USE_STOLEN;
        return *out == USE_AGAIN ? check_family(auth, ctx, user_id, out) : COV_OK;
    }
    st = cov_session_delete(&auth->store, ctx, jti, user_id, &found);
    if (st != COV_OK)
        return st;
    *out = found ? USE_FIRST : USE_REVOKED;
    return found ? COV_OK : cov_kv_del(auth->kv, ctx->arena, key, NULL, ctx->err);
}

static cov_status renew(cov_auth_call *call, cov_str jti, cov_str user_id)
{
    const cov_auth *auth = call->auth;
    use how = USE_FIRST;
    cov_account account;
    bool found = false;
    cov_status st = has_store(auth) ? use_record(auth, call->ctx, jti, user_id, &how) : COV_OK;

    if (st == COV_OK && how == USE_STOLEN)
        st = cov__auth_end_all(auth, call->ctx, user_id, COV_STR(""));
    if (st == COV_OK && (how == USE_REVOKED || how == USE_STOLEN))
        return flat_error(call, 401, "TOKEN_REVOKED", "Refresh token revoked");
    if (st == COV_OK)
        st = cov_users_by_id(&auth->users, call->ctx, user_id, &account, &found);
    if (st != COV_OK)
        return st;
    if (!found)
        return flat_error(call, 401, "USER_NOT_FOUND", "User not found");
    cov_buf_char(&call->ctx->res->body, '{');
    st = issue(auth, call->ctx, &account.user, how == USE_FIRST);
    return st == COV_OK ? cov__auth_ok(call) : st;
}

static cov_status refresh(cov_auth_call *call)
{
    const cov_auth *auth = call->auth;
    cov_str token = presented_token(call);
    const cov_json *payload = NULL;
    cov_jwt_verdict verdict;
    cov_str jti;
    cov_str sub;

    if (auth->config->session.type != COV_SESSION_JWT)
        return cov_fail(call->ctx->err, COV_ENOTFOUND, "Route %.*s %.*s not found",
                        COV_STR_ARG(call->ctx->req->method_name),
                        COV_STR_ARG(call->ctx->req->path));
    if (token.len == 0)
        return flat_error(call, 400, "NO_REFRESH_TOKEN", "Refresh token required");
    verdict = cov_jwt_verify(auth->host, call->ctx->arena, &auth->jwt_key, &auth->jwt_rules, token,
                             now_ms(call->ctx), &payload);
    if (verdict == COV_JWT_EXPIRED)
        return flat_error(call, 401, "REFRESH_TOKEN_EXPIRED", "Refresh token expired");
    jti = cov_json_text(cov_json_get(payload, "jti"));
    sub = cov_json_text(cov_json_get(payload, "sub"));
    if (verdict != COV_JWT_VALID || sub.len == 0)
        return flat_error(call, 401, "INVALID_REFRESH_TOKEN", "Invalid refresh token");
    if (!is_refresh(jti))
        return has_store(auth)
                   ? flat_error(call, 401, "TOKEN_REVOKED", "Refresh token revoked")
                   : flat_error(call, 401, "INVALID_REFRESH_TOKEN", "Invalid refresh token");
    return renew(call, jti, sub);
}

/* ---- logout ---- */

cov_str cov__auth_refresh_id(const cov_auth *auth, cov_ctx *ctx, cov_str *user_id)
{
    cov_str token =
        cov_cookie_get(ctx->arena, ctx->req, auth->config->session.jwt.refresh_cookie_name);
    const cov_json *payload = NULL;
    cov_str jti;

    if (token.len == 0 || cov_jwt_verify(auth->host, ctx->arena, &auth->jwt_key, &auth->jwt_rules,
                                         token, now_ms(ctx), &payload) == COV_JWT_INVALID)
        return COV_STR_NULL;
    jti = cov_json_text(cov_json_get(payload, "jti"));
    *user_id = cov_json_text(cov_json_get(payload, "sub"));
    return is_refresh(jti) && user_id->len != 0 ? jti : COV_STR_NULL;
}

cov_status cov__auth_revoke_refresh(const cov_auth *auth, cov_ctx *ctx)
{
    cov_cookie cookie = refresh_cookie(auth, ctx);
    cov_str user_id;
    cov_str jti = cov__auth_refresh_id(auth, ctx, &user_id);
    cov_status st = COV_OK;

    cookie.max_age_s = -1;
    if (has_store(auth) && jti.len != 0)
        st = cov_session_delete(&auth->store, ctx, jti, user_id, NULL);
    return st == COV_OK ? cov__auth_clear_cookie(ctx, &cookie) : st;
}

const cov_auth_action cov__auth_refresh_actions[] = {
    { COV_POST, "/refresh", COV_AUTH_ALWAYS, COV_AUTH_NO_GATE, NULL, COV_AUTH_BLOCKS, refresh },
    { .path = NULL },
};
