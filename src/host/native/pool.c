/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "host/native/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "host/native/jobs.h"
#include "host/native/loop.h"
#include "host/native/writer.h"

enum {
    /* A thousand waiting logins are a minute's work: more would only time out. */
    QUEUE_MAX = 1024,
    NICE = 10
};

/* What a request left to be done when it is answered. */
typedef struct deferred {
    struct deferred *next;
    void (*work)(void *arg);
    void *arg;
} deferred;

typedef struct pool_thread {
    cov__pool *pool;
    pthread_t thread;
    bool started;
    cov_db *db;      /* reading; NULL until the first request */
    deferred *first; /* in the order asked for */
    deferred **end;
} pool_thread;

struct cov__pool {
    const cov__server *server;
    pool_thread *threads;
    size_t n_threads;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    cov__jobs queue; /* under lock */
    bool stopping;   /* under lock */
};

bool cov__pool_submit(cov__pool *pool, cov__exchange *x)
{
    bool accepted;

    pthread_mutex_lock(&pool->lock);
    accepted = pool->queue.len < QUEUE_MAX && !pool->stopping;
    if (accepted)
        cov__jobs_push(&pool->queue, &x->job);
    pthread_mutex_unlock(&pool->lock);
    if (accepted)
        pthread_cond_signal(&pool->wake);
    return accepted;
}

/* NULL: stop, and nothing waits. */
static cov__exchange *next_job(cov__pool *pool)
{
    cov__job *job;

    pthread_mutex_lock(&pool->lock);
    while (pool->queue.head == NULL && !pool->stopping)
        pthread_cond_wait(&pool->wake, &pool->lock);
    job = cov__jobs_pop(&pool->queue);
    pthread_mutex_unlock(&pool->lock);
    return (cov__exchange *)job;
}

static cov_status connect_once(pool_thread *self, cov_error *err)
{
    const cov__server *server = self->pool->server;
    cov_db_config config = server->options.database;

    if (self->db != NULL)
        return COV_OK;
    config.read_only = true;
    return cov_db_open(server->options.driver, server->host, &config, &self->db, err);
}

/* ---- what the thread lends to a request ---- */

static cov_status write_and_wait(void *self, cov_write_fn work, void (*committed)(void *arg),
                                 void *arg, cov_error *err)
{
    return cov__writer_call(((pool_thread *)self)->pool->server->writer, work, committed, arg, err);
}

static void write_later(void *self, cov_write_fn work, void (*done)(void *arg), void *arg)
{
    cov__writer_call_later(((pool_thread *)self)->pool->server->writer, work, done, arg);
}

static void run_after(void *self, void (*work)(void *arg), void *arg)
{
    pool_thread *thread = self;
    deferred *d = calloc(1, sizeof *d);

    if (d == NULL) {
        work(arg);
        return;
    }
    d->work = work;
    d->arg = arg;
    *thread->end = d;
    thread->end = &d->next;
}

static void run_deferred(pool_thread *self)
{
    deferred *d = self->first;

    self->first = NULL;
    self->end = &self->first;
    while (d != NULL) {
        deferred *next = d->next;

        d->work(d->arg);
        free(d);
        d = next;
    }
}

/* False: the writer has the request now. */
static bool run(pool_thread *self, cov__exchange *x)
{
    const cov__server *server = self->pool->server;
    cov_worker worker = { .host = server->host,
                          .db = self->db,
                          .arena = x->arena,
                          .write = write_and_wait,
                          .write_later = write_later,
                          .after = run_after,
                          .self = self };
    cov_error err;

    if (cov__exchange_admit(x, &worker)) {
        if (cov_app_lane(server->options.app, &x->parser.request) != COV_LANE_WRITE) {
            cov__exchange_answer(x, &worker);
        } else if (cov__writer_submit(server->writer, x)) {
            return false;
        } else {
            cov_error_init(&err, NULL);
            cov_fail(&err, COV_EBUSY, "the writer's queue is full");
            cov__exchange_problem(x, server, &x->parser.request, &err);
        }
    }
    cov__exchange_finish(x, &worker);
    return true;
}

static void *pool_main(void *arg)
{
    pool_thread *self = arg;
    cov__exchange *x;
    cov_error err;

    /* On Linux this is the thread's own priority. Not being allowed to lower it would be no reason to fail. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    while ((x = next_job(self->pool)) != NULL) {
        bool done = true;

        cov_error_init(&err, NULL);
        if (connect_once(self, &err) == COV_OK)
            done = run(self, x);
        else
            cov__exchange_problem(x, self->pool->server, &x->parser.request, &err);
        if (done)
            cov__loop_complete(x->loop, &x->job, &x->job);
        run_deferred(self);
    }
    return NULL;
}

cov_status cov__pool_new(const cov__server *server, cov__pool **out, cov_error *err)
{
    cov__pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL)
        return cov_fail_nomem(err);
    pool->server = server;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pool->n_threads = server->options.pool_threads;
    pool->threads = calloc(pool->n_threads, sizeof *pool->threads);
    if (pool->threads == NULL) {
        cov__pool_free(pool);
        return cov_fail_nomem(err);
    }
    *out = pool;
    return COV_OK;
}

cov_status cov__pool_start(cov__pool *pool, cov_error *err)
{
    for (size_t i = 0; i < pool->n_threads; i++) {
        pool_thread *thread = &pool->threads[i];

        thread->pool = pool;
        thread->end = &thread->first;
        if (pthread_create(&thread->thread, NULL, pool_main, thread) != 0)
            return cov_fail(err, COV_EINTERNAL, "cannot start a thread of the pool");
        thread->started = true;
    }
    return COV_OK;
}

void cov__pool_free(cov__pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_mutex_unlock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    for (size_t i = 0; pool->threads != NULL && i < pool->n_threads; i++) {
        if (pool->threads[i].started)
            pthread_join(pool->threads[i].thread, NULL);
        cov_db_close(pool->threads[i].db);
    }
    free(pool->threads);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
