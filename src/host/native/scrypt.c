/* SPDX-License-Identifier: MIT */
/* scrypt (RFC 7914) through OpenSSL, with the bounds that host.h promises checked first. */
#define _GNU_SOURCE
#include <openssl/err.h>
#include <openssl/evp.h>

#include "host/native/services.h"

/* Most memory of the big table, and, so that `p` is bounded too, of the blocks that are mixed in it. */
#define MEMORY_MAX (UINT64_C(512) * 1024 * 1024)
/* What OpenSSL counts against its limit beside those two: two rows of working space. */
#define MEMORY_EXTRA (UINT64_C(1) * 1024 * 1024)

static bool cost_is_good(cov_scrypt_cost cost)
{
    uint64_t blocks; /* of 128 * r bytes that may be had */

    if (cost.n < 2 || (cost.n & (cost.n - 1)) != 0 || cost.r == 0 || cost.p == 0)
        return false;
    blocks = MEMORY_MAX / (UINT64_C(128) * cost.r);
    return cost.n <= blocks && cost.p <= blocks;
}

cov_status cov__native_scrypt(void *self, cov_str password, cov_str salt, cov_scrypt_cost cost,
                              uint8_t *out, size_t len)
{
    unsigned long code;

    (void)self;
    if (!cost_is_good(cost) || len == 0)
        return COV_EINVAL;
    if (EVP_PBE_scrypt(password.ptr, password.len, (const unsigned char *)salt.ptr, salt.len,
                       cost.n, cost.r, cost.p, 2 * MEMORY_MAX + MEMORY_EXTRA, out, len) == 1)
        return COV_OK;
    code = ERR_peek_last_error();
    ERR_clear_error();
    return ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ? COV_ENOMEM : COV_EINTERNAL;
}
