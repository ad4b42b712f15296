/* SPDX-License-Identifier: MIT */
/* auth/equal.h - comparing secrets in a time that does not tell where they differ. */
#ifndef COV_AUTH_EQUAL_H
#define COV_AUTH_EQUAL_H

#include "covara/str.h"

/* Only the lengths may show in the time taken: those of tokens, digests and codes are public. */
static inline bool cov_secret_eq(cov_str a, cov_str b)
{
    /* Volatile, so that no compiler stops at the first difference. */
    volatile unsigned char differ = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        differ = (unsigned char)(differ | ((unsigned char)a.ptr[i] ^ (unsigned char)b.ptr[i]));
    return differ == 0;
}

#endif
