/* SPDX-License-Identifier: MIT */
/*
 * covara/http.h - one request and its response, as both hosts hand them to the application.
 */
#ifndef COVARA_HTTP_H
#define COVARA_HTTP_H

#include "covara/buf.h"
#include "covara/error.h"

COV_BEGIN_C

typedef enum cov_method {
    COV_GET,
    COV_HEAD,
    COV_POST,
    COV_PUT,
    COV_PATCH,
    COV_DELETE,
    COV_OPTIONS,
    COV_METHOD_OTHER
} cov_method;

typedef struct cov_header {
    cov_str name; /* as received; compare with cov_str_eq_nocase */
    cov_str value;
} cov_header;

/* All of it is borrowed and lives until the response was sent. */
typedef struct cov_request {
    cov_method method;
    cov_str method_name; /* "GET", as received */
    cov_str path;        /* raw, percent-encoded, without the query: "/api/todos/1" */
    cov_str query;       /* raw, without "?": "limit=5" */
    const cov_header *headers;
    size_t n_headers;
    cov_str body;
    cov_str peer_address; /* "127.0.0.1" */
    bool secure;          /* the connection is TLS */
} cov_request;

enum { COV_RESPONSE_MAX_HEADERS = 32 };

/* Made by the host, which owns `body`. Header texts must live until the response was sent. */
typedef struct cov_response {
    int status;
    size_t n_headers;
    cov_header headers[COV_RESPONSE_MAX_HEADERS];
    cov_buf body; /* Content-Length follows from it; the host drops it for HEAD, 204 and 304 */
    /*
     * The response goes on as a stream (covara/stream.h); `body` is its beginning. NULL: it does not. Whoever replaces
     * a response calls cov_response_drop_stream first.
     */
    struct cov_stream_source *stream;
} cov_response;

/* The first header of that name (any case), or an empty string with ptr NULL. */
cov_str cov_request_header(const cov_request *req, cov_str name);
/* From "GET"; unknown names give COV_METHOD_OTHER. */
cov_method cov_method_of(cov_str name);
/* Set (replacing) a header; borrowed texts. More than COV_RESPONSE_MAX_HEADERS are dropped. */
void cov_response_header(cov_response *res, cov_str name, cov_str value);
/* Add a header beside others of that name: Set-Cookie. */
void cov_response_add_header(cov_response *res, cov_str name, cov_str value);
/* NULL when absent. */
const cov_header *cov_response_find(const cov_response *res, cov_str name);
/* Without a stream; `closed` of the one that was set is called. */
void cov_response_drop_stream(cov_response *res);

COV_END_C

#endif
