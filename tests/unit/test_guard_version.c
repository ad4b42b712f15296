/* SPDX-License-Identifier: MIT */
/* Version headers, deprecations, minimum client version, and problem texts (spec/07 sections 3.1 and 7, cases 38, 39). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "guard_fixture.h"

static cov_status check(guard_fixture *f, const char *path, const char *headers)
{
    guard_request(f, "GET", path, headers, "");
    return cov_version_check(&f->g, &f->err);
}

static void version__headers(void **state)
{
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    assert_int_equal(check(&f, "/x", ""), COV_OK);
    assert_int_equal(f.res.n_headers, 0);
    f.config.versioning.enabled = true;
    assert_int_equal(check(&f, "/x", ""), COV_OK);
    assert_int_equal(f.res.n_headers, 1);
    assert_string_equal(guard_header(&f, "X-Covara-Version"), "1.0.0");
    f.config.versioning.header = COV_STR("X-Api-Version");
    f.config.versioning.current = COV_STR("2.1.0");
    f.config.versioning.schema_version = COV_STR("7");
    assert_int_equal(check(&f, "/x", ""), COV_OK);
    assert_string_equal(guard_header(&f, "X-Api-Version"), "2.1.0");
    assert_string_equal(guard_header(&f, "X-Covara-Schema-Version"), "7");
    guard_close(&f);
}

static void version__deprecations(void **state)
{
    static const cov_str old[] = { COV_STR_INIT("/old") };
    const cov_deprecation_config list[] = {
        { .feature = COV_STR("old"),
          .message = COV_STR("goes away."),
          .replacement = COV_STR("new"),
          .sunset = COV_STR("2027-01-02"),
          .affected_paths = { old, 1, true } },
        { .message = COV_STR("Older"),
          .sunset = COV_STR("2028-02-29"),
          .affected_paths = { old, 1, true } },
        { .feature = COV_STR("all"), .message = COV_STR("some day") },
    };
    guard_fixture f;

    (void)state;
    guard_open(&f);
    guard_build(&f);
    f.config.versioning.enabled = true;
    f.config.versioning.deprecations = list;
    f.config.versioning.n_deprecations = 2;
    assert_int_equal(check(&f, "/old/7", ""), COV_OK);
    assert_string_equal(guard_header(&f, "Deprecation"), "2027-01-02");
    assert_string_equal(guard_header(&f, "Sunset"), "Sat, 02 Jan 2027 00:00:00 GMT");
    assert_string_equal(guard_header(&f, "X-Covara-Warn"),
                        "old: goes away. Use 'new' instead. Sunset: 2027-01-02; Older");
    assert_int_equal(check(&f, "/new", ""), COV_OK);
    assert_string_equal(guard_header(&f, "Deprecation"), "");
    assert_string_equal(guard_header(&f, "Sunset"), "");
    assert_string_equal(guard_header(&f, "X-Covara-Warn"), "");
    f.config.versioning.n_deprecations = 3;
    assert_int_equal(check(&f, "/new", ""), COV_OK);
    assert_string_equal(guard_header(&f, "Deprecation"), "true");
    assert_string_equal(guard_header(&f, "Sunset"), "");
    assert_string_equal(guard_header(&f, "X-Covara-Warn"), "all: some day");
    f.config.versioning.deprecations = list + 1;
    f.config.versioning.n_deprecations = 1;
    assert_int_equal(check(&f, "/old", ""), COV_OK);
    assert_string_equal(guard_header(&f, "Sunset"), "Tue, 29 Feb 2028 00:00:00 GMT");
    guard_close(&f);
}

static void version__minimum_client(void **state)
{
    static const struct {
        const char *client;
        const char *minimum;
        bool passes;
    } rows[] = {
        { "1.2.0-beta", "1.2.0", false },
        { "1.1.9", "1.2.0", false },
        { "1.2.0", "1.2.0", true },
        { "1.2", "1.2.0", true },
        { "1", "1.0.0", true },
        { "2", "1.99.99", true },
        { "1.10.0", "1.9.0", true },
        { "1.2.0", "1.2.0-a", true },
        { "1.2.0-b", "1.2.0-a", true },
        { "01.2", "1.2", true },
        { "1.2.1-a", "1.2.0", true },
        { "99999999999999999999.0", "1.0", true },
        { "1.99999999999999999998", "1.99999999999999999999", false },
    };
    char header[128];
    guard_fixture f;

    (void)state;
    guard_open(&f);
    f.config.versioning.enabled = true;
    guard_build(&f);
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++) {
        snprintf(header, sizeof header, "x-covara-client-version: %s", rows[i].client);
        f.config.versioning.minimum_client = cov_str_from(rows[i].minimum);
        assert_int_equal(check(&f, "/x", header), rows[i].passes ? COV_OK : COV_EOLDCLIENT);
    }
    f.config.versioning.minimum_client = COV_STR("1.2.0");
    assert_int_equal(check(&f, "/x", ""), COV_OK);
    assert_int_equal(check(&f, "/x", "X-Covara-Client-Version: 1.1.9"), COV_EOLDCLIENT);
    assert_string_equal(
        guard_detail(&f),
        "Client version 1.1.9 is below minimum supported version 1.2.0. Please upgrade.");
    assert_string_equal(guard_members(&f), "\"minVersion\":\"1.2.0\",\"clientVersion\":\"1.1.9\"");
    assert_string_equal(guard_header(&f, "X-Covara-Version"), "1.0.0");
    guard_close(&f);
}

static void version__what_is_none(void **state)
{
    static const char *const none[] = { "v1",   "1.",      "1.2.",   "1.2.3.4", "1.2.3-", "-",
                                        "1..2", "1.2.3+5", "latest", ".1",      "1 2" };
    char header[128];
    char detail[128];
    guard_fixture f;

    (void)state;
    guard_open(&f);
    f.config.versioning.enabled = true;
    f.config.versioning.minimum_client = COV_STR("1.0");
    guard_build(&f);
    for (size_t i = 0; i < COV_COUNT_OF(none); i++) {
        snprintf(header, sizeof header, "X-Covara-Client-Version: %s", none[i]);
        snprintf(detail, sizeof detail, "Invalid version format: %s", none[i]);
        assert_int_equal(check(&f, "/x", header), COV_EOLDCLIENT);
        assert_string_equal(guard_detail(&f), detail);
    }
    f.config.versioning.minimum_client = COV_STR("soon");
    assert_int_equal(cov_guard_new(f.arena, &f.setup, &f.guard, &f.err), COV_EINVAL);
    guard_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version__headers),
        cmocka_unit_test(version__deprecations),
        cmocka_unit_test(version__minimum_client),
        cmocka_unit_test(version__what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
