/* SPDX-License-Identifier: MIT */
#include "auth/token_mail.h"

#include "base/encode.h"
#include "base/time.h"
#include "mail/mail.h"

static const struct {
    size_t config_offset;
    const char *reason;
    const char *label;
} kinds[] = {
    [COV_ONE_TIME_VERIFY] = { offsetof(cov_auth_config, verification),
                              "Please confirm that this e-mail address is yours.",
                              "Verify address" },
    [COV_ONE_TIME_RESET] = { offsetof(cov_auth_config, password_reset),
                             "Somebody asked for a new password for your account.",
                             "Choose a new password" },
    [COV_ONE_TIME_MAGIC] = { offsetof(cov_auth_config, magic_link),
                             "Somebody asked for a link to sign in to your account.", "Sign in" },
};

const cov_token_config *cov__auth_token_config(const cov_auth *auth, cov_one_time_purpose purpose)
{
    return (const cov_token_config *)(const void *)((const char *)auth->config +
                                                    kinds[purpose].config_offset);
}

/* ---- {token}, {identifier}, {expiresAt} ---- */

static cov_str fill(cov_arena *arena, cov_str template, const cov_token_mail *mail, bool in_url)
{
    char expires[COV_TIME_TEXT_BYTES];
    const cov_str values[][2] = {
        { COV_STR("{token}"), mail->token },
        { COV_STR("{identifier}"), mail->to },
        { COV_STR("{expiresAt}"), cov_str_of(expires, cov_time_format(mail->expires_ms, expires)) },
    };
    cov_buf out = COV_BUF_IN(arena);

    while (template.len != 0) {
        size_t i = 0;

        while (i < COV_COUNT_OF(values) && !cov_str_starts(template, values[i][0]))
            i++;
        if (i == COV_COUNT_OF(values))
            cov_buf_char(&out, template.ptr[0]);
        else if (in_url)
            cov_percent_encode(&out, values[i][1]);
        else
            cov_buf_str(&out, values[i][1]);
        template =
            cov_str_slice(template, i == COV_COUNT_OF(values) ? 1 : values[i][0].len, template.len);
    }
    return out.failed ? COV_STR_NULL : cov_buf_view(&out);
}

/* ---- the text ---- */

static cov_str duration(cov_arena *arena, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = { { 3600000, "hour" }, { 60000, "minute" }, { 1000, "second" } };
    size_t i = 0;

    while (i + 1 < COV_COUNT_OF(units) && ms % units[i].ms != 0)
        i++;
    ms /= units[i].ms;
    return cov_arena_printf(arena, "%lld %s%s", (long long)ms, units[i].name, ms == 1 ? "" : "s");
}

static cov_str paragraph(cov_arena *arena, const cov_token_mail *mail, int64_t ttl_ms)
{
    return cov_arena_printf(
        arena,
        "%s\n\nThis works once, within %.*s. If it was not you who asked, there "
        "is nothing to do.",
        kinds[mail->purpose].reason, COV_STR_ARG(duration(arena, ttl_ms)));
}

static cov_status write_mail(cov_arena *arena, const cov_token_config *config,
                             const cov_token_mail *mail, cov_mail_message *out, cov_error *err)
{
    cov_mail_action action = {
        .subject = fill(arena, config->subject, mail, false),
        .paragraph = paragraph(arena, mail, config->ttl_ms),
        .label = cov_str_from(kinds[mail->purpose].label),
    };

    if (action.subject.ptr == NULL || action.paragraph.ptr == NULL)
        return cov_fail_nomem(err);
    action.heading = action.subject;
    if (config->url.len != 0) {
        action.url = fill(arena, config->url, mail, true);
        return action.url.ptr != NULL ? cov_mail_action_write(arena, &action, out, err)
                                      : cov_fail_nomem(err);
    }
    out->subject = action.subject;
    out->text = cov_arena_printf(arena, "%.*s\n\n%.*s\n", COV_STR_ARG(action.paragraph),
                                 COV_STR_ARG(mail->token));
    return out->text.ptr != NULL ? COV_OK : cov_fail_nomem(err);
}

/* ---- sending ---- */

/* A mail on its way, in an arena of its own: the request that caused it is answered by then. */
typedef struct errand {
    cov_arena *arena;
    const cov_auth *auth;
    cov_token_mail mail;
    bool send;
} errand;

static void log_failure(const errand *e, const cov_error *err)
{
    const cov_host *host = e->auth->host;
    cov_buf members = COV_BUF_IN(e->arena);

    COV_BUF_LIT(&members, "\"error\":");
    cov_json_str(&members, cov_error_detail(err));
    host->log(host->self, COV_LOG_ERROR, COV_STR("A mail could not be sent"),
              members.failed ? COV_STR("") : cov_buf_view(&members));
}

static void run(void *arg)
{
    errand *e = arg;
    cov_mail_address to = { e->mail.to, COV_STR_NULL };
    cov_mail_message message = { .to = &to, .n_to = 1 };
    cov_error err;
    cov_status st;

    cov_error_init(&err, e->arena);
    st = write_mail(e->arena, cov__auth_token_config(e->auth, e->mail.purpose), &e->mail, &message,
                    &err);
    if (st == COV_OK && e->send)
        st = cov_mail_send(e->auth->mail, e->arena, &message, &err);
    if (st != COV_OK)
        log_failure(e, &err);
    cov_arena_free(e->arena);
}

cov_status cov__auth_mail_token(const cov_auth *auth, cov_ctx *ctx, const cov_token_mail *mail,
                                bool send)
{
    cov_arena *arena = cov_arena_new(0);
    errand *e = arena != NULL ? COV_NEW(arena, errand) : NULL;

    if (e != NULL) {
        *e = (errand){ arena, auth, *mail, send };
        e->mail.to = cov_arena_str(arena, mail->to);
        e->mail.token = cov_arena_str(arena, mail->token);
    }
    if (e == NULL || e->mail.to.ptr == NULL || e->mail.token.ptr == NULL) {
        cov_arena_free(arena);
        return cov_fail_nomem(ctx->err);
    }
    if (ctx->worker != NULL && ctx->worker->after != NULL)
        ctx->worker->after(ctx->worker->self, run, e);
    else
        run(e);
    return COV_OK;
}
