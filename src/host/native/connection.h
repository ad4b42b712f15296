/* SPDX-License-Identifier: MIT */
/*
 * host/native/connection.h - one TCP connection: bytes in, requests in order, bytes out.
 *
 * Threads: its loop's.
 *
 * DESIGN: requests of a connection are answered strictly one after another. While one is with the writer or
 * output waits for the client, the connection is busy: what arrives is only kept (up to a bound, then
 * reading stops, so that TCP slows the client down). Everything else happens in one pass over the bytes:
 * parse, run, append the response; what a pass produced goes out in one write.
 */
#ifndef COV_HOST_NATIVE_CONNECTION_H
#define COV_HOST_NATIVE_CONNECTION_H

#include "host/native/loop.h"

typedef struct cov__conn {
    cov__waiter waiter; /* first: lists of waiters are lists of connections */
    uv_tcp_t tcp;
    cov__loop *loop;
    struct cov__conn *next_free;
    cov__exchange *x;           /* NULL while idle, and once a stream's head was sent */
    struct cov__stream *stream; /* NULL: the answer is none */
    bool job;                   /* with the writer */
    bool answered;              /* the job came back, but earlier output is still being written */
    bool writing;               /* x->write is in use */
    bool last;                  /* no request after this one */
    bool linger;                /* the client may have sent more than was read: half-close first */
    bool eof;                   /* the client has half-closed */
    bool stopped;               /* reading is stopped */
    bool fresh;                 /* a message ended since the wait began */
    size_t unwritten;           /* at the last look, to see whether the client reads */
    size_t lingered;            /* bytes thrown away: after the last answer, or sent to a stream */
    size_t peer_len;
    char peer[COV_PEER_TEXT_BYTES];
} cov__conn;

/* The listener's callback, and the same for a socket accepted by hand. */
void cov__conn_on_listen(uv_stream_t *listener, int status);
void cov__conn_adopt(cov__loop *loop, int fd);
/* The job of this exchange is done. Takes over the job's reference. */
void cov__conn_job_done(cov__exchange *x);
/* The wait lasted too long. */
void cov__conn_timeout(cov__conn *conn);
/* Shutdown: close it unless a request is on its way. */
void cov__conn_close_idle(cov__conn *conn);
void cov__conn_close(cov__conn *conn);
/* The last response was written: close, gently when the client may be sending. */
void cov__conn_finish(cov__conn *conn);

#endif
