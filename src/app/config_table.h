/* SPDX-License-Identifier: MIT */
/*
 * app/config_table.h - the option table: one row an option, from which the reader (config_read.c), the JSON
 * Schema (config_schema.c) and the manual (config_markdown.c) all follow.
 *
 * To add an option: a member in app/config.h or resource/config.h, a row in config_table.c, then
 * `covara schema > share/covara.schema.json` and `covara schema --markdown > docs/configuration.md`.
 */
#ifndef COV_APP_CONFIG_TABLE_H
#define COV_APP_CONFIG_TABLE_H

#include <yyjson.h>

#include "app/config.h"

/* JSON types that an option takes. */
enum {
    COV_OPT_FALSE = 1u << 0,
    COV_OPT_TRUE = 1u << 1,
    COV_OPT_BOOL = COV_OPT_FALSE | COV_OPT_TRUE,
    COV_OPT_INT = 1u << 2,
    COV_OPT_STRING = 1u << 3,
    COV_OPT_LIST = 1u << 4, /* of strings */
    COV_OPT_OBJECT = 1u << 5,
    COV_OPT_NULL = 1u << 6
};

/* What the member at `offset` is, and so how a value gets there. */
typedef enum cov_opt_store {
    COV_STORE_NONE,      /* only the shape is checked */
    COV_STORE_BOOL,      /* bool; an object gives true, and its members follow */
    COV_STORE_INT,       /* int64_t */
    COV_STORE_STR,       /* cov_str; null gives an empty string that is not NULL */
    COV_STORE_NAMES,     /* cov_names; one string is a list of one */
    COV_STORE_ENUM,      /* an enum: the choice's value */
    COV_STORE_ENUM_BOOL, /* bool: the choice's value */
    COV_STORE_SCOPE,     /* cov_str: true = "*", false = "" */
    COV_STORE_HEADER,    /* cov_str: true = the default, false = NULL */
    COV_STORE_PUBLIC, /* bool[COV_N_OPS]: true = read and subscribe; an object has rows of its own */
    COV_STORE_MAP /* pointer to elements, count at `count_offset`; `object` describes an element */
} cov_opt_store;

enum {
    COV_OPT_REQUIRED = 1u << 0,
    COV_OPT_NOT_EMPTY = 1u << 1 /* a string with at least one byte */
};

typedef struct cov_config_reader cov_config_reader;
typedef struct cov_options cov_options;

typedef struct cov_choice {
    const char *text; /* NULL ends the list */
    int value;
} cov_choice;

typedef struct cov_option {
    const char *key;
    unsigned accepts;
    cov_opt_store store;
    size_t offset;       /* into the struct that the enclosing map element (or the root) is */
    size_t count_offset; /* COV_STORE_MAP: a size_t */
    unsigned flags;
    int64_t def;          /* bools, integers, enums */
    const char *def_text; /* strings; lists: separated by commas; NULL: none */
    const char *def_doc;  /* how the manual describes a default that is not a value */
    int64_t min, max;     /* integers */
    const char *unit;
    const cov_choice *choices;
    const cov_options *object; /* members; NULL with COV_OPT_OBJECT: any object */
    const char *shorthand;     /* a string stands for an object with this one key */
    /* May replace the value. Fails through cov__config_fail. */
    cov_status (*check)(cov_config_reader *r, const char *key, cov_str *value, const char *at);
    const char *help; /* plain sentences, one line */
} cov_option;

struct cov_options {
    const cov_option *rows;
    size_t n_rows;      /* at most 64 */
    size_t size;        /* map elements: of the struct */
    size_t name_offset; /* map elements: a cov_str for the key */
    /* Checks between options, after all were read; `at` is a position for messages. */
    cov_status (*finish)(cov_config_reader *r, void *base, const char *at);
    const char *intro; /* for the manual; may be NULL */
};

/* What the root object's options are stored in. */
typedef struct cov_config_root {
    cov_config config; /* must stay first: its offsets are the root's */
    cov_str cursor_secret;
} cov_config_root;

extern const cov_options cov__config_options;

/* ---- config_check.c: the functions that rows name ---- */
cov_status cov__check_base_path(cov_config_reader *r, const char *key, cov_str *value,
                                const char *at);
cov_status cov__check_path(cov_config_reader *r, const char *key, cov_str *value, const char *at);
cov_status cov__check_header(cov_config_reader *r, const char *key, cov_str *value, const char *at);
/* A cookie attribute: no ";" and no control character. */
cov_status cov__check_cookie(cov_config_reader *r, const char *key, cov_str *value, const char *at);
/* A token of RFC 9110: the name of a cookie or a header. */
cov_status cov__check_token(cov_config_reader *r, const char *key, cov_str *value, const char *at);
/* One line of text for people, not only ASCII. */
cov_status cov__check_line(cov_config_reader *r, const char *key, cov_str *value, const char *at);
/* "2027-01-02" */
cov_status cov__check_date(cov_config_reader *r, const char *key, cov_str *value, const char *at);
/* Letters, digits and "_". */
cov_status cov__check_key_prefix(cov_config_reader *r, const char *key, cov_str *value,
                                 const char *at);
COV_CHECK cov_status cov__finish_gate(cov_config_reader *r, cov_gate_config *gate, const char *at);
cov_status cov__finish_auth(cov_config_reader *r, void *base, const char *at);
cov_status cov__finish_root(cov_config_reader *r, void *base, const char *at);
cov_status cov__finish_app(cov_config_reader *r, void *base, const char *at);
cov_status cov__finish_cors(cov_config_reader *r, void *base, const char *at);
cov_status cov__finish_resource(cov_config_reader *r, void *base, const char *at);
cov_status cov__finish_relation(cov_config_reader *r, void *base, const char *at);

#endif
