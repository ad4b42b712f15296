/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "app/config.h"

static bool fake_env(void *self, cov_str name, cov_str *value)
{
    (void)self;
    if (cov_str_eq(name, COV_STR("SECRET")))
        *value = COV_STR("s3cret");
    else if (cov_str_eq(name, COV_STR("EMPTY")))
        *value = COV_STR("");
    else
        return false;
    return true;
}

static const cov_host host = { .abi = COV_HOST_ABI, .env = fake_env };

static cov_arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = cov_arena_new(0);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    cov_arena_free(arena);
    return 0;
}

static const cov_config *parse(const char *text)
{
    const cov_config *config = NULL;
    cov_error err;

    cov_error_init(&err, arena);
    if (cov_config_parse(arena, &host, COV_STR("covara.jsonc"), cov_str_from(text), &config,
                         &err) != COV_OK) {
        cov_str detail = cov_error_detail(&err);

        fail_msg("%.*s", COV_STR_ARG(detail));
    }
    return config;
}

static void assert_str(cov_str actual, const char *expected)
{
    cov_str copy = cov_arena_str(arena, actual);

    if (expected == NULL) {
        assert_null(actual.ptr);
        return;
    }
    assert_non_null(actual.ptr);
    assert_string_equal(copy.ptr, expected);
}

/* "a,b" */
static void assert_names(cov_names names, const char *expected)
{
    cov_buf text = COV_BUF_IN(arena);

    for (size_t i = 0; i < names.n; i++)
        cov_buf_printf(&text, "%s%.*s", i == 0 ? "" : ",", COV_STR_ARG(names.items[i]));
    assert_str(text.len != 0 ? cov_buf_view(&text) : COV_STR(""), expected);
}

typedef struct refusal {
    const char *text;
    const char *message; /* after "covara.jsonc:" */
} refusal;

static void refuse_all(const refusal *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const cov_config *config = NULL;
        cov_error err;
        cov_str detail;

        cov_error_init(&err, arena);
        assert_int_equal(cov_config_parse(arena, &host, COV_STR("covara.jsonc"),
                                          cov_str_from(rows[i].text), &config, &err),
                         COV_EINVAL);
        detail = cov_error_detail(&err);
        assert_true(cov_str_starts(detail, COV_STR("covara.jsonc:")));
        assert_str(cov_str_slice(detail, 13, detail.len), rows[i].message);
        assert_int_not_equal(err.offset, COV_NO_OFFSET);
        assert_null(config);
    }
}

/* One resource with these options. */
#define RESOURCE(options) "{\"resources\":{\"a\":{" options "}}}"

static void config__names_unknown_keys(void **state)
{
    static const refusal rows[] = {
        { "{\n  // comment\n  \"reources\": {}\n}",
          "3:3: unknown key \"reources\"; did you mean \"resources\"?" },
        { "{\"app\":{\"basepath\":\"\"}}",
          "1:9: unknown key \"basepath\"; did you mean \"basePath\"?" },
        { "{\"server\":{\"hots\":\"\"}}", "1:12: unknown key \"hots\"; did you mean \"host\"?" },
        { RESOURCE("\"auth\":{\"raed\":true}"),
          "1:28: unknown key \"raed\"; did you mean \"read\"?" },
        { "{\"database\":{\"somethingelse\":1}}",
          "1:14: unknown key \"somethingelse\"; known here: \"url\", "
          "\"busyTimeoutMs\", \"synchronous\"" },
        { "{\"database\":{\"\":1}}",
          "1:14: unknown key \"\"; known here: \"url\", \"busyTimeoutMs\", \"synchronous\"" },
        { "{\"database\":{\"a\\nb\":1}}",
          "1:14: unknown key \"a\\nb\"; known here: \"url\", \"busyTimeoutMs\", \"synchronous\"" },
        /* places count code points, in lines */
        { "{/* \xC3\xA9\xC3\xA9 */ \"x\": 1}",
          "1:11: unknown key \"x\"; known here: \"$schema\", \"app\", \"database\", \"schema\", \"naming\", "
          "\"logLevel\", \"server\", \"cursorSigningSecret\", \"resources\", \"kv\", \"auth\", \"mail\", "
          "\"rateLimit\", \"abuseProtection\", \"idempotency\", \"versioning\", \"publicEnv\"" },
    };

    (void)state;
    refuse_all(rows, COV_COUNT_OF(rows));
}

static void config__refuses_wrong_types(void **state)
{
    static const refusal rows[] = {
        { "{\n\t\"server\": {\n\t\t\"port\": \"x\" }}",
          "3:11: \"port\" must be an integer between 0 and 65535, not a string" },
        { "{\"server\":{\"port\":true}}",
          "1:12: \"port\" must be an integer between 0 and 65535, not true" },
        { "{\"server\":{\"port\":1.5}}",
          "1:12: \"port\" must be an integer between 0 and 65535, not 1.5" },
        { "{\"server\":[]}", "1:2: \"server\" must be an object, not a list" },
        { "{\"server\":null}", "1:2: \"server\" must be an object, not null" },
        { "{\"schema\":1}", "1:2: \"schema\" must be a string, not a number" },
        { "{\"naming\":\"snake\"}",
          "1:11: \"naming\" must be \"camelCase\" or \"asIs\", not \"snake\"" },
        { "{\"naming\":1}", "1:2: \"naming\" must be \"camelCase\" or \"asIs\", not a number" },
        { "{\"app\":{\"cors\":\"yes\"}}",
          "1:16: \"cors\" must be true, false or an object, not a string" },
        { "{\"app\":{\"cors\":{\"origin\":3}}}",
          "1:17: \"origin\" must be a string or a list of strings, not a number" },
        { "{\"app\":{\"securityHeaders\":{\"contentSecurityPolicy\":true}}}",
          "1:28: \"contentSecurityPolicy\" must be false or a string, not true" },
        { "{\"app\":{\"securityHeaders\":{\"frameOptions\":\"ALLOW\"}}}",
          "1:43: \"frameOptions\" must be true, false, \"DENY\" or \"SAMEORIGIN\", not \"ALLOW\"" },
        { RESOURCE("\"fields\":{\"readable\":[\"id\",3]}"),
          "1:30: \"readable\" must be a list of strings, but its item 2 is a number" },
        { RESOURCE("\"fields\":{\"readable\":[\"id\",\"\"]}"),
          "1:47: \"readable\" must not have an empty item" },
        { RESOURCE("\"cursorSigningSecret\":1"),
          "1:20: \"cursorSigningSecret\" must be a string or null, not a number" },
        { RESOURCE("\"columns\":{\"c\":true}"),
          "1:31: \"c\" in \"columns\" must be a string or an object, not true" },
        { "{\"resources\":{\"a\":1}}",
          "1:15: \"a\" in \"resources\" must be an object, not a number" },
        { "{\"resources\":{\"\":{}}}", "1:15: a name in \"resources\" must not be empty" },
        { RESOURCE("\"table\":\"\""), "1:28: \"table\" must not be empty" },
        { "[]", "1:1: the configuration must be an object: { \"resources\": { ... } }" },
    };

    (void)state;
    refuse_all(rows, COV_COUNT_OF(rows));
}

static void config__keeps_bounds(void **state)
{
    static const refusal rows[] = {
        { "{\"server\":{\"port\":65536}}",
          "1:12: \"port\" must be an integer between 0 and 65535, not 65536" },
        { "{\"server\":{\"port\":-1}}",
          "1:12: \"port\" must be an integer between 0 and 65535, not -1" },
        { "{\"server\":{\"port\":18446744073709551615}}",
          "1:12: \"port\" must be an integer between 0 and 65535, not 18446744073709551615" },
        { "{\"server\":{\"port\":1e99}}",
          "1:12: \"port\" must be an integer between 0 and 65535, not 1e+99" },
        { RESOURCE("\"pagination\":{\"maxLimit\":0}"),
          "1:34: \"maxLimit\" must be an integer between 1 and 100000, not 0" },
        { RESOURCE("\"pagination\":{\"defaultLimit\":200}"),
          "1:15: resource \"a\": \"defaultLimit\" 200 is greater than \"maxLimit\" 100" },
    };

    (void)state;
    refuse_all(rows, COV_COUNT_OF(rows));
}

static void config__refuses_duplicates_and_gaps(void **state)
{
    static const refusal rows[] = {
        { "{\"schema\":\"a\",\n\"schema\":\"b\"}",
          "2:1: duplicate key \"schema\"; it is already at 1:2" },
        { "{\"resources\":{\"a\":{},\"a\":{}}}",
          "1:22: duplicate key \"a\"; it is already at 1:15" },
        { "{\"auth\":{\"mfa\":{\"x\":[{\"y\":1,\"y\":2}]}}}",
          "1:29: duplicate key \"y\"; it is already at 1:23" },
        { "{}", "1:1: the key \"resources\" is missing" },
        { RESOURCE("\"softDelete\":{}"), "1:20: the key \"field\" is missing" },
        { RESOURCE("\"relations\":{\"r\":{\"type\":\"hasMany\"}}"),
          "1:33: the key \"resource\" is missing" },
        { RESOURCE("\"relations\":{\"r\":{\"type\":\"hasMany\",\"resource\":\"b\"}}"),
          "1:33: relation \"r\" needs \"foreignKey\"" },
        { RESOURCE("\"relations\":{\"r\":{\"type\":\"manyToMany\",\"resource\":\"b\"}}"),
          "1:33: relation \"r\": \"manyToMany\" needs \"through\"" },
        { "{\"publicEnv\":{}}", "1:2: the key \"variables\" is missing" },
        { "{\"resources\":{\"a\":{\"path\":\"/x/\"},\"b\":{\"path\":\"x\"}}}",
          "1:34: the resources \"a\" and \"b\" have the same path" },
    };

    (void)state;
    refuse_all(rows, COV_COUNT_OF(rows));
}

static void config__places_syntax_errors(void **state)
{
    static const refusal rows[] = {
        { "", "1:1: the file is empty; the smallest configuration is { \"resources\": {} }" },
        { "{\n  \"a\": }", "2:8: unexpected character, expected a valid JSON value" },
        { "{\"a\":1", "1:7: unexpected end of data" },
        { "{\"a\":1}\nx", "2:1: unexpected content after document" },
        { "{/*", "1:2: unclosed multiline comment" },
    };

    (void)state;
    refuse_all(rows, COV_COUNT_OF(rows));
}

static void config__limits_nesting(void **state)
{
    cov_buf text = COV_BUF_IN(arena);
    const cov_config *config = NULL;
    cov_error err;

    (void)state;
    COV_BUF_LIT(&text, "{\"auth\":{\"mfa\":{\"x\":");
    for (int i = 0; i < 100000; i++)
        cov_buf_char(&text, '[');
    for (int i = 0; i < 100000; i++)
        cov_buf_char(&text, ']');
    COV_BUF_LIT(&text, "}}}");
    cov_error_init(&err, arena);
    assert_int_equal(cov_config_parse(arena, &host, COV_STR("c"), cov_buf_view(&text), &config,
                                      &err),
                     COV_EINVAL);
    assert_str(cov_error_detail(&err), "c:1:1: nested deeper than 64 levels");
}

static void config__has_defaults(void **state)
{
    const cov_config *c = parse(RESOURCE(""));
    const cov_resource_config *r = c->resources;

    (void)state;
    assert_str(c->app.base_path, "/api");
    assert_false(c->app.cors.enabled);
    assert_false(c->app.cors.credentials);
    assert_int_equal(c->app.cors.max_age_s, -1);
    assert_names(c->app.cors.allow_methods, "GET,HEAD,PUT,POST,DELETE,PATCH");
    assert_int_equal(c->app.cors.expose_headers.n, 14);
    assert_true(c->app.security.enabled && c->app.security.hsts);
    assert_str(c->app.security.content_type_options, "nosniff");
    assert_str(c->app.security.frame_options, "DENY");
    assert_str(c->app.security.content_security_policy, NULL);
    assert_int_equal(c->app.security.hsts_max_age_s, 15552000);
    assert_true(c->app.security.hsts_include_subdomains);
    assert_true(c->app.health);
    assert_str(c->app.health_path, "");
    assert_str(c->app.version, NULL);
    assert_str(c->database.url, "sqlite:app.db");
    assert_int_equal(c->database.busy_timeout_ms, 5000);
    assert_false(c->database.relaxed_sync);
    assert_str(c->schema_path, "schema.sql");
    assert_int_equal(c->naming, COV_NAMING_CAMEL);
    assert_int_equal(c->log_level, COV_LOG_INFO);
    assert_str(c->server.host, "0.0.0.0");
    assert_int_equal(c->server.port, 3000);
    assert_int_equal(c->server.max_body_bytes, 1048576);
    assert_int_equal(c->server.idle_timeout_ms, 65000);
    assert_false(c->server.access_log);
    assert_int_equal(c->unused.n, 0);

    assert_int_equal(c->n_resources, 1);
    assert_str(r->name, "a");
    assert_str(r->table, "a");
    assert_str(r->path, "a");
    assert_str(r->id, NULL);
    assert_false(r->auth.set);
    assert_str(r->auth.any_scope, NULL);
    assert_int_equal(r->batch.create, 100);
    assert_int_equal(r->batch.delete_, 100);
    assert_true(r->batch.require_filter);
    assert_int_equal(r->pagination.default_limit, 20);
    assert_int_equal(r->pagination.max_limit, 100);
    assert_int_equal(r->pagination.cursor_max_age_ms, 0);
    assert_false(r->pagination.nulls_first);
    assert_int_equal(r->cursor_secret.len, 0);
    assert_false(r->etag.set);
    assert_false(r->fields.readable.set);
    assert_true(r->strict_scope_on_write);
    assert_true(r->capabilities.create && r->capabilities.batch && r->capabilities.subscribe);
    assert_str(r->soft_delete_field, NULL);
    assert_int_equal(r->filter.max_length, 4096);
    assert_int_equal(r->filter.max_depth, 10);
    assert_int_equal(r->filter.max_nodes, 100);
    assert_int_equal(r->n_columns, 0);
}

static void config__reads_what_is_given(void **state)
{
    const cov_config *c = parse(
        "{ \"$schema\": \"x\", \"naming\": \"asIs\", \"logLevel\": \"warn\", /* comment */"
        "  \"database\": { \"url\": \"sqlite:x.db\", \"synchronous\": \"normal\" },"
        "  \"server\": { \"port\": 8080.0, \"accessLog\": true, },"
        "  \"resources\": {"
        "    \"notes\": { \"table\": \"t\", \"path\": \"/my/notes/\", \"id\": \"key\","
        "      \"auth\": { \"public\": { \"create\": true }, \"scope\": true, \"read\": \"userId=={user.id}\", \"delete\": false },"
        "      \"batch\": { \"update\": 0, \"requireFilter\": false },"
        "      \"pagination\": { \"maxLimit\": 10, \"nullsPosition\": \"first\" },"
        "      \"etag\": { \"versionField\": \"v\", \"algorithm\": \"weak\" },"
        "      \"fields\": { \"readable\": [\"a\", \"b\"], \"writable\": [], \"aggregatable\": { \"metrics\": [\"a\"] } },"
        "      \"softDelete\": { \"field\": \"deletedAt\" },"
        "      \"capabilities\": { \"enableDelete\": false },"
        "      \"columns\": { \"created_at\": \"made\", \"status\": { \"enum\": [\"x\", \"y\"], \"maxLength\": 9 } } },"
        "    \"posts\": { \"auth\": { \"public\": true }, \"relations\": {"
        "      \"tags\": { \"type\": \"manyToMany\", \"resource\": \"tags\", \"strategy\": \"eager\","
        "        \"through\": { \"table\": \"pt\", \"sourceKey\": \"p\", \"targetKey\": \"t\" } } } } } }");
    const cov_resource_config *r = c->resources;

    (void)state;
    assert_int_equal(c->naming, COV_NAMING_AS_IS);
    assert_int_equal(c->log_level, COV_LOG_WARN);
    assert_true(c->database.relaxed_sync);
    assert_int_equal(c->server.port, 8080);
    assert_true(c->server.access_log);
    assert_str(r->table, "t");
    assert_str(r->path, "my/notes");
    assert_str(r->id, "key");
    assert_true(r->auth.set && r->auth.public_[COV_OP_CREATE]);
    assert_false(r->auth.public_[COV_OP_READ]);
    assert_str(r->auth.any_scope, "*");
    assert_str(r->auth.scope[COV_OP_READ], "userId=={user.id}");
    assert_str(r->auth.scope[COV_OP_DELETE], "");
    assert_str(r->auth.scope[COV_OP_UPDATE], NULL);
    assert_int_equal(r->batch.update, 0);
    assert_false(r->batch.require_filter);
    assert_int_equal(r->pagination.default_limit, 10);
    assert_true(r->pagination.nulls_first);
    assert_true(r->etag.set && r->etag.weak);
    assert_str(r->etag.version_field, "v");
    assert_names(r->fields.readable, "a,b");
    assert_true(r->fields.writable.set);
    assert_int_equal(r->fields.writable.n, 0);
    assert_names(r->fields.metrics, "a");
    assert_str(r->soft_delete_field, "deletedAt");
    assert_false(r->capabilities.delete_);
    assert_int_equal(r->n_columns, 2);
    assert_str(r->columns[0].db_name, "created_at");
    assert_str(r->columns[0].name, "made");
    assert_str(r->columns[1].name, NULL);
    assert_names(r->columns[1].enum_values, "x,y");
    assert_int_equal(r->columns[1].max_length, 9);
    r++;
    assert_true(r->auth.public_[COV_OP_READ] && r->auth.public_[COV_OP_SUBSCRIBE]);
    assert_false(r->auth.public_[COV_OP_CREATE]);
    assert_int_equal(r->n_relations, 1);
    assert_int_equal(r->relations->type, COV_MANY_TO_MANY);
    assert_true(r->relations->eager);
    assert_str(r->relations->through_target_key, "t");
}

static void config__replaces_environment_references(void **state)
{
    static const refusal refused[] = {
        { "{\"schema\":\"${NOPE}\"}",
          "1:11: \"schema\" needs the environment variable NOPE, which is not set" },
        { "{\"schema\":\"${EMPTY}\"}", "1:11: \"schema\" must not be empty" },
        { "{\"schema\":\"${SECRET\"}",
          "1:11: \"schema\": \"${SECRET\" does not name an environment variable; for the text itself write $${" },
        { RESOURCE("\"auth\":{\"read\":\"id==${user.id}\"}"),
          "1:35: \"read\": \"${user.id}\" does not name an environment variable; for the text itself write $${" },
        { RESOURCE("\"fields\":{\"readable\":[\"${NOPE}\"]}"),
          "1:42: \"readable\" needs the environment variable NOPE, which is not set" },
        { "{\"kv\":{\"type\":\"memory\",\"prefix\":\"${NOPE}\"}}",
          "1:33: \"prefix\" needs the environment variable NOPE, which is not set" },
    };
    const cov_config *c = parse(
        "{\"schema\":\"$${SECRET}-${SECRET}${EMPTY}$\",\"resources\":{\"${SECRET}\":{\"path\":\"p\"}}}");

    (void)state;
    assert_str(c->schema_path, "${SECRET}-s3cret$");
    assert_str(c->resources->name, "${SECRET}"); /* keys are names, not values */
    refuse_all(refused, COV_COUNT_OF(refused));
}

static void config__resolves_cors(void **state)
{
    static const refusal refused[] = {
        { "{\"app\":{\"cors\":{\"credentials\":true}}}",
          "1:9: \"cors\" with \"credentials\" needs an \"origin\" that names the pages that may call: browsers refuse "
          "credentials together with \"*\"" },
        { "{\"app\":{\"cors\":{\"origin\":[\"https://a\",\"*\"],\"credentials\":true}}}",
          "1:9: \"cors\" with \"credentials\" needs an \"origin\" that names the pages that may call: browsers refuse "
          "credentials together with \"*\"" },
        { "{\"app\":{\"cors\":{\"origin\":\"a\\r\\nb\"}}}",
          "1:26: \"origin\" goes into a header: it may hold printable ASCII characters only" },
    };
    const cov_config *c;

    (void)state;
    refuse_all(refused, COV_COUNT_OF(refused));
    c = parse("{\"app\":{\"cors\":true},\"resources\":{}}");
    assert_true(c->app.cors.enabled && c->app.cors.any_origin);
    c = parse("{\"app\":{\"cors\":{}},\"resources\":{}}");
    assert_true(c->app.cors.enabled && c->app.cors.any_origin);
    c = parse(
        "{\"app\":{\"cors\":{\"origin\":\"https://a\",\"credentials\":true,\"maxAge\":60}},\"resources\":{}}");
    assert_true(c->app.cors.enabled && c->app.cors.credentials);
    assert_false(c->app.cors.any_origin);
    assert_names(c->app.cors.origins, "https://a");
    assert_int_equal(c->app.cors.max_age_s, 60);
}

static void config__reads_security_headers_and_health(void **state)
{
    const cov_config *c = parse(
        "{\"app\":{\"securityHeaders\":{\"frameOptions\":\"SAMEORIGIN\",\"referrerPolicy\":false,"
        "\"contentTypeOptions\":true,\"hsts\":{\"preload\":true}},"
        "\"health\":{\"basePath\":\"internal/\",\"version\":\"1.2\"}},\"resources\":{}}");

    (void)state;
    assert_str(c->app.security.frame_options, "SAMEORIGIN");
    assert_str(c->app.security.referrer_policy, NULL);
    assert_str(c->app.security.content_type_options, "nosniff");
    assert_true(c->app.security.hsts && c->app.security.hsts_preload);
    assert_true(c->app.health);
    assert_str(c->app.health_path, "/internal");
    assert_str(c->app.version, "1.2");
    c = parse(
        "{\"app\":{\"securityHeaders\":false,\"health\":{\"enabled\":false}},\"resources\":{}}");
    assert_false(c->app.security.enabled);
    assert_false(c->app.health);
}

static void config__normalises_paths(void **state)
{
    static const struct {
        const char *given;
        const char *kept;
    } rows[] = {
        { "", "" },      { "/", "" },       { "b", "/b" },
        { "/b/", "/b" }, { "/b//", "/b/" }, { "a/b", "/a/b" },
    };
    static const refusal refused[] = {
        { "{\"app\":{\"basePath\":\"/a b\"}}",
          "1:20: \"basePath\" must be a path of letters, digits, / and -._~!$&'()*+,;=:@, not \"/a b\"" },
        { RESOURCE("\"path\":\"//\""), "1:27: \"path\" must not be empty" },
        { "{\"resources\":{\"my table\":{}}}",
          "1:15: \"path\" must be a path of letters, digits, / and -._~!$&'()*+,;=:@, not \"my table\"" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_str text = cov_arena_printf(arena, "{\"app\":{\"basePath\":\"%s\"},\"resources\":{}}",
                                        rows[i].given);

        assert_str(parse(text.ptr)->app.base_path, rows[i].kept);
    }
    refuse_all(refused, COV_COUNT_OF(refused));
}

static void config__inherits_the_cursor_secret(void **state)
{
    const cov_config *c =
        parse("{\"resources\":{\"a\":{},\"b\":{\"cursorSigningSecret\":\"own\"},"
              "\"c\":{\"cursorSigningSecret\":null}},\"cursorSigningSecret\":\"${SECRET}\"}");

    (void)state;
    assert_str(c->resources[0].cursor_secret, "s3cret");
    assert_str(c->resources[1].cursor_secret, "own");
    assert_int_equal(c->resources[2].cursor_secret.len, 0);
}

static void config__lists_what_has_no_effect_yet(void **state)
{
    const cov_config *c =
        parse("{\"resources\":{\"p\":{\"nestedWrites\":false,\"sse\":{\"heartbeatMs\":1000}}}}");

    (void)state;
    assert_true(c->unused.set);
    assert_names(c->unused, "resources.p.sse");
}

static void config__reads_accounts_and_limits(void **state)
{
    const cov_config *c = parse(
        "{\"auth\":{\"users\":{\"table\":\"users\",\"passwordHash\":\"hash\"},\"login\":{\"failedCost\":7,\"pow\":true},"
        "\"session\":{\"sliding\":true,\"cookieOptions\":{\"sameSite\":\"strict\"}},\"passwordPolicy\":{\"minLength\":9}},"
        "\"rateLimit\":{\"maxRequests\":5},\"abuseProtection\":{\"budget\":{\"classes\":{\"anonymous\":{\"capacity\":9}}}},"
        "\"resources\":{\"p\":{\"pow\":{\"operations\":[\"read\",\"rpc\"]},\"captcha\":true,\"rateLimit\":true}}}");
    const cov_gate_config *gate = &c->resources->gate;

    (void)state;
    assert_false(c->unused.set);
    assert_true(c->auth.set && c->auth.login && !c->auth.signup && c->auth.throttle.enabled);
    assert_true(c->auth.login_gate.pow.set);
    assert_int_equal(c->auth.login_gate.cost[COV_GATE_RPC], 7);
    assert_int_equal(c->auth.session.ttl_ms, 86400000);
    assert_int_equal(c->auth.session.cookie.same_site, COV_SAME_SITE_STRICT);
    assert_true(c->auth.session.sliding && c->auth.password_policy.set);
    assert_int_equal(c->auth.password_policy.min_length, 9);
    assert_int_equal(c->guard.rate.max_requests, 5);
    assert_int_equal(c->guard.rate.window_ms, 60000);
    assert_int_equal(c->guard.abuse.budget.classes[0].capacity, 9);
    assert_true(gate->pow.set && gate->pow.on[COV_GATE_READ] && gate->pow.on[COV_GATE_RPC]);
    assert_false(gate->pow.on[COV_GATE_CREATE]);
    assert_true(gate->captcha.on[COV_GATE_CREATE] && !gate->captcha.on[COV_GATE_READ]);
    assert_true(gate->rate.set && gate->rate.headers);
}

#define ACCOUNTS(more) "{\"auth\":{\"users\":{\"table\":\"u\"}" more "},\"resources\":{}}"

static void config__refuses_accounts_that_cannot_work(void **state)
{
    static const refusal rows[] = {
        { "{\"auth\":{},\"resources\":{}}",
          "1:2: \"auth\" needs \"users\": the table that users are in" },
        { ACCOUNTS(",\"login\":true"), "1:2: \"auth\": \"login\" needs \"users.passwordHash\"" },
        { ACCOUNTS(",\"verification\":true"),
          "1:2: \"auth\": \"verification\" needs \"users.emailVerified\"" },
        { ACCOUNTS(",\"session\":{\"type\":\"jwt\"}"),
          "1:2: \"auth.session\": \"jwt\" needs \"secret\"" },
        { ACCOUNTS(",\"session\":{\"type\":\"jwt\",\"secret\":\"short\"}"),
          "1:2: \"auth.session.secret\" must have at least 32 bytes (RFC 7518); \"openssl rand -hex 32\" makes one" },
        { ACCOUNTS(",\"session\":{\"type\":\"jwt\",\"secret\":\"x\",\"algorithm\":\"ES256\"}"),
          "1:2: \"auth.session\": \"algorithm\" \"ES256\" needs \"publicKey\"" },
        { ACCOUNTS(",\"session\":{\"store\":\"none\"}"),
          "1:2: \"auth.session.store\": \"none\" is for \"jwt\"; cookies need a store" },
        { ACCOUNTS(",\"session\":{\"cookieName\":\"a b\"}"),
          "1:56: \"cookieName\" must be a name of letters, digits and !#$%&'*+-.^_`|~" },
        { ACCOUNTS(",\"session\":{\"cookieOptions\":{\"domain\":\"a;b\"}}"),
          "1:69: \"domain\" goes into a cookie: it may not hold \";\"" },
        { ACCOUNTS(",\"session\":{\"cookieOptions\":{\"sameSite\":\"none\",\"secure\":\"never\"}}"),
          "1:2: \"cookieOptions\": browsers refuse \"sameSite\" \"none\" without \"secure\"" },
        { ACCOUNTS(",\"scrypt\":{\"N\":1025}"),
          "1:2: \"scrypt.N\" must be a power of two, not 1025" },
        { ACCOUNTS(",\"scrypt\":{\"N\":1048576,\"r\":8}"),
          "1:2: \"scrypt\" would need 1024 MiB for a hash; 64 is the most" },
        { RESOURCE("\"pow\":{\"operations\":[\"list\"]}"),
          "1:15: \"pow\": unknown operation \"list\"; there are read, create, update, delete, subscribe, aggregate, "
          "count, search and rpc" },
        { "{\"versioning\":{\"deprecations\":{\"f\":{\"message\":\"m\",\"sunset\":\"tomorrow\"}}},\"resources\":{}}",
          "1:60: \"sunset\" must be a day such as \"2027-01-02\", not \"tomorrow\"" },
    };

    (void)state;
    refuse_all(rows, COV_COUNT_OF(rows));
}

static void config__drops_a_byte_order_mark(void **state)
{
    (void)state;
    assert_int_equal(parse("\xEF\xBB\xBF" RESOURCE(""))->n_resources, 1);
}

/* Files that are generated and committed lie two folders up from here. */
static void assert_current(const char *relative, void (*generate)(cov_buf *out))
{
    const char *source = getenv("COVARA_SOURCE_DIR");
    const char *slash = strrchr(__FILE__, '/');
    cov_buf wanted = COV_BUF_IN(arena);
    cov_buf found = COV_BUF_IN(arena);
    char path[4096];
    FILE *file;

    generate(&wanted);
    assert_false(wanted.failed);
    if (source != NULL)
        snprintf(path, sizeof path, "%s/%s", source, relative);
    else
        snprintf(path, sizeof path, "%.*s/../../%s", (int)(slash - __FILE__), __FILE__, relative);
    file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("cannot read %s", path);
    for (int c; (c = fgetc(file)) != EOF;)
        cov_buf_char(&found, (char)c);
    fclose(file);
    if (!cov_str_eq(cov_buf_view(&wanted), cov_buf_view(&found)))
        fail_msg("%s is stale; write it anew with covara schema [--markdown]", relative);
}

static void config__generated_files_are_current(void **state)
{
    (void)state;
    assert_current("share/covara.schema.json", cov_config_json_schema);
    assert_current("docs/configuration.md", cov_config_markdown);
}

static void config__survives_a_small_arena(void **state)
{
    const char *text =
        RESOURCE("\"fields\":{\"readable\":[\"a\",\"b\"]},\"columns\":{\"x\":\"${SECRET}\"}");

    (void)state;
    for (size_t limit = 0; limit < 20000; limit += 61) {
        cov_arena *small = cov_arena_new(limit + 1);
        const cov_config *config = NULL;
        cov_error err;
        cov_status st;

        assert_non_null(small);
        cov_error_init(&err, small);
        st = cov_config_parse(small, &host, COV_STR("c"), cov_str_from(text), &config, &err);
        assert_true(st == COV_OK || st == COV_ENOMEM);
        cov_arena_free(small);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(config__names_unknown_keys),
        TEST(config__refuses_wrong_types),
        TEST(config__keeps_bounds),
        TEST(config__refuses_duplicates_and_gaps),
        TEST(config__places_syntax_errors),
        TEST(config__limits_nesting),
        TEST(config__has_defaults),
        TEST(config__reads_what_is_given),
        TEST(config__replaces_environment_references),
        TEST(config__resolves_cors),
        TEST(config__reads_security_headers_and_health),
        TEST(config__normalises_paths),
        TEST(config__inherits_the_cursor_secret),
        TEST(config__lists_what_has_no_effect_yet),
        TEST(config__reads_accounts_and_limits),
        TEST(config__refuses_accounts_that_cannot_work),
        TEST(config__drops_a_byte_order_mark),
        TEST(config__generated_files_are_current),
        TEST(config__survives_a_small_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
