/* SPDX-License-Identifier: MIT */
/*
 * auth/config.h - what a configuration may say about users, sessions and account routes (spec/06), as plain data.
 *
 * Filled by app/config.c with every default applied, then never changed.
 */
#ifndef COV_AUTH_CONFIG_H
#define COV_AUTH_CONFIG_H

#include "resource/config.h"

/* Columns by SQL name; ptr NULL: the table has none. */
typedef struct cov_users_config {
    cov_str table; /* ptr NULL: no users, so nobody can sign in */
    cov_str id;    /* "id" */
    cov_str email; /* "email" */
    cov_str password_hash;
    cov_str name;
    cov_str image;
    cov_str email_verified;
    cov_str metadata; /* JSON object */
    cov_names
        metadata_fields; /* columns that become members of metadata, by their JSON names: ["role"] */
} cov_users_config;

typedef enum cov_session_type { COV_SESSION_COOKIE, COV_SESSION_JWT } cov_session_type;
typedef enum cov_session_store {
    COV_KEEP_AUTO, /* the database, unless the KV is shared by processes */
    COV_KEEP_KV,
    COV_KEEP_DATABASE, /* tables auth_sessions, auth_api_keys, auth_verification_tokens, auth_mfa */
    COV_KEEP_NONE      /* JWT: refresh tokens cannot be revoked */
} cov_session_store;
typedef enum cov_same_site {
    COV_SAME_SITE_LAX,
    COV_SAME_SITE_STRICT,
    COV_SAME_SITE_NONE
} cov_same_site;
typedef enum cov_secure {
    COV_SECURE_AUTO /* NODE_ENV=production or TLS */,
    COV_SECURE_ON,
    COV_SECURE_OFF
} cov_secure;

typedef struct cov_cookie_config {
    cov_secure secure;
    cov_same_site same_site;
    cov_str path;      /* "/" */
    cov_str domain;    /* ptr NULL: none */
    int64_t max_age_s; /* -1: not sent */
    cov_str priority;  /* ptr NULL: none */
    bool partitioned;
} cov_cookie_config;

typedef struct cov_session_config {
    cov_session_type type;
    cov_session_store store;
    int64_t ttl_ms;      /* 86400000 */
    bool sliding;        /* a session in use lives on; default false: absolute expiry */
    cov_str cookie_name; /* "session" */
    cov_cookie_config cookie;
    cov_str prefix; /* KV, "session" */
    struct {
        cov_str secret;        /* HMAC secret, or private key (PEM) */
        cov_str public_key;    /* PEM; asymmetric algorithms */
        cov_str algorithm;     /* "HS256" */
        int64_t access_ttl_s;  /* 900 */
        int64_t refresh_ttl_s; /* 604800 */
        cov_str issuer;        /* ptr NULL: none */
        cov_names audience;
        int64_t clock_tolerance_s;   /* 30 */
        cov_str refresh_cookie_name; /* "refreshToken" */
    } jwt;
} cov_session_config;

typedef struct cov_password_policy {
    bool set;
    int64_t min_length; /* 8, in UTF-16 code units */
    int64_t max_length; /* 0: none */
    bool uppercase, lowercase, number, symbol;
    cov_names denylist;
    bool built_in_denylist; /* true */
} cov_password_policy;

/* A mail with a one-time token. {token}, {identifier} and {expiresAt} are replaced, URL-encoded in `url`. */
typedef struct cov_token_config {
    bool enabled;
    int64_t ttl_ms;
    cov_str
        url; /* a page of the application: "https://app.example.com/reset?token={token}&email={identifier}" */
    cov_str subject;
} cov_token_config;

typedef enum cov_csrf_mode { COV_CSRF_ORIGIN, COV_CSRF_TOKEN } cov_csrf_mode;

typedef struct cov_auth_config {
    bool set;
    cov_str path; /* normalised: "/api/auth" */
    cov_users_config users;
    cov_session_config session;
    bool login;
    bool signup;
    cov_gate_config login_gate;  /* cost[COV_GATE_RPC]: of a failed attempt */
    cov_gate_config signup_gate; /* cost[COV_GATE_RPC] */
    cov_gate_config reset_gate;  /* cost[COV_GATE_RPC]: of a reset request */
    bool require_verified_email; /* "login": { "requireVerifiedEmail": true } */
    struct {
        bool enabled;
        cov_csrf_mode mode; /* "token": double submit; "origin": Sec-Fetch-Site and Origin */
        cov_names allowed_origins;
        cov_str cookie_name; /* "csrf_token" */
        cov_str header_name; /* "X-CSRF-Token" */
        cov_str message;
        bool resources; /* "origin" mode: unsafe requests on resources too */
    } csrf;
    struct {
        bool enabled;         /* default true */
        int64_t max_attempts; /* 5 */
        int64_t window_ms;    /* 900000 */
    } throttle;
    cov_token_config verification;   /* ttl 86400000 */
    cov_token_config password_reset; /* ttl 3600000 */
    bool logout_everywhere;          /* with a reset; default true */
    cov_token_config magic_link;     /* ttl 900000 */
    cov_password_policy password_policy;
    struct {
        int64_t n, r, p; /* 16384, 8, 1: what new hashes cost, and weaker ones are renewed to */
    } scrypt;
    struct {
        bool enabled;
        cov_str issuer;        /* ptr NULL: none */
        bool require_on_login; /* default true */
        int64_t window;        /* 1 */
        int64_t backup_codes;  /* 10 */
    } mfa;
    struct {
        bool enabled;
        cov_str header;     /* "X-API-Key" */
        bool accept_bearer; /* false */
        cov_str prefix;     /* of new keys' text; ptr NULL: none */
    } api_keys;
} cov_auth_config;

#endif
