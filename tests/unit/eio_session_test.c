#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/eio_script.h"

static void polls_are_held_until_something_waits(void **state)
{
    static const struct script scripts[] = {
        {"something waits",              {{EIO_POLL, true, "this:queue", 0}},   EIO_POLLING, ""               },
        {"nothing waits",
         {{EIO_POLL, false, "hold", 0}, {EIO_QUEUED, true, "held:queue", 0}},
         EIO_POLLING,                                                                        ""               },
        {"queued before the poll",
         {{EIO_QUEUED, true, "", 0}, {EIO_POLL, true, "this:queue", 0}},
         EIO_POLLING,                                                                        ""               },
        {"said twice",
         {{EIO_POLL, false, "hold", 0},
          {EIO_QUEUED, true, "held:queue", 0},
          {EIO_QUEUED, true, "", 0}},
         EIO_POLLING,                                                                        ""               },
        {"two at a time",
         {{EIO_POLL, false, "hold", 0},
          {EIO_POLL, false, "this:400 held:1 over", 0},
          {EIO_POLL, false, "this:c1", 0}},
         EIO_CLOSED,                                                                         "transport error"},
        {"two, and a POST",
         {{EIO_POLL, false, "hold", 0},
          {EIO_POST, false, "read", 0},
          {EIO_POLL, false, "this:400 held:1 cut over", 0}},
         EIO_CLOSED,                                                                         "transport error"},
        {"its client leaves",
         {{EIO_POLL, false, "hold", 0}, {EIO_POLL_ABORTED, false, "over", 0}},
         EIO_CLOSED,                                                                         "transport error"},
        {"one that was answered leaves",
         {{EIO_POLL, true, "this:queue", 0}, {EIO_POLL_ABORTED, false, "", 0}},
         EIO_POLLING,                                                                        ""               },
        {"what it carried is lost",
         {{EIO_POLL, true, "this:queue", 0},
          {EIO_POLL, false, "hold", 0},
          {EIO_POLL_LOST, false, "held:1 over", 0}},
         EIO_CLOSED,                                                                         "transport error"},
    };

    (void)state;
    PLAY(scripts, false);
}

static void posts_are_read_one_at_a_time(void **state)
{
    static const struct script scripts[] = {
        {"messages",
         {POSTED(EIO_POSTED_MESSAGE, "deliver"),
          {EIO_POSTED_MESSAGE, false, "deliver", 0},
          {EIO_POST_DONE, false, "post:ok", 0}},
         EIO_POLLING, ""               },
        {"two at a time",
         {{EIO_POST, false, "read", 0},
          {EIO_POST, false, "this:400 cut over", 0},
          {EIO_POST, false, "this:c1", 0}},
         EIO_CLOSED,  "transport error"},
        {"two, and a poll",
         {{EIO_POLL, false, "hold", 0},
          {EIO_POST, false, "read", 0},
          {EIO_POST, false, "this:400 held:1 cut over", 0}},
         EIO_CLOSED,  "transport error"},
        {"octet-stream",
         {{EIO_POLL, false, "hold", 0},
          {EIO_POST_BINARY, false, "this:400 held:1 over", 0},
          {EIO_POST_BINARY, false, "this:c1", 0}},
         EIO_CLOSED,  "transport error"},
        {"too large: the session lives",
         {{EIO_POST, false, "read", 0},
          {EIO_POST_TOO_LARGE, false, "post:413", 0},
          {EIO_POST, false, "read", 0}},
         EIO_POLLING, ""               },
        {"its client leaves",
         {{EIO_POLL, false, "hold", 0},
          {EIO_POST, false, "read", 0},
          {EIO_POST_ABORTED, false, "held:1 over", 0}},
         EIO_CLOSED,  "transport error"},
        {"one that was answered leaves",
         {POSTED(EIO_POSTED_PONG, ""),
          {EIO_POST_DONE, false, "post:ok", 0},
          {EIO_POST_ABORTED, false, "", 0}},
         EIO_POLLING, ""               },
        {"nonsense after a message",
         {POSTED(EIO_POSTED_MESSAGE, "deliver"),
          {EIO_POSTED_BAD, false, "post:ok over", 0},
          {EIO_POSTED_MESSAGE, false, "", 0},
          {EIO_POST_DONE, false, "", 0}},
         EIO_CLOSED,  "parse error"    },
        {"nonsense, with a poll",
         {{EIO_POLL, false, "hold", 0}, POSTED(EIO_POSTED_BAD, "held:1 post:ok over")},
         EIO_CLOSED,  "parse error"    },
        {"a ping",
         {POSTED(EIO_POSTED_PING, "post:ok over")},
         EIO_CLOSED,  "transport error"},
        {"open, upgrade, noop",
         {POSTED(EIO_POSTED_OTHER, ""), {EIO_POST_DONE, false, "post:ok", 0}},
         EIO_POLLING, ""               },
        {"close, with a poll",
         {{EIO_POLL, false, "hold", 0}, POSTED(EIO_POSTED_CLOSE, "held:6 post:ok over")},
         EIO_CLOSED,  "transport close"},
        {"close, without",
         {POSTED(EIO_POSTED_CLOSE, "post:ok over")},
         EIO_CLOSED,  "transport close"},
        {"packets without a POST",
         {{EIO_POSTED_MESSAGE, false, "", 0},
          {EIO_POSTED_BAD, false, "", 0},
          {EIO_POST_DONE, false, "", 0},
          {EIO_POST_TOO_LARGE, false, "", 0}},
         EIO_POLLING, ""               },
    };

    (void)state;
    PLAY(scripts, false);
}

static void a_close_is_seen_by_the_next_poll(void **state)
{
    static const struct script scripts[] = {
        {"a poll is held",
         {{EIO_POLL, false, "hold", 0}, {EIO_SHUT, false, "held:1 over", 0}},
         EIO_CLOSED,  "forced close"},
        {"held, and last words",
         {{EIO_POLL, false, "hold", 0},
          {EIO_SHUT, true, "held:queue", 0},
          {EIO_POLL, false, "this:6+1 over", 0}},
         EIO_CLOSED,  "forced close"},
        {"it comes later",
         {{EIO_SHUT, false, "", 0},
          {EIO_SHUT, false, "", 0},
          {EIO_DUE, false, "", 500},
          {EIO_POLL, false, "this:6+1 over", 29999},
          {EIO_POLL, false, "this:c1", 0}},
         EIO_CLOSED,  "forced close"},
        {"later, and last words",
         {{EIO_SHUT, true, "", 0},
          {EIO_POLL, true, "this:queue", 0},
          {EIO_POLL, false, "this:6+1 over", 0}},
         EIO_CLOSED,  "forced close"},
        {"it never comes",
         {{EIO_SHUT, false, "", 0},
          {EIO_DUE, false, "", 29999},
          {EIO_DUE, false, "over", 30000}},
         EIO_CLOSED,  "forced close"},
        {"posts are answered, and not heard",
         {{EIO_SHUT, false, "", 0},
          POSTED(EIO_POSTED_MESSAGE, ""),
          {EIO_POSTED_BAD, false, "", 0},
          {EIO_POST_DONE, false, "post:ok", 0}},
         EIO_CLOSING, "forced close"},
        {"the client closes, too",
         {{EIO_SHUT, false, "", 0}, POSTED(EIO_POSTED_CLOSE, "post:ok over")},
         EIO_CLOSED,  "forced close"},
        {"a POST is being read",
         {{EIO_POST, false, "read", 0}, {EIO_SHUT, false, "cut", 0}},
         EIO_CLOSING, "forced close"},
        {"within a POST",
         {POSTED(EIO_POSTED_MESSAGE, "deliver"),
          {EIO_SHUT, false, "", 0},
          {EIO_POST_DONE, false, "post:ok", 0}},
         EIO_CLOSING, "forced close"},
        {"while probing, seen by a poll",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 0},
          {EIO_SHUT, false, "", 0},
          {EIO_WS_OPENED, false, "refuse-ws", 0},
          {EIO_DUE, false, "", 110},
          {EIO_POLL, false, "this:6+1 close-ws over", 0}},
         EIO_CLOSED,  "forced close"},
        {"while the client upgrades",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 0},
          {EIO_SHUT, true, "", 0},
          {EIO_WS_UPGRADE, true, "swap close-ws over", 0}},
         EIO_CLOSED,  "forced close"},
        {"closing, the probe leaves",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_SHUT, false, "", 0},
          {EIO_WS_PROBE, false, "", 0},
          {EIO_WS_GONE, false, "", 0},
          {EIO_WS_UPGRADE, false, "", 0},
          {EIO_DUE, false, "over", 30000}},
         EIO_CLOSED,  "forced close"},
        {"closing, the probe says nothing",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_SHUT, false, "", 0},
          {EIO_DUE, false, "", 9999},
          {EIO_DUE, false, "close-ws", 10000},
          {EIO_DUE, false, "", 10001}},
         EIO_CLOSING, "forced close"},
        {"closing, the probe says nonsense",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_SHUT, false, "", 0},
          {EIO_WS_BAD, false, "close-ws", 0},
          {EIO_WS_BAD, false, "", 0}},
         EIO_CLOSING, "forced close"},
        {"abandoned",
         {{EIO_POLL, false, "hold", 0},
          {EIO_POST, false, "read", 0},
          {EIO_WS_OPENED, false, "", 0},
          {EIO_ABANDON, false, "held:1 cut close-ws over", 0},
          {EIO_ABANDON, false, "", 0}},
         EIO_CLOSED,  "forced close"},
    };

    (void)state;
    PLAY(scripts, false);
}

static void silence_ends_a_session(void **state)
{
    static const struct script scripts[] = {
        {"with a poll",
         {{EIO_POLL, false, "hold", 0},
          {EIO_DUE, false, "", 299},
          {EIO_DUE, false, "ping", 300},
          {EIO_QUEUED, true, "held:queue", 0},
          {EIO_POLL, false, "hold", 0},
          {EIO_DUE, false, "", 499},
          {EIO_DUE, false, "held:1 over", 500}},
         EIO_CLOSED,  "ping timeout"},
        {"nobody polls",
         {{EIO_DUE, false, "ping", 300}, {EIO_DUE, true, "over", 500}},
         EIO_CLOSED,  "ping timeout"},
        {"a pong counts from when it came",
         {{EIO_DUE, false, "ping", 300},
          POSTED(EIO_POSTED_PONG, ""),
          {EIO_POST_DONE, false, "post:ok", 450},
          {EIO_DUE, false, "ping", 650},
          POSTED(EIO_POSTED_PONG, ""),
          {EIO_DUE, false, "", 949}},
         EIO_POLLING, ""            },
        {"messages are no pong",
         {{EIO_DUE, false, "ping", 300},
          POSTED(EIO_POSTED_MESSAGE, "deliver"),
          {EIO_DUE, false, "post:ok over", 500}},
         EIO_CLOSED,  "ping timeout"},
        {"the upgrade does not stop the clock",
         {{EIO_DUE, false, "ping", 300},
          {EIO_WS_OPENED, false, "", 310},
          {EIO_WS_UPGRADE, true, "swap", 320},
          {EIO_DUE, false, "close-ws over", 500}},
         EIO_CLOSED,  "ping timeout"},
        {"a ping ends the poll that a tick would",
         {{EIO_WS_OPENED, false, "", 190},
          {EIO_WS_PROBE, false, "3probe", 200},
          {EIO_POLL, false, "hold", 250},
          {EIO_DUE, false, "ping", 300},
          {EIO_QUEUED, true, "held:queue", 0},
          {EIO_POLL, false, "hold", 350},
          {EIO_DUE, false, "held:6", 400}},
         EIO_PROBING, ""            },
    };
    static const struct script unsolicited[] = {
        {"a pong that nobody asked for",
         {{EIO_WS_PONG, false, "", 200},
          {EIO_DUE, false, "", 499},
          {EIO_DUE, false, "ping", 500},
          {EIO_WS_PONG, false, "", 600},
          {EIO_DUE, false, "", 899},
          {EIO_DUE, false, "ping", 900}},
         EIO_UPGRADED, ""},
    };

    (void)state;
    PLAY(scripts, false);
    PLAY(unsolicited, true);
}

static void the_timer_says_when_to_come_back(void **state)
{
    struct eio_session session;
    struct eio_todo todo;

    (void)state;
    eio_session_init(&session, &script_config, false, 1000);
    assert_int_equal(eio_session_due_ms(&session), 1300);
    eio_session_step(&session, EIO_WS_OPENED, false, 1010, &todo);
    assert_int_equal(todo.due_ms, 1300);
    eio_session_step(&session, EIO_WS_PROBE, false, 1020, &todo);
    assert_int_equal(todo.due_ms, 1040);
    eio_session_step(&session, EIO_WS_GONE, false, 1030, &todo);
    assert_int_equal(todo.due_ms, 1300);
    eio_session_step(&session, EIO_DUE, false, 1303, &todo);
    assert_int_equal(todo.due_ms, 1503);
    eio_session_step(&session, EIO_SHUT, false, 1400, &todo);
    assert_int_equal(todo.due_ms, 31400);
    eio_session_step(&session, EIO_DUE, false, 31400, &todo);
    assert_int_equal(todo.due_ms, 0);
}

static void volatile_packets_have_their_moments(void **state)
{
    struct eio_session session;
    struct eio_todo todo;

    (void)state;
    eio_session_init(&session, &script_config, false, 0);
    assert_false(eio_session_is_writable(&session));
    assert_true(eio_session_is_polling(&session));
    eio_session_step(&session, EIO_POLL, false, 0, &todo);
    assert_true(eio_session_is_writable(&session));
    eio_session_step(&session, EIO_QUEUED, true, 0, &todo);
    assert_false(eio_session_is_writable(&session));
    eio_session_step(&session, EIO_WS_OPENED, false, 0, &todo);
    eio_session_step(&session, EIO_WS_UPGRADE, false, 0, &todo);
    assert_true(eio_session_is_writable(&session));
    assert_false(eio_session_is_polling(&session));
    assert_true(eio_session_is_open(&session));
    eio_session_step(&session, EIO_SHUT, false, 0, &todo);
    assert_false(eio_session_is_writable(&session));
    assert_false(eio_session_is_open(&session));
}

/* Every state that three events lead to, under every event: no assertion, at most one
 * end, and nothing after it but refusals. */
static void any_event_may_come_in_any_state(void **state)
{
    const unsigned all =
        EIO_EVENT_COUNT * EIO_EVENT_COUNT * EIO_EVENT_COUNT * EIO_EVENT_COUNT;

    (void)state;
    for (unsigned n = 0; n < all; n++) {
        struct eio_session session;
        unsigned rest = n, ends = 0;
        eio_session_init(&session, &script_config, n % 2, START_MS);
        for (unsigned at = 0; at < 4; at++, rest /= EIO_EVENT_COUNT) {
            struct eio_todo todo;
            enum eio_event event = (enum eio_event)(rest % EIO_EVENT_COUNT);
            bool was_over = eio_session_state(&session) == EIO_CLOSED;
            eio_session_step(&session, event, rest % 2, START_MS + 200 * at, &todo);
            for (unsigned i = 0; i < todo.count; i++) {
                ends += todo.list[i].verb == EIO_OVER;
                if (todo.list[i].verb == EIO_OVER)
                    assert_int_equal(i, todo.count - 1);
                if (was_over)
                    assert_true(todo.list[i].verb == EIO_REFUSE_WS ||
                                todo.list[i].answer == EIO_UNKNOWN_SID);
            }
        }
        assert_int_equal(ends, eio_session_state(&session) == EIO_CLOSED);
        assert_int_equal(ends, eio_session_due_ms(&session) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_are_held_until_something_waits),
        cmocka_unit_test(posts_are_read_one_at_a_time),
        cmocka_unit_test(a_close_is_seen_by_the_next_poll),
        cmocka_unit_test(silence_ends_a_session),
        cmocka_unit_test(the_timer_says_when_to_come_back),
        cmocka_unit_test(volatile_packets_have_their_moments),
        cmocka_unit_test(any_event_may_come_in_any_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
