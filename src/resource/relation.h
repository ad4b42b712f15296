/* SPDX-License-Identifier: MIT */
/*
 * resource/relation.h - how rows of one resource lead to rows of another (spec/01 sections 13.1 and 13.5).
 *
 * Knows:   both resources, the columns that join them, the junction of a manyToMany.
 * Ignores: requests. Relations are resolved once, after all resources were made.
 *
 * Scopes may cross more than requests may include: what foreign keys lead to, without `autoRelations`, and parents in
 * tables that are no resources. These follow behind the others in cov_resource.relations.
 */
#ifndef COV_RESOURCE_RELATION_H
#define COV_RESOURCE_RELATION_H

#include "resource/internal.h"

struct cov_relation {
    cov_str name;
    cov_relation_type type;
    const cov_resource *target; /* NULL for a table that is no resource */
    const cov_column
        *local; /* on the source: the foreign key of a belongsTo, else what children refer to */
    const cov_column
        *remote;     /* on the target: what a belongsTo refers to, the children's foreign key, or
                                 what the junction refers to */
    cov_str through; /* manyToMany: quoted table name of the junction */
    cov_str through_source; /* quoted column that refers to `local` */
    cov_str through_target; /* quoted column that refers to `remote` */
    bool eager;
    cov_rsql_hop hop; /* the same as a step of a scope's path */
};

/* NULL when there is none of that name. */
const cov_relation *cov__relation_named(const cov_resource *r, cov_str name);
/* How the scopes of `r` find relations. */
cov_rsql_paths cov__relation_paths(const cov_resource *r);
/* At most one row on the other side. */
bool cov__relation_is_single(const cov_relation *relation);

#endif
