/* SPDX-License-Identifier: MIT */
/* The guard itself, and what its files share. */
#include "guard/internal.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/num.h"

static cov_status check_config(const cov_guard_config *config, cov_guard *guard, cov_error *err)
{
    cov_str minimum = config->versioning.minimum_client;
    cov_str score = config->abuse.captcha.min_score;

    if (score.ptr != NULL && !cov_parse_double(score, &guard->captcha_min_score))
        return cov_fail(err, COV_EINVAL,
                        "abuseProtection.captcha.minScore: \"%.*s\" is not a number",
                        COV_STR_ARG(score));
    if (minimum.ptr != NULL && !cov__version_valid(minimum))
        return cov_fail(err, COV_EINVAL,
                        "versioning.minimumClientVersion: \"%.*s\" is not a version such as 1.2.0",
                        COV_STR_ARG(minimum));
    return COV_OK;
}

cov_status cov_guard_new(cov_arena *arena, const cov_guard_setup *setup, cov_guard **out,
                         cov_error *err)
{
    const cov_guard_config *config = setup->config;
    cov_guard *guard = COV_NEW(arena, cov_guard);
    cov_status st;

    if (guard == NULL)
        return cov_fail_nomem(err);
    guard->setup = *setup;
    guard->host = setup->host;
    guard->config = config;
    if ((st = check_config(config, guard, err)) != COV_OK)
        return st;
    st =
        cov_networks_parse(arena, "trustedProxies", &config->trusted_proxies, &guard->trusted, err);
    if (st == COV_OK)
        st = cov__pow_secret(setup->host, config, setup->pow_gates, arena, &guard->pow_secret, err);
    if (st == COV_OK)
        *out = guard;
    return st;
}

const cov_networks *cov_guard_trusted(const cov_guard *guard)
{
    return &guard->trusted;
}

bool cov_guard_store_waits(const cov_guard *guard)
{
    return (guard->setup.kv->driver->caps & COV_KV_CAP_BLOCKS) != 0;
}

int64_t cov__guard_now_ms(const cov_guard *guard)
{
    return guard->host->now_ms(guard->host->self);
}

int64_t cov__guard_seconds(int64_t ms)
{
    return ms > 1000 ? ms / 1000 + (ms % 1000 != 0) : 1;
}

void cov__guard_who(const cov_guarded *g, cov_buf *out)
{
    bool user = g->user_id.ptr != NULL;

    cov_buf_str(out, user ? COV_STR("user:") : COV_STR("ip:"));
    cov_buf_str(out, user ? g->user_id : g->client.network);
}

cov_status cov__guard_number(const cov_guarded *g, cov_str name, int64_t value, cov_error *err)
{
    cov_str text = cov_arena_printf(g->arena, "%lld", (long long)value);

    if (text.ptr == NULL)
        return cov_fail_nomem(err);
    cov_response_header(g->res, name, text);
    return COV_OK;
}

cov_status cov__guard_sha256(const cov_guard *guard, cov_str data, cov_buf *out, cov_error *err)
{
    uint8_t digest[COV_SHA256_BYTES];

    if (guard->host->digest(guard->host->self, COV_SHA256, data, digest) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "SHA-256 failed");
    cov_hex(out, digest, sizeof digest);
    return out->failed ? cov_fail_nomem(err) : COV_OK;
}

void cov__guard_warn(const cov_guard *guard, cov_str message, cov_str why)
{
    cov_buf members = COV_BUF_INIT;

    COV_BUF_LIT(&members, "\"error\":");
    cov_json_str(&members, why);
    if (!members.failed)
        guard->host->log(guard->host->self, COV_LOG_WARN, message, cov_buf_view(&members));
    cov_buf_dispose(&members);
}
