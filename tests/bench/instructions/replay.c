/*
 * What a missed event costs in instructions when a crowd returns, until it is handed to
 * the one who missed it: found, opened, and seen to be theirs. Writing it is a delivery.
 * Counted as delivery.c is.
 */
#include "bridge/engine_nng_recent.h"
#include "proto/bus_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

enum {
    ROOMS = 20,
    MISSED = 50, /* by each */
    CLIENTS = 100,
    TIMES = 8, /* each with a key of its own for the hashes, which move the figure */
    EPOCH = 7,
    ALL_BYTES = 1 << 20,
};

static void add(struct recent *recent, uint64_t seq)
{
    char room[16];
    snprintf(room, sizeof room, "room:%d", (int)(seq % ROOMS));
    struct envelope_target target = {ROOM_NAMED, slice_of(room)};
    const struct envelope envelope = {.id = SLICE("01KA0000000000000000000000"),
                                      .nsp = SLICE("/"),
                                      .event = SLICE("task.moved"),
                                      .event_json = SLICE("\"task.moved\""),
                                      .data = SLICE("{\"id\":1,\"to\":\"done\"}"),
                                      .targets = &target,
                                      .target_count = 1};
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};

    envelope_encode(&envelope, &wire);
    const struct engine_event event = {
        .position = {EPOCH, seq},
          .envelope = buf_slice(&wire)
    };
    recent_add(recent, &event);
    buf_finish(&wire);
}

static void on_event(void *ctx, const struct engine_event *event)
{
    *(size_t *)ctx += event->opened != NULL;
}

static void add_room(struct buf *rooms, enum room_kind kind, const char *name)
{
    const struct room_key key = {SLICE("/"), kind, slice_of(name)};

    replay_room_add(rooms, &key);
    replay_base_add(rooms, 0);
}

/* As a session asks: its own room, its user's, everybody's, and one that it joined. */
static void read_as(struct recent *recent, int client, size_t *got)
{
    struct buf rooms = {.max = 4096};
    char sid[32], user[16], room[16];
    uint64_t through;

    snprintf(sid, sizeof sid, "%020d", client);
    snprintf(user, sizeof user, "user-%d", client);
    snprintf(room, sizeof room, "room:%d", client % ROOMS);
    add_room(&rooms, ROOM_SOCKET, sid);
    add_room(&rooms, ROOM_USER, user);
    add_room(&rooms, ROOM_ALL, "");
    add_room(&rooms, ROOM_NAMED, room);
    const struct replay_request wanted = {
        .after = {EPOCH, 0},
        .through = UINT64_MAX,
        .max_bytes = ALL_BYTES,
        .room_count = 4,
        .rooms = buf_slice(&rooms)
    };
    CALLGRIND_TOGGLE_COLLECT;
    enum status st = recent_read(recent, &wanted, on_event, got, &through);
    CALLGRIND_TOGGLE_COLLECT;
    if (st || through != (uint64_t)ROOMS * MISSED)
        abort();
    buf_finish(&rooms);
}

/* Gives how many events were read. */
static size_t read_as_crowd(void)
{
    const struct position begun = {EPOCH, 0};
    struct recent *recent = recent_create();
    size_t got = 0;

    if (!recent)
        abort();
    recent_begin(recent, &begun);
    for (uint64_t seq = 1; seq <= (uint64_t)ROOMS * MISSED; seq++)
        add(recent, seq);
    for (int client = 0; client < CLIENTS; client++)
        read_as(recent, client, &got);
    recent_destroy(recent);
    return got;
}

int main(void)
{
    size_t got = 0;

    for (int i = 0; i < TIMES; i++)
        got += read_as_crowd();
    CALLGRIND_DUMP_STATS_AT("replayed_event");
    printf("replayed_event %zu\n", got);
    return got == (size_t)TIMES * CLIENTS * MISSED ? 0 : 1;
}
