/* SPDX-License-Identifier: MIT */
/*
 * Idempotency keys. Lines: the key, the user, the path; the rest is body, answer, and what somebody else stored. A request
 * that ran is answered the same when it comes again; damaged entries in the store count as nothing.
 */
#include "base/json.h"
#include "fuzz_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static cov_status begin(fuzz_guard *f, cov_str key, cov_str user, cov_str path, cov_str body,
                        cov_idempotency *out)
{
    memset(out, 0, sizeof *out);
    fuzz_guard_request(f, path, body);
    fuzz_guard_header(f, "Idempotency-Key", key);
    f->g.user_id = user;
    return cov_idempotency_begin(&f->g, out, &f->err);
}

/* Whether the answer is JSON, and not as deep as JSON may be: it is stored within an object. */
static bool finish(fuzz_guard *f, cov_idempotency *key, cov_str answer)
{
    cov_buf within = COV_BUF_IN(f->arena);
    yyjson_val *value = NULL;

    f->res.status = 201;
    cov_response_header(&f->res, COV_STR("Content-Type"), COV_STR("application/json"));
    cov_response_header(&f->res, COV_STR("ETag"), answer);
    cov_buf_str(&f->res.body, answer);
    cov_idempotency_finish(&f->g, key);
    fuzz_require(key->state == COV_IDEMPOTENCY_NONE);
    if (cov_json_read(f->arena, answer, &value, NULL) != COV_OK)
        return false;
    COV_BUF_LIT(&within, "[");
    cov_json_value(&within, value);
    COV_BUF_LIT(&within, "]");
    return cov_json_read(f->arena, cov_buf_view(&within), &value, NULL) == COV_OK;
}

static void run_twice(fuzz_guard *f, cov_str key, cov_str user, cov_str path, cov_str body)
{
    cov_idempotency first;
    cov_idempotency second;
    cov_status st = begin(f, key, user, path, body, &first);

    if (st == COV_EIDEMKEY || first.state == COV_IDEMPOTENCY_NONE)
        return;
    fuzz_require(st == COV_OK && first.state == COV_IDEMPOTENCY_CLAIMED);
    fuzz_require(begin(f, key, user, path, body, &second) == COV_EINPROGRESS);
    fuzz_guard_request(f, path, body);
    if (!finish(f, &first, body)) {
        fuzz_require(begin(f, key, user, path, body, &second) == COV_OK);
        fuzz_require(second.state == COV_IDEMPOTENCY_CLAIMED);
        cov_idempotency_abandon(&f->g, &second);
        return;
    }
    fuzz_require(begin(f, key, user, path, body, &second) == COV_OK);
    fuzz_require(second.state == COV_IDEMPOTENCY_REPLAYED && f->res.status == 201);
    fuzz_require(begin(f, key, user, path, COV_STR("\"other\""), &second) == COV_EIDEMPOTENCY ||
                 cov_str_contains(body, COV_STR("other")) ||
                 cov_str_contains(body, COV_STR("\\u")));
}

static void read_foreign(fuzz_guard *f, cov_str stored)
{
    cov_idempotency key;
    cov_status st;

    fuzz_require(cov_kv_set(f->kv, f->arena, COV_STR("idempotency:foreign:k"), stored, 0, false,
                            NULL, NULL) == COV_OK);
    st = begin(f, COV_STR("k"), COV_STR("foreign"), COV_STR("/"), COV_STR(""), &key);
    fuzz_require(st == COV_OK || st == COV_EIDEMPOTENCY);
    cov_idempotency_abandon(&f->g, &key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_str rest = cov_str_of((const char *)data, size);
    cov_str key = fuzz_line(&rest);
    cov_str user = fuzz_line(&rest);
    cov_str path = fuzz_line(&rest);
    fuzz_guard f;

    fuzz_guard_open(&f);
    f.config.idempotency.validate_key = size % 2 == 0;
    run_twice(&f, key, user.len != 0 ? user : COV_STR_NULL, path, rest);
    f.config.idempotency.validate_key = false;
    read_foreign(&f, rest);
    fuzz_guard_close(&f);
    return 0;
}
