/* Addresses and prefixes, IPv4 and IPv6. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/ip_prefix.h"

#include <string.h>

static struct ip_address address_of(const char *text)
{
    struct ip_address address;

    assert_true(ip_address_parse(slice_of(text), &address));
    return address;
}

static void addresses_are_printed_as_they_were_read(void **state)
{
    static const char *const good[] = {
        "0.0.0.0", "10.1.2.3",    "255.255.255.255", "::",
        "::1",     "2001:db8::1", "fe80::1:2:3",     "2001:db8::ff00:42:8329"};
    char text[IP_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct ip_address address = address_of(good[i]);
        ip_address_print(&address, text);
        assert_string_equal(text, good[i]);
    }
    struct ip_address mapped = address_of("::ffff:10.1.2.3");
    ip_address_print(&mapped, text);
    assert_string_equal(text, "10.1.2.3");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",           " ",          "10",          "10.1.2",    "10.1.2.3.4",
        "10.1.2.256", "010.1.2.3x", "10.1.2.3:80", "[::1]",     "::1%lo",
        "1::2::3",    "12345::",    "localhost",   "10.1.2.3 ", ":::"};
    struct ip_address address;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ip_address_parse(slice_of(bad[i]), &address));
    assert_false(ip_address_parse(SLICE("10.1.2.3\0"), &address));
}

static void a_prefix_matches_its_addresses_and_no_others(void **state)
{
    static const struct {
        const char *prefix;
        const char *address;
        bool matches;
    } rows[] = {
        {"10.0.0.0/8",          "10.255.255.255",   true },
        {"10.0.0.0/8",          "11.0.0.0",         false},
        {"10.0.0.0/8",          "9.255.255.255",    false},
        {"10.1.2.3",            "10.1.2.3",         true },
        {"10.1.2.3",            "10.1.2.2",         false},
        {"10.1.2.3/32",         "10.1.2.3",         true },
        {"192.168.4.0/22",      "192.168.7.255",    true },
        {"192.168.4.0/22",      "192.168.8.0",      false},
        {"10.1.2.3/31",         "10.1.2.2",         true },
        {"0.0.0.0/0",           "203.0.113.9",      true },
        {"0.0.0.0/0",           "2001:db8::1",      false},
        {"::/0",                "2001:db8::1",      true },
        {"::/0",                "10.1.2.3",         true },
        {"2001:db8::/32",       "2001:db8:ffff::1", true },
        {"2001:db8::/32",       "2001:db9::1",      false},
        {"2001:db8::/33",       "2001:db8:8000::1", false},
        {"::1",                 "::1",              true },
        {"::1/128",             "::2",              false},
        {"::1",                 "0.0.0.1",          false},
        {"::ffff:10.0.0.0/104", "10.9.9.9",         true },
        {"fd00::/8",            "fdff::1",          true },
        {"fd00::/8",            "fe00::1",          false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_prefix prefix;
        struct ip_address address = address_of(rows[i].address);
        assert_true(ip_prefix_parse(slice_of(rows[i].prefix), &prefix));
        if (ip_prefix_matches(&prefix, &address) != rows[i].matches)
            fail_msg("%s and %s", rows[i].prefix, rows[i].address);
    }
}

static void what_is_no_prefix_is_refused(void **state)
{
    static const char *const bad[] = {
        "",       "/8",           "10.0.0.0/",    "10.0.0.0/33",
        "::/129", "10.0.0.0/-1",  "10.0.0.0/8/8", "10.0.0.0/08x",
        "10.0/8", "10.0.0.0/0x8", "a/8",          "10.0.0.0/1000"};
    struct ip_prefix prefix;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ip_prefix_parse(slice_of(bad[i]), &prefix));
}

static void a_list_names_the_item_at_fault(void **state)
{
    struct ip_prefix_list list;
    struct ip_address inside = address_of("fd00::5");
    struct ip_address outside = address_of("8.8.8.8");
    struct slice bad;
    char many[LIMIT_TRUSTED_PROXIES * 12 + 32] = "";

    (void)state;
    assert_int_equal(ip_prefix_list_parse(SLICE(""), &list, &bad), ST_OK);
    assert_int_equal(list.count, 0);
    assert_false(ip_prefix_list_has(&list, &inside));

    assert_int_equal(ip_prefix_list_parse(SLICE("10.0.0.0/8, fd00::/8"), &list, &bad),
                     ST_OK);
    assert_int_equal(list.count, 2);
    assert_true(ip_prefix_list_has(&list, &inside));
    assert_false(ip_prefix_list_has(&list, &outside));

    assert_int_equal(ip_prefix_list_parse(SLICE("10.0.0.0/8, proxy.local"), &list, &bad),
                     ST_BAD_PAYLOAD);
    assert_true(slice_is(bad, "proxy.local"));
    assert_int_equal(ip_prefix_list_parse(SLICE("10.0.0.1,,10.0.0.2"), &list, &bad),
                     ST_BAD_PAYLOAD);
    for (int i = 0; i <= LIMIT_TRUSTED_PROXIES; i++)
        strcat(many, i ? ",10.0.0.1" : "10.0.0.1");
    assert_int_equal(ip_prefix_list_parse(slice_of(many), &list, &bad), ST_LIMIT);
}

static void loopbacks_and_sites_are_told_apart(void **state)
{
    struct ip_address a = address_of("2001:db8:1:2:3:4:5:6");
    struct ip_address b = address_of("2001:db8:1:2::9");
    struct ip_address c = address_of("2001:db8:1:3::9");
    struct ip_address v4 = address_of("10.1.2.3");
    struct ip_address lo4 = address_of("127.8.9.1");
    struct ip_address lo6 = address_of("::1");
    struct ip_address lo46 = address_of("::ffff:127.0.0.1");

    (void)state;
    assert_true(ip_address_is_loopback(&lo4));
    assert_true(ip_address_is_loopback(&lo6));
    assert_true(ip_address_is_loopback(&lo46));
    assert_false(ip_address_is_loopback(&v4));
    assert_false(ip_address_is_loopback(&a));

    struct ip_address site_a = ip_address_site(&a), site_b = ip_address_site(&b);
    struct ip_address site_c = ip_address_site(&c), site_v4 = ip_address_site(&v4);
    assert_true(ip_address_equal(&site_a, &site_b));
    assert_false(ip_address_equal(&site_a, &site_c));
    assert_true(ip_address_equal(&site_v4, &v4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_printed_as_they_were_read),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_prefix_matches_its_addresses_and_no_others),
        cmocka_unit_test(what_is_no_prefix_is_refused),
        cmocka_unit_test(a_list_names_the_item_at_fault),
        cmocka_unit_test(loopbacks_and_sites_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
