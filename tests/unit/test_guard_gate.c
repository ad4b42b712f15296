/* SPDX-License-Identifier: MIT */
/* Budget, challenges and what a request counts as (spec/07 sections 5.2 to 5.4 and 5.7, cases 7 to 27). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/num.h"
#include "driver/kv/memory/memory.h"
#include "guard_fixture.h"

static const char bucket_key[] = "covara:budget:anonymous:ip:192.0.2.1";

static cov_budget_class classes[] = {
    { COV_STR_INIT("authenticated"), 1000, 0 },
    { COV_STR_INIT("anonymous"), 70, 0 },
};

/* A budget of `capacity` for anonymous callers, and a gate that charges reads 30. */
static void open_budget(guard_fixture *f, cov_gate_config *config, int64_t capacity, int64_t refill)
{
    guard_open(f);
    memset(config, 0, sizeof *config);
    config->cost[COV_GATE_READ] = 30;
    classes[1].capacity = capacity;
    classes[1].refill_per_minute = refill;
    f->config.abuse.set = f->config.abuse.budget.enabled = true;
    f->config.abuse.budget.classes = classes;
    f->config.abuse.budget.n_classes = COV_COUNT_OF(classes);
    f->config.abuse.pow.difficulty = 6;
    guard_build(f);
}

static cov_gate gate_of(const cov_gate_config *config, cov_gate_op op)
{
    cov_gate gate = { .config = config, .op = op, .label = cov_gate_op_name(op) };

    return gate;
}

static cov_status enter_with(guard_fixture *f, const cov_gate_config *config, cov_gate_op op,
                             const char *headers)
{
    cov_gate gate = gate_of(config, op);

    guard_request(f, "GET", "/api/todos", headers, "");
    return cov_gate_enter(&f->g, &gate, &f->err);
}

static cov_status enter(guard_fixture *f, const cov_gate_config *config)
{
    return enter_with(f, config, COV_GATE_READ, "");
}

static bool is_solution(guard_fixture *f, const char *challenge, int nonce, int bits)
{
    cov_str text = cov_arena_printf(f->arena, "%s:%d", challenge, nonce);
    uint8_t digest[COV_SHA256_BYTES];

    assert_int_equal(f->fake.host.digest(f, COV_SHA256, text, digest), COV_OK);
    for (int i = 0; i < bits; i++)
        if ((digest[i / 8] >> (7 - i % 8) & 1) != 0)
            return false;
    return true;
}

/* Headers that answer the challenge on the response, as the client finds them. */
static const char *solve(guard_fixture *f)
{
    const char *challenge = guard_header(f, "Covara-PoW-Challenge");
    int bits = atoi(guard_header(f, "Covara-PoW-Difficulty"));
    int nonce = 0;

    assert_true(bits > 0 && *challenge != '\0');
    while (!is_solution(f, challenge, nonce, bits))
        nonce++;
    return cov_arena_printf(f->arena, "Covara-PoW-Challenge: %s\nCovara-PoW-Nonce: %d", challenge,
                            nonce)
        .ptr;
}

static void budget__without_a_way_out_is_429(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 70, 0);
    f.config.abuse.pow.enabled = false;
    assert_int_equal(enter(&f, &config), COV_OK);
    assert_int_equal(enter(&f, &config), COV_OK);
    assert_int_equal(enter(&f, &config), COV_ERATELIMIT);
    assert_string_equal(guard_detail(&f), "Budget exhausted, slow down");
    assert_string_equal(guard_members(&f), "\"retryAfter\":86400000");
    assert_string_equal(guard_header(&f, "Retry-After"), "86400");
    assert_string_equal(guard_peek(&f, bucket_key), "10");
    guard_close(&f);
}

/* The numbers of the worked example in section 5.3. */
static void budget__worked_example(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 10, 4);
    f.config.abuse.pow.enabled = false;
    config.cost[COV_GATE_READ] = 6;
    assert_int_equal(enter(&f, &config), COV_OK);
    assert_string_equal(guard_peek(&f, bucket_key), "4");
    f.fake.now_ms += 6;
    assert_int_equal(enter(&f, &config), COV_ERATELIMIT);
    assert_string_equal(guard_members(&f), "\"retryAfter\":29994");
    assert_string_equal(guard_header(&f, "Retry-After"), "30");
    f.fake.now_ms += 29993;
    assert_int_equal(enter(&f, &config), COV_ERATELIMIT);
    assert_string_equal(guard_members(&f), "\"retryAfter\":1000");
    assert_string_equal(guard_header(&f, "Retry-After"), "1");
    f.fake.now_ms += 1000;
    assert_int_equal(enter(&f, &config), COV_OK);
    guard_close(&f);
}

static void budget__classes_are_apart(void **state)
{
    cov_gate_config config;
    cov_gate gate;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 10, 0);
    config.cost[COV_GATE_READ] = 10;
    gate = gate_of(&config, COV_GATE_READ);
    for (int i = 0; i < 5; i++) {
        guard_request(&f, "GET", "/api/todos", "", "");
        guard_as(&f, "u1");
        assert_int_equal(cov_gate_enter(&f.g, &gate, &f.err), COV_OK);
    }
    assert_string_equal(guard_peek(&f, "covara:budget:authenticated:user:u1"), "950");
    assert_int_equal(enter(&f, &config), COV_OK);
    assert_int_equal(enter(&f, &config), COV_EPOW);
    guard_close(&f);
}

static void budget__costs_do_nothing_without_one(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 10, 0);
    f.config.abuse.budget.n_classes = 1; /* no class for anonymous callers */
    assert_int_equal(enter(&f, &config), COV_OK);
    f.config.abuse.budget.n_classes = 2;
    f.config.abuse.budget.enabled = false;
    assert_int_equal(enter(&f, &config), COV_OK);
    f.config.abuse.budget.enabled = true;
    f.config.abuse.set = false;
    assert_int_equal(enter(&f, &config), COV_OK);
    f.config.abuse.set = true;
    assert_int_equal(enter_with(&f, &config, COV_GATE_COUNT, ""), COV_OK); /* costs nothing */
    assert_null(guard_peek(&f, bucket_key));
    guard_close(&f);
}

/* The bucket is refilled all the time, charged when a request passes, and never below zero. */
static void budget__equals_the_naive_model(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 50, 0);
    f.config.abuse.pow.enabled = false;
    srand(11);
    for (int round = 0; round < 10; round++) {
        cov_str user = cov_arena_printf(f.arena, "u%d", round);
        double tokens;
        int64_t last = f.fake.now_ms;

        classes[0].capacity = 1 + rand() % 60;
        classes[0].refill_per_minute = rand() % 120;
        tokens = (double)classes[0].capacity;
        for (int i = 0; i < 150; i++) {
            cov_gate gate = gate_of(&config, COV_GATE_READ);
            bool passes;

            f.fake.now_ms += rand() % 4000;
            tokens += (double)((f.fake.now_ms - last) * classes[0].refill_per_minute) / 60000;
            last = f.fake.now_ms;
            if (tokens > (double)classes[0].capacity)
                tokens = (double)classes[0].capacity;
            config.cost[COV_GATE_READ] = 1 + rand() % 20;
            passes = tokens >= (double)config.cost[COV_GATE_READ] - 1e-9;
            guard_request(&f, "GET", "/", "", "");
            guard_as(&f, user.ptr);
            if (fabs(tokens - (double)config.cost[COV_GATE_READ]) < 1e-6)
                continue; /* sums of fractions may fall on either side */
            assert_int_equal(cov_gate_enter(&f.g, &gate, &f.err), passes ? COV_OK : COV_ERATELIMIT);
            if (passes)
                tokens -= (double)config.cost[COV_GATE_READ];
        }
    }
    classes[0].capacity = 1000;
    classes[0].refill_per_minute = 0;
    guard_close(&f);
}

static void pow__pays_the_overdraft(void **state)
{
    cov_gate_config config;
    const char *solution;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 70, 0);
    assert_int_equal(enter(&f, &config), COV_OK);
    assert_int_equal(enter(&f, &config), COV_OK);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(enter(&f, &config), COV_EPOW);
        assert_string_equal(guard_peek(&f, bucket_key), "10");
    }
    assert_string_equal(guard_header(&f, "Covara-PoW-Difficulty"), "6");
    solution = solve(&f);
    assert_int_equal(enter_with(&f, &config, COV_GATE_READ, solution), COV_OK);
    assert_string_equal(guard_peek(&f, bucket_key), "0");
    assert_int_equal(enter(&f, &config), COV_EPOW);
    /* The same solution again: a new challenge. */
    assert_int_equal(enter_with(&f, &config, COV_GATE_READ, solution), COV_EPOW);
    assert_true(strlen(guard_header(&f, "Covara-PoW-Challenge")) > 100);
    assert_null(strstr(solution, guard_header(&f, "Covara-PoW-Challenge")));
    assert_int_equal(enter_with(&f, &config, COV_GATE_READ,
                                "Covara-PoW-Challenge: garbage\nCovara-PoW-Nonce: 0"),
                     COV_EPOW);
    guard_close(&f);
}

static void pow__endpoint_asks_by_operation(void **state)
{
    cov_gate_config config = { 0 };
    const char *solution;
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    config.pow.set = config.pow.on[COV_GATE_UPDATE] = true;
    config.pow.difficulty = 5;
    assert_int_equal(enter_with(&f, &config, COV_GATE_READ, ""), COV_OK);
    assert_int_equal(enter_with(&f, &config, COV_GATE_UPDATE, ""), COV_EPOW);
    assert_string_equal(guard_header(&f, "Covara-PoW-Difficulty"), "5");
    solution = solve(&f);
    config.pow.difficulty = 7; /* harder since: the easy solution does not do any more */
    if (!is_solution(&f, guard_header(&f, "Covara-PoW-Challenge"), atoi(strrchr(solution, ' ')), 7))
        assert_int_equal(enter_with(&f, &config, COV_GATE_UPDATE, solution), COV_EPOW);
    config.pow.difficulty = 5;
    assert_int_equal(enter_with(&f, &config, COV_GATE_UPDATE, solution), COV_OK);
    f.config.abuse.pow.enabled = false;
    assert_int_equal(enter_with(&f, &config, COV_GATE_UPDATE, ""), COV_OK);
    f.config.abuse.pow.enabled = true;
    config.pow.difficulty = 0;
    f.config.abuse.pow.difficulty = 3;
    assert_int_equal(enter_with(&f, &config, COV_GATE_UPDATE, ""), COV_EPOW);
    assert_string_equal(guard_header(&f, "Covara-PoW-Difficulty"), "3");
    f.config.abuse.pow.difficulty = 0;
    assert_int_equal(enter_with(&f, &config, COV_GATE_UPDATE, ""), COV_OK);
    guard_close(&f);
}

/* An endpoint's challenge is only charged when it was solved; with a spent budget the harder one counts. */
static void pow__endpoint_and_budget(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 70, 0);
    config.pow.set = config.pow.on[COV_GATE_READ] = true;
    config.pow.difficulty = 3;
    assert_int_equal(enter(&f, &config), COV_EPOW);
    assert_null(guard_peek(&f, bucket_key));
    assert_string_equal(guard_header(&f, "Covara-PoW-Difficulty"), "3");
    assert_int_equal(enter_with(&f, &config, COV_GATE_READ, solve(&f)), COV_OK);
    assert_string_equal(guard_peek(&f, bucket_key), "40");
    config.cost[COV_GATE_READ] = 41;
    assert_int_equal(enter(&f, &config), COV_EPOW);
    assert_string_equal(guard_header(&f, "Covara-PoW-Difficulty"), "6");
    guard_close(&f);
}

typedef struct asked {
    int n;
    int64_t answer;
    cov_difficulty_ask last;
} asked;

static int64_t answer(void *self, const cov_difficulty_ask *ask)
{
    asked *a = self;

    a->n++;
    a->last = *ask;
    return a->answer;
}

static void pow__application_sets_the_difficulty(void **state)
{
    cov_gate_config config;
    asked a = { 0 };
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 40, 0);
    f.setup.difficulty = answer;
    f.setup.difficulty_self = &a;
    guard_build(&f);
    assert_int_equal(enter(&f, &config), COV_OK);
    assert_int_equal(a.n, 0);
    /* 0: served without a challenge, and charged down to nothing. */
    assert_int_equal(enter(&f, &config), COV_OK);
    assert_int_equal(a.n, 1);
    assert_true(a.last.over_budget && a.last.base == 6 && a.last.cost == 30);
    assert_true(a.last.available == 10 && a.last.deficit == 20);
    assert_true(cov_str_eq(a.last.operation, COV_STR("read")));
    assert_true(cov_str_eq(a.last.address, COV_STR("192.0.2.1")));
    assert_null(a.last.user_id.ptr);
    assert_string_equal(guard_peek(&f, bucket_key), "0");
    a.answer = 4;
    assert_int_equal(enter(&f, &config), COV_EPOW);
    assert_string_equal(guard_header(&f, "Covara-PoW-Difficulty"), "4");
    /* What depends on the budget is not held against a solution. */
    a.answer = 9;
    assert_int_equal(enter_with(&f, &config, COV_GATE_READ, solve(&f)), COV_OK);
    config.pow.set = config.pow.on[COV_GATE_READ] = true;
    config.cost[COV_GATE_READ] = 0;
    a.answer = 0;
    assert_int_equal(enter(&f, &config), COV_OK);
    assert_false(a.last.over_budget);
    guard_close(&f);
}

/* ---- CAPTCHA ---- */

static void open_captcha(guard_fixture *f, cov_gate_config *config, cov_captcha_provider provider)
{
    guard_open(f);
    memset(config, 0, sizeof *config);
    f->config.abuse.captcha.enabled = true;
    f->config.abuse.captcha.provider = provider;
    f->config.abuse.captcha.secret = COV_STR("s&cret");
    f->config.abuse.captcha.site_key = COV_STR("site");
    config->captcha.set = config->captcha.on[COV_GATE_READ] = true;
    config->captcha.action = COV_STR("act");
    f->http_reply.status = 200;
    guard_build(f);
}

static cov_status enter_token(guard_fixture *f, const cov_gate_config *config, const char *verdict)
{
    f->http_reply.body = cov_str_from(verdict);
    return enter_with(f, config, COV_GATE_READ, "covara-captcha-token: a b/\xC3\xA9");
}

static void captcha__asks_and_verifies(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_captcha(&f, &config, COV_CAPTCHA_TURNSTILE);
    assert_int_equal(enter(&f, &config), COV_ECAPTCHA);
    assert_int_equal(f.fake.http_calls, 0);
    assert_int_equal(cov_status_http(COV_ECAPTCHA), 428);
    assert_string_equal(guard_header(&f, "Covara-Challenge-Type"), "captcha");
    assert_string_equal(guard_header(&f, "Covara-Captcha-Provider"), "turnstile");
    assert_string_equal(guard_header(&f, "Covara-Captcha-Sitekey"), "site");
    assert_string_equal(guard_header(&f, "Covara-Captcha-Action"), "act");
    assert_string_equal(guard_detail(&f), "CAPTCHA required");
    assert_string_equal(guard_members(&f),
                        "\"provider\":\"turnstile\",\"siteKey\":\"site\",\"action\":\"act\"");
    assert_int_equal(enter_token(&f, &config, "{\"success\":true}"), COV_OK);
    assert_string_equal(f.http_url,
                        "POST https://challenges.cloudflare.com/turnstile/v0/siteverify");
    assert_string_equal(f.http_body, "secret=s%26cret&response=a+b%2F%C3%A9&remoteip=192.0.2.1");
    assert_int_equal(enter_token(&f, &config, "{\"success\":false}"), COV_ECAPTCHA);
    assert_int_equal(enter_token(&f, &config, "{\"success\":\"true\"}"), COV_ECAPTCHA);
    assert_int_equal(enter_token(&f, &config, "[]"), COV_ECAPTCHA);
    assert_int_equal(f.n_logged, 0);
    f.config.abuse.captcha.site_key = config.captcha.action = COV_STR_NULL;
    assert_int_equal(enter(&f, &config), COV_ECAPTCHA);
    assert_string_equal(guard_members(&f), "\"provider\":\"turnstile\"");
    assert_string_equal(guard_header(&f, "Covara-Captcha-Sitekey"), "");
    assert_int_equal(enter_with(&f, &config, COV_GATE_COUNT, ""), COV_OK);
    guard_close(&f);
}

static void captcha__a_provider_that_fails_refuses(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_captcha(&f, &config, COV_CAPTCHA_HCAPTCHA);
    f.http_status = COV_EBUSY;
    assert_int_equal(enter_token(&f, &config, "{\"success\":true}"), COV_ECAPTCHA);
    assert_string_equal(f.log, "CAPTCHA verification request failed \"error\":\"not reached\"");
    f.http_status = COV_OK;
    f.http_reply.status = 500;
    assert_int_equal(enter_token(&f, &config, "{\"success\":true}"), COV_ECAPTCHA);
    f.http_reply.status = 200;
    assert_int_equal(enter_token(&f, &config, "<html>"), COV_ECAPTCHA);
    assert_int_equal(f.n_logged, 3);
    assert_int_equal(enter_token(&f, &config, "{\"success\":true,\"score\":0}"), COV_OK);
    assert_string_equal(f.http_url, "POST https://api.hcaptcha.com/siteverify");
    guard_close(&f);
}

static void captcha__scores_and_actions(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_captcha(&f, &config, COV_CAPTCHA_RECAPTCHA);
    f.config.abuse.captcha.min_score = COV_STR("0.5");
    f.config.abuse.captcha.verify_url = COV_STR("http://127.0.0.1/verify");
    guard_build(&f);
    assert_int_equal(enter_token(&f, &config, "{\"success\":true,\"score\":0.3}"), COV_ECAPTCHA);
    assert_int_equal(enter_token(&f, &config, "{\"success\":true}"), COV_ECAPTCHA);
    assert_int_equal(enter_token(&f, &config, "{\"success\":true,\"score\":0.5}"), COV_OK);
    assert_string_equal(f.http_url, "POST http://127.0.0.1/verify");
    assert_int_equal(enter_token(&f, &config, "{\"success\":true,\"score\":1,\"action\":\"act\"}"),
                     COV_OK);
    assert_int_equal(enter_token(&f, &config,
                                 "{\"success\":true,\"score\":1,\"action\":\"other\"}"),
                     COV_ECAPTCHA);
    config.captcha.action = COV_STR_NULL;
    assert_int_equal(enter_token(&f, &config,
                                 "{\"success\":true,\"score\":1,\"action\":\"other\"}"),
                     COV_OK);
    f.config.abuse.captcha.min_score = COV_STR("many");
    assert_int_equal(cov_guard_new(f.arena, &f.setup, &f.guard, &f.err), COV_EINVAL);
    guard_close(&f);
}

static void captcha__comes_before_pow(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_captcha(&f, &config, COV_CAPTCHA_TURNSTILE);
    config.pow.set = config.pow.on[COV_GATE_READ] = true;
    assert_int_equal(enter(&f, &config), COV_ECAPTCHA);
    assert_int_equal(enter_token(&f, &config, "{\"success\":true}"), COV_OK);
    f.config.abuse.captcha.enabled = false;
    assert_int_equal(enter(&f, &config), COV_EPOW);
    guard_close(&f);
}

static void overflow__goes_where_it_can(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 10, 0);
    config.overflow = COV_OVERFLOW_CAPTCHA;
    assert_int_equal(enter(&f, &config), COV_EPOW);
    f.config.abuse.captcha.enabled = true;
    assert_int_equal(enter(&f, &config), COV_EPOW);
    f.config.abuse.captcha.secret = COV_STR("s");
    assert_int_equal(enter(&f, &config), COV_ECAPTCHA);
    config.overflow = COV_OVERFLOW_GLOBAL;
    assert_int_equal(enter(&f, &config), COV_EPOW);
    f.config.abuse.overflow_captcha = true;
    assert_int_equal(enter(&f, &config), COV_ECAPTCHA);
    f.http_reply.status = 200;
    assert_int_equal(enter_token(&f, &config, "{\"success\":true}"), COV_OK);
    assert_string_equal(guard_peek(&f, bucket_key), "0");
    config.overflow = COV_OVERFLOW_POW;
    assert_int_equal(enter(&f, &config), COV_EPOW);
    f.config.abuse.pow.enabled = false;
    assert_int_equal(enter(&f, &config), COV_ERATELIMIT);
    guard_close(&f);
}

/* ---- login ---- */

static cov_status log_in(guard_fixture *f, const cov_gate_config *config, bool right)
{
    cov_gate gate = {
        .config = config, .op = COV_GATE_RPC, .label = COV_STR("auth.login"), .defer = true
    };
    cov_status st;

    guard_request(f, "POST", "/api/auth/login", "", "{}");
    st = cov_gate_enter(&f->g, &gate, &f->err);
    if (st == COV_OK && !right)
        assert_int_equal(cov_gate_charge(&f->g, &gate, &f->err), COV_OK);
    return st;
}

static void login__is_charged_when_it_failed(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 30, 0);
    config.cost[COV_GATE_RPC] = 20;
    assert_int_equal(log_in(&f, &config, true), COV_OK);
    assert_int_equal(log_in(&f, &config, true), COV_OK);
    assert_null(guard_peek(&f, bucket_key));
    assert_int_equal(log_in(&f, &config, false), COV_OK);
    assert_string_equal(guard_peek(&f, bucket_key), "10");
    assert_int_equal(log_in(&f, &config, false), COV_EPOW);
    assert_string_equal(guard_peek(&f, bucket_key), "10");
    guard_close(&f);
}

/* ---- blocking ---- */

static bool blocks(guard_fixture *f, const cov_gate_config *config, const char *headers)
{
    cov_gate gate = gate_of(config, COV_GATE_READ);

    guard_request(f, "GET", "/api/todos", headers, "");
    return cov_gate_blocks(&f->g, &gate);
}

static void gate__tells_whether_it_blocks(void **state)
{
    static const char token[] = "Covara-Captcha-Token: x";
    cov_kv_driver waiting = cov_memory_kv_driver;
    cov_gate_config config;
    cov_gate_config none = { 0 };
    guard_fixture f;

    (void)state;
    open_captcha(&f, &config, COV_CAPTCHA_TURNSTILE);
    assert_false(blocks(&f, &config, ""));
    assert_true(blocks(&f, &config, token));
    assert_false(blocks(&f, &none, token));
    f.config.abuse.set = f.config.abuse.budget.enabled = true;
    f.config.abuse.budget.classes = classes;
    f.config.abuse.budget.n_classes = COV_COUNT_OF(classes);
    none.cost[COV_GATE_READ] = 1;
    assert_false(blocks(&f, &none, token));
    none.overflow = COV_OVERFLOW_CAPTCHA;
    assert_true(blocks(&f, &none, token));
    assert_false(blocks(&f, &none, ""));
    waiting.caps = COV_KV_CAP_BLOCKS;
    f.kv->driver = &waiting;
    assert_true(blocks(&f, &none, ""));
    memset(&none, 0, sizeof none);
    assert_false(blocks(&f, &none, token));
    none.rate.set = true;
    assert_true(blocks(&f, &none, ""));
    f.kv->driver = &cov_memory_kv_driver;
    guard_close(&f);
}

static void gate__a_lost_store_refuses(void **state)
{
    cov_gate_config config;
    guard_fixture f;

    (void)state;
    open_budget(&f, &config, 10, 0);
    guard_set_down(&f, true);
    assert_int_equal(enter(&f, &config), COV_EBUSY);
    assert_int_equal(enter_with(&f, &config, COV_GATE_COUNT, ""), COV_OK);
    guard_close(&f);
}

/* ---- what a request counts as ---- */

static void classify__by_route(void **state)
{
    static const struct {
        const char *method;
        const char *tail;
        cov_gate_op op;
    } rows[] = {
        { "GET", "", COV_GATE_READ },
        { "HEAD", "7", COV_GATE_READ },
        { "POST", "", COV_GATE_CREATE },
        { "PATCH", "7", COV_GATE_UPDATE },
        { "PUT", "7", COV_GATE_UPDATE },
        { "DELETE", "7", COV_GATE_DELETE },
        { "POST", "batch", COV_GATE_CREATE },
        { "POST", "batch/upsert", COV_GATE_CREATE },
        { "PATCH", "batch", COV_GATE_UPDATE },
        { "DELETE", "batch", COV_GATE_DELETE },
        { "GET", "batch", COV_GATE_READ },
        { "GET", "count", COV_GATE_COUNT },
        { "HEAD", "count", COV_GATE_COUNT },
        { "GET", "aggregate", COV_GATE_AGGREGATE },
        { "GET", "subscribe", COV_GATE_SUBSCRIBE },
        { "GET", "aggregate/subscribe", COV_GATE_SUBSCRIBE },
        { "GET", "search", COV_GATE_SEARCH },
        { "POST", "rpc/publish", COV_GATE_RPC },
        /* Items, since these methods have no such route. */
        { "DELETE", "count", COV_GATE_DELETE },
        { "PATCH", "aggregate", COV_GATE_UPDATE },
        { "PUT", "search", COV_GATE_UPDATE },
        { "GET", "rpc", COV_GATE_READ },
        { "GET", "xcount", COV_GATE_READ },
        { "OPTIONS", "", COV_GATE_READ },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_method method = cov_method_of(cov_str_from(rows[i].method));
        cov_gate_op op = cov_gate_op_of(method, cov_str_from(rows[i].tail));

        if (op != rows[i].op)
            fail_msg("%s %s counts as %s", rows[i].method, rows[i].tail, cov_gate_op_name(op).ptr);
    }
    assert_true(cov_str_eq(cov_gate_op_name(COV_GATE_RPC), COV_STR("rpc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budget__without_a_way_out_is_429),
        cmocka_unit_test(budget__worked_example),
        cmocka_unit_test(budget__classes_are_apart),
        cmocka_unit_test(budget__costs_do_nothing_without_one),
        cmocka_unit_test(budget__equals_the_naive_model),
        cmocka_unit_test(pow__pays_the_overdraft),
        cmocka_unit_test(pow__endpoint_asks_by_operation),
        cmocka_unit_test(pow__endpoint_and_budget),
        cmocka_unit_test(pow__application_sets_the_difficulty),
        cmocka_unit_test(captcha__asks_and_verifies),
        cmocka_unit_test(captcha__a_provider_that_fails_refuses),
        cmocka_unit_test(captcha__scores_and_actions),
        cmocka_unit_test(captcha__comes_before_pow),
        cmocka_unit_test(overflow__goes_where_it_can),
        cmocka_unit_test(login__is_charged_when_it_failed),
        cmocka_unit_test(gate__tells_whether_it_blocks),
        cmocka_unit_test(gate__a_lost_store_refuses),
        cmocka_unit_test(classify__by_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
