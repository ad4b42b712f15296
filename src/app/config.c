/* SPDX-License-Identifier: MIT */
#include "app/config.h"

#include "app/config_read.h"

/* yyjson needs zeroed bytes behind a text that it parses in place. */
static char *copy_padded(cov_arena *arena, cov_str text)
{
    char *copy;

    if (text.len > SIZE_MAX - YYJSON_PADDING_SIZE)
        return NULL;
    copy = cov_arena_alloc(arena, text.len + YYJSON_PADDING_SIZE);
    if (copy == NULL)
        return NULL;
    if (text.len != 0)
        memcpy(copy, text.ptr, text.len);
    memset(copy + text.len, 0, YYJSON_PADDING_SIZE);
    return copy;
}

/* A byte order mark becomes spaces, so that places stay as they are. */
static void blank_mark(char *copy, size_t len)
{
    if (len >= 3 && memcmp(copy, "\xEF\xBB\xBF", 3) == 0)
        memset(copy, ' ', 3);
}

static cov_status read_document(cov_config_reader *r, yyjson_val *document, const cov_config **out)
{
    cov_config_root *root = COV_NEW(r->arena, cov_config_root);
    cov_status st;

    if (root == NULL || !cov__config_defaults(r, &cov__config_options, root))
        return cov_fail_nomem(r->err);
    if (!yyjson_is_obj(document))
        return cov__config_fail(r, r->copy,
                                "the configuration must be an object: { \"resources\": { ... } }");
    if ((st = cov__config_no_duplicates(r, document, 1)) != COV_OK ||
        (st = cov__config_object(r, &cov__config_options, root, document, r->copy)) != COV_OK)
        return st;
    *out = &root->config;
    return COV_OK;
}

cov_status cov_config_parse(cov_arena *arena, const cov_host *host, cov_str name, cov_str text,
                            const cov_config **out, cov_error *err)
{
    yyjson_read_flag flags =
        YYJSON_READ_INSITU | YYJSON_READ_ALLOW_COMMENTS | YYJSON_READ_ALLOW_TRAILING_COMMAS;
    cov_config_reader r = { .arena = arena, .host = host, .name = name, .text = text, .err = err };
    char *copy = copy_padded(arena, text);
    yyjson_read_err json_error;
    yyjson_doc *doc;
    cov_status st;

    if (copy == NULL)
        return cov_fail_nomem(err);
    r.copy = copy;
    if (text.len == 0)
        return cov__config_fail(
            &r, copy, "the file is empty; the smallest configuration is { \"resources\": {} }");
    blank_mark(copy, text.len);
    doc = yyjson_read_opts(copy, text.len, flags, NULL, &json_error);
    if (doc == NULL) {
        if (json_error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
            return cov_fail_nomem(err);
        return cov__config_fail(&r, copy + (json_error.pos < text.len ? json_error.pos : text.len),
                                "%s", json_error.msg);
    }
    st = read_document(&r, yyjson_doc_get_root(doc), out);
    yyjson_doc_free(doc); /* the texts are in `copy`, which the arena keeps */
    return st;
}
