/* SPDX-License-Identifier: MIT */
/* The payloads of session tokens (auth/jwt.h), each member a fixed text so that the order is seen. */
#include "auth/jwt.h"

/* `member`: "\"email\":" with what separates it from the one before. */
static void put_text(cov_buf *buf, const char *member, cov_str value)
{
    if (value.ptr == NULL)
        return;
    cov_buf_str(buf, cov_str_from(member));
    cov_json_str(buf, value);
}

static void put_audience(cov_buf *buf, const cov_names *audience)
{
    if (audience->n == 0)
        return;
    COV_BUF_LIT(buf, ",\"aud\":");
    if (audience->n == 1) {
        cov_json_str(buf, audience->items[0]);
        return;
    }
    for (size_t i = 0; i < audience->n; i++) {
        cov_buf_char(buf, i == 0 ? '[' : ',');
        cov_json_str(buf, audience->items[i]);
    }
    cov_buf_char(buf, ']');
}

/* From `iat` on, both kinds are alike. */
static void put_rest(cov_buf *buf, const cov_jwt_claims *claims)
{
    COV_BUF_LIT(buf, ",\"iat\":");
    cov_buf_i64(buf, claims->iat_s);
    COV_BUF_LIT(buf, ",\"exp\":");
    cov_buf_i64(buf, claims->exp_s);
    put_audience(buf, &claims->audience);
    put_text(buf, ",\"iss\":", claims->issuer);
    cov_buf_char(buf, '}');
}

void cov_jwt_access_payload(cov_buf *buf, const cov_jwt_claims *claims)
{
    put_text(buf, "{\"sub\":", claims->sub);
    put_text(buf, ",\"email\":", claims->email);
    put_text(buf, ",\"name\":", claims->name);
    put_text(buf, ",\"image\":", claims->image);
    COV_BUF_LIT(buf, ",\"emailVerified\":");
    cov_json_bool(buf, claims->email_verified);
    if (claims->metadata.ptr != NULL) {
        COV_BUF_LIT(buf, ",\"metadata\":");
        cov_buf_str(buf, claims->metadata);
    }
    put_text(buf, ",\"jti\":", claims->jti);
    put_rest(buf, claims);
}

void cov_jwt_refresh_payload(cov_buf *buf, const cov_jwt_claims *claims)
{
    cov_buf jti = COV_BUF_IN(buf->arena);

    cov_buf_str(&jti, COV_STR(COV_JWT_REFRESH_PREFIX));
    cov_buf_str(&jti, claims->jti);
    if (jti.failed)
        buf->failed = true;
    put_text(buf, "{\"sub\":", claims->sub);
    put_text(buf, ",\"jti\":", cov_buf_view(&jti));
    put_rest(buf, claims);
    cov_buf_dispose(&jti);
}
