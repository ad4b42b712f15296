/* SPDX-License-Identifier: MIT */
/* Each allocation of each command fails once: an error, and what was there before is still there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "covara/kv.h"
#include "driver/kv/memory/memory.h"
#include "fake_host.h"
#include "kv_model.h"

/* Allocations until one fails; negative: none does. */
static int countdown = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool fails(void)
{
    return countdown >= 0 && countdown-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

enum { MAX_WORDS = 16 };

static size_t words_of(const char *line, cov_str *words)
{
    cov_str rest = cov_str_from(line);
    size_t n = 0;

    while (rest.ptr != NULL && n < MAX_WORDS && cov_str_split(&rest, ' ', &words[n]))
        n++;
    return n;
}

static cov_kv_cmd command(const char *line, cov_str *words)
{
    static const char *const names[] = {
#define NAME(op, text, least, most, keys) [op] = (text),
        COV_KV_OP_MAP(NAME)
#undef NAME
    };
    size_t n = words_of(line, words);
    cov_kv_cmd cmd = { .args = words + 1, .n_args = n - 1 };

    while (cmd.op < COV_KV_N_OPS && !cov_str_eq(words[0], cov_str_from(names[cmd.op])))
        cmd.op = (cov_kv_op)(cmd.op + 1);
    return cmd;
}

static cov_status run_line(cov_kv *kv, cov_arena *arena, const char *line, cov_kv_reply *reply)
{
    cov_str words[MAX_WORDS + 1];
    cov_kv_cmd cmd = command(line, words);

    return cov_kv_run(kv, &cmd, 1, false, arena, reply, NULL);
}

static const char *const before[] = { "SET t old PX 5000",
                                      "HSET h f old",
                                      "SADD s a",
                                      "RPUSH l a b c d",
                                      "ZADD z 1 a 2 b",
                                      "SET n 5",
                                      "HSET h8 1 1 2 2 3 3 4 4 5 5 6 6 7 7" };

static const char *const lines[] = {
    "SET t a-value-that-is-longer-than-any-number-and-than-the-old-one",
    "SET t v PX 70000",
    "SET h v EX 100",
    "SET new v PX 10",
    "INCR n",
    "INCR new",
    "EXPIRE n 100",
    "EXPIREIF n 5 100",
    "HSET h f new-text-longer-than-what-was-there-before g 1 i 2",
    "HSET new f v g w",
    "HSETIF h g v",
    "HINCRBY h n 1",
    "HINCRBY new n 1",
    "HSET h8 8 8 9 9",
    "SADD s b c d",
    "SADD new b",
    "LPUSH l x y z",
    "RPUSH new x",
    "ZADD z 5 c 6 a",
    "ZADD new 5 c 6 a",
    "ZINCRBY z 1 c",
    "WINDOW new 1000 60000",
    "SLIDE z 1000 60000 m 5",
    "SLIDE new 1000 60000 m 5",
    "BUCKET new 1000 10 1 1 DEDUCT",
    "LOGADD n z {} 0 5",
    "LOGADD new new2 {} 0 5",
    "PUBLISH c message",
};

static void nothing(void *self, cov_str channel, cov_str message)
{
    (void)self;
    (void)channel;
    (void)message;
}

static cov_kv *fill(fake_host *f, cov_arena *arena)
{
    cov_kv_config config = { .prefix = COV_STR_NULL };
    cov_kv *kv = NULL;
    cov_kv_reply reply;
    uint64_t token;

    assert_int_equal(cov_kv_open(&cov_memory_kv_driver, &f->host, &config, &kv, NULL), COV_OK);
    assert_int_equal(cov_kv_subscribe(kv, COV_STR("c"), nothing, NULL, &token, NULL), COV_OK);
    for (size_t i = 0; i < COV_COUNT_OF(before); i++)
        assert_int_equal(run_line(kv, arena, before[i], &reply), COV_OK);
    return kv;
}

/* Everything that is there, as text. */
static cov_str contents(cov_kv *kv, cov_arena *arena)
{
    static const char *const reads[] = { "KEYS *",        "GET t",         "PTTL t",    "HGETALL h",
                                         "HGETALL h8",    "SMEMBERS s",    "GET n",     "PTTL n",
                                         "LRANGE l 0 -1", "ZRANGE z 0 -1", "ZSCORE z a" };
    cov_buf buf = COV_BUF_IN(arena);

    for (size_t i = 0; i < COV_COUNT_OF(reads); i++) {
        cov_kv_reply reply;

        assert_int_equal(run_line(kv, arena, reads[i], &reply), COV_OK);
        cov_buf_str(&buf, kv_reply_text(arena, &reply));
    }
    return cov_buf_view(&buf);
}

/* Whether the command ran to its end when the allocation after `n` others failed. */
static bool survives(const char *line, int n)
{
    cov_arena *arena = cov_arena_new(0);
    cov_kv_reply reply = { .type = COV_KV_NIL };
    cov_status st;
    fake_host f;
    cov_kv *kv;
    cov_str old;
    bool failed;

    fake_host_init(&f);
    assert_non_null(arena);
    kv = fill(&f, arena);
    old = contents(kv, arena);
    countdown = n;
    st = run_line(kv, arena, line, &reply);
    failed = countdown < 0;
    countdown = -1;
    if (st == COV_OK && reply.type == COV_KV_ERROR) {
        cov_str now = contents(kv, arena);

        if (!cov_str_eq(reply.s, COV_STR("OOM out of memory")))
            fail_msg("%s: %.*s", line, COV_STR_ARG(reply.s));
        if (!cov_str_eq(old, now))
            fail_msg("%s: %.*s was %.*s", line, COV_STR_ARG(now), COV_STR_ARG(old));
    } else if (st != COV_OK) {
        assert_int_equal(st, COV_ENOMEM);
    }
    cov_kv_close(kv);
    cov_arena_free(arena);
    fake_host_dispose(&f);
    return !failed;
}

static void kv_oom__old_values_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(lines); i++) {
        int n = 0;

        while (!survives(lines[i], n)) {
            n++;
            assert_true(n < 100);
        }
    }
}

static void kv_oom__opening_fails_whole(void **state)
{
    cov_kv_config config = { .prefix = COV_STR("p") };
    fake_host f;
    cov_kv *kv = NULL;

    (void)state;
    fake_host_init(&f);
    for (int n = 0; kv == NULL; n++) {
        assert_true(n < 20);
        countdown = n;
        if (cov_kv_open(&cov_memory_kv_driver, &f.host, &config, &kv, NULL) != COV_OK)
            assert_null(kv);
        countdown = -1;
    }
    cov_kv_close(kv);
    fake_host_dispose(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kv_oom__old_values_stay),
        cmocka_unit_test(kv_oom__opening_fails_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
