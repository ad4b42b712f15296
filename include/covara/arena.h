/* SPDX-License-Identifier: MIT */
/*
 * covara/arena.h - memory that dies all at once.
 *
 * One arena a request (or an app, or a subscription). Allocation is a pointer bump; nothing is freed
 * singly. After cov_arena_reset the largest chunk is kept, so a warmed-up arena does not call malloc.
 * Under AddressSanitizer every allocation is its own malloc, so that overruns are seen.
 * Threads: one thread at a time.
 */
#ifndef COVARA_ARENA_H
#define COVARA_ARENA_H

#include "covara/str.h"

COV_BEGIN_C

typedef struct cov_arena cov_arena;

/*
 * limit_bytes  the most that may be allocated between two resets; 0 = 64 MiB. Memory comes in chunks of at least 16 KiB,
 *              or of the limit when that is less: an arena for little is little.
 * Returns NULL when out of memory. Freed with cov_arena_free.
 */
COV_CHECK cov_arena *cov_arena_new(size_t limit_bytes);
void cov_arena_free(cov_arena *arena);
/* Everything allocated before is gone; the arena may be used again. */
void cov_arena_reset(cov_arena *arena);

/* Aligned for any type. Returns NULL when out of memory or over the limit. Size 0 gives a valid pointer. */
COV_CHECK void *cov_arena_alloc(cov_arena *arena, size_t size);
/* count * size zeroed bytes; overflow of the product gives NULL. */
COV_CHECK void *cov_arena_calloc(cov_arena *arena, size_t count, size_t size);
/* A copy, followed by a NUL byte that is not counted; ptr is NULL when out of memory. */
COV_CHECK cov_str cov_arena_str(cov_arena *arena, cov_str s);
/* Formatted text; ptr is NULL when out of memory. */
COV_CHECK cov_str cov_arena_printf(cov_arena *arena, const char *format, ...) COV_PRINTF(2, 3);
/* Bytes handed out since the last reset. */
size_t cov_arena_used(const cov_arena *arena);

#define COV_NEW(arena, type) ((type *)cov_arena_calloc((arena), 1, sizeof(type)))
#define COV_NEW_ARRAY(arena, type, count) ((type *)cov_arena_calloc((arena), (count), sizeof(type)))

COV_END_C

#endif
