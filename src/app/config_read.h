/* SPDX-License-Identifier: MIT */
/*
 * app/config_read.h - reading a parsed document by the option table, and saying where it is wrong.
 *
 * The text was parsed in place, in `copy`, so every string and key of the document still lies where it was
 * written: a pointer into `copy` is a place in the file. That is what `at` is everywhere here.
 */
#ifndef COV_APP_CONFIG_READ_H
#define COV_APP_CONFIG_READ_H

#include "app/config_table.h"

struct cov_config_reader {
    cov_arena *arena;
    const cov_host *host;
    cov_str name;     /* for messages: "covara.jsonc" */
    cov_str text;     /* as given */
    const char *copy; /* of `text`, changed by the parser */
    cov_error *err;
};

/* ---- config_place.c ---- */

/* Fill err with "covara.jsonc:12:5: ..." and return COV_EINVAL. */
cov_status cov__config_fail(cov_config_reader *r, const char *at, const char *format, ...)
    COV_PRINTF(3, 4);
/* The text in quotes, escaped as JSON and cut when it is long; terminated. Never NULL. */
const char *cov__config_quote(cov_config_reader *r, cov_str text);
/* "12:5" of a place; terminated. Never NULL. */
const char *cov__config_line(cov_config_reader *r, const char *at);
/* Where a value stands: strings at their own place, others at their key's. `key` NULL: the document. */
const char *cov__config_at(const cov_config_reader *r, yyjson_val *key, yyjson_val *value);
/* The key that is closest to what was written, or NULL when none is close. */
const char *cov__config_nearest(const cov_options *options, cov_str written);
/* Every object of the document has each key once. */
COV_CHECK cov_status cov__config_no_duplicates(cov_config_reader *r, yyjson_val *value, int depth);
/* Replace "${NAME}" by the environment's value and "$${" by "${". */
COV_CHECK cov_status cov__config_env(cov_config_reader *r, const char *key, cov_str *value,
                                     const char *at);

/* ---- config_read.c ---- */

void *cov__config_member(void *base, size_t offset);
/* Give every option of `options` its default. False: out of memory. */
COV_CHECK bool cov__config_defaults(cov_config_reader *r, const cov_options *options, void *base);
COV_CHECK cov_status cov__config_object(cov_config_reader *r, const cov_options *options,
                                        void *base, yyjson_val *object, const char *at);

#endif
