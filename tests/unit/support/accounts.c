/* SPDX-License-Identifier: MIT */
#include "accounts.h"

#include <stdio.h>

#include "app/build.h"
#include "driver/db/sqlite/sqlite.h"
#include "driver/kv/memory/memory.h"

enum { MAX_COOKIES = 8 };

static const char tables[] =
    "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL UNIQUE COLLATE NOCASE, "
    "password_hash TEXT, name TEXT, verified_at TEXT);"
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT);";

#define LINK(page)                            \
    "\"url\":\"https://app.example.com/" page \
    "?token={token}&email={identifier}&until={expiresAt}\""
static const char *const auth_options[][2] = {
    { "users", "{\"table\":\"people\",\"passwordHash\":\"password_hash\",\"name\":\"name\","
               "\"emailVerified\":\"verified_at\"}" },
    { "login", "true" },
    { "signup", "true" },
    { "scrypt", "{\"N\":1024}" },
    { "passwordPolicy", "{\"minLength\":10,\"requireNumber\":true}" },
    { "verification", "{" LINK("verify") "}" },
    { "passwordReset", "{" LINK("reset") "}" },
    { "magicLink", "{" LINK("login") ",\"subject\":\"Sign in as {identifier}\"}" },
    { "mfa", "{\"issuer\":\"My App\",\"backupCodes\":2}" },
    { "throttle", "true" },
};

static cov_str config_text(accounts *f, bool in_database, const char *option, const char *value)
{
    cov_buf text = COV_BUF_IN(f->arena);

    cov_buf_printf(&text,
                   "{\"resources\":{\"notes\":{\"auth\":{\"scope\":\"owner=={user.name}\"},\"sse\":"
                   "{\"scopeRecheckMs\":1000}}},\"mail\":{\"type\":\"http\",\"url\":"
                   "\"https://mail.example.com/send\",\"from\":\"App <no-reply@example.com>\"},"
                   "\"auth\":{\"session\":{\"store\":\"%s\"}",
                   in_database ? "database" : "kv");
    for (size_t i = 0; i < COV_COUNT_OF(auth_options); i++) {
        bool other = option != NULL && strcmp(auth_options[i][0], option) == 0;

        cov_buf_printf(&text, ",\"%s\":%s", auth_options[i][0], other ? value : auth_options[i][1]);
    }
    COV_BUF_LIT(&text, "}}");
    assert_false(text.failed);
    return cov_buf_view(&text);
}

static void must(cov_status st, const cov_error *err)
{
    if (st != COV_OK)
        fail_msg("%s: %.*s", cov_status_name(st), COV_STR_ARG(cov_error_detail(err)));
}

/* ---- making ---- */

static cov_status take_mail(void *self, const cov_http_call *call, cov_arena *arena,
                            cov_http_reply *out, cov_error *err)
{
    accounts *f = self;

    (void)arena;
    if (f->mail_fails)
        return cov_fail(err, COV_EBUSY, "mail.example.com cannot be reached");
    assert_true(call->body.len < sizeof f->mail);
    memcpy(f->mail, call->body.ptr, call->body.len);
    f->mail[call->body.len] = '\0';
    f->n_mails++;
    *out = (cov_http_reply){ .status = 200, .body = COV_STR("{\"id\":\"1\"}") };
    return COV_OK;
}

static void build(accounts *f, cov_str text, cov_error *err)
{
    const cov_config *config = NULL;
    cov_schema *schema = NULL;
    cov_worker worker = { .host = &f->fake.host, .db = f->db, .arena = f->request };

    must(cov_config_parse(f->arena, &f->fake.host, COV_STR("covara.jsonc"), text, &config, err),
         err);
    must(cov_schema_read_sqlite(f->arena, f->db, config->naming, &schema, err), err);
    must(cov__app_build(&f->fake.host, config, schema, f->kv, NULL, &f->app, err), err);
    must(cov_app_start(f->app, &worker, err), err);
}

void accounts_open(accounts *f, bool in_database, const char *option, const char *value)
{
    cov_db_config db = { .url = COV_STR("sqlite::memory:") };
    cov_kv_config kv = { .url = COV_STR("") };
    cov_error err;

    memset(f, 0, sizeof *f);
    fake_host_init(&f->fake);
    f->fake.http = take_mail;
    f->fake.http_self = f;
    f->in_database = in_database;
    f->address = "9.9.9.9";
    f->arena = cov_arena_new(0);
    f->request = cov_arena_new(0);
    assert_non_null(f->arena);
    assert_non_null(f->request);
    cov_error_init(&err, f->arena);
    f->kv_driver = cov_memory_kv_driver;
    f->kv_driver.caps |= COV_KV_CAP_DURABLE;
    must(cov_kv_open(&f->kv_driver, &f->fake.host, &kv, &f->kv, &err), &err);
    must(cov_db_open(&cov_sqlite_driver, &f->fake.host, &db, &f->db, &err), &err);
    must(cov_db_script(f->db, cov_str_from(tables), &err), &err);
    build(f, config_text(f, in_database, option, value), &err);
}

void accounts_close(accounts *f)
{
    cov_buf_dispose(&f->res.body);
    cov_app_free(f->app);
    cov_kv_close(f->kv);
    cov_db_close(f->db);
    cov_arena_free(f->request);
    cov_arena_free(f->arena);
    fake_host_dispose(&f->fake);
}

static int setup(void **state, bool in_database)
{
    accounts *f = malloc(sizeof *f);

    assert_non_null(f);
    accounts_open(f, in_database, NULL, NULL);
    *state = f;
    return 0;
}

int accounts_setup_kv(void **state)
{
    return setup(state, false);
}

int accounts_setup_database(void **state)
{
    return setup(state, true);
}

int accounts_teardown(void **state)
{
    accounts_close(*state);
    free(*state);
    return 0;
}

/* ---- cookies ---- */

static void drop_cookie(accounts *f, cov_str name)
{
    char kept[sizeof f->cookies] = "";
    cov_str rest = cov_str_from(f->cookies);
    cov_str pair;

    while (rest.len != 0 && cov_str_split(&rest, ';', &pair)) {
        pair = cov_str_trim(pair);
        if (cov_str_starts(pair, name) && pair.ptr[name.len] == '=')
            continue;
        snprintf(kept + strlen(kept), sizeof kept - strlen(kept), "%s%.*s", kept[0] ? "; " : "",
                 COV_STR_ARG(pair));
    }
    memcpy(f->cookies, kept, sizeof kept);
}

static void keep_cookie(accounts *f, cov_str text)
{
    cov_str pair = cov_str_slice(text, 0, cov_str_find(text, ';', 0));
    size_t equals = cov_str_find(pair, '=', 0);
    size_t len;

    drop_cookie(f, cov_str_slice(pair, 0, equals));
    len = strlen(f->cookies);
    if (equals + 1 < pair.len)
        snprintf(f->cookies + len, sizeof f->cookies - len, "%s%.*s", len ? "; " : "",
                 COV_STR_ARG(pair));
}

void forget_cookies(accounts *f)
{
    f->cookies[0] = '\0';
}

/* ---- calls ---- */

int request_as(accounts *f, const char *method, const char *target, const char *body)
{
    cov_worker worker = { .host = &f->fake.host,
                          .db = f->db,
                          .arena = f->request,
                          .loop_client = f->shard,
                          .streams = f->shard != NULL };
    cov_header cookie = { COV_STR_INIT("Cookie"), cov_str_from(f->cookies) };
    cov_request req = { .method_name = cov_str_from(method),
                        .body = cov_str_from(body),
                        .headers = &cookie,
                        .n_headers = f->cookies[0] != '\0',
                        .peer_address = cov_str_from(f->address) };

    cov_arena_reset(f->request);
    f->res.n_headers = 0;
    f->res.status = 0;
    f->res.stream = NULL;
    cov_buf_clear(&f->res.body, 0);
    req.path = cov_str_from(target);
    req.method = cov_method_of(req.method_name);
    cov_app_fetch(f->app, &worker, &req, &f->res);
    assert_int_equal(f->db->depth, 0);
    for (size_t i = 0; i < f->res.n_headers; i++)
        if (cov_str_eq_nocase(f->res.headers[i].name, COV_STR("Set-Cookie")))
            keep_cookie(f, f->res.headers[i].value);
    return f->res.status;
}

static int call(accounts *f, const char *method, const char *path, const char *body)
{
    char target[512];

    snprintf(target, sizeof target, "/api/auth%s", path);
    return request_as(f, method, target, body);
}

int post(accounts *f, const char *path, const char *body)
{
    return call(f, "POST", path, body);
}

int get(accounts *f, const char *path)
{
    return call(f, "GET", path, "");
}

int postf(accounts *f, const char *path, const char *format, ...)
{
    char body[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    return post(f, path, body);
}

const char *body_of(accounts *f)
{
    cov_buf_char(&f->res.body, '\0');
    f->res.body.len--;
    return f->res.body.ptr;
}

bool body_has(accounts *f, const char *text)
{
    return strstr(body_of(f), text) != NULL;
}

const char *headers_of(accounts *f)
{
    cov_buf text = COV_BUF_IN(f->request);

    for (size_t i = 0; i < f->res.n_headers; i++)
        cov_buf_printf(&text, "%.*s: %.*s\n", COV_STR_ARG(f->res.headers[i].name),
                       COV_STR_ARG(f->res.headers[i].value));
    cov_buf_char(&text, '\0');
    assert_false(text.failed);
    return text.ptr;
}

const char *set_cookie_of(accounts *f, const char *name)
{
    for (size_t i = 0; i < f->res.n_headers; i++) {
        cov_str value = f->res.headers[i].value;

        if (cov_str_eq_nocase(f->res.headers[i].name, COV_STR("Set-Cookie")) &&
            cov_str_starts(value, cov_str_from(name)) && value.ptr[strlen(name)] == '=')
            return cov_arena_str(f->request, value).ptr;
    }
    return NULL;
}

/* ---- what tests begin with ---- */

void sign_up(accounts *f, const char *email)
{
    assert_status(f,
                  postf(f, "/signup", "{\"email\":\"%s\",\"password\":\"correct horse 1\"}", email),
                  200);
    forget_cookies(f);
}

int log_in(accounts *f, const char *email, const char *password)
{
    return postf(f, "/login", "{\"email\":\"%s\",\"password\":\"%s\"}", email, password);
}

const char *mailed_token(accounts *f)
{
    const char *at = strstr(f->mail, "token=");

    assert_non_null(at);
    return cov_arena_str(f->arena, cov_str_of(at + strlen("token="), 43)).ptr;
}

typedef struct text_sink {
    cov_row_sink sink;
    cov_arena *arena;
    const char *text;
} text_sink;

static cov_status take_text(cov_row_sink *sink, const cov_value *values, size_t n_values,
                            cov_error *err)
{
    text_sink *s = (text_sink *)sink;

    (void)err;
    assert_int_equal(n_values, 1);
    if (values[0].type == COV_INT)
        s->text = cov_arena_printf(s->arena, "%lld", (long long)values[0].i).ptr;
    else if (values[0].type == COV_TEXT)
        s->text = cov_arena_str(s->arena, values[0].s).ptr;
    return COV_OK;
}

const char *sql_text(accounts *f, const char *sql)
{
    text_sink s = { { take_text }, f->arena, "" };
    cov_stmt stmt = { cov_str_from(sql), NULL, 0 };
    cov_error err;

    cov_error_init(&err, f->arena);
    must(cov_db_query(f->db, &stmt, &s.sink, &err), &err);
    return s.text;
}
