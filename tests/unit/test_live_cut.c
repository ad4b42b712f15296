/* SPDX-License-Identifier: MIT */
/*
 * The cut (src/live/live.h): whatever the order in which commits, publishing, subscribing and delivering come, a
 * subscriber gets the rows of one moment and then exactly the changes after it.
 *
 * Each schedule is a random sequence of single steps of one writer, two shards with connections of their own, and
 * clients that come, go and resume. Steps of the writer also happen in the middle of the reads with which a
 * subscription begins: the shards' connections call back before and after each statement. A naive model keeps
 * every committed change and says what each client must have been sent, byte for byte in what matters. Both changelogs
 * run. A failure prints the number of its schedule, which is its seed.
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

#include "app/build.h"
#include "app/internal.h"
#include "driver/db/sqlite/sqlite.h"
#include "driver/kv/memory/memory.h"
#include "live_fixture.h"

enum {
    SCHEDULES = 1000, /* of each changelog */
    STEPS = 40,
    N_SHARDS = 2,
    N_IDS = 5,
    MAX_OPS = 400,
    MAX_CLIENTS = 12,
    MAX_JOBS = 3,
    TEXT_BYTES = 16384
};

/* ---- the model ---- */

typedef struct row {
    bool there;
    int n;
} row;

typedef struct op {
    int id;
    row before;
    row after;
} op;

typedef struct client {
    fake_stream *stream;
    cov_live_shard *shard;
    int least;        /* filter: n >= least; -1: n == 2, which the index finds */
    bool begun;       /* `opened` was called */
    bool skip;        /* skipExisting */
    long long resume; /* 0: none */
    long long seq;    /* highest that it was sent */
    char *got;
} client;

typedef enum writer_state { IDLE, WRITTEN, COMMITTING, COMMITTED, PUBLISHED } writer_state;

typedef struct world {
    cov_arena *arena;
    cov_app *app;
    cov_live *live;
    cov_kv *kv;
    cov_db *writer;
    cov_db *readers[N_SHARDS];
    cov_live_shard *shards[N_SHARDS];
    unsigned seed;
    bool nested; /* a writer's step is under way in the middle of a read */
    /* writer */
    writer_state state;
    cov_passage jobs[MAX_JOBS];
    cov_arena *job_arenas[MAX_JOBS];
    int n_jobs;
    op pending[MAX_JOBS];
    row open_rows[N_IDS]; /* as the writer's transaction sees them */
    /* committed */
    op ops[MAX_OPS];
    int n_ops;
    long long base; /* sequence before the first op */
    client clients[MAX_CLIENTS];
    int n_clients;
} world;

static unsigned roll(world *w, unsigned below)
{
    w->seed = w->seed * 1664525u + 1013904223u;
    return (w->seed >> 8) % below;
}

static bool matches(const client *c, row r)
{
    return r.there && (c->least >= 0 ? r.n >= c->least : r.n == 2);
}

static void rows_at(const world *w, int n_ops, row *rows)
{
    memset(rows, 0, N_IDS * sizeof *rows);
    for (int i = 0; i < n_ops; i++)
        rows[w->ops[i].id] = w->ops[i].after;
}

static void say(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(char *out, const char *format, ...)
{
    size_t used = strlen(out);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(out + used, TEXT_BYTES - used, format, args);
    va_end(args);
}

static void expect_existing(const world *w, const client *c, int from, char *out)
{
    row rows[N_IDS];

    rows_at(w, from, rows);
    for (int id = 0; id < N_IDS; id++)
        if (matches(c, rows[id]))
            say(out, "existing %d=%d;", id, rows[id].n);
}

static void expect_changes(const world *w, const client *c, int from, char *out)
{
    for (int i = from; i < w->n_ops; i++) {
        const op *o = &w->ops[i];
        bool before = matches(c, o->before);
        bool after = matches(c, o->after);

        if (before && after)
            say(out, "changed %d=%d;", o->id, o->after.n);
        else if (after)
            say(out, "added %d=%d;", o->id, o->after.n);
        else if (before)
            say(out, "removed %d;", o->id);
    }
}

/* ---- what clients read ---- */

static void read_event(client *c, const char *frame)
{
    const char *type = strstr(frame, "\"type\":\"");
    const char *seq = strstr(frame, "\"seq\":");
    const char *object = strstr(frame, "\"object\":{\"id\":");
    const char *removed = strstr(frame, "\"objectId\":\"");
    const char *n = strstr(frame, "\"n\":");
    long long number = seq != NULL ? strtoll(seq + 6, NULL, 10) : 0;

    if (number < c->seq)
        say(c->got, "sequence went back;");
    c->seq = number;
    if (type == NULL)
        say(c->got, "connected %lld;", number);
    else if (object != NULL)
        say(c->got, "%.*s %ld=%ld;", (int)strcspn(type + 8, "\""), type + 8,
            strtol(object + 15, NULL, 10), strtol(n + 4, NULL, 10));
    else if (removed != NULL)
        say(c->got, "removed %ld;", strtol(removed + 12, NULL, 10));
    else
        say(c->got, "%.*s;", (int)strcspn(type + 8, "\""), type + 8);
}

static void read_stream(client *c)
{
    cov_str rest = cov_str_from(stream_take_raw(c->stream));
    cov_str line;

    while (rest.len != 0 && cov_str_split(&rest, '\n', &line))
        if (cov_str_starts(line, COV_STR("data: "))) {
            char *copy = strndup(line.ptr, line.len);

            read_event(c, copy);
            free(copy);
        }
}

static void check_client(const world *w, client *c)
{
    static char want[TEXT_BYTES];
    long long connected;
    int from;

    read_stream(c);
    if (strncmp(c->got, "connected ", 10) != 0)
        fail_msg("schedule: not connected: %s", c->got);
    connected = strtoll(c->got + 10, NULL, 10);
    from = (int)(connected - w->base);
    want[0] = '\0';
    say(want, "connected %lld;", connected);
    if (c->resume != 0)
        expect_changes(w, c, (int)(c->resume - w->base), want);
    else if (!c->skip)
        expect_existing(w, c, from, want);
    if (c->resume == 0)
        expect_changes(w, c, from, want);
    if (strcmp(want, c->got) != 0)
        fail_msg("wanted %s\n   got %s", want, c->got);
}

/* ---- the writer, step by step ---- */

static void fetch(world *w, cov_db *db, cov_live_shard *shard, cov_arena *arena,
                  cov_passage *passage, const char *method, const char *target, const char *body,
                  cov_response *res)
{
    cov_worker worker = { .host = cov_native_host(),
                          .db = db,
                          .arena = arena,
                          .loop_client = shard,
                          .streams = shard != NULL };
    cov_str whole = cov_str_from(target);
    size_t mark = cov_str_find(whole, '?', 0);
    cov_request req = { .method_name = cov_str_from(method),
                        .path = cov_str_slice(whole, 0, mark),
                        .query = cov_str_slice(whole, mark + 1, whole.len),
                        .body = cov_str_from(body) };

    req.method = cov_method_of(req.method_name);
    memset(res, 0, sizeof *res);
    if (passage == NULL)
        cov_app_fetch(w->app, &worker, &req, res);
    else if (cov_app_admit(w->app, &worker, &req, passage, res))
        cov_app_answer(w->app, &worker, &req, passage, res);
}

static void write_one(world *w)
{
    int id = (int)roll(w, N_IDS);
    op *o = &w->pending[w->n_jobs];
    cov_response res;
    char target[32];
    char body[64];

    *o = (op){ id, w->open_rows[id], { true, (int)roll(w, 5) } };
    if (o->before.there && roll(w, 3) == 0)
        o->after.there = false;
    (void)snprintf(target, sizeof target, o->before.there ? "/api/rows/%d" : "/api/rows", id);
    (void)snprintf(body, sizeof body, "{\"id\":%d,\"n\":%d}", id, o->after.n);
    cov_arena_reset(w->job_arenas[w->n_jobs]);
    memset(&w->jobs[w->n_jobs], 0, sizeof w->jobs[0]);
    fetch(w, w->writer, NULL, w->job_arenas[w->n_jobs], &w->jobs[w->n_jobs],
          !o->before.there ? "POST"
          : o->after.there ? "PATCH"
                           : "DELETE",
          target, body, &res);
    if (res.status >= 300)
        fail_msg("write: %d %.*s", res.status, COV_STR_ARG(cov_buf_view(&res.body)));
    cov_buf_dispose(&res.body);
    w->open_rows[id] = o->after;
    w->n_jobs++;
}

static void must(cov_status st, const cov_error *err)
{
    if (st != COV_OK)
        fail_msg("%.*s", COV_STR_ARG(cov_error_detail(err)));
}

static void write_rows(world *w)
{
    int n = 1 + (int)roll(w, MAX_JOBS);
    cov_error err;

    cov_error_init(&err, NULL);
    must(cov_db_begin(w->writer, true, &err), &err);
    rows_at(w, w->n_ops, w->open_rows);
    for (w->n_jobs = 0; w->n_jobs < n;)
        write_one(w);
    w->state = WRITTEN;
}

static void commit(world *w)
{
    cov_error err;

    cov_error_init(&err, NULL);
    must(cov_db_commit(w->writer, &err), &err);
    for (int i = 0; i < w->n_jobs; i++)
        w->ops[w->n_ops++] = w->pending[i];
    w->state = COMMITTED;
}

static void finish(world *w, int i)
{
    cov_worker worker = { .host = cov_native_host(), .arena = w->job_arenas[i] };
    cov_response res = { .status = 200 };

    cov_app_finish(w->app, &worker, NULL, &w->jobs[i], &res);
}

static void writer_step(world *w)
{
    switch (w->state) {
    case IDLE:
        if (w->n_ops + MAX_JOBS < MAX_OPS)
            write_rows(w);
        return;
    case WRITTEN:
        if (roll(w, 6) == 0) {
            cov_db_rollback(w->writer);
            w->state = IDLE;
            return;
        }
        cov_app_committing(w->app);
        w->state = COMMITTING;
        return;
    case COMMITTING:
        commit(w);
        return;
    case COMMITTED:
        for (int i = 0; i < w->n_jobs; i++)
            finish(w, i);
        w->state = PUBLISHED;
        return;
    case PUBLISHED:
        cov_app_committed(w->app);
        w->state = IDLE;
        return;
    }
}

/* ---- connections that let the writer in between ---- */

typedef struct spy_db {
    cov_db base;
    cov_db *real;
    world *w;
} spy_db;

static void interrupt(spy_db *spy)
{
    world *w = spy->w;

    if (w->nested)
        return;
    w->nested = true;
    while (roll(w, 3) == 0)
        writer_step(w);
    w->nested = false;
}

static cov_status spy_query(cov_db *db, const cov_stmt *stmt, cov_row_sink *sink, int64_t *changes,
                            cov_error *err)
{
    spy_db *spy = (spy_db *)(void *)db;
    cov_status st;

    interrupt(spy);
    st = spy->real->driver->query(spy->real, stmt, sink, changes, err);
    interrupt(spy);
    return st;
}

static cov_status spy_begin(cov_db *db, bool write, cov_error *err)
{
    spy_db *spy = (spy_db *)(void *)db;

    interrupt(spy);
    return cov_db_begin(spy->real, write, err);
}

static cov_status spy_commit(cov_db *db, cov_error *err)
{
    return cov_db_commit(((spy_db *)(void *)db)->real, err);
}

static void spy_rollback(cov_db *db)
{
    cov_db_rollback(((spy_db *)(void *)db)->real);
}

static cov_db_driver spy_driver;

static cov_db *spy_new(world *w, cov_db *real)
{
    spy_db *spy = calloc(1, sizeof *spy);

    assert_non_null(spy);
    spy_driver = *real->driver;
    spy_driver.query = spy_query;
    spy_driver.begin = spy_begin;
    spy_driver.commit = spy_commit;
    spy_driver.rollback = spy_rollback;
    spy->base.driver = &spy_driver;
    spy->real = real;
    spy->w = w;
    return &spy->base;
}

/* ---- clients ---- */

static void client_call(world *w, client *c)
{
    static const char *const filters[] = { "", "&filter=n%3E%3D1", "&filter=n%3E%3D2" };
    cov_arena *arena = cov_arena_new(0);
    int at = (int)roll(w, N_SHARDS);
    cov_response res;
    char target[128];
    char resume[40] = "";

    if (c->resume != 0)
        (void)snprintf(resume, sizeof resume, "&resumeFrom=%lld", c->resume);
    (void)snprintf(target, sizeof target, "/api/rows/subscribe?skipExisting=%s%s%s",
                   c->skip ? "true" : "false",
                   c->least < 0 ? "&filter=n%3D%3D2" : filters[c->least], resume);
    c->shard = w->shards[at];
    c->got = calloc(1, TEXT_BYTES);
    assert_non_null(c->got);
    assert_non_null(arena);
    fetch(w, w->readers[at], c->shard, arena, NULL, "GET", target, NULL, &res);
    if (res.stream == NULL)
        fail_msg("subscribe: %d %.*s", res.status, COV_STR_ARG(cov_buf_view(&res.body)));
    c->stream = stream_of(res.stream);
    cov_buf_dispose(&res.body);
    cov_arena_free(arena);
}

static void client_come(world *w, long long resume, int least)
{
    client *c = &w->clients[w->n_clients];

    if (w->n_clients == MAX_CLIENTS)
        return;
    memset(c, 0, sizeof *c);
    c->resume = resume;
    c->least = resume != 0 ? least : (int)roll(w, 4) - 1;
    c->skip = resume == 0 && roll(w, 4) == 0;
    client_call(w, c);
    w->n_clients++;
}

static void client_free(client *c)
{
    stream_close(c->stream);
    free(c->got);
    memset(c, 0, sizeof *c);
}

/* A client that loses its connection knows what it had read, and comes again with it. */
static void client_resume(world *w)
{
    int at = w->n_clients != 0 ? (int)roll(w, (unsigned)w->n_clients) : 0;
    client *c = &w->clients[at];
    long long seq;
    int least;

    if (w->n_clients == 0 || !c->begun)
        return;
    read_stream(c);
    seq = c->seq;
    least = c->least;
    client_free(c);
    w->clients[at] = w->clients[--w->n_clients];
    if (seq != 0)
        client_come(w, seq, least);
}

static void client_begin(world *w)
{
    for (int i = 0; i < w->n_clients; i++)
        if (!w->clients[i].begun) {
            w->clients[i].begun = true;
            stream_begin(w->clients[i].stream);
            return;
        }
}

/* ---- schedules ---- */

static void step(world *w)
{
    switch (roll(w, 9)) {
    case 0:
    case 1:
    case 2:
    case 3:
        writer_step(w);
        return;
    case 4:
        client_come(w, 0, 0);
        return;
    case 5:
        client_begin(w);
        return;
    case 6:
    case 7:
        cov_live_run(w->shards[roll(w, N_SHARDS)]);
        return;
    default:
        client_resume(w);
    }
}

static long long latest_seq(world *w)
{
    client probe = { .skip = true };
    long long seq;

    client_call(w, &probe);
    stream_begin(probe.stream);
    read_stream(&probe);
    seq = probe.seq;
    client_free(&probe);
    return seq;
}

static void settle(world *w)
{
    while (w->state != IDLE)
        writer_step(w);
    w->nested = true;
    for (int i = 0; i < w->n_clients; i++)
        client_begin(w);
    for (int i = 0; i < N_SHARDS; i++)
        cov_live_run(w->shards[i]);
    w->nested = false;
}

static void run_schedule(world *w, unsigned number)
{
    cov_error err;

    cov_error_init(&err, NULL);
    must(cov_db_script(w->writer, COV_STR("DELETE FROM rows"), &err), &err);
    w->seed = number * 2654435761u + 1;
    w->n_ops = w->n_clients = 0;
    w->nested = true;
    w->base = latest_seq(w);
    w->nested = false;
    for (int i = 0; i < STEPS; i++)
        step(w);
    settle(w);
    for (int i = 0; i < w->n_clients; i++) {
        print_message("%s", "");
        check_client(w, &w->clients[i]);
    }
    while (w->n_clients != 0)
        client_free(&w->clients[--w->n_clients]);
}

/* ---- the world ---- */

static void no_wake(void *self)
{
    (void)self; /* schedules run shards whenever they like */
}

static cov_db *open_db(world *w, const char *path)
{
    cov_db_config config = { .url = cov_arena_printf(w->arena, "sqlite:%s", path),
                             .relaxed_sync = true };
    cov_db *db = NULL;
    cov_error err;

    cov_error_init(&err, NULL);
    must(cov_db_open(&cov_sqlite_driver, cov_native_host(), &config, &db, &err), &err);
    return db;
}

static void open_world(world *w, const char *path, const char *config_text)
{
    const cov_kv_config kv_config = { .url = COV_STR("") };
    const cov_config *config = NULL;
    cov_schema *schema = NULL;
    cov_error err;

    memset(w, 0, sizeof *w);
    cov_native_log_level(COV_LOG_ERROR + 1);
    w->arena = cov_arena_new(0);
    assert_non_null(w->arena);
    cov_error_init(&err, w->arena);
    w->writer = open_db(w, path);
    must(cov_db_script(w->writer, COV_STR("CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER)"),
                       &err),
         &err);
    must(cov_config_parse(w->arena, cov_native_host(), COV_STR("test"), cov_str_from(config_text),
                          &config, &err),
         &err);
    must(cov_schema_read_sqlite(w->arena, w->writer, config->naming, &schema, &err), &err);
    must(cov_kv_open(&cov_memory_kv_driver, cov_native_host(), &kv_config, &w->kv, &err), &err);
    must(cov__app_build(cov_native_host(), config, schema, w->kv, NULL, &w->app, &err), &err);
    w->live = w->app->live;
    must(cov_live_prepare(w->live, w->writer, &err), &err);
    for (int i = 0; i < MAX_JOBS; i++) {
        w->job_arenas[i] = cov_arena_new(0);
        assert_non_null(w->job_arenas[i]);
    }
    for (int i = 0; i < N_SHARDS; i++) {
        w->readers[i] = spy_new(w, open_db(w, path));
        w->shards[i] = cov_live_shard_new(w->live, w->readers[i], no_wake, w);
        assert_non_null(w->shards[i]);
    }
}

static void close_world(world *w)
{
    for (int i = 0; i < N_SHARDS; i++) {
        assert_int_equal(cov_live_count(w->shards[i]), 0);
        cov_live_shard_free(w->shards[i]);
        cov_db_close(((spy_db *)(void *)w->readers[i])->real);
        free(w->readers[i]);
    }
    for (int i = 0; i < MAX_JOBS; i++)
        cov_arena_free(w->job_arenas[i]);
    cov_app_free(w->app);
    cov_kv_close(w->kv);
    cov_db_close(w->writer);
    cov_arena_free(w->arena);
}

static void run_all(const char *config)
{
    char folder[] = "/tmp/covara-cut-XXXXXX";
    char path[64];
    world *w = malloc(sizeof *w);

    assert_non_null(w);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/t.db", folder);
    open_world(w, path, config);
    for (unsigned i = 0; i < SCHEDULES; i++)
        run_schedule(w, i);
    close_world(w);
    free(w);
    for (size_t i = 0; i < 3; i++) {
        static const char *const ends[] = { "", "-wal", "-shm" };
        char name[80];

        (void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    assert_int_equal(rmdir(folder), 0);
}

#define RESOURCES                                                                              \
    "\"resources\":{\"rows\":{\"auth\":{\"public\":{\"read\":true,\"create\":true,"            \
    "\"update\":true,\"delete\":true,\"subscribe\":true}},\"sse\":{\"maxSubscriptionsPerIP\":" \
    "1000}}}"

static void nothing_lost_and_nothing_doubled_in_memory(void **state)
{
    (void)state;
    run_all("{" RESOURCES "}");
}

static void nothing_lost_and_nothing_doubled_in_the_database(void **state)
{
    (void)state;
    run_all("{\"changelog\":\"database\"," RESOURCES "}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lost_and_nothing_doubled_in_memory),
        cmocka_unit_test(nothing_lost_and_nothing_doubled_in_the_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
