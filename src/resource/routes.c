/* SPDX-License-Identifier: MIT */
/* The routes of a resource (spec/01 section 6.1): a table in order of precedence, then /:id. */
#include "resource/internal.h"

/* A batch route exists while its limit is above 0; which limit: */
typedef enum batch_limit { ALWAYS, BATCH_CREATE, BATCH_UPDATE, BATCH_DELETE } batch_limit;

typedef struct fixed_route {
    cov_method method;
    cov_str tail;
    batch_limit needs;
    cov_resource_handler handler;
} fixed_route;

static const fixed_route fixed[] = {
    { COV_GET, COV_STR_INIT(""), ALWAYS, cov__list },
    { COV_POST, COV_STR_INIT(""), ALWAYS, cov__create },
    { COV_GET, COV_STR_INIT("aggregate"), ALWAYS, cov__aggregate },
    { COV_GET, COV_STR_INIT("count"), ALWAYS, cov__count },
    { COV_POST, COV_STR_INIT("batch"), BATCH_CREATE, cov__batch_create },
    { COV_POST, COV_STR_INIT("batch/upsert"), BATCH_CREATE, cov__batch_upsert },
    { COV_PATCH, COV_STR_INIT("batch"), BATCH_UPDATE, cov__batch_update },
    { COV_DELETE, COV_STR_INIT("batch"), BATCH_DELETE, cov__batch_delete },
};

static const cov_resource_handler by_id[COV_METHOD_OTHER + 1] = {
    [COV_GET] = cov__get,
    [COV_PUT] = cov__put,
    [COV_PATCH] = cov__patch,
    [COV_DELETE] = cov__delete,
};

static bool exists(const cov_resource *r, batch_limit needs)
{
    switch (needs) {
    case BATCH_CREATE:
        return r->config->batch.create > 0;
    case BATCH_UPDATE:
        return r->config->batch.update > 0;
    case BATCH_DELETE:
        return r->config->batch.delete_ > 0;
    case ALWAYS:
        break;
    }
    return true;
}

bool cov__fixed_route(size_t at, cov_method *method, cov_str *tail)
{
    if (at >= COV_COUNT_OF(fixed))
        return false;
    *method = fixed[at].method;
    *tail = fixed[at].tail;
    return true;
}

cov_resource_route cov_resource_find(const cov_resource *resource, cov_method method, cov_str tail)
{
    const cov_str rpc = COV_STR_INIT("rpc/");
    cov_resource_route route = { NULL, tail };

    if (method == COV_HEAD)
        method = COV_GET;
    for (size_t i = 0; i < COV_COUNT_OF(fixed); i++)
        if (fixed[i].method == method && cov_str_eq(fixed[i].tail, tail) &&
            exists(resource, fixed[i].needs)) {
            route.handler = fixed[i].handler;
            return route;
        }
    if (method == COV_POST && cov_str_starts(tail, rpc)) {
        route.id = cov_str_slice(tail, rpc.len, tail.len);
        route.handler = cov__procedure_named(resource, route.id) != NULL ? cov__procedure : NULL;
        return route;
    }
    if (tail.len != 0 && memchr(tail.ptr, '/', tail.len) == NULL)
        route.handler = by_id[method];
    return route;
}
