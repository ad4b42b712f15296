/* SPDX-License-Identifier: MIT */
/* mail/config.h - where mail goes (spec/13 part A), as plain data. */
#ifndef COV_MAIL_CONFIG_H
#define COV_MAIL_CONFIG_H

#include "covara/str.h"

typedef enum cov_mail_type {
    COV_MAIL_LOG,    /* one log line at info with the whole message: for development */
    COV_MAIL_RESEND, /* Resend's HTTP API (spec/13 section A2) */
    COV_MAIL_HTTP    /* POST of the same JSON object to `url`: a webhook of one's own */
} cov_mail_type;

typedef struct cov_mail_config {
    cov_mail_type type;
    cov_str from;       /* ptr NULL: "Covara <no-reply@localhost>" */
    cov_str url;        /* ptr NULL: the provider's */
    cov_str api_key;    /* sent as "Authorization: Bearer ..."; ptr NULL: not sent */
    int64_t timeout_ms; /* 10000 */
} cov_mail_config;

#endif
