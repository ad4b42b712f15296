/* SPDX-License-Identifier: MIT */
/*
 * What a client may say to subscribe, and to resume: query string, Last-Event-ID, and the body of a control request, one
 * a line. Whatever it is, the answer is a stream or a refusal, the stream gets frames in the form of server-sent events,
 * and afterwards nothing is left.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/build.h"
#include "app/internal.h"
#include "covara/stream.h"
#include "driver/db/sqlite/sqlite.h"
#include "driver/kv/memory/memory.h"
#include "host/native/native.h"
#include "live/live.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const cov_str config_text = COV_STR_INIT(
    "{\"resources\":{\"todos\":{\"auth\":{\"public\":{\"read\":true,\"create\":true,\"update\":true,"
    "\"delete\":true,\"subscribe\":true}},\"relations\":{\"parent\":{\"type\":\"belongsTo\","
    "\"resource\":\"todos\",\"foreignKey\":\"up\"}}}}}");

static cov_app *app;
static cov_db *db;
static cov_live_shard *shard;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void wake(void *self)
{
    (void)self;
}

static void set_up(void)
{
    cov_arena *arena = cov_arena_new(0); /* lives as long as the process */
    cov_db_config where = { .url = COV_STR("sqlite::memory:") };
    const cov_config *config = NULL;
    cov_schema *schema = NULL;
    cov_kv *kv = NULL;
    cov_error err;

    require(arena != NULL);
    cov_native_log_level(COV_LOG_ERROR + 1);
    cov_error_init(&err, arena);
    require(cov_db_open(&cov_sqlite_driver, cov_native_host(), &where, &db, &err) == COV_OK);
    require(cov_db_script(db,
                          COV_STR("CREATE TABLE todos (id INTEGER PRIMARY KEY, title TEXT, up INT);"
                                  "INSERT INTO todos VALUES (1, 'a', NULL), (2, 'b', 1)"),
                          &err) == COV_OK);
    require(cov_config_parse(arena, cov_native_host(), COV_STR("fuzz"), config_text, &config,
                             &err) == COV_OK);
    require(cov_schema_read_sqlite(arena, db, config->naming, &schema, &err) == COV_OK);
    require(cov_kv_open(&cov_memory_kv_driver, cov_native_host(),
                        &(cov_kv_config){ .url = COV_STR("") }, &kv, &err) == COV_OK);
    require(cov__app_build(cov_native_host(), config, schema, kv, NULL, &app, &err) == COV_OK);
    shard = cov_live_shard_new(app->live, db, wake, NULL);
    require(shard != NULL);
}

/* ---- a stream that checks what it is given ---- */

typedef struct checked_stream {
    cov_stream base; /* first */
    char last[2];
    bool ended;
} checked_stream;

static bool take(cov_stream *base, cov_payload *const *payloads, size_t n)
{
    checked_stream *stream = (checked_stream *)(void *)base;

    require(n >= 1 && n <= COV_STREAM_MAX_PIECES);
    for (size_t i = 0; i < n; i++) {
        const char *bytes = cov_payload_bytes(payloads[i]);
        size_t len = cov_payload_len(payloads[i]);

        for (size_t at = 0; at < len; at++) {
            require(bytes[at] != '\r');
            stream->last[0] = stream->last[1];
            stream->last[1] = bytes[at];
        }
    }
    require(stream->last[0] == '\n' && stream->last[1] == '\n');
    return !stream->ended;
}

static size_t queued(const cov_stream *base)
{
    (void)base;
    return 0;
}

static void end(cov_stream *base)
{
    ((checked_stream *)(void *)base)->ended = true;
}

static const cov_stream_ops ops = { take, queued, end };

/* ---- requests ---- */

static void fetch(cov_arena *arena, const cov_request *req, cov_response *res)
{
    cov_worker worker = {
        .host = cov_native_host(), .db = db, .arena = arena, .loop_client = shard, .streams = true
    };

    memset(res, 0, sizeof *res);
    cov_app_fetch(app, &worker, req, res);
    require(res->status >= 200 && res->status < 600 && db->depth == 0);
}

static void change_a_row(cov_arena *arena)
{
    cov_request req = { .method = COV_PATCH,
                        .method_name = COV_STR("PATCH"),
                        .path = COV_STR("/api/todos/1"),
                        .body = COV_STR("{\"title\":\"c\"}") };
    cov_response res;

    fetch(arena, &req, &res);
    require(res.status == 200);
    cov_buf_dispose(&res.body);
    cov_live_run(shard);
}

static void subscribe(cov_arena *arena, cov_str path, cov_str query, cov_str last_event_id)
{
    cov_header header = { COV_STR("Last-Event-ID"), last_event_id };
    cov_request req = { .method = COV_GET,
                        .method_name = COV_STR("GET"),
                        .path = path,
                        .query = query,
                        .headers = &header,
                        .n_headers = 1 };
    checked_stream stream = { { &ops }, { 0 }, false };
    cov_response res;

    fetch(arena, &req, &res);
    require((res.status == 200) == (res.stream != NULL));
    cov_buf_dispose(&res.body);
    if (res.stream == NULL)
        return;
    res.stream->opened(res.stream, &stream.base);
    change_a_row(arena);
    cov_live_tick(shard, INT64_MAX / 4);
    res.stream->closed(res.stream);
}

static void control(cov_arena *arena, cov_str body)
{
    cov_request open = { .method = COV_GET,
                         .method_name = COV_STR("GET"),
                         .path = COV_STR("/__covara/stream") };
    cov_request post = { .method = COV_POST, .method_name = COV_STR("POST"), .body = body };
    checked_stream stream = { { &ops }, { 0 }, false };
    cov_stream_source *source;
    cov_response res;
    char path[96];

    fetch(arena, &open, &res);
    source = res.stream;
    require(source != NULL && res.body.len > 27 + 36);
    (void)snprintf(path, sizeof path, "/__covara/stream/%.36s/subscribe", res.body.ptr + 27);
    cov_buf_dispose(&res.body);
    source->opened(source, &stream.base);
    post.path = cov_str_from(path);
    fetch(arena, &post, &res);
    cov_buf_dispose(&res.body);
    cov_live_run(shard);
    change_a_row(arena);
    source->closed(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_str rest = cov_str_of((const char *)data, size);
    cov_str query = COV_STR("");
    cov_str id = COV_STR("");
    cov_arena *arena = cov_arena_new(0);

    require(arena != NULL);
    if (app == NULL)
        set_up();
    if (rest.len != 0)
        (void)cov_str_split(&rest, '\n', &query);
    if (rest.len != 0)
        (void)cov_str_split(&rest, '\n', &id);
    subscribe(arena, COV_STR("/api/todos/subscribe"), query, id);
    subscribe(arena, COV_STR("/api/todos/aggregate/subscribe"), query, id);
    control(arena, rest.ptr != NULL ? rest : COV_STR(""));
    require(cov_live_count(shard) == 0);
    cov_arena_free(arena);
    return 0;
}
