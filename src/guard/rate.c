/* SPDX-License-Identifier: MIT */
/*
 * Limits of requests a window (spec/07 section 4).
 *
 * The store counts in one step (WINDOW, SLIDE), so parallel requests are all counted. Requests that are refused count
 * too: who keeps hammering a sliding window stays out.
 *
 * A sliding window has room again when all but the newest max - 1 requests have left it, so Retry-After comes from the
 * max-th newest. The reference takes the oldest, which is too early for whoever was refused before.
 */
#include "guard/internal.h"

#include "base/json.h"
#include "base/num.h"

/* What the store answered. */
typedef struct tally {
    int64_t count;
    int64_t resets_at_ms; /* when there is room again */
} tally;

static cov_str rate_key(const cov_guarded *g, const cov_rate_config *rate, cov_str scope)
{
    cov_buf key = COV_BUF_IN(g->arena);

    COV_BUF_LIT(&key, "covara:ratelimit:");
    if (rate->sliding)
        COV_BUF_LIT(&key, "sliding:");
    if (scope.ptr != NULL) {
        cov_buf_str(&key, scope);
        cov_buf_char(&key, ':');
    }
    cov__guard_who(g, &key);
    return key.failed ? COV_STR_NULL : cov_buf_view(&key);
}

/* "<now>:<fraction>": requests of one millisecond are members of their own. */
static cov_status sliding_member(const cov_guarded *g, int64_t now_ms, cov_str *out, cov_error *err)
{
    const cov_host *host = g->guard->host;
    char fraction[COV_NUM_TEXT_BYTES];
    uint64_t random;
    size_t len;

    if (host->random(host->self, &random, sizeof random) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes");
    /* 53 bits, as many as a double has. */
    len = cov_num_text((double)(random >> 11) / 9007199254740992.0, fraction);
    *out = cov_arena_printf(g->arena, "%lld:%.*s", (long long)now_ms, (int)len, fraction);
    return out->ptr != NULL ? COV_OK : cov_fail_nomem(err);
}

static cov_status read_tally(const cov_kv_reply *reply, tally *out, cov_error *err)
{
    if (reply->type != COV_KV_LIST || reply->n != 2 || reply->items[0].type != COV_KV_INT ||
        reply->items[1].type != COV_KV_INT)
        return cov_fail(err, COV_EINTERNAL, "rate limit: unexpected reply of the store");
    out->count = reply->items[0].i;
    out->resets_at_ms = reply->items[1].i;
    return COV_OK;
}

static cov_str number(const cov_guarded *g, int64_t value)
{
    return cov_arena_printf(g->arena, "%lld", (long long)value);
}

static cov_status count(const cov_guarded *g, const cov_rate_config *rate, cov_str key,
                        int64_t now_ms, tally *out, cov_error *err)
{
    cov_str args[5] = { key, number(g, now_ms), number(g, rate->window_ms), COV_STR_NULL,
                        number(g, rate->max_requests) };
    cov_kv_reply reply = { 0 };
    cov_status st = COV_OK;

    if (args[1].ptr == NULL || args[2].ptr == NULL || args[4].ptr == NULL)
        return cov_fail_nomem(err);
    if (rate->sliding && (st = sliding_member(g, now_ms, &args[3], err)) != COV_OK)
        return st;
    st = cov_kv_call(g->guard->setup.kv, g->arena, rate->sliding ? COV_KV_SLIDE : COV_KV_WINDOW,
                     args, rate->sliding ? 5 : 3, &reply, err);
    if (st == COV_OK)
        st = read_tally(&reply, out, err);
    if (st == COV_OK && rate->sliding)
        out->resets_at_ms += rate->window_ms;
    return st;
}

/* Of a sliding window that is full. A member begins with its moment. */
static cov_status find_room(const cov_guarded *g, const cov_rate_config *rate, cov_str key,
                            int64_t now_ms, tally *t, cov_error *err)
{
    cov_str args[3] = { key, number(g, -rate->max_requests), number(g, -rate->max_requests) };
    cov_kv_reply reply = { 0 };
    int64_t moment;
    cov_status st;

    if (rate->max_requests == 0) {
        t->resets_at_ms = now_ms + rate->window_ms;
        return COV_OK;
    }
    if (args[1].ptr == NULL || args[2].ptr == NULL)
        return cov_fail_nomem(err);
    st = cov_kv_call(g->guard->setup.kv, g->arena, COV_KV_ZRANGE, args, 3, &reply, err);
    if (st == COV_OK && reply.type == COV_KV_LIST && reply.n == 1 &&
        cov_parse_i64(cov_str_slice(reply.items[0].s, 0, cov_str_find(reply.items[0].s, ':', 0)),
                      &moment))
        t->resets_at_ms = moment + rate->window_ms;
    return st;
}

static cov_status tell(const cov_guarded *g, const cov_rate_config *rate, const tally *t,
                       bool refused, cov_error *err)
{
    int64_t left = t->count < rate->max_requests ? rate->max_requests - t->count : 0;
    cov_status st;

    if (!rate->headers)
        return COV_OK;
    st = cov__guard_number(g, COV_STR("X-RateLimit-Limit"), rate->max_requests, err);
    if (st == COV_OK)
        st = cov__guard_number(g, COV_STR("X-RateLimit-Remaining"), left, err);
    /* A sliding window that lets a request in has no moment at which it starts anew. */
    if (st == COV_OK && (refused || !rate->sliding))
        st = cov__guard_number(g, COV_STR("X-RateLimit-Reset"), cov__guard_seconds(t->resets_at_ms),
                               err);
    return st;
}

static cov_status refuse(const cov_guarded *g, const cov_rate_config *rate, int64_t wait_ms,
                         cov_error *err)
{
    int64_t wait_s = cov__guard_seconds(wait_ms);
    cov_status st = cov__guard_number(g, COV_STR("Retry-After"), wait_s, err);

    if (st != COV_OK)
        return st;
    st = cov_fail(err, COV_ERATELIMIT, "%.*s", COV_STR_ARG(rate->message));
    cov_error_member(err, "\"retryAfter\":%lld", (long long)wait_s);
    return st;
}

cov_status cov_rate_check(const cov_guarded *g, const cov_rate_config *rate, cov_str scope,
                          cov_error *err)
{
    int64_t now_ms = cov__guard_now_ms(g->guard);
    cov_str key;
    tally t = { 0, 0 };
    bool full;
    cov_status st;

    if (!rate->set)
        return COV_OK;
    key = rate_key(g, rate, scope);
    if (key.ptr == NULL)
        return cov_fail_nomem(err);
    if ((st = count(g, rate, key, now_ms, &t, err)) != COV_OK)
        return st;
    full = t.count > rate->max_requests;
    if (full && rate->sliding)
        st = find_room(g, rate, key, now_ms, &t, err);
    if (st == COV_OK)
        st = tell(g, rate, &t, full, err);
    if (st == COV_OK && full)
        st = refuse(g, rate, t.resets_at_ms - now_ms, err);
    return st;
}
