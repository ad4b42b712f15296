/* SPDX-License-Identifier: MIT */
/* Scopes that cross relations, lists of the user, missing values (spec/06 sections 4.3 and 4.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app_fixture.h"

/* firms is no resource; memberships marked as left count no more. */
static const char schema[] =
    "CREATE TABLE firms (id INTEGER PRIMARY KEY, boss TEXT);"
    "CREATE TABLE orgs (org_no INTEGER PRIMARY KEY, name TEXT, firm_id INTEGER REFERENCES firms(id));"
    "CREATE TABLE members (id INTEGER PRIMARY KEY, org_id INTEGER NOT NULL REFERENCES orgs(org_no), user_id TEXT,"
    " role TEXT, left_at TEXT);"
    "CREATE TABLE profiles (id INTEGER PRIMARY KEY, machine_id INTEGER, owner TEXT);"
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, machine_id INTEGER, owner TEXT);"
    "CREATE TABLE machine_tags (id INTEGER PRIMARY KEY, machine_id INTEGER REFERENCES machines(id), tag_id INTEGER);"
    "CREATE TABLE machines (id INTEGER PRIMARY KEY, name TEXT, organization_id INTEGER REFERENCES orgs(org_no),"
    " version INTEGER);"
    "INSERT INTO firms VALUES (1,'big'); INSERT INTO orgs VALUES (1,'one',1),(2,'two',NULL),(3,'three',NULL);"
    "INSERT INTO members VALUES (1,1,'u1','admin',NULL),(2,1,'u2','user',NULL),(3,2,'u2','admin',NULL),"
    "(4,2,'u1','admin','2024-01-01'),(5,3,'O''Brien\");--',NULL,NULL);"
    "INSERT INTO machines VALUES (1,'a',1,1),(2,'b',2,1),(3,'c',3,1),(4,'d',NULL,1);"
    "INSERT INTO profiles VALUES (1,2,'u1'); INSERT INTO tags VALUES (1,4,'u1'),(2,1,'u2');"
    "INSERT INTO machine_tags VALUES (1,3,1),(2,4,1),(3,1,2);";

#define RELATIONS                                                                                              \
    "\"relations\":{\"profile\":{\"type\":\"hasOne\",\"resource\":\"profiles\",\"foreignKey\":\"machineId\"}," \
    "\"tags\":{\"type\":\"manyToMany\",\"resource\":\"tags\",\"through\":{\"table\":\"machine_tags\","         \
    "\"sourceKey\":\"machine_id\",\"targetKey\":\"tag_id\"}}}"

static const char config_format[] =
    "{\"resources\":{"
    "\"machines\":{\"auth\":{\"scope\":\"%s\"},\"strictScopeOnWrite\":%s,"
    "\"etag\":{\"versionField\":\"version\"}," RELATIONS "},"
    "\"orgs\":{\"auth\":{\"public\":true},\"relations\":{\"members\":{\"type\":\"hasMany\","
    "\"resource\":\"members\",\"foreignKey\":\"orgId\"}}},"
    "\"members\":{\"softDelete\":{\"field\":\"leftAt\"}},\"profiles\":{},\"tags\":{},"
    "\"machine_tags\":{\"auth\":{\"scope\":\"machine.tags.owner=={user.id}\"}}}}";

static void open_scoped(app_fixture *f, const char *scope, bool strict, cov_build_fn build)
{
    char config[4096];

    snprintf(config, sizeof config, config_format, scope, strict ? "true" : "false");
    app_fixture_build(f, schema, config, build);
}

static const char *ids(app_fixture *f, const app_user *user)
{
    static char out[64];
    size_t len = 0;
    const char *at;

    assert_int_equal(app_call_user(f, user, "GET", "/api/machines?select=id&orderBy=id", NULL),
                     200);
    for (at = app_body(f); (at = strstr(at, "\"id\":")) != NULL && len + 8 < sizeof out;) {
        at += strlen("\"id\":");
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%d", len != 0 ? "," : "", atoi(at));
    }
    out[len] = '\0';
    return out;
}

typedef struct expectation {
    const char *scope;
    const char *u1;
    const char *u2;
} expectation;

static const expectation crossings[] = {
    { "organization.members.userId=={user.id}", "1", "1,2" },
    { "organization.members.role==\\\"admin\\\"", "1,2", "1,2" },
    { "organization.members.role==\\\"admin\\\";organization.members.userId=={user.id}", "1",
      "1,2" },
    { "organization.name=in=(\\\"one\\\",\\\"three\\\")", "1,3", "1,3" },
    { "organization.name!=\\\"one\\\"", "2,3", "2,3" },
    { "organization.firm.boss==\\\"big\\\"", "1", "1" },
    { "organization.members.role=isnull=true", "3", "3" },
    { "profile.owner=={user.id}", "2", "" },
    { "tags.owner=={user.id}", "3,4", "1" },
    { "tags.owner=={user.id},id==2", "2,3,4", "1,2" },
    { "machine_tags.tagId==1", "3,4", "3,4" },
    { "organization.members.userId=={user.name}", "", "" },
    { "organization.members.userId!={user.name}", "", "" },
    { "organization.members.userId=out=({user.name})", "", "" },
    { "organization.orgNo=in={user.metadata.teams}", "3", "" },
    { "organization.orgNo=out={user.metadata.teams}", "1,2", "" },
};

static void path__each_kind_of_relation(void **state)
{
    static const int64_t teams[] = { 3 };
    static const app_user users[] = { { "u1", teams, 1 }, { .id = "u2" } };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(crossings); i++) {
        app_fixture f;

        open_scoped(&f, crossings[i].scope, true, NULL);
        assert_string_equal(ids(&f, &users[0]), crossings[i].u1);
        assert_string_equal(ids(&f, &users[1]), crossings[i].u2);
        app_fixture_close(&f);
    }
}

/* The junction may be the table that the path starts from. */
static void path__through_the_source_itself(void **state)
{
    app_fixture f;

    (void)state;
    open_scoped(&f, "*", true, NULL);
    assert_contains(&f, app_call_as(&f, "u1", "GET", "/api/machine_tags?select=id", NULL), 200,
                    "[{\"id\":1},{\"id\":2}]");
    app_fixture_close(&f);
}

static void path__values_are_only_values(void **state)
{
    app_fixture f;

    (void)state;
    open_scoped(&f, "organization.members.userId=={user.id}", true, NULL);
    assert_string_equal(ids(&f, &(app_user){ .id = "O'Brien\");--" }), "3");
    assert_string_equal(ids(&f, &(app_user){ .id = "x\"),id!=(\"" }), "");
    app_fixture_close(&f);
}

/* --- the one algebra --- */

static const expectation algebra[] = {
    { "*;id==1", "1", "1" },
    { "(*);(id==1)", "1", "1" },
    { "id==1,*", "1,2,3,4", "1,2,3,4" },
    { "__covara_deny_all_sentinel__;id==1", "", "" },
    { "id==1,__covara_deny_all_sentinel__", "1", "1" },
    { "(__covara_deny_all_sentinel__,*);id==2", "2", "2" },
    { "name!={user.name}", "", "" },
    { "name=={user.name},id==2", "2", "2" },
    { "name=out=(\\\"a\\\",{user.name})", "", "" },
    { "name=out={user.roles}", "", "" },
    { "id=out=(1,{user.metadata.teams})", "2,4", "" },
    { "id=in=(1,{user.metadata.teams})", "1,3", "1" },
    { "id=in={user.metadata.teams}", "3", "" },
    { "id=={user.metadata.teams}", "", "" },
    { "id!={user.metadata.teams}", "", "" },
    { "id=nbetween={user.metadata.teams}", "", "" },
    { "name=isnull={user.name}", "", "" },
    { "name=isempty={user.name}", "", "" },
    { "name!%={user.name}", "", "" },
    { "name=nilike={user.name}", "", "" },
    { "id=nbetween=[1,{user.name}]", "", "" },
    { "organization.members.role=isnull={user.name}", "", "" },
};

static void scope__what_is_missing_never_widens(void **state)
{
    static const int64_t teams[] = { 3 };
    static const app_user users[] = { { "u1", teams, 1 }, { .id = "u2" } };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(algebra); i++) {
        app_fixture f;

        open_scoped(&f, algebra[i].scope, true, NULL);
        assert_string_equal(ids(&f, &users[0]), algebra[i].u1);
        assert_string_equal(ids(&f, &users[1]), algebra[i].u2);
        app_fixture_close(&f);
    }
}

/* --- writes --- */

static void path__judges_what_is_written(void **state)
{
    app_fixture f;

    (void)state;
    open_scoped(&f, "organization.members.userId=={user.id}", true, NULL);
    assert_int_equal(app_call_as(&f, "u1", "POST", "/api/machines", "{\"organizationId\":1}"), 201);
    assert_contains(&f, app_call_as(&f, "u1", "POST", "/api/machines", "{\"organizationId\":2}"),
                    403, "Not authorized to create on machines");
    assert_int_equal(app_call_as(&f, "u1", "PATCH", "/api/machines/1", "{\"organizationId\":2}"),
                     403);
    assert_int_equal(app_call_as(&f, "u1", "PATCH", "/api/machines/2", "{\"name\":\"x\"}"), 404);
    assert_int_equal(app_call_as(&f, "u1", "DELETE", "/api/machines/2", NULL), 404);
    assert_int_equal(app_call_as(&f, "u1", "PATCH", "/api/machines/batch?filter=id<5",
                                 "{\"organizationId\":2}"),
                     403);
    assert_answer(&f,
                  app_call_as(&f, "u2", "PATCH", "/api/machines/batch?filter=id<5",
                              "{\"organizationId\":2}"),
                  200, "{\"count\":2}");
    assert_string_equal(ids(&f, &(app_user){ .id = "u1" }), "5");
    app_fixture_close(&f);
}

static void path__lenient_writes_may_leave_but_not_reach(void **state)
{
    app_fixture f;

    (void)state;
    open_scoped(&f, "organization.members.userId=={user.id}", false, NULL);
    assert_int_equal(app_call_as(&f, "u1", "PATCH", "/api/machines/2", "{\"name\":\"x\"}"), 404);
    assert_int_equal(app_call_as(&f, "u1", "POST", "/api/machines/batch/upsert",
                                 "{\"items\":[{\"id\":2,\"name\":\"x\"}]}"),
                     403);
    assert_int_equal(app_call_as(&f, "u1", "PATCH", "/api/machines/1", "{\"organizationId\":2}"),
                     200);
    assert_string_equal(ids(&f, &(app_user){ .id = "u1" }), "");
    app_fixture_close(&f);
}

/* --- versions --- */

static void version__batch_writes_raise_it(void **state)
{
    app_fixture f;

    (void)state;
    open_scoped(&f, "*", true, NULL);
    app_sql(
        &f,
        "UPDATE machines SET version=NULL WHERE id=2; UPDATE machines SET version=7 WHERE id=3");
    assert_int_equal(app_call_as(&f, "u1", "PATCH", "/api/machines/batch?filter=id<4",
                                 "{\"name\":\"n\"}"),
                     200);
    assert_contains(&f,
                    app_call_as(&f, "u1", "GET", "/api/machines?select=version&orderBy=id", NULL),
                    200, "[{\"version\":2},{\"version\":1},{\"version\":8},{\"version\":1}]");
    assert_int_equal(app_call_as(&f, "u1", "PATCH", "/api/machines/batch?filter=id<4",
                                 "{\"version\":50}"),
                     200);
    /* 1 keeps the version it was read with, 2 wishes another, 3 says none, 9 is new. */
    assert_contains(
        &f,
        app_call_as(
            &f, "u1", "POST", "/api/machines/batch/upsert",
            "{\"items\":[{\"id\":1,\"version\":50},{\"id\":2,\"version\":70},{\"id\":3,\"name\":\"x\"},"
            "{\"id\":9,\"version\":4}]}"),
        200, "{\"id\":1,");
    assert_contains(
        &f, app_call_as(&f, "u1", "GET", "/api/machines?select=id,version&orderBy=id", NULL), 200,
        "[{\"id\":1,\"version\":51},{\"id\":2,\"version\":70},{\"id\":3,\"version\":51},{\"id\":4,\"version\":1},"
        "{\"id\":9,\"version\":4}]");
    app_fixture_close(&f);
}

/* A version that is text is counted by the server, one that is no number stays. */
static void version__of_text(void **state)
{
    app_fixture f;

    (void)state;
    app_fixture_open(&f,
                     "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, v TEXT);"
                     "INSERT INTO t VALUES (1,'a','5'),(2,'b','abc'),(3,'c',NULL);",
                     "{\"resources\":{\"t\":{\"etag\":{\"versionField\":\"v\"}}}}");
    assert_answer(&f,
                  app_call_as(&f, "u1", "PATCH", "/api/t/batch?filter=id>0", "{\"name\":\"n\"}"),
                  200, "{\"count\":3}");
    assert_contains(&f, app_call_as(&f, "u1", "GET", "/api/t?select=v&orderBy=id", NULL), 200,
                    "[{\"v\":\"6\"},{\"v\":\"abc\"},{\"v\":\"1\"}]");
    app_fixture_close(&f);
}

/* --- scopes from code --- */

static const char *code_text;
static cov_status code_status;

static cov_status scope_from_code(cov_ctx *ctx, cov_operation operation, cov_buf *scope, void *self,
                                  cov_error *err)
{
    (void)ctx;
    (void)operation;
    (void)self;
    if (code_status != COV_OK)
        return cov_fail(err, code_status, "refused by code");
    cov_buf_str(scope, cov_str_from(code_text));
    return COV_OK;
}

static cov_app *build_with_scope(cov_env *env)
{
    static const cov_resource_options options = { .scope = scope_from_code };
    cov_app *app = cov_app_new(env, NULL);

    cov_app_resource(app, "machines", &options);
    return app;
}

static void path__in_scopes_from_code(void **state)
{
    static const char *const faults[] = {
        "organization.nope.x==1", "organization.members.nope==1", "organization.machines.id==1",
        "a.b.c.d.e.f.g==1",       "organization.firm.x.y==1",     "name==(",
    };
    app_fixture f;

    (void)state;
    open_scoped(&f, "", true, build_with_scope);
    code_status = COV_OK;
    code_text = "organization.members.userId=={user.id}";
    assert_string_equal(ids(&f, &(app_user){ .id = "u1" }), "1");
    for (size_t i = 0; i < COV_COUNT_OF(faults); i++) {
        code_text = faults[i];
        assert_contains(&f, app_call_as(&f, "u1", "GET", "/api/machines", NULL), 500,
                        "INTERNAL_ERROR");
        assert_contains(&f, app_call_as(&f, "u1", "PATCH", "/api/machines/1", "{}"), 500,
                        "INTERNAL_ERROR");
    }
    app_fixture_close(&f);
}

static cov_app *build_profiles(cov_env *env)
{
    static const cov_resource_options options = { .scope = scope_from_code };
    cov_app *app = cov_app_new(env, NULL);

    cov_app_resource(app, "profiles", &options);
    return app;
}

/* --- upsert --- */

static int n_heard;
static bool revokes; /* the hook ends every membership */

static cov_status on_update(cov_ctx *ctx, const cov_row *row, cov_row *data, void *self,
                            cov_error *err)
{
    (void)row;
    (void)data;
    (void)self;
    n_heard++;
    return revokes ? cov_ctx_exec(ctx, COV_STR("DELETE FROM members"), NULL, 0, NULL, err) : COV_OK;
}

static cov_app *build_with_hook(cov_env *env)
{
    static const cov_resource_options options = { .hooks = { .before_update = on_update } };
    cov_app *app = cov_app_new(env, NULL);

    cov_app_resource(app, "machines", &options);
    return app;
}

static void upsert__hooks_hear_of_no_row_outside(void **state)
{
    app_fixture f;

    (void)state;
    n_heard = 0;
    open_scoped(&f, "organization.members.userId=={user.id}", true, build_with_hook);
    assert_int_equal(app_call_as(&f, "u1", "POST", "/api/machines/batch/upsert",
                                 "{\"items\":[{\"id\":2,\"organizationId\":1}]}"),
                     403);
    assert_int_equal(n_heard, 0);
    assert_int_equal(app_call_as(&f, "u1", "POST", "/api/machines/batch/upsert",
                                 "{\"items\":[{\"id\":1,\"organizationId\":1}]}"),
                     200);
    assert_int_equal(n_heard, 1);
    app_fixture_close(&f);
}

/* The statement itself is limited, too: rights may end between the check and the write. */
static void upsert__writes_inside_only(void **state)
{
    app_fixture f;

    (void)state;
    open_scoped(&f, "organization.members.userId=={user.id}", false, build_with_hook);
    revokes = true;
    assert_int_equal(app_call_as(&f, "u1", "POST", "/api/machines/batch/upsert",
                                 "{\"items\":[{\"id\":1,\"name\":\"x\"}]}"),
                     403);
    revokes = false;
    assert_string_equal(ids(&f, &(app_user){ .id = "u1" }), "1");
    app_fixture_close(&f);
}

/* Both permissions are asked for, before the body and whether or not a row exists (spec/06 section 4.5). */
static void upsert__needs_both_permissions(void **state)
{
    static const char *const body = "{\"items\":[{\"id\":9,\"name\":\"new\"}]}";
    app_fixture f;

    (void)state;
    app_fixture_open(&f,
                     "CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT);"
                     "CREATE TABLE b (id INTEGER PRIMARY KEY, name TEXT);",
                     "{\"resources\":{\"a\":{\"auth\":{\"create\":\"*\",\"update\":false}},"
                     "\"b\":{\"auth\":{\"create\":false,\"update\":\"*\"}}}}");
    assert_contains(&f, app_call_as(&f, "u1", "POST", "/api/a/batch/upsert", body), 403,
                    "Not authorized to update on a");
    assert_contains(&f, app_call_as(&f, "u1", "POST", "/api/a/batch/upsert", "{"), 403,
                    "Not authorized to update on a");
    assert_contains(&f, app_call_as(&f, "u1", "POST", "/api/b/batch/upsert", body), 403,
                    "Not authorized to create on b");
    assert_contains(&f, app_call_as(&f, NULL, "POST", "/api/a/batch/upsert", body), 401,
                    "Authentication required for create on a");
    assert_int_equal(app_call_as(&f, "u1", "POST", "/api/a/batch", body), 200);
    app_fixture_close(&f);
}

/* A public parent does not open what is nested in it. */
static void nested__needs_what_the_target_needs(void **state)
{
    app_fixture f;

    (void)state;
    app_fixture_open(
        &f,
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT);"
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts(id), user_id TEXT);",
        "{\"resources\":{\"posts\":{\"auth\":{\"public\":{\"create\":true,\"read\":true}},"
        "\"nestedWrites\":true,\"autoRelations\":true},"
        "\"notes\":{\"auth\":{\"scope\":\"userId=={user.id}\"}}}}");
    assert_contains(&f,
                    app_call_as(&f, NULL, "POST", "/api/posts",
                                "{\"title\":\"a\",\"notes\":[{\"userId\":\"u1\"}]}"),
                    401, "Authentication required for create on notes");
    assert_contains(&f,
                    app_call_as(&f, "u2", "POST", "/api/posts",
                                "{\"title\":\"a\",\"notes\":[{\"userId\":\"u1\"}]}"),
                    403, "Not authorized to create on notes");
    assert_answer(&f, app_call_as(&f, NULL, "GET", "/api/posts/count", NULL), 200, "{\"count\":0}");
    assert_int_equal(app_call_as(&f, "u1", "POST", "/api/posts",
                                 "{\"title\":\"a\",\"notes\":[{\"userId\":\"u1\"}]}"),
                     201);
    app_fixture_close(&f);
}

/* Whatever goes wrong with the target's scope, the parent is still there (spec/06 section 4.7). */
static void include__survives_a_failing_scope(void **state)
{
    static const cov_status failures[] = { COV_EFORBIDDEN, COV_EUNAUTH, COV_EINTERNAL };
    app_fixture f;

    (void)state;
    open_scoped(&f, "*", true, build_profiles);
    for (size_t i = 0; i < COV_COUNT_OF(failures); i++) {
        code_status = failures[i];
        assert_contains(&f, app_call_as(&f, "u1", "GET", "/api/machines/2?include=profile", NULL),
                        200, "\"profile\":null");
    }
    code_status = COV_OK;
    code_text = "*";
    assert_contains(&f, app_call_as(&f, "u1", "GET", "/api/machines/2?include=profile", NULL), 200,
                    "\"owner\":\"u1\"");
    app_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path__each_kind_of_relation),
        cmocka_unit_test(path__through_the_source_itself),
        cmocka_unit_test(path__values_are_only_values),
        cmocka_unit_test(scope__what_is_missing_never_widens),
        cmocka_unit_test(path__judges_what_is_written),
        cmocka_unit_test(path__lenient_writes_may_leave_but_not_reach),
        cmocka_unit_test(version__batch_writes_raise_it),
        cmocka_unit_test(version__of_text),
        cmocka_unit_test(path__in_scopes_from_code),
        cmocka_unit_test(upsert__hooks_hear_of_no_row_outside),
        cmocka_unit_test(upsert__writes_inside_only),
        cmocka_unit_test(upsert__needs_both_permissions),
        cmocka_unit_test(nested__needs_what_the_target_needs),
        cmocka_unit_test(include__survives_a_failing_scope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
