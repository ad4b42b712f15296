/* SPDX-License-Identifier: MIT */
#include "resource/relation.h"

typedef struct linker {
    cov_arena *arena;
    cov_resource *r;
    const cov_schema *schema;
    cov_resource *const *all;
    size_t n_all;
    size_t n; /* relations so far */
    cov_error *err;
} linker;

static const cov_relation *named_among(const cov_resource *r, size_t n, cov_str name)
{
    for (size_t i = 0; i < n; i++)
        if (cov_str_eq(r->relations[i].name, name))
            return &r->relations[i];
    return NULL;
}

const cov_relation *cov__relation_named(const cov_resource *r, cov_str name)
{
    return named_among(r, r->n_relations, name);
}

static const cov_rsql_hop *hop_named(const void *from, cov_str name)
{
    const cov_resource *r = from;
    const cov_relation *relation = named_among(r, r->n_paths, name);

    return relation != NULL ? &relation->hop : NULL;
}

cov_rsql_paths cov__relation_paths(const cov_resource *r)
{
    return (cov_rsql_paths){ hop_named, r };
}

bool cov__relation_is_single(const cov_relation *relation)
{
    return relation->type == COV_BELONGS_TO || relation->type == COV_HAS_ONE;
}

/* Foreign keys name tables, whatever the resources are called. */
static const cov_resource *resource_of_table(const linker *l, cov_str name)
{
    for (size_t i = 0; i < l->n_all; i++)
        if (cov_str_eq(l->all[i]->table->name, name))
            return l->all[i];
    return NULL;
}

static const cov_resource *resource_named(const linker *l, cov_str name)
{
    for (size_t i = 0; i < l->n_all; i++)
        if (cov_str_eq(l->all[i]->config->name, name))
            return l->all[i];
    return resource_of_table(l, name);
}

static cov_status fail(linker *l, const cov_relation_config *config, const char *what, cov_str name)
{
    return cov_fail(l->err, COV_EINVAL, "resource \"%.*s\": relation \"%.*s\": %s \"%.*s\"",
                    COV_STR_ARG(l->r->config->name), COV_STR_ARG(config->name), what,
                    COV_STR_ARG(name));
}

/* The column called `name` (property or SQL name), or `otherwise` when no name was given. */
static cov_status pick(linker *l, const cov_relation_config *config, const cov_table *table,
                       cov_str name, const cov_column *otherwise, const cov_column **out)
{
    *out = otherwise;
    if (name.ptr == NULL)
        return otherwise != NULL ? COV_OK
                                 : fail(l, config, "foreignKey is missing for table", table->name);
    *out = cov_table_column(table, name);
    if (*out == NULL)
        *out = cov_table_db_column(table, name);
    return *out != NULL ? COV_OK : fail(l, config, "no such column:", name);
}

static cov_status link_through(linker *l, const cov_relation_config *config, cov_relation *out)
{
    const cov_table *table = cov_schema_table(l->schema, config->through_table);
    const cov_column *source = NULL;
    const cov_column *target = NULL;
    cov_status st;

    if (table == NULL)
        return fail(l, config, "through: the schema has no table", config->through_table);
    st = pick(l, config, table, config->through_source_key, NULL, &source);
    if (st == COV_OK)
        st = pick(l, config, table, config->through_target_key, NULL, &target);
    if (st != COV_OK)
        return st;
    out->through = table->quoted;
    out->through_source = source->quoted;
    out->through_target = target->quoted;
    return COV_OK;
}

static cov_status link_columns(linker *l, const cov_relation_config *config, cov_relation *out)
{
    const cov_resource *r = l->r;
    const cov_resource *target = out->target;
    cov_status st;

    switch (out->type) {
    case COV_BELONGS_TO:
        st = pick(l, config, r->table, config->foreign_key, NULL, &out->local);
        return st == COV_OK
                   ? pick(l, config, target->table, config->references, target->id, &out->remote)
                   : st;
    case COV_HAS_ONE:
    case COV_HAS_MANY:
        st = pick(l, config, target->table, config->foreign_key, NULL, &out->remote);
        return st == COV_OK ? pick(l, config, r->table, config->references, r->id, &out->local)
                            : st;
    case COV_MANY_TO_MANY:
        break;
    }
    out->local = r->id;
    st = pick(l, config, target->table, config->references, target->id, &out->remote);
    return st == COV_OK ? link_through(l, config, out) : st;
}

static cov_status link_declared(linker *l, const cov_relation_config *config)
{
    cov_relation *out = &l->r->relations[l->n];
    cov_status st;

    out->name = config->name;
    out->type = config->type;
    out->eager = config->eager;
    out->target = resource_named(l, config->resource);
    if (out->target == NULL)
        return fail(l, config, "no resource is called", config->resource);
    st = link_columns(l, config, out);
    out->hop.target = out->target->table;
    if (st == COV_OK)
        l->n++;
    return st;
}

/* "author_id" -> "author", "userid" -> "user"; a name that would become empty is kept. */
static cov_str parent_name(cov_str column)
{
    size_t end = column.len;

    if (end < 2 || column.ptr[end - 1] != 'd' ||
        (column.ptr[end - 2] != 'i' && column.ptr[end - 2] != 'I'))
        return column;
    end -= 2;
    if (end > 0 && column.ptr[end - 1] == '_')
        end--;
    return end > 0 ? cov_str_slice(column, 0, end) : column;
}

/* The first of a name wins. */
static void add_discovered(linker *l, const cov_relation *found)
{
    if (found->local == NULL || found->remote == NULL ||
        named_among(l->r, l->n, found->name) != NULL)
        return;
    l->r->relations[l->n++] = *found;
}

/* An include reaches registered resources only, so that their rules protect the rows (spec/01 Q-17i). */
static void discover_parents(linker *l, bool of_any_table)
{
    const cov_table *table = l->r->table;

    for (size_t i = 0; i < table->n_foreign_keys; i++) {
        const cov_foreign_key *key = &table->foreign_keys[i];
        cov_relation found = { .type = COV_BELONGS_TO };

        if (key->n_columns != 1)
            continue;
        found.target = resource_of_table(l, key->table);
        found.hop.target = found.target != NULL ? found.target->table
                           : of_any_table       ? cov_schema_table(l->schema, key->table)
                                                : NULL;
        if (found.hop.target == NULL)
            continue;
        found.local = &table->columns[key->columns[0]];
        found.remote = cov_table_db_column(found.hop.target, key->targets[0]);
        found.name = parent_name(found.local->db_name);
        add_discovered(l, &found);
    }
}

static void discover_children(linker *l)
{
    for (size_t i = 0; i < l->n_all; i++) {
        const cov_resource *child = l->all[i];

        for (size_t k = 0;
             !cov_str_eq(child->table->name, l->r->table->name) && k < child->table->n_foreign_keys;
             k++) {
            const cov_foreign_key *key = &child->table->foreign_keys[k];
            cov_relation found = { .type = COV_HAS_MANY };

            if (key->n_columns != 1 || !cov_str_eq(key->table, l->r->table->name))
                continue;
            found.name = child->table->name;
            found.target = child;
            found.hop.target = child->table;
            found.local = cov_table_db_column(l->r->table, key->targets[0]);
            found.remote = &child->table->columns[key->columns[0]];
            add_discovered(l, &found);
        }
    }
}

/* Room for every relation that could be declared or found. */
static size_t most_relations(const linker *l)
{
    size_t most = l->r->config->n_relations + l->r->table->n_foreign_keys;

    for (size_t i = 0; i < l->n_all; i++)
        most += l->all[i]->table->n_foreign_keys;
    return most;
}

static void discover(linker *l, bool of_any_table)
{
    discover_parents(l, of_any_table);
    discover_children(l);
}

/* A related row that is marked as deleted gives nobody access. */
static void finish_hop(cov_relation *relation)
{
    cov_rsql_hop *hop = &relation->hop;

    hop->outer = relation->local;
    hop->inner = relation->remote;
    hop->through = relation->through;
    hop->through_outer = relation->through_source;
    hop->through_inner = relation->through_target;
    hop->deleted = relation->target != NULL ? relation->target->soft_delete : NULL;
    hop->next = relation->target;
}

cov_status cov_resource_link(cov_arena *arena, cov_resource *resource, const cov_schema *schema,
                             cov_resource *const *all, size_t n_all, cov_error *err)
{
    linker l = { arena, resource, schema, all, n_all, 0, err };
    cov_status st = COV_OK;

    resource->relations = COV_NEW_ARRAY(arena, cov_relation, most_relations(&l) + 1);
    if (resource->relations == NULL)
        return cov_fail_nomem(err);
    for (size_t i = 0; st == COV_OK && i < resource->config->n_relations; i++)
        st = link_declared(&l, &resource->config->relations[i]);
    if (st != COV_OK)
        return st;
    if (resource->config->auto_relations)
        discover(&l, false);
    resource->n_relations = l.n;
    discover(&l, true);
    resource->n_paths = l.n;
    for (size_t i = 0; i < l.n; i++)
        finish_hop(&resource->relations[i]);
    return COV_OK;
}
