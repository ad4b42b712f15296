/* SPDX-License-Identifier: MIT */
/* Making an app: configuration, schema and application code joined. */
#include "app/build.h"
#include "app/internal.h"
#include "base/json.h"

enum { APP_ARENA_BYTES = 16 * 1024 * 1024 };

/* ---- what application code calls ---- */

cov_str cov_env_get(const cov_env *env, const char *name)
{
    cov_str value;

    return env->host->env(env->host->self, cov_str_from(name), &value) ? value : COV_STR_NULL;
}

/* Only the first mistake is kept: it is the cause of the others, if any. */
static void mistake(cov_app *app, const char *what, cov_str name)
{
    if (app->build_error.status == COV_OK)
        cov_fail(&app->build_error, COV_EINVAL, "application code: %s \"%.*s\"", what,
                 COV_STR_ARG(name));
}

static void no_memory(cov_app *app)
{
    if (app->build_error.status == COV_OK)
        cov_fail_nomem(&app->build_error);
}

static cov_config *own_config(cov_app *app, const cov_config *config)
{
    cov_config *copy = COV_NEW(app->arena, cov_config);

    if (copy != NULL)
        *copy = *config;
    app->config = copy;
    return copy;
}

static bool apply_options(cov_config *config, const cov_app_options *options)
{
    if (options == NULL)
        return true;
    if (options->base_path != NULL)
        config->app.base_path = cov_str_from(options->base_path);
    if (options->any_origin) {
        config->app.cors.enabled = true;
        config->app.cors.any_origin = true;
    }
    return !(config->app.cors.any_origin && config->app.cors.credentials);
}

cov_app *cov_app_new(cov_env *env, const cov_app_options *options)
{
    cov_arena *arena = cov_arena_new(APP_ARENA_BYTES);
    cov_app *app = arena != NULL ? COV_NEW(arena, cov_app) : NULL;
    cov_config *config;

    if (app == NULL) {
        cov_arena_free(arena);
        return NULL;
    }
    app->arena = arena;
    app->host = env->host;
    app->started_us = env->host->monotonic_us(env->host->self);
    atomic_init(&app->shutting_down, false);
    cov_error_init(&app->build_error, arena);
    config = own_config(app, env->config);
    if (config == NULL) {
        cov_app_free(app);
        return NULL;
    }
    if (!apply_options(config, options))
        mistake(app, "CORS with credentials needs a list of origins, not", COV_STR("*"));
    return app;
}

static cov_code_node *node_named(cov_app *app, cov_str name)
{
    cov_code_node **at = &app->code;

    while (*at != NULL && !cov_str_eq((*at)->name, name))
        at = &(*at)->next;
    if (*at == NULL) {
        *at = COV_NEW(app->arena, cov_code_node);
        if (*at == NULL)
            no_memory(app);
        else
            (*at)->name = name;
    }
    return *at;
}

void cov_app_resource(cov_app *app, const char *name, const cov_resource_options *options)
{
    cov_code_node *node = node_named(app, cov_str_from(name));

    if (node != NULL)
        node->code.options = *options;
}

/* Paths are compared raw, so a name that a client would have to escape could not be reached. */
static bool is_plain_segment(const char *name)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    return name[0] != '\0' && name[strspn(name, plain)] == '\0';
}

void cov_app_procedure(cov_app *app, const char *resource, const cov_procedure *procedure)
{
    cov_code_node *node = node_named(app, cov_str_from(resource));
    const cov_procedure **list;

    if (node == NULL)
        return;
    list = COV_NEW_ARRAY(app->arena, const cov_procedure *, node->code.n_procedures + 1);
    if (list == NULL) {
        no_memory(app);
        return;
    }
    for (size_t i = 0; i < node->code.n_procedures; i++) {
        list[i] = node->code.procedures[i];
        if (strcmp(list[i]->name, procedure->name) == 0)
            mistake(app, "two procedures are called", cov_str_from(procedure->name));
    }
    if (procedure->call == NULL || !is_plain_segment(procedure->name))
        mistake(app, "a procedure without code, or with a name that is no plain path segment:",
                cov_str_from(procedure->name));
    list[node->code.n_procedures++] = procedure;
    node->code.procedures = list;
}

void cov_app_route(cov_app *app, const cov_custom_route *route)
{
    cov_route_node **at = &app->routes;
    cov_route_node *node = COV_NEW(app->arena, cov_route_node);
    const char *wrong;

    if (node == NULL) {
        no_memory(app);
        return;
    }
    node->route = route;
    node->path = cov_str_from(route->path);
    wrong = cov__custom_mistake(app, node);
    if (wrong != NULL)
        mistake(app, wrong, node->path);
    while (*at != NULL)
        at = &(*at)->next;
    *at = node;
}

void cov_app_use(cov_app *app, const cov_middleware *middleware)
{
    cov_middleware_node **at = &app->middleware;
    cov_middleware_node *node = COV_NEW(app->arena, cov_middleware_node);

    if (node == NULL) {
        no_memory(app);
        return;
    }
    node->middleware = middleware;
    while (*at != NULL)
        at = &(*at)->next;
    *at = node;
}

void cov_app_on_mutation(cov_app *app, void (*listener)(const cov_mutation *mutation, void *self),
                         void *self)
{
    cov_listener_node **at = &app->listeners;
    cov_listener_node *node = COV_NEW(app->arena, cov_listener_node);

    if (node == NULL) {
        no_memory(app);
        return;
    }
    node->listener = listener;
    node->self = self;
    while (*at != NULL)
        at = &(*at)->next;
    *at = node;
}

/* ---- joining ---- */

static cov_status apply_columns(cov_app *app, const cov_resource_config *config, cov_table *table,
                                cov_error *err)
{
    for (size_t i = 0; i < config->n_columns; i++) {
        const cov_column_config *wanted = &config->columns[i];
        cov_column *column = cov_map_get(&table->by_db_name, wanted->db_name);

        if (column == NULL)
            return cov_fail(err, COV_EINVAL,
                            "resource \"%.*s\": columns: table \"%.*s\" has no column \"%.*s\"",
                            COV_STR_ARG(config->name), COV_STR_ARG(table->name),
                            COV_STR_ARG(wanted->db_name));
        if (wanted->name.ptr != NULL && !cov_column_rename(app->arena, table, column, wanted->name))
            return cov_fail(err, COV_EINVAL,
                            "resource \"%.*s\": columns: \"%.*s\" is already the name of a column",
                            COV_STR_ARG(config->name), COV_STR_ARG(wanted->name));
        if (wanted->enum_values.set) {
            column->enum_values = wanted->enum_values.items;
            column->n_enum_values = wanted->enum_values.n;
        }
        if (wanted->max_length > 0)
            column->max_length = (size_t)wanted->max_length;
    }
    return COV_OK;
}

static const cov_resource_code *code_of(const cov_app *app, cov_str name)
{
    static const cov_resource_code none = { 0 };

    for (const cov_code_node *node = app->code; node != NULL; node = node->next)
        if (cov_str_eq(node->name, name))
            return &node->code;
    return &none;
}

static cov_status mount(cov_app *app, const cov_resource_config *config, cov_schema *schema,
                        cov_resource **out, cov_error *err)
{
    cov_table *table = cov_map_get(&schema->by_name, config->table);
    cov_status st;

    if (table == NULL)
        return cov_fail(err, COV_EINVAL, "resource \"%.*s\": the schema has no table \"%.*s\"",
                        COV_STR_ARG(config->name), COV_STR_ARG(config->table));
    if (cov_map_get(&app->by_path, config->path) != NULL)
        return cov_fail(err, COV_EINVAL,
                        "resource \"%.*s\": path \"%.*s\" is taken by another resource",
                        COV_STR_ARG(config->name), COV_STR_ARG(config->path));
    /* What one resource calls its columns is no business of another on the same table. */
    if (config->n_columns != 0)
        table = cov_table_clone(app->arena, table);
    st = table != NULL ? apply_columns(app, config, table, err) : cov_fail_nomem(err);
    if (st == COV_OK)
        st = cov_resource_new(app->arena, config, code_of(app, config->name), table, out, err);
    if (st == COV_OK && !cov_map_put(&app->by_path, config->path, *out))
        st = cov_fail_nomem(err);
    return st;
}

static cov_status make_live(cov_app *app, cov_resource *const *resources, size_t n, cov_error *err)
{
    const cov_config *config = app->config;
    cov_live_options options = { .host = app->host,
                                 .base_path = config->app.base_path,
                                 .resources = resources,
                                 .n_resources = n };

    options.changelog = config->changelog_in_database ? COV_CHANGELOG_DATABASE : COV_CHANGELOG_KV;
    options.kv = app->kv;
    options.records_all = app->listeners != NULL;
    if (config->auth.set)
        options.users_table = config->auth.users.table;
    options.multiplex.enabled = config->multiplex.enabled;
    options.multiplex.max_channels = config->multiplex.max_channels;
    options.multiplex.heartbeat_ms = config->multiplex.heartbeat_ms;
    options.multiplex.max_queue_bytes = config->multiplex.max_queue_bytes;
    return cov_live_new(&options, &app->live, err);
}

/* Relations can be resolved only when every resource exists. */
static cov_status mount_all(cov_app *app, cov_schema *schema, cov_error *err)
{
    size_t n = app->config->n_resources;
    cov_resource **all = COV_NEW_ARRAY(app->arena, cov_resource *, n + 1);
    cov_status st = all != NULL ? COV_OK : cov_fail_nomem(err);

    for (size_t i = 0; st == COV_OK && i < n; i++)
        st = mount(app, &app->config->resources[i], schema, &all[i], err);
    for (size_t i = 0; st == COV_OK && i < n; i++)
        st = cov_resource_link(app->arena, all[i], schema, all, n, err);
    for (size_t i = 0; st == COV_OK && i < n; i++)
        st = cov_resource_check(app->arena, all[i], app->host, err);
    return st == COV_OK ? make_live(app, all, n, err) : st;
}

static bool is_configured(const cov_app *app, cov_str name)
{
    for (size_t i = 0; i < app->config->n_resources; i++)
        if (cov_str_eq(app->config->resources[i].name, name))
            return true;
    return false;
}

/* The defaults of a resource that only code mentions, by way of the configuration's own reader. */
static cov_status default_config(cov_app *app, cov_str name, cov_resource_config *out,
                                 cov_error *err)
{
    cov_buf text = COV_BUF_IN(app->arena);
    const cov_config *config = NULL;
    cov_status st;

    COV_BUF_LIT(&text, "{\"resources\":{");
    cov_json_str(&text, name);
    COV_BUF_LIT(&text, ":{}}}");
    st = cov_config_parse(app->arena, app->host, COV_STR("application code"), cov_buf_view(&text),
                          &config, err);
    if (st == COV_OK)
        *out = config->resources[0];
    return st;
}

static void apply_resource_options(const cov_resource_options *options, cov_resource_config *config)
{
    if (options->table != NULL)
        config->table = cov_str_from(options->table);
    if (options->path != NULL)
        config->path = cov_str_from(options->path);
    if (options->id != NULL)
        config->id = cov_str_from(options->id);
    for (int op = 0; op < COV_N_OPS; op++) {
        if ((options->public_operations & (1u << op)) == 0)
            continue;
        config->auth.set = true;
        config->auth.public_[op] = true;
    }
}

/* The app's own list of resources: the configured ones, then those of code alone, with code's options applied. */
static cov_status merge_resources(cov_app *app, cov_error *err)
{
    cov_config *config = own_config(app, app->config);
    cov_resource_config *all;
    size_t n = app->config->n_resources;
    cov_status st = COV_OK;

    for (const cov_code_node *node = app->code; node != NULL; node = node->next)
        n += !is_configured(app, node->name);
    all = COV_NEW_ARRAY(app->arena, cov_resource_config, n + 1);
    if (config == NULL || all == NULL)
        return cov_fail_nomem(err);
    n = app->config->n_resources;
    for (size_t i = 0; i < n; i++)
        all[i] = app->config->resources[i];
    for (const cov_code_node *node = app->code; st == COV_OK && node != NULL; node = node->next)
        if (!is_configured(app, node->name))
            st = default_config(app, node->name, &all[n++], err);
    for (size_t i = 0; st == COV_OK && i < n; i++)
        apply_resource_options(&code_of(app, all[i].name)->options, &all[i]);
    config->resources = all;
    config->n_resources = n;
    return st;
}

/* ---- accounts and limits ---- */

static bool asks_for_pow(const cov_app *app)
{
    const cov_auth_config *auth = &app->config->auth;

    for (size_t i = 0; i < app->config->n_resources; i++)
        if (app->config->resources[i].gate.pow.set)
            return true;
    return auth->login_gate.pow.set || auth->signup_gate.pow.set || auth->reset_gate.pow.set;
}

static cov_status make_guard(cov_app *app, cov_error *err)
{
    cov_guard_setup setup = { .host = app->host,
                              .kv = app->kv,
                              .config = &app->config->guard,
                              .pow_gates = asks_for_pow(app) };

    return cov_guard_new(app->arena, &setup, &app->guard, err);
}

/* The resource of the table of users; one without routes when nothing serves that table. */
static cov_status users_resource(cov_app *app, const cov_schema *schema, const cov_resource **out,
                                 cov_error *err)
{
    cov_str table = app->config->auth.users.table;
    const cov_table *found = cov_schema_table(schema, table);
    cov_resource_config *config = COV_NEW(app->arena, cov_resource_config);
    cov_resource *resource = NULL;
    cov_status st;

    for (size_t i = 0; i < app->config->n_resources; i++)
        if (cov_str_eq(app->config->resources[i].table, table)) {
            *out = cov_map_get(&app->by_path, app->config->resources[i].path);
            return COV_OK;
        }
    if (found == NULL)
        return cov_fail(err, COV_EINVAL, "auth.users: the schema has no table \"%.*s\"",
                        COV_STR_ARG(table));
    if (config == NULL)
        return cov_fail_nomem(err);
    st = default_config(app, table, config, err);
    if (st == COV_OK)
        st = cov_resource_new(app->arena, config, code_of(app, table), found, &resource, err);
    *out = resource;
    return st;
}

static cov_status make_auth(cov_app *app, const cov_schema *schema, cov_error *err)
{
    const cov_auth_config *config = &app->config->auth;
    cov_auth_parts parts = { .host = app->host,
                             .config = config,
                             .path = config->path,
                             .kv = app->kv,
                             .mail = &app->mail,
                             .cors_origins = &app->config->app.cors.origins,
                             .production = app->production,
                             .revoked = cov__revoked,
                             .revoked_self = app };
    bool mails = config->verification.enabled || config->password_reset.enabled ||
                 config->magic_link.enabled;
    cov_status st = users_resource(app, schema, &parts.users, err);

    app->mail = (cov_mail){ app->host, &app->config->mail };
    if (st == COV_OK && mails)
        st = cov_mail_check(&app->config->mail, err);
    if (st == COV_OK && parts.path.ptr == NULL) {
        parts.path =
            cov_arena_printf(app->arena, "%.*s/auth", COV_STR_ARG(app->config->app.base_path));
        st = parts.path.ptr != NULL ? COV_OK : cov_fail_nomem(err);
    }
    return st == COV_OK ? cov_auth_new(app->arena, &parts, &app->auth, err) : st;
}

/* ---- the public environment ---- */

/* A resource of the same path would be hidden from lists, and from them alone. */
static cov_status make_env(cov_app *app, cov_error *err)
{
    const cov_public_env_config *config = &app->config->env;
    cov_str base = app->config->app.base_path;
    size_t below = base.len + 1;

    if (!config->set)
        return COV_OK;
    if (config->path.len == 0)
        return cov_fail(err, COV_EINVAL, "publicEnv: \"path\" must not be empty");
    if (cov_str_starts(config->path, base) &&
        cov_map_get(&app->by_path, cov_str_slice(config->path, below, config->path.len)) != NULL)
        return cov_fail(err, COV_EINVAL,
                        "publicEnv: path \"%.*s\" is taken by a resource; give another \"path\"",
                        COV_STR_ARG(config->path));
    return cov__public_env_read(app->arena, app->host, config, &app->env, err);
}

static cov_status finish(cov_app *app, cov_schema *schema, cov_error *err)
{
    cov_str node_env;
    cov_status st;

    if (app->build_error.status != COV_OK)
        return cov_fail(err, app->build_error.status, "%s", app->build_error.text);
    st = merge_resources(app, err);
    if (st != COV_OK)
        return st;
    app->production = app->host->env(app->host->self, COV_STR("NODE_ENV"), &node_env) &&
                      cov_str_eq(node_env, COV_STR("production"));
    if (!cov_map_init(&app->by_path, app->arena, app->config->n_resources) ||
        !cov__cors_init(app) || !cov__security_init(app))
        return cov_fail_nomem(err);
    if ((st = mount_all(app, schema, err)) != COV_OK || (st = make_env(app, err)) != COV_OK ||
        (st = make_guard(app, err)) != COV_OK)
        return st;
    return app->config->auth.set ? make_auth(app, schema, err) : COV_OK;
}

cov_status cov__app_build(const cov_host *host, const cov_config *config, cov_schema *schema,
                          cov_kv *kv, cov_build_fn build, cov_app **out, cov_error *err)
{
    cov_env env = { host, config };
    cov_app *app = build != NULL ? build(&env) : cov_app_new(&env, NULL);
    cov_status st;

    if (app == NULL)
        return cov_fail(err, COV_ENOMEM, "the application could not be built: out of memory");
    app->kv = kv;
    app->publisher = (cov_publisher){ cov__publish, app };
    st = finish(app, schema, err);
    if (st != COV_OK) {
        cov_app_free(app);
        return st;
    }
    *out = app;
    return COV_OK;
}
