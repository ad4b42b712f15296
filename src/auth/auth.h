/* SPDX-License-Identifier: MIT */
/*
 * auth/auth.h - who asks, and the account routes (spec/06).
 *
 * Knows:   users, sessions, tokens, API keys, second factors, their stores; cookies and bearer tokens.
 * Ignores: limits and challenges (guard): the app asks cov_auth_route for the gate of a route and keeps it.
 * Threads: immutable after cov_auth_new but for caches that lock themselves; shared by all.
 */
#ifndef COV_AUTH_AUTH_H
#define COV_AUTH_AUTH_H

#include "auth/config.h"
#include "auth/user.h"
#include "covara/kv.h"
#include "mail/config.h"
#include "resource/resource.h"

typedef struct cov_auth cov_auth;

typedef struct cov_auth_parts {
    const cov_host *host;
    const cov_auth_config *config;
    cov_str path;              /* of the routes: "/api/auth" */
    const cov_resource *users; /* of config->users.table */
    cov_kv *kv;
    const struct cov_mail *mail;
    const cov_names *cors_origins; /* pages that may send requests, beside the server's own */
    bool production;
    /* Sessions of this user ended: whoever serves them for long should ask again. NULL: nobody does. Any thread. */
    void (*revoked)(void *self, cov_str user_id);
    void *revoked_self;
} cov_auth_parts;

/* Everything in `parts` is borrowed for the result's life, which is the arena's but for cov_auth_dispose. */
COV_CHECK cov_status cov_auth_new(cov_arena *arena, const cov_auth_parts *parts, cov_auth **out,
                                  cov_error *err);
/* Gives back what is not in the arena. NULL is fine. */
void cov_auth_dispose(cov_auth *auth);
/* SQL that makes the tables it needs, empty for none; to be run before the first request. */
cov_str cov_auth_ddl(const cov_auth *auth);

/* ---- who asks ---- */

/* Whether cov_auth_identify would have to hash a password for this request. */
bool cov_auth_is_slow(const cov_auth *auth, const cov_request *req);
/*
 * The user of the request's credentials: bearer token, API key, session cookie, in that order, the first that is
 * valid (section 3.10); *out NULL: anonymous. May put Set-Cookie on ctx->res. Fails only when a store or memory does.
 */
COV_CHECK cov_status cov_auth_identify(const cov_auth *auth, cov_ctx *ctx, const cov_user **out);
/*
 * Whoever `user` is now, who was identified earlier: *out NULL when the session, key or account is gone; `user` itself
 * when nothing can change before its end (JWT), or when asking would wait for a socket. Reads only.
 */
COV_CHECK cov_status cov_auth_recheck(const cov_auth *auth, cov_ctx *ctx, const cov_user *user,
                                      const cov_user **out);
/* Users changed behind our back: forget who they were. */
void cov_auth_forget(const cov_auth *auth);
/* 403 for an unsafe request that another site may have made with the user's cookie (csrf.resources). */
COV_CHECK cov_status cov_auth_check_origin(const cov_auth *auth, cov_ctx *ctx);

/* ---- account routes ---- */

typedef struct cov_auth_action cov_auth_action;

typedef struct cov_auth_route {
    const cov_auth_action *action; /* NULL: no such route */
    cov_str param;                 /* what the ":x" segment matched, raw */
} cov_auth_route;

cov_auth_route cov_auth_find(const cov_auth *auth, cov_method method, cov_str path);
/* The gate to pass first, or NULL, and its name for hooks and logs: "auth.login". */
const cov_gate_config *cov_auth_gate(const cov_auth *auth, const cov_auth_action *action,
                                     const char **label);
/* The gate's cost is charged only for failed attempts: then cov_auth_run sets *failed. */
bool cov_auth_gate_deferred(const cov_auth_action *action);
/* Whether it may hash a password, call another server or wait for the writer. */
bool cov_auth_blocks(const cov_auth_action *action);
COV_CHECK cov_status cov_auth_run(const cov_auth *auth, const cov_auth_route *route, cov_ctx *ctx,
                                  bool *failed);

#endif
