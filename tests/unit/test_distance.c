/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/distance.h"

typedef struct distance_case {
    const char *a;
    const char *b;
    size_t distance;
} distance_case;

static const distance_case cases[] = {
    { "", "", 0 },
    { "", "abc", 3 },
    { "title", "title", 0 },
    { "Title", "tITLE", 0 },
    { "tilte", "title", 2 },
    { "reources", "resources", 1 },
    { "kitten", "sitting", 3 },
};

static void distance__counts_slips(void **state)
{
    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(cases); i++) {
        cov_str a = cov_str_from(cases[i].a);
        cov_str b = cov_str_from(cases[i].b);

        assert_int_equal(cov_edit_distance(a, b), cases[i].distance);
        assert_int_equal(cov_edit_distance(b, a), cases[i].distance);
    }
}

static void distance__refuses_long_names(void **state)
{
    char name[COV_DISTANCE_MAX_BYTES + 1] = { 0 };

    (void)state;
    memset(name, 'x', sizeof name);
    assert_int_equal(cov_edit_distance(cov_str_of(name, sizeof name), COV_STR("x")), SIZE_MAX);
    assert_int_equal(cov_edit_distance(cov_str_of(name, sizeof name - 1), COV_STR("x")),
                     COV_DISTANCE_MAX_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance__counts_slips),
        cmocka_unit_test(distance__refuses_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
