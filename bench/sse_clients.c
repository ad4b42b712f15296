/* SPDX-License-Identifier: MIT */
/*
 * bench/sse_clients.c - many subscribers in one thread, so that they leave the cores to the server.
 *
 *   sse_clients PORT STREAMS TARGET
 *
 * Opens STREAMS event streams of TARGET, "{n}" in it being the stream's number, and prints the milliseconds until the last
 * one was connected. Then it obeys lines on standard input:
 *
 *   send TIMES EXPECTED TARGET BODY   POST the body, "{n}" in it being the number of some stream, and wait for its answer
 *                                     and for EXPECTED "added" events; that TIMES times, one after another. Prints for each
 *                                     the milliseconds from sending until the answer, and until the last event.
 *
 * The end of input ends it. Addresses 127.0.0.2 and up share the streams, since one address has too few ports.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    OPENING_AT_ONCE = 256,
    STREAMS_AN_ADDRESS = 10000,
    MAX_EVENTS = 1024,
    PATIENCE_MS = 60000,
    TEXT_BYTES = 2048
};

typedef struct client {
    int fd;
    const char *mark;    /* what is looked for in what comes */
    unsigned char found; /* bytes of it that were seen last */
    bool answered;
} client;

static const char connected[] = "event: connected", added[] = "\"type\":\"added\"";
static client *clients;
static int n_clients, n_open, n_added, port, epoll_fd;
static double last_added_ms;

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void die(const char *what)
{
    fprintf(stderr, "sse_clients: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* `text` with `number` for each "{n}". */
static const char *with_number(const char *text, int number, char out[TEXT_BYTES])
{
    size_t len = 0;

    while (*text != '\0' && len < TEXT_BYTES - 16) {
        if (strncmp(text, "{n}", 3) == 0) {
            len += (size_t)sprintf(out + len, "%d", number);
            text += 3;
        } else {
            out[len++] = *text++;
        }
    }
    out[len] = '\0';
    return out;
}

static int dial(int from)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in own = { .sin_family = AF_INET };
    struct linger hard = { 1, 0 }; /* no TIME_WAIT: the ports are needed again */
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(from / STREAMS_AN_ADDRESS));
    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    return fd;
}

static void send_all(int fd, const char *bytes, size_t len)
{
    if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("send");
}

static void open_stream(int number, const char *target)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };
    client *c = &clients[number];
    char path[TEXT_BYTES], request[TEXT_BYTES + 128];
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n",
                       with_number(target, number, path));

    c->fd = dial(number);
    c->mark = connected;
    send_all(c->fd, request, (size_t)len);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    event.data.ptr = c;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0)
        die("epoll_ctl");
}

static void marked(client *c)
{
    if (c->mark == connected) {
        c->mark = added;
        n_open++;
    } else {
        n_added++;
        last_added_ms = now_ms();
    }
}

/* The first byte of a mark comes nowhere else in it but where a search may begin anew. */
static void scan(client *c, const char *bytes, ssize_t len)
{
    for (ssize_t i = 0; i < len; i++) {
        if (bytes[i] == c->mark[c->found])
            c->found++;
        else
            c->found = bytes[i] == c->mark[0];
        if (c->mark[c->found] == '\0') {
            c->found = 0;
            marked(c);
        }
    }
}

/* Edge-triggered, which spares the kernel a second look: an event is smaller than the buffer, so one call takes all. */
static void receive(client *c)
{
    static char bytes[65536];
    ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        fprintf(stderr, "sse_clients: stream %d ended\n", (int)(c - clients));
        exit(1);
    }
    if (!c->answered && (got < 12 || strncmp(bytes, "HTTP/1.1 200", 12) != 0)) {
        fprintf(stderr, "sse_clients: stream %d: %.*s\n", (int)(c - clients), (int)got, bytes);
        exit(1);
    }
    c->answered = true;
    scan(c, bytes, got);
    if (got == sizeof bytes)
        receive(c);
}

/* Take what is there. True: the descriptor without a client has something. */
static bool turn(void)
{
    static struct epoll_event events[MAX_EVENTS];
    int n = epoll_wait(epoll_fd, events, MAX_EVENTS, PATIENCE_MS);
    bool other = false;

    if (n == 0) {
        fprintf(stderr, "sse_clients: nothing came for %d ms; %d open, %d added\n", PATIENCE_MS,
                n_open, n_added);
        exit(1);
    }
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr != NULL)
            receive(events[i].data.ptr);
        else
            other = true;
    }
    return other;
}

static void open_all(const char *target)
{
    double start = now_ms();

    for (int i = 0; i < n_clients; i++) {
        while (i - n_open >= OPENING_AT_ONCE)
            turn();
        open_stream(i, target);
    }
    while (n_open < n_clients)
        turn();
    printf("%.1f\n", now_ms() - start);
    fflush(stdout);
}

/* All of the answer, which has a Content-Length. */
static bool answer_is_there(int fd, char *answer, size_t *len)
{
    ssize_t got = recv(fd, answer + *len, TEXT_BYTES * 2 - *len - 1, MSG_DONTWAIT);
    const char *end, *length;

    if (got > 0)
        *len += (size_t)got;
    else if (got == 0 || errno != EAGAIN)
        die("answer");
    answer[*len] = '\0';
    end = strstr(answer, "\r\n\r\n");
    length = strstr(answer, "Content-Length: ");
    if (end == NULL || length == NULL ||
        *len < (size_t)(end + 4 - answer) + strtoul(length + 16, NULL, 10))
        return false;
    if (strncmp(answer, "HTTP/1.1 201", 12) != 0) {
        fprintf(stderr, "sse_clients: %s\n", answer);
        exit(1);
    }
    return true;
}

static void post(int fd, int expected, const char *target, const char *body)
{
    char request[TEXT_BYTES * 2], answer[TEXT_BYTES * 2];
    int len = snprintf(request, sizeof request,
                       "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       target, strlen(body), body);
    size_t answered = 0;
    double start = now_ms(), answered_ms = 0;

    n_added = 0;
    last_added_ms = start;
    send_all(fd, request, (size_t)len);
    while (answered_ms == 0 || n_added < expected)
        if (turn() && answered_ms == 0 && answer_is_there(fd, answer, &answered))
            answered_ms = now_ms();
    printf("%.3f %.3f\n", answered_ms - start, last_added_ms - start);
}

static void obey(const char *line)
{
    struct epoll_event event = { .events = EPOLLIN };
    char target[TEXT_BYTES / 2], body[TEXT_BYTES], text[TEXT_BYTES];
    int times, expected, fd;

    if (sscanf(line, "send %d %d %1000s %1000[^\n]", &times, &expected, target, body) != 4) {
        fprintf(stderr, "sse_clients: what is %s\n", line);
        exit(2);
    }
    fd = dial(0);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
    for (int i = 0; i < times; i++)
        post(fd, expected, target,
             with_number(body, (int)((long)i * 7919 % (n_clients != 0 ? n_clients : 1)), text));
    printf("done\n");
    fflush(stdout);
    close(fd);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    char line[TEXT_BYTES * 2];

    if (argc != 4) {
        fprintf(stderr, "usage: sse_clients PORT STREAMS TARGET\n");
        return 2;
    }
    port = atoi(argv[1]);
    n_clients = atoi(argv[2]);
    clients = calloc((size_t)n_clients + 1, sizeof *clients);
    epoll_fd = epoll_create1(0);
    if (clients == NULL || epoll_fd < 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
        die("start");
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    open_all(argv[3]);
    while (fgets(line, sizeof line, stdin) != NULL)
        obey(line);
    return 0;
}
