/* SPDX-License-Identifier: MIT */
/* Who a credential was of, remembered for a second: users as bytes in auth->identities. */
#include "auth/internal.h"

#define SECOND_US INT64_C(900000) /* with the look-up itself, less than a second */

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

cov_status cov__auth_recall(const cov_auth *auth, cov_ctx *ctx, cov_str credential,
                            const cov_user **out, bool *hit)
{
    const cov_user *user;
    cov_str bytes;

    *hit = cov_cache_get(auth->identities, credential, SECOND_US, ctx->arena, &bytes);
    if (!*hit)
        return COV_OK;
    user = unflatten(ctx, bytes);
    if (user == NULL)
        return cov_fail_nomem(ctx->err);
    *out = user->session_expires_ms > ctx->host->now_ms(ctx->host->self) ? user : NULL;
    return COV_OK;
}

void cov__auth_remember(const cov_auth *auth, cov_ctx *ctx, cov_str credential,
                        const cov_user *user, uint64_t epoch)
{
    cov_str bytes = flatten(ctx->arena, user);

    if (bytes.ptr != NULL)
        cov_cache_put(auth->identities, credential, bytes, epoch);
}
