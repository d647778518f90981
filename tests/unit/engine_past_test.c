/* A past by time: from the log's index to the gateway, and after what a log goes through.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/engine_house.h"

/* Times in ms; the log of these tests knows nothing from before its first event. */
static void a_past_is_given_by_time_in_pages(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 10 300 0 r:1 1000", "kept 1 10 0");
    ask(&house, &house.publisher, "append 2000 300 0 r:2 1001", "kept 11 2010 0");
    ask(&house, &house.publisher, "append 5 300 0 r:1 900", "kept 2011 2015 0");
    ask(&house, &house.publisher, "append 3 300 0 r:1 1002", "kept 2016 2018 0");
    ask(&house, &house.gateway, "until 2018", "seen 2018 0 0");
    ask(&house, &house.gateway, "past r:1 1000 1000 99", "past OK 18 2018 0 1");
    ask(&house, &house.gateway, "past r:1 1001 1001 99", "past OK 8 2018 0 1");
    ask(&house, &house.gateway, "past r:1 1002 1001 99", "past OK 3 2018 1 1");
    ask(&house, &house.gateway, "past r:1 1003 1003 99", "past OK 0 0 0 1");
    ask(&house, &house.gateway, "past r:1 1000 1000 4", "past OK 4 2018 1 1");
    ask(&house, &house.gateway, "past r:1 999 999 99", "past OK 18 2018 1 1");
    ask(&house, &house.gateway, "past r:none 1000 1000 9", "past OK 0 0 0 1");
    ask(&house, &house.gateway, "past r:1 1000 1000 99 8 2016", "past OK 8 2016 0 1");
    /* 256 KiB are a page. */
    assert_true(puppet_ask(&house.gateway, "past r:2 1000 1000 5000", house.line));
    assert_non_null(strstr(house.line, "past OK 6"));
    assert_string_equal(strrchr(house.line, ' '), " 0");
    close_both(&house);
}

static void of_a_past_what_is_gone_is_told(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.keep.events = 100;
    open_both(&house);
    ask(&house, &house.publisher, "append 50 300 0 r:1 1000", "kept 1 50 0");
    ask(&house, &house.publisher, "append 500 300 0 r:2 1001", "kept 51 550 0");
    ask(&house, &house.gateway, "until 550", "seen 550 0 0");
    ask_until(&house, &house.gateway, "past r:1 1000 1000 99", "past OK 0 0 1 1");
    ask_until(&house, &house.gateway, "past r:2 1000 1000 500", "past OK 100 550 1 1");
    ask(&house, &house.gateway, "past r:3 1000 1000 99", "past OK 0 0 0 1");
    /* Of its own room nothing is gone since then. */
    ask(&house, &house.gateway, "past r:1 1001 1001 99", "past OK 0 0 0 1");
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
    ask(&house, &house.gateway, "past r:1 1001 1001 99", "past OK 10 15 0 1");
    ask(&house, &house.gateway, "past r:1 1000 1000 99", "past OK 15 15 0 1");
    close_both(&house);
}

static void of_another_log_there_is_no_next_page(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 5 300 0 r:1 1000", "kept 1 5 0");
    ask(&house, &house.gateway, "until 5", "seen 5 0 0");
    puppet_kill(&house.publisher);
    kill(house.gateway.pid, SIGSTOP);
    start(&house, &house.publisher, ENGINE_LOG);
    kill(house.gateway.pid, SIGCONT);
    /* The position of the page before is of the log that is gone. */
    assert_true(puppet_ask(&house.gateway, "past r:1 1000 1000 99 2 5", house.line));
    assert_true(strcmp(house.line, "past E_NOT_FOUND") == 0 ||
                strcmp(house.line, "past OK 0 0 1 1") == 0);
    ask_until(&house, &house.gateway, "past r:1 1000 1000 99", "past OK 0 0 1 1");
    close_both(&house);
}

/* The thread sanitizer lets each process sleep for a second at its end; there are many.
 */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "atexit_sleep_ms=0";
}

#define ROW(test, row) cmocka_unit_test_prestate(test, (void *)&(row))

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_past_is_given_by_time_in_pages, nng_ipc),
        ROW(a_past_is_given_by_time_in_pages, nng_log),
        ROW(of_a_past_what_is_gone_is_told, nng_ipc),
        ROW(of_a_past_what_is_gone_is_told, nng_log),
        ROW(a_past_outlives_its_process, nng_log),
        ROW(of_another_log_there_is_no_next_page, nng_ipc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
