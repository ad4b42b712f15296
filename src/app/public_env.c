/* SPDX-License-Identifier: MIT */
#include "app/public_env.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/num.h"
#include "resource/etag.h"

enum { ETAG_BYTES = 8 };

/* ---- types: each writes the value as JSON, or says what it should have been ---- */

typedef const char *(*convert_fn)(cov_arena *arena, const cov_env_variable *variable, cov_str text,
                                  cov_buf *out);

static const char *to_string(cov_arena *arena, const cov_env_variable *variable, cov_str text,
                             cov_buf *out)
{
    (void)arena;
    (void)variable;
    cov_json_str(out, text);
    return NULL;
}

static const char *to_number(cov_arena *arena, const cov_env_variable *variable, cov_str text,
                             cov_buf *out)
{
    double number;

    (void)arena;
    (void)variable;
    if (!cov_parse_double(cov_str_trim(text), &number) || number - number != 0)
        return "expected a number";
    cov_json_double(out, number);
    return NULL;
}

static const char *to_boolean(cov_arena *arena, const cov_env_variable *variable, cov_str text,
                              cov_buf *out)
{
    bool yes = cov_str_eq(text, COV_STR("true")) || cov_str_eq(text, COV_STR("1"));

    (void)arena;
    (void)variable;
    if (!yes && !cov_str_eq(text, COV_STR("false")) && !cov_str_eq(text, COV_STR("0")))
        return "expected true, false, 1 or 0";
    cov_json_bool(out, yes);
    return NULL;
}

static const char *to_list(cov_arena *arena, const cov_env_variable *variable, cov_str text,
                           cov_buf *out)
{
    bool first = true;
    cov_str item;

    (void)arena;
    (void)variable;
    cov_buf_char(out, '[');
    while (text.len != 0 && cov_str_split(&text, ',', &item)) {
        if (!first)
            cov_buf_char(out, ',');
        first = false;
        cov_json_str(out, cov_str_trim(item));
    }
    cov_buf_char(out, ']');
    return NULL;
}

static const char *to_json(cov_arena *arena, const cov_env_variable *variable, cov_str text,
                           cov_buf *out)
{
    yyjson_val *value = NULL;

    (void)variable;
    if (cov_json_read(arena, text, &value, NULL) != COV_OK)
        return "expected JSON";
    cov_json_value(out, value);
    return NULL;
}

/* RFC 3986: a scheme, then something; after "//" a host. What the web uses is always of that second form. */
static bool is_url(cov_str text)
{
    size_t colon = cov_str_find(text, ':', 0);
    cov_str scheme = cov_str_slice(text, 0, colon);
    cov_str rest = cov_str_slice(text, colon + 1, text.len);
    bool slashes = cov_str_starts(rest, COV_STR("//"));

    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7F)
            return false;
    for (size_t i = 0; i < scheme.len; i++) {
        char lower = (char)(scheme.ptr[i] | 0x20);

        if (!(lower >= 'a' && lower <= 'z') &&
            (i == 0 || (strchr("0123456789+-.", scheme.ptr[i]) == NULL)))
            return false;
    }
    if (scheme.len == 0 || rest.len == 0)
        return false;
    if (slashes && !cov_str_eq(scheme, COV_STR("file")))
        return rest.len > 2 && strchr("/?#:", rest.ptr[2]) == NULL;
    return slashes || !(cov_str_eq_nocase(scheme, COV_STR("http")) ||
                        cov_str_eq_nocase(scheme, COV_STR("https")));
}

static const char *to_url(cov_arena *arena, const cov_env_variable *variable, cov_str text,
                          cov_buf *out)
{
    (void)arena;
    (void)variable;
    if (!is_url(text))
        return "expected a URL";
    cov_json_str(out, text);
    return NULL;
}

static const char *to_enum(cov_arena *arena, const cov_env_variable *variable, cov_str text,
                           cov_buf *out)
{
    cov_buf wanted = COV_BUF_IN(arena);

    for (size_t i = 0; i < variable->values.n; i++) {
        if (cov_str_eq(variable->values.items[i], text)) {
            cov_json_str(out, text);
            return NULL;
        }
        cov_buf_printf(&wanted, "%s\"%.*s\"", i == 0 ? "expected one of " : ", ",
                       COV_STR_ARG(variable->values.items[i]));
    }
    cov_buf_char(&wanted, '\0');
    return wanted.failed || variable->values.n == 0 ? "an enum needs \"values\"" : wanted.ptr;
}

static const convert_fn converters[] = {
    [COV_ENV_STRING] = to_string, [COV_ENV_NUMBER] = to_number, [COV_ENV_BOOLEAN] = to_boolean,
    [COV_ENV_LIST] = to_list,     [COV_ENV_JSON] = to_json,     [COV_ENV_URL] = to_url,
    [COV_ENV_ENUM] = to_enum,
};

/* ---- reading ---- */

static bool is_public(const cov_env_variable *variable)
{
    return variable->visibility == COV_ENV_PUBLIC ||
           (variable->visibility == COV_ENV_BY_NAME &&
            cov_str_starts(variable->name, COV_STR("PUBLIC_")));
}

static cov_status wrong(const cov_env_variable *variable, const char *details, cov_error *err)
{
    return cov_fail(err, COV_EINVAL, "Environment variable validation error for %.*s: %s",
                    COV_STR_ARG(variable->name), details);
}

/* JSON of a variable's value; empty when it is not set and need not be. */
static cov_status read_one(cov_arena *arena, const cov_host *host, const cov_env_variable *variable,
                           cov_buf *out, cov_error *err)
{
    const char *details;
    cov_str text;

    if (!host->env(host->self, variable->name, &text)) {
        if (variable->fallback.ptr == NULL)
            return variable->optional ? COV_OK : wrong(variable, "it is required", err);
        text = variable->fallback;
    }
    details = converters[variable->type](arena, variable, text, out);
    if (details != NULL)
        return wrong(variable, details, err);
    return out->failed ? cov_fail_nomem(err) : COV_OK;
}

/* ---- the schema: types of values, not of declarations ---- */

typedef struct path_node {
    cov_str name;
    const struct path_node *parent;
} path_node;

static void put_path(cov_buf *out, const path_node *node)
{
    if (node->parent != NULL) {
        put_path(out, node->parent);
        cov_buf_char(out, ',');
    }
    cov_json_str(out, node->name);
}

static const char *type_of(const cov_json *value)
{
    switch (cov_json_type_of(value)) {
    case COV_JSON_STRING:
        return "string";
    case COV_JSON_NUMBER:
        return "number";
    case COV_JSON_BOOL:
        return "boolean";
    case COV_JSON_LIST:
        return "array";
    case COV_JSON_OBJECT:
        return "object";
    default:
        return "unknown";
    }
}

/* Nesting is what cov_json_read allows. */
static void put_fields(cov_buf *out, const path_node *node, yyjson_val *value)
{
    yyjson_obj_iter members = yyjson_obj_iter_with(value);
    yyjson_val *name;

    if (cov_json_type_of(value) == COV_JSON_OBJECT && cov_json_len(value) != 0) {
        while ((name = yyjson_obj_iter_next(&members)) != NULL) {
            path_node child = { cov_json_text(name), node };

            put_fields(out, &child, yyjson_obj_iter_get_val(name));
        }
        return;
    }
    cov_buf_str(out, out->len > 1 ? COV_STR(",{\"path\":[") : COV_STR("{\"path\":["));
    put_path(out, node);
    cov_buf_printf(out, "],\"type\":\"%s\"}", type_of(value));
}

/* ---- the document ---- */

typedef struct writer {
    cov_arena *arena;
    cov_buf body;
    cov_buf fields;
} writer;

static cov_status add(writer *w, const cov_env_variable *variable, cov_str json, cov_error *err)
{
    path_node node = { variable->name, NULL };
    yyjson_val *value = NULL;

    if (json.len != 0) {
        cov_status st = cov_json_read(w->arena, json, &value, err);

        if (st != COV_OK)
            return st;
        if (w->body.len > 1)
            cov_buf_char(&w->body, ',');
        cov_json_str(&w->body, variable->name);
        cov_buf_char(&w->body, ':');
        cov_buf_str(&w->body, json);
    }
    put_fields(&w->fields, &node, value);
    return COV_OK;
}

static cov_status finish(writer *w, const cov_host *host, cov_public_env *out, cov_error *err)
{
    cov_buf etag = COV_BUF_IN(w->arena);
    uint8_t digest[COV_MD5_BYTES];
    cov_status st;

    cov_buf_char(&w->body, '}');
    cov_buf_char(&w->fields, ']');
    if (w->body.failed || w->fields.failed)
        return cov_fail_nomem(err);
    st = host->digest(host->self, COV_MD5, cov_buf_view(&w->body), digest);
    if (st != COV_OK)
        return cov_fail(err, st, "the public environment could not be hashed");
    cov_buf_char(&etag, '"');
    cov_hex(&etag, digest, ETAG_BYTES);
    cov_buf_char(&etag, '"');
    *out =
        (cov_public_env){ cov_buf_view(&w->body), cov_buf_view(&etag), cov_buf_view(&w->fields) };
    return etag.failed ? cov_fail_nomem(err) : COV_OK;
}

cov_status cov__public_env_read(cov_arena *arena, const cov_host *host,
                                const cov_public_env_config *config, cov_public_env *out,
                                cov_error *err)
{
    writer w = { arena, COV_BUF_IN(arena), COV_BUF_IN(arena) };
    cov_status st = COV_OK;

    cov_buf_char(&w.body, '{');
    cov_buf_char(&w.fields, '[');
    for (size_t i = 0; st == COV_OK && i < config->n_variables; i++) {
        const cov_env_variable *variable = &config->variables[i];
        cov_buf json = COV_BUF_IN(arena);

        st = read_one(arena, host, variable, &json, err);
        if (st == COV_OK && is_public(variable))
            st = add(&w, variable, cov_buf_view(&json), err);
    }
    return st == COV_OK ? finish(&w, host, out, err) : st;
}

/* ---- answers ---- */

void cov__public_env_answer(const cov_public_env *env, const cov_public_env_config *config,
                            cov_ctx *ctx)
{
    cov_response *res = ctx->res;

    cov_response_header(res, COV_STR("Cache-Control"), config->cache_control);
    cov_response_header(res, COV_STR("ETag"), env->etag);
    res->status = 304;
    if (cov__etag_none_match(ctx, env->etag))
        return;
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/json"));
    cov_buf_str(&res->body, env->body);
    res->status = 200;
}

void cov__public_env_schema(const cov_public_env *env, cov_ctx *ctx)
{
    cov_response *res = ctx->res;

    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/json"));
    COV_BUF_LIT(&res->body, "{\"fields\":");
    cov_buf_str(&res->body, env->fields);
    COV_BUF_LIT(&res->body, ",\"timestamp\":");
    cov_json_time(&res->body, ctx->host->now_ms(ctx->host->self));
    cov_buf_char(&res->body, '}');
    res->status = 200;
}
