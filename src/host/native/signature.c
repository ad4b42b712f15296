/* SPDX-License-Identifier: MIT */
/* Signatures of tokens (RFC 7518): RSASSA-PKCS1-v1_5, RSASSA-PSS, and ECDSA as R || S where OpenSSL has DER. */
#define _GNU_SOURCE
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "host/native/keys.h"
#include "host/native/services.h"

/* SEQUENCE, two INTEGERs, each with a sign byte: 141 bytes for the largest curve. */
enum { DER_MAX_BYTES = 160 };

static const char *const digest_names[COV_SIGNATURES] = {
    [COV_RS256] = "SHA256", [COV_PS256] = "SHA256", [COV_ES256] = "SHA256",
    [COV_RS384] = "SHA384", [COV_PS384] = "SHA384", [COV_ES384] = "SHA384",
    [COV_RS512] = "SHA512", [COV_PS512] = "SHA512", [COV_ES512] = "SHA512",
};

typedef int init_fn(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pctx, const char *digest, OSSL_LIB_CTX *library,
                    const char *properties, EVP_PKEY *pkey, const OSSL_PARAM params[]);

/* A context for one operation, or NULL. RFC 7518 section 3.5: the salt is as long as the digest. */
static EVP_MD_CTX *start(init_fn *init, cov_signature alg, EVP_PKEY *pkey)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL; /* the digest context's */
    bool is_pss = alg >= COV_PS256 && alg <= COV_PS512;

    if (ctx == NULL || init(ctx, &pctx, digest_names[alg], NULL, NULL, pkey, NULL) != 1 ||
        (is_pss && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) <= 0 ||
                    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) <= 0))) {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

/* ---- R || S and DER ---- */

/* Bytes written to `der`; 0: `raw` is not two coordinates. */
static size_t to_der(cov_str raw, size_t coordinate_bytes, unsigned char der[DER_MAX_BYTES])
{
    const unsigned char *bytes = (const unsigned char *)raw.ptr;
    ECDSA_SIG *sig;
    BIGNUM *r;
    BIGNUM *s;
    int len = 0;

    if (raw.len != 2 * coordinate_bytes)
        return 0;
    sig = ECDSA_SIG_new();
    r = BN_bin2bn(bytes, (int)coordinate_bytes, NULL);
    s = BN_bin2bn(bytes + coordinate_bytes, (int)coordinate_bytes, NULL);
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        len = i2d_ECDSA_SIG(sig, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

static bool from_der(const unsigned char *der, size_t len, size_t coordinate_bytes,
                     unsigned char *raw)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    int bytes = (int)coordinate_bytes;
    bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, bytes) == bytes &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + bytes, bytes) == bytes;

    ECDSA_SIG_free(sig);
    return ok;
}

/* ---- sign ---- */

static bool sign_to(EVP_MD_CTX *ctx, cov_str data, unsigned char *to, size_t *len)
{
    return EVP_DigestSign(ctx, to, len, (const unsigned char *)(data.len > 0 ? data.ptr : ""),
                          data.len) == 1;
}

static cov_status sign_ecdsa(EVP_MD_CTX *ctx, cov_signature alg, cov_str data, cov_buf *out)
{
    size_t coordinate_bytes = cov__key_coordinate_bytes(alg);
    unsigned char der[DER_MAX_BYTES];
    size_t len = sizeof der;
    char *to = cov_buf_reserve(out, 2 * coordinate_bytes);

    if (to == NULL)
        return COV_ENOMEM;
    if (!sign_to(ctx, data, der, &len) ||
        !from_der(der, len, coordinate_bytes, (unsigned char *)to))
        return COV_EINTERNAL;
    out->len += 2 * coordinate_bytes;
    return COV_OK;
}

static cov_status sign_rsa(EVP_MD_CTX *ctx, const EVP_PKEY *pkey, cov_str data, cov_buf *out)
{
    size_t len = (size_t)EVP_PKEY_get_size(pkey);
    char *to = cov_buf_reserve(out, len);

    if (to == NULL)
        return COV_ENOMEM;
    if (!sign_to(ctx, data, (unsigned char *)to, &len))
        return COV_EINTERNAL;
    out->len += len;
    return COV_OK;
}

cov_status cov__native_sign(void *self, cov_signature alg, cov_str private_pem, cov_str data,
                            cov_buf *out)
{
    cov__key *key = NULL;
    cov_status st = cov__key_get(private_pem, true, alg, &key);
    EVP_MD_CTX *ctx;

    (void)self;
    if (st != COV_OK)
        return st;
    ctx = start(EVP_DigestSignInit_ex, alg, cov__key_pkey(key));
    if (ctx == NULL)
        st = COV_EINTERNAL;
    else if (cov__key_coordinate_bytes(alg) > 0)
        st = sign_ecdsa(ctx, alg, data, out);
    else
        st = sign_rsa(ctx, cov__key_pkey(key), data, out);
    EVP_MD_CTX_free(ctx);
    cov__key_release(key);
    ERR_clear_error();
    return st;
}

/* ---- verify ---- */

int cov__native_verify(void *self, cov_signature alg, cov_str public_pem, cov_str data,
                       cov_str signature)
{
    cov__key *key = NULL;
    cov_status st = cov__key_get(public_pem, false, alg, &key);
    unsigned char der[DER_MAX_BYTES];
    EVP_MD_CTX *ctx = NULL;
    bool valid;

    (void)self;
    if (st != COV_OK)
        return st == COV_EINVAL ? -1 : 0;
    if (cov__key_coordinate_bytes(alg) > 0) {
        size_t len = to_der(signature, cov__key_coordinate_bytes(alg), der);

        signature = cov_str_of((const char *)der, len);
    }
    if (signature.len > 0)
        ctx = start(EVP_DigestVerifyInit_ex, alg, cov__key_pkey(key));
    valid = ctx != NULL &&
            EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                             (const unsigned char *)(data.len > 0 ? data.ptr : ""), data.len) == 1;
    EVP_MD_CTX_free(ctx);
    cov__key_release(key);
    ERR_clear_error();
    return valid ? 1 : 0;
}
