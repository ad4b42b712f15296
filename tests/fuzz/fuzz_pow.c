/* SPDX-License-Identifier: MIT */
/*
 * Proof of work with hostile headers. Lines: challenge, nonce, target; the rest is the body. What nobody signed is never a
 * solution; what was signed and is no challenge is none either; a challenge for this very request is solved once.
 */
#include "base/encode.h"
#include "fuzz_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BITS = 2 };

static bool solved(fuzz_guard *f, cov_str challenge, cov_str nonce)
{
    bool result = true;

    f->req.n_headers = 0;
    fuzz_guard_header(f, "Covara-PoW-Challenge", challenge);
    fuzz_guard_header(f, "Covara-PoW-Nonce", nonce);
    fuzz_require(cov__pow_solved(&f->g, 0, &result, &f->err) == COV_OK);
    return result;
}

/* The input as a payload that carries a good signature, which is the only way to its parser. */
static cov_str signed_payload(fuzz_guard *f, cov_str payload)
{
    cov_buf token = COV_BUF_IN(f->arena);
    uint8_t mac[COV_SHA256_BYTES];

    cov_base64url(&token, payload);
    fuzz_require(f->fake.host.hmac(f->fake.host.self, COV_SHA256, COV_STR("secret"),
                                   cov_buf_view(&token), mac) == COV_OK);
    cov_buf_char(&token, '.');
    cov_base64url(&token, cov_str_of((const char *)mac, sizeof mac));
    return cov_buf_view(&token);
}

static void solve_own(fuzz_guard *f)
{
    const cov_header *challenge;
    cov_str nonce = COV_STR_NULL;
    int tries = 0;

    fuzz_require(cov__pow_challenge(&f->g, BITS, &f->err) == COV_EPOW);
    challenge = cov_response_find(&f->res, COV_STR("Covara-PoW-Challenge"));
    fuzz_require(challenge != NULL);
    do {
        fuzz_require(tries < 1000);
        nonce = cov_arena_printf(f->arena, "%d", tries++);
    } while (!solved(f, challenge->value, nonce));
    fuzz_require(!solved(f, challenge->value, nonce));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_str rest = cov_str_of((const char *)data, size);
    cov_str whole = rest;
    cov_str challenge = fuzz_line(&rest);
    cov_str nonce = fuzz_line(&rest);
    cov_str target = fuzz_line(&rest);
    fuzz_guard f;

    fuzz_guard_open(&f);
    fuzz_guard_request(&f, target, rest);
    fuzz_require(!solved(&f, challenge, nonce));
    /* Its fingerprint would have to be that of the request, which the input cannot contain. */
    fuzz_require(!solved(&f, signed_payload(&f, challenge), nonce));
    fuzz_require(!solved(&f, signed_payload(&f, whole), nonce));
    solve_own(&f);
    fuzz_guard_close(&f);
    return 0;
}
