/* Sessions that move, and that may come back: one contract for every engine. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/engine_house.h"

static void a_session_that_lives_elsewhere_is_given_up(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.gateway_count = 1; /* known: a find need not wait for others */
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    start_rival(&house, "g2");
    ask(&house, &house.rival, "put s1 p1 u 1.0 r:1", "done OK");
    /* Who writes no more hears of it all the same. */
    ask_until(&house, &house.gateway, "fate", "fate 1 0");
    ask(&house, &house.gateway, "put s1 p1 u 9 r:1", "done E_CONFLICT");
    ask(&house, &house.gateway, "fate", "fate 2 0");
    ask(&house, &house.gateway, "park s1 9 40", "done OK");
    ask(&house, &house.gateway, "drop s1 9", "done OK");
    ask(&house, &house.gateway, "prove s1 40", "done OK");
    ask_until(&house, &house.gateway, "find p1", "found OK s1 g2 1 0");
    close_one(&house, &house.rival);
    close_both(&house);
}

static void a_session_may_come_back(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.gateway_count = 1; /* known: a find need not wait for others */
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1,r:2", "done OK");
    ask(&house, &house.gateway, "prove s1 30", "done OK");
    ask_until(&house, &house.gateway, "find p1", "found OK s1 g1 2 30");
    ask(&house, &house.gateway, "park s1 2 40", "done OK");
    ask_until(&house, &house.gateway, "find p1", "found OK s1  2 40");
    ask_until(&house, &house.publisher, "count r:1 -", "count 0 1");
    start_rival(&house, "g2");
    ask(&house, &house.rival, "find p1", "found OK s1  2 40");
    ask(&house, &house.rival, "put s1 p1 u 1.0 r:1", "done OK");
    ask(&house, &house.rival, "find p1", "found OK s1 g2 1 40");
    ask_until(&house, &house.publisher, "count r:1 -", "count 1 1");
    puppet_kill(&house.rival);
    start_rival(&house, "g2");
    ask_until(&house, &house.gateway, "find p1", "found OK s1  1 40");
    ask(&house, &house.rival, "drop s1 1.1", "done OK");
    ask_until(&house, &house.gateway, "find p1", "found E_NOT_FOUND");
    close_one(&house, &house.rival);
    close_both(&house);
}

/* What on_done said ST_OK to, a park and a drop: the next publisher knows it. */
static void a_killed_publisher_forgets_no_session(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.gateway_count = 1; /* known: a find need not wait for others */
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1,r:2", "done OK");
    ask(&house, &house.gateway, "put s2 p2 u 1 r:1", "done OK");
    ask(&house, &house.gateway, "put s3 p3 u 1 r:1", "done OK");
    ask(&house, &house.gateway, "park s2 2 40", "done OK");
    ask(&house, &house.gateway, "drop s3 2", "done OK");
    ask(&house, &house.gateway, "find p2", "found OK s2  1 40");
    ask(&house, &house.gateway, "put s4 p4 u 1 r:1", "done OK");
    puppet_kill(&house.publisher);
    puppet_kill(&house.gateway);
    open_both(&house);
    ask(&house, &house.gateway, "find p1", "found OK s1  2 0");
    ask(&house, &house.gateway, "find p2", "found OK s2  1 40");
    ask(&house, &house.gateway, "find p3", "found E_NOT_FOUND");
    ask(&house, &house.gateway, "find p4", "found OK s4  1 0");
    ask_until(&house, &house.publisher, "count r:1 -", "count 0 1");
    ask(&house, &house.gateway, "put s1 p1 u 1.0 r:1", "done OK");
    ask_until(&house, &house.publisher, "count r:1 -", "count 1 1");
    close_both(&house);
}

/* One answer has no room for all of them, and many ask at once. */
static void a_crowd_with_large_sessions_is_found(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.gateway_count = 1; /* known: a find need not wait for others */
    open_both(&house);
    ask(&house, &house.gateway, "large 1 300 20000", "done OK");
    ask(&house, &house.gateway, "finds 1 300", "finds 300");
    close_both(&house);
}

/* Its record is longer than its put was: it is kept all the same, not the one before. */
static void the_largest_session_that_may_be_put_is_kept(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.gateway_count = 1; /* known: a find need not wait for others */
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    ask(&house, &house.gateway, "large 1 1 1048576", "done OK");
    puppet_kill(&house.publisher);
    puppet_kill(&house.gateway);
    open_both(&house);
    ask(&house, &house.gateway, "find p1", "found OK s1  9986 0");
    close_both(&house);
}

static void who_comes_too_late_is_told_so(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.gateway_count = 1; /* known: a find need not wait for others */
    house.config.recovery_ms = 2000;
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    ask(&house, &house.gateway, "park s1 2 40", "done OK");
    ask(&house, &house.gateway, "find p1", "found OK s1  1 40");
    ask_until(&house, &house.gateway, "find p1", "found E_TIMEOUT s1  0 40");
    ask(&house, &house.gateway, "find p2", "found E_NOT_FOUND");
    close_both(&house);
}

static void what_waited_for_the_publisher_is_heard(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.gateway_count = 1; /* known: a find need not wait for others */
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    ask(&house, &house.gateway, "put s2 p2 u 1 r:1", "done OK");
    puppet_kill(&house.publisher);
    ask(&house, &house.gateway, "drop s1 2", "done OK");
    ask(&house, &house.gateway, "park s2 2 40", "done OK");
    start(&house, &house.publisher, ENGINE_LOG);
    ask_until(&house, &house.gateway, "find p2", "found OK s2  1 40");
    ask(&house, &house.gateway, "find p1", "found E_NOT_FOUND");
    close_both(&house);
}

static void a_gateway_that_stops_parks_its_sessions(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.gateway_count = 1; /* known: a find need not wait for others */
    open_both(&house);
    start_rival(&house, "g2");
    ask(&house, &house.rival, "put s1 p1 u 1 r:1", "done OK");
    ask(&house, &house.rival, "put s2 p2 u 1 r:1", "done OK");
    ask(&house, &house.rival, "park s1 2 40", "done OK");
    close_one(&house, &house.rival);
    ask(&house, &house.gateway, "find p1", "found OK s1  1 40");
    ask(&house, &house.gateway, "find p2", "found OK s2  1 0");
    ask_until(&house, &house.publisher, "count r:1 -", "count 0 1");
    ask_until(&house, &house.publisher, "gateways", "gateways 1 1");
    close_both(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_session_that_lives_elsewhere_is_given_up, nng_ipc),
        ROW(a_session_may_come_back, nng_ipc),
        ROW(a_session_may_come_back, nng_log),
        ROW(a_killed_publisher_forgets_no_session, nng_log),
        ROW(a_killed_publisher_forgets_no_session, nng_fsync),
        ROW(a_crowd_with_large_sessions_is_found, nng_ipc),
        ROW(the_largest_session_that_may_be_put_is_kept, nng_log),
        ROW(who_comes_too_late_is_told_so, nng_log),
        ROW(what_waited_for_the_publisher_is_heard, nng_log),
        ROW(a_gateway_that_stops_parks_its_sessions, nng_ipc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
