/* SPDX-License-Identifier: MIT */
/*
 * The cost-weighted token bucket (spec/07 section 5.3). The store computes it in one step (BUCKET), so parallel
 * requests never spend the same tokens: what nothing else can refuse is consumed at once, not first looked at.
 */
#include "guard/internal.h"

#include "base/num.h"

#include <math.h>

enum { LEAST_WAIT_MS = 1000, MOST_WAIT_MS = 86400000 };

static const char *const modes[] = {
    [COV_BUDGET_ASSESS] = "ASSESS", [COV_BUDGET_DEDUCT] = "DEDUCT", [COV_BUDGET_CONSUME] = "CONSUME"
};

static const cov_budget_class *class_of(const cov_guarded *g)
{
    const cov_abuse_config *config = &g->guard->config->abuse;
    cov_str name = g->user_id.ptr != NULL ? COV_STR("authenticated") : COV_STR("anonymous");

    for (size_t i = 0; i < config->budget.n_classes; i++)
        if (cov_str_eq(config->budget.classes[i].name, name))
            return &config->budget.classes[i];
    return NULL;
}

bool cov__budget_charges(const cov_guard *guard, int64_t cost)
{
    const cov_abuse_config *config = &guard->config->abuse;

    return cost > 0 && config->set && config->budget.enabled && config->budget.n_classes != 0;
}

cov_budget cov__budget_of(const cov_guarded *g, int64_t cost)
{
    cov_budget budget = { .class = cov__budget_charges(g->guard, cost) ? class_of(g) : NULL,
                          .cost = cost,
                          .sufficient = true };

    return budget;
}

static cov_str bucket_key(const cov_guarded *g, const cov_budget *budget)
{
    cov_buf key = COV_BUF_IN(g->arena);

    COV_BUF_LIT(&key, "covara:budget:");
    cov_buf_str(&key, budget->class->name);
    cov_buf_char(&key, ':');
    cov__guard_who(g, &key);
    return key.failed ? COV_STR_NULL : cov_buf_view(&key);
}

static cov_str number(const cov_guarded *g, int64_t value)
{
    return cov_arena_printf(g->arena, "%lld", (long long)value);
}

cov_status cov__budget_run(const cov_guarded *g, cov_budget *budget, cov_budget_mode mode,
                           cov_error *err)
{
    cov_kv_reply reply;
    cov_str args[6];
    cov_status st;

    if (budget->class == NULL)
        return COV_OK;
    args[0] = bucket_key(g, budget);
    args[1] = number(g, cov__guard_now_ms(g->guard));
    args[2] = number(g, budget->class->capacity);
    args[3] = number(g, budget->class->refill_per_minute);
    args[4] = number(g, budget->cost);
    args[5] = cov_str_from(modes[mode]);
    for (size_t i = 0; i < COV_COUNT_OF(args); i++)
        if (args[i].ptr == NULL)
            return cov_fail_nomem(err);
    st = cov_kv_call(g->guard->setup.kv, g->arena, COV_KV_BUCKET, args, COV_COUNT_OF(args), &reply,
                     err);
    if (st != COV_OK)
        return st;
    if (reply.type != COV_KV_LIST || reply.n != 2 || reply.items[1].type != COV_KV_INT ||
        !cov_parse_double(reply.items[0].s, &budget->available))
        return cov_fail(err, COV_EINTERNAL, "budget: unexpected reply of the store");
    budget->sufficient = reply.items[1].i != 0;
    return COV_OK;
}

double cov__budget_deficit(const cov_budget *budget)
{
    double deficit = (double)budget->cost - budget->available;

    return deficit > 0 ? deficit : 0;
}

static int64_t wait_ms(const cov_budget *budget)
{
    double refill = (double)budget->class->refill_per_minute;
    double wait;

    if (refill <= 0)
        return MOST_WAIT_MS;
    wait = ceil(cov__budget_deficit(budget) / refill * 60000);
    if (wait > MOST_WAIT_MS)
        return MOST_WAIT_MS;
    return wait < LEAST_WAIT_MS ? LEAST_WAIT_MS : (int64_t)wait;
}

cov_status cov__budget_refuse(const cov_guarded *g, const cov_budget *budget, cov_error *err)
{
    int64_t wait = wait_ms(budget);
    cov_status st = cov__guard_number(g, COV_STR("Retry-After"), cov__guard_seconds(wait), err);

    if (st != COV_OK)
        return st;
    st = cov_fail(err, COV_ERATELIMIT, "Budget exhausted, slow down");
    cov_error_member(err, "\"retryAfter\":%lld", (long long)wait);
    return st;
}
