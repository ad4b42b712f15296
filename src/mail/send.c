/* SPDX-License-Identifier: MIT */
/* The adapters: the log, Resend's HTTP API, and the same call to a URL of one's own. */
#include "base/encode.h"
#include "base/json.h"
#include "mail/message.h"

enum {
    ATTEMPTS = 2,
    RESPONSE_MAX_BYTES = 64 * 1024,
    DETAIL_MAX_BYTES = 1024, /* of the provider's answer, in the log */
    DEFAULT_TIMEOUT_MS = 10000
};

typedef cov_status adapter_fn(const cov_mail *mail, cov_arena *arena,
                              const cov_mail_message *message, cov_error *err);

static adapter_fn send_log;
static adapter_fn send_http;

static const struct {
    const char *provider; /* as messages name it */
    adapter_fn *send;
    cov_str url;
    bool needs_key;
} adapters[] = {
    [COV_MAIL_LOG] = { "log", send_log, COV_STR_INIT(""), false },
    [COV_MAIL_RESEND] = { "resend", send_http, COV_STR_INIT("https://api.resend.com/emails"),
                          true },
    [COV_MAIL_HTTP] = { "http", send_http, COV_STR_INIT(""), false },
};

/* ---- the log ---- */

static cov_status send_log(const cov_mail *mail, cov_arena *arena, const cov_mail_message *message,
                           cov_error *err)
{
    cov_buf to = COV_BUF_IN(arena);
    cov_buf members = COV_BUF_IN(arena);

    for (size_t i = 0; i < message->n_to; i++) {
        if (i > 0)
            COV_BUF_LIT(&to, ", ");
        cov__mail_address_write(&to, &message->to[i]);
    }
    COV_BUF_LIT(&members, "\"to\":");
    cov_json_str(&members, cov_buf_view(&to));
    COV_BUF_LIT(&members, ",\"subject\":");
    cov_json_str(&members, message->subject);
    COV_BUF_LIT(&members, ",\"text\":");
    cov_json_str(&members, message->text.ptr != NULL ? message->text : message->html);
    if (to.failed || members.failed)
        return cov_fail_nomem(err);
    mail->host->log(mail->host->self, COV_LOG_INFO, COV_STR("mail"), cov_buf_view(&members));
    return COV_OK;
}

/* ---- HTTP ---- */

static bool is_temporary(int status)
{
    return status == 429 || status >= 500;
}

static cov_status fail(const char *provider, const cov_http_reply *reply, cov_error *err)
{
    cov_status st = is_temporary(reply->status) ? COV_EBUSY : COV_EINTERNAL;
    cov_str body = cov_str_slice(reply->body, 0, DETAIL_MAX_BYTES);

    return cov_fail(err, st, "%s: send failed with status %d%s%.*s", provider, reply->status,
                    body.len > 0 ? ": " : "", COV_STR_ARG(body));
}

/* The provider's name of the message helps to find it there. */
static void log_sent(const cov_mail *mail, cov_arena *arena, const char *provider,
                     const cov_http_reply *reply)
{
    cov_buf members = COV_BUF_IN(arena);
    yyjson_val *answer = NULL;
    cov_str id = COV_STR_NULL;

    if (cov_json_read(arena, reply->body, &answer, NULL) == COV_OK)
        id = cov_json_text(cov_json_get(answer, "id"));
    cov_buf_printf(&members, "\"provider\":\"%s\"", provider);
    if (id.ptr != NULL) {
        COV_BUF_LIT(&members, ",\"id\":");
        cov_json_str(&members, id);
    }
    if (!members.failed)
        mail->host->log(mail->host->self, COV_LOG_DEBUG, COV_STR("mail sent"),
                        cov_buf_view(&members));
}

/* Once more when the provider asks for patience: the key in the headers keeps it from sending twice. */
static cov_status post(const cov_mail *mail, cov_arena *arena, const cov_http_call *call,
                       cov_error *err)
{
    const char *provider = adapters[mail->config->type].provider;
    cov_http_reply reply = { 0 };

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        cov_error cause;
        cov_status st;

        cov_error_init(&cause, arena);
        st = mail->host->http(mail->host->self, call, arena, &reply, &cause);
        if (st != COV_OK) {
            cov_str detail = cov_error_detail(&cause);

            /* A time-out of ours is no 408, a large answer no 413 of the client who caused the mail. */
            if (st == COV_ETIMEOUT || st == COV_ETOOLARGE)
                st = COV_EBUSY;
            else if (st == COV_EINVAL)
                st = COV_EINTERNAL;
            return cov_fail(err, st, "%s: send failed: %.*s", provider, COV_STR_ARG(detail));
        }
        if (!is_temporary(reply.status))
            break;
    }
    if (reply.status < 200 || reply.status > 299)
        return fail(provider, &reply, err);
    log_sent(mail, arena, provider, &reply);
    return COV_OK;
}

static cov_status send_http(const cov_mail *mail, cov_arena *arena, const cov_mail_message *message,
                            cov_error *err)
{
    const cov_mail_config *config = mail->config;
    char key[COV_UUID_TEXT_BYTES];
    cov_str headers[3][2] = {
        { COV_STR("Content-Type"), COV_STR("application/json") },
        { COV_STR("Idempotency-Key"), cov_str_of(key, sizeof key) },
        { COV_STR("Authorization"), COV_STR_NULL },
    };
    cov_buf body = COV_BUF_IN(arena);
    cov_http_call call = {
        .method = COV_STR("POST"),
        .url = config->url.ptr != NULL ? config->url : adapters[config->type].url,
        .headers = (const cov_str(*)[2])headers,
        .n_headers = 2,
        .timeout_ms = config->timeout_ms > 0 && config->timeout_ms <= INT32_MAX
                          ? (uint32_t)config->timeout_ms
                          : DEFAULT_TIMEOUT_MS,
        .max_response_bytes = RESPONSE_MAX_BYTES,
    };

    if (cov_uuid(mail->host, key) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes for the idempotency key");
    if (config->api_key.ptr != NULL) {
        headers[2][1] = cov_arena_printf(arena, "Bearer %.*s", COV_STR_ARG(config->api_key));
        if (headers[2][1].ptr == NULL)
            return cov_fail_nomem(err);
        call.n_headers = 3;
    }
    cov__mail_payload(&body, arena, message);
    if (body.failed)
        return cov_fail_nomem(err);
    call.body = cov_buf_view(&body);
    return post(mail, arena, &call, err);
}

/* ---- any of them ---- */

static cov_status check(const cov_mail_config *config, cov_status st, cov_error *err)
{
    const char *provider = adapters[config->type].provider;

    if (adapters[config->type].needs_key && config->api_key.len == 0)
        return cov_fail(err, st, "mail by %s needs an API key", provider);
    if (config->type == COV_MAIL_HTTP && config->url.len == 0)
        return cov_fail(err, st, "mail by %s needs a URL", provider);
    return COV_OK;
}

cov_status cov_mail_check(const cov_mail_config *config, cov_error *err)
{
    return check(config, COV_EINVAL, err);
}

cov_status cov_mail_send(const cov_mail *mail, cov_arena *arena, const cov_mail_message *message,
                         cov_error *err)
{
    cov_mail_message full = *message;
    cov_status st = check(mail->config, COV_EINTERNAL, err);

    if (st != COV_OK)
        return st;
    if (full.from.email.ptr == NULL)
        full.from.email = mail->config->from.ptr != NULL ? mail->config->from
                                                         : COV_STR("Covara <no-reply@localhost>");
    if ((st = cov__mail_message_check(&full, err)) != COV_OK)
        return st;
    return adapters[mail->config->type].send(mail, arena, &full, err);
}
