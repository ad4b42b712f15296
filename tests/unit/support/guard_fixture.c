/* SPDX-License-Identifier: MIT */
#include "guard_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "driver/kv/memory/memory.h"

static const cov_str writing_methods[] = { COV_STR_INIT("POST"), COV_STR_INIT("PATCH"),
                                           COV_STR_INIT("PUT") };

static cov_status random_bytes(void *self, void *out, size_t len)
{
    guard_fixture *f = self;

    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = f->next_random++;
    return COV_OK;
}

static void log_line(void *self, cov_log_level level, cov_str msg, cov_str members)
{
    guard_fixture *f = self;

    assert_int_equal(level, COV_LOG_WARN);
    snprintf(f->log, sizeof f->log, "%.*s %.*s", COV_STR_ARG(msg), COV_STR_ARG(members));
    f->n_logged++;
}

static bool env(void *self, cov_str name, cov_str *value)
{
    const guard_fixture *f = self;

    if (f->pow_secret == NULL || !cov_str_eq(name, COV_STR("COVARA_POW_SECRET")))
        return false;
    *value = cov_str_from(f->pow_secret);
    return true;
}

static cov_status http(void *self, const cov_http_call *call, cov_arena *arena, cov_http_reply *out,
                       cov_error *err)
{
    guard_fixture *f = self;

    (void)arena;
    snprintf(f->http_url, sizeof f->http_url, "%.*s %.*s", COV_STR_ARG(call->method),
             COV_STR_ARG(call->url));
    snprintf(f->http_body, sizeof f->http_body, "%.*s", COV_STR_ARG(call->body));
    if (f->http_status != COV_OK)
        return cov_fail(err, f->http_status, "not reached");
    *out = f->http_reply;
    return COV_OK;
}

static void set_defaults(cov_guard_config *config)
{
    config->abuse.pow.enabled = true;
    config->abuse.pow.difficulty = 20;
    config->abuse.pow.challenge_ttl_ms = 120000;
    config->abuse.pow.bind_body = true;
    config->abuse.captcha.token_header = COV_STR("Covara-Captcha-Token");
    config->idempotency.ttl_ms = 86400000;
    config->idempotency.methods =
        (cov_names){ writing_methods, COV_COUNT_OF(writing_methods), true };
    config->idempotency.header = COV_STR("Idempotency-Key");
    config->versioning.current = COV_STR("1.0.0");
    config->versioning.header = COV_STR("X-Covara-Version");
}

void guard_open(guard_fixture *f)
{
    cov_kv_config kv_config = { 0 };

    memset(f, 0, sizeof *f);
    fake_host_init(&f->fake);
    f->fake.host.random = random_bytes;
    f->fake.host.log = log_line;
    f->fake.host.env = env;
    f->fake.http = http;
    f->fake.http_self = f;
    f->pow_secret = "test-secret";
    f->arena = cov_arena_new(0);
    assert_non_null(f->arena);
    cov_error_init(&f->err, f->arena);
    assert_int_equal(cov_kv_open(&cov_memory_kv_driver, &f->fake.host, &kv_config, &f->kv, &f->err),
                     COV_OK);
    f->next_random = 0;
    set_defaults(&f->config);
    f->setup.host = &f->fake.host;
    f->setup.kv = f->kv;
    f->setup.config = &f->config;
}

void guard_build(guard_fixture *f)
{
    cov_status st = cov_guard_new(f->arena, &f->setup, &f->guard, &f->err);

    if (st != COV_OK)
        fail_msg("%.*s", COV_STR_ARG(cov_error_detail(&f->err)));
}

void guard_close(guard_fixture *f)
{
    cov_buf_dispose(&f->res.body);
    cov_kv_close(f->kv);
    cov_arena_free(f->arena);
    fake_host_dispose(&f->fake);
}

static cov_status run_down(cov_kv *kv, const cov_kv_cmd *cmds, size_t n, bool atomic,
                           cov_arena *arena, cov_kv_reply *replies, cov_error *err)
{
    (void)kv;
    (void)cmds;
    (void)n;
    (void)atomic;
    (void)arena;
    (void)replies;
    return cov_fail(err, COV_EBUSY, "the store is down");
}

void guard_set_down(guard_fixture *f, bool down)
{
    static cov_kv_driver broken;

    broken = cov_memory_kv_driver;
    broken.run = run_down;
    f->kv->driver = down ? &broken : &cov_memory_kv_driver;
}

const char *guard_peek(guard_fixture *f, const char *key)
{
    cov_str args[] = { cov_str_from(key), COV_STR_INIT("tokens") };
    cov_kv_reply reply;
    cov_kv_op op;

    assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_TYPE, args, 1, &reply, &f->err), COV_OK);
    op = cov_str_eq(reply.s, COV_STR("hash")) ? COV_KV_HGET : COV_KV_GET;
    assert_int_equal(cov_kv_call(f->kv, f->arena, op, args, op == COV_KV_HGET ? 2 : 1, &reply,
                                 &f->err),
                     COV_OK);
    return reply.type == COV_KV_TEXT ? cov_arena_str(f->arena, reply.s).ptr : NULL;
}

int64_t guard_ttl_ms(guard_fixture *f, const char *key)
{
    cov_str name = cov_str_from(key);
    cov_kv_reply reply;

    assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_PTTL, &name, 1, &reply, &f->err), COV_OK);
    return reply.i;
}

static void read_headers(guard_fixture *f, cov_str text)
{
    cov_str line;

    f->req.n_headers = 0;
    f->req.headers = f->headers;
    while (text.len != 0 && cov_str_split(&text, '\n', &line)) {
        size_t colon = cov_str_find(line, ':', 0);
        cov_header *header = &f->headers[f->req.n_headers++];

        assert_true(f->req.n_headers <= GUARD_MAX_HEADERS);
        header->name = cov_str_slice(line, 0, colon);
        header->value = cov_str_trim(cov_str_slice(line, colon + 1, line.len));
    }
}

void guard_request(guard_fixture *f, const char *method, const char *target, const char *headers,
                   const char *body)
{
    cov_str whole = cov_str_from(target);
    size_t mark = cov_str_find(whole, '?', 0);

    cov_buf_clear(&f->res.body, 0);
    f->res.status = 0;
    f->res.n_headers = 0;
    cov_error_init(&f->err, f->arena);
    f->req = (cov_request){ .method_name = cov_str_from(method),
                            .path = cov_str_slice(whole, 0, mark),
                            .query = cov_str_slice(whole, mark + 1, whole.len),
                            .body = cov_str_from(body),
                            .peer_address = COV_STR("192.0.2.1") };
    f->req.method = cov_method_of(f->req.method_name);
    read_headers(f, cov_str_from(headers));
    f->g = (cov_guarded){ .guard = f->guard, .req = &f->req, .res = &f->res, .arena = f->arena };
    if (f->guard != NULL)
        assert_int_equal(cov_client_address(&f->req, cov_guard_trusted(f->guard), f->arena,
                                            &f->g.client, &f->err),
                         COV_OK);
}

void guard_as(guard_fixture *f, const char *user_id)
{
    f->g.user_id = cov_str_from(user_id);
}

static const char *terminated(guard_fixture *f, cov_str s)
{
    cov_str copy = cov_arena_str(f->arena, s);

    assert_non_null(copy.ptr);
    return copy.ptr;
}

const char *guard_header(guard_fixture *f, const char *name)
{
    const cov_header *header = cov_response_find(&f->res, cov_str_from(name));

    return header != NULL ? terminated(f, header->value) : "";
}

const char *guard_members(guard_fixture *f)
{
    return terminated(f, f->err.members);
}

const char *guard_detail(guard_fixture *f)
{
    return terminated(f, cov_error_detail(&f->err));
}
