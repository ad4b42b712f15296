/* SPDX-License-Identifier: MIT */
#include "host/native/http_parser.h"

#include <llhttp.h>

cov__http_event cov__http_refuse(cov__http_parser *self, cov_status status, const char *detail)
{
    cov_fail(&self->error, status, "%s", detail);
    self->keep_alive = false;
    self->phase = COV_HTTP_COMPLETE;
    return COV_HTTP_REFUSED;
}

/* ---- llhttp: field grammar and connection semantics of a complete head ---- */

static int on_header_field(llhttp_t *llhttp, const char *at, size_t len)
{
    cov__http_parser *self = llhttp->data;

    if (self->n_headers == COV_HTTP_MAX_HEADERS)
        return HPE_USER;
    self->headers[self->n_headers].name = cov_str_of(at, len);
    self->headers[self->n_headers].value = cov_str_of(at + len, 0);
    return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t len)
{
    cov__http_parser *self = llhttp->data;
    cov_str *value = &self->headers[self->n_headers].value;

    /* Should llhttp hand a value over in pieces, they lie side by side. */
    if (value->len == 0)
        value->ptr = at;
    value->len = (size_t)(at + len - value->ptr);
    return 0;
}

static int on_header_value_complete(llhttp_t *llhttp)
{
    cov__http_parser *self = llhttp->data;
    cov_str *value = &self->headers[self->n_headers].value;

    /* Optional space after the value is not part of it; llhttp drops only that in front. */
    while (value->len > 0 &&
           (value->ptr[value->len - 1] == ' ' || value->ptr[value->len - 1] == '\t'))
        value->len--;
    self->n_headers++;
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    cov__http_parser *self = llhttp->data;

    self->keep_alive = llhttp_should_keep_alive(llhttp) != 0;
    self->http10 = llhttp->http_minor == 0;
    self->has_request = true;
    llhttp->upgrade = 0; /* no protocol to upgrade to is spoken here */
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
};

/* ---- life ---- */

void cov__http_init(cov__http_parser *self, const cov__http_limits *limits)
{
    memset(self, 0, sizeof *self);
    self->limits = *limits;
    cov_error_init(&self->error, NULL);
    cov__http_next(self, 0);
}

void cov__http_dispose(cov__http_parser *self)
{
    cov_buf_dispose(&self->hold);
    cov_buf_dispose(&self->body);
}

void cov__http_next(cov__http_parser *self, size_t keep_bytes)
{
    self->phase = COV_HTTP_HEAD;
    self->continue_due = self->held = self->has_request = self->keep_alive = self->http10 = false;
    self->scanned = self->line_start = self->headers_start = 0;
    self->content_length = 0;
    self->has_content_length = false;
    self->n_headers = 0;
    cov_buf_clear(&self->hold, keep_bytes);
    cov_buf_clear(&self->body, keep_bytes);
    self->body.limit = self->limits.max_body_bytes;
    memset(&self->request, 0, sizeof self->request);
    self->error.status = COV_OK;
}

/* ---- the scan ---- */

/* A line without its CRLF must have neither CR nor NUL inside. */
static bool line_clean(cov_str line)
{
    return line.len == 0 ||
           (memchr(line.ptr, '\r', line.len) == NULL && memchr(line.ptr, '\0', line.len) == NULL);
}

static cov__http_event scan_line(cov__http_parser *self, cov_str line)
{
    if (!line_clean(line))
        return cov__http_refuse(self, COV_EREQUEST,
                                "A line of the head has a NUL or a bare carriage return");
    if (self->headers_start == 0)
        return cov__http_take_request_line(self, line);
    if (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
        return cov__http_refuse(self, COV_EREQUEST,
                                "Header values must not be folded over several lines");
    return COV_HTTP_MORE;
}

/* Limits that must hold before the end of the line or head was seen. */
static cov__http_event check_open_head(cov__http_parser *self, cov_str view)
{
    size_t space;
    size_t end;

    if (self->headers_start != 0) {
        if (view.len - self->headers_start > self->limits.max_header_bytes + 2)
            return cov__http_refuse(self, COV_EHEADERS,
                                    "The request headers are larger than this server takes");
        return COV_HTTP_MORE;
    }
    space = cov_str_find(cov_str_slice(view, 0, COV_HTTP_MAX_METHOD_BYTES + 1), ' ', 0);
    if (space > COV_HTTP_MAX_METHOD_BYTES ||
        (view.len > 0 && !cov__http_is_token(cov_str_slice(view, 0, 1))))
        return cov__http_refuse(self, COV_EREQUEST,
                                "The request does not start with an HTTP method");
    if (space == view.len)
        return COV_HTTP_MORE;
    end = cov_str_find(view, ' ', space + 1);
    if (end - space - 1 > self->limits.max_url_bytes + (end == view.len)) /* it may be the CR */
        return cov__http_refuse(self, COV_EURI, "The URL is longer than this server takes");
    if (view.len - end > sizeof " HTTP/1.1\r")
        return cov__http_refuse(self, COV_EREQUEST, "The HTTP version is malformed");
    return COV_HTTP_MORE;
}

/*
 * Look at the lines that arrived. *head_len is set when the empty line was found; it is 0 otherwise, and the
 * event then is COV_HTTP_MORE or a refusal.
 */
static cov__http_event scan_head(cov__http_parser *self, cov_str view, size_t *head_len)
{
    *head_len = 0;
    for (;;) {
        size_t end = cov_str_find(view, '\n', self->scanned);
        cov__http_event refused;

        if (end == view.len) {
            self->scanned = view.len;
            return check_open_head(self, view);
        }
        if (end == self->line_start || view.ptr[end - 1] != '\r')
            return cov__http_refuse(self, COV_EREQUEST, "Lines of the head must end in CR LF");
        refused = scan_line(self, cov_str_slice(view, self->line_start, end - 1));
        if (refused != COV_HTTP_MORE)
            return refused;
        if (end - 1 == self->line_start) {
            *head_len = end + 1;
            break;
        }
        self->scanned = self->line_start = end + 1;
        if (self->headers_start == 0)
            self->headers_start = end + 1;
    }
    if (*head_len - 2 - self->headers_start > self->limits.max_header_bytes)
        return cov__http_refuse(self, COV_EHEADERS,
                                "The request headers are larger than this server takes");
    return COV_HTTP_MORE;
}

/* ---- one complete head ---- */

static cov__http_event refuse_llhttp(cov__http_parser *self, const llhttp_t *llhttp,
                                     llhttp_errno_t code)
{
    if (self->n_headers == COV_HTTP_MAX_HEADERS)
        return cov__http_refuse(self, COV_EHEADERS,
                                "The request has more headers than this server takes");
    if (code == HPE_INVALID_VERSION)
        return cov__http_refuse(self, COV_EVERSION, "This server speaks HTTP/1.0 and HTTP/1.1");
    if (code == HPE_UNEXPECTED_CONTENT_LENGTH)
        return cov__http_refuse(self, COV_EREQUEST,
                                "There must be one Content-Length or one Transfer-Encoding");
    if (code == HPE_INVALID_CONTENT_LENGTH)
        return cov__http_refuse(self, COV_EREQUEST,
                                "Content-Length must be a decimal number of at most 64 bits");
    return cov__http_refuse(self, COV_EREQUEST, llhttp_get_error_reason(llhttp));
}

/*
 * llhttp knows a closed list of methods and gives some of them a meaning of their own (PRI, CONNECT, RTSP's); it
 * gets GET for all that are not the application's, which read the same otherwise.
 */
static llhttp_errno_t run_llhttp(llhttp_t *llhttp, const cov_request *req, cov_str head)
{
    bool connect = cov_str_eq(req->method_name, COV_STR("CONNECT"));
    size_t skip = req->method_name.len;
    llhttp_errno_t code;

    if (req->method != COV_METHOD_OTHER)
        return llhttp_execute(llhttp, head.ptr, head.len);
    code = connect ? llhttp_execute(llhttp, "CONNECT", 7) : llhttp_execute(llhttp, "GET", 3);
    return code != HPE_OK ? code : llhttp_execute(llhttp, head.ptr + skip, head.len - skip);
}

static cov__http_event take_head(cov__http_parser *self, cov_str head)
{
    cov_str first_line = cov_str_slice(head, 0, self->headers_start - 2);
    llhttp_t llhttp; /* lives for one head only: nothing of it is needed before or after */
    llhttp_errno_t code;

    /* The request line may have been checked in a view that is gone: point into this one. */
    if (self->request.method_name.ptr != head.ptr)
        (void)cov__http_take_request_line(self, first_line);
    llhttp_init(&llhttp, HTTP_REQUEST, &settings);
    llhttp.data = self;
    code = run_llhttp(&llhttp, &self->request, head);
    if (code != HPE_PAUSED || !self->has_request)
        return refuse_llhttp(self, &llhttp, code);
    self->request.headers = self->headers;
    self->request.n_headers = self->n_headers;
    return cov__http_check_head(self);
}

static void rebase(cov_str *s, const char *from, size_t from_len, const char *to)
{
    /* Texts that are not in the head (the "/" of an absolute form without path) stay. */
    uintptr_t offset = (uintptr_t)s->ptr - (uintptr_t)from;

    if (s->ptr != NULL && offset <= from_len)
        s->ptr = to + offset;
}

cov_status cov__http_hold_head(cov__http_parser *self)
{
    cov_request *req = &self->request;
    const char *from = req->method_name.ptr; /* the head's first byte */
    size_t len = self->scanned;

    cov_buf_clear(&self->hold, SIZE_MAX);
    cov_buf_append(&self->hold, from, len);
    if (self->hold.failed)
        return COV_ENOMEM;
    rebase(&req->method_name, from, len, self->hold.ptr);
    rebase(&req->path, from, len, self->hold.ptr);
    rebase(&req->query, from, len, self->hold.ptr);
    for (size_t i = 0; i < self->n_headers; i++) {
        rebase(&self->headers[i].name, from, len, self->hold.ptr);
        rebase(&self->headers[i].value, from, len, self->hold.ptr);
    }
    return COV_OK;
}

cov_status cov__http_hold(cov__http_parser *self)
{
    if (self->held)
        return COV_OK;
    self->held = true;
    if (cov__http_hold_head(self) != COV_OK)
        return COV_ENOMEM;
    if (self->request.body.len > 0) {
        cov_buf_str(&self->body, self->request.body);
        if (self->body.failed)
            return COV_ENOMEM;
        self->request.body = cov_buf_view(&self->body);
    }
    return COV_OK;
}

/* Empty lines in front of a request line are ignored (RFC 9112 section 2.2). */
static size_t leading_empty_lines(cov_str view)
{
    size_t at = 0;

    while (view.len - at >= 2 && view.ptr[at] == '\r' && view.ptr[at + 1] == '\n')
        at += 2;
    return at;
}

static cov__http_event feed_head(cov__http_parser *self, cov_str view, size_t *consumed)
{
    size_t skipped = self->scanned == 0 ? leading_empty_lines(view) : 0;
    size_t head_len;
    cov__http_event event;

    *consumed = skipped;
    view = cov_str_slice(view, skipped, view.len);
    if (view.len == 0 || (view.len == 1 && view.ptr[0] == '\r'))
        return COV_HTTP_MORE;
    event = scan_head(self, view, &head_len);
    if (event != COV_HTTP_MORE || head_len == 0)
        return event;
    self->scanned = head_len;
    *consumed += head_len;
    event = take_head(self, cov_str_slice(view, 0, head_len));
    if (event != COV_HTTP_MORE)
        return event;
    if (self->phase == COV_HTTP_COMPLETE)
        return COV_HTTP_REQUEST;
    /* The body may be here already. */
    head_len = 0;
    event = cov__http_feed_body(self, cov_str_slice(view, self->scanned, view.len), &head_len);
    *consumed += head_len;
    return event;
}

cov__http_event cov__http_feed(cov__http_parser *self, cov_str view, size_t *consumed)
{
    *consumed = 0;
    switch (self->phase) {
    case COV_HTTP_HEAD:
        return feed_head(self, view, consumed);
    case COV_HTTP_BODY_LENGTH:
    case COV_HTTP_BODY_CHUNKED:
        return cov__http_feed_body(self, view, consumed);
    default: /* after a refusal or without cov__http_next: nothing more is read */
        return self->error.status != COV_OK ? COV_HTTP_REFUSED : COV_HTTP_REQUEST;
    }
}
