/* SPDX-License-Identifier: MIT */
/*
 * GET and DELETE /sessions, POST /logout-all: where the user is signed in, and ending that.
 *
 * A session's id is as good as a password and is never shown: its handle is the beginning of its hash. With JWT sessions
 * a refresh token is what lasts and can be ended; access tokens that are out already live for their minutes.
 */
#include "auth/internal.h"

#include <stdlib.h>

#include "auth/token.h"

enum { HANDLE_CHARS = 16 };

typedef struct handle {
    char text[COV_TOKEN_HASH_CHARS];
} handle;

static cov_status handle_of(cov_auth_call *call, const cov_session *session, handle *out)
{
    cov_status st = cov_token_hash(call->auth->host, session->id, out->text);

    return st == COV_OK ? COV_OK : cov_fail(call->ctx->err, st, "a session could not be hashed");
}

static cov_str text_of(const handle *of)
{
    return cov_str_of(of->text, HANDLE_CHARS);
}

/* ---- which there are ---- */

/* The id of the session that the request came with; empty: it came with a bearer token only. */
static cov_str current_id(cov_auth_call *call)
{
    cov_str whose;

    if (call->auth->config->session.type != COV_SESSION_JWT)
        return call->user->session_id;
    return cov__auth_refresh_id(call->auth, call->ctx, &whose);
}

static int by_age(const void *left, const void *right)
{
    const cov_session *a = left;
    const cov_session *b = right;

    if (a->created_ms != b->created_ms)
        return a->created_ms < b->created_ms ? -1 : 1;
    return cov_str_compare(a->id, b->id);
}

/* Those of the configured kind, oldest first: others may be left from before the configuration changed. */
static cov_status load(cov_auth_call *call, cov_sessions *out)
{
    bool jwt = call->auth->config->session.type == COV_SESSION_JWT;
    cov_sessions all = { NULL, 0 };
    cov_session *items;
    cov_status st = cov_session_list(&call->auth->store, call->ctx, call->user->id, &all);

    if (st != COV_OK)
        return st;
    items = COV_NEW_ARRAY(call->ctx->arena, cov_session, all.n + 1);
    if (items == NULL)
        return cov_fail_nomem(call->ctx->err);
    *out = (cov_sessions){ items, 0 };
    for (size_t i = 0; i < all.n; i++)
        if (cov_str_starts(all.items[i].id, COV_STR(COV_JWT_REFRESH_PREFIX)) == jwt)
            items[out->n++] = all.items[i];
    qsort(items, out->n, sizeof *items, by_age);
    return COV_OK;
}

/* ---- showing ---- */

static void put_text(cov_buf *out, const char *member, const cov_json *value)
{
    cov_buf_str(out, cov_str_from(member));
    if (cov_json_type_of(value) == COV_JSON_STRING)
        cov_json_str(out, cov_json_text(value));
    else
        COV_BUF_LIT(out, "null");
}

static cov_status show(cov_auth_call *call, const cov_session *session, bool current)
{
    cov_buf *out = &call->ctx->res->body;
    yyjson_val *data = NULL;
    int64_t active_ms;
    handle id;
    cov_status st = handle_of(call, session, &id);

    if (st == COV_OK && session->data.len != 0 &&
        cov_json_read(call->ctx->arena, session->data, &data, NULL) == COV_ENOMEM)
        st = cov_fail_nomem(call->ctx->err);
    if (st != COV_OK)
        return st;
    active_ms = cov_json_int64(cov_json_get(data, "lastActiveAt"));
    COV_BUF_LIT(out, "{\"id\":");
    cov_json_str(out, text_of(&id));
    COV_BUF_LIT(out, ",\"createdAt\":");
    cov_json_time(out, session->created_ms);
    COV_BUF_LIT(out, ",\"expiresAt\":");
    cov_json_time(out, session->expires_ms);
    COV_BUF_LIT(out, ",\"lastActiveAt\":");
    cov_json_time(out, active_ms > session->created_ms ? active_ms : session->created_ms);
    put_text(out, ",\"ipAddress\":", cov_json_get(data, "ipAddress"));
    put_text(out, ",\"userAgent\":", cov_json_get(data, "userAgent"));
    COV_BUF_LIT(out, ",\"current\":");
    cov_json_bool(out, current);
    cov_buf_char(out, '}');
    return COV_OK;
}

static cov_status list(cov_auth_call *call)
{
    cov_buf *out = &call->ctx->res->body;
    cov_str current = current_id(call);
    cov_sessions sessions = { NULL, 0 };
    cov_status st = cov__auth_refuse_key(call);

    if (st == COV_OK)
        st = load(call, &sessions);
    if (st != COV_OK)
        return st;
    COV_BUF_LIT(out, "{\"sessions\":[");
    for (size_t i = 0; st == COV_OK && i < sessions.n; i++) {
        if (i != 0)
            cov_buf_char(out, ',');
        st = show(call, &sessions.items[i], cov_str_eq(sessions.items[i].id, current));
    }
    COV_BUF_LIT(out, "]}");
    return st == COV_OK ? cov__auth_ok(call) : st;
}

/* ---- ending ---- */

static cov_status no_content(cov_auth_call *call)
{
    call->ctx->res->status = 204;
    return COV_OK;
}

/* *out NULL: the user has no such session. */
static cov_status find(cov_auth_call *call, const cov_session **out)
{
    cov_sessions sessions = { NULL, 0 };
    handle id;
    cov_status st = load(call, &sessions);

    *out = NULL;
    for (size_t i = 0; st == COV_OK && *out == NULL && i < sessions.n; i++) {
        st = handle_of(call, &sessions.items[i], &id);
        if (st == COV_OK && cov_str_eq(text_of(&id), call->param))
            *out = &sessions.items[i];
    }
    return st;
}

static cov_status end_one(cov_auth_call *call)
{
    const cov_session *session = NULL;
    cov_status st = cov__auth_refuse_key(call);

    if (st == COV_OK)
        st = find(call, &session);
    if (st != COV_OK)
        return st;
    if (session == NULL)
        return cov_fail(call->ctx->err, COV_ENOTFOUND, "Session not found");
    if (cov_str_eq(session->id, current_id(call)))
        st = cov__auth_end_session(call);
    else
        st = cov_session_delete(&call->auth->store, call->ctx, session->id, call->user->id, NULL);
    cov__auth_revoked(call->auth, call->user->id);
    return st == COV_OK ? no_content(call) : st;
}

static cov_status end_others(cov_auth_call *call)
{
    cov_status st = cov__auth_refuse_key(call);

    if (st == COV_OK)
        st = cov__auth_end_all(call->auth, call->ctx, call->user->id, current_id(call));
    return st == COV_OK ? no_content(call) : st;
}

static cov_status end_all(cov_auth_call *call)
{
    cov_status st = cov__auth_refuse_key(call);

    if (st == COV_OK)
        st = cov__auth_end_all(call->auth, call->ctx, call->user->id, COV_STR(""));
    if (st == COV_OK)
        st = cov__auth_end_session(call);
    return st == COV_OK ? cov__auth_success(call) : st;
}

#define WRITES COV_AUTH_BLOCKS | COV_AUTH_SIGNED_IN

const cov_auth_action cov__auth_device_actions[] = {
    { COV_GET, "/sessions", COV_AUTH_ALWAYS, COV_AUTH_NO_GATE, NULL, COV_AUTH_SIGNED_IN, list },
    { COV_DELETE, "/sessions", COV_AUTH_ALWAYS, COV_AUTH_NO_GATE, NULL, WRITES, end_others },
    { COV_DELETE, "/sessions/:id", COV_AUTH_ALWAYS, COV_AUTH_NO_GATE, NULL, WRITES, end_one },
    { COV_POST, "/logout-all", COV_AUTH_ALWAYS, COV_AUTH_NO_GATE, NULL, WRITES, end_all },
    { .path = NULL },
};
