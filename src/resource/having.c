/* SPDX-License-Identifier: MIT */
/* The `having` parameter (spec/03 section 9.4): terms joined by ";", each alias, operator, value. */
#include "base/num.h"
#include "base/time.h"
#include "resource/aggregate.h"

typedef struct operator_row {
    cov_str token;
    cov_str sql;
} operator_row;

/* Longer tokens first: the first match wins. */
static const operator_row operators[] = {
    { COV_STR_INIT("=="), COV_STR_INIT(" = ") },  { COV_STR_INIT("!="), COV_STR_INIT(" <> ") },
    { COV_STR_INIT(">="), COV_STR_INIT(" >= ") }, { COV_STR_INIT("<="), COV_STR_INIT(" <= ") },
    { COV_STR_INIT(">"), COV_STR_INIT(" > ") },   { COV_STR_INIT("<"), COV_STR_INIT(" < ") },
};

typedef struct having_term {
    cov_str text;
    cov_str alias;
    const operator_row *op;
    cov_str value;
} having_term;

/* What an alias stands for. */
typedef struct having_target {
    bool count;
    bool grouped;
    cov_metric metric;
    const cov_column *column;
} having_target;

static cov_status invalid(cov_ctx *ctx, cov_str term)
{
    return cov_fail(ctx->err, COV_EINVAL, "Invalid having expression: %.*s", COV_STR_ARG(term));
}

static bool is_alias_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static cov_status parse_term(cov_ctx *ctx, cov_str text, having_term *out)
{
    size_t end = 0;
    cov_str rest;

    out->text = text;
    out->op = NULL;
    while (end < text.len && is_alias_char(text.ptr[end]))
        end++;
    out->alias = cov_str_slice(text, 0, end);
    rest = cov_str_trim(cov_str_slice(text, end, text.len));
    for (size_t i = 0; out->op == NULL && i < COV_COUNT_OF(operators); i++)
        if (cov_str_starts(rest, operators[i].token))
            out->op = &operators[i];
    if (end == 0 || out->op == NULL)
        return invalid(ctx, text);
    out->value = cov_str_trim(cov_str_slice(rest, out->op->token.len, rest.len));
    return out->value.len != 0 ? COV_OK : invalid(ctx, text);
}

static const cov_column *listed(const cov_field_list *list, cov_str name)
{
    for (size_t i = 0; i < list->n; i++)
        if (cov_str_eq(list->items[i]->name, name))
            return list->items[i];
    return NULL;
}

/* "sum_views" -> sum of views, when this request asks for it. */
static const cov_column *metric_alias(const cov_aggregate *a, cov_metric metric, cov_str alias)
{
    cov_str name = cov_str_from(cov__metric_names[metric]);

    if (!cov_str_starts(alias, name) || alias.len <= name.len || alias.ptr[name.len] != '_')
        return NULL;
    return listed(&a->metrics[metric], cov_str_slice(alias, name.len + 1, alias.len));
}

static bool find_target(const cov_aggregate *a, cov_str alias, having_target *out)
{
    out->count = a->count && cov_str_eq(alias, COV_STR("count"));
    out->grouped = false;
    out->column = NULL;
    if (out->count)
        return true;
    for (int m = 0; m < COV_N_METRICS; m++) {
        out->metric = (cov_metric)m;
        out->column = metric_alias(a, out->metric, alias);
        if (out->column != NULL)
            return true;
    }
    out->grouped = true;
    out->column = listed(&a->group_by, alias);
    return out->column != NULL;
}

/* Without surrounding quotes; \" and \\ inside them stand for " and \. */
static cov_str unquote(cov_ctx *ctx, cov_str value)
{
    cov_buf out = COV_BUF_IN(ctx->arena);

    if (value.len < 2 || value.ptr[0] != '"' || value.ptr[value.len - 1] != '"')
        return value;
    for (size_t i = 1; i + 1 < value.len; i++) {
        if (value.ptr[i] == '\\' && i + 2 < value.len &&
            (value.ptr[i + 1] == '"' || value.ptr[i + 1] == '\\'))
            i++;
        cov_buf_char(&out, value.ptr[i]);
    }
    return out.ptr != NULL ? cov_buf_view(&out) : COV_STR("");
}

static bool number_value(cov_str text, cov_value *out)
{
    if (cov_parse_i64(text, &out->i)) {
        out->type = COV_INT;
        return true;
    }
    out->type = COV_REAL;
    return cov_parse_double(text, &out->r);
}

static bool bool_value(cov_str text, cov_value *out)
{
    bool yes = cov_str_eq(text, COV_STR("true"));

    if (!yes && !cov_str_eq(text, COV_STR("false")))
        return number_value(text, out);
    *out = cov_value_int(yes);
    return true;
}

static bool time_value(cov_ctx *ctx, const cov_column *column, cov_str text, cov_value *out)
{
    char canonical[COV_TIME_TEXT_BYTES];
    int64_t ms;

    if (!cov_time_parse_literal(text, &ms) && !cov_parse_i64(text, &ms))
        return false;
    if (column->type == COV_TYPE_TIMESTAMP && ms % 1000 != 0)
        *out = cov_value_real((double)ms / 1000);
    else if (column->type == COV_TYPE_DATETIME)
        *out = cov_value_text(
            cov_arena_str(ctx->arena, cov_str_of(canonical, cov_time_format(ms, canonical))));
    else
        *out = cov_value_int(column->type == COV_TYPE_TIMESTAMP ? ms / 1000 : ms);
    return true;
}

static bool term_value(cov_ctx *ctx, const having_target *target, cov_str text, cov_value *out)
{
    bool counts = target->count || (!target->grouped && target->metric <= COV_METRIC_AVG);
    cov_str plain = unquote(ctx, text);

    if (counts)
        return number_value(text, out);
    switch (target->column->class_) {
    case COV_CLASS_NUM:
        return number_value(plain, out);
    case COV_CLASS_BOOL:
        return bool_value(plain, out);
    case COV_CLASS_TIME:
        return time_value(ctx, target->column, plain, out);
    default:
        *out = cov_value_text(plain);
        return true;
    }
}

static cov_status term_sql(cov_ctx *ctx, const cov_aggregate *a, cov_str text, cov_sql *sql)
{
    having_target target;
    having_term term;
    cov_value value = cov_value_null();
    cov_status st = parse_term(ctx, text, &term);

    if (st != COV_OK)
        return st;
    if (!find_target(a, term.alias, &target))
        return cov_fail(ctx->err, COV_EINVAL, "Unknown having field: %.*s",
                        COV_STR_ARG(term.alias));
    if (!term_value(ctx, &target, term.value, &value))
        return invalid(ctx, text);
    if (target.count)
        COV_SQL(sql, "count(*)");
    else if (target.grouped)
        cov_sql_str(sql, target.column->quoted);
    else
        cov__metric_sql(a, target.metric, target.column, sql);
    cov_sql_str(sql, term.op->sql);
    cov_sql_param(sql, value);
    return COV_OK;
}

/* Up to the next ";" that is not inside double quotes. */
static cov_str next_term(cov_str *rest)
{
    bool quoted = false;
    cov_str term;
    size_t i = 0;

    for (; i < rest->len && (quoted || rest->ptr[i] != ';'); i++) {
        if (quoted && rest->ptr[i] == '\\')
            i++;
        else if (rest->ptr[i] == '"')
            quoted = !quoted;
    }
    term = cov_str_trim(cov_str_slice(*rest, 0, i));
    *rest = cov_str_slice(*rest, i + 1, rest->len);
    return term;
}

cov_status cov__having_sql(const cov_resource *r, cov_ctx *ctx, const cov_aggregate *a,
                           cov_sql *sql)
{
    cov_str rest = cov_param_get(ctx, COV_PARAM_HAVING);
    cov_status st = COV_OK;
    size_t n = 0;

    (void)r;
    while (st == COV_OK && rest.len != 0) {
        cov_str term = next_term(&rest);

        if (term.len == 0)
            continue;
        cov_sql_str(sql, n++ == 0 ? COV_STR(" HAVING ") : COV_STR(" AND "));
        st = term_sql(ctx, a, term, sql);
    }
    return st;
}
