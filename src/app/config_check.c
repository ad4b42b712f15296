/* SPDX-License-Identifier: MIT */
/* The checks that rows of the option table name: one value's form, and agreement between options. */
#include "app/config_read.h"

enum { DEFAULT_LIMIT = 20 };

/* Bytes that a request path can hold unescaped (RFC 3986, pchar). */
static bool is_path_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

static cov_status only_path_bytes(cov_config_reader *r, const char *key, cov_str path,
                                  const char *at)
{
    for (size_t i = 0; i < path.len; i++)
        if (!is_path_byte(path.ptr[i]))
            return cov__config_fail(
                r, at, "\"%s\" must be a path of letters, digits, / and -._~!$&'()*+,;=:@, not %s",
                key, cov__config_quote(r, path));
    return COV_OK;
}

/* "" and "/" are no prefix; a leading slash is added; exactly one trailing slash goes (spec/01 section 1.1). */
cov_status cov__check_base_path(cov_config_reader *r, const char *key, cov_str *value,
                                const char *at)
{
    cov_status st = only_path_bytes(r, key, *value, at);

    if (st != COV_OK)
        return st;
    if (value->len != 0 && value->ptr[0] != '/') {
        *value = cov_arena_printf(r->arena, "/%.*s", COV_STR_ARG(*value));
        if (value->ptr == NULL)
            return cov_fail_nomem(r->err);
    }
    if (value->len != 0 && value->ptr[value->len - 1] == '/')
        value->len--;
    return COV_OK;
}

cov_status cov__check_path(cov_config_reader *r, const char *key, cov_str *value, const char *at)
{
    cov_str path = *value;

    while (path.len != 0 && path.ptr[0] == '/')
        path = cov_str_slice(path, 1, path.len);
    while (path.len != 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    if (path.len == 0)
        return cov__config_fail(r, at, "\"%s\" must not be empty", key);
    *value = path;
    return only_path_bytes(r, key, path, at);
}

/* A line break in a header's value would be a header of its own. */
cov_status cov__check_header(cov_config_reader *r, const char *key, cov_str *value, const char *at)
{
    for (size_t i = 0; i < value->len; i++)
        if (value->ptr[i] < 0x20 || value->ptr[i] > 0x7E)
            return cov__config_fail(
                r, at, "\"%s\" goes into a header: it may hold printable ASCII characters only",
                key);
    return COV_OK;
}

cov_status cov__finish_cors(cov_config_reader *r, void *base, const char *at)
{
    cov_cors_config *cors = &((cov_config *)base)->app.cors;

    cors->any_origin = !cors->origins.set;
    for (size_t i = 0; i < cors->origins.n; i++)
        if (cov_str_eq(cors->origins.items[i], COV_STR("*")))
            cors->any_origin = true;
    if (cors->any_origin && cors->credentials)
        return cov__config_fail(
            r, at,
            "\"cors\" with \"credentials\" needs an \"origin\" that names the pages that may "
            "call: browsers refuse credentials together with \"*\"");
    return COV_OK;
}

/* "/" and "/docs/" become "" and "/docs", which file names are joined to. */
cov_status cov__finish_app(cov_config_reader *r, void *base, const char *at)
{
    cov_config *config = base;
    cov_static_config *statics;
    cov_status st = COV_OK;

    (void)at;
    /* They lie in the arena and are const only to others. */
    memcpy(&statics, &config->app.statics, sizeof statics);
    for (size_t i = 0; st == COV_OK && i < config->app.n_statics; i++) {
        cov_str *path = &statics[i].path;

        st = path->ptr[0] == '/'
                 ? cov__check_base_path(r, "static", path, path->ptr - 1)
                 : cov__config_fail(r, path->ptr - 1, "a path in \"static\" must begin with /: %s",
                                    cov__config_quote(r, *path));
    }
    return st;
}

/* Where the value of a resource's option would have come from is forgotten by now: `at` is the resource. */
cov_status cov__finish_resource(cov_config_reader *r, void *base, const char *at)
{
    cov_resource_config *resource = base;

    if (resource->table.ptr == NULL)
        resource->table = resource->name;
    if (resource->path.ptr == NULL) {
        cov_status st = only_path_bytes(r, "path", resource->name, at);

        if (st != COV_OK)
            return st;
        resource->path = resource->name;
    }
    /* Only "maxLimit" was given, below the usual page: then a page is that long. */
    if (resource->pagination.default_limit == DEFAULT_LIMIT &&
        resource->pagination.max_limit < DEFAULT_LIMIT)
        resource->pagination.default_limit = resource->pagination.max_limit;
    if (resource->pagination.default_limit > resource->pagination.max_limit)
        return cov__config_fail(
            r, at, "resource %s: \"defaultLimit\" %lld is greater than \"maxLimit\" %lld",
            cov__config_quote(r, resource->name), (long long)resource->pagination.default_limit,
            (long long)resource->pagination.max_limit);
    return cov__finish_gate(r, &resource->gate, at);
}

cov_status cov__finish_relation(cov_config_reader *r, void *base, const char *at)
{
    const cov_relation_config *relation = base;

    if (relation->type == COV_MANY_TO_MANY && relation->through_table.ptr == NULL)
        return cov__config_fail(r, at, "relation %s: \"manyToMany\" needs \"through\"",
                                cov__config_quote(r, relation->name));
    if (relation->type != COV_MANY_TO_MANY && relation->foreign_key.ptr == NULL)
        return cov__config_fail(r, at, "relation %s needs \"foreignKey\"",
                                cov__config_quote(r, relation->name));
    return COV_OK;
}

static cov_status one_resource_a_path(cov_config_reader *r, const cov_config *config)
{
    cov_map paths;

    if (!cov_map_init(&paths, r->arena, config->n_resources))
        return cov_fail_nomem(r->err);
    for (size_t i = 0; i < config->n_resources; i++) {
        const cov_resource_config *resource = &config->resources[i];
        cov_str *other = cov_map_get(&paths, resource->path);
        cov_str *name = COV_NEW(r->arena, cov_str);

        if (other != NULL)
            return cov__config_fail(r, resource->name.ptr - 1,
                                    "the resources %s and %s have the same path",
                                    cov__config_quote(r, *other),
                                    cov__config_quote(r, resource->name));
        if (name == NULL)
            return cov_fail_nomem(r->err);
        *name = resource->name;
        if (!cov_map_put(&paths, resource->path, name))
            return cov_fail_nomem(r->err);
    }
    return COV_OK;
}

/* Resources that say nothing take the global secret; null was stored as an empty text, and stays. */
static void inherit_secret(cov_config_root *root)
{
    cov_resource_config *resources;

    /* They lie in the arena and are const only to others. */
    memcpy(&resources, &root->config.resources, sizeof resources);
    for (size_t i = 0; i < root->config.n_resources; i++)
        if (resources[i].cursor_secret.ptr == NULL)
            resources[i].cursor_secret = root->cursor_secret;
}

cov_status cov__finish_root(cov_config_reader *r, void *base, const char *at)
{
    cov_config_root *root = base;

    (void)at;
    if (!root->config.app.cors.origins.set)
        root->config.app.cors.any_origin = true; /* "cors": true */
    inherit_secret(root);
    return one_resource_a_path(r, &root->config);
}
