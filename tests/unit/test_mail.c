/* SPDX-License-Identifier: MIT */
/* Mails: what is sent to whom, what is refused, and the mail with a button; by a host that keeps what it is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mail/mail.h"

enum { MAX_CALLS = 4, MAX_HEADERS = 4 };

typedef struct answer {
    cov_status st;
    int status;
    const char *body;
} answer;

static struct {
    answer answers[MAX_CALLS]; /* in order */
    cov_http_call calls[MAX_CALLS];
    cov_str headers[MAX_CALLS][MAX_HEADERS][2];
    size_t n_calls;
    cov_buf log; /* "level msg members" a line */
    bool no_random;
} fake;

static cov_arena *arena;
static cov_error err;

/* ---- the host ---- */

static cov_str clone(cov_str s)
{
    cov_str copy = cov_arena_str(arena, s);

    assert_non_null(copy.ptr);
    return copy;
}

static cov_status fake_http(void *self, const cov_http_call *call, cov_arena *in,
                            cov_http_reply *out, cov_error *error)
{
    size_t n = fake.n_calls++;
    const answer *a = &fake.answers[n];

    (void)self;
    assert_ptr_equal(in, arena);
    assert_true(n < MAX_CALLS && call->n_headers <= MAX_HEADERS);
    fake.calls[n] = *call;
    for (size_t i = 0; i < call->n_headers; i++)
        for (size_t j = 0; j < 2; j++)
            fake.headers[n][i][j] = clone(call->headers[i][j]);
    fake.calls[n].body = clone(call->body);
    if (a->st != COV_OK)
        return cov_fail(error, a->st, "%s", a->body);
    *out = (cov_http_reply){ .status = a->status, .body = cov_str_from(a->body) };
    return COV_OK;
}

static cov_status fake_random(void *self, void *out, size_t len)
{
    (void)self;
    memset(out, 0x5a, len);
    return fake.no_random ? COV_EINTERNAL : COV_OK;
}

static void fake_log(void *self, cov_log_level level, cov_str msg, cov_str members)
{
    (void)self;
    cov_buf_printf(&fake.log, "%d %.*s %.*s\n", (int)level, COV_STR_ARG(msg), COV_STR_ARG(members));
}

static const cov_host host = {
    .abi = COV_HOST_ABI, .http = fake_http, .random = fake_random, .log = fake_log
};

static int set_up(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    for (size_t i = 0; i < MAX_CALLS; i++)
        fake.answers[i] = (answer){ COV_OK, 200, "{\"id\":\"m-1\"}" };
    arena = cov_arena_new(0);
    fake.log.arena = arena;
    cov_error_init(&err, arena);
    return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cov_arena_free(arena);
    return 0;
}

/* ---- helpers ---- */

static const cov_mail_config resend = { .type = COV_MAIL_RESEND,
                                        .api_key = COV_STR_INIT("re_123"),
                                        .from = COV_STR_INIT("App <app@example.com>"),
                                        .timeout_ms = 7000 };

static const cov_mail_address to_one[] = { { .email = COV_STR_INIT("to@example.com") } };

static cov_mail_message hello(void)
{
    return (cov_mail_message){
        .to = to_one, .n_to = 1, .subject = COV_STR("Hello"), .text = COV_STR("t")
    };
}

static cov_status send_by(const cov_mail_config *config, const cov_mail_message *message)
{
    cov_mail mail = { .host = &host, .config = config };

    return cov_mail_send(&mail, arena, message, &err);
}

static void assert_text(cov_str actual, const char *expected)
{
    if (!cov_str_eq(actual, cov_str_from(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", COV_STR_ARG(actual), expected);
}

static void assert_failed(cov_status actual, cov_status expected, const char *detail)
{
    if (actual != expected)
        fail_msg("%s instead of %s", cov_status_name(actual), cov_status_name(expected));
    assert_int_equal(err.status, expected);
    assert_text(cov_error_detail(&err), detail);
}

static void assert_sent(cov_status actual)
{
    if (actual != COV_OK)
        fail_msg("%s: %.*s", cov_status_name(actual), COV_STR_ARG(cov_error_detail(&err)));
}

static void assert_header(size_t call, size_t i, const char *name, const char *value)
{
    assert_text(fake.headers[call][i][0], name);
    assert_text(fake.headers[call][i][1], value);
}

/* ---- Resend ---- */

static void mail__resend_is_called_as_it_wants(void **state)
{
    cov_mail_message m = hello();

    (void)state;
    assert_sent(send_by(&resend, &m));
    assert_int_equal(fake.n_calls, 1);
    assert_text(fake.calls[0].method, "POST");
    assert_text(fake.calls[0].url, "https://api.resend.com/emails");
    assert_int_equal(fake.calls[0].timeout_ms, 7000);
    assert_int_equal(fake.calls[0].n_headers, 3);
    assert_header(0, 0, "Content-Type", "application/json");
    assert_header(0, 1, "Idempotency-Key", "5a5a5a5a-5a5a-4a5a-9a5a-5a5a5a5a5a5a");
    assert_header(0, 2, "Authorization", "Bearer re_123");
    assert_text(fake.calls[0].body,
                "{\"from\":\"App <app@example.com>\",\"to\":[\"to@example.com\"],"
                "\"subject\":\"Hello\",\"text\":\"t\"}");
    assert_text(cov_buf_view(&fake.log), "10 mail sent \"provider\":\"resend\",\"id\":\"m-1\"\n");
}

static void mail__payload_has_every_member_in_order(void **state)
{
    const cov_mail_address to[] = {
        { COV_STR("a@x.com"), COV_STR("Plain Name") },
        { COV_STR("b@x.com"), COV_STR("Doe, J. \"JD\" \\") },
        { COV_STR("c@x.com"), COV_STR("J\xc3\xbcrgen") },
        { COV_STR("\"D, E\" <d@x.com>"), COV_STR_NULL },
    };
    const cov_str headers[][2] = { { COV_STR("X-B"), COV_STR("1") },
                                   { COV_STR("X-A"), COV_STR("\"2\"") } };
    cov_mail_message m = {
        .from = { COV_STR("from@example.com"), COV_STR("Sender") },
        .to = to,
        .n_to = COV_COUNT_OF(to),
        .subject = COV_STR("S \xe2\x9c\x93"),
        .html = COV_STR("<p>\n</p>"),
        .text = COV_STR(""),
        .reply_to = { COV_STR("r@x.com"), COV_STR_NULL },
        .headers = headers,
        .n_headers = COV_COUNT_OF(headers),
    };

    (void)state;
    assert_sent(send_by(&resend, &m));
    assert_text(fake.calls[0].body,
                "{\"from\":\"Sender <from@example.com>\",\"to\":[\"Plain Name <a@x.com>\","
                "\"\\\"Doe, J. \\\\\\\"JD\\\\\\\" \\\\\\\\\\\" <b@x.com>\","
                "\"J\xc3\xbcrgen <c@x.com>\",\"\\\"D, E\\\" <d@x.com>\"],"
                "\"subject\":\"S \xe2\x9c\x93\",\"html\":\"<p>\\n</p>\",\"text\":\"\","
                "\"reply_to\":\"r@x.com\",\"headers\":{\"X-B\":\"1\",\"X-A\":\"\\\"2\\\"\"}}");
}

static void mail__one_more_try_with_the_same_key(void **state)
{
    static const int temporary[] = { 429, 500, 503 };
    cov_mail_message m = hello();

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(temporary); i++) {
        fake.n_calls = 0;
        fake.answers[0] = (answer){ COV_OK, temporary[i], "later" };
        assert_sent(send_by(&resend, &m));
        assert_int_equal(fake.n_calls, 2);
        assert_text(fake.headers[1][1][0], "Idempotency-Key");
        assert_true(cov_str_eq(fake.headers[0][1][1], fake.headers[1][1][1]));
        assert_true(cov_str_eq(fake.calls[0].body, fake.calls[1].body));
    }
}

static void mail__failures_are_the_providers_words(void **state)
{
    static const struct {
        answer answer;
        size_t n_calls;
        cov_status st;
        const char *detail;
    } rows[] = {
        { { COV_OK, 422, "{\"message\":\"no\"}" },
          1,
          COV_EINTERNAL,
          "resend: send failed with status 422: {\"message\":\"no\"}" },
        { { COV_OK, 401, "" }, 1, COV_EINTERNAL, "resend: send failed with status 401" },
        { { COV_OK, 302, "" }, 1, COV_EINTERNAL, "resend: send failed with status 302" },
        { { COV_OK, 429, "slow" }, 2, COV_EBUSY, "resend: send failed with status 429: slow" },
        { { COV_OK, 502, "" }, 2, COV_EBUSY, "resend: send failed with status 502" },
        { { COV_EBUSY, 0, "x: refused" }, 1, COV_EBUSY, "resend: send failed: x: refused" },
        { { COV_ETIMEOUT, 0, "x: late" }, 1, COV_EBUSY, "resend: send failed: x: late" },
        { { COV_ETOOLARGE, 0, "x: large" }, 1, COV_EBUSY, "resend: send failed: x: large" },
        { { COV_EINVAL, 0, "no URL" }, 1, COV_EINTERNAL, "resend: send failed: no URL" },
        { { COV_ENOMEM, 0, "memory" }, 1, COV_ENOMEM, "resend: send failed: memory" },
    };
    cov_mail_message m = hello();

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        fake.n_calls = 0;
        fake.answers[0] = fake.answers[1] = rows[i].answer;
        assert_failed(send_by(&resend, &m), rows[i].st, rows[i].detail);
        assert_int_equal(fake.n_calls, rows[i].n_calls);
    }
    assert_int_equal(fake.log.len, 0);
}

static void mail__any_answer_of_success_will_do(void **state)
{
    static const char *const bodies[] = { "", "OK", "[]", "{\"id\":1}" };
    cov_mail_message m = hello();

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(bodies); i++) {
        fake.n_calls = 0;
        fake.log.len = 0;
        fake.answers[0] = (answer){ COV_OK, 202, bodies[i] };
        assert_sent(send_by(&resend, &m));
        assert_text(cov_buf_view(&fake.log), "10 mail sent \"provider\":\"resend\"\n");
    }
}

/* ---- the others ---- */

static void mail__http_goes_to_its_url(void **state)
{
    const cov_mail_config config = { .type = COV_MAIL_HTTP,
                                     .url = COV_STR("https://hooks.example.com/mail?k=v") };
    cov_mail_message m = hello();

    (void)state;
    assert_sent(send_by(&config, &m));
    assert_text(fake.calls[0].url, "https://hooks.example.com/mail?k=v");
    assert_int_equal(fake.calls[0].n_headers, 2);
    assert_int_equal(fake.calls[0].timeout_ms, 10000);
    assert_text(fake.calls[0].body,
                "{\"from\":\"Covara <no-reply@localhost>\",\"to\":[\"to@example.com\"],"
                "\"subject\":\"Hello\",\"text\":\"t\"}");
    fake.answers[1] = (answer){ COV_OK, 404, "" };
    assert_failed(send_by(&config, &m), COV_EINTERNAL, "http: send failed with status 404");
}

static void mail__log_is_one_line(void **state)
{
    const cov_mail_config config = { .type = COV_MAIL_LOG };
    const cov_mail_address to[] = { to_one[0], { COV_STR("b@x.com"), COV_STR("B \"b\"") } };
    cov_mail_message m = hello();

    (void)state;
    m.to = to;
    m.n_to = 2;
    m.text = COV_STR("a\nb");
    m.html = COV_STR("<p>");
    assert_sent(send_by(&config, &m));
    m.text = COV_STR_NULL;
    assert_sent(send_by(&config, &m));
    assert_int_equal(fake.n_calls, 0);
    assert_text(cov_buf_view(&fake.log),
                "20 mail \"to\":\"to@example.com, \\\"B \\\\\\\"b\\\\\\\"\\\" <b@x.com>\","
                "\"subject\":\"Hello\",\"text\":\"a\\nb\"\n"
                "20 mail \"to\":\"to@example.com, \\\"B \\\\\\\"b\\\\\\\"\\\" <b@x.com>\","
                "\"subject\":\"Hello\",\"text\":\"<p>\"\n");
}

static void mail__configuration_must_be_whole(void **state)
{
    const cov_mail_config no_key = { .type = COV_MAIL_RESEND };
    const cov_mail_config no_url = { .type = COV_MAIL_HTTP, .api_key = COV_STR("k") };
    const cov_mail_config log = { .type = COV_MAIL_LOG };
    cov_mail_message m = hello();

    (void)state;
    assert_failed(cov_mail_check(&no_key, &err), COV_EINVAL, "mail by resend needs an API key");
    assert_failed(cov_mail_check(&no_url, &err), COV_EINVAL, "mail by http needs a URL");
    assert_failed(send_by(&no_url, &m), COV_EINTERNAL, "mail by http needs a URL");
    assert_int_equal(cov_mail_check(&resend, &err), COV_OK);
    assert_int_equal(cov_mail_check(&log, &err), COV_OK);
    fake.no_random = true;
    assert_int_equal(send_by(&resend, &m), COV_EINTERNAL);
    assert_int_equal(fake.n_calls, 0);
}

/* ---- refused ---- */

static void mail__an_address_is_one_address(void **state)
{
    static const struct {
        cov_mail_address address;
        bool ok;
    } rows[] = {
        { { COV_STR_INIT("a@b.c"), { NULL, 0 } }, true },
        { { COV_STR_INIT("a+b@localhost"), COV_STR_INIT("N") }, true },
        { { COV_STR_INIT("\xc3\xa4@\xc3\xb6.de"), COV_STR_INIT("\xc3\xbc, \"") }, true },
        { { COV_STR_INIT("Name <a@b.c>"), { NULL, 0 } }, true },
        { { COV_STR_INIT("\"x <y@z>, \\\"\" <a@b.c>"), { NULL, 0 } }, true },
        { { COV_STR_INIT("<a@b.c>"), { NULL, 0 } }, true },
        { { COV_STR_INIT(""), { NULL, 0 } }, false },
        { { COV_STR_INIT("a"), { NULL, 0 } }, false },
        { { COV_STR_INIT("@b"), { NULL, 0 } }, false },
        { { COV_STR_INIT("a@"), { NULL, 0 } }, false },
        { { COV_STR_INIT("a@b@c"), { NULL, 0 } }, false },
        { { COV_STR_INIT("a@b.c, d@e.f"), { NULL, 0 } }, false },
        { { COV_STR_INIT("a@b.c,d@e.f"), { NULL, 0 } }, false },
        { { COV_STR_INIT("a@b.c;d@e.f"), { NULL, 0 } }, false },
        { { COV_STR_INIT("a b@c.d"), { NULL, 0 } }, false },
        { { COV_STR_INIT("a@b.c\r\nBcc: d@e.f"), { NULL, 0 } }, false },
        { { COV_STR_INIT("a@b.c\n"), { NULL, 0 } }, false },
        { { COV_STR_INIT("a\0@b.c"), { NULL, 0 } }, false },
        { { COV_STR_INIT("d@e.f, Name <a@b.c>"), { NULL, 0 } }, false },
        { { COV_STR_INIT("<d@e.f> <a@b.c>"), { NULL, 0 } }, false },
        { { COV_STR_INIT("\"open <a@b.c>"), { NULL, 0 } }, false },
        { { COV_STR_INIT("\"esc\\\" <a@b.c>"), { NULL, 0 } }, false },
        { { COV_STR_INIT("\"a\r\nb\" <a@b.c>"), { NULL, 0 } }, false },
        { { COV_STR_INIT("\"a\\\nb\" <a@b.c>"), { NULL, 0 } }, false },
        { { COV_STR_INIT("Name <>"), { NULL, 0 } }, false },
        { { COV_STR_INIT(">"), { NULL, 0 } }, false },
        { { COV_STR_INIT("Name <a@b.c>"), COV_STR_INIT("N") }, false },
        { { COV_STR_INIT("a@b.c>, <d@e.f"), COV_STR_INIT("N") }, false },
        { { COV_STR_INIT("a@b.c"), COV_STR_INIT("N\r\nX: y") }, false },
        { { COV_STR_INIT("a@b.c"), COV_STR_INIT("N\0") }, false },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        const cov_mail_address two[] = { to_one[0], rows[i].address };
        cov_status expected = rows[i].ok ? COV_OK : COV_EINVAL;
        cov_mail_message to = hello();
        cov_mail_message from = hello();
        cov_mail_message reply_to = hello();

        to.to = two;
        to.n_to = 2;
        from.from = rows[i].address;
        reply_to.reply_to = rows[i].address;
        fake.n_calls = 0;
        if (send_by(&resend, &to) != expected || send_by(&resend, &from) != expected ||
            send_by(&resend, &reply_to) != expected)
            fail_msg("row %zu: \"%.*s\"", i, COV_STR_ARG(rows[i].address.email));
        assert_int_equal(fake.n_calls, rows[i].ok ? 3 : 0);
    }
}

static void mail__lines_are_lines(void **state)
{
    static const cov_str values[] = { COV_STR_INIT("a\r\nBcc: d@e.f"), COV_STR_INIT("a\n"),
                                      COV_STR_INIT("\r"), COV_STR_INIT("a\0b") };
    static const cov_str names[] = { COV_STR_INIT(""), COV_STR_INIT("X:"), COV_STR_INIT("X Y"),
                                     COV_STR_INIT("X\r\nY"), COV_STR_INIT("X\xc3\xa4") };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(values); i++) {
        const cov_str headers[][2] = { { COV_STR("X"), values[i] } };
        cov_mail_message subject = hello();
        cov_mail_message header = hello();

        subject.subject = values[i];
        assert_failed(send_by(&resend, &subject), COV_EINVAL,
                      "The subject holds a line break or another control");
        header.headers = headers;
        header.n_headers = 1;
        assert_failed(send_by(&resend, &header), COV_EINVAL,
                      "A header of the mail is not a name and one line");
    }
    for (size_t i = 0; i < COV_COUNT_OF(names); i++) {
        const cov_str headers[][2] = { { names[i], COV_STR("1") } };
        cov_mail_message m = hello();

        m.headers = headers;
        m.n_headers = 1;
        assert_int_equal(send_by(&resend, &m), COV_EINVAL);
    }
    assert_int_equal(fake.n_calls, 0);
}

static void mail__needs_a_recipient_and_a_body(void **state)
{
    cov_mail_message m = hello();

    (void)state;
    m.n_to = 0;
    assert_failed(send_by(&resend, &m), COV_EINVAL, "A mail needs at least one recipient");
    m = hello();
    m.text = COV_STR_NULL;
    assert_failed(send_by(&resend, &m), COV_EINVAL, "A mail needs a text or HTML");
    m.html = COV_STR("");
    assert_sent(send_by(&resend, &m));
}

/* ---- the mail with a button ---- */

static void action__as_text(void **state)
{
    const cov_mail_action action = { .subject = COV_STR("S"),
                                     .heading = COV_STR("Hi <b>\xc3\xa4"),
                                     .paragraph = COV_STR("x\ny\n\nz"),
                                     .label = COV_STR("Go"),
                                     .url = COV_STR("https://x/?a=1&b=2") };
    cov_mail_message m = hello();

    (void)state;
    assert_sent(cov_mail_action_write(arena, &action, &m, &err));
    assert_text(m.subject, "S");
    assert_int_equal(m.n_to, 1);
    assert_text(m.text, "Hi <b>\xc3\xa4\n=======\n\nx\ny\n\nz\n\nGo: https://x/?a=1&b=2");
}

static void action__html_is_escaped(void **state)
{
    const cov_mail_action action = { .subject = COV_STR("<s>"),
                                     .heading = COV_STR("Hi <b> & \"you\""),
                                     .paragraph = COV_STR("it's\nme\n\n\n<script>\n"),
                                     .label = COV_STR("<Go>"),
                                     .url = COV_STR("https://x/?a=\"1\"&b='2'") };
    static const char *const parts[] = {
        "<title>&lt;s&gt;</title>",
        ">Hi &lt;b&gt; &amp; &quot;you&quot;</h1>",
        ">it&#39;s\nme</p>\n<p ",
        ">&lt;script&gt;</p>\n<table",
        "<a href=\"https://x/?a=&quot;1&quot;&amp;b=&#39;2&#39;\" style=\"display:inline-block",
        ">&lt;Go&gt;</a>",
        ">https://x/?a=&quot;1&quot;&amp;b=&#39;2&#39;</a></p>",
    };
    cov_mail_message m = hello();

    (void)state;
    assert_sent(cov_mail_action_write(arena, &action, &m, &err));
    for (size_t i = 0; i < COV_COUNT_OF(parts); i++)
        if (!cov_str_contains(m.html, cov_str_from(parts[i])))
            fail_msg("no %s in\n%.*s", parts[i], COV_STR_ARG(m.html));
    assert_false(cov_str_contains(m.html, COV_STR("<script")));
}

static void action__links_are_of_the_web(void **state)
{
    static const struct {
        const char *url;
        bool ok;
    } rows[] = {
        { "https://a/", true },        { "HTTP://a", true },
        { "mailto:a@b.c", true },      { "javascript:x()", false },
        { "data:text/html,x", false }, { "//a/", false },
        { "https://", false },         { "", false },
        { "https://a b", false },      { "https://a/\nb", false },
        { " https://a/", false },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_mail_action action = { .heading = COV_STR("H"), .url = cov_str_from(rows[i].url) };
        cov_mail_message m = hello();
        cov_status st = cov_mail_action_write(arena, &action, &m, &err);

        if (st != (rows[i].ok ? COV_OK : COV_EINVAL))
            fail_msg("\"%s\": %s", rows[i].url, cov_status_name(st));
        if (!rows[i].ok)
            assert_text(m.text, "t");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mail__resend_is_called_as_it_wants),
        TEST(mail__payload_has_every_member_in_order),
        TEST(mail__one_more_try_with_the_same_key),
        TEST(mail__failures_are_the_providers_words),
        TEST(mail__any_answer_of_success_will_do),
        TEST(mail__http_goes_to_its_url),
        TEST(mail__log_is_one_line),
        TEST(mail__configuration_must_be_whole),
        TEST(mail__an_address_is_one_address),
        TEST(mail__lines_are_lines),
        TEST(mail__needs_a_recipient_and_a_body),
        TEST(action__as_text),
        TEST(action__html_is_escaped),
        TEST(action__links_are_of_the_web),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
