/* SPDX-License-Identifier: MIT */
/*
 * guard/address.h - lists of networks, and whose request it is (spec/07 section 2).
 *
 * Addresses are 16 bytes here; IPv4 is ::ffff:a.b.c.d, so that a mapped address and the plain one are the same.
 * Text is canonical: RFC 5952, mapped addresses as IPv4. No names are ever resolved.
 */
#ifndef COV_GUARD_ADDRESS_H
#define COV_GUARD_ADDRESS_H

#include "covara/http.h"
#include "resource/config.h"

enum { COV_ADDRESS_BYTES = 16 };

typedef struct cov_address {
    uint8_t bytes[COV_ADDRESS_BYTES];
} cov_address;

/* "1.2.3.4", "2001:db8::1", "::ffff:1.2.3.4"; a zone ("%eth0") is dropped. Whole text only. */
bool cov_address_parse(cov_str text, cov_address *out);
/* Append the canonical text. */
void cov_address_text(cov_buf *buf, const cov_address *address);

typedef struct cov_network {
    cov_address base; /* bits beyond the prefix are zero */
    unsigned n_bits;  /* of the 16 bytes: an IPv4 /8 is 104 */
} cov_network;
typedef struct cov_networks {
    const cov_network *items;
    size_t n;
} cov_networks;

/*
 * "10.0.0.0/8", "fd00::/8", or one address. The families are apart: "::/0" holds no IPv4 address. COV_EINVAL names the
 * item and `option`, where the list was given.
 */
COV_CHECK cov_status cov_networks_parse(cov_arena *arena, const char *option,
                                        const cov_names *texts, cov_networks *out, cov_error *err);
/* False for text that is no address. */
bool cov_networks_contain(const cov_networks *networks, cov_str address);

typedef struct cov_client {
    cov_str address; /* canonical text; "unknown" when the host has none */
    cov_str
        network; /* what limits count: the address, of IPv6 its /64, all of which one customer has */
    bool secure; /* TLS to us, or to the trusted proxy that says so */
} cov_client;

/*
 * The peer, or whom a trusted peer speaks for. Headers are believed from `trusted` peers only, the first one there:
 * CF-Connecting-IP, X-Forwarded-For, X-Real-IP. One that does not hold an address is not believed: it is the peer then.
 * Texts live in `arena`. Fails only when out of memory.
 */
COV_CHECK cov_status cov_client_address(const cov_request *req, const cov_networks *trusted,
                                        cov_arena *arena, cov_client *out, cov_error *err);

#endif
