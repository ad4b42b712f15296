/* SPDX-License-Identifier: MIT */
/* GET /__covara/stream, and POST .../{cid}/subscribe and /unsubscribe: on any thread. */
#include <stdlib.h>

#include "base/json.h"
#include "live/mux_internal.h"

enum { DEFAULT_CHANNELS = 200 };

static const cov_str root = COV_STR_INIT("/__covara/stream");

/* Refusals have a type of their own; clients read the status alone (spec/04 sections 12.2 and 12.4). */
static cov_status refuse(cov_ctx *ctx, int status, const char *title, cov_str detail,
                         const char *code)
{
    cov_buf *out = &ctx->res->body;

    ctx->res->status = status;
    cov_response_header(ctx->res, COV_STR("Content-Type"), COV_STR("application/json"));
    cov_buf_printf(out,
                   "{\"type\":\"/__covara/problems/multiplex\",\"title\":\"%s\",\"status\":%d,",
                   title, status);
    COV_BUF_LIT(out, "\"detail\":");
    cov_json_str(out, detail);
    if (code != NULL)
        cov_buf_printf(out, ",\"code\":\"%s\"", code);
    cov_buf_char(out, '}');
    return COV_OK;
}

static cov_status no_stream(cov_ctx *ctx)
{
    return refuse(ctx, 409, "Stream not found",
                  COV_STR("The multiplex stream is not open on this server"), "stream_not_found");
}

static cov_str user_of(const cov_ctx *ctx)
{
    cov_value id;

    if (ctx->principal != NULL)
        return ctx->principal->id;
    if (ctx->user != NULL && ctx->user->get(ctx->user->self, COV_STR("user.id"), &id) &&
        id.type == COV_TEXT)
        return id.s;
    return COV_STR("");
}

static bool owns(const cov_mux *mux, const cov_ctx *ctx)
{
    return cov_str_eq(cov_str_of(mux->user, mux->user_len), user_of(ctx));
}

/* ---- opening ---- */

static cov_status open_stream(cov_live *live, cov_ctx *ctx)
{
    cov_mux *mux = NULL;
    cov_status st;

    if (ctx->shard == NULL)
        return cov_fail(ctx->err, COV_ENOSYS, "streams are not available here");
    cov__stream_head(ctx->res);
    if (ctx->req->method == COV_HEAD)
        return COV_OK;
    st = cov__mux_new(live, ctx, user_of(ctx), &mux);
    if (st != COV_OK)
        return st;
    cov_buf_printf(&ctx->res->body, "event: ready\ndata: {\"cid\":\"%.*s\"}\n\n",
                   (int)sizeof mux->cid, mux->cid);
    ctx->res->stream = &mux->source;
    return COV_OK;
}

/* ---- what a client asks for ---- */

typedef struct wish {
    yyjson_val *body;
    cov_str cid;
    cov_str channel;
    cov_str resource;
    bool aggregate;
} wish;

static cov_str text_of(yyjson_val *object, const char *name)
{
    yyjson_val *value = yyjson_obj_get(object, name);

    return yyjson_is_str(value) ? cov_str_of(yyjson_get_str(value), yyjson_get_len(value))
                                : COV_STR_NULL;
}

static cov_status read_wish(cov_ctx *ctx, cov_str cid, wish *out)
{
    cov_error ignored;

    memset(out, 0, sizeof *out);
    out->cid = cid;
    cov_error_init(&ignored, ctx->arena);
    if (ctx->req->body.len != 0 &&
        cov_json_read(ctx->arena, ctx->req->body, &out->body, &ignored) != COV_OK)
        return cov_fail(ctx->err, COV_EINVAL, "Request body is not valid JSON");
    out->channel = text_of(out->body, "channelId");
    out->resource = text_of(out->body, "resource");
    out->aggregate = cov_str_eq(text_of(out->body, "kind"), COV_STR("aggregate"));
    return COV_OK;
}

/* Parameters are kept as they stand in a URL. */
static cov_str encoded(cov_ctx *ctx, cov_str text)
{
    cov_buf out = COV_BUF_IN(ctx->arena);

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%')
            COV_BUF_LIT(&out, "%25");
        else if (text.ptr[i] == '+')
            COV_BUF_LIT(&out, "%2B");
        else
            cov_buf_char(&out, text.ptr[i]);
    }
    return cov_buf_view(&out);
}

/* A string, a list of strings (joined by commas), true, or a number. */
static cov_str param_text(cov_ctx *ctx, yyjson_val *value)
{
    cov_buf out = COV_BUF_IN(ctx->arena);
    yyjson_val *item;
    size_t i;
    size_t n;

    if (yyjson_is_str(value))
        return encoded(ctx, cov_str_of(yyjson_get_str(value), yyjson_get_len(value)));
    if (yyjson_is_bool(value) || yyjson_is_num(value)) {
        cov_json_value(&out, value);
        return cov_buf_view(&out);
    }
    yyjson_arr_foreach(value, i, n, item)
    {
        if (i != 0)
            cov_buf_char(&out, ',');
        cov_buf_append(&out, yyjson_get_str(item), yyjson_get_len(item));
    }
    return out.len != 0 ? encoded(ctx, cov_buf_view(&out)) : COV_STR_NULL;
}

static void read_params(cov_ctx *ctx, const wish *w)
{
    static const struct {
        const char *name;
        cov_param param;
        bool aggregate;
    } members[] = {
        { "filter", COV_PARAM_FILTER, false },
        { "include", COV_PARAM_INCLUDE, false },
        { "skipExisting", COV_PARAM_SKIP_EXISTING, false },
        { "knownIds", COV_PARAM_KNOWN_IDS, false },
        { "resumeFrom", COV_PARAM_RESUME_FROM, false },
        { "groupBy", COV_PARAM_GROUP_BY, true },
        { "count", COV_PARAM_COUNT, true },
        { "sum", COV_PARAM_SUM, true },
        { "avg", COV_PARAM_AVG, true },
        { "min", COV_PARAM_MIN, true },
        { "max", COV_PARAM_MAX, true },
        { "having", COV_PARAM_HAVING, true },
    };
    yyjson_val *aggregate = yyjson_obj_get(w->body, "aggregate");

    memset(ctx->params, 0, sizeof ctx->params);
    for (size_t i = 0; i < COV_COUNT_OF(members); i++)
        ctx->params[members[i].param] =
            param_text(ctx,
                       yyjson_obj_get(members[i].aggregate ? aggregate : w->body, members[i].name));
}

static cov_str without_slashes(cov_str path)
{
    while (path.len != 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    while (path.len != 0 && path.ptr[0] == '/')
        path = cov_str_slice(path, 1, path.len);
    return path;
}

static bool is_mounted_at(const cov_live *live, const cov_resource *r, cov_str path)
{
    cov_str base = without_slashes(live->options.base_path);
    cov_str mount = cov_follow_config(r)->path;

    if (base.len == 0)
        return cov_str_eq(path, mount);
    return path.len == base.len + 1 + mount.len && cov_str_starts(path, base) &&
           path.ptr[base.len] == '/' &&
           cov_str_eq(cov_str_slice(path, base.len + 1, path.len), mount);
}

static cov_str last_segment(cov_str path)
{
    size_t at = path.len;

    while (at > 0 && path.ptr[at - 1] != '/')
        at--;
    return cov_str_slice(path, at, path.len);
}

/* By mount path, then by name, then by the table that the last segment names. */
static const cov_resource *resource_of(const cov_live *live, cov_str wanted)
{
    cov_str path = without_slashes(wanted);
    cov_str table = last_segment(path);
    cov_resource *const *all = live->options.resources;
    size_t n = live->options.n_resources;

    for (size_t i = 0; i < n; i++)
        if (is_mounted_at(live, all[i], path))
            return all[i];
    for (size_t i = 0; i < n; i++)
        if (cov_str_eq(cov_follow_config(all[i])->name, path))
            return all[i];
    for (size_t i = 0; i < n; i++)
        if (cov_str_eq(cov_follow_table(all[i])->name, table))
            return all[i];
    return NULL;
}

/* ---- subscribing ---- */

static cov_status reserve(cov_live *live, cov_ctx *ctx, const wish *w, cov_mux *mux, bool *done)
{
    int64_t most = live->options.multiplex.max_channels > 0 ? live->options.multiplex.max_channels
                                                            : DEFAULT_CHANNELS;
    cov_channel **at = cov__channel_at(mux, w->channel);

    *done = false;
    if (*at != NULL)
        return refuse(ctx, 409, "Channel exists",
                      cov_arena_printf(ctx->arena, "Channel %.*s is already subscribed",
                                       COV_STR_ARG(w->channel)),
                      NULL);
    if (mux->n_names >= most)
        return refuse(ctx, 429, "Too many channels",
                      cov_arena_printf(ctx->arena, "Maximum %lld channels per connection",
                                       (long long)most),
                      NULL);
    *at = calloc(1, sizeof(**at) + w->channel.len);
    if (*at == NULL)
        return cov_fail_nomem(ctx->err);
    (*at)->len = w->channel.len;
    memcpy((*at)->name, w->channel.ptr, w->channel.len);
    mux->n_names++;
    *done = true;
    return COV_OK;
}

static cov_message *message_new(cov_str cid, cov_str name, cov_sub *sub)
{
    cov_message *message = calloc(1, sizeof *message + name.len);

    if (message == NULL)
        return NULL;
    memcpy(message->cid, cid.ptr, sizeof message->cid);
    message->sub = sub;
    message->len = name.len;
    if (name.len != 0)
        memcpy(message->name, name.ptr, name.len);
    return message;
}

/* With the lock of cov_live: the stream is still there, so its shard is. */
static void post(cov_live_shard *shard, cov_message *message)
{
    cov_host_lock(shard->host, shard->lock);
    message->next = shard->messages;
    shard->messages = message;
    cov_host_unlock(shard->host, shard->lock);
    shard->wake(shard->wake_self);
}

static bool dress_channel(cov_ctx *ctx, const wish *w, cov_sub *sub)
{
    cov_buf prefix = COV_BUF_IN(ctx->arena);
    char *name = malloc(w->channel.len + 1);

    if (name == NULL)
        return false;
    memcpy(name, w->channel.ptr, w->channel.len);
    sub->channel = cov_str_of(name, w->channel.len);
    COV_BUF_LIT(&prefix, "event: mux\ndata: {\"c\":");
    cov_json_str(&prefix, w->channel);
    COV_BUF_LIT(&prefix, ",\"n\":\"message\",\"d\":");
    sub->prefix = !prefix.failed ? cov__payload_of(cov_buf_view(&prefix)) : NULL;
    return sub->prefix != NULL;
}

/* Send the subscription to the stream's shard, unless the stream closed meanwhile. */
static cov_status hand_over(cov_live *live, cov_ctx *ctx, const wish *w, cov_sub *sub)
{
    cov_message *message = dress_channel(ctx, w, sub) ? message_new(w->cid, w->channel, sub) : NULL;
    cov_mux *mux;

    if (message == NULL) {
        cov__sub_free(sub);
        return cov_fail_nomem(ctx->err);
    }
    cov_host_lock(live->host, live->lock);
    mux = cov__mux_find(live, w->cid);
    if (mux != NULL)
        post(mux->shard, message);
    cov_host_unlock(live->host, live->lock);
    if (mux == NULL) {
        cov__messages_free(message);
        return refuse(ctx, 409, "Stream closed",
                      COV_STR("The stream closed before the subscription completed"),
                      "stream_not_found");
    }
    ctx->res->status = 200;
    cov_response_header(ctx->res, COV_STR("Content-Type"), COV_STR("application/json"));
    COV_BUF_LIT(&ctx->res->body, "{\"ok\":true,\"channelId\":");
    cov_json_str(&ctx->res->body, w->channel);
    cov_buf_char(&ctx->res->body, '}');
    return COV_OK;
}

static cov_status start(cov_live *live, cov_ctx *ctx, const wish *w)
{
    const cov_resource *r = resource_of(live, w->resource);
    cov_sub *sub = NULL;
    cov_status st;

    if (r == NULL || !cov_follow_config(r)->capabilities.subscribe)
        return refuse(ctx, 404, "Unknown resource",
                      cov_arena_printf(ctx->arena, "No subscribable resource at %.*s",
                                       COV_STR_ARG(w->resource)),
                      NULL);
    read_params(ctx, w);
    st = cov__sub_new(live, ctx, r, w->aggregate, &sub);
    if (st == COV_OK)
        return hand_over(live, ctx, w, sub);
    if (cov_status_http(st) >= 500 && st != COV_EBUSY)
        return st;
    return refuse(ctx, st == COV_EBUSY ? 429 : 400, "Subscription failed",
                  cov_error_detail(ctx->err), NULL);
}

static void give_back_name(cov_live *live, const wish *w)
{
    cov_mux *mux;

    cov_host_lock(live->host, live->lock);
    mux = cov__mux_find(live, w->cid);
    if (mux != NULL)
        cov__channel_remove(mux, w->channel);
    cov_host_unlock(live->host, live->lock);
}

/* Is the stream there, and the caller's? Leaves the answer when not. With the lock. */
static cov_mux *find_own(cov_live *live, cov_ctx *ctx, cov_str cid)
{
    cov_mux *mux = cov__mux_find(live, cid);

    if (mux == NULL) {
        (void)no_stream(ctx);
        return NULL;
    }
    if (owns(mux, ctx))
        return mux;
    (void)refuse(ctx, 403, "Forbidden", COV_STR("Stream belongs to a different user"), NULL);
    return NULL;
}

static cov_status check_stream(cov_live *live, cov_ctx *ctx, cov_str cid, bool *found)
{
    cov_host_lock(live->host, live->lock);
    *found = find_own(live, ctx, cid) != NULL;
    cov_host_unlock(live->host, live->lock);
    return COV_OK;
}

static cov_status subscribe(cov_live *live, cov_ctx *ctx, cov_str cid)
{
    bool found = false;
    bool reserved = false;
    cov_mux *mux;
    cov_status st = check_stream(live, ctx, cid, &found);
    wish w;

    if (!found)
        return st;
    st = read_wish(ctx, cid, &w);
    if (st != COV_OK)
        return st;
    if (w.channel.len == 0 || w.resource.len == 0)
        return refuse(ctx, 400, "Bad request", COV_STR("channelId and resource are required"),
                      NULL);
    cov_host_lock(live->host, live->lock);
    mux = find_own(live, ctx, cid);
    if (mux != NULL)
        st = reserve(live, ctx, &w, mux, &reserved);
    cov_host_unlock(live->host, live->lock);
    if (!reserved)
        return st;
    st = start(live, ctx, &w);
    if (st != COV_OK || ctx->res->status != 200)
        give_back_name(live, &w);
    return st;
}

/* ---- unsubscribing ---- */

static cov_status unsubscribe(cov_live *live, cov_ctx *ctx, cov_str cid)
{
    cov_status st;
    cov_message *message;
    cov_mux *mux;
    wish w;

    st = read_wish(ctx, cid, &w);
    if (st != COV_OK)
        return st;
    message = cid.len == COV_UUID_TEXT_BYTES ? message_new(cid, w.channel, NULL) : NULL;
    cov_host_lock(live->host, live->lock);
    mux = cov__mux_find(live, cid);
    if (mux != NULL && !owns(mux, ctx)) {
        (void)find_own(live, ctx, cid);
    } else {
        ctx->res->status = 200;
        if (mux != NULL && message != NULL && cov__channel_remove(mux, w.channel)) {
            post(mux->shard, message);
            message = NULL;
        }
    }
    cov_host_unlock(live->host, live->lock);
    free(message);
    if (ctx->res->status != 200)
        return COV_OK;
    cov_response_header(ctx->res, COV_STR("Content-Type"), COV_STR("application/json"));
    COV_BUF_LIT(&ctx->res->body, "{\"ok\":true}");
    return COV_OK;
}

/* ---- the routes ---- */

bool cov_live_is_multiplex(const cov_live *live, const cov_request *req)
{
    return live->muxes != NULL && cov_str_starts(req->path, root) &&
           (req->path.len == root.len || req->path.ptr[root.len] == '/');
}

const cov_resource *cov_live_wanted(const cov_live *live, const cov_request *req, cov_arena *arena)
{
    const cov_str verb = COV_STR_INIT("/subscribe");
    yyjson_val *body = NULL;
    cov_str wanted;

    if (req->method != COV_POST || req->path.len < verb.len ||
        !cov_str_eq(cov_str_slice(req->path, req->path.len - verb.len, req->path.len), verb) ||
        cov_json_read(arena, req->body, &body, NULL) != COV_OK)
        return NULL;
    wanted = text_of(body, "resource");
    return wanted.len != 0 ? resource_of(live, wanted) : NULL;
}

cov_status cov_live_multiplex(cov_live *live, cov_ctx *ctx)
{
    cov_str rest = cov_str_slice(ctx->req->path, root.len, ctx->req->path.len);
    bool get = ctx->req->method == COV_GET || ctx->req->method == COV_HEAD;
    size_t slash;
    cov_str cid;
    cov_str verb;

    if (rest.len == 0 && get)
        return open_stream(live, ctx);
    slash = cov_str_find(rest, '/', 1);
    cid = cov_str_slice(rest, 1, slash);
    verb = cov_str_slice(rest, slash, rest.len);
    if (ctx->req->method == COV_POST && cov_str_eq(verb, COV_STR("/subscribe")))
        return subscribe(live, ctx, cid);
    if (ctx->req->method == COV_POST && cov_str_eq(verb, COV_STR("/unsubscribe")))
        return unsubscribe(live, ctx, cid);
    return cov_fail(ctx->err, COV_ENOTFOUND, "Route %.*s %.*s not found",
                    COV_STR_ARG(ctx->req->method_name), COV_STR_ARG(ctx->req->path));
}
