/* Ceilings for each address: who is let in, and when an address is forgotten. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/peer_limits.h"

#include <stdio.h>

static const struct peer_limits_config small = {
    .connections = 3,
    .pending = 2,
    .handshakes = {2, 1000},
    .all_handshakes = {5, 1000},
    .max_addresses = 4,
};

static enum status enter(struct peer_limits *limits, const char *text, uint64_t now_ms,
                         struct peer_guest **guest)
{
    struct ip_address address;

    assert_true(ip_address_parse(slice_of(text), &address));
    return peer_limits_enter(limits, &address, now_ms, guest);
}

static void an_address_has_as_many_connections_as_it_may(void **state)
{
    struct peer_limits *limits = peer_limits_create(&small);
    struct peer_guest *guests[3], *other;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(enter(limits, "203.0.113.7", 0, &guests[i]), ST_OK);
    assert_int_equal(enter(limits, "203.0.113.7", 0, &other), ST_LIMIT);
    assert_null(other);
    assert_int_equal(enter(limits, "203.0.113.8", 0, &other), ST_OK);
    peer_guest_leave(guests[0]);
    assert_int_equal(enter(limits, "203.0.113.7", 0, &guests[0]), ST_OK);
    for (int i = 0; i < 3; i++)
        peer_guest_leave(guests[i]);
    peer_guest_leave(other);
    assert_int_equal(peer_limits_addresses(limits), 0);
    peer_limits_destroy(limits);
}

static void a_household_of_ipv6_is_one_address(void **state)
{
    struct peer_limits *limits = peer_limits_create(&small);
    struct peer_guest *guests[4];
    char text[IP_TEXT_BYTES];

    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "2001:db8:1:2::%x", i + 1);
        assert_int_equal(enter(limits, text, 0, &guests[i]), ST_OK);
    }
    assert_int_equal(enter(limits, "2001:db8:1:2:ffff::9", 0, &guests[3]), ST_LIMIT);
    assert_int_equal(enter(limits, "2001:db8:1:3::1", 0, &guests[3]), ST_OK);
    assert_int_equal(peer_limits_addresses(limits), 2);
    for (int i = 0; i < 4; i++)
        peer_guest_leave(guests[i]);
    peer_limits_destroy(limits);
}

static void loopback_is_exempt_unless_it_is_to_count(void **state)
{
    struct peer_limits_config counting = small;
    struct peer_guest *guest;

    (void)state;
    struct peer_limits *limits = peer_limits_create(&small);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(enter(limits, i % 2 ? "::1" : "127.0.0.1", 0, &guest), ST_OK);
        assert_null(guest);
        assert_true(peer_guest_wait(guest));
        assert_true(peer_limits_admit(limits, guest, 0));
    }
    peer_guest_leave(guest);
    peer_limits_destroy(limits);

    counting.counts_loopback = true;
    limits = peer_limits_create(&counting);
    assert_int_equal(enter(limits, "127.0.0.1", 0, &guest), ST_OK);
    assert_non_null(guest);
    peer_guest_leave(guest);
    peer_limits_destroy(limits);
}

static void heads_that_are_waited_for_have_a_ceiling_of_their_own(void **state)
{
    struct peer_limits *limits = peer_limits_create(&small);
    struct peer_guest *guest;

    (void)state;
    for (int i = 0; i < 3; i++)
        enter(limits, "203.0.113.7", 0, &guest);
    assert_true(peer_guest_wait(guest));
    assert_true(peer_guest_wait(guest));
    assert_false(peer_guest_wait(guest));
    peer_guest_waited(guest);
    assert_true(peer_guest_wait(guest));
    for (int i = 0; i < 3; i++)
        peer_guest_leave(guest);
    peer_limits_destroy(limits);
}

static void handshakes_have_a_rate_for_one_and_for_all(void **state)
{
    struct peer_limits *limits = peer_limits_create(&small);
    struct peer_guest *a, *b, *c;

    (void)state;
    enter(limits, "203.0.113.1", 0, &a);
    enter(limits, "203.0.113.2", 0, &b);
    enter(limits, "203.0.113.3", 0, &c);
    assert_true(peer_limits_admit(limits, a, 0));
    assert_true(peer_limits_admit(limits, a, 0));
    assert_false(peer_limits_admit(limits, a, 0));
    assert_true(peer_limits_admit(limits, b, 0));
    assert_true(peer_limits_admit(limits, b, 0));
    assert_true(peer_limits_admit(limits, c, 0));
    assert_false(peer_limits_admit(limits, c, 0)); /* the sixth of all */
    assert_true(peer_limits_admit(limits, NULL, 0));
    assert_true(peer_limits_admit(limits, a, 1000));
    peer_guest_leave(a);
    peer_guest_leave(b);
    peer_guest_leave(c);
    peer_limits_destroy(limits);
}

static void the_rate_for_all_holds_for_loopback_when_it_was_set(void **state)
{
    struct peer_limits_config config = small;

    (void)state;
    config.counts_loopback_handshakes = true;
    struct peer_limits *limits = peer_limits_create(&config);
    for (int i = 0; i < 5; i++)
        assert_true(peer_limits_admit(limits, NULL, 0));
    assert_false(peer_limits_admit(limits, NULL, 0));
    peer_limits_destroy(limits);
}

static void leaving_and_returning_gains_nothing(void **state)
{
    struct peer_limits *limits = peer_limits_create(&small);
    struct peer_guest *guest;

    (void)state;
    for (int i = 0; i < 2; i++) {
        enter(limits, "203.0.113.7", 0, &guest);
        assert_true(peer_limits_admit(limits, guest, 0));
        peer_guest_leave(guest);
    }
    assert_int_equal(peer_limits_addresses(limits), 1);
    enter(limits, "203.0.113.7", 100, &guest);
    assert_false(peer_limits_admit(limits, guest, 100));
    peer_guest_leave(guest);

    /* Once it is settled, the next visitor sweeps it out. */
    enter(limits, "203.0.113.8", 5000, &guest);
    assert_int_equal(peer_limits_addresses(limits), 1);
    peer_guest_leave(guest);
    assert_int_equal(peer_limits_addresses(limits), 0);
    peer_limits_destroy(limits);
}

static void the_table_has_an_end_and_the_absent_make_room(void **state)
{
    struct peer_limits *limits = peer_limits_create(&small);
    struct peer_guest *guests[5];
    char text[IP_TEXT_BYTES];

    (void)state;
    for (int i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "203.0.113.%d", i);
        assert_int_equal(enter(limits, text, 0, &guests[i]), ST_OK);
    }
    assert_int_equal(enter(limits, "203.0.113.9", 0, &guests[4]), ST_BUSY);
    assert_null(guests[4]);
    peer_limits_admit(limits, guests[0], 0);
    peer_guest_leave(guests[0]); /* it rests, with a debt */
    assert_int_equal(peer_limits_addresses(limits), 4);
    assert_int_equal(enter(limits, "203.0.113.9", 0, &guests[0]), ST_OK);
    assert_int_equal(peer_limits_addresses(limits), 4);
    for (int i = 0; i < 4; i++)
        peer_guest_leave(guests[i]);
    peer_limits_destroy(limits);
}

static void the_configuration_says_whether_loopback_counts(void **state)
{
    struct config_limits limits = {.connections_per_ip = 7, .handshakes = "9/2s"};
    struct peer_limits_config config;

    (void)state;
    peer_limits_read(&limits, &config);
    assert_int_equal(config.connections, 7);
    assert_int_equal(config.pending, 4);
    assert_int_equal(config.all_handshakes.count, 9);
    assert_int_equal(config.all_handshakes.window_ms, 2000);
    assert_false(config.counts_loopback);
    assert_false(config.counts_loopback_handshakes);
    limits.is_per_ip_set = limits.is_handshakes_set = true;
    peer_limits_read(&limits, &config);
    assert_true(config.counts_loopback);
    assert_true(config.counts_loopback_handshakes);
}

/* Nobody who is here already asks. */
static void nobody_begins_while_the_loop_is_overloaded(void **state)
{
    struct metrics metrics = {0};
    struct peer_limits_config config = small;
    struct peer_guest *guest;

    (void)state;
    config.metrics = &metrics;
    struct peer_limits *limits = peer_limits_create(&config);
    assert_int_equal(enter(limits, "203.0.113.7", 0, &guest), ST_OK);
    assert_true(peer_limits_admit(limits, guest, 0));
    assert_int_equal(atomic_load(&metrics.values[METRIC_HANDSHAKES_REFUSED]), 0);
    metrics_set(&metrics, METRIC_OVERLOADED, 1);
    assert_false(peer_limits_admit(limits, guest, 0));
    assert_int_equal(atomic_load(&metrics.values[METRIC_HANDSHAKES_REFUSED]), 1);
    assert_true(peer_limits_admit(limits, NULL, 0)); /* the loopback is exempt */
    config.metrics = NULL;                           /* it keeps what it has */
    config.counts_loopback_handshakes = true;
    peer_limits_use(limits, &config);
    assert_false(peer_limits_admit(limits, NULL, 0));
    metrics_set(&metrics, METRIC_OVERLOADED, 0);
    assert_true(peer_limits_admit(limits, NULL, 0));
    peer_guest_leave(guest);
    peer_limits_destroy(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_as_many_connections_as_it_may),
        cmocka_unit_test(a_household_of_ipv6_is_one_address),
        cmocka_unit_test(loopback_is_exempt_unless_it_is_to_count),
        cmocka_unit_test(heads_that_are_waited_for_have_a_ceiling_of_their_own),
        cmocka_unit_test(handshakes_have_a_rate_for_one_and_for_all),
        cmocka_unit_test(the_rate_for_all_holds_for_loopback_when_it_was_set),
        cmocka_unit_test(leaving_and_returning_gains_nothing),
        cmocka_unit_test(the_table_has_an_end_and_the_absent_make_room),
        cmocka_unit_test(the_configuration_says_whether_loopback_counts),
        cmocka_unit_test(nobody_begins_while_the_loop_is_overloaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
