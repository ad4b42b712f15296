/* SPDX-License-Identifier: MIT */
/*
 * cov_native_serve: start everything in order, run loops[0] here, stop everything in reverse.
 *
 * DESIGN: signals arrive on loops[0]. It tells the others to drain through their mailboxes; each ends on its
 * own when its last connection is gone, and loops[0] stays until all have, so that the drain timeout and a second
 * signal are always heard.
 */
#define _GNU_SOURCE
#include "host/native/server.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/native/loop.h"
#include "host/native/pool.h"
#include "host/native/writer.h"

enum { TICK_MIN_MS = 50, TICK_MAX_MS = 1000, MAX_LOOPS = 256 };

typedef struct shutdown_state {
    cov__server *server;
    uv_signal_t terminate;
    uv_signal_t interrupt;
    uv_timer_t timer; /* first the pre-stop delay, then the drain timeout */
    bool begun;
    bool closed;
} shutdown_state;

/* ---- options ---- */

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

static size_t or_default_size(size_t value, size_t fallback)
{
    return value != 0 ? value : fallback;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void fill_options(cov__server *server, const cov_native_options *given)
{
    cov_native_options *o = &server->options;
    uint32_t shortest;

    *o = *given;
    if (o->host == NULL || o->host[0] == '\0')
        o->host = "0.0.0.0";
    o->pool_threads = or_default_size(o->pool_threads, 8);
    o->max_body_bytes = or_default_size(o->max_body_bytes, 1024 * 1024);
    o->max_header_bytes = or_default_size(o->max_header_bytes, 16 * 1024);
    o->max_url_bytes = or_default_size(o->max_url_bytes, 8 * 1024);
    o->max_connections = or_default_size(o->max_connections, 10000);
    o->header_timeout_ms = or_default(o->header_timeout_ms, 10000);
    o->body_timeout_ms = or_default(o->body_timeout_ms, 30000);
    o->idle_timeout_ms = or_default(o->idle_timeout_ms, 65000);
    o->write_timeout_ms = or_default(o->write_timeout_ms, 30000);
    o->drain_timeout_ms = or_default(o->drain_timeout_ms, 10000);
    o->stream_keepalive_ms = or_default(o->stream_keepalive_ms, 60000);
    o->stream_timeout_ms = or_default(o->stream_timeout_ms, 120000);
    server->limits.max_url_bytes = o->max_url_bytes;
    server->limits.max_header_bytes = o->max_header_bytes;
    server->limits.max_body_bytes = o->max_body_bytes;
    shortest = smaller(smaller(o->header_timeout_ms, o->body_timeout_ms),
                       smaller(o->idle_timeout_ms, o->write_timeout_ms));
    server->tick_ms = smaller(shortest / 4, TICK_MAX_MS);
    if (server->tick_ms < TICK_MIN_MS)
        server->tick_ms = TICK_MIN_MS;
}

static size_t loop_count(int threads)
{
    long cores;

    if (threads <= 0) {
        cores = sysconf(_SC_NPROCESSORS_ONLN);
        threads = cores > 0 && cores < MAX_LOOPS ? (int)cores : 1;
    }
    return threads < MAX_LOOPS ? (size_t)threads : MAX_LOOPS;
}

/* ---- shutdown ---- */

static void command_all(cov__server *server, cov__command command)
{
    for (size_t i = 0; i < server->n_loops; i++)
        cov__loop_command(&server->loops[i], command);
}

static void on_drain_timeout(uv_timer_t *timer)
{
    shutdown_state *state = timer->data;

    command_all(state->server, COV_LOOP_ABORT);
}

static void on_pre_stop_over(uv_timer_t *timer)
{
    shutdown_state *state = timer->data;

    command_all(state->server, COV_LOOP_DRAIN);
    uv_timer_start(timer, on_drain_timeout, state->server->options.drain_timeout_ms, 0);
}

static void on_signal(uv_signal_t *handle, int number)
{
    shutdown_state *state = handle->data;

    (void)number;
    if (state->begun)
        _exit(0);
    state->begun = true;
    cov_app_begin_shutdown(state->server->options.app);
    uv_timer_start(&state->timer, on_pre_stop_over, state->server->options.pre_stop_delay_ms, 0);
}

static void close_once(uv_handle_t *handle)
{
    if (handle->type != UV_UNKNOWN_HANDLE && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* loops[0] or another loop ended: when all have, nothing keeps loops[0] from returning. */
static void on_peers(cov__loop *loop)
{
    shutdown_state *state = loop->uv.data;

    if (!loop->ended || state->closed || atomic_load(&loop->server->n_other_loops) > 0)
        return;
    state->closed = true;
    close_once((uv_handle_t *)&state->terminate);
    close_once((uv_handle_t *)&state->interrupt);
    close_once((uv_handle_t *)&state->timer);
    cov__loop_close_mailbox(loop);
}

static cov_status watch_signals(cov__server *server, shutdown_state *state, cov_error *err)
{
    uv_loop_t *uv = &server->loops[0].uv;

    state->server = server;
    uv->data = state;
    server->loops[0].on_peers = on_peers;
    state->terminate.data = state->interrupt.data = state->timer.data = state;
    uv_timer_init(uv, &state->timer);
    if (uv_signal_init(uv, &state->terminate) != 0 || uv_signal_init(uv, &state->interrupt) != 0 ||
        uv_signal_start(&state->terminate, on_signal, SIGTERM) != 0 ||
        uv_signal_start(&state->interrupt, on_signal, SIGINT) != 0)
        return cov_fail(err, COV_EINTERNAL, "cannot watch for SIGTERM and SIGINT");
    return COV_OK;
}

/* ---- threads ---- */

static void *loop_main(void *arg)
{
    cov__loop *loop = arg;
    cov__server *server = loop->server;

    cov__loop_run(loop);
    atomic_fetch_sub(&server->n_other_loops, 1);
    cov__loop_command(&server->loops[0], COV_LOOP_PEERS);
    return NULL;
}

static cov_status start_threads(cov__server *server, cov_error *err)
{
    cov_status st = cov__writer_start(server->writer, err);

    if (st == COV_OK)
        st = cov__pool_start(server->pool, err);
    for (size_t i = 1; st == COV_OK && i < server->n_loops; i++) {
        cov__loop *loop = &server->loops[i];

        atomic_fetch_add(&server->n_other_loops, 1);
        if (pthread_create(&loop->thread, NULL, loop_main, loop) == 0) {
            loop->has_thread = true;
        } else {
            atomic_fetch_sub(&server->n_other_loops, 1);
            st = cov_fail(err, COV_EINTERNAL, "cannot start an event loop thread");
        }
    }
    return st;
}

/* Start-up failed half way: end the loops that run already. */
static void stop_threads(cov__server *server)
{
    for (size_t i = 1; i < server->n_loops; i++)
        if (server->loops[i].has_thread)
            cov__loop_command(&server->loops[i], COV_LOOP_DRAIN);
}

static void join_threads(cov__server *server)
{
    for (size_t i = 1; i < server->n_loops; i++)
        if (server->loops[i].has_thread)
            pthread_join(server->loops[i].thread, NULL);
}

/* ---- start and end ---- */

static cov_status init_loops(cov__server *server, cov_error *err)
{
    int fds[MAX_LOOPS];
    cov_status st =
        cov__listen(server->options.host, &server->options.port, fds, server->n_loops, err);
    size_t i;

    for (i = 0; st == COV_OK && i < server->n_loops; i++)
        st = cov__loop_init(&server->loops[i], server, i, fds[i],
                            err); /* the socket is the loop's now */
    if (server->loops[0].server != NULL)
        for (; i < server->n_loops; i++)
            close(fds[i]);
    return st;
}

static cov_status run(cov__server *server, shutdown_state *state, cov_error *err)
{
    cov_status st;

    if ((st = cov__writer_new(server, &server->writer, err)) != COV_OK ||
        (st = cov__pool_new(server, &server->pool, err)) != COV_OK ||
        (st = init_loops(server, err)) != COV_OK ||
        (st = watch_signals(server, state, err)) != COV_OK)
        return st;
    if ((st = start_threads(server, err)) != COV_OK) {
        stop_threads(server);
    } else {
        if (server->options.on_listen != NULL)
            server->options.on_listen(server->options.self, server->options.host,
                                      server->options.port);
        cov__loop_run(&server->loops[0]);
    }
    join_threads(server);
    return st;
}

static cov_status check_options(const cov_native_options *options, cov_error *err)
{
    if (options->port < 0 || options->port > 65535)
        return cov_fail(err, COV_EINVAL, "port %d is not between 0 and 65535", options->port);
    if ((options->driver->caps & COV_DB_CAP_BLOCKS) != 0)
        return cov_fail(err, COV_ENOSYS,
                        "driver %s waits for a network, which needs a thread pool that this "
                        "server does not have",
                        options->driver->name);
    if ((options->driver->caps & COV_DB_CAP_TRANSACTIONS) == 0)
        return cov_fail(err, COV_ENOSYS, "driver %s has no transactions, which the writer needs",
                        options->driver->name);
    return COV_OK;
}

cov_status cov_native_serve(const cov_native_options *options, cov_error *err)
{
    cov__server server = { .host = cov_native_host() };
    shutdown_state state = { 0 };
    cov_status st = check_options(options, err);

    if (st != COV_OK)
        return st;
    signal(SIGPIPE,
           SIG_IGN); /* a write to a closed socket must be an error, not the process's end */
    fill_options(&server, options);
    server.n_loops = loop_count(options->threads);
    cov__descriptors_fit(&server);
    server.loops = calloc(server.n_loops, sizeof *server.loops);
    if (server.loops == NULL)
        return cov_fail_nomem(err);
    st = run(&server, &state, err);
    cov__pool_free(server.pool); /* before the writer, which its threads wait for */
    cov__writer_free(server.writer);
    for (size_t i = 0; i < server.n_loops; i++)
        cov__loop_dispose(&server.loops[i]);
    free(server.loops);
    return st;
}
