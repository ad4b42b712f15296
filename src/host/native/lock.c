/* SPDX-License-Identifier: MIT */
/* Mutual exclusion for the core: a POSIX mutex each. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>

#include "host/native/services.h"

void *cov__native_lock_new(void *self)
{
    pthread_mutex_t *mutex = malloc(sizeof *mutex);

    (void)self;
    if (mutex != NULL && pthread_mutex_init(mutex, NULL) != 0) {
        free(mutex);
        mutex = NULL;
    }
    return mutex;
}

void cov__native_lock(void *self, void *lock)
{
    (void)self;
    pthread_mutex_lock(lock);
}

void cov__native_unlock(void *self, void *lock)
{
    (void)self;
    pthread_mutex_unlock(lock);
}

void cov__native_lock_free(void *self, void *lock)
{
    (void)self;
    if (lock == NULL)
        return;
    pthread_mutex_destroy(lock);
    free(lock);
}
