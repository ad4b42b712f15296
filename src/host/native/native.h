/* SPDX-License-Identifier: MIT */
/*
 * host/native/native.h - the native host: operating-system services for the core, and the HTTP/1.1 server.
 *
 * Threads: one event loop a core (SO_REUSEPORT), each with its own reading connection; one writer thread
 * with group commit (design.md, Threads).
 */
#ifndef COV_HOST_NATIVE_H
#define COV_HOST_NATIVE_H

#include "covara/app.h"

/* The process's cov_host: OpenSSL, PCRE2, libcurl, clock_gettime, getrandom, getenv; log lines go to stdout/stderr. */
const cov_host *cov_native_host(void);
/* Lines below this level are dropped. Call before threads start. */
void cov_native_log_level(cov_log_level level);

typedef struct cov_native_options {
    cov_app *app;
    const cov_db_driver *driver;
    cov_db_config database; /* read_only is set per connection */
    const char *host;
    int port;            /* 0 = any free port */
    int threads;         /* 0 = one a core */
    size_t pool_threads; /* for requests that block; 0 = 8 */
    size_t max_body_bytes;
    size_t max_header_bytes;
    size_t max_url_bytes;
    uint32_t header_timeout_ms;
    uint32_t body_timeout_ms;
    uint32_t idle_timeout_ms;
    uint32_t write_timeout_ms;
    uint32_t drain_timeout_ms;
    uint32_t pre_stop_delay_ms;
    /* How long a stream's connection is silent before TCP asks whether the client is there; 0 = 60000. */
    uint32_t stream_keepalive_ms;
    /* How long it may take the client's TCP to acknowledge, or to read again once it has stopped; 0 = 120000. */
    uint32_t stream_timeout_ms;
    size_t max_connections; /* lowered when the process may not have as many descriptors */
    bool access_log;
    const cov_loop_client *loop_client; /* NULL: none */
    /* Called once on the calling thread when every loop listens; `port` is the bound one. May be NULL. */
    void (*on_listen)(void *self, const char *host, int port);
    void *self;
} cov_native_options;

/*
 * Serve until SIGTERM or SIGINT, then drain: readiness 503, pre-stop delay, stop accepting, finish requests in
 * flight, commit and close. Returns COV_OK after a clean drain. A second signal ends the process at once.
 */
COV_CHECK cov_status cov_native_serve(const cov_native_options *options, cov_error *err);

#endif
