/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: bound predicate -> SQL text and parameters, in SQLite's spelling.
 *
 * Every choice of words is in the tables at the top, one column a dialect; PostgreSQL becomes another
 * entry. In a template $c is the column (as its text where that matters), $p the bound operand, $a the
 * operand in ASCII lower case (for engines whose lower() knows ASCII only), $g and $h the LIKE pattern as a GLOB
 * (of $p, of $a), $n the operand's length in code points, $m its negative.
 *
 * What must hold: the left side is the bare column wherever SQLite's comparison of it is exactly ours, so
 * that an index serves; text compares with COLLATE BINARY whatever the column declares, because
 * evaluation in memory compares bytes; and no operand is ever written into the text.
 */
#include "base/json.h"
#include "base/utf8.h"
#include "rsql/expr.h"

enum {
    CHAIN_BLOCK = 16,   /* operands per parenthesised block of a long chain: D1 allows 100 levels */
    JSON_LIST_FROM = 51 /* an =in= of so many elements is one JSON parameter: D1 allows 100 */
};

typedef struct spelling {
    const char *text;   /* $c as the text that JavaScript would print, nothing but text and blobs */
    const char *lower;  /* of any value */
    const char *length; /* code points of any value */
    const char *match[COV__REGEX + 1][2]; /* by cov__match, then icase */
} spelling;

/* With the functions of driver/db/sqlite/functions.c. */
static const spelling sqlite_with_functions = {
    .text = "cov_text($c)",
    .lower = "cov_lower($c)",
    .length = "cov_length($c)",
    .match = {
        [COV__LIKE] = { "cov_like($p, $c)", "cov_ilike($p, $c)" },
        [COV__CONTAINS] = { "cov_contains($p, $c)", "cov_icontains($p, $c)" },
        [COV__STARTS] = { "cov_starts($p, $c)", "cov_istarts($p, $c)" },
        [COV__ENDS] = { "cov_ends($p, $c)", "cov_iends($p, $c)" },
        [COV__REGEX] = { "cov_regex($p, 0, $c)", "cov_regex($p, 1, $c)" },
    },
};

/* SQLite without extensions (D1): text up to a NUL, ASCII case, numbers as SQLite prints them. */
static const spelling sqlite_plain = {
    .text = "CAST($c AS TEXT)",
    .lower = "lower($c)",
    .length = "length($c)",
    .match = {
        [COV__LIKE] = { "$c GLOB $g", "lower($c) GLOB $h" },
        [COV__CONTAINS] = { "instr($c, $p) > 0", "instr(lower($c), $a) > 0" },
        [COV__STARTS] = { "substr($c, 1, $n) = $p", "substr(lower($c), 1, $n) = $a" },
        [COV__ENDS] = { "substr($c, $m) = $p", "substr(lower($c), $m) = $a" },
        [COV__REGEX] = { "1 = 0", "1 = 0" }, /* cov_rsql_check_db refuses it before */
    },
};

static const char *const relations[] = {
    [COV__EQ] = " = ",  [COV__NE] = " <> ", [COV__LT] = " < ",
    [COV__LE] = " <= ", [COV__GT] = " > ",  [COV__GE] = " >= ",
};

static bool has_functions(uint32_t caps)
{
    return (caps & COV_DB_CAP_FUNCTIONS) != 0;
}

static const spelling *spelling_of(const cov_sql *sql)
{
    return has_functions(sql->caps) ? &sqlite_with_functions : &sqlite_plain;
}

static void put(cov_sql *sql, const char *text)
{
    cov_buf_append(&sql->text, text, strlen(text));
}

/* --- operands in other forms --- */

static void param_text(cov_sql *sql, cov_buf *built)
{
    if (built->failed)
        sql->text.failed = true;
    else
        cov_sql_param(sql, cov_value_text(built->ptr != NULL ? cov_buf_view(built) : COV_STR("")));
}

static cov_str ascii_lower(cov_sql *sql, cov_str text)
{
    char *out = cov_arena_alloc(sql->text.arena, text.len);

    if (out == NULL) {
        sql->text.failed = true;
        return COV_STR("");
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return cov_str_of(out, text.len);
}

/* The LIKE pattern of section 7.3 as a GLOB. */
static void param_glob(cov_sql *sql, cov_str pattern)
{
    cov_buf glob = COV_BUF_INIT;

    glob.arena = sql->text.arena;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        bool literal = c == '\\' && i + 1 < pattern.len;

        if (literal)
            c = pattern.ptr[++i];
        if (!literal && (c == '%' || c == '_')) {
            cov_buf_char(&glob, c == '%' ? '*' : '?');
        } else if (c == '*' || c == '?' || c == '[') {
            cov_buf_char(&glob, '[');
            cov_buf_char(&glob, c);
            cov_buf_char(&glob, ']');
        } else {
            cov_buf_char(&glob, c);
        }
    }
    param_text(sql, &glob);
}

static void param_length(cov_sql *sql, cov_str text, bool negative)
{
    int64_t length = (int64_t)cov_utf8_count(text);

    cov_sql_param(sql, cov_value_int(negative ? -length : length));
}

static void put_template(cov_sql *sql, const char *template, const cov_rsql_expr *e)
{
    for (const char *at = template; *at != '\0'; at++) {
        if (*at != '$') {
            cov_buf_char(&sql->text, *at);
            continue;
        }
        switch (*++at) {
        case 'c':
            cov_sql_str(sql, e->column->quoted);
            break;
        case 'p':
            cov_sql_param(sql, cov_value_text(e->pattern));
            break;
        case 'a':
            cov_sql_param(sql, cov_value_text(ascii_lower(sql, e->original)));
            break;
        case 'g':
            param_glob(sql, e->pattern);
            break;
        case 'h':
            param_glob(sql, ascii_lower(sql, e->original));
            break;
        default:
            param_length(sql, e->original, *at == 'm');
            break;
        }
    }
}

/* --- comparisons --- */

/* What is compared, with COLLATE where the engine would otherwise use the column's own collation. */
static void put_subject(cov_sql *sql, const cov_rsql_expr *e, const cov_value *operand)
{
    const spelling *words = spelling_of(sql);

    switch (e->view) {
    case COV__VIEW_TEXT:
        if (!e->text_affinity) {
            put_template(sql, words->text, e);
            return;
        }
        break;
    case COV__VIEW_LOWER:
        put_template(sql, words->lower, e);
        return;
    case COV__VIEW_LENGTH:
        put_template(sql, words->length, e);
        return;
    case COV__VIEW_RAW:
        /* Text affinity would turn the operand into text; a plus takes the affinity away. */
        if (e->text_affinity && operand->type != COV_TEXT)
            cov_buf_char(&sql->text, '+');
        break;
    }
    cov_sql_str(sql, e->column->quoted);
    if (operand->type == COV_TEXT)
        COV_SQL(sql, " COLLATE BINARY");
}

static void put_compare(cov_sql *sql, const cov_rsql_expr *e)
{
    cov_value operand = e->values.items[0];

    if (e->view == COV__VIEW_LOWER && !has_functions(sql->caps))
        operand = cov_value_text(ascii_lower(sql, e->original));
    put_subject(sql, e, &operand);
    put(sql, relations[e->arg]);
    cov_sql_param(sql, operand);
}

static void put_between(cov_sql *sql, const cov_rsql_expr *e)
{
    put_subject(sql, e, &e->values.items[0]);
    put(sql, e->negate ? " NOT BETWEEN " : " BETWEEN ");
    cov_sql_param(sql, e->values.items[0]);
    COV_SQL(sql, " AND ");
    cov_sql_param(sql, e->values.items[1]);
}

/* JSON carries whole numbers and text exactly; a fraction, a NUL or broken UTF-8 it does not. */
static bool fits_json(const cov_value *v)
{
    if (v->type == COV_TEXT)
        return (v->s.len == 0 || memchr(v->s.ptr, '\0', v->s.len) == NULL) && cov_utf8_valid(v->s);
    return v->type == COV_INT;
}

static bool all_fit_json(const cov_rsql_expr *e)
{
    for (size_t i = 0; i < e->values.count; i++)
        if (!fits_json(&e->values.items[i]))
            return false;
    return true;
}

static void param_json_list(cov_sql *sql, const cov_rsql_expr *e)
{
    cov_buf json = COV_BUF_INIT;

    json.arena = sql->text.arena;
    for (size_t i = 0; i < e->values.count; i++) {
        const cov_value *v = &e->values.items[i];

        cov_buf_char(&json, i == 0 ? '[' : ',');
        if (v->type == COV_INT)
            cov_buf_i64(&json, v->i);
        else
            cov_json_str(&json, v->s);
    }
    cov_buf_char(&json, ']');
    param_text(sql, &json);
}

static void put_list(cov_sql *sql, const cov_rsql_expr *e)
{
    put_subject(sql, e, &e->values.items[0]);
    put(sql, e->negate ? " NOT IN (" : " IN (");
    if (e->values.count >= JSON_LIST_FROM && all_fit_json(e)) {
        COV_SQL(sql, "SELECT value FROM json_each(");
        param_json_list(sql, e);
        COV_SQL(sql, "))");
        return;
    }
    for (size_t i = 0; i < e->values.count; i++) {
        if (i != 0)
            COV_SQL(sql, ", ");
        cov_sql_param(sql, e->values.items[i]);
    }
    cov_buf_char(&sql->text, ')');
}

/* lower(c) IN ('true', '1') for the boolean literals of a text column. */
static void put_words(cov_sql *sql, const cov_rsql_expr *e)
{
    static const cov_str words[2][2] = {
        { COV_STR_INIT("true"), COV_STR_INIT("1") },
        { COV_STR_INIT("false"), COV_STR_INIT("0") },
    };
    bool first = true;

    put_template(sql, spelling_of(sql)->lower, e);
    put(sql, e->negate ? " NOT IN (" : " IN (");
    for (size_t w = 0; w < 2; w++) {
        if ((e->words & (w == 0 ? COV__WORD_TRUE : COV__WORD_FALSE)) == 0)
            continue;
        for (size_t i = 0; i < 2; i++) {
            if (!first)
                COV_SQL(sql, ", ");
            first = false;
            cov_sql_param(sql, cov_value_text(words[w][i]));
        }
    }
    cov_buf_char(&sql->text, ')');
}

static void put_in(cov_sql *sql, const cov_rsql_expr *e)
{
    if (e->words == 0) {
        put_list(sql, e);
    } else if (e->values.count == 0) {
        put_words(sql, e);
    } else {
        cov_buf_char(&sql->text, '(');
        put_list(sql, e);
        put(sql, e->negate ? " AND " : " OR ");
        put_words(sql, e);
        cov_buf_char(&sql->text, ')');
    }
}

/* --- text operators --- */

/* The literal text that every match begins with. */
static cov_str literal_prefix(cov_sql *sql, const cov_rsql_expr *e)
{
    cov_str pattern = e->pattern;
    size_t len = 0;
    char *out;

    if (e->arg == COV__STARTS)
        return pattern;
    if (e->arg != COV__LIKE)
        return COV_STR("");
    out = cov_arena_alloc(sql->text.arena, pattern.len);
    if (out == NULL)
        return COV_STR("");
    for (size_t i = 0; i < pattern.len && pattern.ptr[i] != '%' && pattern.ptr[i] != '_'; i++) {
        if (pattern.ptr[i] == '\\' && i + 1 < pattern.len)
            i++;
        out[len++] = pattern.ptr[i];
    }
    return cov_str_of(out, len);
}

/* The least text above every text that begins with `prefix`: its last code point plus one. ptr NULL: none. */
static cov_str successor(cov_sql *sql, cov_str prefix)
{
    cov_buf out = COV_BUF_INIT;
    uint32_t last = 0x10FFFF;
    size_t keep = prefix.len;

    while (keep > 0 && last == 0x10FFFF) {
        size_t at;

        do
            keep--;
        while (keep > 0 && ((unsigned char)prefix.ptr[keep] & 0xC0) == 0x80);
        at = keep;
        last = cov_utf8_next(prefix, &at);
    }
    if (last == 0x10FFFF)
        return COV_STR_NULL;
    out.arena = sql->text.arena;
    cov_buf_append(&out, prefix.ptr, keep);
    cov_utf8_append(&out, last + 1 == 0xD800 ? 0xE000 : last + 1);
    return out.failed ? COV_STR_NULL : cov_buf_view(&out);
}

/* A range in front of the real test lets an index narrow the rows. */
static bool put_prefix_range(cov_sql *sql, const cov_rsql_expr *e)
{
    cov_str prefix;
    cov_str above;

    if (e->icase || e->negate || e->column->class_ != COV_CLASS_TEXT || !e->text_affinity)
        return false;
    prefix = literal_prefix(sql, e);
    if (prefix.len == 0 || !cov_utf8_valid(prefix))
        return false;
    cov_buf_char(&sql->text, '(');
    cov_sql_str(sql, e->column->quoted);
    COV_SQL(sql, " COLLATE BINARY >= ");
    cov_sql_param(sql, cov_value_text(prefix));
    above = successor(sql, prefix);
    if (above.ptr != NULL) {
        COV_SQL(sql, " AND ");
        cov_sql_str(sql, e->column->quoted);
        COV_SQL(sql, " COLLATE BINARY < ");
        cov_sql_param(sql, cov_value_text(above));
    }
    COV_SQL(sql, " AND ");
    return true;
}

static void put_match(cov_sql *sql, const cov_rsql_expr *e)
{
    bool ranged = put_prefix_range(sql, e);

    if (e->negate)
        COV_SQL(sql, "NOT (");
    put_template(sql, spelling_of(sql)->match[e->arg][e->icase], e);
    if (ranged || e->negate)
        cov_buf_char(&sql->text, ')');
}

static void put_empty(cov_sql *sql, const cov_rsql_expr *e)
{
    cov_value empty = cov_value_text(COV_STR(""));

    cov_buf_char(&sql->text, '(');
    cov_sql_str(sql, e->column->quoted);
    put(sql, e->negate ? " IS NOT NULL AND " : " IS NULL OR ");
    put_subject(sql, e, &empty);
    put(sql, e->negate ? " <> '')" : " = '')");
}

/* --- operators of the application --- */

/* It has no arena: what it binds may live on its stack, and it reads the column's name as C text. */
static void put_custom(cov_sql *sql, const cov_rsql_expr *e)
{
    const cov_operator *op = e->custom;
    cov_str column = cov_arena_str(sql->text.arena, e->column->quoted);

    if (column.ptr == NULL) {
        sql->text.failed = true;
        return;
    }
    sql->copies = true;
    cov_buf_char(&sql->text, '(');
    op->to_sql(sql, column, e->values.items, e->values.count, op->self);
    cov_buf_char(&sql->text, ')');
    sql->copies = false;
}

/* --- related rows --- */

static void put_qualified(cov_sql *sql, cov_str table, cov_str column)
{
    cov_sql_str(sql, table);
    COV_SQL(sql, ".");
    cov_sql_str(sql, column);
}

static void put_expr(cov_sql *sql, const cov_rsql_expr *e);

/*
 * The junction stands in a subquery of its own, so that the unqualified columns of the condition can only be those of the
 * target; its alias keeps it apart from the outer table, should that be the junction.
 */
static void put_exists(cov_sql *sql, const cov_rsql_expr *e)
{
    const cov_rsql_hop *hop = e->exists.hop;
    cov_str target = hop->target->quoted;

    COV_SQL(sql, "EXISTS (SELECT 1 FROM ");
    cov_sql_str(sql, target);
    COV_SQL(sql, " WHERE ");
    put_qualified(sql, target, hop->inner->quoted);
    if (hop->through.ptr != NULL) {
        COV_SQL(sql, " IN (SELECT ");
        put_qualified(sql, COV_STR("\"covara_through\""), hop->through_inner);
        COV_SQL(sql, " FROM ");
        cov_sql_str(sql, hop->through);
        COV_SQL(sql, " AS \"covara_through\" WHERE ");
        put_qualified(sql, COV_STR("\"covara_through\""), hop->through_outer);
    }
    COV_SQL(sql, " = ");
    put_qualified(sql, e->exists.outer, hop->outer->quoted);
    if (hop->through.ptr != NULL)
        COV_SQL(sql, ")");
    if (hop->deleted != NULL) {
        COV_SQL(sql, " AND ");
        put_qualified(sql, target, hop->deleted->quoted);
        COV_SQL(sql, " IS NULL");
    }
    COV_SQL(sql, " AND ");
    put_expr(sql, e->exists.where);
    COV_SQL(sql, ")");
}

/* --- the tree --- */

/* The operands [from, to) of a chain: flat when few, else in blocks, which keeps the expression shallow. */
static void put_operands(cov_sql *sql, const cov_rsql_expr *e, size_t from, size_t to)
{
    size_t step = 1;

    while ((to - from + step - 1) / step > CHAIN_BLOCK)
        step *= CHAIN_BLOCK;
    for (size_t i = from; i < to; i += step) {
        size_t end = to - i < step ? to : i + step;

        if (i != from)
            put(sql, e->kind == COV__EXPR_AND ? " AND " : " OR ");
        if (end - i == 1) {
            put_expr(sql, e->kids.items[i]);
        } else {
            cov_buf_char(&sql->text, '(');
            put_operands(sql, e, i, end);
            cov_buf_char(&sql->text, ')');
        }
    }
}

static void put_chain(cov_sql *sql, const cov_rsql_expr *e)
{
    bool parens = e->kind == COV__EXPR_OR;

    if (parens)
        cov_buf_char(&sql->text, '(');
    put_operands(sql, e, 0, e->kids.count);
    if (parens)
        cov_buf_char(&sql->text, ')');
}

static void put_expr(cov_sql *sql, const cov_rsql_expr *e)
{
    switch (e->kind) {
    case COV__EXPR_AND:
    case COV__EXPR_OR:
        put_chain(sql, e);
        break;
    case COV__EXPR_NEVER:
        COV_SQL(sql, "1 = 0");
        break;
    case COV__EXPR_ALWAYS:
        COV_SQL(sql, "1 = 1");
        break;
    case COV__EXPR_IS_NULL:
        cov_sql_str(sql, e->column->quoted);
        put(sql, e->negate ? " IS NOT NULL" : " IS NULL");
        break;
    case COV__EXPR_IS_EMPTY:
        put_empty(sql, e);
        break;
    case COV__EXPR_COMPARE:
        put_compare(sql, e);
        break;
    case COV__EXPR_IN:
        put_in(sql, e);
        break;
    case COV__EXPR_BETWEEN:
        put_between(sql, e);
        break;
    case COV__EXPR_MATCH:
        put_match(sql, e);
        break;
    case COV__EXPR_CUSTOM:
        put_custom(sql, e);
        break;
    case COV__EXPR_EXISTS:
        put_exists(sql, e);
        break;
    }
}

void cov_rsql_to_sql(const cov_rsql_expr *expr, cov_sql *sql)
{
    if (expr != NULL)
        put_expr(sql, expr);
    else
        COV_SQL(sql, "1 = 1");
}

cov_status cov_rsql_check_db(const cov_rsql_expr *expr, uint32_t caps, cov_error *err)
{
    cov_status st = COV_OK;

    if (expr == NULL || has_functions(caps))
        return COV_OK;
    if (expr->kind == COV__EXPR_AND || expr->kind == COV__EXPR_OR) {
        for (size_t i = 0; i < expr->kids.count && st == COV_OK; i++)
            st = cov_rsql_check_db(expr->kids.items[i], caps, err);
        return st;
    }
    if (expr->kind == COV__EXPR_EXISTS)
        return cov_rsql_check_db(expr->exists.where, caps, err);
    if (expr->kind == COV__EXPR_MATCH && expr->arg == COV__REGEX)
        return COV__RSQL_FAIL(err, COV_NO_OFFSET, "Operator '%s' is not supported by this database",
                              expr->icase ? "=iregex=" : "=regex=");
    return COV_OK;
}
