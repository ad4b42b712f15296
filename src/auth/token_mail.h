/* SPDX-License-Identifier: MIT */
/*
 * auth/token_mail.h - the mail that carries a one-time token (spec/06 section 10).
 *
 * The link is the configuration's, with the token put in: nothing that a client sends decides where it leads.
 */
#ifndef COV_AUTH_TOKEN_MAIL_H
#define COV_AUTH_TOKEN_MAIL_H

#include "auth/internal.h"
#include "auth/one_time.h"

typedef struct cov_token_mail {
    cov_one_time_purpose purpose;
    cov_str to;
    cov_str token;
    int64_t expires_ms;
} cov_token_mail;

/*
 * Write the mail and with `send` send it, both when the request was answered: neither how long that takes nor whether
 * it worked tells the client if there was somebody to write to. Fails with COV_ENOMEM only.
 */
COV_CHECK cov_status cov__auth_mail_token(const cov_auth *auth, cov_ctx *ctx,
                                          const cov_token_mail *mail, bool send);
const cov_token_config *cov__auth_token_config(const cov_auth *auth, cov_one_time_purpose purpose);

#endif
