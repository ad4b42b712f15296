/* SPDX-License-Identifier: MIT */
/*
 * A key-value store for tests of limits and keys: a list in memory that runs the few commands they use, by the letter
 * of spec/07 and without any cleverness, and that a test can switch off.
 */
#ifndef GUARD_KV_H
#define GUARD_KV_H

#include "covara/kv.h"

extern const cov_kv_driver guard_kv_driver;

/* While down, every command fails as a server does that is not there. */
void guard_kv_set_down(cov_kv *kv, bool down);
/* What a key holds, as text: a string, or a bucket's tokens; NULL when there is none. */
const char *guard_kv_peek(cov_kv *kv, const char *key);
/* Milliseconds that a key has left, -1: forever, -2: no such key. */
int64_t guard_kv_ttl_ms(cov_kv *kv, const char *key);

#endif
