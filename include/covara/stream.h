/* SPDX-License-Identifier: MIT */
/*
 * covara/stream.h - a response that goes on: server-sent events (spec/04, WHATWG HTML section 9.2).
 *
 * A handler of the READ lane answers GET with status 200, headers and `res->stream`; the host then sends the head and
 * keeps the connection. No thread and no stack belongs to a stream: it is an object that its event loop calls. Each
 * call comes on the thread that ran the request, one at a time.
 */
#ifndef COVARA_STREAM_H
#define COVARA_STREAM_H

#include "covara/str.h"

COV_BEGIN_C

/* Bytes shared by the streams that send them: made once, freed by the last one. Reference counts are atomic. */
typedef struct cov_payload cov_payload;
/* One reference, with room for `len` bytes to be filled in before it is shared; NULL: out of memory. */
COV_CHECK cov_payload *cov_payload_new(size_t len);
char *cov_payload_bytes(cov_payload *payload);
size_t cov_payload_len(const cov_payload *payload);
cov_payload *cov_payload_retain(cov_payload *payload);
void cov_payload_release(cov_payload *payload); /* NULL is fine */

/* The host's side of an open stream, embedded as the first member of what the host keeps of it. */
typedef struct cov_stream cov_stream;
enum { COV_STREAM_MAX_PIECES = 4 };
typedef struct cov_stream_ops {
    bool (*write)(cov_stream *stream, cov_payload *const *payloads, size_t n);
    size_t (*queued)(const cov_stream *stream);
    void (*end)(cov_stream *stream);
} cov_stream_ops;
struct cov_stream {
    const cov_stream_ops *ops;
};

/* None of these calls the source: what follows from them comes later, from the event loop. */

/*
 * Send the payloads one after another, as one frame: all of them or, once the stream is closed, none. A frame comes in
 * several pieces, at most COV_STREAM_MAX_PIECES, because most of it is shared by many streams and a little is not. Takes
 * references of its own until the bytes are with the kernel. False: the stream was ended, or is out of memory and will
 * be closed. Never blocks: what the client does not take waits, without a bound, so look at cov_stream_queued. All that
 * is written in one turn of the loop goes out together.
 */
static inline bool cov_stream_write(cov_stream *stream, cov_payload *const *payloads, size_t n)
{
    return stream->ops->write(stream, payloads, n);
}
/* Bytes that wait for the client. */
static inline size_t cov_stream_queued(const cov_stream *stream)
{
    return stream->ops->queued(stream);
}
/* End the stream after what is queued; `closed` follows. */
static inline void cov_stream_end(cov_stream *stream)
{
    stream->ops->end(stream);
}

/* The application's side: embedded as the first member of what a stream is about. */
typedef struct cov_stream_source cov_stream_source;
struct cov_stream_source {
    /* The head was sent; `stream` is good until `closed`. May write at once. */
    void (*opened)(cov_stream_source *source, cov_stream *stream);
    /* The kernel has all that was queued, after it once did not take everything. May be NULL. */
    void (*drained)(cov_stream_source *source);
    /*
     * The last call, exactly once, also when `opened` never came: client gone, ended, the server stops, the answer was
     * replaced by another, or it could not stream (HEAD, another lane). The host does not touch `source` afterwards,
     * and `stream` is gone.
     */
    void (*closed)(cov_stream_source *source);
};

COV_END_C

#endif
