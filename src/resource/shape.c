/* SPDX-License-Identifier: MIT */
#include "resource/shape.h"

#include <math.h>
#include <stdio.h>

#include "base/time.h"

/* Where in the value the checker is: members by name, items of lists by index (name NULL). */
typedef struct step {
    const char *name;
    size_t index;
} step;

typedef struct checker {
    cov_buf *issues;
    size_t n_issues;
    step path[COV_JSON_MAX_DEPTH];
    size_t depth;
} checker;

/* ---- issues ---- */

static void put_path(const checker *c)
{
    cov_buf path = COV_BUF_IN(c->issues->arena);

    for (size_t i = 0; i < c->depth; i++) {
        if (i != 0)
            cov_buf_char(&path, '.');
        if (c->path[i].name != NULL)
            cov_buf_str(&path, cov_str_from(c->path[i].name));
        else
            cov_buf_u64(&path, c->path[i].index);
    }
    cov_json_str(c->issues, cov_buf_view(&path));
    c->issues->failed = c->issues->failed || path.failed;
    cov_buf_dispose(&path);
}

/* `message` needs no escapes. */
static void issue(checker *c, const char *message)
{
    if (c->n_issues == COV_SHAPE_MAX_ISSUES)
        return;
    if (c->n_issues++ != 0)
        cov_buf_char(c->issues, ',');
    COV_BUF_LIT(c->issues, "{\"path\":");
    put_path(c);
    cov_buf_printf(c->issues, ",\"message\":\"%s\"}", message);
}

static void wrong_kind(checker *c, const char *expected, const cov_json *value)
{
    static const char *const kinds[] = {
        [COV_JSON_MISSING] = "undefined", [COV_JSON_NULL] = "null",     [COV_JSON_BOOL] = "boolean",
        [COV_JSON_NUMBER] = "number",     [COV_JSON_STRING] = "string", [COV_JSON_LIST] = "array",
        [COV_JSON_OBJECT] = "object",
    };
    char message[80];

    snprintf(message, sizeof message, "Invalid input: expected %s, received %s", expected,
             kinds[cov_json_type_of(value)]);
    issue(c, message);
}

/* ---- one checker a type ---- */

static void check_members(checker *c, const cov_json *object, const cov_field *fields,
                          size_t n_fields);
static void check_value(checker *c, const cov_json *value, const cov_field *field);

static void check_number(checker *c, const cov_json *value, const cov_field *field)
{
    (void)field;
    if (!isfinite(cov_json_number(value)))
        issue(c, "Invalid input: expected number, received Infinity");
}

static void check_integer(checker *c, const cov_json *value, const cov_field *field)
{
    double d = cov_json_number(value);

    (void)field;
    if (!isfinite(d))
        issue(c, "Invalid input: expected number, received Infinity");
    else if (d != floor(d))
        issue(c, "Invalid input: expected int, received number");
    else if (d > (double)COV_JSON_MAX_SAFE_INT)
        issue(c, "Too big: expected int to be <=9007199254740991");
    else if (d < -(double)COV_JSON_MAX_SAFE_INT)
        issue(c, "Too small: expected int to be >=-9007199254740991");
}

static void check_time(checker *c, const cov_json *value, const cov_field *field)
{
    double d = cov_json_number(value);
    int64_t ms;
    bool ok;

    (void)field;
    if (cov_json_type_of(value) == COV_JSON_STRING)
        ok = cov_time_parse_iso(cov_json_text(value), &ms, NULL);
    else
        ok = d == floor(d) && fabs(d) <= (double)COV_TIME_MAX_MS;
    if (!ok)
        wrong_kind(c, "date", value);
}

static void check_object(checker *c, const cov_json *value, const cov_field *field)
{
    check_members(c, value, field->fields, field->n_fields);
}

static void check_list(checker *c, const cov_json *value, const cov_field *field)
{
    const cov_json *item = NULL;

    if (field->n_fields == 0 || c->depth == COV_JSON_MAX_DEPTH)
        return;
    c->depth++;
    for (size_t i = 0; (item = cov_json_next(value, item)) != NULL; i++) {
        c->path[c->depth - 1] = (step){ NULL, i };
        check_value(c, item, &field->fields[0]);
    }
    c->depth--;
}

/* ---- values ---- */

typedef struct type_row {
    const char *expected;
    cov_json_type kind; /* COV_JSON_MISSING: any */
    void (*check)(checker *c, const cov_json *value,
                  const cov_field *field); /* NULL: the kind is all */
} type_row;

static const type_row types[] = {
    [COV_SHAPE_ANY] = { "nonoptional", COV_JSON_MISSING, NULL },
    [COV_SHAPE_TEXT] = { "string", COV_JSON_STRING, NULL },
    [COV_SHAPE_INTEGER] = { "number", COV_JSON_NUMBER, check_integer },
    [COV_SHAPE_NUMBER] = { "number", COV_JSON_NUMBER, check_number },
    [COV_SHAPE_BOOLEAN] = { "boolean", COV_JSON_BOOL, NULL },
    [COV_SHAPE_TIME] = { "date", COV_JSON_NUMBER, check_time },
    [COV_SHAPE_OBJECT] = { "object", COV_JSON_OBJECT, check_object },
    [COV_SHAPE_LIST] = { "array", COV_JSON_LIST, check_list },
};

/* Times come as text too, and so do integers that a client could not hold as a number (cov_json_int). */
static bool kind_fits(const cov_json *value, const cov_field *field)
{
    cov_json_type kind = cov_json_type_of(value);

    if (types[field->type].kind == COV_JSON_MISSING || kind == types[field->type].kind)
        return kind != COV_JSON_MISSING;
    if (kind != COV_JSON_STRING)
        return false;
    return field->type == COV_SHAPE_TIME ||
           (field->type == COV_SHAPE_INTEGER && cov_json_int64(value) != 0);
}

static void check_value(checker *c, const cov_json *value, const cov_field *field)
{
    const type_row *row = &types[field->type];

    if (field->nullable && cov_json_type_of(value) == COV_JSON_NULL)
        return;
    if (!kind_fits(value, field))
        wrong_kind(c, row->expected, value);
    else if (row->check != NULL)
        row->check(c, value, field);
}

static void check_members(checker *c, const cov_json *object, const cov_field *fields,
                          size_t n_fields)
{
    if (c->depth == COV_JSON_MAX_DEPTH)
        return;
    c->depth++;
    for (size_t i = 0; i < n_fields; i++) {
        const cov_json *value = cov_json_get(object, fields[i].name);

        if (value == NULL && fields[i].optional)
            continue;
        c->path[c->depth - 1] = (step){ fields[i].name, 0 };
        check_value(c, value, &fields[i]);
    }
    c->depth--;
}

void cov__shape_check(const cov_json *value, const cov_field *fields, size_t n_fields,
                      cov_buf *issues)
{
    checker c;

    c.issues = issues;
    c.n_issues = 0;
    c.depth = 0;
    if (cov_json_type_of(value) == COV_JSON_OBJECT)
        check_members(&c, value, fields, n_fields);
    else
        wrong_kind(&c, "object", value);
}

/* ---- writing ---- */

static void write_value(cov_buf *out, const cov_json *value, const cov_field *field)
{
    const cov_json *item = NULL;

    if (field->n_fields != 0 && cov_json_type_of(value) == COV_JSON_OBJECT) {
        cov__shape_write(out, value, field->fields, field->n_fields);
        return;
    }
    if (field->n_fields == 0 || cov_json_type_of(value) != COV_JSON_LIST) {
        cov_json_value(out, value);
        return;
    }
    cov_buf_char(out, '[');
    for (bool first = true; (item = cov_json_next(value, item)) != NULL; first = false) {
        if (!first)
            cov_buf_char(out, ',');
        write_value(out, item, &field->fields[0]);
    }
    cov_buf_char(out, ']');
}

void cov__shape_write(cov_buf *out, const cov_json *value, const cov_field *fields, size_t n_fields)
{
    bool first = true;

    cov_buf_char(out, '{');
    for (size_t i = 0; i < n_fields; i++) {
        const cov_json *member = cov_json_get(value, fields[i].name);

        if (member == NULL)
            continue;
        if (!first)
            cov_buf_char(out, ',');
        first = false;
        cov_json_str(out, cov_str_from(fields[i].name));
        cov_buf_char(out, ':');
        write_value(out, member, &fields[i]);
    }
    cov_buf_char(out, '}');
}
