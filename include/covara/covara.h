/* SPDX-License-Identifier: MIT */
/* covara/covara.h - the whole public API. */
#ifndef COVARA_COVARA_H
#define COVARA_COVARA_H

#include "covara/app.h"
#include "covara/arena.h"
#include "covara/buf.h"
#include "covara/ctx.h"
#include "covara/db.h"
#include "covara/error.h"
#include "covara/host.h"
#include "covara/http.h"
#include "covara/json.h"
#include "covara/kv.h"
#include "covara/procedure.h"
#include "covara/resource.h"
#include "covara/str.h"
#include "covara/stream.h"
#include "covara/version.h"

#endif
