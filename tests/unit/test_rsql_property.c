/* SPDX-License-Identifier: MIT */
/*
 * Generated filters on generated rows: a row that SQL returns is a row that evaluation accepts.
 *
 * Values of every storage class end up in every column, and literals come from the same pool as stored
 * values, so that equality and both sides of every order are met. COV_SEED repeats or varies a run.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "rsql_fixture.h"
#include "rsql_host.h"

enum { N_ROWS = 48, N_FILTERS = 6000, MIN_PAIRS = 20000, DEFAULT_SEED = 20240115 };

static const rsql_column columns[] = {
    { "id", "id", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "text", "text", "TEXT", COV_TYPE_TEXT, NULL },
    { "nocase", "nocase", "VARCHAR(20)", COV_TYPE_TEXT, "COLLATE NOCASE" },
    { "uuid", "uuid", "UUID", COV_TYPE_TEXT, "COLLATE RTRIM" },
    { "integer", "integer", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "real", "real", "REAL", COV_TYPE_REAL, NULL },
    { "numeric", "numeric", "NUMERIC", COV_TYPE_NUMERIC, NULL },
    { "flag", "flag", "BOOLEAN", COV_TYPE_BOOLEAN, NULL },
    { "seconds", "seconds", "TIMESTAMP", COV_TYPE_TIMESTAMP, NULL },
    { "millis", "millis", "TIMESTAMP_MS", COV_TYPE_TIMESTAMP_MS, NULL },
    { "instant", "instant", "DATETIME", COV_TYPE_DATETIME, NULL },
    { "json", "json", "JSON", COV_TYPE_JSON, NULL },
    { "blob", "blob", "BLOB", COV_TYPE_BLOB, NULL },
    { "odd", "odd", "TEXT", COV_TYPE_INTEGER, NULL }, /* numbers that SQLite keeps as text */
};

static uint64_t state64;

static uint64_t next_random(void)
{
    state64 ^= state64 << 13;
    state64 ^= state64 >> 7;
    state64 ^= state64 << 17;
    return state64;
}

static size_t below(size_t n)
{
    return (size_t)(next_random() % n);
}

static bool one_in(size_t n)
{
    return below(n) == 0;
}

static const int64_t integers[] = {
    0,
    1,
    -1,
    2,
    5,
    7,
    10,
    42,
    100,
    1000,
    INT64_MAX,
    INT64_MIN,
    INT64_MAX - 1,
    INT64_C(9007199254740991),
    INT64_C(9007199254740992),
    INT64_C(9007199254740993),
    -INT64_C(9007199254740993),
    1704067200,
    1705314600,
    INT64_C(1704067200000),
    INT64_C(1705314600000),
    INT64_C(1705314600500),
    INT64_C(99999999999),
    INT64_C(100000000000),
    INT64_C(140737488355329),
};

static const double reals[] = {
    0.0,
    -0.0,
    0.1,
    0.5,
    1.0,
    1.5,
    5.0,
    5.5,
    100.25,
    1e21,
    1e-7,
    1e300,
    -1e300,
    1e18,
    1.0e16,
    -42.5,
    5e-324,
    HUGE_VAL,
    -HUGE_VAL,
    9007199254740992.0,
    1705314600.5,
    1704067200.25,
    123456789012.5,
    9223372036854775808.0,
    0.30000000000000004,
};

#define TEXT(literal) COV_STR_INIT(literal)
static const cov_str texts[] = {
    TEXT(""),
    TEXT("a"),
    TEXT("A"),
    TEXT("b"),
    TEXT("ab"),
    TEXT("AB"),
    TEXT("abc"),
    TEXT("abcabc"),
    TEXT("a%b"),
    TEXT("a_b"),
    TEXT("a\\b"),
    TEXT("a*b?c[d]"),
    TEXT("true"),
    TEXT("TRUE"),
    TEXT("False"),
    TEXT("1"),
    TEXT("0"),
    TEXT("5"),
    TEXT("05"),
    TEXT("5.0"),
    TEXT(" 5 "),
    TEXT("1e3"),
    TEXT("1e21"),
    TEXT("-0.0"),
    TEXT("0x10"),
    TEXT("null"),
    TEXT("a "),
    TEXT("a  "),
    TEXT("\xC3\xA9"),
    TEXT("\xC3\x89"),
    TEXT("\xC3\x89\nZ\xF0\x9F\x98\x80"),
    TEXT("\xC4\xB0i"),
    TEXT("\xE2\x84\xAA"),
    TEXT("k"),
    TEXT("\xEF\xBF\xBF"),
    TEXT("\xF4\x8F\xBF\xBF"),
    TEXT("a\xF4\x8F\xBF\xBF"),
    TEXT("\xED\x9F\xBFz"),
    TEXT("a\0b"),
    TEXT("\0"),
    TEXT("2024-01-15"),
    TEXT("2024-01-15T10:30:00.000Z"),
    TEXT("2024-01-15T12:30:00+02:00"),
    TEXT("2024-02-30"),
    TEXT("2024-01-15T10:30:00.5Z"),
    TEXT("9999-12-31"),
    TEXT("0000-01-01"),
    TEXT("{\"a\":1}"),
    TEXT("[1,2]"),
    TEXT("\"x\""),
    TEXT("~"),
    TEXT("O'Brien"),
    TEXT("9223372036854775808"),
    TEXT("aaaaaaaaaaaaaaaaaaab"),
    TEXT("\xFF"),
    TEXT("a\xC3"),
};

static const char *const patterns[] = {
    "^a",       "b$", "^a.*b$",   "[a-c]+", "\\\\d+", "\\\\bA", "(a|b)+c",
    "^\\\\s*5", "",   "\xC3\xA9", "^.$",    "(",      "a{2,3}", "\\\\W",
};

static const char *const likes[] = {
    "%",
    "_",
    "a%",
    "%b",
    "%a%",
    "a_b",
    "%_b%",
    "a\\\\%b",
    "a\\\\_b",
    "____",
    "%\\\\",
    "_%_",
    "A%B",
    "a*%",
    "%[d]",
    "%a%b%c%",
    "%\xC3\xA9%",
    "\xC3\x89%_",
    "a\xF4\x8F\xBF\xBF%_",
    "%%",
    "\\\\a%",
};

/* --- rows --- */

static cov_value any_text(void)
{
    return cov_value_text(texts[below(COV_COUNT_OF(texts))]);
}

static cov_value any_value(void)
{
    switch (below(8)) {
    case 0:
        return cov_value_null();
    case 1:
    case 2:
    case 3:
        return cov_value_int(integers[below(COV_COUNT_OF(integers))]);
    case 4:
        return cov_value_real(reals[below(COV_COUNT_OF(reals))]);
    case 5:
        return one_in(3) ? cov_value_blob(texts[below(COV_COUNT_OF(texts))]) : any_text();
    default:
        return any_text();
    }
}

static cov_value value_for(cov_type type)
{
    if (one_in(6))
        return any_value();
    if (one_in(8))
        return cov_value_null();
    switch (type) {
    case COV_TYPE_BOOLEAN:
        return cov_value_int((int64_t)below(3));
    case COV_TYPE_INTEGER:
    case COV_TYPE_TIMESTAMP:
    case COV_TYPE_TIMESTAMP_MS:
        return cov_value_int(integers[below(COV_COUNT_OF(integers))]);
    case COV_TYPE_REAL:
    case COV_TYPE_NUMERIC:
        return one_in(2) ? cov_value_real(reals[below(COV_COUNT_OF(reals))])
                         : cov_value_int(integers[below(COV_COUNT_OF(integers))]);
    case COV_TYPE_BLOB:
        return cov_value_blob(texts[below(COV_COUNT_OF(texts))]);
    default:
        return any_text();
    }
}

static void insert_rows(rsql_fixture *f)
{
    for (size_t row = 0; row < N_ROWS; row++) {
        cov_value values[COV_COUNT_OF(columns)];

        values[0] = cov_value_int((int64_t)row + 1);
        for (size_t i = 1; i < COV_COUNT_OF(columns); i++)
            values[i] = value_for(columns[i].type);
        rsql_fixture_insert(f, values);
    }
    rsql_fixture_load(f);
}

/* --- filters --- */

static void put(cov_buf *out, const char *text)
{
    cov_buf_append(out, text, strlen(text));
}

static void put_string(cov_buf *out, cov_str text)
{
    cov_buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            cov_buf_char(out, '\\');
        cov_buf_char(out, text.ptr[i]);
    }
    cov_buf_char(out, '"');
}

static void put_number(cov_buf *out)
{
    char text[COV_NUM_TEXT_BYTES];
    double real;

    if (one_in(2)) {
        cov_buf_i64(out, integers[below(COV_COUNT_OF(integers))]);
        return;
    }
    real = reals[below(COV_COUNT_OF(reals))];
    if (real - real != 0)
        put(out, real > 0 ? "1e999" : "-1e999");
    else
        cov_buf_append(out, text, cov_num_text(real, text));
}

static void put_scalar(cov_buf *out)
{
    switch (below(10)) {
    case 0:
        put(out, "true");
        break;
    case 1:
        put(out, "false");
        break;
    case 2:
        put(out, one_in(3) ? "null" : "1");
        break;
    case 3:
    case 4:
    case 5:
        put_number(out);
        break;
    default:
        put_string(out, texts[below(COV_COUNT_OF(texts))]);
        break;
    }
}

static void put_list(cov_buf *out)
{
    size_t count = one_in(20) ? 60 : below(5);

    cov_buf_char(out, '(');
    for (size_t i = 0; i < count; i++) {
        if (one_in(12))
            put(out, "(1,\"a\",)");
        else if (count == 60 && one_in(2))
            cov_buf_i64(out, (int64_t)i);
        else
            put_scalar(out);
        cov_buf_char(out, ',');
    }
    cov_buf_char(out, ')');
}

static void put_range(cov_buf *out)
{
    cov_buf_char(out, '[');
    put_scalar(out);
    cov_buf_char(out, ',');
    put_scalar(out);
    cov_buf_char(out, ']');
}

static bool has(cov_str token, const char *part)
{
    return cov_str_contains(token, cov_str_from(part));
}

static void put_value(cov_buf *out, cov_str token)
{
    if (has(token, "between"))
        put_range(out);
    else if (has(token, "=in=") || has(token, "=out="))
        put_list(out);
    else if (has(token, "regex"))
        cov_buf_printf(out, "\"%s\"", patterns[below(COV_COUNT_OF(patterns))]);
    else if ((has(token, "%=") || has(token, "like")) && !one_in(4))
        cov_buf_printf(out, "\"%s\"", likes[below(COV_COUNT_OF(likes))]);
    else if (has(token, "length"))
        cov_buf_printf(out, "%zu%s", below(8), one_in(8) ? ".5" : "");
    else
        put_scalar(out);
}

static void put_comparison(cov_buf *out)
{
    cov_str token = cov_rsql_operators[below(cov_rsql_n_operators)];
    size_t column = below(COV_COUNT_OF(columns));

    /* Text operators on columns that refuse them would waste most filters. */
    if ((has(token, "%") || has(token, "i") || has(token, "with") || has(token, "length") ||
         has(token, "regex")) &&
        cov_type_class(columns[column].type) > COV_CLASS_NUM && !one_in(10))
        column = 1 + below(6);
    if (columns[column].type == COV_TYPE_BLOB && !one_in(10))
        column = 1;
    put(out, columns[column].property);
    cov_buf_str(out, token);
    put_value(out, token);
}

static void put_filter(cov_buf *out, size_t depth)
{
    size_t terms = depth == 0 || one_in(2) ? 1 : 1 + below(3);

    for (size_t i = 0; i < terms; i++) {
        if (i != 0)
            put(out, one_in(2) ? ";" : ",");
        if (depth > 0 && one_in(3)) {
            cov_buf_char(out, '(');
            put_filter(out, depth - 1);
            cov_buf_char(out, ')');
        } else {
            put_comparison(out);
        }
    }
}

/* --- the comparison --- */

static void print_row(const cov_value *row)
{
    for (size_t i = 0; i < COV_COUNT_OF(columns); i++) {
        const cov_value *v = &row[i];

        if (v->type == COV_NULL)
            print_error("  %s NULL\n", columns[i].property);
        else if (v->type == COV_INT)
            print_error("  %s %" PRId64 "\n", columns[i].property, v->i);
        else if (v->type == COV_REAL)
            print_error("  %s %.17g\n", columns[i].property, v->r);
        else
            print_error("  %s %s '%.*s' (%zu bytes)\n", columns[i].property,
                        v->type == COV_TEXT ? "text" : "blob", COV_STR_ARG(v->s), v->s.len);
    }
}

static void compare(rsql_fixture *f, cov_str filter, const cov_rsql_expr *expr)
{
    cov_stmt condition = rsql_fixture_sql(f, expr, COV_DB_CAP_FUNCTIONS);
    const char *message = NULL;
    bool matches[N_ROWS];

    if (!rsql_fixture_query(f, &condition, matches, &message))
        fail_msg("%.*s\n%.*s\n%s", COV_STR_ARG(filter), COV_STR_ARG(condition.sql), message);
    for (size_t i = 0; i < N_ROWS; i++) {
        const cov_value *row = &f->rows[i * COV_COUNT_OF(columns)];
        bool in_memory = cov_rsql_eval(expr, row, &rsql_host, f->arena) == COV_TRUE;

        if (in_memory == matches[i])
            continue;
        print_row(row);
        fail_msg("filter %.*s\nSQL %.*s\nSQL says %d, memory %d", COV_STR_ARG(filter),
                 COV_STR_ARG(condition.sql), matches[i], in_memory);
    }
}

/* Without the functions the answers may differ in known ways, but there must be one. */
static void query_plain(rsql_fixture *f, cov_str filter, const cov_rsql_expr *expr)
{
    cov_stmt condition = rsql_fixture_sql(f, expr, 0);
    const char *message = NULL;
    bool matches[N_ROWS];

    if (!rsql_fixture_query(f, &condition, matches, &message))
        fail_msg("%.*s\n%.*s\n%s", COV_STR_ARG(filter), COV_STR_ARG(condition.sql), message);
}

static size_t run_filters(rsql_fixture *f, size_t count)
{
    cov_buf text = COV_BUF_INIT;
    size_t compared = 0;

    for (size_t i = 0; i < count; i++) {
        const cov_rsql_expr *expr = NULL;

        cov_buf_clear(&text, SIZE_MAX);
        put_filter(&text, 3);
        assert_false(text.failed);
        if (rsql_fixture_bind(f, cov_buf_view(&text), &expr) != COV_OK)
            continue;
        compare(f, cov_buf_view(&text), expr);
        if (one_in(10))
            query_plain(f, cov_buf_view(&text), expr);
        compared++;
    }
    cov_buf_dispose(&text);
    return compared;
}

static void seed(void)
{
    const char *given = getenv("COV_SEED");

    state64 = given != NULL ? strtoull(given, NULL, 10) : DEFAULT_SEED;
    print_message("COV_SEED=%" PRIu64 "\n", state64);
    if (state64 == 0)
        state64 = DEFAULT_SEED;
}

static void rsql__sql_and_memory_agree(void **state)
{
    size_t pairs = 0;

    (void)state;
    seed();
    for (int indexed = 0; indexed <= 1; indexed++) {
        rsql_fixture f;

        rsql_fixture_open(&f, columns, COV_COUNT_OF(columns));
        f.policy.limits = (cov_rsql_limits){ 0, 0, 0 };
        for (size_t i = 1; indexed == 1 && i < COV_COUNT_OF(columns); i++) {
            char sql[128];

            snprintf(sql, sizeof sql, "CREATE INDEX i%zu ON t(\"%s\")", i, columns[i].db_name);
            rsql_fixture_exec(&f, sql);
        }
        insert_rows(&f);
        pairs += run_filters(&f, N_FILTERS) * N_ROWS;
        rsql_fixture_close(&f);
    }
    print_message("%zu pairs of filter and row\n", pairs);
    assert_true(pairs >= MIN_PAIRS);
}

/* --- the matchers against SQLite's own --- */

static const rsql_column text_columns[] = {
    { "id", "id", "INTEGER", COV_TYPE_INTEGER, NULL },
    { "text", "text", "TEXT", COV_TYPE_TEXT, NULL },
};

/* Few letters, so that patterns match often and fail late. */
static void put_letters(cov_buf *out, size_t max_letters, bool wildcards)
{
    static const char *const letters[] = { "a", "b", "\xC3\xA9", "\xF0\x9F\x98\x80",
                                           "*", "[", "?",        "A" };
    static const char *const wild[] = { "%", "_", "%", "\\\\%", "\\\\a", "\\\\\\\\" };

    for (size_t left = below(max_letters + 1); left > 0; left--) {
        if (wildcards && one_in(3))
            put(out, wild[below(COV_COUNT_OF(wild))]);
        else
            put(out, letters[one_in(4) ? below(COV_COUNT_OF(letters)) : below(2)]);
    }
}

static void insert_texts(rsql_fixture *f)
{
    for (size_t row = 0; row < N_ROWS; row++) {
        cov_value values[] = { cov_value_int((int64_t)row + 1), cov_value_null() };
        cov_buf text = COV_BUF_INIT;

        put_letters(&text, 10, false);
        values[1] = cov_value_text(cov_buf_view(&text));
        rsql_fixture_insert(f, values);
        cov_buf_dispose(&text);
    }
    rsql_fixture_load(f);
}

static void compare_plain(rsql_fixture *f, cov_str filter)
{
    const cov_rsql_expr *expr = NULL;
    const char *message = NULL;
    bool matches[N_ROWS];
    cov_stmt condition;

    assert_int_equal(rsql_fixture_bind(f, filter, &expr), COV_OK);
    condition = rsql_fixture_sql(f, expr, 0);
    assert_true(rsql_fixture_query(f, &condition, matches, &message));
    for (size_t i = 0; i < N_ROWS; i++) {
        const cov_value *row = &f->rows[i * COV_COUNT_OF(text_columns)];

        if ((cov_rsql_eval(expr, row, &rsql_host, f->arena) == COV_TRUE) != matches[i])
            fail_msg("%.*s on '%.*s': SQLite says %d", COV_STR_ARG(filter), COV_STR_ARG(row[1].s),
                     matches[i]);
    }
}

/* The functions in SQL are our own code, so only SQLite's builtins can show that it is right. */
static void rsql__matchers_agree_with_builtins(void **state)
{
    static const char *const operators[] = {
        "%=", "%=", "%=", "!%=", "=contains=", "=startswith=", "=endswith=", "=length="
    };
    rsql_fixture f;
    cov_buf filter = COV_BUF_INIT;

    (void)state;
    seed();
    rsql_fixture_open(&f, text_columns, COV_COUNT_OF(text_columns));
    insert_texts(&f);
    for (size_t i = 0; i < N_FILTERS; i++) {
        const char *token = operators[below(COV_COUNT_OF(operators))];

        cov_buf_clear(&filter, SIZE_MAX);
        cov_buf_printf(&filter, "text%s\"", token);
        if (strcmp(token, "=length=") == 0)
            cov_buf_u64(&filter, below(10));
        else
            put_letters(&filter, strchr(token, '%') != NULL ? 8 : 3, strchr(token, '%') != NULL);
        cov_buf_char(&filter, '"');
        compare_plain(&f, cov_buf_view(&filter));
    }
    cov_buf_dispose(&filter);
    rsql_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsql__sql_and_memory_agree),
        cmocka_unit_test(rsql__matchers_agree_with_builtins),
    };

    return cmocka_run_group_tests_name("rsql_property", tests, NULL, NULL);
}
