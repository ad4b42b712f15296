/* SPDX-License-Identifier: MIT */
#include "auth_fixture.h"

#include <stdio.h>

#include "app/build.h"
#include "driver/db/sqlite/sqlite.h"
#include "driver/kv/memory/memory.h"
#include "host/native/native.h"
#include "resource/row.h"

static const char tables[] =
    "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL UNIQUE, "
    "password_hash TEXT, name TEXT, metadata TEXT);";

static void must(cov_status st, const cov_error *err)
{
    if (st != COV_OK)
        fail_msg("%s: %.*s", cov_status_name(st), COV_STR_ARG(cov_error_detail(err)));
}

/* ---- making ---- */

static cov_status count_scrypt(void *self, cov_str password, cov_str salt, cov_scrypt_cost cost,
                               uint8_t *out, size_t len)
{
    const cov_host *native = cov_native_host();

    ((auth_fixture *)self)->n_scrypts++;
    return native->scrypt(native->self, password, salt, cost, out, len);
}

static void build(auth_fixture *f, const char *options)
{
    cov_worker worker = { .host = &f->fake.host, .db = f->db, .arena = f->request };
    cov_str text = cov_arena_printf(
        f->arena,
        "{\"resources\":{},\"auth\":{\"users\":{\"table\":\"people\",\"passwordHash\":"
        "\"password_hash\",\"name\":\"name\",\"metadata\":\"metadata\"},\"login\":true,"
        "\"signup\":true,\"scrypt\":{\"N\":1024}%s%s}}",
        strstr(options, "apiKeys") == NULL ? ",\"apiKeys\":{\"prefix\":\"my_app\"}" : "", options);
    const cov_config *config = NULL;
    cov_schema *schema = NULL;
    cov_config *own = COV_NEW(f->arena, cov_config);
    cov_error *err = &f->err;

    must(cov_config_parse(f->arena, &f->fake.host, COV_STR("covara.jsonc"), text, &config, err),
         err);
    *own = *config;
    if (own->auth.session.store == COV_KEEP_AUTO)
        own->auth.session.store = f->in_database ? COV_KEEP_DATABASE : COV_KEEP_KV;
    must(cov_schema_read_sqlite(f->arena, f->db, config->naming, &schema, err), err);
    must(cov__app_build(&f->fake.host, own, schema, f->kv, NULL, &f->app, err), err);
    must(cov_app_start(f->app, &worker, err), err);
    f->auth = f->app->auth;
}

void auth_open(auth_fixture *f, bool in_database, const char *options)
{
    cov_db_config db = { .url = COV_STR("sqlite::memory:") };
    cov_kv_config kv = { .url = COV_STR("") };

    memset(f, 0, sizeof *f);
    fake_host_init(&f->fake);
    f->fake.host.scrypt = count_scrypt; /* `fake` is first, so its self is the fixture too */
    f->in_database = in_database;
    f->address = "192.0.2.1";
    f->arena = cov_arena_new(0);
    f->request = cov_arena_new(0);
    assert_non_null(f->arena);
    assert_non_null(f->request);
    cov_error_init(&f->err, f->arena);
    f->kv_driver = cov_memory_kv_driver;
    f->kv_driver.caps |= COV_KV_CAP_DURABLE;
    must(cov_kv_open(&f->kv_driver, &f->fake.host, &kv, &f->kv, &f->err), &f->err);
    must(cov_db_open(&cov_sqlite_driver, &f->fake.host, &db, &f->db, &f->err), &f->err);
    must(cov_db_script(f->db, cov_str_from(tables), &f->err), &f->err);
    build(f, options);
}

void auth_close(auth_fixture *f)
{
    cov_buf_dispose(&f->res.body);
    cov_app_free(f->app);
    cov_kv_close(f->kv);
    cov_db_close(f->db);
    cov_arena_free(f->request);
    cov_arena_free(f->arena);
    fake_host_dispose(&f->fake);
}

static int set_up(void **state, bool in_database)
{
    auth_fixture *f = malloc(sizeof *f);

    assert_non_null(f);
    auth_open(f, in_database, "");
    *state = f;
    return 0;
}

int auth_setup_kv(void **state)
{
    return set_up(state, false);
}

int auth_setup_database(void **state)
{
    return set_up(state, true);
}

int auth_teardown(void **state)
{
    auth_close(*state);
    free(*state);
    return 0;
}

/* ---- calls ---- */

static void read_headers(auth_fixture *f, cov_str text)
{
    cov_str line;

    f->req.headers = f->headers;
    f->req.n_headers = 0;
    while (text.len != 0 && cov_str_split(&text, '\n', &line)) {
        size_t colon = cov_str_find(line, ':', 0);

        assert_true(f->req.n_headers < COV_COUNT_OF(f->headers));
        f->headers[f->req.n_headers++] =
            (cov_header){ cov_str_slice(line, 0, colon),
                          cov_str_trim(cov_str_slice(line, colon + 1, line.len)) };
    }
}

static void begin(auth_fixture *f, const char *method, const char *path, const char *headers,
                  const char *body)
{
    cov_arena_reset(f->request);
    cov_error_init(&f->err, f->request);
    cov_buf_clear(&f->res.body, 0);
    f->res.n_headers = 0;
    f->res.status = 0;
    f->req = (cov_request){ .method_name = cov_str_from(method),
                            .path = cov_arena_printf(f->request, "/api/auth%s", path),
                            .body = cov_str_from(body) };
    f->req.method = cov_method_of(f->req.method_name);
    read_headers(f, cov_str_from(headers));
    f->ctx = (cov_ctx){ .host = &f->fake.host,
                        .db = f->db,
                        .arena = f->request,
                        .req = &f->req,
                        .res = &f->res,
                        .err = &f->err,
                        .client_address = cov_str_from(f->address) };
}

int auth_call(auth_fixture *f, const char *method, const char *path, const char *headers,
              const char *body)
{
    cov_auth_route route;
    bool failed = false;
    cov_status st;

    begin(f, method, path, headers, body);
    route = cov_auth_find(f->auth, f->req.method, f->req.path);
    if (route.action == NULL)
        return 404;
    st = cov_auth_run(f->auth, &route, &f->ctx, &failed);
    assert_int_equal(f->db->depth, 0);
    if (st == COV_OK)
        return f->res.status;
    cov_buf_clear(&f->res.body, 0);
    cov_buf_str(&f->res.body, cov_error_detail(&f->err));
    cov_buf_str(&f->res.body, f->err.members);
    return cov_status_http(st);
}

const char *auth_body(auth_fixture *f)
{
    cov_buf_char(&f->res.body, '\0');
    f->res.body.len--;
    return f->res.body.ptr;
}

const char *auth_member(auth_fixture *f, const char *name)
{
    yyjson_val *body = NULL;
    cov_str text;

    assert_int_equal(cov_json_read(f->request, cov_buf_view(&f->res.body), &body, &f->err), COV_OK);
    text = cov_json_text(cov_json_get(body, name));
    return text.ptr != NULL ? cov_arena_str(f->arena, text).ptr : "";
}

const cov_user *auth_who(auth_fixture *f, const char *headers)
{
    const cov_user *user = NULL;

    begin(f, "GET", "/x", headers, NULL);
    must(cov_auth_identify(f->auth, &f->ctx, &user), &f->err);
    assert_int_equal(f->res.status, 0);
    return user;
}

bool auth_slow(auth_fixture *f, const char *headers)
{
    begin(f, "GET", "/x", headers, NULL);
    return cov_auth_is_slow(f->auth, &f->req);
}

const char *auth_cookies(auth_fixture *f)
{
    cov_buf out = COV_BUF_IN(f->arena);

    COV_BUF_LIT(&out, "Cookie: ");
    for (size_t i = 0; i < f->res.n_headers; i++) {
        cov_str value = f->res.headers[i].value;

        if (!cov_str_eq_nocase(f->res.headers[i].name, COV_STR("Set-Cookie")))
            continue;
        cov_buf_str(&out, cov_str_slice(value, 0, cov_str_find(value, ';', 0)));
        COV_BUF_LIT(&out, "; ");
    }
    cov_buf_char(&out, '\0');
    assert_false(out.failed);
    return out.ptr;
}

const char *auth_sign_up(auth_fixture *f, const char *email)
{
    const char *body = auth_text(f, "{\"email\":\"%s\",\"password\":\"correct horse 1\"}", email);

    assert_status(f, auth_call(f, "POST", "/signup", "User-Agent: signup", body), 200);
    return auth_cookies(f);
}

const char *auth_sign_in(auth_fixture *f, const char *email, const char *agent)
{
    const char *body = auth_text(f, "{\"email\":\"%s\",\"password\":\"correct horse 1\"}", email);

    assert_status(f, auth_call(f, "POST", "/login", auth_text(f, "User-Agent: %s", agent), body),
                  200);
    return auth_cookies(f);
}

const char *auth_text(auth_fixture *f, const char *format, ...)
{
    char text[2048];
    va_list args;

    va_start(args, format);
    assert_in_range(vsnprintf(text, sizeof text, format, args), 0, sizeof text - 1);
    va_end(args);
    return cov_arena_str(f->arena, cov_str_from(text)).ptr;
}

/* ---- the stores ---- */

void auth_sql(auth_fixture *f, const char *sql)
{
    must(cov_db_script(f->db, cov_str_from(sql), &f->err), &f->err);
}

typedef struct text_sink {
    cov_row_sink sink;
    cov_buf out;
} text_sink;

static cov_status take_text(cov_row_sink *sink, const cov_value *values, size_t n_values,
                            cov_error *err)
{
    (void)err;
    assert_int_equal(n_values, 1);
    cov__plain_text(&((text_sink *)sink)->out, &values[0]);
    return COV_OK;
}

const char *auth_sql_text(auth_fixture *f, const char *sql)
{
    text_sink s = { { take_text }, COV_BUF_IN(f->arena) };
    cov_stmt stmt = { cov_str_from(sql), NULL, 0 };

    must(cov_db_query(f->db, &stmt, &s.sink, &f->err), &f->err);
    cov_buf_char(&s.out, '\0');
    return s.out.ptr;
}

const char *auth_kv_text(auth_fixture *f, const char *key)
{
    cov_str value = COV_STR_NULL;

    must(cov_kv_get(f->kv, f->arena, cov_str_from(key), &value, &f->err), &f->err);
    return value.ptr != NULL ? cov_arena_str(f->arena, value).ptr : NULL;
}

size_t auth_kv_set_size(auth_fixture *f, const char *key)
{
    cov_str name = cov_str_from(key);
    cov_kv_reply reply;

    must(cov_kv_call(f->kv, f->arena, COV_KV_SCARD, &name, 1, &reply, &f->err), &f->err);
    return (size_t)reply.i;
}
