/* SPDX-License-Identifier: MIT */
/*
 * Digests and HMAC through OpenSSL's EVP.
 *
 * DESIGN: fetching a digest and making a context both allocate and take locks, so the algorithms are
 * fetched once a process and every thread keeps one context an algorithm. HMAC is RFC 2104 over those
 * contexts: EVP_MAC would allocate for each key. What is left is one small allocation that OpenSSL 3.0 makes
 * inside EVP_DigestInit (later releases do not); short texts take about 250 ns all the same.
 */
#define _GNU_SOURCE
#include "host/native/services.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

enum { ALGORITHMS = COV_SHA512 + 1, BLOCK_MAX_BYTES = 128 };

/* `block_bytes` is the B of RFC 2104. */
static const struct {
    const char *name;
    size_t bytes;
    size_t block_bytes;
} table[ALGORITHMS] = {
    [COV_MD5] = { "MD5", COV_MD5_BYTES, 64 },
    [COV_SHA1] = { "SHA1", COV_SHA1_BYTES, 64 },
    [COV_SHA256] = { "SHA256", COV_SHA256_BYTES, 64 },
    [COV_SHA384] = { "SHA384", COV_SHA384_BYTES, BLOCK_MAX_BYTES },
    [COV_SHA512] = { "SHA512", COV_SHA512_BYTES, BLOCK_MAX_BYTES },
};

typedef struct thread_contexts {
    EVP_MD_CTX *of[ALGORITHMS];
} thread_contexts;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool ready;
static EVP_MD *algorithms[ALGORITHMS];

static void free_contexts(void *value)
{
    thread_contexts *contexts = value;

    for (size_t i = 0; i < ALGORITHMS; i++)
        EVP_MD_CTX_free(contexts->of[i]);
    free(contexts);
}

static void set_up(void)
{
    /* A FIPS provider has no MD5: that one stays NULL and fails when used. */
    for (size_t i = 0; i < ALGORITHMS; i++)
        algorithms[i] = EVP_MD_fetch(NULL, table[i].name, NULL);
    ready = pthread_key_create(&key, free_contexts) == 0;
}

static thread_contexts *contexts_of_thread(void)
{
    thread_contexts *contexts;

    if (pthread_once(&once, set_up) != 0 || !ready)
        return NULL;
    contexts = pthread_getspecific(key);
    if (contexts == NULL) {
        contexts = calloc(1, sizeof *contexts);
        if (contexts != NULL && pthread_setspecific(key, contexts) != 0) {
            free(contexts);
            contexts = NULL;
        }
    }
    return contexts;
}

/* A started context, or NULL. */
static EVP_MD_CTX *start(cov_digest alg)
{
    thread_contexts *contexts = (size_t)alg < ALGORITHMS ? contexts_of_thread() : NULL;
    EVP_MD_CTX *ctx;

    if (contexts == NULL || algorithms[alg] == NULL)
        return NULL;
    ctx = contexts->of[alg];
    if (ctx != NULL) /* NULL: the algorithm it has, whose state is reused */
        return EVP_DigestInit_ex2(ctx, NULL, NULL) == 1 ? ctx : NULL;
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL || EVP_DigestInit_ex2(ctx, algorithms[alg], NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    contexts->of[alg] = ctx;
    return ctx;
}

static bool add(EVP_MD_CTX *ctx, const void *bytes, size_t len)
{
    return len == 0 || EVP_DigestUpdate(ctx, bytes, len) == 1;
}

static bool digest_two(cov_digest alg, const void *first, size_t first_len, cov_str second,
                       uint8_t *out)
{
    EVP_MD_CTX *ctx = start(alg);
    unsigned len = 0;

    return ctx != NULL && add(ctx, first, first_len) && add(ctx, second.ptr, second.len) &&
           EVP_DigestFinal_ex(ctx, out, &len) == 1 && len == table[alg].bytes;
}

cov_status cov__native_digest(void *self, cov_digest alg, cov_str data, uint8_t *out)
{
    (void)self;
    return digest_two(alg, NULL, 0, data, out) ? COV_OK : COV_EINTERNAL;
}

cov_status cov__native_hmac(void *self, cov_digest alg, cov_str key_text, cov_str data,
                            uint8_t *out)
{
    uint8_t inner_pad[BLOCK_MAX_BYTES] = { 0 };
    uint8_t outer_pad[BLOCK_MAX_BYTES];
    uint8_t inner[COV_DIGEST_MAX_BYTES];
    size_t block;
    bool ok = true;

    (void)self;
    if ((size_t)alg >= ALGORITHMS)
        return COV_EINTERNAL;
    block = table[alg].block_bytes;
    if (key_text.len > block)
        ok = digest_two(alg, NULL, 0, key_text, inner_pad);
    else if (key_text.len > 0)
        memcpy(inner_pad, key_text.ptr, key_text.len);
    for (size_t i = 0; i < block; i++) {
        outer_pad[i] = inner_pad[i] ^ 0x5c;
        inner_pad[i] ^= 0x36;
    }
    ok = ok && digest_two(alg, inner_pad, block, data, inner) &&
         digest_two(alg, outer_pad, block, cov_str_of((const char *)inner, table[alg].bytes), out);
    OPENSSL_cleanse(inner_pad, sizeof inner_pad);
    OPENSSL_cleanse(outer_pad, sizeof outer_pad);
    return ok ? COV_OK : COV_EINTERNAL;
}
