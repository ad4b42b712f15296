/* SPDX-License-Identifier: MIT */
#include "auth/one_time.h"

#include "auth/sql.h"
#include "auth/token.h"
#include "base/json.h"
#include "base/time.h"

/* What one request does about one token. */
typedef struct token_row {
    const cov_auth_store *store;
    cov_ctx *ctx;
    cov_str identifier; /* "reset:ann@example.com" */
    char hash_text[COV_TOKEN_HASH_CHARS];
    int64_t now_ms;
    int64_t expires_ms;
    bool valid;
} token_row;

static cov_str join(cov_ctx *ctx, const char *before, cov_str a, const char *between, cov_str b)
{
    cov_buf text = COV_BUF_IN(ctx->arena);

    cov_buf_str(&text, cov_str_from(before));
    cov_buf_str(&text, a);
    cov_buf_str(&text, cov_str_from(between));
    cov_buf_str(&text, b);
    return text.failed ? COV_STR_NULL : cov_buf_view(&text);
}

static cov_status begin(const cov_auth_store *store, cov_ctx *ctx, cov_one_time_purpose purpose,
                        cov_str email, cov_str token, token_row *out)
{
    static const char *const names[] = {
        [COV_ONE_TIME_VERIFY] = "verify:",
        [COV_ONE_TIME_RESET] = "reset:",
        [COV_ONE_TIME_MAGIC] = "magic:",
    };

    *out = (token_row){ .store = store,
                        .ctx = ctx,
                        .identifier = join(ctx, names[purpose], email, "", COV_STR("")),
                        .now_ms = ctx->host->now_ms(ctx->host->self) };
    if (out->identifier.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    if (cov_token_hash(ctx->host, token, out->hash_text) != COV_OK)
        return cov_fail(ctx->err, COV_EINTERNAL, "no digest of a token");
    return COV_OK;
}

static cov_str hash_of(const token_row *row)
{
    return cov_str_of(row->hash_text, sizeof row->hash_text);
}

/* ---- the KV: a key for each token, and a set of an identifier's tokens ---- */

static cov_str token_key(const token_row *row, cov_str hash)
{
    return join(row->ctx, "verif:", row->identifier, " ", hash);
}

static cov_str index_key(const token_row *row)
{
    return join(row->ctx, "verif:idx:", row->identifier, "", COV_STR(""));
}

/* The keys of all tokens of the identifier, and their index. */
static cov_status all_keys(const token_row *row, cov_str index, cov_str **keys, size_t *n)
{
    cov_ctx *ctx = row->ctx;
    cov_kv_reply members;
    cov_status st =
        cov_kv_call(row->store->kv, ctx->arena, COV_KV_SMEMBERS, &index, 1, &members, ctx->err);

    if (st != COV_OK)
        return st;
    *keys = COV_NEW_ARRAY(ctx->arena, cov_str, members.n + 1);
    if (*keys == NULL)
        return cov_fail_nomem(ctx->err);
    for (size_t i = 0; i < members.n; i++)
        (*keys)[i] = token_key(row, members.items[i].s);
    (*keys)[members.n] = index;
    *n = members.n + 1;
    return COV_OK;
}

static cov_str record_text(const token_row *row)
{
    char expires[COV_TIME_TEXT_BYTES];
    cov_buf text = COV_BUF_IN(row->ctx->arena);

    COV_BUF_LIT(&text, "{\"identifier\":");
    cov_json_str(&text, row->identifier);
    COV_BUF_LIT(&text, ",\"token\":");
    cov_json_str(&text, hash_of(row));
    COV_BUF_LIT(&text, ",\"expires\":");
    cov_json_str(&text, cov_str_of(expires, cov_time_format(row->expires_ms, expires)));
    cov_buf_char(&text, '}');
    return text.failed ? COV_STR_NULL : cov_buf_view(&text);
}

static cov_status issue_in_kv(const token_row *row)
{
    cov_ctx *ctx = row->ctx;
    int64_t ttl_s = (row->expires_ms - row->now_ms + 999) / 1000;
    cov_str seconds = cov_arena_printf(ctx->arena, "%lld", (long long)ttl_s);
    cov_str index = index_key(row);
    cov_str set[] = { token_key(row, hash_of(row)), record_text(row), COV_STR("EX"), seconds };
    cov_str add[] = { index, hash_of(row) };
    cov_str expire[] = { index, seconds };
    cov_kv_cmd cmds[] = {
        { COV_KV_DEL, NULL, 0 },
        { COV_KV_SET, set, COV_COUNT_OF(set) },
        { COV_KV_SADD, add, COV_COUNT_OF(add) },
        { COV_KV_EXPIRE, expire, COV_COUNT_OF(expire) },
    };
    cov_kv_reply replies[COV_COUNT_OF(cmds)];
    cov_str *old = NULL;
    cov_status st = all_keys(row, index, &old, &cmds[0].n_args);

    if (st != COV_OK)
        return st;
    cmds[0].args = old;
    st = cov_kv_run(row->store->kv, cmds, COV_COUNT_OF(cmds), true, ctx->arena, replies, ctx->err);
    if (st == COV_OK && replies[1].type == COV_KV_ERROR)
        st = cov_fail(ctx->err, COV_EINTERNAL, "KV: %.*s", COV_STR_ARG(replies[1].s));
    return st;
}

static bool is_alive(const token_row *row, cov_str text)
{
    yyjson_val *record = NULL;
    int64_t expires_ms;

    return cov_json_read(row->ctx->arena, text, &record, NULL) == COV_OK &&
           cov_time_parse_iso(cov_json_text(cov_json_get(record, "expires")), &expires_ms, NULL) &&
           expires_ms > row->now_ms;
}

static cov_status consume_in_kv(token_row *row)
{
    cov_ctx *ctx = row->ctx;
    cov_str key = token_key(row, hash_of(row));
    cov_str index = index_key(row);
    cov_str *all = NULL;
    cov_kv_reply reply;
    size_t n = 0;
    cov_status st =
        cov_kv_call(row->store->kv, ctx->arena, COV_KV_GETDEL, &key, 1, &reply, ctx->err);

    if (st != COV_OK || reply.type != COV_KV_TEXT)
        return st;
    row->valid = is_alive(row, reply.s);
    /* Two that were issued at the same moment may both be there. */
    st = all_keys(row, index, &all, &n);
    if (st == COV_OK)
        st = cov_kv_call(row->store->kv, ctx->arena, COV_KV_DEL, all, n, &reply, ctx->err);
    return st;
}

/* ---- the table auth_verification_tokens; times are whole seconds ---- */

static cov_status exec(cov_ctx *ctx, cov_str sql, const cov_value *params, size_t n_params,
                       int64_t *changes)
{
    cov_stmt stmt = { sql, params, n_params };

    return cov_db_exec(ctx->db, &stmt, changes, ctx->err);
}

/* Each new token pays for the removal of a few that nobody used, so that the table stays as small as its use. */
static cov_status delete_expired(cov_ctx *ctx, int64_t now_ms)
{
    cov_value param = cov_value_int(now_ms / 1000);

    return exec(ctx,
                COV_STR("DELETE FROM auth_verification_tokens WHERE (identifier,token) IN (SELECT "
                        "identifier,token FROM auth_verification_tokens WHERE expires<=? LIMIT "
                        "20)"),
                &param, 1, NULL);
}

static cov_status issue_in_db(cov_ctx *ctx, void *arg)
{
    const token_row *row = arg;
    cov_value params[] = { cov_value_text(row->identifier), cov_value_text(hash_of(row)),
                           cov_value_int(row->expires_ms / 1000) };
    cov_status st = delete_expired(ctx, row->now_ms);

    if (st == COV_OK)
        st = exec(ctx, COV_STR("DELETE FROM auth_verification_tokens WHERE identifier=?"), params,
                  1, NULL);
    if (st != COV_OK)
        return st;
    return exec(ctx,
                COV_STR("INSERT INTO auth_verification_tokens (identifier,token,expires) VALUES "
                        "(?,?,?)"),
                params, COV_COUNT_OF(params), NULL);
}

static cov_status consume_in_db(cov_ctx *ctx, void *arg)
{
    token_row *row = arg;
    cov_value params[] = { cov_value_text(row->identifier), cov_value_text(hash_of(row)),
                           cov_value_int(row->now_ms / 1000) };
    int64_t changes = 0;
    cov_status st = exec(ctx,
                         COV_STR("DELETE FROM auth_verification_tokens WHERE identifier=? AND "
                                 "token=? AND expires>?"),
                         params, COV_COUNT_OF(params), &changes);

    row->valid = st == COV_OK && changes != 0;
    return st;
}

/* ---- either ---- */

cov_status cov__one_time_issue(const cov_auth_store *store, cov_ctx *ctx,
                               cov_one_time_purpose purpose, cov_str email, int64_t ttl_ms,
                               cov_str *token, int64_t *expires_ms)
{
    token_row row;
    cov_status st = cov_token_random(ctx->host, ctx->arena, COV_TOKEN_BYTES, token, ctx->err);

    if (st == COV_OK)
        st = begin(store, ctx, purpose, email, *token, &row);
    if (st != COV_OK)
        return st;
    *expires_ms = row.expires_ms = row.now_ms + ttl_ms;
    return store->in_database ? cov__ctx_write(ctx, issue_in_db, &row) : issue_in_kv(&row);
}

cov_status cov__one_time_consume(const cov_auth_store *store, cov_ctx *ctx,
                                 cov_one_time_purpose purpose, cov_str email, cov_str token,
                                 bool *valid)
{
    token_row row;
    cov_status st = begin(store, ctx, purpose, email, token, &row);

    *valid = false;
    if (st == COV_OK)
        st = store->in_database ? cov__ctx_write(ctx, consume_in_db, &row) : consume_in_kv(&row);
    *valid = st == COV_OK && row.valid;
    return st;
}
