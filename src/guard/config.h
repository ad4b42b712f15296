/* SPDX-License-Identifier: MIT */
/*
 * guard/config.h - what a configuration may say about limits, challenges and trust (spec/07), as plain data.
 *
 * Filled by app/config.c with every default applied, then never changed. Limits of one resource are in
 * resource/config.h (cov_gate_config).
 */
#ifndef COV_GUARD_CONFIG_H
#define COV_GUARD_CONFIG_H

#include "resource/config.h"

/* "abuseProtection.budget.classes": { "anonymous": { capacity, refillPerMinute } } */
typedef struct cov_budget_class {
    cov_str name;
    int64_t capacity;
    int64_t refill_per_minute;
} cov_budget_class;

typedef enum cov_captcha_provider {
    COV_CAPTCHA_TURNSTILE,
    COV_CAPTCHA_HCAPTCHA,
    COV_CAPTCHA_RECAPTCHA
} cov_captcha_provider;

typedef struct cov_abuse_config {
    bool set;
    struct {
        bool enabled;                    /* default: true when "budget" is there */
        const cov_budget_class *classes; /* "authenticated" and "anonymous" are used */
        size_t n_classes;
    } budget;
    struct {
        bool enabled;             /* default true, also without "pow" */
        cov_str secret;           /* ptr NULL: COVARA_POW_SECRET, else random with a warning */
        int64_t difficulty;       /* 20 bits */
        int64_t challenge_ttl_ms; /* 120000 */
        bool bind_body;           /* true */
    } pow;
    struct {
        bool enabled; /* default: true when "captcha" is there */
        cov_captcha_provider provider;
        cov_str secret;
        cov_str site_key;     /* ptr NULL: not sent */
        cov_str verify_url;   /* ptr NULL: the provider's */
        cov_str min_score;    /* recaptcha: decimal text; ptr NULL: none */
        cov_str token_header; /* "Covara-Captcha-Token" */
    } captcha;
    bool overflow_captcha; /* "overflow": "captcha"; else pow */
} cov_abuse_config;

typedef struct cov_idempotency_config {
    bool enabled;
    int64_t ttl_ms;    /* 86400000 */
    cov_names methods; /* POST, PATCH, PUT */
    cov_names paths;   /* prefixes; not `set`: all */
    cov_names exclude_paths;
    cov_str header;           /* "Idempotency-Key"; "X-Idempotency-Key" is accepted always */
    bool validate_key;        /* 8 to 256 of [A-Za-z0-9_-], not for X-Idempotency-Key */
    bool fail_on_store_error; /* "onStoreError": "fail" -> 503 */
} cov_idempotency_config;

typedef struct cov_deprecation_config {
    cov_str feature; /* key in "deprecations" */
    cov_str message;
    cov_str replacement;      /* ptr NULL: none */
    cov_str sunset;           /* "2027-01-02"; ptr NULL: none */
    cov_names affected_paths; /* prefixes; not `set`: all */
} cov_deprecation_config;

typedef struct cov_versioning_config {
    bool enabled;
    cov_str current;        /* "1.0.0" */
    cov_str header;         /* "X-Covara-Version" */
    cov_str schema_version; /* ptr NULL: no X-Covara-Schema-Version */
    cov_str minimum_client; /* ptr NULL: none */
    const cov_deprecation_config *deprecations;
    size_t n_deprecations;
} cov_versioning_config;

typedef struct cov_guard_config {
    cov_names trusted_proxies; /* CIDR; default none: no header is believed */
    cov_rate_config rate;      /* for every request that has a route */
    cov_abuse_config abuse;
    cov_idempotency_config idempotency;
    cov_versioning_config versioning;
} cov_guard_config;

#endif
