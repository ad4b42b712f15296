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

/* Something for the writer or the pool to run: an exchange, or a call of cov_worker.write. */
typedef struct cov__job {
    struct cov__job *next; /* in a queue or a list of completions */
    bool is_call;          /* a cov__call of writer.c, else an exchange */
} cov__job;

typedef struct cov__exchange {
    cov__job job;               /* first: a list of jobs is a list of exchanges */
    struct cov__exchange *next; /* in the pool of exchanges */
    struct cov__loop *loop;
    struct cov__conn *conn; /* NULL once the connection closed; loop thread only */
    int refs;               /* connection and job; loop thread only */
    cov__http_parser parser;
    cov_buf in;       /* bytes that arrived and are not consumed */
    cov_buf out;      /* bytes to write, or being written */
    cov_arena *arena; /* reset after each response was serialised */
    cov_response res;
    bool admitted;                  /* by the pool, to be answered on the loop */
    cov_passage passage;            /* from one step of the request to the next */
    char peer[COV_PEER_TEXT_BYTES]; /* request.peer_address */
    uint64_t started_ns;            /* for the access log; 0: no request arrived */
    uv_write_t write;
} cov__exchange;

/* NULL when out of memory. */
COV_CHECK cov__exchange *cov__exchange_new(struct cov__loop *loop, const cov__http_limits *limits);
void cov__exchange_free(cov__exchange *x);
/* Forget all messages; keep the memory. */
void cov__exchange_reset(cov__exchange *x);

/* A new request arrived: forget the last one's arena, response and passage. */
void cov__exchange_begin(cov__exchange *x);
/* The three steps of covara/app.h, with a worker of the thread that owns the exchange. */
COV_CHECK bool cov__exchange_admit(cov__exchange *x, const cov_worker *worker);
void cov__exchange_answer(cov__exchange *x, const cov_worker *worker);
void cov__exchange_finish(cov__exchange *x, const cov_worker *worker);
/* Make res the problem of `err`. `req` may be NULL. */
void cov__exchange_problem(cov__exchange *x, const cov__server *server, const cov_request *req,
                           const cov_error *err);
/* One line "Request completed"; `req` may be NULL. */
void cov__exchange_log(const cov__exchange *x, const cov_request *req);

#endif
