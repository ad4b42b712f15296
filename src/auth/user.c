/* SPDX-License-Identifier: MIT */
#include "auth/user.h"

#include "base/time.h"

bool cov_user_init(cov_user *user, cov_str id)
{
    cov_user fresh = { .id = id,
                       .email_verified_ms = COV_USER_NO_TIME,
                       .session_expires_ms = COV_USER_NO_TIME };

    if (id.len == 0)
        return false;
    *user = fresh;
    return true;
}

cov_status cov_user_set_metadata(cov_arena *arena, cov_user *user, cov_str text, cov_error *err)
{
    yyjson_val *value = NULL;
    cov_status st = text.len != 0 ? cov_json_read(arena, text, &value, NULL) : COV_OK;

    if (st == COV_ENOMEM)
        return cov_fail_nomem(err);
    user->metadata = cov_json_type_of(value) == COV_JSON_OBJECT ? value : NULL;
    return COV_OK;
}

void cov_user_extend_metadata(const cov_user *user, cov_buf *text)
{
    if (cov_json_len(user->metadata) == 0) {
        cov_buf_char(text, '{');
        return;
    }
    cov_json_value(text, user->metadata);
    text->len -= text->len != 0; /* its closing brace */
    cov_buf_char(text, ',');
}

cov_status cov_user_set_key_scopes(cov_arena *arena, cov_user *user, const cov_str *scopes,
                                   size_t n, cov_error *err)
{
    cov_buf text = COV_BUF_IN(arena);

    cov_user_extend_metadata(user, &text);
    COV_BUF_LIT(&text, "\"apiKeyScopes\":[");
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            cov_buf_char(&text, ',');
        cov_json_str(&text, scopes[i]);
    }
    COV_BUF_LIT(&text, "]}");
    if (text.failed)
        return cov_fail_nomem(err);
    return cov_user_set_metadata(arena, user, cov_buf_view(&text), err);
}

/* ptr NULL stays so. */
static bool clone_text(cov_arena *arena, cov_str *text)
{
    if (text->ptr == NULL)
        return true;
    *text = cov_arena_str(arena, *text);
    return text->ptr != NULL;
}

cov_status cov_user_clone(cov_arena *arena, const cov_user *user, cov_user *out, cov_error *err)
{
    cov_user copy = *user;
    cov_buf metadata = COV_BUF_IN(arena);
    cov_status st;

    if (!clone_text(arena, &copy.id) || !clone_text(arena, &copy.email) ||
        !clone_text(arena, &copy.name) || !clone_text(arena, &copy.image) ||
        !clone_text(arena, &copy.session_id))
        return cov_fail_nomem(err);
    if (user->metadata != NULL) {
        cov_json_value(&metadata, user->metadata);
        if (metadata.failed)
            return cov_fail_nomem(err);
        if ((st = cov_user_set_metadata(arena, &copy, cov_buf_view(&metadata), err)) != COV_OK)
            return st;
    }
    *out = copy;
    return COV_OK;
}

/* ---- JSON ---- */

static void put_text(cov_buf *buf, const char *member, cov_str value)
{
    cov_buf_str(buf, cov_str_from(member));
    if (value.ptr != NULL)
        cov_json_str(buf, value);
    else
        COV_BUF_LIT(buf, "null");
}

static void put_time(cov_buf *buf, const char *member, int64_t ms)
{
    cov_buf_str(buf, cov_str_from(member));
    cov_json_time(buf, ms);
}

static void put_profile(cov_buf *buf, const cov_user *user)
{
    put_text(buf, "{\"id\":", user->id);
    put_text(buf, ",\"email\":", user->email);
    put_text(buf, ",\"name\":", user->name);
    put_text(buf, ",\"image\":", user->image);
}

void cov_user_json(cov_buf *buf, const cov_user *user)
{
    put_profile(buf, user);
    cov_buf_char(buf, '}');
}

void cov_user_context_json(cov_buf *buf, const cov_user *user)
{
    put_profile(buf, user);
    put_time(buf, ",\"emailVerified\":", user->email_verified_ms);
    put_text(buf, ",\"sessionId\":", user->session_id);
    put_time(buf, ",\"sessionExpiresAt\":", user->session_expires_ms);
    if (user->metadata != NULL) {
        COV_BUF_LIT(buf, ",\"metadata\":");
        cov_json_value(buf, user->metadata);
    }
    cov_buf_char(buf, '}');
}

/* ---- placeholders ---- */

static bool text_value(cov_str text, cov_value *value)
{
    if (text.ptr == NULL)
        return false;
    *value = cov_value_text(text);
    return true;
}

static bool number_value(const cov_json *json, cov_value *value)
{
    double number = cov_json_number(json);
    int64_t whole = cov_json_int64(json);

    if (number - number != 0)
        return false;
    /* Zero may be the answer to a number that is not whole. */
    if (whole != 0 || number == 0)
        *value = cov_value_int(whole);
    else
        *value = cov_value_real(number);
    return true;
}

static bool json_value(const cov_json *json, cov_value *value)
{
    switch (cov_json_type_of(json)) {
    case COV_JSON_STRING:
        return text_value(cov_json_text(json), value);
    case COV_JSON_NUMBER:
        return number_value(json, value);
    case COV_JSON_BOOL:
        *value = cov_value_int(cov_json_is_true(json));
        return true;
    default:
        return false;
    }
}

/* What "user.metadata.a.b" names, or NULL. */
static const cov_json *metadata_at(const cov_user *user, cov_str path)
{
    cov_str prefix = COV_STR("user.metadata.");
    const cov_json *at = user->metadata;
    cov_str name;

    if (!cov_str_starts(path, prefix))
        return NULL;
    path = cov_str_slice(path, prefix.len, path.len);
    while (cov_str_split(&path, '.', &name))
        at = cov_json_member(at, name);
    return at;
}

static bool get(const void *self, cov_str path, cov_value *value)
{
    const cov_user *user = self;

    if (cov_str_eq(path, COV_STR("user.id")))
        return text_value(user->id, value);
    if (cov_str_eq(path, COV_STR("user.email")))
        return text_value(user->email, value);
    if (cov_str_eq(path, COV_STR("user.name")))
        return text_value(user->name, value);
    if (cov_str_eq(path, COV_STR("user.image")))
        return text_value(user->image, value);
    return json_value(metadata_at(user, path), value);
}

/* Items without a value of their own (null, lists, objects) are left out: they match nothing. */
static bool list(const void *self, cov_str path, cov_arena *arena, const cov_value **values,
                 size_t *n)
{
    const cov_json *json = metadata_at(self, path);
    const cov_json *item = NULL;
    cov_value *out;

    if (cov_json_type_of(json) != COV_JSON_LIST)
        return false;
    out = COV_NEW_ARRAY(arena, cov_value, cov_json_len(json) + 1);
    if (out == NULL)
        return false;
    *n = 0;
    while ((item = cov_json_next(json, item)) != NULL)
        *n += json_value(item, &out[*n]);
    *values = out;
    return true;
}

cov_rsql_vars cov_user_vars(const cov_user *user)
{
    cov_rsql_vars vars = { get, user, list };

    return vars;
}
