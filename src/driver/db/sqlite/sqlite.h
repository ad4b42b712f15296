/* SPDX-License-Identifier: MIT */
/* sqlite/sqlite.h - the SQLite driver. URLs: "sqlite:PATH", "sqlite::memory:", "file:PATH". */
#ifndef COV_SQLITE_H
#define COV_SQLITE_H

#include "covara/db.h"

extern const cov_db_driver cov_sqlite_driver;

#endif
