/* SPDX-License-Identifier: MIT */
#include "auth_host.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

enum { MAX_EC_NUMBER_BYTES = 66, MAX_DER_BYTES = 160, MAX_SIGNATURE_BYTES = 1024 };

typedef struct scheme {
    const EVP_MD *(*digest)(void);
    bool pss;
    size_t ec_number_bytes; /* 0: RSA */
} scheme;

static const scheme schemes[] = {
    [COV_RS256] = { EVP_sha256, false, 0 },  [COV_RS384] = { EVP_sha384, false, 0 },
    [COV_RS512] = { EVP_sha512, false, 0 },  [COV_PS256] = { EVP_sha256, true, 0 },
    [COV_PS384] = { EVP_sha384, true, 0 },   [COV_PS512] = { EVP_sha512, true, 0 },
    [COV_ES256] = { EVP_sha256, false, 32 }, [COV_ES384] = { EVP_sha384, false, 48 },
    [COV_ES512] = { EVP_sha512, false, 66 },
};

static int64_t now_ms(void *self)
{
    return ((auth_host *)self)->now_ms;
}

static cov_status random_bytes(void *self, void *out, size_t len)
{
    auth_host *host = self;

    if (host->fail_random)
        return COV_EINTERNAL;
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)out)[i] = host->next_random++;
    return COV_OK;
}

static const EVP_MD *digest_of(cov_digest alg)
{
    switch (alg) {
    case COV_MD5:
        return EVP_md5();
    case COV_SHA1:
        return EVP_sha1();
    case COV_SHA256:
        return EVP_sha256();
    case COV_SHA384:
        return EVP_sha384();
    case COV_SHA512:
        return EVP_sha512();
    }
    return NULL;
}

static cov_status digest(void *self, cov_digest alg, cov_str data, uint8_t *out)
{
    (void)self;
    return EVP_Digest(data.ptr, data.len, out, NULL, digest_of(alg), NULL) == 1 ? COV_OK
                                                                                : COV_EINTERNAL;
}

static cov_status hmac(void *self, cov_digest alg, cov_str key, cov_str data, uint8_t *out)
{
    const unsigned char *bytes = (const unsigned char *)data.ptr;

    (void)self;
    return HMAC(digest_of(alg), key.ptr != NULL ? key.ptr : "", (int)key.len, bytes, data.len, out,
                NULL) != NULL
               ? COV_OK
               : COV_EINTERNAL;
}

static cov_status scrypt(void *self, cov_str password, cov_str salt, cov_scrypt_cost cost,
                         uint8_t *out, size_t len)
{
    auth_host *host = self;

    host->n_scrypts++;
    host->last_cost = cost;
    return EVP_PBE_scrypt(password.ptr != NULL ? password.ptr : "", password.len,
                          (const unsigned char *)salt.ptr, salt.len, cost.n, cost.r, cost.p,
                          UINT64_C(512) << 20, out, len) == 1
               ? COV_OK
               : COV_EINVAL;
}

static EVP_PKEY *read_key(cov_str pem, bool is_private, const scheme *s)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = NULL;
    int bits = (int)s->ec_number_bytes * 8;

    if (bio != NULL)
        key = is_private ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL)
                         : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (bits == 528)
        bits = 521;
    if (key != NULL && (EVP_PKEY_base_id(key) != (bits == 0 ? EVP_PKEY_RSA : EVP_PKEY_EC) ||
                        (bits == 0 ? EVP_PKEY_bits(key) < 2048 : EVP_PKEY_bits(key) != bits))) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static bool set_padding(EVP_PKEY_CTX *ctx, const scheme *s)
{
    return !s->pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
                       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
}

/* DER to R || S. */
static bool split_ec(const unsigned char *der, size_t len, size_t number_bytes, cov_buf *out)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    unsigned char raw[2 * MAX_EC_NUMBER_BYTES];
    bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)number_bytes) >= 0 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + number_bytes, (int)number_bytes) >= 0;

    if (ok)
        cov_buf_append(out, raw, 2 * number_bytes);
    ECDSA_SIG_free(sig);
    return ok;
}

static size_t join_ec(cov_str raw, unsigned char der[MAX_DER_BYTES])
{
    const unsigned char *bytes = (const unsigned char *)raw.ptr;
    int half = (int)(raw.len / 2);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    int len = -1;

    if (ECDSA_SIG_set0(sig, BN_bin2bn(bytes, half, NULL), BN_bin2bn(bytes + half, half, NULL)) == 1)
        len = i2d_ECDSA_SIG(sig, &der);
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

static cov_status sign(void *self, cov_signature alg, cov_str private_pem, cov_str data,
                       cov_buf *out)
{
    const scheme *s = &schemes[alg];
    EVP_PKEY *key = read_key(private_pem, true, s);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    unsigned char bytes[MAX_SIGNATURE_BYTES];
    size_t len = sizeof bytes;
    bool ok = key != NULL && EVP_DigestSignInit(ctx, &key_ctx, s->digest(), NULL, key) == 1 &&
              set_padding(key_ctx, s) &&
              EVP_DigestSign(ctx, bytes, &len, (const unsigned char *)data.ptr, data.len) == 1;

    (void)self;
    if (ok && s->ec_number_bytes != 0)
        ok = split_ec(bytes, len, s->ec_number_bytes, out);
    else if (ok)
        cov_buf_append(out, bytes, len);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok ? COV_OK : COV_EINVAL;
}

static int verify(void *self, cov_signature alg, cov_str public_pem, cov_str data,
                  cov_str signature)
{
    const scheme *s = &schemes[alg];
    EVP_PKEY *key = read_key(public_pem, false, s);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    unsigned char der[MAX_DER_BYTES];
    const unsigned char *bytes = (const unsigned char *)signature.ptr;
    size_t len = signature.len;
    bool ok = key != NULL;

    (void)self;
    if (ok && s->ec_number_bytes != 0) {
        ok = len == 2 * s->ec_number_bytes && (len = join_ec(signature, der)) != 0;
        bytes = der;
    }
    ok = ok && EVP_DigestVerifyInit(ctx, &key_ctx, s->digest(), NULL, key) == 1 &&
         set_padding(key_ctx, s) &&
         EVP_DigestVerify(ctx, bytes, len, (const unsigned char *)data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (key == NULL)
        return -1;
    EVP_PKEY_free(key);
    return ok;
}

void auth_host_init(auth_host *out)
{
    static const cov_host calls = {
        .abi = COV_HOST_ABI,
        .now_ms = now_ms,
        .random = random_bytes,
        .digest = digest,
        .hmac = hmac,
        .scrypt = scrypt,
        .sign = sign,
        .verify = verify,
    };

    memset(out, 0, sizeof *out);
    out->host = calls;
    out->host.self = out;
    out->now_ms = INT64_C(1700000000000);
}
