/* SPDX-License-Identifier: MIT */
#include "kv_compare.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_ARGS = 16, TEXT_BYTES = 48 };

/*
 * What arguments a command gets, a letter each: k a key, K one to three, f a field or member, F some, v a value, V some,
 * P pairs of field and value, d a score, D pairs of score and member, i an integer, r a rank, t a length of time, n now,
 * b a bound, p a pattern, z the key of a sorted set, S Z R M the options of SET, ZADD, ZRANGEBYSCORE and the mode of BUCKET. The second letter of
 * `type` says which keys it mostly gets, so that most commands meet what they are about.
 */
typedef struct shape {
    cov_kv_op op;
    char type;
    const char *args;
} shape;

static const shape shapes[] = {
    { COV_KV_GET, 't', "k" },
    { COV_KV_SET, 't', "kvS" },
    { COV_KV_SET, 'w', "kv" },
    { COV_KV_DEL, 'a', "K" },
    { COV_KV_EXISTS, 'a', "K" },
    { COV_KV_INCR, 't', "k" },
    { COV_KV_INCRBY, 't', "ki" },
    { COV_KV_DECR, 't', "k" },
    { COV_KV_EXPIRE, 'a', "kt" },
    { COV_KV_PEXPIRE, 'a', "kt" },
    { COV_KV_TTL, 'a', "k" },
    { COV_KV_PTTL, 'a', "k" },
    { COV_KV_TYPE, 'a', "k" },
    { COV_KV_HGET, 'h', "kf" },
    { COV_KV_HSET, 'h', "kP" },
    { COV_KV_HSET, 'h', "kP" },
    { COV_KV_HGETALL, 'h', "k" },
    { COV_KV_HDEL, 'h', "kF" },
    { COV_KV_HEXISTS, 'h', "kf" },
    { COV_KV_HKEYS, 'h', "k" },
    { COV_KV_HLEN, 'h', "k" },
    { COV_KV_HINCRBY, 'h', "kfi" },
    { COV_KV_SADD, 's', "kF" },
    { COV_KV_SADD, 's', "kF" },
    { COV_KV_SREM, 's', "kF" },
    { COV_KV_SMEMBERS, 's', "k" },
    { COV_KV_SISMEMBER, 's', "kf" },
    { COV_KV_SCARD, 's', "k" },
    { COV_KV_LPUSH, 'l', "kV" },
    { COV_KV_RPUSH, 'l', "kV" },
    { COV_KV_LPOP, 'l', "k" },
    { COV_KV_RPOP, 'l', "k" },
    { COV_KV_LRANGE, 'l', "krr" },
    { COV_KV_LTRIM, 'l', "krr" },
    { COV_KV_LLEN, 'l', "k" },
    { COV_KV_ZADD, 'z', "kZD" },
    { COV_KV_ZADD, 'z', "kD" },
    { COV_KV_ZADD, 'z', "kD" },
    { COV_KV_ZREM, 'z', "kF" },
    { COV_KV_ZSCORE, 'z', "kf" },
    { COV_KV_ZCARD, 'z', "k" },
    { COV_KV_ZRANGE, 'z', "krr" },
    { COV_KV_ZRANGE, 'z', "krr" },
    { COV_KV_ZINCRBY, 'z', "kdf" },
    { COV_KV_ZRANGEBYSCORE, 'z', "kbbR" },
    { COV_KV_ZREMRANGEBYSCORE, 'z', "kbb" },
    { COV_KV_ZREMRANGEBYRANK, 'z', "krr" },
    { COV_KV_KEYS, 'a', "p" },
    { COV_KV_GETDEL, 't', "k" },
    { COV_KV_DELIF, 't', "kv" },
    { COV_KV_EXPIREIF, 't', "kvt" },
    { COV_KV_HSETIF, 'h', "kP" },
    { COV_KV_WINDOW, 'c', "knt" },
    { COV_KV_SLIDE, 'q', "kntfi" },
    { COV_KV_BUCKET, 'b', "kndddM" },
    { COV_KV_LOGADD, 'o', "kzvit" },
};

typedef struct source {
    cov_str bytes;
    size_t at;
    cov_arena *arena; /* of the command */
    int64_t now;
    cov_str args[MAX_ARGS];
    size_t n;
} source;

/* 0 when there is none: the commands end there anyway. */
static unsigned next_byte(source *s)
{
    return s->at < s->bytes.len ? (unsigned char)s->bytes.ptr[s->at++] : 0;
}

static void push(source *s, cov_str text)
{
    if (s->n < MAX_ARGS)
        s->args[s->n++] = text;
}

static void push_word(source *s, const char *word)
{
    push(s, cov_str_from(word));
}

static void push_number(source *s, const char *before, int64_t number)
{
    cov_str text = cov_arena_printf(s->arena, "%s%lld", before, (long long)number);

    if (text.ptr == NULL)
        abort();
    push(s, text);
}

/* Any bytes at all, few of them. */
static void push_bytes(source *s)
{
    size_t len = next_byte(s) % 12;

    push(s, cov_str_slice(s->bytes, s->at, s->at + len));
    s->at = s->at + len < s->bytes.len ? s->at + len : s->bytes.len;
}

static void push_key(source *s, char type)
{
    static const char types[] = "thslzwcqbo";
    unsigned b = next_byte(s);
    char name[8] = { type, ':', 0 };

    if (b % 8 == 0)
        type = 'a';
    if (type == 'a')
        name[0] = types[b / 8 % (sizeof types - 1)];
    if (b == 255)
        push_bytes(s);
    else /* many keys of texts, two of everything else */
        push_number(s, name, name[0] == 'w' ? (int64_t)b : b / 128);
}

static void push_integer(source *s)
{
    static const char *const special[] = {
        "9223372036854775807", "-9223372036854775808", "+1", "01", "-0", "1.5", "",
        "9007199254740991"
    };
    unsigned b = next_byte(s);

    if (b < 16)
        push_word(s, special[b % COV_COUNT_OF(special)]);
    else
        push_number(s, "", (int64_t)b % 31 - 10);
}

static void push_double(source *s)
{
    static const char *const special[] = {
        "inf", "-inf",   "1e400", "nan",  "1e-3", "0.1", "0.30000000000000004",
        "-0",  "123e20", " 1",    "+2.5", "x"
    };
    unsigned b = next_byte(s);

    if (b < 24)
        push_word(s, special[b % COV_COUNT_OF(special)]);
    else
        push_number(s, "", (int64_t)b % 16);
}

static void push_member(source *s)
{
    static const char *const known[] = { "count", "resetAt", "tokens", "lastRefillMs" };
    unsigned b = next_byte(s);

    if (b < 8)
        push_word(s, known[b % COV_COUNT_OF(known)]);
    else if (b < 12)
        push_bytes(s);
    else
        push_number(s, "m", (int64_t)b % 100);
}

static void push_value(source *s)
{
    unsigned b = next_byte(s);

    if (b % 4 == 0)
        push_bytes(s);
    else if (b % 4 == 1)
        push_integer(s);
    else
        push_number(s, "some longer text that does not fit where a number was ", (int64_t)b % 3);
}

static void push_bound(source *s)
{
    static const char *const special[] = { "-inf", "+inf", "(inf", "(", "nan" };
    unsigned b = next_byte(s);

    if (b < 60)
        push_word(s, special[b % COV_COUNT_OF(special)]);
    else
        push_number(s, b % 3 == 0 ? "(" : "", (int64_t)b % 20 - 2);
}

static void push_pattern(source *s)
{
    static const char *const patterns[] = { "*",      "t:*",      "?:0",     "[st]:1",
                                            "[^w]*",  "w:?",      "w*[13]",  "\\w:1",
                                            "[a-s]*", "[z-a]:[0", "*:*1*2*", "[\\w-]*" };
    unsigned b = next_byte(s);

    if (b < 200)
        push_word(s, patterns[b % COV_COUNT_OF(patterns)]);
    else
        push_bytes(s);
}

static void push_set_options(source *s)
{
    static const char *const options[] = { "NX", "xx", "KEEPTTL", "EX", "px", "PX" };
    unsigned b = next_byte(s);

    for (unsigned i = 0; i < b % 3; i++) {
        const char *option = options[next_byte(s) % COV_COUNT_OF(options)];

        push_word(s, option);
        if (option[1] == 'X' && option[0] != 'N')
            push_integer(s);
    }
}

static void push_range_options(source *s)
{
    unsigned b = next_byte(s);

    if (b % 3 == 1)
        push_word(s, "WithScores");
    if (b % 3 != 2)
        return;
    push_word(s, "limit");
    push_number(s, "", (int64_t)b / 3 % 6 - 1);
    push_number(s, "", (int64_t)b / 18 % 6 - 1);
}

static void push_add_options(source *s)
{
    static const char *const options[] = { "NX", "xx", "GT", "lt", "CH" };
    unsigned b = next_byte(s);

    for (unsigned i = 0; i < b % 3; i++)
        push_word(s, options[(b / 3 + i * 2) % COV_COUNT_OF(options)]);
}

static void push_several(source *s, char what)
{
    unsigned n = next_byte(s) % 3 + 1;

    for (unsigned i = 0; i < n; i++) {
        if (what == 'K')
            push_key(s, 'a');
        if (what == 'D')
            push_double(s);
        if (what == 'F' || what == 'P' || what == 'D')
            push_member(s);
        if (what == 'V' || what == 'P')
            push_value(s);
    }
}

static void push_argument(source *s, char what, char type)
{
    static const char *const modes[] = { "ASSESS", "DEDUCT", "CONSUME", "credit", "NONE" };

    switch (what) {
    case 'k':
        push_key(s, type);
        break;
    case 'z':
        push_key(s, 'z');
        break;
    case 'f':
        push_member(s);
        break;
    case 'v':
        push_value(s);
        break;
    case 'd':
        push_double(s);
        break;
    case 'i':
        push_integer(s);
        break;
    case 'r':
        push_number(s, "", (int64_t)next_byte(s) % 24 - 12);
        break;
    case 't':
        push_number(s, "", (int64_t)next_byte(s) % 64 * (next_byte(s) % 50) - 1);
        break;
    case 'n':
        push_number(s, "", s->now);
        break;
    case 'b':
        push_bound(s);
        break;
    case 'p':
        push_pattern(s);
        break;
    case 'S':
        push_set_options(s);
        break;
    case 'Z':
        push_add_options(s);
        break;
    case 'R':
        push_range_options(s);
        break;
    case 'M':
        push_word(s, modes[next_byte(s) % COV_COUNT_OF(modes)]);
        break;
    default:
        push_several(s, what);
    }
}

static cov_kv_cmd next_command(source *s)
{
    const shape *chosen = &shapes[next_byte(s) % COV_COUNT_OF(shapes)];
    cov_kv_cmd cmd = { .op = chosen->op, .args = s->args };

    s->n = 0;
    for (const char *what = chosen->args; *what != '\0'; what++)
        push_argument(s, *what, chosen->type);
    cmd.n_args = s->n;
    return cmd;
}

/* ---- both sides ---- */

typedef struct comparison {
    cov_kv *kv;
    kv_model *model;
    fake_host *f;
    cov_arena *arena; /* of the command */
    cov_arena *out;
    cov_str *difference;
} comparison;

static void describe(const comparison *c, const cov_kv_cmd *cmd, cov_str kv, cov_str model)
{
    static const char *const names[] = {
#define NAME(op, name, least, most, keys) [op] = (name),
        COV_KV_OP_MAP(NAME)
#undef NAME
    };
    cov_buf buf = COV_BUF_IN(c->out);

    cov_buf_printf(&buf, "%s", names[cmd->op]);
    for (size_t i = 0; i < cmd->n_args; i++)
        cov_buf_printf(&buf, " '%.*s'", COV_STR_ARG(cmd->args[i]));
    cov_buf_printf(&buf, ": store %.*s, model %.*s", COV_STR_ARG(kv), COV_STR_ARG(model));
    *c->difference = cov_buf_view(&buf);
}

static bool same(const comparison *c, const cov_kv_cmd *cmd)
{
    cov_kv_reply expected;
    cov_kv_reply got;
    cov_error err;

    cov_error_init(&err, c->arena);
    if (cov_kv_run(c->kv, cmd, 1, false, c->arena, &got, &err) != COV_OK) {
        describe(c, cmd, cov_error_detail(&err), COV_STR("?"));
        return false;
    }
    expected = kv_model_run(c->model, cmd, c->f->now_ms);
    if (kv_replies_equal(cmd->op, &got, &expected))
        return true;
    describe(c, cmd, kv_reply_text(c->arena, &got), kv_reply_text(c->arena, &expected));
    return false;
}

/* Whether SCAN finds each of the keys, in steps of three. */
static bool scan_is_whole(const comparison *c, const cov_kv_reply *keys)
{
    bool *found = COV_NEW_ARRAY(c->arena, bool, keys->n);
    cov_str args[3] = { COV_STR("0"), COV_STR("COUNT"), COV_STR("3") };
    cov_kv_cmd cmd = { COV_KV_SCAN, args, 3 };
    cov_kv_reply reply;
    size_t n = 0;

    do {
        if (found == NULL || cov_kv_run(c->kv, &cmd, 1, false, c->arena, &reply, NULL) != COV_OK ||
            reply.type != COV_KV_LIST)
            return false;
        args[0] = reply.items[0].s;
        for (size_t i = 0; i < reply.items[1].n; i++)
            for (size_t k = 0; k < keys->n; k++)
                if (!found[k] && cov_str_eq(keys->items[k].s, reply.items[1].items[i].s)) {
                    found[k] = true;
                    n++;
                }
    } while (!cov_str_eq(args[0], COV_STR("0")));
    return n == keys->n;
}

static bool same_keys(const comparison *c)
{
    cov_str all = COV_STR("*");
    cov_kv_cmd keys = { COV_KV_KEYS, &all, 1 };
    cov_kv_reply list;

    if (!same(c, &keys))
        return false;
    list = kv_model_run(c->model, &keys, c->f->now_ms);
    for (size_t i = 0; i < list.n; i++) {
        cov_kv_cmd pttl = { COV_KV_PTTL, &list.items[i].s, 1 };
        cov_kv_cmd type = { COV_KV_TYPE, &list.items[i].s, 1 };

        if (!same(c, &pttl) || !same(c, &type))
            return false;
    }
    if (scan_is_whole(c, &list))
        return true;
    describe(c, &keys, COV_STR("SCAN misses some"), COV_STR(""));
    return false;
}

static void advance(const comparison *c, source *s)
{
    unsigned b = next_byte(s);

    if (b % 8 == 0)
        fake_host_advance(c->f, (int64_t)b * b / 8);
    s->now = c->f->now_ms;
}

size_t kv_compare(const cov_kv_driver *driver, fake_host *f, cov_str bytes, cov_arena *arena,
                  cov_str *difference)
{
    source s = { .bytes = bytes, .arena = cov_arena_new(0) };
    cov_kv_config config = { .prefix = COV_STR_NULL };
    comparison c = {
        .model = kv_model_new(), .f = f, .arena = s.arena, .out = arena, .difference = difference
    };
    size_t n = 0;
    bool equal = true;

    if (next_byte(&s) % 2 == 1)
        config.prefix = COV_STR("p[1]*?\\");
    if (s.arena == NULL || cov_kv_open(driver, &f->host, &config, &c.kv, NULL) != COV_OK)
        abort();
    while (equal && s.at < bytes.len) {
        cov_kv_cmd cmd;

        cov_arena_reset(s.arena);
        advance(&c, &s);
        cmd = next_command(&s);
        equal = same(&c, &cmd);
        n++;
    }
    equal = equal && same_keys(&c);
    cov_kv_close(c.kv);
    kv_model_free(c.model);
    cov_arena_free(s.arena);
    return equal ? n : 0;
}
