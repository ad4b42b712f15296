/* SPDX-License-Identifier: MIT */
/*
 * Sessions in the KV, in the layout that the reference shares (spec/06 section 3.4): a hash for each session, and a set
 * of ids for each user, which lives as long as its longest session.
 */
#include "auth/session_internal.h"
#include "base/json.h"
#include "base/time.h"

static cov_str key_of(const cov_auth_store *store, cov_ctx *ctx, cov_str id)
{
    return cov_arena_printf(ctx->arena, "%.*s:%.*s", COV_STR_ARG(store->prefix), COV_STR_ARG(id));
}

static cov_str index_of(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id)
{
    return cov_arena_printf(ctx->arena, "%.*s:user:%.*s", COV_STR_ARG(store->prefix),
                            COV_STR_ARG(user_id));
}

static cov_str iso(cov_ctx *ctx, int64_t ms)
{
    char text[COV_TIME_TEXT_BYTES];

    return cov_arena_str(ctx->arena, cov_str_of(text, cov_time_format(ms, text)));
}

static int64_t now_ms(const cov_ctx *ctx)
{
    return ctx->host->now_ms(ctx->host->self);
}

/* Seconds that are left, rounded up; 0: none. */
static int64_t seconds_left(const cov_ctx *ctx, int64_t expires_ms)
{
    int64_t left_ms = expires_ms - now_ms(ctx);

    return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

static bool is_error(cov_ctx *ctx, const cov_kv_reply *reply)
{
    if (reply->type != COV_KV_ERROR)
        return false;
    (void)cov_fail(ctx->err, COV_EINTERNAL, "KV: %.*s", COV_STR_ARG(reply->s));
    return true;
}

/* Text of seconds after which the index may go: what it has, or the new session's, whichever is later. */
static cov_status extend_index(const cov_auth_store *store, cov_ctx *ctx, cov_str index,
                               int64_t ttl_s)
{
    cov_str args[2] = { index };
    cov_kv_reply reply;
    cov_status st = cov_kv_call(store->kv, ctx->arena, COV_KV_TTL, args, 1, &reply, ctx->err);

    if (st != COV_OK || reply.i >= ttl_s)
        return st;
    args[1] = cov_arena_printf(ctx->arena, "%lld", (long long)ttl_s);
    return cov_kv_call(store->kv, ctx->arena, COV_KV_EXPIRE, args, 2, &reply, ctx->err);
}

static cov_status put(const cov_auth_store *store, cov_ctx *ctx, const cov_session *session)
{
    int64_t ttl_s = seconds_left(ctx, session->expires_ms);
    cov_str key = key_of(store, ctx, session->id);
    cov_str index = index_of(store, ctx, session->user_id);
    cov_str fields[] = { key,
                         COV_STR("id"),
                         session->id,
                         COV_STR("userId"),
                         session->user_id,
                         COV_STR("createdAt"),
                         iso(ctx, session->created_ms),
                         COV_STR("expiresAt"),
                         iso(ctx, session->expires_ms),
                         COV_STR("data"),
                         session->data };
    cov_str expire[] = { key, cov_arena_printf(ctx->arena, "%lld", (long long)ttl_s) };
    cov_str add[] = { index, session->id };
    cov_kv_cmd cmds[] = {
        { COV_KV_HSET, fields, COV_COUNT_OF(fields) - (session->data.len == 0 ? 2 : 0) },
        { COV_KV_EXPIRE, expire, 2 },
        { COV_KV_SADD, add, 2 },
    };
    cov_kv_reply replies[COV_COUNT_OF(cmds)];
    cov_status st;

    if (ttl_s == 0)
        return COV_OK;
    st = cov_kv_run(store->kv, cmds, COV_COUNT_OF(cmds), true, ctx->arena, replies, ctx->err);
    for (size_t i = 0; st == COV_OK && i < COV_COUNT_OF(cmds); i++)
        if (is_error(ctx, &replies[i]))
            st = COV_EINTERNAL;
    return st == COV_OK ? extend_index(store, ctx, index, ttl_s) : st;
}

static bool parse(const cov_kv_reply *hash, cov_session *out)
{
    *out = (cov_session){ .id = cov_kv_field(hash, COV_STR("id")),
                          .user_id = cov_kv_field(hash, COV_STR("userId")),
                          .data = cov_kv_field(hash, COV_STR("data")) };
    return out->id.len != 0 && out->user_id.len != 0 &&
           cov_time_parse_iso(cov_kv_field(hash, COV_STR("createdAt")), &out->created_ms, NULL) &&
           cov_time_parse_iso(cov_kv_field(hash, COV_STR("expiresAt")), &out->expires_ms, NULL);
}

static cov_status get(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_session *out,
                      bool *found)
{
    cov_str key = key_of(store, ctx, id);
    cov_kv_reply reply;
    cov_status st = cov_kv_call(store->kv, ctx->arena, COV_KV_HGETALL, &key, 1, &reply, ctx->err);

    *found = st == COV_OK && parse(&reply, out) && out->expires_ms > now_ms(ctx);
    return st;
}

static void touch(const cov_auth_store *store, cov_ctx *ctx, const cov_session *session,
                  int64_t expires_ms)
{
    cov_str key = key_of(store, ctx, session->id);
    cov_str args[] = { key, COV_STR("data"), session->data, COV_STR("expiresAt"),
                       iso(ctx, expires_ms != 0 ? expires_ms : session->expires_ms) };
    cov_str expire[] = { key, cov_arena_printf(ctx->arena, "%lld",
                                               (long long)seconds_left(ctx, expires_ms)) };
    cov_kv_reply reply;
    cov_error ignored;
    cov_status st;

    cov_error_init(&ignored, ctx->arena);
    st = cov_kv_call(store->kv, ctx->arena, COV_KV_HSETIF, args, COV_COUNT_OF(args), &reply,
                     &ignored);
    if (st != COV_OK || reply.i == 0 || expires_ms == 0)
        return;
    st = cov_kv_call(store->kv, ctx->arena, COV_KV_EXPIRE, expire, 2, &reply, &ignored);
    if (st == COV_OK)
        (void)!extend_index(store, ctx, index_of(store, ctx, session->user_id),
                            seconds_left(ctx, expires_ms));
}

static cov_status remove_one(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_str user_id,
                             bool *found)
{
    cov_str key = key_of(store, ctx, id);
    cov_str member[] = { index_of(store, ctx, user_id), id };
    cov_kv_cmd cmds[] = { { COV_KV_DEL, &key, 1 }, { COV_KV_SREM, member, 2 } };
    cov_kv_reply replies[COV_COUNT_OF(cmds)];
    cov_status st =
        cov_kv_run(store->kv, cmds, COV_COUNT_OF(cmds), true, ctx->arena, replies, ctx->err);

    if (st != COV_OK || is_error(ctx, &replies[0]))
        return st != COV_OK ? st : COV_EINTERNAL;
    if (found != NULL)
        *found = replies[0].i != 0;
    return COV_OK;
}

static cov_status list(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                       cov_sessions *out)
{
    cov_str index = index_of(store, ctx, user_id);
    cov_kv_reply ids;
    cov_session *items;
    cov_status st = cov_kv_call(store->kv, ctx->arena, COV_KV_SMEMBERS, &index, 1, &ids, ctx->err);

    *out = (cov_sessions){ NULL, 0 };
    if (st != COV_OK)
        return st;
    items = COV_NEW_ARRAY(ctx->arena, cov_session, ids.n + 1);
    if (items == NULL)
        return cov_fail_nomem(ctx->err);
    out->items = items;
    for (size_t i = 0; st == COV_OK && i < ids.n; i++) {
        bool found = false;

        st = get(store, ctx, ids.items[i].s, &items[out->n], &found);
        if (st == COV_OK && !found)
            st = remove_one(store, ctx, ids.items[i].s, user_id, NULL);
        out->n += found;
    }
    return st;
}

static cov_status remove_all(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                             cov_str except)
{
    cov_sessions all;
    cov_status st = list(store, ctx, user_id, &all);

    for (size_t i = 0; st == COV_OK && i < all.n; i++)
        if (!cov_str_eq(all.items[i].id, except))
            st = remove_one(store, ctx, all.items[i].id, user_id, NULL);
    return st;
}

const cov__session_ops cov__session_kv = {
    .put = put,
    .get = get,
    .touch = touch,
    .remove = remove_one,
    .list = list,
    .remove_all = remove_all,
};
