/* SPDX-License-Identifier: MIT */
/*
 * Groups and the index that finds them.
 *
 * DESIGN: subscriptions that see the same bytes (same resource, predicate, includes, and, where objects are personal, the
 * same user) are one group: judged once, written once. A group whose predicate demands `column == value` is found by a
 * hash of the two, from either image of a row; only groups without such a term are asked about every change. A hash that
 * collides costs one evaluation, never a wrong answer.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "live/internal.h"

enum { MAX_EQUALITIES = 16 };
#define EXACT_IN_DOUBLE (INT64_C(1) << 53)

/* ---- terms ---- */

/* Equal values of one column have equal texts: 1 and 1.0, 2^60 and 1152921504606846976.0. */
static uint64_t term_hash(size_t column, const cov_value *value)
{
    uint64_t salt = ((uint64_t)column + 1) * UINT64_C(0x9E3779B97F4A7C15);
    char number[COV_NUM_TEXT_BYTES];
    size_t len;

    switch (value->type) {
    case COV_INT:
        if (value->i > -EXACT_IN_DOUBLE && value->i < EXACT_IN_DOUBLE)
            return ((uint64_t)value->i * UINT64_C(0xD6E8FEB86659FD93)) ^ salt;
        len = cov_num_text((double)value->i, number);
        return cov_hash(cov_str_of(number, len)) ^ salt;
    case COV_REAL:
        if (value->r > (double)-EXACT_IN_DOUBLE && value->r < (double)EXACT_IN_DOUBLE &&
            (double)(int64_t)value->r == value->r)
            return ((uint64_t)(int64_t)value->r * UINT64_C(0xD6E8FEB86659FD93)) ^ salt;
        len = cov_num_text(value->r, number);
        return cov_hash(cov_str_of(number, len)) ^ salt;
    case COV_TEXT:
        return cov_hash(value->s) ^ salt;
    case COV_NULL:
    case COV_BLOB:
        break;
    }
    return salt;
}

/* A boolean halves the rows at best; anything else is likely to do better. */
static bool choose_term(const cov_rsql_expr *expr, cov_rsql_equality *out)
{
    cov_rsql_equality all[MAX_EQUALITIES];
    size_t n = cov_rsql_equalities(expr, all, MAX_EQUALITIES);

    for (size_t i = 0; i < n; i++)
        if (all[i].column->class_ != COV_CLASS_BOOL) {
            *out = all[i];
            return true;
        }
    if (n != 0)
        *out = all[0];
    return n != 0;
}

/* ---- making ---- */

static void identity_of(const cov_group *like, const cov_rsql_expr *expr, cov_buf *out)
{
    cov_buf_append(out, &like->resource, sizeof(like->resource));
    cov_buf_char(out, like->aggregate ? 'a' : 'r');
    cov_buf_char(out, like->with_deleted ? 'd' : '-');
    cov_rsql_identity(expr, out);
    for (int i = 0; i < COV_N_PARAMS; i++) {
        cov_buf_append(out, &like->params[i].len, sizeof like->params[i].len);
        cov_buf_str(out, like->params[i]);
    }
    if (like->who != NULL)
        cov_buf_str(out, like->who->id);
}

static const bool shapes_aggregate[COV_N_PARAMS] = {
    [COV_PARAM_FILTER] = true, [COV_PARAM_WITH_DELETED] = true, [COV_PARAM_GROUP_BY] = true,
    [COV_PARAM_COUNT] = true,  [COV_PARAM_SUM] = true,          [COV_PARAM_AVG] = true,
    [COV_PARAM_MIN] = true,    [COV_PARAM_MAX] = true,          [COV_PARAM_HAVING] = true,
};

/*
 * Only what is needed again: to name relations, to compute an aggregate, to ask a scope that may answer differently. A
 * filter that is asked for again is part of the identity; otherwise all of it is in the predicate.
 */
static void take_params(cov_group *group, const cov_ctx *ctx, const cov_principal *who)
{
    bool again = cov_follow_scope_varies(group->resource) || (who != NULL && who->refresh != NULL);

    for (int i = 0; i < COV_N_PARAMS; i++) {
        bool row = i == COV_PARAM_INCLUDE || (i == COV_PARAM_FILTER && again);

        if (group->aggregate ? shapes_aggregate[i] : row)
            group->params[i] = ctx->params[i];
    }
}

static size_t params_bytes(const cov_group *like)
{
    size_t bytes = 0;

    for (int i = 0; i < COV_N_PARAMS; i++)
        bytes += like->params[i].len;
    return bytes;
}

static cov_str put(char **at, cov_str s)
{
    cov_str copy = cov_str_of(s.ptr != NULL ? *at : NULL, s.len);

    if (s.len != 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return copy;
}

/* One block: the group, its predicate, its texts. */
static cov_group *group_alloc(const cov_group *like, const cov_rsql_expr *expr, cov_str identity)
{
    size_t base = (sizeof(cov_group) + 15) / 16 * 16;
    size_t predicate = (cov_rsql_copy_bytes(expr) + 15) / 16 * 16;
    char *block = malloc(base + predicate + params_bytes(like) + identity.len);
    cov_group *group = (cov_group *)(void *)block;
    char *text = block + base + predicate;

    if (block == NULL)
        return NULL;
    *group = *like;
    group->expr = cov_rsql_copy(expr, block + base);
    group->identity = put(&text, identity);
    for (int i = 0; i < COV_N_PARAMS; i++)
        group->params[i] = put(&text, like->params[i]);
    return group;
}

static size_t table_of(const cov_live *live, const cov_resource *r)
{
    cov_str name = cov_follow_table(r)->name;
    size_t i = 0;

    while (!cov_str_eq(live->tables[i].name, name))
        i++;
    return i;
}

cov_group *cov__group_new(const cov_live *live, const cov_ctx *ctx, const cov_resource *r,
                          const cov_rsql_expr *expr, bool aggregate, cov_principal *who)
{
    cov_group like = { .resource = r, .aggregate = aggregate };
    cov_buf identity = COV_BUF_IN(ctx->arena);
    cov_rsql_equality term;
    cov_group *group;

    like.table = table_of(live, r);
    like.with_deleted = aggregate && cov_param_flag(ctx, COV_PARAM_WITH_DELETED);
    take_params(&like, ctx, who);
    /* An aggregate reads through its request again, scope included, so it always has somebody's eyes. */
    if (aggregate || cov_follow_is_personal(r, like.params[COV_PARAM_INCLUDE]))
        like.who = who;
    identity_of(&like, expr, &identity);
    group = !identity.failed ? group_alloc(&like, expr, cov_buf_view(&identity)) : NULL;
    if (group == NULL)
        return NULL;
    if (group->who != NULL)
        group->who->retain(group->who);
    group->needs_db = group->expr != NULL && cov_rsql_needs_db(group->expr);
    group->indexed = choose_term(group->expr, &term);
    if (group->indexed) {
        group->term_column = term.column->index;
        group->term_hash = term_hash(term.column->index, &term.value);
    }
    return group;
}

void cov__group_free(cov_group *group)
{
    if (group == NULL)
        return;
    cov__tally_free(group->tally);
    if (group->who != NULL)
        group->who->release(group->who);
    free(group);
}

/* ---- in a shard ---- */

static cov_group *of_identity(cov_link *link)
{
    return (cov_group *)(void *)link;
}

static cov_group *of_term(cov_link *link)
{
    return (cov_group *)(void *)((char *)link - offsetof(cov_group, term));
}

static cov_group *find_same(const cov_live_shard *shard, cov_str identity, uint64_t hash)
{
    for (cov_link *l = cov_links_first(&shard->groups, hash); l != NULL; l = cov_links_next(l))
        if (cov_str_eq(of_identity(l)->identity, identity))
            return of_identity(l);
    return NULL;
}

static void add_to_others(cov_shard_table *table, cov_group *group)
{
    group->indexed = false;
    group->prev = NULL;
    group->next = table->others;
    if (table->others != NULL)
        table->others->prev = group;
    table->others = group;
}

static void remove_from_others(cov_shard_table *table, cov_group *group)
{
    if (group->prev != NULL)
        group->prev->next = group->next;
    else
        table->others = group->next;
    if (group->next != NULL)
        group->next->prev = group->prev;
}

cov_group *cov__group_join(cov_live_shard *shard, cov_group *candidate)
{
    uint64_t hash = cov_hash(candidate->identity);
    cov_group *same = find_same(shard, candidate->identity, hash);
    cov_shard_table *table = &shard->tables[candidate->table];

    if (same != NULL) {
        cov__group_free(candidate);
        return same;
    }
    if (!cov_links_add(&shard->groups, &candidate->by_identity, hash)) {
        cov__group_free(candidate);
        return NULL;
    }
    if (candidate->indexed &&
        cov_links_add(&table->by_term, &candidate->term, candidate->term_hash))
        table->n_by_column[candidate->term_column]++;
    else
        add_to_others(table, candidate);
    return candidate;
}

void cov__group_drop(cov_live_shard *shard, cov_group *group)
{
    cov_shard_table *table = &shard->tables[group->table];

    cov_links_remove(&shard->groups, &group->by_identity);
    if (group->indexed) {
        cov_links_remove(&table->by_term, &group->term);
        table->n_by_column[group->term_column]--;
    } else {
        remove_from_others(table, group);
    }
    cov__group_free(group);
}

/* ---- matching ---- */

bool cov__group_matches(cov_live_shard *shard, const cov_group *group, const cov_value *row)
{
    if (!group->with_deleted && cov_follow_is_deleted(group->resource, row))
        return false;
    return cov_rsql_eval(group->expr, row, shard->host, shard->arena) == COV_TRUE;
}

typedef struct walk {
    cov_live_shard *shard;
    const cov_change *change;
    void (*visit)(cov_live_shard *, cov_group *, const cov_change *, void *);
    void *arg;
} walk;

static void visit_once(const walk *w, cov_group *group)
{
    if (group->round == w->shard->round)
        return;
    group->round = w->shard->round;
    w->visit(w->shard, group, w->change, w->arg);
}

static void visit_image(const walk *w, const cov_shard_table *table, size_t n_columns,
                        const cov_value *row)
{
    for (size_t i = 0; row != NULL && i < n_columns; i++) {
        if (table->n_by_column[i] == 0 || row[i].type == COV_NULL)
            continue;
        for (cov_link *l = cov_links_first(&table->by_term, term_hash(i, &row[i])), *next;
             l != NULL; l = next) {
            next = cov_links_next(l);
            visit_once(w, of_term(l));
        }
    }
}

static void visit_all_indexed(const walk *w, const cov_shard_table *table)
{
    for (size_t i = 0; i < table->by_term.cap; i++)
        for (cov_link *l = table->by_term.heads[i], *next; l != NULL; l = next) {
            next = l->next;
            visit_once(w, of_term(l));
        }
}

/* A change without its first image may have left any group: none can be left out. */
void cov__groups_each(cov_live_shard *shard, const cov_change *change,
                      void (*visit)(cov_live_shard *, cov_group *, const cov_change *, void *),
                      void *arg)
{
    walk w = { shard, change, visit, arg };
    cov_shard_table *table = &shard->tables[change->table];
    size_t n_columns = shard->live->tables[change->table].n_columns;
    bool all = change->invalidates != NULL ||
               (change->before == NULL && change->kind != COV_CHANGE_CREATE);

    shard->round++;
    if (all) {
        visit_all_indexed(&w, table);
    } else {
        visit_image(&w, table, n_columns, change->before);
        visit_image(&w, table, n_columns, change->after);
    }
    for (cov_group *group = table->others, *next; group != NULL; group = next) {
        next = group->next;
        visit_once(&w, group);
    }
}
