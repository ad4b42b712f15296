/* SPDX-License-Identifier: MIT */
/* Places, messages, and what is checked before options are: duplicate keys, environment references. */
#include <stdarg.h>
#include <stdio.h>

#include "app/config_read.h"
#include "base/distance.h"
#include "base/json.h"

enum { QUOTE_MAX_BYTES = 80, NAME_MAX_BYTES = 48 };

/* Columns count code points, as editors do. */
static void locate(const cov_config_reader *r, const char *at, size_t *line, size_t *column)
{
    size_t offset = (size_t)(at - r->copy);

    *line = *column = 1;
    for (size_t i = 0; i < offset && i < r->text.len; i++) {
        if (r->text.ptr[i] == '\n') {
            (*line)++;
            *column = 1;
        } else if (((unsigned char)r->text.ptr[i] & 0xC0) != 0x80) {
            (*column)++;
        }
    }
}

cov_status cov__config_fail(cov_config_reader *r, const char *at, const char *format, ...)
{
    size_t line;
    size_t column;
    va_list args;
    char *message;
    int len;

    locate(r, at, &line, &column);
    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    message = len >= 0 ? cov_arena_alloc(r->arena, (size_t)len + 1) : NULL;
    if (message == NULL)
        return cov_fail_nomem(r->err);
    va_start(args, format);
    vsnprintf(message, (size_t)len + 1, format, args);
    va_end(args);
    return cov_fail_at(r->err, COV_EINVAL, (size_t)(at - r->copy), "%.*s:%zu:%zu: %s",
                       COV_STR_ARG(r->name), line, column, message);
}

const char *cov__config_quote(cov_config_reader *r, cov_str text)
{
    cov_buf out = COV_BUF_IN(r->arena);
    size_t len = text.len;

    if (len > QUOTE_MAX_BYTES)
        for (len = QUOTE_MAX_BYTES; len > 0 && ((unsigned char)text.ptr[len] & 0xC0) == 0x80;)
            len--;
    cov_json_str(&out, cov_str_slice(text, 0, len));
    if (len != text.len)
        COV_BUF_LIT(&out, "...");
    cov_buf_char(&out, '\0');
    return out.failed ? "?" : out.ptr;
}

const char *cov__config_line(cov_config_reader *r, const char *at)
{
    size_t line;
    size_t column;
    cov_str text;

    locate(r, at, &line, &column);
    text = cov_arena_printf(r->arena, "%zu:%zu", line, column);
    return text.ptr != NULL ? text.ptr : "?";
}

const char *cov__config_at(const cov_config_reader *r, yyjson_val *key, yyjson_val *value)
{
    yyjson_val *text = yyjson_is_str(value) ? value : key;

    /* Texts start behind their quote. */
    return text != NULL ? yyjson_get_str(text) - 1 : r->copy;
}

const char *cov__config_nearest(const cov_options *options, cov_str written)
{
    const char *nearest = NULL;
    size_t best = 1 + written.len / 4; /* one slip, and one more for every four letters */

    if (written.len > NAME_MAX_BYTES)
        return NULL;
    for (size_t i = 0; i < options->n_rows; i++) {
        size_t distance = cov_edit_distance(written, cov_str_from(options->rows[i].key));

        if (distance < best || (distance == best && nearest == NULL)) {
            best = distance;
            nearest = options->rows[i].key;
        }
    }
    return nearest;
}

static cov_status no_duplicate_keys(cov_config_reader *r, yyjson_val *object)
{
    cov_map seen;
    yyjson_obj_iter it;
    yyjson_val *key;

    if (!cov_map_init(&seen, r->arena, yyjson_obj_size(object)))
        return cov_fail_nomem(r->err);
    yyjson_obj_iter_init(object, &it);
    while ((key = yyjson_obj_iter_next(&it)) != NULL) {
        cov_str name = cov_str_of(yyjson_get_str(key), yyjson_get_len(key));
        yyjson_val *first = cov_map_get(&seen, name);

        if (first != NULL)
            return cov__config_fail(r, name.ptr - 1, "duplicate key %s; it is already at %s",
                                    cov__config_quote(r, name),
                                    cov__config_line(r, cov__config_at(r, first, first)));
        if (!cov_map_put(&seen, name, key))
            return cov_fail_nomem(r->err);
    }
    return COV_OK;
}

cov_status cov__config_no_duplicates(cov_config_reader *r, yyjson_val *value, int depth)
{
    yyjson_obj_iter members;
    yyjson_arr_iter items;
    yyjson_val *key;
    yyjson_val *item;
    cov_status st = COV_OK;

    if (depth > COV_JSON_MAX_DEPTH)
        return cov__config_fail(r, r->copy, "nested deeper than %d levels", COV_JSON_MAX_DEPTH);
    if (yyjson_is_obj(value)) {
        st = no_duplicate_keys(r, value);
        yyjson_obj_iter_init(value, &members);
        while (st == COV_OK && (key = yyjson_obj_iter_next(&members)) != NULL)
            st = cov__config_no_duplicates(r, yyjson_obj_iter_get_val(key), depth + 1);
    } else if (yyjson_is_arr(value)) {
        yyjson_arr_iter_init(value, &items);
        while (st == COV_OK && (item = yyjson_arr_iter_next(&items)) != NULL)
            st = cov__config_no_duplicates(r, item, depth + 1);
    }
    return st;
}

static bool is_name_byte(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static bool is_env_name(cov_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_byte(name.ptr[i], i == 0))
            return false;
    return name.len != 0;
}

/* One reference, whose "${" is at *from; *from moves behind it. */
static cov_status append_env(cov_config_reader *r, const char *key, cov_str text, size_t *from,
                             const char *at, cov_buf *out)
{
    size_t close = cov_str_find(text, '}', *from);
    cov_str name = cov_str_slice(text, *from + 2, close);
    cov_str value;

    if (close == text.len || !is_env_name(name))
        return cov__config_fail(
            r, at,
            "\"%s\": %s does not name an environment variable; for the text itself write $${", key,
            cov__config_quote(r, cov_str_slice(text, *from, close + 1)));
    if (r->host->env == NULL || !r->host->env(r->host->self, name, &value))
        return cov__config_fail(r, at,
                                "\"%s\" needs the environment variable %.*s, which is not set", key,
                                COV_STR_ARG(name));
    cov_buf_str(out, value);
    *from = close + 1;
    return COV_OK;
}

cov_status cov__config_env(cov_config_reader *r, const char *key, cov_str *value, const char *at)
{
    cov_buf out = COV_BUF_IN(r->arena);
    cov_str text = *value;

    if (!cov_str_contains(text, COV_STR("${")))
        return COV_OK;
    for (size_t i = 0; i < text.len;) {
        cov_str rest = cov_str_slice(text, i, text.len);

        if (cov_str_starts(rest, COV_STR("$${"))) {
            COV_BUF_LIT(&out, "${");
            i += 3;
        } else if (cov_str_starts(rest, COV_STR("${"))) {
            cov_status st = append_env(r, key, text, &i, at, &out);

            if (st != COV_OK)
                return st;
        } else {
            cov_buf_char(&out, text.ptr[i++]);
        }
    }
    if (out.failed)
        return cov_fail_nomem(r->err);
    *value = out.len != 0 ? cov_buf_view(&out) : COV_STR("");
    return COV_OK;
}
