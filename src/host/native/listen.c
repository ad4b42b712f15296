/* SPDX-License-Identifier: MIT */
/* Listening sockets. SO_REUSEPORT lets the kernel spread connections over the loops without a shared lock. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/native/server.h"

enum { KEEPALIVE_PROBES = 4, UNSENT_BYTES = 64 * 1024 };

static cov_status resolve(const char *host, struct addrinfo **out, cov_error *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    char bare[256];
    size_t len = strlen(host);
    int code;

    if (len > 2 && len < sizeof bare && host[0] == '[' &&
        host[len - 1] == ']') { /* "[::1]" as in URLs */
        memcpy(bare, host + 1, len - 2);
        bare[len - 2] = '\0';
        host = bare;
    }
    code = getaddrinfo(host, "0", &hints, out);
    if (code != 0)
        return cov_fail(err, COV_EINVAL, "cannot listen on \"%s\": %s", host, gai_strerror(code));
    return COV_OK;
}

static void set_port(struct sockaddr *address, int port)
{
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)address;

        in6->sin6_port = htons((uint16_t)port);
    } else {
        struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)address;

        in4->sin_port = htons((uint16_t)port);
    }
}

static int bound_port(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
}

/* A bound socket, or -1 with errno. */
static int bind_socket(const struct addrinfo *where, bool share)
{
    int on = 1;
    int off = 0;
    int fd = socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok;

    if (fd < 0)
        return -1;
    ok =
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!share || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        /* Accepted sockets inherit it; each response is one write, so there is nothing to coalesce. */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
    if (ok && where->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (!ok || bind(fd, where->ai_addr, where->ai_addrlen) != 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/*
 * SO_REUSEPORT would let a second server of the same user share the port silently. Binding once without it
 * finds that out.
 */
static bool port_is_free(const struct addrinfo *where)
{
    int fd = bind_socket(where, false);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

static bool listen_all(const struct addrinfo *where, int *port, int *fds, size_t n_fds,
                       size_t *opened)
{
    set_port(where->ai_addr, *port);
    if (*port != 0 && !port_is_free(where))
        return false;
    for (*opened = 0; *opened < n_fds; (*opened)++) {
        int fd = bind_socket(where, n_fds > 1);

        if (fd < 0)
            return false;
        fds[*opened] = fd;
        if (*opened == 0) {
            *port = bound_port(fd);
            set_port(where->ai_addr, *port);
        }
        if (listen(fd, SOMAXCONN) != 0) {
            (*opened)++;
            return false;
        }
    }
    return true;
}

cov_status cov__listen(const char *host, int *port, int *fds, size_t n_fds, cov_error *err)
{
    struct addrinfo *where = NULL;
    size_t opened = 0;
    cov_status st = resolve(host, &where, err);

    if (st != COV_OK)
        return st;
    if (!listen_all(where, port, fds, n_fds, &opened)) {
        st = cov_fail(err, errno == EADDRINUSE ? COV_EBUSY : COV_EINVAL,
                      "cannot listen on %s port %d: %s", host, *port, strerror(errno));
        while (opened > 0)
            close(fds[--opened]);
    }
    freeaddrinfo(where);
    return st;
}

size_t cov__peer_text(int fd, char out[COV_PEER_TEXT_BYTES])
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof address;
    const char *text = NULL;

    out[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)&address;

        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
            text = inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], out, COV_PEER_TEXT_BYTES);
        else
            text = inet_ntop(AF_INET6, &in6->sin6_addr, out, COV_PEER_TEXT_BYTES);
    } else if (address.ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)&address;

        text = inet_ntop(AF_INET, &in4->sin_addr, out, COV_PEER_TEXT_BYTES);
    }
    return text != NULL ? strlen(out) : 0;
}

static void set_int(int fd, int level, int name, unsigned value)
{
    /* None is worth losing a connection for. */
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

void cov__socket_watch(int fd, uint32_t keepalive_ms, uint32_t timeout_ms)
{
    uint32_t idle_s = keepalive_ms / 1000 > 0 ? keepalive_ms / 1000 : 1;
    uint32_t interval_s = idle_s / KEEPALIVE_PROBES > 0 ? idle_s / KEEPALIVE_PROBES : 1;

    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ms);
    /* What the client does not take waits with us, where it is counted, and not in the kernel's megabytes. */
    set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES);
}
