/* SPDX-License-Identifier: MIT */
/* auth/internal.h - what the files of this folder share. */
#ifndef COV_AUTH_INTERNAL_H
#define COV_AUTH_INTERNAL_H

#include "auth/auth.h"
#include "auth/cache.h"
#include "auth/cookie.h"
#include "auth/jwt.h"
#include "auth/store.h"
#include "auth/users.h"

struct cov_auth {
    const cov_host *host;
    const cov_auth_config *config;
    cov_str path;
    cov_users users;
    cov_auth_store store;
    cov_kv *kv; /* counters and what lives for minutes, whatever the store is */
    const struct cov_mail *mail;
    const cov_names *cors_origins;
    bool production;
    cov_scrypt_cost cost; /* of new hashes */
    cov_jwt_key jwt_key;
    cov_jwt_rules jwt_rules;
    void (*revoked)(void *self, cov_str user_id);
    void *revoked_self;
    cov_cache *identities; /* credential -> user, for a second */
    /*
     * SHA-256 of an API key's text -> the stored hash that it fits, for a minute. That stays true whatever becomes of the
     * key and its user, so it is never forgotten early; whether the key is good still is asked of its record.
     */
    cov_cache *verified_keys;
};

/* One call of an account route. */
typedef struct cov_auth_call {
    const cov_auth *auth;
    cov_ctx *ctx;
    cov_str param;        /* of the ":x" segment, decoded */
    const cov_json *body; /* an object; {} when there was none */
    const cov_user *user; /* of routes that need one; elsewhere NULL */
    bool failed;          /* a credential was wrong: charge for it */
} cov_auth_call;

enum {
    COV_AUTH_BLOCKS = 1u << 0,    /* hashes, calls or writes */
    COV_AUTH_SIGNED_IN = 1u << 1, /* 401 without a user */
    COV_AUTH_DEFERRED = 1u << 2   /* the gate's cost is for failures */
};
#define COV_AUTH_ALWAYS SIZE_MAX
#define COV_AUTH_NO_GATE SIZE_MAX

struct cov_auth_action {
    cov_method method;
    const char *path;     /* below the mount: "/login", "/sessions/:id" */
    size_t switch_offset; /* a bool of cov_auth_config, or COV_AUTH_ALWAYS */
    size_t gate_offset;   /* a cov_gate_config of it, or COV_AUTH_NO_GATE */
    const char *label;    /* of the gate: "auth.login" */
    unsigned flags;
    cov_status (*run)(cov_auth_call *call);
};

/* Lists of actions, ended by one without a path. */
extern const cov_auth_action cov__auth_session_actions[]; /* login.c: me, login, logout, signup */
extern const cov_auth_action cov__auth_device_actions[];  /* devices.c: sessions of the user */
extern const cov_auth_action cov__auth_refresh_actions[]; /* refresh.c: jwt */
extern const cov_auth_action
    cov__auth_recovery_actions[]; /* recovery.c: verification, reset, magic link */
extern const cov_auth_action cov__auth_mfa_actions[]; /* mfa.c */
extern const cov_auth_action cov__auth_key_actions[]; /* api_key_routes.c */

/* Sessions of the user ended in this process. */
void cov__auth_revoked(const cov_auth *auth, cov_str user_id);

/* ---- bodies ---- */

/* Text member of the body; empty when it is absent or no string. */
cov_str cov__auth_text(const cov_auth_call *call, const char *name);
/* 200 with application/json; the body was written to ctx->res->body. */
cov_status cov__auth_ok(cov_auth_call *call);
cov_status cov__auth_success(cov_auth_call *call); /* {"success":true} */

/* ---- login.c: what password, magic link and second factor have in common ---- */

/*
 * The account's password or mailbox was proved: answer with a session, or ask for the second factor. `code`: the one
 * that came along, empty for none.
 */
COV_CHECK cov_status cov__auth_first_factor_passed(cov_auth_call *call, const cov_account *account,
                                                   cov_str code);
/* Everything was proved: begin a session and answer with it. */
COV_CHECK cov_status cov__auth_finish_login(cov_auth_call *call, const cov_account *account);

/* ---- identity.c: who a credential was of, for less than a second ---- */

/* Put before the hash of an API key; a session's credential is its id. */
#define COV_AUTH_KEY_CREDENTIAL "key:"
/* *hit: it was looked up a moment ago; then *out is its user, or NULL when it ended since. */
COV_CHECK cov_status cov__auth_recall(const cov_auth *auth, cov_ctx *ctx, cov_str credential,
                                      const cov_user **out, bool *hit);
/* `epoch`: of auth->identities, before the look-up. */
void cov__auth_remember(const cov_auth *auth, cov_ctx *ctx, cov_str credential,
                        const cov_user *user, uint64_t epoch);

/* ---- session.c: sessions begin and end ---- */

/*
 * Make a session for the account and write the login response (section 2): user, then session id or tokens. The
 * session that the request came with ends.
 */
COV_CHECK cov_status cov__auth_begin_session(cov_auth_call *call, const cov_account *account);
/* End the session that the request came with, and clear its cookie. */
COV_CHECK cov_status cov__auth_end_session(cov_auth_call *call);
/* All sessions and refresh tokens of a user, but the one named (may be empty). */
COV_CHECK cov_status cov__auth_end_all(const cov_auth *auth, cov_ctx *ctx, cov_str user_id,
                                       cov_str except);
/* What is kept with a session: {"ipAddress","userAgent"}, each when there is one; ptr NULL: out of memory. */
cov_str cov__auth_session_data(cov_ctx *ctx);
/* The session cookie's attributes for this request. */
cov_cookie cov__auth_session_cookie(const cov_auth *auth, const cov_ctx *ctx);
/* Append a Set-Cookie. */
COV_CHECK cov_status cov__auth_set_cookie(cov_ctx *ctx, const cov_cookie *cookie);
COV_CHECK cov_status cov__auth_clear_cookie(cov_ctx *ctx, const cov_cookie *cookie);
bool cov__auth_secure(const cov_auth *auth, const cov_ctx *ctx);

/* ---- refresh.c: JWT sessions ---- */

/* Write ,"accessToken":...} to the response and set the refresh cookie. */
COV_CHECK cov_status cov__auth_issue_tokens(const cov_auth *auth, cov_ctx *ctx,
                                            const cov_account *account);
/* The record of the refresh token in the request's cookie and whose it is, also once it expired; ptr NULL: none. */
cov_str cov__auth_refresh_id(const cov_auth *auth, cov_ctx *ctx, cov_str *user_id);
/* Revoke the refresh token of the request's cookie and clear that. */
COV_CHECK cov_status cov__auth_revoke_refresh(const cov_auth *auth, cov_ctx *ctx);
/* *out NULL: not valid. */
COV_CHECK cov_status cov__auth_user_of_token(const cov_auth *auth, cov_ctx *ctx, cov_str token,
                                             const cov_user **out);

/* ---- api_key.c ---- */

#define COV_AUTH_KEY_SESSION "apikey:" /* before the key's id: the session id of its user */
/* The key that the request presents, or ptr NULL. */
cov_str cov__auth_api_key_of(const cov_auth *auth, const cov_request *req);
bool cov__auth_api_key_is_slow(const cov_auth *auth, const cov_request *req);
COV_CHECK cov_status cov__auth_user_of_key(const cov_auth *auth, cov_ctx *ctx, cov_str key,
                                           const cov_user **out);
/* Whoever the key that `user` came with stands for now; *out NULL: it or its user is gone. */
COV_CHECK cov_status cov__auth_recheck_key(const cov_auth *auth, cov_ctx *ctx, const cov_user *user,
                                           const cov_user **out);
/* 403 when the user of the call is here by an API key: a stolen one must not make others, or end sessions. */
COV_CHECK cov_status cov__auth_refuse_key(cov_auth_call *call);

/* ---- csrf.c ---- */

/* Of account routes, by mode (section 7). */
COV_CHECK cov_status cov__auth_check_csrf(const cov_auth *auth, cov_ctx *ctx);
/* A fresh token cookie, in mode "token". */
COV_CHECK cov_status cov__auth_new_csrf(const cov_auth *auth, cov_ctx *ctx);

/* ---- throttle.c: failed attempts, by identifier and by client address (section 6) ---- */

/*
 * 429 when either counter is full. `what` keeps routes apart: "login", "mfa", "token", "mail". An empty identifier has
 * no counter.
 */
COV_CHECK cov_status cov__auth_throttle(const cov_auth *auth, cov_ctx *ctx, const char *what,
                                        cov_str identifier);
void cov__auth_throttle_failed(const cov_auth *auth, cov_ctx *ctx, const char *what,
                               cov_str identifier);
/* Only the identifier's counter: an attacker could reset the address's with an account of his own. */
void cov__auth_throttle_passed(const cov_auth *auth, cov_ctx *ctx, const char *what,
                               cov_str identifier);

/* ---- mfa.c ---- */

/* Whether this account must give a second factor, and whether it did; see login.c. */
typedef enum cov_mfa_verdict {
    COV_MFA_NOT_NEEDED,
    COV_MFA_MISSING,
    COV_MFA_WRONG,
    COV_MFA_PASSED
} cov_mfa_verdict;
COV_CHECK cov_status cov__auth_check_mfa(cov_auth_call *call, const cov_account *account,
                                         cov_str code, cov_mfa_verdict *out);
/* 401 {"mfaRequired":true}, with the cookie that lets /mfa/verify finish the login. */
COV_CHECK cov_status cov__auth_ask_mfa(cov_auth_call *call, const cov_account *account);

#endif
