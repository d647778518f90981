/* Sessions and connections through resets, drains, late answers and partial writes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/log_quota.h"
#include "support/gateway_return.h"

enum {
    MANY = 40,
    LATE = 8,
    CROWD = 2 * LOG_QUOTA_LINES + 10, /* a second may end among them */
};

static int64_t value_of(const struct house *house, enum metric metric)
{
    return atomic_load(&house->metrics.values[metric]);
}

static void a_reset_returns_every_socketio_client(void **state)
{
    struct house *house = *state;
    struct ws_peer *peers[MANY];
    struct position now = {8, 0};

    for (int i = 0; i < MANY; i++)
        peers[i] = join_socketio(house, "ada", "[]");
    assert_int_equal(value_of(house, METRIC_SESSIONS), MANY);
    house->engine.listener->on_reset(house->engine.ctx, "epoch_changed", &now);
    assert_int_equal(value_of(house, METRIC_SESSIONS), 0);
    assert_int_equal(house->engine.parks, MANY);
    for (int i = 0; i < MANY; i++)
        peer_destroy(peers[i]);
}

/* Its clients are told where they are, and come back. */
static int open_recovering_house(void **state)
{
    return open_house_by(state, &house_settings, &house_limits,
                         system_of("namespaces: {/: {recovery: on}}"));
}

static int open_crowd(void **state)
{
    struct config_gateway settings = house_settings;
    struct config_limits limits = house_limits;

    settings.ping_interval_ms = settings.connect_timeout_ms = 60000;
    limits.connections = 2 * CROWD;
    return open_house_with(state, &settings, &limits);
}

/* How many lines with these words `file` has. */
static unsigned count_lines(FILE *file, const char *words)
{
    char line[1024];
    unsigned count = 0;

    rewind(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, words) != NULL;
    return count;
}

/* Lines that clients cause at will are written by the thread that serves all of them. */
static void a_crowd_that_goes_has_so_many_lines_a_second(void **state)
{
    struct house *house = *state;
    struct ws_peer *peers[CROWD];
    struct position now = {8, 0};
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);

    for (int i = 0; i < CROWD; i++)
        peers[i] = join_socketio(house, "ada", "[]");
    house->log.level = LOG_LEVEL_INFO;
    dup2(fileno(file), STDERR_FILENO);
    house->engine.listener->on_reset(house->engine.ctx, "epoch_changed", &now);
    unsigned told = count_lines(file, "client disconnected");
    const struct timespec quota = {.tv_sec = LOG_QUOTA_MS / 1000};
    nanosleep(&quota, NULL);
    struct ws_peer *last = join_socketio(house, "eve", "[]");
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_in_range(told, 1, CROWD - 1);
    assert_int_equal(count_lines(file, "lines about clients withheld"), 1);
    assert_int_equal(count_lines(file, "client connected"), 1);
    for (int i = 0; i < CROWD; i++)
        peer_destroy(peers[i]);
    peer_destroy(last);
    fclose(file);
}

static void set_true(void *ctx)
{
    *(bool *)ctx = true;
}

static void who_arrives_during_the_drain_is_told_too(void **state)
{
    struct house *house = *state;
    struct ws_peer *late[LATE];
    bool is_drained = false;
    char head[512];
    int len = snprintf(head, sizeof head,
                       "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");

    /* One in each state that a handshake goes through. */
    for (int i = 0; i < LATE; i++) {
        late[i] = peer_create(&house->loop, house->port);
        assert_int_equal(send(late[i]->fd, head, (size_t)len, MSG_NOSIGNAL), len);
        uv_run(&house->loop, UV_RUN_NOWAIT);
    }
    gateway_drain(house->gateway, &(struct gateway_end){0}, set_true, &is_drained);
    for (int i = 0; i < LATE; i++) {
        peer_wait(late[i], 20);
        char *end = memmem(late[i]->bytes, late[i]->len, "\r\n\r\n", 4);
        if (!end)
            continue; /* it was not taken in any more */
        size_t used = (size_t)(end + 4 - late[i]->bytes);
        memmove(late[i]->bytes, late[i]->bytes + used, late[i]->len - used);
        late[i]->len -= used;
        READ(house, late[i]);
        assert_int_equal(late[i]->opcode, 8);
        assert_int_equal(close_code(house), 1001);
    }
    for (int i = 0; i < LATE; i++)
        peer_destroy(late[i]);
    for (int i = 0; i < 5000 && !is_drained; i++) {
        uv_run(&house->loop, UV_RUN_NOWAIT);
        usleep(200);
    }
    assert_true(is_drained);
    assert_int_equal(value_of(house, METRIC_CONNECTIONS), 0);
}

static void a_forgotten_gateway_puts_sessions_that_are_opening_too(void **state)
{
    struct house *house = *state;
    struct ws_peer *open = join_socketio(house, "ada", "[]");
    struct ws_peer *opening = peer_create(&house->loop, house->port);
    char *token = mint(house, "bob", "[]", 60);
    char target[1024];

    house->engine.is_silent = true;
    snprintf(target, sizeof target, "/ws?token=%s", token);
    assert_int_equal(peer_upgrade(opening, target, ""), 101);
    for (int i = 0; i < 100000 && house->engine.waiting_count == 0; i++)
        peer_turn(opening);
    size_t puts = house->engine.puts;
    house->engine.listener->on_forgotten(house->engine.ctx);
    assert_int_equal(house->engine.puts, puts + 2);
    house->engine.is_silent = false;
    assert_starts(READ(house, opening), "{\"t\":\"connected\"");
    free(token);
    peer_destroy(open);
    peer_destroy(opening);
}

/* Until its return is proven it lives where the directory has it, or nowhere. */
static void a_forgotten_gateway_puts_nobody_whose_return_may_fail(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = come_back(house);

    house->engine.listener->on_forgotten(house->engine.ctx);
    assert_int_equal(house->engine.puts, 0);

    fake_engine_replayed(&house->engine, ST_NOT_FOUND);
    assert_starts(READ(house, io), "40{\"sid\":\"");
    assert_null(strstr(house->text, returning.sid.ptr));
    assert_int_equal(house->engine.puts, 1);
    house->engine.listener->on_forgotten(house->engine.ctx);
    assert_int_equal(house->engine.puts, 2);
    peer_destroy(io);
}

/* It comes again; only an operator hears of the bus what is so. */
static void who_cannot_be_looked_for_is_put_off_for_what_is_so(void **state)
{
    static const enum status answers[] = {ST_NO_MEMORY, ST_UNAVAILABLE};
    struct house *house = *state;
    char *token = mint(house, "ada", "[]", 60);
    char connect[2048];

    snprintf(connect, sizeof connect,
             "40{\"token\":\"%s\",\"pid\":\"PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP\"}", token);
    for (int i = 0; i < 2; i++) {
        struct ws_peer *io = peer_create(&house->loop, house->port);
        house->engine.find_answer = answers[i];
        assert_int_equal(peer_upgrade(io, "/socket.io/?EIO=4&transport=websocket", ""),
                         101);
        assert_starts(READ(house, io), "0{");
        peer_send(io, 1, connect);
        READ(house, io);
        assert_int_equal(io->opcode, 8);
        assert_int_equal(close_code(house), 1011);
        assert_int_equal(value_of(house, METRIC_NOT_RECOVERED_BUS), i);
        peer_destroy(io);
    }
    free(token);
}

static int open_patient(void **state)
{
    struct config_gateway settings = house_settings;

    settings.ping_interval_ms = settings.connect_timeout_ms = 60000;
    return open_house_by(state, &settings, &house_limits,
                         system_of("namespaces: {/: {recovery: on}}"));
}

/* Ahead of this gateway, which has looked at that. */
static struct ws_peer *come_back_ahead(struct house *house, uint64_t seq)
{
    const struct position position = {7, seq};
    struct ws_peer *io = peer_create(&house->loop, house->port);
    char *token = mint(house, "ada", "[]", 60);
    char offset[LIMIT_POSITION_BYTES + 1], connect[2048];

    assert_int_equal(peer_upgrade(io, "/socket.io/?EIO=4&transport=websocket", ""), 101);
    assert_starts(READ(house, io), "0{");
    position_print(&position, offset);
    snprintf(connect, sizeof connect,
             "40{\"token\":\"%s\",\"pid\":\"%s\",\"offset\":\"%s\"}", token,
             returning.pid.ptr, offset);
    peer_send(io, 1, connect);
    free(token);
    peer_wait(io, 100);
    assert_int_equal(house->engine.puts, 0);
    return io;
}

/* It keeps its offset: what comes up to there would count as heard by the new one. */
static void a_new_session_does_not_begin_before_what_its_client_has(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = come_back_ahead(house, 100);

    house->engine.head.seq = 99;
    peer_wait(io, 50);
    assert_int_equal(house->engine.puts, 0);
    house->engine.head.seq = 100;
    assert_starts(READ(house, io), "40{\"sid\":\"");
    assert_int_equal(house->engine.puts, 1);
    assert_int_equal(value_of(house, METRIC_NOT_RECOVERED_UNKNOWN), 1);
    peer_destroy(io);
}

static void a_loop_that_stood_still_has_not_waited(void **state)
{
    struct house *house = *state;

    house->engine.found = &returning;
    struct ws_peer *io = come_back_ahead(house, 45);
    usleep(975 * 1000);
    usleep(975 * 1000);
    peer_wait(io, 20);
    house->engine.head.seq = 45;
    assert_starts(READ(house, io), "40{\"sid\":\"");
    assert_non_null(strstr(house->text, returning.sid.ptr));
    assert_int_equal(value_of(house, METRIC_RECOVERED), 1);
    peer_destroy(io);
}

static void a_session_that_lives_elsewhere_is_closed_here(void **state)
{
    struct house *house = *state;
    struct ws_peer *gone = join_native(house, "ada", "[]");
    char sid[64] = "";

    assert_int_equal(sscanf(strstr(house->text, "\"sid\":"), "\"sid\":\"%63[^\"]", sid),
                     1);
    struct ws_peer *stays = join_socketio(house, "bob", "[]");
    house->engine.listener->on_moved(house->engine.ctx, SLICE("nobody"), UINT64_MAX);
    house->engine.listener->on_moved(house->engine.ctx, slice_of(sid), UINT64_MAX);
    READ(house, gone);
    assert_int_equal(gone->opcode, 8);
    assert_int_equal(close_code(house), 4409);
    assert_int_equal(value_of(house, METRIC_SESSIONS), 1);
    peer_destroy(gone);
    peer_destroy(stays);
}

static void a_fenced_gateway_gives_way(void **state)
{
    struct house *house = *state;

    assert_false(lifecycle_has_given_way(house->lifecycle));
    house->engine.listener->on_fenced(house->engine.ctx);
    assert_true(lifecycle_has_given_way(house->lifecycle));
    assert_false(lifecycle_is_ready(house->lifecycle));
}

/* Two joins of one room are under way; the directory answers them differently. */
static void a_later_join_outlives_the_failure_of_an_earlier_one(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\"]");

    house->engine.is_silent = true;
    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    peer_send(io, 1, "422[\"subscribe\",{\"room\":\"a\"}]");
    for (int i = 0; i < 100000 && house->engine.waiting_count < 2; i++)
        peer_turn(io);
    house->engine.waiting[0].on_done(house->engine.waiting[0].ctx, ST_UNAVAILABLE);
    house->engine.waiting[1].on_done(house->engine.waiting[1].ctx, ST_OK);
    house->engine.waiting_count = 0;
    house->engine.is_silent = false;
    assert_starts(READ(house, io), "431[{\"ok\":false,\"error\":\"E_UNAVAILABLE\"");
    assert_string_equal(READ(house, io), "432[{\"ok\":true,\"room\":\"a\"}]");
    emit(house, ROOM_NAMED, "a", "1", false);
    assert_starts(READ(house, io), "42[\"hello\",1,");
    assert_string_equal(house->engine.last_rooms, "a,");
    peer_destroy(io);
}

static void a_leave_that_the_directory_missed_is_written_again(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\"]");

    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "431[{\"ok\":true");
    size_t puts = house->engine.puts;
    house->engine.put_answer = ST_UNAVAILABLE;
    peer_send(io, 1, "422[\"unsubscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "432[{\"ok\":false,\"error\":\"E_UNAVAILABLE\"");
    assert_int_equal(house->engine.puts, puts + 2);
    assert_string_equal(house->engine.last_rooms, "");

    /* Repeated, it has an ack once the directory knows, and costs nothing after it. */
    peer_send(io, 1, "423[\"unsubscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "433[{\"ok\":false,\"error\":\"E_UNAVAILABLE\"");
    house->engine.put_answer = ST_OK;
    peer_send(io, 1, "424[\"unsubscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "434[{\"ok\":true");
    puts = house->engine.puts;
    peer_send(io, 1, "425[\"unsubscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "435[{\"ok\":true");
    assert_int_equal(house->engine.puts, puts);
    peer_destroy(io);
}

static void answers_after_the_end_reach_nobody(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\"]");
    struct ws_peer *opening = peer_create(&house->loop, house->port);
    char *token = mint(house, "bob", "[]", 60);
    char target[1024];

    house->engine.is_silent = true;
    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    snprintf(target, sizeof target, "/ws?token=%s", token);
    assert_int_equal(peer_upgrade(opening, target, ""), 101);
    for (int i = 0; i < 100000 && house->engine.waiting_count < 2; i++)
        peer_turn(io);
    peer_destroy(io);
    peer_destroy(opening);
    for (int i = 0; i < 5000 && value_of(house, METRIC_CONNECTIONS) > 0; i++) {
        uv_run(&house->loop, UV_RUN_NOWAIT);
        usleep(200);
    }
    assert_int_equal(value_of(house, METRIC_CONNECTIONS), 0);
    assert_int_equal(house->engine.parks + house->engine.drops, 2);
    house->engine.is_silent = false;
    uv_run(&house->loop, UV_RUN_NOWAIT);
    assert_int_equal(house->engine.waiting_count, 0);
    free(token);
}

/* Big frames that are cut by a full socket, with the library's pongs between them. */
static void frames_that_a_full_socket_cuts_arrive_whole(void **state)
{
    enum {
        FRAMES = 9,
        BYTES = 60000
    };
    struct house *house = *state;
    static char data[BYTES];
    struct ws_peer *native;

    /* Small, so that the frames have to be cut. */
    native = join_native(house, "ada", "[]");
    setsockopt(native->fd, SOL_SOCKET, SO_RCVBUF, &(int){16384}, sizeof(int));
    memset(data, 'x', sizeof data - 1);
    data[0] = data[sizeof data - 2] = '"';
    for (int i = 0; i < FRAMES * 4; i++) {
        data[1] = (char)('0' + i % FRAMES);
        emit(house, ROOM_ALL, "", data, i % 3 == 0);
        if (i % FRAMES != FRAMES - 1)
            continue;
        peer_send(native, 9, "are you there");
        uv_run(&house->loop, UV_RUN_NOWAIT);
        for (int read = 0; read < FRAMES;) {
            const char *text = READ(house, native);
            if (native->opcode == 8 || native->is_closed || strcmp(text, "(none)") == 0)
                fail_msg("frame %d: %.80s (%u)", i, text, close_code(house));
            peer_send(native, 10, "alive");
            if (native->opcode != 1)
                continue;
            assert_starts(text, "{\"t\":\"event\"");
            const char *body = strstr(text, "\"data\":\"");
            assert_non_null(body);
            assert_int_equal(body[8], '0' + read++);
            assert_int_equal(strspn(body + 9, "x"), sizeof data - 4);
        }
    }
    peer_destroy(native);
}

/* The loop turns in the middle of a burst, and the socket drains. */
static void a_burst_may_be_interrupted_by_the_loop(void **state)
{
    struct house *house = *state;
    struct ws_peer *first = join_native(house, "ada", "[]");
    struct ws_peer *second = join_native(house, "bob", "[]");

    emit(house, ROOM_ALL, "", "1", true);
    peer_send(first, 9, "x");
    peer_send(second, 9, "x");
    peer_wait(first, 20);
    emit(house, ROOM_ALL, "", "2", true);
    peer_destroy(first);
    peer_wait(second, 50);
    emit(house, ROOM_ALL, "", "3", false);
    for (char i = '1'; i <= '3';) {
        const char *text = READ(house, second);
        assert_int_not_equal(second->opcode, 8);
        if (second->opcode == 1) {
            const char *body = strstr(text, "\"data\":");
            assert_non_null(body);
            assert_int_equal(body[7], i++);
        }
    }
    peer_destroy(second);
}

/* What came after it is answered, and it is not. */
static void assert_not_answered_yet(struct house *house, struct ws_peer *io)
{
    peer_send(io, 1, "429[\"nothing\"]");
    assert_starts(READ(house, io), "439[{\"ok\":false,\"error\":\"E_UNKNOWN_EVENT\"");
}

static void a_join_that_a_newer_token_took_back_is_refused(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\"]");
    char *token = mint(house, "ada", "[]", 60);
    char command[1024];

    house->engine.is_silent = true;
    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    snprintf(command, sizeof command, "422[\"auth:refresh\",{\"token\":\"%s\"}]", token);
    peer_send(io, 1, command);
    assert_not_answered_yet(house, io);
    house->engine.is_silent = false;
    assert_starts(READ(house, io), "431[{\"ok\":false,\"error\":\"E_FORBIDDEN\"");
    assert_string_equal(READ(house, io), "432[{\"ok\":true}]");
    free(token);
    peer_destroy(io);
}

static void a_newer_token_is_confirmed_once_the_directory_knows(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\"]");
    char *token = mint(house, "ada", "[]", 60);
    char command[1024];

    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "431[{\"ok\":true");
    snprintf(command, sizeof command, "422[\"auth:refresh\",{\"token\":\"%s\"}]", token);
    house->engine.is_silent = true;
    peer_send(io, 1, command);
    assert_not_answered_yet(house, io);
    size_t puts = house->engine.puts;
    house->engine.put_answer = ST_UNAVAILABLE;
    house->engine.is_silent = false;
    assert_starts(READ(house, io), "432[{\"ok\":false,\"error\":\"E_UNAVAILABLE\"");
    assert_int_equal(house->engine.puts, puts + 1); /* nobody waits for that one */
    assert_string_equal(house->engine.last_rooms, "");

    /* Nothing is left to change, but nobody said that it was written. */
    house->engine.put_answer = ST_OK;
    peer_send(io, 1, command);
    assert_starts(READ(house, io), "432[{\"ok\":true}");
    assert_int_equal(house->engine.puts, puts + 2);
    peer_send(io, 1, command);
    assert_starts(READ(house, io), "432[{\"ok\":true}");
    assert_int_equal(house->engine.puts, puts + 2);
    free(token);
    peer_destroy(io);
}

static void a_reset_moves_every_membership_to_the_new_log(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = join_native(house, "ada", "[\"**\"]");
    struct position now = {8, 3};

    peer_send(native, 1, "{\"t\":\"subscribe\",\"room\":\"a\",\"n\":1}");
    assert_starts(READ(house, native), "{\"t\":\"ack\"");
    assert_int_equal(house->engine.first_joined_seq, 40);
    house->engine.head = now;
    house->engine.listener->on_reset(house->engine.ctx, "epoch_changed", &now);
    assert_starts(READ(house, native), "{\"t\":\"resync\"");
    peer_send(native, 1, "{\"t\":\"subscribe\",\"room\":\"b\",\"n\":2}");
    assert_starts(READ(house, native), "{\"t\":\"ack\"");
    assert_int_equal(house->engine.first_joined_seq, 3);
    peer_destroy(native);
}

/* Its record may be of before it was told to go on. */
static void who_may_not_have_heard_is_parked_with_nothing_proven(void **state)
{
    struct house *house = *state;
    struct position now = {7, 90};

    for (int was_told = 0; was_told < 2; was_told++) {
        struct ws_peer *native = join_native(house, "ada", "[]");
        if (was_told)
            house->engine.listener->on_reset(house->engine.ctx, "history_overflow", &now);
        peer_destroy(native);
        for (int i = 0; i < 100000 && (int)house->engine.parks <= was_told; i++)
            uv_run(&house->loop, UV_RUN_NOWAIT);
        assert_int_equal(house->engine.parks, was_told + 1);
        assert_int_equal(house->engine.last_parked, was_told ? 0 : 40);
    }
}

#define RECOVERY_TEST(name)                                                              \
    cmocka_unit_test_setup_teardown(name, open_recovering_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(a_join_that_a_newer_token_took_back_is_refused),
        GATEWAY_TEST(a_newer_token_is_confirmed_once_the_directory_knows),
        GATEWAY_TEST(a_reset_moves_every_membership_to_the_new_log),
        RECOVERY_TEST(who_may_not_have_heard_is_parked_with_nothing_proven),
        RECOVERY_TEST(a_reset_returns_every_socketio_client),
        cmocka_unit_test_setup_teardown(a_crowd_that_goes_has_so_many_lines_a_second,
                                        open_crowd, close_house),
        GATEWAY_TEST(who_arrives_during_the_drain_is_told_too),
        GATEWAY_TEST(a_forgotten_gateway_puts_sessions_that_are_opening_too),
        RECOVERY_TEST(a_forgotten_gateway_puts_nobody_whose_return_may_fail),
        RECOVERY_TEST(who_cannot_be_looked_for_is_put_off_for_what_is_so),
        cmocka_unit_test_setup_teardown(
            a_new_session_does_not_begin_before_what_its_client_has, open_patient,
            close_house),
        cmocka_unit_test_setup_teardown(a_loop_that_stood_still_has_not_waited,
                                        open_patient, close_house),
        GATEWAY_TEST(a_session_that_lives_elsewhere_is_closed_here),
        GATEWAY_TEST(a_fenced_gateway_gives_way),
        RECOVERY_TEST(a_later_join_outlives_the_failure_of_an_earlier_one),
        GATEWAY_TEST(a_leave_that_the_directory_missed_is_written_again),
        RECOVERY_TEST(answers_after_the_end_reach_nobody),
        GATEWAY_TEST(frames_that_a_full_socket_cuts_arrive_whole),
        GATEWAY_TEST(a_burst_may_be_interrupted_by_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
