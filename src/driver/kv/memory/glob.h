/* SPDX-License-Identifier: MIT */
/* kv/memory/glob.h - the patterns of KEYS and SCAN. */
#ifndef COV_KV_MEMORY_GLOB_H
#define COV_KV_MEMORY_GLOB_H

#include "covara/str.h"

/*
 * Whether all of `text` matches: * any bytes, ? one byte, [a-z] and [^a-z] one of a class, \ takes the next byte as it
 * is. Bytes, not code points, as Redis has it. Takes at most pattern x text steps, whatever the pattern.
 */
bool cov__kv_glob(cov_str pattern, cov_str text);

#endif
