/* SPDX-License-Identifier: MIT */
/*
 * base/utf8.h - code points, validity and lower case of UTF-8 text.
 *
 * Invalid bytes count as one code point each (U+FFFD) wherever text is walked, so every function is
 * total. Lower case is the simple mapping of the Unicode Character Database (UnicodeData.txt field 13),
 * one code point to one (spec/02 section 7.5).
 */
#ifndef COV_BASE_UTF8_H
#define COV_BASE_UTF8_H

#include "covara/buf.h"

/* Decode the code point at s.ptr[*at] (at < len) and advance. Invalid: returns 0xFFFD, advances 1 byte. */
uint32_t cov_utf8_next(cov_str s, size_t *at);
bool cov_utf8_valid(cov_str s);
/* Number of code points. */
size_t cov_utf8_count(cov_str s);
void cov_utf8_append(cov_buf *buf, uint32_t code_point);
/* `s` with every invalid byte replaced by U+FFFD; `s` itself when it is valid. ptr NULL: out of memory. */
cov_str cov_utf8_repair(cov_arena *arena, cov_str s);
uint32_t cov_unicode_lower(uint32_t code_point);
void cov_utf8_lower(cov_buf *buf, cov_str s);

#endif
