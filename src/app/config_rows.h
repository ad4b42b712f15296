/* SPDX-License-Identifier: MIT */
/*
 * app/config_rows.h - how rows of the option table are written; for the files that hold its parts:
 * config_table.c (root, app, server, resources), config_auth.c (accounts), config_guard.c (limits and challenges).
 *
 * Help sentences go word for word into the manual and the JSON Schema.
 */
#ifndef COV_APP_CONFIG_ROWS_H
#define COV_APP_CONFIG_ROWS_H

#include "app/config_table.h"

#define CFG(member) offsetof(cov_config, member)
#define RES(member) offsetof(cov_resource_config, member)
#define COL(member) offsetof(cov_column_config, member)
#define REL(member) offsetof(cov_relation_config, member)
#define UNUSED 0 /* no member: the shape is all that counts */

#define DAY_MS INT64_C(86400000)
#define GIB INT64_C(1073741824)
#define MILLION INT64_C(1000000)

/* clang-format off */
#define ROW(key_, accepts_, store_, offset_, ...) \
    { .key = (key_), .accepts = (accepts_), .store = (store_), .offset = (offset_), __VA_ARGS__ }
#define BOOL(key_, offset_, def_, help_) \
    ROW(key_, COV_OPT_BOOL, COV_STORE_BOOL, offset_, .def = (def_), .help = help_)
#define INT(key_, offset_, def_, min_, max_, unit_, help_) \
    ROW(key_, COV_OPT_INT, COV_STORE_INT, offset_, .def = (def_), .min = (min_), .max = (max_), .unit = (unit_), .help = help_)
#define NAME(key_, offset_, doc_, help_) \
    ROW(key_, COV_OPT_STRING, COV_STORE_STR, offset_, .flags = COV_OPT_NOT_EMPTY, .def_doc = (doc_), .help = help_)
#define NEEDED_NAME(key_, offset_, help_) \
    ROW(key_, COV_OPT_STRING, COV_STORE_STR, offset_, .flags = COV_OPT_NOT_EMPTY | COV_OPT_REQUIRED, .help = help_)
#define NAMES(key_, offset_, doc_, help_) \
    ROW(key_, COV_OPT_LIST, COV_STORE_NAMES, offset_, .def_doc = (doc_), .help = help_)
#define ENUM(key_, store_, offset_, choices_, def_, help_) \
    ROW(key_, COV_OPT_STRING, store_, offset_, .choices = (choices_), .def = (def_), .help = help_)
#define OBJECT(key_, object_, help_) \
    ROW(key_, COV_OPT_OBJECT, COV_STORE_NONE, UNUSED, .object = &(object_), .help = help_)
#define SCOPE(key_, offset_, help_) \
    ROW(key_, COV_OPT_STRING | COV_OPT_BOOL, COV_STORE_SCOPE, offset_, .def_doc = "none", .help = help_)
#define HEADER(key_, offset_, def_, help_) \
    ROW(key_, COV_OPT_STRING | COV_OPT_BOOL, COV_STORE_HEADER, offset_, .def_text = (def_), .flags = COV_OPT_NOT_EMPTY, \
        .check = cov__check_header, .help = help_)
/* Shape only: parts of the product that are not in this build. */
#define ANY_INT(key_, min_, max_, unit_, help_) \
    ROW(key_, COV_OPT_INT, COV_STORE_NONE, UNUSED, .min = (min_), .max = (max_), .unit = (unit_), .def_doc = "see there", .help = help_)
#define ANY_NAME(key_, help_) \
    ROW(key_, COV_OPT_STRING, COV_STORE_NONE, UNUSED, .flags = COV_OPT_NOT_EMPTY, .def_doc = "none", .help = help_)
#define ANY_BOOL(key_, help_) ROW(key_, COV_OPT_BOOL, COV_STORE_NONE, UNUSED, .def_doc = "`false`", .help = help_)
#define SWITCH(key_, help_) \
    ROW(key_, COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_NONE, UNUSED, .def_doc = "`false`", .help = help_)
#define OPTIONS(rows_) { .rows = (rows_), .n_rows = COV_COUNT_OF(rows_) }
#define OPTIONS_WITH(rows_, ...) { .rows = (rows_), .n_rows = COV_COUNT_OF(rows_), __VA_ARGS__ }
/* clang-format on */

/* ---- parts that are tables of their own ---- */
extern const cov_options cov__auth_options;
extern const cov_options cov__mail_options;
extern const cov_options cov__rate_options; /* into a cov_config */
extern const cov_options cov__abuse_options;
extern const cov_options cov__idempotency_options;
extern const cov_options cov__versioning_options;
extern const cov_options cov__public_env_options;
/* Into a cov_resource_config: rateLimit, cost, pow, captcha. */
extern const cov_options cov__resource_rate_options;
extern const cov_options cov__resource_cost_options;
extern const cov_options cov__resource_pow_options;
extern const cov_options cov__resource_captcha_options;
extern const cov_choice cov__overflow_choices[];

#endif
