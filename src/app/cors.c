/* SPDX-License-Identifier: MIT */
/* CORS (spec/01 section 1.4, spec/07 section 8, the Fetch standard). */
#include "app/internal.h"

static cov_str join(cov_arena *arena, const cov_names *names)
{
    cov_buf text = COV_BUF_IN(arena);

    for (size_t i = 0; i < names->n; i++) {
        if (i != 0)
            cov_buf_char(&text, ',');
        cov_buf_str(&text, names->items[i]);
    }
    return text.failed ? COV_STR_NULL : cov_buf_view(&text);
}

bool cov__cors_init(cov_app *app)
{
    const cov_cors_config *config = &app->config->app.cors;

    if (!config->enabled)
        return true;
    app->cors.methods = join(app->arena, &config->allow_methods);
    app->cors.headers = join(app->arena, &config->allow_headers);
    app->cors.expose = join(app->arena, &config->expose_headers);
    if (config->max_age_s >= 0)
        app->cors.max_age = cov_arena_printf(app->arena, "%lld", (long long)config->max_age_s);
    return app->cors.methods.ptr != NULL || config->allow_methods.n == 0;
}

bool cov__cors_is_preflight(const cov_app *app, const cov_request *req)
{
    return app->config->app.cors.enabled && req->method == COV_OPTIONS;
}

static bool is_allowed(const cov_cors_config *config, cov_str origin)
{
    for (size_t i = 0; i < config->origins.n; i++)
        if (cov_str_eq(config->origins.items[i], origin))
            return true;
    return false;
}

static void origin_headers(const cov_app *app, const cov_request *req, cov_response *res)
{
    const cov_cors_config *config = &app->config->app.cors;
    cov_str origin = req != NULL ? cov_request_header(req, COV_STR("Origin")) : COV_STR_NULL;

    if (config->any_origin)
        cov_response_header(res, COV_STR("Access-Control-Allow-Origin"), COV_STR("*"));
    else if (origin.ptr != NULL && is_allowed(config, origin))
        cov_response_header(res, COV_STR("Access-Control-Allow-Origin"), origin);
    if (config->credentials)
        cov_response_header(res, COV_STR("Access-Control-Allow-Credentials"), COV_STR("true"));
}

/* Beside what the answer itself varies by. */
static void vary_by_origin(cov_response *res)
{
    const cov_header *vary = cov_response_find(res, COV_STR("Vary"));

    if (vary == NULL)
        cov_response_header(res, COV_STR("Vary"), COV_STR("Origin"));
    else if (!cov_str_eq(cov_str_trim(vary->value), COV_STR("*")))
        cov_response_add_header(res, COV_STR("Vary"), COV_STR("Origin"));
}

void cov__cors_headers(const cov_app *app, const cov_request *req, cov_response *res)
{
    if (!app->config->app.cors.enabled)
        return;
    origin_headers(app, req, res);
    if (app->cors.expose.len != 0)
        cov_response_header(res, COV_STR("Access-Control-Expose-Headers"), app->cors.expose);
    if (!app->config->app.cors.any_origin)
        vary_by_origin(res);
}

/* What the preflight asks for, each name trimmed. */
static cov_str echo_headers(cov_arena *arena, cov_str asked)
{
    cov_buf text = COV_BUF_IN(arena);
    cov_str part;

    while (cov_str_split(&asked, ',', &part)) {
        if (text.len != 0)
            cov_buf_char(&text, ',');
        cov_buf_str(&text, cov_str_trim(part));
    }
    return text.failed ? COV_STR_NULL : cov_buf_view(&text);
}

void cov__cors_preflight(const cov_app *app, const cov_request *req, cov_arena *arena,
                         cov_response *res)
{
    cov_str asked = cov_request_header(req, COV_STR("Access-Control-Request-Headers"));
    bool any = app->config->app.cors.any_origin;
    cov_str allowed = app->cors.headers.len != 0 ? app->cors.headers : echo_headers(arena, asked);

    res->status = 204;
    origin_headers(app, req, res);
    if (app->cors.max_age.len != 0)
        cov_response_header(res, COV_STR("Access-Control-Max-Age"), app->cors.max_age);
    cov_response_header(res, COV_STR("Access-Control-Allow-Methods"), app->cors.methods);
    if (allowed.len != 0)
        cov_response_header(res, COV_STR("Access-Control-Allow-Headers"), allowed);
    if (asked.len != 0)
        cov_response_header(res, COV_STR("Vary"),
                            any ? COV_STR("Access-Control-Request-Headers")
                                : COV_STR("Origin, Access-Control-Request-Headers"));
    else if (!any)
        cov_response_header(res, COV_STR("Vary"), COV_STR("Origin"));
}
