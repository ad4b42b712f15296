/* SPDX-License-Identifier: MIT */
/* test_http_server [--name value]...: serve the fake application; prints {"listening":PORT} once it listens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "host/native/native.h"

static void on_listen(void *self, const char *host, int port)
{
    (void)self;
    printf("{\"listening\":%d,\"host\":\"%s\"}\n", port, host);
    fflush(stdout);
}

static bool set_option(cov_native_options *o, const char *name, const char *value)
{
    long number = strtol(value, NULL, 10);

    if (strcmp(name, "--host") == 0)
        o->host = value;
    else if (strcmp(name, "--port") == 0)
        o->port = (int)number;
    else if (strcmp(name, "--threads") == 0)
        o->threads = (int)number;
    else if (strcmp(name, "--pool") == 0)
        o->pool_threads = (size_t)number;
    else if (strcmp(name, "--body") == 0)
        o->max_body_bytes = (size_t)number;
    else if (strcmp(name, "--headers") == 0)
        o->max_header_bytes = (size_t)number;
    else if (strcmp(name, "--url") == 0)
        o->max_url_bytes = (size_t)number;
    else if (strcmp(name, "--connections") == 0)
        o->max_connections = (size_t)number;
    else if (strcmp(name, "--header-ms") == 0)
        o->header_timeout_ms = (uint32_t)number;
    else if (strcmp(name, "--body-ms") == 0)
        o->body_timeout_ms = (uint32_t)number;
    else if (strcmp(name, "--idle-ms") == 0)
        o->idle_timeout_ms = (uint32_t)number;
    else if (strcmp(name, "--write-ms") == 0)
        o->write_timeout_ms = (uint32_t)number;
    else if (strcmp(name, "--drain-ms") == 0)
        o->drain_timeout_ms = (uint32_t)number;
    else if (strcmp(name, "--pre-stop-ms") == 0)
        o->pre_stop_delay_ms = (uint32_t)number;
    else if (strcmp(name, "--stream-keepalive-ms") == 0)
        o->stream_keepalive_ms = (uint32_t)number;
    else if (strcmp(name, "--stream-ms") == 0)
        o->stream_timeout_ms = (uint32_t)number;
    else if (strcmp(name, "--access-log") == 0)
        o->access_log = number != 0;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    cov_native_options options = { .host = "127.0.0.1",
                                   .driver = &fake_driver,
                                   .loop_client = &fake_loop_client,
                                   .on_listen = on_listen };
    cov_error err;
    cov_status st;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!set_option(&options, argv[i], argv[i + 1])) {
            fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
    }
    options.app = fake_app_new();
    if (options.app == NULL)
        return 2;
    cov_error_init(&err, NULL);
    st = cov_native_serve(&options, &err);
    if (st != COV_OK)
        fprintf(stderr, "%s: %s\n", cov_status_name(st), cov_error_detail(&err).ptr);
    cov_app_free(options.app);
    return st == COV_OK ? 0 : 1;
}
