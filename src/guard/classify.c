/* SPDX-License-Identifier: MIT */
/*
 * What a request counts as (spec/07 section 5.2), by the route that answers it: a table of the routes that are not what
 * their method says. An item cannot be taken for one of them, since the router prefers them too.
 */
#include "guard/guard.h"

typedef struct route_op {
    cov_method method;
    cov_str tail;
    cov_gate_op op;
} route_op;

static const route_op routes[] = {
    { COV_GET, COV_STR_INIT("count"), COV_GATE_COUNT },
    { COV_GET, COV_STR_INIT("search"), COV_GATE_SEARCH },
    { COV_GET, COV_STR_INIT("aggregate"), COV_GATE_AGGREGATE },
    { COV_GET, COV_STR_INIT("subscribe"), COV_GATE_SUBSCRIBE },
    { COV_GET, COV_STR_INIT("aggregate/subscribe"), COV_GATE_SUBSCRIBE },
};

static const cov_gate_op by_method[COV_METHOD_OTHER + 1] = {
    [COV_GET] = COV_GATE_READ,     [COV_HEAD] = COV_GATE_READ,
    [COV_POST] = COV_GATE_CREATE,  [COV_PUT] = COV_GATE_UPDATE,
    [COV_PATCH] = COV_GATE_UPDATE, [COV_DELETE] = COV_GATE_DELETE,
    [COV_OPTIONS] = COV_GATE_READ, [COV_METHOD_OTHER] = COV_GATE_READ,
};

static const cov_str names[COV_N_GATE_OPS] = {
    [COV_GATE_READ] = COV_STR_INIT("read"),
    [COV_GATE_CREATE] = COV_STR_INIT("create"),
    [COV_GATE_UPDATE] = COV_STR_INIT("update"),
    [COV_GATE_DELETE] = COV_STR_INIT("delete"),
    [COV_GATE_SUBSCRIBE] = COV_STR_INIT("subscribe"),
    [COV_GATE_AGGREGATE] = COV_STR_INIT("aggregate"),
    [COV_GATE_COUNT] = COV_STR_INIT("count"),
    [COV_GATE_SEARCH] = COV_STR_INIT("search"),
    [COV_GATE_RPC] = COV_STR_INIT("rpc"),
};

cov_gate_op cov_gate_op_of(cov_method method, cov_str tail)
{
    cov_method route_method = method == COV_HEAD ? COV_GET : method;

    for (size_t i = 0; i < COV_COUNT_OF(routes); i++)
        if (routes[i].method == route_method && cov_str_eq(routes[i].tail, tail))
            return routes[i].op;
    if (method == COV_POST && cov_str_starts(tail, COV_STR("rpc/")))
        return COV_GATE_RPC;
    return by_method[method];
}

cov_str cov_gate_op_name(cov_gate_op op)
{
    return names[op];
}
