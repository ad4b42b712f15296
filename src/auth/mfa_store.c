/* SPDX-License-Identifier: MIT */
#include "auth/mfa_store.h"

static const cov__mfa_ops *ops(const cov_auth_store *store)
{
    return store->in_database ? &cov__mfa_db : &cov__mfa_kv;
}

cov_status cov__mfa_get(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_mfa *out)
{
    return ops(store)->get(store, ctx, user_id, out);
}

cov_status cov__mfa_offer(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                          const cov_mfa_offer *offer)
{
    return ops(store)->offer(store, ctx, user_id, offer);
}

cov_status cov__mfa_accept(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                           cov_str secret, int64_t counter, bool *done)
{
    return ops(store)->accept(store, ctx, user_id, secret, counter, done);
}

cov_status cov__mfa_advance(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                            cov_str secret, int64_t counter, bool *done)
{
    return ops(store)->advance(store, ctx, user_id, secret, counter, done);
}

cov_status cov__mfa_spend(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                          cov_str secret, cov_str hash, bool *done)
{
    return ops(store)->spend(store, ctx, user_id, secret, hash, done);
}

cov_status cov__mfa_remove(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id)
{
    return ops(store)->remove(store, ctx, user_id);
}

/* ---- lists of hashes ---- */

cov_status cov__mfa_hashes_read(cov_ctx *ctx, const cov_json *list, const cov_str **out, size_t *n)
{
    cov_str *hashes = COV_NEW_ARRAY(ctx->arena, cov_str, cov_json_len(list) + 1);

    if (hashes == NULL)
        return cov_fail_nomem(ctx->err);
    *n = 0;
    for (const cov_json *item = NULL; (item = cov_json_next(list, item)) != NULL;)
        if (cov_json_type_of(item) == COV_JSON_STRING)
            hashes[(*n)++] = cov_json_text(item);
    *out = hashes;
    return COV_OK;
}

void cov__mfa_hashes_write(cov_buf *buf, const cov_str *hashes, size_t n)
{
    cov_buf_char(buf, '[');
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            cov_buf_char(buf, ',');
        cov_json_str(buf, hashes[i]);
    }
    cov_buf_char(buf, ']');
}
