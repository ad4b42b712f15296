/* SPDX-License-Identifier: MIT */
/* base/encode.h - base64, hexadecimal, percent-encoding, UUIDs. */
#ifndef COV_BASE_ENCODE_H
#define COV_BASE_ENCODE_H

#include "covara/buf.h"
#include "covara/host.h"

enum { COV_UUID_TEXT_BYTES = 36 };

/* RFC 4648 section 4, padded. */
void cov_base64(cov_buf *buf, cov_str bytes);
/* RFC 4648 section 5, without padding. */
void cov_base64url(cov_buf *buf, cov_str bytes);
/* Either alphabet, padding optional; any other byte, or an impossible length, gives false. */
bool cov_base64_decode(cov_buf *buf, cov_str text);
void cov_hex(cov_buf *buf, const uint8_t *bytes, size_t n_bytes);
/* 0 to 15, or -1 for any other byte. */
int cov_hex_value(char c);
/*
 * A query component (spec/02 section 1): `plus_is_space`, percent-escapes decoded leniently (an invalid
 * escape stays as it is; if the whole does not decode to UTF-8, each maximal run of escapes is decoded on
 * its own and left verbatim when it is not UTF-8). Returns `s` itself when there is nothing to decode;
 * ptr NULL: out of memory.
 */
cov_str cov_percent_decode(cov_arena *arena, cov_str s, bool plus_is_space);
/*
 * As JavaScript's decodeURIComponent, but what it would refuse (a malformed escape anywhere, a result that is not
 * UTF-8) comes back as it is. ptr NULL: out of memory.
 */
cov_str cov_percent_decode_all(cov_arena *arena, cov_str s);
/* As encodeURIComponent: all but letters, digits and -_.!~*'() of the bytes become %XX. */
void cov_percent_encode(cov_buf *buf, cov_str s);
/* One name or value of application/x-www-form-urlencoded: a space becomes +, all but letters, digits and *-._ %XX. */
void cov_form_encode(cov_buf *buf, cov_str s);
/* Random version 4 UUID (RFC 9562), lower case, not terminated. */
COV_CHECK cov_status cov_uuid(const cov_host *host, char out[COV_UUID_TEXT_BYTES]);

#endif
