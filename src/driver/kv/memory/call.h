/* SPDX-License-Identifier: MIT */
/* kv/memory/call.h - one command at work: its arguments, its reply, and what every command does the same way. */
#ifndef COV_KV_MEMORY_CALL_H
#define COV_KV_MEMORY_CALL_H

#include "covara/kv.h"
#include "driver/kv/memory/engine.h"
#include "driver/kv/memory/pubsub.h"

typedef struct kv_call {
    kv_engine *engine;
    kv_pubsub *pubsub;
    const cov_str *args;
    size_t n_args;
    cov_arena *arena; /* of the reply */
    cov_kv_reply *reply;
    bool no_room; /* the arena is full: a command that would lose something must not go on */
} kv_call;

/* Every command: its enumerator and its function, cov__kv_do_NAME. */
/* clang-format off */
#define KV_COMMANDS(X) \
    X(GET, get) X(SET, set) X(GETDEL, getdel) X(DELIF, delif) X(INCR, incr) X(INCRBY, incrby) X(DECR, decr) \
    X(DEL, del) X(EXISTS, exists) X(EXPIRE, expire) X(PEXPIRE, pexpire) X(TTL, ttl) X(PTTL, pttl) X(TYPE, type) \
    X(EXPIREIF, expireif) X(KEYS, keys) X(SCAN, scan) X(PUBLISH, publish) \
    X(HGET, hget) X(HSET, hset) X(HSETIF, hsetif) X(HGETALL, hgetall) X(HDEL, hdel) X(HEXISTS, hexists) \
    X(HKEYS, hkeys) X(HLEN, hlen) X(HINCRBY, hincrby) \
    X(SADD, sadd) X(SREM, srem) X(SMEMBERS, smembers) X(SISMEMBER, sismember) X(SCARD, scard) \
    X(LPUSH, lpush) X(RPUSH, rpush) X(LPOP, lpop) X(RPOP, rpop) X(LRANGE, lrange) X(LTRIM, ltrim) X(LLEN, llen) \
    X(ZADD, zadd) X(ZREM, zrem) X(ZSCORE, zscore) X(ZCARD, zcard) X(ZRANGE, zrange) X(ZINCRBY, zincrby) \
    X(ZRANGEBYSCORE, zrangebyscore) X(ZREMRANGEBYSCORE, zremrangebyscore) X(ZREMRANGEBYRANK, zremrangebyrank) \
    X(WINDOW, window) X(SLIDE, slide) X(BUCKET, bucket) X(LOGADD, logadd)
/* clang-format on */

#define KV_DECLARE(op, name) void cov__kv_do_##name(kv_call *call);
KV_COMMANDS(KV_DECLARE)
#undef KV_DECLARE

#define KV_ERR_SYNTAX "ERR syntax error"
#define KV_ERR_INTEGER "ERR value is not an integer or out of range"
#define KV_ERR_FLOAT "ERR value is not a valid float"
#define KV_ERR_OVERFLOW "ERR increment or decrement would overflow"
#define KV_ERR_MEMORY "OOM out of memory"

/* ---- replies ---- */

void cov__kv_reply_int(kv_call *call, int64_t value);
void cov__kv_reply_text(kv_call *call, cov_str text); /* a copy */
void cov__kv_reply_ok(kv_call *call);
/* A static text. Always false, for functions that say whether to go on. */
bool cov__kv_reply_error(kv_call *call, const char *text);
/* A list of `n` nils to fill with the functions below; NULL (and no_room) when it does not fit. */
COV_CHECK cov_kv_reply *cov__kv_reply_list(kv_call *call, size_t n);
void cov__kv_item_text(kv_call *call, cov_kv_reply *item, cov_str text);
void cov__kv_item_int(cov_kv_reply *item, int64_t value);

/* ---- arguments ---- */

/* As Redis has it: no plus sign, no leading zeros, no "-0". On failure the reply is the error. */
bool cov__kv_arg_int(kv_call *call, size_t at, int64_t *out);
bool cov__kv_arg_double(kv_call *call, size_t at, double *out);
bool cov__kv_is_int(cov_str text, int64_t *out);
/* Decimal, or an infinity in words; never NaN. */
bool cov__kv_is_double(cov_str text, double *out);
/* Case does not matter in the names of options. */
bool cov__kv_is_word(cov_str text, const char *word);

enum { KV_NUM_BYTES = 32 };
cov_str cov__kv_int_text(int64_t value, char buffer[KV_NUM_BYTES]);
cov_str cov__kv_double_text(double value, char buffer[KV_NUM_BYTES]);
/* False: the sum leaves 64 bits. */
bool cov__kv_add(int64_t a, int64_t b, int64_t *out);

/* ---- the entry of the first argument ---- */

uint64_t cov__kv_hash_of(const kv_call *call, cov_str text);
/* For reading: *out is NULL when there is none. False: it is of another type, and the reply says so. */
bool cov__kv_open(kv_call *call, kv_type type, kv_entry **out);
/* The same, and the ranks [*from, *to) of arguments 1 and 2: first and last, counted from the end when negative. */
bool cov__kv_open_range(kv_call *call, kv_type type, kv_entry **out, size_t *from, size_t *to);
/*
 * For writing: the entry, or a new one that is not in the keyspace. False: the reply is the error. What cov__kv_edit
 * gave must be given to cov__kv_close, also when nothing came of it: that adds a new one, and deletes an empty one.
 */
typedef struct kv_edit {
    kv_entry *entry;
    bool fresh;
} kv_edit;
bool cov__kv_edit(kv_call *call, kv_type type, kv_edit *out);
void cov__kv_close(kv_call *call, const kv_edit *edit);

/* The time in `ttl_ms`, far away rather than too large. */
int64_t cov__kv_after(const kv_engine *engine, int64_t ttl_ms);

#endif
