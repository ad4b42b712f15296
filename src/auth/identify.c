/* SPDX-License-Identifier: MIT */
/*
 * Who asks (spec/06 section 3.10): the first valid one of bearer token, API key and session cookie.
 *
 * A session that was looked up less than a second ago is not looked up again, nor is its user; see auth/cache.h for what
 * revocation means then.
 */
#include "auth/internal.h"

enum { ACTIVITY_MS = 60000 };

static int64_t now_ms(const cov_ctx *ctx)
{
    return ctx->host->now_ms(ctx->host->self);
}

/* ---- the session cookie ---- */

/* The session's data with the time of this use. */
static cov_str active_data(cov_ctx *ctx, cov_str data, int64_t now)
{
    cov_buf out = COV_BUF_IN(ctx->arena);
    yyjson_val *old = NULL;

    cov_buf_char(&out, '{');
    if (data.len != 0 && cov_json_read(ctx->arena, data, &old, NULL) == COV_OK) {
        for (size_t i = 0; i < 2; i++) {
            static const char *const names[] = { "ipAddress", "userAgent" };
            const cov_json *value = cov_json_get(old, names[i]);

            if (value == NULL)
                continue;
            cov_buf_printf(&out, "%s\"%s\":", out.len > 1 ? "," : "", names[i]);
            cov_json_value(&out, value);
        }
    }
    cov_buf_printf(&out, "%s\"lastActiveAt\":%lld}", out.len > 1 ? "," : "", (long long)now);
    return out.failed ? COV_STR_NULL : cov_buf_view(&out);
}

static int64_t last_active_ms(cov_ctx *ctx, const cov_session *session)
{
    yyjson_val *data = NULL;

    if (session->data.len == 0 || cov_json_read(ctx->arena, session->data, &data, NULL) != COV_OK)
        return 0;
    return cov_json_int64(cov_json_get(data, "lastActiveAt"));
}

/* At most once a minute: note the use, and with sliding sessions move the end and tell the browser. */
static cov_status note_use(const cov_auth *auth, cov_ctx *ctx, cov_session *session)
{
    int64_t now = now_ms(ctx);
    int64_t expires_ms = 0;
    cov_cookie cookie;

    if (now - last_active_ms(ctx, session) < ACTIVITY_MS)
        return COV_OK;
    /* A session that just began has its whole time before it. */
    if (auth->config->session.sliding &&
        session->expires_ms - now < auth->config->session.ttl_ms - ACTIVITY_MS)
        expires_ms = now + auth->config->session.ttl_ms;
    session->data = active_data(ctx, session->data, now);
    if (session->data.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    cov_session_touch(&auth->store, ctx, session, expires_ms);
    if (expires_ms == 0)
        return COV_OK;
    session->expires_ms = expires_ms;
    cookie = cov__auth_session_cookie(auth, ctx);
    cookie.value = session->id;
    cookie.expires_ms = expires_ms;
    return cov__auth_set_cookie(ctx, &cookie);
}

static cov_status look_up(const cov_auth *auth, cov_ctx *ctx, cov_str id, cov_session *session,
                          cov_user **out)
{
    cov_account *account = COV_NEW(ctx->arena, cov_account);
    bool found = false;
    cov_status st;

    if (account == NULL)
        return cov_fail_nomem(ctx->err);
    st = cov_session_get(&auth->store, ctx, id, session, &found);
    if (st == COV_OK && found)
        st = cov_users_by_id(&auth->users, ctx, session->user_id, account, &found);
    *out = st == COV_OK && found ? &account->user : NULL;
    return st;
}

static cov_status load_session(const cov_auth *auth, cov_ctx *ctx, cov_str id, const cov_user **out)
{
    uint64_t epoch = cov_cache_epoch(auth->identities);
    cov_session session;
    cov_user *user;
    cov_status st = look_up(auth, ctx, id, &session, &user);

    if (st == COV_OK && user != NULL)
        st = note_use(auth, ctx, &session);
    if (st != COV_OK || user == NULL)
        return st;
    user->session_id = session.id;
    user->session_expires_ms = session.expires_ms;
    cov__auth_remember(auth, ctx, id, user, epoch);
    *out = user;
    return COV_OK;
}

/* What is stored or cached beside sessions, but is none. */
static bool is_reserved(cov_str id)
{
    return cov_str_starts(id, COV_STR(COV_JWT_REFRESH_PREFIX)) ||
           cov_str_starts(id, COV_STR(COV_AUTH_KEY_CREDENTIAL));
}

static cov_status user_of_cookie(const cov_auth *auth, cov_ctx *ctx, const cov_user **out)
{
    cov_str id = cov_cookie_get(ctx->arena, ctx->req, auth->config->session.cookie_name);
    bool hit = false;
    cov_status st;

    if (id.len == 0 || is_reserved(id))
        return COV_OK;
    st = cov__auth_recall(auth, ctx, id, out, &hit);
    return st == COV_OK && !hit ? load_session(auth, ctx, id, out) : st;
}

/* ---- all of them ---- */

/* The scheme in any case, then one space or more (RFC 9110 section 11.4). */
static cov_str bearer(const cov_request *req)
{
    cov_str header = cov_request_header(req, COV_STR("Authorization"));

    if (header.len < 8 || !cov_str_eq_nocase(cov_str_slice(header, 0, 7), COV_STR("Bearer ")))
        return COV_STR_NULL;
    return cov_str_trim(cov_str_slice(header, 7, header.len));
}

cov_str cov__auth_api_key_of(const cov_auth *auth, const cov_request *req)
{
    cov_str key;

    if (!auth->config->api_keys.enabled)
        return COV_STR_NULL;
    key = cov_request_header(req, auth->config->api_keys.header);
    if (key.len == 0 && auth->config->api_keys.accept_bearer)
        key = bearer(req);
    return key.len != 0 ? key : COV_STR_NULL;
}

cov_status cov_auth_recheck(const cov_auth *auth, cov_ctx *ctx, const cov_user *user,
                            const cov_user **out)
{
    bool waits = !auth->store.in_database && auth->kv != NULL &&
                 (auth->kv->driver->caps & COV_KV_CAP_BLOCKS) != 0;
    cov_session session;
    cov_user *now;
    cov_status st;

    *out = user;
    if (waits)
        return COV_OK;
    if (cov_str_starts(user->session_id, COV_STR(COV_AUTH_KEY_SESSION)))
        return cov__auth_recheck_key(auth, ctx, user, out);
    if (auth->config->session.type == COV_SESSION_JWT)
        return COV_OK;
    st = look_up(auth, ctx, user->session_id, &session, &now);
    if (st != COV_OK)
        return st;
    *out = now;
    if (now != NULL) {
        now->session_id = session.id;
        now->session_expires_ms = session.expires_ms;
    }
    return COV_OK;
}

bool cov_auth_is_slow(const cov_auth *auth, const cov_request *req)
{
    return cov__auth_api_key_is_slow(auth, req);
}

cov_status cov_auth_identify(const cov_auth *auth, cov_ctx *ctx, const cov_user **out)
{
    cov_str token = bearer(ctx->req);
    cov_str key = cov__auth_api_key_of(auth, ctx->req);
    bool jwt = auth->config->session.type == COV_SESSION_JWT;
    cov_status st = COV_OK;

    *out = NULL;
    if (jwt && token.len != 0)
        st = cov__auth_user_of_token(auth, ctx, token, out);
    if (st == COV_OK && *out == NULL && key.len != 0)
        st = cov__auth_user_of_key(auth, ctx, key, out);
    if (st == COV_OK && *out == NULL && !jwt)
        st = user_of_cookie(auth, ctx, out);
    return st;
}
