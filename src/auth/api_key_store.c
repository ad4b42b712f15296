/* SPDX-License-Identifier: MIT */
#include "auth/api_key_internal.h"
#include "base/json.h"

static const cov__api_key_ops *ops(const cov_auth_store *store)
{
    return store->in_database ? &cov__api_key_db : &cov__api_key_kv;
}

int64_t cov_api_keys_time(const cov_auth_store *store, int64_t ms)
{
    if (!store->in_database || ms == COV_USER_NO_TIME)
        return ms;
    return ms - ms % 1000 - (ms % 1000 < 0 ? 1000 : 0);
}

cov_status cov_api_keys_put(const cov_auth_store *store, cov_ctx *ctx, const cov_api_key *key,
                            size_t most, bool *stored)
{
    return ops(store)->put(store, ctx, key, most, stored);
}

/* An id that was never made may be the name of something else in the KV. */
cov_status cov_api_keys_get(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_api_key *out,
                            bool *found)
{
    *found = false;
    return cov_api_key_is_id(id) ? ops(store)->get(store, ctx, id, out, found) : COV_OK;
}

void cov_api_keys_used(const cov_auth_store *store, cov_ctx *ctx, const cov_api_key *key,
                       int64_t now_ms)
{
    ops(store)->used(store, ctx, key, now_ms);
}

cov_status cov_api_keys_delete(const cov_auth_store *store, cov_ctx *ctx, cov_str id,
                               cov_str user_id, bool *found)
{
    *found = false;
    return cov_api_key_is_id(id) ? ops(store)->remove(store, ctx, id, user_id, found) : COV_OK;
}

cov_status cov_api_keys_list(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                             cov_api_keys *out)
{
    *out = (cov_api_keys){ NULL, 0 };
    return ops(store)->list(store, ctx, user_id, out);
}

/* ---- JSON ---- */

void cov_api_key_members(cov_buf *out, const cov_api_key *key)
{
    COV_BUF_LIT(out, "\"id\":");
    cov_json_str(out, key->id);
    if (key->label.ptr != NULL) {
        COV_BUF_LIT(out, ",\"label\":");
        cov_json_str(out, key->label);
    }
    COV_BUF_LIT(out, ",\"userId\":");
    cov_json_str(out, key->user_id);
    if (key->scopes != NULL) {
        COV_BUF_LIT(out, ",\"scopes\":");
        cov_api_key_scopes_json(out, key);
    }
    COV_BUF_LIT(out, ",\"createdAt\":");
    cov_json_time(out, key->created_ms);
    COV_BUF_LIT(out, ",\"lastUsedAt\":");
    cov_json_time(out, key->last_used_ms);
    COV_BUF_LIT(out, ",\"expiresAt\":");
    cov_json_time(out, key->expires_ms);
}

void cov_api_key_scopes_json(cov_buf *out, const cov_api_key *key)
{
    cov_buf_char(out, '[');
    for (size_t i = 0; i < key->n_scopes; i++) {
        if (i != 0)
            cov_buf_char(out, ',');
        cov_json_str(out, key->scopes[i]);
    }
    cov_buf_char(out, ']');
}

cov_status cov_api_key_read_scopes(cov_ctx *ctx, const cov_json *list, cov_api_key *out)
{
    const cov_json *item = NULL;
    cov_str *scopes;

    out->scopes = NULL;
    out->n_scopes = 0;
    if (cov_json_type_of(list) != COV_JSON_LIST)
        return COV_OK;
    scopes = COV_NEW_ARRAY(ctx->arena, cov_str, cov_json_len(list) + 1);
    if (scopes == NULL)
        return cov_fail_nomem(ctx->err);
    while ((item = cov_json_next(list, item)) != NULL)
        if (cov_json_type_of(item) == COV_JSON_STRING)
            scopes[out->n_scopes++] = cov_json_text(item);
    out->scopes = scopes;
    return COV_OK;
}
