/* SPDX-License-Identifier: MIT */
/* Making an auth object, and finding and running its routes. */
#include "auth/internal.h"
#include "base/encode.h"

enum { IDENTITIES = 4096, VERIFIED_KEYS = 1024 };

static const cov_auth_action *const lists[] = {
    cov__auth_session_actions,  cov__auth_device_actions, cov__auth_refresh_actions,
    cov__auth_recovery_actions, cov__auth_mfa_actions,    cov__auth_key_actions,
};

/* ---- making ---- */

static bool in_database(const cov_auth_config *config, const cov_kv *kv)
{
    if (config->session.store == COV_KEEP_AUTO)
        return (kv->driver->caps & COV_KV_CAP_SHARED) == 0;
    return config->session.store == COV_KEEP_DATABASE;
}

static void set_jwt(cov_auth *auth)
{
    const cov_session_config *session = &auth->config->session;

    auth->jwt_key.secret = session->jwt.secret;
    auth->jwt_key.public_key = session->jwt.public_key;
    auth->jwt_rules.issuer = session->jwt.issuer;
    auth->jwt_rules.tolerance_s = session->jwt.clock_tolerance_s;
    if (session->jwt.audience.n != 0)
        auth->jwt_rules.audience = session->jwt.audience.items[0];
}

/* What is forgotten with the process would leave accounts with the password alone, and scripts without their key. */
static cov_status check_store(const cov_auth *auth, bool enabled, const char *what, cov_error *err)
{
    if (!enabled || auth->store.in_database || (auth->kv->driver->caps & COV_KV_CAP_DURABLE) != 0)
        return COV_OK;
    return cov_fail(err, COV_EINVAL,
                    "%s must outlive the server, and this KV store does not; set "
                    "auth.session.store to \"database\"",
                    what);
}

cov_status cov_auth_new(cov_arena *arena, const cov_auth_parts *parts, cov_auth **out,
                        cov_error *err)
{
    const cov_auth_config *config = parts->config;
    cov_auth *auth = COV_NEW(arena, cov_auth);
    cov_status st;

    if (auth == NULL)
        return cov_fail_nomem(err);
    *auth =
        (cov_auth){ .host = parts->host,
                    .config = config,
                    .path = parts->path,
                    .store = { in_database(config, parts->kv), parts->kv, config->session.prefix },
                    .kv = parts->kv,
                    .mail = parts->mail,
                    .cors_origins = parts->cors_origins,
                    .production = parts->production,
                    .revoked = parts->revoked,
                    .revoked_self = parts->revoked_self,
                    .cost = { (uint64_t)config->scrypt.n, (uint32_t)config->scrypt.r,
                              (uint32_t)config->scrypt.p } };
    set_jwt(auth);
    if (!cov_jwt_alg_of(config->session.jwt.algorithm, &auth->jwt_key.alg))
        return cov_fail(err, COV_EINVAL, "auth.session.algorithm: no such algorithm");
    if ((st = check_store(auth, config->mfa.enabled, "auth.mfa: second factors", err)) != COV_OK ||
        (st = check_store(auth, config->api_keys.enabled, "auth.apiKeys: keys", err)) != COV_OK ||
        (st = cov_users_init(arena, &config->users, parts->users, config->signup, &auth->users,
                             err)) != COV_OK)
        return st;
    auth->identities = cov_cache_new(parts->host, IDENTITIES);
    auth->verified_keys = cov_cache_new(parts->host, VERIFIED_KEYS);
    if (auth->identities == NULL || auth->verified_keys == NULL) {
        cov_auth_dispose(auth);
        return cov_fail_nomem(err);
    }
    *out = auth;
    return COV_OK;
}

void cov_auth_dispose(cov_auth *auth)
{
    if (auth == NULL)
        return;
    cov_cache_free(auth->identities);
    cov_cache_free(auth->verified_keys);
    auth->identities = auth->verified_keys = NULL;
}

cov_str cov_auth_ddl(const cov_auth *auth)
{
    return cov_auth_store_ddl(&auth->store);
}

void cov_auth_forget(const cov_auth *auth)
{
    cov_cache_forget_all(auth->identities);
}

void cov__auth_revoked(const cov_auth *auth, cov_str user_id)
{
    cov_cache_forget_all(auth->identities);
    if (auth->revoked != NULL)
        auth->revoked(auth->revoked_self, user_id);
}

/* ---- routes ---- */

static bool is_on(const cov_auth *auth, const cov_auth_action *action)
{
    return action->switch_offset == COV_AUTH_ALWAYS ||
           *(const bool *)((const char *)auth->config + action->switch_offset);
}

/* "/keys/:id/rotate" takes "/keys/x/rotate" for any one segment that is not empty. */
static bool fits(const char *pattern, cov_str tail, cov_str *param)
{
    const char *colon = strchr(pattern, ':');
    const char *rest = colon != NULL ? strchr(colon, '/') : NULL;
    size_t fixed = colon != NULL ? (size_t)(colon - pattern) : strlen(pattern);
    size_t end = cov_str_find(tail, '/', fixed);

    if (!cov_str_starts(tail, cov_str_of(pattern, fixed)))
        return false;
    if (colon == NULL)
        end = fixed;
    *param = cov_str_slice(tail, fixed, end);
    return cov_str_eq(cov_str_slice(tail, end, tail.len), cov_str_from(rest)) &&
           (colon == NULL || param->len != 0);
}

cov_auth_route cov_auth_find(const cov_auth *auth, cov_method method, cov_str path)
{
    cov_auth_route route = { NULL, COV_STR_INIT("") };
    cov_str tail;

    if (!cov_str_starts(path, auth->path))
        return route;
    tail = cov_str_slice(path, auth->path.len, path.len);
    if (method == COV_HEAD)
        method = COV_GET;
    for (size_t i = 0; i < COV_COUNT_OF(lists); i++)
        for (const cov_auth_action *action = lists[i]; action->path != NULL; action++)
            if (action->method == method && is_on(auth, action) &&
                fits(action->path, tail, &route.param)) {
                route.action = action;
                return route;
            }
    return route;
}

const cov_gate_config *cov_auth_gate(const cov_auth *auth, const cov_auth_action *action,
                                     const char **label)
{
    *label = action->label;
    if (action->gate_offset == COV_AUTH_NO_GATE)
        return NULL;
    return (const cov_gate_config *)(const void *)((const char *)auth->config +
                                                   action->gate_offset);
}

bool cov_auth_gate_deferred(const cov_auth_action *action)
{
    return (action->flags & COV_AUTH_DEFERRED) != 0;
}

bool cov_auth_blocks(const cov_auth_action *action)
{
    return (action->flags & COV_AUTH_BLOCKS) != 0;
}

/* Whatever is no object has no members, and so lacks what the route needs. */
static cov_status read_body(cov_auth_call *call)
{
    cov_ctx *ctx = call->ctx;
    cov_str text = cov_str_trim(ctx->req->body);
    yyjson_val *value = NULL;
    cov_status st;

    if (text.len == 0)
        return COV_OK;
    st = cov_json_read(ctx->arena, text, &value, ctx->err);
    if (st == COV_EINVAL)
        return cov_fail(ctx->err, COV_EINVAL, "Request body is not valid JSON");
    call->body = cov_json_type_of(value) == COV_JSON_OBJECT ? value : NULL;
    return st;
}

static cov_status prepare(cov_auth_call *call, const cov_auth_route *route)
{
    cov_ctx *ctx = call->ctx;
    cov_status st = cov__auth_check_csrf(call->auth, ctx);

    cov_response_header(ctx->res, COV_STR("Cache-Control"), COV_STR("no-store"));
    if (st == COV_OK && (route->action->flags & COV_AUTH_SIGNED_IN)) {
        st = cov_auth_identify(call->auth, ctx, &call->user);
        if (st == COV_OK && call->user == NULL)
            st = cov_fail(ctx->err, COV_EUNAUTH, "Authentication required");
    }
    if (st == COV_OK && route->param.len != 0) {
        call->param = cov_percent_decode(ctx->arena, route->param, false);
        if (call->param.ptr == NULL)
            st = cov_fail_nomem(ctx->err);
    }
    return st == COV_OK ? read_body(call) : st;
}

cov_status cov_auth_run(const cov_auth *auth, const cov_auth_route *route, cov_ctx *ctx,
                        bool *failed)
{
    cov_auth_call call = { .auth = auth, .ctx = ctx };
    cov_status st = prepare(&call, route);

    if (st == COV_OK)
        st = route->action->run(&call);
    *failed = call.failed;
    return st;
}

/* ---- bodies ---- */

cov_str cov__auth_text(const cov_auth_call *call, const char *name)
{
    return cov_json_text(cov_json_get(call->body, name));
}

cov_status cov__auth_ok(cov_auth_call *call)
{
    cov_response_header(call->ctx->res, COV_STR("Content-Type"), COV_STR("application/json"));
    call->ctx->res->status = 200;
    return COV_OK;
}

cov_status cov__auth_success(cov_auth_call *call)
{
    COV_BUF_LIT(&call->ctx->res->body, "{\"success\":true}");
    return cov__auth_ok(call);
}
