/* SPDX-License-Identifier: MIT */
/*
 * app/config.h - covara.jsonc as plain data.
 *
 * Knows:   every option, its type, default and bounds (one table: config_table.c), file:line:column.
 * Ignores: files (the text is passed in), tables and columns (checked when the app is made).
 * Memory:  the result and all it points to live in the arena.
 */
#ifndef COV_APP_CONFIG_H
#define COV_APP_CONFIG_H

#include "auth/config.h"
#include "covara/host.h"
#include "guard/config.h"
#include "mail/config.h"
#include "resource/config.h"
#include "schema/schema.h"

typedef struct cov_cors_config {
    bool enabled;
    bool any_origin;   /* "*" */
    cov_names origins; /* exact matches otherwise */
    cov_names allow_methods;
    cov_names allow_headers; /* empty: echo what the preflight asks for */
    cov_names expose_headers;
    bool credentials;  /* refused together with any_origin */
    int64_t max_age_s; /* -1: not sent */
} cov_cors_config;

/* ptr NULL = the header is off */
typedef struct cov_security_config {
    bool enabled;
    cov_str content_type_options;
    cov_str frame_options;
    cov_str referrer_policy;
    cov_str dns_prefetch_control;
    cov_str cross_origin_opener_policy;
    cov_str content_security_policy;
    bool hsts; /* sent on TLS, or always when `production` */
    int64_t hsts_max_age_s;
    bool hsts_include_subdomains;
    bool hsts_preload;
} cov_security_config;

/* A folder whose files are served as they are. */
typedef struct cov_static_config {
    cov_str path;                    /* below which: "" or "/docs" */
    cov_str folder;                  /* relative to the configuration's folder */
    cov_str content_security_policy; /* ptr NULL: as everywhere */
} cov_static_config;

typedef struct cov_server_config {
    cov_str host;              /* "0.0.0.0" */
    int64_t port;              /* 3000; 0 = any free port */
    int64_t threads;           /* event loops; 0 = one a core */
    int64_t pool_threads;      /* 8 */
    int64_t max_body_bytes;    /* 1 MiB */
    int64_t max_header_bytes;  /* 16 KiB, names and values together */
    int64_t max_url_bytes;     /* 8 KiB */
    int64_t header_timeout_ms; /* 10000: from the first byte of a request to the end of its head */
    int64_t body_timeout_ms;   /* 30000: from the head to the end of the body */
    int64_t idle_timeout_ms;   /* 65000: between requests of a connection */
    int64_t write_timeout_ms;  /* 30000: a client that does not read its response */
    int64_t drain_timeout_ms;  /* 10000: longest wait for requests in flight at shutdown */
    int64_t pre_stop_delay_ms; /* 0: how long to keep accepting after readiness turned 503 */
    int64_t max_connections;   /* 10000 a process; beyond it new ones get 503 and are closed */
    bool access_log;           /* false */
} cov_server_config;

typedef enum cov_kv_type { COV_KV_MEMORY } cov_kv_type;

typedef enum cov_env_type {
    COV_ENV_STRING,
    COV_ENV_NUMBER,
    COV_ENV_BOOLEAN,
    COV_ENV_LIST, /* separated by commas */
    COV_ENV_JSON,
    COV_ENV_URL,
    COV_ENV_ENUM
} cov_env_type;

typedef enum cov_env_public { COV_ENV_BY_NAME, COV_ENV_PUBLIC, COV_ENV_PRIVATE } cov_env_public;

/* One variable of the environment as the application uses it (spec/07 section 14.2). */
typedef struct cov_env_variable {
    cov_str name; /* "PUBLIC_API_URL" */
    cov_env_type type;
    cov_env_public visibility; /* by name: "PUBLIC_..." is public */
    cov_str fallback;          /* "default"; ptr NULL: the variable is required */
    bool optional;
    cov_names values; /* enum */
} cov_env_variable;

typedef struct cov_public_env_config {
    bool set;
    cov_str path; /* "/api/env" */
    cov_str cache_control;
    bool expose_schema;
    const cov_env_variable *variables;
    size_t n_variables;
} cov_public_env_config;

typedef struct cov_config {
    struct {
        cov_str base_path; /* normalised: "" or "/api" */
        cov_cors_config cors;
        cov_security_config security;
        bool health;
        cov_str health_path; /* prefix of /healthz and /readyz, "" by default */
        cov_str version;     /* shown by health endpoints; ptr NULL: not shown */
        const cov_static_config *statics;
        size_t n_statics;
    } app;
    struct {
        cov_str url;             /* "sqlite:app.db" */
        int64_t busy_timeout_ms; /* 5000 */
        bool relaxed_sync;       /* synchronous: "normal" instead of "full" */
    } database;
    cov_str schema_path; /* "schema.sql", relative to the configuration's folder */
    cov_naming naming;
    cov_log_level log_level;
    cov_server_config server;
    struct {
        cov_kv_type type;
        cov_str prefix; /* ptr NULL: none */
    } kv;
    cov_auth_config auth;
    cov_mail_config mail;
    cov_guard_config guard;
    cov_public_env_config env;
    bool changelog_in_database; /* "changelog": "database" instead of "kv" */
    struct {
        bool enabled; /* /__covara/stream */
        int64_t max_channels;
        int64_t heartbeat_ms;
        int64_t max_queue_bytes;
    } multiplex;
    const cov_resource_config *resources; /* in file order */
    size_t n_resources;
} cov_config;

/*
 * Parse and check a configuration.
 *
 * name   for messages: "covara.jsonc"
 * text   JSON with comments and trailing commas; copied
 * Fails with COV_EINVAL and a detail of the form "covara.jsonc:12:5: unknown key \"reources\"; did you mean
 * \"resources\"?". "${NAME}" inside strings takes host->env; an unset name fails.
 */
COV_CHECK cov_status cov_config_parse(cov_arena *arena, const cov_host *host, cov_str name,
                                      cov_str text, const cov_config **out, cov_error *err);
/* The JSON Schema (draft 2020-12) of the file, generated from the option table. */
void cov_config_json_schema(cov_buf *out);
/* The option reference in Markdown, generated from the same table. */
void cov_config_markdown(cov_buf *out);

#endif
