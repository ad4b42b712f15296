/* SPDX-License-Identifier: MIT */
/* An app with one shard, and streams that record what is written to them. */
#ifndef LIVE_FIXTURE_H
#define LIVE_FIXTURE_H

#include "app_fixture.h"
#include "covara/stream.h"

enum { MAX_STREAMS = 256 };

typedef struct fake_stream {
    cov_stream base; /* first */
    cov_stream_source *source;
    cov_buf text;    /* what was written since the last take */
    size_t queued;   /* bytes that wait; grows while `stuck` */
    bool stuck;      /* the client does not read */
    bool ended;      /* by the server */
    size_t n_writes; /* frames */
} fake_stream;

typedef struct live_fixture {
    app_fixture app;
    cov_live_shard *shard;
    size_t n_wakes;
} live_fixture;

void live_open(live_fixture *f, const char *sql, const char *config);
void live_build(live_fixture *f, const char *sql, const char *config, cov_build_fn build);
/* Streams must be closed before. */
void live_close(live_fixture *f);

/* Open a stream with what the last call answered; stops the test when that was no stream. */
fake_stream *stream_open(live_fixture *f);
/* GET `target` as this user (NULL: nobody) and open its stream. */
fake_stream *stream_get(live_fixture *f, const char *user_id, const char *target);
/* A stream for a source: for tests that have their own calls. */
fake_stream *stream_of(cov_stream_source *source);
/* Call `opened`. */
void stream_begin(fake_stream *stream);
/* The client goes away. Frees the stream. */
void stream_close(fake_stream *stream);
/* The client reads everything. */
void stream_drain(fake_stream *stream);
/*
 * What came since the last time, with what changes from run to run left out: ids of events and subscriptions, times and
 * sequences; one line a frame, joined by "|". Lives until the next call.
 */
const char *stream_take(fake_stream *stream);
/* The same as it was written. */
const char *stream_take_raw(fake_stream *stream);

#endif
