/* SPDX-License-Identifier: MIT */
/* kv/memory/memory.h - the key-value store of one process, and of one Durable Object. Nothing survives a close. */
#ifndef COV_KV_MEMORY_H
#define COV_KV_MEMORY_H

#include "covara/kv.h"

extern const cov_kv_driver cov_memory_kv_driver;

#endif
