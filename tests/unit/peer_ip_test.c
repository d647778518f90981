#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/peer_ip.h"

#include <arpa/inet.h>

static void names_ipv4_and_ipv6(void **state)
{
    static const struct {
        const char *address;
        const char *name;
    } rows[] = {
        {"::1",               "::1"        },
        {"2001:db8::7",       "2001:db8::7"},
        {"::ffff:192.0.2.33", "192.0.2.33" },
    };
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    char name[INET6_ADDRSTRLEN];

    (void)state;
    v4.sin_addr.s_addr = htonl(0x7f000001);
    peer_ip((struct sockaddr *)&v4, sizeof v4, name);
    assert_string_equal(name, "127.0.0.1");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        inet_pton(AF_INET6, rows[i].address, &v6.sin6_addr);
        peer_ip((struct sockaddr *)&v6, sizeof v6, name);
        assert_string_equal(name, rows[i].name);
    }
}

static void names_nothing_else(void **state)
{
    struct sockaddr_in6 other = {.sin6_family = AF_UNIX};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char name[INET6_ADDRSTRLEN];

    (void)state;
    peer_ip((struct sockaddr *)&other, sizeof other, name);
    assert_string_equal(name, "-");
    peer_ip((struct sockaddr *)&v6, sizeof(struct sockaddr_in), name);
    assert_string_equal(name, "-");
}

static void an_address_is_the_same_by_either_family(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
    struct ip_address expected;

    (void)state;
    v4.sin_addr.s_addr = htonl(0xc0000221);
    inet_pton(AF_INET6, "::ffff:192.0.2.33", &mapped.sin6_addr);
    assert_true(ip_address_parse(SLICE("192.0.2.33"), &expected));
    struct ip_address a = peer_address((struct sockaddr *)&v4, sizeof v4);
    struct ip_address b = peer_address((struct sockaddr *)&mapped, sizeof mapped);
    assert_true(ip_address_equal(&a, &expected));
    assert_true(ip_address_equal(&b, &expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_ipv4_and_ipv6),
        cmocka_unit_test(names_nothing_else),
        cmocka_unit_test(an_address_is_the_same_by_either_family),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
