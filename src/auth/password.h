/* SPDX-License-Identifier: MIT */
/*
 * auth/password.h - password hashes (spec/06 section 5.2) and the password policy (section 5.3).
 *
 *     scrypt$N=<N>,r=<r>,p=<p>$<salt, base64>$<hash, base64>
 *
 * Hashing and verifying take tens of milliseconds: only where blocking is allowed (covara/host.h, scrypt).
 * Threads: any; nothing is shared.
 */
#ifndef COV_AUTH_PASSWORD_H
#define COV_AUTH_PASSWORD_H

#include "auth/config.h"
#include "covara/host.h"

#define COV_PASSWORD_DEFAULT_COST \
    {                             \
        16384, 8, 1               \
    }
enum { COV_PASSWORD_SALT_BYTES = 16, COV_PASSWORD_HASH_BYTES = 64 };

/*
 * Is this a cost that can be paid? N a power of two above 1, r and p at least 1, at most 64 MiB of memory, and at
 * most 16 times the work of the default. What a configuration asks for is checked with this at the start: a hash
 * that costs more is neither made nor accepted, so that one hostile row cannot take the machine.
 */
bool cov_password_cost_ok(cov_scrypt_cost cost);

/* Hash with a random salt. Fails with COV_EINTERNAL (cost, random source), COV_ENOMEM. */
COV_CHECK cov_status cov_password_hash(const cov_host *host, cov_arena *arena, cov_str password,
                                       cov_scrypt_cost cost, cov_str *out, cov_error *err);

/* Anything irregular in `stored` means no. */
bool cov_password_verify(const cov_host *host, cov_str password, cov_str stored);

/*
 * Take as long as verifying against a hash of this cost, for nobody: called where there is no user or no hash, so
 * that the time does not tell who has an account.
 */
void cov_password_verify_nobody(const cov_host *host, cov_str password, cov_scrypt_cost cost);

/* Unparseable, or N, r or p lower than `target`. */
bool cov_password_needs_rehash(cov_str stored, cov_scrypt_cost target);

/*
 * Check a new password. COV_EINVAL "Password does not meet requirements" with every violation as a member
 * "errors": [{"field":"password","message":...}], in the order of the spec. A policy that is not `set` allows all.
 */
COV_CHECK cov_status cov_password_check(const cov_password_policy *policy, cov_str password,
                                        cov_error *err);

#endif
