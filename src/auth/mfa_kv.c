/* SPDX-License-Identifier: MIT */
/*
 * Second factors in the KV:
 *
 *     covara:mfa:user:<id>               {"secret","updatedAt"}: the factor in use; never changed, only replaced
 *     covara:mfa:offer:<id>              {"secret","codes","replaces"}: an enrolment that waits; expires
 *     covara:mfa:codes:<factor>:<id>     set of hashes
 *     covara:mfa:counter:<factor>:<id>   sorted set of one member, whose score only grows
 *
 * <factor> is made of the secret, so what belongs to a factor that was replaced meanwhile is not read any more.
 */
#include "auth/mfa_store.h"
#include "auth/token.h"
#include "auth/totp.h"
#include "base/num.h"
#include "base/time.h"

enum { FACTOR_CHARS = 16, RETIRED_S = 3600 };
#define MEMBER COV_STR("last")

static cov_str key_of(cov_ctx *ctx, const char *kind, cov_str user_id)
{
    cov_buf key = COV_BUF_IN(ctx->arena);

    COV_BUF_LIT(&key, "covara:mfa:");
    cov_buf_str(&key, cov_str_from(kind));
    cov_buf_char(&key, ':');
    cov_buf_str(&key, user_id);
    return key.failed ? COV_STR_NULL : cov_buf_view(&key);
}

typedef struct factor_keys {
    cov_str codes;
    cov_str counter;
} factor_keys;

static cov_status keys_of(cov_ctx *ctx, cov_str user_id, cov_str secret, factor_keys *out)
{
    char hash[COV_TOKEN_HASH_CHARS];
    cov_str codes;
    cov_str counter;

    if (cov_token_hash(ctx->host, secret, hash) != COV_OK)
        return cov_fail(ctx->err, COV_EINTERNAL, "no digest of a secret");
    codes = cov_arena_printf(ctx->arena, "codes:%.*s", FACTOR_CHARS, hash);
    counter = cov_arena_printf(ctx->arena, "counter:%.*s", FACTOR_CHARS, hash);
    if (codes.ptr == NULL || counter.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    out->codes = key_of(ctx, codes.ptr, user_id);
    out->counter = key_of(ctx, counter.ptr, user_id);
    return COV_OK;
}

static cov_status run(const cov_auth_store *store, cov_ctx *ctx, const cov_kv_cmd *cmds, size_t n,
                      cov_kv_reply *replies)
{
    cov_status st = cov_kv_run(store->kv, cmds, n, true, ctx->arena, replies, ctx->err);

    for (size_t i = 0; st == COV_OK && i < n; i++)
        if (replies[i].type == COV_KV_ERROR)
            st = cov_fail(ctx->err, COV_EINTERNAL, "KV: %.*s", COV_STR_ARG(replies[i].s));
    return st;
}

static cov_str number(cov_ctx *ctx, int64_t value)
{
    return cov_arena_printf(ctx->arena, "%lld", (long long)value);
}

/* The counter outlives its factor for longer than any code: who checks one at this moment must not find it unused. */
static cov_status retire(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_str secret)
{
    factor_keys keys;
    cov_str expire[] = { COV_STR_NULL, number(ctx, RETIRED_S) };
    cov_kv_cmd cmds[] = { { COV_KV_DEL, &keys.codes, 1 }, { COV_KV_EXPIRE, expire, 2 } };
    cov_kv_reply replies[COV_COUNT_OF(cmds)];
    cov_status st;

    if (secret.len == 0)
        return COV_OK;
    if ((st = keys_of(ctx, user_id, secret, &keys)) != COV_OK)
        return st;
    expire[0] = keys.counter;
    return run(store, ctx, cmds, COV_COUNT_OF(cmds), replies);
}

/* ---- reading ---- */

/* The text of a record, ptr NULL when there is none, and its members. */
static cov_status load(const cov_auth_store *store, cov_ctx *ctx, const char *kind, cov_str user_id,
                       cov_str *text, const cov_json **out)
{
    yyjson_val *record = NULL;
    cov_status st = cov_kv_get(store->kv, ctx->arena, key_of(ctx, kind, user_id), text, ctx->err);

    *out = NULL;
    if (st != COV_OK || text->ptr == NULL)
        return st;
    if (cov_json_read(ctx->arena, *text, &record, NULL) == COV_OK)
        *out = record;
    return COV_OK;
}

static cov_status load_factor(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                              cov_mfa *out)
{
    factor_keys keys;
    cov_kv_reply codes;
    cov_kv_reply score;
    cov_str score_args[2];
    cov_str *hashes;
    cov_status st = keys_of(ctx, user_id, out->secret, &keys);

    score_args[0] = keys.counter;
    score_args[1] = MEMBER;
    if (st != COV_OK ||
        (st = cov_kv_call(store->kv, ctx->arena, COV_KV_SMEMBERS, &keys.codes, 1, &codes,
                          ctx->err)) != COV_OK ||
        (st = cov_kv_call(store->kv, ctx->arena, COV_KV_ZSCORE, score_args, 2, &score, ctx->err)) !=
            COV_OK)
        return st;
    if (score.type != COV_KV_TEXT || !cov_parse_i64(score.s, &out->last_counter))
        out->last_counter = COV_TOTP_NO_COUNTER;
    hashes = COV_NEW_ARRAY(ctx->arena, cov_str, codes.n + 1);
    if (hashes == NULL)
        return cov_fail_nomem(ctx->err);
    for (size_t i = 0; i < codes.n; i++)
        hashes[i] = codes.items[i].s;
    out->hashes = hashes;
    out->n_hashes = codes.n;
    return COV_OK;
}

static cov_status get(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_mfa *out)
{
    const cov_json *user;
    const cov_json *offer;
    cov_str text;
    cov_status st;

    *out = (cov_mfa){ .last_counter = COV_TOTP_NO_COUNTER };
    if ((st = load(store, ctx, "user", user_id, &text, &user)) != COV_OK ||
        (st = load(store, ctx, "offer", user_id, &text, &offer)) != COV_OK)
        return st;
    out->pending_secret = cov_json_text(cov_json_get(offer, "secret"));
    out->secret = cov_json_text(cov_json_get(user, "secret"));
    out->enabled = out->secret.len != 0;
    return out->enabled ? load_factor(store, ctx, user_id, out) : COV_OK;
}

/* ---- enrolment ---- */

static cov_status offer(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                        const cov_mfa_offer *offer)
{
    cov_buf text = COV_BUF_IN(ctx->arena);

    COV_BUF_LIT(&text, "{\"secret\":");
    cov_json_str(&text, offer->secret);
    COV_BUF_LIT(&text, ",\"codes\":");
    cov__mfa_hashes_write(&text, offer->hashes, offer->n_hashes);
    COV_BUF_LIT(&text, ",\"replaces\":");
    cov_json_str(&text, offer->replaces);
    cov_buf_char(&text, '}');
    if (text.failed)
        return cov_fail_nomem(ctx->err);
    return cov_kv_set(store->kv, ctx->arena, key_of(ctx, "offer", user_id), cov_buf_view(&text),
                      COV_MFA_ENROL_MS, false, NULL, ctx->err);
}

static cov_str factor_text(cov_ctx *ctx, cov_str secret)
{
    char now[COV_TIME_TEXT_BYTES];
    cov_buf text = COV_BUF_IN(ctx->arena);

    COV_BUF_LIT(&text, "{\"secret\":");
    cov_json_str(&text, secret);
    COV_BUF_LIT(&text, ",\"updatedAt\":");
    cov_json_str(&text, cov_str_of(now, cov_time_format(ctx->host->now_ms(ctx->host->self), now)));
    cov_buf_char(&text, '}');
    return text.failed ? COV_STR_NULL : cov_buf_view(&text);
}

static cov_status add_codes(cov_ctx *ctx, cov_str key, const cov_json *list, cov_str **args,
                            size_t *n_args)
{
    const cov_str *hashes = NULL;
    size_t n = 0;
    cov_status st = cov__mfa_hashes_read(ctx, list, &hashes, &n);
    cov_str *all = st == COV_OK ? COV_NEW_ARRAY(ctx->arena, cov_str, n + 1) : NULL;

    if (all == NULL)
        return st != COV_OK ? st : cov_fail_nomem(ctx->err);
    all[0] = key;
    if (n != 0)
        memcpy(all + 1, hashes, n * sizeof *hashes);
    *args = all;
    *n_args = n + 1;
    return COV_OK;
}

/*
 * In one step: the replaced factor goes if it is still the one in use, and the new one is stored if there is none then.
 * Codes and counter have keys of their own factor, so they harm nobody if it is not.
 */
static cov_status install(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_str old,
                          const cov_json *offer, int64_t counter, bool *done)
{
    cov_str secret = cov_json_text(cov_json_get(offer, "secret"));
    cov_str user = key_of(ctx, "user", user_id);
    factor_keys keys;
    cov_str drop[] = { user, old };
    cov_str set[] = { user, factor_text(ctx, secret), COV_STR("NX") };
    cov_str score[] = { COV_STR_NULL, number(ctx, counter), MEMBER };
    cov_kv_cmd cmds[] = { { COV_KV_DELIF, drop, 2 },
                          { COV_KV_SET, set, 3 },
                          { COV_KV_ZADD, score, 3 },
                          { COV_KV_SADD, NULL, 0 } };
    cov_kv_reply replies[COV_COUNT_OF(cmds)];
    cov_str *codes = NULL;
    cov_status st = keys_of(ctx, user_id, secret, &keys);

    if (st == COV_OK)
        st = add_codes(ctx, keys.codes, cov_json_get(offer, "codes"), &codes, &cmds[3].n_args);
    if (st != COV_OK)
        return st;
    score[0] = keys.counter;
    cmds[3].args = codes;
    /* A list of no codes is the last command, and left out. */
    st = run(store, ctx, cmds, cmds[3].n_args > 1 ? 4 : 3, replies);
    *done = st == COV_OK && replies[1].type != COV_KV_NIL;
    return st;
}

/* One caller takes the offer: were it installed twice, codes that were spent in between would be back. */
static cov_status take_offer(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                             cov_str text, bool *mine)
{
    cov_str args[] = { key_of(ctx, "offer", user_id), text };
    cov_kv_reply reply;
    cov_status st = cov_kv_call(store->kv, ctx->arena, COV_KV_DELIF, args, 2, &reply, ctx->err);

    *mine = st == COV_OK && reply.i == 1;
    return st;
}

static cov_status accept(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_str secret,
                         int64_t counter, bool *done)
{
    const cov_json *user;
    const cov_json *offer;
    cov_str user_text;
    cov_str offer_text;
    cov_str old;
    cov_status st;

    *done = false;
    if ((st = load(store, ctx, "user", user_id, &user_text, &user)) != COV_OK ||
        (st = load(store, ctx, "offer", user_id, &offer_text, &offer)) != COV_OK)
        return st;
    old = cov_json_text(cov_json_get(user, "secret"));
    if (!cov_str_eq(cov_json_text(cov_json_get(offer, "secret")), secret) ||
        !cov_str_eq(cov_json_text(cov_json_get(offer, "replaces")), old))
        return COV_OK;
    st = take_offer(store, ctx, user_id, offer_text, done);
    if (st != COV_OK || !*done)
        return st;
    if (user_text.ptr == NULL)
        user_text = COV_STR("");
    st = install(store, ctx, user_id, user_text, offer, counter, done);
    return st == COV_OK ? retire(store, ctx, user_id, *done ? old : secret) : st;
}

/* ---- use ---- */

static cov_status advance(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                          cov_str secret, int64_t counter, bool *done)
{
    cov_str args[] = { COV_STR_NULL, COV_STR("GT"), COV_STR("CH"), number(ctx, counter), MEMBER };
    factor_keys keys;
    cov_kv_reply reply;
    cov_status st = keys_of(ctx, user_id, secret, &keys);

    *done = false;
    if (st != COV_OK)
        return st;
    args[0] = keys.counter;
    st =
        cov_kv_call(store->kv, ctx->arena, COV_KV_ZADD, args, COV_COUNT_OF(args), &reply, ctx->err);
    *done = st == COV_OK && reply.i == 1;
    return st;
}

static cov_status spend(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_str secret,
                        cov_str hash, bool *done)
{
    cov_str args[] = { COV_STR_NULL, hash };
    factor_keys keys;
    cov_kv_reply reply;
    cov_status st = keys_of(ctx, user_id, secret, &keys);

    *done = false;
    if (st != COV_OK)
        return st;
    args[0] = keys.codes;
    st = cov_kv_call(store->kv, ctx->arena, COV_KV_SREM, args, 2, &reply, ctx->err);
    *done = st == COV_OK && reply.i == 1;
    return st;
}

static cov_status remove_all(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id)
{
    cov_str keys[] = { key_of(ctx, "user", user_id), key_of(ctx, "offer", user_id) };
    const cov_json *user;
    cov_str text;
    cov_kv_reply reply;
    cov_status st = load(store, ctx, "user", user_id, &text, &user);

    if (st == COV_OK)
        st = cov_kv_call(store->kv, ctx->arena, COV_KV_DEL, keys, 2, &reply, ctx->err);
    if (st != COV_OK)
        return st;
    return retire(store, ctx, user_id, cov_json_text(cov_json_get(user, "secret")));
}

const cov__mfa_ops cov__mfa_kv = {
    .get = get,
    .offer = offer,
    .accept = accept,
    .advance = advance,
    .spend = spend,
    .remove = remove_all,
};
