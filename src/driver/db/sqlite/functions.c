/* SPDX-License-Identifier: MIT */
/*
 * The SQL functions that rsql/to_sql.c writes. Each is a thin door to rsql/text_ops.c:
 *
 *   cov_text(x)      a number as JavaScript prints it; anything else unchanged
 *   cov_lower(x)     that in simple Unicode lower case; blobs unchanged
 *   cov_length(x)    its code points; NULL for blobs
 *   cov_like, cov_contains, cov_starts, cov_ends (operand, x), and cov_ilike ... with an operand that is in
 *                    lower case already; NULL when either has no text
 *   cov_regex(pattern, ignore_case, x)
 *
 * Scratch memory is kept with the connection, which one thread at a time uses, so that a call on an
 * ordinary row allocates nothing.
 */
#include "driver/db/sqlite/functions.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "rsql/text_ops.h"

enum { KEEP_SCRATCH_BYTES = 64 * 1024 };

typedef struct function_row {
    const char *name;
    int n_args;
    void (*call)(sqlite3_context *, int, sqlite3_value **);
    cov__match match;
    bool icase;
} function_row;

typedef struct functions functions;

typedef struct binding {
    functions *all;
    const function_row *row;
} binding;

static cov_value value_of(sqlite3_value *v)
{
    const char *bytes;

    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER:
        return cov_value_int(sqlite3_value_int64(v));
    case SQLITE_FLOAT:
        return cov_value_real(sqlite3_value_double(v));
    case SQLITE_TEXT:
        bytes = (const char *)sqlite3_value_text(v);
        return cov_value_text(cov_str_of(bytes, (size_t)sqlite3_value_bytes(v)));
    case SQLITE_BLOB:
        bytes = sqlite3_value_blob(v);
        return cov_value_blob(cov_str_of(bytes, (size_t)sqlite3_value_bytes(v)));
    default:
        return cov_value_null();
    }
}

static void result_text(sqlite3_context *context, cov_str text)
{
    sqlite3_result_text64(context, text.ptr, text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void call_text(sqlite3_context *context, int n_args, sqlite3_value **args)
{
    char number[COV_NUM_TEXT_BYTES];
    cov_value value = value_of(args[0]);
    cov_str text;

    (void)n_args;
    if (value.type != COV_TEXT && cov__value_text(&value, number, &text))
        result_text(context, text);
    else
        sqlite3_result_value(context, args[0]);
}

static cov_buf *scratch_of(sqlite3_context *context);

static void call_lower(sqlite3_context *context, int n_args, sqlite3_value **args)
{
    char number[COV_NUM_TEXT_BYTES];
    cov_value value = value_of(args[0]);
    cov_str text;

    (void)n_args;
    if (!cov__value_text(&value, number, &text)) {
        sqlite3_result_value(context, args[0]);
        return;
    }
    text = cov__text_lower(text, scratch_of(context));
    if (text.ptr != NULL)
        result_text(context, text);
    else
        sqlite3_result_error_nomem(context);
}

static void call_length(sqlite3_context *context, int n_args, sqlite3_value **args)
{
    char number[COV_NUM_TEXT_BYTES];
    cov_value value = value_of(args[0]);
    cov_str text;

    (void)n_args;
    if (cov__value_text(&value, number, &text))
        sqlite3_result_int64(context, (sqlite3_int64)cov_utf8_count(text));
}

static void call_match(sqlite3_context *context, int n_args, sqlite3_value **args)
{
    const function_row *row = ((const binding *)sqlite3_user_data(context))->row;
    char number[COV_NUM_TEXT_BYTES];
    cov_value operand = value_of(args[0]);
    cov_value value = value_of(args[1]);
    cov_str text;

    (void)n_args;
    if (operand.type == COV_TEXT && cov__value_text(&value, number, &text))
        sqlite3_result_int(context, cov__text_match(row->match, row->icase, operand.s, text,
                                                    scratch_of(context)));
}

static const cov_host *host_of(sqlite3_context *context);

static void call_regex(sqlite3_context *context, int n_args, sqlite3_value **args)
{
    const cov_host *host = host_of(context);
    char number[COV_NUM_TEXT_BYTES];
    cov_value pattern = value_of(args[0]);
    cov_value value = value_of(args[2]);
    bool icase = sqlite3_value_int(args[1]) != 0;
    cov_str text;

    (void)n_args;
    if (pattern.type == COV_TEXT && cov__value_text(&value, number, &text))
        sqlite3_result_int(context, host->regex(host->self, pattern.s, icase, text) == 1);
}

static const function_row rows[] = {
    { "cov_text", 1, call_text, COV__SAME, false },
    { "cov_lower", 1, call_lower, COV__SAME, false },
    { "cov_length", 1, call_length, COV__SAME, false },
    { "cov_like", 2, call_match, COV__LIKE, false },
    { "cov_ilike", 2, call_match, COV__LIKE, true },
    { "cov_contains", 2, call_match, COV__CONTAINS, false },
    { "cov_icontains", 2, call_match, COV__CONTAINS, true },
    { "cov_starts", 2, call_match, COV__STARTS, false },
    { "cov_istarts", 2, call_match, COV__STARTS, true },
    { "cov_ends", 2, call_match, COV__ENDS, false },
    { "cov_iends", 2, call_match, COV__ENDS, true },
    { "cov_regex", 3, call_regex, COV__REGEX, false },
};

/*
 * Triggers that enter what other programs change ask with this function whether it is the server that writes
 * (schema/log_triggers.h); about every other option it says what SQLite's own says.
 */
static void call_option_used(sqlite3_context *context, int n, sqlite3_value **args)
{
    const char *name = (const char *)sqlite3_value_text(args[0]);

    (void)n;
    if (name != NULL)
        sqlite3_result_int(context, strcmp(name, "COVARA_SERVER") == 0 ||
                                        sqlite3_compileoption_used(name) != 0);
}

/* One a connection, shared by its registrations and freed with the last of them. */
struct functions {
    const cov_host *host;
    size_t refs;
    cov_buf scratch;
    binding bindings[COV_COUNT_OF(rows)];
};

static cov_buf *scratch_of(sqlite3_context *context)
{
    cov_buf *scratch = &((const binding *)sqlite3_user_data(context))->all->scratch;

    cov_buf_clear(scratch, KEEP_SCRATCH_BYTES);
    return scratch;
}

static const cov_host *host_of(sqlite3_context *context)
{
    return ((const binding *)sqlite3_user_data(context))->all->host;
}

static void release(functions *all)
{
    if (--all->refs > 0)
        return;
    cov_buf_dispose(&all->scratch);
    free(all);
}

static void release_binding(void *pointer)
{
    release(((const binding *)pointer)->all);
}

int cov__sqlite_register_functions(sqlite3 *connection, const cov_host *host)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    functions *all = calloc(1, sizeof *all);
    int rc = SQLITE_OK;

    if (all == NULL)
        return SQLITE_NOMEM;
    all->host = host;
    all->refs = 1; /* this call's own */
    for (size_t i = 0; i < COV_COUNT_OF(rows) && rc == SQLITE_OK; i++) {
        all->bindings[i].all = all;
        all->bindings[i].row = &rows[i];
        all->refs++; /* given back by release_binding, also when the call fails */
        rc = sqlite3_create_function_v2(connection, rows[i].name, rows[i].n_args, flags,
                                        &all->bindings[i], rows[i].call, NULL, NULL,
                                        release_binding);
    }
    release(all);
    return rc == SQLITE_OK ? sqlite3_create_function(connection, "sqlite_compileoption_used", 1,
                                                     flags, NULL, call_option_used, NULL, NULL)
                           : rc;
}
