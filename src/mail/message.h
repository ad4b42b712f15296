/* SPDX-License-Identifier: MIT */
/* mail/message.h - what may be in a message, and a message as the JSON object that providers take. */
#ifndef COV_MAIL_MESSAGE_H
#define COV_MAIL_MESSAGE_H

#include "mail/mail.h"

/* COV_EINVAL with what is wrong. */
COV_CHECK cov_status cov__mail_message_check(const cov_mail_message *message, cov_error *err);
/* "a@b.c" or "Name <a@b.c>", the name in quotes where it has to be. */
void cov__mail_address_write(cov_buf *buf, const cov_mail_address *address);
/* spec/13 section A2: members in its order, absent ones left out. The buffer's failure is the caller's to check. */
void cov__mail_payload(cov_buf *buf, cov_arena *arena, const cov_mail_message *message);

#endif
