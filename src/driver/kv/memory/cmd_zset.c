/* SPDX-License-Identifier: MIT */
/* Commands about sorted sets. */
#include <stdlib.h>

#include "driver/kv/memory/call.h"

static kv_scored *find(const kv_call *call, kv_entry *entry, cov_str member)
{
    return (kv_scored *)cov__kv_table_find(&entry->value.zset.members, member,
                                           cov__kv_hash_of(call, member));
}

static size_t len_of(const kv_entry *entry)
{
    return entry != NULL ? entry->value.zset.members.len : 0;
}

static void reply_double(kv_call *call, double value)
{
    char buffer[KV_NUM_BYTES];

    cov__kv_reply_text(call, cov__kv_double_text(value, buffer));
}

void cov__kv_do_zscore(kv_call *call)
{
    kv_entry *entry;
    const kv_scored *node;

    if (!cov__kv_open(call, KV_ZSET, &entry) || entry == NULL)
        return;
    node = find(call, entry, call->args[1]);
    if (node != NULL)
        reply_double(call, node->score);
}

void cov__kv_do_zcard(kv_call *call)
{
    kv_entry *entry;

    if (cov__kv_open(call, KV_ZSET, &entry))
        cov__kv_reply_int(call, (int64_t)len_of(entry));
}

/* ---- ZADD ---- */

typedef struct add_options {
    bool only_new;
    bool only_old;
    bool if_greater;
    bool if_less;
    bool count_changed;
} add_options;

/* Returns the first argument after the options. */
static size_t read_add_options(const kv_call *call, add_options *o)
{
    size_t at = 1;

    for (; at < call->n_args; at++) {
        if (cov__kv_is_word(call->args[at], "nx"))
            o->only_new = true;
        else if (cov__kv_is_word(call->args[at], "xx"))
            o->only_old = true;
        else if (cov__kv_is_word(call->args[at], "gt"))
            o->if_greater = true;
        else if (cov__kv_is_word(call->args[at], "lt"))
            o->if_less = true;
        else if (cov__kv_is_word(call->args[at], "ch"))
            o->count_changed = true;
        else
            break;
    }
    return at;
}

static bool check_add(kv_call *call, const add_options *o, size_t first)
{
    double score;

    if (first == call->n_args || (call->n_args - first) % 2 != 0)
        return cov__kv_reply_error(call, KV_ERR_SYNTAX);
    if (o->only_new && o->only_old)
        return cov__kv_reply_error(call,
                                   "ERR XX and NX options at the same time are not compatible");
    if (o->only_new + o->if_greater + o->if_less > 1)
        return cov__kv_reply_error(
            call, "ERR GT, LT, and/or NX options at the same time are not compatible");
    for (size_t i = first; i < call->n_args; i += 2)
        if (!cov__kv_arg_double(call, i, &score))
            return false;
    return true;
}

/* The nodes of the arguments as a list; false: out of memory. The scores were checked. */
static bool make_nodes(kv_call *call, size_t first, kv_scored **out)
{
    kv_scored *list = NULL;

    for (size_t i = call->n_args; i > first; i -= 2) {
        cov_str member = call->args[i - 1];
        kv_scored *node;
        double score = 0;

        (void)cov__kv_is_double(call->args[i - 2], &score);
        node =
            cov__kv_scored_new(member, cov__kv_hash_of(call, member), score, &call->engine->random);
        if (node == NULL) {
            while (list != NULL) {
                node = list;
                list = (kv_scored *)node->node.next;
                free(node);
            }
            return false;
        }
        node->node.next = (kv_node *)list;
        list = node;
    }
    *out = list;
    return true;
}

/* Takes over `node`. */
static void put(kv_zset *zset, kv_scored *there, kv_scored *node, const add_options *o,
                int64_t *added, int64_t *changed)
{
    if (there == NULL && !o->only_old) {
        cov__kv_zset_add(zset, node);
        ++*added;
        return;
    }
    if (there != NULL && !o->only_new && there->score != node->score &&
        !(o->if_greater && node->score < there->score) &&
        !(o->if_less && node->score > there->score)) {
        cov__kv_zset_move(zset, there, node->score);
        ++*changed;
    }
    free(node);
}

void cov__kv_do_zadd(kv_call *call)
{
    add_options o = { false, false, false, false, false };
    size_t first = read_add_options(call, &o);
    int64_t added = 0;
    int64_t changed = 0;
    kv_scored *list;
    kv_edit edit;

    if (!check_add(call, &o, first) || !cov__kv_edit(call, KV_ZSET, &edit))
        return;
    if (make_nodes(call, first, &list)) {
        while (list != NULL) {
            kv_scored *node = list;

            list = (kv_scored *)node->node.next;
            put(&edit.entry->value.zset, find(call, edit.entry, node->node.key), node, &o, &added,
                &changed);
        }
        cov__kv_reply_int(call, o.count_changed ? added + changed : added);
    } else {
        cov__kv_reply_error(call, KV_ERR_MEMORY);
    }
    cov__kv_close(call, &edit);
}

/* `node` is NULL for a new member. False: out of memory. */
static bool set_score(kv_call *call, kv_entry *entry, kv_scored *node, cov_str member, double score)
{
    if (node != NULL) {
        cov__kv_zset_move(&entry->value.zset, node, score);
        return true;
    }
    node = cov__kv_scored_new(member, cov__kv_hash_of(call, member), score, &call->engine->random);
    if (node != NULL)
        cov__kv_zset_add(&entry->value.zset, node);
    return node != NULL;
}

void cov__kv_do_zincrby(kv_call *call)
{
    kv_edit edit;
    kv_scored *node;
    double score;

    if (!cov__kv_arg_double(call, 1, &score) || !cov__kv_edit(call, KV_ZSET, &edit))
        return;
    node = find(call, edit.entry, call->args[2]);
    if (node != NULL)
        score += node->score;
    if (score != score) {
        cov__kv_reply_error(call, "ERR resulting score is not a number (NaN)");
    } else {
        reply_double(call, score);
        if (!call->no_room && !set_score(call, edit.entry, node, call->args[2], score))
            cov__kv_reply_error(call, KV_ERR_MEMORY);
    }
    cov__kv_close(call, &edit);
}

void cov__kv_do_zrem(kv_call *call)
{
    kv_edit edit = { NULL, false };
    int64_t n = 0;

    if (!cov__kv_open(call, KV_ZSET, &edit.entry))
        return;
    for (size_t i = 1; edit.entry != NULL && i < call->n_args; i++) {
        kv_scored *node = find(call, edit.entry, call->args[i]);

        if (node != NULL) {
            cov__kv_zset_remove(&edit.entry->value.zset, node);
            n++;
        }
    }
    if (n != 0)
        cov__kv_close(call, &edit);
    cov__kv_reply_int(call, n);
}

/* ---- ranges ---- */

static void reply_range(kv_call *call, const kv_entry *entry, size_t from, size_t to,
                        bool with_scores)
{
    char buffer[KV_NUM_BYTES];
    size_t n = to - from;
    const kv_scored **nodes = COV_NEW_ARRAY(call->arena, const kv_scored *, n);
    cov_kv_reply *item = cov__kv_reply_list(call, with_scores ? n * 2 : n);

    if (nodes == NULL || item == NULL) {
        call->no_room = true;
        return;
    }
    if (n != 0)
        cov__kv_zset_slice(&entry->value.zset, from, to, nodes);
    for (size_t i = 0; i < n; i++) {
        cov__kv_item_text(call, item++, nodes[i]->node.key);
        if (with_scores)
            cov__kv_item_text(call, item++, cov__kv_double_text(nodes[i]->score, buffer));
    }
}

void cov__kv_do_zrange(kv_call *call)
{
    kv_entry *entry;
    size_t from;
    size_t to;

    if (cov__kv_open_range(call, KV_ZSET, &entry, &from, &to))
        reply_range(call, entry, from, to, false);
}

/* A bound of scores: "(" in front excludes it. */
static bool read_bound(cov_str text, double *score, bool *excluded)
{
    *excluded = text.len > 0 && text.ptr[0] == '(';
    return cov__kv_is_double(cov_str_slice(text, *excluded, text.len), score);
}

typedef struct score_range {
    double min;
    double max;
    bool no_min; /* the bound itself is not in the range */
    bool no_max;
} score_range;

static bool read_score_range(kv_call *call, score_range *r)
{
    return (read_bound(call->args[1], &r->min, &r->no_min) &&
            read_bound(call->args[2], &r->max, &r->no_max)) ||
           cov__kv_reply_error(call, "ERR min or max is not a float");
}

/* The ranks [*from, *to) of those scores. */
static void ranks_of(const kv_entry *entry, const score_range *r, size_t *from, size_t *to)
{
    *from = *to = 0;
    if (entry == NULL)
        return;
    *from = cov__kv_zset_count(&entry->value.zset, r->min, r->no_min);
    *to = cov__kv_zset_count(&entry->value.zset, r->max, !r->no_max);
    if (*to < *from)
        *to = *from;
}

typedef struct range_options {
    bool with_scores;
    int64_t offset;
    int64_t count; /* negative: all */
} range_options;

static bool read_range_options(kv_call *call, range_options *o)
{
    for (size_t i = 3; i < call->n_args; i++) {
        if (cov__kv_is_word(call->args[i], "withscores")) {
            o->with_scores = true;
        } else if (cov__kv_is_word(call->args[i], "limit") && call->n_args - i > 2) {
            if (!cov__kv_arg_int(call, i + 1, &o->offset) ||
                !cov__kv_arg_int(call, i + 2, &o->count))
                return false;
            i += 2;
        } else {
            return cov__kv_reply_error(call, KV_ERR_SYNTAX);
        }
    }
    return true;
}

void cov__kv_do_zrangebyscore(kv_call *call)
{
    range_options o = { false, 0, -1 };
    score_range range;
    kv_entry *entry;
    size_t from;
    size_t to;

    if (!read_score_range(call, &range) || !read_range_options(call, &o) ||
        !cov__kv_open(call, KV_ZSET, &entry))
        return;
    ranks_of(entry, &range, &from, &to);
    if (o.offset < 0 || (uint64_t)o.offset > to - from)
        from = to;
    else
        from += (size_t)o.offset;
    if (o.count >= 0 && (uint64_t)o.count < to - from)
        to = from + (size_t)o.count;
    reply_range(call, entry, from, to, o.with_scores);
}

static void cut(kv_call *call, kv_entry *entry, size_t from, size_t to)
{
    kv_edit edit = { entry, false };

    if (from < to) {
        cov__kv_zset_cut(&entry->value.zset, from, to);
        cov__kv_close(call, &edit);
    }
    cov__kv_reply_int(call, (int64_t)(to - from));
}

void cov__kv_do_zremrangebyscore(kv_call *call)
{
    score_range range;
    kv_entry *entry;
    size_t from;
    size_t to;

    if (!read_score_range(call, &range) || !cov__kv_open(call, KV_ZSET, &entry))
        return;
    ranks_of(entry, &range, &from, &to);
    cut(call, entry, from, to);
}

void cov__kv_do_zremrangebyrank(kv_call *call)
{
    kv_entry *entry;
    size_t from;
    size_t to;

    if (cov__kv_open_range(call, KV_ZSET, &entry, &from, &to))
        cut(call, entry, from, to);
}
