/* SPDX-License-Identifier: MIT */
/*
 * host/native/keys.h - keys parsed from PEM, kept for all threads.
 *
 * Knows:   PEM of unencrypted public (SPKI) and private (PKCS#8, PKCS#1, SEC 1) keys, RSA and the three NIST curves.
 * Threads: any. A key is immutable; a lock guards the table only, and is not held while a key is parsed or used.
 */
#ifndef COV_HOST_NATIVE_KEYS_H
#define COV_HOST_NATIVE_KEYS_H

#include <openssl/evp.h>

#include "covara/host.h"

enum { COV_SIGNATURES = COV_ES512 + 1 };

typedef struct cov__key cov__key;

/* The key of `pem`; COV_EINVAL when it is none for `alg`, COV_ENOMEM. Release what was got; NULL is fine. */
COV_CHECK cov_status cov__key_get(cov_str pem, bool is_private, cov_signature alg, cov__key **out);
EVP_PKEY *cov__key_pkey(const cov__key *key); /* borrowed */
void cov__key_release(cov__key *key);
/* Bytes of one coordinate of the algorithm's curve; 0 for RSA. */
size_t cov__key_coordinate_bytes(cov_signature alg);

#endif
