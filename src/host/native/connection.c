/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "host/native/connection.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "host/native/pool.h"
#include "host/native/stream.h"
#include "host/native/writer.h"

enum {
    /* Bodies up to this are copied behind their head, so that several responses share a write. */
    INLINE_BODY_MAX = 16 * 1024,
    /* Pipelined output is written once it is this much. */
    FLUSH_BYTES = 64 * 1024,
    /* Input kept while busy; then reading stops. */
    IN_MAX = 64 * 1024,
    /* What a client may still send after its last answer before it is cut off; time is the other bound. */
    LINGER_MAX = 64 * 1024 * 1024,
    /* A stream's client has nothing more to say; what it says all the same is thrown away. */
    STREAM_IN_MAX = 64 * 1024,
    POOL_CONNS = 1024
};

static void process(cov__conn *conn, cov_str view);
static void answer_job(cov__conn *conn);
static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf);

static bool busy(const cov__conn *conn)
{
    return conn->job || conn->writing || conn->answered;
}

static bool is_streaming(const cov__conn *conn)
{
    return conn->waiter.kind == COV_WAIT_STREAM || conn->waiter.kind == COV_WAIT_FLUSH;
}

static bool closing(const cov__conn *conn)
{
    return conn->waiter.kind == COV_WAIT_NOTHING;
}

/* ---- end ---- */

static void on_closed(uv_handle_t *handle)
{
    cov__conn *conn = handle->data;
    cov__loop *loop = conn->loop;

    if (conn->x != NULL)
        cov__loop_unref(loop, conn->x);
    cov__stream_free(conn->stream);
    atomic_fetch_sub_explicit(&loop->server->n_connections, 1, memory_order_relaxed);
    loop->n_conns--;
    if (loop->n_free_conns < POOL_CONNS) {
        conn->next_free = loop->free_conns;
        loop->free_conns = conn;
        loop->n_free_conns++;
    } else {
        free(conn);
    }
    cov__loop_check_end(loop);
}

void cov__conn_close(cov__conn *conn)
{
    if (closing(conn))
        return;
    cov__loop_wait(conn->loop, &conn->waiter, COV_WAIT_NOTHING);
    /* A job goes on without us and finds out when it is done. */
    if (conn->x != NULL)
        conn->x->conn = NULL;
    if (conn->stream != NULL)
        cov__stream_close(conn->stream);
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

static void give_back_exchange(cov__conn *conn)
{
    cov__exchange *x = conn->x;

    conn->x = NULL;
    if (x != NULL)
        cov__loop_unref(conn->loop, x);
}

/*
 * After the last response was written. Closing with unread bytes in the socket would make the kernel reset the
 * connection, and the client might never see the answer; so say that no more comes, and read until it closes.
 */
void cov__conn_finish(cov__conn *conn)
{
    uv_os_fd_t fd;

    if (!conn->linger || conn->eof || uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0 ||
        shutdown(fd, SHUT_WR) != 0) {
        cov__conn_close(conn);
        return;
    }
    cov__loop_wait(conn->loop, &conn->waiter, COV_WAIT_LINGER);
    give_back_exchange(conn);
}

/* ---- output ---- */

static void resume(cov__conn *conn)
{
    cov_str none = { NULL, 0 };

    process(conn, conn->x->in.len > 0 ? cov_buf_view(&conn->x->in) : none);
}

static void on_written(uv_write_t *write, int status)
{
    cov__conn *conn = write->handle->data;

    if (closing(conn))
        return;
    conn->writing = false;
    if (status < 0) {
        cov__conn_close(conn);
        return;
    }
    cov_buf_clear(&conn->x->out, COV_EXCHANGE_KEEP_BYTES);
    if (conn->answered) {
        conn->answered = false;
        answer_job(conn);
    }
    if (!closing(conn))
        resume(conn);
}

/* Write what the kernel takes now; libuv keeps the rest, which must not move until on_written. */
static void write_out(cov__conn *conn, cov_str body)
{
    cov__exchange *x = conn->x;
    uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
    uv_buf_t bufs[2] = { { x->out.ptr, x->out.len }, { NULL, body.len } };
    unsigned n_bufs = body.len > 0 ? 2 : 1;
    unsigned first = 0;
    size_t left;
    int n;

    if (body.len > 0)
        bufs[1].base = x->res.body.ptr;
    n = uv_try_write(stream, bufs, n_bufs);
    if (n < 0 && n != UV_EAGAIN) {
        cov__conn_close(conn);
        return;
    }
    left = n > 0 ? (size_t)n : 0;
    if (left == x->out.len + body.len) {
        cov_buf_clear(&x->out, COV_EXCHANGE_KEEP_BYTES);
        return;
    }
    if (left >= bufs[0].len) {
        left -= bufs[0].len;
        first = 1;
    }
    bufs[first].base += left;
    bufs[first].len -= left;
    conn->writing = true;
    if (uv_write(&x->write, stream, bufs + first, n_bufs - first, on_written) != 0)
        cov__conn_close(conn);
    conn->unwritten = uv_stream_get_write_queue_size(stream);
}

static void flush(cov__conn *conn)
{
    if (conn->x->out.len > 0 && !conn->writing)
        write_out(conn, COV_STR_NULL);
}

/* The response goes on: the connection is its stream's from here on. */
static void take_stream(cov__conn *conn, cov__response_mode *mode)
{
    cov__exchange *x = conn->x;
    cov_error err;

    if (x->res.status != 200) {
        cov_response_drop_stream(&x->res);
        return;
    }
    mode->stream = true;
    if (mode->head)
        return;
    conn->stream = cov__stream_new(conn, x->res.stream, !mode->http10);
    mode->close = true;
    if (conn->stream != NULL) {
        x->res.stream = NULL;
        return;
    }
    mode->stream = false;
    cov_error_init(&err, x->arena);
    cov_fail_nomem(&err);
    cov__exchange_problem(x, conn->loop->server, &x->parser.request, &err);
}

/* The beginning of a stream, which is in one buffer with its head. */
static void append_beginning(const cov__conn *conn, cov_buf *out, cov_str body)
{
    char head[COV_CHUNK_HEAD_BYTES];

    if (conn->stream->chunked)
        cov_buf_append(out, head, cov__chunk_head(head, body.len));
    cov_buf_str(out, body);
    if (conn->stream->chunked)
        COV_BUF_LIT(out, "\r\n");
}

/* Serialise x->res as the answer to the parser's message and make the parser ready for the next. */
static void respond(cov__conn *conn, bool keep_alive)
{
    cov__exchange *x = conn->x;
    cov__http_parser *parser = &x->parser;
    const cov_request *req = parser->has_request ? &parser->request : NULL;
    cov__response_mode mode = { .head = req != NULL && req->method == COV_HEAD,
                                .http10 = parser->http10,
                                .close = !keep_alive || conn->loop->draining };
    bool with_body;

    if (COV_UNLIKELY(x->res.stream != NULL))
        take_stream(conn, &mode);
    /* A client that keeps the connection may have sent more already. */
    if (mode.close)
        conn->linger |= keep_alive || parser->error.status != COV_OK || cov__http_in_body(parser);
    conn->last = mode.close;
    conn->fresh = true;
    cov__response_head(&x->out, &x->res, mode, cov__loop_date(conn->loop), &with_body);
    if (with_body && mode.stream)
        append_beginning(conn, &x->out, cov_buf_view(&x->res.body));
    else if (with_body && x->res.body.len <= INLINE_BODY_MAX)
        cov_buf_append(&x->out, x->res.body.ptr, x->res.body.len);
    if (conn->loop->server->options.access_log)
        cov__exchange_log(x, req);
    x->started_ns = 0;
    if (x->out.failed)
        cov__conn_close(conn);
    else if (with_body && x->res.body.len > INLINE_BODY_MAX && !mode.stream)
        write_out(conn, cov_buf_view(&x->res.body));
    else if (x->out.len > FLUSH_BYTES)
        flush(conn);
    if (COV_UNLIKELY(x->res.stream != NULL)) /* of HEAD */
        cov_response_drop_stream(&x->res);
    cov__http_next(parser, COV_EXCHANGE_KEEP_BYTES);
    cov_arena_reset(x->arena);
}

static void refuse(cov__conn *conn, const cov_error *err, bool keep_alive)
{
    cov__http_parser *parser = &conn->x->parser;

    cov__exchange_problem(conn->x, conn->loop->server,
                          parser->has_request ? &parser->request : NULL, err);
    respond(conn, keep_alive);
}

static void refuse_with(cov__conn *conn, cov_status status, const char *detail, bool keep_alive)
{
    cov_error err;

    cov_error_init(&err, conn->x->arena);
    cov_fail(&err, status, "%s", detail);
    refuse(conn, &err, keep_alive);
}

/* ---- requests ---- */

static void answer_job(cov__conn *conn)
{
    respond(conn, conn->x->parser.keep_alive);
}

/* The pool let the request in. A client that went away gets no answer, but may have left a claim. */
static void answer_admitted(cov__exchange *x)
{
    cov_worker worker = cov__loop_worker(x->loop, x->arena);

    x->admitted = false;
    if (x->conn != NULL)
        cov__exchange_answer(x, &worker);
    cov__exchange_finish(x, &worker);
}

void cov__conn_job_done(cov__exchange *x)
{
    cov__conn *conn = x->conn;
    cov__loop *loop = x->loop;

    if (x->admitted)
        answer_admitted(x);
    if (conn != NULL) {
        conn->job = false;
        if (conn->writing) {
            conn->answered = true;
        } else {
            answer_job(conn);
            if (!closing(conn))
                resume(conn);
        }
    }
    cov__loop_unref(loop, x);
}

/* What was admitted may have claimed something. */
static void refuse_job(cov__conn *conn, cov_status status, const char *detail)
{
    cov__exchange *x = conn->x;
    cov_worker worker = cov__loop_worker(conn->loop, x->arena);
    cov_error err;

    cov_error_init(&err, x->arena);
    cov_fail(&err, status, "%s", detail);
    cov__exchange_problem(x, conn->loop->server, &x->parser.request, &err);
    cov__exchange_finish(x, &worker);
    respond(conn, x->parser.keep_alive);
}

/* Hand the request to another thread; it comes back through cov__loop_complete. */
static void submit(cov__conn *conn, bool to_pool)
{
    cov__exchange *x = conn->x;
    const cov__server *server = conn->loop->server;

    if (cov__http_hold(&x->parser) != COV_OK) {
        refuse_job(conn, COV_ENOMEM, "out of memory for a request");
        return;
    }
    x->refs++;
    conn->job = true;
    conn->loop->n_jobs++;
    if (to_pool ? cov__pool_submit(server->pool, x) : cov__writer_submit(server->writer, x))
        return;
    x->refs--;
    conn->job = false;
    conn->loop->n_jobs--;
    refuse_job(conn, COV_EBUSY, "The server is busy; try again shortly");
}

/* A copy: a job may outlive its connection, whose memory then serves another client. */
static void name_peer(cov__conn *conn)
{
    cov__exchange *x = conn->x;

    memcpy(x->peer, conn->peer, conn->peer_len);
    x->parser.request.peer_address = cov_str_of(x->peer, conn->peer_len);
}

/* Where a request runs: here, but for what would keep the loop from others. */
static void dispatch(cov__conn *conn)
{
    cov__exchange *x = conn->x;
    const cov_app *app = conn->loop->server->options.app;
    cov_worker worker = cov__loop_worker(conn->loop, x->arena);

    name_peer(conn);
    if (conn->loop->server->options.access_log)
        x->started_ns = uv_hrtime();
    cov__exchange_begin(x);
    if (cov_app_blocks(app, &x->parser.request)) {
        submit(conn, true);
        return;
    }
    if (cov__exchange_admit(x, &worker)) {
        if (cov_app_lane(app, &x->parser.request) == COV_LANE_WRITE) {
            submit(conn, false);
            return;
        }
        cov__exchange_answer(x, &worker);
    }
    cov__exchange_finish(x, &worker);
    respond(conn, x->parser.keep_alive);
}

static void refused_by_parser(cov__conn *conn)
{
    cov__http_parser *parser = &conn->x->parser;

    name_peer(conn);
    if (conn->loop->server->options.access_log)
        conn->x->started_ns = uv_hrtime();
    refuse(conn, &parser->error, parser->keep_alive);
}

/* ---- input ---- */

/* Keep view[at..] at the front of x->in, where the view may already lie. */
static void keep_rest(cov__conn *conn, cov_str view, size_t at)
{
    cov_buf *in = &conn->x->in;

    if (conn->last && at < view.len) {
        conn->linger = true;
        at = view.len;
    }
    if (in->len == 0) {
        if (at < view.len)
            cov_buf_append(in, view.ptr + at, view.len - at);
    } else if (at > 0) {
        memmove(in->ptr, in->ptr + at, in->len - at);
        in->len -= at;
    }
    if (in->failed)
        cov__conn_close(conn);
}

static void wait_for(cov__conn *conn, cov__wait kind)
{
    if (kind != conn->waiter.kind || conn->fresh)
        cov__loop_wait(conn->loop, &conn->waiter, kind);
    conn->fresh = false;
}

static void become_idle(cov__conn *conn)
{
    give_back_exchange(conn);
    wait_for(conn, COV_WAIT_IDLE);
    if (conn->loop->draining)
        cov__conn_close_idle(conn);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    cov__conn *conn = handle->data;

    (void)suggested;
    buf->base = conn->loop->read_buf;
    buf->len = COV_LOOP_READ_BYTES;
}

/* Reading stops while a busy connection has enough kept, and goes on afterwards. */
static void read_or_stop(cov__conn *conn)
{
    bool stop;

    if (closing(conn) || conn->eof)
        return;
    stop = conn->x != NULL && busy(conn) && conn->x->in.len > IN_MAX;
    if (stop == conn->stopped)
        return;
    conn->stopped = stop;
    if (stop)
        uv_read_stop((uv_stream_t *)&conn->tcp);
    else if (uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0)
        cov__conn_close(conn);
}

/* The head is out: nothing is needed any more of what requests need, and the source may write. */
static void open_stream(cov__conn *conn)
{
    const cov_native_options *o = &conn->loop->server->options;
    uv_os_fd_t fd;

    if (conn->eof || uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0) {
        cov__conn_close(conn);
        return;
    }
    give_back_exchange(conn);
    cov__socket_watch(fd, o->stream_keepalive_ms, o->stream_timeout_ms);
    cov__loop_wait(conn->loop, &conn->waiter, COV_WAIT_STREAM);
    cov__stream_open(conn->stream);
    if (conn->loop->draining)
        cov_stream_end(&conn->stream->base);
}

/* Decide what the connection waits for now. */
static void settle(cov__conn *conn)
{
    if (!closing(conn))
        flush(conn);
    if (closing(conn))
        return;
    if (conn->writing)
        wait_for(conn, COV_WAIT_WRITE);
    else if (conn->job)
        wait_for(conn, COV_WAIT_JOB);
    else if (conn->stream != NULL)
        open_stream(conn);
    else if (conn->last)
        cov__conn_finish(conn);
    else if (conn->eof)
        cov__conn_close(conn);
    else if (cov__http_in_body(&conn->x->parser))
        wait_for(conn, COV_WAIT_BODY);
    else if (conn->x->in.len > 0)
        wait_for(conn, COV_WAIT_HEAD);
    else
        become_idle(conn);
}

static void process(cov__conn *conn, cov_str view)
{
    cov__exchange *x = conn->x;
    size_t at = 0;

    while (at < view.len && !busy(conn) && !conn->last && !closing(conn)) {
        size_t used;
        cov__http_event event =
            cov__http_feed(&x->parser, cov_str_slice(view, at, view.len), &used);

        at += used;
        if (event == COV_HTTP_MORE)
            break;
        if (event == COV_HTTP_REQUEST)
            dispatch(conn);
        else if (event == COV_HTTP_REFUSED)
            refused_by_parser(conn);
        else
            COV_BUF_LIT(&x->out, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    if (closing(conn))
        return;
    keep_rest(conn, view, at);
    settle(conn);
    read_or_stop(conn);
}

static void take_bytes(cov__conn *conn, cov_str bytes)
{
    cov__exchange *x;

    if (conn->waiter.kind == COV_WAIT_LINGER || is_streaming(conn)) {
        conn->lingered += bytes.len;
        if (conn->lingered > (is_streaming(conn) ? STREAM_IN_MAX : LINGER_MAX))
            cov__conn_close(conn);
        return;
    }
    if (conn->x == NULL) {
        conn->x = cov__loop_exchange(conn->loop);
        if (conn->x == NULL) {
            cov__conn_close(conn);
            return;
        }
        conn->x->conn = conn;
    }
    x = conn->x;
    if (busy(conn) || x->in.len > 0) {
        cov_buf_str(&x->in, bytes);
        if (x->in.failed) {
            cov__conn_close(conn);
            return;
        }
        bytes = cov_buf_view(&x->in);
    }
    if (!busy(conn))
        process(conn, bytes);
    else
        read_or_stop(conn);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
    cov__conn *conn = stream->data;

    if (nread > 0) {
        take_bytes(conn, cov_str_of(buf->base, (size_t)nread));
    } else if (nread == UV_EOF && conn->x != NULL && busy(conn)) {
        conn->eof = true; /* half-closed: it still gets its answers */
    } else if (nread < 0) {
        cov__conn_close(conn);
    }
}

/* ---- start ---- */

static cov__conn *conn_new(cov__loop *loop)
{
    cov__conn *conn = loop->free_conns;

    if (conn != NULL) {
        loop->free_conns = conn->next_free;
        loop->n_free_conns--;
    } else {
        conn = malloc(sizeof *conn);
    }
    if (conn == NULL)
        return NULL;
    memset(conn, 0, sizeof *conn);
    conn->loop = loop;
    conn->tcp.data = conn;
    uv_tcp_init(&loop->uv, &conn->tcp); /* cannot fail without flags */
    conn->tcp.data = conn;
    loop->n_conns++;
    atomic_fetch_add_explicit(&loop->server->n_connections, 1, memory_order_relaxed);
    return conn;
}

static void refuse_connection(cov__conn *conn)
{
    conn->x = cov__loop_exchange(conn->loop);
    if (conn->x == NULL) {
        cov__conn_close(conn);
        return;
    }
    conn->x->conn = conn;
    conn->linger = true;
    refuse_with(conn, COV_EBUSY,
                "The server has as many connections as it takes; try again shortly", false);
    settle(conn);
}

static void begin(cov__conn *conn)
{
    const cov__server *server = conn->loop->server;
    size_t open = atomic_load_explicit(&server->n_connections, memory_order_relaxed);
    uv_os_fd_t fd;

    cov__loop_wait(conn->loop, &conn->waiter, COV_WAIT_IDLE);
    if (open > server->options.max_connections + COV_REFUSING_MAX ||
        uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0 ||
        uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0) {
        cov__conn_close(conn);
        return;
    }
    conn->peer_len = cov__peer_text(fd, conn->peer);
    if (open > server->options.max_connections)
        refuse_connection(conn);
}

void cov__conn_on_listen(uv_stream_t *listener, int status)
{
    cov__loop *loop = listener->data;
    cov__conn *conn = status == 0 ? conn_new(loop) : NULL;

    if (conn == NULL)
        return;
    cov__loop_wait(loop, &conn->waiter, COV_WAIT_IDLE);
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0)
        cov__conn_close(conn);
    else
        begin(conn);
}

void cov__conn_adopt(cov__loop *loop, int fd)
{
    cov__conn *conn = conn_new(loop);

    if (conn == NULL) {
        uv_fs_t request;

        uv_fs_close(NULL, &request, fd, NULL);
        uv_fs_req_cleanup(&request);
        return;
    }
    cov__loop_wait(loop, &conn->waiter, COV_WAIT_IDLE);
    if (uv_tcp_open(&conn->tcp, fd) != 0)
        cov__conn_close(conn);
    else
        begin(conn);
}

/* ---- time and shutdown ---- */

/* A client that reads slowly, but reads, is left alone. */
static void write_timeout(cov__conn *conn)
{
    size_t unwritten = uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp);

    if (unwritten >= conn->unwritten) {
        cov__conn_close(conn);
        return;
    }
    conn->unwritten = unwritten;
    cov__loop_wait(conn->loop, &conn->waiter, COV_WAIT_WRITE);
}

void cov__conn_timeout(cov__conn *conn)
{
    switch (conn->waiter.kind) {
    case COV_WAIT_WRITE:
        write_timeout(conn);
        return;
    case COV_WAIT_HEAD:
    case COV_WAIT_BODY:
        conn->linger = true;
        refuse_with(conn, COV_ETIMEOUT,
                    conn->waiter.kind == COV_WAIT_HEAD
                        ? "The request's headers did not arrive in time"
                        : "The request's body did not arrive in time",
                    false);
        settle(conn);
        return;
    default:
        cov__conn_close(conn);
        return;
    }
}

void cov__conn_close_idle(cov__conn *conn)
{
    uv_os_fd_t fd;
    char byte;

    /* A request that is in the socket's buffer was sent in good faith; closing now would reset it. */
    if (conn->waiter.kind == COV_WAIT_IDLE && uv_fileno((uv_handle_t *)&conn->tcp, &fd) == 0 &&
        recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
        return;
    cov__conn_close(conn);
}
