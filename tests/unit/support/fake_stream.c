/* SPDX-License-Identifier: MIT */
#include "fake_stream.h"

static bool fake_write(cov_stream *stream, cov_payload *payload)
{
    fake_stream *self = (fake_stream *)stream;

    if (self->ended || self->full)
        return false;
    cov_buf_append(&self->text, cov_payload_bytes(payload), cov_payload_len(payload));
    self->n_writes++;
    if (self->stalled)
        self->queued += cov_payload_len(payload);
    return true;
}

static size_t fake_queued(const cov_stream *stream)
{
    return ((const fake_stream *)stream)->queued;
}

static void fake_end(cov_stream *stream)
{
    ((fake_stream *)stream)->ended = true;
}

const cov_stream_ops fake_stream_ops = { .write = fake_write,
                                         .queued = fake_queued,
                                         .end = fake_end };

void fake_stream_open(fake_stream *self, cov_stream_source *source)
{
    self->source = source;
    source->opened(source, &self->stream);
}

void fake_stream_read(fake_stream *self)
{
    bool waited = self->queued != 0;

    self->stalled = false;
    self->queued = 0;
    if (waited && !self->ended && self->source->drained != NULL)
        self->source->drained(self->source);
}

void fake_stream_close(fake_stream *self)
{
    cov_stream_source *source = self->source;

    self->source = NULL;
    self->ended = true;
    if (source != NULL)
        source->closed(source);
}

void fake_stream_dispose(fake_stream *self)
{
    cov_buf_dispose(&self->text);
}
