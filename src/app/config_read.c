/* SPDX-License-Identifier: MIT */
/* Values into structs, as their rows say. */
#include "app/config_read.h"
#include "base/json.h"

/* Enums are stored through int. */
_Static_assert(sizeof(cov_naming) == sizeof(int) && sizeof(cov_log_level) == sizeof(int) &&
                   sizeof(cov_relation_type) == sizeof(int),
               "enums are ints");

/* One value on its way: what its row says, and where it came from and goes to. */
typedef struct cov_item {
    const cov_option *row;
    void *base;
    yyjson_val *value;
    const char *at;
} cov_item;

static cov_status read_value(cov_config_reader *r, const cov_item *item);

void *cov__config_member(void *base, size_t offset)
{
    return (char *)base + offset;
}

/* ---- Defaults ---- */

static void store_bool(void *base, size_t offset, bool value)
{
    memcpy(cov__config_member(base, offset), &value, sizeof value);
}

static void store_names(void *base, size_t offset, cov_names names)
{
    memcpy(cov__config_member(base, offset), &names, sizeof names);
}

static void store_str(void *base, size_t offset, cov_str value)
{
    memcpy(cov__config_member(base, offset), &value, sizeof value);
}

static bool default_names(cov_config_reader *r, const cov_option *row, void *base)
{
    cov_str rest = cov_str_from(row->def_text);
    cov_str *items = COV_NEW_ARRAY(r->arena, cov_str, rest.len / 2 + 1);
    cov_names names = { items, 0, false };

    if (items == NULL)
        return false;
    while (row->def_text != NULL && cov_str_split(&rest, ',', &items[names.n]))
        names.n++;
    store_names(base, row->offset, names);
    return true;
}

static bool default_of(cov_config_reader *r, const cov_option *row, void *base)
{
    int number = (int)row->def;

    switch (row->store) {
    case COV_STORE_BOOL:
    case COV_STORE_ENUM_BOOL:
        store_bool(base, row->offset, row->def != 0);
        return true;
    case COV_STORE_INT:
        memcpy(cov__config_member(base, row->offset), &row->def, sizeof row->def);
        return true;
    case COV_STORE_STR:
    case COV_STORE_HEADER:
        store_str(base, row->offset, cov_str_from(row->def_text));
        return true;
    case COV_STORE_NAMES:
        return default_names(r, row, base);
    case COV_STORE_ENUM:
        memcpy(cov__config_member(base, row->offset), &number, sizeof number);
        return true;
    case COV_STORE_NONE:
    case COV_STORE_SCOPE:
    case COV_STORE_PUBLIC:
    case COV_STORE_MAP:
        return true; /* zero */
    }
    return true;
}

bool cov__config_defaults(cov_config_reader *r, const cov_options *options, void *base)
{
    for (size_t i = 0; i < options->n_rows; i++) {
        const cov_option *row = &options->rows[i];

        if (!default_of(r, row, base))
            return false;
        if (row->object != NULL && row->store != COV_STORE_MAP &&
            !cov__config_defaults(r, row->object, base))
            return false;
    }
    return true;
}

/* ---- What was expected ---- */

typedef struct cov_parts {
    cov_str items[16];
    size_t n;
} cov_parts;

static void part(cov_parts *parts, cov_str text)
{
    if (parts->n < COV_COUNT_OF(parts->items) && text.ptr != NULL)
        parts->items[parts->n++] = text;
}

static cov_str integer_range(cov_config_reader *r, const cov_option *row)
{
    return cov_arena_printf(r->arena, "an integer between %lld and %lld", (long long)row->min,
                            (long long)row->max);
}

/* "true, false or an object" */
static const char *expected(cov_config_reader *r, const cov_option *row)
{
    cov_parts parts = { .n = 0 };
    cov_buf out = COV_BUF_IN(r->arena);

    if (row->accepts & COV_OPT_TRUE)
        part(&parts, COV_STR("true"));
    if (row->accepts & COV_OPT_FALSE)
        part(&parts, COV_STR("false"));
    if (row->accepts & COV_OPT_INT)
        part(&parts, integer_range(r, row));
    for (const cov_choice *choice = row->choices; choice != NULL && choice->text != NULL; choice++)
        part(&parts, cov_arena_printf(r->arena, "\"%s\"", choice->text));
    if ((row->accepts & COV_OPT_STRING) && row->choices == NULL)
        part(&parts, COV_STR("a string"));
    if (row->accepts & COV_OPT_LIST)
        part(&parts, COV_STR("a list of strings"));
    if (row->accepts & COV_OPT_OBJECT)
        part(&parts, COV_STR("an object"));
    if (row->accepts & COV_OPT_NULL)
        part(&parts, COV_STR("null"));
    for (size_t i = 0; i < parts.n; i++) {
        cov_buf_str(&out, i == 0             ? COV_STR("")
                          : i + 1 == parts.n ? COV_STR(" or ")
                                             : COV_STR(", "));
        cov_buf_str(&out, parts.items[i]);
    }
    cov_buf_char(&out, '\0');
    return out.failed ? "something else" : out.ptr;
}

static const char *type_text(yyjson_val *value)
{
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_STR:
        return "a string";
    case YYJSON_TYPE_NUM:
        return "a number";
    case YYJSON_TYPE_BOOL:
        return yyjson_get_bool(value) ? "true" : "false";
    case YYJSON_TYPE_ARR:
        return "a list";
    case YYJSON_TYPE_OBJ:
        return "an object";
    default:
        return "null";
    }
}

static cov_status fail_expected(cov_config_reader *r, const cov_item *item, const char *instead)
{
    return cov__config_fail(r, item->at, "\"%s\" must be %s, not %s", item->row->key,
                            expected(r, item->row), instead);
}

/* ---- One value of each type ---- */

static cov_status read_bool(cov_config_reader *r, const cov_item *item)
{
    const cov_option *row = item->row;
    bool value = yyjson_get_bool(item->value);

    if (row->store == COV_STORE_BOOL) {
        store_bool(item->base, row->offset, value);
    } else if (row->store == COV_STORE_SCOPE) {
        store_str(item->base, row->offset, value ? COV_STR("*") : COV_STR(""));
    } else if (row->store == COV_STORE_HEADER) {
        store_str(item->base, row->offset, value ? cov_str_from(row->def_text) : COV_STR_NULL);
    } else if (row->store == COV_STORE_PUBLIC) {
        store_bool(item->base, row->offset + COV_OP_READ * sizeof(bool), value);
        store_bool(item->base, row->offset + COV_OP_SUBSCRIBE * sizeof(bool), value);
    }
    (void)r;
    return COV_OK;
}

/* 1e3 and 5.0 are integers too, as JSON Schema has it. */
static bool integer_of(yyjson_val *value, int64_t *out)
{
    double real;

    if (yyjson_is_uint(value)) {
        *out = (int64_t)yyjson_get_uint(value);
        return yyjson_get_uint(value) <= INT64_MAX;
    }
    if (yyjson_is_sint(value)) {
        *out = yyjson_get_sint(value);
        return true;
    }
    real = yyjson_get_real(value);
    if (!(real >= -(double)COV_JSON_MAX_SAFE_INT && real <= (double)COV_JSON_MAX_SAFE_INT))
        return false;
    *out = (int64_t)real;
    return (double)*out == real;
}

static cov_status read_int(cov_config_reader *r, const cov_item *item)
{
    const cov_option *row = item->row;
    int64_t number;
    cov_buf text = COV_BUF_IN(r->arena);

    if (integer_of(item->value, &number) && number >= row->min && number <= row->max) {
        if (row->store == COV_STORE_INT)
            memcpy(cov__config_member(item->base, row->offset), &number, sizeof number);
        return COV_OK;
    }
    cov_json_value(&text, item->value);
    cov_buf_char(&text, '\0');
    return fail_expected(r, item, text.failed ? "this number" : text.ptr);
}

/* The text of a string value with references replaced, checked as the row says. */
static cov_status read_text(cov_config_reader *r, const cov_item *item, yyjson_val *value,
                            cov_str *out)
{
    const cov_option *row = item->row;
    cov_status st;

    *out = cov_str_of(yyjson_get_str(value), yyjson_get_len(value));
    if ((st = cov__config_env(r, row->key, out, item->at)) != COV_OK)
        return st;
    if (out->len == 0 && (row->flags & COV_OPT_NOT_EMPTY))
        return cov__config_fail(r, item->at, "\"%s\" must not be empty", row->key);
    return row->check != NULL ? row->check(r, row->key, out, item->at) : COV_OK;
}

static cov_status store_choice(cov_config_reader *r, const cov_item *item, cov_str text)
{
    const cov_option *row = item->row;
    const cov_choice *choice = row->choices;

    while (choice->text != NULL && !cov_str_eq(cov_str_from(choice->text), text))
        choice++;
    if (choice->text == NULL)
        return fail_expected(r, item, cov__config_quote(r, text));
    if (row->store == COV_STORE_ENUM)
        memcpy(cov__config_member(item->base, row->offset), &choice->value, sizeof choice->value);
    else if (row->store == COV_STORE_ENUM_BOOL)
        store_bool(item->base, row->offset, choice->value != 0);
    return COV_OK;
}

static cov_status store_one_name(cov_config_reader *r, const cov_item *item, cov_str text)
{
    cov_str *one = COV_NEW(r->arena, cov_str);

    if (one == NULL)
        return cov_fail_nomem(r->err);
    *one = text;
    store_names(item->base, item->row->offset, (cov_names){ one, 1, true });
    return COV_OK;
}

static cov_status read_string(cov_config_reader *r, const cov_item *item)
{
    const cov_option *row = item->row;
    cov_str text;
    cov_status st = read_text(r, item, item->value, &text);

    if (st != COV_OK)
        return st;
    if (row->choices != NULL && (st = store_choice(r, item, text)) != COV_OK)
        return st;
    if (row->store == COV_STORE_STR || row->store == COV_STORE_SCOPE ||
        row->store == COV_STORE_HEADER)
        store_str(item->base, row->offset, text);
    else if (row->store == COV_STORE_NAMES)
        return store_one_name(r, item, text);
    return COV_OK;
}

static cov_status read_list(cov_config_reader *r, const cov_item *item)
{
    cov_str *items = COV_NEW_ARRAY(r->arena, cov_str, yyjson_arr_size(item->value));
    cov_names names = { items, 0, true };
    yyjson_arr_iter it = yyjson_arr_iter_with(item->value);
    yyjson_val *value;

    if (items == NULL)
        return cov_fail_nomem(r->err);
    while ((value = yyjson_arr_iter_next(&it)) != NULL) {
        cov_item one = *item;
        cov_status st;

        if (!yyjson_is_str(value))
            return cov__config_fail(r, item->at, "\"%s\" must be %s, but its item %zu is %s",
                                    item->row->key, expected(r, item->row), names.n + 1,
                                    type_text(value));
        one.at = cov__config_at(r, NULL, value);
        if ((st = read_text(r, &one, value, &items[names.n])) != COV_OK)
            return st;
        if (items[names.n++].len == 0)
            return cov__config_fail(r, one.at, "\"%s\" must not have an empty item",
                                    item->row->key);
    }
    if (item->row->store == COV_STORE_NAMES)
        store_names(item->base, item->row->offset, names);
    return COV_OK;
}

/* ---- Objects and maps ---- */

/* An element written as a string: the same as an object with the shorthand's key. */
static cov_status read_shorthand(cov_config_reader *r, const cov_option *map, const char *shorthand,
                                 void *base, yyjson_val *value)
{
    for (size_t i = 0; i < map->object->n_rows; i++) {
        cov_item item = { &map->object->rows[i], base, value, cov__config_at(r, NULL, value) };

        if (strcmp(item.row->key, shorthand) == 0)
            return read_value(r, &item);
    }
    return COV_OK;
}

static cov_status read_element(cov_config_reader *r, const cov_option *map, void *base,
                               yyjson_val *key, yyjson_val *value)
{
    cov_str name = cov_str_of(yyjson_get_str(key), yyjson_get_len(key));
    const char *at = name.ptr - 1;

    if (name.len == 0)
        return cov__config_fail(r, at, "a name in \"%s\" must not be empty", map->key);
    if (!cov__config_defaults(r, map->object, base))
        return cov_fail_nomem(r->err);
    store_str(base, map->object->name_offset, name);
    if (map->shorthand != NULL && yyjson_is_str(value))
        return read_shorthand(r, map, map->shorthand, base, value);
    if (!yyjson_is_obj(value))
        return cov__config_fail(r, cov__config_at(r, key, value),
                                "%s in \"%s\" must be %san object, not %s",
                                cov__config_quote(r, name), map->key,
                                map->shorthand != NULL ? "a string or " : "", type_text(value));
    return cov__config_object(r, map->object, base, value, at);
}

static cov_status read_map(cov_config_reader *r, const cov_item *item)
{
    const cov_option *row = item->row;
    size_t count = yyjson_obj_size(item->value);
    char *elements = cov_arena_calloc(r->arena, count, row->object->size);
    const void *stored = elements;
    yyjson_obj_iter it = yyjson_obj_iter_with(item->value);
    yyjson_val *key;

    if (elements == NULL)
        return cov_fail_nomem(r->err);
    for (size_t i = 0; (key = yyjson_obj_iter_next(&it)) != NULL; i++) {
        cov_status st = read_element(r, row, elements + i * row->object->size, key,
                                     yyjson_obj_iter_get_val(key));

        if (st != COV_OK)
            return st;
    }
    memcpy(cov__config_member(item->base, row->offset), &stored, sizeof stored);
    memcpy(cov__config_member(item->base, row->count_offset), &count, sizeof count);
    return COV_OK;
}

static cov_status read_object(cov_config_reader *r, const cov_item *item)
{
    if (item->row->store == COV_STORE_MAP)
        return read_map(r, item);
    if (item->row->store == COV_STORE_BOOL)
        store_bool(item->base, item->row->offset, true);
    if (item->row->object == NULL)
        return COV_OK;
    return cov__config_object(r, item->row->object, item->base, item->value, item->at);
}

static cov_status read_null(cov_config_reader *r, const cov_item *item)
{
    (void)r;
    if (item->row->store == COV_STORE_STR)
        store_str(item->base, item->row->offset, COV_STR(""));
    return COV_OK;
}

/* ---- Any value ---- */

typedef struct type_row {
    unsigned bit;
    cov_status (*read)(cov_config_reader *r, const cov_item *item);
} type_row;

static const type_row *type_of(yyjson_val *value)
{
    static const type_row rows[] = {
        { COV_OPT_TRUE, read_bool }, { COV_OPT_FALSE, read_bool },
        { COV_OPT_INT, read_int },   { COV_OPT_STRING, read_string },
        { COV_OPT_LIST, read_list }, { COV_OPT_OBJECT, read_object },
        { COV_OPT_NULL, read_null },
    };

    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_BOOL:
        return &rows[yyjson_get_bool(value) ? 0 : 1];
    case YYJSON_TYPE_NUM:
        return &rows[2];
    case YYJSON_TYPE_STR:
        return &rows[3];
    case YYJSON_TYPE_ARR:
        return &rows[4];
    case YYJSON_TYPE_OBJ:
        return &rows[5];
    default:
        return &rows[6];
    }
}

static cov_status read_value(cov_config_reader *r, const cov_item *item)
{
    const type_row *type = type_of(item->value);

    if ((item->row->accepts & type->bit) == 0)
        return fail_expected(r, item, type_text(item->value));
    return type->read(r, item);
}

static cov_status fail_unknown(cov_config_reader *r, const cov_options *options, cov_str key)
{
    const char *nearest = cov__config_nearest(options, key);
    const char *written = cov__config_quote(r, key);
    cov_buf known = COV_BUF_IN(r->arena);

    if (nearest != NULL)
        return cov__config_fail(r, key.ptr - 1, "unknown key %s; did you mean \"%s\"?", written,
                                nearest);
    for (size_t i = 0; i < options->n_rows; i++)
        cov_buf_printf(&known, "%s\"%s\"", i == 0 ? "" : ", ", options->rows[i].key);
    cov_buf_char(&known, '\0');
    return cov__config_fail(r, key.ptr - 1, "unknown key %s; known here: %s", written,
                            known.failed ? "" : known.ptr);
}

static size_t row_named(const cov_options *options, cov_str key)
{
    size_t i = 0;

    while (i < options->n_rows && !cov_str_eq(cov_str_from(options->rows[i].key), key))
        i++;
    return i;
}

cov_status cov__config_object(cov_config_reader *r, const cov_options *options, void *base,
                              yyjson_val *object, const char *at)
{
    yyjson_obj_iter it = yyjson_obj_iter_with(object);
    yyjson_val *key;
    uint64_t seen = 0;

    while ((key = yyjson_obj_iter_next(&it)) != NULL) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        cov_str name = cov_str_of(yyjson_get_str(key), yyjson_get_len(key));
        size_t i = row_named(options, name);
        cov_item item = { NULL, base, value, cov__config_at(r, key, value) };
        cov_status st;

        if (i == options->n_rows)
            return fail_unknown(r, options, name);
        item.row = &options->rows[i];
        if ((st = read_value(r, &item)) != COV_OK)
            return st;
        seen |= UINT64_C(1) << i;
    }
    for (size_t i = 0; i < options->n_rows; i++)
        if ((options->rows[i].flags & COV_OPT_REQUIRED) && !(seen >> i & 1))
            return cov__config_fail(r, at, "the key \"%s\" is missing", options->rows[i].key);
    return options->finish != NULL ? options->finish(r, base, at) : COV_OK;
}
