/* SPDX-License-Identifier: MIT */
/* Loading the tree of includes: one query a node, rows handed to parents by key. */
#include "resource/include.h"

typedef struct key_slot {
    cov_value key;
    cov_include_row *first;
    cov_include_row *last;
    bool used;
} key_slot;

typedef struct key_table {
    key_slot *slots;
    size_t cap; /* a power of two, at least twice the number of keys */
} key_table;

typedef struct loader {
    const cov_resource *root; /* whose limits apply to the whole tree */
    cov_ctx *ctx;
    size_t n_rows;
} loader;

static uint64_t hash_value(const cov_value *value)
{
    uint64_t bits = 0;

    switch (value->type) {
    case COV_INT:
        bits = (uint64_t)value->i;
        break;
    case COV_REAL: /* 1.0 and 1 are one key */
        bits = value->r >= -9e18 && value->r <= 9e18 ? (uint64_t)(int64_t)value->r : 0;
        break;
    case COV_TEXT:
    case COV_BLOB:
        return cov_hash(value->s);
    case COV_NULL:
        break;
    }
    return bits * UINT64_C(0x9E3779B97F4A7C15) >> 7;
}

static key_slot *slot_of(const key_table *table, const cov_value *key)
{
    size_t at = (size_t)hash_value(key) & (table->cap - 1);

    while (table->slots[at].used && !cov__value_equal(&table->slots[at].key, key))
        at = (at + 1) & (table->cap - 1);
    return &table->slots[at];
}

/* The distinct non-NULL keys of the parents, as a JSON array for json_each. */
static bool collect_keys(cov_arena *arena, const cov_value *const *parents, size_t n, size_t at,
                         key_table *table, cov_buf *json)
{
    table->cap = 16;
    while (table->cap < n * 2)
        table->cap *= 2;
    table->slots = COV_NEW_ARRAY(arena, key_slot, table->cap);
    if (table->slots == NULL)
        return false;
    cov_buf_char(json, '[');
    for (size_t i = 0; i < n; i++) {
        const cov_value *key = &parents[i][at];
        key_slot *slot;

        if (key->type == COV_NULL || key->type == COV_BLOB)
            continue;
        slot = slot_of(table, key);
        if (slot->used)
            continue;
        slot->used = true;
        slot->key = *key;
        if (json->len > 1)
            cov_buf_char(json, ',');
        if (key->type == COV_INT)
            cov_buf_i64(json, key->i);
        else if (key->type == COV_REAL)
            cov_json_double(json, key->r);
        else
            cov_json_str(json, key->s);
    }
    cov_buf_char(json, ']');
    return !json->failed;
}

void cov__include_parent_columns(const cov_include *nodes, cov_columns *query)
{
    for (; nodes != NULL; nodes = nodes->next)
        (void)cov__columns_ensure(query, nodes->relation->local);
}

size_t cov__include_count(const cov_include *nodes)
{
    size_t n = 0;

    for (; nodes != NULL; nodes = nodes->next)
        n++;
    return n;
}

static cov_status node_columns(loader *l, cov_include *node)
{
    const cov_resource *target = node->relation->target;
    const cov_columns *first;
    size_t most;
    cov_status st = cov__columns_named(target, l->ctx, node->select, &node->layout.out);

    if (st != COV_OK)
        return st;
    node->layout.whole = cov__reads_whole_rows(target);
    first = node->layout.whole ? &target->all : &node->layout.out;
    most = first->n + cov__include_count(node->children) + 2;
    node->query.items = COV_NEW_ARRAY(l->ctx->arena, const cov_column *, most);
    if (node->query.items == NULL)
        return cov_fail_nomem(l->ctx->err);
    for (size_t i = 0; i < first->n; i++)
        node->query.items[node->query.n++] = first->items[i];
    cov__include_parent_columns(node->children, &node->query);
    (void)cov__columns_ensure(&node->query, node->relation->remote);
    return COV_OK;
}

/*
 * Whoever may not read the target sees the relation empty, never an error (spec/06 section 4.7). A scope of the application
 * that fails leaves a line in the log instead.
 */
static cov_status target_scope(loader *l, const cov_resource *target, const cov_rsql_expr **out)
{
    cov_ctx *ctx = l->ctx;
    cov_status st = cov__access_scope(target, ctx, COV_OP_READ, out);

    if (st == COV_OK || st == COV_ENOMEM)
        return st;
    if (st != COV_EUNAUTH && st != COV_EFORBIDDEN)
        ctx->host->log(ctx->host->self, COV_LOG_ERROR, cov_error_detail(ctx->err), COV_STR(""));
    *out = cov_rsql_none();
    return COV_OK;
}

static cov_status node_where(loader *l, const cov_include *node, cov_where *where, bool *empty)
{
    const cov_resource *target = node->relation->target;
    const cov_rsql_expr *filter = NULL;
    bool ok = true;
    cov_status st = target_scope(l, target, &where->expr);

    *empty = where->expr == cov_rsql_none();
    if (st == COV_OK)
        st = cov__filter_bind(target, l->ctx, node->filter, &filter);
    if (st != COV_OK)
        return st;
    where->live_only = target->soft_delete != NULL;
    where->expr = cov_rsql_and(l->ctx->arena, where->expr, filter, &ok);
    return ok ? COV_OK : cov_fail_nomem(l->ctx->err);
}

static int64_t node_limit(const loader *l, const cov_include *node)
{
    if (node->limit < 0 && l->root->config->include.default_limit > 0 &&
        !cov__relation_is_single(node->relation))
        return l->root->config->include.default_limit;
    return node->limit;
}

static void key_sql(const cov_include *node, cov_sql *sql)
{
    if (node->relation->type == COV_MANY_TO_MANY)
        COV_SQL(sql, "\"covara_key\"");
    else
        cov_sql_str(sql, node->relation->remote->quoted);
}

static void keys_in_sql(cov_str keys, cov_sql *sql)
{
    COV_SQL(sql, " IN (SELECT value FROM json_each(");
    cov_sql_param(sql, cov_value_text(keys));
    COV_SQL(sql, "))");
}

/* FROM and WHERE; the junction's columns get names that no target column has. */
static void source_sql(const cov_include *node, const cov_where *where, cov_str keys, cov_sql *sql)
{
    const cov_relation *relation = node->relation;
    bool junction = relation->type == COV_MANY_TO_MANY;

    COV_SQL(sql, " FROM ");
    cov_sql_str(sql, relation->target->table->quoted);
    if (junction) {
        COV_SQL(sql, " JOIN (SELECT ");
        cov_sql_str(sql, relation->through_source);
        COV_SQL(sql, " AS \"covara_key\",");
        cov_sql_str(sql, relation->through_target);
        COV_SQL(sql, " AS \"covara_target\" FROM ");
        cov_sql_str(sql, relation->through);
        COV_SQL(sql, " WHERE ");
        cov_sql_str(sql, relation->through_source);
        keys_in_sql(keys, sql);
        COV_SQL(sql, ") ON \"covara_target\" = ");
        cov_sql_str(sql, relation->remote->quoted);
    }
    cov__where_sql(relation->target, where, !junction, sql);
    if (!junction) {
        cov_sql_str(sql, relation->remote->quoted);
        keys_in_sql(keys, sql);
    }
}

static void columns_sql(const cov_include *node, cov_sql *sql)
{
    cov__column_list_sql(sql, &node->query);
    if (node->relation->type == COV_MANY_TO_MANY)
        COV_SQL(sql, ",\"covara_key\"");
}

/* A limit for each parent is a window over its rows, so that one query still serves all parents. */
static void node_sql(const loader *l, const cov_include *node, const cov_where *where, cov_str keys,
                     cov_sql *sql)
{
    const cov_column *id = node->relation->target->id;
    int64_t limit = node_limit(l, node);
    bool windowed = limit >= 0 || node->offset > 0;

    COV_SQL(sql, "SELECT ");
    columns_sql(node, sql);
    if (windowed) {
        COV_SQL(sql, " FROM (SELECT ");
        columns_sql(node, sql);
        COV_SQL(sql, ",row_number() OVER (PARTITION BY ");
        key_sql(node, sql);
        COV_SQL(sql, " ORDER BY ");
        cov_sql_str(sql, id->quoted);
        COV_SQL(sql, ") AS \"covara_n\"");
    }
    source_sql(node, where, keys, sql);
    if (!windowed) {
        COV_SQL(sql, " ORDER BY ");
        cov_sql_str(sql, id->quoted);
        return;
    }
    COV_SQL(sql, ") WHERE \"covara_n\" > ");
    cov_sql_param(sql, cov_value_int(node->offset));
    if (limit >= 0) {
        COV_SQL(sql, " AND \"covara_n\" <= ");
        cov_sql_param(sql, cov_value_int(limit < INT64_MAX - node->offset ? node->offset + limit
                                                                          : INT64_MAX));
    }
    COV_SQL(sql, " ORDER BY \"covara_n\"");
}

typedef struct include_sink {
    cov_row_sink sink;
    loader *l;
    cov_include *node;
    const key_table *keys;
    size_t key_at;
    size_t cap;
} include_sink;

static bool keep(include_sink *sink, cov_include_row *row)
{
    cov_include *node = sink->node;

    if (node->n_rows == sink->cap) {
        size_t cap = sink->cap != 0 ? sink->cap * 2 : 16;
        cov_include_row **rows = COV_NEW_ARRAY(sink->l->ctx->arena, cov_include_row *, cap);

        if (rows == NULL)
            return false;
        if (node->n_rows != 0)
            memcpy(rows, node->rows, node->n_rows * sizeof(*rows));
        node->rows = rows;
        sink->cap = cap;
    }
    row->index = node->n_rows;
    node->rows[node->n_rows++] = row;
    return true;
}

static cov_status on_row(cov_row_sink *base, const cov_value *values, size_t n, cov_error *err)
{
    include_sink *sink = (include_sink *)base;
    int64_t most = sink->l->root->config->include.max_rows;
    cov_arena *arena = sink->l->ctx->arena;
    cov_include_row *row;
    key_slot *slot;

    if (most > 0 && sink->l->n_rows++ >= (size_t)most)
        return cov_fail(err, COV_EINVAL,
                        "The includes load more than %lld rows; narrow them with limit or filter",
                        (long long)most);
    slot = slot_of(sink->keys, &values[sink->key_at]);
    row = COV_NEW(arena, cov_include_row);
    if (row == NULL)
        return cov_fail_nomem(err);
    row->values = cov__values_clone(arena, values, n);
    if (row->values == NULL || !keep(sink, row))
        return cov_fail_nomem(err);
    if (!slot->used)
        return COV_OK;
    if (slot->last != NULL)
        slot->last->next = row;
    else
        slot->first = row;
    slot->last = row;
    return COV_OK;
}

static cov_status query_node(loader *l, cov_include *node, const cov_where *where, cov_str keys,
                             const key_table *table)
{
    include_sink sink = { { on_row }, l, node, table, node->query.n, 0 };
    cov_stmt stmt;
    cov_status st;
    cov_sql sql;

    if (node->relation->type != COV_MANY_TO_MANY)
        sink.key_at = cov__columns_ensure(&node->query, node->relation->remote);
    cov_sql_init(&sql, l->ctx->arena, l->ctx->db);
    node_sql(l, node, where, keys, &sql);
    st = cov_sql_finish(&sql, &stmt, l->ctx->err);
    return st == COV_OK ? cov_db_query(l->ctx->db, &stmt, &sink.sink, l->ctx->err) : st;
}

static cov_status load_nodes(loader *l, cov_include *nodes, const cov_columns *columns,
                             const cov_value *const *parents, size_t n);

static cov_status load_children(loader *l, cov_include *node)
{
    const cov_value **rows;

    if (node->children == NULL)
        return COV_OK;
    rows = COV_NEW_ARRAY(l->ctx->arena, const cov_value *, node->n_rows + 1);
    if (rows == NULL)
        return cov_fail_nomem(l->ctx->err);
    for (size_t i = 0; i < node->n_rows; i++)
        rows[i] = node->rows[i]->values;
    return load_nodes(l, node->children, &node->query, rows, node->n_rows);
}

static cov_status load_node(loader *l, cov_include *node, const cov_columns *columns,
                            const cov_value *const *parents, size_t n)
{
    cov_columns known = *columns;
    size_t at = cov__columns_ensure(&known, node->relation->local);
    cov_buf keys = COV_BUF_IN(l->ctx->arena);
    cov_where where = { NULL, false };
    key_table table;
    bool empty;
    cov_status st = node_columns(l, node);

    if (st == COV_OK)
        st = node_where(l, node, &where, &empty);
    if (st != COV_OK)
        return st;
    node->by_parent = COV_NEW_ARRAY(l->ctx->arena, cov_include_row *, n + 1);
    if (node->by_parent == NULL || !collect_keys(l->ctx->arena, parents, n, at, &table, &keys))
        return cov_fail_nomem(l->ctx->err);
    if (!empty && keys.len > 2)
        st = query_node(l, node, &where, cov_buf_view(&keys), &table);
    for (size_t i = 0; st == COV_OK && i < n; i++)
        if (parents[i][at].type != COV_NULL)
            node->by_parent[i] = slot_of(&table, &parents[i][at])->first;
    return st == COV_OK ? load_children(l, node) : st;
}

/* Depth is bounded by the parser. */
static cov_status load_nodes(loader *l, cov_include *nodes, const cov_columns *columns,
                             const cov_value *const *parents, size_t n)
{
    cov_status st = COV_OK;

    for (; st == COV_OK && nodes != NULL; nodes = nodes->next)
        st = load_node(l, nodes, columns, parents, n);
    return st;
}

cov_status cov__include_load(const cov_resource *r, cov_ctx *ctx, cov_include *nodes,
                             const cov_columns *columns, const cov_value *const *parents, size_t n)
{
    loader l = { r, ctx, 0 };

    return load_nodes(&l, nodes, columns, parents, n);
}

static cov_status rows_json(cov_buf *out, cov_ctx *ctx, const cov_include *node,
                            const cov_include_row *row)
{
    const cov_resource *target = node->relation->target;
    bool single = cov__relation_is_single(node->relation);
    cov_status st = COV_OK;

    if (single && row == NULL)
        COV_BUF_LIT(out, "null");
    for (bool first = true; st == COV_OK && row != NULL;
         row = single ? NULL : row->next, first = false) {
        if (!first)
            cov_buf_char(out, ',');
        st = cov__object_json(out, ctx, target, &node->layout, row->values, node->children,
                              row->index);
    }
    return st;
}

cov_status cov__include_json(cov_buf *out, cov_ctx *ctx, const cov_include *nodes, size_t parent,
                             bool empty)
{
    cov_status st = COV_OK;

    for (; st == COV_OK && nodes != NULL; nodes = nodes->next) {
        bool single = cov__relation_is_single(nodes->relation);

        if (!empty)
            cov_buf_char(out, ',');
        empty = false;
        cov_json_str(out, nodes->relation->name);
        cov_buf_str(out, single ? COV_STR(":") : COV_STR(":["));
        st = rows_json(out, ctx, nodes, nodes->by_parent[parent]);
        if (!single)
            cov_buf_char(out, ']');
    }
    return st;
}
