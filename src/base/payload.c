/* SPDX-License-Identifier: MIT */
/* Bytes with an atomic reference count (covara/stream.h), in one allocation. */
#include <stdatomic.h>
#include <stdlib.h>

#include "covara/stream.h"

struct cov_payload {
    atomic_size_t refs;
    size_t len;
    char bytes[];
};

cov_payload *cov_payload_new(size_t len)
{
    cov_payload *payload = len <= SIZE_MAX - sizeof *payload ? malloc(sizeof *payload + len) : NULL;

    if (payload == NULL)
        return NULL;
    atomic_init(&payload->refs, 1);
    payload->len = len;
    return payload;
}

char *cov_payload_bytes(cov_payload *payload)
{
    return payload->bytes;
}

size_t cov_payload_len(const cov_payload *payload)
{
    return payload->len;
}

cov_payload *cov_payload_retain(cov_payload *payload)
{
    /* Whoever retains has a reference already, so there is nothing to order. */
    atomic_fetch_add_explicit(&payload->refs, 1, memory_order_relaxed);
    return payload;
}

void cov_payload_release(cov_payload *payload)
{
    /* The last release must come after every other thread's use of the bytes. */
    if (payload != NULL && atomic_fetch_sub_explicit(&payload->refs, 1, memory_order_acq_rel) == 1)
        free(payload);
}
