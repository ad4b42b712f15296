/* SPDX-License-Identifier: MIT */
/* Bodies: Content-Length and chunked, by RFC 9112 sections 6 and 7 to the letter. */
#include "base/encode.h"
#include "host/native/http_parser.h"

static cov__http_event refuse_too_large(cov__http_parser *self)
{
    return cov__http_refuse(self, COV_ETOOLARGE,
                            "The request body is larger than this server takes");
}

static cov__http_event refuse_no_memory(cov__http_parser *self)
{
    return cov__http_refuse(self, COV_ENOMEM, "out of memory for a request body");
}

/* From the first partial body on, the request lives in the parser's own buffers. */
static bool hold_before_body(cov__http_parser *self)
{
    if (self->held)
        return true;
    self->held = true;
    return cov__http_hold_head(self) == COV_OK;
}

static cov__http_event complete(cov__http_parser *self)
{
    self->phase = COV_HTTP_COMPLETE;
    if (self->held)
        self->request.body = cov_buf_view(&self->body);
    return COV_HTTP_REQUEST;
}

static cov__http_event feed_length(cov__http_parser *self, cov_str view, size_t *consumed)
{
    size_t left = (size_t)self->content_length - self->body.len;
    size_t take = view.len < left ? view.len : left;

    if (!self->held && take == left) { /* all of it lies in the view: no copy */
        self->request.body = cov_str_slice(view, 0, take);
        *consumed = take;
        return complete(self);
    }
    if (!hold_before_body(self))
        return refuse_no_memory(self);
    cov_buf_append(&self->body, view.ptr, take);
    if (self->body.failed)
        return refuse_no_memory(self);
    *consumed = take;
    return take == left ? complete(self) : COV_HTTP_MORE;
}

/* "1a" or "1a;name=value", without CRLF. */
static bool parse_chunk_line(cov_str line, uint64_t *size)
{
    size_t at = 0;
    uint64_t value = 0;

    for (; at < line.len && cov_hex_value(line.ptr[at]) >= 0; at++) {
        if (at >= 15) /* 60 bits; more digits could only overflow */
            return false;
        value = value * 16 + (uint64_t)cov_hex_value(line.ptr[at]);
    }
    *size = value;
    if (at == 0)
        return false;
    while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
        at++;
    if (at < line.len && line.ptr[at] != ';')
        return false;
    for (; at < line.len; at++) /* extensions are ignored, but they are text */
        if (((unsigned char)line.ptr[at] < ' ' && line.ptr[at] != '\t') || line.ptr[at] == 0x7f)
            return false;
    return true;
}

/*
 * The line at the front of the view without its CRLF. Returns COV_HTTP_MORE with *len 0 when it is not complete,
 * otherwise *len counts the CRLF.
 */
static cov__http_event take_line(cov__http_parser *self, cov_str view, size_t max, cov_str *line,
                                 size_t *len)
{
    size_t end = cov_str_find(cov_str_slice(view, 0, max + 2), '\n', 0);

    *len = 0;
    if (end >= max + 2)
        return self->chunk == COV_CHUNK_TRAILER
                   ? cov__http_refuse(self, COV_EHEADERS,
                                      "The trailers are larger than this server takes")
                   : cov__http_refuse(self, COV_EREQUEST, "A chunk's size line is too long");
    if (end == view.len)
        return COV_HTTP_MORE;
    if (end == 0 || view.ptr[end - 1] != '\r')
        return cov__http_refuse(self, COV_EREQUEST, "Lines of a chunked body must end in CR LF");
    *line = cov_str_slice(view, 0, end - 1);
    *len = end + 1;
    return COV_HTTP_MORE;
}

static cov__http_event take_chunk_line(cov__http_parser *self, cov_str view, size_t *used)
{
    cov_str line;
    cov__http_event event = take_line(self, view, COV_HTTP_MAX_CHUNK_LINE_BYTES, &line, used);

    if (event != COV_HTTP_MORE || *used == 0)
        return event;
    if (!parse_chunk_line(line, &self->chunk_left))
        return cov__http_refuse(self, COV_EREQUEST, "A chunk's size is malformed");
    if (self->chunk_left > self->limits.max_body_bytes - self->body.len)
        return refuse_too_large(self);
    self->chunk = self->chunk_left > 0 ? COV_CHUNK_DATA : COV_CHUNK_TRAILER;
    return COV_HTTP_MORE;
}

static cov__http_event take_chunk_data(cov__http_parser *self, cov_str view, size_t *used)
{
    size_t take = view.len < self->chunk_left ? view.len : (size_t)self->chunk_left;

    cov_buf_append(&self->body, view.ptr, take);
    if (self->body.failed)
        return refuse_no_memory(self);
    self->chunk_left -= take;
    if (self->chunk_left == 0)
        self->chunk = COV_CHUNK_DATA_END;
    *used = take;
    return COV_HTTP_MORE;
}

static cov__http_event take_chunk_end(cov__http_parser *self, cov_str view, size_t *used)
{
    if (view.ptr[0] != '\r' || (view.len >= 2 && view.ptr[1] != '\n'))
        return cov__http_refuse(self, COV_EREQUEST, "A chunk is longer than its size says");
    if (view.len >= 2) {
        *used = 2;
        self->chunk = COV_CHUNK_LINE;
    }
    return COV_HTTP_MORE;
}

/* Trailers are dropped, but a line must look like a field, so that nothing is hidden in them. */
static cov__http_event take_trailer(cov__http_parser *self, cov_str view, size_t *used)
{
    cov_str line;
    size_t room = self->limits.max_header_bytes - self->trailer_bytes;
    cov__http_event event = take_line(self, view, room, &line, used);

    if (event != COV_HTTP_MORE || *used == 0)
        return event;
    if (line.len == 0)
        return complete(self);
    if (!cov__http_is_token(cov_str_slice(line, 0, cov_str_find(line, ':', 0))) ||
        cov_str_find(line, ':', 0) == line.len || memchr(line.ptr, '\r', line.len) != NULL ||
        memchr(line.ptr, '\0', line.len) != NULL)
        return cov__http_refuse(self, COV_EREQUEST, "A trailer is malformed");
    if (*used > room)
        return cov__http_refuse(self, COV_EHEADERS,
                                "The trailers are larger than this server takes");
    self->trailer_bytes += *used;
    return COV_HTTP_MORE;
}

static cov__http_event feed_chunked(cov__http_parser *self, cov_str view, size_t *consumed)
{
    if (!self->held) {
        self->chunk = COV_CHUNK_LINE;
        self->trailer_bytes = 0;
        if (!hold_before_body(self))
            return refuse_no_memory(self);
    }
    while (*consumed < view.len) {
        cov_str rest = cov_str_slice(view, *consumed, view.len);
        size_t used = 0;
        cov__http_event event;

        switch (self->chunk) {
        case COV_CHUNK_LINE:
            event = take_chunk_line(self, rest, &used);
            break;
        case COV_CHUNK_DATA:
            event = take_chunk_data(self, rest, &used);
            break;
        case COV_CHUNK_DATA_END:
            event = take_chunk_end(self, rest, &used);
            break;
        default:
            event = take_trailer(self, rest, &used);
            break;
        }
        *consumed += used;
        if (event != COV_HTTP_MORE || used == 0)
            return event;
    }
    return COV_HTTP_MORE;
}

cov__http_event cov__http_feed_body(cov__http_parser *self, cov_str view, size_t *consumed)
{
    cov__http_event event = self->phase == COV_HTTP_BODY_CHUNKED
                                ? feed_chunked(self, view, consumed)
                                : feed_length(self, view, consumed);
    bool waits = self->continue_due && view.len == 0;

    /* Once body bytes came, the client does not wait (RFC 9110 section 10.1.1). */
    self->continue_due = false;
    return event == COV_HTTP_MORE && waits ? COV_HTTP_CONTINUE : event;
}
