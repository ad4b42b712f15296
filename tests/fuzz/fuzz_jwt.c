/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a token: none is accepted unless signing its parts again gives the same text. Then "header LF payload",
 * signed: any header and payload meet the checks behind the signature.
 */
#include <stdlib.h>

#include "auth/jwt.h"
#include "base/encode.h"
#include "host/native/native.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const cov_jwt_key key = { COV_JWT_HS256, COV_STR_INIT("s3cret"), { NULL, 0 } };
static const cov_jwt_rules rules = { COV_STR_INIT("iss1"), COV_STR_INIT("aud1"), 30 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static cov_jwt_verdict verify(cov_arena *arena, cov_str token)
{
    const cov_json *payload = NULL;
    cov_jwt_verdict verdict = cov_jwt_verify(cov_native_host(), arena, &key, &rules, token,
                                             INT64_C(1700000000000), &payload);

    require((payload != NULL) == (verdict != COV_JWT_INVALID));
    if (payload != NULL)
        require(cov_str_eq(cov_json_text(cov_json_get(payload, "iss")), rules.issuer));
    return verdict;
}

static cov_str sign(cov_arena *arena, cov_str header, cov_str payload)
{
    cov_str token = COV_STR_NULL;

    require(cov_jwt_sign(cov_native_host(), arena, &key, header, payload, &token, NULL) == COV_OK);
    return token;
}

static void check_token(cov_arena *arena, cov_str token)
{
    cov_str rest = token;
    cov_str parts[2];
    cov_buf decoded[2] = { COV_BUF_IN(arena), COV_BUF_IN(arena) };

    if (verify(arena, token) == COV_JWT_INVALID)
        return;
    for (size_t i = 0; i < 2; i++)
        require(cov_str_split(&rest, '.', &parts[i]) && cov_base64_decode(&decoded[i], parts[i]));
    require(cov_str_eq(sign(arena, cov_buf_view(&decoded[0]), cov_buf_view(&decoded[1])), token));
}

static void check_signed(cov_arena *arena, cov_str input)
{
    cov_str header;

    if (!cov_str_split(&input, '\n', &header) || input.ptr == NULL || header.ptr == NULL)
        return;
    (void)verify(arena, sign(arena, header, input));
    (void)verify(arena, sign(arena, COV_STR_NULL, input));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_arena *arena = cov_arena_new(0);
    cov_str input = cov_str_of((const char *)data, size);

    require(arena != NULL);
    check_token(arena, input);
    check_signed(arena, input);
    cov_arena_free(arena);
    return 0;
}
