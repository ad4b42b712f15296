/* SPDX-License-Identifier: MIT */
/*
 * auth/totp.h - the second factor: time-based codes (RFC 6238 with HMAC-SHA-1, 30 seconds, 6 digits) and backup
 * codes (spec/06 section 11.1).
 *
 * Ignores: where secrets, counters and hashes are stored.
 */
#ifndef COV_AUTH_TOTP_H
#define COV_AUTH_TOTP_H

#include "covara/host.h"

enum {
    COV_TOTP_STEP_S = 30,
    COV_TOTP_DIGITS = 6,
    COV_TOTP_SECRET_BYTES = 20, /* 32 characters of base32 */
    COV_TOTP_MAX_WINDOW = 10,   /* steps to either side */
    COV_BACKUP_CODE_CHARS = 11  /* xxxxx-xxxxx */
};
/* No code was accepted yet. */
#define COV_TOTP_NO_COUNTER (-1)

/* RFC 4648 section 6 without padding. */
void cov_base32(cov_buf *buf, cov_str bytes);
/* White space, case and trailing "=" do not matter, bits that fill no byte are dropped. False: another character. */
bool cov_base32_decode(cov_buf *buf, cov_str text);

/* A new secret as base32. Fails with COV_EINTERNAL, COV_ENOMEM. */
COV_CHECK cov_status cov_totp_secret(const cov_host *host, cov_arena *arena, cov_str *out,
                                     cov_error *err);
/* The code of one step (RFC 4226); `key` is the decoded secret. */
COV_CHECK cov_status cov_totp_code(const cov_host *host, cov_str key, uint64_t counter,
                                   char out[COV_TOTP_DIGITS]);
/*
 * Is `code`, trimmed, one of the steps `now` - window to `now` + window, and of a later step than the one accepted
 * last?
 *
 * secret       base32; one that is none, or has more than 128 bytes, matches nothing
 * last         counter of the last accepted code, or COV_TOTP_NO_COUNTER
 * counter out  set when it matches: to be stored as `last`, so that no code works twice
 */
bool cov_totp_verify(const cov_host *host, cov_str secret, cov_str code, int64_t now_ms, int window,
                     int64_t last, int64_t *counter);
/* What authenticators read from a QR code. `issuer` may be empty. */
void cov_totp_uri(cov_buf *buf, cov_str issuer, cov_str account, cov_str secret);

/*
 * `n` new backup codes and their password hashes, as arrays in the arena: the codes are shown once, the hashes
 * stored. Each costs a hash (auth/password.h).
 */
COV_CHECK cov_status cov_backup_codes(const cov_host *host, cov_arena *arena, size_t n,
                                      cov_scrypt_cost cost, const cov_str **codes,
                                      const cov_str **hashes, cov_error *err);
/* Trimmed; false when it has not the shape of a backup code, so that nothing need be hashed. */
bool cov_backup_code_normalise(cov_str text, cov_str *code);
/* The first hash that `text` fits, or SIZE_MAX. Costs a verification for each hash before. */
size_t cov_backup_code_find(const cov_host *host, cov_str text, const cov_str *hashes, size_t n);

#endif
