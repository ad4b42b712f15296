/* SPDX-License-Identifier: MIT */
/* app/build.h - making an app from configuration, schema and code. */
#ifndef COV_APP_BUILD_H
#define COV_APP_BUILD_H

#include "app/config.h"
#include "covara/app.h"
#include "covara/kv.h"

/*
 * `kv` serves everything that requests share.
 *
 * Run `build` (NULL: configuration alone), then join configuration, schema and code. All of them are borrowed
 * for the app's life. Fails with COV_EINVAL; the detail names the resource and the option.
 */
COV_CHECK cov_status cov__app_build(const cov_host *host, const cov_config *config,
                                    cov_schema *schema, cov_kv *kv, cov_build_fn build,
                                    cov_app **out, cov_error *err);

#endif
