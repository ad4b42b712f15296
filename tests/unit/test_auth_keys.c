/* SPDX-License-Identifier: MIT */
/* API keys (spec/06 section 9, cases 39 to 42), on both stores. */
#include "auth_fixture.h"

#include "auth/api_key_store.h"
#include "auth/password.h"

#define ANN "ann@example.com"
#define BOB "bob@example.com"
#define VECTOR_KEY "my_app_0011223344556677.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
#define VECTOR_HASH                                                                           \
    "scrypt$N=16384,r=8,p=1$AAECAwQFBgcICQoLDA0ODw==$iEArFh8Zonf8F4HsWUATdp+mg1Fd79PUJf06y8o" \
    "j1K+01rwMpbDt8eUhTZPNgq3Ba4rqfSY+yHc0mQG8IjZS0g=="

/* ---- helpers ---- */

static const char *make(auth_fixture *f, const char *cookie, const char *body)
{
    assert_status(f, auth_call(f, "POST", "/api-keys", cookie, body), 201);
    return auth_member(f, "key");
}

static const char *with(auth_fixture *f, const char *key)
{
    return auth_text(f, "X-API-Key: %s", key);
}

static const char *user_id_of(auth_fixture *f, const char *email)
{
    return auth_sql_text(f, auth_text(f, "SELECT id FROM people WHERE email='%s'", email));
}

static const char *last_used(auth_fixture *f, const char *id)
{
    const char *record;

    if (f->in_database)
        return auth_sql_text(f,
                             auth_text(f, "SELECT \"lastUsedAt\" FROM auth_api_keys WHERE id='%s'",
                                       id));
    record = auth_kv_text(f, auth_text(f, "apikey:%s", id));
    record = record != NULL ? strstr(record, "\"lastUsedAt\":") : NULL;
    return record != NULL ? auth_text(f, "%.25s", record + strlen("\"lastUsedAt\":")) : "";
}

/* Put a record as another program would. */
static void store(auth_fixture *f, cov_api_key *key)
{
    bool stored = false;

    (void)auth_slow(f, NULL); /* makes a ctx */
    key->id = cov_api_key_id(COV_STR(VECTOR_KEY));
    key->hash = COV_STR(VECTOR_HASH);
    key->prefix = COV_STR("my_app_0011223344556677");
    key->created_ms = key->last_used_ms = f->fake.now_ms;
    assert_int_equal(cov_api_keys_put(&f->auth->store, &f->ctx, key, 100, &stored), COV_OK);
    assert_true(stored);
}

/* Behind the server's back, as another process does it. */
static void remove_record(auth_fixture *f, const char *id)
{
    cov_error err;

    cov_error_init(&err, NULL);
    if (f->in_database)
        auth_sql(f, auth_text(f, "DELETE FROM auth_api_keys WHERE id='%s'", id));
    else
        assert_int_equal(cov_kv_del(f->kv, f->arena, cov_str_from(auth_text(f, "apikey:%s", id)),
                                    NULL, &err),
                         COV_OK);
}

/* ---- cases ---- */

static void key__of_the_specification_verifies(void **state)
{
    auth_fixture *f = *state;
    cov_str scopes[] = { COV_STR("read") };
    cov_api_key key = { .scopes = scopes, .n_scopes = 1, .expires_ms = COV_USER_NO_TIME };
    const cov_user *user;

    (void)auth_sign_up(f, ANN);
    key.user_id = cov_str_from(user_id_of(f, ANN));
    store(f, &key);
    user = auth_who(f, "X-API-Key: " VECTOR_KEY);
    assert_non_null(user);
    assert_true(cov_str_eq(user->id, key.user_id));
    assert_true(cov_str_eq(user->session_id, COV_STR("apikey:0011223344556677")));
    assert_int_equal(user->session_expires_ms, f->fake.now_ms + 86400000);
    /* one character changed, each kind of text that is no key, another header */
    assert_null(auth_who(f, "X-API-Key: my_app_0011223344556677.AAECAwQFBgcICQoLDA0ODxAREhMUFRYY"));
    assert_null(auth_who(f, "X-API-Key: my_bpp_0011223344556677.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"));
    assert_null(auth_who(f, "X-API-Key: my_app_0011223344556678.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"));
    assert_null(auth_who(f, "X-API-Key: my_app_0011223344556677"));
    assert_null(auth_who(f, "X-API-Key: "));
    assert_null(auth_who(f, "Authorization: Bearer " VECTOR_KEY));
}

static void key__gives_user_scopes_and_expiry(void **state)
{
    auth_fixture *f = *state;
    const char *cookie = auth_sign_up(f, ANN);
    const char *key =
        make(f, cookie, "{\"label\":\"CI\",\"scopes\":[\"read\",\"write\"],\"ttlMs\":60000}");
    const char *id = auth_member(f, "id");
    const cov_user *user;
    cov_buf json = COV_BUF_IN(f->arena);

    assert_string_equal(auth_member(f, "label"), "CI");
    assert_string_equal(auth_member(f, "createdAt"), "2023-11-14T22:13:20.000Z");
    assert_string_equal(auth_member(f, "expiresAt"), "2023-11-14T22:14:20.000Z");
    assert_string_equal(auth_member(f, "userId"), user_id_of(f, ANN));
    assert_int_equal(strncmp(key, "my_app_", 7), 0);
    assert_int_equal(strncmp(key + 7, id, 16), 0);
    assert_non_null(user = auth_who(f, with(f, key)));
    cov_user_context_json(&json, user);
    cov_buf_char(&json, '\0');
    assert_string_equal(json.ptr,
                        auth_text(f,
                                  "{\"id\":\"%s\",\"email\":\"" ANN
                                  "\",\"name\":null,\"image\":null,\"emailVerified\":null,"
                                  "\"sessionId\":\"apikey:%s\",\"sessionExpiresAt\":"
                                  "\"2023-11-14T22:14:20.000Z\",\"metadata\":{\"apiKeyScopes\":"
                                  "[\"read\",\"write\"]}}",
                                  user_id_of(f, ANN), id));
    assert_status(f, auth_call(f, "GET", "/me", with(f, key), NULL), 200);
    assert_non_null(strstr(auth_body(f), "\"email\":\"" ANN "\""));
}

static void key__ends_at_its_time(void **state)
{
    auth_fixture *f = *state;
    const char *cookie = auth_sign_up(f, ANN);
    const char *key = make(f, cookie, "{\"ttlMs\":60000}");
    const char *unused = make(f, cookie, "{\"ttlMs\":60000}");
    size_t before;

    assert_non_null(auth_who(f, with(f, key)));
    fake_host_advance(&f->fake, 59999);
    assert_non_null(auth_who(f, with(f, key)));
    fake_host_advance(&f->fake, 1);
    assert_null(auth_who(f, with(f, key)));
    assert_null(auth_who(f, with(f, unused)));
    fake_host_advance(&f->fake, 120000);
    before = f->n_scrypts;
    assert_null(auth_who(f, with(f, key)));
    assert_int_equal(f->n_scrypts, before);
}

static void key__of_nobody_is_refused(void **state)
{
    auth_fixture *f = *state;
    cov_api_key key = { .user_id = COV_STR(""), .expires_ms = COV_USER_NO_TIME };

    store(f, &key);
    assert_null(auth_who(f, "X-API-Key: " VECTOR_KEY));
}

static void key__of_a_deleted_user_is_nobodys(void **state)
{
    auth_fixture *f = *state;
    const char *key = make(f, auth_sign_up(f, ANN), "{}");

    assert_non_null(auth_who(f, with(f, key)));
    auth_sql(f, "DELETE FROM people");
    assert_non_null(auth_who(f, with(f, key))); /* remembered */
    fake_host_advance(&f->fake, 1000);
    assert_null(auth_who(f, with(f, key)));
    auth_sql(f, auth_text(f, "INSERT INTO people (id,email) VALUES ('x','" BOB "')"));
    assert_null(auth_who(f, with(f, key)));
}

static void key__revoked_elsewhere_ends_within_a_second(void **state)
{
    auth_fixture *f = *state;
    const char *key = make(f, auth_sign_up(f, ANN), "{}");
    const char *id = auth_member(f, "id");
    size_t before;

    assert_non_null(auth_who(f, with(f, key)));
    remove_record(f, id);
    assert_non_null(auth_who(f, with(f, key)));
    fake_host_advance(&f->fake, 1000);
    before = f->n_scrypts;
    assert_false(auth_slow(f, with(f, key)));
    assert_null(auth_who(f, with(f, key)));
    /* it was called quick, so nothing may have been hashed on the event loop */
    assert_int_equal(f->n_scrypts, before);
    fake_host_advance(&f->fake, 60000);
    assert_true(auth_slow(f, with(f, key)));
    assert_null(auth_who(f, with(f, key)));
    assert_int_equal(f->n_scrypts, before + 1);
}

static void key__marked_revoked_is_not_found(void **state)
{
    auth_fixture *f = *state;
    const char *cookie = auth_sign_up(f, ANN);
    const char *key = make(f, cookie, "{}");
    const char *id = auth_member(f, "id");

    if (!f->in_database)
        return;
    auth_sql(f, "UPDATE auth_api_keys SET \"revokedAt\"=1");
    assert_null(auth_who(f, with(f, key)));
    assert_status(f, auth_call(f, "GET", "/api-keys", cookie, NULL), 200);
    assert_string_equal(auth_body(f), "{\"keys\":[]}");
    assert_status(f, auth_call(f, "DELETE", auth_text(f, "/api-keys/%s", id), cookie, NULL), 404);
    assert_string_equal(auth_sql_text(f, "SELECT count(*) FROM auth_api_keys"), "1");
}

/* ---- work ---- */

static void key__is_hashed_once_a_minute(void **state)
{
    auth_fixture *f = *state;
    const char *header = with(f, make(f, auth_sign_up(f, ANN), "{}"));
    size_t before = f->n_scrypts;

    assert_true(auth_slow(f, header));
    assert_non_null(auth_who(f, header));
    assert_int_equal(f->n_scrypts, before + 1);
    assert_false(auth_slow(f, header));
    for (int i = 0; i < 5; i++) {
        fake_host_advance(&f->fake, 50000);
        assert_false(auth_slow(f, header));
        assert_non_null(auth_who(f, header));
    }
    assert_int_equal(f->n_scrypts, before + 1);
    fake_host_advance(&f->fake, 60001);
    assert_true(auth_slow(f, header));
    assert_non_null(auth_who(f, header));
    assert_int_equal(f->n_scrypts, before + 2);
    /* other users change, and keys stay verified */
    cov_auth_forget(f->auth);
    assert_false(auth_slow(f, header));
    assert_non_null(auth_who(f, header));
    assert_int_equal(f->n_scrypts, before + 2);
}

static void key__is_never_hashed_where_that_was_not_announced(void **state)
{
    auth_fixture *f = *state;
    const char *header = with(f, make(f, auth_sign_up(f, ANN), "{}"));
    size_t before;

    for (int i = 0; i < 200; i++) {
        bool slow = auth_slow(f, header);

        before = f->n_scrypts;
        if (slow)
            fake_host_advance(&f->fake, 1);
        assert_non_null(auth_who(f, header));
        if (!slow)
            assert_int_equal(f->n_scrypts, before);
        fake_host_advance(&f->fake, 7919 * i % 61007);
    }
}

static void key__texts_without_the_form_cost_nothing(void **state)
{
    auth_fixture *f = *state;
    static const char *const texts[] = {
        "x",
        ".",
        "a.b",
        "my_app_.x",
        "0011223344556677",
        "001122334455667G.x",
        "00112233445566AA.x",
        "my-app0011223344556677.x",
        "all.x",
        "user:u1.x",
    };
    size_t before = f->n_scrypts;

    for (size_t i = 0; i < COV_COUNT_OF(texts); i++) {
        assert_false(auth_slow(f, with(f, texts[i])));
        assert_null(auth_who(f, with(f, texts[i])));
    }
    assert_int_equal(f->n_scrypts, before);
}

static void key__unknown_ids_cost_what_wrong_secrets_cost(void **state)
{
    auth_fixture *f = *state;
    const char *key = make(f, auth_sign_up(f, ANN), "{}");
    const char *wrong = auth_text(f, "%.*sA", (int)strlen(key) - 1, key);
    size_t before = f->n_scrypts;

    if (strcmp(wrong, key) == 0)
        wrong = auth_text(f, "%.*sB", (int)strlen(key) - 1, key);
    assert_null(auth_who(f, with(f, wrong)));
    assert_int_equal(f->n_scrypts, before + 1);
    assert_null(auth_who(f, "X-API-Key: 0123456789abcdef.x"));
    assert_int_equal(f->n_scrypts, before + 2);
}

static void key__guessing_is_throttled_by_address(void **state)
{
    auth_fixture *f = *state;
    const char *cookie = auth_sign_up(f, ANN);
    const char *used = with(f, make(f, cookie, "{}"));
    const char *fresh = with(f, make(f, cookie, "{}"));
    size_t before;

    assert_non_null(auth_who(f, used));
    before = f->n_scrypts;
    for (int i = 0; i < 20; i++) {
        assert_null(auth_who(f, auth_text(f, "X-API-Key: 0123456789abcd%02d.x", i)));
        assert_int_equal(f->res.n_headers, 0); /* no Retry-After: it is no refusal */
    }
    assert_int_equal(f->n_scrypts, before + 5);
    /* no key that would have to be hashed; one in use goes on, as does everybody else */
    assert_null(auth_who(f, fresh));
    fake_host_advance(&f->fake, 1000);
    assert_non_null(auth_who(f, used));
    assert_non_null(auth_who(f, cookie));
    f->address = "192.0.2.2";
    assert_non_null(auth_who(f, fresh));
    f->address = "192.0.2.1";
    fake_host_advance(&f->fake, 900000);
    assert_non_null(auth_who(f, fresh));
    /* logins have a counter of their own */
    (void)auth_sign_in(f, ANN, "x");
}

static void key__last_use_is_noted_once_a_minute(void **state)
{
    auth_fixture *f = *state;
    const char *header = with(f, make(f, auth_sign_up(f, ANN), "{}"));
    const char *id = auth_member(f, "id");
    const char *first;

    assert_int_equal(strncmp(last_used(f, id), "null", 4), 0);
    assert_non_null(auth_who(f, header));
    first = last_used(f, id);
    assert_string_equal(first, f->in_database ? "1700000000" : "\"2023-11-14T22:13:20.000Z");
    fake_host_advance(&f->fake, 59000);
    assert_non_null(auth_who(f, header));
    assert_string_equal(last_used(f, id), first);
    fake_host_advance(&f->fake, 1000);
    assert_non_null(auth_who(f, header));
    assert_string_equal(last_used(f, id),
                        f->in_database ? "1700000060" : "\"2023-11-14T22:14:20.000Z");
}

static void key__note_of_use_does_not_bring_back_a_revoked_one(void **state)
{
    auth_fixture *f = *state;
    cov_api_key key = { .user_id = COV_STR("u1"), .expires_ms = COV_USER_NO_TIME };
    cov_api_key read;
    bool found = true;

    store(f, &key);
    remove_record(f, "0011223344556677");
    cov_api_keys_used(&f->auth->store, &f->ctx, &key, f->fake.now_ms);
    assert_int_equal(cov_api_keys_get(&f->auth->store, &f->ctx, key.id, &read, &found), COV_OK);
    assert_false(found);
}

/* ---- routes ---- */

static void routes__list_never_shows_key_or_hash(void **state)
{
    auth_fixture *f = *state;
    const char *ann = auth_sign_up(f, ANN);
    const char *bob = auth_sign_up(f, BOB);
    const char *key = make(f, ann, "{\"label\":\"A\"}");
    const char *first = auth_member(f, "id");
    const char *second;

    fake_host_advance(&f->fake, 1000);
    (void)make(f, ann, NULL);
    second = auth_member(f, "id");
    assert_status(f, auth_call(f, "GET", "/api-keys", ann, NULL), 200);
    assert_string_equal(
        auth_body(f),
        auth_text(f,
                  "{\"keys\":[{\"id\":\"%s\",\"label\":\"A\",\"userId\":\"%s\",\"createdAt\":"
                  "\"2023-11-14T22:13:20.000Z\",\"lastUsedAt\":null,\"expiresAt\":null},{\"id\":"
                  "\"%s\",\"userId\":\"%s\",\"createdAt\":\"2023-11-14T22:13:21.000Z\","
                  "\"lastUsedAt\":null,\"expiresAt\":null}]}",
                  first, user_id_of(f, ANN), second, user_id_of(f, ANN)));
    assert_null(strstr(auth_body(f), strchr(key, '.')));
    assert_status(f, auth_call(f, "GET", "/api-keys", bob, NULL), 200);
    assert_string_equal(auth_body(f), "{\"keys\":[]}");
    assert_status(f, auth_call(f, "GET", "/api-keys", NULL, NULL), 401);
    assert_status(f, auth_call(f, "POST", "/api-keys", NULL, "{}"), 401);
}

static void routes__a_key_manages_no_keys_and_no_sessions(void **state)
{
    auth_fixture *f = *state;
    const char *cookie = auth_sign_up(f, ANN);
    const char *key = with(f, make(f, cookie, "{}"));
    const char *id = auth_member(f, "id");
    const char *both = auth_text(f, "%s\n%s", cookie, key);
    const char *const headers[] = { key, both };

    for (size_t i = 0; i < COV_COUNT_OF(headers); i++) {
        const char *h = headers[i];

        assert_detail(f, auth_call(f, "GET", "/api-keys", h, NULL), 403, "An API key cannot");
        assert_status(f, auth_call(f, "POST", "/api-keys", h, "{}"), 403);
        assert_status(f, auth_call(f, "POST", auth_text(f, "/api-keys/%s/rotate", id), h, "{}"),
                      403);
        assert_status(f, auth_call(f, "DELETE", auth_text(f, "/api-keys/%s", id), h, NULL), 403);
        assert_status(f, auth_call(f, "GET", "/sessions", h, NULL), 403);
        assert_status(f, auth_call(f, "DELETE", "/sessions", h, NULL), 403);
        assert_status(f, auth_call(f, "DELETE", "/sessions/x", h, NULL), 403);
        assert_status(f, auth_call(f, "POST", "/logout-all", h, NULL), 403);
    }
    assert_non_null(auth_who(f, cookie));
    assert_non_null(auth_who(f, key));
}

static void routes__revoking_works_at_once_and_for_the_owner_only(void **state)
{
    auth_fixture *f = *state;
    const char *ann = auth_sign_up(f, ANN);
    const char *bob = auth_sign_up(f, BOB);
    const char *key = with(f, make(f, ann, "{}"));
    const char *path = auth_text(f, "/api-keys/%s", auth_member(f, "id"));
    size_t before;

    assert_non_null(auth_who(f, key));
    assert_detail(f, auth_call(f, "DELETE", path, bob, NULL), 404, "API key not found");
    before = f->n_scrypts;
    assert_status(f, auth_call(f, "POST", auth_text(f, "%s/rotate", path), bob, "{}"), 404);
    assert_int_equal(f->n_scrypts, before); /* no key was made for it */
    assert_non_null(auth_who(f, key));
    assert_status(f, auth_call(f, "DELETE", path, ann, NULL), 204);
    assert_string_equal(auth_body(f), "");
    assert_null(auth_who(f, key));
    assert_status(f, auth_call(f, "DELETE", path, ann, NULL), 404);
    assert_int_equal(auth_kv_set_size(f, "apikey:all"), 0);
    /* names of other things in the KV */
    assert_status(f, auth_call(f, "DELETE", "/api-keys/all", ann, NULL), 404);
    assert_status(f, auth_call(f, "POST", "/api-keys/all/rotate", ann, NULL), 404);
    assert_status(f, auth_call(f, "DELETE", "/api-keys/user%3Ax", ann, NULL), 404);
}

static void routes__rotation_inherits_and_ends_the_old_key(void **state)
{
    auth_fixture *f = *state;
    const char *ann = auth_sign_up(f, ANN);
    const char *old =
        with(f, make(f, ann, "{\"label\":\"CI\",\"scopes\":[\"a\"],\"expiresAt\":\"2030-01-02\"}"));
    const char *id = auth_member(f, "id");
    const char *path = auth_text(f, "/api-keys/%s/rotate", id);
    const char *fresh;

    assert_non_null(auth_who(f, old));
    assert_status(f, auth_call(f, "POST", path, ann, NULL), 201);
    fresh = with(f, auth_member(f, "key"));
    assert_string_not_equal(auth_member(f, "id"), id);
    assert_string_equal(auth_member(f, "label"), "CI");
    assert_string_equal(auth_member(f, "expiresAt"), "2030-01-02T00:00:00.000Z");
    assert_non_null(strstr(auth_body(f), "\"scopes\":[\"a\"]"));
    assert_null(auth_who(f, old));
    assert_non_null(auth_who(f, fresh));
    assert_status(f, auth_call(f, "POST", path, ann, NULL), 404);
    /* what is given wins */
    path = auth_text(f, "/api-keys/%.16s/rotate", strstr(fresh, "my_app_") + 7);
    assert_status(f,
                  auth_call(f, "POST", path, ann,
                            "{\"label\":null,\"scopes\":[],\"expiresAt\":null}"),
                  201);
    assert_string_equal(auth_member(f, "label"), "");
    assert_non_null(strstr(auth_body(f), "\"scopes\":[],"));
    assert_non_null(strstr(auth_body(f), "\"expiresAt\":null"));
    assert_status(f, auth_call(f, "GET", "/api-keys", ann, NULL), 200);
    assert_null(strstr(strstr(auth_body(f), "\"id\"") + 1, "\"id\""));
}

static void routes__an_expired_key_is_rotated_with_a_new_time_only(void **state)
{
    auth_fixture *f = *state;
    const char *ann = auth_sign_up(f, ANN);
    const char *path;

    (void)make(f, ann, "{\"ttlMs\":5000}");
    path = auth_text(f, "/api-keys/%s/rotate", auth_member(f, "id"));
    fake_host_advance(&f->fake, 6000);
    assert_detail(f, auth_call(f, "POST", path, ann, NULL), 400, "Must be in the future");
    assert_status(f, auth_call(f, "POST", path, ann, "{\"ttlMs\":5000}"), 201);
}

static void routes__bad_wishes_are_refused(void **state)
{
    auth_fixture *f = *state;
    const char *ann = auth_sign_up(f, ANN);
    static const char *const bodies[] = {
        "{\"label\":1}",
        "{\"label\":[]}",
        "{\"scopes\":\"read\"}",
        "{\"scopes\":[1]}",
        "{\"scopes\":[\"\"]}",
        "{\"scopes\":{}}",
        "{\"ttlMs\":0}",
        "{\"ttlMs\":-1}",
        "{\"ttlMs\":\"60000\"}",
        "{\"ttlMs\":1e300}",
        "{\"ttlMs\":null}",
        "{\"expiresAt\":\"tomorrow\"}",
        "{\"expiresAt\":1}",
        "{\"expiresAt\":\"2023-11-14T22:13:20Z\"}",
        "{\"expiresAt\":\"2020-01-01\",\"ttlMs\":60000}",
        "{",
    };
    char label[512];

    for (size_t i = 0; i < COV_COUNT_OF(bodies); i++)
        assert_status(f, auth_call(f, "POST", "/api-keys", ann, bodies[i]), 400);
    memset(label, 'x', sizeof label);
    label[201] = '\0';
    assert_status(f,
                  auth_call(f, "POST", "/api-keys", ann, auth_text(f, "{\"label\":\"%s\"}", label)),
                  400);
    assert_status(f, auth_call(f, "GET", "/api-keys", ann, NULL), 200);
    assert_string_equal(auth_body(f), "{\"keys\":[]}");
}

static void routes__a_user_has_a_hundred_keys_at_most(void **state)
{
    auth_fixture *f = *state;
    const char *ann = auth_sign_up(f, ANN);
    const char *bob = auth_sign_up(f, BOB);
    const char *path = "";

    for (int i = 0; i < 100; i++) {
        (void)make(f, ann, "{}");
        path = auth_text(f, "/api-keys/%s", auth_member(f, "id"));
    }
    assert_detail(f, auth_call(f, "POST", "/api-keys", ann, "{}"), 409, "100 API keys");
    (void)make(f, bob, "{}");
    assert_status(f, auth_call(f, "POST", auth_text(f, "%s/rotate", path), ann, "{}"), 201);
    path = auth_text(f, "/api-keys/%s", auth_member(f, "id"));
    assert_detail(f, auth_call(f, "POST", "/api-keys", ann, "{}"), 409, "100 API keys");
    if (!f->in_database)
        assert_int_equal(auth_kv_set_size(f, "apikey:all"), 101);
    assert_status(f, auth_call(f, "DELETE", path, ann, NULL), 204);
    (void)make(f, ann, "{}");
}

static void store__has_the_shared_layout(void **state)
{
    auth_fixture *f = *state;
    const char *ann = auth_sign_up(f, ANN);
    const char *key = make(f, ann, "{\"label\":\"CI\",\"scopes\":[\"read\"],\"ttlMs\":86400000}");
    const char *id = auth_member(f, "id");
    const char *record;
    const char *head;

    if (f->in_database) {
        assert_string_equal(
            auth_sql_text(f, "SELECT name||'|'||scopes||'|'||\"createdAt\"||'|'||\"expiresAt\"||"
                             "'|'||\"keyPrefix\" FROM auth_api_keys"),
            auth_text(f, "CI|[\"read\"]|1700000000|1700086400|my_app_%s", id));
        record = auth_sql_text(f, "SELECT \"keyHash\" FROM auth_api_keys");
    } else {
        record = auth_kv_text(f, auth_text(f, "apikey:%s", id));
        head = auth_text(f,
                         "{\"id\":\"%s\",\"label\":\"CI\",\"userId\":\"%s\",\"scopes\":[\"read\"],"
                         "\"createdAt\":\"2023-11-14T22:13:20.000Z\",\"lastUsedAt\":null,"
                         "\"expiresAt\":\"2023-11-15T22:13:20.000Z\",\"hash\":\"scrypt$N=",
                         id, user_id_of(f, ANN));
        assert_int_equal(strncmp(record, head, strlen(head)), 0);
        assert_int_equal(auth_kv_set_size(f, "apikey:all"), 1);
        assert_int_equal(auth_kv_set_size(f, auth_text(f, "apikey:user:%s", user_id_of(f, ANN))),
                         1);
        record = auth_text(f, "%.*s", (int)strlen(strstr(record, "scrypt$")) - 2,
                           strstr(record, "scrypt$"));
    }
    assert_true(cov_password_verify(&f->fake.host, cov_str_from(key), cov_str_from(record)));
}

static void store__records_that_are_damaged_are_not_found(void **state)
{
    auth_fixture *f = *state;
    static const char *const texts[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"id\":\"0011223344556677\",\"userId\":\"u1\"}",
        "{\"id\":\"0011223344556677\",\"userId\":\"u1\",\"hash\":\"" VECTOR_HASH
        "\",\"expiresAt\":\"soon\"}",
    };
    cov_str key = COV_STR("apikey:0011223344556677");

    if (f->in_database)
        return;
    (void)auth_sign_up(f, ANN);
    for (size_t i = 0; i < COV_COUNT_OF(texts); i++) {
        assert_int_equal(cov_kv_set(f->kv, f->arena, key, cov_str_from(texts[i]), 0, false, NULL,
                                    &f->err),
                         COV_OK);
        f->address = auth_text(f, "192.0.2.%d", 10 + (int)i);
        assert_null(auth_who(f, "X-API-Key: " VECTOR_KEY));
    }
}

static void key__is_no_session_whatever_the_cookie_says(void **state)
{
    auth_fixture *f = *state;
    const char *key = make(f, auth_sign_up(f, ANN), "{}");
    char hash[COV_TOKEN_HASH_CHARS];

    assert_non_null(auth_who(f, with(f, key))); /* remembered under its hash */
    assert_int_equal(cov_token_hash(&f->fake.host, cov_str_from(key), hash), COV_OK);
    assert_null(auth_who(f, auth_text(f, "Cookie: session=key:%.*s", (int)sizeof hash, hash)));
}

static void config__the_throttle_can_be_off(void **state)
{
    auth_fixture f;
    const char *key;

    (void)state;
    auth_open(&f, true, ",\"throttle\":false");
    key = make(&f, auth_sign_up(&f, ANN), "{}");
    for (int i = 0; i < 8; i++)
        assert_null(auth_who(&f, "X-API-Key: 0123456789abcdef.x"));
    assert_non_null(auth_who(&f, with(&f, key)));
    auth_close(&f);
}

static void config__keys_can_be_bearers(void **state)
{
    auth_fixture f;
    const char *key;

    (void)state;
    auth_open(&f, true, ",\"apiKeys\":{\"acceptBearer\":true,\"header\":\"X-Token\"}");
    key = make(&f, auth_sign_up(&f, ANN), "{}");
    assert_int_equal(strcspn(key, "."), 16); /* no prefix */
    assert_true(auth_slow(&f, auth_text(&f, "Authorization: bearer %s", key)));
    assert_non_null(auth_who(&f, auth_text(&f, "Authorization: bearer %s", key)));
    assert_non_null(auth_who(&f, auth_text(&f, "x-token: %s", key)));
    assert_null(auth_who(&f, with(&f, key)));
    auth_close(&f);
}

static void config__keys_are_off_by_default(void **state)
{
    auth_fixture f;
    const char *cookie;

    (void)state;
    auth_open(&f, true, ",\"apiKeys\":false");
    cookie = auth_sign_up(&f, ANN);
    assert_status(&f, auth_call(&f, "GET", "/api-keys", cookie, NULL), 404);
    assert_status(&f, auth_call(&f, "POST", "/api-keys", cookie, "{}"), 404);
    assert_false(auth_slow(&f, "X-API-Key: 0123456789abcdef.x"));
    assert_null(auth_who(&f, "X-API-Key: 0123456789abcdef.x"));
    auth_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(key__of_the_specification_verifies),
        AUTH_TEST(key__gives_user_scopes_and_expiry),
        AUTH_TEST(key__ends_at_its_time),
        AUTH_TEST(key__of_nobody_is_refused),
        AUTH_TEST(key__of_a_deleted_user_is_nobodys),
        AUTH_TEST(key__revoked_elsewhere_ends_within_a_second),
        AUTH_TEST(key__marked_revoked_is_not_found),
        AUTH_TEST(key__is_hashed_once_a_minute),
        AUTH_TEST(key__is_never_hashed_where_that_was_not_announced),
        AUTH_TEST(key__texts_without_the_form_cost_nothing),
        AUTH_TEST(key__unknown_ids_cost_what_wrong_secrets_cost),
        AUTH_TEST(key__guessing_is_throttled_by_address),
        AUTH_TEST(key__last_use_is_noted_once_a_minute),
        AUTH_TEST(key__note_of_use_does_not_bring_back_a_revoked_one),
        AUTH_TEST(routes__list_never_shows_key_or_hash),
        AUTH_TEST(routes__a_key_manages_no_keys_and_no_sessions),
        AUTH_TEST(routes__revoking_works_at_once_and_for_the_owner_only),
        AUTH_TEST(routes__rotation_inherits_and_ends_the_old_key),
        AUTH_TEST(routes__an_expired_key_is_rotated_with_a_new_time_only),
        AUTH_TEST(routes__bad_wishes_are_refused),
        AUTH_TEST(routes__a_user_has_a_hundred_keys_at_most),
        AUTH_TEST(store__has_the_shared_layout),
        AUTH_TEST(store__records_that_are_damaged_are_not_found),
        AUTH_TEST(key__is_no_session_whatever_the_cookie_says),
        cmocka_unit_test(config__the_throttle_can_be_off),
        cmocka_unit_test(config__keys_can_be_bearers),
        cmocka_unit_test(config__keys_are_off_by_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
