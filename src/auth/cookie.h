/* SPDX-License-Identifier: MIT */
/*
 * auth/cookie.h - cookies of requests, and Set-Cookie texts (spec/06 section 3.2).
 */
#ifndef COV_AUTH_COOKIE_H
#define COV_AUTH_COOKIE_H

#include "auth/config.h"
#include "covara/http.h"

/* 400 days, the longest that browsers keep a cookie. */
#define COV_COOKIE_MAX_AGE_S INT64_C(34560000)
#define COV_COOKIE_NO_EXPIRY INT64_MIN

typedef struct cov_cookie {
    cov_str name;
    cov_str value;      /* as it is; the text carries it percent-encoded */
    int64_t max_age_s;  /* below 0: not sent */
    int64_t expires_ms; /* Unix time, or COV_COOKIE_NO_EXPIRY */
    cov_str domain;     /* ptr NULL: none */
    cov_str path;       /* ptr NULL: none */
    bool http_only;
    bool secure;
    cov_same_site same_site;
    cov_str priority; /* ptr NULL: none; "low", "medium", "high" in any case */
    bool partitioned;
} cov_cookie;

/*
 * The value of the request's cookie `name`: of all Cookie headers the first pair of that name whose value is one,
 * without quotes, percent-decoded where that gives UTF-8. ptr NULL: there is none (or no memory).
 */
cov_str cov_cookie_get(cov_arena *arena, const cov_request *req, cov_str name);

/* HttpOnly, no value, no Expires; the rest as configured. `secure`: what config->secure came to. */
cov_cookie cov_cookie_of(const cov_cookie_config *config, cov_str name, bool secure);

/*
 * The text of a Set-Cookie header. Fails with COV_EINTERNAL (for the log: configuration is wrong) when it would live
 * longer than 400 days from `now_ms`, when a part has a control character, and when name, domain, path or priority
 * could not stand in the header; COV_ENOMEM.
 */
COV_CHECK cov_status cov_cookie_set(cov_arena *arena, const cov_cookie *cookie, int64_t now_ms,
                                    cov_str *out, cov_error *err);
/* The text that makes the browser forget the cookie: by name, domain and path. */
COV_CHECK cov_status cov_cookie_clear(cov_arena *arena, const cov_cookie *cookie, cov_str *out,
                                      cov_error *err);

#endif
