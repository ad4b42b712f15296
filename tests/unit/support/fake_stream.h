/* SPDX-License-Identifier: MIT */
/*
 * The host's side of a stream without a host: records what is written, and lets a test play the client.
 *
 *     fake_stream s = FAKE_STREAM_INIT;
 *     fake_stream_open(&s, res.stream);  the head was sent
 *     s.stalled = true;                  the client stops reading: writes wait
 *     fake_stream_read(&s);              it reads all that waits, and goes on reading
 *     fake_stream_close(&s);             it is gone, or what was ended is out
 */
#ifndef FAKE_STREAM_H
#define FAKE_STREAM_H

#include "covara/buf.h"
#include "covara/stream.h"

typedef struct fake_stream {
    cov_stream stream;
    cov_stream_source *source; /* NULL once closed */
    cov_buf text;              /* everything written */
    size_t n_writes;
    size_t queued;
    bool stalled;
    bool full; /* writes fail */
    bool ended;
} fake_stream;

extern const cov_stream_ops fake_stream_ops;
#define FAKE_STREAM_INIT                                            \
    {                                                               \
        .stream = { .ops = &fake_stream_ops }, .text = COV_BUF_INIT \
    }

void fake_stream_open(fake_stream *self, cov_stream_source *source);
void fake_stream_read(fake_stream *self);
void fake_stream_close(fake_stream *self);
void fake_stream_dispose(fake_stream *self);

#endif
