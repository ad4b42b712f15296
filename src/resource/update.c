/* SPDX-License-Identifier: MIT */
/* PATCH /:id and PUT /:id (spec/01 sections 6.6, 6.7 and 15). */
#include "resource/hooks.h"

typedef struct update_work {
    const cov_resource *r;
    cov_ctx *ctx;
    cov_str segment;
    cov_input_mode mode; /* COV_INPUT_CREATE: a PUT carries a whole row */
    cov_update_kind kind;
    cov_where where;
    cov_value id;
    cov_value *before;
    cov_value *after;
    bool conditional; /* an If-Match was given */
    cov_input input;
} update_work;

static cov_status load(update_work *work)
{
    cov_status st = COV_OK;

    if (cov__id_value(work->r, work->ctx, work->segment, &work->id))
        st = cov__load_row(work->r, work->ctx, &work->where, &work->id, &work->before);
    if (st != COV_OK)
        return st;
    return work->before != NULL ? COV_OK : cov__fail_no_row(work->r, work->ctx, work->segment);
}

/* The row's own id: "01" in the path means 1 in the table. */
static cov_status read_input(update_work *work)
{
    yyjson_val *body = NULL;
    cov_input_rules rules = { work->mode, COV_STR_INIT(""), NULL, false };
    cov_issues issues;
    cov_status st = cov__body_read(work->ctx, &body);

    cov__issues_init(&issues, work->ctx->arena);
    if (st == COV_OK)
        st = cov__input_read(work->r, work->ctx, body, &rules, &issues, &work->input);
    if (st == COV_OK)
        st = cov__issues_finish(work->ctx, &issues);
    if (st != COV_OK)
        return st;
    st = cov__input_fix_id(work->r, work->ctx, &work->before[work->r->id->index], &work->input);
    if (st == COV_OK)
        cov__input_mask(work->r, &work->input);
    return st;
}

/* A PUT sets what it leaves out to the default, or NULL; some columns are never reset. */
static void reset_omitted(update_work *work)
{
    const cov_resource *r = work->r;

    for (size_t i = 0; i < r->table->n_columns; i++) {
        const cov_column *column = &r->table->columns[i];
        bool kept = column == r->id || column == r->version || column == r->soft_delete ||
                    column->generated || r->is_generated[i] || !r->is_writable[i];

        work->input.reset[i] = !kept && !work->input.present[i];
    }
}

static cov_status write(update_work *work)
{
    const cov_resource *r = work->r;
    cov_ctx *ctx = work->ctx;
    cov_status st;
    cov_sql sql;

    cov_sql_init(&sql, ctx->arena, ctx->db);
    if (cov__update_sql(r, &work->input, &sql) == 0) {
        work->after = work->before;
        return COV_OK;
    }
    cov__where_sql(r, &work->where, true, &sql);
    cov_sql_str(&sql, r->id->quoted);
    COV_SQL(&sql, " = ");
    cov_sql_param(&sql, work->before[r->id->index]);
    if (work->conditional)
        cov__etag_cas_sql(r, work->before, &sql);
    COV_SQL(&sql, " RETURNING ");
    cov__column_list_sql(&sql, &r->all);
    st = cov__query_row(ctx, &sql, &work->after);
    if (st != COV_OK)
        return cov__fail_constraint(r, ctx, st, &work->input);
    if (work->after != NULL)
        return COV_OK;
    return work->conditional ? cov__fail_precondition(ctx, cov__etag(r, ctx, work->before))
                             : cov__fail_no_row(r, ctx, work->segment);
}

/* A missing row wins over a bad body; a failed precondition too. */
static cov_status run(void *arg)
{
    update_work *work = arg;
    cov_status st = load(work);

    if (st == COV_OK)
        st = cov__etag_if_match(work->r, work->ctx, work->before, &work->conditional);
    if (st == COV_OK)
        st = read_input(work);
    if (st != COV_OK)
        return st;
    if (work->mode == COV_INPUT_CREATE)
        reset_omitted(work);
    st = cov__before_update(work->r, work->ctx, work->kind, work->before, &work->input);
    if (st != COV_OK)
        return st;
    cov__bump_version(work->r, work->before, &work->input);
    st = cov__access_judge_failure(work->r, work->ctx, COV_OP_UPDATE, work->where.expr,
                                   work->before, &work->input, write(work));
    if (st != COV_OK || work->after == work->before)
        return st;
    st = cov__access_check_row(work->r, work->ctx, COV_OP_UPDATE, work->where.expr, work->after);
    return st == COV_OK
               ? cov__after_update(work->r, work->ctx, work->kind, work->before, work->after)
               : st;
}

static cov_status update(const cov_resource *r, cov_ctx *ctx, cov_str segment, cov_input_mode mode)
{
    update_work work = { .r = r,
                         .ctx = ctx,
                         .segment = segment,
                         .mode = mode,
                         .kind = mode == COV_INPUT_CREATE ? COV_KIND_REPLACE : COV_KIND_UPDATE };
    cov_status st = cov__where_row(r, ctx, COV_OP_UPDATE, &work.where);
    cov_str tag;

    if (st == COV_OK)
        st = cov__access_capability(r, ctx, r->config->capabilities.update, "enableUpdate");
    if (st == COV_OK)
        st = cov__in_transaction(ctx, run, &work);
    if (st != COV_OK)
        return st;
    tag = cov__etag(r, ctx, work.after);
    if (tag.ptr != NULL)
        cov_response_header(ctx->res, COV_STR("ETag"), tag);
    cov__respond(ctx, 200);
    return cov__stored_row_json(ctx, r, work.after);
}

cov_status cov__patch(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    return update(r, ctx, id, COV_INPUT_UPDATE);
}

cov_status cov__put(const cov_resource *r, cov_ctx *ctx, cov_str id)
{
    return update(r, ctx, id, COV_INPUT_CREATE);
}
