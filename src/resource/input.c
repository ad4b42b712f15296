/* SPDX-License-Identifier: MIT */
/*
 * Validation of bodies (spec/01 section 9): one checker a logical type, in a table. Nothing is coerced;
 * what is accepted arrives in the column's storage.
 */
#include <math.h>

#include "base/encode.h"
#include "base/num.h"
#include "base/time.h"
#include "base/utf8.h"
#include "resource/relation.h"

typedef struct checker {
    const cov_resource *r;
    cov_ctx *ctx;
    cov_issues *issues;
    const cov_input_rules *rules;
    const cov_column *column;
    yyjson_val *json; /* NULL: missing */
} checker;

typedef void (*check_fn)(checker *c, cov_value *out);

typedef struct type_row {
    const char *expected; /* NULL: any mismatch is "Invalid input" */
    check_fn check;
} type_row;

const char *cov__json_kind(yyjson_val *json)
{
    static const char *const names[] = { "none",   "number", "null",  "boolean",
                                         "number", "string", "array", "object" };

    return json != NULL ? names[yyjson_get_type(json) & 7] : "undefined";
}

#define ISSUE(c, ...) cov__issue((c)->issues, (c)->rules->prefix, (c)->column->name, __VA_ARGS__)

static cov_str text_of(yyjson_val *json)
{
    return cov_str_of(yyjson_get_str(json), yyjson_get_len(json));
}

static void check_text(checker *c, cov_value *out)
{
    cov_str text = text_of(c->json);

    if (memchr(text.ptr, '\0', text.len) != NULL)
        ISSUE(c, "Invalid input: text must not contain NUL (U+0000)");
    else if (c->column->max_length != 0 && cov_utf8_count(text) > c->column->max_length)
        ISSUE(c, "Too big: expected string to have <=%zu characters", c->column->max_length);
    *out = cov_value_text(text);
}

static void check_numeric(checker *c, cov_value *out)
{
    double d;

    if (!cov_parse_double(text_of(c->json), &d))
        ISSUE(c, "Invalid input: expected a decimal number as a string");
    *out = cov_value_text(text_of(c->json));
}

/* The number as a double; integers beyond 64 bits and beyond double arrive as raw text. */
static double number_of(yyjson_val *json)
{
    double d = 0;

    if (!yyjson_is_raw(json))
        return yyjson_get_num(json);
    (void)!cov_parse_double(cov_str_of(yyjson_get_raw(json), yyjson_get_len(json)), &d);
    return d;
}

static void check_safe_range(checker *c, double d)
{
    const char *side = d > 0 ? "big" : "small";
    const char *sign = d > 0 ? "<=" : ">=-";

    for (int i = 0; i < 2; i++)
        ISSUE(c, "Too %s: expected %s to be %s9007199254740991", side, i == 0 ? "int" : "number",
              sign);
}

/* Beyond 2^53-1 an integer travels as a string of digits, both ways. */
static bool big_integer_text(yyjson_val *json, int64_t *out)
{
    return yyjson_is_str(json) && cov_parse_i64(text_of(json), out) &&
           (*out > COV_JSON_MAX_SAFE_INT || *out < -COV_JSON_MAX_SAFE_INT);
}

static void check_integer(checker *c, cov_value *out)
{
    double d = number_of(c->json);

    if (!isfinite(d))
        ISSUE(c, "Invalid input: expected number, received Infinity");
    else if (d != floor(d))
        ISSUE(c, "Invalid input: expected int, received number");
    else if (fabs(d) > (double)COV_JSON_MAX_SAFE_INT)
        check_safe_range(c, d);
    else
        *out = cov_value_int((int64_t)d);
}

static void check_real(checker *c, cov_value *out)
{
    double d = number_of(c->json);

    if (!isfinite(d))
        ISSUE(c, "Invalid input: expected number, received Infinity");
    *out = cov_value_real(d);
}

static void check_boolean(checker *c, cov_value *out)
{
    *out = cov_value_int(yyjson_get_bool(c->json));
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static cov_value instant_value(const checker *c, int64_t ms)
{
    char text[COV_TIME_TEXT_BYTES];
    cov_str copy;

    switch (c->column->type) {
    case COV_TYPE_TIMESTAMP:
        return cov_value_int(floor_div(ms, 1000));
    case COV_TYPE_DATETIME:
        copy = cov_arena_str(c->ctx->arena, cov_str_of(text, cov_time_format(ms, text)));
        if (copy.ptr == NULL)
            c->issues->json.failed = true;
        return cov_value_text(copy);
    default:
        return cov_value_int(ms);
    }
}

static bool instant_of(yyjson_val *json, int64_t *ms)
{
    double d;

    if (yyjson_is_str(json))
        return cov_time_parse_iso(text_of(json), ms, NULL);
    d = number_of(json);
    if (d != floor(d) || !(fabs(d) <= (double)COV_TIME_MAX_MS))
        return false;
    *ms = (int64_t)d;
    return true;
}

static void check_instant(checker *c, cov_value *out)
{
    int64_t ms;

    if (instant_of(c->json, &ms))
        *out = instant_value(c, ms);
    else
        ISSUE(c, "Invalid input: expected date, received %s", cov__json_kind(c->json));
}

static void check_json(checker *c, cov_value *out)
{
    cov_buf text = COV_BUF_IN(c->ctx->arena);

    cov_json_value(&text, c->json);
    if (text.failed)
        c->issues->json.failed = true;
    *out = cov_value_text(cov_buf_view(&text));
}

/* {"type":"Buffer","data":[1,2,255]}, the form other servers of this interface write. */
static bool buffer_object(yyjson_val *json, cov_buf *out)
{
    yyjson_val *data = yyjson_obj_get(json, "data");
    yyjson_val *item;
    size_t i;
    size_t n;

    if (!yyjson_equals_str(yyjson_obj_get(json, "type"), "Buffer") || !yyjson_is_arr(data))
        return false;
    yyjson_arr_foreach(data, i, n, item)
    {
        if (!yyjson_is_uint(item) || yyjson_get_uint(item) > UINT8_MAX)
            return false;
        cov_buf_char(out, (char)(unsigned char)yyjson_get_uint(item));
    }
    return true;
}

static void check_blob(checker *c, cov_value *out)
{
    cov_buf bytes = COV_BUF_IN(c->ctx->arena);
    bool ok = yyjson_is_str(c->json) ? cov_base64_decode(&bytes, text_of(c->json))
                                     : buffer_object(c->json, &bytes);

    if (!ok)
        ISSUE(c, "Invalid input: expected base64 text");
    *out = cov_value_blob(cov_buf_view(&bytes));
}

static const type_row types[] = {
    [COV_TYPE_TEXT] = { "string", check_text },
    [COV_TYPE_INTEGER] = { "number", check_integer },
    [COV_TYPE_REAL] = { "number", check_real },
    [COV_TYPE_NUMERIC] = { "string", check_numeric },
    [COV_TYPE_BOOLEAN] = { "boolean", check_boolean },
    [COV_TYPE_TIMESTAMP] = { "date", check_instant },
    [COV_TYPE_TIMESTAMP_MS] = { "date", check_instant },
    [COV_TYPE_DATETIME] = { "date", check_instant },
    [COV_TYPE_JSON] = { NULL, check_json },
    [COV_TYPE_BLOB] = { NULL, check_blob },
};

/* Whether the JSON kind can be checked further: dates come as text or number, blobs and JSON as anything. */
static bool kind_fits(const type_row *row, yyjson_val *json)
{
    if (row->expected == NULL)
        return true;
    if (strcmp(row->expected, "date") == 0)
        return yyjson_is_str(json) || yyjson_is_num(json) || yyjson_is_raw(json);
    return strcmp(row->expected, cov__json_kind(json)) == 0;
}

static void issue_option(checker *c)
{
    cov_buf list = COV_BUF_IN(c->ctx->arena);

    for (size_t i = 0; i < c->column->n_enum_values; i++) {
        if (i != 0)
            cov_buf_char(&list, '|');
        cov_buf_char(&list, '"');
        cov_buf_str(&list, c->column->enum_values[i]);
        cov_buf_char(&list, '"');
    }
    ISSUE(c, "Invalid option: expected one of %.*s", COV_STR_ARG(cov_buf_view(&list)));
}

static bool is_option(const cov_column *column, yyjson_val *json)
{
    for (size_t i = 0; yyjson_is_str(json) && i < column->n_enum_values; i++)
        if (cov_str_eq(column->enum_values[i], text_of(json)))
            return true;
    return false;
}

/* Where hooks may fill the column in, the text says how to declare that. */
static void issue_missing(checker *c)
{
    static const char advice[] =
        ". If \"%.*s\" is set by a lifecycle hook (e.g. onBeforeCreate), add it to `generatedFields` — input "
        "validation runs before hooks, so a hook-filled required column must be declared there.";
    const type_row *row = &types[c->column->type];
    cov_buf path = COV_BUF_IN(c->ctx->arena);
    cov_str hint;

    if (row->expected == NULL) {
        ISSUE(c, "Invalid input");
        return;
    }
    cov_buf_str(&path, c->rules->prefix);
    if (c->rules->prefix.len != 0)
        cov_buf_char(&path, '.');
    cov_buf_str(&path, c->column->name);
    hint = cov_arena_printf(c->ctx->arena, advice, COV_STR_ARG(cov_buf_view(&path)));
    ISSUE(c, "Invalid input: expected %s, received undefined%.*s", row->expected,
          COV_STR_ARG(hint));
}

static void check_present(checker *c, cov_input *out)
{
    const type_row *row = &types[c->column->type];
    cov_value *value = &out->values[c->column->index];
    int64_t big;

    out->present[c->column->index] = true;
    if (yyjson_is_null(c->json) && !c->column->not_null)
        *value = cov_value_null();
    else if (c->column->n_enum_values != 0 && !is_option(c->column, c->json))
        issue_option(c);
    else if (c->column->type == COV_TYPE_INTEGER && big_integer_text(c->json, &big))
        *value = cov_value_int(big);
    else if (yyjson_is_null(c->json) && row->expected == NULL)
        ISSUE(c, "Invalid input");
    else if (!kind_fits(row, c->json))
        ISSUE(c, "Invalid input: expected %s, received %s", row->expected, cov__json_kind(c->json));
    else
        row->check(c, value);
}

static void check_absent(checker *c)
{
    const cov_column *column = c->column;

    if (c->rules->mode == COV_INPUT_UPDATE || !column->not_null || column->has_default ||
        c->r->is_generated[column->index] ||
        (c->rules->filled != NULL && c->rules->filled[column->index]))
        return;
    if (column->n_enum_values != 0)
        issue_option(c);
    else
        issue_missing(c);
}

static void issue_unknown(checker *c, const cov_buf *keys, size_t n)
{
    if (n != 0)
        cov__issue(c->issues, c->rules->prefix, COV_STR(""), "Unrecognized key%s: %.*s",
                   n == 1 ? "" : "s", COV_STR_ARG(cov_buf_view(keys)));
}

/* The last of duplicate keys wins. Returns the number of unknown keys, listed in `unknown`. */
static size_t collect(checker *c, yyjson_val *object, yyjson_val **found, cov_buf *unknown)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    size_t n_unknown = 0;
    yyjson_val *key;

    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        const cov_column *column = cov_table_column(c->r->table, text_of(key));

        if (column != NULL && !column->generated) {
            found[column->index] = yyjson_obj_iter_get_val(key);
            continue;
        }
        if (c->rules->nested && cov__relation_named(c->r, text_of(key)) != NULL)
            continue;
        if (n_unknown++ != 0)
            cov_buf_append(unknown, ", ", 2);
        cov_json_str(unknown, text_of(key));
    }
    return n_unknown;
}

static cov_status allocate(const cov_resource *r, cov_ctx *ctx, cov_input *out, yyjson_val ***found)
{
    size_t n = r->table->n_columns;

    out->present = COV_NEW_ARRAY(ctx->arena, bool, n);
    out->reset = COV_NEW_ARRAY(ctx->arena, bool, n);
    out->values = COV_NEW_ARRAY(ctx->arena, cov_value, n);
    *found = COV_NEW_ARRAY(ctx->arena, yyjson_val *, n);
    if (out->present == NULL || out->reset == NULL || out->values == NULL || *found == NULL)
        return cov_fail_nomem(ctx->err);
    return COV_OK;
}

cov_status cov__input_read(const cov_resource *r, cov_ctx *ctx, yyjson_val *value,
                           const cov_input_rules *rules, cov_issues *issues, cov_input *out)
{
    checker c = { r, ctx, issues, rules, NULL, NULL };
    cov_buf unknown = COV_BUF_IN(ctx->arena);
    yyjson_val **found = NULL;
    size_t n_unknown;
    cov_status st = allocate(r, ctx, out, &found);

    if (st != COV_OK)
        return st;
    if (!yyjson_is_obj(value)) {
        cov__issue(issues, rules->prefix, COV_STR(""),
                   "Invalid input: expected object, received %s", cov__json_kind(value));
        return COV_OK;
    }
    n_unknown = collect(&c, value, found, &unknown);
    for (size_t i = 0; i < r->table->n_columns; i++) {
        c.column = &r->table->columns[i];
        c.json = found[i];
        if (c.column->generated)
            continue;
        if (c.json != NULL)
            check_present(&c, out);
        else
            check_absent(&c);
    }
    if (r->config->strict_input)
        issue_unknown(&c, &unknown, n_unknown);
    return COV_OK;
}

void cov__input_mask(const cov_resource *r, cov_input *input)
{
    for (size_t i = 0; i < r->table->n_columns; i++)
        input->present[i] = input->present[i] && r->is_writable[i];
}

bool cov__value_equal(const cov_value *a, const cov_value *b)
{
    if (a->type == COV_INT && b->type == COV_REAL)
        return cov_compare_int_double(a->i, b->r) == 0;
    if (a->type == COV_REAL && b->type == COV_INT)
        return cov_compare_int_double(b->i, a->r) == 0;
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case COV_NULL:
        return true;
    case COV_INT:
        return a->i == b->i;
    case COV_REAL:
        return a->r == b->r;
    case COV_TEXT:
    case COV_BLOB:
        break;
    }
    return cov_str_eq(a->s, b->s);
}

cov_status cov__input_fix_id(const cov_resource *r, cov_ctx *ctx, const cov_value *id,
                             cov_input *input)
{
    size_t at = r->id->index;
    cov_issues issues;

    if (!input->present[at])
        return COV_OK;
    input->present[at] = false;
    if (cov__value_equal(&input->values[at], id))
        return COV_OK;
    cov__issues_init(&issues, ctx->arena);
    cov__issue(&issues, COV_STR(""), r->id->name,
               "Invalid input: the id of a row cannot be changed");
    return cov__issues_finish(ctx, &issues);
}

static bool number_from_json(yyjson_val *json, cov_value *out)
{
    cov_str text = text_of(json);

    if (yyjson_is_sint(json) || (yyjson_is_uint(json) && yyjson_get_uint(json) <= INT64_MAX)) {
        *out = cov_value_int(yyjson_get_sint(json));
        return true;
    }
    if (yyjson_is_num(json) || yyjson_is_raw(json)) {
        *out = cov_value_real(number_of(json));
        return true;
    }
    if (!yyjson_is_str(json))
        return false;
    if (cov_parse_i64(text, &out->i)) {
        out->type = COV_INT;
        return true;
    }
    out->type = COV_REAL;
    return cov_parse_double(text, &out->r);
}

static bool text_from_json(cov_ctx *ctx, yyjson_val *json, cov_value *out)
{
    cov_buf text = COV_BUF_IN(ctx->arena);

    if (yyjson_is_str(json)) {
        *out = cov_value_text(text_of(json));
        return true;
    }
    if (!yyjson_is_num(json) && !yyjson_is_raw(json))
        return false;
    cov_json_value(&text, json);
    *out = cov_value_text(cov_buf_view(&text));
    return !text.failed;
}

static bool bool_from_json(yyjson_val *json, cov_value *out)
{
    if (yyjson_is_bool(json)) {
        *out = cov_value_int(yyjson_get_bool(json));
        return true;
    }
    return number_from_json(json, out) && out->type == COV_INT && (out->i == 0 || out->i == 1);
}

bool cov__value_from_json(cov_ctx *ctx, const cov_column *column, yyjson_val *json, cov_value *out)
{
    checker c = { NULL, ctx, NULL, NULL, column, json };
    int64_t ms;

    *out = cov_value_null();
    if (json == NULL || yyjson_is_null(json))
        return true;
    switch (column->class_) {
    case COV_CLASS_NUM:
        return number_from_json(json, out);
    case COV_CLASS_BOOL:
        return bool_from_json(json, out);
    case COV_CLASS_TEXT:
        return text_from_json(ctx, json, out);
    case COV_CLASS_TIME:
        if (column->type == COV_TYPE_DATETIME)
            return text_from_json(ctx, json, out);
        if ((!yyjson_is_str(json) && !yyjson_is_num(json)) || !instant_of(json, &ms))
            return false;
        *out = instant_value(&c, ms);
        return true;
    case COV_CLASS_JSON:
    case COV_CLASS_BLOB:
        break;
    }
    return false;
}
