/* The end of tokens on living connections: warned of, carried out, put off, reloaded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/heard.h"

#include <unistd.h>

static void an_end_is_warned_of_told_and_carried_out(void **state)
{
    static const struct {
        const char *then;
        bool says_goodbye;
    } rows[] = {
        {"disconnect", true },
        {"close",      false},
    };
    struct house *house = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "auth: {expiry: {warn: 30m, then: %s,\n"
                 "  emit: {event: auth-expired, payload: {message: '{message}'}}}}\n",
                 rows[i].then);
        use_yaml(house, yaml);
        struct ws_peer *io = connect_io(house, "\"sub\":\"ada\"", 2);
        assert_starts(house->text, "40{");
        assert_starts(heard(house, io), "42[\"expiring\",{\"in\":");
        assert_hears(house, io, "42[\"auth-expired\",{\"message\":\"Token expired\"}]");
        if (rows[i].says_goodbye)
            assert_hears(house, io, "41");
        assert_ends(house, io, 4401);
        peer_destroy(io);
    }
}

/* Its token ends with this second, half of which is left at least to come in. */
static struct ws_peer *connect_briefly(struct house *house)
{
    while (clock_wall_ms() % 1000 > 500)
        usleep(1000);
    return connect_io(house, "\"sub\":\"ada\"", 1);
}

static void what_a_reload_says_of_ends_holds_for_who_is_here(void **state)
{
#define EMIT "emit: {event: over, payload: {}}"
    static const struct {
        const char *before, *said, *after, *last;
    } rows[] = {
        {"then: none",        NULL,              "then: disconnect",        "41"                      },
        {"then: none, " EMIT, "42[\"over\",{}]", "then: disconnect, " EMIT, "41"                      },
        {"then: none",        NULL,              "then: none, warn: 30m",   "42[\"expiring\",{\"in\":"},
    };
#undef EMIT
    struct house *house = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "auth: {expiry: {%s}}", rows[i].before);
        use_yaml(house, yaml);
        struct ws_peer *io = connect_briefly(house);
        assert_starts(house->text, "40{");
        if (rows[i].said)
            assert_hears(house, io, rows[i].said);
        snprintf(yaml, sizeof yaml, "auth: {expiry: {%s}}", rows[i].after);
        use_yaml(house, yaml);
        assert_starts(heard(house, io), rows[i].last);
        peer_destroy(io);
    }
}

static void reloads_do_not_put_the_next_look_at_a_token_off(void **state)
{
    struct house *house = *state;
    int64_t until_ms = clock_wall_ms() + 15000;

    use_yaml(house, "auth: {expiry: {every: 1h}}");
    struct ws_peer *io = connect_briefly(house);
    while (io->opcode != 8 && clock_wall_ms() < until_ms) {
        use_yaml(house, "auth: {expiry: {every: 400ms}}");
        READ(house, io);
        if (strcmp(house->text, "2") == 0)
            peer_send(io, 1, "3");
    }
    assert_int_equal(io->opcode, 8);
    assert_int_equal(close_code(house), 4401);
    peer_destroy(io);
}

static void a_newer_token_puts_the_end_off(void **state)
{
    struct house *house = *state;
    char refresh[2048];

    use_yaml(house, "{}");
    struct ws_peer *io = connect_io(house, "\"sub\":\"ada\"", 2);
    char *token = mint_claims(house, "\"sub\":\"ada\"", 60);
    snprintf(refresh, sizeof refresh, "421[\"auth:refresh\",{\"token\":\"%s\"}]", token);
    peer_send(io, 1, refresh);
    assert_hears(house, io, "431[{\"ok\":true}]");
    int64_t until_ms = clock_wall_ms() + 2500;
    while (clock_wall_ms() < until_ms) {
        READ(house, io);
        if (strcmp(house->text, "2") == 0)
            peer_send(io, 1, "3");
    }
    assert_false(io->is_closed);
    emit(house, ROOM_ALL, "", "1", false);
    assert_hears(house, io, "42[\"hello\",1]");
    peer_destroy(io);
    free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(an_end_is_warned_of_told_and_carried_out),
        GATEWAY_TEST(what_a_reload_says_of_ends_holds_for_who_is_here),
        GATEWAY_TEST(reloads_do_not_put_the_next_look_at_a_token_off),
        GATEWAY_TEST(a_newer_token_puts_the_end_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
