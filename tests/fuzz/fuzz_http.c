/* SPDX-License-Identifier: MIT */
/*
 * The HTTP parser on arbitrary bytes, twice: all at once, and cut at arbitrary points as a network would. Both
 * must give the same requests, and refuse the same message. Not the same reason: a limit that is reached before
 * a malformed line ends is found first only when the end is not there yet. The first 8 bytes choose the cuts.
 */
#include <stdlib.h>

#include "host/native/http_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const cov__http_limits limits = { 64, 256, 300 };

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void add_str(cov_buf *out, cov_str s)
{
    cov_buf_u64(out, s.len);
    cov_buf_char(out, ':');
    cov_buf_str(out, s);
}

static void check_header(const cov_header *h)
{
    check(cov__http_is_token(h->name));
    for (size_t i = 0; i < h->value.len; i++)
        check(h->value.ptr[i] != '\r' && h->value.ptr[i] != '\n' && h->value.ptr[i] != '\0');
}

/* Everything a caller sees of one message, as text. */
static void describe(cov_buf *out, const cov__http_parser *parser, cov__http_event event)
{
    const cov_request *req = &parser->request;

    cov_buf_printf(out, "\n%d %d ", (int)event, (int)parser->keep_alive);
    if (event == COV_HTTP_REFUSED) {
        check(cov_status_http(parser->error.status) >= 400 &&
              cov_error_detail(&parser->error).len > 0);
        return;
    }
    check(req->path.len > 0 && req->method_name.len > 0 && req->body.len <= limits.max_body_bytes);
    check(req->path.len + req->query.len <= limits.max_url_bytes);
    add_str(out, req->method_name);
    add_str(out, req->path);
    add_str(out, req->query);
    add_str(out, req->body);
    for (size_t i = 0; i < req->n_headers; i++) {
        check_header(&req->headers[i]);
        add_str(out, req->headers[i].name);
        add_str(out, req->headers[i].value);
    }
}

/* Feed as a connection does: what was not consumed comes again, at another address, with more behind it. */
static void feed_all(cov_str input, uint64_t cuts, cov_buf *out)
{
    cov__http_parser *parser = malloc(sizeof *parser);
    size_t start = 0;
    size_t end = 0;
    bool ended = false;

    check(parser != NULL);
    cov__http_init(parser, &limits);
    while (!ended && end < input.len) {
        size_t step = cuts != 0 ? 1 + (cuts >> (end % 57) & 31) : input.len;
        cov__http_event event = COV_HTTP_CONTINUE;
        size_t len, at = 0;
        char *view;

        end = step < input.len - end ? end + step : input.len;
        len = end - start;
        view = malloc(len + (len == 0)); /* exactly sized, so that a byte too far is seen */
        check(view != NULL);
        memcpy(view, input.ptr + start, len);
        while (!ended && at < len && event != COV_HTTP_MORE) {
            size_t used;

            event = cov__http_feed(parser, cov_str_of(view + at, len - at), &used);
            check(used <= len - at);
            at += used;
            if (event != COV_HTTP_REQUEST && event != COV_HTTP_REFUSED)
                continue;
            if (event == COV_HTTP_REQUEST && (cuts & 1) != 0) {
                check(cov__http_hold(parser) == COV_OK);
                memset(view, 'x', at); /* a held request does not need these bytes */
            }
            describe(out, parser, event);
            ended = event == COV_HTTP_REFUSED || !parser->keep_alive;
            cov__http_next(parser, cuts & 2 ? 64 : 0);
        }
        start += at;
        free(view);
    }
    cov__http_dispose(parser);
    free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_buf whole = COV_BUF_INIT;
    cov_buf cut = COV_BUF_INIT;
    uint64_t cuts;
    cov_str input;

    if (size < sizeof cuts)
        return 0;
    memcpy(&cuts, data, sizeof cuts);
    input = cov_str_of((const char *)data + sizeof cuts, size - sizeof cuts);
    feed_all(input, 0, &whole);
    feed_all(input, cuts | 1, &cut);
    check(!whole.failed && !cut.failed);
    check(cov_str_eq(cov_buf_view(&whole), cov_buf_view(&cut)));
    cov_buf_dispose(&whole);
    cov_buf_dispose(&cut);
    return 0;
}
