/* SPDX-License-Identifier: MIT */
/* One JSON line per event (spec/07 section 10), each with one write(2), so that lines of threads never mix. */
#define _GNU_SOURCE
#include "host/native/native.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/time.h"
#include "host/native/services.h"

enum {
    LINE_KEEP_BYTES = 8 * 1024,
    /* How long a full, non-blocking stdout may hold a thread up before the rest of a line is dropped. */
    FULL_PIPE_WAIT_MS = 100
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool ready;
static atomic_int lowest = COV_LOG_INFO;

static void line_free(void *value)
{
    cov_buf *line = value;

    cov_buf_dispose(line);
    free(line);
}

static void set_up(void)
{
    ready = pthread_key_create(&key, line_free) == 0;
}

static cov_buf *line_of_thread(void)
{
    cov_buf *line;

    if (pthread_once(&once, set_up) != 0 || !ready)
        return NULL;
    line = pthread_getspecific(key);
    if (line == NULL) {
        line = calloc(1, sizeof *line);
        if (line != NULL && pthread_setspecific(key, line) != 0) {
            free(line);
            line = NULL;
        }
    }
    return line;
}

static void write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n >= 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd full = { .fd = fd, .events = POLLOUT };

            if (poll(&full, 1, FULL_PIPE_WAIT_MS) == 0)
                return;
        } else if (errno != EINTR) {
            return;
        }
    }
}

static cov_str level_name(cov_log_level level)
{
    if (level >= COV_LOG_ERROR)
        return COV_STR("error");
    if (level >= COV_LOG_WARN)
        return COV_STR("warn");
    return level >= COV_LOG_INFO ? COV_STR("info") : COV_STR("debug");
}

void cov_native_log_level(cov_log_level level)
{
    atomic_store_explicit(&lowest, level, memory_order_relaxed);
}

bool cov__native_log_enabled(cov_log_level level)
{
    return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

void cov__native_log(void *self, cov_log_level level, cov_str msg, cov_str members)
{
    char time[COV_TIME_TEXT_BYTES];
    cov_buf *line;

    (void)self;
    line = cov__native_log_enabled(level) ? line_of_thread() : NULL;
    if (line == NULL)
        return;
    cov_buf_clear(line, LINE_KEEP_BYTES);
    COV_BUF_LIT(line, "{\"level\":\"");
    cov_buf_str(line, level_name(level));
    COV_BUF_LIT(line, "\",\"time\":\"");
    cov_buf_append(line, time, cov_time_format(cov_native_host()->now_ms(NULL), time));
    COV_BUF_LIT(line, "\",\"msg\":");
    cov_json_str(line, msg);
    if (members.len > 0) {
        cov_buf_char(line, ',');
        cov_buf_str(line, members);
    }
    COV_BUF_LIT(line, "}\n");
    if (!line->failed)
        write_all(level >= COV_LOG_WARN ? STDERR_FILENO : STDOUT_FILENO, line->ptr, line->len);
}
