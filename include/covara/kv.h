/* SPDX-License-Identifier: MIT */
/*
 * covara/kv.h - the key-value store shared by everything that processes must agree on (spec/05): sessions,
 * limits, tokens, changelogs, messages.
 *
 * Redis-shaped: commands by number, arguments and values as text, so that one interface fits the memory engine,
 * Redis and a Durable Object. Where spec/05 section 3.2 shows that backends differ, Redis decides. Features call
 * the cov_kv_ functions, never the driver's table, and test `caps`, never `name`.
 * Calls block as the driver blocks. Threads: any, at once.
 */
#ifndef COVARA_KV_H
#define COVARA_KV_H

#include "covara/host.h"

COV_BEGIN_C

#define COV_KV_ABI 1

/*
 * Commands: enumerator, name, least and most arguments (-1: any), and which arguments are keys ('k' in order; the
 * last letter repeats: "k" all, "k." the first, "kk." the first two, "." none). Arguments are those of Redis in its order, options
 * included ("SET k v EX 60 NX"), but for the last group, which Redis runs as a script and the memory engine in one
 * step: they are atomic everywhere (spec/05 section 6). Times are milliseconds since 1970 unless EX/EXPIRE, which are
 * seconds. Replies: Redis's own, and for the last group as commented.
 *
 * Options that every driver has: SET k v [EX s | PX ms | KEEPTTL] [NX | XX]; ZADD k [NX | XX] [GT | LT] [CH] score
 * member...; ZRANGEBYSCORE k min max [WITHSCORES | LIMIT offset count], "(" before a bound excluding it;
 * SCAN cursor [MATCH pattern] [COUNT n].
 */
/* clang-format off */
#define COV_KV_OP_MAP(X) \
    X(COV_KV_GET,     "GET",     1,  1, "k")  X(COV_KV_SET,       "SET",       2, -1, "k.") \
    X(COV_KV_DEL,     "DEL",     1, -1, "k")  X(COV_KV_EXISTS,    "EXISTS",    1, -1, "k") \
    X(COV_KV_INCR,    "INCR",    1,  1, "k")  X(COV_KV_INCRBY,    "INCRBY",    2,  2, "k.") \
    X(COV_KV_DECR,    "DECR",    1,  1, "k")  X(COV_KV_EXPIRE,    "EXPIRE",    2,  2, "k.") \
    X(COV_KV_PEXPIRE, "PEXPIRE", 2,  2, "k.") X(COV_KV_TTL,       "TTL",       1,  1, "k") \
    X(COV_KV_PTTL,    "PTTL",    1,  1, "k")  X(COV_KV_TYPE,      "TYPE",      1,  1, "k") \
    X(COV_KV_HGET,    "HGET",    2,  2, "k.") X(COV_KV_HSET,      "HSET",      3, -1, "k.") \
    X(COV_KV_HGETALL, "HGETALL", 1,  1, "k")  X(COV_KV_HDEL,      "HDEL",      2, -1, "k.") \
    X(COV_KV_HEXISTS, "HEXISTS", 2,  2, "k.") X(COV_KV_HKEYS,     "HKEYS",     1,  1, "k") \
    X(COV_KV_HLEN,    "HLEN",    1,  1, "k")  X(COV_KV_HINCRBY,   "HINCRBY",   3,  3, "k.") \
    X(COV_KV_SADD,    "SADD",    2, -1, "k.") X(COV_KV_SREM,      "SREM",      2, -1, "k.") \
    X(COV_KV_SMEMBERS,"SMEMBERS",1,  1, "k")  X(COV_KV_SISMEMBER, "SISMEMBER", 2,  2, "k.") \
    X(COV_KV_SCARD,   "SCARD",   1,  1, "k") \
    X(COV_KV_LPUSH,   "LPUSH",   2, -1, "k.") X(COV_KV_RPUSH,     "RPUSH",     2, -1, "k.") \
    X(COV_KV_LPOP,    "LPOP",    1,  1, "k")  X(COV_KV_RPOP,      "RPOP",      1,  1, "k") \
    X(COV_KV_LRANGE,  "LRANGE",  3,  3, "k.") X(COV_KV_LTRIM,     "LTRIM",     3,  3, "k.") \
    X(COV_KV_LLEN,    "LLEN",    1,  1, "k") \
    X(COV_KV_ZADD,    "ZADD",    3, -1, "k.") X(COV_KV_ZREM,      "ZREM",      2, -1, "k.") \
    X(COV_KV_ZSCORE,  "ZSCORE",  2,  2, "k.") X(COV_KV_ZCARD,     "ZCARD",     1,  1, "k") \
    X(COV_KV_ZRANGE,  "ZRANGE",  3,  3, "k.") X(COV_KV_ZINCRBY,   "ZINCRBY",   3,  3, "k.") \
    X(COV_KV_ZRANGEBYSCORE, "ZRANGEBYSCORE", 3, 6, "k.") \
    X(COV_KV_ZREMRANGEBYSCORE, "ZREMRANGEBYSCORE", 3, 3, "k.") \
    X(COV_KV_ZREMRANGEBYRANK, "ZREMRANGEBYRANK", 3, 3, "k.") \
    X(COV_KV_KEYS,    "KEYS",    1,  1, ".")  X(COV_KV_SCAN,      "SCAN",      1,  5, ".") \
    X(COV_KV_PUBLISH, "PUBLISH", 2,  2, ".") \
    /* the text, and the key is gone; nil when there was none */ \
    X(COV_KV_GETDEL,  "GETDEL",  1,  1, "k") \
    /* key value: 1 when the key held exactly that value and is gone, else 0 */ \
    X(COV_KV_DELIF,   "DELIF",   2,  2, "k.") \
    /* key value seconds: 1 when the key held that value and lives on for `seconds`, else 0 */ \
    X(COV_KV_EXPIREIF,"EXPIREIF",3,  3, "k.") \
    /* key field value ...: HSET when the key exists: 1, else 0 and nothing is written */ \
    X(COV_KV_HSETIF,  "HSETIF",  3, -1, "k.") \
    /* key now window: count one in the fixed window of spec/07 section 4.3; [count, resetAt], integers */ \
    X(COV_KV_WINDOW,  "WINDOW",  3,  3, "k.") \
    /* key now window member max: sliding window of spec/07 section 4.4; [count, oldest score], integers. Only the latest
       max + 1 members are kept: more cannot change whether count > max, and nobody can make a set grow. */ \
    X(COV_KV_SLIDE,   "SLIDE",   5,  5, "k.") \
    /* key now capacity refillPerMinute cost mode: the bucket of spec/07 section 5.3, mode ASSESS, DEDUCT, CONSUME or
       CREDIT; [tokens after the charge as text, 1 when they sufficed before the charge else 0] */ \
    X(COV_KV_BUCKET,  "BUCKET",  6,  6, "k.") \
    /* counter log text start max: count `counter` up by one, from `start` when there is none, and add to the sorted set
       `log`, with that number as score, `text` with ,"seq":<number> before its last byte; all but the latest `max` members
       go (spec/04 section 16.2). [number, lowest score], integers. */ \
    X(COV_KV_LOGADD,  "LOGADD",  5,  5, "kk.")
/* clang-format on */

typedef enum cov_kv_op {
#define COV_KV_OP_ENUM(op, name, least, most, keys) op,
    COV_KV_OP_MAP(COV_KV_OP_ENUM)
#undef COV_KV_OP_ENUM
        COV_KV_N_OPS
} cov_kv_op;

typedef struct cov_kv_cmd {
    cov_kv_op op;
    const cov_str *args; /* borrowed for the call */
    size_t n_args;
} cov_kv_cmd;

typedef enum cov_kv_reply_type {
    COV_KV_NIL,
    COV_KV_INT,
    COV_KV_TEXT, /* also "OK", and reals as their shortest decimal text */
    COV_KV_LIST, /* hashes: field, value, field, value */
    COV_KV_ERROR /* s: the text, "WRONGTYPE ..." */
} cov_kv_reply_type;

typedef struct cov_kv_reply cov_kv_reply;
struct cov_kv_reply {
    cov_kv_reply_type type;
    int64_t i;
    cov_str s;
    const cov_kv_reply *items;
    size_t n;
};

enum {
    COV_KV_CAP_BLOCKS = 1u << 0, /* a call waits for a socket: never on an event loop */
    COV_KV_CAP_SHARED = 1u << 1, /* other processes see the same keys and messages */
    COV_KV_CAP_DURABLE = 1u << 2 /* keys survive a restart of this process */
};

typedef struct cov_kv_config {
    cov_str url;    /* Redis */
    cov_str prefix; /* put with ":" before every key; empty: none */
} cov_kv_config;

typedef struct cov_kv cov_kv;

/*
 * A message of a channel. Called once for each message in the order published, on whatever thread the driver has (the
 * memory engine: one that publishes, with no lock of the keys held; cov_kv_publish may return while another thread still
 * delivers). It must be quick, must not call unsubscribe, and may run commands and publish; what it publishes is
 * delivered after it returned.
 */
typedef void (*cov_kv_message_fn)(void *self, cov_str channel, cov_str message);

typedef struct cov_kv_driver {
    uint32_t abi; /* COV_KV_ABI; members are only ever added at the end */
    uint32_t caps;
    const char *name;
    /* must: the config is borrowed for the call, the host for the store's life */
    cov_status (*open)(const cov_host *host, const cov_kv_config *config, cov_kv **out,
                       cov_error *err);
    /*
     * must: run `n` commands in order; replies[i] and what it points to live in `arena`. `atomic`: nothing else comes
     * between (MULTI/EXEC). A command that fails gives a COV_KV_ERROR reply, and the others run all the same. Keys are
     * physical: the prefix was added. Fails (COV_EBUSY) only when the store cannot be reached, or (COV_ENOMEM) when the
     * replies do not fit into the arena; then some of the commands may have run.
     */
    cov_status (*run)(cov_kv *kv, const cov_kv_cmd *cmds, size_t n, bool atomic, cov_arena *arena,
                      cov_kv_reply *replies, cov_error *err);
    /* must: *token identifies the subscription for unsubscribe, after which the callback is not called again */
    cov_status (*subscribe)(cov_kv *kv, cov_str channel, cov_kv_message_fn fn, void *self,
                            uint64_t *token, cov_error *err);
    void (*unsubscribe)(cov_kv *kv, uint64_t token);
    /* must: whether the store answers now */
    bool (*connected)(cov_kv *kv);
    /* must: NULL is fine */
    void (*close)(cov_kv *kv);
} cov_kv_driver;

/* Implementations embed this as their first member. */
struct cov_kv {
    const cov_kv_driver *driver;
    const cov_host *host;
    cov_str prefix; /* terminated copy, owned by cov_kv_open and cov_kv_close; with the ":" */
};

COV_CHECK cov_status cov_kv_open(const cov_kv_driver *driver, const cov_host *host,
                                 const cov_kv_config *config, cov_kv **out, cov_error *err);
void cov_kv_close(cov_kv *kv);

/* Commands as they are; see the driver's `run`. Keys are logical: the prefix is added, and stripped from KEYS and SCAN. */
COV_CHECK cov_status cov_kv_run(cov_kv *kv, const cov_kv_cmd *cmds, size_t n, bool atomic,
                                cov_arena *arena, cov_kv_reply *replies, cov_error *err);
/*
 * One command: arguments in an array, an error reply becomes COV_EINTERNAL with its text. `arena` owns the reply.
 *
 *   cov_str args[] = { key, COV_STR("60") };
 *   st = cov_kv_call(kv, arena, COV_KV_EXPIRE, args, 2, &reply, err);
 */
COV_CHECK cov_status cov_kv_call(cov_kv *kv, cov_arena *arena, cov_kv_op op, const cov_str *args,
                                 size_t n_args, cov_kv_reply *reply, cov_error *err);

/* ---- the common ones, typed; `arena` owns what comes back ---- */

/* ptr NULL when there is no such key. */
COV_CHECK cov_status cov_kv_get(cov_kv *kv, cov_arena *arena, cov_str key, cov_str *value,
                                cov_error *err);
/* ttl_ms 0: no expiry. `only_new`: NX. *stored (may be NULL): false when NX refused. A negative ttl stores nothing. */
COV_CHECK cov_status cov_kv_set(cov_kv *kv, cov_arena *arena, cov_str key, cov_str value,
                                int64_t ttl_ms, bool only_new, bool *stored, cov_error *err);
COV_CHECK cov_status cov_kv_del(cov_kv *kv, cov_arena *arena, cov_str key, int64_t *deleted,
                                cov_error *err);
/* Value of a field in a HGETALL reply; ptr NULL when absent. */
cov_str cov_kv_field(const cov_kv_reply *hash, cov_str name);

COV_CHECK cov_status cov_kv_subscribe(cov_kv *kv, cov_str channel, cov_kv_message_fn fn, void *self,
                                      uint64_t *token, cov_error *err);
void cov_kv_unsubscribe(cov_kv *kv, uint64_t token);
/* Channels have no prefix. */
COV_CHECK cov_status cov_kv_publish(cov_kv *kv, cov_arena *arena, cov_str channel, cov_str message,
                                    cov_error *err);

COV_END_C

#endif
