/* SPDX-License-Identifier: MIT */
/*
 * Second factors in the table auth_mfa: a row for each user, with the factor in use and beside it the offer that waits.
 * A row without a factor in use has the secret ''. Each change is one statement, so it is atomic by itself.
 */
#include "auth/mfa_store.h"
#include "auth/sql.h"
#include "auth/totp.h"

static int64_t now_s(const cov_ctx *ctx)
{
    return ctx->host->now_ms(ctx->host->self) / 1000;
}

static cov_str hashes_text(cov_ctx *ctx, const cov_str *hashes, size_t n)
{
    cov_buf text = COV_BUF_IN(ctx->arena);

    cov__mfa_hashes_write(&text, hashes, n);
    return text.failed ? COV_STR_NULL : cov_buf_view(&text);
}

static cov_status change(cov_ctx *ctx, cov_str sql, const cov_value *params, size_t n_params,
                         bool *done)
{
    int64_t changes = 0;
    cov_status st = cov__sql_change(ctx, sql, params, n_params, &changes);

    *done = st == COV_OK && changes != 0;
    return st;
}

/* A row is secret, enabled, backupCodeHashes, lastCounter, pendingSecret. */
static cov_status read_row(cov_ctx *ctx, const cov_value *row, cov_mfa *out)
{
    yyjson_val *hashes = NULL;

    if (row[4].type == COV_TEXT)
        out->pending_secret = row[4].s;
    if (row[0].s.len == 0 || row[1].i == 0)
        return COV_OK;
    out->enabled = true;
    out->secret = row[0].s;
    out->last_counter = row[3].i;
    if (cov_json_read(ctx->arena, row[2].s, &hashes, NULL) != COV_OK)
        hashes = NULL;
    return cov__mfa_hashes_read(ctx, hashes, &out->hashes, &out->n_hashes);
}

static cov_status get(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_mfa *out)
{
    cov_value params[] = { cov_value_int(now_s(ctx)), cov_value_text(user_id) };
    cov_rows rows;
    cov_status st = cov__sql_rows(
        ctx,
        COV_STR("SELECT secret,enabled,\"backupCodeHashes\",\"lastCounter\",CASE WHEN "
                "\"pendingUntil\">? THEN \"pendingSecret\" END FROM auth_mfa WHERE \"userId\"=?"),
        params, COV_COUNT_OF(params), &rows);

    (void)store;
    *out = (cov_mfa){ .last_counter = COV_TOTP_NO_COUNTER };
    return st == COV_OK && rows.n != 0 ? read_row(ctx, rows.items[0], out) : st;
}

/* Where a factor is in use that the offer does not replace, nothing is stored, and nothing can be confirmed. */
static cov_status offer(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                        const cov_mfa_offer *offer)
{
    cov_value params[] = { cov_value_text(user_id),
                           cov_value_int(COV_TOTP_NO_COUNTER),
                           cov_value_text(offer->secret),
                           cov_value_text(hashes_text(ctx, offer->hashes, offer->n_hashes)),
                           cov_value_int(now_s(ctx) + COV_MFA_ENROL_MS / 1000),
                           cov_value_int(now_s(ctx)),
                           cov_value_text(offer->replaces) };

    (void)store;
    if (params[3].s.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    return cov__sql_change(
        ctx,
        COV_STR("INSERT INTO auth_mfa (\"userId\",secret,enabled,\"backupCodeHashes\","
                "\"lastCounter\",\"pendingSecret\",\"pendingBackupCodeHashes\",\"pendingUntil\","
                "\"updatedAt\") VALUES (?,'',0,'[]',?,?,?,?,?) ON CONFLICT (\"userId\") DO UPDATE "
                "SET \"pendingSecret\"=excluded.\"pendingSecret\",\"pendingBackupCodeHashes\"="
                "excluded.\"pendingBackupCodeHashes\",\"pendingUntil\"=excluded.\"pendingUntil\" "
                "WHERE auth_mfa.secret=?"),
        params, COV_COUNT_OF(params), NULL);
}

static cov_status accept(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_str secret,
                         int64_t counter, bool *done)
{
    cov_value params[] = { cov_value_int(counter), cov_value_int(now_s(ctx)),
                           cov_value_text(user_id), cov_value_text(secret),
                           cov_value_int(now_s(ctx)) };

    (void)store;
    return change(ctx,
                  COV_STR("UPDATE auth_mfa SET secret=\"pendingSecret\",enabled=1,"
                          "\"backupCodeHashes\"=\"pendingBackupCodeHashes\",\"lastCounter\"=?,"
                          "\"pendingSecret\"=NULL,\"pendingBackupCodeHashes\"=NULL,\"pendingUntil\""
                          "=NULL,\"updatedAt\"=? WHERE \"userId\"=? AND \"pendingSecret\"=? AND "
                          "\"pendingUntil\">?"),
                  params, COV_COUNT_OF(params), done);
}

static cov_status advance(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id,
                          cov_str secret, int64_t counter, bool *done)
{
    cov_value params[] = { cov_value_int(counter), cov_value_int(now_s(ctx)),
                           cov_value_text(user_id), cov_value_text(secret),
                           cov_value_int(counter) };

    (void)store;
    return change(ctx,
                  COV_STR(
                      "UPDATE auth_mfa SET \"lastCounter\"=?,\"updatedAt\"=? WHERE \"userId\"=? "
                      "AND secret=? AND enabled=1 AND \"lastCounter\"<?"),
                  params, COV_COUNT_OF(params), done);
}

/* In the list's text the hash becomes null: other codes that are spent meanwhile stay spent. */
static cov_status spend(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id, cov_str secret,
                        cov_str hash, bool *done)
{
    cov_buf quoted = COV_BUF_IN(ctx->arena);
    cov_value params[5];

    (void)store;
    cov_json_str(&quoted, hash);
    if (quoted.failed)
        return cov_fail_nomem(ctx->err);
    params[0] = params[4] = cov_value_text(cov_buf_view(&quoted));
    params[1] = cov_value_int(now_s(ctx));
    params[2] = cov_value_text(user_id);
    params[3] = cov_value_text(secret);
    return change(ctx,
                  COV_STR("UPDATE auth_mfa SET \"backupCodeHashes\"=replace(\"backupCodeHashes\",?,"
                          "'null'),\"updatedAt\"=? WHERE \"userId\"=? AND secret=? AND enabled=1 "
                          "AND replace(\"backupCodeHashes\",?,'null')<>\"backupCodeHashes\""),
                  params, COV_COUNT_OF(params), done);
}

static cov_status remove_all(const cov_auth_store *store, cov_ctx *ctx, cov_str user_id)
{
    cov_value param = cov_value_text(user_id);

    (void)store;
    return cov__sql_change(ctx, COV_STR("DELETE FROM auth_mfa WHERE \"userId\"=?"), &param, 1,
                           NULL);
}

const cov__mfa_ops cov__mfa_db = {
    .get = get,
    .offer = offer,
    .accept = accept,
    .advance = advance,
    .spend = spend,
    .remove = remove_all,
};
