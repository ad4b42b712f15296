/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a stored hash: whatever it asks of scrypt is within bounds, and it is accepted only when it says what
 * scrypt says. The scrypt is a stand-in that gives a fixed hash, so that a corpus can hit it.
 */
#include <stdlib.h>

#include "auth/password.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const cov_scrypt_cost standard = COV_PASSWORD_DEFAULT_COST;
static size_t n_calls;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static cov_status scrypt(void *self, cov_str password, cov_str salt, cov_scrypt_cost cost,
                         uint8_t *out, size_t len)
{
    (void)self;
    (void)password;
    n_calls++;
    require(cost.n >= 2 && (cost.n & (cost.n - 1)) == 0 && cost.r != 0 && cost.p != 0);
    require(cost.n <= (UINT64_C(64) << 20) && cost.r <= 64 && cost.p <= 64);
    require(cost.n * cost.r * 128 <= (UINT64_C(64) << 20));
    require(cost.n * cost.r * cost.p <= UINT64_C(16) * 16384 * 8);
    require(salt.len != 0 && salt.len <= 130 && len >= 16 && len <= 128);
    memset(out, 'A', len);
    return COV_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_host host = { .abi = COV_HOST_ABI, .scrypt = scrypt };
    cov_str stored = cov_str_of((const char *)data, size);
    bool accepted;

    n_calls = 0;
    accepted = cov_password_verify(&host, COV_STR("pw"), stored);
    require(n_calls <= 1 && (!accepted || n_calls == 1));
    if (accepted)
        require(cov_str_contains(stored, COV_STR("QUFBQUFBQUFB")));
    /* What is too old to parse is made anew. */
    if (!cov_password_needs_rehash(stored, standard))
        require(cov_str_starts(stored, COV_STR("scrypt$")));
    return 0;
}
