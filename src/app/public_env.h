/* SPDX-License-Identifier: MIT */
/*
 * app/public_env.h - the environment as the application declares it, and the part of it that clients may read
 * (spec/07 sections 14.2 and 14.3).
 *
 * Variables are read once, when the app is made; what changes later is not seen. Private ones are checked all the same,
 * so that a server without its secrets does not start, but nothing of them is kept.
 * Memory: all lives in the arena.
 */
#ifndef COV_APP_PUBLIC_ENV_H
#define COV_APP_PUBLIC_ENV_H

#include "app/config.h"
#include "resource/ctx.h"

typedef struct cov_public_env {
    cov_str body;   /* {"PUBLIC_A":...} in the order of the configuration */
    cov_str etag;   /* with its quotes */
    cov_str fields; /* the list of /schema */
} cov_public_env;

/*
 * Fails with COV_EINVAL; the detail begins with "Environment variable validation error for <NAME>: " and does not hold
 * the value, which may be a secret.
 */
COV_CHECK cov_status cov__public_env_read(cov_arena *arena, const cov_host *host,
                                          const cov_public_env_config *config, cov_public_env *out,
                                          cov_error *err);
/* The document, or 304. */
void cov__public_env_answer(const cov_public_env *env, const cov_public_env_config *config,
                            cov_ctx *ctx);
void cov__public_env_schema(const cov_public_env *env, cov_ctx *ctx);

#endif
