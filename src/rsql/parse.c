/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: recursive descent over the grammar of spec/02 section 2, one pass, no backtracking. Recursion
 * happens only at "(", so the depth limit, never above COV__RSQL_MAX_NESTING, bounds the stack.
 * Groups leave no node: a chain never holds an operand of its own kind, so redundant parentheses cost
 * neither SQL nor evaluation anything.
 */
#include "base/json.h"
#include "rsql/lex.h"

typedef struct parser {
    cov__lexer lex;
    const cov_table *table;
    cov_rsql_limits limits;
    size_t nodes;
    bool has_path; /* a dotted selector was seen */
} parser;

static const cov_rsql_policy default_policy = { .limits = COV_RSQL_DEFAULT_LIMITS };

static cov_status suggest_limit(parser *p, cov_status st, const char *format, size_t limit)
{
    char text[64];
    cov_buf buf = { text, 0, sizeof text, sizeof text, NULL, false };
    const char *mark = strchr(format, '#');

    cov_buf_append(&buf, format, (size_t)(mark - format));
    cov_buf_u64(&buf, limit);
    cov_buf_str(&buf, cov_str_from(mark + 1));
    cov_error_member_str(p->lex.err, "suggestion", cov_buf_view(&buf));
    return st;
}

static cov_status fail_at_position(parser *p, cov_status st, size_t offset)
{
    cov_error_member(p->lex.err, "\"position\":%zu", cov__lex_utf16_offset(p->lex.text, offset));
    return st;
}

static cov_status check_term_limits(parser *p, size_t depth)
{
    size_t max_depth = p->limits.max_depth;

    if (max_depth == 0 || max_depth > COV__RSQL_MAX_NESTING)
        max_depth = COV__RSQL_MAX_NESTING;
    p->nodes++;
    if (p->limits.max_nodes != 0 && p->nodes > p->limits.max_nodes)
        return suggest_limit(p,
                             COV__RSQL_FAIL(p->lex.err, p->lex.at,
                                            "Filter has too many conditions"),
                             "Maximum # conditions allowed", p->limits.max_nodes);
    if (depth > max_depth)
        return suggest_limit(p,
                             COV__RSQL_FAIL(p->lex.err, p->lex.at, "Filter is too deeply nested"),
                             "Maximum nesting depth is #", max_depth);
    return COV_OK;
}

static cov_rsql_node *new_node(parser *p, cov__node_kind kind)
{
    cov_rsql_node *node = COV_NEW(p->lex.arena, cov_rsql_node);

    if (node != NULL)
        node->kind = kind;
    return node;
}

static cov_status fail_field(parser *p, cov_str selector, size_t offset)
{
    cov_error *err = p->lex.err;
    cov_status st =
        COV__RSQL_FAIL(err, offset, "Field '%.*s' is not filterable", COV_STR_ARG(selector));
    cov_buf list = COV_BUF_INIT;

    if (err == NULL || err->arena == NULL)
        return st;
    list.arena = err->arena;
    for (size_t i = 0; i < p->table->n_columns; i++) {
        if (!p->lex.policy->fields[i])
            continue;
        if (list.len != 0)
            cov_buf_char(&list, ',');
        cov_json_str(&list, p->table->columns[i].name);
    }
    if (!list.failed)
        cov_error_member(err, "\"allowedFields\":[%.*s]", COV_STR_ARG(cov_buf_view(&list)));
    return st;
}

static bool is_filterable(const parser *p, cov_str selector)
{
    const cov_column *column;

    if (p->lex.policy->fields == NULL || p->table == NULL || p->lex.trusted)
        return true;
    column = cov_table_column(p->table, selector);
    return column != NULL && p->lex.policy->fields[column->index];
}

static cov_status parse_comparison(parser *p, cov_rsql_node **out)
{
    cov_rsql_node *node = new_node(p, COV__NODE_COMPARE);
    bool is_path;
    cov_status st;

    if (node == NULL)
        return cov_fail_nomem(p->lex.err);
    node->compare.offset = p->lex.at;
    if (!cov__lex_selector(&p->lex, &node->compare.selector, &is_path))
        return COV__RSQL_FAIL(p->lex.err, p->lex.at, "Invalid identifier start");
    if (is_path)
        p->has_path = true;
    else if (!is_filterable(p, node->compare.selector))
        return fail_field(p, node->compare.selector, node->compare.offset);
    cov__lex_space(&p->lex);
    if ((st = cov__lex_operator(&p->lex, &node->compare.op)) != COV_OK)
        return st;
    cov__lex_space(&p->lex);
    *out = node;
    return cov__lex_value(&p->lex, &node->compare.value);
}

/* `*` and the deny sentinel, which composed scopes contain as whole terms (F-21). */
static bool parse_scope_term(parser *p, cov_rsql_node **out)
{
    if (!p->lex.trusted)
        return false;
    if (cov__lex_word(&p->lex, COV_STR("*")))
        *out = new_node(p, COV__NODE_ALL);
    else if (cov__lex_word(&p->lex, COV_STR(COV__RSQL_DENY)))
        *out = new_node(p, COV__NODE_NONE);
    else
        return false;
    return true;
}

static cov_status parse_or(parser *p, size_t depth, cov_rsql_node **out);

static cov_status parse_group(parser *p, size_t depth, cov_rsql_node **out)
{
    size_t open = p->lex.at++;
    cov_status st;

    cov__lex_space(&p->lex);
    if (!cov__lex_end(&p->lex)) {
        if ((st = parse_or(p, depth + 1, out)) != COV_OK)
            return st;
        cov__lex_space(&p->lex);
    }
    if (cov__lex_peek(&p->lex) != ')')
        return fail_at_position(p,
                                COV__RSQL_FAIL(p->lex.err, open,
                                               "Unterminated parenthesis in filter expression"),
                                open);
    p->lex.at++;
    return COV_OK;
}

static cov_status parse_term(parser *p, size_t depth, cov_rsql_node **out)
{
    cov_status st = check_term_limits(p, depth);

    if (st != COV_OK)
        return st;
    if (cov__lex_peek(&p->lex) == '(')
        st = parse_group(p, depth, out);
    else if (!parse_scope_term(p, out))
        st = parse_comparison(p, out);
    else if (*out == NULL)
        st = cov_fail_nomem(p->lex.err);
    if (st == COV_OK)
        cov__lex_space(&p->lex);
    return st;
}

/* Add an operand; one of the chain's own kind gives its operands instead. */
static void chain_add(cov_rsql_node *chain, cov_rsql_node *operand)
{
    bool same = operand->kind == chain->kind;
    cov_rsql_node *first = same ? operand->chain.first : operand;

    if (chain->chain.last == NULL)
        chain->chain.first = first;
    else
        chain->chain.last->next = first;
    chain->chain.last = same ? operand->chain.last : operand;
    chain->chain.count += same ? operand->chain.count : 1;
}

typedef struct chain_rule {
    cov__node_kind kind;
    cov_str words[4];
} chain_rule;

static const chain_rule and_rule = {
    COV__NODE_AND,
    { COV_STR_INIT(";"), COV_STR_INIT("&&"), COV_STR_INIT("and"), COV_STR_INIT("AND") },
};
static const chain_rule or_rule = {
    COV__NODE_OR,
    { COV_STR_INIT(","), COV_STR_INIT("||"), COV_STR_INIT("or"), COV_STR_INIT("OR") },
};

static bool take_combinator(parser *p, const chain_rule *rule)
{
    for (size_t i = 0; i < COV_COUNT_OF(rule->words); i++)
        if (cov__lex_word(&p->lex, rule->words[i]))
            return true;
    return false;
}

static cov_status parse_and(parser *p, size_t depth, cov_rsql_node **out);

static cov_status parse_chain(parser *p, const chain_rule *rule, size_t depth, cov_rsql_node **out)
{
    cov_status (*operand)(parser *, size_t, cov_rsql_node **) =
        rule->kind == COV__NODE_OR ? parse_and : parse_term;
    cov_rsql_node *chain = NULL;
    cov_rsql_node *first = NULL;
    cov_status st = operand(p, depth, &first);

    if (st != COV_OK)
        return st;
    while (take_combinator(p, rule)) {
        cov_rsql_node *next = NULL;

        cov__lex_space(&p->lex);
        if (cov__lex_end(&p->lex)) /* a trailing combinator is forgiven here only */
            break;
        if ((st = operand(p, depth, &next)) != COV_OK)
            return st;
        if (chain == NULL) {
            chain = new_node(p, rule->kind);
            if (chain == NULL)
                return cov_fail_nomem(p->lex.err);
            chain_add(chain, first);
        }
        chain_add(chain, next);
    }
    *out = chain != NULL ? chain : first;
    return COV_OK;
}

static cov_status parse_and(parser *p, size_t depth, cov_rsql_node **out)
{
    return parse_chain(p, &and_rule, depth, out);
}

static cov_status parse_or(parser *p, size_t depth, cov_rsql_node **out)
{
    return parse_chain(p, &or_rule, depth, out);
}

static cov_status parse_filter(parser *p, cov_rsql_node **out)
{
    size_t max_bytes = p->limits.max_bytes;
    cov_status st;

    cov__lex_space(&p->lex);
    if (cov__lex_end(&p->lex))
        return COV_OK;
    if (max_bytes != 0 && p->lex.text.len > max_bytes)
        return suggest_limit(p,
                             COV__RSQL_FAIL(p->lex.err, max_bytes, "Filter exceeds maximum length"),
                             "Maximum filter length is # characters", max_bytes);
    if ((st = parse_or(p, 0, out)) != COV_OK)
        return st;
    if (!cov__lex_end(&p->lex)) {
        cov_str rest = cov_str_slice(p->lex.text, p->lex.at, p->lex.text.len);

        st = COV__RSQL_FAIL(p->lex.err, p->lex.at,
                            "Unexpected input after parsing filter expression: %.*s",
                            COV_STR_ARG(rest));
        return fail_at_position(p, st, p->lex.at);
    }
    if (p->has_path && !p->lex.trusted)
        return COV__RSQL_FAIL(p->lex.err, COV_NO_OFFSET,
                              "Relation paths are not allowed in filter queries");
    return COV_OK;
}

cov_status cov_rsql_parse(cov_arena *arena, cov_str text, const cov_table *table,
                          const cov_rsql_policy *policy, const cov_rsql_node **out, cov_error *err)
{
    parser p = { .table = table };
    cov_rsql_node *root = NULL;
    cov_status st = COV_OK;

    if (policy == NULL)
        policy = &default_policy;
    p.lex = (cov__lexer){
        .arena = arena, .text = text, .trusted = policy->trusted, .policy = policy, .err = err
    };
    if (!policy->trusted)
        p.limits = policy->limits;
    if (cov_str_eq(text, COV_STR(COV__RSQL_DENY))) {
        root = new_node(&p, COV__NODE_NONE);
        if (root == NULL)
            return cov_fail_nomem(err);
    } else {
        st = parse_filter(&p, &root);
    }
    if (st == COV_OK)
        *out = root;
    return st;
}
