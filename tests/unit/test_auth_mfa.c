/* SPDX-License-Identifier: MIT */
/* The second factor over its routes (spec/06 section 11.3, cases 51 to 55), on both stores. */
#include "accounts.h"
#include "auth/totp.h"

#define ANN "ann@example.com"
#define PASSWORD "correct horse 1"

typedef struct enrolment {
    char secret[64];
    char backup[2][16];
} enrolment;

/* ---- codes ---- */

/* The code of `steps` from now; in one of two buffers, so that two can be compared. */
static const char *code_at(accounts *f, const char *secret, int steps)
{
    static char codes[2][COV_TOTP_DIGITS + 1];
    static int next;
    char *out = codes[next++ % 2];
    cov_buf key = COV_BUF_IN(f->arena);
    int64_t step = atomic_load(&f->fake.now_ms) / 1000 / COV_TOTP_STEP_S + steps;

    assert_true(cov_base32_decode(&key, cov_str_from(secret)));
    assert_int_equal(cov_totp_code(&f->fake.host, cov_buf_view(&key), (uint64_t)step, out), COV_OK);
    out[COV_TOTP_DIGITS] = '\0';
    return out;
}

static const char *wrong_code(accounts *f, const char *secret)
{
    const char *code = code_at(f, secret, 0);

    return strcmp(code, "000000") == 0 ? "000001" : "000000";
}

static void next_step(accounts *f)
{
    fake_host_advance(&f->fake, COV_TOTP_STEP_S * 1000);
}

static void copy_member(accounts *f, const char *before, char *out, size_t len)
{
    const char *at = strstr(body_of(f), before);

    assert_non_null(at);
    memcpy(out, at + strlen(before), len);
    out[len] = '\0';
}

static void read_offer(accounts *f, enrolment *e)
{
    char first[32];

    copy_member(f, "\"secret\":\"", e->secret, 32);
    copy_member(f, "\"backupCodes\":[\"", e->backup[0], COV_BACKUP_CODE_CHARS);
    snprintf(first, sizeof first, "%s\",\"", e->backup[0]);
    copy_member(f, first, e->backup[1], COV_BACKUP_CODE_CHARS);
}

/* Ann with a second factor, logged in; the code that confirmed it is used up and its time over. */
static void enroll(accounts *f, enrolment *e)
{
    sign_up(f, ANN);
    assert_status(f, log_in(f, ANN, PASSWORD), 200);
    assert_status(f, post(f, "/mfa/enroll", ""), 200);
    read_offer(f, e);
    assert_status(f, postf(f, "/mfa/enroll/confirm", "{\"code\":\"%s\"}", code_at(f, e->secret, 0)),
                  200);
    assert_string_equal(body_of(f), "{\"success\":true,\"enabled\":true}");
    next_step(f);
}

static int log_in_with(accounts *f, const char *code)
{
    return postf(f, "/login",
                 "{\"email\":\"" ANN "\",\"password\":\"" PASSWORD "\",\"mfaCode\":\"%s\"}", code);
}

static int verify(accounts *f, const char *code)
{
    return postf(f, "/mfa/verify", "{\"email\":\"" ANN "\",\"code\":\"%s\"}", code);
}

/* The password is given, the code is missing. */
static void begin_login(accounts *f)
{
    forget_cookies(f);
    assert_status(f, log_in(f, ANN, PASSWORD), 401);
    assert_string_equal(body_of(f), "{\"mfaRequired\":true}");
}

/* ---- enrolment ---- */

static void enroll__needs_a_user(void **state)
{
    accounts *f = *state;

    assert_detail(f, post(f, "/mfa/enroll", ""), 401, "Authentication required");
    assert_detail(f, post(f, "/mfa/enroll/confirm", "{\"code\":\"1\"}"), 401,
                  "Authentication required");
    assert_detail(f, post(f, "/mfa/disable", "{\"code\":\"1\"}"), 401, "Authentication required");
}

static void enroll__shows_secret_address_and_codes(void **state)
{
    accounts *f = *state;
    enrolment e;
    char uri[256];

    sign_up(f, ANN);
    assert_status(f, log_in(f, ANN, PASSWORD), 200);
    assert_status(f, post(f, "/mfa/enroll", ""), 200);
    read_offer(f, &e);
    snprintf(
        uri, sizeof uri,
        "\"otpauthUri\":\"otpauth://totp/My%%20App:ann%%40example.com?secret=%s&algorithm=SHA1&"
        "digits=6&period=30&issuer=My+App\"",
        e.secret);
    assert_true(body_has(f, uri));
    assert_status(f, log_in(f, ANN, PASSWORD), 200); /* not before it is confirmed */
}

static void confirm__says_what_is_wrong(void **state)
{
    accounts *f = *state;
    enrolment e;

    sign_up(f, ANN);
    assert_status(f, log_in(f, ANN, PASSWORD), 200);
    assert_detail(f, post(f, "/mfa/enroll/confirm", "{\"code\":\"123456\"}"), 400,
                  "No pending MFA enrollment");
    assert_status(f, post(f, "/mfa/enroll", ""), 200);
    read_offer(f, &e);
    assert_detail(f, post(f, "/mfa/enroll/confirm", "{}"), 400, "Code is required");
    assert_detail(f, post(f, "/mfa/enroll/confirm", "{\"code\":123456}"), 400, "Code is required");
    assert_detail(f, postf(f, "/mfa/enroll/confirm", "{\"code\":\"%s\"}", wrong_code(f, e.secret)),
                  400, "Invalid MFA code");
    assert_detail(f, postf(f, "/mfa/enroll/confirm", "{\"code\":\"%s\"}", e.backup[0]), 400,
                  "Invalid MFA code");
    assert_status(f,
                  postf(f, "/mfa/enroll/confirm", "{\"code\":\" %s \"}", code_at(f, e.secret, 0)),
                  200);
    assert_detail(f, postf(f, "/mfa/enroll/confirm", "{\"code\":\"%s\"}", code_at(f, e.secret, 1)),
                  400, "No pending MFA enrollment");
}

static void confirm__comes_within_ten_minutes(void **state)
{
    accounts *f = *state;
    enrolment e;

    sign_up(f, ANN);
    assert_status(f, log_in(f, ANN, PASSWORD), 200);
    assert_status(f, post(f, "/mfa/enroll", ""), 200);
    read_offer(f, &e);
    fake_host_advance(&f->fake, 600000);
    assert_detail(f, postf(f, "/mfa/enroll/confirm", "{\"code\":\"%s\"}", code_at(f, e.secret, 0)),
                  400, "No pending MFA enrollment");
}

static void enroll__of_an_enabled_account_needs_a_code(void **state)
{
    accounts *f = *state;
    enrolment old;
    enrolment new;

    enroll(f, &old);
    assert_detail(f, post(f, "/mfa/enroll", ""), 409, "a current code is needed");
    assert_detail(f, postf(f, "/mfa/enroll", "{\"code\":\"%s\"}", wrong_code(f, old.secret)), 409,
                  "Invalid MFA code");
    assert_detail(f, post(f, "/mfa/enroll", "{\"code\":123456}"), 409, "a current code is needed");
    begin_login(f); /* it stayed on */
    assert_status(f, verify(f, code_at(f, old.secret, 0)), 200);
    next_step(f);
    assert_status(f, postf(f, "/mfa/enroll", "{\"code\":\"%s\"}", code_at(f, old.secret, 0)), 200);
    read_offer(f, &new);
    next_step(f);
    forget_cookies(f);
    assert_status(f, log_in_with(f, code_at(f, old.secret, 0)),
                  200); /* until the new one is confirmed */
    assert_status(f,
                  postf(f, "/mfa/enroll/confirm", "{\"code\":\"%s\"}", code_at(f, new.secret, 0)),
                  200);
    next_step(f);
    forget_cookies(f);
    assert_status(f, log_in_with(f, code_at(f, old.secret, 0)), 401);
    assert_status(f, log_in_with(f, old.backup[0]), 401);
    assert_status(f, log_in_with(f, code_at(f, new.secret, 0)), 200);
    assert_status(f, log_in_with(f, new.backup[0]), 200);
}

/* ---- logins ---- */

static void login__asks_for_the_second_factor(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    begin_login(f);
    assert_null(set_cookie_of(f, "session"));
    assert_detail(f, log_in_with(f, wrong_code(f, e.secret)), 401, "Invalid MFA code");
    assert_status(f, log_in_with(f, code_at(f, e.secret, 0)), 200);
    assert_true(body_has(f, "\"sessionId\""));
}

static void login__takes_no_code_twice(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    assert_status(f, log_in_with(f, code_at(f, e.secret, 0)), 200);
    assert_detail(f, log_in_with(f, code_at(f, e.secret, 0)), 401, "Invalid MFA code");
    assert_status(f, log_in_with(f, code_at(f, e.secret, -1)), 401); /* older than the last */
    assert_status(f, log_in_with(f, code_at(f, e.secret, 1)), 200);
    next_step(f);
    assert_status(f, log_in_with(f, code_at(f, e.secret, 0)), 401);
}

/* The code that confirmed the enrolment was used. */
static void login__takes_no_code_of_the_enrolment(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    assert_status(f, log_in_with(f, code_at(f, e.secret, -1)), 401);
}

static void login__takes_a_backup_code_once(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    assert_status(f, log_in_with(f, e.backup[1]), 200);
    assert_detail(f, log_in_with(f, e.backup[1]), 401, "Invalid MFA code");
    assert_status(f, log_in_with(f, e.backup[0]), 200);
    assert_status(f, log_in_with(f, e.backup[0]), 401);
}

static void login__does_not_ask_when_told_so(void **state)
{
    accounts f;
    enrolment e;

    accounts_open(&f, ((accounts *)*state)->in_database, "mfa",
                  "{\"requireOnLogin\":false,\"backupCodes\":2}");
    sign_up(&f, ANN);
    assert_status(&f, log_in(&f, ANN, PASSWORD), 200);
    assert_status(&f, post(&f, "/mfa/enroll", ""), 200);
    read_offer(&f, &e);
    assert_status(&f,
                  postf(&f, "/mfa/enroll/confirm", "{\"code\":\"%s\"}", code_at(&f, e.secret, 0)),
                  200);
    assert_status(&f, log_in(&f, ANN, PASSWORD), 200);
    accounts_close(&f);
}

/* ---- /mfa/verify ---- */

static void verify__needs_a_login_that_waits(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    forget_cookies(f);
    assert_detail(f, verify(f, code_at(f, e.secret, 0)), 401, "Invalid MFA code");
    snprintf(f->cookies, sizeof f->cookies, "mfa_pending=guess");
    assert_detail(f, verify(f, code_at(f, e.secret, 0)), 401, "Invalid MFA code");
    begin_login(f);
    assert_status(f, verify(f, code_at(f, e.secret, 0)), 200); /* the code was not looked at */
}

static void verify__finishes_the_login_once(void **state)
{
    accounts *f = *state;
    enrolment e;
    char waiting[sizeof f->cookies];
    const char *cookie;

    enroll(f, &e);
    begin_login(f);
    cookie = set_cookie_of(f, "mfa_pending");
    assert_non_null(cookie);
    assert_non_null(strstr(cookie, "; Max-Age=300; Path=/; HttpOnly; SameSite=Strict"));
    memcpy(waiting, f->cookies, sizeof waiting);
    assert_detail(f, verify(f, code_at(f, e.secret, 0)), 200, "\"email\":\"" ANN "\"");
    assert_true(body_has(f, "\"sessionId\":\""));
    assert_non_null(set_cookie_of(f, "session"));
    assert_string_equal(set_cookie_of(f, "mfa_pending"), "mfa_pending=; Max-Age=0; Path=/");
    assert_detail(f, get(f, "/me"), 200, "\"email\":\"" ANN "\"");
    next_step(f);
    memcpy(f->cookies, waiting, sizeof waiting);
    assert_detail(f, verify(f, code_at(f, e.secret, 0)), 401, "Invalid MFA code");
}

static void verify__says_what_is_missing(void **state)
{
    static const char *const bodies[] = { "", "{\"email\":\"" ANN "\"}", "{\"code\":\"123456\"}",
                                          "{\"email\":\"" ANN "\",\"code\":123456}",
                                          "{\"email\":1,\"code\":\"123456\"}" };

    for (size_t i = 0; i < COV_COUNT_OF(bodies); i++)
        assert_detail((accounts *)*state, post(*state, "/mfa/verify", bodies[i]), 400,
                      "Email and code are required");
}

static void verify__is_for_the_account_that_waits(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    sign_up(f, "bob@example.com");
    begin_login(f);
    assert_detail(f,
                  postf(f, "/mfa/verify", "{\"email\":\"bob@example.com\",\"code\":\"%s\"}",
                        code_at(f, e.secret, 0)),
                  401, "Invalid MFA code");
    assert_status(f, verify(f, code_at(f, e.secret, 0)), 200);
}

static void verify__waits_five_minutes(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    begin_login(f);
    fake_host_advance(&f->fake, 299999);
    assert_status(f, verify(f, code_at(f, e.secret, 0)), 200);
    next_step(f);
    begin_login(f);
    fake_host_advance(&f->fake, 300000);
    assert_status(f, verify(f, code_at(f, e.secret, 0)), 401);
}

/* With the throttle off, so that it is the waiting login that ends. */
static void verify__gives_up_after_some_wrong_codes(void **state)
{
    accounts f;
    enrolment e;

    accounts_open(&f, ((accounts *)*state)->in_database, "throttle", "false");
    enroll(&f, &e);
    begin_login(&f);
    for (int i = 0; i < 5; i++)
        assert_status(&f, verify(&f, wrong_code(&f, e.secret)), 401);
    assert_status(&f, verify(&f, code_at(&f, e.secret, 0)), 401);
    begin_login(&f);
    assert_status(&f, verify(&f, code_at(&f, e.secret, 0)), 200);
    accounts_close(&f);
}

/* A new login gives no new guesses, nor does another way to give a code, nor another address. */
static void codes__are_limited_for_an_account(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    for (int i = 0; i < 5; i++) {
        f->address = i % 2 == 0 ? "1.1.1.1" : "1.1.1.2";
        begin_login(f);
        assert_status(f, verify(f, wrong_code(f, e.secret)), 401);
    }
    f->address = "1.1.1.3";
    begin_login(f);
    assert_detail(f, verify(f, code_at(f, e.secret, 0)), 429, "Too many attempts");
    assert_status(f, log_in_with(f, code_at(f, e.secret, 0)), 429);
    fake_host_advance(&f->fake, 900001);
    begin_login(f);
    assert_status(f, verify(f, code_at(f, e.secret, 0)), 200);
}

/* ---- magic links ---- */

static void magic__link_does_not_stand_for_the_second_factor(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    forget_cookies(f);
    assert_status(f, post(f, "/magic-link/request", "{\"email\":\"" ANN "\"}"), 200);
    assert_status(f,
                  postf(f, "/magic-link/verify", "{\"email\":\"" ANN "\",\"token\":\"%s\"}",
                        mailed_token(f)),
                  401);
    assert_string_equal(body_of(f), "{\"mfaRequired\":true}");
    assert_null(set_cookie_of(f, "session"));
    assert_status(f, verify(f, code_at(f, e.secret, 0)), 200);
    assert_non_null(set_cookie_of(f, "session"));
}

/* ---- off ---- */

static void disable__needs_a_code(void **state)
{
    accounts *f = *state;
    enrolment e;

    enroll(f, &e);
    assert_detail(f, post(f, "/mfa/disable", "{}"), 400, "Code is required");
    assert_detail(f, post(f, "/mfa/disable", "{\"code\":[]}"), 400, "Code is required");
    assert_detail(f, postf(f, "/mfa/disable", "{\"code\":\"%s\"}", wrong_code(f, e.secret)), 400,
                  "Invalid MFA code");
    assert_status(f, postf(f, "/mfa/disable", "{\"code\":\"%s\"}", e.backup[0]), 200);
    assert_string_equal(body_of(f), "{\"success\":true,\"enabled\":false}");
    assert_detail(f, postf(f, "/mfa/disable", "{\"code\":\"%s\"}", code_at(f, e.secret, 0)), 400,
                  "MFA is not enabled");
    forget_cookies(f);
    assert_status(f, log_in(f, ANN, PASSWORD), 200);
    assert_string_equal(sql_text(f,
                                 f->in_database ? "SELECT count(*) FROM auth_mfa" : "SELECT '0'"),
                        "0");
}

/* A login that waited has nothing to wait for. */
static void disable__ends_logins_that_wait(void **state)
{
    accounts *f = *state;
    enrolment e;
    char session[sizeof f->cookies];
    char waiting[sizeof f->cookies];

    enroll(f, &e);
    memcpy(session, f->cookies, sizeof session);
    begin_login(f);
    memcpy(waiting, f->cookies, sizeof waiting);
    memcpy(f->cookies, session, sizeof session);
    assert_status(f, postf(f, "/mfa/disable", "{\"code\":\"%s\"}", code_at(f, e.secret, 0)), 200);
    next_step(f);
    memcpy(f->cookies, waiting, sizeof waiting);
    assert_status(f, verify(f, code_at(f, e.secret, 0)), 401);
}

#define T ACCOUNTS_TEST

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(enroll__needs_a_user),
        T(enroll__shows_secret_address_and_codes),
        T(confirm__says_what_is_wrong),
        T(confirm__comes_within_ten_minutes),
        T(enroll__of_an_enabled_account_needs_a_code),
        T(login__asks_for_the_second_factor),
        T(login__takes_no_code_twice),
        T(login__takes_no_code_of_the_enrolment),
        T(login__takes_a_backup_code_once),
        T(login__does_not_ask_when_told_so),
        T(verify__needs_a_login_that_waits),
        T(verify__finishes_the_login_once),
        T(verify__says_what_is_missing),
        T(verify__is_for_the_account_that_waits),
        T(verify__waits_five_minutes),
        T(verify__gives_up_after_some_wrong_codes),
        T(codes__are_limited_for_an_account),
        T(magic__link_does_not_stand_for_the_second_factor),
        T(disable__needs_a_code),
        T(disable__ends_logins_that_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
