/* SPDX-License-Identifier: MIT */
/*
 * host/native/exchange.h - all the memory one connection needs while requests are under way.
 *
 * Pooled per loop: an idle connection has none. Owned by its loop's thread, except between
 * cov__writer_submit and cov__loop_complete, when the writer thread owns request, response and arena.
 */
#ifndef COV_HOST_NATIVE_EXCHANGE_H
#define COV_HOST_NATIVE_EXCHANGE_H

#include <uv.h>

#include "host/native/http_parser.h"
#include "host/native/response.h"
#include "host/native/server.h"

/* Buffers above this are given back after each request, so that one large one does not stay in the pool. */
#define COV_EXCHANGE_KEEP_BYTES ((size_t)64 * 1024)

struct cov__conn;
struct cov__loop;

typedef struct cov__exchange {
    struct cov__exchange *next; /* in the pool, the writer's queue or a list of completions */
    struct cov__loop *loop;
    struct cov__conn *conn; /* NULL once the connection closed; loop thread only */
    int refs;               /* connection and job; loop thread only */
    cov__http_parser parser;
    cov_buf in;       /* bytes that arrived and are not consumed */
    cov_buf out;      /* bytes to write, or being written */
    cov_arena *arena; /* reset after each response was serialised */
    cov_response res;
    cov_mutations mutations;        /* what the request changed, until its commit */
    char peer[COV_PEER_TEXT_BYTES]; /* request.peer_address */
    uint64_t started_ns;            /* for the access log; 0: no request arrived */
    uv_write_t write;
} cov__exchange;

/* NULL when out of memory. */
COV_CHECK cov__exchange *cov__exchange_new(struct cov__loop *loop, const cov__http_limits *limits);
void cov__exchange_free(cov__exchange *x);
/* Forget all messages; keep the memory. */
void cov__exchange_reset(cov__exchange *x);

/* Run the request on `db`, replacing what res held. The arena is reset first. */
void cov__exchange_run(cov__exchange *x, const cov__server *server, cov_db *db);
/* Make res the problem of `err`. `req` may be NULL. */
void cov__exchange_problem(cov__exchange *x, const cov__server *server, const cov_request *req,
                           const cov_error *err);
/* One line "Request completed"; `req` may be NULL. */
void cov__exchange_log(const cov__exchange *x, const cov_request *req);

#endif
