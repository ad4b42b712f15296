/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "host/native/stream.h"

#include <stdlib.h>

#include "host/native/connection.h"

enum {
    /* Payloads of one chunk and one system call; IOV_MAX is 1024. */
    FRAME_PAYLOADS = 254,
    FRAME_BUFS = FRAME_PAYLOADS + 2
};

/* The rest of a frame, with libuv until the client takes it. */
typedef struct cov__flight {
    uv_write_t write; /* first: its callback finds the flight */
    char head[COV_CHUNK_HEAD_BYTES];
    size_t n_payloads;
    cov_payload *payloads[];
} cov__flight;

/* A chunk about to be sent; the payloads' bytes begin at bufs[at]. */
typedef struct frame {
    char head[COV_CHUNK_HEAD_BYTES];
    size_t n_payloads;
    size_t payload_bytes;
    size_t total;
    unsigned at;
    unsigned n_bufs;
    uv_buf_t bufs[FRAME_BUFS];
} frame;

static void flush(cov__stream *self);

/* ---- queue ---- */

static size_t waiting(const cov__payloads *queue)
{
    return queue->end - queue->first;
}

/* Room for one more at the end. */
static bool make_room(cov__payloads *queue)
{
    size_t n = waiting(queue);
    cov_payload **items;

    if (queue->end < queue->cap)
        return true;
    if (n <= queue->cap / 2) {
        memmove(queue->items, queue->items + queue->first, n * sizeof *queue->items);
    } else {
        if (queue->cap > SIZE_MAX / sizeof *items / 2)
            return false;
        items = malloc(queue->cap * 2 * sizeof *items);
        if (items == NULL)
            return false;
        memcpy(items, queue->items + queue->first, n * sizeof *items);
        if (queue->items != queue->few)
            free(queue->items);
        queue->items = items;
        queue->cap *= 2;
    }
    queue->first = 0;
    queue->end = n;
    return true;
}

/* The first n are somebody else's now. */
static void forget(cov__payloads *queue, size_t n)
{
    queue->first += n;
    if (queue->first < queue->end)
        return;
    queue->first = queue->end = 0;
    if (queue->items != queue->few) {
        free(queue->items);
        queue->items = queue->few;
        queue->cap = COV_STREAM_INLINE;
    }
}

static void release_first(cov__payloads *queue, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cov_payload_release(queue->items[queue->first + i]);
    forget(queue, n);
}

/* ---- what a source calls ---- */

/* At the end of this turn of the loop. */
static void flush_later(cov__stream *self)
{
    cov__conn *conn = self->conn;

    if (conn->waiter.kind != COV_WAIT_STREAM)
        return;
    cov__loop_wait(conn->loop, &conn->waiter, COV_WAIT_FLUSH);
    cov__loop_flush_later(conn->loop);
}

static void enqueue(cov__stream *self, cov_payload *payload)
{
    size_t len = cov_payload_len(payload);

    if (len == 0) /* a chunk of no bytes would be the last one */
        return;
    if (make_room(&self->queue)) {
        self->queue.items[self->queue.end++] = cov_payload_retain(payload);
        self->queued += len;
    } else {
        self->broken = true; /* half a frame must not go out */
    }
}

static bool stream_write(cov_stream *stream, cov_payload *const *payloads, size_t n)
{
    cov__stream *self = (cov__stream *)stream;

    if (self->ending || self->broken)
        return false;
    for (size_t i = 0; i < n; i++)
        enqueue(self, payloads[i]);
    flush_later(self);
    return !self->broken;
}

static size_t stream_queued(const cov_stream *stream)
{
    const cov__stream *self = (const cov__stream *)stream;

    return self->queued + uv_stream_get_write_queue_size((const uv_stream_t *)&self->conn->tcp);
}

static void stream_end(cov_stream *stream)
{
    cov__stream *self = (cov__stream *)stream;

    self->ending = true;
    flush_later(self);
}

static const cov_stream_ops ops = { .write = stream_write,
                                    .queued = stream_queued,
                                    .end = stream_end };

/* ---- frames ---- */

size_t cov__chunk_head(char out[COV_CHUNK_HEAD_BYTES], size_t len)
{
    int digits = 1;

    while (digits < 16 && (uint64_t)len >> (4 * digits) != 0)
        digits++;
    for (int i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[(uint64_t)len >> (4 * (digits - 1 - i)) & 15];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return (size_t)digits + 2;
}

/* What closes a chunk, and the body with it when this is the last. */
static uv_buf_t frame_end(bool has_bytes, bool last)
{
    static char both[] = "\r\n0\r\n\r\n";
    size_t from = has_bytes ? 0 : 2;
    size_t to = last ? sizeof both - 1 : 2;

    return uv_buf_init(both + from, (unsigned)(to - from));
}

static void add_buf(frame *f, uv_buf_t buf)
{
    if (buf.len == 0)
        return;
    f->bufs[f->n_bufs++] = buf;
    f->total += buf.len;
}

/* The next chunk of what is queued, with the body's end when that is all. */
static void make_frame(const cov__stream *self, frame *f)
{
    const cov__payloads *queue = &self->queue;
    size_t n = waiting(queue);

    f->n_payloads = n < FRAME_PAYLOADS ? n : FRAME_PAYLOADS;
    f->payload_bytes = f->total = 0;
    f->n_bufs = f->at = self->chunked && n > 0 ? 1 : 0;
    for (size_t i = 0; i < f->n_payloads; i++) {
        cov_payload *payload = queue->items[queue->first + i];

        add_buf(f, (uv_buf_t){ cov_payload_bytes(payload), cov_payload_len(payload) });
    }
    f->payload_bytes = f->total;
    if (f->at == 1) {
        f->bufs[0] = (uv_buf_t){ f->head, cov__chunk_head(f->head, f->payload_bytes) };
        f->total += f->bufs[0].len;
    }
    if (self->chunked)
        add_buf(f, frame_end(n > 0, self->ended));
}

static void flight_free(cov__flight *flight)
{
    for (size_t i = 0; i < flight->n_payloads; i++)
        cov_payload_release(flight->payloads[i]);
    free(flight);
}

static void on_flown(uv_write_t *write, int status)
{
    cov__flight *flight = (cov__flight *)(void *)write;
    cov__conn *conn = write->handle->data;
    cov__stream *self = conn->stream;

    flight_free(flight);
    self->flight = NULL;
    if (self->source == NULL)
        return;
    if (status < 0) {
        cov__conn_close(conn);
        return;
    }
    flush(self);
    if (self->source != NULL && self->flight == NULL && !self->ending &&
        self->source->drained != NULL)
        self->source->drained(self->source);
}

/* The kernel took `taken` bytes of the frame: libuv sends the others when it takes more. False: out of memory. */
static bool fly(cov__stream *self, frame *f, size_t taken)
{
    cov__payloads *queue = &self->queue;
    unsigned first = 0;
    size_t sent = 0; /* payloads of which nothing is left */
    cov__flight *flight;

    while (taken >= f->bufs[first].len)
        taken -= f->bufs[first++].len;
    if (first > f->at)
        sent = first - f->at < f->n_payloads ? first - f->at : f->n_payloads;
    flight = malloc(sizeof *flight + (f->n_payloads - sent) * sizeof *flight->payloads);
    if (flight == NULL)
        return false;
    memcpy(flight->head, f->head, sizeof flight->head);
    if (f->at == 1)
        f->bufs[0].base = flight->head;
    f->bufs[first].base += taken;
    f->bufs[first].len -= taken;
    release_first(queue, sent);
    flight->n_payloads = f->n_payloads - sent;
    if (flight->n_payloads > 0)
        memcpy(flight->payloads, queue->items + queue->first,
               flight->n_payloads * sizeof *flight->payloads);
    forget(queue, flight->n_payloads);
    if (uv_write(&flight->write, (uv_stream_t *)&self->conn->tcp, f->bufs + first,
                 f->n_bufs - first, on_flown) != 0) {
        flight_free(flight);
        return false;
    }
    self->flight = flight;
    return true;
}

/* False: the connection is of no more use. */
static bool send_frame(cov__stream *self)
{
    frame f;
    int n;

    make_frame(self, &f);
    n = f.n_bufs > 0 ? uv_try_write((uv_stream_t *)&self->conn->tcp, f.bufs, f.n_bufs) : 0;
    if (n < 0 && n != UV_EAGAIN)
        return false;
    self->queued -= f.payload_bytes;
    if (n >= 0 && (size_t)n == f.total) {
        release_first(&self->queue, f.n_payloads);
        return true;
    }
    return fly(self, &f, n > 0 ? (size_t)n : 0);
}

/* The bytes are with the kernel, the last chunk included. */
static void over(cov__stream *self)
{
    cov__stream_close(self);
    cov__conn_finish(self->conn);
}

static void flush(cov__stream *self)
{
    bool ok = !self->broken;

    while (ok && self->flight == NULL && !self->ended &&
           (waiting(&self->queue) > 0 || self->ending)) {
        self->ended = self->ending && waiting(&self->queue) <= FRAME_PAYLOADS;
        ok = send_frame(self);
    }
    if (!ok)
        cov__conn_close(self->conn);
    else if (self->ended && self->flight == NULL)
        over(self);
}

void cov__stream_flush_all(cov__loop *loop)
{
    cov__waiter *list = &loop->waiting[COV_WAIT_FLUSH];

    while (list->next != list) {
        cov__conn *conn = (cov__conn *)(void *)list->next;

        cov__loop_wait(loop, &conn->waiter, COV_WAIT_STREAM);
        flush(conn->stream);
    }
}

/* ---- life ---- */

cov__stream *cov__stream_new(cov__conn *conn, cov_stream_source *source, bool chunked)
{
    cov__stream *self = calloc(1, sizeof *self);

    if (self == NULL)
        return NULL;
    self->base.ops = &ops;
    self->conn = conn;
    self->source = source;
    self->chunked = chunked;
    self->queue.items = self->queue.few;
    self->queue.cap = COV_STREAM_INLINE;
    return self;
}

void cov__stream_open(cov__stream *self)
{
    self->source->opened(self->source, &self->base);
}

void cov__stream_close(cov__stream *self)
{
    cov_stream_source *source = self->source;

    self->source = NULL;
    self->ending = true;
    release_first(&self->queue, waiting(&self->queue));
    if (source != NULL)
        source->closed(source);
}

void cov__stream_free(cov__stream *self)
{
    free(self);
}

void cov__stream_end_all(cov__loop *loop)
{
    cov__waiter *list = &loop->waiting[COV_WAIT_FLUSH];

    for (cov__waiter *w = list->next; w != list; w = w->next)
        cov_stream_end(&((cov__conn *)(void *)w)->stream->base);
    list = &loop->waiting[COV_WAIT_STREAM];
    while (list->next != list) /* each moves to the other list */
        cov_stream_end(&((cov__conn *)(void *)list->next)->stream->base);
}
