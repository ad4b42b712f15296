/* SPDX-License-Identifier: MIT */
/* Row-level scopes on every path of a resource (spec/01 section 5, spec/02 section 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app_fixture.h"

static const char schema[] =
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, text TEXT NOT NULL, pinned BOOLEAN NOT NULL DEFAULT 0);"
    "INSERT INTO notes VALUES (1,'u1','one',0),(2,'u2','two',0),(3,'u1','three',1),(4,'O''Brien','four',0);"
    "CREATE TABLE closed (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO closed VALUES (1,'x');"
    "CREATE TABLE plain (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO plain VALUES (1,'x');";

static const char config[] =
    "{\"database\":{\"url\":\"sqlite::memory:\"},\"resources\":{"
    "\"notes\":{\"auth\":{\"read\":\"userId=={user.id}\",\"create\":\"userId=={user.id}\","
    "\"update\":\"userId=={user.id};pinned==false\",\"delete\":\"userId=={user.id}\"}},"
    "\"closed\":{\"auth\":{\"scope\":\"\"}},"
    "\"plain\":{}}}";

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

static void scope__anonymous_is_asked_to_sign_in(void **state)
{
    app_fixture *f = *state;

    assert_answer(
        f, app_call_as(f, NULL, "GET", "/api/notes", NULL), 401,
        "{\"type\":\"/__covara/problems/unauthorized\",\"title\":\"Unauthorized\",\"status\":401,"
        "\"detail\":\"Authentication required for read on notes\",\"code\":\"UNAUTHORIZED\"}");
    assert_contains(f, app_call_as(f, NULL, "POST", "/api/plain", "{"), 401,
                    "Authentication required for create on plain");
}

static void scope__limits_every_read(void **state)
{
    app_fixture *f = *state;

    assert_contains(f, app_call_as(f, "u1", "GET", "/api/notes?select=id", NULL), 200,
                    "\"items\":[{\"id\":1},{\"id\":3}]");
    assert_contains(f, app_call_as(f, "u1", "GET", "/api/notes?select=id&filter=id==2,id==3", NULL),
                    200, "[{\"id\":3}]");
    assert_answer(f, app_call_as(f, "u1", "GET", "/api/notes/count", NULL), 200, "{\"count\":2}");
    assert_contains(f, app_call_as(f, "u1", "GET", "/api/notes/2", NULL), 404,
                    "notes with id '2' not found");
    assert_answer(f, app_call_as(f, "u1", "GET", "/api/notes/aggregate?count=true", NULL), 200,
                  "{\"groups\":[{\"key\":null,\"count\":2}]}");
}

static void scope__value_with_a_quote_is_only_a_value(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, app_call_as(f, "O'Brien", "GET", "/api/notes/count", NULL), 200,
                  "{\"count\":1}");
    assert_answer(f, app_call_as(f, "u1\",id!=\"0", "GET", "/api/notes/count", NULL), 200,
                  "{\"count\":0}");
}

static void scope__filter_cannot_leave_it(void **state)
{
    app_fixture *f = *state;

    assert_contains(f, app_call_as(f, "u1", "GET", "/api/notes?filter=id==1),(id!=0", NULL), 400,
                    "Unexpected input");
}

static void scope__create_outside_is_forbidden_and_nothing_stays(void **state)
{
    app_fixture *f = *state;

    assert_contains(f,
                    app_call_as(f, "u1", "POST", "/api/notes",
                                "{\"userId\":\"u2\",\"text\":\"x\"}"),
                    403, "Not authorized to create on notes");
    assert_contains(
        f,
        app_call_as(
            f, "u1", "POST", "/api/notes/batch",
            "{\"items\":[{\"userId\":\"u1\",\"text\":\"a\"},{\"userId\":\"u2\",\"text\":\"b\"}]}"),
        403, "Not authorized to create on notes");
    assert_answer(f, app_call_as(f, "u1", "GET", "/api/notes/count", NULL), 200, "{\"count\":2}");
    assert_int_equal(app_call_as(f, "u1", "POST", "/api/notes",
                                 "{\"userId\":\"u1\",\"text\":\"x\"}"),
                     201);
}

static void scope__update_reaches_and_leaves_only_its_rows(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(app_call_as(f, "u1", "PATCH", "/api/notes/2", "{\"text\":\"x\"}"), 404);
    assert_int_equal(app_call_as(f, "u1", "PATCH", "/api/notes/3", "{\"text\":\"x\"}"), 404);
    assert_int_equal(app_call_as(f, "u1", "PATCH", "/api/notes/1", "{\"userId\":\"u2\"}"), 403);
    assert_contains(f, app_call_as(f, "u1", "GET", "/api/notes/1", NULL), 200, "\"userId\":\"u1\"");
    assert_int_equal(app_call_as(f, "u1", "PATCH", "/api/notes/1", "{\"text\":\"new\"}"), 200);
    assert_int_equal(app_call_as(f, "u1", "PATCH", "/api/notes/batch?filter=id>0",
                                 "{\"userId\":\"u2\"}"),
                     403);
    assert_answer(f,
                  app_call_as(f, "u1", "PATCH", "/api/notes/batch?filter=id>0",
                              "{\"text\":\"all\"}"),
                  200, "{\"count\":1}");
}

static void scope__upsert_cannot_take_over_a_row(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(
        app_call_as(
            f, "u1", "POST", "/api/notes/batch/upsert",
            "{\"items\":[{\"id\":1,\"userId\":\"u1\",\"text\":\"mine\"},{\"id\":2,\"userId\":\"u1\",\"text\":\"stolen\"}]}"),
        403);
    assert_contains(f, app_call_as(f, "u2", "GET", "/api/notes/2", NULL), 200, "\"text\":\"two\"");
    assert_contains(f, app_call_as(f, "u1", "GET", "/api/notes/1", NULL), 200, "\"text\":\"one\"");
}

static void scope__delete_reaches_only_its_rows(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(app_call_as(f, "u1", "DELETE", "/api/notes/2", NULL), 404);
    assert_answer(f, app_call_as(f, "u1", "DELETE", "/api/notes/batch?filter=id>0", NULL), 200,
                  "{\"count\":2}");
    assert_answer(f, app_call_as(f, "u2", "GET", "/api/notes/count", NULL), 200, "{\"count\":1}");
}

static void scope__empty_denies_everywhere(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, app_call_as(f, "u1", "GET", "/api/closed", NULL), 200,
                  "{\"items\":[],\"nextCursor\":null,\"hasMore\":false}");
    assert_answer(f, app_call_as(f, "u1", "GET", "/api/closed/count", NULL), 200, "{\"count\":0}");
    assert_answer(f, app_call_as(f, "u1", "GET", "/api/closed/aggregate?count=true", NULL), 200,
                  "{\"groups\":[{\"key\":null,\"count\":0}]}");
    assert_int_equal(app_call_as(f, "u1", "GET", "/api/closed/1", NULL), 404);
    assert_int_equal(app_call_as(f, "u1", "POST", "/api/closed", "{}"), 403);
    assert_int_equal(app_call_as(f, "u1", "PATCH", "/api/closed/1", "{}"), 404);
    assert_int_equal(app_call_as(f, "u1", "DELETE", "/api/closed/1", NULL), 404);
    assert_answer(f, app_call_as(f, "u1", "DELETE", "/api/closed/batch?filter=id==1", NULL), 200,
                  "{\"count\":0}");
}

static void scope__without_auth_any_user_sees_all(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, app_call_as(f, "u9", "GET", "/api/plain/count", NULL), 200, "{\"count\":1}");
}

/* What exists outside the scope must not show by which error a row outside it causes. */
static void scope__hides_constraints_beyond_it(void **state)
{
    static const char sql[] =
        "CREATE TABLE users (id TEXT PRIMARY KEY);"
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users(id),"
        " text TEXT UNIQUE CHECK (text <> ''));"
        "INSERT INTO users VALUES ('u1'),('u2');"
        "INSERT INTO notes VALUES (1,'u1','a'),(2,'u2','b');";
    app_fixture f;

    (void)state;
    app_fixture_open(&f, sql,
                     "{\"resources\":{\"notes\":{\"auth\":{\"scope\":\"userId=={user.id}\"}}}}");
    app_sql(&f, "PRAGMA foreign_keys=ON");
    for (size_t i = 0; i < 3; i++) {
        static const char *const foreign[] = { "u2", "nobody", "u9" };
        cov_str body = cov_arena_printf(f.arena, "{\"userId\":\"%s\",\"text\":\"x\"}", foreign[i]);
        cov_str item =
            cov_arena_printf(f.arena, "{\"items\":[{\"id\":7,\"userId\":\"%s\"}]}", foreign[i]);

        assert_contains(&f, app_call_as(&f, "u1", "POST", "/api/notes", body.ptr), 403,
                        "Not authorized to create on notes");
        assert_contains(&f, app_call_as(&f, "u1", "PATCH", "/api/notes/1", body.ptr), 403,
                        "Not authorized to update on notes");
        assert_contains(&f, app_call_as(&f, "u1", "POST", "/api/notes/batch/upsert", item.ptr), 403,
                        "Not authorized to create on notes");
    }
    /* Inside the scope the constraint is named. */
    assert_contains(&f,
                    app_call_as(&f, "u1", "POST", "/api/notes",
                                "{\"userId\":\"u1\",\"text\":\"\"}"),
                    400, "text");
    assert_contains(&f,
                    app_call_as(&f, "u1", "POST", "/api/notes",
                                "{\"userId\":\"u1\",\"text\":\"a\"}"),
                    409, "text");
    app_fixture_close(&f);
}

int main(void)
{
#define SCOPE_TEST(name) cmocka_unit_test_setup_teardown(name, open_app, close_app)
    const struct CMUnitTest tests[] = {
        SCOPE_TEST(scope__anonymous_is_asked_to_sign_in),
        SCOPE_TEST(scope__limits_every_read),
        SCOPE_TEST(scope__value_with_a_quote_is_only_a_value),
        SCOPE_TEST(scope__filter_cannot_leave_it),
        SCOPE_TEST(scope__create_outside_is_forbidden_and_nothing_stays),
        SCOPE_TEST(scope__update_reaches_and_leaves_only_its_rows),
        SCOPE_TEST(scope__upsert_cannot_take_over_a_row),
        SCOPE_TEST(scope__delete_reaches_only_its_rows),
        SCOPE_TEST(scope__empty_denies_everywhere),
        SCOPE_TEST(scope__without_auth_any_user_sees_all),
        cmocka_unit_test(scope__hides_constraints_beyond_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
