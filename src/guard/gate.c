/* SPDX-License-Identifier: MIT */
/*
 * Passing a gate (spec/07 section 5.4): the budget, with proof of work or a CAPTCHA as the way out when it is spent,
 * and either of them as what an endpoint asks for by itself.
 *
 * DESIGN of charging: a request that no challenge can hold up consumes its cost in the one step that also tells whether
 * the tokens suffice. One that may still be refused, or pays later, looks first and is charged at the end, down to
 * an empty bucket; of parallel ones each has solved a challenge of its own.
 */
#include "guard/internal.h"

/* One request at one gate. */
typedef struct passage {
    const cov_guarded *g;
    const cov_gate *gate;
    const cov_abuse_config *abuse;
    cov_budget budget;
    bool captcha_asked; /* by the endpoint */
    bool pow_asked;
    bool charged;
    int64_t bits;       /* the challenge's */
    int64_t least_bits; /* what a solution needs, see find_bits */
} passage;

static passage passage_of(const cov_guarded *g, const cov_gate *gate)
{
    const cov_gate_config *config = gate->config;
    passage p = { .g = g, .gate = gate, .abuse = &g->guard->config->abuse };

    p.budget = cov__budget_of(g, config->cost[gate->op]);
    p.captcha_asked =
        config->captcha.set && config->captcha.on[gate->op] && cov__captcha_usable(g->guard);
    p.pow_asked = config->pow.set && config->pow.on[gate->op] && p.abuse->pow.enabled;
    return p;
}

static bool overflows_into_captcha(const passage *p)
{
    cov_overflow overflow = p->gate->config->overflow;

    if (overflow == COV_OVERFLOW_GLOBAL)
        overflow = p->abuse->overflow_captcha ? COV_OVERFLOW_CAPTCHA : COV_OVERFLOW_POW;
    return overflow == COV_OVERFLOW_CAPTCHA && cov__captcha_usable(p->g->guard);
}

static cov_status assess(passage *p, cov_error *err)
{
    bool at_once = !p->captcha_asked && !p->pow_asked && !p->gate->defer;
    cov_status st =
        cov__budget_run(p->g, &p->budget, at_once ? COV_BUDGET_CONSUME : COV_BUDGET_ASSESS, err);

    p->charged = at_once && p->budget.sufficient;
    return st;
}

/* ---- how hard ---- */

static int64_t ask_hook(const passage *p, int64_t base, bool over_budget)
{
    const cov_guard_setup *setup = &p->g->guard->setup;
    cov_difficulty_ask ask = { .user_id = p->g->user_id,
                               .address = p->g->client.address,
                               .operation = p->gate->label,
                               .resource = p->gate->resource,
                               .base = base,
                               .over_budget = over_budget };

    if (setup->difficulty == NULL)
        return base;
    if (over_budget) {
        ask.cost = p->budget.cost;
        ask.available = p->budget.available;
        ask.deficit = cov__budget_deficit(&p->budget);
    }
    return setup->difficulty(setup->difficulty_self, &ask);
}

/*
 * The difficulty of a challenge, and the least that a solution must have: an easy token from before must not serve now.
 * What a hook makes of the budget changes between challenge and solution and is not held against a solution.
 */
static void find_bits(passage *p)
{
    int64_t endpoint = p->gate->config->pow.difficulty;
    int64_t global = p->abuse->pow.difficulty;

    if (p->pow_asked)
        p->bits = p->least_bits = ask_hook(p, endpoint > 0 ? endpoint : global, false);
    if (!p->budget.sufficient) {
        int64_t bits = ask_hook(p, global, true);

        if (bits > p->bits)
            p->bits = bits;
        if (p->g->guard->setup.difficulty == NULL)
            p->least_bits = p->bits;
    }
}

/* ---- the two challenges ---- */

static cov_status pass_captcha(passage *p, cov_error *err)
{
    cov_str action = p->gate->config->captcha.action;
    bool accepted = false;
    cov_status st;

    if (cov__captcha_token(p->g).len != 0) {
        st = cov__captcha_accepted(p->g, action, &accepted, err);
        if (st != COV_OK)
            return st;
    }
    return accepted ? COV_OK : cov__captcha_challenge(p->g, action, err);
}

static cov_status pass_pow(passage *p, cov_error *err)
{
    bool solved = false;
    cov_status st;

    if (!p->budget.sufficient && !p->abuse->pow.enabled)
        return cov__budget_refuse(p->g, &p->budget, err);
    find_bits(p);
    if (p->bits <= 0)
        return COV_OK;
    st = cov__pow_solved(p->g, p->least_bits, &solved, err);
    if (st == COV_OK && !solved)
        st = cov__pow_challenge(p->g, p->bits, err);
    return st;
}

cov_status cov_gate_enter(const cov_guarded *g, const cov_gate *gate, cov_error *err)
{
    passage p = passage_of(g, gate);
    cov_status st = assess(&p, err);
    bool captcha;

    if (st != COV_OK || p.charged)
        return st;
    captcha = p.captcha_asked || (!p.budget.sufficient && overflows_into_captcha(&p));
    if (captcha)
        st = pass_captcha(&p, err);
    else if (p.pow_asked || !p.budget.sufficient)
        st = pass_pow(&p, err);
    if (st == COV_OK && !gate->defer)
        st = cov__budget_run(g, &p.budget, COV_BUDGET_DEDUCT, err);
    return st;
}

cov_status cov_gate_charge(const cov_guarded *g, const cov_gate *gate, cov_error *err)
{
    cov_budget budget = cov__budget_of(g, gate->config->cost[gate->op]);

    return cov__budget_run(g, &budget, COV_BUDGET_DEDUCT, err);
}

bool cov_gate_blocks(const cov_guarded *g, const cov_gate *gate)
{
    passage p = passage_of(g, gate);
    bool counts = cov__budget_charges(g->guard, gate->config->cost[gate->op]);

    if (cov_guard_store_waits(g->guard) && (counts || p.pow_asked || gate->config->rate.set))
        return true;
    return (p.captcha_asked || (counts && overflows_into_captcha(&p))) && cov_captcha_answered(g);
}
