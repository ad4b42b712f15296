/* SPDX-License-Identifier: MIT */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* setenv */
#endif

#include "cli/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Configuration, schema and seed are read whole; beyond this it is surely the wrong file. */
enum { FILE_MAX_BYTES = 64 * 1024 * 1024 };

cov_file_kind cov_cli_file_kind(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? COV_FILE_NONE : COV_FILE_OTHER;
    return S_ISREG(info.st_mode)   ? COV_FILE_REGULAR
           : S_ISDIR(info.st_mode) ? COV_FILE_FOLDER
                                   : COV_FILE_OTHER;
}

cov_status cov_cli_join(cov_arena *arena, cov_str dir, cov_str name, cov_str *out, cov_error *err)
{
    bool alone =
        dir.len == 0 || cov_str_eq(dir, COV_STR(".")) || cov_str_starts(name, COV_STR("/"));
    const char *slash = !alone && dir.ptr[dir.len - 1] != '/' ? "/" : "";

    *out = alone
               ? cov_arena_str(arena, name)
               : cov_arena_printf(arena, "%.*s%s%.*s", COV_STR_ARG(dir), slash, COV_STR_ARG(name));
    return out->ptr != NULL ? COV_OK : cov_fail_nomem(err);
}

cov_str cov_cli_folder(cov_str path)
{
    size_t len = path.len;

    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    if (len == 0)
        return COV_STR(".");
    return len == 1 ? COV_STR("/") : cov_str_slice(path, 0, len - 1);
}

static cov_status read_all(FILE *file, cov_buf *out, cov_str path, cov_error *err)
{
    size_t got;

    do {
        char *to = cov_buf_reserve(out, 64 * 1024);

        if (to == NULL)
            return cov_fail(err, COV_ETOOLARGE, "%.*s is larger than %d MiB", COV_STR_ARG(path),
                            FILE_MAX_BYTES / (1024 * 1024));
        got = fread(to, 1, 64 * 1024, file);
        out->len += got;
    } while (got != 0);
    if (ferror(file))
        return cov_fail(err, COV_EINTERNAL, "cannot read %.*s: %s", COV_STR_ARG(path),
                        strerror(errno));
    return COV_OK;
}

cov_status cov_cli_read_file(cov_arena *arena, cov_str path, cov_str *out, cov_error *err)
{
    cov_buf buf = COV_BUF_INIT;
    FILE *file = fopen(path.ptr, "rb");
    cov_status st;

    if (file == NULL)
        return cov_fail(err, errno == ENOENT ? COV_ENOTFOUND : COV_EINTERNAL,
                        "cannot read %.*s: %s", COV_STR_ARG(path), strerror(errno));
    buf.limit = FILE_MAX_BYTES;
    st = read_all(file, &buf, path, err);
    fclose(file);
    if (st == COV_OK) {
        *out = cov_arena_str(arena, cov_buf_view(&buf));
        st = out->ptr != NULL ? COV_OK : cov_fail_nomem(err);
    }
    cov_buf_dispose(&buf);
    return st;
}

/* One pair of matching quotes around a value goes; nothing inside it is special. */
static cov_str without_quotes(cov_str value)
{
    char quote = value.len >= 2 ? value.ptr[0] : '\0';

    if ((quote == '"' || quote == '\'') && value.ptr[value.len - 1] == quote)
        return cov_str_slice(value, 1, value.len - 1);
    return value;
}

static cov_status set_variable(cov_arena *arena, cov_str line, cov_error *err)
{
    size_t equals = cov_str_find(line, '=', 0);
    cov_str key = cov_arena_str(arena, cov_str_trim(cov_str_slice(line, 0, equals)));
    cov_str value = cov_str_trim(cov_str_slice(line, equals + 1, line.len));

    if (equals == line.len || key.len == 0)
        return COV_OK;
    value = cov_arena_str(arena, without_quotes(value));
    if (key.ptr == NULL || value.ptr == NULL)
        return cov_fail_nomem(err);
    if (setenv(key.ptr, value.ptr, 0) != 0)
        return cov_fail(err, COV_EINTERNAL, "cannot set %s: %s", key.ptr, strerror(errno));
    return COV_OK;
}

cov_status cov_cli_load_env(cov_arena *arena, cov_str path, cov_error *err)
{
    cov_str rest;
    cov_str line;
    cov_status st = COV_OK;

    if (cov_cli_file_kind(path.ptr) != COV_FILE_REGULAR)
        return COV_OK;
    st = cov_cli_read_file(arena, path, &rest, err);
    while (st == COV_OK && cov_str_split(&rest, '\n', &line)) {
        line = cov_str_trim(line);
        if (line.len != 0 && line.ptr[0] != '#')
            st = set_variable(arena, line, err);
    }
    return st;
}
