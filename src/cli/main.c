/* SPDX-License-Identifier: MIT */
/* The covara executable: the command without application code. */
#include "covara/app.h"

int main(int argc, char **argv)
{
    return cov_main(argc, argv, NULL);
}
