/* SPDX-License-Identifier: MIT */
/*
 * What the commands of covara/kv.h mean, as naively as can be: arrays, searched from the front. Tests compare stores with
 * it. It knows every command but SCAN and PUBLISH. Memory is an arena that only grows.
 */
#ifndef KV_MODEL_H
#define KV_MODEL_H

#include "covara/kv.h"

typedef struct kv_model kv_model;

kv_model *kv_model_new(void);
void kv_model_free(kv_model *model);
/* Run one command at a time; the reply lives as long as the model. Arguments are counted by the caller. */
cov_kv_reply kv_model_run(kv_model *model, const cov_kv_cmd *cmd, int64_t now_ms);
/* Equal but for the order of what has none: fields, members, keys. */
bool kv_replies_equal(cov_kv_op op, const cov_kv_reply *a, const cov_kv_reply *b);
/* For messages: the reply on one line. */
cov_str kv_reply_text(cov_arena *arena, const cov_kv_reply *reply);

#endif
