/* SPDX-License-Identifier: MIT */
/*
 * mail/mail.h - one message out, through the adapter that the configuration chose (spec/13 part A).
 *
 * Knows:   what a message is made of, and that an address, a subject and a header are one line each.
 * Ignores: who is written to and why, retries beyond one, queues, bounces.
 * Threads: any. A send waits for another server: only where blocking is allowed (COV_LANE_POOL), and with no
 *          transaction open.
 * Memory:  everything passed in is borrowed for the call; what is built lives in the arena.
 */
#ifndef COV_MAIL_MAIL_H
#define COV_MAIL_MAIL_H

#include "covara/error.h"
#include "covara/host.h"
#include "mail/config.h"

typedef struct cov_mail {
    const cov_host *host;
    const cov_mail_config *config;
} cov_mail;

/* With a name, `email` is the bare address. Without, it may have the form "Name <a@b.c>" too. */
typedef struct cov_mail_address {
    cov_str email;
    cov_str name;
} cov_mail_address;

typedef struct cov_mail_message {
    cov_mail_address from; /* email.ptr NULL: the configuration's */
    const cov_mail_address *to;
    size_t n_to;
    cov_str subject;
    cov_str text; /* ptr NULL: absent; one of the two must be there */
    cov_str html;
    cov_mail_address reply_to;   /* email.ptr NULL: absent */
    const cov_str (*headers)[2]; /* name, value */
    size_t n_headers;
} cov_mail_message;

/*
 * Send one message; returns when the provider has taken it.
 *
 * Fails with COV_EINVAL (the message: no recipient, no body, an address that is not one, a line break where there
 * is one line), COV_EBUSY (the provider cannot be reached or says 429 or 5xx, twice), COV_EINTERNAL (it refuses;
 * the configuration lacks something), COV_ENOMEM. What `err` says then holds the provider's words, for the log.
 */
COV_CHECK cov_status cov_mail_send(const cov_mail *mail, cov_arena *arena,
                                   const cov_mail_message *message, cov_error *err);
/* What is missing in the configuration, for the start: COV_EINVAL with a sentence, or COV_OK. */
COV_CHECK cov_status cov_mail_check(const cov_mail_config *config, cov_error *err);

/* A mail that asks for one thing: follow this link. */
typedef struct cov_mail_action {
    cov_str subject;
    cov_str heading;
    cov_str paragraph; /* empty lines part it into several */
    cov_str label;     /* of the button */
    cov_str url;       /* http, https or mailto */
} cov_mail_action;

/*
 * Fill subject, text and html of `out` from `action`; other members stay. The HTML holds every part escaped.
 * Fails with COV_EINVAL (the URL), COV_ENOMEM.
 */
COV_CHECK cov_status cov_mail_action_write(cov_arena *arena, const cov_mail_action *action,
                                           cov_mail_message *out, cov_error *err);

#endif
