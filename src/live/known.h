/* SPDX-License-Identifier: MIT */
/* live/known.h - a set of ids, which texts name. NULL is the empty one. */
#ifndef COV_LIVE_KNOWN_H
#define COV_LIVE_KNOWN_H

#include "covara/compiler.h"
#include "covara/str.h"

typedef struct cov_known cov_known;

COV_CHECK bool cov__known_add(cov_known **known, cov_str id);
bool cov__known_has(const cov_known *known, cov_str id);
void cov__known_remove(cov_known *known, cov_str id);
void cov__known_free(cov_known *known);
/* Find what is gone: begin, mark what is there (false: it is not in the set), then ask for each that was not marked. */
void cov__known_begin(cov_known *known);
bool cov__known_mark(const cov_known *known, cov_str id);
/* Any that is not marked, until it is removed; ptr NULL: none. *bucket begins at 0. Its text lives in the set. */
cov_str cov__known_unmarked(const cov_known *known, size_t *bucket);

#endif
