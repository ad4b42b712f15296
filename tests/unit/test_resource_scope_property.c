/* SPDX-License-Identifier: MIT */
/*
 * Generated scopes and filters on generated rows: what the API shows, and what it changes, is what a naive
 * evaluation of the same conditions allows. COV_SEED repeats or varies a run.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app_fixture.h"

enum {
    N_WORLDS = 60,
    N_FILTERS = 8,
    N_WRITES = 24,
    MAX_ROWS = 120,
    MAX_DEPTH = 3,
    DEFAULT_SEED = 20240115,
    NOTHING = -1 /* NULL in the model */
};

static uint64_t state64;

static size_t below(size_t n)
{
    state64 ^= state64 << 13;
    state64 ^= state64 >> 7;
    state64 ^= state64 << 17;
    return (size_t)((state64 >> 11) % n);
}

/* --- the model --- */

typedef struct item {
    int64_t id;
    int64_t a;     /* 0..4 or NOTHING */
    int64_t owner; /* 1, 2 for "u1", "u2", or NOTHING */
    int64_t group; /* 1..3 or NOTHING */
    int64_t box;   /* 1..3: the parent that includes it */
} item;

typedef struct world {
    item items[MAX_ROWS];
    size_t n;
    bool member[4][3]; /* group, user */
} world;

typedef struct person {
    int number; /* "u1" is 1 */
    int64_t teams[2];
    size_t n_teams;
} person;

typedef enum leaf_kind {
    LEAF_A,    /* a rel value */
    LEAF_A_IN, /* a=in=(value,other) */
    LEAF_A_OUT,
    LEAF_A_NULL,
    LEAF_OWNER, /* owner=={user.id} and below: scopes only */
    LEAF_OWNER_NOT,
    LEAF_OWNER_GONE, /* owner!={user.gone} */
    LEAF_TEAMS,      /* groupId=in={user.metadata.teams} */
    LEAF_NOT_TEAMS,
    LEAF_MEMBER, /* group.members.userId=={user.id} */
    LEAF_ALL,
    LEAF_DENY,
    N_LEAVES
} leaf_kind;

typedef struct condition condition;
struct condition {
    bool chain;
    bool is_and;
    condition *left;
    condition *right;
    leaf_kind leaf;
    const char *rel;
    int64_t value;
    int64_t other;
};

static const char *const rels[] = { "==", "!=", "<", "<=", ">", ">=" };

static condition *generate(cov_arena *arena, bool scope, int depth)
{
    condition *c = COV_NEW(arena, condition);

    assert_non_null(c);
    c->chain = depth < MAX_DEPTH && below(2) == 0;
    c->is_and = below(2) == 0;
    if (c->chain) {
        c->left = generate(arena, scope, depth + 1);
        c->right = generate(arena, scope, depth + 1);
        return c;
    }
    c->leaf = (leaf_kind)below(scope ? N_LEAVES : LEAF_OWNER);
    c->rel = rels[below(COV_COUNT_OF(rels))];
    c->value = (int64_t)below(5);
    c->other = (int64_t)below(5);
    return c;
}

static void write_condition(cov_buf *out, const condition *c)
{
    if (c->chain) {
        cov_buf_char(out, '(');
        write_condition(out, c->left);
        cov_buf_char(out, c->is_and ? ';' : ',');
        write_condition(out, c->right);
        cov_buf_char(out, ')');
        return;
    }
    switch (c->leaf) {
    case LEAF_A:
        cov_buf_printf(out, "a%s%" PRId64, c->rel, c->value);
        break;
    case LEAF_A_IN:
    case LEAF_A_OUT:
        cov_buf_printf(out, "a=%s=(%" PRId64 ",%" PRId64 ")", c->leaf == LEAF_A_IN ? "in" : "out",
                       c->value, c->other);
        break;
    case LEAF_A_NULL:
        cov_buf_printf(out, "a=isnull=%s", c->value == 0 ? "true" : "false");
        break;
    case LEAF_OWNER:
        COV_BUF_LIT(out, "owner=={user.id}");
        break;
    case LEAF_OWNER_NOT:
        COV_BUF_LIT(out, "owner!={user.id}");
        break;
    case LEAF_OWNER_GONE:
        COV_BUF_LIT(out, "owner!={user.gone}");
        break;
    case LEAF_TEAMS:
        COV_BUF_LIT(out, "groupId=in={user.metadata.teams}");
        break;
    case LEAF_NOT_TEAMS:
        COV_BUF_LIT(out, "groupId=out={user.metadata.teams}");
        break;
    case LEAF_MEMBER:
        COV_BUF_LIT(out, "group.members.userId=={user.id}");
        break;
    case LEAF_ALL:
        cov_buf_char(out, '*');
        break;
    case LEAF_DENY:
    case N_LEAVES:
        COV_BUF_LIT(out, "__covara_deny_all_sentinel__");
        break;
    }
}

static bool related(int64_t a, const char *rel, int64_t b)
{
    if (strcmp(rel, "==") == 0)
        return a == b;
    if (strcmp(rel, "!=") == 0)
        return a != b;
    if (strcmp(rel, "<") == 0)
        return a < b;
    if (strcmp(rel, "<=") == 0)
        return a <= b;
    return strcmp(rel, ">") == 0 ? a > b : a >= b;
}

static bool in_team(const person *who, int64_t group)
{
    for (size_t i = 0; i < who->n_teams; i++)
        if (who->teams[i] == group)
            return true;
    return false;
}

static bool holds(const condition *c, const item *row, const world *w, const person *who)
{
    if (c->chain)
        return c->is_and ? holds(c->left, row, w, who) && holds(c->right, row, w, who)
                         : holds(c->left, row, w, who) || holds(c->right, row, w, who);
    switch (c->leaf) {
    case LEAF_A:
        return row->a != NOTHING && related(row->a, c->rel, c->value);
    case LEAF_A_IN:
        return row->a != NOTHING && (row->a == c->value || row->a == c->other);
    case LEAF_A_OUT:
        return row->a != NOTHING && row->a != c->value && row->a != c->other;
    case LEAF_A_NULL:
        return (row->a == NOTHING) == (c->value == 0);
    case LEAF_OWNER:
        return row->owner == who->number;
    case LEAF_OWNER_NOT:
        return row->owner != NOTHING && row->owner != who->number;
    case LEAF_TEAMS:
        return row->group != NOTHING && in_team(who, row->group);
    case LEAF_NOT_TEAMS:
        return row->group != NOTHING && who->n_teams != 0 && !in_team(who, row->group);
    case LEAF_MEMBER:
        return row->group != NOTHING && w->member[row->group][who->number];
    case LEAF_ALL:
        return true;
    case LEAF_OWNER_GONE:
    case LEAF_DENY:
    case N_LEAVES:
        break;
    }
    return false;
}

/* --- the world in the database --- */

static const char schema[] =
    "CREATE TABLE groups (id INTEGER PRIMARY KEY);"
    "CREATE TABLE members (id INTEGER PRIMARY KEY, group_id INTEGER REFERENCES groups(id), user_id TEXT);"
    "CREATE TABLE boxes (id INTEGER PRIMARY KEY);"
    "CREATE TABLE items (id INTEGER PRIMARY KEY, a INTEGER, owner TEXT, group_id INTEGER REFERENCES groups(id),"
    " box_id INTEGER REFERENCES boxes(id));"
    "INSERT INTO groups VALUES (1),(2),(3); INSERT INTO boxes VALUES (1),(2),(3);";

typedef struct scopes {
    condition *read;
    condition *create;
    condition *update;
    condition *delete_;
} scopes;

static void add_scope(cov_buf *config, const char *op, const condition *scope)
{
    cov_buf_printf(config, "%s\"%s\":\"", strcmp(op, "read") == 0 ? "" : ",", op);
    write_condition(config, scope);
    cov_buf_char(config, '"');
}

static void open_world(app_fixture *f, cov_arena *arena, scopes *s)
{
    cov_buf config = COV_BUF_IN(arena);

    s->read = generate(arena, true, 0);
    s->create = generate(arena, true, 0);
    s->update = generate(arena, true, 0);
    s->delete_ = generate(arena, true, 0);
    COV_BUF_LIT(&config, "{\"resources\":{\"items\":{\"auth\":{");
    add_scope(&config, "read", s->read);
    add_scope(&config, "create", s->create);
    add_scope(&config, "update", s->update);
    add_scope(&config, "delete", s->delete_);
    COV_BUF_LIT(&config, "}},\"groups\":{},\"members\":{},\"boxes\":{\"autoRelations\":true,"
                         "\"auth\":{\"public\":true}}}}");
    cov_buf_char(&config, '\0');
    app_fixture_open(f, schema, config.ptr);
}

static void put_value(cov_buf *out, int64_t value, const char *quoted_prefix)
{
    if (value == NOTHING)
        COV_BUF_LIT(out, "null");
    else if (quoted_prefix != NULL)
        cov_buf_printf(out, "%s%" PRId64 "%c", quoted_prefix, value, quoted_prefix[0]);
    else
        cov_buf_i64(out, value);
}

static int64_t maybe(size_t n, int64_t least)
{
    return below(5) == 0 ? NOTHING : least + (int64_t)below(n);
}

static item random_item(int64_t id)
{
    return (item){ id, maybe(5, 0), maybe(2, 1), maybe(3, 1), 1 + (int64_t)below(3) };
}

static void fill_world(app_fixture *f, cov_arena *arena, world *w)
{
    cov_buf sql = COV_BUF_IN(arena);

    memset(w, 0, sizeof *w);
    for (int group = 1; group <= 3; group++)
        for (int user = 1; user <= 2; user++) {
            w->member[group][user] = below(3) == 0;
            if (w->member[group][user])
                cov_buf_printf(&sql, "INSERT INTO members (group_id,user_id) VALUES (%d,'u%d');",
                               group, user);
        }
    for (int64_t id = 1; id <= 24; id++) {
        item row = random_item(id);

        cov_buf_printf(&sql, "INSERT INTO items VALUES (%" PRId64 ",", id);
        put_value(&sql, row.a, NULL);
        cov_buf_char(&sql, ',');
        put_value(&sql, row.owner, "'u");
        cov_buf_char(&sql, ',');
        put_value(&sql, row.group, NULL);
        cov_buf_printf(&sql, ",%" PRId64 ");", row.box);
    }
    cov_buf_char(&sql, '\0');
    app_sql(f, sql.ptr);
}

typedef struct item_sink {
    cov_row_sink sink;
    world *w;
} item_sink;

static cov_status take_item(cov_row_sink *base, const cov_value *v, size_t n, cov_error *err)
{
    world *w = ((item_sink *)base)->w;
    item *row = &w->items[w->n++];

    (void)n;
    (void)err;
    assert_true(w->n < MAX_ROWS);
    row->id = v[0].i;
    row->a = v[1].type == COV_NULL ? NOTHING : v[1].i;
    row->owner = v[2].type == COV_NULL ? NOTHING : v[2].s.ptr[1] - '0';
    row->group = v[3].type == COV_NULL ? NOTHING : v[3].i;
    row->box = v[4].type == COV_NULL ? NOTHING : v[4].i;
    return COV_OK;
}

static void load_world(app_fixture *f, world *w)
{
    item_sink sink = { { take_item }, w };
    cov_stmt stmt = { COV_STR("SELECT id,a,owner,group_id,box_id FROM items ORDER BY id"), NULL,
                      0 };
    cov_error err;

    cov_error_init(&err, NULL);
    w->n = 0;
    assert_int_equal(cov_db_query(f->db, &stmt, &sink.sink, &err), COV_OK);
}

/* --- reading --- */

static int call(app_fixture *f, const person *who, const char *method, cov_buf *target,
                const char *body)
{
    app_user user = { who->number == 1 ? "u1" : "u2", who->teams, who->n_teams };

    cov_buf_char(target, '\0');
    assert_false(target->failed);
    return app_call_user(f, &user, method, target->ptr, body);
}

static void check_ids(app_fixture *f, const char *start, const world *w, const person *who,
                      const condition *scope, const condition *filter, int64_t box,
                      const char *what)
{
    char expected[2048] = "";
    char seen[2048] = "";
    size_t len = 0;

    for (size_t i = 0; i < w->n; i++)
        if (holds(scope, &w->items[i], w, who) && holds(filter, &w->items[i], w, who) &&
            (box == NOTHING || w->items[i].box == box))
            len += (size_t)snprintf(expected + len, sizeof expected - len, "{\"id\":%" PRId64 "},",
                                    w->items[i].id);
    if (len != 0)
        expected[len - 1] = '\0';
    assert_non_null(start);
    len = strcspn(start, "]");
    memcpy(seen, start, len);
    if (strcmp(seen, expected) != 0)
        fail_msg("%s: saw %s, expected %s\n%s", what, seen, expected, app_body(f));
}

static size_t count_naively(const world *w, const person *who, const condition *scope,
                            const condition *filter)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n; i++)
        n += holds(scope, &w->items[i], w, who) && holds(filter, &w->items[i], w, who);
    return n;
}

static void put_target(cov_buf *out, const char *head, const condition *filter, const char *tail)
{
    cov_buf_str(out, cov_str_from(head));
    write_condition(out, filter);
    cov_buf_str(out, cov_str_from(tail));
}

static void check_reads(app_fixture *f, cov_arena *arena, const scopes *s, const world *w,
                        const person *who)
{
    condition *filter = generate(arena, false, 0);
    cov_buf list = COV_BUF_IN(arena);
    cov_buf count = COV_BUF_IN(arena);
    cov_buf aggregate = COV_BUF_IN(arena);
    cov_buf include = COV_BUF_IN(arena);
    size_t n = count_naively(w, who, s->read, filter);
    char text[128];

    put_target(&list, "/api/items?select=id&orderBy=id&limit=100&filter=", filter, "");
    assert_int_equal(call(f, who, "GET", &list, NULL), 200);
    check_ids(f, strstr(app_body(f), "[") + 1, w, who, s->read, filter, NOTHING, "list");
    put_target(&count, "/api/items/count?filter=", filter, "");
    snprintf(text, sizeof text, "{\"count\":%zu}", n);
    assert_answer(f, call(f, who, "GET", &count, NULL), 200, text);
    put_target(&aggregate, "/api/items/aggregate?count=true&filter=", filter, "");
    snprintf(text, sizeof text, "{\"groups\":[{\"key\":null,\"count\":%zu}]}", n);
    assert_answer(f, call(f, who, "GET", &aggregate, NULL), 200, text);
    put_target(&include, "/api/boxes?orderBy=id&include=items(select:id;filter:", filter, ")");
    assert_int_equal(call(f, who, "GET", &include, NULL), 200);
    for (int64_t box = 1; box <= 3; box++) {
        const char *at;

        snprintf(text, sizeof text, "{\"id\":%" PRId64 ",\"items\":[", box);
        at = strstr(app_body(f), text);
        assert_non_null(at);
        check_ids(f, at + strlen(text), w, who, s->read, filter, box, "include");
    }
}

/* --- writing --- */

static void put_item(cov_buf *out, const item *row, bool with_id)
{
    cov_buf_char(out, '{');
    if (with_id)
        cov_buf_printf(out, "\"id\":%" PRId64 ",", row->id);
    COV_BUF_LIT(out, "\"a\":");
    put_value(out, row->a, NULL);
    COV_BUF_LIT(out, ",\"owner\":");
    put_value(out, row->owner, "\"u");
    COV_BUF_LIT(out, ",\"groupId\":");
    put_value(out, row->group, NULL);
    cov_buf_printf(out, ",\"boxId\":%" PRId64 "}", row->box);
}

static const item *find(const world *w, int64_t id)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->items[i].id == id)
            return &w->items[i];
    return NULL;
}

static bool same(const item *a, const item *b)
{
    return a->a == b->a && a->owner == b->owner && a->group == b->group && a->box == b->box;
}

/* Whatever the request was: what came lies in the create scope, what changed did and does in the update scope... */
static void check_changes(const world *before, const world *after, const scopes *s,
                          const person *who, int status, const char *what)
{
    for (size_t i = 0; i < before->n; i++) {
        const item *old = &before->items[i];
        const item *new_ = find(after, old->id);

        if (new_ == NULL && (status >= 400 || !holds(s->delete_, old, before, who)))
            fail_msg("%s: %d, row %" PRId64 " must not go", what, status, old->id);
        if (new_ != NULL && !same(old, new_) &&
            (status >= 400 || !holds(s->update, old, before, who) ||
             !holds(s->update, new_, before, who)))
            fail_msg("%s: %d, row %" PRId64 " must not change", what, status, old->id);
    }
    for (size_t i = 0; i < after->n; i++)
        if (find(before, after->items[i].id) == NULL &&
            (status >= 400 || !holds(s->create, &after->items[i], before, who)))
            fail_msg("%s: %d, row %" PRId64 " must not be there", what, status, after->items[i].id);
}

static const char *make_write(cov_arena *arena, cov_buf *target, cov_buf *body)
{
    item row = random_item(1 + (int64_t)below(30));
    condition *filter = generate(arena, false, 1);

    switch (below(7)) {
    case 0:
        COV_BUF_LIT(target, "/api/items");
        put_item(body, &row, false);
        return "POST";
    case 1:
        COV_BUF_LIT(target, "/api/items/batch");
        COV_BUF_LIT(body, "{\"items\":[");
        put_item(body, &row, false);
        cov_buf_char(body, ',');
        row = random_item(0);
        put_item(body, &row, false);
        COV_BUF_LIT(body, "]}");
        return "POST";
    case 2:
        COV_BUF_LIT(target, "/api/items/batch/upsert");
        COV_BUF_LIT(body, "{\"items\":[");
        put_item(body, &row, true);
        COV_BUF_LIT(body, "]}");
        return "POST";
    case 3:
        cov_buf_printf(target, "/api/items/%" PRId64, row.id);
        put_item(body, &row, false);
        return below(2) == 0 ? "PATCH" : "PUT";
    case 4:
        put_target(target, "/api/items/batch?filter=", filter, "");
        put_item(body, &row, false);
        return "PATCH";
    case 5:
        cov_buf_printf(target, "/api/items/%" PRId64, row.id);
        return "DELETE";
    default:
        put_target(target, "/api/items/batch?filter=id<4;", filter, "");
        return "DELETE";
    }
}

/* A write that is allowed happens: without this, refusing everything would pass. */
static size_t n_written;

static void check_write(app_fixture *f, cov_arena *arena, const scopes *s, world *w,
                        const person *who)
{
    cov_buf target = COV_BUF_IN(arena);
    cov_buf body = COV_BUF_IN(arena);
    const char *method = make_write(arena, &target, &body);
    world *before = COV_NEW(arena, world);
    int status;

    assert_non_null(before);
    cov_buf_char(&body, '\0');
    *before = *w;
    status = call(f, who, method, &target, body.ptr);
    load_world(f, w);
    check_changes(before, w, s, who, status,
                  cov_arena_printf(arena, "%s %s %s", method, target.ptr, body.ptr).ptr);
    if (strcmp(method, "DELETE") != 0)
        n_written += memcmp(before->items, w->items, sizeof w->items) != 0;
}

static void property__api_shows_and_changes_what_scopes_allow(void **state)
{
    const char *seed = getenv("COV_SEED");

    (void)state;
    state64 = seed != NULL ? strtoull(seed, NULL, 10) | 1 : DEFAULT_SEED;
    for (size_t i = 0; i < N_WORLDS; i++) {
        person people[2] = { { 1, { 1, 2 }, below(3) }, { 2, { 3, 0 }, below(2) } };
        cov_arena *arena = cov_arena_new(0);
        app_fixture f;
        scopes s;
        world w;

        assert_non_null(arena);
        open_world(&f, arena, &s);
        fill_world(&f, arena, &w);
        load_world(&f, &w);
        for (size_t k = 0; k < N_FILTERS; k++)
            check_reads(&f, arena, &s, &w, &people[k % 2]);
        for (size_t k = 0; k < N_WRITES; k++)
            check_write(&f, arena, &s, &w, &people[k % 2]);
        check_reads(&f, arena, &s, &w, &people[0]);
        app_fixture_close(&f);
        cov_arena_free(arena);
    }
    assert_true(n_written > N_WORLDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(property__api_shows_and_changes_what_scopes_allow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
