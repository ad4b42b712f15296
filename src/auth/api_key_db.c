/* SPDX-License-Identifier: MIT */
/* API keys in the table auth_api_keys (spec/06 sections 9.3 and 15); times are whole seconds. */
#include "auth/api_key_internal.h"
#include "auth/sql.h"

static cov_value seconds(const cov_auth_store *store, int64_t ms)
{
    return ms == COV_USER_NO_TIME ? cov_value_null()
                                  : cov_value_int(cov_api_keys_time(store, ms) / 1000);
}

static int64_t milliseconds(const cov_value *value)
{
    return value->type == COV_INT && value->i <= INT64_MAX / 1000 && value->i >= INT64_MIN / 1000
               ? value->i * 1000
               : COV_USER_NO_TIME;
}

/* The count and the insert are one statement, so that no parallel call comes between. */
static cov_status put(const cov_auth_store *store, cov_ctx *ctx, const cov_api_key *key,
                      size_t most, bool *stored)
{
    cov_buf scopes = COV_BUF_IN(ctx->arena);
    cov_value params[10];
    int64_t changes = 0;
    cov_status st;

    cov_api_key_scopes_json(&scopes, key);
    if (scopes.failed)
        return cov_fail_nomem(ctx->err);
    params[0] = cov_value_text(key->id);
    params[1] = cov_value_text(key->user_id);
    params[2] = cov_value_text(key->label.ptr != NULL ? key->label : COV_STR(""));
    params[3] = cov_value_text(key->hash);
    params[4] = cov_value_text(key->prefix);
    params[5] = key->scopes != NULL ? cov_value_text(cov_buf_view(&scopes)) : cov_value_null();
    params[6] = seconds(store, key->created_ms);
    params[7] = seconds(store, key->expires_ms);
    params[8] = cov_value_text(key->user_id);
    params[9] = cov_value_int((int64_t)most);
    st = cov__sql_change(
        ctx,
        COV_STR("INSERT INTO auth_api_keys (id,\"userId\",name,\"keyHash\",\"keyPrefix\",scopes,"
                "\"createdAt\",\"expiresAt\") SELECT ?,?,?,?,?,?,?,? WHERE (SELECT count(*) FROM "
                "auth_api_keys WHERE \"userId\"=? AND \"revokedAt\" IS NULL)<?"),
        params, COV_COUNT_OF(params), &changes);
    *stored = st == COV_OK && changes != 0;
    return st;
}

#define COLUMNS                                                                                \
    "SELECT id,\"userId\",name,\"keyHash\",scopes,\"createdAt\",\"lastUsedAt\",\"expiresAt\" " \
    "FROM auth_api_keys WHERE \"revokedAt\" IS NULL AND "

static cov_str text_of(const cov_value *value)
{
    return value->type == COV_TEXT ? value->s : COV_STR_NULL;
}

/* A row of COLUMNS. */
static cov_status parse(cov_ctx *ctx, const cov_value *row, cov_api_key *out)
{
    yyjson_val *scopes = NULL;
    cov_str label = text_of(&row[2]);

    *out = (cov_api_key){ .id = text_of(&row[0]),
                          .user_id = text_of(&row[1]),
                          .label = label.len != 0 ? label : COV_STR_NULL,
                          .hash = text_of(&row[3]),
                          .created_ms = milliseconds(&row[5]),
                          .last_used_ms = milliseconds(&row[6]),
                          .expires_ms = milliseconds(&row[7]) };
    /* A time that is no number must not make a key last for ever. */
    if (row[7].type != COV_NULL && out->expires_ms == COV_USER_NO_TIME)
        out->expires_ms = 0;
    if (row[4].type == COV_TEXT && cov_json_read(ctx->arena, row[4].s, &scopes, NULL) == COV_ENOMEM)
        return cov_fail_nomem(ctx->err);
    return cov_api_key_read_scopes(ctx, scopes, out);
}

static cov_status get(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_api_key *out,
                      bool *found)
{
    cov_value param = cov_value_text(id);
    cov_rows rows;
    cov_status st = cov__sql_rows(ctx, COV_STR(COLUMNS "id=?"), &param, 1, &rows);

    (void)store;
    *found = st == COV_OK && rows.n != 0;
    return *found ? parse(ctx, rows.items[0], out) : st;
}

static void used(const cov_auth_store *store, cov_ctx *ctx, const cov_api_key *key, int64_t now_ms)
{
    cov_value params[] = { seconds(store, now_ms), cov_value_text(key->id) };

    cov__sql_later(ctx, COV_STR("UPDATE auth_api_keys SET \"lastUsedAt\"=? WHERE id=?"), params,
                   COV_COUNT_OF(params));
}

static cov_status remove_of(const cov_auth_store *store, cov_ctx *ctx, cov_str id, cov_str user_id,
                            bool *found)
{
    cov_value params[] = { cov_value_text(id), cov_value_text(user_id) };
    int64_t changes = 0;
    cov_status st = cov__sql_change(ctx,
                                    COV_STR("DELETE FROM auth_api_keys WHERE id=? AND \"userId\"=? "
                                            "AND \"revokedAt\" IS NULL"),
                                    params, COV_COUNT_OF(params), &changes);

    (void)store;
    *found = st == COV_OK && changes != 0;
    return st;
}

static cov_status list(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                       cov_api_keys *out)
{
    cov_value param = cov_value_text(user_id);
    cov_api_key *items;
    cov_rows rows;
    cov_status st = cov__sql_rows(ctx, COV_STR(COLUMNS "\"userId\"=? ORDER BY \"createdAt\",id"),
                                  &param, 1, &rows);

    (void)store;
    if (st != COV_OK)
        return st;
    items = COV_NEW_ARRAY(ctx->arena, cov_api_key, rows.n + 1);
    if (items == NULL)
        return cov_fail_nomem(ctx->err);
    for (size_t i = 0; st == COV_OK && i < rows.n; i++)
        st = parse(ctx, rows.items[i], &items[i]);
    *out = (cov_api_keys){ items, rows.n };
    return st;
}

const cov__api_key_ops cov__api_key_db = {
    .put = put,
    .get = get,
    .used = used,
    .remove = remove_of,
    .list = list,
};
