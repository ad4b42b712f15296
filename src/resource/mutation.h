/* SPDX-License-Identifier: MIT */
/*
 * resource/mutation.h - the record of what a request changed, for listeners once it is committed.
 *
 * Nothing is recorded while nobody listens. The list dies with the request's arena; a failed request's list is
 * thrown away by cov_app_fetch.
 */
#ifndef COV_RESOURCE_MUTATION_H
#define COV_RESOURCE_MUTATION_H

#include "resource/ctx.h"

struct cov_mutation_node {
    cov_mutation mutation;
    struct cov_mutation_node *next;
};

/* Texts are copied. */
void cov__record(cov_ctx *ctx, cov_str resource, cov_str type, cov_str id);
/* One mutation of "*" when the statement names a table that it changes. */
void cov__record_statement(cov_ctx *ctx, cov_str sql);

#endif
