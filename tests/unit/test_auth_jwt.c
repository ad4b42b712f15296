/* SPDX-License-Identifier: MIT */
/* JSON Web Tokens: the spec's example, tokens of Node's crypto, every way a token can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/jwt.h"
#include "auth_host.h"
#include "base/encode.h"
#include "jwt_vectors.h"

#define EXAMPLE                                                                                \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."                                                    \
    "eyJzdWIiOiJ1MSIsImVtYWlsIjoiYUBiLmMiLCJlbWFpbFZlcmlmaWVkIjpmYWxzZSwianRpIjoiMDAwMDAwMDAt" \
    "MDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDA5MDAsImF1" \
    "ZCI6ImF1ZDEiLCJpc3MiOiJpc3MxIn0."                                                         \
    "V9J1jtfHezm03g6j1BnoCHxGyuEpwYE4mtu-lQnn8GI"
#define IAT_S 1700000000
#define EXP_S (IAT_S + 900)

static cov_arena *arena;
static auth_host host;

static int set_up(void **state)
{
    (void)state;
    arena = cov_arena_new(0);
    auth_host_init(&host);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    cov_arena_free(arena);
    return 0;
}

static void assert_str(cov_str actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.ptr, expected, actual.len);
}

static cov_jwt_key hs256(void)
{
    cov_jwt_key key = { COV_JWT_HS256, COV_STR("s3cret"), COV_STR_NULL };

    return key;
}

static cov_jwt_claims example_claims(const cov_str *audience)
{
    cov_jwt_claims claims = {
        .sub = COV_STR("u1"),
        .email = COV_STR("a@b.c"),
        .jti = COV_STR("00000000-0000-4000-8000-000000000001"),
        .iat_s = IAT_S,
        .exp_s = EXP_S,
        .audience = { audience, 1, true },
        .issuer = COV_STR("iss1"),
    };

    return claims;
}

/* Signed with the secret of hs256(). */
static cov_str token_of(const char *header, const char *payload)
{
    cov_jwt_key key = hs256();
    cov_str token = COV_STR_NULL;

    assert_int_equal(cov_jwt_sign(&host.host, arena, &key,
                                  header != NULL ? cov_str_from(header) : COV_STR_NULL,
                                  cov_str_from(payload), &token, NULL),
                     COV_OK);
    return token;
}

static cov_jwt_verdict verify_at(cov_str token, const cov_jwt_rules *rules, int64_t now_s)
{
    cov_jwt_key key = hs256();
    const cov_json *payload = NULL;
    cov_jwt_verdict verdict =
        cov_jwt_verify(&host.host, arena, &key, rules, token, now_s * 1000 + 999, &payload);

    assert_int_equal(payload != NULL, verdict != COV_JWT_INVALID);
    return verdict;
}

static cov_jwt_verdict verify(cov_str token)
{
    static const cov_jwt_rules any = { .tolerance_s = 30 };

    return verify_at(token, &any, IAT_S);
}

static void jwt__example_of_the_spec(void **state)
{
    static const cov_str aud = COV_STR_INIT("aud1");
    cov_jwt_rules rules = { COV_STR("iss1"), COV_STR("aud1"), 30 };
    cov_jwt_claims claims = example_claims(&aud);
    cov_buf payload = COV_BUF_IN(arena);
    cov_jwt_key key = hs256();
    const cov_json *read = NULL;
    cov_str token;

    (void)state;
    cov_jwt_access_payload(&payload, &claims);
    assert_int_equal(cov_jwt_sign(&host.host, arena, &key, COV_STR_NULL, cov_buf_view(&payload),
                                  &token, NULL),
                     COV_OK);
    assert_str(token, EXAMPLE);
    assert_int_equal(cov_jwt_verify(&host.host, arena, &key, &rules, token, INT64_C(1700000000000),
                                    &read),
                     COV_JWT_VALID);
    assert_str(cov_json_text(cov_json_get(read, "sub")), "u1");
}

static void jwt__payloads_have_one_order(void **state)
{
    static const cov_str audience[] = { COV_STR_INIT("a"), COV_STR_INIT("b\"") };
    cov_jwt_claims claims = example_claims(audience);
    cov_buf payload = COV_BUF_IN(arena);

    (void)state;
    claims.audience.n = 2;
    claims.name = COV_STR("");
    claims.image = COV_STR("i");
    claims.email_verified = true;
    claims.metadata = COV_STR("{\"role\":\"x\"}");
    cov_jwt_access_payload(&payload, &claims);
    assert_str(cov_buf_view(&payload),
               "{\"sub\":\"u1\",\"email\":\"a@b.c\",\"name\":\"\",\"image\":\"i\","
               "\"emailVerified\":true,\"metadata\":{\"role\":\"x\"},"
               "\"jti\":\"00000000-0000-4000-8000-000000000001\",\"iat\":1700000000,"
               "\"exp\":1700000900,\"aud\":[\"a\",\"b\\\"\"],\"iss\":\"iss1\"}");
    cov_buf_clear(&payload, SIZE_MAX);
    cov_jwt_refresh_payload(&payload, &claims);
    assert_str(cov_buf_view(&payload),
               "{\"sub\":\"u1\",\"jti\":\"refresh:00000000-0000-4000-8000-000000000001\","
               "\"iat\":1700000000,\"exp\":1700000900,\"aud\":[\"a\",\"b\\\"\"],\"iss\":\"iss1\"}");
    claims = (cov_jwt_claims){ .sub = COV_STR("u"), .jti = COV_STR("j"), .iat_s = 1, .exp_s = 2 };
    cov_buf_clear(&payload, SIZE_MAX);
    cov_jwt_access_payload(&payload, &claims);
    assert_str(cov_buf_view(&payload),
               "{\"sub\":\"u\",\"emailVerified\":false,\"jti\":\"j\",\"iat\":1,\"exp\":2}");
    cov_buf_clear(&payload, SIZE_MAX);
    cov_jwt_refresh_payload(&payload, &claims);
    assert_str(cov_buf_view(&payload), "{\"sub\":\"u\",\"jti\":\"refresh:j\",\"iat\":1,\"exp\":2}");
}

static cov_jwt_key vector_key(size_t i)
{
    cov_jwt_key key = { COV_JWT_HS256, cov_str_from(vector_tokens[i].private_key),
                        cov_str_from(vector_tokens[i].public_key) };

    assert_true(cov_jwt_alg_of(cov_str_from(vector_tokens[i].alg), &key.alg));
    return key;
}

static void jwt__verifies_what_node_signed(void **state)
{
    cov_jwt_rules rules = { .tolerance_s = 0 };

    (void)state;
    assert_int_equal(COV_COUNT_OF(vector_tokens), COV_JWT_N_ALGS);
    for (size_t i = 0; i < COV_COUNT_OF(vector_tokens); i++) {
        const cov_json *payload = NULL;
        cov_jwt_key key = vector_key(i);
        cov_str token = cov_str_from(vector_tokens[i].token);
        cov_buf text = COV_BUF_IN(arena);

        if (cov_jwt_verify(&host.host, arena, &key, &rules, token, INT64_C(1700000000000),
                           &payload) != COV_JWT_VALID)
            fail_msg("%s", vector_tokens[i].alg);
        cov_json_value(&text, payload);
        assert_str(cov_buf_view(&text), vector_payload);
        /* Any other algorithm with the same key, however it is signed. */
        for (size_t other = 0; other < COV_JWT_N_ALGS; other++) {
            key.alg = (cov_jwt_alg)other;
            assert_int_equal(cov_jwt_verify(&host.host, arena, &key, &rules, token,
                                            INT64_C(1700000000000), &payload) == COV_JWT_VALID,
                             other == (size_t)vector_key(i).alg);
        }
    }
}

static void jwt__signs_what_it_verifies(void **state)
{
    cov_jwt_rules rules = { .tolerance_s = 0 };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(vector_tokens); i++) {
        const cov_json *payload = NULL;
        cov_jwt_key key = vector_key(i);
        cov_str token;

        assert_int_equal(cov_jwt_sign(&host.host, arena, &key, COV_STR_NULL,
                                      cov_str_from(vector_payload), &token, NULL),
                         COV_OK);
        assert_int_equal(cov_jwt_verify(&host.host, arena, &key, &rules, token,
                                        INT64_C(1700000000000), &payload),
                         COV_JWT_VALID);
        /* HMAC and PKCS #1 have one signature for one text. */
        if (vector_tokens[i].alg[0] == 'H' || vector_tokens[i].alg[0] == 'R')
            assert_str(token, vector_tokens[i].token);
    }
}

static void jwt__any_changed_character_is_noticed(void **state)
{
    static const char alphabet[] = "AQgwZz09-_.=+/ ";
    char token[sizeof EXAMPLE];

    (void)state;
    for (size_t i = 0; i < sizeof token - 1; i++) {
        for (size_t j = 0; j < sizeof alphabet - 1; j++) {
            memcpy(token, EXAMPLE, sizeof token);
            if (token[i] == alphabet[j])
                continue;
            token[i] = alphabet[j];
            if (verify(cov_str_of(token, sizeof token - 1)) != COV_JWT_INVALID)
                fail_msg("%s", token);
        }
        assert_int_equal(verify(cov_str_of(EXAMPLE, i)), COV_JWT_INVALID);
    }
    assert_int_equal(verify(COV_STR(EXAMPLE)), COV_JWT_VALID);
}

static void jwt__other_texts_are_none(void **state)
{
    static const cov_str rows[] = {
        COV_STR_INIT(""),           COV_STR_INIT("."),
        COV_STR_INIT(".."),         COV_STR_INIT("..."),
        COV_STR_INIT("a.b"),        COV_STR_INIT("a.b.c.d"),
        COV_STR_INIT(EXAMPLE "."),  COV_STR_INIT(EXAMPLE ".a"),
        COV_STR_INIT(EXAMPLE "="),  COV_STR_INIT(" " EXAMPLE),
        COV_STR_INIT(EXAMPLE "\n"), COV_STR_INIT(EXAMPLE "\0"),
        COV_STR_INIT("." EXAMPLE),  { NULL, 0 },
    };
    char large[COV_JWT_MAX_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_int_equal(verify(rows[i]), COV_JWT_INVALID);
    memset(large, '.', sizeof large);
    assert_int_equal(verify(cov_str_of(large, sizeof large)), COV_JWT_INVALID);
}

static void jwt__headers_say_one_thing(void **state)
{
    static const struct {
        const char *header;
        cov_jwt_verdict verdict;
    } rows[] = {
        { "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", COV_JWT_VALID },
        { "{\"typ\":\"jwt\",\"alg\":\"HS256\",\"kid\":\"k\"}", COV_JWT_VALID },
        { "{\"alg\":\"HS256\"}", COV_JWT_VALID },
        { "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", COV_JWT_INVALID },
        { "{\"alg\":\"HS256\",\"typ\":null}", COV_JWT_INVALID },
        { "{\"alg\":\"HS256\",\"typ\":[\"JWT\"]}", COV_JWT_INVALID },
        { "{\"alg\":\"hs256\"}", COV_JWT_INVALID },
        { "{\"alg\":\"HS512\"}", COV_JWT_INVALID },
        { "{\"alg\":\"RS256\"}", COV_JWT_INVALID },
        { "{\"alg\":\"none\"}", COV_JWT_INVALID },
        { "{\"alg\":\"None\"}", COV_JWT_INVALID },
        { "{\"alg\":[\"HS256\"]}", COV_JWT_INVALID },
        { "{\"alg\":\"HS256\\u0000\"}", COV_JWT_INVALID },
        { "{\"alg\":null}", COV_JWT_INVALID },
        { "{\"typ\":\"JWT\"}", COV_JWT_INVALID },
        { "{\"alg\":\"HS256\",\"alg\":\"none\"}", COV_JWT_INVALID },
        { "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", COV_JWT_INVALID },
        { "{\"alg\":\"HS256\",\"crit\":[]}", COV_JWT_INVALID },
        { "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}", COV_JWT_INVALID },
        { "[\"HS256\"]", COV_JWT_INVALID },
        { "\"HS256\"", COV_JWT_INVALID },
        { "{\"alg\":\"HS256\"", COV_JWT_INVALID },
        { "{\"alg\":\"HS256\"} x", COV_JWT_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        if (verify(token_of(rows[i].header, "{\"exp\":1700000900}")) != rows[i].verdict)
            fail_msg("%s", rows[i].header);
}

static void jwt__unsigned_tokens_are_none(void **state)
{
    cov_buf token = COV_BUF_IN(arena);

    (void)state;
    cov_base64url(&token, COV_STR("{\"alg\":\"none\"}"));
    cov_buf_char(&token, '.');
    cov_base64url(&token, COV_STR("{\"sub\":\"u1\",\"exp\":1700000900}"));
    cov_buf_char(&token, '.');
    assert_int_equal(verify(cov_buf_view(&token)), COV_JWT_INVALID);
    token.len--;
    assert_int_equal(verify(cov_buf_view(&token)), COV_JWT_INVALID);
}

/* The public key as HMAC secret: what a server that believes the header would accept. */
static void jwt__a_public_key_signs_nothing(void **state)
{
    cov_jwt_key forger = { COV_JWT_HS256, cov_str_from(vector_rsa_public), COV_STR_NULL };
    cov_jwt_key server = { COV_JWT_RS256, cov_str_from(vector_rsa_private),
                           cov_str_from(vector_rsa_public) };
    cov_jwt_rules rules = { .tolerance_s = 0 };
    const cov_json *payload = NULL;
    cov_str token;

    (void)state;
    assert_int_equal(cov_jwt_sign(&host.host, arena, &forger, COV_STR("{\"alg\":\"RS256\"}"),
                                  cov_str_from(vector_payload), &token, NULL),
                     COV_OK);
    assert_int_equal(cov_jwt_verify(&host.host, arena, &server, &rules, token,
                                    INT64_C(1700000000000), &payload),
                     COV_JWT_INVALID);
    assert_null(payload);
}

static void jwt__keys_must_fit(void **state)
{
    static const struct {
        cov_jwt_alg alg;
        const char *pem;
    } rows[] = {
        { COV_JWT_RS256, vector_small_private },
        { COV_JWT_PS256, vector_256_private },
        { COV_JWT_ES256, vector_rsa_private },
        { COV_JWT_ES256, vector_384_private },
        { COV_JWT_ES384, vector_512_private },
        { COV_JWT_RS256, vector_rsa_public },
        { COV_JWT_RS256, "s3cret" },
        { COV_JWT_ES512, "" },
    };
    cov_jwt_key weak = { COV_JWT_RS256, COV_STR_NULL, cov_str_from(vector_small_public) };
    cov_jwt_rules rules = { .tolerance_s = 0 };
    const cov_json *payload = NULL;
    cov_str token = COV_STR("untouched");
    cov_error err;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_jwt_key key = { rows[i].alg, cov_str_from(rows[i].pem), COV_STR_NULL };

        cov_error_init(&err, arena);
        assert_int_equal(cov_jwt_sign(&host.host, arena, &key, COV_STR_NULL, COV_STR("{}"), &token,
                                      &err),
                         COV_EINTERNAL);
        assert_str(token, "untouched");
        assert_false(cov_str_contains(cov_error_detail(&err), COV_STR("s3cret")));
    }
    assert_int_equal(cov_jwt_verify(&host.host, arena, &weak, &rules,
                                    cov_str_from(vector_tokens[3].token), INT64_C(1700000000000),
                                    &payload),
                     COV_JWT_INVALID);
}

static void jwt__claims_are_checked(void **state)
{
    static const struct {
        const char *payload;
        cov_jwt_verdict verdict;
    } rows[] = {
        { "{\"exp\":1700000001}", COV_JWT_VALID },
        { "{\"exp\":1.700000001e9}", COV_JWT_VALID },
        { "{\"exp\":1e999}", COV_JWT_VALID },
        { "{\"exp\":99999999999999999999999}", COV_JWT_VALID },
        { "{\"exp\":1699999980}", COV_JWT_VALID }, /* 20 s ago */
        { "{\"exp\":1699999971}", COV_JWT_VALID },
        { "{\"exp\":1699999970}", COV_JWT_EXPIRED },
        { "{\"exp\":1699999960}", COV_JWT_EXPIRED }, /* 40 s ago */
        { "{\"exp\":0}", COV_JWT_EXPIRED },
        { "{\"exp\":-1e999}", COV_JWT_EXPIRED },
        { "{}", COV_JWT_INVALID },
        { "{\"exp\":null}", COV_JWT_INVALID },
        { "{\"exp\":\"1700000900\"}", COV_JWT_INVALID },
        { "{\"exp\":[1700000900]}", COV_JWT_INVALID },
        { "{\"exp\":1700000900,\"nbf\":1700000020}", COV_JWT_VALID },
        { "{\"exp\":1700000900,\"nbf\":1700000030}", COV_JWT_VALID },
        { "{\"exp\":1700000900,\"nbf\":1700000031}", COV_JWT_INVALID },
        { "{\"exp\":1700000900,\"nbf\":1700000040}", COV_JWT_INVALID },
        { "{\"exp\":1700000900,\"nbf\":\"0\"}", COV_JWT_INVALID },
        { "{\"exp\":1700000900,\"nbf\":null}", COV_JWT_INVALID },
        { "{\"exp\":0,\"nbf\":1700000040}", COV_JWT_INVALID },
        { "[1700000900]", COV_JWT_INVALID },
        { "1700000900", COV_JWT_INVALID },
        { "null", COV_JWT_INVALID },
        { "{\"exp\":1700000900", COV_JWT_INVALID },
        { "not JSON", COV_JWT_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        if (verify(token_of(NULL, rows[i].payload)) != rows[i].verdict)
            fail_msg("%s", rows[i].payload);
}

static void jwt__issuer_and_audience_are_required(void **state)
{
    static const struct {
        const char *payload;
        cov_jwt_verdict verdict;
    } rows[] = {
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1700000900}", COV_JWT_VALID },
        { "{\"iss\":\"i\",\"aud\":[\"b\",\"a\"],\"exp\":1700000900}", COV_JWT_VALID },
        { "{\"iss\":\"i\",\"aud\":[1,[\"a\"],\"b\"],\"exp\":1700000900}", COV_JWT_INVALID },
        { "{\"iss\":\"i\",\"aud\":[],\"exp\":1700000900}", COV_JWT_INVALID },
        { "{\"iss\":\"i\",\"aud\":{\"a\":\"a\"},\"exp\":1700000900}", COV_JWT_INVALID },
        { "{\"iss\":\"i\",\"aud\":\"A\",\"exp\":1700000900}", COV_JWT_INVALID },
        { "{\"iss\":\"i\",\"exp\":1700000900}", COV_JWT_INVALID },
        { "{\"iss\":\"j\",\"aud\":\"a\",\"exp\":1700000900}", COV_JWT_INVALID },
        { "{\"iss\":[\"i\"],\"aud\":\"a\",\"exp\":1700000900}", COV_JWT_INVALID },
        { "{\"aud\":\"a\",\"exp\":1700000900}", COV_JWT_INVALID },
        { "{\"iss\":\"j\",\"aud\":\"a\",\"exp\":0}", COV_JWT_INVALID },
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":0}", COV_JWT_EXPIRED },
    };
    cov_jwt_rules rules = { COV_STR("i"), COV_STR("a"), 30 };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        if (verify_at(token_of(NULL, rows[i].payload), &rules, IAT_S) != rows[i].verdict)
            fail_msg("%s", rows[i].payload);
}

static void jwt__algorithms_by_name(void **state)
{
    static const char *const bad[] = { "", "none", "hs256", "HS256 ", "HS1", "EdDSA", "ES256K" };
    cov_jwt_alg alg = COV_JWT_N_ALGS;

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(bad); i++)
        assert_false(cov_jwt_alg_of(cov_str_from(bad[i]), &alg));
    assert_int_equal(alg, COV_JWT_N_ALGS);
    assert_true(cov_jwt_alg_of(COV_STR("ES512"), &alg));
    assert_int_equal(alg, COV_JWT_ES512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jwt__example_of_the_spec),
        cmocka_unit_test(jwt__payloads_have_one_order),
        cmocka_unit_test(jwt__verifies_what_node_signed),
        cmocka_unit_test(jwt__signs_what_it_verifies),
        cmocka_unit_test(jwt__any_changed_character_is_noticed),
        cmocka_unit_test(jwt__other_texts_are_none),
        cmocka_unit_test(jwt__headers_say_one_thing),
        cmocka_unit_test(jwt__unsigned_tokens_are_none),
        cmocka_unit_test(jwt__a_public_key_signs_nothing),
        cmocka_unit_test(jwt__keys_must_fit),
        cmocka_unit_test(jwt__claims_are_checked),
        cmocka_unit_test(jwt__issuer_and_audience_are_required),
        cmocka_unit_test(jwt__algorithms_by_name),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
