/* SPDX-License-Identifier: MIT */
/*
 * host/native/stream.h - a response that goes on: what its source writes, framed and out of the connection.
 *
 * Threads: its loop's.
 * Memory:  an idle stream is this struct, its connection and whatever its source keeps. Queued bytes are references.
 *
 * DESIGN: a write only queues and puts the connection into the loop's list of those with something to send
 * (COV_WAIT_FLUSH). That list is worked off once a turn, before the loop sleeps: everything a stream got in
 * a turn is one chunk and one system call, and no source is called back from within its own call.
 */
#ifndef COV_HOST_NATIVE_STREAM_H
#define COV_HOST_NATIVE_STREAM_H

#include "covara/stream.h"
#include "host/native/loop.h"

struct cov__conn;

enum {
    /* Payloads that wait without an allocation: a change reaches a stream as one or two. */
    COV_STREAM_INLINE = 4,
    /* "fffffffffffffff0\r\n" */
    COV_CHUNK_HEAD_BYTES = 18
};

/* Payloads in order; `items` is `few` or a heap block that is given back when all were sent. */
typedef struct cov__payloads {
    cov_payload **items;
    size_t first;
    size_t end;
    size_t cap;
    cov_payload *few[COV_STREAM_INLINE];
} cov__payloads;

typedef struct cov__stream {
    cov_stream base; /* first: what the source holds */
    struct cov__conn *conn;
    cov_stream_source *source; /* NULL once it was told of the end */
    cov__payloads queue;
    size_t queued;              /* bytes in `queue` */
    struct cov__flight *flight; /* what the kernel did not take at once; NULL: nothing */
    bool chunked;               /* else the connection's end is the stream's */
    bool ending;                /* the source wants no more */
    bool ended;                 /* the frame that ends the body was made */
    bool broken;                /* out of memory */
} cov__stream;

/* NULL: out of memory, and `source` was not called. */
COV_CHECK cov__stream *cov__stream_new(struct cov__conn *conn, cov_stream_source *source,
                                       bool chunked);
/* The head is out, and the connection waits for COV_WAIT_STREAM. */
void cov__stream_open(cov__stream *self);
/* Tell the source that this is the end, unless it knows. The memory stays for a write under way. */
void cov__stream_close(cov__stream *self);
/* After its connection was closed. NULL is fine. */
void cov__stream_free(cov__stream *self);

/* Send what the streams of a loop have queued in this turn. */
void cov__stream_flush_all(cov__loop *loop);
/* End all streams of a loop. */
void cov__stream_end_all(cov__loop *loop);

/* The line in front of a chunk; returns its length. */
size_t cov__chunk_head(char out[COV_CHUNK_HEAD_BYTES], size_t len);

#endif
