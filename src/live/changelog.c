/* SPDX-License-Identifier: MIT */
/* The ring: the latest changes, in memory. */
#include "live/changelog.h"

#include <stdlib.h>

enum { DEFAULT_ENTRIES = 10000 };
/* Rows may be large: what 10000 entries of 3 KiB take. */
#define MAX_BYTES ((size_t)32 * 1024 * 1024)

/*
 * Numbers begin at the clock, so that those of an earlier process lie below the first entry and are found to be too old,
 * instead of being taken for numbers of this one (spec/04 section 7). In microseconds: nobody writes faster than that.
 */
bool cov_changelog_init(cov_changelog *log, const cov_host *host, bool in_database, int64_t most)
{
    log->in_database = in_database;
    log->most = most > 0 ? most : DEFAULT_ENTRIES;
    log->max_bytes = MAX_BYTES;
    if (in_database)
        return cov_uuid(host, log->origin) == COV_OK;
    if ((uint64_t)log->most > SIZE_MAX / sizeof(*log->ring))
        return false;
    log->ring = calloc((size_t)log->most, sizeof(*log->ring));
    log->seq = log->base = log->start = host->now_ms(host->self) * 1000;
    return log->ring != NULL;
}

static void forget_oldest(cov_changelog *log)
{
    cov_change *oldest = log->ring[log->first];

    log->first = (log->first + 1) % (size_t)log->most;
    log->n--;
    log->bytes -= oldest->bytes;
    if (oldest->seq > log->base)
        log->base = oldest->seq;
    cov_change_release(oldest);
}

void cov_changelog_dispose(cov_changelog *log)
{
    while (log->n != 0)
        forget_oldest(log);
    free(log->ring);
    log->ring = NULL;
}

void cov_changelog_keep(cov_changelog *log, cov_change *change)
{
    if (log->kv == NULL)
        change->seq = log->seq + 1;
    log->seq = change->seq;
    while (log->n != 0 &&
           (log->n == (size_t)log->most || log->bytes + change->bytes > log->max_bytes))
        forget_oldest(log);
    log->ring[(log->first + log->n) % (size_t)log->most] = cov_change_retain(change);
    log->n++;
    log->bytes += change->bytes;
}

/* A store goes on counting by itself: what it will number next is the first that is known again. */
void cov_changelog_lose(cov_changelog *log, int64_t upto)
{
    while (log->n != 0)
        forget_oldest(log);
    if (upto <= log->seq)
        upto = log->seq + 1;
    log->base = upto;
    if (log->kv == NULL || upto > log->seq + 1)
        log->seq = upto;
}

void cov_missed_dispose(cov_missed *missed)
{
    for (size_t i = 0; i < missed->n; i++)
        cov_change_release(missed->items[i]);
    free(missed->items);
    memset(missed, 0, sizeof *missed);
}

/* The place in the ring of the first entry above `since`. Entries of unknown tables leave holes. */
static size_t place_above(const cov_changelog *log, int64_t since)
{
    size_t from = 0;
    size_t to = log->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (log->ring[(log->first + middle) % (size_t)log->most]->seq > since)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

bool cov_changelog_recall(const cov_changelog *log, size_t table, int64_t since, int64_t upto,
                          cov_missed *out)
{
    size_t from;

    memset(out, 0, sizeof *out);
    out->gap = since < log->base || since > upto;
    if (out->gap)
        return true;
    from = place_above(log, since);
    if (from == log->n)
        return true;
    out->items = calloc(log->n - from, sizeof(*out->items));
    if (out->items == NULL)
        return false;
    for (size_t i = from; i < log->n; i++) {
        cov_change *change = log->ring[(log->first + i) % (size_t)log->most];

        if (change->table == table && change->seq <= upto)
            out->items[out->n++] = cov_change_retain(change);
    }
    return true;
}
