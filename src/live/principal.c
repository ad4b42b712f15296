/* SPDX-License-Identifier: MIT */
#include "live/principal.h"

#include <stdatomic.h>
#include <stdlib.h>

typedef struct id_only {
    cov_principal principal; /* first */
    atomic_size_t refs;
    char text[];
} id_only;

static void retain(cov_principal *principal)
{
    atomic_fetch_add_explicit(&((id_only *)(void *)principal)->refs, 1, memory_order_relaxed);
}

static void release(cov_principal *principal)
{
    id_only *own = (id_only *)(void *)principal;

    if (atomic_fetch_sub_explicit(&own->refs, 1, memory_order_acq_rel) == 1)
        free(own);
}

static bool get(const void *self, cov_str path, cov_value *value)
{
    if (!cov_str_eq(path, COV_STR("user.id")))
        return false;
    *value = cov_value_text(((const cov_principal *)self)->id);
    return true;
}

static cov_principal *make(cov_str id)
{
    id_only *own = id.len <= SIZE_MAX / 2 ? calloc(1, sizeof *own + id.len) : NULL;

    if (own == NULL)
        return NULL;
    atomic_init(&own->refs, 1);
    if (id.len != 0)
        memcpy(own->text, id.ptr, id.len);
    own->principal.id = cov_str_of(own->text, id.len);
    own->principal.vars.get = get;
    own->principal.vars.self = &own->principal;
    own->principal.retain = retain;
    own->principal.release = release;
    return &own->principal;
}

cov_status cov_principal_of(const cov_ctx *ctx, cov_principal **out)
{
    cov_value id;

    *out = ctx->principal;
    if (ctx->principal != NULL) {
        ctx->principal->retain(ctx->principal);
        return COV_OK;
    }
    if (ctx->user == NULL)
        return COV_OK;
    if (!ctx->user->get(ctx->user->self, COV_STR("user.id"), &id) || id.type != COV_TEXT)
        id = cov_value_text(COV_STR(""));
    *out = make(id.s);
    return *out != NULL ? COV_OK : cov_fail_nomem(ctx->err);
}
