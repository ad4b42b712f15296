/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "host/native/exchange.h"

#include <stdlib.h>

#include "base/json.h"
#include "host/native/loop.h"
#include "host/native/services.h"

cov__exchange *cov__exchange_new(struct cov__loop *loop, const cov__http_limits *limits)
{
    cov__exchange *x = calloc(1, sizeof *x);

    if (x == NULL)
        return NULL;
    x->loop = loop;
    x->arena = cov_arena_new(0);
    if (x->arena == NULL) {
        free(x);
        return NULL;
    }
    cov__http_init(&x->parser, limits);
    return x;
}

void cov__exchange_free(cov__exchange *x)
{
    if (x == NULL)
        return;
    cov__http_dispose(&x->parser);
    cov_buf_dispose(&x->in);
    cov_buf_dispose(&x->out);
    cov_buf_dispose(&x->res.body);
    cov_arena_free(x->arena);
    free(x);
}

void cov__exchange_reset(cov__exchange *x)
{
    cov__http_next(&x->parser, COV_EXCHANGE_KEEP_BYTES);
    cov_buf_clear(&x->in, COV_EXCHANGE_KEEP_BYTES);
    cov_buf_clear(&x->out, COV_EXCHANGE_KEEP_BYTES);
    cov_buf_clear(&x->res.body, COV_EXCHANGE_KEEP_BYTES);
    cov_arena_reset(x->arena);
}

static void clear_response(cov__exchange *x)
{
    cov_buf_clear(&x->res.body, COV_EXCHANGE_KEEP_BYTES);
    if (COV_UNLIKELY(x->res.stream != NULL))
        cov_response_drop_stream(&x->res);
    x->res.status = 200;
    x->res.n_headers = 0;
}

void cov__exchange_begin(cov__exchange *x)
{
    cov_arena_reset(x->arena);
    clear_response(x);
    memset(&x->passage, 0, sizeof x->passage);
    x->admitted = false;
}

/* Half a body must not pass for a whole one, and a stream has no loop on other threads. */
static void check_response(cov__exchange *x, const cov_worker *worker)
{
    cov_error err;

    if (!x->res.body.failed && (x->res.stream == NULL || worker->streams))
        return;
    cov_error_init(&err, NULL);
    if (x->res.body.failed)
        cov_fail_nomem(&err);
    else
        cov_fail(&err, COV_EINTERNAL, "a stream was begun outside of the READ lane");
    cov__exchange_problem(x, x->loop->server, &x->parser.request, &err);
}

bool cov__exchange_admit(cov__exchange *x, const cov_worker *worker)
{
    bool admitted = cov_app_admit(x->loop->server->options.app, worker, &x->parser.request,
                                  &x->passage, &x->res);

    if (!admitted)
        check_response(x, worker);
    return admitted;
}

void cov__exchange_answer(cov__exchange *x, const cov_worker *worker)
{
    clear_response(x);
    cov_app_answer(x->loop->server->options.app, worker, &x->parser.request, &x->passage, &x->res);
    check_response(x, worker);
}

void cov__exchange_finish(cov__exchange *x, const cov_worker *worker)
{
    cov_app_finish(x->loop->server->options.app, worker, &x->parser.request, &x->passage, &x->res);
}

void cov__exchange_problem(cov__exchange *x, const cov__server *server, const cov_request *req,
                           const cov_error *err)
{
    cov_worker worker = { .host = server->host, .arena = x->arena };

    clear_response(x);
    memset(&x->passage.mutations, 0, sizeof x->passage.mutations);
    x->res.status = cov_status_http(err->status);
    cov_app_problem(server->options.app, &worker, req, err, &x->res);
}

void cov__exchange_log(const cov__exchange *x, const cov_request *req)
{
    cov_buf members = COV_BUF_IN(x->arena);
    double ms = x->started_ns != 0 ? (double)(uv_hrtime() - x->started_ns) / 1e6 : 0;

    if (!cov__native_log_enabled(COV_LOG_INFO))
        return;
    if (req != NULL) {
        COV_BUF_LIT(&members, "\"method\":");
        cov_json_str(&members, req->method_name);
        COV_BUF_LIT(&members, ",\"path\":");
        cov_json_str(&members, req->path);
        cov_buf_char(&members, ',');
    }
    cov_buf_printf(&members, "\"status\":%d,\"durationMs\":%.3f", x->res.status, ms);
    if (!members.failed)
        cov__native_log(NULL, COV_LOG_INFO, COV_STR("Request completed"), cov_buf_view(&members));
}
