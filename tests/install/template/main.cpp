// The same API from C++: everything that covara.h declares has C linkage, and its macros expand in C++ too.
#include <covara/covara.h>

namespace {

cov_status ping(cov_ctx *ctx, void *, cov_error *)
{
    cov_response *res = cov_ctx_response(ctx);

    res->status = 200;
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("text/plain"));
    COV_BUF_LIT(&res->body, "pong");
    return COV_OK;
}

const cov_custom_route route = { COV_GET, "/ping", ping, nullptr, false };

cov_app *build(cov_env *env)
{
    cov_app *app = cov_app_new(env, nullptr);

    if (app != nullptr)
        cov_app_route(app, &route);
    return app;
}

} // namespace

COVARA_APP(build)
