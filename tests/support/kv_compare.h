/* SPDX-License-Identifier: MIT */
/*
 * Bytes become commands, which a store and the model both run: for the property test (random bytes) and the fuzz target.
 * Every reply must be equal, and at the end both must hold the same keys.
 */
#ifndef KV_COMPARE_H
#define KV_COMPARE_H

#include "fake_host.h"
#include "kv_model.h"

/*
 * The number of commands that ran, or 0 with *difference (in `arena`) telling the command and both replies. The first byte
 * decides about a prefix. `f` moves on as the bytes have it.
 */
size_t kv_compare(const cov_kv_driver *driver, fake_host *f, cov_str bytes, cov_arena *arena,
                  cov_str *difference);

#endif
