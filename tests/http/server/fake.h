/* SPDX-License-Identifier: MIT */
/* tests/http/server/fake.h - an application and a database that do what a test asks them by URL. */
#ifndef COV_TEST_FAKE_H
#define COV_TEST_FAKE_H

#include <stdatomic.h>

#include "covara/app.h"
#include "covara/stream.h"

typedef struct fake_counts {
    atomic_long rows;       /* committed */
    atomic_long commits;    /* of outermost transactions */
    atomic_long rollbacks;  /* of outermost transactions */
    atomic_long arrived;    /* writing requests that were read */
    atomic_long entered;    /* writing requests that began to run */
    atomic_long published;  /* mutations told to listeners */
    atomic_long max_group;  /* most rows of one commit */
    atomic_long blocked;    /* requests that were admitted on the pool */
    atomic_long opened;     /* streams */
    atomic_long closed;     /* streams */
    atomic_long drained;    /* calls */
    atomic_long queued;     /* the most that waited for one stream, when a loop's client last ran */
    atomic_long unwritten;  /* writes to streams that failed */
    atomic_long runs;       /* of the loops' clients */
    atomic_int busy_begins; /* so many outermost begins fail with COV_EBUSY */
} fake_counts;

extern fake_counts fake_counts_all;
extern const cov_db_driver fake_driver;

cov_app *fake_app_new(void);

/* ---- fake_stream_app.c ---- */

typedef struct fake_stream_options {
    long channel;
    long hello;    /* so many frames when it opens */
    long bytes;    /* then one of that size */
    long every_ms; /* a comment that often */
    bool end;      /* then the end */
} fake_stream_options;

extern const cov_loop_client fake_loop_client;
/* NULL: out of memory. */
cov_stream_source *fake_stream_source(const cov_worker *worker, const fake_stream_options *options);
/* Any thread: n frames of that size to each stream of the channel, then perhaps its end. */
void fake_stream_publish(long channel, long n, long bytes, bool end);

#endif
