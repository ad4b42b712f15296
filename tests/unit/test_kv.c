/* SPDX-License-Identifier: MIT */
/* covara/kv.h over the memory store: the acceptance cases of spec/05 section 14, time, prefixes, messages, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "covara/kv.h"
#include "driver/kv/memory/memory.h"
#include "fake_host.h"
#include "kv_model.h"

typedef struct fixture {
    fake_host host;
    cov_kv *kv;
    cov_arena *arena;
    cov_error err;
} fixture;

static cov_kv *open_store(fixture *f, const char *prefix)
{
    cov_kv_config config = { .prefix = cov_str_from(prefix) };
    cov_kv *kv = NULL;

    assert_int_equal(cov_kv_open(&cov_memory_kv_driver, &f->host.host, &config, &kv, &f->err),
                     COV_OK);
    return kv;
}

static int setup_with(void **state, const char *prefix)
{
    fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    fake_host_init(&f->host);
    f->arena = cov_arena_new(0);
    assert_non_null(f->arena);
    cov_error_init(&f->err, f->arena);
    f->kv = open_store(f, prefix);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, "");
}

static int setup_prefixed(void **state)
{
    return setup_with(state, "a[p]*");
}

static int teardown(void **state)
{
    fixture *f = *state;

    cov_kv_close(f->kv);
    cov_arena_free(f->arena);
    fake_host_dispose(&f->host);
    free(f);
    return 0;
}

/* ---- commands as lines ---- */

static cov_kv_op op_of(cov_str name)
{
    static const char *const names[] = {
#define NAME(op, text, least, most, keys) [op] = (text),
        COV_KV_OP_MAP(NAME)
#undef NAME
    };

    for (size_t i = 0; i < COV_KV_N_OPS; i++)
        if (cov_str_eq_nocase(name, cov_str_from(names[i])))
            return (cov_kv_op)i;
    fail_msg("no command %.*s", COV_STR_ARG(name));
    return COV_KV_N_OPS;
}

/* Words separated by spaces; '' is an empty one. */
static cov_kv_cmd parse(fixture *f, const char *line)
{
    cov_str rest = cov_str_from(line);
    cov_str *args = COV_NEW_ARRAY(f->arena, cov_str, 32);
    cov_kv_cmd cmd = { .args = args };
    cov_str word;

    assert_non_null(args);
    assert_true(cov_str_split(&rest, ' ', &word));
    cmd.op = op_of(word);
    while (rest.ptr != NULL && cov_str_split(&rest, ' ', &word)) {
        assert_true(cmd.n_args < 32);
        args[cmd.n_args++] = cov_str_eq(word, COV_STR("''")) ? COV_STR("") : word;
    }
    return cmd;
}

static const char *run_line(fixture *f, cov_kv *kv, const char *line)
{
    cov_kv_cmd cmd = parse(f, line);
    cov_kv_reply reply;

    assert_int_equal(cov_kv_run(kv, &cmd, 1, false, f->arena, &reply, &f->err), COV_OK);
    return cov_arena_str(f->arena, kv_reply_text(f->arena, &reply)).ptr;
}

/* Pairs of command and reply as kv_reply_text writes it. */
static void expect(fixture *f, const char *const (*lines)[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = run_line(f, f->kv, lines[i][0]);

        if (strcmp(got, lines[i][1]) != 0)
            fail_msg("%s: %s, not %s", lines[i][0], got, lines[i][1]);
    }
}

#define EXPECT(f, ...)                                       \
    do {                                                     \
        static const char *const lines_[][2] = __VA_ARGS__;  \
        expect((f), lines_, sizeof lines_ / sizeof *lines_); \
    } while (0)

#define WRONGTYPE "\"WRONGTYPE Operation against a key holding the wrong kind of value\""
#define NOT_INT "\"ERR value is not an integer or out of range\""
#define SYNTAX "\"ERR syntax error\""

/* ---- texts and keys ---- */

static void kv__texts(void **state)
{
    EXPECT(*state,
           { { "SET k v", "\"OK\"" },
             { "GET k", "\"v\"" },
             { "GET missing", "nil" },
             { "SET k ''", "\"OK\"" },
             { "GET k", "\"\"" },
             { "SET n a NX", "\"OK\"" },
             { "SET n b nx", "nil" },
             { "GET n", "\"a\"" },
             { "SET x a XX", "nil" },
             { "GET x", "nil" },
             { "SET x a", "\"OK\"" },
             { "SET x b XX", "\"OK\"" },
             { "GET x", "\"b\"" },
             { "SET x b NX XX", SYNTAX },
             { "SET x b EX", SYNTAX },
             { "SET x b EX 1 PX 1", SYNTAX },
             { "SET x b WHAT", SYNTAX },
             { "SET x b EX 1.5", NOT_INT },
             { "SET x b EX 0", "\"ERR invalid expire time in 'set' command\"" },
             { "SET x b PX -1", "\"ERR invalid expire time in 'set' command\"" },
             { "SET x b EX 9223372036854775807", "\"ERR invalid expire time in 'set' command\"" },
             { "GETDEL x", "\"b\"" },
             { "GETDEL x", "nil" },
             { "EXISTS x", "0" } });
}

static void kv__counters_are_strict(void **state)
{
    EXPECT(*state, { { "INCR c", "1" },
                     { "INCRBY c 5", "6" },
                     { "DECR c", "5" },
                     { "GET c", "\"5\"" },
                     { "INCRBY c -10", "-5" },
                     { "INCRBY c +1", NOT_INT },
                     { "SET c abc", "\"OK\"" },
                     { "INCR c", NOT_INT },
                     { "SET c 1.9", "\"OK\"" },
                     { "INCR c", NOT_INT },
                     { "SET c 01", "\"OK\"" },
                     { "INCR c", NOT_INT },
                     { "SET c -0", "\"OK\"" },
                     { "INCR c", NOT_INT },
                     { "SET c 9223372036854775807", "\"OK\"" },
                     { "INCR c", "\"ERR increment or decrement would overflow\"" },
                     { "DECR c", "9223372036854775806" },
                     { "SET c -9223372036854775808", "\"OK\"" },
                     { "DECR c", "\"ERR increment or decrement would overflow\"" },
                     { "SET c 1 EX 100", "\"OK\"" },
                     { "INCR c", "2" },
                     { "TTL c", "100" } });
}

static void kv__keys(void **state)
{
    EXPECT(*state, { { "SET a 1", "\"OK\"" },
                     { "SET b 1", "\"OK\"" },
                     { "EXISTS a b x", "2" },
                     { "EXISTS a a", "2" },
                     { "DEL a b x", "2" },
                     { "EXISTS a b", "0" },
                     { "TYPE a", "\"none\"" },
                     { "SET a 1", "\"OK\"" },
                     { "TYPE a", "\"string\"" },
                     { "HSET h f v", "1" },
                     { "TYPE h", "\"hash\"" },
                     { "SADD s m", "1" },
                     { "TYPE s", "\"set\"" },
                     { "RPUSH l i", "1" },
                     { "TYPE l", "\"list\"" },
                     { "ZADD z 1 m", "1" },
                     { "TYPE z", "\"zset\"" },
                     { "SET z text", "\"OK\"" },
                     { "TYPE z", "\"string\"" } });
}

static void kv__patterns(void **state)
{
    EXPECT(*state, { { "SET user:1 a", "\"OK\"" },
                     { "SET user:2 b", "\"OK\"" },
                     { "SET user:profile:1 c", "\"OK\"" },
                     { "KEYS user:?:1", "[]" },
                     { "KEYS user:profile*", "[\"user:profile:1\"]" },
                     { "KEYS user:?", "[\"user:1\" \"user:2\"]" },
                     { "KEYS user:[2-9]", "[\"user:2\"]" },
                     { "KEYS user:[^2-9]", "[\"user:1\"]" },
                     { "KEYS *r:[13]*", "[\"user:1\"]" },
                     { "KEYS us\\er:1", "[\"user:1\"]" },
                     { "KEYS user:\\?", "[]" },
                     { "KEYS user:1", "[\"user:1\"]" },
                     { "KEYS *:*:*", "[\"user:profile:1\"]" },
                     { "KEYS *:*:*:*", "[]" } });
}

static void kv__compare_and_change(void **state)
{
    EXPECT(*state, { { "SET lock w1 NX EX 30", "\"OK\"" },
                     { "SET lock w2 NX EX 30", "nil" },
                     { "DELIF lock w2", "0" },
                     { "EXPIREIF lock w2 90", "0" },
                     { "TTL lock", "30" },
                     { "EXPIREIF lock w1 90", "1" },
                     { "TTL lock", "90" },
                     { "DELIF lock w1", "1" },
                     { "DELIF lock w1", "0" },
                     { "EXPIREIF lock w1 90", "0" },
                     { "SET lock w2 NX EX 30", "\"OK\"" },
                     { "HSETIF h f 1", "0" },
                     { "EXISTS h", "0" },
                     { "HSET h f 0", "1" },
                     { "HSETIF h f 1 g 2", "1" },
                     { "HGETALL h", "[\"f\" \"1\" \"g\" \"2\"]" } });
}

/* ---- collections ---- */

static void kv__hashes(void **state)
{
    EXPECT(*state, { { "HSET h f 1", "1" },
                     { "HSET h f 2", "0" },
                     { "HGET h f", "\"2\"" },
                     { "HGET h x", "nil" },
                     { "HGET x f", "nil" },
                     { "HSET h f 3 g 4 g 5", "1" },
                     { "HGETALL h", "[\"f\" \"3\" \"g\" \"5\"]" },
                     { "HGETALL x", "[]" },
                     { "HKEYS h", "[\"f\" \"g\"]" },
                     { "HLEN h", "2" },
                     { "HEXISTS h g", "1" },
                     { "HEXISTS h x", "0" },
                     { "HINCRBY h n 5", "5" },
                     { "HINCRBY h n -7", "-2" },
                     { "HSET h t text", "1" },
                     { "HINCRBY h t 1", "\"ERR hash value is not an integer\"" },
                     { "HINCRBY new f x", NOT_INT },
                     { "EXISTS new", "0" },
                     { "HSET h a 1 b", "\"ERR wrong number of arguments for 'hset' command\"" },
                     { "HDEL h f g n t x", "4" },
                     { "EXISTS h", "0" } });
}

static void kv__hash_of_many_fields(void **state)
{
    fixture *f = *state;
    cov_kv_reply reply;
    cov_str key = COV_STR("h");

    for (int i = 0; i < 500; i++) {
        char line[64];

        snprintf(line, sizeof line, "HSET h field%d value%d", i, i);
        assert_string_equal(run_line(f, f->kv, line), "1");
    }
    assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_HGETALL, &key, 1, &reply, &f->err),
                     COV_OK);
    assert_int_equal(reply.n, 1000);
    assert_true(cov_str_eq(cov_kv_field(&reply, COV_STR("field499")), COV_STR("value499")));
    assert_null(cov_kv_field(&reply, COV_STR("field500")).ptr);
    assert_string_equal(run_line(f, f->kv, "HLEN h"), "500");
}

static void kv__sets(void **state)
{
    EXPECT(*state, { { "SADD s a b a", "2" },
                     { "SADD s b c", "1" },
                     { "SCARD s", "3" },
                     { "SREM s a z", "1" },
                     { "SISMEMBER s b", "1" },
                     { "SISMEMBER s a", "0" },
                     { "SMEMBERS s", "[\"b\" \"c\"]" },
                     { "SMEMBERS x", "[]" },
                     { "SREM s b c", "2" },
                     { "EXISTS s", "0" } });
}

static void kv__lists(void **state)
{
    EXPECT(*state, { { "RPUSH l a b", "2" },
                     { "LPUSH l c d", "4" },
                     { "LRANGE l 0 -1", "[\"d\" \"c\" \"a\" \"b\"]" },
                     { "DEL l", "1" },
                     { "RPUSH l a b c d e", "5" },
                     { "LRANGE l 1 -2", "[\"b\" \"c\" \"d\"]" },
                     { "LRANGE l -2 -1", "[\"d\" \"e\"]" },
                     { "LRANGE l 5 10", "[]" },
                     { "LRANGE l 2 1", "[]" },
                     { "LRANGE l 0 -9", "[]" },
                     { "LRANGE l -9223372036854775808 9223372036854775807",
                       "[\"a\" \"b\" \"c\" \"d\" \"e\"]" },
                     { "LRANGE l x 1", NOT_INT },
                     { "LTRIM l 1 3", "\"OK\"" },
                     { "LRANGE l 0 -1", "[\"b\" \"c\" \"d\"]" },
                     { "LTRIM l 5 10", "\"OK\"" },
                     { "LLEN l", "0" },
                     { "EXISTS l", "0" },
                     { "RPUSH l x", "1" },
                     { "LRANGE l 0 -1", "[\"x\"]" },
                     { "RPUSH l y z", "3" },
                     { "LPOP l", "\"x\"" },
                     { "RPOP l", "\"z\"" },
                     { "RPOP l", "\"y\"" },
                     { "RPOP l", "nil" },
                     { "LPOP l", "nil" },
                     { "EXISTS l", "0" } });
}

static void kv__sorted_sets(void **state)
{
    EXPECT(*state, { { "ZADD z 1 a", "1" },
                     { "ZADD z 2 a", "0" },
                     { "ZSCORE z a", "\"2\"" },
                     { "ZSCORE z x", "nil" },
                     { "ZADD z 1.5 b 1.5 aa", "2" },
                     { "ZRANGE z 0 -1", "[\"aa\" \"b\" \"a\"]" },
                     { "ZRANGE z 0 -5", "[]" },
                     { "ZCARD z", "3" },
                     { "ZADD m 1 m1 2 m2 3 m3 4 m4 5 m5", "5" },
                     { "ZRANGEBYSCORE m -inf +inf LIMIT 1 2", "[\"m2\" \"m3\"]" },
                     { "ZRANGEBYSCORE m 2 4", "[\"m2\" \"m3\" \"m4\"]" },
                     { "ZRANGEBYSCORE m (2 (4", "[\"m3\"]" },
                     { "ZRANGEBYSCORE m (2 4 WITHSCORES", "[\"m3\" \"3\" \"m4\" \"4\"]" },
                     { "ZRANGEBYSCORE m 6 +inf", "[]" },
                     { "ZRANGEBYSCORE m 4 2", "[]" },
                     { "ZRANGEBYSCORE m x 2", "\"ERR min or max is not a float\"" },
                     { "ZRANGEBYSCORE m 1 2 LIMIT 1", SYNTAX },
                     { "ZRANGEBYSCORE m -inf inf LIMIT -1 2", "[]" },
                     { "ZRANGEBYSCORE m -inf inf LIMIT 3 -1", "[\"m4\" \"m5\"]" },
                     { "ZREMRANGEBYRANK m 0 0", "1" },
                     { "ZREMRANGEBYSCORE m (2 3", "1" },
                     { "ZRANGE m 0 -1", "[\"m2\" \"m4\" \"m5\"]" },
                     { "ZREM m m2 x m4", "2" },
                     { "ZREMRANGEBYSCORE m -inf +inf", "1" },
                     { "EXISTS m", "0" },
                     { "ZINCRBY i 5 a", "\"5\"" },
                     { "ZINCRBY i 3.25 a", "\"8.25\"" },
                     { "ZADD i inf b", "1" },
                     { "ZSCORE i b", "\"inf\"" },
                     { "ZINCRBY i -inf b", "\"ERR resulting score is not a number (NaN)\"" },
                     { "ZINCRBY new x b", "\"ERR value is not a valid float\"" },
                     { "ZADD new nan b", "\"ERR value is not a valid float\"" },
                     { "ZADD new 1 a 1e999 b", "\"ERR value is not a valid float\"" },
                     { "ZADD new 1 a 2", SYNTAX },
                     { "EXISTS new", "0" } });
}

static void kv__zadd_options(void **state)
{
    EXPECT(*state, { { "ZADD z 5 a", "1" },
                     { "ZADD z NX 6 a 1 b", "1" },
                     { "ZADD z XX 6 a 1 c", "0" },
                     { "ZADD z XX CH 7 a", "1" },
                     { "ZADD z GT CH 6 a 2 b", "1" },
                     { "ZADD z LT CH 6 a 3 b", "1" },
                     { "ZRANGEBYSCORE z -inf inf WITHSCORES", "[\"b\" \"2\" \"a\" \"6\"]" },
                     { "ZADD z NX CH", SYNTAX },
                     { "ZADD new XX 1 a", "0" },
                     { "EXISTS new", "0" } });
}

static void kv__wrong_types_are_errors_and_change_nothing(void **state)
{
    EXPECT(*state, { { "SET t text EX 100", "\"OK\"" },
                     { "HSET t f v", WRONGTYPE },
                     { "HGETALL t", WRONGTYPE },
                     { "SADD t m", WRONGTYPE },
                     { "RPUSH t i", WRONGTYPE },
                     { "LPOP t", WRONGTYPE },
                     { "ZADD t 1 m", WRONGTYPE },
                     { "ZRANGE t 0 -1", WRONGTYPE },
                     { "WINDOW t 1 1", WRONGTYPE },
                     { "SLIDE t 1 1 m 1", WRONGTYPE },
                     { "BUCKET t 1 1 1 1 DEDUCT", WRONGTYPE },
                     { "GET t", "\"text\"" },
                     { "TTL t", "100" },
                     { "HSET h f v", "1" },
                     { "GET h", WRONGTYPE },
                     { "INCR h", WRONGTYPE },
                     { "GETDEL h", WRONGTYPE },
                     { "DELIF h v", WRONGTYPE },
                     { "EXPIREIF h v 1", WRONGTYPE },
                     { "SMEMBERS h", WRONGTYPE } });
}

/* ---- time ---- */

static void kv__keys_end_at_their_time(void **state)
{
    fixture *f = *state;

    EXPECT(f, { { "SET k v PX 30", "\"OK\"" }, { "PTTL k", "30" }, { "TTL k", "1" } });
    fake_host_advance(&f->host, 29);
    EXPECT(f, { { "GET k", "\"v\"" }, { "PTTL k", "1" } });
    fake_host_advance(&f->host, 1);
    EXPECT(f, { { "GET k", "nil" }, { "EXISTS k", "0" }, { "TTL k", "-2" }, { "DEL k", "0" } });
    EXPECT(f, { { "SET k v EX 5", "\"OK\"" },
                { "TTL k", "5" },
                { "SET k w KEEPTTL", "\"OK\"" },
                { "TTL k", "5" },
                { "SET k w", "\"OK\"" },
                { "TTL k", "-1" },
                { "EXPIRE k 10", "1" },
                { "PTTL k", "10000" },
                { "EXPIRE k 0", "1" },
                { "EXISTS k", "0" },
                { "EXPIRE k 10", "0" },
                { "PEXPIRE k x", NOT_INT },
                { "EXPIRE k 9223372036854775807", "\"ERR invalid expire time\"" } });
}

static void kv__every_type_expires(void **state)
{
    fixture *f = *state;

    EXPECT(f, { { "SET t v", "\"OK\"" },
                { "HSET h f v", "1" },
                { "SADD s m", "1" },
                { "RPUSH l i", "1" },
                { "ZADD z 1 m", "1" },
                { "EXPIRE t 1", "1" },
                { "EXPIRE h 1", "1" },
                { "EXPIRE s 1", "1" },
                { "EXPIRE l 1", "1" },
                { "EXPIRE z 1", "1" } });
    fake_host_advance(&f->host, 1100);
    EXPECT(f, { { "KEYS *", "[]" },
                { "SCAN 0", "[\"0\" []]" },
                { "HSET h g w", "1" },
                { "HGETALL h", "[\"g\" \"w\"]" },
                { "TTL h", "-1" },
                { "SADD s n", "1" },
                { "SMEMBERS s", "[\"n\"]" },
                { "RPUSH l j", "1" },
                { "LRANGE l 0 -1", "[\"j\"]" },
                { "ZADD z 2 n", "1" },
                { "ZRANGE z 0 -1", "[\"n\"]" },
                { "EXISTS t", "0" } });
}

/* More than one call removes: none of them may be seen meanwhile. */
static void kv__expired_keys_are_absent_before_they_are_removed(void **state)
{
    fixture *f = *state;
    char line[64];

    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof line, "SET key%d v PX %d", i, 1000 - i % 7);
        assert_string_equal(run_line(f, f->kv, line), "\"OK\"");
    }
    fake_host_advance(&f->host, 1000);
    EXPECT(f, { { "KEYS *", "[]" },
                { "EXISTS key999 key500", "0" },
                { "SET key999 new NX", "\"OK\"" } });
    for (int i = 0; i < 100; i++)
        assert_string_equal(run_line(f, f->kv, "GET key999"), "\"new\"");
}

/* ---- limits ---- */

static void kv__fixed_window(void **state)
{
    fixture *f = *state;

    EXPECT(f, { { "WINDOW w 1000 60000", "[1 61000]" },
                { "WINDOW w 1006 60000", "[2 61000]" },
                { "HGETALL w", "[\"count\" \"2\" \"resetAt\" \"61000\"]" },
                { "TTL w", "61" },
                { "WINDOW w 60999 60000", "[3 61000]" },
                { "TTL w", "2" },
                { "WINDOW w 61000 60000", "[1 121000]" },
                { "HSET w count x", "0" },
                { "WINDOW w 61001 60000", "[1 121001]" },
                { "WINDOW w -1 60000", NOT_INT },
                { "WINDOW w 1 0", NOT_INT },
                { "WINDOW w 9007199254740992 1", NOT_INT } });
    fake_host_advance(&f->host, 61000);
    EXPECT(f, { { "EXISTS w", "0" } });
}

static void kv__sliding_window(void **state)
{
    EXPECT(*state, { { "SLIDE s 1000 60000 1000:a 2", "[1 1000]" },
                     { "TTL s", "61" },
                     { "SLIDE s 2000 60000 2000:b 2", "[2 1000]" },
                     { "SLIDE s 3000 60000 3000:c 2", "[3 1000]" },
                     { "SLIDE s 4000 60000 4000:d 2", "[3 2000]" },
                     { "ZCARD s", "3" },
                     { "SLIDE s 63000 60000 63000:e 2", "[2 4000]" },
                     { "SLIDE s 200000 60000 200000:f 2", "[1 200000]" },
                     { "ZRANGE s 0 -1", "[\"200000:f\"]" },
                     { "SLIDE s x 60000 m 2", NOT_INT } });
}

static void kv__log_numbers_its_entries(void **state)
{
    EXPECT(*state, { { "LOGADD n l {\"a\":1} 1700000000000 2", "[1700000000001 1700000000001]" },
                     { "LOGADD n l {\"a\":2} 5 2", "[1700000000002 1700000000001]" },
                     { "LOGADD n l {\"a\":3} 5 2", "[1700000000003 1700000000002]" },
                     { "GET n", "\"1700000000003\"" },
                     { "ZRANGE l 0 -1", "[\"{\\\"a\\\":2,\\\"seq\\\":1700000000002}\""
                                        " \"{\\\"a\\\":3,\\\"seq\\\":1700000000003}\"]" },
                     { "SET n 9", "\"OK\"" },
                     { "LOGADD n l x 0 1", "[10 1700000000003]" },
                     { "LOGADD n n x 0 1", SYNTAX },
                     { "LOGADD l n x 0 1", WRONGTYPE },
                     { "LOGADD n l x -1 1", NOT_INT },
                     { "LOGADD n l x 0 0", NOT_INT },
                     { "GET n", "\"10\"" } });
}

static void kv__bucket_of_the_worked_example(void **state)
{
    EXPECT(*state, { { "BUCKET b 1700000000000 10 4 6 ASSESS", "[\"10\" 1]" },
                     { "EXISTS b", "0" },
                     { "BUCKET b 1700000000000 10 4 6 DEDUCT", "[\"4\" 1]" },
                     { "HGETALL b", "[\"tokens\" \"4\" \"lastRefillMs\" \"1700000000000\"]" },
                     { "TTL b", "91" },
                     { "BUCKET b 1700000000006 10 4 6 ASSESS", "[\"4.0004\" 0]" },
                     { "HGET b tokens", "\"4\"" },
                     { "BUCKET b 1700000000006 10 4 6 CONSUME", "[\"4.0004\" 0]" },
                     { "HGET b lastRefillMs", "\"1700000000006\"" },
                     { "BUCKET b 1700000000006 10 4 6 DEDUCT", "[\"0\" 0]" },
                     { "TTL b", "151" },
                     { "BUCKET b 1700000000006 10 4 3 CREDIT", "[\"3\" 0]" },
                     { "BUCKET b 1700000000006 10 4 30 credit", "[\"10\" 0]" },
                     { "BUCKET b 1700000000006 10 4 6 CONSUME", "[\"4\" 1]" },
                     { "BUCKET b 1600000000000 10 4 0 DEDUCT", "[\"4\" 1]" },
                     { "BUCKET b 1700000600006 10 4 0 ASSESS", "[\"10\" 1]" },
                     { "BUCKET n 0 10 0 1 DEDUCT", "[\"9\" 1]" },
                     { "TTL n", "-1" },
                     { "BUCKET n 0 10 0 1 OTHER", SYNTAX },
                     { "BUCKET n 0 10 0 -1 DEDUCT", "\"ERR value is not a valid float\"" },
                     { "BUCKET n 0 inf 0 1 DEDUCT", "\"ERR value is not a valid float\"" } });
}

/* ---- the calls of kv.h ---- */

static void kv__transaction_goes_on_after_an_error(void **state)
{
    fixture *f = *state;
    static const char *const lines[] = { "SET t:s 1",        "INCR t:s",     "SADD t:set a b",
                                         "RPUSH t:list x y", "ZADD t:z 1 m", "HSET t:h f v",
                                         "EXPIRE t:s 100",   "DEL t:gone",   "INCR t:h",
                                         "SET t:after 1" };
    static const char *const replies[] = { "\"OK\"", "2", "2", "2",       "1",
                                           "1",      "1", "0", WRONGTYPE, "\"OK\"" };
    cov_kv_cmd cmds[COV_COUNT_OF(lines)];
    cov_kv_reply out[COV_COUNT_OF(lines)];

    for (size_t i = 0; i < COV_COUNT_OF(lines); i++)
        cmds[i] = parse(f, lines[i]);
    assert_int_equal(cov_kv_run(f->kv, cmds, COV_COUNT_OF(lines), true, f->arena, out, &f->err),
                     COV_OK);
    for (size_t i = 0; i < COV_COUNT_OF(lines); i++) {
        cov_str text = cov_arena_str(f->arena, kv_reply_text(f->arena, &out[i]));

        assert_string_equal(text.ptr, replies[i]);
    }
    assert_int_equal(out[8].type, COV_KV_ERROR);
    assert_int_equal(cov_kv_run(f->kv, NULL, 0, true, f->arena, NULL, &f->err), COV_OK);
}

static void kv__refuses_wrong_counts_before_anything_runs(void **state)
{
    fixture *f = *state;
    cov_str args[] = { COV_STR("k"), COV_STR("v"), COV_STR("x") };
    cov_kv_cmd cmds[] = { { COV_KV_SET, args, 2 }, { COV_KV_GET, args, 2 } };
    cov_kv_reply out[2];

    assert_int_equal(cov_kv_run(f->kv, cmds, 2, false, f->arena, out, &f->err), COV_EINTERNAL);
    assert_string_equal(f->err.text, "wrong number of arguments for 'GET'");
    assert_string_equal(run_line(f, f->kv, "EXISTS k"), "0");
    assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_N_OPS, args, 1, out, &f->err),
                     COV_EINTERNAL);
    assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_SET, args, 1, out, &f->err),
                     COV_EINTERNAL);
}

static void kv__typed_calls(void **state)
{
    fixture *f = *state;
    cov_str key = COV_STR("k");
    cov_str value = COV_STR("untouched");
    cov_kv_reply reply;
    bool stored = false;
    int64_t deleted = 5;

    assert_int_equal(cov_kv_set(f->kv, f->arena, key, COV_STR("v"), 1500, true, &stored, &f->err),
                     COV_OK);
    assert_true(stored);
    assert_string_equal(run_line(f, f->kv, "PTTL k"), "1500");
    assert_int_equal(cov_kv_set(f->kv, f->arena, key, COV_STR("w"), 0, true, &stored, &f->err),
                     COV_OK);
    assert_false(stored);
    assert_int_equal(cov_kv_get(f->kv, f->arena, key, &value, &f->err), COV_OK);
    assert_true(cov_str_eq(value, COV_STR("v")));
    stored = true;
    assert_int_equal(cov_kv_set(f->kv, f->arena, key, COV_STR("x"), -1, false, &stored, &f->err),
                     COV_OK);
    assert_false(stored);
    assert_int_equal(cov_kv_del(f->kv, f->arena, key, &deleted, &f->err), COV_OK);
    assert_int_equal(deleted, 1);
    assert_int_equal(cov_kv_get(f->kv, f->arena, key, &value, &f->err), COV_OK);
    assert_null(value.ptr);
    assert_int_equal(cov_kv_set(f->kv, f->arena, key, COV_STR(""), 0, false, NULL, &f->err),
                     COV_OK);
    assert_int_equal(cov_kv_get(f->kv, f->arena, key, &value, &f->err), COV_OK);
    assert_non_null(value.ptr);
    assert_int_equal(value.len, 0);
    assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_HGETALL, &key, 1, &reply, &f->err),
                     COV_EINTERNAL);
    assert_true(cov_str_contains(cov_error_detail(&f->err), COV_STR("HGETALL: WRONGTYPE ")));
}

static void kv__prefix_is_added_and_taken_off(void **state)
{
    fixture *f = *state;
    cov_str raw = f->kv->prefix;

    EXPECT(f, { { "SET k v", "\"OK\"" },
                { "SET other w", "\"OK\"" },
                { "KEYS k*", "[\"k\"]" },
                { "KEYS *k", "[\"k\"]" },
                { "SCAN 0 MATCH k", "[\"0\" [\"k\"]]" },
                { "SCAN 0 COUNT 100", "[\"0\" [\"k\" \"other\"]]" },
                { "SCAN 0 MATCH", SYNTAX },
                { "EXISTS k other x", "2" },
                { "HSET h k v", "1" },
                { "HKEYS h", "[\"k\"]" },
                { "DEL k other h", "3" } });
    assert_true(cov_str_eq(raw, COV_STR("a[p]*:")));
    assert_int_equal(raw.ptr[raw.len], '\0');
    /* What the prefix would match as a pattern is somebody else's. */
    f->kv->prefix = COV_STR("");
    EXPECT(f, { { "SET a[p]*:mine 1", "\"OK\"" }, { "SET apx:other 1", "\"OK\"" } });
    f->kv->prefix = raw;
    EXPECT(f, { { "KEYS *", "[\"mine\"]" },
                { "SCAN 0", "[\"0\" [\"mine\"]]" },
                { "GET mine", "\"1\"" } });
}

static void kv__scan_finds_each_key(void **state)
{
    fixture *f = *state;
    bool found[600] = { false };
    cov_str args[] = { COV_STR("0"), COV_STR("MATCH"), COV_STR("key*"), COV_STR("COUNT"),
                       COV_STR("7") };
    cov_kv_reply reply;
    char line[64];
    int next = 0;

    for (; next < 300; next++) {
        snprintf(line, sizeof line, "SET key%d v", next);
        run_line(f, f->kv, line);
    }
    do { /* and the table grows and shrinks under it */
        assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_SCAN, args, 5, &reply, &f->err),
                         COV_OK);
        args[0] = reply.items[0].s;
        for (size_t i = 0; i < reply.items[1].n; i++)
            found[strtol(reply.items[1].items[i].s.ptr + 3, NULL, 10)] = true;
        for (int i = 0; i < 12; i++, next++) {
            snprintf(line, sizeof line, next < 600 ? "SET key%d v" : "DEL key%d", next % 600);
            if (next < 600 || next % 600 >= 300)
                run_line(f, f->kv, line);
        }
    } while (!cov_str_eq(args[0], COV_STR("0")));
    for (int i = 0; i < 300; i++)
        assert_true(found[i]);
    EXPECT(f, { { "SCAN x", "\"ERR invalid cursor\"" },
                { "SCAN 0 COUNT 0", SYNTAX },
                { "SCAN 0 WHAT 1", SYNTAX } });
}

static void kv__open_refuses_another_interface(void **state)
{
    fixture *f = *state;
    cov_kv_driver other = cov_memory_kv_driver;
    cov_kv_config config = { .prefix = COV_STR_NULL };
    cov_kv *kv = NULL;

    other.abi++;
    assert_int_equal(cov_kv_open(&other, &f->host.host, &config, &kv, &f->err), COV_EINTERNAL);
    assert_null(kv);
    f->host.random_fails = true;
    assert_int_equal(cov_kv_open(&cov_memory_kv_driver, &f->host.host, &config, &kv, &f->err),
                     COV_EINTERNAL);
    cov_kv_close(NULL);
}

static void kv__runs_on_a_host_without_locks(void **state)
{
    fixture *f = *state;
    cov_kv_config config = { .prefix = COV_STR_NULL };
    cov_host host = f->host.host;
    cov_kv *kv = NULL;

    host.lock_new = NULL;
    host.lock = host.unlock = host.lock_free = NULL;
    assert_int_equal(cov_kv_open(&cov_memory_kv_driver, &host, &config, &kv, &f->err), COV_OK);
    assert_string_equal(run_line(f, kv, "INCR n"), "1");
    cov_kv_close(kv);
}

/* Replies that do not fit lose nothing. */
static void kv__a_full_arena_takes_nothing_away(void **state)
{
    fixture *f = *state;
    cov_arena *small = cov_arena_new(64);
    cov_str args[] = { COV_STR("l"),
                       COV_STR("a text that is longer than all there is in the arena of this call, "
                               "which ends it") };
    cov_kv_reply reply;

    assert_non_null(small);
    assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_RPUSH, args, 2, &reply, &f->err), COV_OK);
    assert_int_equal(cov_kv_call(f->kv, small, COV_KV_LPOP, args, 1, &reply, NULL), COV_ENOMEM);
    assert_string_equal(run_line(f, f->kv, "LLEN l"), "1");
    args[0] = COV_STR("t");
    assert_int_equal(cov_kv_call(f->kv, f->arena, COV_KV_SET, args, 2, &reply, &f->err), COV_OK);
    assert_int_equal(cov_kv_call(f->kv, small, COV_KV_GETDEL, args, 1, &reply, NULL), COV_ENOMEM);
    assert_string_equal(run_line(f, f->kv, "EXISTS t"), "1");
    cov_arena_free(small);
}

/* ---- messages ---- */

typedef struct listener {
    fixture *f;
    cov_buf heard;
    const char *answer; /* published once, from the callback */
} listener;

static void hear(void *self, cov_str channel, cov_str message)
{
    listener *l = self;
    const char *answer = l->answer;

    cov_buf_printf(&l->heard, "%.*s=%.*s ", COV_STR_ARG(channel), COV_STR_ARG(message));
    l->answer = NULL;
    if (answer != NULL) {
        assert_string_equal(run_line(l->f, l->f->kv, "INCR seen"), "1");
        assert_int_equal(cov_kv_publish(l->f->kv, l->f->arena, channel, cov_str_from(answer), NULL),
                         COV_OK);
    }
}

static void assert_heard(listener *l, const char *text)
{
    cov_buf_char(&l->heard, '\0');
    assert_string_equal(l->heard.ptr, text);
    cov_buf_clear(&l->heard, 0);
}

static uint64_t listen(listener *l, const char *channel)
{
    uint64_t token = 0;

    assert_int_equal(cov_kv_subscribe(l->f->kv, cov_str_from(channel), hear, l, &token, NULL),
                     COV_OK);
    return token;
}

static void kv__messages(void **state)
{
    fixture *f = *state;
    listener a = { .f = f };
    listener b = { .f = f };
    uint64_t tokens[3] = { listen(&a, "c"), listen(&b, "c"), listen(&a, "d") };

    EXPECT(f, { { "PUBLISH c one", "2" }, { "PUBLISH d two", "1" }, { "PUBLISH e three", "0" } });
    assert_heard(&a, "c=one d=two ");
    assert_heard(&b, "c=one ");
    cov_kv_unsubscribe(f->kv, tokens[0]);
    cov_kv_unsubscribe(f->kv, tokens[0]);
    EXPECT(f, { { "PUBLISH c four", "1" } });
    assert_heard(&a, "");
    assert_heard(&b, "c=four ");
    tokens[0] = listen(&a, "c");
    cov_kv_unsubscribe(f->kv, tokens[1]);
    EXPECT(f, { { "PUBLISH c five", "1" } });
    assert_heard(&a, "c=five ");
    cov_kv_unsubscribe(f->kv, tokens[0]);
    cov_kv_unsubscribe(f->kv, tokens[2]);
    EXPECT(f, { { "PUBLISH c six", "0" }, { "PUBLISH d six", "0" } });
    assert_heard(&a, "");
}

/* What a callback publishes comes after what was published before, for everybody. */
static void kv__callbacks_may_publish(void **state)
{
    fixture *f = *state;
    listener first = { .f = f, .answer = "answer" };
    listener second = { .f = f };
    cov_kv_cmd cmds[2] = { parse(f, "PUBLISH c one"), parse(f, "PUBLISH c two") };
    cov_kv_reply replies[2];

    (void)listen(&first, "c");
    (void)listen(&second, "c");
    assert_int_equal(cov_kv_run(f->kv, cmds, 2, true, f->arena, replies, NULL), COV_OK);
    assert_heard(&first, "c=one c=two c=answer ");
    assert_heard(&second, "c=one c=two c=answer ");
    cov_buf_dispose(&first.heard);
    cov_buf_dispose(&second.heard);
}

static void subscribe_within(void *self, cov_str channel, cov_str message)
{
    listener *l = self;

    (void)message;
    if (l->answer != NULL)
        (void)listen(l, channel.ptr[0] == 'c' ? "c" : "d");
    l->answer = NULL;
}

/* Who comes later than a message does not get it. */
static void kv__messages_are_for_those_who_were_there(void **state)
{
    fixture *f = *state;
    listener l = { .f = f, .answer = "yes" };
    uint64_t token;

    assert_int_equal(cov_kv_subscribe(f->kv, COV_STR("c"), subscribe_within, &l, &token, NULL),
                     COV_OK);
    EXPECT(f, { { "PUBLISH c one", "1" } });
    assert_heard(&l, "");
    EXPECT(f, { { "PUBLISH c two", "2" } });
    assert_heard(&l, "c=two ");
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 2000 };

typedef struct hammer {
    fixture *f;
    int consumed;
    int failed;
} hammer;

static void *hammer_run(void *self)
{
    hammer *h = self;
    cov_arena *arena = cov_arena_new(0);
    cov_str window[] = { COV_STR("w"), COV_STR("1000"), COV_STR("60000") };
    cov_str bucket[] = { COV_STR("b"), COV_STR("1000"), COV_STR("5000"),
                         COV_STR("0"), COV_STR("1"),    COV_STR("CONSUME") };
    cov_kv_reply reply;

    for (int i = 0; arena != NULL && i < ROUNDS; i++) {
        h->failed += cov_kv_call(h->f->kv, arena, COV_KV_WINDOW, window, 3, &reply, NULL) != COV_OK;
        h->failed += cov_kv_call(h->f->kv, arena, COV_KV_BUCKET, bucket, 6, &reply, NULL) != COV_OK;
        h->consumed += reply.items[1].i == 1;
        h->failed += cov_kv_publish(h->f->kv, arena, COV_STR("c"), COV_STR("m"), NULL) != COV_OK;
        cov_arena_reset(arena);
    }
    cov_arena_free(arena);
    return NULL;
}

/* Unguarded on purpose: the store calls one at a time. */
static void count_message(void *self, cov_str channel, cov_str message)
{
    (void)channel;
    (void)message;
    ++*(int *)self;
}

static void *subscribe_and_leave(void *self)
{
    hammer *h = self;

    for (int i = 0; i < ROUNDS / 4; i++) {
        int *count = calloc(1, sizeof *count);
        uint64_t token;

        if (count == NULL ||
            cov_kv_subscribe(h->f->kv, COV_STR("c"), count_message, count, &token, NULL) != COV_OK)
            h->failed++;
        else
            cov_kv_unsubscribe(h->f->kv, token);
        free(count); /* a callback that came after this would be seen by the sanitizers */
    }
    return NULL;
}

static void kv__threads_lose_nothing(void **state)
{
    fixture *f = *state;
    hammer hammers[THREADS + 1];
    pthread_t threads[THREADS + 1];
    int messages = 0;
    int consumed = 0;
    uint64_t token;

    assert_int_equal(cov_kv_subscribe(f->kv, COV_STR("c"), count_message, &messages, &token, NULL),
                     COV_OK);
    for (int i = 0; i <= THREADS; i++) {
        hammers[i] = (hammer){ f, 0, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL,
                                        i < THREADS ? hammer_run : subscribe_and_leave,
                                        &hammers[i]),
                         0);
    }
    for (int i = 0; i <= THREADS; i++) {
        pthread_join(threads[i], NULL);
        consumed += hammers[i].consumed;
        assert_int_equal(hammers[i].failed, 0);
    }
    assert_int_equal(consumed, 5000);
    assert_int_equal(messages, THREADS * ROUNDS);
    EXPECT(f, { { "HGET w count", "\"8000\"" }, { "HGET b tokens", "\"0\"" } });
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(kv__texts),
        TEST(kv__counters_are_strict),
        TEST(kv__keys),
        TEST(kv__patterns),
        TEST(kv__compare_and_change),
        TEST(kv__hashes),
        TEST(kv__hash_of_many_fields),
        TEST(kv__sets),
        TEST(kv__lists),
        TEST(kv__sorted_sets),
        TEST(kv__zadd_options),
        TEST(kv__wrong_types_are_errors_and_change_nothing),
        TEST(kv__keys_end_at_their_time),
        TEST(kv__every_type_expires),
        TEST(kv__expired_keys_are_absent_before_they_are_removed),
        TEST(kv__fixed_window),
        TEST(kv__log_numbers_its_entries),
        TEST(kv__sliding_window),
        TEST(kv__bucket_of_the_worked_example),
        TEST(kv__transaction_goes_on_after_an_error),
        TEST(kv__refuses_wrong_counts_before_anything_runs),
        TEST(kv__typed_calls),
        cmocka_unit_test_setup_teardown(kv__prefix_is_added_and_taken_off, setup_prefixed,
                                        teardown),
        TEST(kv__scan_finds_each_key),
        TEST(kv__open_refuses_another_interface),
        TEST(kv__runs_on_a_host_without_locks),
        TEST(kv__a_full_arena_takes_nothing_away),
        TEST(kv__messages),
        TEST(kv__callbacks_may_publish),
        TEST(kv__messages_are_for_those_who_were_there),
        TEST(kv__threads_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
