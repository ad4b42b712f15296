/* SPDX-License-Identifier: MIT */
/* Joining configuration and schema (app/build.c): what is refused, and what stays private to a resource. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/build.h"
#include "app_fixture.h"

static const char schema[] =
    "CREATE TABLE t (id TEXT PRIMARY KEY, name TEXT, kind TEXT);"
    "CREATE TABLE pairs (a INTEGER, b INTEGER, PRIMARY KEY (a, b));"
    "CREATE TABLE kids (id INTEGER PRIMARY KEY, t_id TEXT REFERENCES t(id));"
    "INSERT INTO t VALUES ('a', 'Ann', 'x');";

typedef struct refusal {
    const char *resources;
    const char *message;
} refusal;

static const refusal refusals[] = {
    { "\"nope\":{}", "resource \"nope\": the schema has no table \"nope\"" },
    { "\"t\":{},\"u\":{\"table\":\"t\",\"id\":\"zzz\"}",
      "resource \"u\": id: table \"t\" has no column \"zzz\"" },
    { "\"pairs\":{}",
      "resource \"pairs\": table \"pairs\" has no single-column primary key; set \"id\"" },
    { "\"t\":{\"auth\":{\"read\":\"nope==1\"}}",
      "resource \"t\": scope for read: Invalid filter expression: Unknown column: nope" },
    { "\"t\":{\"auth\":{\"update\":\"name==1;(\"}}",
      "resource \"t\": scope for update: Invalid filter expression: Unterminated parenthesis in filter "
      "expression" },
    { "\"t\":{\"auth\":{\"delete\":\"owner.id=={user.id}\"}}",
      "resource \"t\": scope for delete: Invalid filter expression: Unknown relation 'owner' on 't'" },
    { "\"t\":{},\"kids\":{\"auth\":{\"create\":\"t.nope==1\"}}",
      "resource \"kids\": scope for create: Invalid filter expression: Unknown column 'nope' on relation target "
      "'t'" },
    { "\"t\":{},\"kids\":{\"auth\":{\"scope\":\"t.kids.id==1\"}}",
      "resource \"kids\": scope for read: Invalid filter expression: Cyclic relation path through 'kids'" },
    { "\"t\":{},\"kids\":{\"auth\":{\"subscribe\":\"a.b.c.d.e.f.id==1\"}}",
      "resource \"kids\": scope for subscribe: Invalid filter expression: Relation path too deep (max 5 relations): "
      "a.b.c.d.e.f.id" },
    { "\"t\":{\"fields\":{\"sortable\":[\"nope\"]}}",
      "resource \"t\": fields.sortable: table \"t\" has no column \"nope\"" },
    { "\"t\":{\"columns\":{\"name\":\"kind\"}}",
      "resource \"t\": columns: \"kind\" is already the name of a column" },
    { "\"t\":{\"relations\":{\"r\":{\"type\":\"belongsTo\",\"resource\":\"gone\",\"foreignKey\":\"name\"}}}",
      "resource \"t\": relation \"r\": no resource is called \"gone\"" },
};

static void build__says_what_does_not_fit(void **state)
{
    app_fixture f;

    (void)state;
    app_fixture_open(&f, schema, "{\"resources\":{}}");
    for (size_t i = 0; i < COV_COUNT_OF(refusals); i++) {
        cov_str text = cov_arena_printf(f.arena, "{\"resources\":{%s}}", refusals[i].resources);
        const cov_config *config = NULL;
        cov_schema *tables = NULL;
        cov_app *app = NULL;
        cov_error err;

        cov_error_init(&err, f.arena);
        if (cov_config_parse(f.arena, cov_native_host(), COV_STR("c"), text, &config, &err) !=
            COV_OK)
            fail_msg("%s", err.text);
        assert_int_equal(cov_schema_read_sqlite(f.arena, f.db, COV_NAMING_CAMEL, &tables, &err),
                         COV_OK);
        assert_int_equal(cov__app_build(cov_native_host(), config, tables, NULL, NULL, &app, &err),
                         COV_EINVAL);
        assert_string_equal(cov_error_detail(&err).ptr, refusals[i].message);
    }
    app_fixture_close(&f);
}

static void build__column_names_are_private_to_a_resource(void **state)
{
    app_fixture f;

    (void)state;
    app_fixture_open(&f, schema,
                     "{\"resources\":{\"one\":{\"table\":\"t\",\"auth\":{\"public\":true}},"
                     "\"two\":{\"table\":\"t\",\"auth\":{\"public\":true},"
                     "\"columns\":{\"name\":\"title\"}}}}");
    assert_answer(&f, app_call(&f, "GET", "/api/one/a", NULL, NULL), 200,
                  "{\"id\":\"a\",\"name\":\"Ann\",\"kind\":\"x\"}");
    assert_answer(&f, app_call(&f, "GET", "/api/two/a", NULL, NULL), 200,
                  "{\"id\":\"a\",\"title\":\"Ann\",\"kind\":\"x\"}");
    assert_contains(&f, app_call(&f, "GET", "/api/one?filter=title==\"Ann\"", NULL, NULL), 400,
                    "Unknown column: title");
    app_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(build__says_what_does_not_fit),
        cmocka_unit_test(build__column_names_are_private_to_a_resource),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
