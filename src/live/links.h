/* SPDX-License-Identifier: MIT */
/*
 * live/links.h - hash table of things that carry their own link: no allocation to add, constant time to remove.
 *
 * Unlike base/map.h it lives as long as a server and loses entries as often as it gains them.
 */
#ifndef COV_LIVE_LINKS_H
#define COV_LIVE_LINKS_H

#include "covara/str.h"

typedef struct cov_link cov_link;
struct cov_link {
    cov_link *next;
    uint64_t hash;
};

/* Zero-initialised. */
typedef struct cov_links {
    cov_link **heads;
    size_t cap; /* a power of two, or 0 */
    size_t len;
} cov_links;

void cov_links_dispose(cov_links *links);
/* False: out of memory, and nothing was added. Equal hashes may be many. */
COV_CHECK bool cov_links_add(cov_links *links, cov_link *link, uint64_t hash);
/* `link` is in there. */
void cov_links_remove(cov_links *links, cov_link *link);
/* The first link with this hash, then the next one; NULL at the end. */
cov_link *cov_links_first(const cov_links *links, uint64_t hash);
cov_link *cov_links_next(const cov_link *link);

#endif
