/* SPDX-License-Identifier: MIT */
/* Replies compared, and as text. */
#include <stdlib.h>

#include "base/json.h"
#include "kv_model.h"

static int compare_pairs(const void *a, const void *b)
{
    const cov_kv_reply *x = a;
    const cov_kv_reply *y = b;
    int by_name = cov_str_compare(x[0].s, y[0].s);

    return by_name != 0 ? by_name : cov_str_compare(x[1].s, y[1].s);
}

static int compare_texts(const void *a, const void *b)
{
    return cov_str_compare(((const cov_kv_reply *)a)->s, ((const cov_kv_reply *)b)->s);
}

static bool items_equal(const cov_kv_reply *a, const cov_kv_reply *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!kv_replies_equal(COV_KV_N_OPS, &a[i], &b[i]))
            return false;
    return true;
}

static bool sorted_equal(cov_kv_op op, const cov_kv_reply *a, const cov_kv_reply *b, size_t n)
{
    size_t step = op == COV_KV_HGETALL ? 2 : 1;
    cov_kv_reply *copies = malloc((n * 2 + 1) * sizeof *copies);
    bool equal;

    if (copies == NULL)
        abort();
    if (n != 0) {
        memcpy(copies, a, n * sizeof *a);
        memcpy(copies + n, b, n * sizeof *b);
    }
    for (int half = 0; half < 2; half++)
        qsort(copies + (half != 0 ? n : 0), n / step, step * sizeof *copies,
              step == 2 ? compare_pairs : compare_texts);
    equal = items_equal(copies, copies + n, n);
    free(copies);
    return equal;
}

bool kv_replies_equal(cov_kv_op op, const cov_kv_reply *a, const cov_kv_reply *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == COV_KV_INT)
        return a->i == b->i;
    if (a->type != COV_KV_LIST)
        return cov_str_eq(a->s, b->s);
    if (a->n != b->n)
        return false;
    if (op == COV_KV_HGETALL || op == COV_KV_HKEYS || op == COV_KV_SMEMBERS || op == COV_KV_KEYS)
        return sorted_equal(op, a->items, b->items, a->n);
    return items_equal(a->items, b->items, a->n);
}

static void append(cov_buf *buf, const cov_kv_reply *reply)
{
    switch (reply->type) {
    case COV_KV_NIL:
        COV_BUF_LIT(buf, "nil");
        break;
    case COV_KV_INT:
        cov_buf_i64(buf, reply->i);
        break;
    case COV_KV_TEXT:
    case COV_KV_ERROR:
        cov_json_str(buf, reply->s);
        break;
    case COV_KV_LIST:
        cov_buf_char(buf, '[');
        for (size_t i = 0; i < reply->n; i++) {
            if (i != 0)
                cov_buf_char(buf, ' ');
            append(buf, &reply->items[i]);
        }
        cov_buf_char(buf, ']');
        break;
    }
}

cov_str kv_reply_text(cov_arena *arena, const cov_kv_reply *reply)
{
    cov_buf buf = COV_BUF_IN(arena);

    append(&buf, reply);
    return cov_buf_view(&buf);
}
