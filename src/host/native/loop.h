/* SPDX-License-Identifier: MIT */
/*
 * host/native/loop.h - one event loop: its thread, listener, pools, waiting connections and mailbox.
 *
 * Threads: everything belongs to the loop's thread, but for cov__loop_complete and cov__loop_command.
 *
 * DESIGN: timeouts. A connection always waits for exactly one thing, each with one fixed timeout, so it is in
 * one list per kind, oldest first, and one timer a loop looks at the heads. Moving between lists is a few
 * pointer writes; a timer a connection would be a heap operation and often a system call for every request.
 */
#ifndef COV_HOST_NATIVE_LOOP_H
#define COV_HOST_NATIVE_LOOP_H

#include <pthread.h>
#include <uv.h>

#include "host/native/exchange.h"

enum { COV_LOOP_READ_BYTES = 64 * 1024 };

typedef enum cov__wait {
    COV_WAIT_IDLE,   /* for the first byte of a request */
    COV_WAIT_HEAD,   /* for the rest of a head */
    COV_WAIT_BODY,   /* for the rest of a body */
    COV_WAIT_WRITE,  /* for the client to read */
    COV_WAIT_LINGER, /* for the client to see the last answer and close */
    COV_WAIT_JOB,    /* for the writer or the pool; no timeout, those of what they wait for apply */
    COV_WAIT_STREAM, /* for a stream's source; no timeout */
    COV_WAIT_FLUSH,  /* for the end of this turn, when what a stream's source wrote is sent */
    COV_WAIT_KINDS,
    COV_WAIT_NOTHING = COV_WAIT_KINDS /* closing: in no list */
} cov__wait;

/* First member of a connection; also the sentinel of each list. */
typedef struct cov__waiter {
    struct cov__waiter *prev;
    struct cov__waiter *next;
    cov__wait kind;
    uint64_t since_ms;
} cov__waiter;

typedef enum cov__command {
    COV_LOOP_DRAIN = 1, /* stop accepting, end when the last connection is done */
    COV_LOOP_ABORT = 2, /* close what is left */
    COV_LOOP_PEERS = 4, /* loops[0]: another loop ended */
    COV_LOOP_CLIENT = 8 /* run the loop's client */
} cov__command;

/* The loop's cov_loop_client (covara/app.h), if there is one. */
typedef struct cov__client {
    void *self;
    bool open;
    cov_arena *arena;
    uv_timer_t timer; /* when it wants to be called next */
} cov__client;

typedef struct cov__loop {
    cov__server *server;
    size_t index;
    uv_loop_t uv;
    pthread_t thread;
    bool has_loop;
    bool has_thread;
    uv_tcp_t listener;
    uv_timer_t tick;
    uv_async_t mailbox;
    uv_prepare_t flush; /* active while a connection waits for COV_WAIT_FLUSH */
    cov__client client;
    cov_db *db;     /* reading */
    char *read_buf; /* COV_LOOP_READ_BYTES, shared by all connections: one reads at a time */
    cov__http_date date;
    cov__waiter waiting[COV_WAIT_KINDS];
    uint64_t timeouts_ms[COV_WAIT_KINDS]; /* 0: none */
    struct cov__conn *free_conns;
    size_t n_free_conns;
    cov__exchange *free_exchanges;
    size_t n_free_exchanges;
    size_t n_conns; /* open or closing */
    size_t n_jobs;  /* with the writer or the pool, also of connections that are gone */
    bool draining;
    bool ended;
    void (*on_peers)(struct cov__loop *loop); /* loops[0] */
    atomic_int commands;
    pthread_mutex_t lock;
    cov__job *done_head; /* under lock; exchanges */
    cov__job *done_tail; /* under lock */
    bool deaf;           /* under lock: the mailbox is closed */
} cov__loop;

/* Handles, pools and the reading connection; takes the listening `fd` over. No thread yet. */
COV_CHECK cov_status cov__loop_init(cov__loop *loop, cov__server *server, size_t index, int fd,
                                    cov_error *err);
/* Runs until drained. */
void cov__loop_run(cov__loop *loop);
/* After cov__loop_run, or instead of it. Safe on a zeroed loop. */
void cov__loop_dispose(cov__loop *loop);

/* What this loop lends to a request: its reading connection. */
cov_worker cov__loop_worker(cov__loop *loop, cov_arena *arena);
/* Any thread: exchanges from `first` to `last` have their responses. */
void cov__loop_complete(cov__loop *loop, cov__job *first, cov__job *last);
/* Any thread. */
void cov__loop_command(cov__loop *loop, cov__command command);

/* The last thing a loop does. */
void cov__loop_close_mailbox(cov__loop *loop);

/* For connections. */
void cov__loop_wait(cov__loop *loop, cov__waiter *waiter, cov__wait kind);
COV_CHECK cov__exchange *cov__loop_exchange(cov__loop *loop);
void cov__loop_unref(cov__loop *loop, cov__exchange *x);
/* A connection was closed or a job came back: the loop may be done. */
void cov__loop_check_end(cov__loop *loop);
/* Have cov__stream_flush_all called before the loop sleeps. */
void cov__loop_flush_later(cov__loop *loop);
const cov__http_date *cov__loop_date(cov__loop *loop);

#endif
