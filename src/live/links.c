/* SPDX-License-Identifier: MIT */
#include "live/links.h"

#include <stdlib.h>

enum { MIN_CAP = 16 };

void cov_links_dispose(cov_links *links)
{
    free(links->heads);
    memset(links, 0, sizeof *links);
}

static cov_link **head_of(const cov_links *links, uint64_t hash)
{
    return &links->heads[(size_t)(hash ^ hash >> 32) & (links->cap - 1)];
}

static bool grow(cov_links *links)
{
    cov_links wider = { NULL, links->cap != 0 ? links->cap * 2 : MIN_CAP, links->len };

    wider.heads = calloc(wider.cap, sizeof(*wider.heads));
    if (wider.heads == NULL)
        return false;
    for (size_t i = 0; i < links->cap; i++)
        for (cov_link *link = links->heads[i], *next; link != NULL; link = next) {
            cov_link **head = head_of(&wider, link->hash);

            next = link->next;
            link->next = *head;
            *head = link;
        }
    free(links->heads);
    *links = wider;
    return true;
}

/* A table that cannot grow still works, only slower. */
bool cov_links_add(cov_links *links, cov_link *link, uint64_t hash)
{
    cov_link **head;

    if (links->len >= links->cap && !grow(links) && links->cap == 0)
        return false;
    head = head_of(links, hash);
    link->hash = hash;
    link->next = *head;
    *head = link;
    links->len++;
    return true;
}

void cov_links_remove(cov_links *links, cov_link *link)
{
    cov_link **at = head_of(links, link->hash);

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    links->len--;
}

static cov_link *with_hash(cov_link *link, uint64_t hash)
{
    while (link != NULL && link->hash != hash)
        link = link->next;
    return link;
}

cov_link *cov_links_first(const cov_links *links, uint64_t hash)
{
    return links->cap != 0 ? with_hash(*head_of(links, hash), hash) : NULL;
}

cov_link *cov_links_next(const cov_link *link)
{
    return with_hash(link->next, link->hash);
}
