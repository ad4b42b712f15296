/* SPDX-License-Identifier: MIT */
/*
 * Requests with an API key (spec/06 section 9).
 *
 * DESIGN: Hashing is slow on purpose, and a key comes with every request. So what was found is remembered twice: for less
 * than a second, whose key it is (auth->identities); for a minute after each use, that its text fits the stored hash
 * (auth->verified_keys). The second fact cannot become wrong, the record is read again each second, and so a revoked key
 * ends within that. Whatever cov__auth_api_key_is_slow called quick must not hash, for it runs on an event loop.
 *
 * An unknown id costs as much as a wrong secret. Both count against the client's address, and once there are too many the
 * keys that would have to be hashed are ignored: random secrets cannot be guessed, but trying them would take the machine.
 */
#include "auth/api_key_store.h"
#include "auth/internal.h"
#include "auth/password.h"

#define MINUTE_US INT64_C(60000000)
/* Shorter, so that what is quick when it is asked is so a moment later. */
#define SURELY_US INT64_C(55000000)
enum { USED_EVERY_MS = 60000, CREDENTIAL_BYTES = sizeof COV_AUTH_KEY_CREDENTIAL - 1 };

/* "key:" and the hash of the key's text. */
typedef struct fingerprint {
    char text[CREDENTIAL_BYTES + COV_TOKEN_HASH_CHARS];
} fingerprint;

static cov_str credential_of(const fingerprint *f)
{
    return cov_str_of(f->text, sizeof f->text);
}

static cov_str hash_of(const fingerprint *f)
{
    return cov_str_of(f->text + CREDENTIAL_BYTES, COV_TOKEN_HASH_CHARS);
}

static cov_status take_fingerprint(const cov_auth *auth, cov_str key, fingerprint *out)
{
    memcpy(out->text, COV_AUTH_KEY_CREDENTIAL, CREDENTIAL_BYTES);
    return cov_token_hash(auth->host, key, out->text + CREDENTIAL_BYTES);
}

bool cov__auth_api_key_is_slow(const cov_auth *auth, const cov_request *req)
{
    cov_str key = cov__auth_api_key_of(auth, req);
    fingerprint print;

    if (cov_api_key_id(key).ptr == NULL || take_fingerprint(auth, key, &print) != COV_OK)
        return false;
    return !cov_cache_has(auth->verified_keys, hash_of(&print), SURELY_US);
}

/* ---- hashing ---- */

static cov_status is_throttled(const cov_auth *auth, cov_ctx *ctx, bool *out)
{
    cov_response unsent = { .status = 0 };
    cov_ctx quiet = *ctx;
    cov_status st;

    quiet.res = &unsent;
    st = cov__auth_throttle(auth, &quiet, "key", COV_STR(""));
    *out = st == COV_ERATELIMIT;
    return *out ? COV_OK : st;
}

/* `record` NULL: there is none of this id. */
static cov_status hash(const cov_auth *auth, cov_ctx *ctx, cov_str key, const cov_api_key *record,
                       bool *fits)
{
    bool throttled = false;
    cov_status st = is_throttled(auth, ctx, &throttled);

    if (st != COV_OK || throttled)
        return st;
    if (record != NULL)
        *fits = cov_password_verify(auth->host, key, record->hash);
    else
        cov_password_verify_nobody(auth->host, key, auth->cost);
    if (!*fits)
        cov__auth_throttle_failed(auth, ctx, "key", COV_STR(""));
    return COV_OK;
}

/* A text that fitted some hash a moment ago fits no other: then its record is gone, or is another one. */
static cov_status verify(const cov_auth *auth, cov_ctx *ctx, cov_str key, const fingerprint *print,
                         const cov_api_key *record, bool *fits)
{
    uint64_t epoch = cov_cache_epoch(auth->verified_keys);
    cov_status st = COV_OK;
    cov_str verified;

    *fits = false;
    if (cov_cache_get(auth->verified_keys, hash_of(print), MINUTE_US, ctx->arena, &verified))
        *fits = record != NULL && cov_str_eq(verified, record->hash);
    else
        st = hash(auth, ctx, key, record, fits);
    if (*fits)
        cov_cache_put(auth->verified_keys, hash_of(print), record->hash, epoch);
    return st;
}

/* ---- from key to user ---- */

static bool is_over(const cov_api_key *record, int64_t now_ms)
{
    return record->expires_ms != COV_USER_NO_TIME && record->expires_ms <= now_ms;
}

static void note_use(const cov_auth *auth, cov_ctx *ctx, const cov_api_key *record, int64_t now_ms)
{
    if (record->last_used_ms == COV_USER_NO_TIME || now_ms - record->last_used_ms >= USED_EVERY_MS)
        cov_api_keys_used(&auth->store, ctx, record, now_ms);
}

static cov_status user_of(const cov_auth *auth, cov_ctx *ctx, const cov_api_key *record,
                          const cov_user **out)
{
    int64_t now_ms = ctx->host->now_ms(ctx->host->self);
    cov_account *account = COV_NEW(ctx->arena, cov_account);
    bool found = false;
    cov_status st;

    if (account == NULL)
        return cov_fail_nomem(ctx->err);
    st = cov_users_by_id(&auth->users, ctx, record->user_id, account, &found);
    if (st != COV_OK || !found)
        return st;
    account->user.session_id =
        cov_arena_printf(ctx->arena, COV_AUTH_KEY_SESSION "%.*s", COV_STR_ARG(record->id));
    if (account->user.session_id.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    account->user.session_expires_ms = record->expires_ms != COV_USER_NO_TIME
                                           ? record->expires_ms
                                           : now_ms + auth->config->session.ttl_ms;
    st = cov_user_set_key_scopes(ctx->arena, &account->user, record->scopes, record->n_scopes,
                                 ctx->err);
    if (st == COV_OK)
        *out = &account->user;
    return st;
}

static cov_status look_up(const cov_auth *auth, cov_ctx *ctx, cov_str key, const fingerprint *print,
                          const cov_user **out)
{
    uint64_t epoch = cov_cache_epoch(auth->identities);
    cov_api_key record;
    bool found = false;
    bool fits = false;
    cov_status st = cov_api_keys_get(&auth->store, ctx, cov_api_key_id(key), &record, &found);

    if (st != COV_OK || (found && is_over(&record, ctx->host->now_ms(ctx->host->self))))
        return st;
    st = verify(auth, ctx, key, print, found ? &record : NULL, &fits);
    if (st != COV_OK || !fits || record.user_id.len == 0)
        return st;
    st = user_of(auth, ctx, &record, out);
    if (st != COV_OK || *out == NULL)
        return st;
    note_use(auth, ctx, &record, ctx->host->now_ms(ctx->host->self));
    cov__auth_remember(auth, ctx, credential_of(print), *out, epoch);
    return COV_OK;
}

cov_status cov__auth_recheck_key(const cov_auth *auth, cov_ctx *ctx, const cov_user *user,
                                 const cov_user **out)
{
    cov_str id =
        cov_str_slice(user->session_id, sizeof COV_AUTH_KEY_SESSION - 1, user->session_id.len);
    cov_api_key record;
    bool found = false;
    cov_status st = cov_api_keys_get(&auth->store, ctx, id, &record, &found);

    *out = NULL;
    if (st != COV_OK || !found || is_over(&record, ctx->host->now_ms(ctx->host->self)))
        return st;
    return user_of(auth, ctx, &record, out);
}

cov_status cov__auth_user_of_key(const cov_auth *auth, cov_ctx *ctx, cov_str key,
                                 const cov_user **out)
{
    fingerprint print;
    bool hit = false;
    cov_status st;

    if (cov_api_key_id(key).ptr == NULL)
        return COV_OK;
    st = take_fingerprint(auth, key, &print);
    if (st != COV_OK)
        return cov_fail(ctx->err, st, "an API key could not be hashed");
    st = cov__auth_recall(auth, ctx, credential_of(&print), out, &hit);
    return st == COV_OK && !hit ? look_up(auth, ctx, key, &print, out) : st;
}

cov_status cov__auth_refuse_key(cov_auth_call *call)
{
    if (!cov_str_starts(call->user->session_id, COV_STR(COV_AUTH_KEY_SESSION)))
        return COV_OK;
    return cov_fail(call->ctx->err, COV_EFORBIDDEN, "An API key cannot do this; sign in");
}
