/* SPDX-License-Identifier: MIT */
/* live/principal.h - the user of a request, for as long as a subscription lasts. */
#ifndef COV_LIVE_PRINCIPAL_H
#define COV_LIVE_PRINCIPAL_H

#include "resource/ctx.h"

/*
 * A reference to the request's principal; when the request has a user but no principal, one that knows the user's id
 * alone. *out is NULL for anonymous. Fails with COV_ENOMEM.
 */
COV_CHECK cov_status cov_principal_of(const cov_ctx *ctx, cov_principal **out);

#endif
