/* SPDX-License-Identifier: MIT */
/*
 * The fake application's streams: channels to which requests on other threads publish. Each loop has a client that
 * holds the streams of that loop and a mailbox; what is published is put into every mailbox.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"

enum { CLIENTS_MAX = 64 };

typedef struct fake_client fake_client;

/* What /stream answers with. */
typedef struct subscription {
    cov_stream_source source; /* first */
    struct subscription *prev;
    struct subscription *next;
    fake_client *client; /* NULL: not on a loop */
    cov_stream *stream;
    fake_stream_options options;
} subscription;

typedef struct message {
    struct message *next;
    long channel;
    long n;
    bool end;
    cov_payload *payload;
} message;

struct fake_client {
    void (*wake)(void *wake_self);
    void *wake_self;
    subscription streams; /* sentinel */
    long every_ms;        /* comments are sent that often; 0: never */
    int64_t next_us;
    pthread_mutex_t lock;
    message *first; /* under lock */
    message *last;  /* under lock */
};

static fake_client *clients[CLIENTS_MAX];
static size_t n_clients; /* before the threads start */

/* ---- payloads ---- */

static cov_payload *text_payload(const char *text)
{
    size_t len = strlen(text);
    cov_payload *payload = cov_payload_new(len);

    if (payload != NULL)
        memcpy(cov_payload_bytes(payload), text, len);
    return payload;
}

/* "data: xxx\n\n" of that many bytes. */
static cov_payload *sized_payload(long bytes)
{
    size_t len = bytes < 8 ? 8 : (size_t)bytes;
    cov_payload *payload = cov_payload_new(len);

    if (payload != NULL) {
        memset(cov_payload_bytes(payload), 'x', len);
        memcpy(cov_payload_bytes(payload), "data: ", 6);
        memcpy(cov_payload_bytes(payload) + len - 2, "\n\n", 2);
    }
    return payload;
}

/* Takes the reference over. */
static void send_payload(cov_stream *stream, cov_payload *payload)
{
    if (payload == NULL || !cov_stream_write(stream, &payload, 1))
        atomic_fetch_add(&fake_counts_all.unwritten, 1);
    cov_payload_release(payload);
}

/* ---- sources ---- */

static void opened(cov_stream_source *source, cov_stream *stream)
{
    subscription *self = (subscription *)source;
    fake_client *client = self->client;
    char text[32];

    atomic_fetch_add(&fake_counts_all.opened, 1);
    self->stream = stream;
    self->prev = client->streams.prev;
    self->next = &client->streams;
    self->prev->next = self;
    client->streams.prev = self;
    for (long i = 0; i < self->options.hello; i++) {
        snprintf(text, sizeof text, "data: %ld\n\n", i);
        send_payload(stream, text_payload(text));
    }
    if (self->options.bytes > 0)
        send_payload(stream, sized_payload(self->options.bytes));
    if (self->options.end) {
        cov_stream_end(stream);
        send_payload(stream, text_payload("too late\n"));
    }
}

static void drained(cov_stream_source *source)
{
    subscription *self = (subscription *)source;

    atomic_fetch_add(&fake_counts_all.drained, 1);
    send_payload(self->stream, text_payload(": drained\n\n"));
}

static void closed(cov_stream_source *source)
{
    subscription *self = (subscription *)source;

    atomic_fetch_add(&fake_counts_all.closed, 1);
    if (self->stream != NULL) {
        self->prev->next = self->next;
        self->next->prev = self->prev;
    }
    free(self);
}

cov_stream_source *fake_stream_source(const cov_worker *worker, const fake_stream_options *options)
{
    subscription *self = calloc(1, sizeof *self);
    fake_client *client = worker->loop_client;

    if (self == NULL)
        return NULL;
    self->source = (cov_stream_source){ .opened = opened, .drained = drained, .closed = closed };
    self->client = client;
    self->options = *options;
    if (options->every_ms > 0) {
        client->every_ms = options->every_ms;
        client->next_us = worker->host->monotonic_us(worker->host->self);
        client->wake(client->wake_self);
    }
    return &self->source;
}

/* ---- publishing ---- */

static void post(fake_client *client, message *m)
{
    pthread_mutex_lock(&client->lock);
    m->next = NULL;
    if (client->last != NULL)
        client->last->next = m;
    else
        client->first = m;
    client->last = m;
    pthread_mutex_unlock(&client->lock);
    client->wake(client->wake_self);
}

void fake_stream_publish(long channel, long n, long bytes, bool end)
{
    cov_payload *payload = sized_payload(bytes);

    for (size_t i = 0; payload != NULL && i < n_clients; i++) {
        message *m = calloc(1, sizeof *m);

        if (m == NULL)
            break;
        *m = (message){
            .channel = channel, .n = n, .end = end, .payload = cov_payload_retain(payload)
        };
        post(clients[i], m);
    }
    cov_payload_release(payload);
}

static void deliver(fake_client *client, const message *m)
{
    for (subscription *s = client->streams.next; s != &client->streams; s = s->next) {
        if (s->options.channel != m->channel)
            continue;
        for (long i = 0; i < m->n; i++)
            send_payload(s->stream, cov_payload_retain(m->payload));
        if (m->end)
            cov_stream_end(s->stream);
    }
}

static void send_comments(fake_client *client)
{
    for (subscription *s = client->streams.next; s != &client->streams; s = s->next)
        if (s->options.every_ms > 0)
            send_payload(s->stream, text_payload(": tick\n\n"));
}

/* The most that waits for one client, for the loop that last looked. */
static void look_at_queues(const fake_client *client)
{
    size_t most = 0;

    for (const subscription *s = client->streams.next; s != &client->streams; s = s->next) {
        size_t queued = cov_stream_queued(s->stream);

        most = queued > most ? queued : most;
    }
    if (client->streams.next != &client->streams)
        atomic_store(&fake_counts_all.queued, (long)most);
}

/* ---- the loop's client ---- */

static cov_status open_client(const cov_app *app, const cov_host *host, cov_db *db,
                              void (*wake)(void *), void *wake_self, void **out, cov_error *err)
{
    fake_client *client = calloc(1, sizeof *client);

    (void)app;
    (void)host;
    (void)db;
    if (client == NULL || n_clients == CLIENTS_MAX) {
        free(client);
        return cov_fail_nomem(err);
    }
    client->wake = wake;
    client->wake_self = wake_self;
    client->streams.prev = client->streams.next = &client->streams;
    pthread_mutex_init(&client->lock, NULL);
    clients[n_clients++] = client;
    *out = client;
    return COV_OK;
}

static message *take_messages(fake_client *client)
{
    message *first;

    pthread_mutex_lock(&client->lock);
    first = client->first;
    client->first = client->last = NULL;
    pthread_mutex_unlock(&client->lock);
    return first;
}

static void free_messages(message *m)
{
    while (m != NULL) {
        message *next = m->next;

        cov_payload_release(m->payload);
        free(m);
        m = next;
    }
}

static int64_t run(void *self, const cov_worker *worker)
{
    fake_client *client = self;
    message *first = take_messages(client);
    int64_t now_us = worker->host->monotonic_us(worker->host->self);

    atomic_fetch_add(&fake_counts_all.runs, 1);
    for (const message *m = first; m != NULL; m = m->next)
        deliver(client, m);
    free_messages(first);
    look_at_queues(client);
    if (client->every_ms == 0)
        return -1;
    if (now_us >= client->next_us) {
        send_comments(client);
        client->next_us = now_us + client->every_ms * 1000;
    }
    return (client->next_us - now_us + 999) / 1000;
}

/* The writer has stopped; what it published last reaches nobody. */
static void close_client(void *self)
{
    fake_client *client = self;

    printf("{\"clientClosed\":{\"streams\":%s,\"opened\":%ld,\"closed\":%ld}}\n",
           client->streams.next == &client->streams ? "false" : "true",
           atomic_load(&fake_counts_all.opened), atomic_load(&fake_counts_all.closed));
    fflush(stdout);
    free_messages(client->first);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

const cov_loop_client fake_loop_client = { .open = open_client, .run = run, .close = close_client };
