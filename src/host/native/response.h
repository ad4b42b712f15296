/* SPDX-License-Identifier: MIT */
/*
 * host/native/response.h - a cov_response as HTTP/1.1 bytes.
 *
 * Ignores: sockets. Threads: one at a time, but the date cache belongs to one thread.
 */
#ifndef COV_HOST_NATIVE_RESPONSE_H
#define COV_HOST_NATIVE_RESPONSE_H

#include "base/time.h"
#include "covara/http.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT", made anew only when the second changed. */
typedef struct cov__http_date {
    int64_t second;
    char text[COV_TIME_HTTP_BYTES];
} cov__http_date;

typedef struct cov__response_mode {
    bool head;   /* the request was HEAD: no body */
    bool http10; /* the client needs "Connection: keep-alive" spelled out */
    bool close;  /* the connection ends with this response */
    bool stream; /* the body's length is not known: chunks, or all until the connection ends */
} cov__response_mode;

void cov__http_date_update(cov__http_date *date, int64_t now_s);

/*
 * Append status line, headers and empty line to `out`. *with_body: whether res->body follows.
 * A header that could break out of its line is dropped and logged; framing headers of the application
 * (Content-Length, Transfer-Encoding, Connection, ...) are dropped silently, since they are the host's.
 * Failure is sticky in `out`.
 */
void cov__response_head(cov_buf *out, const cov_response *res, cov__response_mode mode,
                        const cov__http_date *date, bool *with_body);

#endif
