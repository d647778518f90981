/* A past by time: from the log's index to the gateway, and after what a log goes through.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/engine_house.h"

/* Times in ms; the log of these tests knows nothing from before its first event. */
static void a_past_is_given_by_time(void **state)
{
    static const struct {
        const char *question;
        const char *answer;
    } rows[] = {
        {"past r:1 1000 1000 99",        "past OK 18 0 2018 0"   },
        {"past r:1 1001 1001 99",        "past OK 8 2010 2018 0" }, /* the clock stepped */
        {"past r:1 1002 1002 99",        "past OK 3 2015 2018 0" },
        {"past r:1 1002 1001 99",        "past OK 3 2015 2018 1" }, /* five are too old */
        {"past r:1 1003 1003 99",        "past OK 0 2018 2018 0" },
        {"past r:1 1000 1000 4",         "past OK 4 2014 2018 1" },
        {"past r:1 1000 1000 4 oldest",  "past OK 4 0 4 1"       },
        {"past r:1 1001 1000 99 oldest", "past OK 8 2010 2018 1" },
        {"past r:1 999 999 99",          "past OK 18 0 2018 1"   }, /* who knows */
        {"past r:2 1000 1000 5000",      "past OK 2000 10 2010 0"},
        {"past r:none 1000 1000 9",      "past OK 0 2018 2018 0" },
    };
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 10 300 0 r:1 1000", "kept 1 10 0");
    ask(&house, &house.publisher, "append 2000 300 0 r:2 1001", "kept 11 2010 0");
    ask(&house, &house.publisher, "append 5 300 0 r:1 900", "kept 2011 2015 0");
    ask(&house, &house.publisher, "append 3 300 0 r:1 1002", "kept 2016 2018 0");
    ask(&house, &house.gateway, "until 2018", "seen 2018 0 0");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ask(&house, &house.gateway, rows[i].question, rows[i].answer);
    close_both(&house);
}

static void of_a_past_what_is_gone_is_told(void **state)
{
    unsigned events, base;
    struct house house;

    house_open(&house, state);
    house.config.keep.events = 100;
    open_both(&house);
    ask(&house, &house.publisher, "append 50 300 0 r:1 1000", "kept 1 50 0");
    ask(&house, &house.publisher, "append 500 300 0 r:2 1001", "kept 51 550 0");
    ask(&house, &house.gateway, "until 550", "seen 550 0 0");
    ask_until(&house, &house.gateway, "past r:1 1000 1000 99", "past OK 0 550 550 1");
    /* The log lets go of what was kept together at once: perhaps of more than it must. */
    assert_true(puppet_ask(&house.gateway, "past r:2 1000 1000 500", house.line));
    assert_int_equal(sscanf(house.line, "past OK %u %u 550 1", &events, &base), 2);
    assert_in_range(events, 1, 100);
    assert_int_equal(base, 550 - events);
    ask(&house, &house.gateway, "past r:3 1000 1000 99", "past OK 0 550 550 0");
    /* Of its own room nothing is gone since then. */
    ask(&house, &house.gateway, "past r:1 1001 1001 99", "past OK 0 550 550 0");
    close_both(&house);
}

static void a_past_outlives_its_process(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 5 300 0 r:1 1000", "kept 1 5 0");
    ask(&house, &house.publisher, "append 5 300 0 r:1 1001", "kept 6 10 0");
    puppet_kill(&house.publisher);
    start(&house, &house.publisher, ENGINE_LOG);
    ask(&house, &house.publisher, "append 5 300 0 r:1 1002", "kept 11 15 0");
    ask(&house, &house.gateway, "until 15", "seen 15 0 0");
    ask(&house, &house.gateway, "past r:1 1001 1001 99", "past OK 10 5 15 0");
    ask(&house, &house.gateway, "past r:1 1000 1000 99", "past OK 15 0 15 0");
    close_both(&house);
}

static void a_past_of_another_log_is_told_to_be_none(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 5 300 0 r:1 1000", "kept 1 5 0");
    ask(&house, &house.gateway, "until 5", "seen 5 0 0");
    puppet_kill(&house.publisher);
    start(&house, &house.publisher, ENGINE_LOG);
    /* The question is of the log that is gone until the gateway has heard of this one. */
    ask_until(&house, &house.gateway, "past r:1 1000 1000 99", "past OK 0 0 0 1");
    close_both(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_past_is_given_by_time, nng_ipc),
        ROW(a_past_is_given_by_time, nng_log),
        ROW(of_a_past_what_is_gone_is_told, nng_ipc),
        ROW(of_a_past_what_is_gone_is_told, nng_log),
        ROW(a_past_outlives_its_process, nng_log),
        ROW(a_past_of_another_log_is_told_to_be_none, nng_ipc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
