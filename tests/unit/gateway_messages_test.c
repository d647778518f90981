/* Messages of clients that are large, or come in parts: how much is kept, and how long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/system_house.h"

static int open_roomy_house(void **state)
{
    struct config_gateway settings = house_settings;

    settings.max_message_bytes = 100000;
    settings.ping_interval_ms = 60000; /* nothing comes between */
    return open_house_with(state, &settings, &house_limits);
}

/* A message in parts: `head`, an object with a member that fills it up to `size` bytes,
 * `tail`. */
static void send_filled(struct house *house, struct ws_peer *peer, const char *head,
                        const char *tail, size_t size)
{
    static const char members[] = "{\"token\":\"\",\"x\":\"\"}";
    char *token = mint(house, "ada", "[]", 60);
    size_t left = size - strlen(members) - strlen(token);
    char part[4096];

    snprintf(part, sizeof part, "%s{\"token\":\"%s\",\"x\":\"", head, token);
    peer_send_frame(peer, 1, part);
    while (left > 0) {
        size_t len = left < sizeof part - 1 ? left : sizeof part - 1;
        memset(part, 'x', len);
        part[len] = '\0';
        peer_send_frame(peer, 0, part);
        left -= len;
    }
    snprintf(part, sizeof part, "\"}%s", tail);
    peer_send_frame(peer, 0x80, part);
    free(token);
}

static void what_is_kept_of_a_connect_has_a_ceiling(void **state)
{
    static const char uses_auth[] =
        "connect: {emit: [{event: since, payload: '{auth.since}'}]}\n";
    static const struct {
        const char *yaml;
        size_t size;
        const char *answer;
    } rows[] = {
        {uses_auth, LIMIT_AUTH_BYTES,     "40{\"sid\":\""         },
        {uses_auth, LIMIT_AUTH_BYTES + 1,
         "44{\"message\":\"Not authorized\",\"data\":{\"code\":\"E_LIMIT\","
         "\"reason\":\"limit\",\"hint\":\"What comes with CONNECT"},
        {"{}",      LIMIT_AUTH_BYTES + 1, "40{\"sid\":\""         },
    };
    struct house *house = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        use_yaml(house, rows[i].yaml);
        struct ws_peer *io = open_io(house, "", "");
        send_filled(house, io, "40", "", rows[i].size);
        assert_starts(READ(house, io), rows[i].answer);
        peer_destroy(io);
    }
    use_yaml(house, "auth: {from: [auth.token]}\n"
                    "connect: {emit: [{event: since, payload: '{auth.since}'}]}\n");
    struct ws_peer *native = peer_create(&house->loop, house->port);
    assert_int_equal(peer_upgrade(native, "/ws", ""), 101);
    send_filled(house, native, "{\"t\":\"connect\",\"data\":", "}", LIMIT_AUTH_BYTES + 1);
    assert_starts(READ(house, native), "{\"t\":\"error\",\"code\":\"E_LIMIT\"");
    READ(house, native);
    assert_int_equal(native->opcode, 8);
    assert_int_equal(close_code(house), 4429);
    peer_destroy(native);
}

enum {
    PARTS_MS = 500, /* that a message in parts may take */
};

static int open_patient_house(void **state)
{
    struct config_gateway settings = house_settings;
    struct config_limits limits = house_limits;

    settings.ping_interval_ms = settings.connect_timeout_ms = 60000;
    limits.attachments_timeout_ms = PARTS_MS;
    return open_house_by(state, &settings, &limits,
                         system_of("mounts:\n  - {path: /socket.io/}\n"
                                   "  - {path: /ws, dialect: native}\n"
                                   "  - {path: /echo/, dialect: echo}\n"));
}

static void half_a_message_is_not_waited_for(void **state)
{
    static const struct {
        const char *target, *hello;
    } rows[] = {
        {"/socket.io/?EIO=4&transport=websocket", "0{"},
        {"/echo/?EIO=4&transport=websocket",      "0{"},
        {"/ws",                                   NULL},
    };
    struct house *house = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ws_peer *peer = peer_create(&house->loop, house->port);
        uint64_t began_ms = clock_ms();
        assert_int_equal(peer_upgrade(peer, rows[i].target, ""), 101);
        if (rows[i].hello)
            assert_starts(READ(house, peer), rows[i].hello);
        peer_send_frame(peer, 1, "4");
        peer_send_frame(peer, 0, "2[");
        READ(house, peer);
        assert_int_equal(peer->opcode, 8);
        assert_int_equal(close_code(house), 4429);
        assert_true(clock_ms() >= began_ms + PARTS_MS);
        peer_destroy(peer);
    }
}

static void a_message_whose_parts_come_in_time_is_one(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\"]");

    peer_send_frame(io, 1, "");
    peer_send_frame(io, 0, "420[\"sub");
    peer_wait(io, PARTS_MS / 10);
    peer_send_frame(io, 0x80, "scribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "430[{\"ok\":true");
    peer_wait(io, PARTS_MS + PARTS_MS / 2);
    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "431[{\"ok\":true");
    peer_destroy(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_kept_of_a_connect_has_a_ceiling,
                                        open_roomy_house, close_house),
        cmocka_unit_test_setup_teardown(half_a_message_is_not_waited_for,
                                        open_patient_house, close_house),
        cmocka_unit_test_setup_teardown(a_message_whose_parts_come_in_time_is_one,
                                        open_patient_house, close_house),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
