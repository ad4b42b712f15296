/* SPDX-License-Identifier: MIT */
#include "live_fixture.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void wake(void *self)
{
    ((live_fixture *)self)->n_wakes++;
}

void live_build(live_fixture *f, const char *sql, const char *config, cov_build_fn build)
{
    memset(f, 0, sizeof *f);
    app_fixture_build(&f->app, sql, config, build);
    f->shard = cov_live_shard_new(f->app.app->live, f->app.db, wake, f);
    assert_non_null(f->shard);
    f->app.shard = f->shard;
}

void live_open(live_fixture *f, const char *sql, const char *config)
{
    live_build(f, sql, config, NULL);
}

void live_close(live_fixture *f)
{
    assert_int_equal(cov_live_count(f->shard), 0);
    cov_live_shard_free(f->shard);
    app_fixture_close(&f->app);
}

/* ---- streams ---- */

static bool fake_write(cov_stream *base, cov_payload *const *payloads, size_t n)
{
    fake_stream *stream = (fake_stream *)(void *)base;

    if (stream->ended)
        return false;
    assert_in_range(n, 1, COV_STREAM_MAX_PIECES);
    for (size_t i = 0; i < n; i++) {
        cov_buf_append(&stream->text, cov_payload_bytes(payloads[i]), cov_payload_len(payloads[i]));
        if (stream->stuck)
            stream->queued += cov_payload_len(payloads[i]);
    }
    stream->n_writes++;
    return true;
}

static size_t fake_queued(const cov_stream *base)
{
    return ((const fake_stream *)(const void *)base)->queued;
}

static void fake_end(cov_stream *base)
{
    ((fake_stream *)(void *)base)->ended = true;
}

static const cov_stream_ops fake_ops = { fake_write, fake_queued, fake_end };

fake_stream *stream_of(cov_stream_source *source)
{
    fake_stream *stream = calloc(1, sizeof *stream);

    assert_non_null(stream);
    stream->base.ops = &fake_ops;
    stream->source = source;
    return stream;
}

void stream_begin(fake_stream *stream)
{
    stream->source->opened(stream->source, &stream->base);
}

fake_stream *stream_open(live_fixture *f)
{
    fake_stream *stream;

    if (f->app.res.status != 200 || f->app.res.stream == NULL)
        fail_msg("no stream: %d %s", f->app.res.status, app_body(&f->app));
    stream = stream_of(f->app.res.stream);
    cov_buf_append(&stream->text, f->app.res.body.ptr, f->app.res.body.len);
    stream_begin(stream);
    return stream;
}

fake_stream *stream_get(live_fixture *f, const char *user_id, const char *target)
{
    if (user_id != NULL)
        app_call_as(&f->app, user_id, "GET", target, NULL);
    else
        app_call(&f->app, "GET", target, NULL, NULL);
    return stream_open(f);
}

void stream_close(fake_stream *stream)
{
    stream->source->closed(stream->source);
    cov_buf_dispose(&stream->text);
    free(stream);
}

void stream_drain(fake_stream *stream)
{
    stream->queued = 0;
    stream->stuck = false;
    if (stream->source->drained != NULL)
        stream->source->drained(stream->source);
}

static char *take(fake_stream *stream)
{
    static char *last;

    cov_buf_char(&stream->text, '\0');
    assert_false(stream->text.failed);
    free(last);
    last = malloc(stream->text.len);
    assert_non_null(last);
    memcpy(last, stream->text.ptr, stream->text.len);
    cov_buf_clear(&stream->text, SIZE_MAX);
    return last;
}

const char *stream_take_raw(fake_stream *stream)
{
    return take(stream);
}

/* Remove `"name":value,` wherever it stands, the value having neither comma nor brace. */
static void cut_member(char *text, const char *name)
{
    char *at;

    while ((at = strstr(text, name)) != NULL) {
        char *end = at + strlen(name);

        end += strcspn(end, ",}");
        if (*end == ',')
            end++;
        else if (at > text && at[-1] == ',')
            at--;
        memmove(at, end, strlen(end) + 1);
    }
}

static void cut_line(char *text, const char *start)
{
    char *at;

    while ((at = strstr(text, start)) != NULL) {
        char *end = strchr(at, '\n');

        memmove(at, end + 1, strlen(end));
    }
}

const char *stream_take(fake_stream *stream)
{
    char *text = take(stream);
    char *to = text;
    char *from;

    cut_member(text, "\"subscriptionId\":");
    cut_member(text, "\"seq\":");
    cut_member(text, "\"timestamp\":");
    cut_line(text, "id: ");
    while ((from = strstr(text, "{\"id\":\"")) != NULL && from[6 + 9] == '-' &&
           from[6 + 14] == '-') {
        char *end = from + 7 + 36 + 2;

        memmove(from + 1, end, strlen(end) + 1);
    }
    for (from = text; *from != '\0'; from++) {
        if (from[0] == '\n' && from[1] == '\n') {
            *to++ = '|';
            from++;
        } else if (strncmp(from, "data: ", 6) == 0) {
            from += 5;
        } else {
            *to++ = *from == '\n' ? ' ' : *from;
        }
    }
    *to = '\0';
    return text;
}
