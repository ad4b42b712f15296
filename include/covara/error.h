/* SPDX-License-Identifier: MIT */
/*
 * covara/error.h - status codes and the error that a caller's frame owns.
 *
 * The one table of outcomes: the name in C, its number, the HTTP status, the last part of the problem
 * type (spec/01 section 19.2, spec/07 section 3.1) and the problem's code. Titles derive from the code.
 */
#ifndef COVARA_ERROR_H
#define COVARA_ERROR_H

#include "covara/arena.h"

COV_BEGIN_C

/* clang-format off */
#define COV_STATUS_MAP(X) \
    X(COV_OK,           0, 200, "",                                "") \
    X(COV_EINVAL,      -1, 400, "validation-error",                "VALIDATION_ERROR") \
    X(COV_EFILTER,     -2, 400, "filter-parse-error",              "FILTER_PARSE_ERROR") \
    X(COV_ECURSOR,     -3, 400, "cursor-invalid",                  "CURSOR_INVALID") \
    X(COV_EEXPIRED,    -4, 400, "cursor-expired",                  "CURSOR_EXPIRED") \
    X(COV_EBATCH,      -5, 400, "batch-limit-exceeded",            "BATCH_LIMIT_EXCEEDED") \
    X(COV_EREQUEST,    -6, 400, "bad-request",                     "BAD_REQUEST") \
    X(COV_ENOTNULL,    -7, 400, "validation-error",                "VALIDATION_ERROR") \
    X(COV_ECHECK,      -8, 400, "validation-error",                "VALIDATION_ERROR") \
    X(COV_EUNAUTH,     -9, 401, "unauthorized",                    "UNAUTHORIZED") \
    X(COV_EFORBIDDEN, -10, 403, "forbidden",                       "FORBIDDEN") \
    X(COV_ENOTFOUND,  -11, 404, "not-found",                       "NOT_FOUND") \
    X(COV_ETIMEOUT,   -12, 408, "request-timeout",                 "REQUEST_TIMEOUT") \
    X(COV_ECONFLICT,  -13, 409, "conflict",                        "CONFLICT") \
    X(COV_EUNIQUE,    -14, 409, "conflict",                        "CONFLICT") \
    X(COV_EFOREIGN,   -15, 409, "conflict",                        "CONFLICT") \
    X(COV_EPRECOND,   -16, 412, "precondition-failed",             "PRECONDITION_FAILED") \
    X(COV_ETOOLARGE,  -17, 413, "payload-too-large",               "PAYLOAD_TOO_LARGE") \
    X(COV_EURI,       -18, 414, "uri-too-long",                    "URI_TOO_LONG") \
    X(COV_EEXPECT,    -19, 417, "expectation-failed",              "EXPECTATION_FAILED") \
    X(COV_EHEADERS,   -20, 431, "request-header-fields-too-large", "REQUEST_HEADER_FIELDS_TOO_LARGE") \
    X(COV_EINTERNAL,  -21, 500, "internal-error",                  "INTERNAL_ERROR") \
    X(COV_ENOMEM,     -22, 500, "internal-error",                  "INTERNAL_ERROR") \
    X(COV_ECORRUPT,   -23, 500, "internal-error",                  "INTERNAL_ERROR") \
    X(COV_ENOSYS,     -24, 501, "not-implemented",                 "NOT_IMPLEMENTED") \
    X(COV_EBUSY,      -25, 503, "service-unavailable",             "SERVICE_UNAVAILABLE") \
    X(COV_EVERSION,   -26, 505, "http-version-not-supported",      "HTTP_VERSION_NOT_SUPPORTED") \
    X(COV_EOUTPUT,    -27, 500, "unknown-error",                   "OUTPUT_VALIDATION_ERROR") \
    X(COV_ERATELIMIT, -28, 429, "rate-limit-exceeded",             "RATE_LIMIT_EXCEEDED") \
    X(COV_EPOW,       -29, 428, "proof-of-work-required",          "PROOF_OF_WORK_REQUIRED") \
    X(COV_ECAPTCHA,   -30, 428, "captcha-required",                "CAPTCHA_REQUIRED") \
    X(COV_EIDEMPOTENCY, -31, 409, "idempotency-mismatch",          "IDEMPOTENCY_MISMATCH") \
    X(COV_EINPROGRESS, -32, 409, "idempotency-in-progress",        "IDEMPOTENCY_IN_PROGRESS") \
    X(COV_EIDEMKEY,   -33, 400, "validation-error",                "INVALID_IDEMPOTENCY_KEY") \
    X(COV_EIDEMSTORE, -34, 503, "idempotency-store-unavailable",   "IDEMPOTENCY_STORE_UNAVAILABLE") \
    X(COV_EOLDCLIENT, -35, 400, "unsupported-version",             "UNSUPPORTED_CLIENT_VERSION")
/* clang-format on */

typedef enum cov_status {
#define COV_STATUS_ENUM(name, number, http, slug, code) name = (number),
    COV_STATUS_MAP(COV_STATUS_ENUM)
#undef COV_STATUS_ENUM
} cov_status;

#define COV_NO_OFFSET SIZE_MAX

/*
 * Owned by the caller's frame or request, never by a thread. Whoever detects a failure fills it with
 * cov_fail; everyone else returns the status unchanged.
 *
 * `arena` may be NULL: then the text is cut at sizeof text - 1 bytes (on a code point's border).
 */
typedef struct cov_error {
    cov_status status;
    size_t offset;    /* byte in the input where it went wrong, or COV_NO_OFFSET */
    cov_str members;  /* further problem members as JSON text without braces: "\"field\":\"a\"" */
    cov_str subject;  /* constraint errors: what the engine named, "users.email" or a constraint */
    cov_arena *arena; /* where long texts go; borrowed */
    cov_str long_detail;
    char text[192];
} cov_error;

/* An error that is empty and puts long texts into `arena` (may be NULL). */
void cov_error_init(cov_error *err, cov_arena *arena);
/* One line for people. For 5xx it is for the log: responses say a fixed sentence instead. */
cov_str cov_error_detail(const cov_error *err);

/* Fill `err` (NULL is fine) and return `status`. Clears offset, members and subject. */
cov_status cov_fail(cov_error *err, cov_status status, const char *format, ...) COV_PRINTF(3, 4);
cov_status cov_fail_at(cov_error *err, cov_status status, size_t offset, const char *format, ...)
    COV_PRINTF(4, 5);
/* After cov_fail: append members (JSON text, no braces); needs err->arena, does nothing without it. */
void cov_error_member(cov_error *err, const char *format, ...) COV_PRINTF(2, 3);
/* After cov_fail: append "name":"text" with the text escaped as JSON. */
void cov_error_member_str(cov_error *err, const char *name, cov_str text);
/*
 * A 400 that names one field of the body: "Validation failed" with errors [{field, message}], as validation itself
 * answers (spec/01 section 9.3). Returns COV_EINVAL.
 */
cov_status cov_fail_field(cov_error *err, cov_str field, const char *format, ...) COV_PRINTF(3, 4);
/* Out of memory; always returns COV_ENOMEM. */
cov_status cov_fail_nomem(cov_error *err);

int cov_status_http(cov_status status);         /* 200, 400, ... */
const char *cov_status_slug(cov_status status); /* "not-found" */
const char *cov_status_code(cov_status status); /* "NOT_FOUND" */
const char *cov_status_name(cov_status status); /* "COV_ENOTFOUND" */

COV_END_C

#endif
