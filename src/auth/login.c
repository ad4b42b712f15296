/* SPDX-License-Identifier: MIT */
/* GET /me, POST /login, /logout, /signup (spec/06 section 5.1). */
#include "auth/internal.h"
#include "auth/password.h"

static cov_status fail_login(cov_auth_call *call, cov_str email, const char *detail)
{
    call->failed = true;
    cov__auth_throttle_failed(call->auth, call->ctx, "login", email);
    return cov_fail(call->ctx->err, COV_EUNAUTH, "%s", detail);
}

/* ---- me ---- */

static cov_status me(cov_auth_call *call)
{
    cov_buf *out = &call->ctx->res->body;
    const cov_user *user = NULL;
    cov_status st = cov_auth_identify(call->auth, call->ctx, &user);

    if (st != COV_OK)
        return st;
    COV_BUF_LIT(out, "{\"user\":");
    if (user == NULL)
        COV_BUF_LIT(out, "null");
    else
        cov_user_json(out, user);
    if (user != NULL && user->session_expires_ms != COV_USER_NO_TIME) {
        COV_BUF_LIT(out, ",\"expiresAt\":");
        cov_json_time(out, user->session_expires_ms);
    }
    cov_buf_char(out, '}');
    return cov__auth_ok(call);
}

/* ---- login ---- */

/*
 * The account of these credentials; *found false: there is none. Takes as long for an unknown address, or one that has
 * no password, as for a wrong password.
 */
static cov_status check_password(cov_auth_call *call, cov_str email, cov_str password,
                                 cov_account *account, bool *found)
{
    const cov_auth *auth = call->auth;
    cov_status st = cov_users_by_email(&auth->users, call->ctx, email, account, found);

    if (st != COV_OK)
        return st;
    if (!*found || account->password_hash.len == 0) {
        cov_password_verify_nobody(auth->host, password, auth->cost);
        *found = false;
        return COV_OK;
    }
    *found = cov_password_verify(auth->host, password, account->password_hash);
    if (*found && auth->config->require_verified_email &&
        account->user.email_verified_ms == COV_USER_NO_TIME)
        *found = false;
    return COV_OK;
}

/* A login is the only time when the password is at hand. Failing to renew its hash fails nothing else. */
static void renew_hash(cov_auth_call *call, const cov_account *account, cov_str password)
{
    const cov_auth *auth = call->auth;
    cov_str hash;

    if (!cov_password_needs_rehash(account->password_hash, auth->cost))
        return;
    if (cov_password_hash(auth->host, call->ctx->arena, password, auth->cost, &hash,
                          call->ctx->err) == COV_OK)
        (void)!cov_users_set_password(&auth->users, call->ctx, account->user.id, hash);
}

static void begin_body(cov_auth_call *call, const cov_user *user)
{
    COV_BUF_LIT(&call->ctx->res->body, "{\"user\":");
    cov_user_json(&call->ctx->res->body, user);
}

cov_status cov__auth_finish_login(cov_auth_call *call, const cov_account *account)
{
    cov_status st;

    begin_body(call, &account->user);
    st = cov__auth_begin_session(call, account);
    if (st == COV_OK)
        st = cov__auth_new_csrf(call->auth, call->ctx);
    if (st == COV_OK)
        cov__auth_throttle_passed(call->auth, call->ctx, "login", account->user.email);
    return st;
}

cov_status cov__auth_first_factor_passed(cov_auth_call *call, const cov_account *account,
                                         cov_str code)
{
    cov_mfa_verdict verdict = COV_MFA_NOT_NEEDED;
    cov_status st = COV_OK;

    if (call->auth->config->mfa.enabled && call->auth->config->mfa.require_on_login)
        st = cov__auth_check_mfa(call, account, code, &verdict);
    if (st != COV_OK)
        return st;
    if (verdict == COV_MFA_MISSING)
        return cov__auth_ask_mfa(call, account);
    if (verdict == COV_MFA_WRONG)
        return fail_login(call, account->user.email, "Invalid MFA code");
    return cov__auth_finish_login(call, account);
}

static cov_status login(cov_auth_call *call)
{
    cov_str email = cov__auth_text(call, "email");
    cov_str password = cov__auth_text(call, "password");
    cov_account account;
    bool found = false;
    cov_status st;

    if (email.len == 0 || password.len == 0)
        return cov_fail(call->ctx->err, COV_EINVAL, "Email and password are required");
    if ((st = cov__auth_throttle(call->auth, call->ctx, "login", email)) != COV_OK ||
        (st = check_password(call, email, password, &account, &found)) != COV_OK)
        return st;
    if (!found)
        return fail_login(call, email, "Invalid email or password");
    renew_hash(call, &account, password);
    return cov__auth_first_factor_passed(call, &account, cov__auth_text(call, "mfaCode"));
}

/* ---- signup ---- */

/* One "@" with something on both sides, and nothing that could leave a mail header or a log line. */
static bool looks_like_email(cov_str email)
{
    size_t at = cov_str_find(email, '@', 0);

    if (at == 0 || at + 1 >= email.len || cov_str_find(email, '@', at + 1) != email.len ||
        email.len > 254)
        return false;
    for (size_t i = 0; i < email.len; i++)
        if ((unsigned char)email.ptr[i] <= ' ' || email.ptr[i] == 0x7F ||
            strchr("<>,;:\\\"()[]", email.ptr[i]) != NULL)
            return false;
    return true;
}

static cov_status create_account(cov_auth_call *call, cov_str email, cov_str password,
                                 cov_account *account)
{
    const cov_auth *auth = call->auth;
    cov_ctx *ctx = call->ctx;
    cov_str hash;
    cov_status st =
        cov_password_hash(auth->host, ctx->arena, password, auth->cost, &hash, ctx->err);

    if (st == COV_OK)
        st =
            cov_users_create(&auth->users, ctx, email, hash, cov__auth_text(call, "name"), account);
    if (st == COV_EUNIQUE || st == COV_ECONFLICT)
        return cov_fail(ctx->err, COV_ECONFLICT, "An account with this e-mail address exists");
    return st;
}

static void signup_body(cov_auth_call *call, const cov_user *user)
{
    cov_buf *out = &call->ctx->res->body;

    COV_BUF_LIT(out, "{\"user\":{\"id\":");
    cov_json_str(out, user->id);
    COV_BUF_LIT(out, ",\"email\":");
    cov_json_str(out, user->email);
    if (user->name.len != 0) {
        COV_BUF_LIT(out, ",\"name\":");
        cov_json_str(out, user->name);
    }
    cov_buf_char(out, '}');
}

static cov_status signup(cov_auth_call *call)
{
    cov_str email = cov__auth_text(call, "email");
    cov_str password = cov__auth_text(call, "password");
    cov_account account;
    cov_status st;

    if (email.len == 0 || password.len == 0)
        return cov_fail(call->ctx->err, COV_EINVAL, "Email and password are required");
    if (!looks_like_email(email))
        return cov_fail(call->ctx->err, COV_EINVAL, "Invalid email format");
    if ((st = cov_password_check(&call->auth->config->password_policy, password, call->ctx->err)) !=
            COV_OK ||
        (st = create_account(call, email, password, &account)) != COV_OK)
        return st;
    signup_body(call, &account.user);
    return cov__auth_begin_session(call, &account);
}

/* ---- logout ---- */

static cov_status logout(cov_auth_call *call)
{
    cov_status st = cov__auth_end_session(call);

    return st == COV_OK ? cov__auth_success(call) : st;
}

#define SWITCH(member) offsetof(cov_auth_config, member)

const cov_auth_action cov__auth_session_actions[] = {
    { COV_GET, "/me", COV_AUTH_ALWAYS, COV_AUTH_NO_GATE, NULL, 0, me },
    { COV_POST, "/login", SWITCH(login), SWITCH(login_gate), "auth.login",
      COV_AUTH_BLOCKS | COV_AUTH_DEFERRED, login },
    { COV_POST, "/signup", SWITCH(signup), SWITCH(signup_gate), "auth.signup", COV_AUTH_BLOCKS,
      signup },
    { COV_POST, "/logout", COV_AUTH_ALWAYS, COV_AUTH_NO_GATE, NULL, COV_AUTH_BLOCKS, logout },
    { .path = NULL },
};
