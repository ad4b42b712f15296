/* SPDX-License-Identifier: MIT */
/* Literals to operands, one function a column class: the table of spec/02 section 6.2. */
#include <math.h>

#include "base/json.h"
#include "base/num.h"
#include "base/time.h"
#include "rsql/expr.h"

/* Below this a number compared with a seconds column is seconds, not milliseconds. */
#define SECONDS_BOUND INT64_C(100000000000)

/* Sort before, and after, every canonical instant text. */
#define BEFORE_ALL_TIMES ""
#define AFTER_ALL_TIMES "~"

static void set_value(cov__operand *out, cov_value value)
{
    out->value[0] = value;
    out->n_values = 1;
}

bool cov__rsql_text_affinity(cov_str declared)
{
    static const cov_str marks[] = { COV_STR_INIT("CHAR"), COV_STR_INIT("CLOB"),
                                     COV_STR_INIT("TEXT") };
    bool text = false;

    for (size_t i = 0; i + 3 <= declared.len; i++) {
        if (cov_str_eq_nocase(cov_str_slice(declared, i, i + 3), COV_STR("INT")))
            return false; /* INTEGER affinity wins over all */
        for (size_t m = 0; m < COV_COUNT_OF(marks); m++)
            text |= cov_str_eq_nocase(cov_str_slice(declared, i, i + 4), marks[m]);
    }
    return text;
}

cov_value cov__rsql_number(cov_str text)
{
    cov_str digits = cov_str_trim(text);
    int64_t i;
    double r;

    if (cov_parse_i64(digits, &i))
        return cov_value_int(i);
    if (cov_parse_double(digits, &r))
        return cov_value_real(r);
    return cov_value_null();
}

static cov_str number_text(cov_arena *arena, const cov__literal *literal)
{
    char text[COV_NUM_TEXT_BYTES];
    cov_buf buf = { text, 0, sizeof text, sizeof text, NULL, false };

    if (literal->kind == COV__LIT_INT)
        cov_buf_i64(&buf, literal->i);
    else
        buf.len = cov_num_text(literal->r, text);
    return cov_arena_str(arena, cov_buf_view(&buf));
}

cov_str cov__rsql_raw_text(cov_arena *arena, const cov__literal *literal)
{
    switch (literal->kind) {
    case COV__LIT_STRING:
        return literal->text.ptr != NULL ? literal->text : COV_STR("");
    case COV__LIT_TRUE:
        return COV_STR("true");
    case COV__LIT_FALSE:
        return COV_STR("false");
    default:
        return number_text(arena, literal);
    }
}

/* Cheap refusal first: most strings are no dates. */
static bool parse_date(cov_str text, int64_t *ms)
{
    return text.len >= 10 && text.ptr[4] == '-' && cov_time_parse_literal(text, ms);
}

static bool time_text(cov_arena *arena, int64_t ms, cov_str *out)
{
    char text[COV_TIME_TEXT_BYTES];

    *out = cov_arena_str(arena, cov_str_of(text, cov_time_format(ms, text)));
    return out->ptr != NULL;
}

static bool coerce_text(cov_arena *arena, const cov_column *column, const cov__literal *literal,
                        bool equality, cov__operand *out)
{
    bool is_word = literal->kind == COV__LIT_TRUE || literal->kind == COV__LIT_FALSE;
    cov_str text = cov__rsql_raw_text(arena, literal);
    cov_str canonical;
    int64_t ms;

    if (text.ptr == NULL)
        return false;
    if (is_word && column->class_ == COV_CLASS_TEXT) {
        if (equality)
            out->words = literal->kind == COV__LIT_TRUE ? COV__WORD_TRUE : COV__WORD_FALSE;
        return true;
    }
    set_value(out, cov_value_text(text));
    if (literal->kind != COV__LIT_STRING || column->class_ != COV_CLASS_TEXT ||
        !parse_date(text, &ms))
        return true;
    if (!time_text(arena, ms, &canonical))
        return false;
    if (!equality)
        out->value[0] = cov_value_text(canonical);
    else if (!cov_str_eq(text, canonical))
        out->value[out->n_values++] = cov_value_text(canonical);
    return true;
}

static bool coerce_num(cov_arena *arena, const cov_column *column, const cov__literal *literal,
                       bool equality, cov__operand *out)
{
    cov_value value = cov_value_null();

    (void)arena;
    (void)column;
    (void)equality;
    switch (literal->kind) {
    case COV__LIT_INT:
        value = cov_value_int(literal->i);
        break;
    case COV__LIT_REAL:
        value = cov_value_real(literal->r);
        break;
    case COV__LIT_STRING:
        value = cov__rsql_number(literal->text);
        break;
    case COV__LIT_TRUE:
    case COV__LIT_FALSE:
        value = cov_value_int(literal->kind == COV__LIT_TRUE);
        break;
    default:
        break;
    }
    if (value.type != COV_NULL)
        set_value(out, value);
    return true;
}

/* 0 or 1; bind.c turns those into sets of truth values. */
static bool coerce_bool(cov_arena *arena, const cov_column *column, const cov__literal *literal,
                        bool equality, cov__operand *out)
{
    int64_t truth = -1;

    (void)arena;
    (void)column;
    (void)equality;
    switch (literal->kind) {
    case COV__LIT_INT:
        truth = literal->i;
        break;
    case COV__LIT_REAL:
        truth = literal->r == 0.0 ? 0 : literal->r == 1.0 ? 1 : -1;
        break;
    case COV__LIT_STRING:
        if (cov_str_eq_nocase(literal->text, COV_STR("true")) ||
            cov_str_eq(literal->text, COV_STR("1")))
            truth = 1;
        else if (cov_str_eq_nocase(literal->text, COV_STR("false")) ||
                 cov_str_eq(literal->text, COV_STR("0")))
            truth = 0;
        break;
    default:
        truth = literal->kind == COV__LIT_TRUE;
        break;
    }
    if (truth == 0 || truth == 1)
        set_value(out, cov_value_int(truth));
    return true;
}

static cov_value ms_as_seconds(int64_t ms)
{
    return ms % 1000 == 0 ? cov_value_int(ms / 1000) : cov_value_real((double)ms / 1000.0);
}

static cov_value seconds_operand(const cov__literal *literal)
{
    if (literal->kind == COV__LIT_REAL)
        return cov_value_real(fabs(literal->r) < (double)SECONDS_BOUND ? literal->r
                                                                       : literal->r / 1000.0);
    if (literal->i > -SECONDS_BOUND && literal->i < SECONDS_BOUND)
        return cov_value_int(literal->i);
    return ms_as_seconds(literal->i);
}

/*
 * The text of an instant in milliseconds that need not be whole nor have a four-digit year. A fraction
 * gets a text between those of its neighbours: equal to neither, ordered like the number.
 */
static bool instant_text(cov_arena *arena, double ms, cov_str *out)
{
    static const int64_t first = INT64_C(-62167219200000); /* 0000-01-01T00:00:00.000Z */
    static const int64_t last = INT64_C(253402300799999);  /* 9999-12-31T23:59:59.999Z */
    double whole = floor(ms);

    if (whole < (double)first || whole > (double)last) {
        *out = whole < (double)first ? COV_STR(BEFORE_ALL_TIMES) : COV_STR(AFTER_ALL_TIMES);
        return true;
    }
    if (!time_text(arena, (int64_t)whole, out))
        return false;
    if (whole != ms)
        *out = cov_arena_printf(arena, "%.*s" AFTER_ALL_TIMES, COV_STR_ARG(*out));
    return out->ptr != NULL;
}

static bool coerce_time(cov_arena *arena, const cov_column *column, const cov__literal *literal,
                        bool equality, cov__operand *out)
{
    bool is_date = false;
    int64_t ms = 0;
    cov_str text;

    (void)equality;
    if (literal->kind == COV__LIT_STRING)
        is_date = parse_date(literal->text, &ms);
    if (!is_date && literal->kind != COV__LIT_INT && literal->kind != COV__LIT_REAL)
        return true;
    if (column->type == COV_TYPE_DATETIME) {
        double instant = is_date                         ? (double)ms
                         : literal->kind == COV__LIT_INT ? (double)literal->i
                                                         : literal->r;

        if (!instant_text(arena, instant, &text))
            return false;
        set_value(out, cov_value_text(text));
    } else if (column->type == COV_TYPE_TIMESTAMP) {
        set_value(out, is_date ? ms_as_seconds(ms) : seconds_operand(literal));
    } else if (is_date) {
        set_value(out, cov_value_int(ms));
    } else {
        return coerce_num(arena, column, literal, equality, out);
    }
    return true;
}

static bool coerce_none(cov_arena *arena, const cov_column *column, const cov__literal *literal,
                        bool equality, cov__operand *out)
{
    (void)arena;
    (void)column;
    (void)literal;
    (void)equality;
    (void)out;
    return true;
}

bool cov__rsql_coerce(cov_arena *arena, const cov_column *column, const cov__literal *literal,
                      bool equality, cov__operand *out)
{
    static bool (*const rules[])(cov_arena *, const cov_column *, const cov__literal *, bool,
                                 cov__operand *) = {
        [COV_CLASS_TEXT] = coerce_text, [COV_CLASS_NUM] = coerce_num,
        [COV_CLASS_BOOL] = coerce_bool, [COV_CLASS_TIME] = coerce_time,
        [COV_CLASS_JSON] = coerce_text, [COV_CLASS_BLOB] = coerce_none,
    };

    out->n_values = 0;
    out->words = 0;
    return rules[column->class_](arena, column, literal, equality, out);
}
