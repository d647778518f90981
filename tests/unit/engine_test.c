/* Every engine keeps the contract of bridge/engine.h, its two ends in two processes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/engine_house.h"

#include <sys/socket.h>
#include <sys/un.h>

static void a_log_without_gateways_keeps_events(void **state)
{
    struct house house;

    house_open(&house, state);
    start(&house, &house.publisher, ENGINE_LOG);
    ask(&house, &house.publisher, "append 1 10 0", "kept 1 1 0");
    ask(&house, &house.publisher, "append 5000 100 0", "kept 2 5001 0");
    ask(&house, &house.publisher, "head", "head 5001");
    ask(&house, &house.publisher, "count r:1 -", "count 0 0");
    close_one(&house, &house.publisher);
    house_remove(&house);
}

static void a_gateway_hears_every_event_once_in_order(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 1 10 0", "kept 1 1 0");
    ask(&house, &house.gateway, "until 1", "seen 1 0 0");
    ask(&house, &house.publisher, "append 20000 300 0", "kept 2 20001 0");
    ask(&house, &house.gateway, "until 20001", "seen 20001 0 0");
    ask(&house, &house.publisher, "append 3 200000 0", "kept 20002 20004 0");
    ask(&house, &house.gateway, "until 20004", "seen 20004 0 0");
    ask(&house, &house.publisher, "disconnect u", "kept 20005 20005 0");
    ask(&house, &house.gateway, "until 20005", "seen 20005 0 0");
    ask(&house, &house.gateway, "told", "told 0 - 0 1");
    close_both(&house);
}

static void what_is_appended_as_one_is_answered_once(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "group 1 10 0", "kept 1 1 0");
    ask(&house, &house.publisher, "group 3 10 0", "kept 4 4 0");
    ask(&house, &house.publisher, "group 64 10 1", "kept 68 68 0");
    ask(&house, &house.publisher, "group 2 200000 0", "kept 70 70 0");
    ask(&house, &house.gateway, "until 70", "seen 70 0 0");
    ask(&house, &house.publisher, "head", "head 70");
    close_both(&house);
}

/* In one bus message, so that a gateway settles once for it, or for several that came
 * together. A single round could be luck. */
static void what_one_turn_appends_travels_together(void **state)
{
    enum {
        ROUNDS = 30,
        EVENTS = 400
    };
    struct house house;
    char expected[64];

    house_open(&house, state);
    open_both(&house);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(expected, sizeof expected, "kept %d %d 0", i * EVENTS + 1,
                 (i + 1) * EVENTS);
        ask(&house, &house.publisher, "append 400 10 0", expected);
    }
    ask(&house, &house.gateway, "until 12000", "seen 12000 0 0");
    ask(&house, &house.gateway, "settles 30", "settles 30 or less");
    close_both(&house);
}

static void what_gateways_publish_is_kept_in_their_order(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.gateway, "append 1 10 0", "kept 1 1 0");
    ask(&house, &house.gateway, "append 5000 300 0", "kept 2 5001 0");
    ask(&house, &house.gateway, "until 5001", "seen 5001 0 0");
    ask(&house, &house.publisher, "append 1 10 0", "kept 5002 5002 0");
    ask(&house, &house.gateway, "append 20 200000 1", "kept 5003 5022 0");
    ask(&house, &house.gateway, "until 5022", "seen 5022 0 0");
    close_both(&house);
}

/* The answers are late, and requests may be sent again; nothing is kept twice. */
static void a_stopped_publisher_keeps_each_event_once(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    kill(house.publisher.pid, SIGSTOP);
    assert_true(puppet_tell(&house.gateway, "append 1000 300 0"));
    usleep(700000);
    kill(house.publisher.pid, SIGCONT);
    assert_true(puppet_hear(&house.gateway, house.line));
    assert_string_equal(house.line, "kept 1 1000 0");
    ask(&house, &house.publisher, "head", "head 1000");
    ask(&house, &house.gateway, "until 1000", "seen 1000 0 0");
    close_both(&house);
}

/* What was under way may be kept later, what had not left is not; nothing comes twice. */
static void who_publishes_is_told_when_nobody_answers(void **state)
{
    struct house house;
    unsigned first, last, failed;

    house_open(&house, state);
    open_both(&house);
    kill(house.publisher.pid, SIGSTOP);
    ask(&house, &house.gateway, "append 100 300 0", "kept 0 0 100");
    kill(house.publisher.pid, SIGCONT);
    assert_true(puppet_ask(&house.gateway, "append 1 10 0", house.line));
    assert_int_equal(sscanf(house.line, "kept %u %u %u", &first, &last, &failed), 3);
    assert_in_range(first, 1, 101);
    assert_true(first == last && failed == 0);
    char head[32];
    snprintf(head, sizeof head, "head %u", last);
    ask(&house, &house.publisher, "head", head);
    close_both(&house);
}

static void a_stopped_gateway_catches_up(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    kill(house.gateway.pid, SIGSTOP);
    ask(&house, &house.publisher, "append 40000 300 0", "kept 1 40000 0");
    usleep(300000);
    kill(house.gateway.pid, SIGCONT);
    ask(&house, &house.gateway, "until 40000", "seen 40000 0 0");
    ask(&house, &house.gateway, "told", "told 0 - 0 1");
    close_both(&house);
}

/* A gateway that hears only two frames of three, and perhaps asks for the rest. */
static void lose_frames(struct house *house, void **state, const char *const *hooks)
{
    house_open(house, state);
    start(house, &house->publisher, ENGINE_LOG);
    start_with(house, &house->gateway, ENGINE_GATEWAY, hooks);
    ask(house, &house->gateway, "ready 1", "ready");
    for (int i = 0; i < 20; i++)
        assert_true(puppet_ask(&house->publisher, "append 500 300 0", house->line));
}

static void losses_are_repaired(void **state)
{
    static const char *const hooks[] = {"drop-frame=3", NULL};
    struct house house;

    lose_frames(&house, state, hooks);
    ask(&house, &house.gateway, "until 10000", "seen 10000 0 0");
    close_both(&house);
}

static void a_bad_bus_is_repaired(void **state)
{
    static const char *const hooks[] = {"bus-shim=3:drop=20,dup=20,reorder=20,delay=2ms",
                                        NULL};
    struct house house;

    lose_frames(&house, state, hooks);
    ask(&house, &house.gateway, "until 10000", "seen 10000 0 0");
    close_both(&house);
}

static void the_switch_no_replay_loses(void **state)
{
    static const char *const hooks[] = {"drop-frame=3", "no-replay", NULL};
    struct house house;

    lose_frames(&house, state, hooks);
    ask_until(&house, &house.gateway, "head", "head 10000");
    assert_true(puppet_ask(&house.gateway, "until 1", house.line));
    assert_string_not_equal(house.line, "seen 10000 0 0");
    close_both(&house);
}

static void volatile_events_take_a_seq_and_are_not_replayed(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 2 10 0", "kept 1 2 0");
    ask(&house, &house.publisher, "append 3 10 1", "kept 3 5 0");
    ask(&house, &house.publisher, "append 1 10 0", "kept 6 6 0");
    ask(&house, &house.publisher, "append 2 10 1", "kept 7 8 0");
    ask(&house, &house.gateway, "until 8", "seen 8 0 0");
    ask(&house, &house.gateway, "replay r:1 0 8", "replayed OK 3 6");
    ask(&house, &house.gateway, "replay r:1 6 8", "replayed OK 0 0");
    close_both(&house);
}

static void a_replay_gives_the_events_of_its_rooms(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 3000 300 0 r:1", "kept 1 3000 0");
    ask(&house, &house.publisher, "append 2000 300 0 r:2", "kept 3001 5000 0");
    ask(&house, &house.publisher, "append 10 300 0 user:u", "kept 5001 5010 0");
    ask(&house, &house.gateway, "until 5010", "seen 5010 0 0");
    ask(&house, &house.gateway, "replay r:1 0 5010", "replayed OK 3000 3000");
    ask(&house, &house.gateway, "replay r:2 4000 4500", "replayed OK 500 4500");
    ask(&house, &house.gateway, "replay user:u 0 5010", "replayed OK 10 5010");
    ask(&house, &house.gateway, "replay r:none 0 5010", "replayed OK 0 0");
    ask(&house, &house.gateway, "marks r:1", "marks OK 0");
    close_both(&house);
}

static void the_largest_question_is_answered(void **state)
{
    static const char *const hooks[] = {"no-recent", NULL};
    struct house house;

    house_open(&house, state);
    start(&house, &house.publisher, ENGINE_LOG);
    start_with(&house, &house.gateway, ENGINE_GATEWAY, hooks);
    ask(&house, &house.gateway, "ready 1", "ready");
    ask(&house, &house.publisher, "append 10 300 0 r:1", "kept 1 10 0");
    ask(&house, &house.gateway, "until 10", "seen 10 0 0");
    ask(&house, &house.gateway, "wide r:1 0 10", "replayed OK 10 10");
    ask(&house, &house.gateway, "replay r:1 0 10", "replayed OK 10 10");
    close_both(&house);
}

static void what_retention_removed_is_told(void **state)
{
    struct house house;

    house_open(&house, state);
    house.config.keep.events = 1000;
    open_both(&house);
    ask(&house, &house.publisher, "append 10 300 0", "kept 1 10 0");
    ask(&house, &house.gateway, "until 10", "seen 10 0 0");
    kill(house.gateway.pid, SIGSTOP);
    ask(&house, &house.publisher, "append 100000 300 0", "kept 11 100010 0");
    kill(house.gateway.pid, SIGCONT);
    assert_true(puppet_ask(&house.gateway, "until 100010", house.line));
    ask(&house, &house.gateway, "told", "told 1 history_overflow 0 1");
    ask_until(&house, &house.gateway, "marks r:1", "marks OK 99010");
    ask(&house, &house.gateway, "replay r:1 99009 100010", "replayed E_NOT_FOUND 0 0");
    ask(&house, &house.gateway, "replay r:1 99010 100010", "replayed OK 1000 100010");
    close_both(&house);
}

static void a_new_log_is_a_new_epoch(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.publisher, "append 50 300 0", "kept 1 50 0");
    ask(&house, &house.gateway, "until 50", "seen 50 0 0");
    puppet_kill(&house.publisher);

    start(&house, &house.publisher, ENGINE_LOG);
    ask(&house, &house.publisher, "append 60 300 0", "kept 1 60 0");
    ask_until(&house, &house.gateway, "told", "told 1 epoch_changed 1 1");
    ask(&house, &house.gateway, "until 60", "seen 110 0 0");
    ask_until(&house, &house.publisher, "count r:again -", "count 1 1");
    close_both(&house);
}

static void a_gateway_without_a_log_says_so(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    puppet_kill(&house.publisher);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done E_UNAVAILABLE");
    ask(&house, &house.gateway, "find p1", "found E_UNAVAILABLE");
    /* What it has applied itself it knows, the rest it would have to ask for. */
    ask(&house, &house.gateway, "replay r:1 0 1", "replayed OK 0 0");
    ask(&house, &house.gateway, "replay r:1 50 51", "replayed E_UNAVAILABLE 0 0");
    ask(&house, &house.gateway, "ready 0", "ready");
    start(&house, &house.publisher, ENGINE_LOG);
    ask(&house, &house.gateway, "ready 1", "ready");
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    close_both(&house);
}

/* Who listens there closes each connection before the handshake, until no more come: as
 * a publisher does that dies with one in its backlog. */
static void lose_handshakes(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd coming = {.fd = listener, .events = POLLIN};
    int rounds = 0;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 5), 0);
    while (rounds < 1000 && poll(&coming, 1, 500) > 0) {
        close(accept(listener, NULL, NULL));
        rounds++;
    }
    close(listener);
    unlink(path);
    assert_in_range(rounds, 1, 999); /* else the library's dialers survive it by now */
}

static void a_dialer_that_gave_up_is_replaced(void **state)
{
    static const char *const names[] = {"events", "directory", "replay"};
    char path[100];
    struct house house;

    house_open(&house, state);
    open_both(&house);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        puppet_kill(&house.publisher);
        snprintf(path, sizeof path, "%.60s/bus/%s", house.folder, names[i]);
        unlink(path);
        lose_handshakes(path);
        ask(&house, &house.gateway, "ready 0", "ready");
        start(&house, &house.publisher, ENGINE_LOG);
        ask(&house, &house.gateway, "ready 1", "ready");
        ask_until(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
        ask_until(&house, &house.gateway, "marks r:1", "marks OK 0");
    }
    close_both(&house);
}

/* Who joined before a gateway hears events would miss what is published until then. */
static void nobody_joins_before_events_are_heard(void **state)
{
    struct house house;
    char path[128];

    house_open(&house, state);
    start(&house, &house.publisher, ENGINE_LOG);
    snprintf(path, sizeof path, "%s/bus/replay", house.folder);
    assert_int_equal(unlink(path), 0); /* so that it cannot learn where the log stands */
    start(&house, &house.gateway, ENGINE_GATEWAY);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done E_UNAVAILABLE");
    ask(&house, &house.publisher, "totals", "totals 0 0 0 0");
    close_both(&house);
}

/* Time in which it could not listen is no gateway's silence. */
static void a_stopped_publisher_forgets_nobody(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    kill(house.publisher.pid, SIGSTOP);
    sleep(11); /* longer than a lease */
    kill(house.publisher.pid, SIGCONT);
    ask_until(&house, &house.publisher, "count r:1 -", "count 1 1");
    ask(&house, &house.gateway, "ready 1", "ready");
    ask(&house, &house.gateway, "told", "told 0 - 0 1");
    close_both(&house);
}

static void sessions_are_found_and_counted(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1,r:2", "done OK");
    ask(&house, &house.gateway, "put s2 p2 u 1 r:1", "done OK");
    ask(&house, &house.gateway, "put s3 p3 - 1 r:3", "done OK");
    ask(&house, &house.gateway, "find p1", "found OK s1 g1 2 0");
    ask(&house, &house.gateway, "find nobody", "found E_NOT_FOUND");
    ask_until(&house, &house.publisher, "count r:1 -", "count 2 1");
    ask(&house, &house.publisher, "count r:1,r:2,user:u -", "count 2 1");
    ask(&house, &house.publisher, "count r:1,r:3 s2", "count 2 1");
    ask(&house, &house.publisher, "count * s1,s1,none", "count 2 1");
    ask(&house, &house.publisher, "count sid:s3,sid:none -", "count 1 1");
    ask(&house, &house.publisher, "totals", "totals 3 1 3 4");
    ask(&house, &house.publisher, "members r:1 - 1", "members 1 1");
    ask(&house, &house.publisher, "members r:1 1 1", "members 1 ");
    ask_until(&house, &house.publisher, "gateways", "gateways 1 1");

    ask(&house, &house.gateway, "put s1 p1 u 0 r:9", "done OK"); /* an older record */
    ask(&house, &house.publisher, "count r:9 -", "count 0 1");
    ask(&house, &house.gateway, "put s1 p1 u 2 r:1", "done OK");
    ask(&house, &house.publisher, "count r:2 -", "count 0 1");
    ask(&house, &house.gateway, "drop s1 1", "done OK"); /* too late */
    ask(&house, &house.gateway, "find p1", "found OK s1 g1 1 0");
    ask(&house, &house.gateway, "drop s1 2", "done OK");
    ask(&house, &house.gateway, "find p1", "found E_NOT_FOUND");
    ask(&house, &house.publisher, "totals", "totals 2 1 2 2");
    close_both(&house);
}

static void a_later_start_takes_the_place_of_an_earlier(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    puppet_kill(&house.gateway);
    start(&house, &house.gateway, ENGINE_GATEWAY);
    ask(&house, &house.gateway, "ready 1", "ready");
    ask_until(&house, &house.publisher, "count r:1 -", "count 0 1");
    ask_until(&house, &house.publisher, "gateways", "gateways 1 1");
    ask(&house, &house.gateway, "told", "told 0 - 0 1");
    close_both(&house);
}

static void who_is_fenced_off_is_told_and_writes_nothing(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    ask(&house, &house.gateway, "put s1 p1 u 1 r:1", "done OK");
    start_rival(&house, "g1");
    ask_until(&house, &house.gateway, "fate", "fate 0 1");
    ask(&house, &house.gateway, "ready 0", "ready");
    ask(&house, &house.gateway, "put s2 p2 u 1 r:1", "done E_UNAVAILABLE");
    ask(&house, &house.rival, "put s3 p3 u 1 r:1", "done OK");
    ask_until(&house, &house.publisher, "count r:1 -", "count 1 1");
    ask(&house, &house.rival, "fate", "fate 0 0");
    close_one(&house, &house.rival);
    close_both(&house);
}

/* What is put again once did not fit under the ceiling, and it started over for ever. */
static void more_sessions_than_may_wait_are_put_again(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    puppet_kill(&house.publisher);
    ask(&house, &house.gateway, "crowd 65000", "crowd 65000");
    start(&house, &house.publisher, ENGINE_LOG);
    ask_until(&house, &house.publisher, "totals", "totals 65001 2 9 520001");
    close_both(&house);
}

/* The first of three answers closes the engine: the others come before close returns. */
static void part(void **state, bool has_publisher)
{
    static const char *const commands[] = {"part put", "part find", "part replay"};
    struct puppet_process gateways[3];
    struct house house;

    house_open(&house, state);
    start(&house, &house.publisher, ENGINE_LOG);
    for (size_t i = 0; i < 3; i++) {
        house.config.gateway_id = commands[i];
        start(&house, &gateways[i], ENGINE_GATEWAY);
        ask(&house, &gateways[i], "ready 1", "ready");
    }
    if (!has_publisher)
        puppet_kill(&house.publisher);
    for (size_t i = 0; i < 3; i++)
        assert_true(puppet_tell(&gateways[i], commands[i]));
    for (size_t i = 0; i < 3; i++) {
        assert_true(puppet_hear(&gateways[i], house.line));
        assert_string_equal(house.line, "parted 3 3");
        close_one(&house, &gateways[i]);
    }
    if (has_publisher)
        close_one(&house, &house.publisher);
    house_remove(&house);
}

static void an_answer_may_close_the_engine(void **state)
{
    part(state, true);
}

static void who_waited_too_long_may_close_the_engine(void **state)
{
    part(state, false);
}

static void a_second_publisher_is_refused(void **state)
{
    struct house house;
    struct puppet_process second = {0};

    house_open(&house, state);
    open_both(&house);
    house.config.role = ENGINE_LOG;
    assert_true(puppet_start(&second, &house.config, house_no_hooks, house.line));
    bool is_in_memory = strcmp(house.config.durability, "memory") == 0;
    assert_string_equal(house.line,
                        is_in_memory
                            ? "refused another publisher already uses this bus.url"
                            : "refused another publisher already uses this data_dir");
    assert_int_equal(puppet_wait(&second), 0);
    ask(&house, &house.publisher, "append 1 10 0", "kept 1 1 0");
    ask(&house, &house.gateway, "until 1", "seen 1 0 0");
    close_both(&house);
}

static void an_unknown_engine_is_refused(void **state)
{
    struct engine *engine;
    const char *reason = NULL;
    struct engine_config config = {.name = "pigeon"};

    (void)state;
    assert_int_equal(engine_open(&config, &engine, &reason), ST_NOT_FOUND);
    assert_non_null(reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_log_without_gateways_keeps_events, nng_ipc),
        ROW(a_gateway_hears_every_event_once_in_order, nng_ipc),
        ROW(a_gateway_hears_every_event_once_in_order, nng_tcp),
        ROW(what_is_appended_as_one_is_answered_once, nng_ipc),
        ROW(what_one_turn_appends_travels_together, nng_ipc),
        ROW(a_gateway_hears_every_event_once_in_order, nng_sealed),
        ROW(what_gateways_publish_is_kept_in_their_order, nng_ipc),
        ROW(what_gateways_publish_is_kept_in_their_order, nng_sealed),
        ROW(a_stopped_publisher_keeps_each_event_once, nng_ipc),
        ROW(who_publishes_is_told_when_nobody_answers, nng_ipc),
        ROW(a_stopped_gateway_catches_up, nng_ipc),
        ROW(losses_are_repaired, nng_ipc),
        ROW(a_bad_bus_is_repaired, nng_ipc),
        ROW(the_switch_no_replay_loses, nng_ipc),
        ROW(volatile_events_take_a_seq_and_are_not_replayed, nng_ipc),
        ROW(a_replay_gives_the_events_of_its_rooms, nng_ipc),
        ROW(the_largest_question_is_answered, nng_sealed),
        ROW(what_retention_removed_is_told, nng_ipc),
        ROW(a_new_log_is_a_new_epoch, nng_ipc),
        ROW(a_gateway_without_a_log_says_so, nng_ipc),
        ROW(a_dialer_that_gave_up_is_replaced, nng_ipc),
        ROW(nobody_joins_before_events_are_heard, nng_ipc),
        ROW(a_stopped_publisher_forgets_nobody, nng_ipc),
        ROW(sessions_are_found_and_counted, nng_ipc),
        ROW(sessions_are_found_and_counted, nng_sealed),
        ROW(a_later_start_takes_the_place_of_an_earlier, nng_ipc),
        ROW(who_is_fenced_off_is_told_and_writes_nothing, nng_ipc),
        ROW(more_sessions_than_may_wait_are_put_again, nng_ipc),
        ROW(an_answer_may_close_the_engine, nng_ipc),
        ROW(who_waited_too_long_may_close_the_engine, nng_ipc),
        ROW(a_second_publisher_is_refused, nng_ipc),
        ROW(a_gateway_hears_every_event_once_in_order, nng_log),
        ROW(what_is_appended_as_one_is_answered_once, nng_log),
        ROW(what_one_turn_appends_travels_together, nng_log),
        ROW(what_gateways_publish_is_kept_in_their_order, nng_log),
        ROW(a_stopped_publisher_keeps_each_event_once, nng_log),
        ROW(a_stopped_gateway_catches_up, nng_log),
        ROW(losses_are_repaired, nng_log),
        ROW(volatile_events_take_a_seq_and_are_not_replayed, nng_log),
        ROW(a_replay_gives_the_events_of_its_rooms, nng_log),
        ROW(a_second_publisher_is_refused, nng_log),
        ROW(a_gateway_hears_every_event_once_in_order, nng_fsync),
        cmocka_unit_test(an_unknown_engine_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
