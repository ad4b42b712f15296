/* SPDX-License-Identifier: MIT */
/*
 * The second factor (spec/06 section 11): enrolled, confirmed, asked for, turned off.
 *
 * Decisions that the spec leaves open:
 * - A code is used once. That of a confirmation or a replacement does not log in as well.
 * - Wrong codes are counted for the account and for the client ("mfa", beside the count of the login that waits). To
 *   reach the count of an account one must have its password, its mailbox or its session.
 * - Whoever changes the factor in use must show a code of it, a session is not enough. An API key changes nothing: it is
 *   given to programs, and one that leaked could lock its owner out.
 * - Without a login that waits /mfa/verify says what it says to a wrong code, and looks at no code.
 * - Turning the factor off, or replacing it, ends no sessions; codes in reserve of the old factor end with it.
 */
#include "auth/mfa_pending.h"
#include "auth/mfa_store.h"
#include "auth/totp.h"

#define MFA_LIMIT "mfa"
#define WRONG_CODE "Invalid MFA code"

/* ---- codes ---- */

static cov_status use_backup_code(const cov_auth *auth, cov_ctx *ctx, cov_str user_id,
                                  const cov_mfa *mfa, cov_str code, bool *ok)
{
    size_t at = cov_backup_code_find(auth->host, code, mfa->hashes, mfa->n_hashes);

    *ok = false;
    return at == SIZE_MAX
               ? COV_OK
               : cov__mfa_spend(&auth->store, ctx, user_id, mfa->secret, mfa->hashes[at], ok);
}

/* Is it a code of the factor in use? If so it is none from now on. */
static cov_status use_code(const cov_auth *auth, cov_ctx *ctx, cov_str user_id, const cov_mfa *mfa,
                           cov_str code, bool *ok)
{
    int64_t counter;

    if (cov_totp_verify(auth->host, mfa->secret, code, ctx->host->now_ms(ctx->host->self),
                        (int)auth->config->mfa.window, mfa->last_counter, &counter))
        return cov__mfa_advance(&auth->store, ctx, user_id, mfa->secret, counter, ok);
    return use_backup_code(auth, ctx, user_id, mfa, code, ok);
}

/* The same under the limit of wrong codes. */
static cov_status use_code_limited(cov_auth_call *call, cov_str user_id, const cov_mfa *mfa,
                                   cov_str code, bool *ok)
{
    const cov_auth *auth = call->auth;
    cov_status st;

    *ok = false;
    if ((st = cov__auth_throttle(auth, call->ctx, MFA_LIMIT, user_id)) != COV_OK ||
        (st = use_code(auth, call->ctx, user_id, mfa, code, ok)) != COV_OK)
        return st;
    if (*ok)
        cov__auth_throttle_passed(auth, call->ctx, MFA_LIMIT, user_id);
    else
        cov__auth_throttle_failed(auth, call->ctx, MFA_LIMIT, user_id);
    return COV_OK;
}

/* ---- with a login ---- */

cov_status cov__auth_check_mfa(cov_auth_call *call, const cov_account *account, cov_str code,
                               cov_mfa_verdict *out)
{
    cov_mfa mfa;
    bool ok = false;
    cov_status st = cov__mfa_get(&call->auth->store, call->ctx, account->user.id, &mfa);

    if (st != COV_OK)
        return st;
    if (!mfa.enabled || code.len == 0) {
        *out = mfa.enabled ? COV_MFA_MISSING : COV_MFA_NOT_NEEDED;
        return COV_OK;
    }
    st = use_code_limited(call, account->user.id, &mfa, code, &ok);
    *out = ok ? COV_MFA_PASSED : COV_MFA_WRONG;
    return st;
}

cov_status cov__auth_ask_mfa(cov_auth_call *call, const cov_account *account)
{
    cov_response *res = call->ctx->res;
    cov_status st = cov__mfa_pending_begin(call->auth, call->ctx, account->user.id);

    if (st != COV_OK)
        return st;
    COV_BUF_LIT(&res->body, "{\"mfaRequired\":true}");
    st = cov__auth_ok(call);
    res->status = 401;
    return st;
}

/* The account whose login waits, if it is the one that the body names, and the code is one of its factor. */
static cov_status check_pending(cov_auth_call *call, const cov_mfa_pending *pending, cov_str email,
                                cov_account *account, bool *ok)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_mfa mfa;
    cov_status st;

    *ok = false;
    if ((st = cov_users_by_id(&auth->users, ctx, pending->user_id, account, ok)) != COV_OK || !*ok)
        return st;
    *ok = cov_str_eq(account->user.email, email);
    if (!*ok || (st = cov__mfa_get(&auth->store, ctx, pending->user_id, &mfa)) != COV_OK)
        return st;
    *ok = mfa.enabled;
    return *ok ? use_code_limited(call, pending->user_id, &mfa, cov__auth_text(call, "code"), ok)
               : COV_OK;
}

static cov_status verify(cov_auth_call *call)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_str email = cov__auth_text(call, "email");
    cov_mfa_pending pending;
    cov_account account;
    bool ok = false;
    cov_status st;

    if (email.len == 0 || cov__auth_text(call, "code").len == 0)
        return cov_fail(ctx->err, COV_EINVAL, "Email and code are required");
    if ((st = cov__mfa_pending_find(auth, ctx, &pending)) != COV_OK)
        return st;
    if (pending.user_id.len != 0)
        st = cov__mfa_pending_try(auth, ctx, &pending, &ok);
    if (st == COV_OK && ok)
        st = check_pending(call, &pending, email, &account, &ok);
    if (st == COV_OK && ok)
        st = cov__mfa_pending_end(auth, ctx, &pending, &ok);
    if (st != COV_OK)
        return st;
    call->failed = !ok;
    return ok ? cov__auth_finish_login(call, &account)
              : cov_fail(ctx->err, COV_EUNAUTH, WRONG_CODE);
}

/* ---- enrolment ---- */

static void offer_body(cov_auth_call *call, const cov_mfa_offer *offer, const cov_str *codes)
{
    const cov_user *user = call->user;
    cov_buf *out = &call->ctx->res->body;
    cov_buf uri = COV_BUF_IN(call->ctx->arena);

    cov_totp_uri(&uri, call->auth->config->mfa.issuer,
                 user->email.len != 0 ? user->email : user->id, offer->secret);
    out->failed = out->failed || uri.failed;
    COV_BUF_LIT(out, "{\"secret\":");
    cov_json_str(out, offer->secret);
    COV_BUF_LIT(out, ",\"otpauthUri\":");
    cov_json_str(out, cov_buf_view(&uri));
    COV_BUF_LIT(out, ",\"backupCodes\":");
    cov__mfa_hashes_write(out, codes, offer->n_hashes);
    cov_buf_char(out, '}');
}

static cov_status make_offer(cov_auth_call *call, cov_str replaces)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_mfa_offer offer = { .n_hashes = (size_t)auth->config->mfa.backup_codes,
                            .replaces = replaces };
    const cov_str *codes = NULL;
    cov_status st;

    if ((st = cov_totp_secret(auth->host, ctx->arena, &offer.secret, ctx->err)) != COV_OK ||
        (st = cov_backup_codes(auth->host, ctx->arena, offer.n_hashes, auth->cost, &codes,
                               &offer.hashes, ctx->err)) != COV_OK ||
        (st = cov__mfa_offer(&auth->store, ctx, call->user->id, &offer)) != COV_OK)
        return st;
    offer_body(call, &offer, codes);
    return cov__auth_ok(call);
}

static cov_status enroll(cov_auth_call *call)
{
    cov_ctx *ctx = call->ctx;
    cov_str code = cov__auth_text(call, "code");
    cov_mfa mfa;
    bool ok = false;
    cov_status st;

    if ((st = cov__auth_refuse_key(call)) != COV_OK ||
        (st = cov__mfa_get(&call->auth->store, ctx, call->user->id, &mfa)) != COV_OK)
        return st;
    if (!mfa.enabled)
        return make_offer(call, COV_STR(""));
    if (code.len == 0)
        return cov_fail(ctx->err, COV_ECONFLICT,
                        "MFA is enabled already; a current code is needed to replace it");
    if ((st = use_code_limited(call, call->user->id, &mfa, code, &ok)) != COV_OK)
        return st;
    return ok ? make_offer(call, mfa.secret) : cov_fail(ctx->err, COV_ECONFLICT, WRONG_CODE);
}

/* The offer's own codes only: those in reserve are for who lost the authenticator. */
static cov_status accept_offer(cov_auth_call *call, const cov_mfa *mfa, cov_str code, bool *ok)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    int64_t counter;

    *ok = cov_totp_verify(auth->host, mfa->pending_secret, code, ctx->host->now_ms(ctx->host->self),
                          (int)auth->config->mfa.window, COV_TOTP_NO_COUNTER, &counter);
    return *ok ? cov__mfa_accept(&auth->store, ctx, call->user->id, mfa->pending_secret, counter,
                                 ok)
               : COV_OK;
}

/* What changing the factor begins with: who asks may, and brought a code. */
static cov_status load_for_change(cov_auth_call *call, cov_str code, cov_mfa *mfa)
{
    cov_status st = cov__auth_refuse_key(call);

    if (st == COV_OK && code.len == 0)
        st = cov_fail(call->ctx->err, COV_EINVAL, "Code is required");
    return st == COV_OK ? cov__mfa_get(&call->auth->store, call->ctx, call->user->id, mfa) : st;
}

static cov_status confirm(cov_auth_call *call)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_str code = cov__auth_text(call, "code");
    cov_mfa mfa;
    bool ok = false;
    cov_status st;

    if ((st = load_for_change(call, code, &mfa)) != COV_OK)
        return st;
    if (mfa.pending_secret.len == 0)
        return cov_fail(ctx->err, COV_EINVAL, "No pending MFA enrollment");
    if ((st = cov__auth_throttle(auth, ctx, MFA_LIMIT, call->user->id)) != COV_OK ||
        (st = accept_offer(call, &mfa, code, &ok)) != COV_OK)
        return st;
    if (!ok) {
        cov__auth_throttle_failed(auth, ctx, MFA_LIMIT, call->user->id);
        return cov_fail(ctx->err, COV_EINVAL, WRONG_CODE);
    }
    COV_BUF_LIT(&ctx->res->body, "{\"success\":true,\"enabled\":true}");
    return cov__auth_ok(call);
}

static cov_status disable(cov_auth_call *call)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_str code = cov__auth_text(call, "code");
    cov_mfa mfa;
    bool ok = false;
    cov_status st;

    if ((st = load_for_change(call, code, &mfa)) != COV_OK)
        return st;
    if (!mfa.enabled)
        return cov_fail(ctx->err, COV_EINVAL, "MFA is not enabled");
    if ((st = use_code_limited(call, call->user->id, &mfa, code, &ok)) != COV_OK)
        return st;
    if (!ok)
        return cov_fail(ctx->err, COV_EINVAL, WRONG_CODE);
    if ((st = cov__mfa_remove(&auth->store, ctx, call->user->id)) != COV_OK)
        return st;
    COV_BUF_LIT(&ctx->res->body, "{\"success\":true,\"enabled\":false}");
    return cov__auth_ok(call);
}

/* ---- the routes ---- */

#define ROUTE(path_, flags_, run_)                                                       \
    {                                                                                    \
        COV_POST, path_, offsetof(cov_auth_config, mfa.enabled), COV_AUTH_NO_GATE, NULL, \
            COV_AUTH_BLOCKS | (flags_), run_                                             \
    }

const cov_auth_action cov__auth_mfa_actions[] = {
    ROUTE("/mfa/enroll", COV_AUTH_SIGNED_IN, enroll),
    ROUTE("/mfa/enroll/confirm", COV_AUTH_SIGNED_IN, confirm),
    ROUTE("/mfa/verify", 0, verify),
    ROUTE("/mfa/disable", COV_AUTH_SIGNED_IN, disable),
    { .path = NULL },
};
