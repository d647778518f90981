/*
 * A client that comes back to a gateway, or reads the past there, whose engine the test
 * plays. Include after cmocka.h.
 */
#ifndef TESTS_SUPPORT_GATEWAY_RETURN_H
#define TESTS_SUPPORT_GATEWAY_RETURN_H

#include "support/gateway_house.h"

/* Whose session the directory has: proven up to 30. */
static const struct engine_session returning = {
    .sid = SLICE("SSSSSSSSSSSSSSSSSSSS"),
    .pid = SLICE("PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP"),
    .nsp = SLICE("/"),
    .user = SLICE("ada"),
    .generation = 1,
    .epoch = 7,
    .proven = 30,
};

static inline void wait_for_replay(struct house *house, struct ws_peer *peer)
{
    uint64_t until_ms = clock_ms() + 5000;

    while (!house->engine.replay.on_done && clock_ms() < until_ms)
        peer_turn(peer);
    assert_non_null(house->engine.replay.on_done);
}

/* The page that was asked for is whole up to this seq, and has no event. */
static inline void answer_replay(struct house *house, uint64_t through)
{
    const struct engine_replay wish = house->engine.replay;

    house->engine.replay.on_done = NULL;
    wish.on_done(wish.ctx, ST_OK, through);
}

/* The log has been asked for what it may have missed, and has not answered. */
static inline struct ws_peer *come_back(struct house *house)
{
    struct ws_peer *io = peer_create(&house->loop, house->port);
    char *token = mint(house, "ada", "[]", 60);
    char connect[2048];

    house->engine.found = &returning;
    house->engine.holds_replay = true;
    assert_int_equal(peer_upgrade(io, "/socket.io/?EIO=4&transport=websocket", ""), 101);
    assert_starts(READ(house, io), "0{");
    snprintf(connect, sizeof connect, "40{\"token\":\"%s\",\"pid\":\"%s\"}", token,
             returning.pid.ptr);
    peer_send(io, 1, connect);
    free(token);
    wait_for_replay(house, io);
    assert_int_equal(house->engine.replay.from.seq, 30);
    return io;
}

#endif
