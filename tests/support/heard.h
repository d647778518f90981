/* What an Engine.IO client of a gateway house hears, heartbeats aside; for tests. */
#ifndef TESTS_SUPPORT_HEARD_H
#define TESTS_SUPPORT_HEARD_H

#include "support/system_house.h"

enum {
    HEARD_TRIES = 40, /* reads, each of which waits a while */
};

/* The next message that is no heartbeat; those are answered. */
static inline const char *heard(struct house *house, struct ws_peer *io)
{
    for (int i = 0; i < HEARD_TRIES; i++) {
        READ(house, io);
        if (strcmp(house->text, "2") == 0)
            peer_send(io, 1, "3");
        else if (strcmp(house->text, "(none)") != 0 || io->is_closed)
            break;
    }
    return house->text;
}

static inline void assert_hears(struct house *house, struct ws_peer *io,
                                const char *expected)
{
    assert_string_equal(heard(house, io), expected);
}

/* The last words of the server and the close code. */
static inline void assert_ends(struct house *house, struct ws_peer *io, unsigned code)
{
    heard(house, io);
    assert_int_equal(io->opcode, 8);
    assert_int_equal(close_code(house), code);
}

#endif
