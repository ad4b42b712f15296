/* SPDX-License-Identifier: MIT */
/*
 * Who has the mailbox has the account: verification of addresses, forgotten passwords, magic links (spec/06 section 10).
 *
 * What a client learns. A request for a mail answers the same, headers included, for an address with an account and one
 * without, and does the same work: for an address that gets no mail a token is made and stored that nobody can use, and
 * the mail is written but not sent. What is left is the sending itself: with a mail service the answer comes later by
 * that call. Only sending after the answer would hide it, which no host offers yet; until then requests are limited.
 *
 * Limits. Requests for mails are counted for the address named and for the client; they would fill a mailbox. Wrong
 * tokens are counted for the client only: they have 256 bits, so guesses at one account are no danger, while a
 * counter of the account would let anybody keep its owner from a reset by sending five wrong tokens.
 *
 * Tokens belong to the address as the account has it, and are sent there, however the request spelled it: a column that
 * compares without case, or by some collation, must not lead a token to another mailbox.
 */
#include "auth/password.h"
#include "auth/token_mail.h"

#define MAIL_LIMIT "mail"
#define TOKEN_LIMIT "token"

/* ---- requests ---- */

static bool is_for(cov_one_time_purpose purpose, const cov_account *account)
{
    return purpose != COV_ONE_TIME_VERIFY || account->user.email_verified_ms == COV_USER_NO_TIME;
}

static cov_status send_token(cov_auth_call *call, cov_one_time_purpose purpose)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_str email = cov__auth_text(call, "email");
    cov_token_mail mail = { .purpose = purpose, .to = email };
    cov_account account;
    bool known = false;
    cov_status st;

    if (email.len == 0)
        return cov_fail(ctx->err, COV_EINVAL, "Email is required");
    if ((st = cov__auth_throttle(auth, ctx, MAIL_LIMIT, email)) != COV_OK)
        return st;
    cov__auth_throttle_failed(auth, ctx, MAIL_LIMIT, email);
    if ((st = cov_users_by_email(&auth->users, ctx, email, &account, &known)) != COV_OK)
        return st;
    known = known && is_for(purpose, &account);
    if (known)
        mail.to = account.user.email;
    st = cov__one_time_issue(&auth->store, ctx, purpose, known ? mail.to : COV_STR(""),
                             cov__auth_token_config(auth, purpose)->ttl_ms, &mail.token,
                             &mail.expires_ms);
    if (st == COV_OK)
        st = cov__auth_mail_token(auth, ctx, &mail, known);
    return st == COV_OK ? cov__auth_success(call) : st;
}

static cov_status verify_request(cov_auth_call *call)
{
    return send_token(call, COV_ONE_TIME_VERIFY);
}

static cov_status forgot(cov_auth_call *call)
{
    return send_token(call, COV_ONE_TIME_RESET);
}

static cov_status magic_request(cov_auth_call *call)
{
    return send_token(call, COV_ONE_TIME_MAGIC);
}

/* ---- tokens come back ---- */

/* Consume the body's token and load whose it was, or fail with `refusal`. */
static cov_status redeem(cov_auth_call *call, cov_one_time_purpose purpose, cov_status refusal,
                         cov_account *account)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_str email = cov__auth_text(call, "email");
    bool found = false;
    bool valid = false;
    cov_status st;

    if ((st = cov__auth_throttle(auth, ctx, TOKEN_LIMIT, COV_STR(""))) != COV_OK ||
        (st = cov_users_by_email(&auth->users, ctx, email, account, &found)) != COV_OK ||
        (st = cov__one_time_consume(&auth->store, ctx, purpose, found ? account->user.email : email,
                                    cov__auth_text(call, "token"), &valid)) != COV_OK)
        return st;
    if (found && valid)
        return COV_OK;
    call->failed = true;
    cov__auth_throttle_failed(auth, ctx, TOKEN_LIMIT, COV_STR(""));
    return cov_fail(ctx->err, refusal, "Invalid or expired token");
}

static bool has(const cov_auth_call *call, const char *name)
{
    return cov__auth_text(call, name).len != 0;
}

static cov_status verify_confirm(cov_auth_call *call)
{
    const cov_auth *auth = call->auth;
    cov_account account;
    cov_status st;

    if (!has(call, "email") || !has(call, "token"))
        return cov_fail(call->ctx->err, COV_EINVAL, "Email and token are required");
    if ((st = redeem(call, COV_ONE_TIME_VERIFY, COV_EINVAL, &account)) != COV_OK ||
        (st = cov_users_set_verified(&auth->users, call->ctx, account.user.email)) != COV_OK)
        return st;
    cov_cache_forget_all(auth->identities);
    return cov__auth_success(call);
}

/* Sessions end after the password changed: one that begins in between began with the new password. */
static cov_status change_password(cov_auth_call *call, const cov_account *account, cov_str password)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_str hash;
    cov_status st;

    if ((st = cov_password_hash(auth->host, ctx->arena, password, auth->cost, &hash, ctx->err)) !=
            COV_OK ||
        (st = cov_users_set_password(&auth->users, ctx, account->user.id, hash)) != COV_OK)
        return st;
    return auth->config->logout_everywhere
               ? cov__auth_end_all(auth, ctx, account->user.id, COV_STR(""))
               : COV_OK;
}

/* The policy comes first, so that a password that is too weak costs no token. */
static cov_status reset(cov_auth_call *call)
{
    const cov_auth *auth = call->auth;
    cov_str password = cov__auth_text(call, "password");
    cov_account account;
    cov_status st;

    if (!has(call, "email") || !has(call, "token") || password.len == 0)
        return cov_fail(call->ctx->err, COV_EINVAL, "Email, token and password are required");
    if ((st = cov_password_check(&auth->config->password_policy, password, call->ctx->err)) !=
            COV_OK ||
        (st = redeem(call, COV_ONE_TIME_RESET, COV_EINVAL, &account)) != COV_OK ||
        (st = change_password(call, &account, password)) != COV_OK)
        return st;
    cov__auth_throttle_passed(auth, call->ctx, "login", account.user.email);
    return cov__auth_success(call);
}

/* The link stands for the password, not for the second factor. */
static cov_status magic_verify(cov_auth_call *call)
{
    cov_account account;
    cov_status st;

    if (!has(call, "email") || !has(call, "token"))
        return cov_fail(call->ctx->err, COV_EINVAL, "Email and token are required");
    st = redeem(call, COV_ONE_TIME_MAGIC, COV_EUNAUTH, &account);
    return st == COV_OK ? cov__auth_first_factor_passed(call, &account, COV_STR("")) : st;
}

/* ---- the routes ---- */

#define SWITCH(member) offsetof(cov_auth_config, member)
#define ROUTE(path_, switch_, run_)                                                             \
    {                                                                                           \
        COV_POST, path_, SWITCH(switch_.enabled), COV_AUTH_NO_GATE, NULL, COV_AUTH_BLOCKS, run_ \
    }

const cov_auth_action cov__auth_recovery_actions[] = {
    ROUTE("/verify/request", verification, verify_request),
    ROUTE("/verify/confirm", verification, verify_confirm),
    { COV_POST, "/password/forgot", SWITCH(password_reset.enabled), SWITCH(reset_gate),
      "auth.passwordReset.request", COV_AUTH_BLOCKS, forgot },
    ROUTE("/password/reset", password_reset, reset),
    ROUTE("/magic-link/request", magic_link, magic_request),
    ROUTE("/magic-link/verify", magic_link, magic_verify),
    { .path = NULL },
};
