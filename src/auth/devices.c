/* SPDX-License-Identifier: MIT */
#include "auth/internal.h"
const cov_auth_action cov__auth_device_actions[] = { { .path = NULL } };
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
