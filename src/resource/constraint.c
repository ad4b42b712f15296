/* SPDX-License-Identifier: MIT */
/* Constraint failures as problems that name the field, never the SQL (spec/01 Q-11). */
#include "resource/internal.h"

/* "users.email" -> its column; NULL for anything else. */
static const cov_column *column_of(const cov_resource *r, cov_str subject)
{
    size_t dot = cov_str_find(subject, '.', 0);

    if (dot == subject.len || !cov_str_eq(cov_str_slice(subject, 0, dot), r->table->name))
        return NULL;
    return cov_table_db_column(r->table, cov_str_slice(subject, dot + 1, subject.len));
}

static cov_status fail_unique(const cov_resource *r, cov_ctx *ctx)
{
    cov_str rest = ctx->err->subject;
    cov_buf fields = COV_BUF_IN(ctx->arena);
    cov_str first = COV_STR_NULL;
    size_t n = 0;
    cov_str part;
    cov_status st = cov_fail(ctx->err, COV_EUNIQUE, "Unique constraint violated");

    while (cov_str_split(&rest, ',', &part)) {
        const cov_column *column = column_of(r, cov_str_trim(part));

        if (column == NULL)
            continue;
        cov_buf_char(&fields, n == 0 ? '[' : ',');
        cov_json_str(&fields, column->name);
        if (n++ == 0)
            first = column->name;
    }
    if (n != 0)
        cov_error_member_str(ctx->err, "field", first);
    if (n > 1)
        cov_error_member(ctx->err, "\"fields\":%.*s]", COV_STR_ARG(cov_buf_view(&fields)));
    return st;
}

static bool parent_exists(cov_ctx *ctx, const cov_foreign_key *key, const cov_input *input)
{
    cov_value *row = NULL;
    cov_error ignored;
    cov_ctx quiet = *ctx;
    cov_sql sql;

    cov_error_init(&ignored, NULL);
    quiet.err = &ignored;
    cov_sql_init(&sql, ctx->arena, ctx->db);
    COV_SQL(&sql, "SELECT 1 FROM ");
    cov_sql_ident(&sql, key->table);
    for (size_t i = 0; i < key->n_columns; i++) {
        cov_sql_str(&sql, i == 0 ? COV_STR(" WHERE ") : COV_STR(" AND "));
        cov_sql_ident(&sql, key->targets[i]);
        COV_SQL(&sql, " = ");
        cov_sql_param(&sql, input->values[key->columns[i]]);
    }
    COV_SQL(&sql, " LIMIT 1");
    return cov__query_row(&quiet, &sql, &row) != COV_OK || row != NULL;
}

static bool is_given(const cov_foreign_key *key, const cov_input *input)
{
    for (size_t i = 0; i < key->n_columns; i++)
        if (!input->present[key->columns[i]] || input->values[key->columns[i]].type == COV_NULL)
            return false;
    return true;
}

/* The engine does not say which key failed, so the first one without a parent is looked for. */
static const cov_foreign_key *broken_key(const cov_resource *r, cov_ctx *ctx,
                                         const cov_input *input)
{
    for (size_t i = 0; input != NULL && i < r->table->n_foreign_keys; i++) {
        const cov_foreign_key *key = &r->table->foreign_keys[i];

        if (is_given(key, input) && !parent_exists(ctx, key, input))
            return key;
    }
    return NULL;
}

static cov_status fail_foreign(const cov_resource *r, cov_ctx *ctx, const cov_input *input)
{
    const cov_foreign_key *key = broken_key(r, ctx, input);
    cov_str field = r->id->name;
    cov_status st;

    if (key != NULL) {
        field = r->table->columns[key->columns[0]].name;
        st =
            cov_fail(ctx->err, COV_EFOREIGN, "Foreign key constraint violated: no such row in %.*s",
                     COV_STR_ARG(key->table));
    } else {
        st = cov_fail(ctx->err, COV_EFOREIGN,
                      "Foreign key constraint violated: other rows refer to this one");
    }
    cov_error_member_str(ctx->err, "field", field);
    return st;
}

static const cov_column *check_column(const cov_resource *r, cov_str subject)
{
    for (size_t i = 0; i < r->table->n_checks; i++) {
        const cov_check_constraint *check = &r->table->checks[i];

        if (check->column >= 0 &&
            (cov_str_eq(check->name, subject) || cov_str_eq(check->sql, subject)))
            return &r->table->columns[check->column];
    }
    return column_of(r, subject);
}

static cov_status fail_column(cov_ctx *ctx, const cov_column *column, const char *message)
{
    return cov_fail_field(ctx->err, column != NULL ? column->name : COV_STR(""), "%s", message);
}

cov_status cov__fail_constraint(const cov_resource *r, cov_ctx *ctx, cov_status st,
                                const cov_input *input)
{
    switch (st) {
    case COV_EUNIQUE:
        return fail_unique(r, ctx);
    case COV_EFOREIGN:
        return fail_foreign(r, ctx, input);
    case COV_ENOTNULL:
        return fail_column(ctx, column_of(r, ctx->err->subject),
                           "Invalid input: a value is required");
    case COV_ECHECK:
        return fail_column(ctx, check_column(r, ctx->err->subject), "Check constraint violated");
    default:
        return st;
    }
}
