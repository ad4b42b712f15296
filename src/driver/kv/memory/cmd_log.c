/* SPDX-License-Identifier: MIT */
/*
 * Appending to a log in one step: LOGADD (spec/04 section 16). The keys are what INCR, ZADD and ZREMRANGEBYRANK leave, so
 * other servers on the same store may go on with them.
 */
#include <stdlib.h>

#include "driver/kv/memory/call.h"

/* Numbers are scores too, so within what a double holds exactly. */
#define MAX_SEQ INT64_C(9007199254740991)

static bool arg_within(kv_call *call, size_t at, int64_t least, int64_t *out)
{
    if (!cov__kv_arg_int(call, at, out))
        return false;
    return (*out >= least && *out <= MAX_SEQ) || cov__kv_reply_error(call, KV_ERR_INTEGER);
}

static bool next_number(kv_call *call, const kv_edit *counter, int64_t start, int64_t *seq)
{
    int64_t last = start;

    if (!counter->fresh && !cov__kv_is_int(cov__kv_blob_view(counter->entry->value.string), &last))
        return cov__kv_reply_error(call, KV_ERR_INTEGER);
    if (last < 0 || last >= MAX_SEQ)
        return cov__kv_reply_error(call, KV_ERR_OVERFLOW);
    *seq = last + 1;
    return true;
}

/* The text with its number as the last member; NULL: out of memory. */
static kv_scored *make_member(kv_call *call, cov_str json, int64_t seq)
{
    char number[KV_NUM_BYTES];
    cov_buf text = COV_BUF_INIT;
    kv_scored *node = NULL;

    cov_buf_str(&text, cov_str_slice(json, 0, json.len - 1));
    COV_BUF_LIT(&text, ",\"seq\":");
    cov_buf_str(&text, cov__kv_int_text(seq, number));
    cov_buf_char(&text, json.ptr[json.len - 1]);
    if (!text.failed)
        node = cov__kv_scored_new(cov_buf_view(&text), cov__kv_hash_of(call, cov_buf_view(&text)),
                                  (double)seq, &call->engine->random);
    cov_buf_dispose(&text);
    return node;
}

static void put(kv_zset *zset, kv_scored *node)
{
    kv_scored *there =
        (kv_scored *)cov__kv_table_find(&zset->members, node->node.key, node->node.hash);

    if (there == NULL) {
        cov__kv_zset_add(zset, node);
        return;
    }
    cov__kv_zset_move(zset, there, node->score);
    free(node);
}

static void append(kv_call *call, const kv_edit *counter, kv_zset *zset, int64_t start, int64_t max)
{
    char number[KV_NUM_BYTES];
    cov_kv_reply *items = NULL;
    const kv_scored *oldest;
    kv_scored *node;
    int64_t seq;

    if (!next_number(call, counter, start, &seq))
        return;
    node = make_member(call, call->args[2], seq);
    items = node != NULL ? cov__kv_reply_list(call, 2) : NULL;
    if (items == NULL ||
        !cov__kv_blob_assign(&counter->entry->value.string, cov__kv_int_text(seq, number))) {
        free(node);
        if (!call->no_room)
            cov__kv_reply_error(call, KV_ERR_MEMORY);
        return;
    }
    put(zset, node);
    if (zset->members.len > (uint64_t)max)
        cov__kv_zset_cut(zset, 0, zset->members.len - (size_t)max);
    cov__kv_zset_slice(zset, 0, 1, &oldest);
    cov__kv_item_int(&items[0], seq);
    cov__kv_item_int(&items[1], (int64_t)oldest->score);
}

/* LOGADD counter log text start max */
void cov__kv_do_logadd(kv_call *call)
{
    kv_call of_log = *call;
    kv_edit counter;
    kv_edit log;
    int64_t start;
    int64_t max;

    if (!arg_within(call, 3, 0, &start) || !arg_within(call, 4, 1, &max))
        return;
    if (call->args[2].len == 0 || cov_str_eq(call->args[0], call->args[1])) {
        cov__kv_reply_error(call, KV_ERR_SYNTAX);
        return;
    }
    of_log.args++;
    if (!cov__kv_edit(call, KV_STRING, &counter))
        return;
    if (cov__kv_edit(&of_log, KV_ZSET, &log)) {
        append(call, &counter, &log.entry->value.zset, start, max);
        cov__kv_close(&of_log, &log);
    }
    cov__kv_close(call, &counter);
}
