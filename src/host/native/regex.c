/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions of filters, through PCRE2, with bounded work (spec/02 section 7.4).
 *
 * DESIGN: a filter runs one pattern over many rows, so each thread keeps its last 64 compiled patterns. Limits
 * hold on both of PCRE2's engines: the match limit counts steps in compiled code too, and compiled code has
 * a stack of its own with a fixed end instead of the heap and depth limits. Reaching a limit is "no match".
 */
#define _GNU_SOURCE
#include "host/native/services.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    CACHE_SIZE = 64,
    /* About 5 ms of backtracking on today's machines; honest patterns need a few steps a byte. */
    MATCH_LIMIT = 200000,
    DEPTH_LIMIT = 20000,
    HEAP_LIMIT_KIB = 4096,
    JIT_STACK_MIN = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
    PATTERN_MAX = 64 * 1024
};

typedef struct entry {
    uint64_t hash;
    uint64_t used_at; /* 0: free */
    char *pattern;
    size_t len;
    bool ignore_case;
    pcre2_code *code; /* NULL: the pattern is invalid */
} entry;

typedef struct engine {
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
    uint64_t clock;
    entry cache[CACHE_SIZE];
} engine;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool ready;

static void entry_clear(entry *e)
{
    pcre2_code_free(e->code);
    free(e->pattern);
    memset(e, 0, sizeof *e);
}

static void engine_free(void *value)
{
    engine *self = value;

    for (size_t i = 0; i < CACHE_SIZE; i++)
        entry_clear(&self->cache[i]);
    pcre2_jit_stack_free(self->stack);
    pcre2_match_data_free(self->data);
    pcre2_match_context_free(self->match);
    pcre2_compile_context_free(self->compile);
    free(self);
}

static void set_up(void)
{
    ready = pthread_key_create(&key, engine_free) == 0;
}

static engine *engine_new(void)
{
    engine *self = calloc(1, sizeof *self);

    if (self == NULL)
        return NULL;
    self->compile = pcre2_compile_context_create(NULL);
    self->match = pcre2_match_context_create(NULL);
    self->data = pcre2_match_data_create(1, NULL);
    self->stack =
        pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL); /* NULL without JIT: fine */
    if (self->compile == NULL || self->match == NULL || self->data == NULL) {
        engine_free(self);
        return NULL;
    }
    pcre2_set_newline(self->compile, PCRE2_NEWLINE_LF);
    pcre2_set_max_pattern_length(self->compile, PATTERN_MAX);
    pcre2_set_match_limit(self->match, MATCH_LIMIT);
    pcre2_set_depth_limit(self->match, DEPTH_LIMIT);
    pcre2_set_heap_limit(self->match, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(self->match, NULL, self->stack);
    return self;
}

static engine *engine_of_thread(void)
{
    engine *self;

    if (pthread_once(&once, set_up) != 0 || !ready)
        return NULL;
    self = pthread_getspecific(key);
    if (self == NULL) {
        self = engine_new();
        if (self != NULL && pthread_setspecific(key, self) != 0) {
            engine_free(self);
            self = NULL;
        }
    }
    return self;
}

static uint64_t hash_of(cov_str pattern, bool ignore_case)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ (ignore_case ? 1 : 0); /* FNV-1a */

    for (size_t i = 0; i < pattern.len; i++)
        h = (h ^ (unsigned char)pattern.ptr[i]) * UINT64_C(1099511628211);
    return h;
}

static void entry_compile(engine *self, entry *e, cov_str pattern, bool ignore_case)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_NEVER_BACKSLASH_C | (ignore_case ? PCRE2_CASELESS : 0);
    int code;
    PCRE2_SIZE offset;

    e->code =
        pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options, &code, &offset, self->compile);
    if (e->code != NULL) /* where there is no JIT, the interpreter does it */
        (void)pcre2_jit_compile(e->code, PCRE2_JIT_COMPLETE);
}

/* The cached entry, compiled now in place of the least recently used when there is none. */
static entry *entry_of(engine *self, cov_str pattern, bool ignore_case)
{
    uint64_t hash = hash_of(pattern, ignore_case);
    entry *oldest = &self->cache[0];

    for (size_t i = 0; i < CACHE_SIZE; i++) {
        entry *e = &self->cache[i];

        if (e->used_at != 0 && e->hash == hash && e->ignore_case == ignore_case &&
            cov_str_eq(cov_str_of(e->pattern, e->len), pattern))
            return e;
        if (e->used_at < oldest->used_at)
            oldest = e;
    }
    entry_clear(oldest);
    oldest->pattern = malloc(pattern.len + 1);
    if (oldest->pattern == NULL)
        return NULL;
    memcpy(oldest->pattern, pattern.ptr, pattern.len);
    oldest->pattern[pattern.len] = '\0';
    oldest->len = pattern.len;
    oldest->hash = hash;
    oldest->ignore_case = ignore_case;
    entry_compile(self, oldest, cov_str_of(oldest->pattern, pattern.len), ignore_case);
    return oldest;
}

int cov__native_regex(void *self, cov_str pattern, bool ignore_case, cov_str text)
{
    engine *e = engine_of_thread();
    entry *found;

    (void)self;
    if (pattern.len > PATTERN_MAX)
        return -1;
    if (pattern.ptr == NULL)
        pattern = COV_STR("");
    if (text.ptr == NULL)
        text = COV_STR("");
    found = e != NULL ? entry_of(e, pattern, ignore_case) : NULL;
    if (found == NULL)
        return 0;
    found->used_at = ++e->clock;
    if (found->code == NULL)
        return -1;
    return pcre2_match(found->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, e->data, e->match) >= 0;
}
