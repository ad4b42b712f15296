/* SPDX-License-Identifier: MIT */
/*
 * Failed attempts in a fixed window, counted for what was named and for who asked (spec/06 section 6), in the layout
 * of rate limits (spec/07 section 4.3).
 *
 * Of parallel attempts some may be checked before others are counted: at most as many as there are threads that
 * hash passwords slip through.
 */
#include "auth/internal.h"
#include "base/num.h"

typedef struct counter {
    cov_str key; /* ptr NULL: none */
    int64_t count;
    int64_t reset_at_ms;
} counter;

/* ASCII only, as the key has always been; other letters keep their case and so have counters of their own. */
static cov_str lower(cov_arena *arena, cov_str text)
{
    cov_buf out = COV_BUF_IN(arena);

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        cov_buf_char(&out, c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c);
    }
    return out.failed ? COV_STR_NULL : cov_buf_view(&out);
}

static cov_str key_of(cov_ctx *ctx, const char *what, const char *kind, cov_str value)
{
    if (value.len == 0)
        return COV_STR_NULL;
    return cov_arena_printf(ctx->arena, "covara:ratelimit:%s:%s:%.*s", what, kind,
                            COV_STR_ARG(value));
}

static cov_str identifier_key(cov_ctx *ctx, const char *what, cov_str identifier)
{
    return key_of(ctx, what, "id", lower(ctx->arena, identifier));
}

static int64_t number_field(const cov_kv_reply *hash, cov_str name)
{
    int64_t value = 0;

    return cov_parse_i64(cov_kv_field(hash, name), &value) ? value : 0;
}

static cov_status read_counter(const cov_auth *auth, cov_ctx *ctx, counter *c)
{
    cov_kv_reply hash;
    cov_status st;

    if (c->key.ptr == NULL)
        return COV_OK;
    st = cov_kv_call(auth->kv, ctx->arena, COV_KV_HGETALL, &c->key, 1, &hash, ctx->err);
    if (st != COV_OK)
        return st;
    c->reset_at_ms = number_field(&hash, COV_STR("resetAt"));
    if (c->reset_at_ms > ctx->host->now_ms(ctx->host->self))
        c->count = number_field(&hash, COV_STR("count"));
    return COV_OK;
}

static cov_status locked(cov_ctx *ctx, const char *what, int64_t reset_at_ms)
{
    int64_t left_s = (reset_at_ms - ctx->host->now_ms(ctx->host->self) + 999) / 1000;
    cov_str seconds = cov_arena_printf(ctx->arena, "%lld", (long long)left_s);
    bool login = strcmp(what, "login") == 0;
    cov_status st = cov_fail(ctx->err, COV_ERATELIMIT,
                             "Too many %sattempts, please try again later", login ? "login " : "");

    cov_error_member(ctx->err, "\"retryAfter\":%lld", (long long)left_s);
    if (seconds.ptr != NULL)
        cov_response_header(ctx->res, COV_STR("Retry-After"), seconds);
    return st;
}

cov_status cov__auth_throttle(const cov_auth *auth, cov_ctx *ctx, const char *what,
                              cov_str identifier)
{
    counter counters[] = { { .key = identifier_key(ctx, what, identifier) },
                           { .key = key_of(ctx, what, "ip", ctx->client_address) } };
    cov_status st = COV_OK;

    if (!auth->config->throttle.enabled)
        return COV_OK;
    for (size_t i = 0; st == COV_OK && i < COV_COUNT_OF(counters); i++) {
        st = read_counter(auth, ctx, &counters[i]);
        if (st == COV_OK && counters[i].count >= auth->config->throttle.max_attempts)
            st = locked(ctx, what, counters[i].reset_at_ms);
    }
    return st;
}

static void count_one(const cov_auth *auth, cov_ctx *ctx, cov_str key)
{
    cov_str args[] = {
        key,
        cov_arena_printf(ctx->arena, "%lld", (long long)ctx->host->now_ms(ctx->host->self)),
        cov_arena_printf(ctx->arena, "%lld", (long long)auth->config->throttle.window_ms),
    };
    cov_kv_reply reply;
    cov_error ignored;

    cov_error_init(&ignored, ctx->arena);
    if (key.ptr != NULL)
        (void)!cov_kv_call(auth->kv, ctx->arena, COV_KV_WINDOW, args, COV_COUNT_OF(args), &reply,
                           &ignored);
}

void cov__auth_throttle_failed(const cov_auth *auth, cov_ctx *ctx, const char *what,
                               cov_str identifier)
{
    if (!auth->config->throttle.enabled)
        return;
    count_one(auth, ctx, identifier_key(ctx, what, identifier));
    count_one(auth, ctx, key_of(ctx, what, "ip", ctx->client_address));
}

void cov__auth_throttle_passed(const cov_auth *auth, cov_ctx *ctx, const char *what,
                               cov_str identifier)
{
    cov_str key = identifier_key(ctx, what, identifier);
    cov_error ignored;

    cov_error_init(&ignored, ctx->arena);
    if (auth->config->throttle.enabled && key.ptr != NULL)
        (void)!cov_kv_del(auth->kv, ctx->arena, key, NULL, &ignored);
}
