/* SPDX-License-Identifier: MIT */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* realpath, lstat */
#endif

#include "cli/static.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/files.h"

enum { MAX_FILES = 1000, MAX_DEPTH = 16, MAX_BYTES = 16 * 1024 * 1024 };

typedef struct reader {
    const cov_project *p;
    const cov_static_config *from;
    cov_file *files; /* MAX_FILES of them */
    size_t n;
    size_t bytes;
    cov_error *err;
} reader;

/* A folder or file below the one that was configured. */
typedef struct place {
    cov_str path; /* in the file system */
    cov_str name; /* below the configured folder; "" for that itself */
    int depth;
} place;

static cov_status read_folder(reader *r, const place *folder);

static cov_status read_file(reader *r, const place *at)
{
    cov_file *file = &r->files[r->n];
    cov_status st;

    if (r->n == MAX_FILES)
        return cov_fail(r->err, COV_ETOOLARGE, "app.static: more than %d files in \"%.*s\"",
                        MAX_FILES, COV_STR_ARG(r->from->folder));
    st = cov_cli_read_file(r->p->arena, at->path, &file->bytes, r->err);
    if (st != COV_OK)
        return st;
    if (file->bytes.len > MAX_BYTES - r->bytes)
        return cov_fail(r->err, COV_ETOOLARGE, "app.static: more than %d MiB, up to \"%.*s\"",
                        MAX_BYTES / (1024 * 1024), COV_STR_ARG(at->path));
    r->bytes += file->bytes.len;
    r->n++;
    file->from = r->from;
    file->name = at->name;
    return COV_OK;
}

static cov_status read_entry(reader *r, const place *folder, const char *entry)
{
    cov_arena *arena = r->p->arena;
    place at = { .depth = folder->depth + 1 };
    struct stat info;
    cov_status st;

    if ((st = cov_cli_join(arena, folder->path, cov_str_from(entry), &at.path, r->err)) != COV_OK ||
        (st = cov_cli_join(arena, folder->name, cov_str_from(entry), &at.name, r->err)) != COV_OK)
        return st;
    if (lstat(at.path.ptr, &info) != 0)
        return cov_fail(r->err, COV_EINTERNAL, "cannot read %.*s: %s", COV_STR_ARG(at.path),
                        strerror(errno));
    if (S_ISDIR(info.st_mode))
        return read_folder(r, &at);
    if (S_ISREG(info.st_mode))
        return read_file(r, &at);
    return cov_fail(r->err, COV_EINVAL,
                    "app.static: \"%.*s\" is neither a file nor a folder; links are not followed",
                    COV_STR_ARG(at.path));
}

static cov_status read_folder(reader *r, const place *folder)
{
    DIR *dir;
    struct dirent *entry;
    cov_status st = COV_OK;

    if (folder->depth > MAX_DEPTH)
        return cov_fail(r->err, COV_ETOOLARGE, "app.static: \"%.*s\" is nested too deeply",
                        COV_STR_ARG(folder->path));
    dir = opendir(folder->path.ptr);
    if (dir == NULL)
        return cov_fail(r->err, errno == ENOENT ? COV_ENOTFOUND : COV_EINTERNAL,
                        "app.static: cannot read the folder \"%.*s\": %s",
                        COV_STR_ARG(folder->path), strerror(errno));
    while (st == COV_OK && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            st = read_entry(r, folder, entry->d_name);
    closedir(dir);
    return st;
}

/* Is `file`, which need not exist, somewhere below `folder`? */
static bool holds(cov_arena *arena, const char *folder, cov_str file)
{
    cov_str parent = cov_arena_str(arena, cov_cli_folder(file));
    char *outer = realpath(folder, NULL);
    char *inner = parent.ptr != NULL ? realpath(parent.ptr, NULL) : NULL;
    size_t len = outer != NULL ? strlen(outer) : 0;
    bool result = outer != NULL && inner != NULL && strncmp(outer, inner, len) == 0 &&
                  (inner[len] == '\0' || inner[len] == '/' || len == 1);

    free(outer);
    free(inner);
    return result;
}

static cov_status check_folder(const cov_project *p, const place *folder, cov_error *err)
{
    const cov_str own[] = { p->config_path, p->schema_path, p->database_path };

    for (size_t i = 0; i < COV_COUNT_OF(own); i++)
        if (holds(p->arena, folder->path.ptr, own[i]))
            return cov_fail(err, COV_EINVAL,
                            "app.static: \"%.*s\" holds %.*s, which is not for everyone: "
                            "put what is served into a folder of its own",
                            COV_STR_ARG(folder->path), COV_STR_ARG(own[i]));
    return COV_OK;
}

cov_status cov_static_read(const cov_project *p, cov_file **files, size_t *n, cov_error *err)
{
    size_t n_folders = p->config.app.n_statics;
    reader r = { .p = p, .err = err };
    cov_status st = COV_OK;

    r.files = COV_NEW_ARRAY(p->arena, cov_file, n_folders != 0 ? MAX_FILES : 0);
    if (r.files == NULL)
        return cov_fail_nomem(err);
    for (size_t i = 0; st == COV_OK && i < n_folders; i++) {
        place folder = { .name = COV_STR("") };

        r.from = &p->config.app.statics[i];
        if ((st = cov_cli_join(p->arena, cov_cli_folder(p->config_path), r.from->folder,
                               &folder.path, err)) == COV_OK &&
            (st = check_folder(p, &folder, err)) == COV_OK)
            st = read_folder(&r, &folder);
    }
    *files = r.files;
    *n = r.n;
    return st;
}
