/* SPDX-License-Identifier: MIT */
/* /api-keys: users make, list, rotate and delete their keys. The text of a key is in one answer only. */
#include "auth/api_key_store.h"
#include "auth/internal.h"
#include "auth/password.h"
#include "base/time.h"

enum { MOST_KEYS = 100, MOST_SCOPES = 100, LONGEST_TEXT = 200 };
#define LONGEST_TTL_MS 3155760000000.0 /* a hundred years */

static int64_t now_ms(const cov_auth_call *call)
{
    return call->ctx->host->now_ms(call->ctx->host->self);
}

/* ---- what the body asks for ---- */

static bool is_absent(const cov_json *value)
{
    return cov_json_type_of(value) == COV_JSON_MISSING;
}

static bool is_null(const cov_json *value)
{
    return cov_json_type_of(value) == COV_JSON_NULL;
}

static cov_status read_label(cov_auth_call *call, cov_api_key *key)
{
    const cov_json *value = cov_json_get(call->body, "label");
    cov_str label = cov_json_text(value);

    if (is_absent(value))
        return COV_OK;
    if ((label.ptr == NULL && !is_null(value)) || label.len > LONGEST_TEXT)
        return cov_fail_field(call->ctx->err, COV_STR("label"),
                              "Must be a text of at most %d bytes", LONGEST_TEXT);
    key->label = label.len != 0 ? label : COV_STR_NULL;
    return COV_OK;
}

static bool are_scopes(const cov_json *value)
{
    const cov_json *item = NULL;

    if (cov_json_type_of(value) != COV_JSON_LIST || cov_json_len(value) > MOST_SCOPES)
        return false;
    while ((item = cov_json_next(value, item)) != NULL)
        if (cov_json_text(item).len == 0 || cov_json_text(item).len > LONGEST_TEXT)
            return false;
    return true;
}

static cov_status read_scopes(cov_auth_call *call, cov_api_key *key)
{
    const cov_json *value = cov_json_get(call->body, "scopes");

    if (is_absent(value))
        return COV_OK;
    if (!is_null(value) && !are_scopes(value))
        return cov_fail_field(call->ctx->err, COV_STR("scopes"),
                              "Must be a list of at most %d texts of 1 to %d bytes", MOST_SCOPES,
                              LONGEST_TEXT);
    return cov_api_key_read_scopes(call->ctx, value, key);
}

static cov_status read_ttl(cov_auth_call *call, const cov_json *value, cov_api_key *key)
{
    double ttl_ms = cov_json_number(value);

    if (cov_json_type_of(value) != COV_JSON_NUMBER || !(ttl_ms >= 1 && ttl_ms <= LONGEST_TTL_MS))
        return cov_fail_field(call->ctx->err, COV_STR("ttlMs"),
                              "Must be a number of milliseconds from 1 to %.0f", LONGEST_TTL_MS);
    key->expires_ms = now_ms(call) + (int64_t)ttl_ms;
    return COV_OK;
}

/* expiresAt wins over ttlMs; null is never. */
static cov_status read_expiry(cov_auth_call *call, cov_api_key *key)
{
    const cov_json *at = cov_json_get(call->body, "expiresAt");
    const cov_json *ttl = cov_json_get(call->body, "ttlMs");
    cov_status st = COV_OK;

    if (!is_absent(at)) {
        key->expires_ms = COV_USER_NO_TIME;
        if (!is_null(at) && !cov_time_parse_iso(cov_json_text(at), &key->expires_ms, NULL))
            return cov_fail_field(call->ctx->err, COV_STR("expiresAt"),
                                  "Must be a time in ISO 8601 form, or null");
    } else if (!is_absent(ttl)) {
        st = read_ttl(call, ttl, key);
    }
    if (st != COV_OK)
        return st;
    key->expires_ms = cov_api_keys_time(&call->auth->store, key->expires_ms);
    if (key->expires_ms != COV_USER_NO_TIME && key->expires_ms <= now_ms(call))
        return cov_fail_field(call->ctx->err, COV_STR("expiresAt"), "Must be in the future");
    return COV_OK;
}

static cov_status read_wishes(cov_auth_call *call, cov_api_key *key)
{
    cov_status st;

    if ((st = read_label(call, key)) != COV_OK || (st = read_scopes(call, key)) != COV_OK)
        return st;
    return read_expiry(call, key);
}

/* ---- making ---- */

/* Give the key a text, an id and a hash, and store it. */
static cov_status make(cov_auth_call *call, cov_api_key *key, size_t most, cov_str *text)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    bool stored = false;
    cov_status st;

    if ((st = cov_api_key_new(auth->host, ctx->arena, auth->config->api_keys.prefix, text, &key->id,
                              ctx->err)) != COV_OK ||
        (st = cov_password_hash(auth->host, ctx->arena, *text, auth->cost, &key->hash, ctx->err)) !=
            COV_OK)
        return st;
    key->user_id = call->user->id;
    key->prefix = cov_str_slice(*text, 0, cov_str_find(*text, '.', 0));
    key->created_ms = cov_api_keys_time(&auth->store, now_ms(call));
    key->last_used_ms = COV_USER_NO_TIME;
    st = cov_api_keys_put(&auth->store, ctx, key, most, &stored);
    if (st == COV_OK && !stored)
        return cov_fail(ctx->err, COV_ECONFLICT,
                        "There are %d API keys already, which is the most; delete one first",
                        MOST_KEYS);
    return st;
}

static cov_status show_once(cov_auth_call *call, const cov_api_key *key, cov_str text)
{
    cov_buf *out = &call->ctx->res->body;
    cov_status st;

    COV_BUF_LIT(out, "{\"key\":");
    cov_json_str(out, text);
    cov_buf_char(out, ',');
    cov_api_key_members(out, key);
    cov_buf_char(out, '}');
    st = cov__auth_ok(call);
    call->ctx->res->status = 201;
    return st;
}

static cov_status create(cov_auth_call *call)
{
    cov_api_key key = { .expires_ms = COV_USER_NO_TIME };
    cov_str text = COV_STR_NULL;
    cov_status st;

    if ((st = cov__auth_refuse_key(call)) != COV_OK || (st = read_wishes(call, &key)) != COV_OK ||
        (st = make(call, &key, MOST_KEYS, &text)) != COV_OK)
        return st;
    return show_once(call, &key, text);
}

/* ---- the others ---- */

static cov_status not_found(cov_auth_call *call)
{
    return cov_fail(call->ctx->err, COV_ENOTFOUND, "API key not found");
}

static cov_status list(cov_auth_call *call)
{
    cov_buf *out = &call->ctx->res->body;
    cov_status st = cov__auth_refuse_key(call);
    cov_api_keys keys = { NULL, 0 };

    if (st == COV_OK)
        st = cov_api_keys_list(&call->auth->store, call->ctx, call->user->id, &keys);
    if (st != COV_OK)
        return st;
    COV_BUF_LIT(out, "{\"keys\":[");
    for (size_t i = 0; i < keys.n; i++) {
        cov_buf_str(out, i == 0 ? COV_STR("{") : COV_STR(",{"));
        cov_api_key_members(out, &keys.items[i]);
        cov_buf_char(out, '}');
    }
    COV_BUF_LIT(out, "]}");
    return cov__auth_ok(call);
}

static cov_status delete_one(cov_auth_call *call, cov_str id, bool *found)
{
    cov_status st = cov_api_keys_delete(&call->auth->store, call->ctx, id, call->user->id, found);

    cov__auth_revoked(call->auth, call->user->id);
    return st;
}

static cov_status revoke(cov_auth_call *call)
{
    bool found = false;
    cov_status st = cov__auth_refuse_key(call);

    if (st == COV_OK)
        st = delete_one(call, call->param, &found);
    if (st != COV_OK || !found)
        return st != COV_OK ? st : not_found(call);
    call->ctx->res->status = 204;
    return COV_OK;
}

/* The new key is there before the old one goes, so that a failure in between costs no access. */
static cov_status replace(cov_auth_call *call, const cov_api_key *old)
{
    cov_api_key fresh = *old;
    cov_str text = COV_STR_NULL;
    bool found = false;
    bool undone = false;
    cov_status st;

    if ((st = read_wishes(call, &fresh)) != COV_OK ||
        (st = make(call, &fresh, MOST_KEYS + 1, &text)) != COV_OK)
        return st;
    st = delete_one(call, old->id, &found);
    if (st == COV_OK && found)
        return show_once(call, &fresh, text);
    /* Somebody else rotated or deleted it, or the store failed: nobody will learn of the new one. */
    if (st == COV_OK)
        st = delete_one(call, fresh.id, &undone);
    else
        (void)!delete_one(call, fresh.id, &undone);
    return st != COV_OK ? st : not_found(call);
}

static cov_status rotate(cov_auth_call *call)
{
    cov_api_key old;
    bool found = false;
    cov_status st = cov__auth_refuse_key(call);

    if (st == COV_OK)
        st = cov_api_keys_get(&call->auth->store, call->ctx, call->param, &old, &found);
    if (st != COV_OK)
        return st;
    if (!found || !cov_str_eq(old.user_id, call->user->id))
        return not_found(call);
    return replace(call, &old);
}

#define ENABLED offsetof(cov_auth_config, api_keys.enabled)
#define WRITES COV_AUTH_BLOCKS | COV_AUTH_SIGNED_IN

const cov_auth_action cov__auth_key_actions[] = {
    { COV_GET, "/api-keys", ENABLED, COV_AUTH_NO_GATE, NULL, COV_AUTH_SIGNED_IN, list },
    { COV_POST, "/api-keys", ENABLED, COV_AUTH_NO_GATE, NULL, WRITES, create },
    { COV_POST, "/api-keys/:id/rotate", ENABLED, COV_AUTH_NO_GATE, NULL, WRITES, rotate },
    { COV_DELETE, "/api-keys/:id", ENABLED, COV_AUTH_NO_GATE, NULL, WRITES, revoke },
    { .path = NULL },
};
