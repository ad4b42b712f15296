/* SPDX-License-Identifier: MIT */
#include "base/num.h"

#include <yyjson.h>

/*
 * DESIGN: a decimal is split into significant digits and a power of ten. Up to 15 digits and 22 zeros are
 * exact as doubles, and one multiplication or division rounds correctly (Clinger's fast path). The rest is
 * rewritten as "<digits>e<exponent>" for yyjson's number reader, which is correctly rounded and, unlike
 * strtod, knows no locale.
 */
enum {
    FAST_DIGITS = 15,
    FAST_ZEROS = 22,
    /*
     * 768 digits decide every halfway case; of the rest it matters only whether one is not zero. yyjson takes
     * any further digit for one that is not, so zeros must never get that far.
     */
    MAX_DIGITS = 768,
    EXPONENT_BYTES = 16
};
/* Beyond this every exponent means zero or infinity, and sums of exponents stay far from overflow. */
#define EXPONENT_CLAMP INT64_C(1000000000000)

typedef struct decimal {
    bool negative;
    bool any_digit;
    bool dropped; /* a digit other than 0 did not fit */
    size_t n_digits;
    uint64_t value; /* of the digits, while there are at most FAST_DIGITS */
    int64_t exponent;
    char digits[MAX_DIGITS + 1 + EXPONENT_BYTES];
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Skip a sign; true for minus. */
static bool take_sign(cov_str s, size_t *at)
{
    bool negative = *at < s.len && s.ptr[*at] == '-';

    if (*at < s.len && (negative || s.ptr[*at] == '+'))
        ++*at;
    return negative;
}

bool cov_parse_i64(cov_str s, int64_t *out)
{
    size_t at = 0;
    bool negative = take_sign(s, &at);
    uint64_t limit = (uint64_t)INT64_MAX + negative;
    uint64_t value = 0;

    if (at == s.len)
        return false;
    for (; at < s.len; at++) {
        uint64_t digit = (uint64_t)(unsigned char)s.ptr[at] - '0';

        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static void add_digit(decimal *d, char c, bool after_point)
{
    d->any_digit = true;
    d->exponent -= after_point;
    if (c == '0' && d->n_digits == 0)
        return;
    if (d->n_digits == MAX_DIGITS) {
        d->dropped |= c != '0';
        d->exponent++;
        return;
    }
    if (d->n_digits < FAST_DIGITS)
        d->value = d->value * 10 + (uint64_t)(c - '0');
    d->digits[d->n_digits++] = c;
}

static bool scan_exponent(cov_str s, size_t at, int64_t *out)
{
    bool negative = take_sign(s, &at);
    int64_t value = 0;

    if (at == s.len)
        return false;
    for (; at < s.len; at++) {
        if (!is_digit(s.ptr[at]))
            return false;
        if (value < EXPONENT_CLAMP)
            value = value * 10 + (s.ptr[at] - '0');
    }
    *out = negative ? -value : value;
    return true;
}

static bool scan(cov_str s, decimal *d)
{
    bool after_point = false;
    int64_t exponent = 0;
    size_t at = 0;

    d->negative = take_sign(s, &at);
    for (; at < s.len; at++) {
        if (is_digit(s.ptr[at]))
            add_digit(d, s.ptr[at], after_point);
        else if (s.ptr[at] == '.' && !after_point)
            after_point = true;
        else
            break;
    }
    if (!d->any_digit)
        return false;
    if (at < s.len) {
        if ((s.ptr[at] != 'e' && s.ptr[at] != 'E') || !scan_exponent(s, at + 1, &exponent))
            return false;
        d->exponent += exponent;
    }
    return true;
}

static double fast_value(const decimal *d)
{
    static const double powers[FAST_ZEROS + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    double value = (double)d->value;

    return d->exponent < 0 ? value / powers[-d->exponent] : value * powers[d->exponent];
}

/* Write "e<exponent>" and the terminator after the digits. */
static void terminate(decimal *d)
{
    char reversed[EXPONENT_BYTES];
    uint64_t rest = (uint64_t)(d->exponent < 0 ? -d->exponent : d->exponent);
    size_t at = d->n_digits;
    size_t n = 0;

    do {
        reversed[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    d->digits[at++] = 'e';
    if (d->exponent < 0)
        d->digits[at++] = '-';
    while (n > 0)
        d->digits[at++] = reversed[--n];
    d->digits[at] = '\0';
}

static double exact_value(decimal *d)
{
    int64_t magnitude = d->exponent + (int64_t)d->n_digits;
    yyjson_val value;

    if (magnitude > 400 || magnitude < -400)
        d->exponent = magnitude > 0 ? 9999 : -9999;
    if (d->dropped) {
        d->digits[d->n_digits++] = '1';
        d->exponent--;
    }
    terminate(d);
    if (yyjson_read_number(d->digits, &value, YYJSON_READ_ALLOW_INF_AND_NAN, NULL, NULL) == NULL)
        return 0;
    return value.uni.f64;
}

bool cov_parse_double(cov_str s, double *out)
{
    decimal d;
    double value;

    /* The digits need no clearing. */
    memset(&d, 0, offsetof(decimal, digits));
    if (!scan(s, &d))
        return false;
    if (d.n_digits == 0)
        value = 0;
    else if (d.n_digits <= FAST_DIGITS && d.exponent >= -FAST_ZEROS && d.exponent <= FAST_ZEROS)
        value = fast_value(&d);
    else
        value = exact_value(&d);
    *out = d.negative ? -value : value;
    return true;
}

int cov_compare_int_double(int64_t a, double b)
{
    int64_t whole;
    double fraction;

    if (b >= 9223372036854775808.0)
        return -1;
    if (b < -9223372036854775808.0)
        return 1;
    whole = (int64_t)b;
    if (a != whole)
        return a < whole ? -1 : 1;
    fraction = b - (double)whole;
    return fraction > 0 ? -1 : fraction < 0;
}

int64_t cov_double_to_i64(double value)
{
    const double limit = 9223372036854775808.0; /* 2^63, the first that is too large */

    if (value >= limit)
        return INT64_MAX;
    if (value <= -limit)
        return INT64_MIN;
    return value == value ? (int64_t)value : 0;
}
