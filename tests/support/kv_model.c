/* SPDX-License-Identifier: MIT */
#include "kv_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/num.h"

#define WRONGTYPE "WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_INT "ERR value is not an integer or out of range"
#define NOT_FLOAT "ERR value is not a valid float"
#define SYNTAX "ERR syntax error"
#define SAFE_INT INT64_C(9007199254740991)

typedef struct item {
    cov_str name;  /* text, field, member or list item */
    cov_str value; /* of a field */
    double score;
} item;

typedef struct record {
    cov_str key;
    char type; /* t, h, s, l, z */
    item *items;
    size_t n;
    size_t cap;
    int64_t expires_at; /* 0: never */
} record;

struct kv_model {
    cov_arena *arena;
    record *records;
    size_t n;
    size_t cap;
    int64_t now;
};

/* One command: its model, arguments and record of the first one, NULL when there is none. */
typedef struct run {
    kv_model *m;
    const cov_str *args;
    size_t n;
    record *r;
} run;

kv_model *kv_model_new(void)
{
    kv_model *m = calloc(1, sizeof *m);

    if (m == NULL || (m->arena = cov_arena_new((size_t)1 << 30)) == NULL)
        abort();
    return m;
}

void kv_model_free(kv_model *m)
{
    free(m->records);
    cov_arena_free(m->arena);
    free(m);
}

static cov_str keep(kv_model *m, cov_str s)
{
    cov_str copy = cov_arena_str(m->arena, s);

    if (copy.ptr == NULL)
        abort();
    return copy;
}

/* ---- records ---- */

static void drop(kv_model *m, record *r)
{
    *r = m->records[--m->n];
}

static record *find(kv_model *m, cov_str key)
{
    for (size_t i = 0; i < m->n; i++)
        if (cov_str_eq(m->records[i].key, key))
            return &m->records[i];
    return NULL;
}

static void drop_expired(kv_model *m)
{
    for (size_t i = m->n; i-- > 0;)
        if (m->records[i].expires_at != 0 && m->records[i].expires_at <= m->now)
            drop(m, &m->records[i]);
}

static record *make(run *c, char type)
{
    kv_model *m = c->m;

    if (c->r != NULL)
        return c->r;
    if (m->n == m->cap) {
        m->cap = m->cap * 2 + 16;
        m->records = realloc(m->records, m->cap * sizeof *m->records);
        if (m->records == NULL)
            abort();
    }
    c->r = &m->records[m->n++];
    memset(c->r, 0, sizeof *c->r);
    c->r->key = keep(m, c->args[0]);
    c->r->type = type;
    return c->r;
}

static void drop_if_empty(run *c)
{
    if (c->r != NULL && c->r->n == 0)
        drop(c->m, c->r);
}

static item *item_of(const record *r, cov_str name)
{
    for (size_t i = 0; r != NULL && i < r->n; i++)
        if (cov_str_eq(r->items[i].name, name))
            return &r->items[i];
    return NULL;
}

static item *insert(run *c, size_t at, cov_str name)
{
    record *r = c->r;

    if (r->n == r->cap) {
        item *old = r->items;

        r->cap = r->cap * 2 + 4;
        r->items = COV_NEW_ARRAY(c->m->arena, item, r->cap);
        if (r->items == NULL)
            abort();
        if (r->n != 0)
            memcpy(r->items, old, r->n * sizeof *old);
    }
    memmove(&r->items[at + 1], &r->items[at], (r->n - at) * sizeof *r->items);
    r->n++;
    memset(&r->items[at], 0, sizeof *r->items);
    r->items[at].name = keep(c->m, name);
    return &r->items[at];
}

static void erase(record *r, size_t at)
{
    memmove(&r->items[at], &r->items[at + 1], (--r->n - at) * sizeof *r->items);
}

static int compare_items(const void *a, const void *b)
{
    const item *x = a;
    const item *y = b;

    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return cov_str_compare(x->name, y->name);
}

static void sort(record *r)
{
    if (r != NULL && r->n != 0)
        qsort(r->items, r->n, sizeof *r->items, compare_items);
}

/* ---- replies and arguments ---- */

static cov_kv_reply nil(void)
{
    cov_kv_reply reply = { .type = COV_KV_NIL };

    return reply;
}

static cov_kv_reply integer(int64_t i)
{
    return (cov_kv_reply){ .type = COV_KV_INT, .i = i };
}

static cov_kv_reply text(cov_str s)
{
    return (cov_kv_reply){ .type = COV_KV_TEXT, .s = s };
}

static cov_kv_reply error(const char *what)
{
    return (cov_kv_reply){ .type = COV_KV_ERROR, .s = cov_str_from(what) };
}

static cov_kv_reply list(kv_model *m, size_t n, cov_kv_reply **items)
{
    cov_kv_reply reply = { .type = COV_KV_LIST, .n = n };

    *items = COV_NEW_ARRAY(m->arena, cov_kv_reply, n);
    if (*items == NULL)
        abort();
    reply.items = *items;
    return reply;
}

static cov_kv_reply names(kv_model *m, const record *r, size_t from, size_t to)
{
    cov_kv_reply *items;
    cov_kv_reply reply = list(m, to - from, &items);

    for (size_t i = from; i < to; i++)
        items[i - from] = text(r->items[i].name);
    return reply;
}

/* An integer is what printf would print for it. */
static bool to_int(cov_str s, int64_t *out)
{
    char copy[32];
    char back[32];

    if (s.len == 0 || s.len >= sizeof copy)
        return false;
    memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    *out = strtoll(copy, NULL, 10);
    snprintf(back, sizeof back, "%lld", (long long)*out);
    return cov_str_eq(cov_str_from(back), s);
}

static bool to_double(cov_str s, double *out)
{
    static const char *const words[] = {
        "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"
    };

    for (size_t i = 0; i < COV_COUNT_OF(words); i++) {
        if (cov_str_eq_nocase(s, cov_str_from(words[i]))) {
            *out = s.ptr[0] == '-' ? -INFINITY : INFINITY;
            return true;
        }
    }
    return cov_parse_double(s, out) && isfinite(*out);
}

static cov_str int_text(kv_model *m, int64_t value)
{
    return cov_arena_printf(m->arena, "%lld", (long long)value);
}

static cov_str double_text(kv_model *m, double value)
{
    char digits[COV_NUM_TEXT_BYTES];

    if (isinf(value))
        return value > 0 ? COV_STR("inf") : COV_STR("-inf");
    return keep(m, cov_str_of(digits, cov_num_text(value, digits)));
}

static bool word(cov_str s, const char *upper)
{
    return cov_str_eq_nocase(s, cov_str_from(upper));
}

/* Bytes of [*from, *to) that start and stop mean. */
static void range(int64_t start, int64_t stop, size_t n, size_t *from, size_t *to)
{
    *from = *to = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t forward = (int64_t)i;
        int64_t backward = (int64_t)i - (int64_t)n;

        if ((start >= 0 ? forward >= start : backward >= start) &&
            (stop >= 0 ? forward <= stop : backward <= stop)) {
            if (*to == 0)
                *from = i;
            *to = i + 1;
        }
    }
}

/* ---- texts ---- */

static cov_kv_reply run_get(run *c)
{
    return c->r != NULL ? text(c->r->items[0].name) : nil();
}

static cov_kv_reply run_getdel(run *c)
{
    cov_kv_reply reply = run_get(c);

    if (c->r != NULL)
        drop(c->m, c->r);
    return reply;
}

static bool holds(const run *c, cov_str value)
{
    return c->r != NULL && cov_str_eq(c->r->items[0].name, value);
}

static cov_kv_reply run_delif(run *c)
{
    bool equal = holds(c, c->args[1]);

    if (equal)
        drop(c->m, c->r);
    return integer(equal);
}

static cov_kv_reply run_set(run *c)
{
    bool nx = false;
    bool xx = false;
    bool keep_ttl = false;
    int64_t until = 0;
    int64_t before;

    for (size_t i = 2; i < c->n; i++) {
        bool seconds = word(c->args[i], "EX");
        int64_t ttl;

        if (word(c->args[i], "NX") && !xx) {
            nx = true;
        } else if (word(c->args[i], "XX") && !nx) {
            xx = true;
        } else if (word(c->args[i], "KEEPTTL") && until == 0) {
            keep_ttl = true;
        } else if ((seconds || word(c->args[i], "PX")) && i + 1 < c->n && until == 0 && !keep_ttl) {
            if (!to_int(c->args[++i], &ttl))
                return error(NOT_INT);
            if (ttl <= 0 || ttl > (INT64_MAX - c->m->now) / (seconds ? 1000 : 1))
                return error("ERR invalid expire time in 'set' command");
            until = c->m->now + ttl * (seconds ? 1000 : 1);
        } else {
            return error(SYNTAX);
        }
    }
    if (c->r != NULL ? nx : xx)
        return nil();
    before = c->r != NULL ? c->r->expires_at : 0;
    if (c->r != NULL)
        drop(c->m, c->r);
    c->r = NULL;
    make(c, 't');
    insert(c, 0, c->args[1]);
    c->r->expires_at = keep_ttl ? before : until;
    return text(COV_STR("OK"));
}

static cov_kv_reply add(run *c, cov_str by_text)
{
    int64_t by;
    int64_t value = 0;

    if (c->r != NULL && !to_int(c->r->items[0].name, &value))
        return error(NOT_INT);
    (void)to_int(by_text, &by);
    if (by > 0 ? value > INT64_MAX - by : value < INT64_MIN - by)
        return error("ERR increment or decrement would overflow");
    if (c->r == NULL) {
        make(c, 't');
        insert(c, 0, COV_STR("0"));
    }
    c->r->items[0].name = int_text(c->m, value + by);
    return integer(value + by);
}

/* ---- keys ---- */

static cov_kv_reply run_del(run *c)
{
    int64_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        record *r = find(c->m, c->args[i]);

        if (r != NULL) {
            drop(c->m, r);
            n++;
        }
    }
    return integer(n);
}

static cov_kv_reply run_exists(run *c)
{
    int64_t n = 0;

    for (size_t i = 0; i < c->n; i++)
        n += find(c->m, c->args[i]) != NULL;
    return integer(n);
}

static cov_kv_reply run_type(run *c)
{
    switch (c->r != NULL ? c->r->type : 0) {
    case 't':
        return text(COV_STR("string"));
    case 'h':
        return text(COV_STR("hash"));
    case 's':
        return text(COV_STR("set"));
    case 'l':
        return text(COV_STR("list"));
    case 'z':
        return text(COV_STR("zset"));
    default:
        return text(COV_STR("none"));
    }
}

static cov_kv_reply expire(run *c, size_t at, int64_t unit, bool wanted)
{
    int64_t ttl;

    if (!to_int(c->args[at], &ttl))
        return error(NOT_INT);
    if (ttl > (INT64_MAX - c->m->now) / unit || ttl < INT64_MIN / unit)
        return error("ERR invalid expire time");
    if (c->r == NULL || !wanted)
        return integer(0);
    if (ttl <= 0)
        drop(c->m, c->r);
    else
        c->r->expires_at = c->m->now + ttl * unit;
    return integer(1);
}

static cov_kv_reply ttl(run *c, int64_t unit)
{
    if (c->r == NULL)
        return integer(-2);
    if (c->r->expires_at == 0)
        return integer(-1);
    return integer((c->r->expires_at - c->m->now + unit - 1) / unit);
}

/* Redis's patterns, by recursion. */
static bool glob(cov_str p, cov_str s)
{
    cov_str rest = cov_str_slice(p, 1, p.len);
    bool negated;
    bool found = false;
    size_t i = 1;

    if (p.len == 0)
        return s.len == 0;
    if (p.ptr[0] == '*')
        return glob(rest, s) || (s.len > 0 && glob(p, cov_str_slice(s, 1, s.len)));
    if (s.len == 0)
        return false;
    if (p.ptr[0] == '?')
        return glob(rest, cov_str_slice(s, 1, s.len));
    if (p.ptr[0] != '[') {
        if (p.ptr[0] == '\\' && p.len > 1)
            rest = cov_str_slice(p, i = 2, p.len);
        return p.ptr[i - 1] == s.ptr[0] && glob(rest, cov_str_slice(s, 1, s.len));
    }
    negated = p.len > 1 && p.ptr[1] == '^';
    for (i += negated; i < p.len && p.ptr[i] != ']'; i++) {
        int c = (unsigned char)s.ptr[0];
        int low = (unsigned char)p.ptr[i];
        int high = low;

        if (low == '\\' && i + 1 < p.len) {
            low = high = (unsigned char)p.ptr[++i];
        } else if (i + 2 < p.len && p.ptr[i + 1] == '-') {
            high = (unsigned char)p.ptr[i + 2];
            i += 2;
        }
        found |= (low <= c && c <= high) || (high <= c && c <= low);
    }
    return found != negated && glob(cov_str_slice(p, i + 1, p.len), cov_str_slice(s, 1, s.len));
}

static cov_kv_reply run_keys(run *c)
{
    cov_kv_reply *items;
    cov_kv_reply reply = list(c->m, c->m->n, &items);

    reply.n = 0;
    for (size_t i = 0; i < c->m->n; i++)
        if (glob(c->args[0], c->m->records[i].key))
            items[reply.n++] = text(c->m->records[i].key);
    return reply;
}

/* ---- hashes ---- */

static cov_kv_reply run_hget(run *c)
{
    const item *field = item_of(c->r, c->args[1]);

    return field != NULL ? text(field->value) : nil();
}

static bool put(run *c, cov_str name, cov_str value)
{
    item *field = item_of(c->r, name);
    bool is_new = field == NULL;

    if (is_new)
        field = insert(c, c->r->n, name);
    field->value = keep(c->m, value);
    return is_new;
}

static cov_kv_reply run_hset(run *c, bool only_old)
{
    int64_t n = 0;

    if (c->n % 2 == 0)
        return error("ERR wrong number of arguments for 'hset' command");
    if (only_old && c->r == NULL)
        return integer(0);
    make(c, 'h');
    for (size_t i = 1; i < c->n; i += 2)
        n += put(c, c->args[i], c->args[i + 1]);
    return integer(only_old ? 1 : n);
}

static cov_kv_reply run_hgetall(run *c)
{
    cov_kv_reply *items;
    size_t n = c->r != NULL ? c->r->n : 0;
    cov_kv_reply reply = list(c->m, n * 2, &items);

    for (size_t i = 0; i < n; i++) {
        items[i * 2] = text(c->r->items[i].name);
        items[i * 2 + 1] = text(c->r->items[i].value);
    }
    return reply;
}

static cov_kv_reply run_hincrby(run *c)
{
    const item *field = item_of(c->r, c->args[1]);
    int64_t by = 0;
    int64_t value = 0;

    (void)to_int(c->args[2], &by);
    if (field != NULL && !to_int(field->value, &value))
        return error("ERR hash value is not an integer");
    if (by > 0 ? value > INT64_MAX - by : value < INT64_MIN - by)
        return error("ERR increment or decrement would overflow");
    make(c, 'h');
    put(c, c->args[1], int_text(c->m, value + by));
    return integer(value + by);
}

/* HDEL, SREM, ZREM */
static cov_kv_reply take_out(run *c)
{
    int64_t n = 0;

    for (size_t i = 1; c->r != NULL && i < c->n; i++) {
        const item *there = item_of(c->r, c->args[i]);

        if (there != NULL) {
            erase(c->r, (size_t)(there - c->r->items));
            n++;
        }
    }
    drop_if_empty(c);
    return integer(n);
}

/* ---- sets and lists ---- */

static cov_kv_reply run_sadd(run *c)
{
    int64_t n = 0;

    make(c, 's');
    for (size_t i = 1; i < c->n; i++) {
        if (item_of(c->r, c->args[i]) == NULL) {
            insert(c, c->r->n, c->args[i]);
            n++;
        }
    }
    return integer(n);
}

static cov_kv_reply push(run *c, bool head)
{
    make(c, 'l');
    for (size_t i = 1; i < c->n; i++)
        insert(c, head ? 0 : c->r->n, c->args[i]);
    return integer((int64_t)c->r->n);
}

static cov_kv_reply pop(run *c, bool head)
{
    cov_kv_reply reply = nil();
    size_t at;

    if (c->r == NULL)
        return reply;
    at = head ? 0 : c->r->n - 1;
    reply = text(c->r->items[at].name);
    erase(c->r, at);
    drop_if_empty(c);
    return reply;
}

static void arg_range(const run *c, size_t *from, size_t *to)
{
    int64_t start = 0;
    int64_t stop = 0;

    (void)to_int(c->args[1], &start);
    (void)to_int(c->args[2], &stop);
    range(start, stop, c->r != NULL ? c->r->n : 0, from, to);
}

/* LRANGE, ZRANGE */
static cov_kv_reply run_range(run *c)
{
    size_t from;
    size_t to;

    if (c->r != NULL && c->r->type == 'z')
        sort(c->r);
    arg_range(c, &from, &to);
    return names(c->m, c->r, from, to);
}

static cov_kv_reply run_ltrim(run *c)
{
    size_t from;
    size_t to;

    arg_range(c, &from, &to);
    if (c->r != NULL) {
        memmove(c->r->items, c->r->items + from, (to - from) * sizeof *c->r->items);
        c->r->n = to - from;
    }
    drop_if_empty(c);
    return text(COV_STR("OK"));
}

/* ---- sorted sets ---- */

static cov_kv_reply run_zadd(run *c, size_t first, const bool *o)
{
    int64_t added = 0;
    int64_t changed = 0;

    make(c, 'z');
    for (size_t i = first; i < c->n; i += 2) {
        item *there = item_of(c->r, c->args[i + 1]);
        double score = 0;

        (void)to_double(c->args[i], &score);
        if (there == NULL && !o[1]) {
            insert(c, c->r->n, c->args[i + 1])->score = score;
            added++;
        } else if (there != NULL && !o[0] && score != there->score &&
                   (!o[2] || score > there->score) && (!o[3] || score < there->score)) {
            there->score = score;
            changed++;
        }
    }
    drop_if_empty(c);
    return integer(added + (o[4] ? changed : 0));
}

/* Options first; the type of the key is looked at after the arguments. */
static cov_kv_reply zadd(run *c)
{
    static const char *const words[] = { "NX", "XX", "GT", "LT", "CH" };
    bool o[5] = { false };
    size_t first = 1;
    double score;

    for (size_t found = 0; found < 5 && first < c->n; first += found < 5)
        for (found = 0; found < 5 && !word(c->args[first], words[found]); found++) {
        }
    for (size_t i = 1; i < first; i++)
        for (size_t w = 0; w < 5; w++)
            o[w] |= word(c->args[i], words[w]);
    if (first == c->n || (c->n - first) % 2 != 0)
        return error(SYNTAX);
    if (o[0] && o[1])
        return error("ERR XX and NX options at the same time are not compatible");
    if (o[0] + o[2] + o[3] > 1)
        return error("ERR GT, LT, and/or NX options at the same time are not compatible");
    for (size_t i = first; i < c->n; i += 2)
        if (!to_double(c->args[i], &score))
            return error(NOT_FLOAT);
    if (c->r != NULL && c->r->type != 'z')
        return error(WRONGTYPE);
    return run_zadd(c, first, o);
}

static cov_kv_reply run_zincrby(run *c)
{
    item *there = item_of(c->r, c->args[2]);
    double score = 0;

    (void)to_double(c->args[1], &score);
    if (there != NULL)
        score += there->score;
    if (isnan(score))
        return error("ERR resulting score is not a number (NaN)");
    make(c, 'z');
    if (there == NULL)
        there = insert(c, c->r->n, c->args[2]);
    there->score = score;
    return text(double_text(c->m, score));
}

static bool to_bound(cov_str s, double *out, bool *open)
{
    *open = s.len > 0 && s.ptr[0] == '(';
    return to_double(cov_str_slice(s, *open, s.len), out);
}

static bool within(const run *c, double score)
{
    double min = 0;
    double max = 0;
    bool above;
    bool below;

    (void)to_bound(c->args[1], &min, &above);
    (void)to_bound(c->args[2], &max, &below);
    return (above ? score > min : score >= min) && (below ? score < max : score <= max);
}

static bool bounds_are_good(const run *c)
{
    double score;
    bool open;

    return to_bound(c->args[1], &score, &open) && to_bound(c->args[2], &score, &open);
}

static cov_kv_reply zrangebyscore(run *c)
{
    bool scores = false;
    int64_t offset = 0;
    int64_t count = -1;
    cov_kv_reply *items;
    cov_kv_reply reply;

    if (!bounds_are_good(c))
        return error("ERR min or max is not a float");
    for (size_t i = 3; i < c->n; i++) {
        if (word(c->args[i], "WITHSCORES")) {
            scores = true;
        } else if (word(c->args[i], "LIMIT") && i + 2 < c->n) {
            if (!to_int(c->args[i + 1], &offset) || !to_int(c->args[i + 2], &count))
                return error(NOT_INT);
            i += 2;
        } else {
            return error(SYNTAX);
        }
    }
    if (c->r != NULL && c->r->type != 'z')
        return error(WRONGTYPE);
    sort(c->r);
    reply = list(c->m, c->r != NULL ? c->r->n * 2 : 0, &items);
    reply.n = 0;
    for (size_t i = 0; c->r != NULL && i < c->r->n; i++) {
        if (!within(c, c->r->items[i].score) || offset-- != 0 || count == 0)
            continue;
        offset = 0;
        count -= count > 0;
        items[reply.n++] = text(c->r->items[i].name);
        if (scores)
            items[reply.n++] = text(double_text(c->m, c->r->items[i].score));
    }
    return reply;
}

static cov_kv_reply zremrangebyscore(run *c)
{
    int64_t n = 0;

    if (!bounds_are_good(c))
        return error("ERR min or max is not a float");
    if (c->r != NULL && c->r->type != 'z')
        return error(WRONGTYPE);
    for (size_t i = c->r != NULL ? c->r->n : 0; i-- > 0;) {
        if (within(c, c->r->items[i].score)) {
            erase(c->r, i);
            n++;
        }
    }
    drop_if_empty(c);
    return integer(n);
}

static cov_kv_reply run_zremrangebyrank(run *c)
{
    size_t from;
    size_t to;

    sort(c->r);
    arg_range(c, &from, &to);
    for (size_t i = to; i-- > from;)
        erase(c->r, i);
    drop_if_empty(c);
    return integer((int64_t)(to - from));
}

/* ---- limits ---- */

static bool safe(cov_str s, int64_t least, int64_t *out)
{
    return to_int(s, out) && *out >= least && *out <= SAFE_INT;
}

static int64_t ceil_seconds(int64_t ms)
{
    return ms / 1000 + (ms % 1000 != 0);
}

static cov_kv_reply window(run *c)
{
    const item *count_item;
    const item *reset_item;
    int64_t now;
    int64_t length;
    int64_t count;
    int64_t reset;
    cov_kv_reply *items;
    cov_kv_reply reply = list(c->m, 2, &items);

    if (!safe(c->args[1], 0, &now) || !safe(c->args[2], 1, &length))
        return error(NOT_INT);
    if (c->r != NULL && c->r->type != 'h')
        return error(WRONGTYPE);
    count_item = item_of(c->r, COV_STR("count"));
    reset_item = item_of(c->r, COV_STR("resetAt"));
    if (count_item == NULL || !safe(count_item->value, 0, &count) || reset_item == NULL ||
        !safe(reset_item->value, 0, &reset) || reset <= now) {
        count = 1;
        reset = now + length;
    } else if (count < SAFE_INT) {
        count++;
    }
    make(c, 'h');
    put(c, COV_STR("count"), int_text(c->m, count));
    put(c, COV_STR("resetAt"), int_text(c->m, reset));
    c->r->expires_at = c->m->now + (ceil_seconds(reset - now) + 1) * 1000;
    items[0] = integer(count);
    items[1] = integer(reset);
    return reply;
}

static cov_kv_reply whole(double score)
{
    return integer(score >= 0x1p63 ? INT64_MAX : score < -0x1p63 ? INT64_MIN : (int64_t)score);
}

static cov_kv_reply slide(run *c)
{
    cov_str members[2] = { c->args[1], c->args[3] };
    bool none[5] = { false };
    int64_t now;
    int64_t length;
    int64_t max;
    cov_kv_reply *items;
    cov_kv_reply reply = list(c->m, 2, &items);
    run zadd_run = *c;

    if (!safe(c->args[1], 0, &now) || !safe(c->args[2], 1, &length) || !safe(c->args[4], 0, &max))
        return error(NOT_INT);
    if (c->r != NULL && c->r->type != 'z')
        return error(WRONGTYPE);
    zadd_run.args = members;
    zadd_run.n = 2;
    make(c, 'z');
    zadd_run.r = c->r;
    (void)run_zadd(&zadd_run, 0, none);
    for (size_t i = c->r->n; i-- > 0;)
        if (c->r->items[i].score <= (double)(now - length))
            erase(c->r, i);
    sort(c->r);
    while (c->r->n > (uint64_t)max + 1)
        erase(c->r, 0);
    c->r->expires_at = c->m->now + (ceil_seconds(length) + 1) * 1000;
    items[0] = integer((int64_t)c->r->n);
    items[1] = whole(c->r->items[0].score);
    return reply;
}

static cov_kv_reply logadd(run *c)
{
    run log = { c->m, c->args + 1, 2, find(c->m, c->args[1]) };
    bool none[5] = { false };
    cov_kv_reply *items;
    cov_kv_reply reply = list(c->m, 2, &items);
    cov_str members[2];
    cov_buf member = COV_BUF_IN(c->m->arena);
    cov_str last = c->args[2];
    int64_t seq;
    int64_t max;

    if (!safe(c->args[3], 0, &seq) || !safe(c->args[4], 1, &max))
        return error(NOT_INT);
    if (last.len == 0 || cov_str_eq(c->args[0], c->args[1]))
        return error(SYNTAX);
    if ((c->r != NULL && c->r->type != 't') || (log.r != NULL && log.r->type != 'z'))
        return error(WRONGTYPE);
    if (c->r != NULL && !to_int(c->r->items[0].name, &seq))
        return error(NOT_INT);
    if (seq < 0 || seq++ >= SAFE_INT)
        return error("ERR increment or decrement would overflow");
    if (c->r == NULL) {
        make(c, 't');
        insert(c, 0, COV_STR("0"));
    }
    c->r->items[0].name = members[0] = int_text(c->m, seq);
    cov_buf_append(&member, last.ptr, last.len - 1);
    cov_buf_printf(&member, ",\"seq\":%lld%c", (long long)seq, last.ptr[last.len - 1]);
    members[1] = cov_buf_view(&member);
    log.r = find(c->m, c->args[1]);
    make(&log, 'z');
    log.args = members;
    (void)run_zadd(&log, 0, none);
    items[0] = integer(seq);
    for (sort(log.r); log.r->n > (uint64_t)max;)
        erase(log.r, 0);
    items[1] = whole(log.r->items[0].score);
    return reply;
}

static double level(const run *c, int64_t now, double capacity, double refill)
{
    const item *tokens_item = item_of(c->r, COV_STR("tokens"));
    const item *last_item = item_of(c->r, COV_STR("lastRefillMs"));
    int64_t last;
    double tokens;

    if (tokens_item == NULL || last_item == NULL || !to_double(tokens_item->value, &tokens) ||
        !safe(last_item->value, 0, &last))
        return capacity;
    return fmin(capacity, tokens + (double)(now > last ? now - last : 0) / 60000 * refill);
}

static cov_kv_reply bucket(run *c)
{
    static const char *const modes[] = { "ASSESS", "DEDUCT", "CONSUME", "CREDIT" };
    double n[3];
    double tokens;
    double after;
    size_t mode = 0;
    int64_t now;
    cov_kv_reply *items;
    cov_kv_reply reply = list(c->m, 2, &items);

    if (!safe(c->args[1], 0, &now))
        return error(NOT_INT);
    for (int i = 0; i < 3; i++)
        if (!to_double(c->args[i + 2], &n[i]) || n[i] < 0 || isinf(n[i]))
            return error(NOT_FLOAT);
    while (mode < 4 && !word(c->args[5], modes[mode]))
        mode++;
    if (mode == 4)
        return error(SYNTAX);
    if (c->r != NULL && c->r->type != 'h')
        return error(WRONGTYPE);
    tokens = after = level(c, now, n[0], n[1]);
    if (mode == 1)
        after = fmax(0, tokens - n[2]);
    else if (mode == 2 && tokens >= n[2])
        after = tokens - n[2];
    else if (mode == 3)
        after = fmin(n[0], tokens + n[2]);
    items[0] = text(double_text(c->m, after));
    items[1] = integer(tokens >= n[2]);
    if (mode == 0 || (mode == 1 && n[2] == 0))
        return reply;
    make(c, 'h');
    put(c, COV_STR("tokens"), items[0].s);
    put(c, COV_STR("lastRefillMs"), int_text(c->m, now));
    if (n[1] > 0) {
        double seconds = ceil((n[0] - after) / n[1] * 60) + 1;

        c->r->expires_at =
            c->m->now + (seconds < (double)(SAFE_INT / 1000) ? (int64_t)seconds * 1000 : SAFE_INT);
    }
    return reply;
}

/* ---- dispatch ---- */

/* The type that a command is about; 0: any, or it looks by itself. */
static char type_of(cov_kv_op op)
{
    switch (op) {
    case COV_KV_GET:
    case COV_KV_GETDEL:
    case COV_KV_DELIF:
    case COV_KV_EXPIREIF:
    case COV_KV_INCR:
    case COV_KV_INCRBY:
    case COV_KV_DECR:
        return 't';
    case COV_KV_HGET:
    case COV_KV_HSET:
    case COV_KV_HSETIF:
    case COV_KV_HGETALL:
    case COV_KV_HDEL:
    case COV_KV_HEXISTS:
    case COV_KV_HKEYS:
    case COV_KV_HLEN:
    case COV_KV_HINCRBY:
        return 'h';
    case COV_KV_SADD:
    case COV_KV_SREM:
    case COV_KV_SMEMBERS:
    case COV_KV_SISMEMBER:
    case COV_KV_SCARD:
        return 's';
    case COV_KV_LPUSH:
    case COV_KV_RPUSH:
    case COV_KV_LPOP:
    case COV_KV_RPOP:
    case COV_KV_LRANGE:
    case COV_KV_LTRIM:
    case COV_KV_LLEN:
        return 'l';
    case COV_KV_ZREM:
    case COV_KV_ZSCORE:
    case COV_KV_ZCARD:
    case COV_KV_ZRANGE:
    case COV_KV_ZINCRBY:
    case COV_KV_ZREMRANGEBYRANK:
        return 'z';
    default:
        return 0;
    }
}

/* Arguments that must be integers: a bit each, looked at before the type. */
static unsigned int_args(cov_kv_op op)
{
    switch (op) {
    case COV_KV_INCRBY:
        return 2;
    case COV_KV_LRANGE:
    case COV_KV_LTRIM:
    case COV_KV_ZRANGE:
    case COV_KV_ZREMRANGEBYRANK:
        return 2 | 4;
    case COV_KV_HINCRBY:
        return 4;
    default:
        return 0;
    }
}

static const char *refusal(const run *c, cov_kv_op op)
{
    char type = type_of(op);
    double d;
    int64_t i;

    for (unsigned at = 0; at < 8; at++)
        if ((int_args(op) >> at & 1) != 0 && !to_int(c->args[at], &i))
            return NOT_INT;
    if (op == COV_KV_ZINCRBY && !to_double(c->args[1], &d))
        return NOT_FLOAT;
    if (op == COV_KV_EXPIREIF && !to_int(c->args[2], &i))
        return NOT_INT;
    if (op == COV_KV_EXPIREIF && (i > (INT64_MAX - c->m->now) / 1000 || i < INT64_MIN / 1000))
        return "ERR invalid expire time";
    if ((op == COV_KV_HSET || op == COV_KV_HSETIF) && c->n % 2 == 0)
        return "ERR wrong number of arguments for 'hset' command";
    return type != 0 && c->r != NULL && c->r->type != type ? WRONGTYPE : NULL;
}

static int64_t len(const run *c)
{
    return c->r != NULL ? (int64_t)c->r->n : 0;
}

static cov_kv_reply dispatch(run *c, cov_kv_op op)
{
    const item *there;

    switch (op) {
    case COV_KV_GET:
        return run_get(c);
    case COV_KV_SET:
        return run_set(c);
    case COV_KV_DEL:
        return run_del(c);
    case COV_KV_EXISTS:
        return run_exists(c);
    case COV_KV_INCR:
        return add(c, COV_STR("1"));
    case COV_KV_INCRBY:
        return add(c, c->args[1]);
    case COV_KV_DECR:
        return add(c, COV_STR("-1"));
    case COV_KV_EXPIRE:
        return expire(c, 1, 1000, true);
    case COV_KV_PEXPIRE:
        return expire(c, 1, 1, true);
    case COV_KV_EXPIREIF:
        return expire(c, 2, 1000, holds(c, c->args[1]));
    case COV_KV_TTL:
        return ttl(c, 1000);
    case COV_KV_PTTL:
        return ttl(c, 1);
    case COV_KV_TYPE:
        return run_type(c);
    case COV_KV_HGET:
        return run_hget(c);
    case COV_KV_HSET:
        return run_hset(c, false);
    case COV_KV_HSETIF:
        return run_hset(c, true);
    case COV_KV_HGETALL:
        return run_hgetall(c);
    case COV_KV_HDEL:
    case COV_KV_SREM:
    case COV_KV_ZREM:
        return take_out(c);
    case COV_KV_HEXISTS:
    case COV_KV_SISMEMBER:
        return integer(item_of(c->r, c->args[1]) != NULL);
    case COV_KV_HKEYS:
    case COV_KV_SMEMBERS:
        return names(c->m, c->r, 0, (size_t)len(c));
    case COV_KV_HLEN:
    case COV_KV_SCARD:
    case COV_KV_LLEN:
    case COV_KV_ZCARD:
        return integer(len(c));
    case COV_KV_HINCRBY:
        return run_hincrby(c);
    case COV_KV_SADD:
        return run_sadd(c);
    case COV_KV_LPUSH:
        return push(c, true);
    case COV_KV_RPUSH:
        return push(c, false);
    case COV_KV_LPOP:
        return pop(c, true);
    case COV_KV_RPOP:
        return pop(c, false);
    case COV_KV_LRANGE:
    case COV_KV_ZRANGE:
        return run_range(c);
    case COV_KV_LTRIM:
        return run_ltrim(c);
    case COV_KV_ZADD:
        return zadd(c);
    case COV_KV_ZSCORE:
        there = item_of(c->r, c->args[1]);
        return there != NULL ? text(double_text(c->m, there->score)) : nil();
    case COV_KV_ZINCRBY:
        return run_zincrby(c);
    case COV_KV_ZRANGEBYSCORE:
        return zrangebyscore(c);
    case COV_KV_ZREMRANGEBYSCORE:
        return zremrangebyscore(c);
    case COV_KV_ZREMRANGEBYRANK:
        return run_zremrangebyrank(c);
    case COV_KV_KEYS:
        return run_keys(c);
    case COV_KV_GETDEL:
        return run_getdel(c);
    case COV_KV_DELIF:
        return run_delif(c);
    case COV_KV_WINDOW:
        return window(c);
    case COV_KV_SLIDE:
        return slide(c);
    case COV_KV_BUCKET:
        return bucket(c);
    case COV_KV_LOGADD:
        return logadd(c);
    case COV_KV_SCAN:
    case COV_KV_PUBLISH:
    case COV_KV_N_OPS:
        break;
    }
    return error("the model has no such command");
}

cov_kv_reply kv_model_run(kv_model *m, const cov_kv_cmd *cmd, int64_t now_ms)
{
    run c = { m, cmd->args, cmd->n_args, NULL };
    const char *why;

    m->now = now_ms;
    drop_expired(m);
    c.r = find(m, cmd->args[0]);
    why = refusal(&c, cmd->op);
    return why != NULL ? error(why) : dispatch(&c, cmd->op);
}
