/* SPDX-License-Identifier: MIT */
/* auth/sql.h - statements of this folder on the request's database. */
#ifndef COV_AUTH_SQL_H
#define COV_AUTH_SQL_H

#include "resource/ctx.h"

typedef struct cov_rows {
    cov_value **items; /* n rows of the statement's columns, in the request's arena */
    size_t n;
} cov_rows;

/* Read. Values without a row never come back. */
COV_CHECK cov_status cov__sql_rows(cov_ctx *ctx, cov_str sql, const cov_value *params,
                                   size_t n_params, cov_rows *out);
/* Change, by way of cov__ctx_write: durable when it returns. `changes` may be NULL. */
COV_CHECK cov_status cov__sql_change(cov_ctx *ctx, cov_str sql, const cov_value *params,
                                     size_t n_params, int64_t *changes);
/* The same later, when the writer has time; nobody hears of a failure. Everything is copied. */
void cov__sql_later(cov_ctx *ctx, cov_str sql, const cov_value *params, size_t n_params);

#endif
