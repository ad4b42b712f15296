/* SPDX-License-Identifier: MIT */
/*
 * The `include` parameter (spec/01 section 13.2), with the reference's limits lifted: options and nesting
 * combine, equal names merge, separators inside quotes and brackets are text.
 */
#include "base/num.h"
#include "resource/include.h"

typedef struct include_parser {
    cov_ctx *ctx;
    int64_t max_depth;
    size_t n_nodes;
} include_parser;

/* The next `separator` outside quotes and brackets, or the end. */
static size_t top_level(cov_str s, size_t from, char separator)
{
    bool quoted = false;
    int depth = 0;
    size_t i = from;

    for (; i < s.len; i++) {
        char c = s.ptr[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (depth == 0 && c == separator)
            return i;
        else if (c == '(' || c == '[')
            depth++;
        else if ((c == ')' || c == ']') && depth > 0)
            depth--;
    }
    return i < s.len ? i : s.len;
}

static bool take(cov_str *rest, char separator, cov_str *part)
{
    size_t end;

    if (rest->len == 0)
        return false;
    end = top_level(*rest, 0, separator);
    *part = cov_str_trim(cov_str_slice(*rest, 0, end));
    *rest = cov_str_slice(*rest, end + 1, rest->len);
    return true;
}

/* Leading integer of an option's value; anything else keeps `otherwise`. */
static int64_t option_int(cov_str text, int64_t otherwise)
{
    int64_t value;
    size_t end = 0;

    while (end < text.len && text.ptr[end] >= '0' && text.ptr[end] <= '9')
        end++;
    return cov_parse_i64(cov_str_slice(text, 0, end), &value) ? value : otherwise;
}

static void read_options(cov_str text, cov_include *node)
{
    cov_str option;

    while (take(&text, ';', &option)) {
        size_t colon = cov_str_find(option, ':', 0);
        cov_str key = cov_str_trim(cov_str_slice(option, 0, colon));
        cov_str value = cov_str_trim(cov_str_slice(option, colon + 1, option.len));

        if (colon == option.len)
            continue;
        if (cov_str_eq(key, COV_STR("select")))
            node->select = value;
        else if (cov_str_eq(key, COV_STR("filter")))
            node->filter = value;
        else if (cov_str_eq(key, COV_STR("limit")))
            node->limit = option_int(value, -1);
        else if (cov_str_eq(key, COV_STR("offset")))
            node->offset = option_int(value, 0);
    }
}

/* The node of this relation among its siblings, made when it is new. */
static cov_status ensure(include_parser *p, cov_include **siblings, const cov_relation *relation,
                         cov_include **out)
{
    cov_include **at = siblings;

    while (*at != NULL && (*at)->relation != relation)
        at = &(*at)->next;
    *out = *at;
    if (*at != NULL)
        return COV_OK;
    if (p->n_nodes++ == COV_INCLUDE_MAX_NODES)
        return cov_fail(p->ctx->err, COV_EINVAL, "Too many includes (at most %d)",
                        COV_INCLUDE_MAX_NODES);
    *at = *out = COV_NEW(p->ctx->arena, cov_include);
    if (*out == NULL)
        return cov_fail_nomem(p->ctx->err);
    (*out)->relation = relation;
    (*out)->limit = -1;
    return COV_OK;
}

static size_t name_end(cov_str s)
{
    size_t end = 0;

    while (end < s.len && s.ptr[end] != '.' && s.ptr[end] != '(')
        end++;
    return end;
}

/* name(options).name(options)...; an unknown name ends the path silently, and so does too deep a level. */
static cov_status read_path(include_parser *p, const cov_resource *r, cov_str rest,
                            cov_include **siblings)
{
    for (int64_t level = 1; rest.len != 0 && level - 1 <= p->max_depth; level++) {
        size_t end = name_end(rest);
        const cov_relation *relation =
            cov__relation_named(r, cov_str_trim(cov_str_slice(rest, 0, end)));
        cov_include *node = NULL;
        cov_status st;

        if (relation == NULL)
            return COV_OK;
        st = ensure(p, siblings, relation, &node);
        if (st != COV_OK)
            return st;
        rest = cov_str_slice(rest, end, rest.len);
        if (rest.len != 0 && rest.ptr[0] == '(') {
            size_t close = top_level(cov_str_slice(rest, 1, rest.len), 0, ')') + 1;

            read_options(cov_str_slice(rest, 1, close), node);
            rest = cov_str_trim(cov_str_slice(rest, close + 1, rest.len));
        }
        if (rest.len == 0 || rest.ptr[0] != '.')
            return COV_OK;
        rest = cov_str_slice(rest, 1, rest.len);
        siblings = &node->children;
        r = relation->target;
    }
    return COV_OK;
}

cov_status cov__include_parse(const cov_resource *r, cov_ctx *ctx, cov_include **out)
{
    include_parser p = { ctx, r->config->include.max_depth, 0 };
    cov_str rest = cov_param_get(ctx, COV_PARAM_INCLUDE);
    cov_include *ignored = NULL;
    cov_status st = COV_OK;
    cov_str spec;

    *out = NULL;
    for (size_t i = 0; st == COV_OK && i < r->n_relations; i++)
        if (r->relations[i].eager)
            st = ensure(&p, out, &r->relations[i], &ignored);
    while (st == COV_OK && take(&rest, ',', &spec))
        st = read_path(&p, r, spec, out);
    return st;
}
