/* SPDX-License-Identifier: MIT */
/*
 * Idempotency keys (spec/07 section 6): the answer to a request is kept under its key and given again.
 *
 * DESIGN: the first request claims the key with SET NX on a key beside it, so that of parallel ones exactly one runs;
 * the claim says which request it is for, and only who has its random value releases it. It lapses by itself, so that a
 * process that died blocks nobody for long. The reply is looked up again in the same step as the claim, because the
 * first request may have finished since the first look.
 *
 * What is stored is what the reference stores, and reads; `headers` is a member more, which it ignores.
 */
#include "guard/internal.h"

#include "base/encode.h"
#include "base/json.h"

enum {
    LOCK_TTL_MS = 60000,
    KEY_MIN_BYTES = 8,
    KEY_MAX_BYTES = 256,
    LEAST_STATUS = 200,
    END_STATUS = 500
};

static const cov_str client_header = COV_STR_INIT("X-Idempotency-Key"); /* what the client sends */
static const cov_str kept_headers[] = { COV_STR_INIT("ETag"), COV_STR_INIT("Location") };

typedef struct stored {
    const cov_json *body;
    const cov_json *headers;
    cov_str hash;
    int status;
} stored;

/* ---- is there a key ---- */

static bool is_listed(const cov_names *names, cov_str name)
{
    for (size_t i = 0; i < names->n; i++)
        if (cov_str_eq(names->items[i], name))
            return true;
    return false;
}

static bool has_prefix_of(const cov_names *prefixes, cov_str path)
{
    for (size_t i = 0; i < prefixes->n; i++)
        if (cov_str_starts(path, prefixes->items[i]))
            return true;
    return false;
}

static bool concerns(const cov_idempotency_config *config, const cov_request *req)
{
    return config->enabled && is_listed(&config->methods, req->method_name) &&
           (!config->paths.set || has_prefix_of(&config->paths, req->path)) &&
           !has_prefix_of(&config->exclude_paths, req->path);
}

static bool is_valid_key(cov_str key)
{
    if (key.len < KEY_MIN_BYTES || key.len > KEY_MAX_BYTES)
        return false;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

/* The client's own header holds what the client made, slashes of a path among it: any text will do there. */
static cov_status find_key(const cov_guarded *g, cov_str *key, cov_error *err)
{
    const cov_idempotency_config *config = &g->guard->config->idempotency;

    *key = cov_request_header(g->req, config->header);
    if (key->len == 0) {
        *key = cov_request_header(g->req, client_header);
        return COV_OK;
    }
    if (config->validate_key && !cov_str_eq_nocase(config->header, client_header) &&
        !is_valid_key(*key))
        return cov_fail(err, COV_EIDEMKEY,
                        "Idempotency key must be 8-256 characters and contain only alphanumeric "
                        "characters, underscores, and hyphens");
    return COV_OK;
}

/* ---- names in the store ---- */

/* No two users share a name: not one with a colon in the id, nor one whose id is "anonymous". */
static void put_user(cov_buf *out, cov_str id)
{
    const cov_str anonymous = COV_STR_INIT("anonymous");
    size_t at = 0;

    if (id.ptr == NULL) {
        cov_buf_str(out, anonymous);
        return;
    }
    if (cov_str_eq(id, anonymous)) {
        COV_BUF_LIT(out, "%61");
        at = 1;
    }
    for (; at < id.len; at++) {
        if (id.ptr[at] == ':' || id.ptr[at] == '%')
            cov_buf_printf(out, "%%%02X", (unsigned)(unsigned char)id.ptr[at]);
        else
            cov_buf_char(out, id.ptr[at]);
    }
}

static void put_body(cov_buf *out, cov_arena *arena, cov_str body)
{
    yyjson_val *value = NULL;

    if (body.len == 0)
        COV_BUF_LIT(out, "{}");
    else if (cov_json_read(arena, body, &value, NULL) == COV_OK)
        cov_json_value(out, value);
    else
        cov_json_str(out, body);
}

/* What makes a request the same: method, path, body. */
static cov_status hash_request(const cov_guarded *g, cov_str *hash, cov_error *err)
{
    cov_buf text = COV_BUF_IN(g->arena);
    cov_buf hex = COV_BUF_IN(g->arena);
    cov_status st;

    COV_BUF_LIT(&text, "{\"method\":");
    cov_json_str(&text, g->req->method_name);
    COV_BUF_LIT(&text, ",\"path\":");
    cov_json_str(&text, g->req->path);
    COV_BUF_LIT(&text, ",\"body\":");
    put_body(&text, g->arena, g->req->body);
    cov_buf_char(&text, '}');
    if (text.failed)
        return cov_fail_nomem(err);
    st = cov__guard_sha256(g->guard, cov_buf_view(&text), &hex, err);
    *hash = cov_buf_view(&hex);
    return st;
}

static cov_status make_lock(const cov_guarded *g, cov_idempotency *key, cov_error *err)
{
    char id[COV_UUID_TEXT_BYTES];

    if (cov_uuid(g->guard->host, id) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes");
    key->lock =
        cov_arena_printf(g->arena, "{\"status\":0,\"requestHash\":\"%.*s\",\"id\":\"%.*s\"}",
                         COV_STR_ARG(key->hash), COV_UUID_TEXT_BYTES, id);
    return key->lock.ptr != NULL ? COV_OK : cov_fail_nomem(err);
}

static cov_status make_names(const cov_guarded *g, cov_str header, cov_idempotency *key,
                             cov_error *err)
{
    cov_buf name = COV_BUF_IN(g->arena);
    cov_status st;

    COV_BUF_LIT(&name, "idempotency:");
    put_user(&name, g->user_id);
    cov_buf_char(&name, ':');
    cov_buf_str(&name, header);
    if (name.failed)
        return cov_fail_nomem(err);
    key->key = cov_buf_view(&name);
    key->lock_key = cov_arena_printf(g->arena, "%.*s:lock", COV_STR_ARG(key->key));
    if (key->lock_key.ptr == NULL)
        return cov_fail_nomem(err);
    st = hash_request(g, &key->hash, err);
    return st == COV_OK ? make_lock(g, key, err) : st;
}

/* ---- the stored response ---- */

/* False: nothing that can be given again, which counts as nothing. */
static bool read_stored(cov_arena *arena, cov_str text, stored *out)
{
    yyjson_val *value = NULL;
    int64_t status;

    if (text.ptr == NULL || cov_json_read(arena, text, &value, NULL) != COV_OK)
        return false;
    status = cov_json_int64(cov_json_get(value, "status"));
    out->status = (int)status;
    out->hash = cov_json_text(cov_json_get(value, "requestHash"));
    out->body = cov_json_get(value, "body");
    out->headers = cov_json_get(value, "headers");
    return status >= LEAST_STATUS && status < END_STATUS && out->hash.ptr != NULL &&
           out->body != NULL;
}

static cov_status mismatch(cov_error *err)
{
    cov_status st = cov_fail(err, COV_EIDEMPOTENCY,
                             "Idempotency key was already used with different request parameters");

    cov_error_member_str(err, "suggestion",
                         COV_STR("Use a new idempotency key for different requests"));
    return st;
}

static cov_status replay(const cov_guarded *g, const stored *s, cov_idempotency *key,
                         cov_error *err)
{
    cov_response *res = g->res;

    if (!cov_str_eq(s->hash, key->hash))
        return mismatch(err);
    res->status = s->status;
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/json"));
    for (size_t i = 0; i < COV_COUNT_OF(kept_headers); i++) {
        cov_str value = cov_json_text(cov_json_get(s->headers, kept_headers[i].ptr));

        if (value.ptr != NULL)
            cov_response_header(res, kept_headers[i], value);
    }
    cov_json_value(&res->body, s->body);
    key->state = COV_IDEMPOTENCY_REPLAYED;
    return COV_OK;
}

/* ---- claim and release ---- */

static cov_status release(const cov_guarded *g, const cov_idempotency *key, cov_error *err)
{
    cov_str args[] = { key->lock_key, key->lock };
    cov_kv_reply reply;

    return cov_kv_call(g->guard->setup.kv, g->arena, COV_KV_DELIF, args, 2, &reply, err);
}

/* Replies to: the claim (nil when refused), the stored response, the claim that stands. */
enum { CLAIM, RESPONSE, HOLDER, N_CLAIM };

static cov_status claim(const cov_guarded *g, const cov_idempotency *key,
                        cov_kv_reply replies[N_CLAIM], cov_error *err)
{
    cov_str set[] = { key->lock_key, key->lock, COV_STR("PX"),
                      cov_arena_printf(g->arena, "%d", LOCK_TTL_MS), COV_STR("NX") };
    cov_kv_cmd cmds[N_CLAIM] = { [CLAIM] = { COV_KV_SET, set, COV_COUNT_OF(set) },
                                 [RESPONSE] = { COV_KV_GET, &key->key, 1 },
                                 [HOLDER] = { COV_KV_GET, &key->lock_key, 1 } };
    cov_status st;

    if (set[3].ptr == NULL)
        return cov_fail_nomem(err);
    st = cov_kv_run(g->guard->setup.kv, cmds, N_CLAIM, true, g->arena, replies, err);
    for (size_t i = 0; st == COV_OK && i < N_CLAIM; i++)
        if (replies[i].type == COV_KV_ERROR)
            st = cov_fail(err, COV_EINTERNAL, "%.*s", COV_STR_ARG(replies[i].s));
    return st;
}

static cov_str text_or_null(const cov_kv_reply *reply)
{
    return reply->type == COV_KV_TEXT ? reply->s : COV_STR_NULL;
}

static cov_status in_progress(const cov_guarded *g, const cov_idempotency *key, cov_str holder,
                              cov_error *err)
{
    yyjson_val *value = NULL;
    cov_status st;

    if (holder.ptr != NULL && cov_json_read(g->arena, holder, &value, NULL) == COV_OK) {
        cov_str hash = cov_json_text(cov_json_get(value, "requestHash"));

        if (hash.ptr != NULL && !cov_str_eq(hash, key->hash))
            return mismatch(err);
    }
    if ((st = cov__guard_number(g, COV_STR("Retry-After"), 1, err)) != COV_OK)
        return st;
    return cov_fail(err, COV_EINPROGRESS, "A request with this idempotency key is in progress");
}

/*
 * *store: what failed was the store. A refusal is not a failure of the store, although both are a status.
 */
static cov_status look_up_or_claim(const cov_guarded *g, cov_idempotency *key, bool *store,
                                   cov_error *err)
{
    cov_kv_reply replies[N_CLAIM] = { { 0 } };
    cov_str text;
    stored s;
    cov_status st;

    *store = true;
    if ((st = cov_kv_get(g->guard->setup.kv, g->arena, key->key, &text, err)) != COV_OK)
        return st;
    if (!read_stored(g->arena, text, &s)) {
        if ((st = claim(g, key, replies, err)) != COV_OK)
            return st;
        if (!read_stored(g->arena, text_or_null(&replies[RESPONSE]), &s)) {
            *store = false;
            if (replies[CLAIM].type == COV_KV_NIL)
                return in_progress(g, key, text_or_null(&replies[HOLDER]), err);
            key->state = COV_IDEMPOTENCY_CLAIMED;
            return COV_OK;
        }
        if (replies[CLAIM].type != COV_KV_NIL && (st = release(g, key, err)) != COV_OK)
            return st;
    }
    *store = false;
    return replay(g, &s, key, err);
}

static cov_status store_failed(const cov_guarded *g, const cov_error *failure, cov_error *err)
{
    cov_status st;

    if (failure->status == COV_ENOMEM)
        return cov_fail_nomem(err);
    cov__guard_warn(g->guard, COV_STR("Idempotency store unreachable"), cov_error_detail(failure));
    if (!g->guard->config->idempotency.fail_on_store_error)
        return COV_OK;
    if ((st = cov__guard_number(g, COV_STR("Retry-After"), 1, err)) != COV_OK)
        return st;
    return cov_fail(err, COV_EIDEMSTORE, "The idempotency store is unreachable; retry shortly.");
}

cov_status cov_idempotency_begin(const cov_guarded *g, cov_idempotency *key, cov_error *err)
{
    cov_error failure;
    cov_str header;
    bool store;
    cov_status st;

    if (key->state != COV_IDEMPOTENCY_NONE || !concerns(&g->guard->config->idempotency, g->req))
        return COV_OK;
    if ((st = find_key(g, &header, err)) != COV_OK || header.len == 0)
        return st;
    if ((st = make_names(g, header, key, err)) != COV_OK)
        return st;
    cov_error_init(&failure, g->arena);
    st = look_up_or_claim(g, key, &store, &failure);
    if (st == COV_OK)
        return COV_OK;
    if (store)
        return store_failed(g, &failure, err);
    if (err != NULL)
        *err = failure;
    return st;
}

/* ---- keeping the response ---- */

/* The body of a response that is one to keep, else NULL. */
static const cov_json *kept_body(const cov_guarded *g)
{
    const cov_response *res = g->res;
    const cov_header *type = cov_response_find(res, COV_STR("Content-Type"));
    yyjson_val *value = NULL;

    if (res->status < LEAST_STATUS || res->status >= END_STATUS || res->stream != NULL ||
        res->body.failed || type == NULL ||
        !cov_str_contains(type->value, COV_STR("application/json")) ||
        cov_json_read(g->arena, cov_buf_view(&res->body), &value, NULL) != COV_OK)
        return NULL;
    return value;
}

static void put_headers(cov_buf *out, const cov_response *res)
{
    bool any = false;

    for (size_t i = 0; i < COV_COUNT_OF(kept_headers); i++) {
        const cov_header *header = cov_response_find(res, kept_headers[i]);

        if (header == NULL)
            continue;
        cov_buf_str(out, any ? COV_STR(",") : COV_STR(",\"headers\":{"));
        cov_json_str(out, kept_headers[i]);
        cov_buf_char(out, ':');
        cov_json_str(out, header->value);
        any = true;
    }
    if (any)
        cov_buf_char(out, '}');
}

/*
 * The body is written anew: what a reader forgives at the beginning of a text, a byte order mark, it does not within
 * one. A body that is nested as deep as a text may be is too deep in here, and counts as nothing when it is read.
 */
static cov_status store_response(const cov_guarded *g, const cov_idempotency *key,
                                 const cov_json *body, cov_error *err)
{
    cov_buf text = COV_BUF_IN(g->arena);

    cov_buf_printf(&text, "{\"status\":%d,\"body\":", g->res->status);
    cov_json_value(&text, body);
    cov_buf_printf(&text, ",\"requestHash\":\"%.*s\",\"createdAt\":%lld", COV_STR_ARG(key->hash),
                   (long long)cov__guard_now_ms(g->guard));
    put_headers(&text, g->res);
    cov_buf_char(&text, '}');
    if (text.failed)
        return cov_fail_nomem(err);
    return cov_kv_set(g->guard->setup.kv, g->arena, key->key, cov_buf_view(&text),
                      g->guard->config->idempotency.ttl_ms, false, NULL, err);
}

void cov_idempotency_finish(const cov_guarded *g, cov_idempotency *key)
{
    const cov_json *body;
    cov_error failure;

    if (key->state != COV_IDEMPOTENCY_CLAIMED)
        return;
    cov_error_init(&failure, g->arena);
    body = kept_body(g);
    if (body != NULL && store_response(g, key, body, &failure) != COV_OK)
        cov__guard_warn(g->guard, COV_STR("Failed to cache idempotency response"),
                        cov_error_detail(&failure));
    cov_idempotency_abandon(g, key);
}

void cov_idempotency_abandon(const cov_guarded *g, cov_idempotency *key)
{
    cov_error failure;

    if (key->state != COV_IDEMPOTENCY_CLAIMED)
        return;
    cov_error_init(&failure, g->arena);
    if (release(g, key, &failure) != COV_OK)
        cov__guard_warn(g->guard, COV_STR("Failed to release idempotency key"),
                        cov_error_detail(&failure));
    key->state = COV_IDEMPOTENCY_NONE;
}
