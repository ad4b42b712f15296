/* SPDX-License-Identifier: MIT */
/*
 * API keys in the KV, in the layout that the reference shares (spec/06 section 9.2): a JSON text for each key, a set of
 * all ids, and a set of each user's.
 */
#include "auth/api_key_internal.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/time.h"

#define PREFIX "apikey:"
#define ALL PREFIX "all"

static cov_str key_of(cov_ctx *ctx, cov_str id)
{
    return cov_arena_printf(ctx->arena, PREFIX "%.*s", COV_STR_ARG(id));
}

static cov_str index_of(cov_ctx *ctx, cov_str user_id)
{
    return cov_arena_printf(ctx->arena, PREFIX "user:%.*s", COV_STR_ARG(user_id));
}

/* All at once; a command that failed fails it all. */
static cov_status run(const cov_auth_store *store, cov_ctx *ctx, const cov_kv_cmd *cmds, size_t n,
                      cov_kv_reply *replies)
{
    cov_status st = cov_kv_run(store->kv, cmds, n, true, ctx->arena, replies, ctx->err);

    for (size_t i = 0; st == COV_OK && i < n; i++)
        if (replies[i].type == COV_KV_ERROR)
            st = cov_fail(ctx->err, COV_EINTERNAL, "KV: %.*s", COV_STR_ARG(replies[i].s));
    return st;
}

static cov_status remove_one(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_str user_id,
                             bool *found)
{
    cov_str key = key_of(ctx, id);
    cov_str of_user[] = { index_of(ctx, user_id), id };
    cov_str of_all[] = { COV_STR(ALL), id };
    cov_kv_cmd cmds[] = { { COV_KV_DEL, &key, 1 },
                          { COV_KV_SREM, of_user, 2 },
                          { COV_KV_SREM, of_all, 2 } };
    cov_kv_reply replies[COV_COUNT_OF(cmds)];
    cov_status st;

    if (key.ptr == NULL || of_user[0].ptr == NULL)
        return cov_fail_nomem(ctx->err);
    st = run(store, ctx, cmds, COV_COUNT_OF(cmds), replies);
    if (st == COV_OK)
        *found = replies[0].i != 0;
    return st;
}

static cov_str text_of(cov_ctx *ctx, const cov_api_key *key)
{
    cov_buf out = COV_BUF_IN(ctx->arena);

    cov_buf_char(&out, '{');
    cov_api_key_members(&out, key);
    COV_BUF_LIT(&out, ",\"hash\":");
    cov_json_str(&out, key->hash);
    cov_buf_char(&out, '}');
    return out.failed ? COV_STR_NULL : cov_buf_view(&out);
}

/* Stored, counted, and taken back when that was one too many: of parallel calls none can slip through. */
static cov_status put(const cov_auth_store *store, cov_ctx *ctx, const cov_api_key *key,
                      size_t most, bool *stored)
{
    cov_str set[] = { key_of(ctx, key->id), text_of(ctx, key) };
    cov_str of_user[] = { index_of(ctx, key->user_id), key->id };
    cov_str of_all[] = { COV_STR(ALL), key->id };
    cov_kv_cmd cmds[] = { { COV_KV_SET, set, 2 },
                          { COV_KV_SADD, of_user, 2 },
                          { COV_KV_SADD, of_all, 2 },
                          { COV_KV_SCARD, of_user, 1 } };
    cov_kv_reply replies[COV_COUNT_OF(cmds)];
    bool found;
    cov_status st;

    if (set[0].ptr == NULL || set[1].ptr == NULL || of_user[0].ptr == NULL)
        return cov_fail_nomem(ctx->err);
    st = run(store, ctx, cmds, COV_COUNT_OF(cmds), replies);
    if (st != COV_OK)
        return st;
    *stored = replies[3].i <= (int64_t)most;
    return *stored ? COV_OK : remove_one(store, ctx, key->id, key->user_id, &found);
}

static int64_t time_of(const cov_json *record, const char *name)
{
    int64_t ms;

    return cov_time_parse_iso(cov_json_text(cov_json_get(record, name)), &ms, NULL)
               ? ms
               : COV_USER_NO_TIME;
}

/* A time that cannot be read as one must not make a key last for ever. */
static bool has_bad_expiry(const cov_json *record, const cov_api_key *key)
{
    const cov_json *expires = cov_json_get(record, "expiresAt");

    return cov_json_type_of(expires) > COV_JSON_NULL && key->expires_ms == COV_USER_NO_TIME;
}

static cov_status parse(cov_ctx *ctx, cov_str text, cov_api_key *out, bool *found)
{
    yyjson_val *record = NULL;
    cov_status st = cov_json_read(ctx->arena, text, &record, ctx->err);

    if (st == COV_EINVAL)
        return COV_OK;
    if (st != COV_OK)
        return st;
    *out = (cov_api_key){ .id = cov_json_text(cov_json_get(record, "id")),
                          .label = cov_json_text(cov_json_get(record, "label")),
                          .user_id = cov_json_text(cov_json_get(record, "userId")),
                          .created_ms = time_of(record, "createdAt"),
                          .last_used_ms = time_of(record, "lastUsedAt"),
                          .expires_ms = time_of(record, "expiresAt"),
                          .hash = cov_json_text(cov_json_get(record, "hash")) };
    *found = out->id.len != 0 && out->hash.len != 0 && !has_bad_expiry(record, out);
    return cov_api_key_read_scopes(ctx, cov_json_get(record, "scopes"), out);
}

static cov_status get(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_api_key *out,
                      bool *found)
{
    cov_str key = key_of(ctx, id);
    cov_str text = COV_STR_NULL;
    cov_status st;

    if (key.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    st = cov_kv_get(store->kv, ctx->arena, key, &text, ctx->err);
    return st == COV_OK && text.ptr != NULL ? parse(ctx, text, out, found) : st;
}

/* XX: a key that was deleted since it was read stays deleted. Nothing else of a record ever changes. */
static void used(const cov_auth_store *store, cov_ctx *ctx, const cov_api_key *key, int64_t now_ms)
{
    cov_api_key now = *key;
    cov_str args[] = { key_of(ctx, key->id), COV_STR_NULL, COV_STR("XX") };
    cov_kv_reply reply;
    cov_error ignored;

    now.last_used_ms = now_ms;
    args[1] = text_of(ctx, &now);
    cov_error_init(&ignored, ctx->arena);
    if (args[0].ptr != NULL && args[1].ptr != NULL)
        (void)!cov_kv_call(store->kv, ctx->arena, COV_KV_SET, args, 3, &reply, &ignored);
}

static cov_status remove_of(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_str user_id,
                            bool *found)
{
    cov_api_key key = { .user_id = COV_STR_NULL };
    bool is_there = false;
    cov_status st = get(store, ctx, id, &key, &is_there);

    if (st != COV_OK || !is_there || !cov_str_eq(key.user_id, user_id))
        return st;
    return remove_one(store, ctx, id, user_id, found);
}

static int by_age(const void *left, const void *right)
{
    const cov_api_key *a = left;
    const cov_api_key *b = right;

    if (a->created_ms != b->created_ms)
        return a->created_ms < b->created_ms ? -1 : 1;
    return cov_str_compare(a->id, b->id);
}

static cov_status list(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                       cov_api_keys *out)
{
    cov_str index = index_of(ctx, user_id);
    cov_kv_reply ids;
    cov_api_key *items;
    cov_status st;

    if (index.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    st = cov_kv_call(store->kv, ctx->arena, COV_KV_SMEMBERS, &index, 1, &ids, ctx->err);
    if (st != COV_OK)
        return st;
    items = COV_NEW_ARRAY(ctx->arena, cov_api_key, ids.n + 1);
    if (items == NULL)
        return cov_fail_nomem(ctx->err);
    for (size_t i = 0; st == COV_OK && i < ids.n; i++) {
        bool found = false;

        st = get(store, ctx, ids.items[i].s, &items[out->n], &found);
        out->n += st == COV_OK && found && cov_str_eq(items[out->n].user_id, user_id);
    }
    qsort(items, out->n, sizeof *items, by_age);
    out->items = items;
    return st;
}

const cov__api_key_ops cov__api_key_kv = {
    .put = put,
    .get = get,
    .used = used,
    .remove = remove_of,
    .list = list,
};
