/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "host/native/writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "host/native/loop.h"

enum {
    /* Twice the concurrency one writer is useful for; beyond it waiting would exceed clients' patience. */
    QUEUE_MAX = 2048,
    /* Bounds of one transaction: how long the first of its clients waits for the last. */
    BATCH_MAX = 256,
    BATCH_MAX_US = 5000
};

typedef struct job_list {
    cov__exchange *head;
    cov__exchange *tail;
    size_t len;
} job_list;

struct cov__writer {
    const cov__server *server;
    cov_db *db;
    pthread_t thread;
    bool started;
    job_list taken; /* writer thread only: left over when a batch reached its bound */
    job_list *per_loop;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    job_list queue; /* under lock */
    bool waiting;   /* under lock */
    bool stopping;  /* under lock */
};

static void push(job_list *list, cov__exchange *x)
{
    x->next = NULL;
    if (list->tail != NULL)
        list->tail->next = x;
    else
        list->head = x;
    list->tail = x;
    list->len++;
}

static cov__exchange *pop(job_list *list)
{
    cov__exchange *x = list->head;

    if (x == NULL)
        return NULL;
    list->head = x->next;
    if (list->head == NULL)
        list->tail = NULL;
    list->len--;
    x->next = NULL;
    return x;
}

bool cov__writer_submit(cov__writer *writer, cov__exchange *x)
{
    bool accepted;
    bool wake;

    pthread_mutex_lock(&writer->lock);
    accepted = writer->queue.len < QUEUE_MAX;
    if (accepted)
        push(&writer->queue, x);
    wake = accepted && writer->waiting;
    pthread_mutex_unlock(&writer->lock);
    if (wake)
        pthread_cond_signal(&writer->wake);
    return accepted;
}

/* The next job that waits, or NULL. */
static cov__exchange *next_job(cov__writer *writer)
{
    if (writer->taken.head == NULL) {
        pthread_mutex_lock(&writer->lock);
        writer->taken = writer->queue;
        memset(&writer->queue, 0, sizeof writer->queue);
        pthread_mutex_unlock(&writer->lock);
    }
    return pop(&writer->taken);
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

/* Everything is durable: tell the listeners, and hand the batch back with one lock and one wake-up a loop. */
static void deliver(cov__writer *writer, job_list *batch)
{
    const cov__server *server = writer->server;
    cov__exchange *x;

    while ((x = pop(batch)) != NULL) {
        cov_app_publish(server->options.app, &x->mutations);
        push(&writer->per_loop[x->loop->index], x);
    }
    for (size_t i = 0; i < server->n_loops; i++) {
        job_list *list = &writer->per_loop[i];

        if (list->head != NULL)
            cov__loop_complete(&server->loops[i], list->head, list->tail);
        memset(list, 0, sizeof *list);
    }
}

static void fail_job(cov__writer *writer, cov__exchange *x, const cov_error *err)
{
    cov__exchange_problem(x, writer->server, &x->parser.request, err);
}

/* A transaction for this job alone. False: the database is locked by another process. */
static bool run_alone(cov__writer *writer, cov__exchange *x)
{
    cov_error err;
    cov_status st;

    cov_error_init(&err, NULL);
    st = cov_db_begin(writer->db, true, &err);
    if (st != COV_OK) {
        fail_job(writer, x, &err);
        return st != COV_EBUSY;
    }
    cov__exchange_run(x, writer->server, writer->db);
    if (cov_db_commit(writer->db, &err) != COV_OK) {
        cov_db_rollback(writer->db);
        fail_job(writer, x, &err);
    }
    return true;
}

/*
 * The common transaction failed with `err`: find whose fault it was by giving each job its own. Nothing was
 * told to anybody yet, so running them again is safe. Once the lock of another process outlasted the busy timeout
 * for one of them, the others do not wait for it again.
 */
static void run_one_by_one(cov__writer *writer, job_list *batch, const cov_error *err)
{
    bool locked = false;

    if (batch->len == 1) {
        fail_job(writer, batch->head, err);
        return;
    }
    for (cov__exchange *x = batch->head; x != NULL; x = x->next) {
        if (!locked)
            locked = !run_alone(writer, x);
        else
            fail_job(writer, x, err);
    }
}

/* Run jobs until none waits or a bound is reached. */
static void run_together(cov__writer *writer, job_list *batch)
{
    const cov_host *host = writer->server->host;
    int64_t start_us = host->monotonic_us(host->self);
    cov__exchange *x;

    while ((x = next_job(writer)) != NULL) {
        cov__exchange_run(x, writer->server, writer->db);
        push(batch, x);
        if (batch->len >= BATCH_MAX || host->monotonic_us(host->self) - start_us >= BATCH_MAX_US)
            return;
    }
}

static void take_batch(cov__writer *writer, job_list *batch)
{
    cov__exchange *x;

    while (batch->len < BATCH_MAX && (x = next_job(writer)) != NULL)
        push(batch, x);
}

/* Whoever begins to follow rows waits from the first COMMIT until its changes were published. */
static void run_batch(cov__writer *writer)
{
    const cov_app *app = writer->server->options.app;
    job_list batch = { 0 };
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
        take_batch(writer, &batch);
        cov_app_committing(app);
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
    config.read_only = false;
    st = writer->per_loop != NULL
             ? cov_db_open(server->options.driver, server->host, &config, &writer->db, err)
             : cov_fail_nomem(err);
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
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->lock);
    free(writer->per_loop);
    free(writer);
}
