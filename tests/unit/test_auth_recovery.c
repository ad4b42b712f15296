/* SPDX-License-Identifier: MIT */
/* One-time tokens and what they are for (spec/06 section 10, cases 43 to 49), on both stores. */
#include "accounts.h"

#define ANN "ann@example.com"
#define NEW_PASSWORD "a new password 2"

static int ask(accounts *f, const char *path, const char *email)
{
    return postf(f, path, "{\"email\":\"%s\"}", email);
}

static int give(accounts *f, const char *path, const char *email, const char *token)
{
    return postf(f, path, "{\"email\":\"%s\",\"token\":\"%s\",\"password\":\"" NEW_PASSWORD "\"}",
                 email, token);
}

/* ---- verification ---- */

static void verify__a_wrong_token_does_not_consume_the_right_one(void **state)
{
    accounts *f = *state;
    const char *token;

    sign_up(f, ANN);
    assert_status(f, ask(f, "/verify/request", ANN), 200);
    assert_string_equal(body_of(f), "{\"success\":true}");
    token = mailed_token(f);
    assert_detail(f, give(f, "/verify/confirm", ANN, "nope"), 400, "Invalid or expired token");
    assert_string_equal(sql_text(f, "SELECT verified_at FROM people"), "");
    assert_status(f, give(f, "/verify/confirm", ANN, token), 200);
    assert_string_equal(body_of(f), "{\"success\":true}");
    assert_string_equal(sql_text(f, "SELECT verified_at FROM people"), "2023-11-14T22:13:20.000Z");
    assert_detail(f, give(f, "/verify/confirm", ANN, token), 400, "Invalid or expired token");
}

static void verify__a_second_token_ends_the_first(void **state)
{
    accounts *f = *state;
    const char *first;
    const char *second;

    sign_up(f, ANN);
    assert_status(f, ask(f, "/verify/request", ANN), 200);
    first = mailed_token(f);
    assert_status(f, ask(f, "/verify/request", ANN), 200);
    second = mailed_token(f);
    assert_string_not_equal(first, second);
    assert_status(f, give(f, "/verify/confirm", ANN, first), 400);
    assert_status(f, give(f, "/verify/confirm", ANN, second), 200);
}

static void verify__mails_only_who_has_an_account_that_is_not_verified(void **state)
{
    accounts *f = *state;

    sign_up(f, ANN);
    assert_status(f, ask(f, "/verify/request", "bob@example.com"), 200);
    assert_int_equal(f->n_mails, 0);
    assert_status(f, ask(f, "/verify/request", ANN), 200);
    assert_int_equal(f->n_mails, 1);
    assert_status(f, give(f, "/verify/confirm", ANN, mailed_token(f)), 200);
    assert_status(f, ask(f, "/verify/request", ANN), 200);
    assert_int_equal(f->n_mails, 1);
}

static void verify__says_what_is_missing(void **state)
{
    static const struct {
        const char *path;
        const char *body;
        const char *detail;
    } rows[] = {
        { "/verify/request", "", "Email is required" },
        { "/verify/request", "[]", "Email is required" },
        { "/verify/request", "null", "Email is required" },
        { "/verify/request", "{\"email\":7}", "Email is required" },
        { "/verify/confirm", "{\"email\":\"a@b.c\"}", "Email and token are required" },
        { "/verify/confirm", "{\"email\":\"a@b.c\",\"token\":1}", "Email and token are required" },
        { "/password/forgot", "{}", "Email is required" },
        { "/password/reset", "{\"email\":\"a@b.c\",\"token\":\"t\"}",
          "Email, token and password are required" },
        { "/password/reset", "{\"password\":\"x\",\"token\":\"t\"}",
          "Email, token and password are required" },
        { "/magic-link/request", "{\"email\":\"\"}", "Email is required" },
        { "/magic-link/verify", "{\"token\":\"t\"}", "Email and token are required" },
    };

    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_detail((accounts *)*state, post(*state, rows[i].path, rows[i].body), 400,
                      rows[i].detail);
}

/* ---- what is stored ---- */

static const char *key_with(accounts *f, const char *pattern)
{
    cov_str arg = cov_str_from(pattern);
    cov_kv_reply reply;
    cov_error err;

    cov_error_init(&err, f->arena);
    assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_KEYS, &arg, 1, &reply, &err), COV_OK);
    return reply.n == 0 ? NULL : cov_arena_str(f->arena, reply.items[0].s).ptr;
}

static const char *value_of(accounts *f, const char *key)
{
    cov_str value;
    cov_error err;

    cov_error_init(&err, f->arena);
    assert_int_equal(cov_kv_get(f->kv, f->arena, cov_str_from(key), &value, &err), COV_OK);
    return value.ptr != NULL ? cov_arena_str(f->arena, value).ptr : "";
}

static const char *sha256_hex(accounts *f, const char *text)
{
    uint8_t digest[COV_SHA256_BYTES];
    cov_buf hex = COV_BUF_IN(f->arena);

    assert_int_equal(f->fake.host.digest(f->fake.host.self, COV_SHA256, cov_str_from(text), digest),
                     COV_OK);
    for (size_t i = 0; i < sizeof digest; i++)
        cov_buf_printf(&hex, "%02x", digest[i]);
    cov_buf_char(&hex, '\0');
    return hex.ptr;
}

static void tokens__are_stored_as_hashes(void **state)
{
    accounts *f = *state;
    const char *hash;
    char expected[512];

    sign_up(f, ANN);
    assert_status(f, ask(f, "/password/forgot", ANN), 200);
    hash = sha256_hex(f, mailed_token(f));
    if (f->in_database) {
        assert_string_equal(sql_text(f, "SELECT identifier||' '||token||' '||expires FROM "
                                        "auth_verification_tokens"),
                            cov_arena_printf(f->arena, "reset:" ANN " %s 1700003600", hash).ptr);
        assert_null(key_with(f, "verif:*"));
        return;
    }
    snprintf(expected, sizeof expected, "verif:reset:" ANN " %s", hash);
    assert_string_equal(key_with(f, "verif:reset:*"), expected);
    assert_string_equal(value_of(f, expected), cov_arena_printf(f->arena,
                                                                "{\"identifier\":\"reset:" ANN
                                                                "\",\"token\":\"%s\",\"expires\":"
                                                                "\"2023-11-14T23:13:20.000Z\"}",
                                                                hash)
                                                   .ptr);
    assert_non_null(key_with(f, "verif:idx:reset:" ANN));
    assert_string_equal(sql_text(f, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'auth%'"),
                        "0");
}

static void tokens__leave_nothing_behind(void **state)
{
    accounts *f = *state;

    sign_up(f, ANN);
    assert_status(f, ask(f, "/password/forgot", ANN), 200);
    assert_status(f, give(f, "/password/reset", ANN, mailed_token(f)), 200);
    if (f->in_database)
        assert_string_equal(sql_text(f, "SELECT count(*) FROM auth_verification_tokens"), "0");
    assert_null(key_with(f, "verif:*"));
}

/* Addresses without an account share one slot, so that naming many fills nothing. */
static void tokens__of_nobody_do_not_pile_up(void **state)
{
    accounts *f = *state;

    assert_status(f, ask(f, "/password/forgot", "x@example.com"), 200);
    assert_status(f, ask(f, "/password/forgot", "y@example.com"), 200);
    if (f->in_database)
        assert_string_equal(sql_text(f,
                                     "SELECT count(*)||identifier FROM auth_verification_tokens"),
                            "1reset:");
    else
        assert_string_equal(key_with(f, "verif:idx:*"), "verif:idx:reset:");
}

static void tokens__expire(void **state)
{
    accounts *f = *state;
    const char *token;

    sign_up(f, ANN);
    assert_status(f, ask(f, "/magic-link/request", ANN), 200);
    token = mailed_token(f);
    fake_host_advance(&f->fake, 900000);
    assert_detail(f, give(f, "/magic-link/verify", ANN, token), 401, "Invalid or expired token");
    assert_status(f, ask(f, "/magic-link/request", ANN), 200);
    token = mailed_token(f);
    fake_host_advance(&f->fake, 1000000);
    assert_status(f, give(f, "/magic-link/verify", ANN, token), 401);
    assert_status(f, ask(f, "/magic-link/request", ANN), 200);
    fake_host_advance(&f->fake, 899000 - 1);
    assert_status(f, give(f, "/magic-link/verify", ANN, mailed_token(f)), 200);
}

/* A later token takes expired rows with it, and no others. */
static void tokens__that_expired_are_removed(void **state)
{
    accounts *f = *state;

    sign_up(f, ANN);
    sign_up(f, "bob@example.com");
    assert_status(f, ask(f, "/magic-link/request", ANN), 200);
    assert_status(f, ask(f, "/verify/request", ANN), 200);
    fake_host_advance(&f->fake, 900000);
    assert_status(f, ask(f, "/magic-link/request", "bob@example.com"), 200);
    assert_string_equal(sql_text(f, "SELECT group_concat(identifier) FROM (SELECT identifier FROM "
                                    "auth_verification_tokens ORDER BY 1)"),
                        "magic:bob@example.com,verify:" ANN);
}

static void tokens__are_good_for_one_purpose(void **state)
{
    static const char *const requests[] = { "/verify/request", "/password/forgot",
                                            "/magic-link/request" };
    static const char *const uses[] = { "/verify/confirm", "/password/reset",
                                        "/magic-link/verify" };
    accounts *f = *state;

    sign_up(f, ANN);
    for (size_t i = 0; i < COV_COUNT_OF(requests); i++) {
        const char *token;

        assert_status(f, ask(f, requests[i], ANN), 200);
        token = mailed_token(f);
        for (size_t j = 0; j < COV_COUNT_OF(uses); j++)
            if (j != i)
                assert_true(give(f, uses[j], ANN, token) >= 400);
        fake_host_advance(&f->fake, 1);
        f->address = i == 0 ? "9.9.9.8" : "9.9.9.7";
        assert_status(f, give(f, uses[i], ANN, token), 200);
    }
}

static void tokens__are_good_for_one_address(void **state)
{
    accounts *f = *state;

    sign_up(f, ANN);
    sign_up(f, "bob@example.com");
    assert_status(f, ask(f, "/magic-link/request", ANN), 200);
    assert_status(f, give(f, "/magic-link/verify", "bob@example.com", mailed_token(f)), 401);
    assert_status(f, give(f, "/magic-link/verify", ANN "\\u0000x", mailed_token(f)), 401);
    assert_status(f, give(f, "/magic-link/verify", ANN, mailed_token(f)), 200);
}

/* The column compares without case: the token is of the account's address, and goes there. */
static void tokens__go_to_the_address_of_the_account(void **state)
{
    accounts *f = *state;

    sign_up(f, ANN);
    assert_status(f, ask(f, "/magic-link/request", "ANN@EXAMPLE.COM"), 200);
    assert_non_null(strstr(f->mail, "\"to\":[\"" ANN "\"]"));
    assert_non_null(strstr(f->mail, "email=ann%40example.com"));
    assert_status(f, give(f, "/magic-link/verify", ANN, mailed_token(f)), 200);
}

/* ---- what a stranger learns ---- */

static void requests__answer_the_same_for_known_and_unknown(void **state)
{
    static const char *const paths[] = { "/verify/request", "/password/forgot",
                                         "/magic-link/request" };
    accounts *f = *state;

    sign_up(f, ANN);
    for (size_t i = 0; i < COV_COUNT_OF(paths); i++) {
        char known[2048];
        size_t mails = f->n_mails;

        assert_status(f, ask(f, paths[i], ANN), 200);
        assert_int_equal(f->n_mails, mails + 1);
        snprintf(known, sizeof known, "%s%s", headers_of(f), body_of(f));
        f->address = "8.8.8.8";
        assert_status(f, ask(f, paths[i], "nobody@example.com"), 200);
        assert_int_equal(f->n_mails, mails + 1);
        assert_string_equal(cov_arena_printf(f->arena, "%s%s", headers_of(f), body_of(f)).ptr,
                            known);
        f->address = "9.9.9.9";
    }
}

static void requests__hide_that_a_mail_could_not_be_sent(void **state)
{
    accounts *f = *state;

    sign_up(f, ANN);
    f->mail_fails = true;
    assert_status(f, ask(f, "/password/forgot", ANN), 200);
    assert_string_equal(body_of(f), "{\"success\":true}");
    assert_true(fake_host_has_logged(&f->fake, "A mail could not be sent"));
    assert_true(fake_host_has_logged(&f->fake, "mail.example.com cannot be reached"));
}

/* Nothing of the request decides where the link leads. */
static void requests__link_to_where_the_configuration_says(void **state)
{
    accounts *f = *state;

    sign_up(f, "a+b&url=x@example.com");
    assert_status(f,
                  postf(f, "/magic-link/request",
                        "{\"email\":\"a+b&url=x@example.com\",\"url\":\"https://evil.example\","
                        "\"redirect\":\"https://evil.example\"}"),
                  200);
    assert_null(strstr(f->mail, "evil"));
    assert_non_null(strstr(f->mail, "https://app.example.com/login?token="));
    assert_non_null(
        strstr(f->mail, "&email=a%2Bb%26url%3Dx%40example.com&until=2023-11-14T22%3A28%3A20.000Z"));
    assert_non_null(strstr(f->mail, "\"subject\":\"Sign in as a+b&url=x@example.com\""));
    assert_non_null(strstr(f->mail, "within 15 minutes"));
}

static void requests__are_limited_for_an_address(void **state)
{
    static const char *const from[] = { "1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.5" };
    accounts *f = *state;

    sign_up(f, ANN);
    for (size_t i = 0; i < COV_COUNT_OF(from); i++) {
        f->address = from[i];
        assert_status(f, ask(f, i % 2 == 0 ? "/password/forgot" : "/magic-link/request", ANN), 200);
    }
    f->address = "1.1.1.6";
    assert_detail(f, ask(f, "/password/forgot", ANN), 429, "\"retryAfter\":900");
    assert_detail(f, ask(f, "/magic-link/request", "ANN@example.com"), 429, "Too many attempts");
    assert_status(f, ask(f, "/password/forgot", "bob@example.com"), 200);
    assert_int_equal(f->n_mails, 5);
    fake_host_advance(&f->fake, 900001);
    assert_status(f, ask(f, "/password/forgot", ANN), 200);
}

static void requests__are_limited_for_a_client(void **state)
{
    accounts *f = *state;

    for (int i = 0; i < 5; i++)
        assert_status(f, postf(f, "/password/forgot", "{\"email\":\"p%d@example.com\"}", i), 200);
    assert_status(f, ask(f, "/password/forgot", "q@example.com"), 429);
    f->address = "8.8.8.8";
    assert_status(f, ask(f, "/password/forgot", "q@example.com"), 200);
}

/* ---- guesses ---- */

static void guesses__are_limited_for_a_client_and_lock_nobody_out(void **state)
{
    accounts *f = *state;
    const char *token;

    sign_up(f, ANN);
    assert_status(f, ask(f, "/password/forgot", ANN), 200);
    token = mailed_token(f);
    for (int i = 0; i < 5; i++)
        assert_status(f, give(f, "/password/reset", ANN, "guess"), 400);
    assert_status(f, give(f, "/password/reset", ANN, token), 429);
    assert_status(f, give(f, "/magic-link/verify", ANN, "guess"), 429);
    assert_status(f, give(f, "/verify/confirm", ANN, "guess"), 429);
    f->address = "8.8.8.8";
    assert_status(f, give(f, "/password/reset", ANN, token), 200);
}

/* ---- resets ---- */

static void reset__refuses_a_weak_password_before_the_token_is_consumed(void **state)
{
    accounts *f = *state;
    const char *token;

    sign_up(f, ANN);
    assert_status(f, ask(f, "/password/forgot", ANN), 200);
    token = mailed_token(f);
    assert_detail(f,
                  postf(f, "/password/reset",
                        "{\"email\":\"" ANN "\",\"token\":\"%s\",\"password\":\"abc\"}", token),
                  400,
                  "\"errors\":[{\"field\":\"password\",\"message\":\"Password must be at least 10 "
                  "characters long\"}");
    assert_status(f, give(f, "/password/reset", ANN, token), 200);
    assert_string_equal(body_of(f), "{\"success\":true}");
    assert_null(set_cookie_of(f, "session"));
    assert_status(f, log_in(f, ANN, "correct horse 1"), 401);
    assert_status(f, log_in(f, ANN, NEW_PASSWORD), 200);
}

static void reset__ends_all_sessions(void **state)
{
    accounts *f = *state;
    char first[sizeof f->cookies];

    sign_up(f, ANN);
    assert_status(f, log_in(f, ANN, "correct horse 1"), 200);
    memcpy(first, f->cookies, sizeof first);
    forget_cookies(f);
    assert_status(f, log_in(f, ANN, "correct horse 1"), 200);
    assert_detail(f, get(f, "/me"), 200, "\"email\":\"" ANN "\"");
    assert_status(f, ask(f, "/password/forgot", ANN), 200);
    assert_status(f, give(f, "/password/reset", ANN, mailed_token(f)), 200);
    assert_detail(f, get(f, "/me"), 200, "{\"user\":null}");
    memcpy(f->cookies, first, sizeof first);
    assert_detail(f, get(f, "/me"), 200, "{\"user\":null}");
}

static void reset__opens_a_login_that_was_locked(void **state)
{
    accounts *f = *state;

    sign_up(f, ANN);
    f->address = "6.6.6.6";
    for (int i = 0; i < 5; i++)
        assert_status(f, log_in(f, ANN, "wrong"), 401);
    f->address = "9.9.9.9";
    assert_status(f, log_in(f, ANN, "correct horse 1"), 429);
    assert_status(f, ask(f, "/password/forgot", ANN), 200);
    assert_status(f, give(f, "/password/reset", ANN, mailed_token(f)), 200);
    assert_status(f, log_in(f, ANN, NEW_PASSWORD), 200);
}

static void reset__can_leave_sessions(void **state)
{
    accounts f;
    bool in_database = ((accounts *)*state)->in_database;

    accounts_open(&f, in_database, "passwordReset",
                  "{\"logoutEverywhere\":false,\"url\":\"https://a.example/?token={token}\"}");
    sign_up(&f, ANN);
    assert_status(&f, log_in(&f, ANN, "correct horse 1"), 200);
    assert_status(&f, ask(&f, "/password/forgot", ANN), 200);
    assert_status(&f, give(&f, "/password/reset", ANN, mailed_token(&f)), 200);
    assert_detail(&f, get(&f, "/me"), 200, "\"email\":\"" ANN "\"");
    accounts_close(&f);
}

/* ---- magic links ---- */

static void magic__logs_in_once(void **state)
{
    accounts *f = *state;
    const char *token;

    sign_up(f, ANN);
    assert_status(f, ask(f, "/magic-link/request", ANN), 200);
    token = mailed_token(f);
    assert_detail(f, give(f, "/magic-link/verify", ANN, token), 200,
                  "\"email\":\"" ANN "\",\"name\":null,\"image\":null},\"sessionId\":\"");
    assert_non_null(set_cookie_of(f, "session"));
    assert_detail(f, get(f, "/me"), 200, "\"email\":\"" ANN "\"");
    assert_detail(f, give(f, "/magic-link/verify", ANN, token), 401, "Invalid or expired token");
}

static void magic__without_a_page_mails_the_token(void **state)
{
    accounts f;

    accounts_open(&f, ((accounts *)*state)->in_database, "magicLink", "true");
    sign_up(&f, ANN);
    assert_status(&f, ask(&f, "/magic-link/request", ANN), 200);
    assert_non_null(strstr(f.mail, "\"subject\":\"Your sign-in link\""));
    assert_null(strstr(f.mail, "http"));
    accounts_close(&f);
}

#define T ACCOUNTS_TEST

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(verify__a_wrong_token_does_not_consume_the_right_one),
        T(verify__a_second_token_ends_the_first),
        T(verify__mails_only_who_has_an_account_that_is_not_verified),
        T(verify__says_what_is_missing),
        T(tokens__are_stored_as_hashes),
        T(tokens__leave_nothing_behind),
        T(tokens__of_nobody_do_not_pile_up),
        T(tokens__expire),
        { "database: tokens__that_expired_are_removed", tokens__that_expired_are_removed,
          accounts_setup_database, accounts_teardown, NULL },
        T(tokens__are_good_for_one_purpose),
        T(tokens__are_good_for_one_address),
        T(tokens__go_to_the_address_of_the_account),
        T(requests__answer_the_same_for_known_and_unknown),
        T(requests__hide_that_a_mail_could_not_be_sent),
        T(requests__link_to_where_the_configuration_says),
        T(requests__are_limited_for_an_address),
        T(requests__are_limited_for_a_client),
        T(guesses__are_limited_for_a_client_and_lock_nobody_out),
        T(reset__refuses_a_weak_password_before_the_token_is_consumed),
        T(reset__ends_all_sessions),
        T(reset__opens_a_login_that_was_locked),
        T(reset__can_leave_sessions),
        T(magic__logs_in_once),
        T(magic__without_a_page_mails_the_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
