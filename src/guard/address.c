/* SPDX-License-Identifier: MIT */
/*
 * Addresses, networks and the client behind trusted proxies.
 *
 * DESIGN of X-Forwarded-For: each proxy appends the address that connected to it, so the list is true from its right
 * end up to the first address that is not one of our proxies; what stands left of that one was written by the client
 * and can be anything. The reference takes the leftmost element, which lets everybody choose a bucket. A header that a
 * proxy adds as a line of its own continues the list, so all lines are walked, the last one first.
 *
 * CF-Connecting-IP and X-Real-IP hold one address and cannot be checked like that: a proxy that is trusted has to set
 * or remove them. Sent twice, one of the two is the client's own, and neither is believed.
 */
#include "guard/address.h"

#include "base/encode.h"

enum { GROUPS = 8, MAPPED_BITS = 96, ALL_BITS = 128, CUSTOMER_BITS = 64 };

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };

static bool is_v4(const cov_address *a)
{
    return memcmp(a->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

/* ---- text to address ---- */

/* Decimal digits without a leading zero, at most `most`. */
static bool parse_decimal(cov_str s, unsigned most, unsigned *out)
{
    unsigned value = 0;

    if (s.len == 0 || s.len > 3 || (s.len > 1 && s.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned)(s.ptr[i] - '0');
    }
    *out = value;
    return value <= most;
}

static bool parse_v4(cov_str s, uint8_t out[4])
{
    cov_str part;
    size_t n = 0;
    unsigned value;

    while (cov_str_split(&s, '.', &part)) {
        if (n == 4 || !parse_decimal(part, 255, &value))
            return false;
        out[n++] = (uint8_t)value;
    }
    return n == 4;
}

static bool parse_group(cov_str s, uint8_t out[2])
{
    unsigned value = 0;

    if (s.len == 0 || s.len > 4)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = cov_hex_value(s.ptr[i]);

        if (digit < 0)
            return false;
        value = value << 4 | (unsigned)digit;
    }
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return true;
}

/* Groups as they stand, and how many there are before "::" (GROUPS + 1: no "::"). */
typedef struct groups {
    uint8_t bytes[COV_ADDRESS_BYTES];
    size_t n;
    size_t gap;
} groups;

static bool take_group(groups *g, cov_str part, bool last)
{
    if (memchr(part.ptr, '.', part.len) != NULL) {
        if (!last || g->n > GROUPS - 2 || !parse_v4(part, g->bytes + 2 * g->n))
            return false;
        g->n += 2;
        return true;
    }
    return g->n < GROUPS && parse_group(part, g->bytes + 2 * g->n++);
}

static bool take_groups(groups *g, cov_str s)
{
    const cov_str two_colons = COV_STR_INIT("::");
    size_t at = 0;

    if (cov_str_starts(s, two_colons)) {
        g->gap = 0;
        at = 2;
    }
    while (at < s.len) {
        size_t end = cov_str_find(s, ':', at);

        if (!take_group(g, cov_str_slice(s, at, end), end == s.len))
            return false;
        if (end == s.len)
            break;
        at = end + 1;
        if (at == s.len)
            return false;
        if (s.ptr[at] != ':')
            continue;
        if (g->gap <= GROUPS)
            return false;
        g->gap = g->n;
        at++;
    }
    return true;
}

static bool parse_v6(cov_str s, uint8_t out[COV_ADDRESS_BYTES])
{
    groups g = { { 0 }, 0, GROUPS + 1 };
    size_t tail;

    if (!take_groups(&g, s))
        return false;
    if (g.gap > GROUPS)
        g.gap = GROUPS;
    else if (g.n == GROUPS)
        return false;
    if (g.n < g.gap)
        return false;
    tail = g.n - g.gap;
    memset(out, 0, COV_ADDRESS_BYTES);
    memcpy(out, g.bytes, 2 * g.gap);
    memcpy(out + COV_ADDRESS_BYTES - 2 * tail, g.bytes + 2 * g.gap, 2 * tail);
    return true;
}

bool cov_address_parse(cov_str text, cov_address *out)
{
    if (text.len == 0)
        return false;
    if (memchr(text.ptr, ':', text.len) != NULL)
        return parse_v6(cov_str_slice(text, 0, cov_str_find(text, '%', 0)), out->bytes);
    memcpy(out->bytes, mapped_prefix, sizeof mapped_prefix);
    return parse_v4(text, out->bytes + sizeof mapped_prefix);
}

/* ---- address to text ---- */

static unsigned group_of(const cov_address *a, size_t i)
{
    return (unsigned)a->bytes[2 * i] << 8 | a->bytes[2 * i + 1];
}

/* RFC 5952 section 4.2: the longest run of at least two zero groups, the first of equals. */
static void longest_run(const cov_address *a, size_t *start, size_t *len)
{
    size_t run = 0;

    *start = GROUPS;
    *len = 1;
    for (size_t i = 0; i < GROUPS; i++) {
        run = group_of(a, i) == 0 ? run + 1 : 0;
        if (run > *len) {
            *len = run;
            *start = i + 1 - run;
        }
    }
}

static void v6_text(const cov_address *a, cov_buf *out)
{
    size_t start;
    size_t len;

    longest_run(a, &start, &len);
    for (size_t i = 0; i < GROUPS; i++) {
        if (i == start) {
            COV_BUF_LIT(out, "::");
            i += len - 1;
            continue;
        }
        if (i != 0 && i != start + len)
            cov_buf_char(out, ':');
        cov_buf_printf(out, "%x", group_of(a, i));
    }
}

void cov_address_text(cov_buf *buf, const cov_address *address)
{
    const uint8_t *v4 = address->bytes + sizeof mapped_prefix;

    if (is_v4(address))
        cov_buf_printf(buf, "%u.%u.%u.%u", v4[0], v4[1], v4[2], v4[3]);
    else
        v6_text(address, buf);
}

/* ---- networks ---- */

static void clear_beyond(cov_address *a, unsigned n_bits)
{
    for (unsigned i = 0; i < COV_ADDRESS_BYTES; i++) {
        unsigned kept = n_bits > 8 * i ? n_bits - 8 * i : 0;

        if (kept < 8)
            a->bytes[i] &= (uint8_t)(0xFF00U >> kept);
    }
}

static bool parse_network(cov_str text, cov_network *out)
{
    size_t slash = cov_str_find(text, '/', 0);
    cov_str address = cov_str_slice(text, 0, slash);
    bool v6 = memchr(address.ptr, ':', address.len) != NULL;
    unsigned n_bits = v6 ? ALL_BITS : ALL_BITS - MAPPED_BITS;

    if (!cov_address_parse(address, &out->base))
        return false;
    if (slash < text.len &&
        !parse_decimal(cov_str_slice(text, slash + 1, text.len), n_bits, &n_bits))
        return false;
    out->n_bits = v6 ? n_bits : MAPPED_BITS + n_bits;
    clear_beyond(&out->base, out->n_bits);
    return true;
}

cov_status cov_networks_parse(cov_arena *arena, const char *option, const cov_names *texts,
                              cov_networks *out, cov_error *err)
{
    cov_network *items = COV_NEW_ARRAY(arena, cov_network, texts->n);

    if (items == NULL)
        return cov_fail_nomem(err);
    for (size_t i = 0; i < texts->n; i++)
        if (!parse_network(cov_str_trim(texts->items[i]), &items[i]))
            return cov_fail(err, COV_EINVAL,
                            "%s: \"%.*s\" is neither an address nor a network such as 10.0.0.0/8",
                            option, COV_STR_ARG(texts->items[i]));
    out->items = items;
    out->n = texts->n;
    return COV_OK;
}

static bool network_holds(const cov_network *network, const cov_address *address)
{
    cov_address masked = *address;

    /* A prefix that is shorter than the mapped one is IPv6's alone. */
    if (network->n_bits < MAPPED_BITS && is_v4(address))
        return false;
    clear_beyond(&masked, network->n_bits);
    return memcmp(masked.bytes, network->base.bytes, COV_ADDRESS_BYTES) == 0;
}

static bool contains(const cov_networks *networks, const cov_address *address)
{
    for (size_t i = 0; i < networks->n; i++)
        if (network_holds(&networks->items[i], address))
            return true;
    return false;
}

bool cov_networks_contain(const cov_networks *networks, cov_str address)
{
    cov_address parsed;

    return cov_address_parse(address, &parsed) && contains(networks, &parsed);
}

/* ---- whose request ---- */

/* The value of a header that was sent once; empty when it was not. */
static cov_str only_header(const cov_request *req, cov_str name)
{
    cov_str value = COV_STR_NULL;
    size_t n = 0;

    for (size_t i = 0; i < req->n_headers; i++)
        if (cov_str_eq_nocase(req->headers[i].name, name)) {
            value = cov_str_trim(req->headers[i].value);
            n++;
        }
    return n == 1 ? value : COV_STR_NULL;
}

/* Some proxies add the port: "1.2.3.4:80", "[2001:db8::1]:80". */
static bool parse_hop(cov_str text, cov_address *out)
{
    size_t end;

    if (text.len != 0 && text.ptr[0] == '[') {
        end = cov_str_find(text, ']', 1);
        return end < text.len && cov_address_parse(cov_str_slice(text, 1, end), out);
    }
    end = cov_str_find(text, ':', 0);
    if (end < text.len && memchr(text.ptr, '.', end) != NULL)
        text = cov_str_slice(text, 0, end);
    return cov_address_parse(text, out);
}

/* The last element of `list`, which loses it and its comma. */
static cov_str take_last(cov_str *list)
{
    size_t from = list->len;
    cov_str last;

    while (from > 0 && list->ptr[from - 1] != ',')
        from--;
    last = cov_str_trim(cov_str_slice(*list, from, list->len));
    list->len = from > 0 ? from - 1 : 0;
    return last;
}

typedef enum walk { WALK_ON, WALK_FOUND, WALK_GARBAGE } walk;

static walk walk_line(cov_str list, const cov_networks *trusted, cov_address *client, bool *any)
{
    while (list.len != 0) {
        cov_str hop = take_last(&list);

        if (hop.len == 0)
            continue;
        *any = true;
        if (!parse_hop(hop, client))
            return WALK_GARBAGE;
        if (!contains(trusted, client))
            return WALK_FOUND;
    }
    return WALK_ON;
}

/* False: nothing was found. `*any`: there was something, true or not. When every hop is ours, the first one asked. */
static bool forwarded_for(const cov_request *req, const cov_networks *trusted, cov_address *client,
                          bool *any)
{
    walk step = WALK_ON;

    *any = false;
    for (size_t i = req->n_headers; i > 0 && step == WALK_ON; i--)
        if (cov_str_eq_nocase(req->headers[i - 1].name, COV_STR("X-Forwarded-For")))
            step = walk_line(req->headers[i - 1].value, trusted, client, any);
    return *any && step != WALK_GARBAGE;
}

static void ask_headers(const cov_request *req, const cov_networks *trusted, cov_address *client)
{
    cov_str cloudflare = only_header(req, COV_STR("CF-Connecting-IP"));
    cov_address found;
    bool any;

    if (cloudflare.len != 0) {
        if (cov_address_parse(cloudflare, &found))
            *client = found;
    } else if (forwarded_for(req, trusted, &found, &any)) {
        *client = found;
    } else if (!any && cov_address_parse(only_header(req, COV_STR("X-Real-IP")), &found)) {
        *client = found;
    }
}

/* What the outermost proxy saw is the first element. Whoever forges it fools only himself. */
static bool says_https(const cov_request *req)
{
    cov_str value = cov_request_header(req, COV_STR("X-Forwarded-Proto"));

    value = cov_str_trim(cov_str_slice(value, 0, cov_str_find(value, ',', 0)));
    return cov_str_eq_nocase(value, COV_STR("https"));
}

static cov_status name_client(const cov_address *address, cov_arena *arena, cov_client *out,
                              cov_error *err)
{
    cov_buf text = COV_BUF_IN(arena);
    cov_buf network = COV_BUF_IN(arena);
    cov_address customer = *address;

    cov_address_text(&text, address);
    if (is_v4(address)) {
        network = text;
    } else {
        clear_beyond(&customer, CUSTOMER_BITS);
        cov_address_text(&network, &customer);
        cov_buf_printf(&network, "/%d", CUSTOMER_BITS);
    }
    if (text.failed || network.failed)
        return cov_fail_nomem(err);
    out->address = cov_buf_view(&text);
    out->network = cov_buf_view(&network);
    return COV_OK;
}

cov_status cov_client_address(const cov_request *req, const cov_networks *trusted, cov_arena *arena,
                              cov_client *out, cov_error *err)
{
    cov_str peer = req->peer_address;
    cov_address client;

    out->secure = req->secure;
    out->address = out->network = peer.len != 0 ? peer : COV_STR("unknown");
    if (!cov_address_parse(peer, &client))
        return COV_OK;
    if (contains(trusted, &client)) {
        out->secure = req->secure || says_https(req);
        ask_headers(req, trusted, &client);
    }
    return name_client(&client, arena, out, err);
}
