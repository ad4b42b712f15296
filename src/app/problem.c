/* SPDX-License-Identifier: MIT */
/* RFC 9457 problem details (spec/01 section 19, spec/07 section 3). */
#include "app/internal.h"
#include "base/json.h"

/* "VALIDATION_ERROR" -> "Validation error" */
static void title(cov_buf *out, const char *code)
{
    for (size_t i = 0; code[i] != '\0'; i++) {
        char c = code[i];

        if (c == '_')
            c = ' ';
        else if (i != 0 && c >= 'A' && c <= 'Z')
            c = (char)(c + ('a' - 'A'));
        cov_buf_char(out, c);
    }
}

/* What a failure of ours was goes to the log; the client learns only that it was ours. */
static cov_str public_detail(const cov_error *err)
{
    if (err->status == COV_EBUSY)
        return COV_STR("The server is busy; retry shortly");
    if (err->status == COV_EOUTPUT)
        return COV_STR("Internal error: procedure output validation failed");
    if (cov_status_http(err->status) == 500)
        return COV_STR("An internal server error occurred");
    return cov_error_detail(err);
}

static void write_body(const cov_error *err, cov_buf *out)
{
    const char *code = cov_status_code(err->status);

    cov_buf_printf(out, "{\"type\":\"/__covara/problems/%s\",\"title\":\"",
                   cov_status_slug(err->status));
    title(out, code);
    cov_buf_printf(out, "\",\"status\":%d,\"detail\":", cov_status_http(err->status));
    cov_json_str(out, public_detail(err));
    cov_buf_printf(out, ",\"code\":\"%s\"", code);
    if (err->members.len != 0) {
        cov_buf_char(out, ',');
        cov_buf_str(out, err->members);
    }
    cov_buf_char(out, '}');
}

static void log_error(const cov_app *app, const cov_request *req, const cov_error *err)
{
    int status = cov_status_http(err->status);
    cov_log_level level = status >= 500 ? COV_LOG_ERROR : COV_LOG_DEBUG;
    cov_buf members = COV_BUF_INIT;

    if (level < app->config->log_level)
        return;
    if (req != NULL) {
        COV_BUF_LIT(&members, "\"method\":");
        cov_json_str(&members, req->method_name);
        COV_BUF_LIT(&members, ",\"path\":");
        cov_json_str(&members, req->path);
        cov_buf_char(&members, ',');
    }
    cov_buf_printf(&members, "\"status\":%d,\"error\":", status);
    cov_json_str(&members, cov_error_detail(err));
    if (!members.failed)
        app->host->log(app->host->self, level, COV_STR("Request error"), cov_buf_view(&members));
    cov_buf_dispose(&members);
}

void cov__problem(const cov_app *app, const cov_request *req, const cov_error *err,
                  cov_response *res)
{
    log_error(app, req, err);
    cov_response_drop_stream(res);
    res->n_headers = 0;
    res->body.len = 0;
    res->body.failed = false;
    res->status = cov_status_http(err->status);
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/problem+json"));
    if (err->status == COV_EBUSY)
        cov_response_header(res, COV_STR("Retry-After"), COV_STR("1"));
    write_body(err, &res->body);
}
