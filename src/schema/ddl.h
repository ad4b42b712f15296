/* SPDX-License-Identifier: MIT */
/*
 * schema/ddl.h - as much of SQL's text as the catalogue does not tell: tokens and CHECKs.
 *
 * Knows:   SQLite's tokens: quotes of every kind, comments.
 * Ignores: grammar. Text that SQLite itself would refuse gives some answer, never a crash.
 */
#ifndef COV_SCHEMA_DDL_H
#define COV_SCHEMA_DDL_H

#include "schema/schema.h"

typedef enum cov_ddl_kind {
    COV_DDL_END,
    COV_DDL_WORD,   /* bare identifier, keyword or number */
    COV_DDL_QUOTED, /* "name", [name], `name` */
    COV_DDL_STRING, /* 'text' */
    COV_DDL_PUNCT   /* any other single byte */
} cov_ddl_kind;

typedef struct cov_ddl_token {
    cov_ddl_kind kind;
    cov_str text;  /* as written, with its quotes */
    size_t offset; /* of its first byte */
} cov_ddl_token;

/* The token at or after *at, which moves behind it. Spaces and comments are skipped. */
cov_ddl_token cov_ddl_next(cov_str sql, size_t *at);
/* A bare word, any case. */
bool cov_ddl_is_word(const cov_ddl_token *token, const char *word);
bool cov_ddl_is_punct(const cov_ddl_token *token, char c);
/* Without quotes, doubled quotes undone; ptr NULL: out of memory. */
cov_str cov_ddl_unquote(cov_arena *arena, cov_str text);
/*
 * Fill table->checks from the text of its CREATE TABLE, and enum_values of text columns with a
 * CHECK (column IN ('a', 'b')). Names are matched to columns without regard to case, as SQLite does.
 */
COV_CHECK cov_status cov_ddl_read_checks(cov_arena *arena, cov_str create_table, cov_table *table,
                                         cov_error *err);

#endif
