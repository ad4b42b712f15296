/* SPDX-License-Identifier: MIT */
/* A cov_host for filter tests: regular expressions by PCRE2 with match limits, nothing else. */
#ifndef RSQL_HOST_H
#define RSQL_HOST_H

#include "covara/host.h"

extern const cov_host rsql_host;

#endif
