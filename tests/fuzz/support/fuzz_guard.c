/* SPDX-License-Identifier: MIT */
#include "fuzz_guard.h"

#include <stdlib.h>

#include "driver/kv/memory/memory.h"

static const cov_str methods[] = { COV_STR_INIT("POST") };

void fuzz_require(bool holds)
{
    if (!holds)
        abort();
}

void fuzz_guard_open(fuzz_guard *f)
{
    cov_kv_config kv_config = { 0 };
    cov_guard_setup setup = { .host = &f->fake.host, .config = &f->config };

    memset(f, 0, sizeof *f);
    fake_host_init(&f->fake);
    f->arena = cov_arena_new(0);
    fuzz_require(f->arena != NULL);
    fuzz_require(cov_kv_open(&cov_memory_kv_driver, &f->fake.host, &kv_config, &f->kv, NULL) ==
                 COV_OK);
    f->config.abuse.pow.enabled = f->config.abuse.pow.bind_body = true;
    f->config.abuse.pow.secret = COV_STR("secret");
    f->config.abuse.pow.challenge_ttl_ms = 120000;
    f->config.idempotency.enabled = true;
    f->config.idempotency.ttl_ms = 1000;
    f->config.idempotency.methods = (cov_names){ methods, 1, true };
    f->config.idempotency.header = COV_STR("Idempotency-Key");
    f->config.versioning.enabled = true;
    f->config.versioning.current = COV_STR("1.0.0");
    f->config.versioning.header = COV_STR("X-Covara-Version");
    setup.kv = f->kv;
    fuzz_require(cov_guard_new(f->arena, &setup, &f->guard, NULL) == COV_OK);
}

void fuzz_guard_close(fuzz_guard *f)
{
    cov_buf_dispose(&f->res.body);
    cov_kv_close(f->kv);
    cov_arena_free(f->arena);
    fake_host_dispose(&f->fake);
}

void fuzz_guard_request(fuzz_guard *f, cov_str path, cov_str body)
{
    size_t mark = cov_str_find(path, '?', 0);

    cov_buf_clear(&f->res.body, 0);
    f->res.status = 0;
    f->res.n_headers = 0;
    cov_error_init(&f->err, f->arena);
    f->req = (cov_request){ .method = COV_POST,
                            .method_name = COV_STR("POST"),
                            .path = cov_str_slice(path, 0, mark),
                            .query = cov_str_slice(path, mark + 1, path.len),
                            .headers = f->headers,
                            .body = body,
                            .peer_address = COV_STR("192.0.2.1") };
    f->g = (cov_guarded){ .guard = f->guard,
                          .req = &f->req,
                          .res = &f->res,
                          .arena = f->arena,
                          .client = { .address = COV_STR("192.0.2.1"),
                                      .network = COV_STR("192.0.2.1") } };
}

void fuzz_guard_header(fuzz_guard *f, const char *name, cov_str value)
{
    cov_header *header = &f->headers[f->req.n_headers];

    if (f->req.n_headers == FUZZ_GUARD_HEADERS)
        return;
    header->name = cov_str_from(name);
    header->value = value;
    f->req.n_headers++;
}

cov_str fuzz_line(cov_str *rest)
{
    size_t end = cov_str_find(*rest, '\n', 0);
    cov_str line = cov_str_slice(*rest, 0, end);

    *rest = cov_str_slice(*rest, end + (end < rest->len), rest->len);
    return line;
}
