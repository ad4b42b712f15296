/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schema/target.h"

typedef struct target_case {
    const char *sql;
    const char *table; /* NULL: changes nothing */
    const char *type;
} target_case;

static const target_case cases[] = {
    { "INSERT INTO posts VALUES (1)", "posts", "create" },
    { "insert or replace into \"My Table\" (a) values (?)", "My Table", "create" },
    { "REPLACE INTO [posts] VALUES (1)", "posts", "create" },
    { "UPDATE main.posts SET a = 1", "posts", "update" },
    { "UPDATE OR IGNORE `posts` SET a = 1", "posts", "update" },
    { "/* a */ -- b\n DELETE FROM posts", "posts", "delete" },
    { "WITH x AS (SELECT 'DELETE FROM y' FROM (DELETE)) UPDATE posts SET a = 1", "posts",
      "update" },
    { "WITH RECURSIVE n(i) AS (SELECT 1) INSERT INTO posts SELECT i FROM n", "posts", "create" },
    { "SELECT * FROM posts", NULL, NULL },
    { "WITH x AS (SELECT 1) SELECT 'UPDATE posts' FROM x", NULL, NULL },
    { "", NULL, NULL },
    { "DELETE", NULL, NULL },
    { "UPDATE 'x", NULL, NULL },
};

static void target__is_read_from_the_statement(void **state)
{
    cov_arena *arena = cov_arena_new(0);

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(cases); i++) {
        cov_str table = COV_STR_NULL;
        cov_str type = COV_STR_NULL;
        bool found = cov_sql_target(arena, cov_str_from(cases[i].sql), &table, &type);

        if (found != (cases[i].table != NULL))
            fail_msg("%s", cases[i].sql);
        if (!found)
            continue;
        if (!cov_str_eq(table, cov_str_from(cases[i].table)) ||
            !cov_str_eq(type, cov_str_from(cases[i].type)))
            fail_msg("%s: %.*s %.*s", cases[i].sql, COV_STR_ARG(type), COV_STR_ARG(table));
    }
    cov_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(target__is_read_from_the_statement) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
