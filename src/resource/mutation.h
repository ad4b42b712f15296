/* SPDX-License-Identifier: MIT */
/*
 * resource/mutation.h - the record of what a request changed, for listeners once it is committed.
 *
 * Nothing is recorded of tables that nobody may want to know of (cov_feed.records). The list dies with the request's arena; a failed request's list is
 * thrown away by cov_app_fetch.
 */
#ifndef COV_RESOURCE_MUTATION_H
#define COV_RESOURCE_MUTATION_H

#include "resource/ctx.h"

struct cov_mutation_node {
    cov_mutation mutation;
    /* The row in table order before and after, in the request's arena. NULL: there was none, or it is not known (a
     * statement of the application, rows changed together while nobody followed them). */
    const cov_value *before;
    const cov_value *after;
    cov_str user_id;       /* who; ptr NULL: anonymous */
    cov_str optimistic_id; /* the client's own name for a created row; ptr NULL: none */
    int64_t seq;   /* in the changelog, when that is written in the same transaction; else 0 */
    bool is_row;   /* false: "*", rows unknown */
    bool external; /* somebody else changed it (cov_record_external_mutation) */
    struct cov_mutation_node *next;
};

/* Texts are copied. NULL when nothing is recorded. */
struct cov_mutation_node *cov__record(cov_ctx *ctx, cov_str resource, cov_str type, cov_str id);
/* One mutation of "*" when the statement names a table that it changes. */
COV_CHECK cov_status cov__record_statement(cov_ctx *ctx, cov_str sql);

#endif
