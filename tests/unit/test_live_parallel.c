/* SPDX-License-Identifier: MIT */
/*
 * One writer, two event loops, subscribers that come and go, users that are asked about again, all at once: whoever is
 * there at the end holds exactly the rows that are there. For ThreadSanitizer (`cmake --preset tsan`) as much as for what
 * it asserts.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "app/build.h"
#include "app/internal.h"
#include "driver/db/sqlite/sqlite.h"
#include "driver/kv/memory/memory.h"
#include "live_fixture.h"

enum { LOOPS = 2, IDS = 20, WRITES = 600, CLIENTS = 12, LIMIT = LOOPS * CLIENTS };

typedef struct client {
    fake_stream *stream; /* NULL: away */
    int least;           /* filter: n >= least */
} client;

typedef struct world world;

typedef struct loop {
    world *w;
    pthread_t thread;
    cov_db *db;
    cov_arena *arena;
    cov_live_shard *shard;
    cov_response res;
    client clients[CLIENTS];
    unsigned seed;
    size_t n_opened;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool is_woken; /* under lock */
} loop;

struct world {
    char path[64];
    const char *changelog;
    cov_arena *arena;
    cov_arena *writers; /* arena */
    cov_db *db;
    cov_kv *kv;
    cov_app *app;
    loop loops[LOOPS];
    atomic_bool done;
    const char *failure; /* the first; under the lock of loops[0] */
};

static unsigned roll(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static void must(cov_status st, const cov_error *err)
{
    if (st != COV_OK)
        fail_msg("%s: %.*s", cov_status_name(st), COV_STR_ARG(cov_error_detail(err)));
}

/* ---- a loop ---- */

static void wake(void *self)
{
    loop *l = self;

    pthread_mutex_lock(&l->lock);
    l->is_woken = true;
    pthread_cond_signal(&l->woken);
    pthread_mutex_unlock(&l->lock);
}

static void complain(loop *l, const char *why)
{
    loop *first = &l->w->loops[0];

    pthread_mutex_lock(&first->lock);
    if (l->w->failure == NULL)
        l->w->failure = why;
    pthread_mutex_unlock(&first->lock);
}

static void come(loop *l, client *c)
{
    cov_worker worker = { .host = cov_native_host(),
                          .db = l->db,
                          .arena = l->arena,
                          .loop_client = l->shard,
                          .streams = true };
    cov_request req = { .method = COV_GET,
                        .method_name = COV_STR_INIT("GET"),
                        .path = COV_STR_INIT("/api/rows/subscribe"),
                        .peer_address = COV_STR_INIT("9.9.9.9") };
    char query[64];

    c->least = (int)roll(&l->seed, 4);
    (void)snprintf(query, sizeof query, "filter=n%%3E=%d", c->least);
    req.query = cov_str_from(query);
    l->res.n_headers = 0;
    l->res.status = 0;
    l->res.stream = NULL;
    cov_buf_clear(&l->res.body, 0);
    cov_arena_reset(l->arena);
    cov_app_fetch(l->w->app, &worker, &req, &l->res);
    if (l->res.stream == NULL) {
        complain(l, "no stream");
        return;
    }
    c->stream = stream_of(l->res.stream);
    stream_begin(c->stream);
    l->n_opened++;
}

static void go(client *c)
{
    stream_close(c->stream);
    c->stream = NULL;
}

/* Rows as the client has them; -1: none. Every line is one event. */
static void replay(const client *c, int rows[IDS])
{
    char *text = strndup(c->stream->text.ptr, c->stream->text.len);
    char *rest = NULL;

    assert_non_null(text);
    for (int i = 0; i < IDS; i++)
        rows[i] = -1;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *object = strstr(line, "\"object\":{\"id\":");
        const char *removed = strstr(line, "\"objectId\":\"");
        int id;
        int n;

        if (object != NULL && sscanf(object, "\"object\":{\"id\":%d,\"n\":%d", &id, &n) == 2)
            rows[id] = n;
        else if (removed != NULL && sscanf(removed, "\"objectId\":\"%d", &id) == 1)
            rows[id] = -1;
        else if (strstr(line, "invalidate") != NULL)
            rows[0] = -2;
    }
    free(text);
}

static void *run_loop(void *arg)
{
    loop *l = arg;
    const cov_host *host = cov_native_host();
    bool last = false;

    while (!last) {
        client *c = &l->clients[roll(&l->seed, CLIENTS)];
        struct timespec until;

        last = atomic_load(&l->w->done);
        if (!last && c->stream == NULL)
            come(l, c);
        else if (!last && roll(&l->seed, 3) == 0)
            go(c);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec = (until.tv_nsec + 1000000) % 1000000000;
        pthread_mutex_lock(&l->lock);
        if (!l->is_woken && !last)
            pthread_cond_timedwait(&l->woken, &l->lock, &until);
        l->is_woken = false;
        pthread_mutex_unlock(&l->lock);
        cov_live_run(l->shard);
        cov_live_tick(l->shard, host->now_ms(host->self));
    }
    return NULL;
}

/* ---- the writer ---- */

/* As the native writer does it: answer, commit, tell. */
static void write_one(world *w, const char *method, const char *path, const char *body)
{
    cov_worker worker = { .host = cov_native_host(), .db = w->db, .arena = w->writers };
    cov_request req = { .method_name = cov_str_from(method),
                        .path = cov_str_from(path),
                        .body = cov_str_from(body) };
    cov_response res = { .status = 0 };
    cov_passage passage = { 0 };
    cov_error err;

    req.method = cov_method_of(req.method_name);
    cov_error_init(&err, NULL);
    must(cov_db_begin(w->db, true, &err), &err);
    if (cov_app_admit(w->app, &worker, &req, &passage, &res))
        cov_app_answer(w->app, &worker, &req, &passage, &res);
    cov_app_committing(w->app);
    must(cov_db_commit(w->db, &err), &err);
    cov_app_finish(w->app, &worker, &req, &passage, &res);
    cov_app_committed(w->app);
    cov_buf_dispose(&res.body);
    cov_arena_reset(w->writers);
}

static void write_all(world *w)
{
    unsigned seed = 7;

    for (int i = 0; i < WRITES; i++) {
        int id = (int)roll(&seed, IDS);
        char path[32];
        char body[48];

        (void)snprintf(path, sizeof path, "/api/rows/%d", id);
        (void)snprintf(body, sizeof body, "{\"id\":%d,\"n\":%u}", id, roll(&seed, 5));
        switch (roll(&seed, 4)) {
        case 0:
            write_one(w, "DELETE", path, "");
            break;
        case 1:
            write_one(w, "PUT", path, body);
            break;
        default:
            write_one(w, "POST", "/api/rows", body);
        }
        if (i % 16 == 0)
            cov_live_recheck(w->app->live, COV_STR("*"));
    }
}

/* ---- what must hold ---- */

typedef struct rows_sink {
    cov_row_sink sink;
    int rows[IDS];
} rows_sink;

static cov_status take_row(cov_row_sink *sink, const cov_value *values, size_t n, cov_error *err)
{
    (void)n;
    (void)err;
    ((rows_sink *)(void *)sink)->rows[values[0].i] = (int)values[1].i;
    return COV_OK;
}

static void check_clients(world *w)
{
    cov_stmt stmt = { COV_STR_INIT("SELECT id, n FROM rows"), NULL, 0 };
    rows_sink now = { .sink = { take_row } };
    cov_error err;

    for (int i = 0; i < IDS; i++)
        now.rows[i] = -1;
    cov_error_init(&err, NULL);
    must(cov_db_query(w->db, &stmt, &now.sink, &err), &err);
    for (int i = 0; i < LOOPS * CLIENTS; i++) {
        const client *c = &w->loops[i / CLIENTS].clients[i % CLIENTS];
        int rows[IDS];

        if (c->stream == NULL)
            continue;
        replay(c, rows);
        for (int id = 0; id < IDS; id++) {
            int want = now.rows[id] >= c->least ? now.rows[id] : -1;

            if (rows[id] != want)
                fail_msg("client %d (n >= %d): row %d is %d, not %d: %.*s", i, c->least, id,
                         rows[id], want, (int)c->stream->text.len, c->stream->text.ptr);
        }
    }
}

/* Every slot came back: as many as there may be can come once more. */
static void check_slots(world *w)
{
    for (int i = 0; i < LOOPS * CLIENTS; i++)
        if (w->loops[i / CLIENTS].clients[i % CLIENTS].stream != NULL)
            go(&w->loops[i / CLIENTS].clients[i % CLIENTS]);
    for (int i = 0; i < LIMIT; i++)
        come(&w->loops[i % LOOPS], &w->loops[i % LOOPS].clients[i / LOOPS]);
    assert_null(w->failure);
    for (int i = 0; i < LIMIT; i++)
        go(&w->loops[i % LOOPS].clients[i / LOOPS]);
    for (int i = 0; i < LOOPS; i++)
        assert_int_equal(cov_live_count(w->loops[i].shard), 0);
}

/* ---- the world ---- */

static cov_db *open_db(const world *w, bool read_only)
{
    cov_db_config config = { .url = cov_str_from(w->path), .read_only = read_only };
    cov_db *db = NULL;
    cov_error err;

    cov_error_init(&err, NULL);
    must(cov_db_open(&cov_sqlite_driver, cov_native_host(), &config, &db, &err), &err);
    return db;
}

static void open_loop(world *w, loop *l, unsigned seed)
{
    memset(l, 0, sizeof *l);
    l->w = w;
    l->seed = seed;
    l->db = open_db(w, true);
    l->arena = cov_arena_new(0);
    assert_non_null(l->arena);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->woken, NULL);
    l->shard = cov_live_shard_new(w->app->live, l->db, wake, l);
    assert_non_null(l->shard);
}

static void close_loop(loop *l)
{
    cov_live_shard_free(l->shard);
    cov_db_close(l->db);
    cov_arena_free(l->arena);
    cov_buf_dispose(&l->res.body);
    pthread_cond_destroy(&l->woken);
    pthread_mutex_destroy(&l->lock);
}

static void open_world(world *w, const char *changelog, bool lasts)
{
    static cov_kv_driver driver;
    const cov_kv_config kv_config = { .url = COV_STR("") };
    const cov_config *config = NULL;
    cov_schema *schema = NULL;
    cov_worker worker = { .host = cov_native_host() };
    char text[512];
    cov_error err;

    memset(w, 0, sizeof *w);
    driver = cov_memory_kv_driver;
    if (lasts)
        driver.caps |= COV_KV_CAP_DURABLE;
    cov_native_log_level(COV_LOG_ERROR + 1);
    (void)snprintf(w->path, sizeof w->path, "/tmp/covara-live-%ld-%s.db", (long)getpid(),
                   changelog);
    (void)snprintf(
        text, sizeof text,
        "{\"changelog\":\"%s\",\"resources\":{\"rows\":{\"auth\":{\"public\":{\"read\":true,"
        "\"create\":true,\"update\":true,\"delete\":true,\"subscribe\":true}},\"sse\":{"
        "\"maxSubscriptionsPerIP\":%d,\"maxQueueBytes\":65536}}}}",
        changelog, LIMIT);
    w->arena = cov_arena_new(0);
    w->writers = cov_arena_new(0);
    assert_non_null(w->arena);
    assert_non_null(w->writers);
    cov_error_init(&err, w->arena);
    w->db = open_db(w, false);
    must(cov_db_script(w->db, COV_STR("CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER)"),
                       &err),
         &err);
    must(cov_config_parse(w->arena, cov_native_host(), COV_STR("test"), cov_str_from(text), &config,
                          &err),
         &err);
    must(cov_schema_read_sqlite(w->arena, w->db, config->naming, &schema, &err), &err);
    must(cov_kv_open(&driver, cov_native_host(), &kv_config, &w->kv, &err), &err);
    must(cov__app_build(cov_native_host(), config, schema, w->kv, NULL, &w->app, &err), &err);
    worker.db = w->db;
    worker.arena = w->arena;
    must(cov_app_start(w->app, &worker, &err), &err);
    for (int i = 0; i < LOOPS; i++)
        open_loop(w, &w->loops[i], (unsigned)i + 1);
}

static void close_world(world *w)
{
    static const char *const ends[] = { "", "-wal", "-shm" };

    for (int i = 0; i < LOOPS; i++)
        close_loop(&w->loops[i]);
    cov_app_free(w->app);
    cov_kv_close(w->kv);
    cov_db_close(w->db);
    cov_arena_free(w->writers);
    cov_arena_free(w->arena);
    for (size_t i = 0; i < COV_COUNT_OF(ends); i++) {
        char path[96];

        (void)snprintf(path, sizeof path, "%s%s", w->path, ends[i]);
        (void)unlink(path);
    }
}

static void all_at_once(const char *changelog, bool lasts)
{
    static world w;

    open_world(&w, changelog, lasts);
    for (int i = 0; i < LOOPS; i++)
        assert_int_equal(pthread_create(&w.loops[i].thread, NULL, run_loop, &w.loops[i]), 0);
    write_all(&w);
    atomic_store(&w.done, true);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(w.loops[i].thread, NULL);
    assert_null(w.failure);
    check_clients(&w);
    assert_true(w.loops[0].n_opened > 10 && w.loops[1].n_opened > 10);
    check_slots(&w);
    close_world(&w);
}

static void parallel__kv(void **state)
{
    (void)state;
    all_at_once("kv", true);
}

static void parallel__ring(void **state)
{
    (void)state;
    all_at_once("kv", false);
}

static void parallel__database(void **state)
{
    (void)state;
    all_at_once("database", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parallel__kv),
        cmocka_unit_test(parallel__ring),
        cmocka_unit_test(parallel__database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
