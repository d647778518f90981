#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/eio_script.h"

static void a_websocket_takes_over(void **state)
{
    static const struct script scripts[] = {
        {"probe, upgrade",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 0},
          {EIO_WS_UPGRADE, true, "swap", 0},
          {EIO_QUEUED, true, "", 0},
          {EIO_WS_MESSAGE, false, "deliver", 0},
          {EIO_POLL, false, "this:c3", 0},
          {EIO_POST, false, "this:c3", 0},
          {EIO_POST_BINARY, false, "this:c3", 0},
          {EIO_WS_OPENED, false, "refuse-ws", 0}},
         EIO_UPGRADED, ""               },
        {"upgrade without a probe",
         {{EIO_WS_OPENED, false, "", 0}, {EIO_WS_UPGRADE, false, "swap", 0}},
         EIO_UPGRADED, ""               },
        {"a noop for every poll",
         {{EIO_POLL, false, "hold", 0},
          {EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 10},
          {EIO_DUE, false, "", 29},
          {EIO_DUE, false, "held:6", 30},
          {EIO_POLL, false, "hold", 40},
          {EIO_DUE, false, "", 129},
          {EIO_DUE, false, "held:6", 131},
          {EIO_POLL, true, "this:queue", 132},
          {EIO_POLL, false, "hold", 133},
          {EIO_QUEUED, true, "held:queue", 134}},
         EIO_PROBING,  ""               },
        {"a tick that finds no poll waits for one, and the next for its time",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 10},
          {EIO_DUE, false, "", 30},
          {EIO_POLL, false, "this:6", 45},
          {EIO_POLL, false, "hold", 50},
          {EIO_DUE, false, "", 144},
          {EIO_DUE, false, "held:6", 145}},
         EIO_PROBING,  ""               },
        {"packets are worth more than a noop that is owed",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 10},
          {EIO_DUE, false, "", 30},
          {EIO_POLL, true, "this:queue", 45},
          {EIO_POLL, false, "this:6", 50}},
         EIO_PROBING,  ""               },
        {"a noop is owed to nobody whose probe has left",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 10},
          {EIO_DUE, false, "", 30},
          {EIO_WS_GONE, false, "", 40},
          {EIO_POLL, false, "hold", 45}},
         EIO_POLLING,  ""               },
        {"probed twice, ticks go on",
         {{EIO_POLL, false, "hold", 0},
          {EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 10},
          {EIO_WS_PROBE, false, "3probe", 20},
          {EIO_DUE, false, "held:6", 30}},
         EIO_PROBING,  ""               },
        {"a poll is still held",
         {{EIO_POLL, false, "hold", 0},
          {EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 0},
          {EIO_WS_UPGRADE, false, "held:1 swap", 0}},
         EIO_UPGRADED, ""               },
        {"a POST is still read",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_POST, false, "read", 0},
          {EIO_WS_UPGRADE, false, "cut swap", 0},
          {EIO_POST_ABORTED, false, "", 0}},
         EIO_UPGRADED, ""               },
        {"posts go on meanwhile",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 0},
          POSTED(EIO_POSTED_MESSAGE, "deliver"),
          {EIO_POST_DONE, false, "post:ok", 0}},
         EIO_PROBING,  ""               },
        {"a second one",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_OPENED, false, "refuse-ws", 0},
          {EIO_WS_PROBE, false, "3probe", 0},
          {EIO_WS_OPENED, false, "refuse-ws", 0}},
         EIO_PROBING,  ""               },
        {"it goes before it is used",
         {{EIO_POLL, false, "hold", 0},
          {EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 0},
          {EIO_WS_GONE, false, "", 0},
          {EIO_DUE, false, "", 110},
          {EIO_WS_OPENED, false, "", 0}},
         EIO_ATTACHED, ""               },
        {"it goes afterwards",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_UPGRADE, false, "swap", 0},
          {EIO_WS_GONE, false, "over", 0}},
         EIO_CLOSED,   "transport close"},
        {"no upgrade in time",
         {{EIO_WS_OPENED, false, "", 0},
          {EIO_WS_PROBE, false, "3probe", 0},
          {EIO_DUE, false, "ping", 300},
          POSTED(EIO_POSTED_PONG, ""),
          {EIO_POST_DONE, false, "post:ok", 9990},
          {EIO_DUE, false, "close-ws ping", 10000}},
         EIO_POLLING,  ""               },
    };

    (void)state;
    PLAY(scripts, false);
}

static void whatever_else_a_probe_says_ends_it_alone(void **state)
{
    static const enum eio_event others[] = {EIO_WS_MESSAGE, EIO_WS_PONG,  EIO_WS_PING,
                                            EIO_WS_CLOSE,   EIO_WS_OTHER, EIO_WS_BAD};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const struct script scripts[] = {
            {"at first",
             {{EIO_POLL, false, "hold", 0},
              {EIO_WS_OPENED, false, "", 0},
              {others[i], false, "close-ws", 0},
              {EIO_QUEUED, true, "held:queue", 0}},
             EIO_POLLING, ""},
            {"after the probe",
             {{EIO_WS_OPENED, false, "", 0},
              {EIO_WS_PROBE, false, "3probe", 0},
              {others[i], false, "close-ws", 0}},
             EIO_POLLING, ""},
        };
        PLAY(scripts, false);
    }
}

static void a_websocket_session_obeys_the_same_rules(void **state)
{
    static const struct script scripts[] = {
        {"open, upgrade, noop",
         {{EIO_WS_OTHER, false, "", 0}, {EIO_WS_UPGRADE, false, "", 0}},
         EIO_UPGRADED,                                                                 ""               },
        {"a ping",
         {{EIO_WS_PING, false, "close-ws over", 0}},
         EIO_CLOSED,                                                                   "transport error"},
        {"a probe",
         {{EIO_WS_PROBE, false, "close-ws over", 0}},
         EIO_CLOSED,                                                                   "transport error"},
        {"nonsense",
         {{EIO_WS_BAD, false, "close-ws over", 0}},
         EIO_CLOSED,                                                                   "parse error"    },
        {"close",
         {{EIO_WS_CLOSE, false, "close-ws over", 0}},
         EIO_CLOSED,                                                                   "transport close"},
        {"gone",
         {{EIO_WS_GONE, false, "over", 0},
          {EIO_WS_GONE, false, "", 0},
          {EIO_WS_OPENED, false, "refuse-ws", 0}},
         EIO_CLOSED,                                                                   "transport close"},
        {"shut",                {{EIO_SHUT, false, "close-ws over", 0}}, EIO_CLOSED,   "forced close"   },
        {"polled",              {{EIO_POLL, true, "this:c3", 0}},        EIO_UPGRADED, ""               },
    };

    (void)state;
    PLAY(scripts, true);
}

static void an_upgrade_may_be_forbidden(void **state)
{
    struct eio_config plain = script_config;
    struct eio_session session;
    struct eio_todo todo;

    (void)state;
    plain.may_upgrade = false;
    eio_session_init(&session, &plain, false, 0);
    eio_session_step(&session, EIO_WS_OPENED, false, 0, &todo);
    assert_int_equal(todo.count, 1);
    assert_int_equal(todo.list[0].verb, EIO_REFUSE_WS);
}

static void packets_are_events(void **state)
{
    static const struct {
        const char *text;
        enum eio_event posted, heard;
    } cases[] = {
        {"0{}",       EIO_POSTED_OTHER,   EIO_WS_OTHER  },
        {"1",         EIO_POSTED_CLOSE,   EIO_WS_CLOSE  },
        {"2",         EIO_POSTED_PING,    EIO_WS_PING   },
        {"2probe",    EIO_POSTED_PING,    EIO_WS_PROBE  },
        {"2prob",     EIO_POSTED_PING,    EIO_WS_PING   },
        {"2probes",   EIO_POSTED_PING,    EIO_WS_PING   },
        {"3",         EIO_POSTED_PONG,    EIO_WS_PONG   },
        {"4",         EIO_POSTED_MESSAGE, EIO_WS_MESSAGE},
        {"4\xc3\xa9", EIO_POSTED_MESSAGE, EIO_WS_MESSAGE},
        {"5",         EIO_POSTED_OTHER,   EIO_WS_UPGRADE},
        {"6",         EIO_POSTED_OTHER,   EIO_WS_OTHER  },
        {"b",         EIO_POSTED_MESSAGE, EIO_WS_MESSAGE},
        {"bAQI=",     EIO_POSTED_MESSAGE, EIO_WS_MESSAGE},
        {"bAQI",      EIO_POSTED_MESSAGE, EIO_WS_MESSAGE},
        {"bAQ!D",     EIO_POSTED_BAD,     EIO_WS_BAD    },
        {"bA",        EIO_POSTED_BAD,     EIO_WS_BAD    },
        {"",          EIO_POSTED_BAD,     EIO_WS_BAD    },
        {"7",         EIO_POSTED_BAD,     EIO_WS_BAD    },
        {"x",         EIO_POSTED_BAD,     EIO_WS_BAD    },
 /* The WebSocket library would have closed before. */
        {"4\xc3",     EIO_POSTED_BAD,     EIO_WS_MESSAGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct eio_packet packet;
        struct slice text = slice_of(cases[i].text);
        assert_int_equal(eio_event_posted(text, &packet), cases[i].posted);
        assert_int_equal(eio_event_heard(text, &packet), cases[i].heard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_websocket_takes_over),
        cmocka_unit_test(whatever_else_a_probe_says_ends_it_alone),
        cmocka_unit_test(a_websocket_session_obeys_the_same_rules),
        cmocka_unit_test(an_upgrade_may_be_forbidden),
        cmocka_unit_test(packets_are_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
