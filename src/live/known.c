/* SPDX-License-Identifier: MIT */
/*
 * The ids that a client holds: for those that said which (knownIds), and for scopes that only the database can judge.
 * Only such subscriptions pay for a set; all others are judged by the two images of a row.
 */
#include <stdlib.h>

#include "base/map.h"
#include "live/internal.h"

typedef struct known_id {
    cov_link link;
    uint64_t round; /* of the last cov__known_mark */
    size_t len;
    char text[];
} known_id;

struct cov_known {
    cov_links ids;
    uint64_t round;
};

static known_id *find(const cov_known *known, cov_str id)
{
    for (cov_link *l = cov_links_first(&known->ids, cov_hash(id)); l != NULL;
         l = cov_links_next(l)) {
        known_id *entry = (known_id *)(void *)l;

        if (cov_str_eq(cov_str_of(entry->text, entry->len), id))
            return entry;
    }
    return NULL;
}

bool cov__known_has(const cov_known *known, cov_str id)
{
    return known != NULL && find(known, id) != NULL;
}

void cov__known_begin(cov_known *known)
{
    if (known != NULL)
        known->round++;
}

bool cov__known_mark(const cov_known *known, cov_str id)
{
    known_id *entry = known != NULL ? find(known, id) : NULL;

    if (entry != NULL)
        entry->round = known->round;
    return entry != NULL;
}

cov_str cov__known_unmarked(const cov_known *known, size_t *bucket)
{
    for (; known != NULL && *bucket < known->ids.cap; ++*bucket)
        for (cov_link *l = known->ids.heads[*bucket]; l != NULL; l = l->next) {
            const known_id *entry = (const known_id *)(const void *)l;

            if (entry->round != known->round)
                return cov_str_of(entry->text, entry->len);
        }
    return COV_STR_NULL;
}

bool cov__known_add(cov_known **known, cov_str id)
{
    known_id *entry;

    if (*known == NULL)
        *known = calloc(1, sizeof(**known));
    if (*known == NULL)
        return false;
    if (find(*known, id) != NULL)
        return true;
    entry = id.len <= SIZE_MAX / 2 ? malloc(sizeof *entry + id.len) : NULL;
    if (entry == NULL)
        return false;
    entry->round = (*known)->round;
    entry->len = id.len;
    if (id.len != 0)
        memcpy(entry->text, id.ptr, id.len);
    if (cov_links_add(&(*known)->ids, &entry->link, cov_hash(id)))
        return true;
    free(entry);
    return false;
}

void cov__known_remove(cov_known *known, cov_str id)
{
    known_id *entry = known != NULL ? find(known, id) : NULL;

    if (entry == NULL)
        return;
    cov_links_remove(&known->ids, &entry->link);
    free(entry);
}

void cov__known_free(cov_known *known)
{
    if (known == NULL)
        return;
    for (size_t i = 0; i < known->ids.cap; i++)
        for (cov_link *l = known->ids.heads[i], *next; l != NULL; l = next) {
            next = l->next;
            free(l);
        }
    cov_links_dispose(&known->ids);
    free(known);
}
