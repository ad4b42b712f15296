/* SPDX-License-Identifier: MIT */
/* Payloads, responses that lose their stream, and the recording stream of the tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "covara/http.h"
#include "covara/stream.h"

enum { THREADS = 4, ROUNDS = 20000 };

static cov_payload *payload_of(const char *text)
{
    cov_payload *payload = cov_payload_new(strlen(text));

    assert_non_null(payload);
    memcpy(cov_payload_bytes(payload), text, strlen(text));
    return payload;
}

static void payload__holds_its_bytes(void **state)
{
    cov_payload *payload = payload_of("data: 1\n\n");
    cov_payload *empty = cov_payload_new(0);

    (void)state;
    assert_int_equal(cov_payload_len(payload), 9);
    assert_memory_equal(cov_payload_bytes(payload), "data: 1\n\n", 9);
    assert_int_equal(cov_payload_len(empty), 0);
    assert_ptr_equal(cov_payload_retain(payload), payload);
    cov_payload_release(payload);
    assert_memory_equal(cov_payload_bytes(payload), "data: 1\n\n", 9);
    cov_payload_release(payload);
    cov_payload_release(empty);
    cov_payload_release(NULL);
}

static void payload__that_cannot_be_is_null(void **state)
{
    (void)state;
    assert_null(cov_payload_new(SIZE_MAX));
    assert_null(cov_payload_new(SIZE_MAX - 2 * sizeof(size_t) + 1));
}

static void *retain_and_release(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        cov_payload_release(cov_payload_retain(arg));
    cov_payload_release(arg);
    return NULL;
}

static void payload__is_counted_across_threads(void **state)
{
    cov_payload *payload = payload_of("shared");
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, retain_and_release,
                                        cov_payload_retain(payload)),
                         0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_memory_equal(cov_payload_bytes(payload), "shared", 6);
    cov_payload_release(payload); /* the last: a leak otherwise */
}

/* ---- sources ---- */

typedef struct counting_source {
    cov_stream_source source;
    cov_stream *stream;
    int drained;
    int closed;
} counting_source;

static void counting_opened(cov_stream_source *source, cov_stream *stream)
{
    ((counting_source *)source)->stream = stream;
}

static void counting_drained(cov_stream_source *source)
{
    ((counting_source *)source)->drained++;
}

static void counting_closed(cov_stream_source *source)
{
    ((counting_source *)source)->closed++;
}

#define COUNTING_SOURCE                          \
    {                                            \
        .source = { .opened = counting_opened,   \
                    .drained = counting_drained, \
                    .closed = counting_closed }, \
    }

static void response__drops_its_stream_once(void **state)
{
    counting_source source = COUNTING_SOURCE;
    cov_response res = { .stream = &source.source };

    (void)state;
    cov_response_drop_stream(&res);
    assert_null(res.stream);
    assert_int_equal(source.closed, 1);
    cov_response_drop_stream(&res);
    assert_int_equal(source.closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload__holds_its_bytes),
        cmocka_unit_test(payload__that_cannot_be_is_null),
        cmocka_unit_test(payload__is_counted_across_threads),
        cmocka_unit_test(response__drops_its_stream_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
