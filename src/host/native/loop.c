/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "host/native/loop.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/native/connection.h"
#include "host/native/stream.h"
#include "host/native/writer.h"

enum {
    /* What a burst leaves in the pools; more is freed. An exchange is about 8 KiB plus its buffers. */
    POOL_EXCHANGES = 64,
    LINGER_MS = 2000
};

/* ---- waiting ---- */

void cov__loop_wait(cov__loop *loop, cov__waiter *waiter, cov__wait kind)
{
    cov__waiter *list;

    if (waiter->next != NULL) {
        waiter->prev->next = waiter->next;
        waiter->next->prev = waiter->prev;
        waiter->prev = waiter->next = NULL;
    }
    waiter->kind = kind;
    if (kind == COV_WAIT_NOTHING)
        return;
    list = &loop->waiting[kind];
    waiter->since_ms = uv_now(&loop->uv);
    waiter->prev = list->prev;
    waiter->next = list;
    list->prev->next = waiter;
    list->prev = waiter;
}

static void on_tick(uv_timer_t *timer)
{
    cov__loop *loop = timer->data;
    uint64_t now = uv_now(&loop->uv);

    for (int kind = 0; kind < COV_WAIT_KINDS; kind++) {
        cov__waiter *list = &loop->waiting[kind];

        /* Each handler moves the connection to another list or to the end of this one. */
        while (loop->timeouts_ms[kind] != 0 && list->next != list &&
               now - list->next->since_ms >= loop->timeouts_ms[kind])
            cov__conn_timeout((cov__conn *)(void *)list->next);
    }
}

/* ---- pools ---- */

cov__exchange *cov__loop_exchange(cov__loop *loop)
{
    cov__exchange *x = loop->free_exchanges;

    if (x != NULL) {
        loop->free_exchanges = x->next;
        loop->n_free_exchanges--;
    } else {
        x = cov__exchange_new(loop, &loop->server->limits);
    }
    if (x != NULL)
        x->refs = 1;
    return x;
}

void cov__loop_unref(cov__loop *loop, cov__exchange *x)
{
    if (--x->refs > 0)
        return;
    if (loop->n_free_exchanges == POOL_EXCHANGES) {
        cov__exchange_free(x);
        return;
    }
    cov__exchange_reset(x);
    x->conn = NULL;
    x->next = loop->free_exchanges;
    loop->free_exchanges = x;
    loop->n_free_exchanges++;
}

const cov__http_date *cov__loop_date(cov__loop *loop)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    cov__http_date_update(&loop->date, now.tv_sec);
    return &loop->date;
}

/* ---- mailbox ---- */

cov_worker cov__loop_worker(cov__loop *loop, cov_arena *arena)
{
    cov_worker worker = { .host = loop->server->host,
                          .db = loop->db,
                          .arena = arena,
                          .write_later = cov__writer_call_later,
                          .self = loop->server->writer,
                          .loop_client = loop->client.self,
                          .streams = true };

    return worker;
}

void cov__loop_complete(cov__loop *loop, cov__job *first, cov__job *last)
{
    last->next = NULL;
    pthread_mutex_lock(&loop->lock);
    if (loop->done_tail != NULL)
        loop->done_tail->next = first;
    else
        loop->done_head = first;
    loop->done_tail = last;
    pthread_mutex_unlock(&loop->lock);
    uv_async_send(&loop->mailbox);
}

void cov__loop_command(cov__loop *loop, cov__command command)
{
    /* Whoever set it first has rung or is about to. */
    if ((atomic_fetch_or(&loop->commands, (int)command) & (int)command) != 0)
        return;
    pthread_mutex_lock(&loop->lock);
    if (!loop->deaf)
        uv_async_send(&loop->mailbox);
    pthread_mutex_unlock(&loop->lock);
}

/* A commit may ring until the writer has stopped, which is after the loops have. */
void cov__loop_close_mailbox(cov__loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->deaf = true;
    pthread_mutex_unlock(&loop->lock);
    uv_close((uv_handle_t *)&loop->mailbox, NULL);
}

static void take_completions(cov__loop *loop)
{
    cov__job *job;

    pthread_mutex_lock(&loop->lock);
    job = loop->done_head;
    loop->done_head = loop->done_tail = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (job != NULL) {
        cov__job *next = job->next;

        loop->n_jobs--;
        cov__conn_job_done((cov__exchange *)job);
        job = next;
    }
}

/* Connections that the kernel has accepted already would be reset by closing the listener. */
static void accept_backlog(cov__loop *loop)
{
    uv_os_fd_t listener;
    int fd;

    if (uv_fileno((uv_handle_t *)&loop->listener, &listener) != 0)
        return;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        cov__conn_adopt(loop, fd);
}

static void drain(cov__loop *loop)
{
    cov__waiter *idle = &loop->waiting[COV_WAIT_IDLE];

    if (loop->draining)
        return;
    loop->draining = true;
    accept_backlog(loop);
    uv_close((uv_handle_t *)&loop->listener, NULL);
    for (cov__waiter *w = idle->next; w != idle;) {
        cov__waiter *next = w->next;

        cov__conn_close_idle((cov__conn *)(void *)w);
        w = next;
    }
    cov__stream_end_all(loop);
}

static void abort_connections(cov__loop *loop)
{
    for (int kind = 0; kind < COV_WAIT_KINDS; kind++)
        while (loop->waiting[kind].next != &loop->waiting[kind])
            cov__conn_close((cov__conn *)(void *)loop->waiting[kind].next);
}

/* ---- client ---- */

static void wake_client(void *self)
{
    cov__loop_command(self, COV_LOOP_CLIENT);
}

static void on_client_timer(uv_timer_t *timer);

static void run_client(cov__loop *loop)
{
    cov__client *client = &loop->client;
    cov_worker worker = cov__loop_worker(loop, client->arena);
    int64_t next_ms;

    if (loop->ended)
        return;
    next_ms = loop->server->options.loop_client->run(client->self, &worker);
    cov_arena_reset(client->arena);
    if (next_ms < 0)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_client_timer, (uint64_t)next_ms, 0);
}

static void on_client_timer(uv_timer_t *timer)
{
    run_client(timer->data);
}

static cov_status open_client(cov__loop *loop, cov_error *err)
{
    const cov_native_options *o = &loop->server->options;
    cov__client *client = &loop->client;
    cov_status st;

    if (o->loop_client == NULL)
        return COV_OK;
    client->arena = cov_arena_new(0);
    if (client->arena == NULL)
        return cov_fail_nomem(err);
    st = o->loop_client->open(o->app, loop->server->host, loop->db, wake_client, loop,
                              &client->self, err);
    client->open = st == COV_OK;
    return st;
}

static void close_client(cov__loop *loop)
{
    if (loop->client.open)
        loop->server->options.loop_client->close(loop->client.self);
    cov_arena_free(loop->client.arena);
}

/* ---- commands ---- */

static void on_flush(uv_prepare_t *prepare)
{
    cov__stream_flush_all(prepare->data);
    uv_prepare_stop(prepare);
}

void cov__loop_flush_later(cov__loop *loop)
{
    uv_prepare_start(&loop->flush, on_flush); /* nothing when it is active already */
}

static void on_mail(uv_async_t *mailbox)
{
    cov__loop *loop = mailbox->data;
    int commands = atomic_exchange(&loop->commands, 0);

    take_completions(loop);
    if ((commands & COV_LOOP_CLIENT) != 0)
        run_client(loop);
    if ((commands & COV_LOOP_DRAIN) != 0)
        drain(loop);
    if ((commands & COV_LOOP_ABORT) != 0)
        abort_connections(loop);
    if ((commands & COV_LOOP_PEERS) != 0 && loop->on_peers != NULL)
        loop->on_peers(loop);
    cov__loop_check_end(loop);
}

void cov__loop_check_end(cov__loop *loop)
{
    if (!loop->draining || loop->ended || loop->n_conns > 0 || loop->n_jobs > 0)
        return;
    loop->ended = true;
    uv_close((uv_handle_t *)&loop->tick, NULL);
    uv_close((uv_handle_t *)&loop->flush, NULL);
    uv_close((uv_handle_t *)&loop->client.timer, NULL);
    /* loops[0] hears of the others' end through its mailbox, and closes it last. */
    if (loop->on_peers != NULL)
        loop->on_peers(loop);
    else
        cov__loop_close_mailbox(loop);
}

/* ---- life ---- */

static void init_timeouts(cov__loop *loop)
{
    const cov_native_options *o = &loop->server->options;

    for (int kind = 0; kind < COV_WAIT_KINDS; kind++)
        loop->waiting[kind].prev = loop->waiting[kind].next = &loop->waiting[kind];
    loop->timeouts_ms[COV_WAIT_IDLE] = o->idle_timeout_ms;
    loop->timeouts_ms[COV_WAIT_HEAD] = o->header_timeout_ms;
    loop->timeouts_ms[COV_WAIT_BODY] = o->body_timeout_ms;
    loop->timeouts_ms[COV_WAIT_WRITE] = o->write_timeout_ms;
    loop->timeouts_ms[COV_WAIT_LINGER] = LINGER_MS;
}

static cov_status init_handles(cov__loop *loop, int fd, cov_error *err)
{
    int code = uv_loop_init(&loop->uv);

    if (code != 0) {
        close(fd);
        return cov_fail(err, COV_EINTERNAL, "cannot make an event loop: %s", uv_strerror(code));
    }
    loop->has_loop = true;
    uv_timer_init(&loop->uv, &loop->tick); /* none of these can fail */
    uv_timer_init(&loop->uv, &loop->client.timer);
    uv_prepare_init(&loop->uv, &loop->flush);
    uv_tcp_init(&loop->uv, &loop->listener);
    loop->client.timer.data = loop->flush.data = loop;
    loop->tick.data = loop->listener.data = loop->mailbox.data = loop;
    code = uv_tcp_open(&loop->listener, fd);
    if (code != 0)
        close(fd);
    if (code == 0)
        code = uv_async_init(&loop->uv, &loop->mailbox, on_mail);
    if (code == 0)
        code = uv_listen((uv_stream_t *)&loop->listener, SOMAXCONN, cov__conn_on_listen);
    if (code == 0)
        code = uv_timer_start(&loop->tick, on_tick, loop->server->tick_ms, loop->server->tick_ms);
    return code == 0 ? COV_OK
                     : cov_fail(err, COV_EINTERNAL, "cannot listen: %s", uv_strerror(code));
}

cov_status cov__loop_init(cov__loop *loop, cov__server *server, size_t index, int fd,
                          cov_error *err)
{
    cov_db_config config = server->options.database;
    cov_status st;

    loop->server = server;
    loop->index = index;
    pthread_mutex_init(&loop->lock, NULL);
    init_timeouts(loop);
    st = init_handles(loop, fd, err);
    if (st != COV_OK)
        return st;
    loop->read_buf = malloc(COV_LOOP_READ_BYTES);
    if (loop->read_buf == NULL)
        return cov_fail_nomem(err);
    config.read_only = true;
    st = cov_db_open(server->options.driver, server->host, &config, &loop->db, err);
    return st == COV_OK ? open_client(loop, err) : st;
}

void cov__loop_run(cov__loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void cov__loop_dispose(cov__loop *loop)
{
    if (loop->server == NULL)
        return;
    if (loop->has_loop) {
        uv_walk(&loop->uv, close_handle,
                NULL); /* only after a failed start is there anything left */
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        uv_loop_close(&loop->uv);
    }
    while (loop->free_conns != NULL) {
        cov__conn *next = loop->free_conns->next_free;

        free(loop->free_conns);
        loop->free_conns = next;
    }
    while (loop->free_exchanges != NULL) {
        cov__exchange *next = loop->free_exchanges->next;

        cov__exchange_free(loop->free_exchanges);
        loop->free_exchanges = next;
    }
    close_client(loop);
    cov_db_close(loop->db);
    free(loop->read_buf);
    pthread_mutex_destroy(&loop->lock);
}
