/* SPDX-License-Identifier: MIT */
/*
 * auth/users.h - the application's own table of users, as the configuration describes it (spec/06 section 1.3).
 *
 * Nothing is stored here but what the application's columns hold: the framework owns no table of users.
 */
#ifndef COV_AUTH_USERS_H
#define COV_AUTH_USERS_H

#include "auth/config.h"
#include "auth/user.h"
#include "resource/resource.h"

typedef struct cov_users {
    const cov_resource *resource; /* for inserts: defaults, hooks, records for listeners */
    const cov_table *table;
    const cov_column *id;
    const cov_column *email;
    const cov_column *password_hash; /* these and the following may be NULL */
    const cov_column *name;
    const cov_column *image;
    const cov_column *verified;
    const cov_column *metadata;
    const cov_column **extra; /* become members of the metadata */
    size_t n_extra;
    cov_str by_id; /* SELECT with one parameter */
    cov_str by_email;
} cov_users;

typedef struct cov_account {
    cov_user user;
    cov_str password_hash; /* empty: there is none, and no password fits */
} cov_account;

/*
 * Find the columns. Fails with COV_EINVAL; the detail names the option. `signs_up`: rows will be inserted, so every
 * column that has to be given is one that signup knows.
 */
COV_CHECK cov_status cov_users_init(cov_arena *arena, const cov_users_config *config,
                                    const cov_resource *resource, bool signs_up, cov_users *out,
                                    cov_error *err);

COV_CHECK cov_status cov_users_by_id(const cov_users *users, cov_ctx *ctx, cov_str id,
                                     cov_account *out, bool *found);
/* The address is compared as it is. */
COV_CHECK cov_status cov_users_by_email(const cov_users *users, cov_ctx *ctx, cov_str email,
                                        cov_account *out, bool *found);
/* COV_EUNIQUE when the address is taken. `name` may be empty. */
COV_CHECK cov_status cov_users_create(const cov_users *users, cov_ctx *ctx, cov_str email,
                                      cov_str password_hash, cov_str name, cov_account *out);
COV_CHECK cov_status cov_users_set_password(const cov_users *users, cov_ctx *ctx, cov_str id,
                                            cov_str password_hash);
/* Nothing happens when there is no such address. */
COV_CHECK cov_status cov_users_set_verified(const cov_users *users, cov_ctx *ctx, cov_str email);

#endif
