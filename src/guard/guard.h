/* SPDX-License-Identifier: MIT */
/*
 * guard/guard.h - limits, challenges, idempotency and versions, as the app puts them around a request (spec/07).
 *
 * A guard is made once and then never changes; any thread may use it. What counts lives in the key-value store.
 *
 * In the order of a request:
 *
 *     cov_client_address   who asks
 *     cov_version_check    headers of every answer; 400 for a client that is too old
 *     cov_rate_check       once with the limit of everything, once with the resource's
 *     cov_gate_enter       budget, proof of work, CAPTCHA
 *     cov_idempotency_begin, the handler, cov_idempotency_finish or cov_idempotency_abandon
 *
 * A refusal is a cov_error, and its headers (Retry-After, the challenge) are on the response already: a problem has to
 * keep them. Rates, gates and keys count and consume, so each runs once a request, also when the handler runs again.
 * When the store cannot be reached, rates and gates refuse with its error: nobody gets past them by breaking it.
 */
#ifndef COV_GUARD_GUARD_H
#define COV_GUARD_GUARD_H

#include "covara/kv.h"
#include "guard/address.h"
#include "guard/config.h"

typedef struct cov_guard cov_guard;

/* Why a caller is asked for proof of work, for an application that sets the difficulty itself. Borrowed for the call. */
typedef struct cov_difficulty_ask {
    cov_str user_id; /* ptr NULL: anonymous */
    cov_str address;
    cov_str operation; /* "read", "rpc:publish", "auth.login" */
    cov_str resource;
    int64_t base;     /* bits that are configured */
    bool over_budget; /* else: the endpoint asks */
    int64_t cost;     /* of the operation; what follows is 0 unless over_budget */
    double available;
    double deficit;
} cov_difficulty_ask;
/* Bits; 0 = no challenge. Any thread; must not block. */
typedef int64_t (*cov_difficulty_fn)(void *self, const cov_difficulty_ask *ask);

/* All is borrowed for the guard's life. */
typedef struct cov_guard_setup {
    const cov_host *host;
    cov_kv *kv;
    const cov_guard_config *config;
    bool pow_gates;               /* some resource or route asks for proof of work */
    cov_difficulty_fn difficulty; /* NULL: as configured */
    void *difficulty_self;
} cov_guard_setup;

/* `arena` owns the guard. COV_EINVAL names the option that is wrong; warns when the secret is a random one. */
COV_CHECK cov_status cov_guard_new(cov_arena *arena, const cov_guard_setup *setup, cov_guard **out,
                                   cov_error *err);
const cov_networks *cov_guard_trusted(const cov_guard *guard);
/* Whether the store is in another process, so that whatever counts or claims waits for it. */
bool cov_guard_store_waits(const cov_guard *guard);

/* A request before the guard. Headers that calls put on `res` live in `arena`. */
typedef struct cov_guarded {
    const cov_guard *guard;
    const cov_request *req;
    cov_response *res;
    cov_arena *arena;
    cov_client client;
    cov_str user_id; /* ptr NULL: anonymous */
} cov_guarded;

/* version.c: the version, and warnings of what is deprecated at the request's path, which out of memory are left out. */
void cov_version_headers(const cov_guarded *g);
/* The same, and COV_EOLDCLIENT when the client says that it is older than the configured minimum. */
COV_CHECK cov_status cov_version_check(const cov_guarded *g, cov_error *err);

/*
 * rate.c: count the request against `rate`. `scope` is the resource's name, so that each has a counter of its own; ptr
 * NULL is the limit of all requests. COV_ERATELIMIT with "retryAfter" in seconds.
 */
COV_CHECK cov_status cov_rate_check(const cov_guarded *g, const cov_rate_config *rate,
                                    cov_str scope, cov_error *err);

/* classify.c: what a request that the resource's router matched counts as; `tail` is the path below its mount. */
cov_gate_op cov_gate_op_of(cov_method method, cov_str tail);
/* "read", "create", ...; for COV_GATE_RPC "rpc", to which ":<name>" is added. */
cov_str cov_gate_op_name(cov_gate_op op);

/* gate.c: what a request is about to do. */
typedef struct cov_gate {
    const cov_gate_config *config;
    cov_gate_op op;   /* account routes: COV_GATE_RPC */
    cov_str label;    /* of the operation, see cov_difficulty_ask */
    cov_str resource; /* ptr NULL: none */
    bool defer;       /* the cost is charged later or never, by cov_gate_charge */
} cov_gate;

/*
 * Whether entering may wait: for a CAPTCHA's provider, or a store in another process. Covers the limit of `gate->config`
 * too. The user is not known yet, so it speaks for callers of every class.
 */
bool cov_gate_blocks(const cov_guarded *g, const cov_gate *gate);
/* captcha.c: whether the request has a token that a gate would ask the provider about. */
bool cov_captcha_answered(const cov_guarded *g);
/* COV_EPOW or COV_ECAPTCHA with the challenge in headers; COV_ERATELIMIT with "retryAfter" in milliseconds. */
COV_CHECK cov_status cov_gate_enter(const cov_guarded *g, const cov_gate *gate, cov_error *err);
/* Charge what a deferred gate did not, down to an empty bucket. */
COV_CHECK cov_status cov_gate_charge(const cov_guarded *g, const cov_gate *gate, cov_error *err);

/* idempotency.c: the key of one request. Zero-initialised by the caller; a request that runs again keeps it. */
typedef enum cov_idempotency_state {
    COV_IDEMPOTENCY_NONE,    /* not asked for: run the request */
    COV_IDEMPOTENCY_CLAIMED, /* run the request, then finish or abandon */
    COV_IDEMPOTENCY_REPLAYED /* the response is filled: do not run */
} cov_idempotency_state;
typedef struct cov_idempotency {
    cov_idempotency_state state;
    cov_str key; /* of the stored response; this and what follows live in the request's arena */
    cov_str lock_key;
    cov_str lock; /* the value that proves the claim ours */
    cov_str hash;
} cov_idempotency;

/*
 * Claim the request's key. Does nothing for a request that was claimed before, so that a second run of its handler
 * passes. Fails with COV_EIDEMPOTENCY (other request, same key), COV_EINPROGRESS (with Retry-After), COV_EIDEMKEY,
 * COV_EIDEMSTORE (only with onStoreError "fail").
 */
COV_CHECK cov_status cov_idempotency_begin(const cov_guarded *g, cov_idempotency *key,
                                           cov_error *err);
/*
 * Keep the response for replay when it is one to keep (below 500, JSON), and release the key. To be called when the
 * request's changes are durable: a response that is kept is never taken back. Failures are logged.
 */
void cov_idempotency_finish(const cov_guarded *g, cov_idempotency *key);
/* Release the key: nothing was done. */
void cov_idempotency_abandon(const cov_guarded *g, cov_idempotency *key);

#endif
