/* SPDX-License-Identifier: MIT */
/* app/internal.h - what the files of this folder share. */
#ifndef COV_APP_INTERNAL_H
#define COV_APP_INTERNAL_H

#include <stdatomic.h>

#include "app/config.h"
#include "app/public_env.h"
#include "auth/auth.h"
#include "covara/app.h"
#include "guard/guard.h"
#include "live/live.h"
#include "mail/mail.h"
#include "resource/resource.h"

enum { COV_MAX_SECURITY_HEADERS = 8 };

struct cov_env {
    const cov_host *host;
    const cov_config *config;
};

/* A resource as application code described it, until it is made. */
typedef struct cov_code_node cov_code_node;
struct cov_code_node {
    cov_str name;
    cov_resource_code code;
    cov_code_node *next;
};
typedef struct cov_route_node cov_route_node;
struct cov_route_node {
    const cov_custom_route *route;
    cov_str path;
    cov_route_node *next;
};
typedef struct cov_middleware_node cov_middleware_node;
struct cov_middleware_node {
    const cov_middleware *middleware;
    cov_middleware_node *next;
};
typedef struct cov_listener_node cov_listener_node;
struct cov_listener_node {
    void (*listener)(const cov_mutation *mutation, void *self);
    void *self;
    cov_listener_node *next;
};

struct cov_app {
    cov_arena *arena; /* owns everything below */
    const cov_host *host;
    const cov_config *config; /* what was configured, with what the build changed */
    cov_code_node *code;
    cov_route_node *routes;
    cov_middleware_node *middleware;
    cov_listener_node *listeners;
    cov_error build_error; /* the first mistake of the build */
    cov_live *live;        /* who follows changes */
    cov_publisher publisher;
    cov_map by_path; /* mount path below basePath -> cov_resource */
    cov_map files;   /* path, decoded -> cov_served_file */
    cov_header security[COV_MAX_SECURITY_HEADERS];
    size_t n_security;
    cov_header hsts; /* also sent when the connection is TLS */
    bool production;
    cov_kv *kv;
    cov_guard *guard;
    cov_auth *auth; /* NULL: no accounts */
    cov_mail mail;
    cov_public_env env; /* when config->env is set */
    struct {
        cov_str methods;
        cov_str headers; /* empty: echo the preflight's */
        cov_str expose;
        cov_str max_age; /* empty: not sent */
    } cors;              /* lists joined for the wire */
    int64_t started_us;  /* host->monotonic_us */
    atomic_bool shutting_down;
};

typedef struct cov_served_file cov_served_file;

/* What answers a path. */
typedef enum cov_route_kind {
    COV_ROUTE_NONE,
    COV_ROUTE_CUSTOM,
    COV_ROUTE_RESOURCE,
    COV_ROUTE_ACCOUNT,
    COV_ROUTE_MULTIPLEX,
    COV_ROUTE_ENV,
    COV_ROUTE_ENV_SCHEMA,
    COV_ROUTE_HEALTH,
    COV_ROUTE_READY,
    COV_ROUTE_FILE
} cov_route_kind;
typedef struct cov_route {
    cov_route_kind kind;
    const cov_resource *resource;
    cov_resource_route target;
    const cov_route_node *custom;
    cov_str tail; /* of a resource's route: the path below its mount */
    cov_auth_route account;
    const cov_served_file *file;
} cov_route;

/* What admission found out, kept for the steps that follow. */
typedef struct cov_admission {
    const cov_user *user; /* NULL: anonymous */
    cov_client client;
    cov_idempotency key;
} cov_admission;

/* following.c */

/* Whether the answer may be a stream, or is about one. */
bool cov__opens_stream(const cov_route *route);
/* The user for as long as somebody needs it; one reference. Fails with COV_ENOMEM. */
COV_CHECK cov_status cov__principal_new(const cov_app *app, const cov_user *user,
                                        cov_principal **out, cov_error *err);
/* For cov_auth_parts.revoked: a user's subscriptions are asked again. `app` is a cov_app. */
void cov__revoked(void *app, cov_str user_id);

/* app.c: tell listeners and followers of what became durable; `app` is a cov_app. */
void cov__publish(void *app, cov_arena *arena, const cov_mutations *mutations);

/* admission.c: who asks, and may they; spec/07 section 1, stages 6 and 7 and the head of each resource. */

/* The request as the guard sees it. */
cov_guarded cov__guarded(const cov_app *app, const cov_ctx *ctx, const cov_admission *admission);
/* What a route is about to do; false: no gate is there. */
bool cov__gate_of(const cov_app *app, const cov_route *route, const cov_request *req,
                  cov_arena *arena, cov_gate *out);
/* COV_OK with a response status set: answered already (a replay). */
COV_CHECK cov_status cov__admit(const cov_app *app, const cov_route *route, cov_ctx *ctx,
                                cov_admission *admission);

cov_route cov__route_find(const cov_app *app, const cov_request *req);

/* custom_route.c */

/* Why the node, not yet in the app's list, cannot be added; NULL: it can. */
const char *cov__custom_mistake(const cov_app *app, const cov_route_node *node);
/* The first route, in the order added, that fits; one for HEAD before one for GET. NULL when there is none. */
const cov_route_node *cov__custom_find(const cov_app *app, cov_method method, cov_str path);
bool cov__custom_writes(const cov_route_node *node);
/* Call the handler of a route that fits the request's path. */
COV_CHECK cov_status cov__custom_run(const cov_route_node *node, cov_ctx *ctx);
/* What a callback returned, or why that is no answer: a failure without a reason, a status that is none. */
COV_CHECK cov_status cov__code_status(cov_ctx *ctx, cov_status st, const char *who);

/* middleware.c: afterwards the response has a status when the request was answered. */
COV_CHECK cov_status cov__middleware_run(const cov_app *app, cov_ctx *ctx);

/* cors.c, security.c */
COV_CHECK bool cov__cors_init(cov_app *app);
bool cov__cors_is_preflight(const cov_app *app, const cov_request *req);
void cov__cors_preflight(const cov_app *app, const cov_request *req, cov_arena *arena,
                         cov_response *res);
void cov__cors_headers(const cov_app *app, const cov_request *req, cov_response *res);
COV_CHECK bool cov__security_init(cov_app *app);
void cov__security_headers(const cov_app *app, const cov_request *req, cov_response *res);

/* files.c */

/* The file of a path as the request has it, for GET and HEAD; NULL: there is none. */
const cov_served_file *cov__file_find(const cov_app *app, cov_method method, cov_str path);
COV_CHECK cov_status cov__file_answer(const cov_served_file *file, cov_ctx *ctx);

/* health.c */
void cov__health(const cov_app *app, cov_response *res);
void cov__ready(const cov_app *app, const cov_worker *worker, cov_response *res);

/* problem.c: replaces whatever the response held. */
void cov__problem(const cov_app *app, const cov_request *req, const cov_error *err,
                  cov_response *res);

#endif
