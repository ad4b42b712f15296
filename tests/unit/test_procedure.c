/* SPDX-License-Identifier: MIT */
/* Procedures of application code (covara/procedure.h, spec/01 section 17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "app/build.h"
#include "app_fixture.h"
#include "base/json.h"

static const char schema[] = "CREATE TABLE things (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);";
static const char config[] = "{\"resources\":{\"things\":{\"auth\":{\"public\":{\"read\":true}}}}}";

#define PROBLEM_400(members)                                                                           \
    "{\"type\":\"/__covara/problems/validation-error\",\"title\":\"Validation error\",\"status\":400," \
    "\"detail\":\"Invalid procedure input\",\"code\":\"VALIDATION_ERROR\"," members "}"
#define PROBLEM_500                                                                                \
    "{\"type\":\"/__covara/problems/internal-error\",\"title\":\"Internal error\",\"status\":500," \
    "\"detail\":\"An internal server error occurred\",\"code\":\"INTERNAL_ERROR\"}"
#define PROBLEM_OUTPUT                                                                                     \
    "{\"type\":\"/__covara/problems/unknown-error\",\"title\":\"Output validation error\",\"status\":500," \
    "\"detail\":\"Internal error: procedure output validation failed\",\"code\":\"OUTPUT_VALIDATION_ERROR\"}"

/* ---- the application ---- */

/* Every procedure inserts a row, then does what its script says. */
typedef struct script {
    const char *output;
    cov_status status;
    const char *reason; /* NULL: none given */
} script;

static size_t n_calls;
static int depth_seen;

static cov_status play(cov_ctx *ctx, const cov_json *input, cov_buf *output, void *self,
                       cov_error *err)
{
    const script *s = self;
    cov_status st =
        cov_ctx_exec(ctx, COV_STR("INSERT INTO things (n) VALUES (1)"), NULL, 0, NULL, err);

    n_calls++;
    depth_seen = ctx->db->depth;
    assert_non_null(input);
    if (st != COV_OK)
        return st;
    if (s->output != NULL)
        cov_buf_str(output, cov_str_from(s->output));
    return s->reason != NULL ? cov_fail(err, s->status, "%s", s->reason) : s->status;
}

static cov_status echo(cov_ctx *ctx, const cov_json *input, cov_buf *output, void *self,
                       cov_error *err)
{
    (void)ctx;
    (void)self;
    (void)err;
    cov_json_value(output, input);
    return COV_OK;
}

static cov_status big(cov_ctx *ctx, const cov_json *input, cov_buf *output, void *self,
                      cov_error *err)
{
    (void)ctx;
    (void)self;
    (void)err;
    COV_BUF_LIT(output, "{\"i\":");
    cov_json_int(output, cov_json_int64(cov_json_get(input, "i")) + 1);
    cov_buf_char(output, '}');
    return COV_OK;
}

static script says(const char *output)
{
    return (script){ output, COV_OK, NULL };
}

static const cov_field text_item[] = { { .name = "item", .type = COV_SHAPE_TEXT } };
static const cov_field point[] = { { .name = "x", .type = COV_SHAPE_NUMBER },
                                   { .name = "ok", .type = COV_SHAPE_BOOLEAN, .optional = true } };
static const cov_field point_item[] = {
    { .name = "item", .type = COV_SHAPE_OBJECT, .fields = point, .n_fields = 2 }
};
static const cov_field everything[] = {
    { .name = "n", .type = COV_SHAPE_INTEGER },
    { .name = "label", .type = COV_SHAPE_TEXT, .optional = true, .nullable = true },
    { .name = "ratio", .type = COV_SHAPE_NUMBER, .optional = true },
    { .name = "flag", .type = COV_SHAPE_BOOLEAN, .optional = true },
    { .name = "at", .type = COV_SHAPE_TIME, .optional = true },
    { .name = "any", .type = COV_SHAPE_ANY, .optional = true },
    { .name = "tags",
      .type = COV_SHAPE_LIST,
      .optional = true,
      .fields = text_item,
      .n_fields = 1 },
    { .name = "points",
      .type = COV_SHAPE_LIST,
      .optional = true,
      .fields = point_item,
      .n_fields = 1 },
    { .name = "open", .type = COV_SHAPE_OBJECT, .optional = true },
};
static const cov_field needed[] = { { .name = "a", .type = COV_SHAPE_ANY },
                                    { .name = "t", .type = COV_SHAPE_TIME },
                                    { .name = "o", .type = COV_SHAPE_OBJECT },
                                    { .name = "l", .type = COV_SHAPE_LIST } };
static const cov_field one_integer[] = { { .name = "i", .type = COV_SHAPE_INTEGER } };
/* A tree: the shape refers to itself. */
static const cov_field tree[1];
static const cov_field tree_item[] = {
    { .name = "item", .type = COV_SHAPE_OBJECT, .fields = tree, .n_fields = 1 }
};
static const cov_field tree[1] = {
    { .name = "kids", .type = COV_SHAPE_LIST, .fields = tree_item, .n_fields = 1 }
};

#define WITH_INPUT(shape) .input = (shape), .n_input = COV_COUNT_OF(shape)
#define WITH_OUTPUT(shape) .output = (shape), .n_output = COV_COUNT_OF(shape)

static cov_app *build(cov_env *env)
{
    static script fine, nothing, bad, short_json, two, blank, no_object;
    static script conflict = { NULL, COV_ECONFLICT, "already taken" };
    static script silent = { NULL, COV_EFORBIDDEN, NULL };
    static script broken = { NULL, COV_EINTERNAL, "the secret reason" };
    static const cov_procedure procedures[] = {
        { .name = "echo", .call = echo },
        { .name = "typed", .call = echo, WITH_INPUT(everything), WITH_OUTPUT(everything) },
        { .name = "needed", .call = echo, WITH_INPUT(needed) },
        { .name = "tree", .call = echo, WITH_INPUT(tree), WITH_OUTPUT(tree) },
        { .name = "big", .call = big, WITH_INPUT(one_integer), WITH_OUTPUT(one_integer) },
        { .name = "fine", .call = play, .self = &fine },
        { .name = "checked", .call = play, .self = &fine, WITH_INPUT(one_integer) },
        { .name = "nothing", .call = play, .self = &nothing },
        { .name = "nothing-shaped", .call = play, .self = &nothing, WITH_OUTPUT(one_integer) },
        { .name = "bad", .call = play, .self = &bad, WITH_OUTPUT(one_integer) },
        { .name = "short", .call = play, .self = &short_json },
        { .name = "short-shaped", .call = play, .self = &short_json, WITH_OUTPUT(one_integer) },
        { .name = "two", .call = play, .self = &two },
        { .name = "blank", .call = play, .self = &blank },
        { .name = "no-object", .call = play, .self = &no_object, WITH_OUTPUT(one_integer) },
        { .name = "conflict", .call = play, .self = &conflict },
        { .name = "silent", .call = play, .self = &silent },
        { .name = "broken", .call = play, .self = &broken },
        { .name = "members-only",
          .call = play,
          .self = &fine,
          WITH_INPUT(one_integer),
          .signed_in = true },
    };
    cov_app *app = cov_app_new(env, NULL);

    fine = says(" {\"b\": 1.0, \"a\":[ null ]} ");
    nothing = says(NULL);
    bad = says("{\"i\":\"x\",\"secret\":1}");
    short_json = says("{\"i\":");
    two = says("1 2");
    blank = says("  ");
    no_object = says("[1]");
    for (size_t i = 0; app != NULL && i < COV_COUNT_OF(procedures); i++)
        cov_app_procedure(app, "things", &procedures[i]);
    return app;
}

/* ---- the fixture, with the log in a text ---- */

static char logged[4096];
static cov_host host;

static void keep_log(void *self, cov_log_level level, cov_str msg, cov_str members)
{
    (void)self;
    if (level >= COV_LOG_ERROR)
        snprintf(logged, sizeof logged, "%.*s %.*s", COV_STR_ARG(msg), COV_STR_ARG(members));
}

static int open_app(void **state)
{
    static app_fixture f;

    app_fixture_build(&f, schema, config, build);
    host = *f.app->host;
    host.log = keep_log;
    f.app->host = &host;
    logged[0] = '\0';
    n_calls = 0;
    *state = &f;
    return 0;
}

static int close_app(void **state)
{
    app_fixture_close(*state);
    return 0;
}

static int post(app_fixture *f, const char *name, const char *body)
{
    char target[64];

    snprintf(target, sizeof target, "/api/things/rpc/%s", name);
    return app_call(f, "POST", target, NULL, body);
}

static void assert_logged(const char *text)
{
    if (strstr(logged, text) == NULL)
        fail_msg("not in the log: %s; the log: %s", text, logged);
}

#define assert_rows(f, count)                                                  \
    assert_answer(f, app_call(f, "GET", "/api/things/count", NULL, NULL), 200, \
                  "{\"count\":" count "}")

/* ---- tests ---- */

static void procedure__any_value_without_shapes(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, post(f, "echo", "{\"b\": 1.0, \"a\":[ null ]}"), 200,
                  "{\"data\":{\"b\":1,\"a\":[null]}}");
    assert_string_equal(app_header(f, "Content-Type"), "application/json");
    assert_answer(f, post(f, "echo", NULL), 200, "{\"data\":{}}");
    assert_answer(f, post(f, "echo", "null"), 200, "{\"data\":null}");
    assert_answer(f, post(f, "echo", "[1,\"x\"]"), 200, "{\"data\":[1,\"x\"]}");
    assert_contains(f, post(f, "echo", "{"), 400, "\"detail\":\"Request body is not valid JSON\"");
}

static void procedure__commits_and_answers_compact_json(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, post(f, "fine", NULL), 200, "{\"data\":{\"b\":1,\"a\":[null]}}");
    assert_int_equal(depth_seen, 1);
    assert_answer(f, post(f, "nothing", NULL), 200, "{}");
    assert_rows(f, "2");
}

static void procedure__unknown_names_and_methods_have_no_route(void **state)
{
    app_fixture *f = *state;
    static const struct {
        const char *method;
        const char *path;
    } rows[] = { { "POST", "/api/things/rpc/nobody" }, { "POST", "/api/things/rpc/" },
                 { "POST", "/api/things/rpc" },        { "POST", "/api/things/rpc/echo/" },
                 { "GET", "/api/things/rpc/echo" },    { "PUT", "/api/things/rpc/echo" } };

    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        char detail[96];

        snprintf(detail, sizeof detail, "\"detail\":\"Route %s %s not found\"", rows[i].method,
                 rows[i].path);
        assert_contains(f, app_call(f, rows[i].method, rows[i].path, NULL, "{}"), 404, detail);
    }
}

static void procedure__input_fits_or_every_mistake_is_told(void **state)
{
    app_fixture *f = *state;
    static const struct {
        const char *body;
        const char *answer;
    } rows[] = {
        { "[]",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"\",\"message\":\"Invalid input: expected object, received array\"}]") },
        { "null",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"\",\"message\":\"Invalid input: expected object, received null\"}]") },
        { "{}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"n\",\"message\":\"Invalid input: expected number, received undefined\"}]") },
        { "{\"n\":null}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"n\",\"message\":\"Invalid input: expected number, received null\"}]") },
        { "{\"n\":\"1\"}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"n\",\"message\":\"Invalid input: expected number, received string\"}]") },
        { "{\"n\":1.5}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"n\",\"message\":\"Invalid input: expected int, received number\"}]") },
        { "{\"n\":9007199254740992}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"n\",\"message\":\"Too big: expected int to be <=9007199254740991\"}]") },
        { "{\"n\":-9007199254740992}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"n\",\"message\":\"Too small: expected int to be >=-9007199254740991\"}]") },
        { "{\"n\":1e999,\"ratio\":-1e999}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"n\",\"message\":\"Invalid input: expected number, received Infinity\"},"
              "{\"path\":\"ratio\",\"message\":\"Invalid input: expected number, received Infinity\"}]") },
        { "{\"ratio\":true,\"label\":1,\"flag\":0,\"at\":\"soon\",\"tags\":{},\"open\":[],\"n\":1}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"label\",\"message\":\"Invalid input: expected string, received number\"},"
              "{\"path\":\"ratio\",\"message\":\"Invalid input: expected number, received boolean\"},"
              "{\"path\":\"flag\",\"message\":\"Invalid input: expected boolean, received number\"},"
              "{\"path\":\"at\",\"message\":\"Invalid input: expected date, received string\"},"
              "{\"path\":\"tags\",\"message\":\"Invalid input: expected array, received object\"},"
              "{\"path\":\"open\",\"message\":\"Invalid input: expected object, received array\"}]") },
        { "{\"n\":1,\"at\":1.5,\"ratio\":null}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"ratio\",\"message\":\"Invalid input: expected number, received null\"},"
              "{\"path\":\"at\",\"message\":\"Invalid input: expected date, received number\"}]") },
        { "{\"n\":1,\"tags\":[\"a\",2,null],\"points\":[{\"x\":1},{\"x\":\"\",\"ok\":null},7]}",
          PROBLEM_400(
              "\"errors\":[{\"path\":\"tags.1\",\"message\":\"Invalid input: expected string, received number\"},"
              "{\"path\":\"tags.2\",\"message\":\"Invalid input: expected string, received null\"},"
              "{\"path\":\"points.1.x\",\"message\":\"Invalid input: expected number, received string\"},"
              "{\"path\":\"points.1.ok\",\"message\":\"Invalid input: expected boolean, received null\"},"
              "{\"path\":\"points.2\",\"message\":\"Invalid input: expected object, received number\"}]") },
    };

    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_answer(f, post(f, "typed", rows[i].body), 400, rows[i].answer);
    assert_string_equal(app_header(f, "Content-Type"), "application/problem+json");
    assert_answer(
        f, post(f, "needed", NULL), 400,
        PROBLEM_400(
            "\"errors\":[{\"path\":\"a\",\"message\":\"Invalid input: expected nonoptional, received undefined\"},"
            "{\"path\":\"t\",\"message\":\"Invalid input: expected date, received undefined\"},"
            "{\"path\":\"o\",\"message\":\"Invalid input: expected object, received undefined\"},"
            "{\"path\":\"l\",\"message\":\"Invalid input: expected array, received undefined\"}]"));
}

static void procedure__wrong_input_never_reaches_the_code(void **state)
{
    app_fixture *f = *state;

    assert_int_equal(post(f, "checked", "{\"i\":1.5}"), 400);
    assert_int_equal(n_calls, 0);
    assert_int_equal(post(f, "checked", "{\"i\":1}"), 200);
    assert_int_equal(n_calls, 1);
}

static void procedure__output_has_declared_members_only(void **state)
{
    app_fixture *f = *state;

    assert_answer(
        f,
        post(
            f, "typed",
            "{\"zzz\":1,\"label\":null,\"n\":2.0,\"n\":3,\"any\":{\"k\":null},\"at\":\"2024-01-02\"}"),
        200, "{\"data\":{\"n\":3,\"label\":null,\"at\":\"2024-01-02\",\"any\":{\"k\":null}}}");
    assert_answer(
        f,
        post(f, "typed",
             "{\"n\":1,\"at\":0,\"any\":null,\"tags\":[],\"open\":{\"x\":{\"y\":1}},"
             "\"points\":[{\"y\":9,\"x\":1.5},{\"ok\":true,\"x\":0,\"z\":[]}]}"),
        200,
        "{\"data\":{\"n\":1,\"at\":0,\"any\":null,\"tags\":[],\"points\":[{\"x\":1.5},{\"x\":0,\"ok\":true}],"
        "\"open\":{\"x\":{\"y\":1}}}}");
    /* Without an output shape, what the input shape did not mention was there for the code to see. */
    assert_answer(f, post(f, "needed", "{\"a\":null,\"t\":1,\"o\":{},\"l\":[[]],\"more\":1}"), 200,
                  "{\"data\":{\"a\":null,\"t\":1,\"o\":{},\"l\":[[]],\"more\":1}}");
}

static void procedure__large_integers_travel_as_text(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, post(f, "big", "{\"i\":9007199254740990}"), 200,
                  "{\"data\":{\"i\":9007199254740991}}");
    assert_answer(f, post(f, "big", "{\"i\":9007199254740991}"), 200,
                  "{\"data\":{\"i\":\"9007199254740992\"}}");
    assert_answer(f, post(f, "big", "{\"i\":\"9007199254740992\"}"), 200,
                  "{\"data\":{\"i\":\"9007199254740993\"}}");
    assert_int_equal(post(f, "big", "{\"i\":\"12\"}"), 400);
}

static void procedure__shape_may_refer_to_itself(void **state)
{
    app_fixture *f = *state;
    cov_buf body = COV_BUF_INIT;

    assert_answer(
        f, post(f, "tree", "{\"kids\":[{\"kids\":[],\"x\":1},{}]}"), 400,
        PROBLEM_400(
            "\"errors\":[{\"path\":\"kids.1.kids\",\"message\":\"Invalid input: expected array, received undefined\"}]"));
    for (int i = 0; i < COV_JSON_MAX_DEPTH / 2; i++)
        COV_BUF_LIT(&body, "{\"kids\":[");
    for (int i = 0; i < COV_JSON_MAX_DEPTH / 2; i++)
        COV_BUF_LIT(&body, "]}");
    cov_buf_char(&body, '\0');
    assert_int_equal(post(f, "tree", body.ptr), 200);
    assert_int_equal(strlen(app_body(f)), body.len - 1 + strlen("{\"data\":}"));
    cov_buf_dispose(&body);
}

static void procedure__list_of_mistakes_is_bounded(void **state)
{
    app_fixture *f = *state;
    cov_buf body = COV_BUF_INIT;

    COV_BUF_LIT(&body, "{\"n\":1,\"tags\":[0");
    for (int i = 0; i < 200000; i++)
        COV_BUF_LIT(&body, ",0");
    COV_BUF_LIT(&body, "]}");
    cov_buf_char(&body, '\0');
    assert_contains(f, post(f, "typed", body.ptr), 400, "{\"path\":\"tags.999\",");
    assert_null(strstr(app_body(f), "tags.1000"));
    cov_buf_dispose(&body);
}

static void procedure__failure_is_its_problem_and_rolls_back(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, post(f, "conflict", NULL), 409,
                  "{\"type\":\"/__covara/problems/conflict\",\"title\":\"Conflict\",\"status\":409,"
                  "\"detail\":\"already taken\",\"code\":\"CONFLICT\"}");
    assert_answer(
        f, post(f, "silent", NULL), 403,
        "{\"type\":\"/__covara/problems/forbidden\",\"title\":\"Forbidden\",\"status\":403,"
        "\"detail\":\"Procedure silent refused the request\",\"code\":\"FORBIDDEN\"}");
    assert_answer(f, post(f, "broken", NULL), 500, PROBLEM_500);
    assert_logged("the secret reason");
    assert_int_equal(n_calls, 3);
    assert_rows(f, "0");
}

static void procedure__output_that_does_not_fit_is_our_failure(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, post(f, "bad", NULL), 500, PROBLEM_OUTPUT);
    assert_logged(
        "output of procedure \\\"bad\\\" on things: "
        "{\\\"path\\\":\\\"i\\\",\\\"message\\\":\\\"Invalid input: expected number, received string\\\"}");
    assert_answer(f, post(f, "no-object", NULL), 500, PROBLEM_OUTPUT);
    assert_logged("expected object, received array");
    assert_answer(f, post(f, "nothing-shaped", NULL), 500, PROBLEM_OUTPUT);
    assert_logged("expected object, received undefined");
    assert_answer(f, post(f, "short-shaped", NULL), 500, PROBLEM_OUTPUT);
    assert_logged("on things: invalid JSON at byte 5");
    assert_rows(f, "0");
}

static void procedure__output_is_one_json_value(void **state)
{
    app_fixture *f = *state;

    assert_answer(f, post(f, "short", NULL), 500, PROBLEM_500);
    assert_logged("output of procedure \\\"short\\\" on things: invalid JSON at byte 5");
    assert_answer(f, post(f, "two", NULL), 500, PROBLEM_500);
    assert_logged("output of procedure \\\"two\\\"");
    assert_answer(f, post(f, "blank", NULL), 500, PROBLEM_500);
    assert_rows(f, "0");
}

static void procedure__signed_in_only(void **state)
{
    app_fixture *f = *state;

    /* Before the body is read. */
    assert_answer(
        f, post(f, "members-only", "{"), 401,
        "{\"type\":\"/__covara/problems/unauthorized\",\"title\":\"Unauthorized\",\"status\":401,"
        "\"detail\":\"Authentication required for members-only on things\",\"code\":\"UNAUTHORIZED\"}");
    assert_int_equal(n_calls, 0);
    assert_int_equal(app_call_as(f, "u1", "POST", "/api/things/rpc/members-only", "{}"), 400);
    assert_answer(f, app_call_as(f, "u1", "POST", "/api/things/rpc/members-only", "{\"i\":1}"), 200,
                  "{\"data\":{\"b\":1,\"a\":[null]}}");
    assert_rows(f, "1");
}

static void procedure__runs_on_the_writing_lane(void **state)
{
    app_fixture *f = *state;
    cov_request req = { .method = COV_POST, .path = COV_STR("/api/things/rpc/echo") };

    assert_int_equal(cov_app_lane(f->app, &req), COV_LANE_WRITE);
    req.path = COV_STR("/api/things/rpc/nobody");
    assert_int_equal(cov_app_lane(f->app, &req), COV_LANE_NONE);
}

/* ---- mistakes ---- */

static const cov_procedure *wrong[2];

static cov_app *build_wrong(cov_env *env)
{
    cov_app *app = cov_app_new(env, NULL);

    for (size_t i = 0; app != NULL && i < COV_COUNT_OF(wrong); i++)
        cov_app_procedure(app, "things", wrong[i]);
    return app;
}

static void assert_refused(app_fixture *f, const cov_procedure *second, const char *text)
{
    static const cov_procedure first = { .name = "first", .call = echo };
    cov_schema *tables = NULL;
    cov_app *app = NULL;
    cov_error err;

    wrong[0] = &first;
    wrong[1] = second;
    cov_error_init(&err, f->arena);
    assert_int_equal(cov_schema_read_sqlite(f->arena, f->db, f->app->config->naming, &tables, &err),
                     COV_OK);
    assert_int_equal(cov__app_build(cov_native_host(), f->app->config, tables, NULL, build_wrong,
                                    &app, &err),
                     COV_EINVAL);
    assert_string_equal(cov_error_detail(&err).ptr, text);
}

static void procedure__mistakes_stop_the_build(void **state)
{
    app_fixture *f = *state;

    assert_refused(f, &(cov_procedure){ .name = "first", .call = echo },
                   "application code: two procedures are called \"first\"");
    assert_refused(
        f, &(cov_procedure){ .name = "a/b", .call = echo },
        "application code: a procedure without code, or with a name that is no plain path segment: \"a/b\"");
    assert_refused(
        f, &(cov_procedure){ .name = "", .call = echo },
        "application code: a procedure without code, or with a name that is no plain path segment: \"\"");
    assert_refused(
        f, &(cov_procedure){ .name = "empty" },
        "application code: a procedure without code, or with a name that is no plain path segment: \"empty\"");
}

int main(void)
{
#define PROCEDURE_TEST(name) cmocka_unit_test_setup_teardown(name, open_app, close_app)
    const struct CMUnitTest tests[] = {
        PROCEDURE_TEST(procedure__any_value_without_shapes),
        PROCEDURE_TEST(procedure__commits_and_answers_compact_json),
        PROCEDURE_TEST(procedure__unknown_names_and_methods_have_no_route),
        PROCEDURE_TEST(procedure__input_fits_or_every_mistake_is_told),
        PROCEDURE_TEST(procedure__wrong_input_never_reaches_the_code),
        PROCEDURE_TEST(procedure__output_has_declared_members_only),
        PROCEDURE_TEST(procedure__large_integers_travel_as_text),
        PROCEDURE_TEST(procedure__shape_may_refer_to_itself),
        PROCEDURE_TEST(procedure__list_of_mistakes_is_bounded),
        PROCEDURE_TEST(procedure__failure_is_its_problem_and_rolls_back),
        PROCEDURE_TEST(procedure__output_that_does_not_fit_is_our_failure),
        PROCEDURE_TEST(procedure__output_is_one_json_value),
        PROCEDURE_TEST(procedure__signed_in_only),
        PROCEDURE_TEST(procedure__runs_on_the_writing_lane),
        PROCEDURE_TEST(procedure__mistakes_stop_the_build),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
