/* SPDX-License-Identifier: MIT */
#include "schema/log_triggers.h"

#include "covara/json.h"

typedef struct event_row {
    const char *name; /* of the trigger, and the statement's verb */
    const char *verb;
    const char *type;
    const char *row;      /* whose id it is */
    const char *object;   /* NULL: the entry has none */
    const char *previous; /* likewise */
} event_row;

static const event_row events[] = {
    { "insert", "INSERT", "create", "NEW", "NEW", NULL },
    { "update", "UPDATE", "update", "NEW", "NEW", "OLD" },
    { "delete", "DELETE", "delete", "OLD", NULL, "OLD" },
};

static void quoted(cov_buf *out, cov_str text, char quote)
{
    cov_buf_char(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == quote)
            cov_buf_char(out, quote);
        cov_buf_char(out, text.ptr[i]);
    }
    cov_buf_char(out, quote);
}

/*
 * A value as JSON text. printf gives every digit of a number; infinity becomes something that no JSON reader takes. Only
 * functions that every connection lets a trigger call: the JSON functions are refused to those with trusted_schema=OFF.
 * "?" stands for the column.
 */
static const char value_template[] =
    "CASE typeof(?) WHEN 'null' THEN 'null' WHEN 'integer' THEN ?"
    " WHEN 'real' THEN printf('%!.17g', ?)"
    " WHEN 'text' THEN CASE WHEN instr(?, char(0)) OR ? GLOB '*[' || char(1) || '-' || char(31) || ']*'"
    " THEN '{\"text\":\"' || hex(?) || '\"}'"
    " ELSE '\"' || replace(replace(?, '\\', '\\\\'), '\"', '\\\"') || '\"' END"
    " ELSE '{\"blob\":\"' || hex(?) || '\"}' END";

static void value_sql(cov_buf *out, const char *row, const cov_column *column)
{
    for (const char *at = value_template; *at != '\0'; at++) {
        if (*at == '?')
            cov_buf_printf(out, "%s.%.*s", row, COV_STR_ARG(column->quoted));
        else
            cov_buf_char(out, *at);
    }
}

/* A sum in parentheses for every few columns, since SQLite bounds how deep an expression nests. */
enum { COLUMNS_A_TERM = 20 };

static void row_sql(cov_buf *out, const char *row, const cov_table *table)
{
    if (row == NULL) {
        COV_BUF_LIT(out, "NULL");
        return;
    }
    COV_BUF_LIT(out, "('{'");
    for (size_t i = 0; i < table->n_columns; i++) {
        cov_buf key = COV_BUF_INIT;

        if (i != 0 && i % COLUMNS_A_TERM == 0)
            COV_BUF_LIT(out, ") || (''");
        cov_json_str(&key, table->columns[i].db_name);
        cov_buf_char(&key, ':');
        COV_BUF_LIT(out, "\n    || ");
        if (i != 0)
            COV_BUF_LIT(out, "',' || ");
        quoted(out, cov_buf_view(&key), '\'');
        COV_BUF_LIT(out, " || ");
        value_sql(out, row, &table->columns[i]);
        out->failed |= key.failed;
        cov_buf_dispose(&key);
    }
    COV_BUF_LIT(out, " || '}')");
}

static void trigger_sql(cov_buf *out, const event_row *event, const cov_table *table,
                        const cov_column *id, int64_t most)
{
    cov_buf name = COV_BUF_INIT;

    cov_buf_printf(&name, COV_LOG_TRIGGERS_PREFIX "%s_%.*s", event->name, COV_STR_ARG(table->name));
    COV_BUF_LIT(out, "CREATE TRIGGER ");
    quoted(out, cov_buf_view(&name), '"');
    cov_buf_printf(out, " AFTER %s ON %.*s\n", event->verb, COV_STR_ARG(table->quoted));
    COV_BUF_LIT(out, "WHEN NOT sqlite_compileoption_used('" COV_LOG_TRIGGERS_OPTION "') BEGIN\n"
                     "  INSERT INTO covara_changelog"
                     " (resource, type, objectId, object, previousObject, timestamp, origin)\n"
                     "  VALUES (");
    quoted(out, table->name, '\'');
    cov_buf_printf(out, ", '%s', coalesce(CAST(%s.%.*s AS TEXT), 'null'),\n    ", event->type,
                   event->row, COV_STR_ARG(id->quoted));
    row_sql(out, event->object, table);
    COV_BUF_LIT(out, ",\n    ");
    row_sql(out, event->previous, table);
    cov_buf_printf(out,
                   ",\n    CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), '" //
                   COV_LOG_TRIGGERS_ORIGIN "');\n"
                   "  DELETE FROM covara_changelog"
                   " WHERE seq <= (SELECT max(seq) FROM covara_changelog) - %lld;\nEND;\n",
                   (long long)most);
    out->failed |= name.failed;
    cov_buf_dispose(&name);
}

void cov_log_triggers_sql(cov_buf *out, const cov_table *table, const cov_column *id, int64_t most)
{
    if (table->is_view)
        return;
    for (size_t i = 0; i < COV_COUNT_OF(events); i++)
        trigger_sql(out, &events[i], table, id, most);
}
