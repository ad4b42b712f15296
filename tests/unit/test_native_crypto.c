/* SPDX-License-Identifier: MIT */
/* The native host's digests, scrypt, signatures and locks, against published vectors and another implementation's. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/encode.h"
#include "host/native/native.h"
#include "signature_vectors.h"

static const cov_host *host;

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
    cov_buf hex = COV_BUF_INIT;

    cov_hex(&hex, bytes, len);
    cov_buf_char(&hex, '\0');
    assert_false(hex.failed);
    assert_string_equal(hex.ptr, expected);
    cov_buf_dispose(&hex);
}

/* `out` holds the bytes that `hex` stands for; returns them. */
static cov_str from_hex(const char *hex, char *out)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++)
        out[i] = (char)(cov_hex_value(hex[2 * i]) * 16 + cov_hex_value(hex[2 * i + 1]));
    return cov_str_of(out, len);
}

/* ---- digests ---- */

static void digest__of_the_standards(void **state)
{
    static const struct {
        cov_digest alg;
        size_t len;
        const char *abc; /* RFC 1321; FIPS 180-4 */
        const char *empty;
    } rows[] = {
        { COV_MD5, COV_MD5_BYTES, "900150983cd24fb0d6963f7d28e17f72",
          "d41d8cd98f00b204e9800998ecf8427e" },
        { COV_SHA1, COV_SHA1_BYTES, "a9993e364706816aba3e25717850c26c9cd0d89d",
          "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
        { COV_SHA256, COV_SHA256_BYTES,
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { COV_SHA384, COV_SHA384_BYTES,
          "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
          "8086072ba1e7cc2358baeca134c825a7",
          "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
          "274edebfe76f65fbd51ad2f14898b95b" },
        { COV_SHA512, COV_SHA512_BYTES,
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
          "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
          "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
    };
    uint8_t out[COV_DIGEST_MAX_BYTES];

    (void)state;
    for (int round = 0; round < 2; round++) /* the second with the kept contexts */
        for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
            assert_int_equal(host->digest(host->self, rows[i].alg, COV_STR("abc"), out), COV_OK);
            assert_hex(out, rows[i].len, rows[i].abc);
            assert_int_equal(host->digest(host->self, rows[i].alg, COV_STR_NULL, out), COV_OK);
            assert_hex(out, rows[i].len, rows[i].empty);
        }
    assert_int_equal(host->digest(host->self, (cov_digest)(COV_SHA512 + 1), COV_STR("abc"), out),
                     COV_EINTERNAL);
}

#define TEN(x) x x x x x x x x x x
#define AA_131 TEN(TEN("\xaa")) TEN("\xaa") TEN("\xaa") TEN("\xaa") "\xaa"

/* RFC 4231; cases 6 and 7 have a key longer than the block of every digest. */
static const struct {
    cov_str key;
    cov_str data;
    const char *sha256;
    const char *sha384;
    const char *sha512;
} rfc4231[] = {
    { COV_STR_INIT(TEN("\x0b") TEN("\x0b")), COV_STR_INIT("Hi There"),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
      "faea9ea9076ede7f4af152e8b2fa9cb6",
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
      "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
    { COV_STR_INIT("Jefe"), COV_STR_INIT("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
      "8e2240ca5e69e2c78b3239ecfab21649",
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
      "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
    { COV_STR_INIT(AA_131), COV_STR_INIT("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
      "0c2ef6ab4030fe8296248df163f44952",
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
      "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
    { COV_STR_INIT(AA_131),
      COV_STR_INIT("This is a test using a larger than block-size key and a larger than "
                   "block-size data. The key needs to be hashed before being used by the HMAC "
                   "algorithm."),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
      "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5"
      "a678cc31e799176d3860e6110c46523e",
      "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
      "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58" },
};

static void hmac__of_rfc_4231(void **state)
{
    uint8_t out[COV_DIGEST_MAX_BYTES];

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rfc4231); i++) {
        cov_str key = rfc4231[i].key;
        cov_str data = rfc4231[i].data;

        assert_int_equal(host->hmac(host->self, COV_SHA256, key, data, out), COV_OK);
        assert_hex(out, COV_SHA256_BYTES, rfc4231[i].sha256);
        assert_int_equal(host->hmac(host->self, COV_SHA384, key, data, out), COV_OK);
        assert_hex(out, COV_SHA384_BYTES, rfc4231[i].sha384);
        assert_int_equal(host->hmac(host->self, COV_SHA512, key, data, out), COV_OK);
        assert_hex(out, COV_SHA512_BYTES, rfc4231[i].sha512);
    }
    /* RFC 2202, case 2 */
    assert_int_equal(host->hmac(host->self, COV_SHA1, rfc4231[1].key, rfc4231[1].data, out),
                     COV_OK);
    assert_hex(out, COV_SHA1_BYTES, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

/* ---- scrypt ---- */

static void scrypt__of_rfc_7914(void **state)
{
    static const struct {
        cov_str password;
        cov_str salt;
        cov_scrypt_cost cost;
        const char *expected;
    } rows[] = {
        { COV_STR_INIT(""),
          COV_STR_INIT(""),
          { 16, 1, 1 },
          "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
          "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906" },
        { COV_STR_INIT("password"),
          COV_STR_INIT("NaCl"),
          { 1024, 8, 16 },
          "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
          "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640" },
        { COV_STR_INIT("pleaseletmein"),
          COV_STR_INIT("SodiumChloride"),
          { 16384, 8, 1 },
          "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
          "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887" },
    };
    uint8_t out[64];

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        assert_int_equal(host->scrypt(host->self, rows[i].password, rows[i].salt, rows[i].cost, out,
                                      sizeof out),
                         COV_OK);
        assert_hex(out, sizeof out, rows[i].expected);
    }
    assert_int_equal(host->scrypt(host->self, COV_STR_NULL, COV_STR_NULL, rows[0].cost, out,
                                  sizeof out),
                     COV_OK);
    assert_hex(out, sizeof out, rows[0].expected);
}

static void scrypt__refuses_costs_that_are_none(void **state)
{
    static const cov_scrypt_cost rows[] = {
        { 0, 8, 1 },
        { 1, 8, 1 },
        { 3, 8, 1 },
        { 16383, 8, 1 },
        { 16384, 0, 1 },
        { 16384, 8, 0 },
        { UINT64_C(1) << 20, 8, 1 }, /* 1 GiB */
        { UINT64_C(1) << 63, 8, 1 }, /* the product wraps around */
        { 2, UINT32_C(1) << 31, 1 }, /* the product wraps around where it is of 32 bits */
        { 2, UINT32_MAX, UINT32_MAX },
        { 16, 1, UINT32_C(1) << 23 }, /* 1 GiB of blocks */
    };
    uint8_t out[64] = { 7 };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_status st =
            host->scrypt(host->self, COV_STR("p"), COV_STR("s"), rows[i], out, sizeof out);

        if (st != COV_EINVAL)
            fail_msg("row %zu: %s", i, cov_status_name(st));
    }
    assert_int_equal(host->scrypt(host->self, COV_STR("p"), COV_STR("s"),
                                  (cov_scrypt_cost){ 16, 1, 1 }, out, 0),
                     COV_EINVAL);
    assert_int_equal(out[0], 7);
}

/* ---- signatures ---- */

static const struct {
    cov_signature alg;
    const char *name;
    const char *private_pem;
    const char *public_pem;
    const char *hex;
} kinds[] = {
    { COV_RS256, "RS256", RSA_2048_PRIVATE, RSA_2048_PUBLIC, RS256_HEX },
    { COV_RS384, "RS384", RSA_2048_PRIVATE, RSA_2048_PUBLIC, RS384_HEX },
    { COV_RS512, "RS512", RSA_2048_PRIVATE, RSA_2048_PUBLIC, RS512_HEX },
    { COV_PS256, "PS256", RSA_2048_PRIVATE, RSA_2048_PUBLIC, PS256_HEX },
    { COV_PS384, "PS384", RSA_2048_PRIVATE, RSA_2048_PUBLIC, PS384_HEX },
    { COV_PS512, "PS512", RSA_2048_PRIVATE, RSA_2048_PUBLIC, PS512_HEX },
    { COV_ES256, "ES256", P_256_PRIVATE, P_256_PUBLIC, ES256_HEX },
    { COV_ES384, "ES384", P_384_PRIVATE, P_384_PUBLIC, ES384_HEX },
    { COV_ES512, "ES512", P_521_PRIVATE, P_521_PUBLIC, ES512_HEX },
};

static int verify(cov_signature alg, const char *pem, cov_str data, cov_str signature)
{
    return host->verify(host->self, alg, cov_str_from(pem), data, signature);
}

static cov_status sign(cov_signature alg, const char *pem, cov_str data, cov_buf *out)
{
    return host->sign(host->self, alg, cov_str_from(pem), data, out);
}

/* Every algorithm takes what Node.js signed with it, and nothing that it signed with another. */
static void verify__of_another_implementation(void **state)
{
    char bytes[512];

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(kinds); i++) {
        cov_str signature = from_hex(kinds[i].hex, bytes);

        for (size_t j = 0; j < COV_COUNT_OF(kinds); j++) {
            bool same_key = kinds[i].public_pem == kinds[j].public_pem ||
                            strcmp(kinds[i].public_pem, kinds[j].public_pem) == 0;
            int expected = !same_key ? -1 : i == j ? 1 : 0;
            int got = verify(kinds[j].alg, kinds[i].public_pem, COV_STR(SIGNED_TEXT), signature);

            if (got != expected)
                fail_msg("%s of %s: %d", kinds[j].name, kinds[i].name, got);
        }
    }
}

static void verify__refuses_what_was_changed(void **state)
{
    char bytes[512];

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(kinds); i++) {
        cov_str signature = from_hex(kinds[i].hex, bytes);
        const char *pem = kinds[i].public_pem;

        assert_int_equal(verify(kinds[i].alg, pem, COV_STR(SIGNED_TEXT "."), signature), 0);
        assert_int_equal(verify(kinds[i].alg, pem, COV_STR_NULL, signature), 0);
        assert_int_equal(verify(kinds[i].alg, pem, COV_STR(SIGNED_TEXT), COV_STR_NULL), 0);
        for (size_t at = 0; at < signature.len; at += 31) {
            bytes[at] ^= 1;
            assert_int_equal(verify(kinds[i].alg, pem, COV_STR(SIGNED_TEXT), signature), 0);
            bytes[at] ^= 1;
        }
        for (size_t cut = 1; cut < 40; cut++)
            assert_int_equal(verify(kinds[i].alg, pem, COV_STR(SIGNED_TEXT),
                                    cov_str_slice(signature, 0, signature.len - cut)),
                             0);
        bytes[signature.len] = 0; /* one byte more */
        assert_int_equal(verify(kinds[i].alg, pem, COV_STR(SIGNED_TEXT),
                                cov_str_of(bytes, signature.len + 1)),
                         0);
        memset(bytes, 0, sizeof bytes); /* R = S = 0 is "valid" for a careless verifier */
        assert_int_equal(verify(kinds[i].alg, pem, COV_STR(SIGNED_TEXT), signature), 0);
        assert_int_equal(verify(kinds[i].alg, pem, COV_STR(SIGNED_TEXT),
                                from_hex(kinds[i].hex, bytes)),
                         1);
    }
}

static void verify__refuses_other_forms(void **state)
{
    char bytes[512];

    (void)state;
    assert_int_equal(verify(COV_ES256, P_256_PUBLIC, COV_STR(SIGNED_TEXT),
                            from_hex(ES256_DER_HEX, bytes)),
                     0);
    assert_int_equal(verify(COV_PS256, RSA_2048_PUBLIC, COV_STR(SIGNED_TEXT),
                            from_hex(PS256_LONG_SALT_HEX, bytes)),
                     0);
}

static void sign__round_trips(void **state)
{
    static const cov_str texts[] = { COV_STR_INIT(SIGNED_TEXT), COV_STR_INIT(""),
                                     COV_STR_INIT("a\0b") };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(kinds); i++)
        for (size_t j = 0; j < COV_COUNT_OF(texts); j++) {
            cov_buf out = COV_BUF_INIT;
            cov_str made;

            COV_BUF_LIT(&out, "kept");
            assert_int_equal(sign(kinds[i].alg, kinds[i].private_pem, texts[j], &out), COV_OK);
            assert_memory_equal(out.ptr, "kept", 4);
            made = cov_str_slice(cov_buf_view(&out), 4, out.len);
            assert_int_equal(made.len, strlen(kinds[i].hex) / 2);
            assert_int_equal(verify(kinds[i].alg, kinds[i].public_pem, texts[j], made), 1);
            cov_buf_dispose(&out);
        }
}

/* RSASSA-PKCS1-v1_5 is deterministic, so the very bytes of the other implementation. */
static void sign__rs_is_the_same_everywhere(void **state)
{
    cov_buf out = COV_BUF_INIT;

    (void)state;
    assert_int_equal(sign(COV_RS256, RSA_2048_PRIVATE, COV_STR(SIGNED_TEXT), &out), COV_OK);
    assert_hex((const uint8_t *)out.ptr, out.len, RS256_HEX);
    cov_buf_clear(&out, 0);
    assert_int_equal(sign(COV_RS256, RSA_2048_PKCS1, COV_STR(SIGNED_TEXT), &out), COV_OK);
    assert_hex((const uint8_t *)out.ptr, out.len, RS256_HEX);
    cov_buf_clear(&out, 0);
    assert_int_equal(sign(COV_ES256, P_256_SEC1, COV_STR(SIGNED_TEXT), &out), COV_OK);
    assert_int_equal(verify(COV_ES256, P_256_PUBLIC, COV_STR(SIGNED_TEXT), cov_buf_view(&out)), 1);
    cov_buf_dispose(&out);
}

/* R or S with leading zeros keeps its width; one signature in 128 has one. */
static void sign__es_has_a_fixed_width(void **state)
{
    bool padded = false;

    (void)state;
    for (int i = 0; i < 5000 && !padded; i++) {
        cov_buf out = COV_BUF_INIT;

        assert_int_equal(sign(COV_ES256, P_256_PRIVATE, COV_STR("x"), &out), COV_OK);
        assert_int_equal(out.len, 64);
        padded = out.ptr[0] == 0 || out.ptr[32] == 0;
        if (padded)
            assert_int_equal(verify(COV_ES256, P_256_PUBLIC, COV_STR("x"), cov_buf_view(&out)), 1);
        cov_buf_dispose(&out);
    }
    assert_true(padded);
}

static void keys__must_fit_the_algorithm(void **state)
{
    static char large[20000];
    const struct {
        cov_signature alg;
        const char *private_pem;
        const char *public_pem;
    } rows[] = {
        { COV_RS256, RSA_1024_PRIVATE, RSA_1024_PUBLIC },
        { COV_PS512, RSA_1024_PRIVATE, RSA_1024_PUBLIC },
        { COV_RS256, P_256_PRIVATE, P_256_PUBLIC },
        { COV_PS256, P_256_PRIVATE, P_256_PUBLIC },
        { COV_ES256, RSA_2048_PRIVATE, RSA_2048_PUBLIC },
        { COV_ES256, P_384_PRIVATE, P_384_PUBLIC },
        { COV_ES384, P_521_PRIVATE, P_521_PUBLIC },
        { COV_ES512, P_256_PRIVATE, P_256_PUBLIC },
        { COV_ES256, ED_25519_PRIVATE, ED_25519_PUBLIC },
        { COV_RS256, RSA_2048_PUBLIC, RSA_2048_PRIVATE }, /* the wrong one of the pair */
        { COV_RS256, RSA_2048_ENCRYPTED, "" },
        { COV_RS256, "", "-----BEGIN PUBLIC KEY-----" },
        { COV_RS256, "garbage", "garbage" },
        { COV_ES256, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
          "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" },
        { COV_RS256, large, large },
        { (cov_signature)(COV_ES512 + 1), RSA_2048_PRIVATE, RSA_2048_PUBLIC },
    };
    cov_buf out = COV_BUF_INIT;

    (void)state;
    memset(large, 'A', sizeof large - 1);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
            int verified = verify(rows[i].alg, rows[i].public_pem, COV_STR("x"), COV_STR("x"));
            cov_status st = sign(rows[i].alg, rows[i].private_pem, COV_STR("x"), &out);

            if (verified != -1 || st != COV_EINVAL)
                fail_msg("row %zu: %d, %s", i, verified, cov_status_name(st));
        }
    assert_int_equal(out.len, 0);
    cov_buf_dispose(&out);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 150, TEXTS = 100 };

typedef struct worker {
    pthread_t thread;
    unsigned seed;
    int failures;
} worker;

/* More texts than the cache has places: the same key with as many line breaks behind it. */
static void *verify_all(void *arg)
{
    worker *w = arg;
    char bytes[512];
    char pem[1024];

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned at = i * (w->seed * 2 + 1) % TEXTS;
        size_t kind = at % 2 == 0 ? 0 : 6;
        cov_str signature = from_hex(kinds[kind].hex, bytes);
        size_t len = strlen(kinds[kind].public_pem);

        memcpy(pem, kinds[kind].public_pem, len);
        memset(pem + len, '\n', at);
        if (host->verify(host->self, kinds[kind].alg, cov_str_of(pem, len + at),
                         COV_STR(SIGNED_TEXT), signature) != 1)
            w->failures++;
        bytes[7] ^= 1;
        if (host->verify(host->self, kinds[kind].alg, cov_str_of(pem, len + at),
                         COV_STR(SIGNED_TEXT), signature) != 0)
            w->failures++;
    }
    return NULL;
}

static void keys__are_shared_between_threads(void **state)
{
    worker workers[THREADS] = { 0 };

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].seed = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, verify_all, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].failures, 0);
    }
}

static struct {
    void *lock;
    long n; /* under lock */
} counter;

static void *count(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        cov_host_lock(host, counter.lock);
        counter.n++;
        cov_host_unlock(host, counter.lock);
    }
    return arg;
}

static void lock__excludes(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    counter.lock = host->lock_new(host->self);
    assert_non_null(counter.lock);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counter.n, THREADS * 20000);
    host->lock_free(host->self, counter.lock);
    host->lock_free(host->self, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest__of_the_standards),
        cmocka_unit_test(hmac__of_rfc_4231),
        cmocka_unit_test(scrypt__of_rfc_7914),
        cmocka_unit_test(scrypt__refuses_costs_that_are_none),
        cmocka_unit_test(verify__of_another_implementation),
        cmocka_unit_test(verify__refuses_what_was_changed),
        cmocka_unit_test(verify__refuses_other_forms),
        cmocka_unit_test(sign__round_trips),
        cmocka_unit_test(sign__rs_is_the_same_everywhere),
        cmocka_unit_test(sign__es_has_a_fixed_width),
        cmocka_unit_test(keys__must_fit_the_algorithm),
        cmocka_unit_test(keys__are_shared_between_threads),
        cmocka_unit_test(lock__excludes),
    };

    host = cov_native_host();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
