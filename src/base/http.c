/* SPDX-License-Identifier: MIT */
#include "covara/http.h"

#include "covara/stream.h"

static const cov_str method_names[COV_METHOD_OTHER] = {
    [COV_GET] = COV_STR_INIT("GET"),         [COV_HEAD] = COV_STR_INIT("HEAD"),
    [COV_POST] = COV_STR_INIT("POST"),       [COV_PUT] = COV_STR_INIT("PUT"),
    [COV_PATCH] = COV_STR_INIT("PATCH"),     [COV_DELETE] = COV_STR_INIT("DELETE"),
    [COV_OPTIONS] = COV_STR_INIT("OPTIONS"),
};

cov_method cov_method_of(cov_str name)
{
    for (size_t i = 0; i < COV_METHOD_OTHER; i++)
        if (cov_str_eq(method_names[i], name))
            return (cov_method)i;
    return COV_METHOD_OTHER;
}

cov_str cov_request_header(const cov_request *req, cov_str name)
{
    for (size_t i = 0; i < req->n_headers; i++)
        if (cov_str_eq_nocase(req->headers[i].name, name))
            return req->headers[i].value;
    return COV_STR_NULL;
}

const cov_header *cov_response_find(const cov_response *res, cov_str name)
{
    for (size_t i = 0; i < res->n_headers; i++)
        if (cov_str_eq_nocase(res->headers[i].name, name))
            return &res->headers[i];
    return NULL;
}

void cov_response_header(cov_response *res, cov_str name, cov_str value)
{
    size_t at = 0;

    while (at < res->n_headers && !cov_str_eq_nocase(res->headers[at].name, name))
        at++;
    if (at == COV_RESPONSE_MAX_HEADERS)
        return;
    res->headers[at].name = name;
    res->headers[at].value = value;
    if (at == res->n_headers)
        res->n_headers++;
}

void cov_response_add_header(cov_response *res, cov_str name, cov_str value)
{
    if (res->n_headers == COV_RESPONSE_MAX_HEADERS)
        return;
    res->headers[res->n_headers].name = name;
    res->headers[res->n_headers++].value = value;
}

void cov_response_drop_stream(cov_response *res)
{
    cov_stream_source *source = res->stream;

    res->stream = NULL;
    if (source != NULL)
        source->closed(source);
}
