/* SPDX-License-Identifier: MIT */
/* tests/http/server/fake.h - an application and a database that do what a test asks them by URL. */
#ifndef COV_TEST_FAKE_H
#define COV_TEST_FAKE_H

#include <stdatomic.h>

#include "covara/app.h"

typedef struct fake_counts {
    atomic_long rows;       /* committed */
    atomic_long commits;    /* of outermost transactions */
    atomic_long rollbacks;  /* of outermost transactions */
    atomic_long arrived;    /* writing requests that were read */
    atomic_long entered;    /* writing requests that began to run */
    atomic_long published;  /* mutations told to listeners */
    atomic_long max_group;  /* most rows of one commit */
    atomic_long blocked;    /* requests that were admitted on the pool */
    atomic_int busy_begins; /* so many outermost begins fail with COV_EBUSY */
} fake_counts;

extern fake_counts fake_counts_all;
extern const cov_db_driver fake_driver;

cov_app *fake_app_new(void);

#endif
