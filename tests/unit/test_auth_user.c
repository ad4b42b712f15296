/* SPDX-License-Identifier: MIT */
/* The user as JSON, as a copy, and as placeholders of a scope on real rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/user.h"
#include "rsql_fixture.h"

static cov_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = cov_arena_new(0);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    cov_arena_free(arena);
    return 0;
}

static void assert_str(cov_str actual, const char *expected)
{
    char text[1024];

    assert_true(actual.len < sizeof text);
    if (actual.len != 0)
        memcpy(text, actual.ptr, actual.len);
    text[actual.len] = '\0';
    assert_string_equal(text, expected);
}

static cov_user user_with(const char *metadata)
{
    cov_user user;

    assert_true(cov_user_init(&user, COV_STR("u1")));
    if (metadata != NULL)
        assert_int_equal(cov_user_set_metadata(arena, &user, cov_str_from(metadata), NULL), COV_OK);
    return user;
}

static void assert_context(const cov_user *user, const char *expected)
{
    cov_buf buf = COV_BUF_IN(arena);

    cov_user_context_json(&buf, user);
    assert_false(buf.failed);
    assert_str(cov_buf_view(&buf), expected);
}

static void user__always_has_an_id(void **state)
{
    cov_user user = { .name = COV_STR("untouched") };

    (void)state;
    assert_false(cov_user_init(&user, COV_STR_NULL));
    assert_false(cov_user_init(&user, COV_STR("")));
    assert_str(user.name, "untouched");
    assert_true(cov_user_init(&user, COV_STR("0")));
    assert_null(user.name.ptr);
}

static void user__serialised_keeps_null(void **state)
{
    cov_user user = user_with("{\"role\":\"admin\"}");
    cov_buf buf = COV_BUF_IN(arena);

    (void)state;
    user.email = COV_STR("a@b.c");
    user.name = COV_STR("An\"n");
    cov_user_json(&buf, &user);
    assert_str(cov_buf_view(&buf),
               "{\"id\":\"u1\",\"email\":\"a@b.c\",\"name\":\"An\\\"n\",\"image\":null}");
}

static void user__context_has_one_order(void **state)
{
    cov_user user = user_with(NULL);

    (void)state;
    user.session_id = COV_STR("s1");
    assert_context(&user, "{\"id\":\"u1\",\"email\":null,\"name\":null,\"image\":null,"
                          "\"emailVerified\":null,\"sessionId\":\"s1\","
                          "\"sessionExpiresAt\":null}");
    user.image = COV_STR("");
    user.email_verified_ms = 0;
    user.session_expires_ms = INT64_C(1795415914005);
    assert_int_equal(cov_user_set_metadata(arena, &user, COV_STR("{\"role\":\"x\",\"n\":1}"), NULL),
                     COV_OK);
    assert_context(&user, "{\"id\":\"u1\",\"email\":null,\"name\":null,\"image\":\"\","
                          "\"emailVerified\":\"1970-01-01T00:00:00.000Z\",\"sessionId\":\"s1\","
                          "\"sessionExpiresAt\":\"2026-11-23T06:38:34.005Z\","
                          "\"metadata\":{\"role\":\"x\",\"n\":1}}");
}

static void user__metadata_is_an_object_or_nothing(void **state)
{
    static const char *const rows[] = { "", "null", "[1]", "\"a\"", "{", "{\"a\":1", "nonsense" };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_user user = user_with("{\"role\":\"old\"}");

        assert_int_equal(cov_user_set_metadata(arena, &user, cov_str_from(rows[i]), NULL), COV_OK);
        assert_null(user.metadata);
    }
}

static void user__key_scopes_become_metadata(void **state)
{
    static const cov_str scopes[] = { COV_STR_INIT("read"), COV_STR_INIT("a\"b") };
    static const struct {
        const char *metadata;
        size_t n;
        const char *expected;
    } rows[] = {
        { NULL, 2, "{\"apiKeyScopes\":[\"read\",\"a\\\"b\"]}" },
        { NULL, 0, "{\"apiKeyScopes\":[]}" },
        { "{}", 1, "{\"apiKeyScopes\":[\"read\"]}" },
        { "{\"role\":\"x\"}", 1, "{\"role\":\"x\",\"apiKeyScopes\":[\"read\"]}" },
        { "{\"apiKeyScopes\":[\"admin\"],\"z\":1}", 1, "{\"apiKeyScopes\":[\"read\"],\"z\":1}" },
    };

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_user user = user_with(rows[i].metadata);
        cov_buf buf = COV_BUF_IN(arena);

        assert_int_equal(cov_user_set_key_scopes(arena, &user, scopes, rows[i].n, NULL), COV_OK);
        cov_json_value(&buf, user.metadata);
        assert_str(cov_buf_view(&buf), rows[i].expected);
        assert_int_equal(cov_json_len(cov_json_get(user.metadata, "apiKeyScopes")), rows[i].n);
    }
}

static void user__clone_shares_nothing(void **state)
{
    cov_arena *first = cov_arena_new(0);
    cov_arena *small = cov_arena_new(16);
    char id[] = "u1";
    cov_user user;
    cov_user copy;

    (void)state;
    assert_true(cov_user_init(&user, cov_str_of(id, 2)));
    user.email = cov_arena_str(first, COV_STR("a@b.c"));
    user.image = cov_arena_str(first, COV_STR(""));
    user.session_id = cov_arena_str(first, COV_STR("s1"));
    user.session_expires_ms = 5;
    assert_int_equal(cov_user_set_metadata(first, &user, COV_STR("{\"a\":{\"b\":[1,\"x\"]}}"),
                                           NULL),
                     COV_OK);
    assert_int_equal(cov_user_clone(small, &user, &copy, NULL), COV_ENOMEM);
    assert_int_equal(cov_user_clone(arena, &user, &copy, NULL), COV_OK);
    memset(id, 'x', 2);
    cov_arena_free(first);
    cov_arena_free(small);
    assert_context(&copy, "{\"id\":\"u1\",\"email\":\"a@b.c\",\"name\":null,\"image\":\"\","
                          "\"emailVerified\":null,\"sessionId\":\"s1\","
                          "\"sessionExpiresAt\":\"1970-01-01T00:00:00.005Z\","
                          "\"metadata\":{\"a\":{\"b\":[1,\"x\"]}}}");
}

/* ---- placeholders ---- */

#define METADATA                                                                                           \
    "{\"org\":\"acme\",\"n\":3,\"big\":9223372036854775807,\"huge\":1e400,\"r\":1.5,\"t\":true,"           \
    "\"f\":false,\"zero\":0,\"null\":null,\"list\":[\"a\"],\"empty\":\"\",\"a\":{\"b\":{\"c\":\"deep\"}}," \
    "\"u64\":18446744073709551615,\"\":{\"\":\"nameless\"}}"

static void vars__resolve_paths(void **state)
{
    cov_user user = user_with(METADATA);
    cov_rsql_vars vars = cov_user_vars(&user);
    static const struct {
        const char *path;
        cov_value_type type; /* COV_NULL: no value */
        int64_t i;
        double r;
        const char *text;
    } rows[] = {
        { "user.id", COV_TEXT, 0, 0, "u1" },
        { "user.email", COV_TEXT, 0, 0, "a@b.c" },
        { "user.name", COV_NULL, 0, 0, NULL },
        { "user.image", COV_TEXT, 0, 0, "" },
        { "user.metadata.org", COV_TEXT, 0, 0, "acme" },
        { "user.metadata.empty", COV_TEXT, 0, 0, "" },
        { "user.metadata.n", COV_INT, 3, 0, NULL },
        { "user.metadata.zero", COV_INT, 0, 0, NULL },
        { "user.metadata.big", COV_INT, INT64_MAX, 0, NULL },
        { "user.metadata.u64", COV_REAL, 0, 18446744073709551615.0, NULL },
        { "user.metadata.r", COV_REAL, 0, 1.5, NULL },
        { "user.metadata.t", COV_INT, 1, 0, NULL },
        { "user.metadata.f", COV_INT, 0, 0, NULL },
        { "user.metadata.a.b.c", COV_TEXT, 0, 0, "deep" },
        { "user.metadata.huge", COV_NULL, 0, 0, NULL },
        { "user.metadata.null", COV_NULL, 0, 0, NULL },
        { "user.metadata.list", COV_NULL, 0, 0, NULL },
        { "user.metadata.list.0", COV_NULL, 0, 0, NULL },
        { "user.metadata.a", COV_NULL, 0, 0, NULL },
        { "user.metadata.a.b", COV_NULL, 0, 0, NULL },
        { "user.metadata.a.b.c.d", COV_NULL, 0, 0, NULL },
        { "user.metadata.a..b", COV_NULL, 0, 0, NULL },
        { "user.metadata.missing", COV_NULL, 0, 0, NULL },
        { "user.metadata.Org", COV_NULL, 0, 0, NULL },
        { "user.metadata.", COV_NULL, 0, 0, NULL },
        { "user.metadata", COV_NULL, 0, 0, NULL },
        { "user.sessionId", COV_NULL, 0, 0, NULL },
        { "user.ID", COV_NULL, 0, 0, NULL },
        { "user", COV_NULL, 0, 0, NULL },
        { "id", COV_NULL, 0, 0, NULL },
        { "", COV_NULL, 0, 0, NULL },
    };

    (void)state;
    user.email = COV_STR("a@b.c");
    user.image = COV_STR("");
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        cov_value value = cov_value_null();
        bool known = vars.get(vars.self, cov_str_from(rows[i].path), &value);

        if (known != (rows[i].type != COV_NULL) || value.type != rows[i].type)
            fail_msg("\"%s\": known %d, type %d", rows[i].path, known, value.type);
        if (value.type == COV_INT)
            assert_int_equal(value.i, rows[i].i);
        if (value.type == COV_REAL)
            assert_true(value.r == rows[i].r);
        if (value.type == COV_TEXT)
            assert_str(value.s, rows[i].text);
    }
    user.metadata = NULL;
    assert_false(
        vars.get(vars.self, COV_STR("user.metadata.org"), &(cov_value){ COV_NULL, { 0 } }));
}

static void vars__scopes_of_real_rows(void **state)
{
    static const rsql_column columns[] = {
        { "id", "id", "INTEGER", COV_TYPE_INTEGER, NULL },
        { "userId", "user_id", "TEXT", COV_TYPE_TEXT, NULL },
        { "done", "done", "BOOLEAN", COV_TYPE_BOOLEAN, NULL },
    };
    const cov_value rows[][3] = {
        { cov_value_int(1), cov_value_text(COV_STR("u1")), cov_value_int(1) },
        { cov_value_int(2), cov_value_text(COV_STR("u2")), cov_value_int(0) },
        { cov_value_int(3), cov_value_null(), cov_value_null() },
    };
    cov_user user = user_with("{\"t\":true,\"f\":false,\"null\":null}");
    rsql_fixture f;

    (void)state;
    rsql_fixture_open(&f, columns, COV_COUNT_OF(columns));
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        rsql_fixture_insert(&f, rows[i]);
    rsql_fixture_load(&f);
    f.policy.trusted = true;
    f.vars = cov_user_vars(&user);
    assert_string_equal(rsql_fixture_ids(&f, "userId=={user.id}"), "1");
    assert_string_equal(rsql_fixture_ids(&f, "userId!={user.id}"), "2");
    assert_string_equal(rsql_fixture_ids(&f, "done=={user.metadata.t}"), "1");
    assert_string_equal(rsql_fixture_ids(&f, "done=={user.metadata.f}"), "2");
    /* Nothing is not a value: neither the rows without owner nor all others. */
    assert_string_equal(rsql_fixture_ids(&f, "userId=={user.name}"), "");
    assert_string_equal(rsql_fixture_ids(&f, "userId!={user.name}"), "");
    assert_string_equal(rsql_fixture_ids(&f, "userId=={user.metadata.null}"), "");
    assert_string_equal(rsql_fixture_ids(&f, "userId=={user.metadata.org}"), "");
    rsql_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user__always_has_an_id),
        cmocka_unit_test(user__serialised_keeps_null),
        cmocka_unit_test(user__context_has_one_order),
        cmocka_unit_test(user__metadata_is_an_object_or_nothing),
        cmocka_unit_test(user__key_scopes_become_metadata),
        cmocka_unit_test(user__clone_shares_nothing),
        cmocka_unit_test(vars__resolve_paths),
        cmocka_unit_test(vars__scopes_of_real_rows),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
