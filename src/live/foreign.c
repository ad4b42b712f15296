/* SPDX-License-Identifier: MIT */
/*
 * What other programs entered into the changelog's table: by triggers (schema/log_triggers.h), or as another server.
 *
 * DESIGN: Who follows must get the changes of a row in the order of the commits, whoever made them, and a client resumes
 * from the highest number that it got. So entries are told in the order of their numbers, and `looked` is the number up
 * to which all were. Two look for those of others: a shard, twice a second, which stops before the first entry of this
 * process that is not published yet; and whoever enters a change of this process, when the entry before it is not ours.
 * That one holds the database's lock for writing, so nothing of others comes between what it finds and what it enters.
 */
#include "live/internal.h"
#include "schema/log_triggers.h"

/* So many at once are not told row by row: reading again is quicker. */
enum { MAX_ENTRIES = 2000 };

static const cov_resource *find(void *self, cov_str name, size_t *table)
{
    const cov_live *live = self;
    const cov_live_table *found = cov__live_table(live, name);

    if (found == NULL)
        return NULL;
    *table = (size_t)(found - live->tables);
    return found->resource;
}

/* With the lock. Whoever read the same entries meanwhile may have told them. */
static void tell(cov_live *live, cov_change *change)
{
    if (change == NULL)
        cov__live_lose_held(live, 0);
    else if (change->seq > live->looked)
        cov__live_spread(live, change);
}

static void tell_table(void *self, cov_str name, int64_t seq)
{
    cov_live *live = self;
    const cov_live_table *table = cov__live_table(live, name);
    cov_change like = { .kind = COV_CHANGE_UPDATE, .id = COV_STR("*"), .seq = seq };
    cov_change *change;

    if (table == NULL)
        return;
    like.table = (size_t)(table - live->tables);
    like.invalidates = "external-mutation";
    change = cov_change_new(&like, 0);
    tell(live, change);
    cov_change_release(change);
}

static cov_status catch_up(cov_live *live, cov_ctx *ctx, int64_t since, int64_t upto)
{
    cov_missed others;
    cov_status st =
        cov_changelog_others(&live->log, ctx, since, upto, MAX_ENTRIES, find, live, &others);

    if (st != COV_OK)
        return st;
    cov_host_lock(live->host, live->lock);
    if (others.gap && live->looked == since)
        cov__live_lose_held(live, 0);
    else if (others.n > MAX_ENTRIES)
        st = cov_changelog_foreign(&live->log, ctx, since, upto, tell_table, live);
    else
        for (size_t i = 0; i < others.n; i++)
            tell(live, others.items[i]);
    if (st == COV_OK && live->looked < upto)
        live->looked = upto;
    cov_host_unlock(live->host, live->lock);
    cov_missed_dispose(&others);
    return st;
}

static int64_t looked(cov_live *live)
{
    int64_t seq;

    cov_host_lock(live->host, live->lock);
    seq = live->looked;
    cov_host_unlock(live->host, live->lock);
    return seq;
}

cov_status cov__foreign_before(cov_live *live, cov_ctx *ctx, int64_t seq)
{
    int64_t since = looked(live);

    return since + 1 < seq ? catch_up(live, ctx, since, seq - 1) : COV_OK;
}

static cov_status look(cov_live_shard *shard, cov_ctx *ctx)
{
    cov_live *live = shard->live;
    int64_t since = looked(live);
    int64_t upto = 0;
    cov_status st = cov_changelog_settled(&live->log, ctx, since, &upto);

    return st == COV_OK && upto > since ? catch_up(live, ctx, since, upto) : st;
}

void cov__shard_look(cov_live_shard *shard)
{
    cov_error err;
    cov_ctx ctx = { .host = shard->host, .db = shard->db, .arena = shard->arena, .err = &err };

    cov_error_init(&err, NULL);
    if (cov_db_begin(shard->db, false, &err) != COV_OK)
        return;
    if (look(shard, &ctx) != COV_OK)
        cov__log_failure(shard->host, "reading the changelog", &err);
    cov_db_rollback(shard->db);
}

/* ---- triggers ---- */

void cov_live_triggers_sql(const cov_live *live, cov_buf *out)
{
    cov_buf_str(out, cov_changelog_table_sql);
    cov_buf_char(out, '\n');
    for (size_t i = 0; i < live->n_tables; i++) {
        const cov_resource *r = live->tables[i].resource;
        const cov_table *table = cov_follow_table(r);

        cov_log_triggers_sql(out, table, &table->columns[cov_follow_id_column(r)], live->log.most);
    }
}
