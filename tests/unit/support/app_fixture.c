/* SPDX-License-Identifier: MIT */
#include "app_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/build.h"
#include "driver/db/sqlite/sqlite.h"
#include "driver/kv/memory/memory.h"
#include "resource/internal.h"

enum { MAX_HEADERS = 16, REQUEST_BYTES = 16 * 1024 * 1024 };

static void must(cov_status st, const cov_error *err)
{
    if (st != COV_OK)
        fail_msg("%s: %.*s", cov_status_name(st), COV_STR_ARG(cov_error_detail(err)));
}

static void start_app(app_fixture *f, cov_error *err)
{
    cov_worker worker = { .host = cov_native_host(), .db = f->db, .arena = f->request };

    must(cov_app_start(f->app, &worker, err), err);
}

static bool store_lasts;

void app_fixture_store_lasts(bool lasts)
{
    store_lasts = lasts;
}

/* The memory engine, which cannot last, but may say so. */
static const cov_kv_driver *kv_driver(void)
{
    static cov_kv_driver lasting;

    lasting = cov_memory_kv_driver;
    lasting.caps |= COV_KV_CAP_DURABLE;
    return store_lasts ? &lasting : &cov_memory_kv_driver;
}

void app_fixture_open(app_fixture *f, const char *sql, const char *config_text)
{
    app_fixture_build(f, sql, config_text, NULL);
}

void app_fixture_build(app_fixture *f, const char *sql, const char *config_text, cov_build_fn build)
{
    const cov_host *host = cov_native_host();
    const cov_config *config = NULL;
    cov_db_config db = { .url = COV_STR("sqlite::memory:") };
    cov_schema *schema = NULL;
    cov_error err;

    memset(f, 0, sizeof *f);
    cov_native_log_level(COV_LOG_ERROR + 1);
    f->arena = cov_arena_new(0);
    f->request = cov_arena_new(REQUEST_BYTES);
    assert_non_null(f->arena);
    assert_non_null(f->request);
    cov_error_init(&err, f->arena);
    must(cov_db_open(&cov_sqlite_driver, host, &db, &f->db, &err), &err);
    must(cov_db_script(f->db, cov_str_from(sql), &err), &err);
    must(cov_config_parse(f->arena, host, COV_STR("covara.jsonc"), cov_str_from(config_text),
                          &config, &err),
         &err);
    must(cov_schema_read_sqlite(f->arena, f->db, config->naming, &schema, &err), &err);
    must(cov_kv_open(kv_driver(), host, &(cov_kv_config){ .url = COV_STR("") }, &f->kv, &err),
         &err);
    must(cov__app_build(host, config, schema, f->kv, build, &f->app, &err), &err);
    start_app(f, &err);
}

void app_fixture_close(app_fixture *f)
{
    cov_buf_dispose(&f->res.body);
    cov_app_free(f->app);
    cov_kv_close(f->kv);
    cov_db_close(f->db);
    cov_arena_free(f->request);
    cov_arena_free(f->arena);
}

static void start(app_fixture *f)
{
    cov_arena_reset(f->request);
    f->res.n_headers = 0;
    f->res.status = 0;
    f->res.stream = NULL;
    cov_buf_clear(&f->res.body, 0);
}

static size_t read_headers(cov_str text, cov_header *out)
{
    size_t n = 0;
    cov_str line;

    while (text.len != 0 && n < MAX_HEADERS && cov_str_split(&text, '\n', &line)) {
        size_t colon = cov_str_find(line, ':', 0);

        if (colon == line.len)
            continue;
        out[n].name = cov_str_slice(line, 0, colon);
        out[n++].value = cov_str_trim(cov_str_slice(line, colon + 1, line.len));
    }
    return n;
}

static cov_request request_of(const char *method, const char *target, const char *body)
{
    cov_str whole = cov_str_from(target);
    size_t mark = cov_str_find(whole, '?', 0);
    cov_request req = { .method_name = cov_str_from(method),
                        .path = cov_str_slice(whole, 0, mark),
                        .query = cov_str_slice(whole, mark + 1, whole.len),
                        .body = cov_str_from(body) };

    req.method = cov_method_of(req.method_name);
    return req;
}

int app_call(app_fixture *f, const char *method, const char *target, const char *headers,
             const char *body)
{
    cov_worker worker = { .host = cov_native_host(),
                          .db = f->db,
                          .arena = f->request,
                          .loop_client = f->shard,
                          .streams = f->shard != NULL };
    cov_request req = request_of(method, target, body);
    cov_header list[MAX_HEADERS];

    start(f);
    req.headers = list;
    req.n_headers = read_headers(cov_str_from(headers), list);
    cov_app_fetch(f->app, &worker, &req, &f->res);
    assert_int_equal(f->db->depth, 0);
    return f->res.status;
}

static bool user_value(const void *self, cov_str path, cov_value *value)
{
    const app_user *user = self;

    if (!cov_str_eq(path, COV_STR("user.id")))
        return false;
    *value = cov_value_text(cov_str_from(user->id));
    return true;
}

static bool user_list(const void *self, cov_str path, cov_arena *arena, const cov_value **values,
                      size_t *n)
{
    const app_user *user = self;
    cov_value *items = COV_NEW_ARRAY(arena, cov_value, user->n_teams + 1);

    if (!cov_str_eq(path, COV_STR("user.metadata.teams")) || items == NULL)
        return false;
    for (size_t i = 0; i < user->n_teams; i++)
        items[i] = cov_value_int(user->teams[i]);
    *values = items;
    *n = user->n_teams;
    return true;
}

/* A user with teams, for as long as a stream lasts. */
typedef struct member {
    cov_principal principal; /* first */
    app_user user;
    int64_t teams[8];
    char id[32];
    size_t refs;
} member;

static void retain_member(cov_principal *principal)
{
    ((member *)(void *)principal)->refs++;
}

static void release_member(cov_principal *principal)
{
    if (--((member *)(void *)principal)->refs == 0)
        free(principal);
}

static cov_principal *member_of(const app_user *user)
{
    member *m = calloc(1, sizeof *m);

    assert_non_null(m);
    assert_in_range(user->n_teams, 1, COV_COUNT_OF(m->teams));
    snprintf(m->id, sizeof m->id, "%s", user->id);
    memcpy(m->teams, user->teams, user->n_teams * sizeof *m->teams);
    m->user = (app_user){ m->id, m->teams, user->n_teams };
    m->refs = 1;
    m->principal.vars = (cov_rsql_vars){ user_value, &m->user, user_list };
    m->principal.id = cov_str_from(m->id);
    m->principal.retain = retain_member;
    m->principal.release = release_member;
    return &m->principal;
}

int app_call_as(app_fixture *f, const char *user_id, const char *method, const char *target,
                const char *body)
{
    app_user user = { .id = user_id };

    return app_call_user(f, user_id != NULL ? &user : NULL, method, target, body);
}

int app_call_user(app_fixture *f, const app_user *as, const char *method, const char *target,
                  const char *body)
{
    cov_rsql_vars user = { user_value, as, user_list };
    cov_request req = request_of(method, target, body);
    cov_route route = cov__route_find(f->app, &req);
    cov_mutations mutations = { NULL, NULL };
    cov_error err;
    cov_ctx ctx = { .host = cov_native_host(),
                    .db = f->db,
                    .arena = f->request,
                    .req = &req,
                    .res = &f->res,
                    .err = &err,
                    .mutations = &mutations,
                    .feed = cov_live_feed(f->app->live),
                    .shard = f->shard };

    start(f);
    cov_error_init(&err, f->request);
    ctx.user = as != NULL ? &user : NULL;
    if (as != NULL && as->n_teams != 0)
        ctx.principal = member_of(as);
    assert_int_equal(route.kind, COV_ROUTE_RESOURCE);
    cov_params_read(&ctx);
    if (route.target.handler(route.resource, &ctx, route.target.id) != COV_OK)
        cov__problem(f->app, &req, &err, &f->res);
    else
        cov_live_publish(f->app->live, f->request, &mutations);
    if (ctx.principal != NULL)
        release_member(ctx.principal);
    assert_int_equal(f->db->depth, 0);
    return f->res.status;
}

const char *app_body(app_fixture *f)
{
    cov_buf_char(&f->res.body, '\0');
    f->res.body.len--;
    return f->res.body.ptr;
}

const char *app_header(app_fixture *f, const char *name)
{
    const cov_header *header = cov_response_find(&f->res, cov_str_from(name));

    return header != NULL ? cov_arena_str(f->request, header->value).ptr : NULL;
}

typedef struct text_sink {
    cov_row_sink sink;
    cov_buf *out;
} text_sink;

static cov_status write_row(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    cov_buf *out = ((text_sink *)base)->out;

    (void)err;
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            cov_buf_char(out, '|');
        cov__plain_text(out, &values[i]);
    }
    cov_buf_char(out, '\n');
    return COV_OK;
}

void app_query(app_fixture *f, const char *sql, cov_buf *out)
{
    text_sink sink = { { write_row }, out };
    cov_stmt stmt = { cov_str_from(sql), NULL, 0 };
    cov_error err;

    cov_error_init(&err, NULL);
    must(cov_db_query(f->db, &stmt, &sink.sink, &err), &err);
    assert_false(out->failed);
}

void app_sql(app_fixture *f, const char *sql)
{
    cov_error err;

    cov_error_init(&err, f->arena);
    must(cov_db_script(f->db, cov_str_from(sql), &err), &err);
}
