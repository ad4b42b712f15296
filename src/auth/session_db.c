/* SPDX-License-Identifier: MIT */
/* Sessions in the table auth_sessions (spec/06 sections 3.5 and 15); times are whole seconds on SQLite. */
#include "auth/session_internal.h"
#include "auth/sql.h"

static int64_t floor_s(int64_t ms)
{
    return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
}

static cov_value seconds(int64_t ms)
{
    return cov_value_int(floor_s(ms));
}

static int64_t now_ms(const cov_ctx *ctx)
{
    return ctx->host->now_ms(ctx->host->self);
}

static cov_value data_value(const cov_session *session)
{
    return session->data.len != 0 ? cov_value_text(session->data) : cov_value_null();
}

static cov_status put(const cov_auth_store *store, cov_ctx *ctx, const cov_session *session)
{
    cov_value params[] = { cov_value_text(session->id), cov_value_text(session->user_id),
                           seconds(session->created_ms), seconds(session->expires_ms),
                           data_value(session) };

    (void)store;
    return cov__sql_change(
        ctx,
        COV_STR("INSERT INTO auth_sessions (id,\"userId\",\"createdAt\",\"expiresAt\",data) "
                "VALUES (?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET \"userId\"=excluded.\"userId\","
                "\"expiresAt\"=excluded.\"expiresAt\",data=excluded.data"),
        params, COV_COUNT_OF(params), NULL);
}

/* A row is id, userId, createdAt, expiresAt, data. */
static void parse(const cov_value *row, cov_session *out)
{
    out->id = row[0].s;
    out->user_id = row[1].type == COV_TEXT ? row[1].s : COV_STR_NULL;
    out->created_ms = row[2].i * 1000;
    out->expires_ms = row[3].i * 1000;
    out->data = row[4].type == COV_TEXT ? row[4].s : COV_STR_NULL;
}

#define COLUMNS "SELECT id,\"userId\",\"createdAt\",\"expiresAt\",data FROM auth_sessions WHERE "

static cov_status get(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_session *out,
                      bool *found)
{
    cov_value params[] = { cov_value_text(id), seconds(now_ms(ctx)) };
    cov_rows rows;
    cov_status st =
        cov__sql_rows(ctx, COV_STR(COLUMNS "id=? AND \"expiresAt\">?"), params, 2, &rows);

    (void)store;
    *found = st == COV_OK && rows.n != 0;
    if (*found)
        parse(rows.items[0], out);
    return st;
}

static void touch(const cov_auth_store *store, cov_ctx *ctx, const cov_session *session,
                  int64_t expires_ms)
{
    cov_value params[] = { data_value(session),
                           seconds(expires_ms != 0 ? expires_ms : session->expires_ms),
                           cov_value_text(session->id) };

    (void)store;
    cov__sql_later(ctx, COV_STR("UPDATE auth_sessions SET data=?,\"expiresAt\"=? WHERE id=?"),
                   params, COV_COUNT_OF(params));
}

static cov_status remove_one(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_str user_id,
                             bool *found)
{
    cov_value param = cov_value_text(id);
    int64_t changes = 0;
    cov_status st =
        cov__sql_change(ctx, COV_STR("DELETE FROM auth_sessions WHERE id=?"), &param, 1, &changes);

    (void)store;
    (void)user_id;
    if (st == COV_OK && found != NULL)
        *found = changes != 0;
    return st;
}

static cov_status list(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                       cov_sessions *out)
{
    cov_value params[] = { cov_value_text(user_id), seconds(now_ms(ctx)) };
    cov_session *items;
    cov_rows rows;
    cov_status st =
        cov__sql_rows(ctx,
                      COV_STR(COLUMNS "\"userId\"=? AND \"expiresAt\">? ORDER BY \"createdAt\",id"),
                      params, 2, &rows);

    (void)store;
    *out = (cov_sessions){ NULL, 0 };
    if (st != COV_OK)
        return st;
    items = COV_NEW_ARRAY(ctx->arena, cov_session, rows.n + 1);
    if (items == NULL)
        return cov_fail_nomem(ctx->err);
    for (size_t i = 0; i < rows.n; i++)
        parse(rows.items[i], &items[i]);
    *out = (cov_sessions){ items, rows.n };
    return COV_OK;
}

static cov_status remove_all(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                             cov_str except)
{
    cov_value params[] = { cov_value_text(user_id), cov_value_text(except) };

    (void)store;
    return cov__sql_change(ctx, COV_STR("DELETE FROM auth_sessions WHERE \"userId\"=? AND id<>?"),
                           params, 2, NULL);
}

const cov__session_ops cov__session_db = {
    .put = put,
    .get = get,
    .touch = touch,
    .remove = remove_one,
    .list = list,
    .remove_all = remove_all,
};
