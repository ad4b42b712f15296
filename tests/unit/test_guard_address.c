/* SPDX-License-Identifier: MIT */
/* Addresses, networks, and whose request it is (spec/07 section 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard_fixture.h"

static const char *canonical(cov_arena *arena, const char *text)
{
    cov_buf out = COV_BUF_IN(arena);
    cov_address address;

    if (!cov_address_parse(cov_str_from(text), &address))
        return "no";
    cov_address_text(&out, &address);
    cov_buf_char(&out, '\0');
    assert_false(out.failed);
    return out.ptr;
}

static void address__text_is_canonical(void **state)
{
    static const char *const rows[][2] = {
        { "1.2.3.4", "1.2.3.4" },
        { "0.0.0.0", "0.0.0.0" },
        { "255.255.255.255", "255.255.255.255" },
        { "::ffff:1.2.3.4", "1.2.3.4" },
        { "::FFFF:0102:0304", "1.2.3.4" },
        { "0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4" },
        { "::", "::" },
        { "::1", "::1" },
        { "1::", "1::" },
        { "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
        { "2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1" },
        { "1:0:0:2:0:0:0:3", "1:0:0:2::3" },
        { "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0" },
        { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
        { "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
        { "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
        { "fe80::1%eth0", "fe80::1" },
    };
    static const char *const not_addresses[] = {
        "",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.-1",
        "1..3.4",
        "1.2.3.",
        "a.b.c.d",
        "0x7f.0.0.1",
        ":",
        ":::",
        "1:",
        ":1",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7:8:9",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8::",
        "::1.2.3",
        "1.2.3.4::",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "localhost",
        "%",
        "1.2.3.4%eth0",
        "[::1]",
        "unknown",
    };
    cov_arena *arena = cov_arena_new(0);

    (void)state;
    for (size_t i = 0; i < COV_COUNT_OF(rows); i++)
        assert_string_equal(canonical(arena, rows[i][0]), rows[i][1]);
    for (size_t i = 0; i < COV_COUNT_OF(not_addresses); i++)
        if (strcmp(canonical(arena, not_addresses[i]), "no") != 0)
            fail_msg("\"%s\" was taken for %s", not_addresses[i],
                     canonical(arena, not_addresses[i]));
    cov_arena_free(arena);
}

/* Every address reads back from its text, whichever groups are zero. */
static void address__text_reads_back(void **state)
{
    cov_arena *arena = cov_arena_new(0);

    (void)state;
    for (unsigned zeros = 0; zeros < 256; zeros++) {
        cov_address address;
        cov_address again;
        cov_buf text = COV_BUF_IN(arena);

        for (unsigned i = 0; i < COV_ADDRESS_BYTES; i++)
            address.bytes[i] = (zeros >> i / 2 & 1) != 0 ? 0 : (uint8_t)(i * 37 + 1);
        cov_address_text(&text, &address);
        assert_true(cov_address_parse(cov_buf_view(&text), &again));
        assert_memory_equal(address.bytes, again.bytes, COV_ADDRESS_BYTES);
        assert_string_equal(canonical(arena, cov_arena_str(arena, cov_buf_view(&text)).ptr),
                            cov_arena_str(arena, cov_buf_view(&text)).ptr);
    }
    cov_arena_free(arena);
}

static bool inside(const char *network, const char *address)
{
    cov_arena *arena = cov_arena_new(0);
    cov_str item = cov_str_from(network);
    cov_names names = { &item, 1, true };
    cov_networks networks;
    bool in;

    assert_int_equal(cov_networks_parse(arena, "x", &names, &networks, NULL), COV_OK);
    in = cov_networks_contain(&networks, cov_str_from(address));
    cov_arena_free(arena);
    return in;
}

static void networks__hold_their_addresses(void **state)
{
    (void)state;
    assert_true(inside("10.0.0.0/8", "10.255.0.1"));
    assert_false(inside("10.0.0.0/8", "11.0.0.1"));
    assert_true(inside("10.1.2.3/8", "10.255.0.1"));
    assert_true(inside("192.0.2.1", "192.0.2.1"));
    assert_false(inside("192.0.2.1", "192.0.2.2"));
    assert_true(inside("192.0.2.0/31", "192.0.2.1"));
    assert_true(inside("0.0.0.0/0", "8.8.8.8"));
    assert_true(inside("0.0.0.0/0", "::ffff:8.8.8.8"));
    assert_false(inside("0.0.0.0/0", "2001:db8::1"));
    assert_true(inside("::ffff:10.0.0.0/104", "10.1.1.1"));
    assert_true(inside("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(inside("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(inside("::/0", "2001:db8::1"));
    assert_false(inside("::/0", "8.8.8.8"));
    assert_false(inside("::/0", "unknown"));
}

static void networks__mistakes_name_the_item(void **state)
{
    static const char *const wrong[] = {
        "10.0.0/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "::/129", "::1/1000",
        "host",     "/8",          "",          "10.0.0.0/8/8"
    };
    cov_arena *arena = cov_arena_new(0);
    cov_str items[2] = { COV_STR_INIT("127.0.0.1") };
    cov_names names = { items, 2, true };
    cov_networks networks;
    cov_error err;

    (void)state;
    cov_error_init(&err, arena);
    for (size_t i = 0; i < COV_COUNT_OF(wrong); i++) {
        cov_str detail;

        items[1] = cov_str_from(wrong[i]);
        assert_int_equal(cov_networks_parse(arena, "trustedProxies", &names, &networks, &err),
                         COV_EINVAL);
        detail = cov_error_detail(&err);
        assert_true(cov_str_starts(detail, COV_STR("trustedProxies: \"")));
        assert_true(cov_str_contains(detail, items[1]));
    }
    cov_arena_free(arena);
}

/* ---- whose request ---- */

static cov_client client_of(guard_fixture *f, const char *peer, const char *headers)
{
    static const cov_str trusted[] = { COV_STR_INIT("10.0.0.0/8"), COV_STR_INIT("fd00::/8") };
    cov_names names = { trusted, COV_COUNT_OF(trusted), true };
    cov_networks networks;
    cov_client client;

    assert_int_equal(cov_networks_parse(f->arena, "x", &names, &networks, &f->err), COV_OK);
    guard_request(f, "GET", "/", headers, "");
    f->req.peer_address = cov_str_from(peer);
    assert_int_equal(cov_client_address(&f->req, &networks, f->arena, &client, &f->err), COV_OK);
    return client;
}

static void assert_client(guard_fixture *f, const char *peer, const char *headers,
                          const char *expected)
{
    cov_client client = client_of(f, peer, headers);

    assert_string_equal(cov_arena_str(f->arena, client.address).ptr, expected);
}

static void client__is_the_peer_unless_that_is_trusted(void **state)
{
    guard_fixture f;

    (void)state;
    guard_open(&f);
    assert_client(&f, "192.0.2.1", "", "192.0.2.1");
    assert_client(&f, "192.0.2.1", "CF-Connecting-IP: 1.1.1.1\nX-Forwarded-For: 1.1.1.1",
                  "192.0.2.1");
    assert_client(&f, "::ffff:192.0.2.1", "X-Real-IP: 1.1.1.1", "192.0.2.1");
    assert_client(&f, "10.0.0.1", "", "10.0.0.1");
    assert_client(&f, "", "X-Real-IP: 1.1.1.1", "unknown");
    assert_client(&f, "/run/x.sock", "X-Real-IP: 1.1.1.1", "/run/x.sock");
    guard_close(&f);
}

static void client__headers_of_a_trusted_peer(void **state)
{
    guard_fixture f;

    (void)state;
    guard_open(&f);
    assert_client(&f, "10.0.0.1",
                  "CF-Connecting-IP: 1.1.1.1\nX-Forwarded-For: 2.2.2.2\nX-Real-IP: 3.3.3.3",
                  "1.1.1.1");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: 2.2.2.2\nX-Real-IP: 3.3.3.3", "2.2.2.2");
    assert_client(&f, "fd00::9", "x-real-ip: ::FFFF:3.3.3.3", "3.3.3.3");
    assert_client(&f, "::ffff:10.0.0.1", "X-Real-IP: 2001:DB8::0:1", "2001:db8::1");
    guard_close(&f);
}

static void client__forwarded_for_is_read_from_the_right(void **state)
{
    guard_fixture f;

    (void)state;
    guard_open(&f);
    /* What the client wrote itself stands left of what the proxy saw. */
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: 9.9.9.9, 1.2.3.4", "1.2.3.4");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: 9.9.9.9, 1.2.3.4, 10.0.0.7 ,10.0.0.8",
                  "1.2.3.4");
    assert_client(&f, "10.0.0.1",
                  "X-Forwarded-For: 9.9.9.9\nX-Forwarded-For: 1.2.3.4\nX-Forwarded-For: 10.0.0.7",
                  "1.2.3.4");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: 9.9.9.9, 1.2.3.4:5678", "1.2.3.4");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: [2001:db8::7]:443, fd00::2", "2001:db8::7");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: 10.0.0.9, 10.0.0.8", "10.0.0.9");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: , 1.2.3.4,,", "1.2.3.4");
    guard_close(&f);
}

static void client__garbage_is_the_peer(void **state)
{
    guard_fixture f;

    (void)state;
    guard_open(&f);
    assert_client(&f, "10.0.0.1",
                  "X-Forwarded-For: 1.2.3.4, nonsense, 10.0.0.2\nX-Real-IP: 3.3.3.3", "10.0.0.1");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: unknown", "10.0.0.1");
    assert_client(&f, "10.0.0.1", "CF-Connecting-IP: 1.1.1.1, 2.2.2.2", "10.0.0.1");
    assert_client(&f, "10.0.0.1", "CF-Connecting-IP: covara:x\nX-Real-IP: 3.3.3.3", "10.0.0.1");
    assert_client(&f, "10.0.0.1", "X-Real-IP: 3.3.3.3/8", "10.0.0.1");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: [::1", "10.0.0.1");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: [", "10.0.0.1");
    assert_client(&f, "10.0.0.1", "X-Forwarded-For: ,,,\nX-Real-IP: 3.3.3.3", "3.3.3.3");
    /* Sent twice, one of them is the client's own. */
    assert_client(&f, "10.0.0.1", "X-Real-IP: 3.3.3.3\nX-Real-IP: 4.4.4.4", "10.0.0.1");
    guard_close(&f);
}

static void client__limits_count_networks(void **state)
{
    guard_fixture f;
    cov_client client;

    (void)state;
    guard_open(&f);
    client = client_of(&f, "2001:db8:1:2:3:4:5:6", "");
    assert_true(cov_str_eq(client.address, COV_STR("2001:db8:1:2:3:4:5:6")));
    assert_true(cov_str_eq(client.network, COV_STR("2001:db8:1:2::/64")));
    client = client_of(&f, "::ffff:1.2.3.4", "");
    assert_true(cov_str_eq(client.network, COV_STR("1.2.3.4")));
    client = client_of(&f, "", "");
    assert_true(cov_str_eq(client.network, COV_STR("unknown")));
    guard_close(&f);
}

static void client__https_is_believed_from_a_trusted_peer(void **state)
{
    guard_fixture f;

    (void)state;
    guard_open(&f);
    assert_false(client_of(&f, "192.0.2.1", "X-Forwarded-Proto: https").secure);
    assert_true(client_of(&f, "10.0.0.1", "X-Forwarded-Proto: https").secure);
    assert_true(client_of(&f, "10.0.0.1", "X-Forwarded-Proto: HTTPS , http").secure);
    assert_false(client_of(&f, "10.0.0.1", "X-Forwarded-Proto: http, https").secure);
    assert_false(client_of(&f, "10.0.0.1", "X-Forwarded-Proto: httpsx").secure);
    assert_false(client_of(&f, "10.0.0.1", "").secure);
    guard_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address__text_is_canonical),
        cmocka_unit_test(address__text_reads_back),
        cmocka_unit_test(networks__hold_their_addresses),
        cmocka_unit_test(networks__mistakes_name_the_item),
        cmocka_unit_test(client__is_the_peer_unless_that_is_trusted),
        cmocka_unit_test(client__headers_of_a_trusted_peer),
        cmocka_unit_test(client__forwarded_for_is_read_from_the_right),
        cmocka_unit_test(client__garbage_is_the_peer),
        cmocka_unit_test(client__limits_count_networks),
        cmocka_unit_test(client__https_is_believed_from_a_trusted_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
