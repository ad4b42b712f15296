/* SPDX-License-Identifier: MIT */
#include "base/distance.h"

size_t cov_edit_distance(cov_str a, cov_str b)
{
    size_t row[COV_DISTANCE_MAX_BYTES + 1];

    if (a.len > COV_DISTANCE_MAX_BYTES || b.len > COV_DISTANCE_MAX_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        cov_str letter = cov_str_slice(a, i - 1, i);
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + !cov_str_eq_nocase(letter, cov_str_slice(b, j - 1, j));
            size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = change < shift ? change : shift;
        }
    }
    return row[b.len];
}
