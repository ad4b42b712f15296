/* SPDX-License-Identifier: MIT */
#include "covara/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * DESIGN: a list of chunks, newest first; allocation bumps `used` in the newest. A reset keeps one chunk,
 * sized after what the last round needed (at most KEEP_MAX), so that steady traffic never calls malloc.
 * Under AddressSanitizer every allocation gets a chunk of its own.
 */
enum { CHUNK_MIN = 16 * 1024, KEEP_MAX = 1024 * 1024, ALIGN = alignof(max_align_t) };
#define DEFAULT_LIMIT ((size_t)64 * 1024 * 1024)

#define ONE_CHUNK_EACH COV_ADDRESS_SANITIZER

typedef struct chunk {
    struct chunk *next;
    size_t cap;
    size_t used;
} chunk;

#define CHUNK_HEADER ((sizeof(chunk) + ALIGN - 1) / ALIGN * ALIGN)

struct cov_arena {
    chunk *head;
    size_t limit;
    size_t least; /* bytes of a chunk */
    size_t used;
};

cov_arena *cov_arena_new(size_t limit_bytes)
{
    cov_arena *arena = calloc(1, sizeof *arena);

    if (arena != NULL) {
        arena->limit = limit_bytes != 0 ? limit_bytes : DEFAULT_LIMIT;
        arena->least = arena->limit < CHUNK_MIN ? arena->limit : CHUNK_MIN;
    }
    return arena;
}

static void free_chunks(chunk *c)
{
    while (c != NULL) {
        chunk *next = c->next;

        free(c);
        c = next;
    }
}

void cov_arena_free(cov_arena *arena)
{
    if (arena == NULL)
        return;
    free_chunks(arena->head);
    free(arena);
}

static chunk *chunk_new(size_t cap)
{
    chunk *c = cap <= SIZE_MAX - CHUNK_HEADER ? malloc(CHUNK_HEADER + cap) : NULL;

    if (c != NULL) {
        c->next = NULL;
        c->cap = cap;
        c->used = 0;
    }
    return c;
}

void cov_arena_reset(cov_arena *arena)
{
    chunk *head = arena->head;
    size_t used = arena->used;

    arena->used = 0;
    if (head == NULL)
        return;
    if (!ONE_CHUNK_EACH && head->next == NULL && head->cap <= KEEP_MAX) {
        head->used = 0;
        return;
    }
    free_chunks(head);
    arena->head = NULL;
    if (!ONE_CHUNK_EACH)
        arena->head = chunk_new(used + used / 2 < KEEP_MAX ? used + used / 2 : KEEP_MAX);
}

static chunk *grow(cov_arena *arena, size_t size)
{
    size_t cap = size;
    chunk *c;

    if (!ONE_CHUNK_EACH && cap < arena->least)
        cap = arena->least;
    c = chunk_new(cap);
    if (c != NULL) {
        c->next = arena->head;
        arena->head = c;
    }
    return c;
}

void *cov_arena_alloc(cov_arena *arena, size_t size)
{
    chunk *c = arena->head;
    size_t rounded;
    void *p;

    if (size > arena->limit)
        return NULL;
    rounded = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (rounded > arena->limit - arena->used)
        return NULL;
    if (ONE_CHUNK_EACH || c == NULL || c->cap - c->used < rounded) {
        /* A sanitized chunk ends exactly at `size`, so that one byte too far is seen. */
        c = grow(arena, ONE_CHUNK_EACH ? size : rounded);
        if (c == NULL)
            return NULL;
    }
    p = (char *)c + CHUNK_HEADER + c->used;
    c->used += ONE_CHUNK_EACH ? size : rounded;
    arena->used += rounded;
    return p;
}

void *cov_arena_calloc(cov_arena *arena, size_t count, size_t size)
{
    void *p;

    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    p = cov_arena_alloc(arena, count * size);
    if (p != NULL)
        memset(p, 0, count * size);
    return p;
}

cov_str cov_arena_str(cov_arena *arena, cov_str s)
{
    char *p = s.len < SIZE_MAX ? cov_arena_alloc(arena, s.len + 1) : NULL;

    if (p == NULL)
        return COV_STR_NULL;
    if (s.len != 0)
        memcpy(p, s.ptr, s.len);
    p[s.len] = '\0';
    return cov_str_of(p, s.len);
}

cov_str cov_arena_printf(cov_arena *arena, const char *format, ...)
{
    va_list args;
    int len;
    char *p;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    p = len >= 0 ? cov_arena_alloc(arena, (size_t)len + 1) : NULL;
    if (p == NULL)
        return COV_STR_NULL;
    va_start(args, format);
    vsnprintf(p, (size_t)len + 1, format, args);
    va_end(args);
    return cov_str_of(p, (size_t)len);
}

size_t cov_arena_used(const cov_arena *arena)
{
    return arena->used;
}
