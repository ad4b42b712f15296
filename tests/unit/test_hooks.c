/* SPDX-License-Identifier: MIT */
/* Hooks, computed fields, scope functions and mutation listeners of application code (covara/resource.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "app/build.h"
#include "app_fixture.h"

static const char schema[] =
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL, slug TEXT NOT NULL, views INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE comments (id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL REFERENCES posts(id), text TEXT NOT NULL);"
    "CREATE TABLE audit (id INTEGER PRIMARY KEY, line TEXT NOT NULL);"
    "CREATE TABLE secrets (id INTEGER PRIMARY KEY, owner TEXT);"
    "INSERT INTO secrets VALUES (1,'u1'),(2,'u2');";

static const char config[] =
    "{\"resources\":{"
    "\"posts\":{\"generatedFields\":[\"slug\"],\"nestedWrites\":true,"
    "\"auth\":{\"public\":{\"read\":true,\"create\":true,\"update\":true,\"delete\":true}},"
    "\"relations\":{\"comments\":{\"type\":\"hasMany\",\"resource\":\"comments\",\"foreignKey\":\"postId\"}}},"
    "\"comments\":{\"auth\":{\"public\":{\"read\":true,\"create\":true}},"
    "\"relations\":{\"post\":{\"type\":\"belongsTo\",\"resource\":\"posts\",\"foreignKey\":\"postId\"}}}}}";

/* What the listener heard, one line a mutation. */
static char heard[1024];

static cov_status write_audit(cov_ctx *ctx, const char *what, const cov_row *row, cov_error *err)
{
    cov_value line = cov_value_text(cov_arena_printf(cov_ctx_arena(ctx), "%s %.*s", what,
                                                     COV_STR_ARG(cov_row_text(row, "title"))));

    return cov_ctx_exec(ctx, COV_STR("INSERT INTO audit (line) VALUES (?)"), &line, 1, NULL, err);
}

static cov_status before_create(cov_ctx *ctx, cov_row *data, void *self, cov_error *err)
{
    cov_str title = cov_row_text(data, "title");

    (void)self;
    if (cov_str_eq(title, COV_STR("forbidden")))
        return cov_fail(err, COV_EFORBIDDEN, "not this title");
    return cov_row_set(data, "slug",
                       cov_value_text(
                           cov_arena_printf(cov_ctx_arena(ctx), "s-%.*s", COV_STR_ARG(title))),
                       err);
}

static cov_status after_create(cov_ctx *ctx, const cov_row *row, void *self, cov_error *err)
{
    cov_status st = write_audit(ctx, "created", row, err);

    (void)self;
    if (st == COV_OK && cov_str_eq(cov_row_text(row, "title"), COV_STR("late")))
        return cov_fail(err, COV_ECONFLICT, "refused after the insert");
    return st;
}

static cov_status before_update(cov_ctx *ctx, const cov_row *row, cov_row *data, void *self,
                                cov_error *err)
{
    (void)ctx;
    (void)self;
    return cov_row_set(data, "views", cov_value_int(cov_row_int(row, "views") + 1), err);
}

static cov_status after_update(cov_ctx *ctx, const cov_row *before, const cov_row *row, void *self,
                               cov_error *err)
{
    (void)self;
    assert_int_equal(cov_row_int(before, "views") + 1, cov_row_int(row, "views"));
    return write_audit(ctx, "updated", row, err);
}

static cov_status before_replace(cov_ctx *ctx, const cov_row *row, cov_row *data, void *self,
                                 cov_error *err)
{
    (void)ctx;
    (void)row;
    (void)self;
    return cov_row_set(data, "slug", cov_value_text(COV_STR("replaced")), err);
}

static cov_status before_delete(cov_ctx *ctx, const cov_row *row, void *self, cov_error *err)
{
    (void)ctx;
    (void)self;
    if (cov_row_int(row, "views") > 1)
        return cov_fail(err, COV_ECONFLICT, "too many views");
    return COV_OK;
}

static cov_status after_delete(cov_ctx *ctx, const cov_row *row, void *self, cov_error *err)
{
    (void)self;
    return write_audit(ctx, "deleted", row, err);
}

static cov_status loud(cov_ctx *ctx, const cov_row *row, cov_buf *json, void *self, cov_error *err)
{
    (void)ctx;
    (void)self;
    (void)err;
    cov_json_str(json, cov_row_text(row, "title"));
    json->len--;
    cov_buf_str(json, COV_STR("!\""));
    return COV_OK;
}

static cov_status owner_scope(cov_ctx *ctx, cov_operation operation, cov_buf *scope, void *self,
                              cov_error *err)
{
    cov_value id;

    (void)operation;
    (void)self;
    (void)err;
    if (!cov_ctx_user(ctx, "id", &id))
        return COV_OK;
    cov_buf_str(scope, COV_STR("owner=="));
    cov_scope_value(scope, &id);
    return COV_OK;
}

static void listen(const cov_mutation *mutation, void *self)
{
    size_t len = strlen(heard);

    (void)self;
    snprintf(heard + len, sizeof heard - len, "%.*s %.*s %.*s\n", COV_STR_ARG(mutation->type),
             COV_STR_ARG(mutation->resource), COV_STR_ARG(mutation->id));
}

static const cov_computed_field computed[] = { { "loud", loud, NULL } };
static const cov_resource_options posts = {
    .hooks = { .before_create = before_create,
               .after_create = after_create,
               .before_update = before_update,
               .after_update = after_update,
               .before_replace = before_replace,
               .before_delete = before_delete,
               .after_delete = after_delete },
    .computed = computed,
    .n_computed = 1,
};
static const cov_resource_options secrets = { .scope = owner_scope };

static cov_app *build(cov_env *env)
{
    cov_app *app = cov_app_new(env, NULL);

    cov_app_resource(app, "posts", &posts);
    cov_app_resource(app, "secrets", &secrets);
    cov_app_on_mutation(app, listen, NULL);
    return app;
}

static int open_app(void **state)
{
    static app_fixture f;

    heard[0] = '\0';
    app_fixture_build(&f, schema, config, build);
    *state = &f;
    return 0;
}

static int close_app(void **state)
{
    app_fixture_close(*state);
    return 0;
}

static void assert_audit(app_fixture *f, const char *sql_condition)
{
    char sql[256];

    /* A failing CHECK stops the test with the condition in its message. */
    snprintf(sql, sizeof sql,
             "CREATE TEMP TABLE must (ok CHECK (ok)); INSERT INTO must SELECT %s; DROP TABLE must;",
             sql_condition);
    app_sql(f, sql);
}

static void hooks__fill_in_and_follow_a_create(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, app_call(f, "POST", "/api/posts", NULL, "{\"title\":\"one\"}"), 201,
                  "{\"id\":1,\"title\":\"one\",\"slug\":\"s-one\",\"views\":0,\"loud\":\"one!\"}");
    assert_audit(f, "count(*)=1 AND max(line)='created one' FROM audit");
    assert_string_equal(heard, "create posts 1\ncreate audit *\n");
}

static void hooks__refuse_with_a_problem_and_leave_nothing(void **state)
{
    app_fixture *f = *state;

    assert_contains(f, app_call(f, "POST", "/api/posts", NULL, "{\"title\":\"forbidden\"}"), 403,
                    "not this title");
    assert_contains(f, app_call(f, "POST", "/api/posts", NULL, "{\"title\":\"late\"}"), 409,
                    "refused after the insert");
    assert_answer(f, app_call(f, "GET", "/api/posts/count", NULL, NULL), 200, "{\"count\":0}");
    assert_audit(f, "count(*)=0 FROM audit");
    assert_string_equal(heard, "");
}

static void hooks__run_for_each_row_of_a_batch(void **state)
{
    app_fixture *f = *state;

    assert_contains(f,
                    app_call(f, "POST", "/api/posts/batch", NULL,
                             "{\"items\":[{\"title\":\"a\"},{\"title\":\"b\"}]}"),
                    200, "\"slug\":\"s-b\"");
    assert_contains(f,
                    app_call(f, "POST", "/api/posts/batch", NULL,
                             "{\"items\":[{\"title\":\"c\"},{\"title\":\"late\"}]}"),
                    409, "refused");
    assert_answer(f, app_call(f, "GET", "/api/posts/count", NULL, NULL), 200, "{\"count\":2}");
    app_sql(f, "UPDATE posts SET views = id * 10");
    assert_answer(f,
                  app_call(f, "PATCH", "/api/posts/batch?filter=id>0", NULL,
                           "{\"title\":\"same\"}"),
                  200, "{\"count\":2}");
    assert_audit(f, "group_concat(views) = '11,21' FROM posts");
    assert_contains(f, app_call(f, "DELETE", "/api/posts/batch?filter=id>0", NULL, NULL), 409,
                    "too many views");
    assert_answer(f, app_call(f, "GET", "/api/posts/count", NULL, NULL), 200, "{\"count\":2}");
}

static void hooks__tell_update_from_replace(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(app_call(f, "POST", "/api/posts", NULL, "{\"title\":\"one\"}"), 201);
    assert_contains(f, app_call(f, "PATCH", "/api/posts/1", NULL, "{\"title\":\"two\"}"), 200,
                    "\"views\":1");
    assert_audit(f, "max(line)='updated two' FROM audit");
    app_sql(f, "DELETE FROM audit");
    /* No after_replace: the update hook stands in, and it wants one view more. */
    assert_contains(f,
                    app_call(f, "PUT", "/api/posts/1", NULL, "{\"title\":\"three\",\"views\":2}"),
                    200, "\"slug\":\"replaced\"");
}

static void hooks__run_on_upsert_by_what_was_there(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(app_call(f, "POST", "/api/posts", NULL, "{\"title\":\"one\"}"), 201);
    heard[0] = '\0';
    assert_contains(
        f,
        app_call(
            f, "POST", "/api/posts/batch/upsert", NULL,
            "{\"items\":[{\"id\":1,\"title\":\"uno\",\"slug\":\"x\"},{\"id\":2,\"title\":\"due\"}]}"),
        200, "\"slug\":\"s-due\"");
    assert_string_equal(heard, "update posts 1\ncreate audit *\ncreate posts 2\ncreate audit *\n");
}

static void hooks__guard_a_delete(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(app_call(f, "POST", "/api/posts", NULL, "{\"title\":\"one\"}"), 201);
    app_sql(f, "UPDATE posts SET views = 9");
    assert_int_equal(app_call(f, "DELETE", "/api/posts/1", NULL, NULL), 409);
    app_sql(f, "UPDATE posts SET views = 0");
    assert_int_equal(app_call(f, "DELETE", "/api/posts/1", NULL, NULL), 204);
    assert_audit(f, "max(line)='deleted one' FROM audit");
}

static void computed__appear_in_every_answer(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(app_call(f, "POST", "/api/posts", NULL,
                              "{\"title\":\"one\",\"comments\":[{\"text\":\"hi\"}]}"),
                     201);
    assert_contains(f, app_call(f, "GET", "/api/posts/1?select=id", NULL, NULL), 200,
                    "{\"id\":1,\"loud\":\"one!\"}");
    assert_contains(f, app_call(f, "GET", "/api/posts?select=slug&orderBy=title", NULL, NULL), 200,
                    "[{\"slug\":\"s-one\",\"loud\":\"one!\"}]");
    assert_contains(f, app_call(f, "GET", "/api/posts?include=comments", NULL, NULL), 200,
                    "\"comments\":[{\"id\":1,\"postId\":1,\"text\":\"hi\"}],\"loud\":\"one!\"}");
    assert_contains(f, app_call(f, "GET", "/api/comments?include=post(select:id)", NULL, NULL), 200,
                    "\"post\":{\"id\":1,\"loud\":\"one!\"}");
}

static void scope_function__limits_rows_and_quotes_values(void **state)
{
    app_fixture *f = *state;

    assert_contains(f, app_call_as(f, "u1", "GET", "/api/secrets", NULL), 200,
                    "[{\"id\":1,\"owner\":\"u1\"}]");
    assert_contains(f, app_call_as(f, "x\",id!=\"0", "GET", "/api/secrets", NULL), 200,
                    "\"items\":[]");
    assert_int_equal(app_call_as(f, NULL, "GET", "/api/secrets", NULL), 401);
    assert_int_equal(app_call_as(f, "u1", "POST", "/api/secrets", "{\"owner\":\"u2\"}"), 403);
}

static void build__reports_the_first_mistake(void **state);

static cov_app *build_mistake(cov_env *env)
{
    static const cov_custom_route no_slash = { .method = COV_GET, .path = "feed" };
    cov_app *app = cov_app_new(env, NULL);

    cov_app_route(app, &no_slash);
    return app;
}

static void build__reports_the_first_mistake(void **state)
{
    app_fixture *f = *state;
    const cov_config *parsed = NULL;
    cov_schema *read = NULL;
    cov_app *app = NULL;
    cov_error err;

    cov_error_init(&err, f->arena);
    assert_int_equal(cov_config_parse(f->arena, cov_native_host(), COV_STR("c"),
                                      COV_STR("{\"resources\":{}}"), &parsed, &err),
                     COV_OK);
    assert_int_equal(cov_schema_read_sqlite(f->arena, f->db, COV_NAMING_CAMEL, &read, &err),
                     COV_OK);
    assert_int_equal(cov__app_build(cov_native_host(), parsed, read, NULL, build_mistake, &app,
                                    &err),
                     COV_EINVAL);
    assert_string_equal(err.text,
                        "application code: a route's path must begin with a slash: \"feed\"");
}

int main(void)
{
#define HOOK_TEST(name) cmocka_unit_test_setup_teardown(name, open_app, close_app)
    const struct CMUnitTest tests[] = {
        HOOK_TEST(hooks__fill_in_and_follow_a_create),
        HOOK_TEST(hooks__refuse_with_a_problem_and_leave_nothing),
        HOOK_TEST(hooks__run_for_each_row_of_a_batch),
        HOOK_TEST(hooks__tell_update_from_replace),
        HOOK_TEST(hooks__run_on_upsert_by_what_was_there),
        HOOK_TEST(hooks__guard_a_delete),
        HOOK_TEST(computed__appear_in_every_answer),
        HOOK_TEST(scope_function__limits_rows_and_quotes_values),
        HOOK_TEST(build__reports_the_first_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
