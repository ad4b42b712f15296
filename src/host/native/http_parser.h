/* SPDX-License-Identifier: MIT */
/*
 * host/native/http_parser.h - bytes of a connection to cov_request, one message at a time.
 *
 * Knows:   RFC 9112 framing, the limits, which malformed input is answered how.
 * Ignores: sockets, libuv, time, the application. No I/O.
 * Threads: one at a time.
 * Memory:  a request points into the bytes that were fed until cov__http_hold copies it.
 *
 * DESIGN: the head is handed to llhttp only when it is complete and in one piece, after a strict scan of its
 * lines: Debian builds llhttp in its loose mode, which takes bare LF or CR as the end of a line, spaces in
 * field names and any byte in place of a chunk's line ends, each of which is a way to smuggle requests
 * past a proxy that reads the same bytes differently. For the same reason bodies are framed here
 * (http_body.c) and not by llhttp.
 */
#ifndef COV_HOST_NATIVE_HTTP_PARSER_H
#define COV_HOST_NATIVE_HTTP_PARSER_H

#include "covara/http.h"

enum {
    /* As many as Apache takes and a little more; each costs 32 bytes in every pooled exchange. */
    COV_HTTP_MAX_HEADERS = 128,
    /* The longest registered method has 17. */
    COV_HTTP_MAX_METHOD_BYTES = 32,
    /* A chunk's size line, extensions included. */
    COV_HTTP_MAX_CHUNK_LINE_BYTES = 256
};

typedef struct cov__http_limits {
    size_t max_url_bytes;
    size_t max_header_bytes; /* the lines between request line and empty line; trailers too */
    size_t max_body_bytes;
} cov__http_limits;

typedef enum cov__http_event {
    COV_HTTP_MORE,     /* feed again, with what was not consumed in front */
    COV_HTTP_CONTINUE, /* the client waits for "100 Continue"; then feed on */
    COV_HTTP_REQUEST,  /* `request` is complete; cov__http_next before the next feed */
    COV_HTTP_REFUSED   /* `error` says why; answer, then close, or cov__http_next if keep_alive */
} cov__http_event;

typedef enum cov__http_phase {
    COV_HTTP_HEAD,
    COV_HTTP_BODY_LENGTH,
    COV_HTTP_BODY_CHUNKED,
    COV_HTTP_COMPLETE
} cov__http_phase;

typedef enum cov__chunk_phase {
    COV_CHUNK_LINE,
    COV_CHUNK_DATA,
    COV_CHUNK_DATA_END,
    COV_CHUNK_TRAILER
} cov__chunk_phase;

typedef struct cov__http_parser {
    cov__http_limits limits;
    cov__http_phase phase;
    bool continue_due; /* 100 Continue is still to be asked for */
    bool held;         /* request points into `hold` and `body` */
    bool has_request;  /* request is filled, also when refused */
    bool keep_alive;   /* whether the connection may serve another message */
    bool http10;
    size_t scanned;       /* head: bytes of the fed view that were looked at */
    size_t line_start;    /* head: where the line being scanned starts */
    size_t headers_start; /* head: where the first field line starts; 0 = in the request line */
    uint64_t content_length;
    bool has_content_length;
    cov__chunk_phase chunk;
    uint64_t chunk_left;
    size_t trailer_bytes;
    cov_buf hold; /* the head, once it had to be kept */
    cov_buf body; /* decoded body, unless it lies complete in the fed bytes */
    size_t n_headers;
    cov_header headers[COV_HTTP_MAX_HEADERS];
    cov_request request; /* peer_address and secure are the caller's to fill */
    cov_error error;
} cov__http_parser;

/* `self` may hold anything but a live parser. */
void cov__http_init(cov__http_parser *self, const cov__http_limits *limits);
void cov__http_dispose(cov__http_parser *self);
/* Ready for the next message; buffers stay, up to `keep_bytes` each. */
void cov__http_next(cov__http_parser *self, size_t keep_bytes);

/*
 * Take bytes. The view starts at the first byte not consumed so far, and whatever was not consumed is fed
 * again. *consumed is set for every event. After COV_HTTP_REQUEST the view must stay as it is for as long as the
 * request is used, unless cov__http_hold is called.
 */
cov__http_event cov__http_feed(cov__http_parser *self, cov_str view, size_t *consumed);

/* Copy the complete request so that it outlives the fed bytes. */
COV_CHECK cov_status cov__http_hold(cov__http_parser *self);
/* Whether a message has begun: its head is complete and its body is awaited. */
static inline bool cov__http_in_body(const cov__http_parser *self)
{
    return self->phase == COV_HTTP_BODY_LENGTH || self->phase == COV_HTTP_BODY_CHUNKED;
}

/* RFC 9110 tchar: what methods and field names are made of. */
bool cov__http_is_token(cov_str s);

/* ---- between the files of the parser ---- */

cov__http_event cov__http_refuse(cov__http_parser *self, cov_status status, const char *detail);
/* http_head.c: `line` is without CRLF. COV_HTTP_MORE when it is fine. */
cov__http_event cov__http_take_request_line(cov__http_parser *self, cov_str line);
/* http_head.c: checks all fields and sets the phase of the body. COV_HTTP_MORE when they are fine. */
cov__http_event cov__http_check_head(cov__http_parser *self);
/* Copies the head (and rebases the request onto it); part of cov__http_hold. */
COV_CHECK cov_status cov__http_hold_head(cov__http_parser *self);
cov__http_event cov__http_feed_body(cov__http_parser *self, cov_str view, size_t *consumed);

#endif
