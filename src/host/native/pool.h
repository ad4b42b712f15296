/* SPDX-License-Identifier: MIT */
/*
 * host/native/pool.h - threads for requests that take long or wait: password hashes, calls to other servers.
 *
 * DESIGN: each thread has a reading connection of its own, opened when it is first needed, and runs a request from its
 * admission on. What turns out to be a plain write then goes to the writer; what has to write in between waits for it
 * (cov__writer_call). The threads run at a lower priority than the loops, so that hashing passwords on all cores
 * does not delay reads. Rejected: libuv's own pool, which has no priorities and is shared with name look-ups.
 */
#ifndef COV_HOST_NATIVE_POOL_H
#define COV_HOST_NATIVE_POOL_H

#include "host/native/exchange.h"

typedef struct cov__pool cov__pool;

COV_CHECK cov_status cov__pool_new(const cov__server *server, cov__pool **out, cov_error *err);
COV_CHECK cov_status cov__pool_start(cov__pool *pool, cov_error *err);
/* As cov__writer_submit, but for a request that is not admitted yet. */
COV_CHECK bool cov__pool_submit(cov__pool *pool, cov__exchange *x);
/* Ends the threads after the queue is empty. NULL is fine. */
void cov__pool_free(cov__pool *pool);

#endif
