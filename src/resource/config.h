/* SPDX-License-Identifier: MIT */
/*
 * resource/config.h - what a configuration may say about one resource (spec/01 section 2), as plain data.
 *
 * Filled by app/config.c from covara.jsonc with every default applied, then never changed.
 */
#ifndef COV_RESOURCE_CONFIG_H
#define COV_RESOURCE_CONFIG_H

#include "covara/str.h"

typedef enum cov_op {
    COV_OP_READ,
    COV_OP_CREATE,
    COV_OP_UPDATE,
    COV_OP_DELETE,
    COV_OP_SUBSCRIBE,
    COV_N_OPS
} cov_op;

typedef struct cov_names {
    const cov_str *items;
    size_t n;
    bool set; /* false: the option was not given (an empty list that was given is `set`) */
} cov_names;

/* "columns": { "created_at": "createdAt" } or { "status": { "name": "status", "enum": [...], "maxLength": 20 } } */
typedef struct cov_column_config {
    cov_str db_name;
    cov_str name; /* ptr NULL: by the naming rule */
    cov_names enum_values;
    int64_t max_length; /* 0: as declared */
} cov_column_config;

typedef enum cov_relation_type {
    COV_BELONGS_TO,
    COV_HAS_ONE,
    COV_HAS_MANY,
    COV_MANY_TO_MANY
} cov_relation_type;

typedef struct cov_relation_config {
    cov_str name;
    cov_relation_type type;
    cov_str resource;
    cov_str foreign_key; /* property, ptr NULL when absent */
    cov_str references;
    cov_str through_table;
    cov_str through_source_key;
    cov_str through_target_key;
    bool eager;
} cov_relation_config;

/* What a request is counted as by rate limits and abuse protection (spec/07 section 5.2). */
typedef enum cov_gate_op {
    COV_GATE_READ,
    COV_GATE_CREATE,
    COV_GATE_UPDATE,
    COV_GATE_DELETE,
    COV_GATE_SUBSCRIBE,
    COV_GATE_AGGREGATE,
    COV_GATE_COUNT,
    COV_GATE_SEARCH,
    COV_GATE_RPC,
    COV_N_GATE_OPS
} cov_gate_op;

/* One limit of requests a window; `set` false: none. */
typedef struct cov_rate_config {
    bool set;
    bool sliding;         /* "algorithm": "sliding"; a fixed window otherwise */
    int64_t window_ms;    /* 60000 */
    int64_t max_requests; /* 100 */
    cov_str message;      /* detail of the 429 */
    bool headers;         /* X-RateLimit-*, default true */
} cov_rate_config;

/* A challenge before an operation: "pow" or "captcha" (spec/07 section 5.1). */
typedef struct cov_challenge_config {
    bool set;
    cov_names operations;    /* as configured */
    bool on[COV_N_GATE_OPS]; /* from `operations`; default: create, update, delete */
    int64_t difficulty;      /* pow: bits; 0 = the global one */
    cov_str action;          /* captcha; ptr NULL: none */
} cov_challenge_config;

typedef enum cov_overflow {
    COV_OVERFLOW_GLOBAL,
    COV_OVERFLOW_POW,
    COV_OVERFLOW_CAPTCHA
} cov_overflow;

/* What protects a resource, a procedure's resource or an account route. */
typedef struct cov_gate_config {
    cov_rate_config rate;
    int64_t cost[COV_N_GATE_OPS]; /* budget units; 0 = free */
    cov_challenge_config pow;
    cov_challenge_config captcha;
    cov_overflow overflow;
} cov_gate_config;

/* What happens to a subscriber who reads too slowly (spec/04 section 10). */
typedef enum cov_backpressure {
    COV_SLOW_INVALIDATE, /* tell, then end the stream */
    COV_SLOW_DISCONNECT,
    COV_SLOW_DROP /* leave the event out; invalidate once the queue is empty */
} cov_backpressure;

/* Subscriptions of one resource. */
typedef struct cov_sse_config {
    int64_t max_per_user;     /* 10, in this process */
    int64_t max_per_address;  /* 50 */
    int64_t max_total;        /* 0: no limit */
    int64_t heartbeat_ms;     /* 20000 */
    int64_t max_queue_bytes;  /* 65536 */
    int64_t debounce_ms;      /* 150: before an aggregate is computed anew */
    int64_t scope_recheck_ms; /* 30000; 0: never */
    cov_backpressure on_backpressure;
} cov_sse_config;

typedef struct cov_resource_config {
    cov_str name;  /* key in "resources" */
    cov_str table; /* SQL name; default: name */
    cov_str path;  /* mount path below basePath, without slashes at the ends; default: name */
    cov_str id;    /* property; ptr NULL: the table's primary key */

    struct {
        bool set;                 /* an "auth" object was given */
        bool public_[COV_N_OPS];  /* "public": true opens read and subscribe only */
        cov_str scope[COV_N_OPS]; /* RSQL; "*" for true; ptr NULL when absent */
        cov_str any_scope;        /* "scope": for operations without their own */
    } auth;
    struct {
        int64_t create; /* also upsert; 0 removes the routes */
        int64_t update;
        int64_t replace; /* accepted, unused (spec/01 section 2) */
        int64_t delete_;
        bool require_filter; /* default true: PATCH/DELETE /batch without filter is refused */
    } batch;
    struct {
        int64_t default_limit;     /* 20 */
        int64_t max_limit;         /* 100 */
        int64_t cursor_max_age_ms; /* 0 = cursors do not expire */
        bool nulls_first;          /* nullsPosition "first" */
    } pagination;
    cov_str
        cursor_secret; /* key bytes; empty = cursors are not signed (the global secret already applied) */
    struct {
        bool set;
        cov_str version_field; /* properties; ptr NULL when absent */
        cov_str updated_at_field;
        cov_str id_field;
        bool weak;
    } etag;
    struct {
        cov_names readable;
        cov_names writable;
        cov_names filterable;
        cov_names sortable;
        cov_names group_by; /* aggregatable.groupBy */
        cov_names metrics;  /* aggregatable.metrics */
    } fields;
    cov_names generated_fields;
    bool
        reject_generated_input; /* drop client values of generated fields, except the primary key */
    bool strict_input;
    bool strict_scope_on_write; /* default true: new values must lie inside the scope, else 403 */
    struct {
        bool create, update, delete_, batch, aggregations, subscribe; /* enableX, default true */
    } capabilities;
    cov_str soft_delete_field; /* property; ptr NULL: rows are deleted for good */
    struct {
        int64_t max_length; /* 4096 */
        int64_t max_depth;  /* 10 */
        int64_t max_nodes;  /* 100 */
        cov_names allowed_operators;
        cov_names allowed_fields;
    } filter;
    int64_t aggregate_max_groups; /* 0 = unlimited */
    const cov_column_config *columns;
    size_t n_columns;

    const cov_relation_config *relations;
    size_t n_relations;
    bool auto_relations;
    struct {
        int64_t max_depth; /* 3: levels below the first */
        int64_t
            default_limit; /* 0 = none; children of each parent when the request names no limit */
        int64_t max_rows;  /* 10000: most rows that one request may load */
    } include;
    bool nested_writes;
    cov_sse_config sse;
    cov_gate_config gate;
} cov_resource_config;

#endif
