/* SPDX-License-Identifier: MIT */
/* resource/etag.h - comparing entity tags (RFC 9110 sections 8.8.3 and 13.1). */
#ifndef COV_RESOURCE_ETAG_H
#define COV_RESOURCE_ETAG_H

#include "resource/ctx.h"

/* Whether If-None-Match names `tag`, in a list or alone, compared weakly. */
bool cov__etag_none_match(cov_ctx *ctx, cov_str tag);

#endif
