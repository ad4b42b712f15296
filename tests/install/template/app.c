/* A project outside Covara's tree: one hook, one route. */
#include <covara/covara.h>

static cov_status refuse_shouting(cov_ctx *ctx, cov_row *data, void *self, cov_error *err)
{
    (void)ctx, (void)self;
    if (cov_str_contains(cov_row_text(data, "title"), COV_STR("!!!")))
        return cov_fail(err, COV_EINVAL, "No shouting");
    return COV_OK;
}

static cov_status hello(cov_ctx *ctx, void *self, cov_error *err)
{
    cov_response *res = cov_ctx_response(ctx);

    (void)self, (void)err;
    res->status = 200;
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/json"));
    COV_BUF_LIT(&res->body, "{\"hello\":");
    cov_json_str(&res->body, cov_ctx_path_param(ctx, "name"));
    cov_buf_char(&res->body, '}');
    return COV_OK;
}

static const cov_resource_options notes = { .hooks = { .before_create = refuse_shouting } };
static const cov_custom_route greeting = { .method = COV_GET,
                                           .path = "/hello/:name",
                                           .handle = hello };

static cov_app *build(cov_env *env)
{
    cov_app *app = cov_app_new(env, NULL);

    if (app != NULL) {
        cov_app_resource(app, "notes", &notes);
        cov_app_route(app, &greeting);
    }
    return app;
}

COVARA_APP(build)
