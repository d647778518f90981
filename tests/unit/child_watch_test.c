/* A child is restarted later each time, killed when silent, and blamed for a dead bus. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/child_watch.h"

#include <string.h>

static struct child_watch started(uint64_t now_ms)
{
    struct child_watch watch = {0};

    child_watch_started(&watch, now_ms);
    return watch;
}

static void a_child_that_dies_at_once_is_started_later_each_time(void **state)
{
    static const unsigned delays[] = {100, 200, 400, 800, 1600, 2000, 2000};
    struct child_watch watch = {0};
    uint64_t now_ms = 1000;
    unsigned delay_ms;

    (void)state;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        child_watch_started(&watch, now_ms);
        assert_true(child_watch_ended(&watch, 1, now_ms + 10, &delay_ms));
        assert_int_equal(delay_ms, delays[i]);
        now_ms += 10 + delay_ms;
    }
}

static void a_child_that_lived_begins_with_the_first_delay(void **state)
{
    struct child_watch watch = started(1000);
    unsigned delay_ms;

    (void)state;
    assert_true(child_watch_ended(&watch, 1, 1010, &delay_ms));
    child_watch_started(&watch, 1110);
    assert_true(child_watch_ended(&watch, 1, 1120, &delay_ms));
    assert_int_equal(delay_ms, 200);
    child_watch_started(&watch, 1320);
    assert_true(child_watch_ended(&watch, 137, 1320 + CHILD_SETTLED_MS, &delay_ms));
    assert_int_equal(delay_ms, CHILD_FIRST_DELAY_MS);
}

/* It served, and something ended it: nothing is won by waiting. */
static void a_child_that_was_ready_is_started_again_at_once(void **state)
{
    struct child_watch watch = {0};
    uint64_t now_ms = 1000;
    unsigned delay_ms;

    (void)state;
    for (int i = 0; i < 3; i++) {
        child_watch_started(&watch, now_ms);
        child_watch_heard(&watch, SLICE("ready"), now_ms + 200);
        now_ms += 200 + CHILD_USEFUL_MS;
        assert_true(child_watch_ended(&watch, 137, now_ms, &delay_ms));
        assert_int_equal(delay_ms, 0);
    }
    /* For a shorter time: as before. Never: later. */
    child_watch_started(&watch, now_ms);
    child_watch_heard(&watch, SLICE("ready"), now_ms);
    assert_true(child_watch_ended(&watch, 137, now_ms + CHILD_USEFUL_MS - 1, &delay_ms));
    assert_int_equal(delay_ms, CHILD_FIRST_DELAY_MS);
    child_watch_started(&watch, now_ms);
    assert_true(child_watch_ended(&watch, 137, now_ms + CHILD_USEFUL_MS, &delay_ms));
    assert_int_equal(delay_ms, 2 * CHILD_FIRST_DELAY_MS);
}

/* Two machines that each restart a gateway of one id would end each other's for ever. */
static void a_child_that_gave_way_is_started_later_each_time(void **state)
{
    static const unsigned delays[] = {100,  200,   400,   800,   1600, 3200,
                                      6400, 12800, 25600, 30000, 30000};
    struct child_watch watch = {0};
    uint64_t now_ms = 1000;
    unsigned delay_ms;

    (void)state;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        child_watch_started(&watch, now_ms);
        child_watch_heard(&watch, SLICE("ready"), now_ms + 100);
        now_ms += 100 + delays[i]; /* when the other one is back */
        assert_true(child_watch_ended(&watch, 75, now_ms, &delay_ms));
        assert_int_equal(delay_ms, delays[i]);
    }
    /* Another end is another matter. */
    child_watch_started(&watch, now_ms);
    child_watch_heard(&watch, SLICE("ready"), now_ms);
    assert_true(child_watch_ended(&watch, 137, now_ms, &delay_ms));
    assert_int_equal(delay_ms, CHILD_LAST_DELAY_MS);
    child_watch_started(&watch, now_ms);
    now_ms += CHILD_UNDISPUTED_MS;
    assert_true(child_watch_ended(&watch, 75, now_ms, &delay_ms));
    assert_int_equal(delay_ms, CHILD_FIRST_DELAY_MS);
}

static void who_slept_does_not_take_a_child_for_silent_or_lost(void **state)
{
    struct child_watch watch = started(1000), server = started(1000);
    uint64_t awake_ms = 1000 + 10 * CHILD_SILENT_MS;

    (void)state;
    child_watch_heard(&server, SLICE("ready"), 1100);
    child_watch_heard(&watch, SLICE("not ready bus_down"), 1100);
    assert_true(child_watch_is_silent(&watch, awake_ms));
    child_watch_excuse(&watch, awake_ms);
    child_watch_excuse(&server, awake_ms);
    assert_false(child_watch_is_silent(&watch, awake_ms + 1));
    assert_int_equal(child_watch_blames(&watch, &server, awake_ms + 1), BLAME_NOBODY);
    child_watch_heard(&server, SLICE("alive"), awake_ms + CHILD_NO_BUS_MS);
    assert_int_equal(child_watch_blames(&watch, &server, awake_ms + CHILD_NO_BUS_MS),
                     BLAME_SERVER);
    assert_true(child_watch_is_silent(&watch, awake_ms + CHILD_SILENT_MS));
}

static void a_configuration_error_is_not_tried_again(void **state)
{
    struct child_watch watch = started(1000);
    unsigned delay_ms;

    (void)state;
    assert_false(child_watch_ended(&watch, 78, 1010, &delay_ms));
}

/* The settings are still the same: it was a file, of keys for instance, and that may
 * heal.
 */
static void a_child_that_served_is_tried_again_whatever_it_says(void **state)
{
    struct child_watch watch = started(1000);
    unsigned delay_ms;

    (void)state;
    child_watch_heard(&watch, SLICE("ready"), 1002);
    assert_true(child_watch_ended(&watch, 137, 1010, &delay_ms));
    for (uint64_t now_ms = 2000; now_ms < 9000; now_ms += 1000) {
        child_watch_started(&watch, now_ms);
        assert_true(child_watch_ended(&watch, 78, now_ms + 10, &delay_ms));
    }
    assert_int_equal(delay_ms, CHILD_LAST_DELAY_MS);
}

static void readiness_is_what_the_last_line_says(void **state)
{
    struct child_watch watch = started(1000);

    (void)state;
    assert_false(child_watch_is_ready(&watch));
    child_watch_heard(&watch, SLICE("alive"), 1001);
    assert_false(child_watch_is_ready(&watch));
    child_watch_heard(&watch, SLICE("ready"), 1002);
    child_watch_heard(&watch, SLICE("alive"), 1003);
    child_watch_heard(&watch, SLICE("rubbish"), 1003);
    assert_true(child_watch_is_ready(&watch));
    child_watch_heard(&watch, SLICE("not ready draining"), 1004);
    assert_false(child_watch_is_ready(&watch));
    child_watch_heard(&watch, SLICE("ready"), 1005);
    child_watch_started(&watch, 1006);
    assert_false(child_watch_is_ready(&watch));
}

static void who_leaves_says_how_long_it_takes(void **state)
{
    static const struct {
        const char *line;
        bool is_leaving;
        uint64_t ms;
    } rows[] = {
        {"not ready draining 21000", true,  21000},
        {"not ready draining 0",     true,  0    },
        {"not ready draining",       false, 0    },
        {"not ready draining ",      false, 0    },
        {"not ready draining soon",  false, 0    },
        {"not ready bus_down",       false, 0    },
        {"draining 5",               false, 0    },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct child_watch watch = {0};
        child_watch_started(&watch, 1000);
        child_watch_heard(&watch, slice_of(rows[i].line), 1001);
        assert_int_equal(watch.is_leaving, rows[i].is_leaving);
        assert_int_equal(watch.leave_ms, rows[i].ms);
        child_watch_started(&watch, 2000);
        assert_false(watch.is_leaving);
    }
}

static void any_line_is_a_sign_of_life(void **state)
{
    struct child_watch watch = started(1000);

    (void)state;
    assert_false(child_watch_is_silent(&watch, 1000 + CHILD_SILENT_MS - 1));
    assert_true(child_watch_is_silent(&watch, 1000 + CHILD_SILENT_MS));
    child_watch_heard(&watch, SLICE("alive"), 2000);
    assert_false(child_watch_is_silent(&watch, 1000 + CHILD_SILENT_MS));
    assert_true(child_watch_is_silent(&watch, 2000 + CHILD_SILENT_MS));
}

/* A publisher that is ready since 1000 and talked at 20000; a gateway without bus since
 * `since_ms`. */
static void set_scene(struct child_watch *publisher, struct child_watch *gateway,
                      uint64_t since_ms)
{
    *publisher = started(500);
    child_watch_heard(publisher, SLICE("ready"), 1000);
    child_watch_heard(publisher, SLICE("alive"), 20000);
    *gateway = started(500);
    child_watch_heard(gateway, SLICE("not ready bus_down"), since_ms);
}

static void a_bus_that_lets_nobody_in_is_blamed_on_its_server(void **state)
{
    struct child_watch publisher, gateway;

    (void)state;
    set_scene(&publisher, &gateway, 17000);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 19999), BLAME_NOBODY);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 20000), BLAME_SERVER);

    child_watch_heard(&gateway, SLICE("ready"), 20000);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 21000), BLAME_NOBODY);
}

static void a_server_that_is_new_silent_or_not_ready_is_not_blamed(void **state)
{
    struct child_watch publisher, gateway;

    (void)state;
    set_scene(&publisher, &gateway, 10000);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 22500),
                     BLAME_NOBODY); /* silent */

    child_watch_heard(&publisher, SLICE("not ready log_down"), 22600);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 22700), BLAME_NOBODY);

    child_watch_heard(&publisher, SLICE("ready"), 22800);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 23000), BLAME_NOBODY);

    child_watch_heard(&publisher, SLICE("alive"), 27800);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 27900), BLAME_SERVER);

    child_watch_heard(&gateway, SLICE("not ready draining"), 27900);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 28000), BLAME_NOBODY);
}

/* A disk stands still: no beacon comes, and the publisher soon knows why. */
static void
who_serves_a_disk_that_stands_still_is_not_blamed_nor_are_gateways(void **state)
{
    struct child_watch publisher, gateway;
    uint64_t now_ms = 20900;

    (void)state;
    set_scene(&publisher, &gateway, 2000);
    child_watch_heard(&gateway, SLICE("ready"), 2500);
    child_watch_heard(&gateway, SLICE("not ready bus_down"), now_ms);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 21100), BLAME_NOBODY);
    child_watch_heard(&publisher, SLICE("not ready log_down"), 21200);
    for (; now_ms < 81000; now_ms += 1000) {
        child_watch_heard(&publisher, SLICE("alive"), now_ms);
        assert_int_equal(child_watch_blames(&gateway, &publisher, now_ms), BLAME_NOBODY);
    }
    child_watch_heard(&publisher, SLICE("ready"), now_ms);
    assert_int_equal(child_watch_blames(&gateway, &publisher, now_ms), BLAME_NOBODY);
    child_watch_heard(&gateway, SLICE("ready"), now_ms + 300);
    assert_int_equal(child_watch_blames(&gateway, &publisher, now_ms + 9000),
                     BLAME_NOBODY);
}

static void who_was_connected_tries_anew_itself(void **state)
{
    struct child_watch publisher, gateway;

    (void)state;
    set_scene(&publisher, &gateway, 3000);
    child_watch_heard(&gateway, SLICE("ready"), 4000);
    child_watch_heard(&gateway, SLICE("not ready bus_down"), 17000);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 19999), BLAME_NOBODY);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 20000), BLAME_ITSELF);
}

static void a_new_server_that_did_not_help_is_not_blamed_again(void **state)
{
    struct child_watch publisher, gateway;

    (void)state;
    set_scene(&publisher, &gateway, 17000);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 20000), BLAME_SERVER);
    gateway.blamed_server = true;
    assert_int_equal(child_watch_blames(&gateway, &publisher, 20000), BLAME_ITSELF);
    child_watch_started(&gateway, 20000);
    child_watch_heard(&gateway, SLICE("not ready bus_down"), 20000);
    child_watch_heard(&publisher, SLICE("alive"), 23000);
    assert_int_equal(child_watch_blames(&gateway, &publisher, 23000), BLAME_SERVER);
}

static void a_reload_is_owed_to_who_has_not_spoken_in_this_life(void **state)
{
    struct child_watch watch = started(1000);
    unsigned delay_ms;

    (void)state;
    assert_false(child_watch_is_owed_reload(&watch));
    assert_false(child_watch_may_reload(&watch));
    assert_false(child_watch_may_reload(&watch));
    assert_false(child_watch_is_owed_reload(&watch));
    child_watch_heard(&watch, SLICE("not ready bus_down"), 1010);
    assert_true(child_watch_is_owed_reload(&watch));
    assert_false(child_watch_is_owed_reload(&watch));
    assert_true(child_watch_may_reload(&watch));
    assert_false(child_watch_is_owed_reload(&watch));

    /* The next life reads the file itself. */
    assert_true(child_watch_ended(&watch, 1, 1020, &delay_ms));
    child_watch_started(&watch, 1030);
    assert_false(child_watch_may_reload(&watch));
    child_watch_started(&watch, 1040);
    child_watch_heard(&watch, SLICE("alive"), 1050);
    assert_false(child_watch_is_owed_reload(&watch));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_that_dies_at_once_is_started_later_each_time),
        cmocka_unit_test(a_child_that_lived_begins_with_the_first_delay),
        cmocka_unit_test(a_child_that_was_ready_is_started_again_at_once),
        cmocka_unit_test(a_child_that_gave_way_is_started_later_each_time),
        cmocka_unit_test(who_slept_does_not_take_a_child_for_silent_or_lost),
        cmocka_unit_test(a_configuration_error_is_not_tried_again),
        cmocka_unit_test(a_child_that_served_is_tried_again_whatever_it_says),
        cmocka_unit_test(readiness_is_what_the_last_line_says),
        cmocka_unit_test(who_leaves_says_how_long_it_takes),
        cmocka_unit_test(any_line_is_a_sign_of_life),
        cmocka_unit_test(a_reload_is_owed_to_who_has_not_spoken_in_this_life),
        cmocka_unit_test(a_bus_that_lets_nobody_in_is_blamed_on_its_server),
        cmocka_unit_test(who_was_connected_tries_anew_itself),
        cmocka_unit_test(
            who_serves_a_disk_that_stands_still_is_not_blamed_nor_are_gateways),
        cmocka_unit_test(a_new_server_that_did_not_help_is_not_blamed_again),
        cmocka_unit_test(a_server_that_is_new_silent_or_not_ready_is_not_blamed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
