/* SPDX-License-Identifier: MIT */
#include "base/time.h"

/*
 * DESIGN: civil-day arithmetic after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years
 * begin in March, so that the leap day is the last of its year, and 400 years are one era of 146,097 days.
 */
#define MS_PER_DAY INT64_C(86400000)
enum { DAYS_PER_ERA = 146097, EPOCH_FROM_MARCH_0000 = 719468 };

/* What the two grammars disagree about. */
typedef struct rules {
    bool any_separator; /* a space for the T */
    bool wide_years;    /* +YYYYYY */
    bool real_days;     /* no roll-over into the next month */
    int max_fraction;   /* digits */
} rules;

typedef struct reader {
    cov_str s;
    size_t at;
} reader;

static int64_t days_from_civil(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (int64_t)era * DAYS_PER_ERA + day_of_era - EPOCH_FROM_MARCH_0000;
}

/* `days` is within COV_TIME_MAX_MS, so 32 bits hold all of this. */
static void civil_from_days(int32_t days, int *year, int *month, int *day)
{
    int32_t z = days + EPOCH_FROM_MARCH_0000;
    int32_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    uint32_t doe = (uint32_t)(z - era * DAYS_PER_ERA);
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / (DAYS_PER_ERA - 1)) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint32_t from_march = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (int)yoe + era * 400 + (*month <= 2);
}

static char *put_two(char *to, uint32_t value)
{
    to[0] = (char)('0' + value / 10);
    to[1] = (char)('0' + value % 10);
    return to + 2;
}

static char *put_year(char *to, int year)
{
    uint32_t magnitude = (uint32_t)(year < 0 ? -year : year);

    if (year < 0 || year > 9999) {
        *to++ = year < 0 ? '-' : '+';
        to = put_two(to, magnitude / 10000);
    }
    to = put_two(to, magnitude / 100 % 100);
    return put_two(to, magnitude % 100);
}

static char *put_char(char *to, char c)
{
    *to = c;
    return to + 1;
}

/* An instant in parts. */
typedef struct civil {
    int32_t days; /* since 1970 */
    int year;
    int month;
    int day;
    uint32_t clock_ms; /* of the day */
} civil;

static bool take_apart(int64_t ms, civil *out)
{
    if (ms < -COV_TIME_MAX_MS || ms > COV_TIME_MAX_MS)
        return false;
    out->days = (int32_t)(ms / MS_PER_DAY - (ms % MS_PER_DAY < 0));
    out->clock_ms = (uint32_t)(ms - out->days * MS_PER_DAY);
    civil_from_days(out->days, &out->year, &out->month, &out->day);
    return true;
}

/* HH:MM:SS */
static char *put_clock(char *to, uint32_t clock_ms)
{
    to = put_two(to, clock_ms / 3600000);
    to = put_two(put_char(to, ':'), clock_ms / 60000 % 60);
    return put_two(put_char(to, ':'), clock_ms / 1000 % 60);
}

size_t cov_time_format(int64_t ms, char out[COV_TIME_TEXT_BYTES])
{
    civil at;
    char *to;

    if (!take_apart(ms, &at))
        return 0;
    to = put_year(out, at.year);
    to = put_two(put_char(to, '-'), (uint32_t)at.month);
    to = put_two(put_char(to, '-'), (uint32_t)at.day);
    to = put_clock(put_char(to, 'T'), at.clock_ms);
    to = put_char(put_char(to, '.'), (char)('0' + at.clock_ms % 1000 / 100));
    to = put_two(to, at.clock_ms % 100);
    *to++ = 'Z';
    return (size_t)(to - out);
}

static char *put_word(char *to, const char *word)
{
    while (*word != '\0')
        *to++ = *word++;
    return to;
}

bool cov_time_format_http(int64_t ms, char out[COV_TIME_HTTP_BYTES])
{
    static const char days[][6] = { "Sun, ", "Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, " };
    static const char months[][6] = { " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ",
                                      " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec " };
    civil at;
    char *to;

    if (!take_apart(ms, &at) || at.year < 0 || at.year > 9999)
        return false;
    /* Day 0 was a Thursday; the 7 makes the remainder of an earlier one positive. */
    to = put_word(out, days[(at.days % 7 + 7 + 4) % 7]);
    to = put_word(put_two(to, (uint32_t)at.day), months[at.month - 1]);
    to = put_char(put_year(to, at.year), ' ');
    put_word(put_clock(to, at.clock_ms), " GMT");
    return true;
}

static bool at_end(const reader *r)
{
    return r->at == r->s.len;
}

static bool take(reader *r, char c)
{
    if (at_end(r) || r->s.ptr[r->at] != c)
        return false;
    r->at++;
    return true;
}

/* Exactly n digits. */
static bool take_digits(reader *r, int n_digits, int *out)
{
    int value = 0;

    for (int i = 0; i < n_digits; i++, r->at++) {
        if (at_end(r) || r->s.ptr[r->at] < '0' || r->s.ptr[r->at] > '9')
            return false;
        value = value * 10 + (r->s.ptr[r->at] - '0');
    }
    *out = value;
    return true;
}

static bool take_year(reader *r, const rules *rule, int *year)
{
    bool minus = rule->wide_years && take(r, '-');

    if (!minus && !(rule->wide_years && take(r, '+')))
        return take_digits(r, 4, year);
    if (!take_digits(r, 6, year) || (minus && *year == 0))
        return false;
    if (minus)
        *year = -*year;
    return true;
}

static int days_in_month(int year, int month)
{
    if (month == 2)
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static bool take_date(reader *r, const rules *rule, int64_t *days)
{
    int year;
    int month;
    int day;

    if (!take_year(r, rule, &year) || !take(r, '-') || !take_digits(r, 2, &month) ||
        !take(r, '-') || !take_digits(r, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 ||
        day > (rule->real_days ? days_in_month(year, month) : 31))
        return false;
    *days = days_from_civil(year, month, day);
    return true;
}

/* After the point: 1 to max digits, as microseconds; what is smaller is cut. */
static bool take_fraction(reader *r, int max_digits, int *micros)
{
    int scale = 100000;
    int n = 0;

    *micros = 0;
    for (; !at_end(r) && r->s.ptr[r->at] >= '0' && r->s.ptr[r->at] <= '9'; r->at++, n++) {
        *micros += (r->s.ptr[r->at] - '0') * scale;
        scale /= 10;
    }
    return n >= 1 && n <= max_digits;
}

static bool take_clock(reader *r, const rules *rule, int64_t *ms, int *micros)
{
    int hour;
    int minute;
    int second;
    int fraction = 0;

    if (!take_digits(r, 2, &hour) || !take(r, ':') || !take_digits(r, 2, &minute) ||
        !take(r, ':') || !take_digits(r, 2, &second))
        return false;
    if (take(r, '.') && !take_fraction(r, rule->max_fraction, &fraction))
        return false;
    if (hour > 24 || minute > 59 || second > 59)
        return false;
    if (hour == 24 && (minute != 0 || second != 0 || fraction != 0))
        return false;
    *ms = ((hour * INT64_C(60) + minute) * 60 + second) * 1000 + fraction / 1000;
    *micros = fraction % 1000;
    return true;
}

/* Z, +hh:mm, +hhmm, or nothing, which means UTC. */
static bool take_offset(reader *r, int64_t *offset_ms)
{
    bool minus;
    int hours;
    int minutes;

    *offset_ms = 0;
    if (at_end(r) || take(r, 'Z'))
        return true;
    minus = take(r, '-');
    if ((!minus && !take(r, '+')) || !take_digits(r, 2, &hours))
        return false;
    take(r, ':');
    if (!take_digits(r, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_ms = (hours * INT64_C(60) + minutes) * 60000;
    if (minus)
        *offset_ms = -*offset_ms;
    return true;
}

static bool parse(cov_str s, const rules *rule, int64_t *ms, int *micros)
{
    reader r = { s, 0 };
    int64_t days;
    int64_t clock_ms = 0;
    int64_t offset_ms = 0;
    int below_ms = 0;

    if (!take_date(&r, rule, &days))
        return false;
    if (!at_end(&r)) {
        if (!take(&r, 'T') && !(rule->any_separator && take(&r, ' ')))
            return false;
        if (!take_clock(&r, rule, &clock_ms, &below_ms) || !take_offset(&r, &offset_ms) ||
            !at_end(&r))
            return false;
    }
    clock_ms += days * MS_PER_DAY - offset_ms;
    if (clock_ms < -COV_TIME_MAX_MS || clock_ms > COV_TIME_MAX_MS)
        return false;
    *ms = clock_ms;
    if (micros != NULL)
        *micros = below_ms;
    return true;
}

bool cov_time_parse_literal(cov_str s, int64_t *ms)
{
    static const rules literal = { false, false, false, 3 };

    return parse(s, &literal, ms, NULL);
}

bool cov_time_parse_iso(cov_str s, int64_t *ms, int *micros)
{
    /* Wide years, because cov_time_format writes them and cursors carry its text. */
    static const rules iso = { true, true, true, 9 };

    return parse(s, &iso, ms, micros);
}
