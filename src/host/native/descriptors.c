/* SPDX-License-Identifier: MIT */
/* Each connection is a file descriptor, and the default limit of a process is that of forty years ago. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/resource.h>

#include "host/native/server.h"
#include "host/native/services.h"

enum {
    /* Beside connections: standard streams, files of the driver, sockets to other servers. */
    RESERVED = 64,
    /* epoll, mailbox, signals, listener, and the database's file, log and shared memory. */
    RESERVED_PER_LOOP = 12,
    RESERVED_PER_POOL_THREAD = 6
};

/* The soft limit, raised to the hard one where that is allowed. */
static rlim_t raise_limit(void)
{
    struct rlimit limit;
    rlim_t soft;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return RLIM_INFINITY;
    soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : soft;
}

void cov__descriptors_fit(cov__server *server)
{
    cov_native_options *o = &server->options;
    rlim_t limit = raise_limit();
    rlim_t reserved = RESERVED + RESERVED_PER_LOOP * (rlim_t)server->n_loops +
                      RESERVED_PER_POOL_THREAD * (rlim_t)o->pool_threads + COV_REFUSING_MAX;
    rlim_t room = limit > reserved ? limit - reserved : 1;
    char members[128];
    int len;

    if (limit == RLIM_INFINITY || room >= o->max_connections)
        return;
    len = snprintf(members, sizeof members,
                   "\"maxConnections\":%llu,\"configured\":%zu,\"descriptors\":%llu",
                   (unsigned long long)room, o->max_connections, (unsigned long long)limit);
    o->max_connections = (size_t)room;
    cov__native_log(NULL, COV_LOG_WARN,
                    COV_STR(
                        "Fewer connections than configured: the process may not open more files"),
                    cov_str_of(members, (size_t)len));
}
