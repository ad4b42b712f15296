/* SPDX-License-Identifier: MIT */
/*
 * Who asks (spec/06 section 3.10): the first valid one of bearer token, API key and session cookie.
 *
 * A session that was looked up less than a second ago is not looked up again, nor is its user; see auth/cache.h for what
 * revocation means then.
 */
#include "auth/internal.h"
#include "base/num.h"

#define SECOND_US INT64_C(900000) /* with the look-up itself, less than a second */
enum { ACTIVITY_MS = 60000 };

static int64_t now_ms(const cov_ctx *ctx)
{
    return ctx->host->now_ms(ctx->host->self);
}

/* ---- users as bytes, for the cache ---- */

static void put_text(cov_buf *out, cov_str text)
{
    cov_buf_append(out, &text.len, sizeof text.len);
    cov_buf_char(out, (char)(text.ptr != NULL));
    cov_buf_str(out, text);
}

static bool take(cov_str *from, void *to, size_t len)
{
    if (from->len < len)
        return false;
    memcpy(to, from->ptr, len);
    *from = cov_str_slice(*from, len, from->len);
    return true;
}

static bool take_text(cov_str *from, cov_str *text)
{
    size_t len;
    char is_there;

    if (!take(from, &len, sizeof len) || !take(from, &is_there, 1) || from->len < len)
        return false;
    *text = is_there ? cov_str_of(from->ptr, len) : COV_STR_NULL;
    *from = cov_str_slice(*from, len, from->len);
    return true;
}

static cov_str flatten(cov_arena *arena, const cov_user *user)
{
    cov_buf metadata = COV_BUF_IN(arena);
    cov_buf out = COV_BUF_IN(arena);

    if (user->metadata != NULL)
        cov_json_value(&metadata, user->metadata);
    cov_buf_append(&out, &user->email_verified_ms, sizeof user->email_verified_ms);
    cov_buf_append(&out, &user->session_expires_ms, sizeof user->session_expires_ms);
    put_text(&out, user->id);
    put_text(&out, user->email);
    put_text(&out, user->name);
    put_text(&out, user->image);
    put_text(&out, user->session_id);
    put_text(&out, cov_buf_view(&metadata));
    return out.failed || metadata.failed ? COV_STR_NULL : cov_buf_view(&out);
}

/* NULL: out of memory. */
static const cov_user *unflatten(cov_ctx *ctx, cov_str bytes)
{
    cov_user *user = COV_NEW(ctx->arena, cov_user);
    cov_str metadata = COV_STR_NULL;
    bool whole = user != NULL &&
                 take(&bytes, &user->email_verified_ms, sizeof user->email_verified_ms) &&
                 take(&bytes, &user->session_expires_ms, sizeof user->session_expires_ms) &&
                 take_text(&bytes, &user->id) && take_text(&bytes, &user->email) &&
                 take_text(&bytes, &user->name) && take_text(&bytes, &user->image) &&
                 take_text(&bytes, &user->session_id) && take_text(&bytes, &metadata);

    if (!whole || cov_user_set_metadata(ctx->arena, user, metadata, ctx->err) != COV_OK)
        return NULL;
    return user;
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
    cov_cache_put(auth->identities, id, flatten(ctx->arena, user), epoch);
    *out = user;
    return COV_OK;
}

static cov_status user_of_cookie(const cov_auth *auth, cov_ctx *ctx, const cov_user **out)
{
    cov_str id = cov_cookie_get(ctx->arena, ctx->req, auth->config->session.cookie_name);
    const cov_user *user;
    cov_str cached;

    /* Refresh tokens are stored beside sessions, but are none. */
    if (id.len == 0 || cov_str_starts(id, COV_STR(COV_JWT_REFRESH_PREFIX)))
        return COV_OK;
    if (!cov_cache_get(auth->identities, id, SECOND_US, ctx->arena, &cached))
        return load_session(auth, ctx, id, out);
    user = unflatten(ctx, cached);
    if (user == NULL)
        return cov_fail_nomem(ctx->err);
    *out = user->session_expires_ms > now_ms(ctx) ? user : NULL;
    return COV_OK;
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
    bool key = cov_str_starts(user->session_id, COV_STR("apikey:"));
    bool waits = !auth->store.in_database && auth->kv != NULL &&
                 (auth->kv->driver->caps & COV_KV_CAP_BLOCKS) != 0;
    cov_session session;
    cov_user *now;
    cov_status st;

    *out = user;
    if (auth->config->session.type == COV_SESSION_JWT || key || waits)
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
