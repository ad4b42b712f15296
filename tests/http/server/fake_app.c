/* SPDX-License-Identifier: MIT */
/*
 * The fake application.
 *
 *   GET  /tiny               {"ok":true}
 *   ANY  /echo...            what arrived, as JSON
 *   GET  /big?n=             n bytes
 *   ANY  /status?n=          an empty answer with that status
 *   GET  /inject             a header value with a line break, and a Content-Length that lies
 *   GET  /stats              counters of fake.h
 *   GET  /busy?n=            the next n transactions find the database locked
 *   GET  /open?gate=         let all writes through that wait at this gate
 *   GET  /host               digest, HMAC, regular expressions and random bytes of the host
 *   POST /write              inserts a row; ?gate= waits, ?ms= sleeps, ?fail=1 fails and rolls back
 *   POST /write/poison       inserts a row whose foreign key fails at commit
 *   ANY  /slow?gate=&call=&later=&fail=   runs on the pool; call=1 inserts a row through the writer and waits,
 *                            later=1 does not wait
 *   GET  /stream?channel=&hello=&bytes=&every=&end=&body=&status=   a stream of that channel, see fake.h; `body` bytes
 *                            are in the response already. The same under /write/stream, /slow/stream
 *   ANY  /slow/publish?channel=&n=&bytes=&end=   frames for all streams of a channel, from the pool
 *   POST /write/slow         admitted on the pool, then as /write
 *   ?refuse=1                is refused with 403 when it is admitted, whatever the path
 *   GET  /healthz            200, or 503 while shutting down
 *   anything else            a 404 problem
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/encode.h"
#include "base/json.h"
#include "base/num.h"
#include "fake.h"

enum { GATES = 64, GATE_WAIT_S = 20 };

struct cov_app {
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool gates[GATES];
};

cov_app *fake_app_new(void)
{
    cov_app *app = calloc(1, sizeof *app);

    if (app != NULL) {
        pthread_mutex_init(&app->lock, NULL);
        pthread_cond_init(&app->opened, NULL);
    }
    return app;
}

void cov_app_free(cov_app *app)
{
    pthread_mutex_destroy(&app->lock);
    pthread_cond_destroy(&app->opened);
    free(app);
}

void cov_app_begin_shutdown(cov_app *app)
{
    atomic_store(&app->stopping, true);
}

/* "gate=3&ms=20": the number after `name`=, or `fallback`. */
static long query_number(cov_str query, const char *name, long fallback)
{
    int64_t value;
    cov_str part;

    while (cov_str_split(&query, '&', &part)) {
        size_t equals = cov_str_find(part, '=', 0);

        if (cov_str_eq(cov_str_slice(part, 0, equals), cov_str_from(name)) &&
            cov_parse_i64(cov_str_slice(part, equals + 1, part.len), &value))
            return (long)value;
    }
    return fallback;
}

cov_lane cov_app_lane(const cov_app *app, const cov_request *req)
{
    (void)app;
    if (cov_str_starts(req->path, COV_STR("/write"))) {
        atomic_fetch_add(&fake_counts_all.arrived, 1);
        return COV_LANE_WRITE;
    }
    return cov_str_starts(req->path, COV_STR("/st")) ? COV_LANE_READ : COV_LANE_NONE;
}

static void json_header(cov_response *res)
{
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/json"));
}

void cov_app_problem(const cov_app *app, const cov_worker *worker, const cov_request *req,
                     const cov_error *err, cov_response *res)
{
    (void)app;
    (void)worker;
    res->status = cov_status_http(err->status);
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/problem+json"));
    cov_buf_printf(&res->body, "{\"status\":%d,\"code\":\"%s\",\"detail\":", res->status,
                   cov_status_code(err->status));
    cov_json_str(&res->body, cov_error_detail(err));
    if (req != NULL) {
        COV_BUF_LIT(&res->body, ",\"path\":");
        cov_json_str(&res->body, req->path);
    }
    cov_buf_char(&res->body, '}');
}

static void member(cov_buf *out, const char *name, cov_str value)
{
    cov_json_str(out, cov_str_from(name));
    cov_buf_char(out, ':');
    cov_json_str(out, value);
    cov_buf_char(out, ',');
}

static void echo(const cov_request *req, cov_response *res)
{
    cov_buf *out = &res->body;

    json_header(res);
    cov_buf_char(out, '{');
    member(out, "method", req->method_name);
    member(out, "path", req->path);
    member(out, "query", req->query);
    member(out, "peer", req->peer_address);
    member(out, "body", req->body);
    COV_BUF_LIT(out, "\"headers\":[");
    for (size_t i = 0; i < req->n_headers; i++) {
        cov_buf_char(out, i == 0 ? '[' : ',');
        if (i != 0)
            cov_buf_char(out, '[');
        cov_json_str(out, req->headers[i].name);
        cov_buf_char(out, ',');
        cov_json_str(out, req->headers[i].value);
        cov_buf_char(out, ']');
    }
    COV_BUF_LIT(out, "]}");
}

static void big(const cov_request *req, cov_response *res)
{
    size_t n = (size_t)query_number(req->query, "n", 1);
    char *to = cov_buf_reserve(&res->body, n);

    cov_response_header(res, COV_STR("Content-Type"), COV_STR("text/plain"));
    if (to != NULL) {
        for (size_t i = 0; i < n; i++)
            to[i] = (char)('a' + i % 26);
        res->body.len += n;
    }
}

static void stats(cov_response *res)
{
    fake_counts *c = &fake_counts_all;

    json_header(res);
    cov_buf_printf(
        &res->body,
        "{\"rows\":%ld,\"commits\":%ld,\"rollbacks\":%ld,\"arrived\":%ld,\"entered\":%ld,"
        "\"published\":%ld,\"maxGroup\":%ld,\"blocked\":%ld,",
        atomic_load(&c->rows), atomic_load(&c->commits), atomic_load(&c->rollbacks),
        atomic_load(&c->arrived), atomic_load(&c->entered), atomic_load(&c->published),
        atomic_load(&c->max_group), atomic_load(&c->blocked));
    cov_buf_printf(&res->body,
                   "\"opened\":%ld,\"closed\":%ld,\"drained\":%ld,\"queued\":%ld,"
                   "\"unwritten\":%ld,\"runs\":%ld}",
                   atomic_load(&c->opened), atomic_load(&c->closed), atomic_load(&c->drained),
                   atomic_load(&c->queued), atomic_load(&c->unwritten), atomic_load(&c->runs));
}

static void open_gate(cov_app *app, long gate)
{
    pthread_mutex_lock(&app->lock);
    app->gates[gate % GATES] = true;
    pthread_cond_broadcast(&app->opened);
    pthread_mutex_unlock(&app->lock);
}

static void wait_at_gate(cov_app *app, long gate)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += GATE_WAIT_S;
    pthread_mutex_lock(&app->lock);
    while (!app->gates[gate % GATES] &&
           pthread_cond_timedwait(&app->opened, &app->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&app->lock);
}

/* What a request changed, as the host carries it: this application's own idea of a mutation. */
struct cov_mutation_node {
    struct cov_mutation_node *next;
};

static void record(const cov_worker *worker, cov_passage *passage)
{
    struct cov_mutation_node *node = COV_NEW(worker->arena, struct cov_mutation_node);

    if (node == NULL)
        return;
    node->next = passage->mutations.first;
    passage->mutations.first = node;
}

static void write_row(cov_app *app, const cov_worker *worker, const cov_request *req,
                      cov_passage *passage, cov_response *res)
{
    bool poison = cov_str_eq(req->path, COV_STR("/write/poison"));
    cov_stmt stmt = { .sql = poison ? COV_STR("poison") : COV_STR("insert") };
    long gate = query_number(req->query, "gate", -1);
    long ms = query_number(req->query, "ms", 0);
    struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
    cov_error err;

    cov_error_init(&err, worker->arena);
    atomic_fetch_add(&fake_counts_all.entered, 1);
    if (gate >= 0)
        wait_at_gate(app, gate);
    if (ms > 0)
        nanosleep(&pause, NULL);
    if (cov_db_begin(worker->db, true, &err) != COV_OK ||
        cov_db_exec(worker->db, &stmt, NULL, &err) != COV_OK) {
        cov_app_problem(app, worker, req, &err, res);
        return;
    }
    if (query_number(req->query, "fail", 0) != 0) {
        cov_db_rollback(worker->db);
        cov_fail(&err, COV_EINVAL, "asked to fail");
        cov_app_problem(app, worker, req, &err, res);
        return;
    }
    if (cov_db_commit(worker->db, &err) != COV_OK) {
        cov_app_problem(app, worker, req, &err, res);
        return;
    }
    record(worker, passage);
    res->status = 201;
    echo(req, res);
}

static void hex_member(cov_buf *out, const char *name, const uint8_t *bytes, size_t len)
{
    cov_buf_printf(out, "\"%s\":\"", name);
    cov_hex(out, bytes, len);
    COV_BUF_LIT(out, "\",");
}

static void host_services(const cov_worker *worker, cov_response *res)
{
    const cov_host *h = worker->host;
    static const char *const digests[] = { "md5", "sha1", "sha256" };
    static const char *const hmacs[] = { "hmacMd5", "hmacSha1", "hmacSha256" };
    static const size_t sizes[] = { COV_MD5_BYTES, COV_SHA1_BYTES, COV_SHA256_BYTES };
    char long_text[4096];
    uint8_t out[COV_DIGEST_MAX_BYTES];
    cov_str long_view = cov_str_of(long_text, sizeof long_text);
    int64_t start_us;

    json_header(res);
    cov_buf_char(&res->body, '{');
    for (int alg = COV_MD5; alg <= COV_SHA256; alg++) {
        if (h->digest(h->self, (cov_digest)alg, COV_STR("abc"), out) == COV_OK)
            hex_member(&res->body, digests[alg], out, sizes[alg]);
        if (h->hmac(h->self, (cov_digest)alg, COV_STR("key"),
                    COV_STR("The quick brown fox jumps over the lazy dog"), out) == COV_OK)
            hex_member(&res->body, hmacs[alg], out, sizes[alg]);
    }
    memset(long_text, 'a', sizeof long_text);
    if (h->hmac(h->self, COV_SHA256, long_view, COV_STR("x"), out) == COV_OK)
        hex_member(&res->body, "hmacLongKey", out, COV_SHA256_BYTES);
    if (h->random(h->self, out, COV_SHA256_BYTES) == COV_OK)
        hex_member(&res->body, "random", out, COV_SHA256_BYTES);
    start_us = h->monotonic_us(h->self);
    cov_buf_printf(&res->body, "\"evil\":%d,",
                   h->regex(h->self, COV_STR("^(a+)+$"), false,
                            cov_str_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 37)));
    cov_buf_printf(&res->body, "\"evilMs\":%d,",
                   (int)((h->monotonic_us(h->self) - start_us) / 1000));
    cov_buf_printf(&res->body, "\"regex\":[%d,%d,%d,%d,%d,%d,%d,%d]}",
                   h->regex(h->self, COV_STR("b+c"), false, COV_STR("abbbcd")),
                   h->regex(h->self, COV_STR("B+C"), false, COV_STR("abbbcd")),
                   h->regex(h->self, COV_STR("B+C"), true, COV_STR("abbbcd")),
                   h->regex(h->self, COV_STR("c$"), false, COV_STR("abc\n")),
                   h->regex(h->self, COV_STR("^\xc3\xa9.$"), true, COV_STR("\xc3\x89\xe2\x82\xac")),
                   h->regex(h->self, COV_STR("("), false, COV_STR("x")),
                   h->regex(h->self, COV_STR("^$"), false, COV_STR_NULL),
                   h->regex(h->self, COV_STR("b"), false,
                            COV_STR("a\xff"
                                    "b")));
}

static void not_found(cov_app *app, const cov_worker *worker, const cov_request *req,
                      cov_response *res)
{
    cov_error err;

    cov_error_init(&err, worker->arena);
    cov_fail(&err, COV_ENOTFOUND, "Route %.*s %.*s not found", COV_STR_ARG(req->method_name),
             COV_STR_ARG(req->path));
    cov_app_problem(app, worker, req, &err, res);
}

bool cov_app_blocks(const cov_app *app, const cov_request *req)
{
    (void)app;
    return cov_str_starts(req->path, COV_STR("/slow")) ||
           cov_str_starts(req->path, COV_STR("/write/slow"));
}

bool cov_app_admit(const cov_app *const_app, const cov_worker *worker, const cov_request *req,
                   cov_passage *passage, cov_response *res)
{
    cov_app *app = (cov_app *)(uintptr_t)const_app;
    cov_error err;

    (void)passage;
    if (cov_app_blocks(app, req)) {
        atomic_fetch_add(&fake_counts_all.blocked, 1);
        if (query_number(req->query, "gate", -1) >= 0)
            wait_at_gate(app, query_number(req->query, "gate", -1));
    }
    if (query_number(req->query, "refuse", 0) == 0)
        return true;
    cov_error_init(&err, worker->arena);
    cov_fail(&err, COV_EFORBIDDEN, "refused");
    cov_app_problem(app, worker, req, &err, res);
    return false;
}

typedef struct insertion {
    long fail;
    bool committed;
} insertion;

/* What cov_worker.write runs: one row, or a failure after it. */
static cov_status insert_or_fail(cov_db *db, void *arg, cov_error *err)
{
    cov_stmt stmt = { .sql = COV_STR("insert") };
    cov_status st = cov_db_exec(db, &stmt, NULL, err);

    if (st == COV_OK && ((const insertion *)arg)->fail != 0)
        return cov_fail(err, COV_ECONFLICT, "asked to fail");
    return st;
}

static void is_committed(void *arg)
{
    ((insertion *)arg)->committed = true;
}

static void no_free(void *arg)
{
    (void)arg;
}

static void slow(cov_app *app, const cov_worker *worker, const cov_request *req, cov_response *res)
{
    static insertion never_fail;
    insertion row = { query_number(req->query, "fail", 0), false };
    bool calls = query_number(req->query, "call", 0) != 0;
    cov_error err;

    cov_error_init(&err, worker->arena);
    if (query_number(req->query, "later", 0) != 0) {
        worker->write_later(worker->self, insert_or_fail, no_free, &never_fail);
    } else if (calls &&
               worker->write(worker->self, insert_or_fail, is_committed, &row, &err) != COV_OK) {
        if (row.committed)
            abort(); /* told of what never was */
        cov_app_problem(app, worker, req, &err, res);
        return;
    }
    if (calls && !row.committed)
        abort();
    echo(req, res);
}

static void stream(const cov_worker *worker, const cov_request *req, cov_response *res)
{
    long body = query_number(req->query, "body", 0);
    fake_stream_options options = { .channel = query_number(req->query, "channel", 0),
                                    .hello = query_number(req->query, "hello", 0),
                                    .bytes = query_number(req->query, "bytes", 0),
                                    .every_ms = query_number(req->query, "every", 0),
                                    .end = query_number(req->query, "end", 0) != 0 };

    cov_response_header(res, COV_STR("Content-Type"), COV_STR("text/event-stream"));
    res->status = (int)query_number(req->query, "status", 200);
    for (long i = 0; i < body; i++)
        cov_buf_char(&res->body, ':');
    res->stream = fake_stream_source(worker, &options);
}

static void publish(const cov_request *req, cov_response *res)
{
    fake_stream_publish(query_number(req->query, "channel", 0), query_number(req->query, "n", 1),
                        query_number(req->query, "bytes", 0),
                        query_number(req->query, "end", 0) != 0);
    echo(req, res);
}

void cov_app_answer(const cov_app *const_app, const cov_worker *worker, const cov_request *req,
                    cov_passage *passage, cov_response *res)
{
    cov_app *app = (cov_app *)(uintptr_t)const_app;
    cov_str path = req->path;

    memset(&passage->mutations, 0, sizeof passage->mutations);

    if (cov_str_eq(path, COV_STR("/tiny"))) {
        json_header(res);
        COV_BUF_LIT(&res->body, "{\"ok\":true}");
    } else if (cov_str_starts(path, COV_STR("/echo")) || cov_str_eq(path, COV_STR("*"))) {
        echo(req, res);
    } else if (cov_str_eq(path, COV_STR("/stream")) || cov_str_eq(path, COV_STR("/slow/stream")) ||
               cov_str_eq(path, COV_STR("/write/stream"))) {
        stream(worker, req, res);
    } else if (cov_str_eq(path, COV_STR("/slow/publish"))) {
        publish(req, res);
    } else if (cov_str_starts(path, COV_STR("/slow"))) {
        slow(app, worker, req, res);
    } else if (cov_str_starts(path, COV_STR("/write"))) {
        write_row(app, worker, req, passage, res);
    } else if (cov_str_eq(path, COV_STR("/big"))) {
        big(req, res);
    } else if (cov_str_eq(path, COV_STR("/status"))) {
        json_header(res);
        res->status = (int)query_number(req->query, "n", 200);
    } else if (cov_str_eq(path, COV_STR("/inject"))) {
        json_header(res);
        cov_response_header(res, COV_STR("X-Good"), COV_STR("yes"));
        cov_response_header(res, COV_STR("X-Bad"), COV_STR("a\r\nX-Evil: 1"));
        cov_response_header(res, COV_STR("X-Bad: x\r\nName"), COV_STR("a"));
        cov_response_header(res, COV_STR("Content-Length"), COV_STR("9999"));
    } else if (cov_str_eq(path, COV_STR("/stats"))) {
        stats(res);
    } else if (cov_str_eq(path, COV_STR("/busy"))) {
        atomic_store(&fake_counts_all.busy_begins, (int)query_number(req->query, "n", 0));
    } else if (cov_str_eq(path, COV_STR("/open"))) {
        open_gate(app, query_number(req->query, "gate", 0));
    } else if (cov_str_eq(path, COV_STR("/host"))) {
        host_services(worker, res);
    } else if (cov_str_eq(path, COV_STR("/healthz"))) {
        res->status = atomic_load(&app->stopping) ? 503 : 200;
    } else {
        not_found(app, worker, req, res);
    }
}

void cov_app_committing(const cov_app *app)
{
    (void)app;
}

void cov_app_committed(const cov_app *app)
{
    (void)app;
}

cov_status cov_app_start(const cov_app *app, const cov_worker *worker, cov_error *err)
{
    (void)app;
    (void)worker;
    (void)err;
    return COV_OK;
}

void cov_app_finish(const cov_app *app, const cov_worker *worker, const cov_request *req,
                    cov_passage *passage, cov_response *res)
{
    (void)app;
    (void)worker;
    (void)req;
    (void)res;
    for (const struct cov_mutation_node *node = passage->mutations.first; node != NULL;
         node = node->next)
        atomic_fetch_add(&fake_counts_all.published, 1);
}
