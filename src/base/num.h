/* SPDX-License-Identifier: MIT */
/* base/num.h - decimal text to numbers. Whole input only, no surrounding space, never the locale. */
#ifndef COV_BASE_NUM_H
#define COV_BASE_NUM_H

#include "covara/str.h"

/* [+-]digits within int64; anything else is false. */
bool cov_parse_i64(cov_str s, int64_t *out);
/* [+-]digits[.digits][(e|E)[+-]digits] with a digit somewhere in the mantissa; overflow gives +-infinity. */
bool cov_parse_double(cov_str s, double *out);
/* Compare an integer with a double exactly (no rounding of either): <0, 0, >0. `b` is not NaN. */
int cov_compare_int_double(int64_t a, double b);
/* Towards zero; what int64 cannot hold becomes the nearest that it can, NaN becomes 0. */
int64_t cov_double_to_i64(double value);

#endif
