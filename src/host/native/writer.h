/* SPDX-License-Identifier: MIT */
/*
 * host/native/writer.h - the one thread that changes rows, with group commit.
 *
 * DESIGN: a commit waits for the disk, a statement does not. So the writer runs all requests that wait, one after
 * another inside one transaction (each in a savepoint that cov_app_fetch makes), commits once, and only
 * then lets the responses go: whatever a client was told is on disk. Rejected: a transaction a request, which
 * makes every client pay its own fsync.
 */
#ifndef COV_HOST_NATIVE_WRITER_H
#define COV_HOST_NATIVE_WRITER_H

#include "host/native/exchange.h"

typedef struct cov__writer cov__writer;

/* Opens the writing connection; no thread yet. */
COV_CHECK cov_status cov__writer_new(const cov__server *server, cov__writer **out, cov_error *err);
COV_CHECK cov_status cov__writer_start(cov__writer *writer, cov_error *err);
/*
 * Queue the exchange's request, which must be held (cov__http_hold). It comes back through
 * cov__loop_complete with its response filled, exactly once. False: the queue is full, nothing happened.
 */
COV_CHECK bool cov__writer_submit(cov__writer *writer, cov__exchange *x);
/* Ends the thread after the queue is empty, closes the connection. NULL is fine. */
void cov__writer_free(cov__writer *writer);

#endif
