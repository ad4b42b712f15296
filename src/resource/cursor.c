/* SPDX-License-Identifier: MIT */
/* Keyset cursors, byte for byte those of spec/03 section 4. */
#include "base/encode.h"
#include "resource/order.h"

enum { HASH_HEX_DIGITS = 8, VERSION = 1 };

typedef struct reason {
    const char *word;
    const char *detail;
} reason;

static const reason malformed = { "malformed", "Cursor format is invalid" };
static const reason tampered = { "tampered", "Cursor signature is invalid" };
static const reason version_mismatch = { "version_mismatch",
                                         "Cursor version does not match current API version" };
static const reason orderby_mismatch = { "orderby_mismatch",
                                         "Cursor orderBy does not match request orderBy" };

static cov_status invalid(cov_ctx *ctx, const reason *why)
{
    cov_status st = cov_fail(ctx->err, COV_ECURSOR, "%s", why->detail);

    cov_error_member(ctx->err, "\"reason\":\"%s\"", why->word);
    if (why == &orderby_mismatch)
        cov_error_member(ctx->err,
                         "\"suggestion\":\"The orderBy parameter must match the original query\"");
    return st;
}

/* "default", or the first hex digits of SHA-256 over the parameter's text. */
static cov_status order_hash(cov_ctx *ctx, cov_str text, cov_buf *out)
{
    uint8_t digest[COV_SHA256_BYTES];

    if (text.len == 0) {
        COV_BUF_LIT(out, "default");
        return COV_OK;
    }
    if (ctx->host->digest(ctx->host->self, COV_SHA256, text, digest) != COV_OK)
        return cov_fail(ctx->err, COV_EINTERNAL, "SHA-256 failed");
    cov_hex(out, digest, HASH_HEX_DIGITS / 2);
    return COV_OK;
}

static cov_status signature(const cov_resource *r, cov_ctx *ctx, cov_str payload, cov_buf *out)
{
    uint8_t mac[COV_SHA256_BYTES];

    if (ctx->host->hmac(ctx->host->self, COV_SHA256, r->config->cursor_secret, payload, mac) !=
        COV_OK)
        return cov_fail(ctx->err, COV_EINTERNAL, "HMAC-SHA-256 failed");
    cov_base64url(out, cov_str_of((const char *)mac, sizeof mac));
    return COV_OK;
}

/* Constant time in the contents; the length of a signature is no secret. */
static bool same_secret_text(cov_str a, cov_str b)
{
    unsigned char difference = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
    return difference == 0;
}

static cov_status check_signature(const cov_resource *r, cov_ctx *ctx, cov_str payload,
                                  cov_str given)
{
    cov_buf expected = COV_BUF_IN(ctx->arena);
    cov_status st;

    if (r->config->cursor_secret.len == 0)
        return COV_OK;
    st = signature(r, ctx, payload, &expected);
    if (st != COV_OK)
        return st;
    if (expected.failed)
        return cov_fail_nomem(ctx->err);
    return same_secret_text(cov_buf_view(&expected), given) ? COV_OK : invalid(ctx, &tampered);
}

static cov_status check_order(cov_ctx *ctx, yyjson_val *document, cov_str order_text)
{
    yyjson_val *given = yyjson_obj_get(document, "_orderByHash");
    cov_buf hash = COV_BUF_IN(ctx->arena);
    cov_status st;

    if (!yyjson_is_str(given) || yyjson_get_len(given) == 0)
        return COV_OK;
    st = order_hash(ctx, order_text, &hash);
    if (st != COV_OK)
        return st;
    if (cov_str_eq(cov_buf_view(&hash), cov_str_of(yyjson_get_str(given), yyjson_get_len(given))))
        return COV_OK;
    return invalid(ctx, &orderby_mismatch);
}

static cov_status check_age(const cov_resource *r, cov_ctx *ctx, yyjson_val *document)
{
    int64_t max_age = r->config->pagination.cursor_max_age_ms;
    yyjson_val *ts = yyjson_obj_get(document, "_ts");
    double made = yyjson_is_num(ts) ? yyjson_get_num(ts) : 0;
    cov_status st;

    if (max_age <= 0 || made == 0 ||
        (double)ctx->host->now_ms(ctx->host->self) - made <= (double)max_age)
        return COV_OK;
    st = cov_fail(ctx->err, COV_EEXPIRED, "Cursor has expired");
    cov_error_member(ctx->err, "\"suggestion\":\"Please start from the beginning of the list\"");
    return st;
}

static cov_status read_document(cov_ctx *ctx, cov_str payload, yyjson_val **document)
{
    cov_buf json = COV_BUF_IN(ctx->arena);

    if (!cov_base64_decode(&json, payload) || json.failed ||
        cov_json_read(ctx->arena, cov_buf_view(&json), document, NULL) != COV_OK)
        return invalid(ctx, &malformed);
    if (!yyjson_is_obj(*document) || yyjson_obj_get(*document, "v") == NULL ||
        yyjson_obj_get(*document, "id") == NULL)
        return invalid(ctx, &malformed);
    return COV_OK;
}

/* Text without `_ver` is of an older release: accepted, neither bound to an order nor to an age. */
cov_status cov__cursor_open(const cov_resource *r, cov_ctx *ctx, const cov_order_syntax *order,
                            yyjson_val **document)
{
    cov_str text = cov_param_get(ctx, COV_PARAM_CURSOR);
    size_t dot = cov_str_find(text, '.', 0);
    cov_str payload = cov_str_slice(text, 0, dot);
    yyjson_val *version;
    cov_status st;

    *document = NULL;
    if (text.len == 0)
        return COV_OK;
    st = check_signature(r, ctx, payload, cov_str_slice(text, dot + 1, text.len));
    if (st == COV_OK)
        st = read_document(ctx, payload, document);
    if (st != COV_OK)
        return st;
    version = yyjson_obj_get(*document, "_ver");
    if (version == NULL)
        return COV_OK;
    if (!yyjson_is_num(version) || yyjson_get_num(version) != VERSION)
        return invalid(ctx, &version_mismatch);
    st = check_order(ctx, *document, order->text);
    return st == COV_OK ? check_age(r, ctx, *document) : st;
}

cov_status cov__cursor_values(const cov_resource *r, cov_ctx *ctx, const cov_order *order,
                              yyjson_val *document, cov_cursor *out)
{
    yyjson_val *values;

    out->present = document != NULL;
    if (document == NULL)
        return COV_OK;
    if (!cov__value_from_json(ctx, r->id, yyjson_obj_get(document, "id"), &out->id) ||
        out->id.type == COV_NULL)
        return invalid(ctx, &malformed);
    values = yyjson_obj_get(document, "v");
    if (order->n != 0 && !yyjson_is_obj(values))
        return invalid(ctx, &malformed);
    for (size_t i = 0; i < order->n; i++) {
        const cov_column *column = order->terms[i].column;
        yyjson_val *value = yyjson_obj_getn(values, column->name.ptr, column->name.len);

        if (!cov__value_from_json(ctx, column, value, &out->values[i]))
            return invalid(ctx, &malformed);
    }
    return COV_OK;
}

static void id_text(cov_buf *out, const cov_value *id)
{
    char number[COV_NUM_TEXT_BYTES];

    if (id->type == COV_TEXT) {
        cov_json_str(out, id->s);
        return;
    }
    cov_buf_char(out, '"');
    if (id->type == COV_INT)
        cov_buf_i64(out, id->i);
    else if (id->type == COV_REAL)
        cov_buf_append(out, number, cov_num_text(id->r, number));
    cov_buf_char(out, '"');
}

/* DATETIME keeps its stored text, so that the comparison continues exactly where the page ended. */
static void order_value(cov_buf *out, cov_ctx *ctx, const cov_column *column,
                        const cov_value *value)
{
    if (column->type == COV_TYPE_DATETIME && value->type == COV_TEXT)
        cov_json_str(out, value->s);
    else
        cov__value_json(out, ctx->arena, column, value);
}

static void values_json(cov_buf *out, const cov_resource *r, cov_ctx *ctx, const cov_order *order,
                        const cov_value *id, const cov_value *const *values)
{
    if (order->n == 0) {
        cov__value_json(out, ctx->arena, r->id, id);
        return;
    }
    for (size_t i = 0; i < order->n; i++) {
        cov_buf_char(out, i == 0 ? '{' : ',');
        cov_buf_str(out, order->terms[i].column->json_key);
        order_value(out, ctx, order->terms[i].column, values[i]);
    }
    cov_buf_char(out, '}');
}

cov_status cov__cursor_write(const cov_resource *r, cov_ctx *ctx, const cov_order *order,
                             const cov_value *id, const cov_value *const *values, cov_buf *out)
{
    cov_buf json = COV_BUF_IN(ctx->arena);
    size_t start = out->len + 1;
    cov_status st;

    COV_BUF_LIT(&json, "{\"v\":");
    values_json(&json, r, ctx, order, id, values);
    COV_BUF_LIT(&json, ",\"id\":");
    id_text(&json, id);
    cov_buf_printf(&json, ",\"_ver\":%d,\"_orderByHash\":\"", VERSION);
    st = order_hash(ctx, order->text, &json);
    COV_BUF_LIT(&json, "\",\"_ts\":");
    cov_buf_i64(&json, ctx->host->now_ms(ctx->host->self));
    cov_buf_char(&json, '}');
    if (st != COV_OK)
        return st;
    if (json.failed)
        return cov_fail_nomem(ctx->err);
    cov_buf_char(out, '"');
    cov_base64url(out, cov_buf_view(&json));
    if (r->config->cursor_secret.len != 0 && !out->failed) {
        cov_str payload =
            cov_arena_str(ctx->arena, cov_str_slice(cov_buf_view(out), start, out->len));

        cov_buf_char(out, '.');
        st = payload.ptr != NULL ? signature(r, ctx, payload, out) : cov_fail_nomem(ctx->err);
    }
    cov_buf_char(out, '"');
    return st;
}
