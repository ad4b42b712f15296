/* SPDX-License-Identifier: MIT */
/* /healthz and /readyz (spec/07 section 13). */
#include "app/internal.h"
#include "base/json.h"
#include "base/time.h"

typedef struct failed_check {
    const char *name;
    cov_str message;
} failed_check;

static void write_body(const cov_app *app, const failed_check *failed, cov_buf *out)
{
    const cov_host *host = app->host;
    char now[COV_TIME_TEXT_BYTES];

    cov_buf_str(out, failed == NULL ? COV_STR("{\"status\":\"healthy\"")
                                    : COV_STR("{\"status\":\"unhealthy\""));
    if (failed == NULL && app->config->app.version.ptr != NULL) {
        COV_BUF_LIT(out, ",\"version\":");
        cov_json_str(out, app->config->app.version);
    }
    COV_BUF_LIT(out, ",\"timestamp\":");
    cov_json_str(out, cov_str_of(now, cov_time_format(host->now_ms(host->self), now)));
    COV_BUF_LIT(out, ",\"uptime\":");
    cov_buf_i64(out, (host->monotonic_us(host->self) - app->started_us) / 1000);
    if (failed != NULL) {
        cov_buf_printf(out, ",\"checks\":[{\"healthy\":false,\"name\":\"%s\",\"message\":",
                       failed->name);
        cov_json_str(out, failed->message);
        COV_BUF_LIT(out, "}]");
    }
    cov_buf_char(out, '}');
}

static void respond(const cov_app *app, const failed_check *failed, cov_response *res)
{
    res->status = failed == NULL ? 200 : 503;
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/json"));
    cov_response_header(res, COV_STR("Cache-Control"), COV_STR("no-store"));
    write_body(app, failed, &res->body);
}

/* Liveness: that an event loop answers is the check. */
void cov__health(const cov_app *app, cov_response *res)
{
    respond(app, NULL, res);
}

void cov__ready(const cov_app *app, const cov_worker *worker, cov_response *res)
{
    failed_check stopping = { "readiness", COV_STR_INIT("Server is shutting down") };
    failed_check database = { "database", COV_STR_INIT("The database does not answer") };
    cov_stmt probe = { COV_STR_INIT("SELECT 1"), NULL, 0 };

    if (atomic_load(&app->shutting_down))
        respond(app, &stopping, res);
    else if (worker->db == NULL || cov_db_query(worker->db, &probe, NULL, NULL) != COV_OK)
        respond(app, &database, res);
    else
        respond(app, NULL, res);
}
