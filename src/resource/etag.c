/* SPDX-License-Identifier: MIT */
/* Entity tags and preconditions (spec/01 section 15, RFC 9110 sections 8.8.3 and 13.1). */
#include "base/encode.h"
#include "base/time.h"
#include "resource/internal.h"

enum { HASH_HEX_DIGITS = 16 };

/* A falsy value (NULL, 0, "") makes no tag. */
static bool has_updated_at(const cov_column *column, const cov_value *value)
{
    switch (value->type) {
    case COV_NULL:
        return false;
    case COV_INT:
        return column->class_ == COV_CLASS_TIME || value->i != 0;
    case COV_REAL:
        return column->class_ == COV_CLASS_TIME || value->r != 0;
    case COV_TEXT:
    case COV_BLOB:
        break;
    }
    return value->s.len != 0;
}

static void updated_at_text(cov_buf *out, const cov_column *column, const cov_value *value)
{
    int64_t ms;

    if (value->type == COV_INT && column->type == COV_TYPE_TIMESTAMP)
        cov_buf_i64(out, value->i <= INT64_MAX / 1000 && value->i >= INT64_MIN / 1000
                             ? value->i * 1000
                             : 0);
    else if (value->type != COV_TEXT)
        cov__plain_text(out, value);
    else if (cov_time_parse_iso(value->s, &ms, NULL))
        cov_buf_i64(out, ms);
    else
        COV_BUF_LIT(out, "NaN");
}

static bool hash_text(const cov_resource *r, cov_ctx *ctx, const cov_value *row, cov_buf *out)
{
    cov_buf json = COV_BUF_IN(ctx->arena);
    uint8_t digest[COV_MD5_BYTES];

    cov__row_json(&json, ctx->arena, &r->all, row);
    if (json.failed ||
        ctx->host->digest(ctx->host->self, COV_MD5, cov_buf_view(&json), digest) != COV_OK)
        return false;
    cov_hex(out, digest, HASH_HEX_DIGITS / 2);
    return true;
}

cov_str cov__etag(const cov_resource *r, cov_ctx *ctx, const cov_value *row)
{
    cov_buf tag = COV_BUF_IN(ctx->arena);

    if (!r->config->etag.set)
        return COV_STR_NULL;
    cov_buf_str(&tag, r->config->etag.weak ? COV_STR("W/\"") : COV_STR("\""));
    if (r->version != NULL) {
        cov__plain_text(&tag, &row[r->version->index]);
    } else if (r->updated_at != NULL && has_updated_at(r->updated_at, &row[r->updated_at->index])) {
        updated_at_text(&tag, r->updated_at, &row[r->updated_at->index]);
        cov_buf_char(&tag, '-');
        if (r->etag_id != NULL)
            cov__plain_text(&tag, &row[r->etag_id->index]);
    } else if (!hash_text(r, ctx, row, &tag)) {
        return COV_STR_NULL;
    }
    cov_buf_char(&tag, '"');
    return tag.failed ? COV_STR_NULL : cov_buf_view(&tag);
}

static cov_str without_weak(cov_str tag)
{
    return cov_str_starts(tag, COV_STR("W/")) ? cov_str_slice(tag, 2, tag.len) : tag;
}

/* Tags may hold commas inside their quotes. */
static bool next_tag(cov_str *rest, cov_str *tag)
{
    bool quoted = false;
    size_t i = 0;

    if (rest->len == 0)
        return false;
    for (; i < rest->len && (quoted || rest->ptr[i] != ','); i++)
        if (rest->ptr[i] == '"')
            quoted = !quoted;
    *tag = cov_str_trim(cov_str_slice(*rest, 0, i));
    *rest = cov_str_slice(*rest, i + 1, rest->len);
    return true;
}

static bool list_has(cov_str list, cov_str tag, bool weakly)
{
    cov_str item;

    if (cov_str_eq(cov_str_trim(list), COV_STR("*")))
        return true;
    while (next_tag(&list, &item))
        if (cov_str_eq(weakly ? without_weak(item) : item, weakly ? without_weak(tag) : tag))
            return true;
    return false;
}

bool cov__etag_none_match(cov_ctx *ctx, cov_str tag)
{
    cov_str header = cov_request_header(ctx->req, COV_STR("If-None-Match"));

    return header.ptr != NULL && tag.ptr != NULL && list_has(header, tag, true);
}

cov_status cov__fail_precondition(cov_ctx *ctx, cov_str tag)
{
    cov_status st = cov_fail(ctx->err, COV_EPRECOND, "Resource was modified");

    cov_error_member_str(ctx->err, "currentETag", tag);
    cov_error_member(ctx->err,
                     "\"suggestion\":\"Refetch the resource and retry with the new ETag\"");
    return st;
}

/* Strong comparison: a weak tag, on either side, never matches. */
cov_status cov__etag_if_match(const cov_resource *r, cov_ctx *ctx, const cov_value *row,
                              bool *conditional)
{
    cov_str header = cov_request_header(ctx->req, COV_STR("If-Match"));
    cov_str tag;

    *conditional = r->config->etag.set && header.ptr != NULL;
    if (!*conditional)
        return COV_OK;
    tag = cov__etag(r, ctx, row);
    if (cov_str_eq(cov_str_trim(header), COV_STR("*")))
        return COV_OK;
    if (tag.ptr != NULL && !r->config->etag.weak && list_has(header, tag, false))
        return COV_OK;
    return cov__fail_precondition(ctx, tag);
}

void cov__etag_cas_sql(const cov_resource *r, const cov_value *row, cov_sql *sql)
{
    const cov_column *column = r->version != NULL ? r->version : r->updated_at;

    if (column == NULL)
        return;
    COV_SQL(sql, " AND ");
    cov_sql_str(sql, column->quoted);
    if (row[column->index].type == COV_NULL) {
        COV_SQL(sql, " IS NULL");
        return;
    }
    COV_SQL(sql, " = ");
    cov_sql_param(sql, row[column->index]);
}
