/* SPDX-License-Identifier: MIT */
/* covara/version.h - this release. */
#ifndef COVARA_VERSION_H
#define COVARA_VERSION_H

#define COV_VERSION "0.1.0"
/* The reference release whose wire behaviour is kept. */
#define COV_WIRE_VERSION "0.16"

#endif
