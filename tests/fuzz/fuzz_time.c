/* SPDX-License-Identifier: MIT */
/*
 * The text of every instant that either grammar accepts reads back as the same instant. A literal whose day
 * exists is an instant in a body too, and the same one.
 */
#include <stdlib.h>

#include "base/num.h"
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_round_trip(int64_t ms)
{
    char text[COV_TIME_TEXT_BYTES];
    size_t len = cov_time_format(ms, text);
    int64_t again = ms + 1;
    int micros = -1;

    require(len >= 24 && len <= 27);
    require(cov_time_parse_iso(cov_str_of(text, len), &again, &micros) && again == ms &&
            micros == 0);
    again = ms + 1;
    if (len == 24)
        require(cov_time_parse_literal(cov_str_of(text, len), &again) && again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_str text = cov_str_of((const char *)data, size);
    int64_t literal = 0;
    int64_t iso = 0;
    int64_t number = 0;
    int micros = 0;
    bool is_literal = cov_time_parse_literal(text, &literal);
    bool is_iso = cov_time_parse_iso(text, &iso, &micros);

    if (is_literal)
        check_round_trip(literal);
    if (is_iso) {
        check_round_trip(iso);
        require(micros >= 0 && micros <= 999);
    }
    if (is_literal && is_iso)
        require(literal == iso);
    if (cov_parse_i64(text, &number) && number >= -COV_TIME_MAX_MS && number <= COV_TIME_MAX_MS)
        check_round_trip(number);
    return 0;
}
