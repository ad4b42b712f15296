/* SPDX-License-Identifier: MIT */
/* GET /feed.xml: the posts published last, as Atom (RFC 4287). */
#include "feed.h"

/* Special characters are escaped; what XML cannot hold (most control characters, U+FFFE, U+FFFF) is dropped. */
static void element(cov_buf *out, const char *name, cov_str text)
{
    static const char special[] = "&<>\"'";
    static const char *const escaped[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

    cov_buf_printf(out, "<%s>", name);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        const char *found = c != 0 ? strchr(special, c) : NULL;

        if (found != NULL)
            cov_buf_str(out, cov_str_from(escaped[found - special]));
        else if (c == 0xEF && i + 2 < text.len && memcmp(&text.ptr[i], "\xEF\xBF\xBE", 3) >= 0)
            i += 2;
        else if (c >= ' ' || c == '\t' || c == '\n' || c == '\r')
            cov_buf_char(out, (char)c);
    }
    cov_buf_printf(out, "</%s>\n", name);
}

typedef struct sink {
    cov_row_sink base;
    cov_buf *out;
    size_t n_rows;
} sink;

static cov_status feed_row(cov_row_sink *base, const cov_value *values, size_t n_values,
                           cov_error *err)
{
    static const char *const names[] = { "updated", "id", "title", "content", "name" };
    sink *rows = (sink *)base;

    (void)n_values, (void)err;
    if (rows->n_rows++ == 0) /* the newest entry dates the feed */
        element(rows->out, names[0], values[0].s);
    COV_BUF_LIT(rows->out, "<entry>\n");
    for (size_t i = 0; i < 4; i++)
        element(rows->out, names[i], values[i].s);
    COV_BUF_LIT(rows->out, "<author>");
    element(rows->out, names[4], values[4].s);
    COV_BUF_LIT(rows->out, "</author></entry>\n");
    return COV_OK;
}

cov_status feed(cov_ctx *ctx, void *self, cov_error *err)
{
    static const char sql[] =
        "SELECT published_at, ? || '/posts/' || slug, title, body, name FROM posts"
        " JOIN authors ON authors.id = author_id WHERE published_at IS NOT NULL"
        " ORDER BY published_at DESC, posts.id DESC LIMIT 20";
    cov_response *res = cov_ctx_response(ctx);
    cov_value url = cov_value_text(*(const cov_str *)self);
    sink rows = { { feed_row }, &res->body, 0 };
    cov_status st;

    res->status = 200;
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/atom+xml"));
    COV_BUF_LIT(
        &res->body,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");
    element(&res->body, "id", url.s);
    element(&res->body, "title", COV_STR("The blog"));
    st = cov_ctx_query(ctx, cov_str_from(sql), &url, 1, &rows.base, err);
    if (rows.n_rows == 0)
        element(&res->body, "updated", COV_STR("1970-01-01T00:00:00Z"));
    COV_BUF_LIT(&res->body, "</feed>\n");
    return st;
}
