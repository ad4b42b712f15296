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
#include <stdlib.h>

#include "base/map.h"

enum {
    CACHE_SIZE = 64,
    PEM_MAX_BYTES = 16 * 1024, /* a private RSA key of 8192 bits has 6.4 KiB */
    RSA_MIN_BITS = 2048
};

typedef struct entry {
    uint64_t hash;
    uint64_t used_at; /* 0: free */
    char *pem;
    size_t len;
    bool is_private;
    uint32_t fits; /* bit `alg` is set: a key for it */
    EVP_PKEY *pkey;
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    uint64_t clock;
    entry entries[CACHE_SIZE];
} cache; /* under lock */

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
    if (!EVP_PKEY_is_a(pkey, "EC") ||
        EVP_PKEY_get_group_name(pkey, curve, sizeof curve, &len) != 1)
        return 0;
    for (int alg = COV_ES256; alg <= COV_ES512; alg++)
        if (strcmp(curve, needs[alg].curve) == 0)
            mask |= UINT32_C(1) << alg;
    return mask;
}

/* `e` has its text; gives it the key, NULL when the text is none. */
static void parse(entry *e)
{
    BIO *bio = BIO_new_mem_buf(e->pem, (int)e->len);

    if (bio != NULL)
        e->pkey = e->is_private ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                                : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (e->pkey != NULL)
        e->fits = fits(e->pkey);
    ERR_clear_error();
}

static void entry_clear(entry *e)
{
    EVP_PKEY_free(e->pkey);
    if (e->pem != NULL)
        OPENSSL_cleanse(e->pem, e->len);
    free(e->pem);
    memset(e, 0, sizeof *e);
}

/* ---- the cache ---- */

/* Under the lock; NULL when it is not there. */
static entry *find(uint64_t hash, cov_str pem, bool is_private)
{
    for (size_t i = 0; i < CACHE_SIZE; i++) {
        entry *e = &cache.entries[i];

        if (e->used_at != 0 && e->hash == hash && e->is_private == is_private &&
            cov_str_eq(cov_str_of(e->pem, e->len), pem))
            return e;
    }
    return NULL;
}

/* A reference for the caller, when the key is one for `alg`. */
static cov__key lend(const entry *e, cov_signature alg)
{
    cov__key key = { .st = COV_EINVAL };

    if ((e->fits >> alg & 1) != 0) {
        if (EVP_PKEY_up_ref(e->pkey) == 1)
            key = (cov__key){ .pkey = e->pkey, .st = COV_OK };
        else
            key.st = COV_EINTERNAL;
    }
    return key;
}

static bool get_cached(uint64_t hash, cov_str pem, bool is_private, cov_signature alg,
                       cov__key *key)
{
    entry *e;

    pthread_mutex_lock(&lock);
    e = find(hash, pem, is_private);
    if (e != NULL) {
        e->used_at = ++cache.clock;
        *key = lend(e, alg);
    }
    pthread_mutex_unlock(&lock);
    return e != NULL;
}

/* The entry is the cache's now, in place of the least recently used; of two threads that parsed one, one is kept. */
static void keep(entry *made)
{
    entry dropped = *made;

    pthread_mutex_lock(&lock);
    if (find(made->hash, cov_str_of(made->pem, made->len), made->is_private) == NULL) {
        entry *oldest = &cache.entries[0];

        for (size_t i = 1; i < CACHE_SIZE; i++)
            if (cache.entries[i].used_at < oldest->used_at)
                oldest = &cache.entries[i];
        dropped = *oldest;
        made->used_at = ++cache.clock;
        *oldest = *made;
    }
    pthread_mutex_unlock(&lock);
    entry_clear(&dropped);
}

cov__key cov__key_get(cov_str pem, bool is_private, cov_signature alg)
{
    cov__key key = { .st = COV_EINVAL };
    entry made = { .is_private = is_private };

    if ((size_t)alg >= COV_SIGNATURES || pem.len == 0 || pem.len > PEM_MAX_BYTES)
        return key;
    made.hash = cov_hash(pem);
    if (get_cached(made.hash, pem, is_private, alg, &key))
        return key;
    made.pem = malloc(pem.len);
    if (made.pem == NULL) {
        key.st = COV_ENOMEM;
        return key;
    }
    memcpy(made.pem, pem.ptr, pem.len);
    made.len = pem.len;
    parse(&made);
    if (made.pkey == NULL) {
        entry_clear(&made);
        return key;
    }
    key = lend(&made, alg);
    keep(&made);
    return key;
}

void cov__key_release(cov__key key)
{
    EVP_PKEY_free(key.pkey);
}
