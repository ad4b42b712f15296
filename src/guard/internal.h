/* SPDX-License-Identifier: MIT */
/* guard/internal.h - what the files of this folder share. */
#ifndef COV_GUARD_INTERNAL_H
#define COV_GUARD_INTERNAL_H

#include "guard/guard.h"

struct cov_guard {
    cov_guard_setup setup;
    const cov_host *host;
    const cov_guard_config *config;
    cov_networks trusted;
    cov_str pow_secret;
    double captcha_min_score; /* of captcha.min_score; 0 accepts every score */
};

/* ---- guard.c ---- */

int64_t cov__guard_now_ms(const cov_guard *guard);
/* Whole seconds, rounded up, at least 1. */
int64_t cov__guard_seconds(int64_t ms);
/* "user:<id>" or "ip:<network>" */
void cov__guard_who(const cov_guarded *g, cov_buf *out);
/* Put a header with a number on the response. */
COV_CHECK cov_status cov__guard_number(const cov_guarded *g, cov_str name, int64_t value,
                                       cov_error *err);
/* Lower-case hex SHA-256. */
COV_CHECK cov_status cov__guard_sha256(const cov_guard *guard, cov_str data, cov_buf *out,
                                       cov_error *err);
/* A line at level warn: {"error":...} */
void cov__guard_warn(const cov_guard *guard, cov_str message, cov_str why);

/* ---- budget.c ---- */

typedef enum cov_budget_mode {
    COV_BUDGET_ASSESS,
    COV_BUDGET_DEDUCT,
    COV_BUDGET_CONSUME
} cov_budget_mode;
typedef struct cov_budget {
    const cov_budget_class *class; /* NULL: not charged */
    int64_t cost;
    bool sufficient;  /* before the charge; true when nothing is charged */
    double available; /* tokens after the call */
} cov_budget;

/* Whether there is a budget that the cost comes out of, for callers of some class. */
bool cov__budget_charges(const cov_guard *guard, int64_t cost);
/* Which bucket, at which cost; asks no store. */
cov_budget cov__budget_of(const cov_guarded *g, int64_t cost);
COV_CHECK cov_status cov__budget_run(const cov_guarded *g, cov_budget *budget, cov_budget_mode mode,
                                     cov_error *err);
double cov__budget_deficit(const cov_budget *budget);
/* The 429 of a bucket that is too empty. */
COV_CHECK cov_status cov__budget_refuse(const cov_guarded *g, const cov_budget *budget,
                                        cov_error *err);

/* ---- pow.c ---- */

/* *secret: the configured one, COVARA_POW_SECRET, or a random one with a warning when `used`. */
COV_CHECK cov_status cov__pow_secret(const cov_host *host, const cov_guard_config *config,
                                     bool used, cov_arena *arena, cov_str *secret, cov_error *err);
/* Whether the request carries a solution of at least `least_bits` that was not used before; it is used then. */
COV_CHECK cov_status cov__pow_solved(const cov_guarded *g, int64_t least_bits, bool *solved,
                                     cov_error *err);
/* COV_EPOW with a new challenge. */
COV_CHECK cov_status cov__pow_challenge(const cov_guarded *g, int64_t bits, cov_error *err);

/* ---- captcha.c ---- */

/* Enabled, with all that asking the provider needs. */
bool cov__captcha_usable(const cov_guard *guard);
/* The token that came with the request; empty: none. */
cov_str cov__captcha_token(const cov_guarded *g);
/* Ask the provider; blocks. False also when it cannot be asked. */
COV_CHECK cov_status cov__captcha_accepted(const cov_guarded *g, cov_str action, bool *accepted,
                                           cov_error *err);
/* COV_ECAPTCHA with the challenge. */
COV_CHECK cov_status cov__captcha_challenge(const cov_guarded *g, cov_str action, cov_error *err);

/* ---- version.c ---- */

/* False: no version. */
bool cov__version_valid(cov_str version);
/* <0, 0, >0; two different pre-releases of one version are equal (spec/07 section 7). Both are valid. */
int cov__version_compare(cov_str a, cov_str b);

#endif
