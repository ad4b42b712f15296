/* SPDX-License-Identifier: MIT */
/*
 * Files of app.static, served from memory.
 *
 * DESIGN: the host reads the folders once, at the start, and what a request can reach is what is in this table then. A
 * path that tries to leave a folder is one that is not in the table.
 */
#include "app/build.h"
#include "app/internal.h"
#include "base/encode.h"
#include "base/map.h"

enum { PATH_MAX_BYTES = 1024, TAG_HEX_BYTES = 16 };

struct cov_served_file {
    cov_str bytes;
    cov_str type;
    cov_str etag;
    cov_str policy;
    bool
        folder; /* the path of a folder without its slash: links in its page would point beside it */
};

static const struct {
    const char *extension;
    cov_str type;
} types[] = {
    { "html", COV_STR_INIT("text/html; charset=utf-8") },
    { "htm", COV_STR_INIT("text/html; charset=utf-8") },
    { "css", COV_STR_INIT("text/css; charset=utf-8") },
    { "js", COV_STR_INIT("text/javascript; charset=utf-8") },
    { "mjs", COV_STR_INIT("text/javascript; charset=utf-8") },
    { "txt", COV_STR_INIT("text/plain; charset=utf-8") },
    { "md", COV_STR_INIT("text/markdown; charset=utf-8") },
    { "csv", COV_STR_INIT("text/csv; charset=utf-8") },
    { "xml", COV_STR_INIT("application/xml; charset=utf-8") },
    { "json", COV_STR_INIT("application/json") },
    { "map", COV_STR_INIT("application/json") },
    { "webmanifest", COV_STR_INIT("application/manifest+json") },
    { "wasm", COV_STR_INIT("application/wasm") },
    { "pdf", COV_STR_INIT("application/pdf") },
    { "svg", COV_STR_INIT("image/svg+xml") },
    { "png", COV_STR_INIT("image/png") },
    { "jpg", COV_STR_INIT("image/jpeg") },
    { "jpeg", COV_STR_INIT("image/jpeg") },
    { "gif", COV_STR_INIT("image/gif") },
    { "webp", COV_STR_INIT("image/webp") },
    { "avif", COV_STR_INIT("image/avif") },
    { "ico", COV_STR_INIT("image/x-icon") },
    { "woff", COV_STR_INIT("font/woff") },
    { "woff2", COV_STR_INIT("font/woff2") },
    { "ttf", COV_STR_INIT("font/ttf") },
    { "otf", COV_STR_INIT("font/otf") },
    { "mp3", COV_STR_INIT("audio/mpeg") },
    { "mp4", COV_STR_INIT("video/mp4") },
    { "webm", COV_STR_INIT("video/webm") },
};

static cov_str type_of(cov_str name)
{
    size_t dot = name.len;

    while (dot > 0 && name.ptr[dot - 1] != '.' && name.ptr[dot - 1] != '/')
        dot--;
    for (size_t i = 0; dot > 0 && name.ptr[dot - 1] == '.' && i < COV_COUNT_OF(types); i++)
        if (cov_str_eq_nocase(cov_str_slice(name, dot, name.len), cov_str_from(types[i].extension)))
            return types[i].type;
    return COV_STR("application/octet-stream");
}

static cov_str tag_of(const cov_app *app, cov_str bytes)
{
    cov_buf tag = COV_BUF_IN(app->arena);
    uint8_t digest[COV_SHA256_BYTES];

    if (app->host->digest(app->host->self, COV_SHA256, bytes, digest) != COV_OK)
        return COV_STR_NULL;
    cov_buf_char(&tag, '"');
    cov_hex(&tag, digest, TAG_HEX_BYTES);
    cov_buf_char(&tag, '"');
    return tag.failed ? COV_STR_NULL : cov_buf_view(&tag);
}

static cov_status put(cov_app *app, cov_str path, cov_served_file *file, cov_error *err)
{
    if (path.len > PATH_MAX_BYTES)
        return cov_fail(err, COV_EINVAL, "app.static: a path of %zu bytes; %d is the most",
                        path.len, PATH_MAX_BYTES);
    if (cov_map_get(&app->files, path) != NULL)
        return cov_fail(err, COV_EINVAL, "app.static: two files are served as \"%.*s\"",
                        COV_STR_ARG(path));
    return cov_map_put(&app->files, path, file) ? COV_OK : cov_fail_nomem(err);
}

/* "/docs/index.html" is also what "/docs/" shows, and where "/docs" leads. */
static cov_status put_index(cov_app *app, cov_str path, cov_served_file *file, cov_error *err)
{
    const cov_str name = COV_STR("/index.html");
    cov_str folder = cov_str_slice(path, 0, path.len - name.len + 1);
    cov_served_file *bare;
    cov_status st;

    if (path.len < name.len ||
        !cov_str_eq(cov_str_slice(path, path.len - name.len, path.len), name))
        return COV_OK;
    st = put(app, folder, file, err);
    if (st != COV_OK || folder.len == 1)
        return st;
    bare = COV_NEW(app->arena, cov_served_file);
    if (bare == NULL)
        return cov_fail_nomem(err);
    bare->policy = file->policy;
    bare->folder = true;
    return put(app, cov_str_slice(folder, 0, folder.len - 1), bare, err);
}

static cov_status serve_file(cov_app *app, const cov_file *from, cov_error *err)
{
    cov_served_file *file = COV_NEW(app->arena, cov_served_file);
    cov_str path = cov_arena_printf(app->arena, "%.*s/%.*s", COV_STR_ARG(from->from->path),
                                    COV_STR_ARG(from->name));
    cov_status st;

    if (file == NULL || path.ptr == NULL)
        return cov_fail_nomem(err);
    file->bytes = from->bytes;
    file->type = type_of(from->name);
    file->etag = tag_of(app, from->bytes);
    file->policy = from->from->content_security_policy;
    if (file->etag.ptr == NULL)
        return cov_fail_nomem(err);
    st = put(app, path, file, err);
    return st == COV_OK ? put_index(app, path, file, err) : st;
}

cov_status cov__app_serve_files(cov_app *app, const cov_file *files, size_t n, cov_error *err)
{
    cov_status st = COV_OK;

    if (n != 0 && !cov_map_init(&app->files, app->arena, n * 2))
        return cov_fail_nomem(err);
    for (size_t i = 0; st == COV_OK && i < n; i++)
        st = serve_file(app, &files[i], err);
    return st;
}

/* Escapes decoded into `out`; false: longer than any path that is served. */
static bool decode(cov_str path, char out[PATH_MAX_BYTES], size_t *len)
{
    size_t n = 0;

    for (size_t i = 0; i < path.len; i++) {
        bool escape = path.ptr[i] == '%' && path.len - i > 2;
        int high = escape ? cov_hex_value(path.ptr[i + 1]) : -1;
        int low = escape ? cov_hex_value(path.ptr[i + 2]) : -1;

        if (n == PATH_MAX_BYTES)
            return false;
        out[n] = path.ptr[i];
        if (high >= 0 && low >= 0) {
            out[n] = (char)(high * 16 + low);
            i += 2;
        }
        n++;
    }
    *len = n;
    return true;
}

const cov_served_file *cov__file_find(const cov_app *app, cov_method method, cov_str path)
{
    char text[PATH_MAX_BYTES];
    size_t len;

    if (app->files.len == 0 || (method != COV_GET && method != COV_HEAD) ||
        !decode(path, text, &len))
        return NULL;
    return cov_map_get(&app->files, cov_str_of(text, len));
}

/* A path that was found begins with one slash and a name, so the place is always on this server. */
static cov_status redirect(cov_ctx *ctx)
{
    cov_str place = cov_arena_printf(ctx->arena, "%.*s/", COV_STR_ARG(ctx->req->path));

    if (place.ptr == NULL)
        return cov_fail_nomem(ctx->err);
    ctx->res->status = 308;
    cov_response_header(ctx->res, COV_STR("Location"), place);
    return COV_OK;
}

cov_status cov__file_answer(const cov_served_file *file, cov_ctx *ctx)
{
    cov_response *res = ctx->res;

    cov_response_header(res, COV_STR("Cache-Control"), COV_STR("no-cache"));
    if (file->policy.ptr != NULL)
        cov_response_header(res, COV_STR("Content-Security-Policy"), file->policy);
    if (file->folder)
        return redirect(ctx);
    cov_response_header(res, COV_STR("ETag"), file->etag);
    res->status = cov__etag_none_match(ctx, file->etag) ? 304 : 200;
    if (res->status == 304)
        return COV_OK;
    cov_response_header(res, COV_STR("Content-Type"), file->type);
    cov_buf_str(&res->body, file->bytes);
    return COV_OK;
}
