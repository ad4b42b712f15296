/* SPDX-License-Identifier: MIT */
/* The blog's own code: what schema.sql and covara.jsonc cannot say. docs/c-api.md walks through it. */
#include <covara/covara.h>
#include <stdatomic.h>

#include "feed.h"

/* ---- hooks of posts ---- */

/* "A bug < a moth" becomes "a-bug-a-moth"; letters beyond ASCII stay as they are. */
static void slug_of(cov_buf *slug, cov_str title)
{
    bool gap = false;

    for (size_t i = 0; i < title.len; i++) {
        unsigned char c = (unsigned char)title.ptr[i];
        bool upper = c >= 'A' && c <= 'Z';
        bool kept = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;

        if (kept && gap && slug->len != 0)
            cov_buf_char(slug, '-');
        if (kept)
            cov_buf_char(slug, (char)(upper ? c - 'A' + 'a' : c));
        gap = !kept;
    }
}

static cov_status set_slug(cov_ctx *ctx, cov_row *data, void *self, cov_error *err)
{
    cov_buf slug = COV_BUF_IN(cov_ctx_arena(ctx));

    (void)self;
    slug_of(&slug, cov_row_text(data, "title"));
    if (slug.failed)
        return cov_fail_nomem(err);
    if (slug.len != 0)
        return cov_row_set(data, "slug", cov_value_text(cov_buf_view(&slug)), err);
    return cov_fail_field(err, COV_STR("title"), "must have a letter or a digit");
}

static cov_status write_audit(cov_ctx *ctx, const cov_row *row, void *self, cov_error *err)
{
    cov_value params[] = { cov_value_text(cov_ctx_request(ctx)->peer_address),
                           cov_value_int(cov_row_int(row, "id")) };

    (void)self;
    return cov_ctx_exec(ctx,
                        COV_STR(
                            "INSERT INTO audit (address, action, post_id) VALUES (?, 'create', ?)"),
                        params, COV_COUNT_OF(params), NULL, err);
}

/* ---- a computed field of posts ---- */

static cov_status write_minutes(cov_ctx *ctx, const cov_row *row, cov_buf *json, void *self,
                                cov_error *err)
{
    enum { WORDS_PER_MINUTE = 200 };
    cov_str rest = cov_row_text(row, "body");
    cov_str word;
    int64_t words = 0;

    (void)ctx, (void)self, (void)err;
    while (cov_str_split(&rest, ' ', &word))
        words += word.len != 0;
    cov_json_int(json, (words + WORDS_PER_MINUTE - 1) / WORDS_PER_MINUTE);
    return COV_OK;
}

/* ---- POST /api/posts/rpc/publish ---- */

/* Rows go to a struct that begins with cov_row_sink. */
typedef struct sink {
    cov_row_sink base;
    cov_buf *out;
    size_t n_rows;
} sink;

static cov_status json_row(cov_row_sink *base, const cov_value *values, size_t n_values,
                           cov_error *err)
{
    (void)n_values, (void)err;
    ((sink *)base)->n_rows++;
    cov_buf_str(((sink *)base)->out, values[0].s);
    return COV_OK;
}

static cov_status publish(cov_ctx *ctx, const cov_json *input, cov_buf *output, void *self,
                          cov_error *err)
{
    static const char sql[] =
        "UPDATE posts SET published_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),"
        " version = version + 1 WHERE id = ? AND published_at IS NULL RETURNING"
        " json_object('id', id, 'slug', slug, 'publishedAt', published_at)";
    cov_value id = cov_value_int(cov_json_int64(cov_json_get(input, "id")));
    sink row = { { json_row }, output, 0 };
    cov_status st = cov_ctx_query(ctx, cov_str_from(sql), &id, 1, &row.base, err);

    (void)self;
    if (st == COV_OK && row.n_rows == 0)
        st = cov_fail(err, COV_ENOTFOUND, "There is no draft %lld", (long long)id.i);
    return st;
}

/* ---- GET /stats ---- */

/* Changes of posts: counted on the thread that commits, read on the event loops. */
typedef struct tally {
    atomic_ullong created, updated, deleted;
} tally;

static void count(const cov_mutation *mutation, void *self)
{
    tally *t = self;
    char kind = mutation->type.ptr[0]; /* "create", "update", "delete" */

    if (cov_str_eq(mutation->resource, COV_STR("posts")))
        atomic_fetch_add(kind == 'c' ? &t->created : kind == 'u' ? &t->updated : &t->deleted, 1);
}

static cov_status stats(cov_ctx *ctx, void *self, cov_error *err)
{
    cov_response *res = cov_ctx_response(ctx);
    tally *t = self;

    (void)err;
    res->status = 200;
    cov_response_header(res, COV_STR("Content-Type"), COV_STR("application/json"));
    cov_buf_printf(&res->body, "{\"created\":%llu,\"updated\":%llu,\"deleted\":%llu}", t->created,
                   t->updated, t->deleted);
    return COV_OK;
}

/* ---- all of it, joined; what an app is given must live as long as it does ---- */

static cov_str url; /* set by build, only read afterwards */
static tally tallies;
static const cov_computed_field minutes = { "readingMinutes", write_minutes, NULL };
static const cov_resource_options posts = { .hooks = { .before_create = set_slug,
                                                       .after_create = write_audit },
                                            .computed = &minutes,
                                            .n_computed = 1 };
static const cov_field draft = { .name = "id", .type = COV_SHAPE_INTEGER };
static const cov_field published[] = { { .name = "id", .type = COV_SHAPE_INTEGER },
                                       { .name = "slug", .type = COV_SHAPE_TEXT },
                                       { .name = "publishedAt", .type = COV_SHAPE_TIME } };
static const cov_procedure publishing = { .name = "publish",
                                          .call = publish,
                                          .input = &draft,
                                          .n_input = 1,
                                          .output = published,
                                          .n_output = 3 };
static const cov_custom_route feed_route = { COV_GET, "/feed.xml", feed, &url, false };
static const cov_custom_route stats_route = { COV_GET, "/stats", stats, &tallies, false };

static cov_app *build(cov_env *env)
{
    cov_app *app = cov_app_new(env, NULL);

    if (app == NULL)
        return NULL;
    url = cov_env_get(env, "BLOG_URL");
    if (url.len == 0)
        url = COV_STR("http://localhost:3000");
    cov_app_resource(app, "posts", &posts);
    cov_app_procedure(app, "posts", &publishing);
    cov_app_route(app, &feed_route);
    cov_app_route(app, &stats_route);
    cov_app_on_mutation(app, count, &tallies);
    return app;
}

COVARA_APP(build)
