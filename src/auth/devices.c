/* SPDX-License-Identifier: MIT */
#include "auth/internal.h"
const cov_auth_action cov__auth_device_actions[] = { { .path = NULL } };
const cov_auth_action cov__auth_recovery_actions[] = { { .path = NULL } };
const cov_auth_action cov__auth_mfa_actions[] = { { .path = NULL } };
const cov_auth_action cov__auth_key_actions[] = { { .path = NULL } };
bool cov__auth_api_key_is_slow(const cov_auth *auth, const cov_request *req)
{
    (void)auth;
    (void)req;
    return false;
}
cov_status cov__auth_user_of_key(const cov_auth *auth, cov_ctx *ctx, cov_str key,
                                 const cov_user **out)
{
    (void)auth;
    (void)ctx;
    (void)key;
    *out = NULL;
    return COV_OK;
}
cov_status cov__auth_check_mfa(cov_auth_call *call, const cov_account *account, cov_str code,
                               cov_mfa_verdict *out)
{
    (void)call;
    (void)account;
    (void)code;
    *out = COV_MFA_NOT_NEEDED;
    return COV_OK;
}
cov_status cov__auth_ask_mfa(cov_auth_call *call, const cov_account *account)
{
    (void)account;
    return cov_fail(call->ctx->err, COV_ENOSYS, "no second factor");
}
