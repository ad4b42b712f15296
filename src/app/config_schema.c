/* SPDX-License-Identifier: MIT */
/* The JSON Schema (draft 2020-12) of covara.jsonc, from the option table. */
#include "app/config_table.h"
#include "base/json.h"

/* Text with two spaces a level. `first` tells whether a comma is due. */
typedef struct writer {
    cov_buf *out;
    int depth;
    bool first;
} writer;

static void next_line(writer *w)
{
    if (!w->first)
        cov_buf_char(w->out, ',');
    w->first = false;
    cov_buf_char(w->out, '\n');
    for (int i = 0; i < w->depth; i++)
        COV_BUF_LIT(w->out, "  ");
}

static void open_with(writer *w, char bracket)
{
    cov_buf_char(w->out, bracket);
    w->depth++;
    w->first = true;
}

static void close_with(writer *w, char bracket)
{
    w->depth--;
    w->first = true; /* no comma before the bracket */
    next_line(w);
    w->first = false;
    cov_buf_char(w->out, bracket);
}

static void key(writer *w, const char *name)
{
    next_line(w);
    cov_json_str(w->out, cov_str_from(name));
    COV_BUF_LIT(w->out, ": ");
}

static void text(writer *w, const char *name, const char *value)
{
    key(w, name);
    cov_json_str(w->out, cov_str_from(value));
}

static void number(writer *w, const char *name, int64_t value)
{
    key(w, name);
    cov_buf_i64(w->out, value);
}

static void object_schema(writer *w, const cov_options *options);

/* What one JSON type adds to a schema. */
static void integer_type(writer *w, const cov_option *row)
{
    text(w, "type", "integer");
    number(w, "minimum", row->min);
    number(w, "maximum", row->max);
}

static void string_type(writer *w, const cov_option *row)
{
    text(w, "type", "string");
    if (row->choices != NULL) {
        key(w, "enum");
        open_with(w, '[');
        for (const cov_choice *choice = row->choices; choice->text != NULL; choice++) {
            next_line(w);
            cov_json_str(w->out, cov_str_from(choice->text));
        }
        close_with(w, ']');
    } else if (row->flags & COV_OPT_NOT_EMPTY) {
        number(w, "minLength", 1);
    }
}

static void list_type(writer *w)
{
    text(w, "type", "array");
    key(w, "items");
    open_with(w, '{');
    text(w, "type", "string");
    number(w, "minLength", 1);
    close_with(w, '}');
}

static void map_type(writer *w, const cov_option *row)
{
    text(w, "type", "object");
    key(w, "additionalProperties");
    open_with(w, '{');
    if (row->shorthand != NULL) {
        key(w, "anyOf");
        open_with(w, '[');
        next_line(w);
        open_with(w, '{');
        text(w, "type", "string");
        close_with(w, '}');
        next_line(w);
        open_with(w, '{');
        object_schema(w, row->object);
        close_with(w, '}');
        close_with(w, ']');
    } else {
        object_schema(w, row->object);
    }
    close_with(w, '}');
}

static void bool_type(writer *w, unsigned accepts)
{
    if ((accepts & COV_OPT_BOOL) == COV_OPT_BOOL) {
        text(w, "type", "boolean");
    } else {
        key(w, "const");
        cov_json_bool(w->out, (accepts & COV_OPT_TRUE) != 0);
    }
}

static void one_type(writer *w, const cov_option *row, unsigned type)
{
    if (type == COV_OPT_INT)
        integer_type(w, row);
    else if (type == COV_OPT_STRING)
        string_type(w, row);
    else if (type == COV_OPT_LIST)
        list_type(w);
    else if (type == COV_OPT_NULL)
        text(w, "type", "null");
    else if (type != COV_OPT_OBJECT)
        bool_type(w, row->accepts);
    else if (row->store == COV_STORE_MAP)
        map_type(w, row);
    else if (row->object != NULL)
        object_schema(w, row->object);
    else
        text(w, "type", "object");
}

/* Each accepted type on its own; true and false are one. */
static size_t types_of(const cov_option *row, unsigned types[8])
{
    static const unsigned order[] = { COV_OPT_BOOL, COV_OPT_INT,    COV_OPT_STRING,
                                      COV_OPT_LIST, COV_OPT_OBJECT, COV_OPT_NULL };
    size_t n = 0;

    for (size_t i = 0; i < COV_COUNT_OF(order); i++)
        if (row->accepts & order[i])
            types[n++] = order[i];
    return n;
}

static void default_value(writer *w, const cov_option *row)
{
    if (row->def_doc != NULL || (row->flags & COV_OPT_REQUIRED))
        return;
    if (row->store == COV_STORE_BOOL && (row->accepts & COV_OPT_BOOL)) {
        key(w, "default");
        cov_json_bool(w->out, row->def != 0);
    } else if (row->store == COV_STORE_INT) {
        number(w, "default", row->def);
    } else if ((row->store == COV_STORE_STR || row->store == COV_STORE_HEADER) &&
               row->def_text != NULL) {
        text(w, "default", row->def_text);
    } else if (row->store == COV_STORE_ENUM || row->store == COV_STORE_ENUM_BOOL) {
        for (const cov_choice *choice = row->choices; choice->text != NULL; choice++)
            if (choice->value == row->def)
                text(w, "default", choice->text);
    }
}

static void description(writer *w, const cov_option *row)
{
    key(w, "description");
    cov_json_str(w->out, cov_str_from(row->help));
}

static void option_schema(writer *w, const cov_option *row)
{
    unsigned types[8];
    size_t n = types_of(row, types);

    description(w, row);
    default_value(w, row);
    if (n == 1) {
        one_type(w, row, types[0]);
        return;
    }
    key(w, "anyOf");
    open_with(w, '[');
    for (size_t i = 0; i < n; i++) {
        next_line(w);
        open_with(w, '{');
        one_type(w, row, types[i]);
        close_with(w, '}');
    }
    close_with(w, ']');
}

static void required_keys(writer *w, const cov_options *options)
{
    bool any = false;

    for (size_t i = 0; i < options->n_rows; i++) {
        if (!(options->rows[i].flags & COV_OPT_REQUIRED))
            continue;
        if (!any) {
            key(w, "required");
            open_with(w, '[');
            any = true;
        }
        next_line(w);
        cov_json_str(w->out, cov_str_from(options->rows[i].key));
    }
    if (any)
        close_with(w, ']');
}

static void object_schema(writer *w, const cov_options *options)
{
    text(w, "type", "object");
    required_keys(w, options);
    key(w, "properties");
    open_with(w, '{');
    for (size_t i = 0; i < options->n_rows; i++) {
        key(w, options->rows[i].key);
        open_with(w, '{');
        option_schema(w, &options->rows[i]);
        close_with(w, '}');
    }
    close_with(w, '}');
    key(w, "additionalProperties");
    cov_json_bool(w->out, false);
}

void cov_config_json_schema(cov_buf *out)
{
    writer w = { out, 0, true };

    open_with(&w, '{');
    text(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    text(&w, "title", "covara.jsonc");
    object_schema(&w, &cov__config_options);
    close_with(&w, '}');
    cov_buf_char(out, '\n');
}
