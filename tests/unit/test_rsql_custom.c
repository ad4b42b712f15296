/* SPDX-License-Identifier: MIT */
/* Operators of the application: their tokens, their operands, both evaluations, and an app with some. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "app/build.h"
#include "app_fixture.h"
#include "rsql_fixture.h"
#include "rsql_host.h"

/* --- two operators whose halves agree on values of every storage class --- */

/* "a,b" =has= "b"; with a list: any of them. Only text has, and only text is had. */
static void has_sql(cov_sql *sql, cov_str column, const cov_value *operands, size_t n, void *self)
{
    char item[64];

    (void)self;
    cov_sql_text(sql, "typeof(");
    cov_sql_text(sql, column.ptr);
    cov_sql_text(sql, ") = 'text' AND (1 = 0");
    for (size_t i = 0; i < n; i++) {
        if (operands[i].type != COV_TEXT)
            continue;
        snprintf(item, sizeof item, ",%.*s,", COV_STR_ARG(operands[i].s));
        cov_sql_text(sql, " OR instr(',' || ");
        cov_sql_text(sql, column.ptr);
        cov_sql_text(sql, " || ',', ");
        cov_sql_param(sql, cov_value_text(cov_str_from(item)));
        cov_sql_text(sql, ") > 0");
    }
    cov_sql_text(sql, ")");
}

static bool list_has(cov_str list, cov_str item)
{
    cov_str part;

    while (list.len != 0 && cov_str_split(&list, ',', &part))
        if (cov_str_eq(part, item))
            return true;
    return false;
}

static bool has_match(const cov_value *value, const cov_value *operands, size_t n, void *self)
{
    (void)self;
    for (size_t i = 0; i < n && value->type == COV_TEXT; i++)
        if (operands[i].type == COV_TEXT && list_has(value->s, operands[i].s))
            return true;
    return false;
}

static bool is_number(const cov_value *value)
{
    return value->type == COV_INT || value->type == COV_REAL;
}

static double number(const cov_value *value)
{
    return value->type == COV_INT ? (double)value->i : value->r;
}

/* One number ~= another when they are at most *self apart. SQL finds unknown what is NULL. */
static void near_sql(cov_sql *sql, cov_str column, const cov_value *operands, size_t n, void *self)
{
    if (n != 1 || !is_number(&operands[0])) {
        cov_sql_text(sql, "NULL");
        return;
    }
    cov_sql_text(sql, "CASE WHEN typeof(");
    cov_sql_text(sql, column.ptr);
    cov_sql_text(sql, ") IN ('integer', 'real') THEN abs(");
    cov_sql_text(sql, column.ptr);
    cov_sql_text(sql, " - ");
    cov_sql_param(sql, operands[0]);
    cov_sql_text(sql, ") <= ");
    cov_sql_param(sql, cov_value_real(*(double *)self));
    cov_sql_text(sql, " END");
}

static bool near_match(const cov_value *value, const cov_value *operands, size_t n, void *self)
{
    return n == 1 && is_number(&operands[0]) && is_number(value) &&
           fabs(number(value) - number(&operands[0])) <= *(double *)self;
}

static double tolerance = 1.0;
#define HAS(token)                      \
    {                                   \
        token, has_sql, has_match, NULL \
    }
#define NEAR(token)                             \
    {                                           \
        token, near_sql, near_match, &tolerance \
    }
static const cov_operator sample[] = { HAS("=has="), NEAR("~=") };

/* --- the language alone --- */

static const rsql_column columns[] = {
    { "id", "id", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "tags", "tag list", "TEXT", COV_TYPE_TEXT, NULL },
    { "age", "age", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "data", "data", "BLOB", COV_TYPE_BLOB, NULL },
};

static void insert(rsql_fixture *f, int64_t id, cov_value tags, cov_value age, cov_value data)
{
    const cov_value values[] = { cov_value_int(id), tags, age, data };

    rsql_fixture_insert(f, values);
}

#define TEXT(literal) cov_value_text(COV_STR(literal))

static int open_table(void **state)
{
    static rsql_fixture f;
    cov_value none = cov_value_null();

    rsql_fixture_open(&f, columns, COV_COUNT_OF(columns));
    insert(&f, 1, TEXT("red,green"), cov_value_int(5), none);
    insert(&f, 2, TEXT("green"), cov_value_int(6), TEXT("red"));
    insert(&f, 3, none, none, none);
    insert(&f, 4, TEXT(""), cov_value_real(6.5), cov_value_int(7));
    insert(&f, 5, cov_value_blob(COV_STR("red")), TEXT("x"), cov_value_blob(COV_STR("red")));
    insert(&f, 6, TEXT("reddish,2024-01-15,a)b"), cov_value_blob(COV_STR("5")), TEXT("5"));
    rsql_fixture_load(&f);
    *state = &f;
    return 0;
}

static int close_table(void **state)
{
    rsql_fixture_close(*state);
    return 0;
}

static void use(rsql_fixture *f, const cov_operator *custom, size_t n)
{
    f->policy =
        (cov_rsql_policy){ .limits = COV_RSQL_DEFAULT_LIMITS, .custom = custom, .n_custom = n };
    f->vars = (cov_rsql_vars){ 0 };
}

static int use_sample(void **state)
{
    use(*state, sample, COV_COUNT_OF(sample));
    return 0;
}

static void rsql_custom__sql_and_evaluation_agree(void **state)
{
    rsql_fixture *f = *state;

    assert_string_equal(rsql_fixture_ids(f, "tags=has=\"red\""), "1");
    assert_string_equal(rsql_fixture_ids(f, "tags =has= \"green\""), "1,2");
    assert_string_equal(rsql_fixture_ids(f, "tags=has=(\"red\",[\"2024-01-15\",null],1)"), "1,6");
    assert_string_equal(rsql_fixture_ids(f, "tags=has=()"), "");
    assert_string_equal(rsql_fixture_ids(f, "tags=has=\"a)b\""), "6");
    assert_string_equal(rsql_fixture_ids(f, "data=has=\"red\""), "2");
    assert_string_equal(rsql_fixture_ids(f, "age~=6"), "1,2,4");
    assert_string_equal(rsql_fixture_ids(f, "age ~= 5.25"), "1,2");
    assert_string_equal(rsql_fixture_ids(f, "id~=true"), "1,2");
    assert_string_equal(rsql_fixture_ids(f, "age~=null"), "");
    assert_string_equal(rsql_fixture_ids(f, "age~=\"6\""), "");
    assert_string_equal(rsql_fixture_ids(f, "data~=7.5"), "4");
}

static void rsql_custom__combine_like_built_in_ones(void **state)
{
    rsql_fixture *f = *state;

    assert_string_equal(rsql_fixture_ids(f, "tags=has=\"red\",age~=7;id!=4"), "1,2");
    assert_string_equal(rsql_fixture_ids(f, "(tags=has=\"red\",age~=7);id!=2"), "1,4");
    assert_string_equal(rsql_fixture_ids(f, "nope=has=1"), "!Unknown column: nope");
    assert_string_equal(rsql_fixture_ids(f, "tags=has="), "!Invalid value");
}

static void always_sql(cov_sql *sql, cov_str column, const cov_value *operands, size_t n,
                       void *self)
{
    (void)column;
    (void)operands;
    (void)n;
    (void)self;
    cov_sql_text(sql, "1 = 1");
}

static bool always_match(const cov_value *value, const cov_value *operands, size_t n, void *self)
{
    (void)value;
    (void)operands;
    (void)n;
    (void)self;
    return true;
}

#define ALWAYS(token)                         \
    {                                         \
        token, always_sql, always_match, NULL \
    }

static void rsql_custom__built_in_tokens_come_first_then_declaration_order(void **state)
{
    static const cov_operator hidden[] = { ALWAYS("=="), ALWAYS(">>"), ALWAYS("=in=") };
    static const cov_operator short_first[] = { ALWAYS("~"), NEAR("~=") };
    static const cov_operator long_first[] = { NEAR("~="), ALWAYS("~") };
    rsql_fixture *f = *state;

    use(f, hidden, COV_COUNT_OF(hidden));
    assert_string_equal(rsql_fixture_ids(f, "age==5"), "1");
    assert_string_equal(rsql_fixture_ids(f, "age>>5"), "!Unknown value type");
    assert_string_equal(rsql_fixture_ids(f, "age=in=(5)"), "1");
    use(f, short_first, COV_COUNT_OF(short_first));
    assert_string_equal(rsql_fixture_ids(f, "age~=5"), "!Unknown value type");
    use(f, long_first, COV_COUNT_OF(long_first));
    assert_string_equal(rsql_fixture_ids(f, "age~=5"), "1,2");
    assert_string_equal(rsql_fixture_ids(f, "age~-5"), "1,2,3,4,5,6");
    use(f, NULL, 0);
    assert_string_equal(rsql_fixture_ids(f, "age~=5"), "!Invalid operator");
    assert_string_equal(rsql_fixture_ids(f, "age=has=5"), "!Unknown operator: =has=");
}

static void rsql_custom__unknown_operator_lists_them_last(void **state)
{
    rsql_fixture *f = *state;

    assert_string_equal(rsql_fixture_ids(f, "age=foo=1"), "!Unknown operator: =foo=");
    assert_true(cov_str_contains(f->err.members, COV_STR("\"allowedOperators\":[\"!%=\",\"%=\",")));
    assert_true(cov_str_contains(f->err.members, COV_STR(",\"=maxlength=\",\"=has=\",\"~=\"]")));
    use(f, NULL, 0);
    assert_string_equal(rsql_fixture_ids(f, "age=foo=1"), "!Unknown operator: =foo=");
    assert_true(cov_str_contains(f->err.members, COV_STR(",\"=maxlength=\"]")));
}

static void rsql_custom__obey_the_allowlist(void **state)
{
    static const cov_str allowed[] = { COV_STR_INIT("=="), COV_STR_INIT("~=") };
    rsql_fixture *f = *state;

    f->policy.operators = allowed;
    f->policy.n_operators = COV_COUNT_OF(allowed);
    assert_string_equal(rsql_fixture_ids(f, "age~=5"), "1,2");
    assert_string_equal(rsql_fixture_ids(f, "tags=has=\"red\""),
                        "!Operator '=has=' is not allowed");
    assert_true(cov_str_contains(f->err.members, COV_STR("\"allowedOperators\":[\"==\",\"~=\"]")));
    f->policy.trusted = true;
    assert_string_equal(rsql_fixture_ids(f, "tags=has=\"red\""), "1");
}

static bool var(const void *self, cov_str path, cov_value *value)
{
    static char name[8];

    (void)self;
    if (!cov_str_eq(path, COV_STR("user.id")))
        return false;
    memcpy(name, "green", 6);
    *value = cov_value_text(cov_str_from(name));
    return true;
}

static void rsql_custom__scopes_know_them_and_deny_without_a_value(void **state)
{
    static const cov_operator any[] = { ALWAYS("=any=") };
    rsql_fixture *f = *state;

    f->policy.trusted = true;
    f->vars.get = var;
    assert_string_equal(rsql_fixture_ids(f, "tags=has={user.id}"), "1,2");
    assert_string_equal(rsql_fixture_ids(f, "tags=has=(\"x\",{user.id})"), "1,2");
    use(f, any, 1);
    f->policy.trusted = true;
    f->vars.get = var;
    assert_string_equal(rsql_fixture_ids(f, "tags=any=(1,({user.role}))"), "");
    assert_string_equal(rsql_fixture_ids(f, "tags=any={user.role},id==3"), "3");
}

/* --- what the callbacks get --- */

typedef struct spy {
    cov_value value;
    cov_value operands[8];
    size_t n;
} spy;

static bool spy_match(const cov_value *value, const cov_value *operands, size_t n, void *self)
{
    spy *seen = self;

    assert_true(n <= COV_COUNT_OF(seen->operands));
    assert_non_null(operands);
    seen->value = *value;
    seen->n = n;
    memcpy(seen->operands, operands, n * sizeof *operands);
    return false;
}

static const spy *seen_by(rsql_fixture *f, const char *filter)
{
    static spy seen;
    static const cov_operator op[] = { { "=spy=", always_sql, spy_match, &seen } };
    const cov_rsql_expr *expr = NULL;

    use(f, op, 1);
    assert_int_equal(rsql_fixture_bind(f, cov_str_from(filter), &expr), COV_OK);
    assert_int_equal(cov_rsql_eval(expr, f->rows, &rsql_host, f->arena), COV_FALSE);
    return &seen;
}

static void rsql_custom__operands_are_the_literals_as_written(void **state)
{
    const spy *seen =
        seen_by(*state, "age=spy=(null,5,[1.5,\"2024-01-15\"],true,(false),\"a\\\"b\")");

    assert_int_equal(seen->value.i, 5);
    assert_int_equal(seen->n, 7);
    assert_int_equal(seen->operands[0].type, COV_NULL);
    assert_int_equal(seen->operands[1].type, COV_INT);
    assert_int_equal(seen->operands[1].i, 5);
    assert_int_equal(seen->operands[2].type, COV_REAL);
    assert_true(seen->operands[2].r == 1.5);
    assert_int_equal(seen->operands[3].type, COV_TEXT);
    assert_string_equal(seen->operands[3].s.ptr, "2024-01-15");
    assert_int_equal(seen->operands[4].type, COV_INT);
    assert_int_equal(seen->operands[4].i, 1);
    assert_int_equal(seen->operands[5].i, 0);
    assert_string_equal(seen->operands[6].s.ptr, "a\"b");
    assert_int_equal(seen_by(*state, "age=spy=()")->n, 0);
    assert_int_equal(seen_by(*state, "data=spy=\"\"")->value.type, COV_NULL);
}

static void rsql_custom__a_predicate_outlives_its_text(void **state)
{
    rsql_fixture *f = *state;
    char text[] = "tags=has=\"red\"";
    const cov_rsql_expr *expr = NULL;
    cov_stmt condition;
    bool matches[8];
    const char *message;

    assert_int_equal(rsql_fixture_bind(f, cov_str_from(text), &expr), COV_OK);
    memset(text, 'x', sizeof text);
    assert_int_equal(cov_rsql_eval(expr, f->rows, &rsql_host, f->arena), COV_TRUE);
    condition = rsql_fixture_sql(f, expr, 0);
    assert_true(rsql_fixture_query(f, &condition, matches, &message));
    assert_true(matches[0]);
    assert_false(matches[1]);
}

static void rsql_custom__sql_stands_in_parentheses_with_bound_values(void **state)
{
    rsql_fixture *f = *state;
    const cov_rsql_expr *expr = NULL;
    cov_stmt condition;

    assert_int_equal(rsql_fixture_bind(f, COV_STR("id==1;tags=has=\"a'b\""), &expr), COV_OK);
    assert_int_equal(cov_rsql_check_db(expr, 0, &f->err), COV_OK);
    condition = rsql_fixture_sql(f, expr, 0);
    assert_string_equal(cov_arena_str(f->arena, condition.sql).ptr,
                        "\"id\" = ? AND (typeof(\"tag list\") = 'text' AND (1 = 0 OR instr(',' || "
                        "\"tag list\" || ',', ?) > 0))");
    assert_int_equal(condition.n_params, 2);
    /* The operator formatted it on its stack. */
    assert_string_equal(condition.params[1].s.ptr, ",a'b,");
}

/* --- tokens --- */

static void assert_fault(const cov_operator *custom, size_t at, const char *expected)
{
    const char *fault = cov_rsql_custom_fault(custom, at);

    if (fault == NULL || strstr(fault, expected) == NULL)
        fail_msg("%s: %s, wanted %s", custom[at].token, fault != NULL ? fault : "accepted",
                 expected);
}

static void rsql_custom__tokens_of_no_valid_form_are_refused(void **state)
{
    static const char *const bad[] = {
        NULL,          "",   "has",          "=has",  "has=",   "=1has=", "=ha s=", "=ha-s=",
        "=h\xC3\xA9=", "~a", "~1",           "~\"",   "~'",     "~`",     "~(",     "~)",
        "~[",          "~]", "~{",           "~}",    "~ ~",    "~\t",    "~;",     "~,",
        "_",           "~_", "\xE2\x89\x88", "~\x7F", "=has=~",
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(bad); i++) {
        cov_operator op = ALWAYS(bad[i]);

        assert_fault(&op, 0, "must be a word between equal signs");
    }
}

static void rsql_custom__tokens_that_are_never_reached_are_refused(void **state)
{
    static const char *const begin[] = { "==~", ">>", "<>", "%=~", "!==", "!%=~", "===" };
    static const cov_operator later[] = {
        ALWAYS("=has="), ALWAYS("~"), ALWAYS("=has="), ALWAYS("~="), ALWAYS("=="), ALWAYS("=Has="),
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(begin); i++) {
        cov_operator op = ALWAYS(begin[i]);

        assert_fault(&op, 0, "begins with a built-in operator");
    }
    for (size_t i = 0; i < cov_rsql_n_operators; i++) {
        cov_operator op = ALWAYS(cov_rsql_operators[i].ptr);

        assert_fault(&op, 0, "is that of a built-in operator");
    }
    assert_null(cov_rsql_custom_fault(later, 0));
    assert_null(cov_rsql_custom_fault(later, 1));
    assert_fault(later, 2, "used twice");
    assert_fault(later, 3, "begins with one declared before it");
    assert_fault(later, 4, "built-in");
    assert_null(cov_rsql_custom_fault(later, 5));
}

static void rsql_custom__good_tokens_are_taken(void **state)
{
    static const char *const good[] = {
        "=has=", "=_=", "=a1_B=", "~=", "~", "=~",      "!~", "@>",
        "&&",    "||",  "=",      "->", "*", "=isnul=", "\\",
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(good); i++) {
        cov_operator op = ALWAYS(good[i]);

        if (cov_rsql_custom_fault(&op, 0) != NULL)
            fail_msg("%s: %s", good[i], cov_rsql_custom_fault(&op, 0));
    }
}

static void rsql_custom__callbacks_must_be_there(void **state)
{
    cov_operator op = ALWAYS("=has=");

    (void)state;
    op.match = NULL;
    assert_fault(&op, 0, "match is missing");
    op.to_sql = NULL;
    assert_fault(&op, 0, "to_sql is missing");
}

/* --- an app --- */

static const char app_schema[] =
    "CREATE TABLE boxes (id INTEGER PRIMARY KEY, name TEXT);"
    "INSERT INTO boxes VALUES (1,'one'),(2,'two');"
    "CREATE TABLE items (id INTEGER PRIMARY KEY, tags TEXT, age INTEGER,"
    " box_id INTEGER REFERENCES boxes(id));"
    "INSERT INTO items VALUES (1,'red,green',5,1),(2,'green',6,1),(3,NULL,NULL,2),(4,'blue',9,2);"
    "CREATE TABLE mine (id INTEGER PRIMARY KEY, owners TEXT);"
    "INSERT INTO mine VALUES (1,'u1,u2'),(2,'u2'),(3,'u10');";

static const char app_config[] =
    "{\"database\":{\"url\":\"sqlite::memory:\"},\"resources\":{"
    "\"items\":{\"auth\":{\"public\":true},\"relations\":{\"box\":{\"type\":\"belongsTo\","
    "\"resource\":\"boxes\",\"foreignKey\":\"boxId\"}}},"
    "\"boxes\":{\"auth\":{\"public\":true},\"relations\":{\"items\":{\"type\":\"hasMany\","
    "\"resource\":\"items\",\"foreignKey\":\"boxId\"}}},"
    "\"mine\":{\"auth\":{\"scope\":\"owners=has={user.id}\"}}}}";

static cov_app *build_app(cov_env *env)
{
    static const cov_resource_options options = { .operators = sample, .n_operators = 2 };
    cov_app *app = cov_app_new(env, NULL);

    if (app != NULL) {
        cov_app_resource(app, "items", &options);
        cov_app_resource(app, "mine", &options);
    }
    return app;
}

static int open_app(void **state)
{
    static app_fixture f;

    app_fixture_build(&f, app_schema, app_config, build_app);
    *state = &f;
    return 0;
}

static int close_app(void **state)
{
    app_fixture_close(*state);
    return 0;
}

static int get(app_fixture *f, const char *target)
{
    return app_call(f, "GET", target, NULL, NULL);
}

static void rsql_custom__serve_every_read(void **state)
{
    app_fixture *f = *state;

    assert_contains(f, get(f, "/api/items?select=id&filter=tags=has=%22green%22"), 200,
                    "\"items\":[{\"id\":1},{\"id\":2}]");
    assert_answer(f, get(f, "/api/items/count?filter=age~=6"), 200, "{\"count\":2}");
    assert_answer(f,
                  get(f, "/api/items/aggregate?count=true&filter=tags=has=(%22red%22,%22blue%22)"),
                  200, "{\"groups\":[{\"key\":null,\"count\":2}]}");
}

static void rsql_custom__choose_rows_of_a_batch(void **state)
{
    app_fixture *f = *state;

    assert_answer(f,
                  app_call_as(f, "u1", "PATCH", "/api/items/batch?filter=age~=9",
                              "{\"tags\":\"red\"}"),
                  200, "{\"count\":1}");
    assert_answer(f,
                  app_call_as(f, "u1", "DELETE", "/api/items/batch?filter=tags=has=%22red%22",
                              NULL),
                  200, "{\"count\":2}");
    assert_contains(f, get(f, "/api/items?select=id"), 200, "\"items\":[{\"id\":2},{\"id\":3}]");
}

static void rsql_custom__belong_to_their_resource(void **state)
{
    app_fixture *f = *state;

    assert_contains(f, get(f, "/api/items?filter=tags=foo=1"), 400,
                    "\"detail\":\"Invalid filter expression: Unknown operator: =foo=\"");
    assert_contains(f, get(f, "/api/items?filter=tags=foo=1"), 400,
                    ",\"=maxlength=\",\"=has=\",\"~=\"]");
    assert_contains(f, get(f, "/api/boxes?filter=name=has=1"), 400, ",\"=maxlength=\"]");
    assert_contains(f,
                    get(f,
                        "/api/boxes?select=id&include=items(select:id;filter:tags=has=%22red%22)"),
                    200, "\"items\":[{\"id\":1}]");
    assert_contains(f, get(f, "/api/items?include=box(filter:name=has=%22one%22)"), 400,
                    "Unknown operator: =has=");
}

static void rsql_custom__limit_rows_in_a_scope(void **state)
{
    app_fixture *f = *state;

    assert_contains(f, app_call_as(f, "u1", "GET", "/api/mine?select=id", NULL), 200,
                    "\"items\":[{\"id\":1}]");
    assert_int_equal(app_call_as(f, "u1", "GET", "/api/mine/2", NULL), 404);
    assert_int_equal(app_call_as(f, "u1", "POST", "/api/mine", "{\"owners\":\"u2\"}"), 403);
    assert_int_equal(app_call_as(f, "u1", "POST", "/api/mine", "{\"owners\":\"u3,u1\"}"), 201);
    assert_answer(f, app_call_as(f, "u1", "DELETE", "/api/mine/batch?filter=id~=1", NULL), 200,
                  "{\"count\":1}");
}

static cov_resource_options wrong_options;

static cov_app *build_wrong(cov_env *env)
{
    cov_app *app = cov_app_new(env, NULL);

    if (app != NULL)
        cov_app_resource(app, "boxes", &wrong_options);
    return app;
}

/* The message of a build with these operators on "boxes". */
static const char *build_error(app_fixture *f, const cov_operator *operators, size_t n)
{
    const cov_config *config = NULL;
    cov_schema *schema = NULL;
    cov_app *app = NULL;
    cov_error err;

    wrong_options = (cov_resource_options){ .operators = operators, .n_operators = n };
    cov_error_init(&err, f->arena);
    assert_int_equal(cov_config_parse(f->arena, cov_native_host(), COV_STR("covara.jsonc"),
                                      cov_str_from(app_config), &config, &err),
                     COV_OK);
    assert_int_equal(cov_schema_read_sqlite(f->arena, f->db, config->naming, &schema, &err),
                     COV_OK);
    assert_int_equal(cov__app_build(cov_native_host(), config, schema, NULL, build_wrong, &app,
                                    &err),
                     COV_EINVAL);
    return cov_arena_str(f->arena, cov_error_detail(&err)).ptr;
}

static void rsql_custom__a_bad_one_stops_the_build(void **state)
{
    static const cov_operator hidden[] = { HAS("=has="), HAS("==~") };
    static const cov_operator twice[] = { HAS("=has="), HAS("=has=") };
    static const cov_operator unnamed[] = { HAS(NULL) };
    static const cov_operator half[] = { { "=has=", has_sql, NULL, NULL } };

    assert_string_equal(build_error(*state, hidden, 2),
                        "resource \"boxes\": operator \"==~\": the token begins with a built-in "
                        "operator and would never be reached");
    assert_string_equal(build_error(*state, twice, 2),
                        "resource \"boxes\": operator \"=has=\": the token is used twice");
    assert_non_null(
        strstr(build_error(*state, unnamed, 1), "resource \"boxes\": operator \"\": the token"));
    assert_string_equal(build_error(*state, half, 1),
                        "resource \"boxes\": operator \"=has=\": match is missing");
}

int main(void)
{
#define LANGUAGE(name) cmocka_unit_test_setup(name, use_sample)
#define APP(name) cmocka_unit_test_setup_teardown(name, open_app, close_app)
    const struct CMUnitTest language[] = {
        LANGUAGE(rsql_custom__sql_and_evaluation_agree),
        LANGUAGE(rsql_custom__combine_like_built_in_ones),
        LANGUAGE(rsql_custom__built_in_tokens_come_first_then_declaration_order),
        LANGUAGE(rsql_custom__unknown_operator_lists_them_last),
        LANGUAGE(rsql_custom__obey_the_allowlist),
        LANGUAGE(rsql_custom__scopes_know_them_and_deny_without_a_value),
        LANGUAGE(rsql_custom__operands_are_the_literals_as_written),
        LANGUAGE(rsql_custom__a_predicate_outlives_its_text),
        LANGUAGE(rsql_custom__sql_stands_in_parentheses_with_bound_values),
        cmocka_unit_test(rsql_custom__tokens_of_no_valid_form_are_refused),
        cmocka_unit_test(rsql_custom__tokens_that_are_never_reached_are_refused),
        cmocka_unit_test(rsql_custom__good_tokens_are_taken),
        cmocka_unit_test(rsql_custom__callbacks_must_be_there),
    };
    const struct CMUnitTest app[] = {
        APP(rsql_custom__serve_every_read),          APP(rsql_custom__choose_rows_of_a_batch),
        APP(rsql_custom__belong_to_their_resource),  APP(rsql_custom__limit_rows_in_a_scope),
        APP(rsql_custom__a_bad_one_stops_the_build),
    };
    int failed = cmocka_run_group_tests_name("rsql_custom", language, open_table, close_table);

    return failed + cmocka_run_group_tests_name("rsql_custom_app", app, NULL, NULL);
}
