/* SPDX-License-Identifier: MIT */
/*
 * covara/procedure.h - remote procedures, custom routes and middleware.
 */
#ifndef COVARA_PROCEDURE_H
#define COVARA_PROCEDURE_H

#include "covara/ctx.h"

COV_BEGIN_C

/*
 * The shape of a JSON value. Nothing is coerced. An integer beyond +-(2^53-1) is a string, as cov_json_int writes
 * it and cov_json_int64 reads it.
 */
typedef enum cov_shape_type {
    COV_SHAPE_ANY, /* null included */
    COV_SHAPE_TEXT,
    COV_SHAPE_INTEGER,
    COV_SHAPE_NUMBER,
    COV_SHAPE_BOOLEAN,
    COV_SHAPE_TIME,   /* ISO 8601 text, or epoch milliseconds */
    COV_SHAPE_OBJECT, /* with `fields`; none: any object */
    COV_SHAPE_LIST    /* of what fields[0] describes, whatever its name; none: any list */
} cov_shape_type;

typedef struct cov_field cov_field;
struct cov_field {
    const char *name;
    cov_shape_type type;
    bool optional; /* may be absent */
    bool nullable; /* may be null */
    const cov_field *fields;
    size_t n_fields;
};

/*
 * input   validated, not NULL: {} when the body was empty. Members that the shape does not mention were not
 *         looked at, and are there for cov_json_get
 * output  append one JSON value; nothing means that the answer has no `data`, which an output shape refuses
 */
typedef cov_status (*cov_procedure_fn)(cov_ctx *ctx, const cov_json *input, cov_buf *output,
                                       void *self, cov_error *err);

/*
 * POST <resource>/rpc/<name> (spec/01 section 17). Runs in a transaction, which a failure or an output of the
 * wrong shape rolls back.
 */
typedef struct cov_procedure {
    const char *name; /* letters, digits, "-", ".", "_", "~" */
    cov_procedure_fn call;
    void *self;
    const cov_field *input; /* members of the input object; none: any JSON value */
    size_t n_input;
    const cov_field
        *output; /* members of the output object, others are dropped; none: any JSON value */
    size_t n_output;
    bool signed_in;                   /* refuse anonymous callers with 401 */
    const char *const *write_effects; /* resources that it may change: informational */
    size_t n_write_effects;
} cov_procedure;

/*
 * Fill the response: cov_ctx_response(ctx)->status and body, headers with cov_response_header. On a failure what
 * the handler put there is dropped for the problem.
 */
typedef cov_status (*cov_handler_fn)(cov_ctx *ctx, void *self, cov_error *err);

/*
 * Goes before resources. Of the routes that fit, the first added answers. A ":name" segment takes any one segment
 * that is not empty; the others are compared with the raw path byte for byte. HEAD runs GET.
 */
typedef struct cov_custom_route {
    cov_method method;
    const char *path; /* absolute: "/feed.xml", "/reports/:year"; at most 8 parameters */
    cov_handler_fn handle;
    void *self;
    bool
        writes; /* runs on the writer, in a transaction; default for all methods but GET and HEAD */
} cov_custom_route;

/*
 * Runs before routing, on every path but preflights, in the order added; health routes and unknown paths included.
 * COV_OK with a response status set answers the request; COV_OK without goes on, and keeps the headers but not
 * the body; a failure is the answer's problem. The headers set so far are on the answer even when it is a problem.
 *
 * It runs where the request runs. Where that may write (cov_app_lane), middleware and answer are one transaction.
 * Everywhere else the connection only reads and a statement that changes rows fails: middleware must not count on
 * writing.
 */
typedef struct cov_middleware {
    cov_handler_fn before;
    void *self;
} cov_middleware;

COV_END_C

#endif
