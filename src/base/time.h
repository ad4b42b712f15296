/* SPDX-License-Identifier: MIT */
/*
 * base/time.h - instants as Unix milliseconds, and their ISO 8601 text. Always UTC, years 0000-9999 in
 * four digits, others in the six-digit form (+010000-...).
 */
#ifndef COV_BASE_TIME_H
#define COV_BASE_TIME_H

#include "covara/str.h"

enum { COV_TIME_TEXT_BYTES = 32, COV_TIME_HTTP_BYTES = 29 };
/* +-8.64e15 ms, the range of an ECMAScript Date. */
#define COV_TIME_MAX_MS INT64_C(8640000000000000)

/* YYYY-MM-DDTHH:MM:SS.mmmZ; returns the length. Out of range gives 0. */
size_t cov_time_format(int64_t ms, char out[COV_TIME_TEXT_BYTES]);
/*
 * IMF-fixdate (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT", milliseconds cut. False, with `out`
 * untouched, outside the years 0 to 9999.
 */
bool cov_time_format_http(int64_t ms, char out[COV_TIME_HTTP_BYTES]);
/* A date literal of the filter language, by every rule of spec/02 section 2.5 (no offset means UTC). */
bool cov_time_parse_literal(cov_str s, int64_t *ms);
/*
 * A timestamp in a request body or cursor (spec/01 section 9.2): as above, also with a space for the T,
 * 0-9 fraction digits (cut to milliseconds, or *micros when not NULL gets the microseconds 0-999 beyond
 * them), and real calendar days only (2024-02-30 is refused).
 */
bool cov_time_parse_iso(cov_str s, int64_t *ms, int *micros);

#endif
