/* SPDX-License-Identifier: MIT */
#include "schema/sql.h"

void cov_sql_init(cov_sql *sql, cov_arena *arena, const cov_db *db)
{
    memset(sql, 0, sizeof *sql);
    sql->dialect = db->driver->dialect;
    sql->caps = db->driver->caps;
    sql->text.arena = arena;
}

void cov_sql_ident(cov_sql *sql, cov_str name)
{
    cov_buf_char(&sql->text, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            cov_buf_char(&sql->text, '"');
        cov_buf_char(&sql->text, name.ptr[i]);
    }
    cov_buf_char(&sql->text, '"');
}

static bool grow_params(cov_sql *sql)
{
    size_t cap = sql->cap_params == 0 ? 16 : sql->cap_params * 2;
    cov_value *params = COV_NEW_ARRAY(sql->text.arena, cov_value, cap);

    if (params == NULL)
        return false;
    if (sql->n_params != 0)
        memcpy(params, sql->params, sql->n_params * sizeof *params);
    sql->params = params;
    sql->cap_params = cap;
    return true;
}

void cov_sql_text(cov_sql *sql, const char *text)
{
    cov_buf_str(&sql->text, cov_str_from(text));
}

/* Move the bytes of text and blobs into the arena. False: out of memory. */
static bool copy_bytes(cov_sql *sql, cov_value *value)
{
    if (value->type != COV_TEXT && value->type != COV_BLOB)
        return true;
    value->s = cov_arena_str(sql->text.arena, value->s);
    return value->s.ptr != NULL;
}

void cov_sql_param(cov_sql *sql, cov_value value)
{
    if (sql->text.failed)
        return;
    if (sql->copies && !copy_bytes(sql, &value)) {
        sql->text.failed = true;
        return;
    }
    if (sql->n_params == sql->cap_params && !grow_params(sql)) {
        sql->text.failed = true;
        return;
    }
    sql->params[sql->n_params++] = value;
    if (sql->dialect->numbered_params) {
        cov_buf_char(&sql->text, '$');
        cov_buf_u64(&sql->text, sql->n_params);
    } else {
        cov_buf_char(&sql->text, '?');
    }
}

cov_status cov_sql_finish(const cov_sql *sql, cov_stmt *out, cov_error *err)
{
    if (sql->text.failed)
        return cov_fail_nomem(err);
    out->sql = cov_buf_view(&sql->text);
    out->params = sql->params;
    out->n_params = sql->n_params;
    return COV_OK;
}
