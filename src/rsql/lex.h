/* SPDX-License-Identifier: MIT */
/* rsql/lex.h - the tokens of a filter, read at a moving position; private to src/rsql. */
#ifndef COV_RSQL_LEX_H
#define COV_RSQL_LEX_H

#include "rsql/ast.h"

typedef struct cov__lexer {
    cov_arena *arena;
    cov_str text;
    size_t at;
    bool trusted; /* placeholders are values, and \' in strings reads as ' */
    const cov_rsql_policy *policy;
    cov_error *err;
} cov__lexer;

static inline bool cov__lex_end(const cov__lexer *lex)
{
    return lex->at >= lex->text.len;
}

/* The byte at the position, or NUL at the end (a NUL byte in the text starts no token either). */
static inline char cov__lex_peek(const cov__lexer *lex)
{
    return lex->at < lex->text.len ? lex->text.ptr[lex->at] : '\0';
}

/* Skip the whitespace of section 2.1. */
void cov__lex_space(cov__lexer *lex);
/* Consume `word` when it is there; a word made of letters must not run on into an identifier. */
bool cov__lex_word(cov__lexer *lex, cov_str word);
/* ident { "." ident }; false: none starts here. */
bool cov__lex_selector(cov__lexer *lex, cov_str *out, bool *is_path);
/* The built-in ones are tried first, then those of the policy. */
COV_CHECK cov_status cov__lex_operator(cov__lexer *lex, cov__op_ref *out);
/* One value, sets and ranges included. */
COV_CHECK cov_status cov__lex_value(cov__lexer *lex, cov__literal *out);
/* The offset counted as the reference counts it: in UTF-16 code units. */
size_t cov__lex_utf16_offset(cov_str text, size_t offset);

#endif
