/* SPDX-License-Identifier: MIT */
/* base/distance.h - how far two names are apart, for "did you mean". */
#ifndef COV_BASE_DISTANCE_H
#define COV_BASE_DISTANCE_H

#include "covara/str.h"

enum { COV_DISTANCE_MAX_BYTES = 64 };

/* Levenshtein's distance of the bytes, ASCII case ignored; SIZE_MAX when one is longer than the maximum. */
size_t cov_edit_distance(cov_str a, cov_str b);

#endif
