/* SPDX-License-Identifier: MIT */
#include "schema/ddl.h"

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_blank(cov_str sql, size_t at)
{
    while (at < sql.len) {
        cov_str rest = cov_str_slice(sql, at, sql.len);

        if (is_space(sql.ptr[at])) {
            at++;
        } else if (cov_str_starts(rest, COV_STR("--"))) {
            at = cov_str_find(sql, '\n', at);
        } else if (cov_str_starts(rest, COV_STR("/*"))) {
            /* An unclosed comment runs to the end, as in SQLite. */
            for (at += 2; at < sql.len &&
                          !(sql.ptr[at] == '*' && at + 1 < sql.len && sql.ptr[at + 1] == '/');)
                at++;
            at = at < sql.len ? at + 2 : at;
        } else {
            break;
        }
    }
    return at;
}

/* The end of a quoted text that starts at `at`: a doubled closing quote stands for itself. */
static size_t quoted_end(cov_str sql, size_t at, char close)
{
    for (at = cov_str_find(sql, close, at + 1); at < sql.len; at = cov_str_find(sql, close, at + 2))
        if (close == ']' || at + 1 >= sql.len || sql.ptr[at + 1] != close)
            return at + 1;
    return sql.len;
}

cov_ddl_token cov_ddl_next(cov_str sql, size_t *at)
{
    size_t from = skip_blank(sql, *at);
    size_t to = from;
    cov_ddl_kind kind = COV_DDL_END;

    if (from < sql.len) {
        char c = sql.ptr[from];

        if (c == '\'' || c == '"' || c == '`' || c == '[') {
            kind = c == '\'' ? COV_DDL_STRING : COV_DDL_QUOTED;
            to = quoted_end(sql, from, c == '[' ? ']' : c);
        } else if (is_word_byte(c)) {
            kind = COV_DDL_WORD;
            while (to < sql.len && is_word_byte(sql.ptr[to]))
                to++;
        } else {
            kind = COV_DDL_PUNCT;
            to = from + 1;
        }
    }
    *at = to;
    return (cov_ddl_token){ kind, cov_str_slice(sql, from, to), from };
}

bool cov_ddl_is_word(const cov_ddl_token *token, const char *word)
{
    return token->kind == COV_DDL_WORD && cov_str_eq_nocase(token->text, cov_str_from(word));
}

bool cov_ddl_is_punct(const cov_ddl_token *token, char c)
{
    return token->kind == COV_DDL_PUNCT && token->text.ptr[0] == c;
}

cov_str cov_ddl_unquote(cov_arena *arena, cov_str text)
{
    cov_buf out = COV_BUF_IN(arena);
    char open = text.len >= 2 ? text.ptr[0] : '\0';
    char close = open == '[' ? ']' : open;

    if (open != '\'' && open != '"' && open != '`' && open != '[')
        return cov_arena_str(arena, text);
    if (text.ptr[text.len - 1] == close)
        text.len--;
    for (size_t i = 1; i < text.len; i++) {
        cov_buf_char(&out, text.ptr[i]);
        if (close != ']' && text.ptr[i] == close)
            i++;
    }
    if (out.failed)
        return COV_STR_NULL;
    return out.len != 0 ? cov_buf_view(&out) : COV_STR("");
}

/* The index of the column that an identifier names, or -1. */
static int column_named(cov_arena *arena, const cov_table *table, cov_str identifier)
{
    cov_str name = cov_ddl_unquote(arena, identifier);

    for (size_t i = 0; i < table->n_columns; i++)
        if (cov_str_eq_nocase(table->columns[i].db_name, name))
            return (int)i;
    return -1;
}

static int first_column(cov_arena *arena, const cov_table *table, cov_str expression)
{
    size_t at = 0;
    cov_ddl_token token = cov_ddl_next(expression, &at);

    while (token.kind != COV_DDL_END) {
        cov_ddl_token next = cov_ddl_next(expression, &at);
        bool name = token.kind == COV_DDL_QUOTED ||
                    (token.kind == COV_DDL_WORD && !cov_ddl_is_punct(&next, '('));
        int column =
            name && !cov_ddl_is_punct(&next, '.') ? column_named(arena, table, token.text) : -1;

        if (column >= 0)
            return column;
        token = next;
    }
    return -1;
}

typedef struct names {
    cov_str *items;
    size_t n;
} names;

/* 'a', 'b') up to the end of the expression. False when anything else is found there. */
static bool read_strings(cov_arena *arena, cov_str expression, size_t at, names *out)
{
    size_t cap = 0;

    for (size_t i = at; i < expression.len; i++)
        cap += expression.ptr[i] == '\'';
    out->items = COV_NEW_ARRAY(arena, cov_str, cap / 2 + 1);
    while (out->items != NULL) {
        cov_ddl_token value = cov_ddl_next(expression, &at);
        cov_ddl_token separator = cov_ddl_next(expression, &at);

        if (value.kind != COV_DDL_STRING || separator.kind != COV_DDL_PUNCT)
            return false;
        out->items[out->n] = cov_ddl_unquote(arena, value.text);
        if (out->items[out->n++].ptr == NULL)
            return false;
        if (cov_ddl_is_punct(&separator, ')'))
            return cov_ddl_next(expression, &at).kind == COV_DDL_END;
        if (!cov_ddl_is_punct(&separator, ','))
            return false;
    }
    return false;
}

/* CHECK (status IN ('draft', 'done')) on a text column lists all the values it may have. */
static void read_enum(cov_arena *arena, cov_str expression, cov_table *table, int column)
{
    size_t at = 0;
    cov_ddl_token subject = cov_ddl_next(expression, &at);
    cov_ddl_token in = cov_ddl_next(expression, &at);
    cov_ddl_token open = cov_ddl_next(expression, &at);
    names values = { NULL, 0 };

    if (column < 0 || table->columns[column].type != COV_TYPE_TEXT ||
        subject.kind == COV_DDL_STRING || !cov_ddl_is_word(&in, "IN") ||
        !cov_ddl_is_punct(&open, '('))
        return;
    if (read_strings(arena, expression, at, &values)) {
        table->columns[column].enum_values = values.items;
        table->columns[column].n_enum_values = values.n;
    }
}

/* The text between the parenthesis before *at and its partner, behind which *at moves. */
static cov_str parenthesised(cov_str sql, size_t *at)
{
    size_t from = *at;
    int depth = 1;
    cov_ddl_token token = { COV_DDL_END, COV_STR_NULL, from };

    while (depth > 0) {
        token = cov_ddl_next(sql, at);
        if (token.kind == COV_DDL_END)
            break;
        depth += cov_ddl_is_punct(&token, '(') - cov_ddl_is_punct(&token, ')');
    }
    return cov_str_trim(cov_str_slice(sql, from, token.offset));
}

static size_t count_checks(cov_str sql)
{
    size_t n = 0;
    size_t at = 0;
    cov_ddl_token token;

    while ((token = cov_ddl_next(sql, &at)).kind != COV_DDL_END)
        n += cov_ddl_is_word(&token, "CHECK");
    return n;
}

/*
 * CHECK is a reserved word, so a bare one directly inside the column list is a constraint. Deeper ones
 * cannot occur, except as text that SQLite would have refused.
 */
cov_status cov_ddl_read_checks(cov_arena *arena, cov_str create_table, cov_table *table,
                               cov_error *err)
{
    cov_check_constraint *checks =
        COV_NEW_ARRAY(arena, cov_check_constraint, count_checks(create_table));
    size_t at = 0;
    int depth = 0;
    cov_str name = COV_STR_NULL;
    cov_ddl_token token;

    if (checks == NULL)
        return cov_fail_nomem(err);
    table->checks = checks;
    while ((token = cov_ddl_next(create_table, &at)).kind != COV_DDL_END) {
        depth += cov_ddl_is_punct(&token, '(') - cov_ddl_is_punct(&token, ')');
        if (depth == 1 && cov_ddl_is_word(&token, "CONSTRAINT")) {
            name = cov_ddl_unquote(arena, cov_ddl_next(create_table, &at).text);
            continue;
        }
        if (depth == 1 && cov_ddl_is_word(&token, "CHECK")) {
            cov_check_constraint *check = &checks[table->n_checks++];

            (void)cov_ddl_next(create_table, &at); /* the parenthesis */
            check->name = name;
            check->sql = parenthesised(create_table, &at);
            check->column = first_column(arena, table, check->sql);
            read_enum(arena, check->sql, table, check->column);
        }
        name = COV_STR_NULL;
    }
    return COV_OK;
}
