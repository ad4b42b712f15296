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

/* A file of a folder that the configuration names, as the host read it. */
typedef struct cov_file {
    const cov_static_config *from;
    cov_str name; /* below the folder: "css/page.css" */
    cov_str bytes;
} cov_file;
/*
 * Serve these files; their texts are borrowed for the app's life. Once, between the build and the first request. Fails
 * with COV_EINVAL when two of them have the same path.
 */
COV_CHECK cov_status cov__app_serve_files(cov_app *app, const cov_file *files, size_t n,
                                          cov_error *err);

#endif
