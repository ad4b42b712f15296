/* SPDX-License-Identifier: MIT */
/* host/native/jobs.h - a list of jobs, first in first out. No lock: the owner has one where it needs one. */
#ifndef COV_HOST_NATIVE_JOBS_H
#define COV_HOST_NATIVE_JOBS_H

#include "host/native/exchange.h"

typedef struct cov__jobs {
    cov__job *head;
    cov__job *tail;
    size_t len;
} cov__jobs;

static inline void cov__jobs_push(cov__jobs *list, cov__job *job)
{
    job->next = NULL;
    if (list->tail != NULL)
        list->tail->next = job;
    else
        list->head = job;
    list->tail = job;
    list->len++;
}

static inline cov__job *cov__jobs_pop(cov__jobs *list)
{
    cov__job *job = list->head;

    if (job == NULL)
        return NULL;
    list->head = job->next;
    if (list->head == NULL)
        list->tail = NULL;
    list->len--;
    job->next = NULL;
    return job;
}

#endif
