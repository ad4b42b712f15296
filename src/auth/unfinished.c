/* SPDX-License-Identifier: MIT */
#include "auth/internal.h"
const cov_auth_action cov__auth_recovery_actions[] = { { .path = NULL } };
const cov_auth_action cov__auth_mfa_actions[] = { { .path = NULL } };
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
