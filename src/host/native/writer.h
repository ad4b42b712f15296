/* SPDX-License-Identifier: MIT */
/*
 * host/native/writer.h - the one thread that changes rows, with group commit.
 *
 * DESIGN: a commit waits for the disk, a statement does not. So the writer runs all jobs that wait, one after
 * another inside one transaction (each in a savepoint of its own), commits once, and only then lets the
 * responses go: whatever a client was told is on disk. Rejected: a transaction a request, which makes every client
 * pay its own fsync.
 */
#ifndef COV_HOST_NATIVE_WRITER_H
#define COV_HOST_NATIVE_WRITER_H

#include "host/native/exchange.h"

typedef struct cov__writer cov__writer;

/* Opens the writing connection and starts the app with it; no thread yet. */
COV_CHECK cov_status cov__writer_new(const cov__server *server, cov__writer **out, cov_error *err);
COV_CHECK cov_status cov__writer_start(cov__writer *writer, cov_error *err);
/*
 * Queue the exchange's admitted request, which must be held (cov__http_hold). It comes back through
 * cov__loop_complete, answered and finished, exactly once. False: the queue is full, nothing happened.
 */
COV_CHECK bool cov__writer_submit(cov__writer *writer, cov__exchange *x);
/* cov_worker.write and write_later; `writer` is a cov__writer. Any thread but the writer's own. */
cov_status cov__writer_call(void *writer, cov_write_fn work, void (*committed)(void *arg),
                            void *arg, cov_error *err);
void cov__writer_call_later(void *writer, cov_write_fn work, void (*done)(void *arg), void *arg);
/* Ends the thread after the queue is empty, closes the connection. NULL is fine. */
void cov__writer_free(cov__writer *writer);

#endif
