/* SPDX-License-Identifier: MIT */
/*
 * Every route as everybody (spec/06 section 4.5): status, no trace of a foreign row in the answer, and no foreign
 * row changed.
 *
 * Three resources of the same shape are limited in three ways, a fourth denies all. A row that the user may not see
 * says LEAK, one that is the user's says mine. A route of the route table that no attempt covers fails the test. A stream
 * is followed while somebody else writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "live_fixture.h"
#include "resource/internal.h"

#define ITEMS(table)                                                                \
    "CREATE TABLE " table                                                           \
    " (id INTEGER PRIMARY KEY, user_id TEXT, team_id INTEGER REFERENCES teams(id)," \
    " text TEXT, n INTEGER NOT NULL DEFAULT 0, parent_id INTEGER, version INTEGER, deleted_at TEXT);"

static const char schema[] =
    "CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE members (id INTEGER PRIMARY KEY, team_id INTEGER REFERENCES teams(id), user_id TEXT);"
    "CREATE TABLE kids (id INTEGER PRIMARY KEY, item_id INTEGER, user_id TEXT, text TEXT);"
    "CREATE TABLE links (item_id INTEGER, other_id INTEGER);"
    "CREATE TABLE hidden (id INTEGER PRIMARY KEY, item_id INTEGER, text TEXT);"
    "INSERT INTO teams VALUES (1,'one'),(2,'two'); INSERT INTO members VALUES (1,1,'u1'),(2,2,'u2');" ITEMS(
        "own") ITEMS("via") ITEMS("listed") ITEMS("closed");

#define ROWS(table)                                                    \
    "DELETE FROM " table "; INSERT INTO " table " VALUES "             \
    "(1,'u1',1,'mine-1',10,2,1,NULL),(2,'u2',2,'LEAK-2',20,1,1,NULL)," \
    "(3,'u1',1,'mine-3',30,1,1,NULL),(4,'u2',2,'LEAK-4',40,3,1,NULL)," \
    "(5,'u1',1,'mine-5',50,6,1,'x'),(6,'u2',2,'LEAK-6',60,5,1,'x');"

static const char rows[] =
    "DELETE FROM kids; INSERT INTO kids VALUES (1,1,'u1','mine-k1'),(2,1,'u2','LEAK-k2'),(3,2,'u1','mine-k3'),"
    "(4,2,'u2','LEAK-k4'),(5,3,'u2','LEAK-k5');"
    "DELETE FROM hidden; INSERT INTO hidden VALUES (1,1,'LEAK-h1');"
    "DELETE FROM links; INSERT INTO links VALUES (1,2),(1,3),(1,6),(2,1),(3,4);" ROWS("own")
        ROWS("via") ROWS("listed") ROWS("closed");

#define RELATIONS(self)                                                                               \
    "\"relations\":{\"kids\":{\"type\":\"hasMany\",\"resource\":\"kids\",\"foreignKey\":\"itemId\"}," \
    "\"hidden\":{\"type\":\"hasMany\",\"resource\":\"hidden\",\"foreignKey\":\"itemId\"},"            \
    "\"parent\":{\"type\":\"belongsTo\",\"resource\":\"" self "\",\"foreignKey\":\"parentId\"},"      \
    "\"children\":{\"type\":\"hasMany\",\"resource\":\"" self "\",\"foreignKey\":\"parentId\"},"      \
    "\"others\":{\"type\":\"manyToMany\",\"resource\":\"" self                                        \
    "\",\"through\":{\"table\":\"links\",\"sourceKey\":\"item_id\",\"targetKey\":\"other_id\"}},"     \
    "\"team\":{\"type\":\"belongsTo\",\"resource\":\"teams\",\"foreignKey\":\"teamId\"}}"
#define ITEM(name, scope)                                                                          \
    "\"" name "\":{\"auth\":{\"scope\":\"" scope "\"},\"nestedWrites\":true,"                      \
    "\"softDelete\":{\"field\":\"deletedAt\"},\"etag\":{\"versionField\":\"version\"}," RELATIONS( \
        name) "}"

static const char config[] =
    "{\"resources\":{"
    "\"teams\":{\"auth\":{\"scope\":\"members.userId=={user.id}\"},\"relations\":{"
    "\"members\":{\"type\":\"hasMany\",\"resource\":\"members\",\"foreignKey\":\"teamId\"}}},"
    "\"members\":{\"auth\":{\"scope\":\"userId=={user.id}\"}},"
    "\"kids\":{\"auth\":{\"scope\":\"userId=={user.id}\"}},"
    "\"hidden\":{\"auth\":{\"scope\":false},\"strictScopeOnWrite\":false}," ITEM("own", "userId=={user.id}") "," ITEM(
        "via",
        "team.members.userId=={user.id}") "," ITEM("listed",
                                                   "teamId=in={user.metadata.teams}") "," ITEM("closed",
                                                                                               "") "}}";

/* --- what is tried --- */

enum { ANYBODY, STRANGER, OWNER, DENIED, N_ROLES };

static const char *const role_names[N_ROLES] = { "anonymous", "stranger", "owner", "denied" };

typedef struct attempt {
    const char *method;
    const char *route; /* as in the route table; ":id" for /:id */
    const char *tail;  /* of the request, with its query */
    const char *body;
    int status[N_ROLES];
    const char *owner_sees; /* in the owner's answer; NULL: no matter */
} attempt;

#define READ               \
    {                      \
        401, 200, 200, 200 \
    }
#define BAD_READ           \
    {                      \
        401, 400, 400, 400 \
    }
#define ONE                \
    {                      \
        401, 404, 200, 404 \
    }
#define NONE               \
    {                      \
        401, 404, 404, 404 \
    }
#define OUTSIDE            \
    {                      \
        401, 404, 403, 404 \
    }
#define MAKE               \
    {                      \
        401, 403, 201, 403 \
    }
#define MANY               \
    {                      \
        401, 403, 200, 403 \
    }
#define NO_MAKE            \
    {                      \
        401, 403, 403, 403 \
    }
#define BATCH              \
    {                      \
        401, 200, 200, 200 \
    }
#define BATCH_OUTSIDE      \
    {                      \
        401, 200, 403, 200 \
    }

#define MY "\"userId\":\"u1\",\"teamId\":1,\"text\":\"new\""
#define FOREIGN "\"userId\":\"u2\",\"teamId\":2,\"text\":\"new\""

static const attempt attempts[] = {
    { "GET", "", "", NULL, READ, "\"text\":\"mine-1\"" },
    { "GET", "", "?filter=id>0", NULL, READ, "mine-3" },
    { "GET", "", "?filter=id==2,id==4,id==1", NULL, READ, "mine-1" },
    { "GET", "", "?filter=text!=\"x\"&withDeleted=true&totalCount=true", NULL, READ,
      "\"totalCount\":3" },
    { "GET", "", "?totalCount=true&limit=1&orderBy=-n", NULL, READ, "\"totalCount\":2" },
    { "GET", "", "?select=text&orderBy=text", NULL, READ, "[{\"text\":\"mine-1\"},{" },
    { "GET", "", "?include=kids,hidden,parent,children,others,team", NULL, READ,
      "\"kids\":[{\"id\":1,\"itemId\":1,\"userId\":\"u1\",\"text\":\"mine-k1\"}],\"hidden\":[],\"parent\":null,"
      "\"children\":[{\"id\":3," },
    { "GET", "", "?include=others(limit:9).others.others,children.parent.children.kids", NULL, READ,
      "mine" },
    { "GET", "", "?include=parent(filter:text=contains=\"L\"),others(filter:id>0;limit:1)", NULL,
      READ, "\"parent\":null" },
    { "GET", "", "?include=team&withDeleted=true", NULL, READ, "\"team\":{\"id\":1" },
    { "GET", "", "?filter=(", NULL, BAD_READ, NULL },
    { "GET", "", "?filter=nope==1", NULL, BAD_READ, NULL },
    { "GET", "", "?filter=id==1),(id!=0", NULL, BAD_READ, NULL },
    { "GET", "", "?filter=*", NULL, BAD_READ, NULL },
    { "GET", "", "?filter=userId=={user.id}", NULL, BAD_READ, NULL },
    { "GET", "", "?filter=team.members.userId==\"u2\"", NULL, BAD_READ,
      "\"detail\":\"Invalid filter expression: Relation paths are not allowed in filter queries\"" },
    { "GET", "", "?include=team(filter:members.userId==\"u2\")", NULL, BAD_READ,
      "Relation paths are not allowed in filter queries" },
    { "GET", "count", "count", NULL, READ, "{\"count\":2}" },
    { "GET", "count", "count?filter=id>0&withDeleted=true", NULL, READ, "{\"count\":3}" },
    { "GET", "count", "count?filter=((", NULL, BAD_READ, NULL },
    { "GET", "aggregate", "aggregate?count=true", NULL, READ, "\"count\":2" },
    { "GET", "aggregate", "aggregate?groupBy=text&count=true&sum=n&min=text&max=text", NULL, READ,
      "mine-1" },
    { "GET", "aggregate", "aggregate?groupBy=userId&count=true&having=count>0&withDeleted=true",
      NULL, READ, "\"count\":3" },
    { "GET", "aggregate", "aggregate?min=text&max=text&filter=id>1", NULL, READ, "mine-3" },
    { "GET", "aggregate", "aggregate?count=true&filter=a.b==1", NULL, BAD_READ, NULL },
    { "GET", "subscribe", "subscribe", NULL, READ, "\"type\":\"existing\",\"object\":{\"id\":1," },
    { "GET", "subscribe", "subscribe?filter=id>0&include=kids,hidden,parent,children,others,team",
      NULL, READ, "mine-3" },
    { "GET", "subscribe", "subscribe?skipExisting=true", NULL, READ, "event: connected" },
    { "GET", "subscribe", "subscribe?skipExisting=true&knownIds=1,2,4,6,9", NULL, READ,
      "event: connected" },
    { "GET", "subscribe", "subscribe?resumeFrom=1", NULL, READ, "please refetch" },
    { "GET", "subscribe", "subscribe?filter=(", NULL, BAD_READ, NULL },
    { "GET", "subscribe", "subscribe?filter=userId=={user.id}", NULL, BAD_READ, NULL },
    { "GET", "subscribe", "subscribe?filter=team.members.userId==\"u2\"", NULL, BAD_READ, NULL },
    { "GET", "subscribe", "subscribe?include=team(filter:members.userId==\"u2\")", NULL, BAD_READ,
      NULL },
    { "GET", "aggregate/subscribe", "aggregate/subscribe?count=true&min=text&max=text", NULL, READ,
      "mine-3" },
    { "GET", "aggregate/subscribe", "aggregate/subscribe?groupBy=text&count=true&withDeleted=true",
      NULL, READ, "mine-5" },
    { "GET", "aggregate/subscribe", "aggregate/subscribe?count=true&filter=a.b==1", NULL, BAD_READ,
      NULL },
    { "GET", ":id", "1", NULL, ONE, "mine-1" },
    { "GET", ":id", "1?include=kids,hidden,parent,children,others.others,team", NULL, ONE,
      "\"parent\":null" },
    { "GET", ":id", "2", NULL, NONE, NULL },
    { "GET", ":id", "5", NULL, NONE, NULL },
    { "GET", ":id", "5?withDeleted=true", NULL, ONE, "mine-5" },
    { "GET", ":id", "6?withDeleted=true&include=others", NULL, NONE, NULL },
    { "GET", ":id", "2%22%2Cid!=%22", NULL, NONE, NULL },
    { "POST", "", "", "{" MY "}", MAKE, NULL },
    { "POST", "", "", "{" FOREIGN "}", NO_MAKE, NULL },
    { "POST", "", "", "{\"text\":\"new\"}", NO_MAKE, NULL },
    { "POST", "", "", "{", { 401, 400, 400, 403 }, NULL },
    { "POST", "", "", "{" MY ",\"kids\":[{\"userId\":\"u1\",\"text\":\"k\"}]}", MAKE, NULL },
    { "POST", "", "",
      "{" MY ",\"kids\":[{\"userId\":\"u1\",\"text\":\"k\"},{\"userId\":\"u2\",\"text\":\"k\"}]}",
      NO_MAKE, NULL },
    { "POST", "", "", "{" MY ",\"hidden\":[{\"text\":\"h\"}]}", NO_MAKE, NULL },
    { "POST", "", "", "{" MY ",\"parent\":{" MY "}}", MAKE, NULL },
    { "POST", "", "", "{" MY ",\"parent\":{" FOREIGN "}}", NO_MAKE, NULL },
    { "POST", "", "", "{" MY ",\"children\":[{" FOREIGN "}]}", NO_MAKE, NULL },
    { "POST", "", "", "{" MY ",\"others\":[{\"id\":2}]}", MAKE, NULL },
    { "POST", "batch", "batch", "{\"items\":[{" MY "},{" MY "}]}", MANY, NULL },
    { "POST", "batch", "batch", "{\"items\":[{" MY "},{" FOREIGN "}]}", NO_MAKE, NULL },
    { "POST", "batch/upsert", "batch/upsert", "{\"items\":[{\"id\":1," MY "},{\"id\":9," MY "}]}",
      MANY, "\"version\":2" },
    { "POST", "batch/upsert", "batch/upsert", "{\"items\":[{\"id\":1," MY "},{\"id\":2," MY "}]}",
      NO_MAKE, NULL },
    { "POST", "batch/upsert", "batch/upsert", "{\"items\":[{\"id\":1," FOREIGN "}]}", NO_MAKE,
      NULL },
    { "POST", "batch/upsert", "batch/upsert", "{\"items\":[{" MY "},{\"id\":9," FOREIGN "}]}",
      NO_MAKE, NULL },
    { "POST", "batch/upsert", "batch/upsert", "{\"items\":[{\"id\":5," MY "}]}", NO_MAKE, NULL },
    { "POST", "batch/upsert", "batch/upsert?withDeleted=true", "{\"items\":[{\"id\":5," MY "}]}",
      MANY, NULL },
    { "POST", "batch/upsert", "batch/upsert?withDeleted=true", "{\"items\":[{\"id\":6," MY "}]}",
      NO_MAKE, NULL },
    { "PUT", ":id", "1", "{" MY "}", ONE, NULL },
    { "PUT", ":id", "2", "{" MY "}", NONE, NULL },
    { "PUT", ":id", "1", "{" FOREIGN "}", OUTSIDE, NULL },
    { "PUT", ":id", "1", "{\"text\":\"new\"}", OUTSIDE, NULL },
    { "PATCH", ":id", "1", "{\"text\":\"new\"}", ONE, "\"version\":2" },
    { "PATCH", ":id", "2", "{\"text\":\"new\"}", NONE, NULL },
    { "PATCH", ":id", "1", "{\"userId\":\"u2\",\"teamId\":2}", OUTSIDE, NULL },
    { "PATCH", ":id", "1", "{\"userId\":null,\"teamId\":null}", OUTSIDE, NULL },
    { "PATCH", ":id", "5", "{\"deletedAt\":null}", NONE, NULL },
    { "PATCH", ":id", "5?withDeleted=true", "{\"deletedAt\":null}", ONE, "mine-5" },
    { "PATCH", ":id", "6?withDeleted=true", "{\"deletedAt\":null}", NONE, NULL },
    { "DELETE", ":id", "1", NULL, { 401, 404, 204, 404 }, NULL },
    { "DELETE", ":id", "2", NULL, NONE, NULL },
    { "DELETE", ":id", "6?withDeleted=true", NULL, NONE, NULL },
    { "DELETE", ":id", "zz%22%2Cid!%3D%22", NULL, NONE, NULL },
    { "PATCH", "batch", "batch?filter=id>0", "{\"text\":\"new\"}", BATCH, "{\"count\":2}" },
    { "PATCH", "batch", "batch?filter=id>0&withDeleted=true", "{\"deletedAt\":null}", BATCH,
      "{\"count\":3}" },
    { "PATCH", "batch", "batch?filter=id==2", "{\"text\":\"new\"}", BATCH, "{\"count\":0}" },
    { "PATCH", "batch", "batch?filter=id>0", "{\"userId\":\"u2\",\"teamId\":2}", BATCH_OUTSIDE,
      NULL },
    { "PATCH", "batch", "batch", "{\"text\":\"new\"}", BAD_READ, NULL },
    { "PATCH", "batch", "batch?filter=a.b==1", "{\"text\":\"new\"}", BAD_READ, NULL },
    { "DELETE", "batch", "batch?filter=id>0", NULL, BATCH, "{\"count\":2}" },
    { "DELETE", "batch", "batch?filter=id==2,id==6&withDeleted=true", NULL, BATCH,
      "{\"count\":0}" },
    { "DELETE", "batch", "batch?filter=(", NULL, BAD_READ, NULL },
};

/* --- trying --- */

static const char *const all_rows =
    "SELECT 'own',* FROM own UNION ALL SELECT 'via',* FROM via UNION ALL SELECT 'listed',* FROM listed "
    "UNION ALL SELECT 'closed',* FROM closed UNION ALL "
    "SELECT 'kids',*,0,0,0,0 FROM kids UNION ALL SELECT 'hidden',*,0,0,0,0,0 FROM hidden UNION ALL "
    "SELECT 'links',*,0,0,0,0,0,0 FROM links UNION ALL SELECT 'teams',*,0,0,0,0,0,0 FROM teams UNION ALL "
    "SELECT 'members',*,0,0,0,0,0 FROM members ORDER BY 1,2,3";

static const char *const foreign_rows =
    "SELECT 'own',* FROM own WHERE user_id IS NOT 'u1' UNION ALL SELECT 'via',* FROM via WHERE team_id IS NOT 1 "
    "UNION ALL SELECT 'listed',* FROM listed WHERE team_id IS NOT 1 UNION ALL SELECT 'closed',* FROM closed "
    "UNION ALL SELECT 'kids',*,0,0,0,0 FROM kids WHERE user_id IS NOT 'u1' UNION ALL "
    "SELECT 'hidden',*,0,0,0,0,0 FROM hidden UNION ALL SELECT 'links',*,0,0,0,0,0,0 FROM links ORDER BY 1,2,3";

/* What the stream that was just opened says, with what it says of writes by somebody else. */
static const char *followed(app_fixture *f, const char *resource)
{
    static const int64_t teams[] = { 2 };
    static const app_user other = { "u2", teams, 1 };
    static const char *const writes[][3] = {
        { "PATCH", "/2", "{\"text\":\"LEAK-p\"}" },
        { "POST", "", "{\"id\":9,\"userId\":\"u2\",\"teamId\":2,\"text\":\"LEAK-n\"}" },
        { "PATCH", "/batch?filter=id%3E0", "{\"n\":7}" },
        { "DELETE", "/4", NULL },
        { "DELETE", "/9", NULL },
    };
    live_fixture *live = (live_fixture *)(void *)f;
    fake_stream *stream = stream_open(live);
    const cov_host *host = cov_native_host();
    const char *text;

    for (size_t i = 0; i < COV_COUNT_OF(writes); i++) {
        char target[64];

        snprintf(target, sizeof target, "/api/%s%s", resource, writes[i][1]);
        (void)app_call_user(f, &other, writes[i][0], target, writes[i][2]);
        cov_live_run(live->shard);
    }
    cov_live_tick(live->shard, host->now_ms(host->self) + 60000);
    cov_live_tick(live->shard, host->now_ms(host->self) + 120000);
    text = stream_take_raw(stream);
    stream_close(stream);
    return text;
}

static bool is_foreign(const char *text)
{
    return strstr(text, "LEAK") != NULL || strstr(text, "\"removed\"") != NULL ||
           strstr(text, "u2") != NULL;
}

static void check_stream(app_fixture *f, const attempt *a, const char *resource, int role)
{
    const char *text = followed(f, resource);

    if (is_foreign(text) || (role != OWNER && strstr(text, "mine") != NULL))
        fail_msg("%s/%s as %s: leak: %s", resource, a->tail, role_names[role], text);
    if (role == OWNER && strstr(text, a->owner_sees) == NULL)
        fail_msg("%s/%s: the owner does not see what is his: %s", resource, a->tail, text);
}

static void check_answer(app_fixture *f, const attempt *a, const char *resource, int role,
                         int status)
{
    const char *text = app_body(f);
    const char *fault = NULL;

    if (f->res.stream != NULL) {
        check_stream(f, a, resource, role);
        return;
    }
    if (status != a->status[role])
        fault = "status";
    else if (strstr(text, "LEAK") != NULL || (role != OWNER && strstr(text, "mine") != NULL))
        fault = "leak";
    else if (role == OWNER && a->owner_sees != NULL && strstr(text, a->owner_sees) == NULL)
        fault = "the owner does not see what is his";
    if (fault != NULL)
        fail_msg("%s %s/%s %s as %s: %s: %d %s", a->method, resource, a->tail,
                 a->body != NULL ? a->body : "", role_names[role], fault, status, text);
}

static void try_as(app_fixture *f, const attempt *a, const char *resource, int role)
{
    static const int64_t teams[] = { 1 };
    static const app_user owner = { "u1", teams, 1 };
    static const app_user stranger = { .id = "u9" };
    const app_user *user = role == ANYBODY ? NULL : role == STRANGER ? &stranger : &owner;
    const char *slash = a->tail[0] == '\0' || a->tail[0] == '?' ? "" : "/";
    cov_buf before = COV_BUF_INIT;
    cov_buf after = COV_BUF_INIT;
    const char *kept;
    char target[512];
    int status;

    app_sql(f, rows);
    snprintf(target, sizeof target, "/api/%s%s%s", resource, slash, a->tail);
    kept = role == OWNER && a->status[role] < 400 && strcmp(a->method, "GET") != 0 ? foreign_rows
                                                                                   : all_rows;
    app_query(f, kept, &before);
    status = app_call_user(f, user, a->method, target, a->body);
    app_query(f, kept, &after);
    check_answer(f, a, resource, role, status);
    if (!cov_str_eq(cov_buf_view(&before), cov_buf_view(&after)))
        fail_msg("%s %s %s as %s: rows changed:\n%.*s\nto\n%.*s", a->method, target,
                 a->body != NULL ? a->body : "", role_names[role],
                 COV_STR_ARG(cov_buf_view(&before)), COV_STR_ARG(cov_buf_view(&after)));
    cov_buf_dispose(&before);
    cov_buf_dispose(&after);
}

static int open_app(void **state)
{
    static live_fixture f;

    live_open(&f, schema, config);
    *state = &f.app;
    return 0;
}

static int close_app(void **state)
{
    live_close((live_fixture *)*state);
    return 0;
}

static void matrix__every_attempt_as_everybody(void **state)
{
    static const char *const resources[] = { "own", "via", "listed" };
    app_fixture *f = *state;

    for (size_t i = 0; i < COV_COUNT_OF(attempts); i++) {
        for (size_t r = 0; r < COV_COUNT_OF(resources); r++)
            for (int role = ANYBODY; role <= OWNER; role++)
                try_as(f, &attempts[i], resources[r], role);
        try_as(f, &attempts[i], "closed", DENIED);
    }
}

static bool is_tried(const char *method, cov_str route)
{
    for (size_t i = 0; i < COV_COUNT_OF(attempts); i++)
        if (strcmp(attempts[i].method, method) == 0 &&
            cov_str_eq(cov_str_from(attempts[i].route), route))
            return true;
    return false;
}

/* Procedures have no scope (spec/06 section 4.5) and are not among these. */
static void matrix__covers_the_route_table(void **state)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };
    const cov_request req = { .method = COV_GET, .path = COV_STR("/api/own") };
    app_fixture *f = *state;
    cov_route route = cov__route_find(f->app, &req);
    cov_method method;
    cov_str tail;

    assert_int_equal(route.kind, COV_ROUTE_RESOURCE);
    for (size_t i = 0; cov__fixed_route(i, &method, &tail); i++) {
        const char *name = NULL;

        for (size_t m = 0; m < COV_COUNT_OF(methods); m++)
            if (cov_method_of(cov_str_from(methods[m])) == method)
                name = methods[m];
        assert_non_null(name);
        if (!is_tried(name, tail))
            fail_msg("no attempt on %s \"%.*s\"", name, COV_STR_ARG(tail));
    }
    for (size_t m = 0; m < COV_COUNT_OF(methods); m++)
        if (cov_resource_find(route.resource, cov_method_of(cov_str_from(methods[m])), COV_STR("7"))
                    .handler != NULL &&
            !is_tried(methods[m], COV_STR(":id")))
            fail_msg("no attempt on %s /:id", methods[m]);
}

/* What one page's cursor leads to is limited as the page was, and as the user is who follows it. */
static void matrix__cursors_stay_inside(void **state)
{
    static const int64_t teams[] = { 1 };
    static const app_user users[] = { { "u1", teams, 1 }, { .id = "u9" } };
    static const char *const resources[] = { "own", "via", "listed" };
    app_fixture *f = *state;

    for (size_t r = 0; r < COV_COUNT_OF(resources); r++) {
        char target[1024];
        const char *cursor;

        app_sql(f, rows);
        snprintf(target, sizeof target, "/api/%s?limit=1&orderBy=n", resources[r]);
        assert_contains(f, app_call_user(f, &users[0], "GET", target, NULL), 200, "mine-1");
        cursor = strstr(app_body(f), "\"nextCursor\":\"");
        assert_non_null(cursor);
        cursor += strlen("\"nextCursor\":\"");
        snprintf(target, sizeof target, "/api/%s?limit=9&orderBy=n&cursor=%.*s", resources[r],
                 (int)strcspn(cursor, "\""), cursor);
        assert_contains(f, app_call_user(f, &users[0], "GET", target, NULL), 200, "mine-3");
        assert_null(strstr(app_body(f), "LEAK"));
        assert_contains(f, app_call_user(f, &users[1], "GET", target, NULL), 200, "\"items\":[]");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrix__every_attempt_as_everybody),
        cmocka_unit_test(matrix__covers_the_route_table),
        cmocka_unit_test(matrix__cursors_stay_inside),
    };

    return cmocka_run_group_tests(tests, open_app, close_app);
}
