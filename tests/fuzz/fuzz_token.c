/* SPDX-License-Identifier: MIT */
/* Any bytes as the text of an API key, as base32, as a TOTP secret and code, as a backup code, as parts of a URI. */
#include <stdlib.h>

#include "auth/token.h"
#include "auth/totp.h"
#include "base/encode.h"
#include "host/native/native.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_api_key(cov_str text)
{
    cov_str id = cov_api_key_id(text);

    if (id.ptr == NULL)
        return;
    require(id.len == COV_API_KEY_ID_CHARS && text.ptr[id.ptr + id.len - text.ptr] == '.');
    for (size_t i = 0; i < id.len; i++)
        require(cov_hex_value(id.ptr[i]) >= 0);
}

static void check_base32(cov_str text)
{
    cov_buf encoded = COV_BUF_INIT;
    cov_buf decoded = COV_BUF_INIT;

    require(cov_base32_decode(&decoded, text) || decoded.len == 0);
    cov_buf_clear(&decoded, SIZE_MAX);
    cov_base32(&encoded, text);
    require(cov_base32_decode(&decoded, cov_buf_view(&encoded)));
    require(cov_str_eq(cov_buf_view(&decoded), text));
    cov_buf_dispose(&decoded);
    cov_buf_dispose(&encoded);
}

static void check_totp(cov_str text)
{
    cov_str secret = cov_str_slice(text, 0, text.len / 2);
    int64_t counter = COV_TOTP_NO_COUNTER;

    if (cov_totp_verify(cov_native_host(), secret, cov_str_slice(text, text.len / 2, text.len),
                        59000, 10, 0, &counter))
        require(counter > 0 && counter <= 11);
    (void)cov_totp_verify(cov_native_host(), COV_STR("GEZDGNBVGY3TQOJQ"), text, 59000, 1,
                          COV_TOTP_NO_COUNTER, &counter);
}

static void check_backup_code(cov_str text)
{
    cov_str code;

    if (cov_backup_code_normalise(text, &code))
        require(code.len == COV_BACKUP_CODE_CHARS && code.ptr[5] == '-');
}

static void check_uri(cov_str text)
{
    cov_buf uri = COV_BUF_INIT;

    cov_totp_uri(&uri, cov_str_slice(text, 0, text.len / 2),
                 cov_str_slice(text, text.len / 2, text.len), COV_STR("GEZDGNBVGY3TQOJQ"));
    require(!uri.failed);
    for (size_t i = 0; i < uri.len; i++)
        require(uri.ptr[i] > ' ' && uri.ptr[i] < 0x7F);
    cov_buf_dispose(&uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_str text = cov_str_of((const char *)data, size);

    check_api_key(text);
    check_base32(text);
    check_totp(text);
    check_backup_code(text);
    check_uri(text);
    return 0;
}
