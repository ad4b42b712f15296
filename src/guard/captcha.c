/* SPDX-License-Identifier: MIT */
/*
 * CAPTCHA (spec/07 section 5.7): the challenge, and asking the provider about a token. Providers take a token once, so
 * none is remembered here. Whatever goes wrong with the provider, the token is refused.
 */
#include "guard/internal.h"

#include "base/json.h"

typedef struct provider {
    cov_str name;
    cov_str url;
    bool scores; /* a score and an action come with the verdict */
} provider;

static const provider providers[] = {
    [COV_CAPTCHA_TURNSTILE] = { COV_STR_INIT("turnstile"),
                                COV_STR_INIT(
                                    "https://challenges.cloudflare.com/turnstile/v0/siteverify"),
                                false },
    [COV_CAPTCHA_HCAPTCHA] = { COV_STR_INIT("hcaptcha"),
                               COV_STR_INIT("https://api.hcaptcha.com/siteverify"), false },
    [COV_CAPTCHA_RECAPTCHA] = { COV_STR_INIT("recaptcha"),
                                COV_STR_INIT("https://www.google.com/recaptcha/api/siteverify"),
                                true },
};

static const provider *provider_of(const cov_guard *guard)
{
    return &providers[guard->config->abuse.captcha.provider];
}

bool cov__captcha_usable(const cov_guard *guard)
{
    return guard->config->abuse.captcha.enabled && guard->config->abuse.captcha.secret.len != 0;
}

cov_str cov__captcha_token(const cov_guarded *g)
{
    return cov_request_header(g->req, g->guard->config->abuse.captcha.token_header);
}

bool cov_captcha_answered(const cov_guarded *g)
{
    return cov__captcha_usable(g->guard) && cov__captcha_token(g).len != 0;
}

/* ---- the question ---- */

static bool is_form_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' ||
           c == '-' || c == '.' || c == '_';
}

/* application/x-www-form-urlencoded; empty fields are left out. */
static void form_field(cov_buf *form, cov_str name, cov_str value)
{
    if (value.len == 0)
        return;
    if (form->len != 0)
        cov_buf_char(form, '&');
    cov_buf_str(form, name);
    cov_buf_char(form, '=');
    for (size_t i = 0; i < value.len; i++) {
        if (is_form_plain(value.ptr[i]))
            cov_buf_char(form, value.ptr[i]);
        else if (value.ptr[i] == ' ')
            cov_buf_char(form, '+');
        else
            cov_buf_printf(form, "%%%02X", (unsigned)(unsigned char)value.ptr[i]);
    }
}

static cov_status ask(const cov_guarded *g, cov_http_reply *reply, cov_error *err)
{
    static const cov_str headers[][2] = {
        { COV_STR_INIT("Content-Type"), COV_STR_INIT("application/x-www-form-urlencoded") },
        { COV_STR_INIT("Accept"), COV_STR_INIT("application/json") },
    };
    const cov_host *host = g->guard->host;
    const cov_abuse_config *config = &g->guard->config->abuse;
    cov_buf form = COV_BUF_IN(g->arena);
    cov_http_call call = { .method = COV_STR("POST"),
                           .url = config->captcha.verify_url.ptr != NULL
                                      ? config->captcha.verify_url
                                      : provider_of(g->guard)->url,
                           .headers = headers,
                           .n_headers = COV_COUNT_OF(headers) };

    form_field(&form, COV_STR("secret"), config->captcha.secret);
    form_field(&form, COV_STR("response"), cov__captcha_token(g));
    if (!cov_str_eq(g->client.address, COV_STR("unknown")))
        form_field(&form, COV_STR("remoteip"), g->client.address);
    if (form.failed)
        return cov_fail_nomem(err);
    call.body = cov_buf_view(&form);
    return host->http(host->self, &call, g->arena, reply, err);
}

/* ---- the verdict ---- */

static bool is_accepted(const cov_guard *guard, const cov_json *verdict, cov_str action)
{
    cov_str solved_for = cov_json_text(cov_json_get(verdict, "action"));

    if (!cov_json_is_true(cov_json_get(verdict, "success")))
        return false;
    if (!provider_of(guard)->scores)
        return true;
    if (guard->config->abuse.captcha.min_score.ptr != NULL &&
        !(cov_json_number(cov_json_get(verdict, "score")) >= guard->captcha_min_score))
        return false;
    return action.len == 0 || solved_for.len == 0 || cov_str_eq(action, solved_for);
}

static cov_status refuse(const cov_guarded *g, cov_str why, bool *accepted)
{
    cov__guard_warn(g->guard, COV_STR("CAPTCHA verification request failed"), why);
    *accepted = false;
    return COV_OK;
}

cov_status cov__captcha_accepted(const cov_guarded *g, cov_str action, bool *accepted,
                                 cov_error *err)
{
    cov_http_reply reply = { 0 };
    yyjson_val *verdict = NULL;
    cov_error failure;
    cov_status st;

    cov_error_init(&failure, g->arena);
    st = ask(g, &reply, &failure);
    if (st == COV_ENOMEM)
        return cov_fail_nomem(err);
    if (st != COV_OK)
        return refuse(g, cov_error_detail(&failure), accepted);
    if (reply.status < 200 || reply.status > 299)
        return refuse(g, cov_arena_printf(g->arena, "status %d", reply.status), accepted);
    if (cov_json_read(g->arena, reply.body, &verdict, &failure) != COV_OK)
        return refuse(g, COV_STR("the reply is not JSON"), accepted);
    *accepted = is_accepted(g->guard, verdict, action);
    return COV_OK;
}

/* ---- the challenge ---- */

static void tell(const cov_guarded *g, cov_error *err, cov_str header, const char *member,
                 cov_str value)
{
    if (value.len == 0)
        return;
    cov_response_header(g->res, header, value);
    cov_error_member_str(err, member, value);
}

cov_status cov__captcha_challenge(const cov_guarded *g, cov_str action, cov_error *err)
{
    cov_status st = cov_fail(err, COV_ECAPTCHA, "CAPTCHA required");

    cov_response_header(g->res, COV_STR("Covara-Challenge-Type"), COV_STR("captcha"));
    tell(g, err, COV_STR("Covara-Captcha-Provider"), "provider", provider_of(g->guard)->name);
    tell(g, err, COV_STR("Covara-Captcha-Sitekey"), "siteKey",
         g->guard->config->abuse.captcha.site_key);
    tell(g, err, COV_STR("Covara-Captcha-Action"), "action", action);
    return st;
}
