/* SPDX-License-Identifier: MIT */
#include "rsql/lex.h"

#include "base/json.h"
#include "base/num.h"
#include "base/utf8.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
    return is_name_start(c) || is_digit(c);
}

static char peek_at(const cov__lexer *lex, size_t at)
{
    return at < lex->text.len ? lex->text.ptr[at] : '\0';
}

static bool is_wide_space(uint32_t c)
{
    return c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

void cov__lex_space(cov__lexer *lex)
{
    while (lex->at < lex->text.len) {
        unsigned char c = (unsigned char)lex->text.ptr[lex->at];

        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            lex->at++;
        } else if (c >= 0x80) {
            size_t next = lex->at;

            if (!is_wide_space(cov_utf8_next(lex->text, &next)))
                return;
            lex->at = next;
        } else {
            return;
        }
    }
}

bool cov__lex_word(cov__lexer *lex, cov_str word)
{
    cov_str rest = cov_str_slice(lex->text, lex->at, lex->text.len);

    if (!cov_str_starts(rest, word))
        return false;
    if (is_name_start(word.ptr[0]) && word.len < rest.len && is_name(rest.ptr[word.len]))
        return false;
    lex->at += word.len;
    return true;
}

bool cov__lex_selector(cov__lexer *lex, cov_str *out, bool *is_path)
{
    size_t start = lex->at;

    *is_path = false;
    if (!is_name_start(cov__lex_peek(lex)))
        return false;
    for (;;) {
        while (is_name(cov__lex_peek(lex)))
            lex->at++;
        if (cov__lex_peek(lex) != '.' || !is_name_start(peek_at(lex, lex->at + 1)))
            break;
        *is_path = true;
        lex->at++;
    }
    *out = cov_str_slice(lex->text, start, lex->at);
    return true;
}

size_t cov__lex_utf16_offset(cov_str text, size_t offset)
{
    size_t units = 0;

    for (size_t i = 0; i < offset && i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if ((c & 0xC0) != 0x80)
            units += c >= 0xF0 ? 2 : 1;
    }
    return units;
}

static void put_token(cov_buf *list, cov_str token)
{
    if (list->len != 0)
        cov_buf_char(list, ',');
    cov_json_str(list, token);
}

static void add_operator_list(cov_error *err, const cov_str *tokens, size_t count,
                              const cov_operator *custom, size_t n_custom)
{
    cov_buf list = COV_BUF_INIT;

    if (err == NULL || err->arena == NULL)
        return;
    list.arena = err->arena;
    for (size_t i = 0; i < count; i++)
        put_token(&list, tokens[i]);
    for (size_t i = 0; i < n_custom; i++)
        put_token(&list, cov_str_from(custom[i].token));
    if (!list.failed)
        cov_error_member(err, "\"allowedOperators\":[%.*s]", COV_STR_ARG(cov_buf_view(&list)));
}

static cov_status suggest(cov__lexer *lex, cov_status st, const char *suggestion)
{
    cov_error_member_str(lex->err, "suggestion", cov_str_from(suggestion));
    return st;
}

/* No operator matched: say why. */
static cov_status fail_operator(cov__lexer *lex)
{
    size_t end = lex->at + 1;
    char first = cov__lex_peek(lex);
    cov_status st;

    if (cov__lex_end(lex))
        return suggest(lex, COV__RSQL_FAIL(lex->err, lex->at, "Invalid operator start"),
                       "Expected an operator");
    if (first != '=' && first != '!')
        return suggest(lex, COV__RSQL_FAIL(lex->err, lex->at, "Invalid operator"),
                       "Operators must start with = or ! or be symbolic (>, <, etc.)");
    while (is_name_start(peek_at(lex, end)))
        end++;
    if (peek_at(lex, end) != '=')
        return suggest(lex, COV__RSQL_FAIL(lex->err, lex->at, "Invalid operator format"),
                       "Operators must be in format =name= or symbolic (==, !=, etc.)");
    st = COV__RSQL_FAIL(lex->err, lex->at, "Unknown operator: %.*s",
                        COV_STR_ARG(cov_str_slice(lex->text, lex->at, end + 1)));
    suggest(lex, st, "Use a valid operator like ==, !=, =isnull=, =in=, etc.");
    add_operator_list(lex->err, cov_rsql_operators, cov_rsql_n_operators, lex->policy->custom,
                      lex->policy->n_custom);
    return st;
}

static bool is_allowed(const cov_rsql_policy *policy, cov_str token)
{
    if (policy->operators == NULL)
        return true;
    for (size_t i = 0; i < policy->n_operators; i++)
        if (cov_str_eq(policy->operators[i], token))
            return true;
    return false;
}

/* Go past the operator, which is there, if the caller may use it. */
static cov_status take_operator(cov__lexer *lex, cov_str token)
{
    const cov_rsql_policy *policy = lex->policy;
    cov_status st;

    if (!lex->trusted && !is_allowed(policy, token)) {
        st =
            COV__RSQL_FAIL(lex->err, lex->at, "Operator '%.*s' is not allowed", COV_STR_ARG(token));
        add_operator_list(lex->err, policy->operators, policy->n_operators, NULL, 0);
        return st;
    }
    lex->at += token.len;
    return COV_OK;
}

cov_status cov__lex_operator(cov__lexer *lex, cov__op_ref *out)
{
    cov_str rest = cov_str_slice(lex->text, lex->at, lex->text.len);
    const cov_rsql_policy *policy = lex->policy;

    for (size_t i = 0; i < cov_rsql_n_operators; i++) {
        if (cov_str_starts(rest, cov_rsql_operators[i])) {
            out->builtin = i;
            return take_operator(lex, cov_rsql_operators[i]);
        }
    }
    for (size_t i = 0; i < policy->n_custom; i++) {
        cov_str token = cov_str_from(policy->custom[i].token);

        if (cov_str_starts(rest, token)) {
            out->custom = &policy->custom[i];
            return take_operator(lex, token);
        }
    }
    return fail_operator(lex);
}

/* \" and \\ lose their backslash, in a scope \' too; any other sequence stays as it was written. */
static cov_str unescape(const cov__lexer *lex, cov_str raw)
{
    char *out = cov_arena_alloc(lex->arena, raw.len);
    size_t len = 0;

    if (out == NULL)
        return COV_STR_NULL;
    for (size_t i = 0; i < raw.len; i++) {
        char next = i + 1 < raw.len ? raw.ptr[i + 1] : '\0';

        if (raw.ptr[i] == '\\' && (next == '"' || next == '\\' || (next == '\'' && lex->trusted)))
            i++;
        out[len++] = raw.ptr[i];
    }
    return cov_str_of(out, len);
}

static cov_status lex_string(cov__lexer *lex, cov__literal *out)
{
    size_t open = lex->at++;
    bool escaped = false;

    while (!cov__lex_end(lex) && cov__lex_peek(lex) != '"') {
        if (cov__lex_peek(lex) == '\\') {
            escaped = true;
            lex->at++;
        }
        lex->at++;
    }
    if (cov__lex_end(lex))
        return COV__RSQL_FAIL(lex->err, open, "Unterminated string value");
    out->kind = COV__LIT_STRING;
    out->text = cov_str_slice(lex->text, open + 1, lex->at++);
    if (escaped) {
        out->text = unescape(lex, out->text);
        if (out->text.ptr == NULL)
            return cov_fail_nomem(lex->err);
    }
    return COV_OK;
}

static size_t skip_digits(cov__lexer *lex)
{
    size_t start = lex->at;

    while (is_digit(cov__lex_peek(lex)))
        lex->at++;
    return lex->at - start;
}

/* An exponent counts only when it is complete; otherwise its letter is left for the caller to refuse. */
static bool skip_exponent(cov__lexer *lex)
{
    size_t digits = lex->at + 1;

    if (cov__lex_peek(lex) != 'e' && cov__lex_peek(lex) != 'E')
        return false;
    if (peek_at(lex, digits) == '+' || peek_at(lex, digits) == '-')
        digits++;
    if (!is_digit(peek_at(lex, digits)))
        return false;
    lex->at = digits;
    skip_digits(lex);
    return true;
}

static cov_status lex_number(cov__lexer *lex, cov__literal *out)
{
    size_t start = lex->at;
    bool integer = true;
    size_t digits;
    cov_str text;

    if (cov__lex_peek(lex) == '+' || cov__lex_peek(lex) == '-')
        lex->at++;
    digits = skip_digits(lex);
    if (cov__lex_peek(lex) == '.') {
        lex->at++;
        integer = false;
        digits += skip_digits(lex);
    }
    if (digits == 0)
        return COV__RSQL_FAIL(lex->err, start, "Invalid number value");
    if (skip_exponent(lex))
        integer = false;
    text = cov_str_slice(lex->text, start, lex->at);
    if (integer && cov_parse_i64(text, &out->i)) {
        out->kind = COV__LIT_INT;
        return COV_OK;
    }
    out->kind = COV__LIT_REAL;
    if (!cov_parse_double(text, &out->r))
        return COV__RSQL_FAIL(lex->err, start, "Invalid number value");
    return COV_OK;
}

static cov_status lex_value(cov__lexer *lex, unsigned depth, cov__literal *out);

static cov_status lex_element(cov__lexer *lex, unsigned depth, cov__literal ***tail,
                              cov__literal *list)
{
    cov__literal *element = COV_NEW(lex->arena, cov__literal);

    if (element == NULL)
        return cov_fail_nomem(lex->err);
    **tail = element;
    *tail = &element->next;
    list->list.count++;
    return lex_value(lex, depth + 1, element);
}

static void start_list(cov__literal *out)
{
    out->kind = COV__LIT_LIST;
    out->list.first = NULL;
    out->list.count = 0;
}

static cov_status lex_set(cov__lexer *lex, unsigned depth, cov__literal *out)
{
    cov__literal **tail = &out->list.first;
    cov_status st;

    start_list(out);
    if (depth >= COV__RSQL_MAX_LIST_NESTING)
        return COV__RSQL_FAIL(lex->err, lex->at, "Invalid set value format");
    lex->at++;
    for (;;) {
        cov__lex_space(lex);
        if (cov__lex_end(lex))
            return COV__RSQL_FAIL(lex->err, lex->at, "Unterminated set value");
        if (cov__lex_peek(lex) == ')')
            break;
        if ((st = lex_element(lex, depth, &tail, out)) != COV_OK)
            return st;
        cov__lex_space(lex);
        if (cov__lex_peek(lex) == ')')
            break;
        if (cov__lex_peek(lex) != ',')
            return COV__RSQL_FAIL(lex->err, lex->at, "Invalid set value format");
        lex->at++;
    }
    lex->at++;
    return COV_OK;
}

static cov_status lex_range(cov__lexer *lex, unsigned depth, cov__literal *out)
{
    cov__literal **tail = &out->list.first;
    cov_status st;

    start_list(out);
    if (depth >= COV__RSQL_MAX_LIST_NESTING)
        return COV__RSQL_FAIL(lex->err, lex->at, "Invalid set value format");
    lex->at++;
    cov__lex_space(lex);
    if ((st = lex_element(lex, depth, &tail, out)) != COV_OK)
        return st;
    cov__lex_space(lex);
    if (cov__lex_peek(lex) != ',')
        return COV__RSQL_FAIL(lex->err, lex->at,
                              "Range must have exactly two values separated by comma");
    lex->at++;
    cov__lex_space(lex);
    if ((st = lex_element(lex, depth, &tail, out)) != COV_OK)
        return st;
    cov__lex_space(lex);
    if (cov__lex_peek(lex) != ']')
        return COV__RSQL_FAIL(lex->err, lex->at, "Unterminated range value");
    lex->at++;
    return COV_OK;
}

/* {user.id} or ${user.metadata.x}; false (and nothing consumed) when it is not one. */
static bool lex_placeholder(cov__lexer *lex, cov__literal *out)
{
    size_t at = lex->at;
    size_t start;

    if (!lex->trusted)
        return false;
    if (peek_at(lex, at) == '$')
        at++;
    if (peek_at(lex, at) != '{')
        return false;
    start = ++at;
    while (is_name(peek_at(lex, at)) || peek_at(lex, at) == '.' || peek_at(lex, at) == '-')
        at++;
    if (at == start || peek_at(lex, at) != '}')
        return false;
    out->kind = COV__LIT_PLACEHOLDER;
    out->text = cov_str_slice(lex->text, start, at);
    lex->at = at + 1;
    return true;
}

static bool lex_keyword(cov__lexer *lex, cov__literal *out)
{
    if (cov__lex_word(lex, COV_STR("true")))
        out->kind = COV__LIT_TRUE;
    else if (cov__lex_word(lex, COV_STR("false")))
        out->kind = COV__LIT_FALSE;
    else if (cov__lex_word(lex, COV_STR("null")))
        out->kind = COV__LIT_NULL;
    else
        return false;
    return true;
}

static cov_status lex_value(cov__lexer *lex, unsigned depth, cov__literal *out)
{
    char c = cov__lex_peek(lex);

    if (cov__lex_end(lex))
        return suggest(lex, COV__RSQL_FAIL(lex->err, lex->at, "Invalid value"),
                       "Expected a value (string, number, boolean, or null)");
    if (c == '"')
        return lex_string(lex, out);
    if (is_digit(c) || c == '+' || c == '-' || c == '.')
        return lex_number(lex, out);
    if (c == '(')
        return lex_set(lex, depth, out);
    if (c == '[')
        return lex_range(lex, depth, out);
    if (lex_keyword(lex, out) || lex_placeholder(lex, out))
        return COV_OK;
    return suggest(lex, COV__RSQL_FAIL(lex->err, lex->at, "Unknown value type"),
                   "Expected a quoted string, number, true, false, or null");
}

cov_status cov__lex_value(cov__lexer *lex, cov__literal *out)
{
    return lex_value(lex, 0, out);
}
