/* SPDX-License-Identifier: MIT */
/* What subscriptions are made of: links, lanes, the changelog's ring, kept predicates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/native/native.h"
#include "live/changelog.h"
#include "live/due.h"
#include "live/links.h"
#include "rsql_fixture.h"

static void links_find_all_of_a_hash(void **state)
{
    enum { N = 500 };
    cov_links links = { 0 };
    cov_link all[N];
    size_t found = 0;

    (void)state;
    assert_null(cov_links_first(&links, 7));
    for (size_t i = 0; i < N; i++)
        assert_true(cov_links_add(&links, &all[i], i % 50));
    for (cov_link *l = cov_links_first(&links, 7); l != NULL; l = cov_links_next(l))
        found += (size_t)(l - all) % 50 == 7;
    assert_int_equal(found, N / 50);
    for (size_t i = 0; i < N; i++)
        if (i % 50 == 7)
            cov_links_remove(&links, &all[i]);
    assert_null(cov_links_first(&links, 7));
    assert_int_equal(links.len, N - N / 50);
    cov_links_dispose(&links);
}

/* ---- lanes ---- */

static int64_t fired[8];
static size_t n_fired;
static cov_due_lanes lanes;

static void note(struct cov_live_shard *shard, cov_due *due, int64_t now_ms)
{
    (void)shard;
    fired[n_fired++] = due->at_ms;
    if (n_fired < 3)
        assert_true(cov_due_add(&lanes, due, 0, now_ms, note));
}

static void lanes_call_what_is_due_in_order(void **state)
{
    cov_due a = { 0 };
    cov_due b = { 0 };
    cov_due c = { 0 };

    (void)state;
    assert_true(cov_due_next(&lanes) == INT64_MAX);
    assert_true(cov_due_add(&lanes, &a, 100, 1000, note));
    assert_true(cov_due_add(&lanes, &b, 100, 900, note)); /* the clock was set back */
    assert_true(cov_due_add(&lanes, &c, 50, 1000, note));
    assert_int_equal(cov_due_next(&lanes), 1050);
    cov_due_remove(&c);
    cov_due_remove(&c);
    n_fired = 3;
    assert_int_equal(cov_due_run(&lanes, NULL, 1099), 1100);
    assert_true(cov_due_run(&lanes, NULL, 1100) == INT64_MAX);
    assert_int_equal(n_fired, 5);
    /* An interval of 0 waits for the next call instead of going on for ever. */
    n_fired = 0;
    assert_true(cov_due_add(&lanes, &a, 0, 5, note));
    assert_int_equal(cov_due_run(&lanes, NULL, 5), 5);
    assert_int_equal(n_fired, 1);
    cov_due_remove(&a);
    cov_due_dispose(&lanes);
}

/* ---- the ring ---- */

static void keep(cov_changelog *log, size_t table)
{
    cov_value row = cov_value_text(COV_STR("some text"));
    cov_change like = { .table = table, .id = COV_STR("1"), .after = &row };
    cov_change *change = cov_change_new(&like, 1);

    assert_non_null(change);
    cov_changelog_keep(log, change);
    cov_change_release(change);
}

static void check_recall(const cov_changelog *log, int64_t since, bool gap, size_t n)
{
    cov_missed missed;

    assert_true(cov_changelog_recall(log, 0, since, log->seq, &missed));
    assert_int_equal(missed.gap, gap);
    assert_int_equal(missed.n, n);
    for (size_t i = 0; i < n; i++)
        assert_true(cov_str_eq(missed.items[i]->after[0].s, COV_STR("some text")));
    cov_missed_dispose(&missed);
}

static void the_changelog_keeps_the_latest(void **state)
{
    cov_changelog log = { 0 };
    int64_t start;

    (void)state;
    assert_true(cov_changelog_init(&log, cov_native_host(), false, 3));
    start = log.seq;
    assert_true(start > INT64_C(1700000000000));
    check_recall(&log, start, false, 0);
    check_recall(&log, start - 1, true, 0);
    check_recall(&log, start + 1, true, 0);
    keep(&log, 0);
    keep(&log, 1);
    check_recall(&log, start, false, 1);
    keep(&log, 0);
    check_recall(&log, start + 1, false, 1);
    keep(&log, 0);
    assert_int_equal(log.seq, start + 4);
    check_recall(&log, start, true, 0);
    check_recall(&log, start + 1, false, 2);
    check_recall(&log, start + 4, false, 0);
    cov_changelog_lose(&log, 0);
    check_recall(&log, start + 4, true, 0);
    log.max_bytes = 1;
    keep(&log, 0);
    keep(&log, 0);
    check_recall(&log, log.seq - 1, false, 1);
    check_recall(&log, log.seq - 2, true, 0);
    cov_changelog_dispose(&log);
}

/* ---- kept predicates ---- */

static const rsql_column columns[] = {
    { "name", "name", "TEXT", COV_TYPE_TEXT, NULL },
    { "n", "n", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "done", "done", "BOOLEAN", COV_TYPE_BOOLEAN, NULL },
};

static void identity(rsql_fixture *f, const char *filter, cov_buf *out)
{
    const cov_rsql_expr *expr = NULL;

    assert_int_equal(rsql_fixture_bind(f, cov_str_from(filter), &expr), COV_OK);
    cov_rsql_identity(expr, out);
    assert_false(out->failed);
}

static bool same(rsql_fixture *f, const char *a, const char *b)
{
    cov_buf one = COV_BUF_INIT;
    cov_buf two = COV_BUF_INIT;
    bool equal;

    identity(f, a, &one);
    identity(f, b, &two);
    equal = cov_str_eq(cov_buf_view(&one), cov_buf_view(&two));
    cov_buf_dispose(&one);
    cov_buf_dispose(&two);
    return equal;
}

static void predicates_are_told_apart(void **state)
{
    rsql_fixture f;

    (void)state;
    rsql_fixture_open(&f, columns, COV_COUNT_OF(columns));
    assert_true(same(&f, "n>1;name==\"a\"", "n=gt=1;name==\"a\""));
    assert_false(same(&f, "n==1", "n==2"));
    assert_false(same(&f, "n==1", "n!=1"));
    assert_false(same(&f, "n==1;n==2", "n==1,n==2"));
    assert_false(same(&f, "name==\"ab\";name==\"c\"", "name==\"a\";name==\"bc\""));
    assert_false(same(&f, "name=contains=\"a\"", "name=icontains=\"a\""));
    assert_false(same(&f, "name=startswith=\"a\"", "name=endswith=\"a\""));
    assert_false(same(&f, "", "n==1"));
    rsql_fixture_close(&f);
}

/* A copy says what the original said after that is gone. */
static void predicates_are_kept(void **state)
{
    static const char *const filters[] = { "n>1;(name==\"x\",name=in=(\"y\",\"z\"));done==true",
                                           "name=contains=\"q\"", "n=between=[1,5]" };
    rsql_fixture f;

    (void)state;
    rsql_fixture_open(&f, columns, COV_COUNT_OF(columns));
    for (size_t i = 0; i < COV_COUNT_OF(filters); i++) {
        const cov_rsql_expr *expr = NULL;
        cov_buf before = COV_BUF_INIT;
        cov_buf after = COV_BUF_INIT;
        void *memory;

        assert_int_equal(rsql_fixture_bind(&f, cov_str_from(filters[i]), &expr), COV_OK);
        cov_rsql_identity(expr, &before);
        memory = malloc(cov_rsql_copy_bytes(expr));
        assert_non_null(memory);
        expr = cov_rsql_copy(expr, memory);
        cov_arena_reset(f.arena);
        cov_rsql_identity(expr, &after);
        assert_true(cov_str_eq(cov_buf_view(&before), cov_buf_view(&after)));
        cov_buf_dispose(&before);
        cov_buf_dispose(&after);
        free(memory);
    }
    rsql_fixture_close(&f);
}

static size_t equalities(rsql_fixture *f, const char *filter)
{
    cov_rsql_equality found[4];
    const cov_rsql_expr *expr = NULL;

    assert_int_equal(rsql_fixture_bind(f, cov_str_from(filter), &expr), COV_OK);
    return cov_rsql_equalities(expr, found, COV_COUNT_OF(found));
}

static void equalities_of_the_conjunction(void **state)
{
    rsql_fixture f;

    (void)state;
    rsql_fixture_open(&f, columns, COV_COUNT_OF(columns));
    assert_int_equal(equalities(&f, ""), 0);
    assert_int_equal(equalities(&f, "n==1"), 1);
    assert_int_equal(equalities(&f, "n==1;name==\"a\";done==true"), 3);
    assert_int_equal(equalities(&f, "n==1,name==\"a\""), 0);
    assert_int_equal(equalities(&f, "n>1;name!=\"a\";name==null"), 0);
    assert_int_equal(equalities(&f, "n>1;(name==\"a\";n==2)"), 2);
    rsql_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_find_all_of_a_hash),
        cmocka_unit_test(lanes_call_what_is_due_in_order),
        cmocka_unit_test(the_changelog_keeps_the_latest),
        cmocka_unit_test(predicates_are_told_apart),
        cmocka_unit_test(predicates_are_kept),
        cmocka_unit_test(equalities_of_the_conjunction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
