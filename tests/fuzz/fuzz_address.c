/* SPDX-License-Identifier: MIT */
/*
 * Networks and the headers of proxies. Lines: an address or network, the peer, then header values, whose first letter says
 * which header: c, f, r (CF-Connecting-IP, X-Forwarded-For, X-Real-IP), p (X-Forwarded-Proto).
 */
#include "fuzz_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static cov_str text_of(cov_arena *arena, const cov_address *address)
{
    cov_buf text = COV_BUF_IN(arena);

    cov_address_text(&text, address);
    fuzz_require(!text.failed);
    return cov_buf_view(&text);
}

static void check_round_trip(cov_arena *arena, cov_str text)
{
    cov_address address;
    cov_address again;
    cov_str canonical;

    if (!cov_address_parse(text, &address))
        return;
    canonical = text_of(arena, &address);
    fuzz_require(cov_address_parse(canonical, &again));
    fuzz_require(memcmp(&address, &again, sizeof address) == 0);
    fuzz_require(cov_str_eq(canonical, text_of(arena, &again)));
}

static void check_network(cov_arena *arena, cov_str text, cov_networks *out)
{
    cov_names names = { &text, 1, true };
    cov_error err;

    cov_error_init(&err, arena);
    out->n = 0;
    if (cov_networks_parse(arena, "x", &names, out, &err) != COV_OK) {
        fuzz_require(err.status == COV_EINVAL);
        return;
    }
    /* The base is in it; a network of IPv6 whose base looks like IPv4 has no text of its own. */
    if (out->items[0].n_bits >= 96)
        fuzz_require(cov_networks_contain(out, text_of(arena, &out->items[0].base)));
}

static const char *header_of(char letter)
{
    switch (letter) {
    case 'c':
        return "CF-Connecting-IP";
    case 'f':
        return "X-Forwarded-For";
    case 'r':
        return "X-Real-IP";
    default:
        return "X-Forwarded-Proto";
    }
}

static void check_client(fuzz_guard *f, const cov_networks *trusted)
{
    cov_address peer;
    cov_address client;
    cov_client out;

    fuzz_require(cov_client_address(&f->req, trusted, f->arena, &out, &f->err) == COV_OK);
    fuzz_require(out.address.len != 0 && out.network.len != 0);
    if (!cov_address_parse(f->req.peer_address, &peer))
        return;
    /* Whatever the headers say, it is an address, in canonical form. */
    fuzz_require(cov_address_parse(out.address, &client));
    fuzz_require(cov_str_eq(out.address, text_of(f->arena, &client)));
    if (!cov_networks_contain(trusted, f->req.peer_address))
        fuzz_require(memcmp(&peer, &client, sizeof peer) == 0 && !out.secure);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_str rest = cov_str_of((const char *)data, size);
    cov_str network = fuzz_line(&rest);
    cov_str peer = fuzz_line(&rest);
    cov_networks trusted;
    fuzz_guard f;

    fuzz_guard_open(&f);
    check_round_trip(f.arena, network);
    check_round_trip(f.arena, peer);
    check_network(f.arena, network, &trusted);
    fuzz_guard_request(&f, COV_STR("/"), COV_STR(""));
    f.req.peer_address = peer;
    while (rest.len != 0) {
        cov_str line = fuzz_line(&rest);

        if (line.len != 0)
            fuzz_guard_header(&f, header_of(line.ptr[0]), cov_str_slice(line, 1, line.len));
    }
    check_client(&f, &trusted);
    fuzz_guard_close(&f);
    return 0;
}
