/* SPDX-License-Identifier: MIT */
#include "live/due.h"

#include <stdlib.h>

struct cov_due_lane {
    int64_t after_ms;
    cov_due_fn fn;
    cov_due *head, *tail;
    cov_due_lane *next;
};

static cov_due_lane *lane_of(cov_due_lanes *lanes, int64_t after_ms, cov_due_fn fn)
{
    cov_due_lane *lane = lanes->first;

    while (lane != NULL && (lane->after_ms != after_ms || lane->fn != fn))
        lane = lane->next;
    if (lane != NULL)
        return lane;
    lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return NULL;
    lane->after_ms = after_ms;
    lane->fn = fn;
    lane->next = lanes->first;
    lanes->first = lane;
    return lane;
}

/* A clock that was set back must not break the order. */
bool cov_due_add(cov_due_lanes *lanes, cov_due *due, int64_t after_ms, int64_t now_ms,
                 cov_due_fn fn)
{
    cov_due_lane *lane = lane_of(lanes, after_ms, fn);

    if (lane == NULL)
        return false;
    due->lane = lane;
    due->at_ms = now_ms + after_ms;
    if (lane->tail != NULL && lane->tail->at_ms > due->at_ms)
        due->at_ms = lane->tail->at_ms;
    due->next = NULL;
    due->prev = lane->tail;
    if (lane->tail != NULL)
        lane->tail->next = due;
    else
        lane->head = due;
    lane->tail = due;
    return true;
}

void cov_due_remove(cov_due *due)
{
    cov_due_lane *lane = due->lane;

    if (lane == NULL)
        return;
    if (due->prev != NULL)
        due->prev->next = due->next;
    else
        lane->head = due->next;
    if (due->next != NULL)
        due->next->prev = due->prev;
    else
        lane->tail = due->prev;
    due->lane = NULL;
}

/* What is put back while the lane runs is due after now, unless its interval is 0: then it waits for the next call. */
static void run_lane(cov_due_lane *lane, struct cov_live_shard *shard, int64_t now_ms)
{
    cov_due *last = lane->tail;

    while (lane->head != NULL && lane->head->at_ms <= now_ms) {
        cov_due *due = lane->head;
        bool is_last = due == last;

        cov_due_remove(due);
        lane->fn(shard, due, now_ms);
        if (is_last)
            return;
    }
}

int64_t cov_due_run(cov_due_lanes *lanes, struct cov_live_shard *shard, int64_t now_ms)
{
    for (cov_due_lane *lane = lanes->first; lane != NULL; lane = lane->next)
        run_lane(lane, shard, now_ms);
    return cov_due_next(lanes);
}

int64_t cov_due_next(const cov_due_lanes *lanes)
{
    int64_t next = INT64_MAX;

    for (const cov_due_lane *lane = lanes->first; lane != NULL; lane = lane->next)
        if (lane->head != NULL && lane->head->at_ms < next)
            next = lane->head->at_ms;
    return next;
}

void cov_due_dispose(cov_due_lanes *lanes)
{
    while (lanes->first != NULL) {
        cov_due_lane *lane = lanes->first;

        lanes->first = lane->next;
        free(lane);
    }
}
