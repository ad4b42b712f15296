/* SPDX-License-Identifier: MIT */
/* Where a user is signed in, and ending that: /sessions and /logout-all, on both stores. */
#include "auth/token.h"
#include "auth_fixture.h"

#include <stdio.h>

#define ANN "ann@example.com"
#define BOB "bob@example.com"
#define JWT \
    ",\"session\":{\"type\":\"jwt\",\"secret\":\"a secret of at least thirty-two bytes\",\"store\":\"%s\"}"

/* The handle of the session of that browser, or "". */
static const char *handle_of(auth_fixture *f, const char *headers, const char *agent)
{
    yyjson_val *body = NULL;
    const cov_json *list;
    const cov_json *item = NULL;

    assert_status(f, auth_call(f, "GET", "/sessions", headers, NULL), 200);
    assert_int_equal(cov_json_read(f->request, cov_buf_view(&f->res.body), &body, &f->err), COV_OK);
    list = cov_json_get(body, "sessions");
    while ((item = cov_json_next(list, item)) != NULL)
        if (cov_str_eq(cov_json_text(cov_json_get(item, "userAgent")), cov_str_from(agent)))
            return cov_arena_str(f->arena, cov_json_text(cov_json_get(item, "id"))).ptr;
    return "";
}

static size_t count(auth_fixture *f, const char *headers)
{
    size_t n = 0;

    assert_status(f, auth_call(f, "GET", "/sessions", headers, NULL), 200);
    for (const char *at = auth_body(f); (at = strstr(at, "\"createdAt\"")) != NULL; at++)
        n++;
    return n;
}

static const char *session_path(auth_fixture *f, const char *handle)
{
    return auth_text(f, "/sessions/%s", handle);
}

static void list__shows_sessions_and_never_their_ids(void **state)
{
    auth_fixture *f = *state;
    const char *first = auth_sign_up(f, ANN);
    const char *id = auth_text(f, "%.36s", strstr(first, "session=") + strlen("session="));
    const char *second;
    char hash[COV_TOKEN_HASH_CHARS];
    const char *wanted;

    fake_host_advance(&f->fake, 120000);
    f->address = "2001:db8::1";
    second = auth_sign_in(f, ANN, "phone");
    (void)auth_sign_up(f, BOB);
    assert_non_null(auth_who(f, first));
    assert_int_equal(cov_token_hash(&f->fake.host, cov_str_from(id), hash), COV_OK);
    assert_status(f, auth_call(f, "GET", "/sessions", first, NULL), 200);
    wanted = auth_text(
        f,
        "{\"sessions\":[{\"id\":\"%.16s\",\"createdAt\":\"2023-11-14T22:13:20.000Z\",\"expiresAt\":"
        "\"2023-11-15T22:13:20.000Z\",\"lastActiveAt\":\"2023-11-14T22:15:20.000Z\",\"ipAddress\":"
        "\"192.0.2.1\",\"userAgent\":\"signup\",\"current\":true},{\"id\":\"",
        hash);
    assert_int_equal(strncmp(auth_body(f), wanted, strlen(wanted)), 0);
    assert_string_equal(
        auth_body(f) + strlen(wanted) + 16,
        "\",\"createdAt\":\"2023-11-14T22:15:20.000Z\",\"expiresAt\":"
        "\"2023-11-15T22:15:20.000Z\",\"lastActiveAt\":\"2023-11-14T22:15:20.000Z\","
        "\"ipAddress\":\"2001:db8::1\",\"userAgent\":\"phone\",\"current\":false}]}");
    assert_null(strstr(auth_body(f), id));
    assert_status(f, auth_call(f, "GET", "/sessions", second, NULL), 200);
    assert_non_null(strstr(auth_body(f), "\"phone\",\"current\":true"));
    assert_status(f, auth_call(f, "GET", "/sessions", NULL, NULL), 401);
}

static void end__one_session_at_once(void **state)
{
    auth_fixture *f = *state;
    const char *here = auth_sign_up(f, ANN);
    const char *there = auth_sign_in(f, ANN, "phone");
    const char *bob = auth_sign_up(f, BOB);
    const char *path = session_path(f, handle_of(f, here, "phone"));

    assert_non_null(auth_who(f, there));
    assert_detail(f, auth_call(f, "DELETE", path, bob, NULL), 404, "Session not found");
    assert_non_null(auth_who(f, there));
    assert_status(f, auth_call(f, "DELETE", path, here, NULL), 204);
    assert_int_equal(f->res.n_headers, 1); /* Cache-Control: the own cookie stays */
    assert_null(auth_who(f, there));
    assert_non_null(auth_who(f, here));
    assert_non_null(auth_who(f, bob));
    assert_status(f, auth_call(f, "DELETE", path, here, NULL), 404);
    assert_status(f, auth_call(f, "DELETE", "/sessions/", here, NULL), 404);
    assert_status(f, auth_call(f, "DELETE", "/sessions/a/b", here, NULL), 404);
}

static void end__the_current_session_clears_its_cookie(void **state)
{
    auth_fixture *f = *state;
    const char *here = auth_sign_up(f, ANN);
    const char *there = auth_sign_in(f, ANN, "phone");

    assert_status(f,
                  auth_call(f, "DELETE", session_path(f, handle_of(f, here, "signup")), here, NULL),
                  204);
    assert_string_equal(auth_cookies(f), "Cookie: session=; ");
    assert_null(auth_who(f, here));
    assert_non_null(auth_who(f, there));
}

static void end__all_others(void **state)
{
    auth_fixture *f = *state;
    const char *here = auth_sign_up(f, ANN);
    const char *others[] = { auth_sign_in(f, ANN, "a"), auth_sign_in(f, ANN, "b") };
    const char *bob = auth_sign_up(f, BOB);

    for (size_t i = 0; i < 2; i++)
        assert_non_null(auth_who(f, others[i]));
    assert_int_equal(count(f, here), 3);
    assert_status(f, auth_call(f, "DELETE", "/sessions", here, NULL), 204);
    for (size_t i = 0; i < 2; i++)
        assert_null(auth_who(f, others[i]));
    assert_int_equal(count(f, here), 1);
    assert_non_null(auth_who(f, bob));
    assert_status(f, auth_call(f, "DELETE", "/sessions", NULL, NULL), 401);
}

static void end__all_of_them(void **state)
{
    auth_fixture *f = *state;
    const char *here = auth_sign_up(f, ANN);
    const char *there = auth_sign_in(f, ANN, "a");
    const char *bob = auth_sign_up(f, BOB);

    assert_non_null(auth_who(f, there));
    assert_status(f, auth_call(f, "POST", "/logout-all", here, NULL), 200);
    assert_string_equal(auth_body(f), "{\"success\":true}");
    assert_string_equal(auth_cookies(f), "Cookie: session=; ");
    assert_null(auth_who(f, here));
    assert_null(auth_who(f, there));
    assert_non_null(auth_who(f, bob));
    assert_status(f, auth_call(f, "POST", "/logout-all", here, NULL), 401);
}

/* Left from before the configuration changed. */
static void list__leaves_out_the_other_kind(void **state)
{
    auth_fixture *f = *state;
    const char *here = auth_sign_up(f, ANN);
    cov_session other = { .id = COV_STR("refresh:x"), .created_ms = f->fake.now_ms };

    other.expires_ms = f->fake.now_ms + 60000;
    other.user_id = auth_who(f, here)->id;
    assert_int_equal(cov_session_put(&f->auth->store, &f->ctx, &other), COV_OK);
    assert_int_equal(count(f, here), 1);
}

static void list__leaves_out_what_is_over(void **state)
{
    auth_fixture *f = *state;
    const char *here;

    (void)auth_sign_up(f, ANN);
    fake_host_advance(&f->fake, 3600000);
    here = auth_sign_in(f, ANN, "a");
    assert_int_equal(count(f, here), 2);
    fake_host_advance(&f->fake, 86400000 - 3600000);
    assert_int_equal(count(f, here), 1);
}

/* ---- JWT ---- */

/* Headers of a client with bearer token and refresh cookie. */
static const char *jwt_client(auth_fixture *f, const char *agent)
{
    const char *cookie = auth_sign_in(f, ANN, agent);

    return auth_text(f, "%s\nAuthorization: Bearer %s", cookie, auth_member(f, "accessToken"));
}

static int refresh(auth_fixture *f, const char *client)
{
    return auth_call(f, "POST", "/refresh", client, NULL);
}

static void jwt_open(auth_fixture *f, bool in_database)
{
    char options[256];

    snprintf(options, sizeof options, JWT, in_database ? "database" : "kv");
    auth_open(f, in_database, options);
    (void)auth_sign_up(f, ANN);
}

static void check_jwt(bool in_database)
{
    auth_fixture f;
    const char *here;
    const char *there;

    jwt_open(&f, in_database);
    here = jwt_client(&f, "here");
    there = jwt_client(&f, "there");
    assert_int_equal(count(&f, here), 3);
    assert_non_null(strstr(auth_body(&f), "\"here\",\"current\":true"));
    assert_non_null(strstr(auth_body(&f), "\"there\",\"current\":false"));
    assert_status(&f,
                  auth_call(&f, "DELETE", session_path(&f, handle_of(&f, here, "signup")), here,
                            NULL),
                  204);
    assert_status(&f,
                  auth_call(&f, "DELETE", session_path(&f, handle_of(&f, here, "there")), here,
                            NULL),
                  204);
    assert_status(&f, refresh(&f, there), 401);
    assert_int_equal(count(&f, here), 1);
    there = jwt_client(&f, "there");
    assert_status(&f, auth_call(&f, "DELETE", "/sessions", here, NULL), 204);
    assert_status(&f, refresh(&f, there), 401);
    there = jwt_client(&f, "there");
    assert_status(&f, auth_call(&f, "POST", "/logout-all", here, NULL), 200);
    assert_string_equal(auth_cookies(&f), "Cookie: refreshToken=; ");
    assert_status(&f, refresh(&f, here), 401);
    assert_status(&f, refresh(&f, there), 401);
    auth_close(&f);
}

static void jwt__refresh_tokens_are_the_sessions(void **state)
{
    (void)state;
    check_jwt(false);
    check_jwt(true);
}

static void jwt__without_a_cookie_nothing_is_current(void **state)
{
    auth_fixture f;
    const char *client;

    (void)state;
    jwt_open(&f, true);
    client = strstr(jwt_client(&f, "here"), "Authorization");
    assert_int_equal(count(&f, client), 2);
    assert_null(strstr(auth_body(&f), "\"current\":true"));
    assert_status(&f, auth_call(&f, "DELETE", "/sessions", client, NULL), 204);
    assert_int_equal(count(&f, client), 0);
    auth_close(&f);
}

static void jwt__of_somebody_else_is_not_current(void **state)
{
    auth_fixture f;
    const char *bob;
    const char *ann;

    (void)state;
    jwt_open(&f, true);
    ann = strstr(jwt_client(&f, "here"), "Authorization");
    bob = auth_sign_up(&f, BOB);
    assert_int_equal(count(&f, auth_text(&f, "%s\n%s", bob, ann)), 2);
    assert_null(strstr(auth_body(&f), "\"current\":true"));
    auth_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(list__shows_sessions_and_never_their_ids),
        AUTH_TEST(end__one_session_at_once),
        AUTH_TEST(end__the_current_session_clears_its_cookie),
        AUTH_TEST(end__all_others),
        AUTH_TEST(end__all_of_them),
        AUTH_TEST(list__leaves_out_the_other_kind),
        AUTH_TEST(list__leaves_out_what_is_over),
        cmocka_unit_test(jwt__refresh_tokens_are_the_sessions),
        cmocka_unit_test(jwt__without_a_cookie_nothing_is_current),
        cmocka_unit_test(jwt__of_somebody_else_is_not_current),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
