/* SPDX-License-Identifier: MIT */
#include "base/encode.h"
#include "resource/ctx.h"

static const cov_str names[COV_N_PARAMS] = {
#define NAME(name, text) [COV_PARAM_##name] = COV_STR_INIT(text),
    COV_PARAM_MAP(NAME)
#undef NAME
};

static bool is_encoded(cov_str s)
{
    return s.len != 0 && (memchr(s.ptr, '%', s.len) != NULL || memchr(s.ptr, '+', s.len) != NULL);
}

static cov_str decode(const cov_ctx *ctx, cov_str raw)
{
    return is_encoded(raw) ? cov_percent_decode(ctx->arena, raw, true) : raw;
}

static size_t find(cov_str name)
{
    size_t i = 0;

    while (i < COV_N_PARAMS && !cov_str_eq(names[i], name))
        i++;
    return i;
}

void cov_params_read(cov_ctx *ctx)
{
    cov_str rest = ctx->req->query;
    cov_str part;

    while (rest.len != 0 && cov_str_split(&rest, '&', &part)) {
        size_t equals = cov_str_find(part, '=', 0);
        size_t param = find(decode(ctx, cov_str_slice(part, 0, equals)));

        if (param < COV_N_PARAMS && ctx->params[param].ptr == NULL)
            ctx->params[param] =
                equals < part.len ? cov_str_slice(part, equals + 1, part.len) : COV_STR("");
    }
}

cov_str cov_param_get(const cov_ctx *ctx, cov_param param)
{
    cov_str raw = ctx->params[param];

    return raw.ptr != NULL ? decode(ctx, raw) : raw;
}

bool cov_param_flag(const cov_ctx *ctx, cov_param param)
{
    return cov_str_eq(cov_param_get(ctx, param), COV_STR("true"));
}
