/* SPDX-License-Identifier: MIT */
/*
 * resource/ctx.h - everything one request lends to the resource layer, and its query parameters.
 *
 * Lives on the stack of the request; all it points to is borrowed for the request.
 */
#ifndef COV_RESOURCE_CTX_H
#define COV_RESOURCE_CTX_H

#include "covara/app.h"
#include "rsql/rsql.h"

/* The query parameters that resource routes know (spec/01 sections 6 and 14, spec/03, spec/04). */
#define COV_PARAM_MAP(X)             \
    X(FILTER, "filter")              \
    X(SELECT, "select")              \
    X(INCLUDE, "include")            \
    X(CURSOR, "cursor")              \
    X(LIMIT, "limit")                \
    X(ORDER_BY, "orderBy")           \
    X(TOTAL_COUNT, "totalCount")     \
    X(WITH_DELETED, "withDeleted")   \
    X(GROUP_BY, "groupBy")           \
    X(COUNT, "count")                \
    X(SUM, "sum")                    \
    X(AVG, "avg")                    \
    X(MIN, "min")                    \
    X(MAX, "max")                    \
    X(HAVING, "having")              \
    X(SKIP_EXISTING, "skipExisting") \
    X(KNOWN_IDS, "knownIds")         \
    X(RESUME_FROM, "resumeFrom")

typedef enum cov_param {
#define COV_PARAM_ENUM(name, text) COV_PARAM_##name,
    COV_PARAM_MAP(COV_PARAM_ENUM)
#undef COV_PARAM_ENUM
        COV_N_PARAMS
} cov_param;

enum { COV_MAX_PATH_PARAMS = 8 };

/*
 * The user of a request for what outlives it, a subscription. Whoever authenticated made it and counts the references;
 * both calls may come from any thread.
 */
typedef struct cov_principal cov_principal;
struct cov_principal {
    cov_rsql_vars vars;    /* as cov_ctx.user */
    cov_str id;            /* text of the user's id */
    int64_t expires_at_ms; /* of the session; 0: never */
    void (*retain)(cov_principal *principal);
    void (*release)(cov_principal *principal);
    /*
     * Whoever this is now, with a reference: `principal` itself when nothing changed, NULL when the session or the user
     * is gone. `differs`: more than the session's end changed, so scopes may answer differently. `ctx` reads; it
     * never waits. May be NULL: nothing can change.
     */
    cov_status (*refresh)(cov_principal *principal, cov_ctx *ctx, cov_principal **out,
                          bool *differs);
};

/* Whoever tells listeners and followers of what became durable. Any thread that commits. */
typedef struct cov_publisher {
    void (*publish)(void *self, cov_arena *arena, const cov_mutations *mutations);
    void *self;
} cov_publisher;

struct cov_ctx {
    const cov_host *host;
    const cov_worker *worker; /* of the thread that runs this */
    cov_db *db;
    cov_arena *arena;
    const cov_request *req;
    cov_response *res;
    cov_error *err;
    /* Who asks: resolves {user.x} in scopes. NULL = anonymous. */
    const cov_rsql_vars *user;
    cov_str client_address;                      /* behind trusted proxies the client's own */
    bool https;                                  /* as the client sees it */
    cov_str params[COV_N_PARAMS];                /* still percent-encoded; ptr NULL = absent */
    cov_header path_params[COV_MAX_PATH_PARAMS]; /* of a custom route, decoded */
    size_t n_path_params;
    cov_mutations *mutations; /* where changes are recorded */
    const cov_publisher
        *publisher; /* for writes that end before the request; NULL where there are none */
    cov_principal *principal; /* beside `user`; NULL: anonymous, or known for this request only */
    struct cov_feed *feed;    /* who follows changes (resource/feed.h); NULL: nobody can */
    struct cov_live_shard *shard; /* where a stream of this request will live; NULL: it cannot */
    struct cov_watch
        *watch; /* sees rows that nobody says were changed (resource/watch.h); NULL: nobody does */
    bool names_row; /* the row being created is the one that X-Covara-Optimistic-Id names */
};

/* Split the query string: the first occurrence of a name wins, unknown names are ignored. */
void cov_params_read(cov_ctx *ctx);
/* The decoded value, ptr NULL when absent. Out of memory counts as absent. */
cov_str cov_param_get(const cov_ctx *ctx, cov_param param);
/* True for exactly "true". */
bool cov_param_flag(const cov_ctx *ctx, cov_param param);
/*
 * Run `work` where rows may be changed, in a transaction, and return when that is durable. It gets a ctx like `ctx`
 * whose db may write; on another thread, what it records is told to listeners before this returns. May run twice. `ctx->err` has
 * no members afterwards when it ran on another thread.
 */
COV_CHECK cov_status cov__ctx_write(cov_ctx *ctx, cov_status (*work)(cov_ctx *ctx, void *arg),
                                    void *arg);
/* If-None-Match names this entity tag: the client has what it asks for (etag.c). */
bool cov__etag_none_match(cov_ctx *ctx, cov_str tag);
/* Run `work` in a transaction, or a savepoint of the open one; all or nothing. */
COV_CHECK cov_status cov__in_transaction(cov_ctx *ctx, cov_status (*work)(void *arg), void *arg);

#endif
