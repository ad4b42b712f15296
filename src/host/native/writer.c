/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "host/native/writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "host/native/jobs.h"
#include "host/native/loop.h"

enum {
    /* Twice the concurrency one writer is useful for; beyond it waiting would exceed clients' patience. */
    QUEUE_MAX = 2048,
    /* Bounds of one transaction: how long the first of its clients waits for the last. */
    BATCH_MAX = 256,
    BATCH_MAX_US = 5000
};

/*
 * A cov_worker.write on its way: on the caller's stack when somebody waits for it, else on the heap. `done` is set
 * under the writer's lock.
 */
typedef struct call {
    cov__job job;
    cov_write_fn work;
    void *arg;
    void (*committed)(void *arg); /* may be NULL */
    void (*free_arg)(void *arg);  /* nobody waits */
    cov_status status;
    cov_error err;
    bool done;
} call;

struct cov__writer {
    const cov__server *server;
    cov_db *db;
    pthread_t thread;
    bool started;
    cov__jobs taken; /* writer thread only: left over when a batch reached its bound */
    cov__jobs *per_loop;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_cond_t called; /* calls are done */
    cov__jobs queue;       /* under lock */
    bool waiting;          /* under lock */
    bool stopping;         /* under lock */
};

static bool submit(cov__writer *writer, cov__job *job, size_t limit)
{
    bool accepted;
    bool wake;

    pthread_mutex_lock(&writer->lock);
    accepted = writer->queue.len < limit && !writer->stopping;
    if (accepted)
        cov__jobs_push(&writer->queue, job);
    wake = accepted && writer->waiting;
    pthread_mutex_unlock(&writer->lock);
    if (wake)
        pthread_cond_signal(&writer->wake);
    return accepted;
}

bool cov__writer_submit(cov__writer *writer, cov__exchange *x)
{
    return submit(writer, &x->job, QUEUE_MAX);
}

cov_status cov__writer_call(void *self, cov_write_fn work, void (*committed)(void *arg), void *arg,
                            cov_error *err)
{
    cov__writer *writer = self;
    call c = { .job = { .is_call = true }, .work = work, .arg = arg, .committed = committed };

    if (!submit(writer, &c.job, QUEUE_MAX))
        return cov_fail(err, COV_EBUSY, "the writer's queue is full");
    pthread_mutex_lock(&writer->lock);
    while (!c.done)
        pthread_cond_wait(&writer->called, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
    if (c.status != COV_OK && err != NULL) {
        cov_arena *arena = err->arena;

        *err = c.err;
        err->arena = arena;
    }
    return c.status;
}

/* What is only worth doing when there is time for it is dropped when there is none. */
void cov__writer_call_later(void *self, cov_write_fn work, void (*done)(void *arg), void *arg)
{
    call *c = calloc(1, sizeof *c);

    if (c != NULL) {
        *c = (call){ .job = { .is_call = true }, .work = work, .arg = arg, .free_arg = done };
        if (submit(self, &c->job, QUEUE_MAX / 2))
            return;
    }
    free(c);
    done(arg);
}

/* The next job that waits, or NULL. */
static cov__job *next_job(cov__writer *writer)
{
    if (writer->taken.head == NULL) {
        pthread_mutex_lock(&writer->lock);
        writer->taken = writer->queue;
        memset(&writer->queue, 0, sizeof writer->queue);
        pthread_mutex_unlock(&writer->lock);
    }
    return cov__jobs_pop(&writer->taken);
}

/* Sleeps until a job waits. False: stop, and nothing waits. */
static bool wait_for_jobs(cov__writer *writer)
{
    bool go_on;

    if (writer->taken.head != NULL)
        return true;
    pthread_mutex_lock(&writer->lock);
    writer->waiting = true;
    while (writer->queue.head == NULL && !writer->stopping)
        pthread_cond_wait(&writer->wake, &writer->lock);
    writer->waiting = false;
    go_on = writer->queue.head != NULL;
    pthread_mutex_unlock(&writer->lock);
    return go_on;
}

static cov_worker worker_for(cov__writer *writer, cov_arena *arena)
{
    cov_worker worker = { .host = writer->server->host, .db = writer->db, .arena = arena };

    return worker;
}

/* ---- jobs of either kind ---- */

static void run_call(cov__writer *writer, call *c)
{
    cov_error_init(&c->err, NULL);
    c->status = cov_db_begin(writer->db, true, &c->err);
    if (c->status != COV_OK)
        return;
    c->status = c->work(writer->db, c->arg, &c->err);
    if (c->status == COV_OK)
        c->status = cov_db_commit(writer->db, &c->err);
    if (c->status != COV_OK)
        cov_db_rollback(writer->db);
}

static void run_job(cov__writer *writer, cov__job *job)
{
    cov__exchange *x = (cov__exchange *)job;
    cov_worker worker;

    if (job->is_call) {
        run_call(writer, (call *)job);
        return;
    }
    worker = worker_for(writer, x->arena);
    cov__exchange_answer(x, &worker);
}

static void fail_job(cov__writer *writer, cov__job *job, const cov_error *err)
{
    cov__exchange *x = (cov__exchange *)job;
    call *c = (call *)job;

    if (!job->is_call) {
        cov__exchange_problem(x, writer->server, &x->parser.request, err);
        return;
    }
    c->status = err->status;
    c->err = *err;
}

static void deliver_call(cov__writer *writer, call *c)
{
    if (c->status == COV_OK && c->committed != NULL)
        c->committed(c->arg);
    if (c->free_arg != NULL) {
        c->free_arg(c->arg);
        free(c);
        return;
    }
    pthread_mutex_lock(&writer->lock);
    c->done = true; /* the caller's stack may be gone once the lock is */
    pthread_mutex_unlock(&writer->lock);
    pthread_cond_broadcast(&writer->called);
}

/* Everything is durable: finish the requests, and hand the batch back with one lock and one wake-up a loop. */
static void deliver(cov__writer *writer, cov__jobs *batch)
{
    const cov__server *server = writer->server;
    cov__job *job;

    while ((job = cov__jobs_pop(batch)) != NULL) {
        cov__exchange *x = (cov__exchange *)job;
        cov_worker worker;

        if (job->is_call) {
            deliver_call(writer, (call *)job);
            continue;
        }
        worker = worker_for(writer, x->arena);
        cov__exchange_finish(x, &worker);
        cov__jobs_push(&writer->per_loop[x->loop->index], job);
    }
    for (size_t i = 0; i < server->n_loops; i++) {
        cov__jobs *list = &writer->per_loop[i];

        if (list->head != NULL)
            cov__loop_complete(&server->loops[i], list->head, list->tail);
        memset(list, 0, sizeof *list);
    }
}

/* ---- batches ---- */

/* A transaction for this job alone. False: the database is locked by another process. */
static bool run_alone(cov__writer *writer, cov__job *job)
{
    cov_error err;
    cov_status st;

    cov_error_init(&err, NULL);
    st = cov_db_begin(writer->db, true, &err);
    if (st != COV_OK) {
        fail_job(writer, job, &err);
        return st != COV_EBUSY;
    }
    run_job(writer, job);
    if (cov_db_commit(writer->db, &err) != COV_OK) {
        cov_db_rollback(writer->db);
        fail_job(writer, job, &err);
    }
    return true;
}

/*
 * The common transaction failed with `err`: find whose fault it was by giving each job its own. Nothing was
 * told to anybody yet, so running them again is safe. Once the lock of another process outlasted the busy timeout
 * for one of them, the others do not wait for it again.
 */
static void run_one_by_one(cov__writer *writer, cov__jobs *batch, const cov_error *err)
{
    bool locked = false;

    if (batch->len == 1) {
        fail_job(writer, batch->head, err);
        return;
    }
    for (cov__job *job = batch->head; job != NULL; job = job->next) {
        if (!locked)
            locked = !run_alone(writer, job);
        else
            fail_job(writer, job, err);
    }
}

/* Run jobs until none waits or a bound is reached. */
static void run_together(cov__writer *writer, cov__jobs *batch)
{
    const cov_host *host = writer->server->host;
    int64_t start_us = host->monotonic_us(host->self);
    cov__job *job;

    while ((job = next_job(writer)) != NULL) {
        run_job(writer, job);
        cov__jobs_push(batch, job);
        if (batch->len >= BATCH_MAX || host->monotonic_us(host->self) - start_us >= BATCH_MAX_US)
            return;
    }
}

static void take_batch(cov__writer *writer, cov__jobs *batch)
{
    cov__job *job;

    while (batch->len < BATCH_MAX && (job = next_job(writer)) != NULL)
        cov__jobs_push(batch, job);
}

static void run_batch(cov__writer *writer)
{
    const cov_app *app = writer->server->options.app;
    cov__jobs batch = { 0 };
    cov_error err;

    cov_error_init(&err, NULL);
    if (cov_db_begin(writer->db, true, &err) == COV_OK) {
        run_together(writer, &batch);
        cov_app_committing(app);
        if (cov_db_commit(writer->db, &err) != COV_OK) {
            cov_db_rollback(writer->db);
            run_one_by_one(writer, &batch, &err);
        }
    } else {
        cov_app_committing(app);
        take_batch(writer, &batch);
        run_one_by_one(writer, &batch, &err);
    }
    deliver(writer, &batch);
    cov_app_committed(app);
}

static void *writer_main(void *arg)
{
    cov__writer *writer = arg;

    while (wait_for_jobs(writer))
        run_batch(writer);
    return NULL;
}

static cov_status start_app(cov__writer *writer, cov_error *err)
{
    cov_arena *arena = cov_arena_new(0);
    cov_worker worker = worker_for(writer, arena);
    cov_status st = arena != NULL ? cov_app_start(writer->server->options.app, &worker, err)
                                  : cov_fail_nomem(err);

    cov_arena_free(arena);
    return st;
}

cov_status cov__writer_new(const cov__server *server, cov__writer **out, cov_error *err)
{
    cov__writer *writer = calloc(1, sizeof *writer);
    cov_db_config config = server->options.database;
    cov_status st;

    if (writer == NULL)
        return cov_fail_nomem(err);
    writer->server = server;
    writer->per_loop = calloc(server->n_loops, sizeof *writer->per_loop);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->wake, NULL);
    pthread_cond_init(&writer->called, NULL);
    config.read_only = false;
    st = writer->per_loop != NULL
             ? cov_db_open(server->options.driver, server->host, &config, &writer->db, err)
             : cov_fail_nomem(err);
    if (st != COV_OK) {
        cov__writer_free(writer);
        return st;
    }
    st = start_app(writer, err);
    if (st != COV_OK) {
        cov__writer_free(writer);
        return st;
    }
    *out = writer;
    return COV_OK;
}

cov_status cov__writer_start(cov__writer *writer, cov_error *err)
{
    if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0)
        return cov_fail(err, COV_EINTERNAL, "cannot start the writer thread");
    writer->started = true;
    return COV_OK;
}

void cov__writer_free(cov__writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->started) {
        pthread_mutex_lock(&writer->lock);
        writer->stopping = true;
        pthread_mutex_unlock(&writer->lock);
        pthread_cond_signal(&writer->wake);
        pthread_join(writer->thread, NULL);
    }
    cov_db_close(writer->db);
    pthread_cond_destroy(&writer->called);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->lock);
    free(writer->per_loop);
    free(writer);
}
