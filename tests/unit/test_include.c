/* SPDX-License-Identifier: MIT */
/* Relations, include and nested writes (spec/01 sections 12 and 13). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app_fixture.h"

static const char schema[] =
    "CREATE TABLE authors (id TEXT PRIMARY KEY, name TEXT NOT NULL, secret TEXT);"
    "CREATE TABLE posts (post_no INTEGER PRIMARY KEY, title TEXT NOT NULL, author_id TEXT REFERENCES authors(id));"
    "CREATE TABLE comments (id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL REFERENCES posts(post_no),"
    " text TEXT NOT NULL CHECK (length(text) < 20), deleted_at TEXT);"
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE post_tags (post_id INTEGER NOT NULL, tag_id INTEGER NOT NULL);"
    "CREATE TABLE private (id INTEGER PRIMARY KEY, author_id TEXT REFERENCES authors(id));"
    "INSERT INTO authors VALUES ('a','Ann','s1'),('b','Bob','s2');"
    "INSERT INTO posts VALUES (1,'one','a'),(2,'two','b'),(3,'three','a'),(4,'four',NULL);"
    "INSERT INTO comments VALUES (1,1,'c1',NULL),(2,1,'c2',NULL),(3,1,'c3',NULL),(4,2,'c4',NULL),(5,2,'gone','x');"
    "INSERT INTO tags VALUES (1,'x'),(2,'y'); INSERT INTO post_tags VALUES (1,1),(1,2),(2,2);"
    "INSERT INTO private VALUES (1,'a');";

#define PUBLIC \
    "\"auth\":{\"public\":{\"read\":true,\"create\":true,\"update\":true,\"delete\":true}}"

static const char config[] =
    "{\"resources\":{"
    "\"authors\":{" PUBLIC ",\"fields\":{\"readable\":[\"id\",\"name\"]},\"relations\":{"
    "\"posts\":{\"type\":\"hasMany\",\"resource\":\"posts\",\"foreignKey\":\"authorId\"},"
    "\"private\":{\"type\":\"hasMany\",\"resource\":\"private\",\"foreignKey\":\"authorId\"}}},"
    "\"posts\":{" PUBLIC ",\"nestedWrites\":true,\"include\":{\"maxRows\":50},\"relations\":{"
    "\"author\":{\"type\":\"belongsTo\",\"resource\":\"authors\",\"foreignKey\":\"authorId\"},"
    "\"comments\":{\"type\":\"hasMany\",\"resource\":\"comments\",\"foreignKey\":\"postId\"},"
    "\"tags\":{\"type\":\"manyToMany\",\"resource\":\"tags\",\"through\":{\"table\":\"post_tags\",\"sourceKey\":\"post_id\","
    "\"targetKey\":\"tag_id\"}}}},"
    "\"comments\":{" PUBLIC ",\"softDelete\":{\"field\":\"deletedAt\"},\"autoRelations\":true},"
    "\"tags\":{" PUBLIC "},"
    "\"private\":{\"auth\":{\"read\":\"authorId=={user.id}\"}}}}";

static int open_app(void **state)
{
    static app_fixture f;

    app_fixture_open(&f, schema, config);
    *state = &f;
    return 0;
}

static int close_app(void **state)
{
    app_fixture_close(*state);
    return 0;
}

static void include__belongs_to_is_masked_and_needs_no_key_in_select(void **state)
{
    app_fixture *f = *state;

    assert_contains(
        f,
        app_call(f, "GET", "/api/posts?select=title&include=author(select:name)&limit=2", NULL,
                 NULL),
        200,
        "[{\"title\":\"one\",\"author\":{\"name\":\"Ann\"}},{\"title\":\"two\",\"author\":{\"name\":\"Bob\"}}]");
    assert_contains(f, app_call(f, "GET", "/api/posts/1?include=author", NULL, NULL), 200,
                    "\"author\":{\"id\":\"a\",\"name\":\"Ann\"}}");
    assert_contains(f, app_call(f, "GET", "/api/posts/4?include=author", NULL, NULL), 200,
                    "\"author\":null");
}

static void include__children_are_limited_for_each_parent(void **state)
{
    app_fixture *f = *state;

    assert_contains(
        f,
        app_call(f, "GET",
                 "/api/posts?select=postNo&limit=3&include=comments(select:id;limit:1;offset:1)",
                 NULL, NULL),
        200,
        "[{\"postNo\":1,\"comments\":[{\"id\":2}]},{\"postNo\":2,\"comments\":[]},{\"postNo\":3,\"comments\":[]}]");
    assert_contains(f,
                    app_call(f, "GET", "/api/posts/1?include=comments(select:id;limit:0)", NULL,
                             NULL),
                    200, "\"comments\":[]");
    assert_contains(f,
                    app_call(f, "GET", "/api/posts/1?include=comments(select:id;limit:-1)", NULL,
                             NULL),
                    200, "\"comments\":[{\"id\":1},{\"id\":2},{\"id\":3}]");
    assert_contains(
        f,
        app_call(f, "GET", "/api/posts?select=postNo&limit=2&include=tags(select:name;limit:1)",
                 NULL, NULL),
        200,
        "[{\"postNo\":1,\"tags\":[{\"name\":\"x\"}]},{\"postNo\":2,\"tags\":[{\"name\":\"y\"}]}]");
}

static void include__soft_deleted_rows_stay_hidden(void **state)
{
    app_fixture *f = *state;

    assert_contains(f, app_call(f, "GET", "/api/posts/2?include=comments(select:id)", NULL, NULL),
                    200, "\"comments\":[{\"id\":4}]");
}

static void include__filters_obey_the_target(void **state)
{
    app_fixture *f = *state;

    assert_contains(f,
                    app_call(f, "GET",
                             "/api/posts/1?include=comments(select:id;filter:text==\"c2\",id==3)",
                             NULL, NULL),
                    200, "\"comments\":[{\"id\":2},{\"id\":3}]");
    assert_contains(f,
                    app_call(f, "GET", "/api/posts/1?include=comments(filter:zzz==1)", NULL, NULL),
                    400, "Unknown column: zzz");
    assert_contains(f,
                    app_call(f, "GET", "/api/posts/1?include=author(filter:secret==\"s1\")", NULL,
                             NULL),
                    400, "not filterable");
    assert_contains(f,
                    app_call(f, "GET", "/api/posts/1?include=author(filter:posts.title==\"x\")",
                             NULL, NULL),
                    400, "Relation paths are not allowed");
}

static void include__scope_of_the_target_decides(void **state)
{
    app_fixture *f = *state;

    assert_contains(f, app_call(f, "GET", "/api/authors?include=private&select=id", NULL, NULL),
                    200, "[{\"id\":\"a\",\"private\":[]},{\"id\":\"b\",\"private\":[]}]");
    assert_contains(f, app_call_as(f, "a", "GET", "/api/authors/a?include=private&select=id", NULL),
                    200, "{\"id\":\"a\",\"private\":[{\"id\":1,\"authorId\":\"a\"}]}");
    assert_contains(f, app_call_as(f, "b", "GET", "/api/authors/a?include=private&select=id", NULL),
                    200, "\"private\":[]");
}

static void include__paths_nest_and_merge(void **state)
{
    app_fixture *f = *state;

    assert_contains(
        f,
        app_call(
            f, "GET",
            "/api/authors/b?select=id&include=posts(select:title).comments(select:id),posts.tags(select:name)",
            NULL, NULL),
        200,
        "{\"id\":\"b\",\"posts\":[{\"title\":\"two\",\"comments\":[{\"id\":4}],\"tags\":[{\"name\":\"y\"}]}]}");
}

static void include__unknown_names_are_ignored(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, app_call(f, "GET", "/api/tags/1?include=nope,posts.x,,(,author(", NULL, NULL),
                  200, "{\"id\":1,\"name\":\"x\"}");
    assert_contains(f, app_call(f, "GET", "/api/posts/1?select=postNo&include=author(", NULL, NULL),
                    200, "\"author\":{\"id\":\"a\",\"name\":\"Ann\"}");
}

static void include__cycles_end_at_the_depth_limit(void **state)
{
    app_fixture *f = *state;

    assert_answer(
        f,
        app_call(
            f, "GET",
            "/api/posts/2?select=postNo&include=author(select:id).posts(select:postNo).author(select:id).posts(select:postNo).author",
            NULL, NULL),
        200,
        "{\"postNo\":2,\"author\":{\"id\":\"b\",\"posts\":[{\"postNo\":2,\"author\":{\"id\":\"b\",\"posts\":[{\"postNo\":2}]}}]}}");
}

static void include__rows_and_names_are_bounded(void **state)
{
    app_fixture *f = *state;
    char target[8192];
    size_t len = 0;

    app_sql(f, "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i+1 FROM n WHERE i < 160)"
               " INSERT INTO comments SELECT i, 3, 'many', NULL FROM n");
    assert_contains(f, app_call(f, "GET", "/api/posts/3?include=comments", NULL, NULL), 400,
                    "load more than 50 rows");
    assert_int_equal(app_call(f, "GET", "/api/posts/3?include=comments(limit:50)", NULL, NULL),
                     200);
    len = (size_t)snprintf(target, sizeof target, "/api/posts/3?include=comments(limit:1)");
    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(target + len, sizeof target - len, ",comments.post,tags");
    assert_int_equal(app_call(f, "GET", target, NULL, NULL), 200);
}

static void include__relations_are_found_from_foreign_keys(void **state)
{
    app_fixture *f = *state;

    assert_contains(f,
                    app_call(f, "GET", "/api/comments/4?select=id&include=post(select:title)", NULL,
                             NULL),
                    200, "{\"id\":4,\"post\":{\"title\":\"two\"}}");
}

/* ---- one query a relation and level ---- */

static size_t n_queries;
static const cov_db_driver *real;

static cov_status count_query(cov_db *db, const cov_stmt *stmt, cov_row_sink *sink,
                              int64_t *changes, cov_error *err)
{
    n_queries++;
    return real->query(db, stmt, sink, changes, err);
}

static void include__takes_one_query_a_relation(void **state)
{
    app_fixture *f = *state;
    cov_db_driver counting = *f->db->driver;

    real = f->db->driver;
    counting.query = count_query;
    f->db->driver = &counting;
    n_queries = 0;
    assert_int_equal(app_call(f, "GET", "/api/posts?include=author,tags,comments(limit:2)", NULL,
                              NULL),
                     200);
    assert_int_equal(n_queries, 4);
    f->db->driver = real;
}

/* ---- nested writes ---- */

static void nested__parent_and_children_are_linked_whatever_the_keys_are_called(void **state)
{
    app_fixture *f = *state;

    assert_contains(
        f,
        app_call(
            f, "POST", "/api/posts", NULL,
            "{\"title\":\"n\",\"author\":{\"id\":\"c\",\"name\":\"Cy\"},\"comments\":[{\"text\":\"k1\"},{\"text\":\"k2\"}]}"),
        201, "\"authorId\":\"c\"");
    assert_contains(
        f,
        app_call(f, "GET",
                 "/api/posts/5?select=title&include=author(select:name),comments(select:text)",
                 NULL, NULL),
        200,
        "{\"title\":\"n\",\"author\":{\"name\":\"Cy\"},\"comments\":[{\"text\":\"k1\"},{\"text\":\"k2\"}]}");
}

static void nested__is_all_or_nothing(void **state)
{
    app_fixture *f = *state;

    assert_contains(
        f,
        app_call(
            f, "POST", "/api/posts", NULL,
            "{\"title\":\"n\",\"author\":{\"id\":\"c\",\"name\":\"Cy\"},\"comments\":[{\"text\":\"this is far too long a text\"}]}"),
        400, "\"field\":\"text\"");
    assert_answer(f, app_call(f, "GET", "/api/posts/count", NULL, NULL), 200, "{\"count\":4}");
    assert_answer(f, app_call(f, "GET", "/api/authors/count", NULL, NULL), 200, "{\"count\":2}");
    assert_contains(f,
                    app_call(f, "POST", "/api/posts", NULL,
                             "{\"title\":\"n\",\"author\":{\"id\":\"a\",\"name\":\"dup\"}}"),
                    409, "\"field\":\"id\"");
}

static void nested__validates_with_paths(void **state)
{
    app_fixture *f = *state;

    assert_contains(
        f,
        app_call(
            f, "POST", "/api/posts", NULL,
            "{\"title\":\"n\",\"author\":{\"id\":\"c\"},\"comments\":[{\"text\":\"ok\"},{\"text\":1},7]}"),
        400,
        "{\"field\":\"comments.1.text\",\"message\":\"Invalid input: expected string, received number\"}");
    assert_non_null(strstr(app_body(f), "\"field\":\"author.name\""));
    assert_non_null(strstr(app_body(f), "\"field\":\"comments.2\""));
    assert_contains(f, app_call(f, "POST", "/api/posts", NULL, "{\"title\":\"n\",\"author\":[]}"),
                    400, "\"field\":\"author\"");
}

static void nested__is_bounded_by_the_batch_limit_of_the_target(void **state)
{
    app_fixture *f = *state;
    char *body = malloc(10000 * 16 + 100);
    size_t len = (size_t)sprintf(body, "{\"title\":\"n\",\"comments\":[");

    for (int i = 0; i < 10000; i++)
        len += (size_t)sprintf(body + len, "%s{\"text\":\"x\"}", i ? "," : "");
    memcpy(body + len, "]}", 3);
    assert_contains(f, app_call(f, "POST", "/api/posts", NULL, body), 400, "BATCH_LIMIT_EXCEEDED");
    assert_answer(f, app_call(f, "GET", "/api/posts/count", NULL, NULL), 200, "{\"count\":4}");
    free(body);
}

static void nested__needs_the_permission_to_create_at_the_target(void **state)
{
    app_fixture f;

    (void)state;
    app_fixture_open(
        &f, schema,
        "{\"resources\":{\"authors\":{" PUBLIC
        ",\"nestedWrites\":true,\"relations\":{\"private\":{\"type\":\"hasMany\","
        "\"resource\":\"private\",\"foreignKey\":\"authorId\"}}},\"private\":{\"auth\":{\"public\":{\"read\":true}}}}}");
    assert_contains(&f,
                    app_call(&f, "POST", "/api/authors", NULL,
                             "{\"id\":\"z\",\"name\":\"Z\",\"private\":[{}]}"),
                    401, "Authentication required for create on private");
    assert_contains(&f, app_call(&f, "GET", "/api/authors/z", NULL, NULL), 404, "not found");
    app_fixture_close(&f);
}

int main(void)
{
#define APP_TEST(name) cmocka_unit_test_setup_teardown(name, open_app, close_app)
    const struct CMUnitTest tests[] = {
        APP_TEST(include__belongs_to_is_masked_and_needs_no_key_in_select),
        APP_TEST(include__children_are_limited_for_each_parent),
        APP_TEST(include__soft_deleted_rows_stay_hidden),
        APP_TEST(include__filters_obey_the_target),
        APP_TEST(include__scope_of_the_target_decides),
        APP_TEST(include__paths_nest_and_merge),
        APP_TEST(include__unknown_names_are_ignored),
        APP_TEST(include__cycles_end_at_the_depth_limit),
        APP_TEST(include__rows_and_names_are_bounded),
        APP_TEST(include__relations_are_found_from_foreign_keys),
        APP_TEST(include__takes_one_query_a_relation),
        APP_TEST(nested__parent_and_children_are_linked_whatever_the_keys_are_called),
        APP_TEST(nested__is_all_or_nothing),
        APP_TEST(nested__validates_with_paths),
        APP_TEST(nested__is_bounded_by_the_batch_limit_of_the_target),
        cmocka_unit_test(nested__needs_the_permission_to_create_at_the_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
