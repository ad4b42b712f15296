/* SPDX-License-Identifier: MIT */
/*
 * host/native/server.h - what the loops of one cov_native_serve share.
 *
 * Threads: written before the threads start, read-only afterwards, except for the atomics.
 */
#ifndef COV_HOST_NATIVE_SERVER_H
#define COV_HOST_NATIVE_SERVER_H

#include <stdatomic.h>

#include "host/native/http_parser.h"
#include "host/native/native.h"

struct cov__loop;
struct cov__writer;
struct cov__pool;

typedef struct cov__server {
    cov_native_options options; /* with defaults filled in */
    const cov_host *host;
    cov__http_limits limits;
    uint64_t tick_ms;
    struct cov__writer *writer;
    struct cov__pool *pool;
    struct cov__loop *loops; /* loops[0] runs on the thread that called cov_native_serve */
    size_t n_loops;
    atomic_size_t n_connections;
    atomic_size_t n_other_loops; /* loops besides loops[0] that still run */
} cov__server;

/* Connections above max_connections that are told so; more are closed at once. */
enum { COV_REFUSING_MAX = 256 };

/* descriptors.c: raise the process's limit, or lower max_connections to what it allows. */
void cov__descriptors_fit(cov__server *server);

/* ---- listen.c ---- */

/*
 * A listening, non-blocking socket for each loop, all on one port. `host` is an IPv4 or IPv6 literal or a name that
 * resolves. *port is 0 for any free port and becomes the bound one. On failure no socket stays open.
 */
COV_CHECK cov_status cov__listen(const char *host, int *port, int *fds, size_t n_fds,
                                 cov_error *err);
/* "127.0.0.1", "::1"; IPv4-mapped addresses as IPv4. Empty when the peer is gone already. */
enum { COV_PEER_TEXT_BYTES = 64 };
size_t cov__peer_text(int fd, char out[COV_PEER_TEXT_BYTES]);
/* Notice when the peer of a connection that is kept for long has vanished or does not read. */
void cov__socket_watch(int fd, uint32_t keepalive_ms, uint32_t timeout_ms);

#endif
