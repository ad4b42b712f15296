/* SPDX-License-Identifier: MIT */
/* Security headers (spec/07 section 9): on every response but preflights, unless already set. */
#include "app/internal.h"

static void add(cov_app *app, cov_str name, cov_str value)
{
    if (value.ptr == NULL)
        return;
    app->security[app->n_security].name = name;
    app->security[app->n_security++].value = value;
}

static cov_str hsts_value(cov_app *app)
{
    const cov_security_config *config = &app->config->app.security;

    return cov_arena_printf(app->arena, "max-age=%lld%s%s", (long long)config->hsts_max_age_s,
                            config->hsts_include_subdomains ? "; includeSubDomains" : "",
                            config->hsts_preload ? "; preload" : "");
}

bool cov__security_init(cov_app *app)
{
    const cov_security_config *config = &app->config->app.security;

    if (!config->enabled)
        return true;
    add(app, COV_STR("X-Content-Type-Options"), config->content_type_options);
    add(app, COV_STR("X-Frame-Options"), config->frame_options);
    add(app, COV_STR("Referrer-Policy"), config->referrer_policy);
    add(app, COV_STR("X-DNS-Prefetch-Control"), config->dns_prefetch_control);
    add(app, COV_STR("Cross-Origin-Opener-Policy"), config->cross_origin_opener_policy);
    add(app, COV_STR("Content-Security-Policy"), config->content_security_policy);
    if (!config->hsts)
        return true;
    app->hsts.name = COV_STR("Strict-Transport-Security");
    app->hsts.value = hsts_value(app);
    return app->hsts.value.ptr != NULL;
}

static void set_default(cov_response *res, const cov_header *header)
{
    if (cov_response_find(res, header->name) == NULL)
        cov_response_header(res, header->name, header->value);
}

void cov__security_headers(const cov_app *app, bool https, cov_response *res)
{
    for (size_t i = 0; i < app->n_security; i++)
        set_default(res, &app->security[i]);
    if (app->hsts.value.ptr != NULL && (app->production || https))
        set_default(res, &app->hsts);
}
