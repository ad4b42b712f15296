/* SPDX-License-Identifier: MIT */
/* Bytes that streams share (covara/stream.h). */
#include "covara/stream.h"

#include <stdatomic.h>
#include <stdlib.h>

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
    atomic_fetch_add_explicit(&payload->refs, 1, memory_order_relaxed);
    return payload;
}

/* The last owner must see what the others wrote before they let go. */
void cov_payload_release(cov_payload *payload)
{
    if (payload != NULL && atomic_fetch_sub_explicit(&payload->refs, 1, memory_order_acq_rel) == 1)
        free(payload);
}
