/* SPDX-License-Identifier: MIT */
/*
 * PEM to keys, with a cache.
 *
 * DESIGN: parsing a PEM costs as much as a signature, and the same few keys are used for every token. So the last
 * 64 keys of the process are kept, found by a hash of the text and a comparison of all of it. What a key is
 * good for is decided once, when it is parsed. A text that is no key is not kept: only a mistake in the
 * configuration or a provider's broken key set leads to one, and neither may push good keys out.
 */
#define _GNU_SOURCE
#include "host/native/keys.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/map.h"

enum {
    CACHE_SIZE = 64,
    PEM_MAX_BYTES = 16 * 1024, /* a private RSA key of 8192 bits has 6.4 KiB */
    RSA_MIN_BITS = 2048
};

/*
 * Counted here and not with EVP_PKEY_up_ref: in a library that was built without it ThreadSanitizer sees no counter,
 * and would take the last release for a race.
 */
struct cov__key {
    atomic_uint refs;
    uint64_t used_at; /* under lock */
    uint64_t hash;
    char *pem;
    size_t len;
    bool is_private;
    uint32_t fits; /* bit `alg` is set: a key for it */
    EVP_PKEY *pkey;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    uint64_t clock;
    cov__key *keys[CACHE_SIZE]; /* NULL: free */
} cache;                        /* under lock */

static const struct {
    const char *curve; /* OpenSSL's name; NULL: RSA */
    size_t coordinate_bytes;
} needs[COV_SIGNATURES] = {
    [COV_ES256] = { "prime256v1", 32 },
    [COV_ES384] = { "secp384r1", 48 },
    [COV_ES512] = { "secp521r1", 66 },
};

size_t cov__key_coordinate_bytes(cov_signature alg)
{
    return needs[alg].coordinate_bytes;
}

/* ---- one key ---- */

/* OpenSSL's own would ask on the terminal for the password of an encrypted key. */
static int no_password(char *buf, int size, int rwflag, void *self)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)self;
    return -1;
}

static uint32_t fits(const EVP_PKEY *pkey)
{
    char curve[32] = "";
    size_t len = 0;
    uint32_t mask = 0;

    if (EVP_PKEY_is_a(pkey, "RSA")) {
        for (int alg = COV_RS256; alg <= COV_PS512; alg++)
            mask |= UINT32_C(1) << alg;
        return EVP_PKEY_get_bits(pkey) >= RSA_MIN_BITS ? mask : 0;
    }
    if (!EVP_PKEY_is_a(pkey, "EC") || EVP_PKEY_get_group_name(pkey, curve, sizeof curve, &len) != 1)
        return 0;
    for (int alg = COV_ES256; alg <= COV_ES512; alg++)
        if (strcmp(curve, needs[alg].curve) == 0)
            mask |= UINT32_C(1) << alg;
    return mask;
}

static EVP_PKEY *parse(cov_str pem, bool is_private)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *pkey = NULL;

    if (bio != NULL)
        pkey = is_private ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                          : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return pkey;
}

static cov_status key_new(cov_str pem, bool is_private, uint64_t hash, cov__key **out)
{
    EVP_PKEY *pkey = parse(pem, is_private);
    cov__key *key;

    if (pkey == NULL)
        return COV_EINVAL;
    key = calloc(1, sizeof *key);
    if (key == NULL || (key->pem = malloc(pem.len)) == NULL) {
        free(key);
        EVP_PKEY_free(pkey);
        return COV_ENOMEM;
    }
    atomic_init(&key->refs, 1);
    memcpy(key->pem, pem.ptr, pem.len);
    key->len = pem.len;
    key->hash = hash;
    key->is_private = is_private;
    key->pkey = pkey;
    key->fits = fits(pkey);
    *out = key;
    return COV_OK;
}

EVP_PKEY *cov__key_pkey(const cov__key *key)
{
    return key->pkey;
}

void cov__key_release(cov__key *key)
{
    if (key == NULL || atomic_fetch_sub(&key->refs, 1) != 1)
        return;
    EVP_PKEY_free(key->pkey);
    OPENSSL_cleanse(key->pem, key->len);
    free(key->pem);
    free(key);
}

/* ---- the cache ---- */

static bool is_key_of(const cov__key *key, uint64_t hash, cov_str pem, bool is_private)
{
    return key != NULL && key->hash == hash && key->is_private == is_private &&
           cov_str_eq(cov_str_of(key->pem, key->len), pem);
}

/* A reference to the cached key, or NULL. */
static cov__key *find(uint64_t hash, cov_str pem, bool is_private)
{
    cov__key *found = NULL;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; found == NULL && i < CACHE_SIZE; i++)
        if (is_key_of(cache.keys[i], hash, pem, is_private))
            found = cache.keys[i];
    if (found != NULL) {
        found->used_at = ++cache.clock;
        atomic_fetch_add(&found->refs, 1);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

/*
 * Keep the key in a free place, or in that of the least recently used. Two threads may have parsed one text at once:
 * then both are kept until the older one is the least recently used.
 */
static void keep(cov__key *key)
{
    size_t at = 0;
    cov__key *dropped;

    atomic_fetch_add(&key->refs, 1);
    pthread_mutex_lock(&lock);
    for (size_t i = 1; i < CACHE_SIZE && cache.keys[at] != NULL; i++)
        if (cache.keys[i] == NULL || cache.keys[i]->used_at < cache.keys[at]->used_at)
            at = i;
    dropped = cache.keys[at];
    cache.keys[at] = key;
    key->used_at = ++cache.clock;
    pthread_mutex_unlock(&lock);
    cov__key_release(dropped);
}

cov_status cov__key_get(cov_str pem, bool is_private, cov_signature alg, cov__key **out)
{
    uint64_t hash;
    cov__key *key;

    if ((size_t)alg >= COV_SIGNATURES || pem.len == 0 || pem.len > PEM_MAX_BYTES)
        return COV_EINVAL;
    hash = cov_hash(pem);
    key = find(hash, pem, is_private);
    if (key == NULL) {
        cov_status st = key_new(pem, is_private, hash, &key);

        if (st != COV_OK)
            return st;
        keep(key);
    }
    if ((key->fits >> alg & 1) == 0) {
        cov__key_release(key);
        return COV_EINVAL;
    }
    *out = key;
    return COV_OK;
}
