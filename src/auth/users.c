/* SPDX-License-Identifier: MIT */
#include "auth/users.h"

#include "auth/sql.h"
#include "base/encode.h"
#include "base/time.h"
#include "resource/mutation.h"
#include "resource/row.h"

/* ---- columns ---- */

typedef struct wanted_column {
    const char *option;
    cov_str name;
    const cov_column **to;
    bool required;
} wanted_column;

static cov_status fail_column(const cov_users *users, const char *option, cov_str name,
                              cov_error *err)
{
    return cov_fail(err, COV_EINVAL, "auth.users.%s: table \"%.*s\" has no column \"%.*s\"", option,
                    COV_STR_ARG(users->table->name), COV_STR_ARG(name));
}

static cov_status find_columns(const cov_users_config *config, cov_users *users, cov_error *err)
{
    const wanted_column wanted[] = {
        { "id", config->id, &users->id, true },
        { "email", config->email, &users->email, true },
        { "passwordHash", config->password_hash, &users->password_hash, false },
        { "name", config->name, &users->name, false },
        { "image", config->image, &users->image, false },
        { "emailVerified", config->email_verified, &users->verified, false },
        { "metadata", config->metadata, &users->metadata, false },
    };

    for (size_t i = 0; i < COV_COUNT_OF(wanted); i++) {
        if (wanted[i].name.ptr == NULL)
            continue;
        *wanted[i].to = cov_table_db_column(users->table, wanted[i].name);
        if (*wanted[i].to == NULL)
            return fail_column(users, wanted[i].option, wanted[i].name, err);
    }
    return COV_OK;
}

static cov_status find_extra(cov_arena *arena, const cov_users_config *config, cov_users *users,
                             cov_error *err)
{
    users->n_extra = config->metadata_fields.n;
    users->extra = COV_NEW_ARRAY(arena, const cov_column *, users->n_extra + 1);
    if (users->extra == NULL)
        return cov_fail_nomem(err);
    for (size_t i = 0; i < users->n_extra; i++) {
        users->extra[i] = cov_table_db_column(users->table, config->metadata_fields.items[i]);
        if (users->extra[i] == NULL)
            return fail_column(users, "metadataFields", config->metadata_fields.items[i], err);
        if (users->extra[i] == users->password_hash)
            return cov_fail(err, COV_EINVAL,
                            "auth.users.metadataFields: the password's hash must not be shown");
    }
    return COV_OK;
}

/* The whole row is read: what each column is for is looked up in it by index. */
static cov_str select_by(cov_arena *arena, const cov_table *table, const cov_column *by)
{
    cov_buf sql = COV_BUF_IN(arena);

    COV_BUF_LIT(&sql, "SELECT ");
    for (size_t i = 0; i < table->n_columns; i++) {
        if (i != 0)
            cov_buf_char(&sql, ',');
        cov_buf_str(&sql, table->columns[i].quoted);
    }
    cov_buf_printf(&sql, " FROM %.*s WHERE %.*s=?", COV_STR_ARG(table->quoted),
                   COV_STR_ARG(by->quoted));
    return sql.failed ? COV_STR_NULL : cov_buf_view(&sql);
}

/* Columns that a signup fills in. */
static bool is_filled(const cov_users *users, const cov_column *column)
{
    return column == users->id || column == users->email || column == users->password_hash;
}

static cov_status check_signup(const cov_users *users, cov_error *err)
{
    for (size_t i = 0; i < users->table->n_columns; i++) {
        const cov_column *column = &users->table->columns[i];

        if (column->not_null && !column->has_default && !column->generated &&
            !is_filled(users, column) && column != users->name)
            return cov_fail(err, COV_EINVAL,
                            "auth.signup: column \"%.*s\" of table \"%.*s\" needs a value, and "
                            "signup has none; give it a DEFAULT",
                            COV_STR_ARG(column->db_name), COV_STR_ARG(users->table->name));
    }
    return COV_OK;
}

cov_status cov_users_init(cov_arena *arena, const cov_users_config *config,
                          const cov_resource *resource, bool signs_up, cov_users *out,
                          cov_error *err)
{
    cov_status st;

    *out = (cov_users){ .resource = resource, .table = cov_resource_table(resource) };
    if ((st = find_columns(config, out, err)) != COV_OK ||
        (st = find_extra(arena, config, out, err)) != COV_OK)
        return st;
    out->by_id = select_by(arena, out->table, out->id);
    out->by_email = select_by(arena, out->table, out->email);
    if (out->by_id.ptr == NULL || out->by_email.ptr == NULL)
        return cov_fail_nomem(err);
    return signs_up ? check_signup(out, err) : COV_OK;
}

/* ---- rows to users ---- */

static cov_str text_of(cov_arena *arena, const cov_column *column, const cov_value *row)
{
    cov_buf text = COV_BUF_IN(arena);

    if (column == NULL || row[column->index].type == COV_NULL)
        return COV_STR_NULL;
    if (row[column->index].type == COV_TEXT)
        return row[column->index].s;
    cov__plain_text(&text, &row[column->index]);
    return text.failed ? COV_STR_NULL : cov_buf_view(&text);
}

/* When the address was verified. A flag without a time counts as "long ago". */
static int64_t verified_ms(const cov_column *column, const cov_value *row)
{
    const cov_value *value = column != NULL ? &row[column->index] : NULL;
    int64_t ms;

    if (value == NULL || value->type == COV_NULL)
        return COV_USER_NO_TIME;
    if (value->type == COV_TEXT)
        return cov_time_parse_iso(value->s, &ms, NULL) ? ms : COV_USER_NO_TIME;
    if (value->type != COV_INT || value->i == 0)
        return COV_USER_NO_TIME;
    if (column->type == COV_TYPE_TIMESTAMP)
        return value->i > COV_TIME_MAX_MS / 1000 ? COV_USER_NO_TIME : value->i * 1000;
    return column->type == COV_TYPE_BOOLEAN ? 0 : value->i;
}

/* The JSON column's members first: the columns named by the operator win over equal ones. */
static cov_status read_metadata(const cov_users *users, cov_ctx *ctx, const cov_value *row,
                                cov_user *user)
{
    cov_buf text = COV_BUF_IN(ctx->arena);
    cov_status st = cov_user_set_metadata(ctx->arena, user,
                                          text_of(ctx->arena, users->metadata, row), ctx->err);

    if (st != COV_OK || users->n_extra == 0)
        return st;
    cov_user_extend_metadata(user, &text);
    for (size_t i = 0; i < users->n_extra; i++) {
        if (i != 0)
            cov_buf_char(&text, ',');
        cov_buf_str(&text, users->extra[i]->json_key);
        cov__value_json(&text, ctx->arena, users->extra[i], &row[users->extra[i]->index]);
    }
    cov_buf_char(&text, '}');
    if (text.failed)
        return cov_fail_nomem(ctx->err);
    return cov_user_set_metadata(ctx->arena, user, cov_buf_view(&text), ctx->err);
}

/* False: the row has no usable id, so it is nobody. */
static cov_status read_row(const cov_users *users, cov_ctx *ctx, const cov_value *row,
                           cov_account *out, bool *found)
{
    *found = cov_user_init(&out->user, text_of(ctx->arena, users->id, row));
    if (!*found)
        return COV_OK;
    out->user.email = text_of(ctx->arena, users->email, row);
    out->user.name = text_of(ctx->arena, users->name, row);
    out->user.image = text_of(ctx->arena, users->image, row);
    out->user.email_verified_ms = verified_ms(users->verified, row);
    out->password_hash = text_of(ctx->arena, users->password_hash, row);
    return read_metadata(users, ctx, row, &out->user);
}

static cov_status load(const cov_users *users, cov_ctx *ctx, cov_str sql, cov_str key,
                       cov_account *out, bool *found)
{
    cov_value param = cov_value_text(key);
    cov_rows rows;
    cov_status st = cov__sql_rows(ctx, sql, &param, 1, &rows);

    *found = false;
    return st == COV_OK && rows.n != 0 ? read_row(users, ctx, rows.items[0], out, found) : st;
}

cov_status cov_users_by_id(const cov_users *users, cov_ctx *ctx, cov_str id, cov_account *out,
                           bool *found)
{
    return load(users, ctx, users->by_id, id, out, found);
}

cov_status cov_users_by_email(const cov_users *users, cov_ctx *ctx, cov_str email, cov_account *out,
                              bool *found)
{
    return load(users, ctx, users->by_email, email, out, found);
}

/* ---- changing ---- */

typedef struct insertion {
    const cov_users *users;
    cov_named_value values[4];
    size_t n;
    cov_value *row;
} insertion;

static cov_status insert(cov_ctx *ctx, void *arg)
{
    insertion *work = arg;

    return cov_resource_insert(work->users->resource, ctx, work->values, work->n, &work->row);
}

static void give(insertion *work, const cov_column *column, cov_str text)
{
    if (column != NULL)
        work->values[work->n++] = (cov_named_value){ column->db_name, cov_value_text(text) };
}

cov_status cov_users_create(const cov_users *users, cov_ctx *ctx, cov_str email,
                            cov_str password_hash, cov_str name, cov_account *out)
{
    insertion work = { .users = users };
    char uuid[COV_UUID_TEXT_BYTES];
    bool found = false;
    cov_status st;

    if (users->id->type == COV_TYPE_TEXT && !users->id->has_default) {
        if ((st = cov_uuid(ctx->host, uuid)) != COV_OK)
            return cov_fail(ctx->err, st, "no random bytes for a user's id");
        give(&work, users->id, cov_str_of(uuid, sizeof uuid));
    }
    give(&work, users->email, email);
    give(&work, users->password_hash, password_hash);
    if (name.len != 0 ||
        (users->name != NULL && users->name->not_null && !users->name->has_default))
        give(&work, users->name, name);
    st = cov__ctx_write(ctx, insert, &work);
    if (st == COV_OK)
        st = read_row(users, ctx, work.row, out, &found);
    return st == COV_OK && !found ? cov_fail(ctx->err, COV_EINTERNAL, "a new user has no id") : st;
}

static cov_status update(const cov_users *users, cov_ctx *ctx, const cov_column *column,
                         cov_value value, const cov_column *by, cov_str key)
{
    cov_value params[] = { value, cov_value_text(key) };
    cov_str sql = cov_arena_printf(ctx->arena, "UPDATE %.*s SET %.*s=? WHERE %.*s=?",
                                   COV_STR_ARG(users->table->quoted), COV_STR_ARG(column->quoted),
                                   COV_STR_ARG(by->quoted));
    int64_t changes = 0;
    cov_status st =
        sql.ptr != NULL ? cov__sql_change(ctx, sql, params, 2, &changes) : cov_fail_nomem(ctx->err);

    if (st == COV_OK && changes != 0)
        cov__record(ctx, users->table->name, COV_STR("update"),
                    by == users->id ? key : COV_STR("*"));
    return st;
}

cov_status cov_users_set_password(const cov_users *users, cov_ctx *ctx, cov_str id,
                                  cov_str password_hash)
{
    return update(users, ctx, users->password_hash, cov_value_text(password_hash), users->id, id);
}

/* Now, in the column's storage. */
static cov_value now_value(cov_ctx *ctx, const cov_column *column)
{
    int64_t ms = ctx->host->now_ms(ctx->host->self);
    char text[COV_TIME_TEXT_BYTES];

    switch (column->type) {
    case COV_TYPE_BOOLEAN:
        return cov_value_int(1);
    case COV_TYPE_TIMESTAMP:
        return cov_value_int(ms / 1000);
    case COV_TYPE_TEXT:
    case COV_TYPE_DATETIME:
        return cov_value_text(
            cov_arena_str(ctx->arena, cov_str_of(text, cov_time_format(ms, text))));
    default:
        return cov_value_int(ms);
    }
}

cov_status cov_users_set_verified(const cov_users *users, cov_ctx *ctx, cov_str email)
{
    return update(users, ctx, users->verified, now_value(ctx, users->verified), users->email,
                  email);
}
