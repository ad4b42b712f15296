/* SPDX-License-Identifier: MIT */
#include "schema/target.h"

#include "schema/ddl.h"

typedef struct verb_row {
    const char *verb;
    cov_str type;
} verb_row;

static const verb_row verbs[] = {
    { "INSERT", COV_STR_INIT("create") },
    { "REPLACE", COV_STR_INIT("create") },
    { "UPDATE", COV_STR_INIT("update") },
    { "DELETE", COV_STR_INIT("delete") },
};

static const verb_row *verb_of(const cov_ddl_token *token)
{
    for (size_t i = 0; i < COV_COUNT_OF(verbs); i++)
        if (cov_ddl_is_word(token, verbs[i].verb))
            return &verbs[i];
    return NULL;
}

/* The statement's verb: the first one outside parentheses, so that a WITH in front does not hide it. */
static const verb_row *find_verb(cov_str sql, size_t *at)
{
    const verb_row *verb = NULL;
    cov_ddl_token token = cov_ddl_next(sql, at);
    bool with = cov_ddl_is_word(&token, "WITH");
    int depth = 0;

    if (!with)
        return verb_of(&token);
    while (verb == NULL && token.kind != COV_DDL_END) {
        if (cov_ddl_is_punct(&token, '('))
            depth++;
        else if (cov_ddl_is_punct(&token, ')'))
            depth--;
        else if (depth == 0)
            verb = verb_of(&token);
        if (verb == NULL)
            token = cov_ddl_next(sql, at);
    }
    return verb;
}

/* Words between the verb and the table: INSERT OR IGNORE INTO, UPDATE OR REPLACE, DELETE FROM. */
static cov_ddl_token skip_words(cov_str sql, size_t *at)
{
    cov_ddl_token token = cov_ddl_next(sql, at);

    if (cov_ddl_is_word(&token, "OR")) {
        (void)cov_ddl_next(sql, at);
        token = cov_ddl_next(sql, at);
    }
    if (cov_ddl_is_word(&token, "INTO") || cov_ddl_is_word(&token, "FROM"))
        token = cov_ddl_next(sql, at);
    return token;
}

bool cov_sql_target(cov_arena *arena, cov_str sql, cov_str *table, cov_str *type)
{
    size_t at = 0;
    const verb_row *verb = find_verb(sql, &at);
    cov_ddl_token name;
    cov_ddl_token dot;
    size_t after;

    if (verb == NULL)
        return false;
    name = skip_words(sql, &at);
    after = at;
    dot = cov_ddl_next(sql, &after);
    if (cov_ddl_is_punct(&dot, '.'))
        name = cov_ddl_next(sql, &after);
    if (name.kind != COV_DDL_WORD && name.kind != COV_DDL_QUOTED)
        return false;
    *table = cov_ddl_unquote(arena, name.text);
    *type = verb->type;
    return table->ptr != NULL;
}
