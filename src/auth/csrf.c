/* SPDX-License-Identifier: MIT */
/*
 * Requests that another site makes with a user's cookie (spec/06 section 7).
 *
 * Mode "origin" asks what browsers say of themselves: Sec-Fetch-Site, and Origin where that is missing. Mode "token" is
 * the double submit of the reference.
 */
#include "auth/equal.h"
#include "auth/internal.h"
#include "auth/token.h"

static bool is_unsafe(cov_method method)
{
    return method != COV_GET && method != COV_HEAD && method != COV_OPTIONS;
}

static cov_status refuse(const cov_auth *auth, cov_ctx *ctx)
{
    return cov_fail(ctx->err, COV_EFORBIDDEN, "%.*s", COV_STR_ARG(auth->config->csrf.message));
}

/* ---- mode "origin" ---- */

static bool is_listed(const cov_names *names, cov_str origin)
{
    for (size_t i = 0; i < names->n; i++)
        if (cov_str_eq(names->items[i], origin))
            return true;
    return false;
}

/* "https://host:port" of the request itself. Behind a proxy that changes Host, allowedOrigins has to name it. */
static bool is_own_origin(const cov_ctx *ctx, cov_str origin)
{
    cov_str host = cov_request_header(ctx->req, COV_STR("Host"));
    cov_str scheme = ctx->https ? COV_STR("https://") : COV_STR("http://");

    return host.len != 0 && cov_str_starts(origin, scheme) &&
           cov_str_eq_nocase(cov_str_slice(origin, scheme.len, origin.len), host);
}

static cov_status check_origin(const cov_auth *auth, cov_ctx *ctx)
{
    cov_str origin = cov_request_header(ctx->req, COV_STR("Origin"));
    cov_str site = cov_request_header(ctx->req, COV_STR("Sec-Fetch-Site"));

    if (!is_unsafe(ctx->req->method))
        return COV_OK;
    if (origin.len != 0 && (is_listed(&auth->config->csrf.allowed_origins, origin) ||
                            is_listed(auth->cors_origins, origin) || is_own_origin(ctx, origin)))
        return COV_OK;
    if (cov_str_eq(site, COV_STR("same-origin")) || cov_str_eq(site, COV_STR("none")))
        return COV_OK;
    /* Neither header: no browser that a page could drive, so there is nobody's cookie to abuse. */
    return site.len == 0 && origin.len == 0 ? COV_OK : refuse(auth, ctx);
}

cov_status cov_auth_check_origin(const cov_auth *auth, cov_ctx *ctx)
{
    bool by_cookie = auth->config->session.type == COV_SESSION_COOKIE &&
                     cov_request_header(ctx->req, COV_STR("Authorization")).len == 0;

    if (!auth->config->csrf.enabled || auth->config->csrf.mode != COV_CSRF_ORIGIN ||
        !auth->config->csrf.resources || !by_cookie)
        return COV_OK;
    return check_origin(auth, ctx);
}

/* ---- mode "token" ---- */

static cov_cookie token_cookie(const cov_auth *auth, const cov_ctx *ctx)
{
    cov_cookie_config config = auth->config->session.cookie;
    cov_cookie cookie;

    config.max_age_s = -1;
    cookie = cov_cookie_of(&config, auth->config->csrf.cookie_name, cov__auth_secure(auth, ctx));
    cookie.http_only = false; /* the page has to read it */
    return cookie;
}

static cov_status set_token(const cov_auth *auth, cov_ctx *ctx)
{
    cov_cookie cookie = token_cookie(auth, ctx);
    cov_status st =
        cov_token_random(auth->host, ctx->arena, COV_TOKEN_BYTES, &cookie.value, ctx->err);

    return st == COV_OK ? cov__auth_set_cookie(ctx, &cookie) : st;
}

static cov_status check_token(const cov_auth *auth, cov_ctx *ctx)
{
    cov_str cookie = cov_cookie_get(ctx->arena, ctx->req, auth->config->csrf.cookie_name);
    cov_str header = cov_request_header(ctx->req, auth->config->csrf.header_name);

    if (!is_unsafe(ctx->req->method))
        return cookie.len == 0 ? set_token(auth, ctx) : COV_OK;
    if (cov_request_header(ctx->req, COV_STR("Authorization")).len != 0)
        return COV_OK;
    return cookie.len != 0 && cov_secret_eq(cookie, header) ? COV_OK : refuse(auth, ctx);
}

/* ---- account routes ---- */

cov_status cov__auth_check_csrf(const cov_auth *auth, cov_ctx *ctx)
{
    if (!auth->config->csrf.enabled)
        return COV_OK;
    return auth->config->csrf.mode == COV_CSRF_TOKEN ? check_token(auth, ctx)
                                                     : check_origin(auth, ctx);
}

cov_status cov__auth_new_csrf(const cov_auth *auth, cov_ctx *ctx)
{
    if (!auth->config->csrf.enabled || auth->config->csrf.mode != COV_CSRF_TOKEN)
        return COV_OK;
    return set_token(auth, ctx);
}
