/* SPDX-License-Identifier: MIT */
#include "resource/nested.h"

typedef struct nested_reader {
    cov_ctx *ctx;
    cov_issues *issues;
    const cov_relation *relation;
    const cov_rsql_expr *scope;
} nested_reader;

static cov_status read_row(nested_reader *reader, yyjson_val *value, cov_str prefix,
                           cov_nested_row ***tail)
{
    const cov_relation *relation = reader->relation;
    const cov_resource *target = relation->target;
    cov_input_rules rules = { COV_INPUT_CREATE, prefix, NULL, false };
    cov_nested_row *row = COV_NEW(reader->ctx->arena, cov_nested_row);
    bool *filled = COV_NEW_ARRAY(reader->ctx->arena, bool, target->table->n_columns);
    cov_status st;

    if (row == NULL || filled == NULL)
        return cov_fail_nomem(reader->ctx->err);
    filled[relation->remote->index] = relation->type != COV_BELONGS_TO;
    rules.filled = filled;
    row->relation = relation;
    row->scope = reader->scope;
    st = cov__input_read(target, reader->ctx, value, &rules, reader->issues, &row->input);
    if (st != COV_OK)
        return st;
    cov__input_mask(target, &row->input);
    **tail = row;
    *tail = &row->next;
    return COV_OK;
}

static cov_status read_list(nested_reader *reader, yyjson_val *list, cov_nested_row ***tail)
{
    const cov_resource *target = reader->relation->target;
    yyjson_val *value;
    size_t i;
    size_t n;
    cov_status st = cov__batch_limit(reader->ctx, "create", target->config->batch.create,
                                     (int64_t)yyjson_arr_size(list));

    if (st != COV_OK)
        return st;
    yyjson_arr_foreach(list, i, n, value)
    {
        cov_str prefix = cov_arena_printf(reader->ctx->arena, "%.*s.%zu",
                                          COV_STR_ARG(reader->relation->name), i);

        st = prefix.ptr != NULL ? read_row(reader, value, prefix, tail)
                                : cov_fail_nomem(reader->ctx->err);
        if (st != COV_OK)
            return st;
    }
    return COV_OK;
}

/* Creating through a relation needs what creating at the target needs. */
static cov_status check_access(nested_reader *reader)
{
    const cov_resource *target = reader->relation->target;
    cov_status st = cov__access_gate(target, reader->ctx, COV_OP_CREATE, &reader->scope);

    return st == COV_OK
               ? cov__access_capability(target, reader->ctx, target->config->capabilities.create,
                                        "enableCreate")
               : st;
}

static cov_status read_relation(nested_reader *reader, yyjson_val *value, cov_nested *out,
                                cov_nested_row ***parents, cov_nested_row ***children)
{
    const cov_relation *relation = reader->relation;
    cov_status st;

    if (value == NULL || yyjson_is_null(value) || relation->type == COV_MANY_TO_MANY)
        return COV_OK;
    st = check_access(reader);
    if (st != COV_OK)
        return st;
    if (relation->type == COV_BELONGS_TO) {
        out->filled[relation->local->index] = true;
        return read_row(reader, value, relation->name, parents);
    }
    return yyjson_is_arr(value) ? read_list(reader, value, children)
                                : read_row(reader, value, relation->name, children);
}

cov_status cov__nested_read(const cov_resource *r, cov_ctx *ctx, yyjson_val *body,
                            cov_issues *issues, cov_nested *out)
{
    cov_nested_row **parents = &out->parents;
    cov_nested_row **children = &out->children;
    cov_status st = COV_OK;

    out->parents = out->children = NULL;
    out->filled = COV_NEW_ARRAY(ctx->arena, bool, r->table->n_columns);
    if (out->filled == NULL)
        return cov_fail_nomem(ctx->err);
    for (size_t i = 0; st == COV_OK && r->config->nested_writes && i < r->n_relations; i++) {
        nested_reader reader = { ctx, issues, &r->relations[i], NULL };
        cov_str name = r->relations[i].name;

        st = read_relation(&reader, yyjson_obj_getn(body, name.ptr, name.len), out, &parents,
                           &children);
    }
    return st;
}

cov_status cov__nested_parents(cov_ctx *ctx, const cov_nested *nested, cov_input *input)
{
    for (cov_nested_row *row = nested->parents; row != NULL; row = row->next) {
        size_t at = row->relation->local->index;
        cov_value *inserted = NULL;
        cov_status st =
            cov__create_row(row->relation->target, ctx, row->scope, &row->input, &inserted);

        if (st != COV_OK)
            return st;
        input->present[at] = true;
        input->values[at] = inserted[row->relation->remote->index];
    }
    return COV_OK;
}

cov_status cov__nested_children(cov_ctx *ctx, const cov_nested *nested, const cov_value *main_row)
{
    for (cov_nested_row *row = nested->children; row != NULL; row = row->next) {
        size_t at = row->relation->remote->index;
        cov_value *inserted = NULL;
        cov_status st;

        row->input.present[at] = true;
        row->input.values[at] = main_row[row->relation->local->index];
        st = cov__create_row(row->relation->target, ctx, row->scope, &row->input, &inserted);
        if (st != COV_OK)
            return st;
    }
    return COV_OK;
}
