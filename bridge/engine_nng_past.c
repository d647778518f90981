/* Choices of the past: see the header. */
#include "bridge/engine_nng_past.h"

#include <stdlib.h>

enum {
    MAX_ANSWER = 64 + LIMIT_REPLAY_ROOMS * (8 + 8 + 1),
};

struct past_server {
    struct event_log *log;
    struct past_room rooms[LIMIT_REPLAY_ROOMS];   /* by hash */
    struct past_range ranges[LIMIT_REPLAY_ROOMS]; /* as they were asked for */
    struct buf answer;
};

struct past_server *past_server_create(struct event_log *log)
{
    struct past_server *server = calloc(1, sizeof *server);

    if (!server)
        return NULL;
    server->log = log;
    server->answer.max = MAX_ANSWER;
    return server;
}

void past_server_destroy(struct past_server *server)
{
    if (!server)
        return;
    buf_finish(&server->answer);
    free(server);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = ((const struct past_room *)a)->hash;
    uint64_t right = ((const struct past_room *)b)->hash;
    return left < right ? -1 : left > right;
}

static void gather_wishes(struct past_server *server, const struct past_request *request)
{
    struct slice rest = request->rooms;
    struct past_wish wish;

    for (size_t i = 0; i < request->room_count; i++) {
        past_wish_next(&rest, &wish);
        server->rooms[i] = (struct past_room){
            .hash = event_log_room_hash(server->log, &wish.room),
            .max = wish.max,
            .since_ms = wish.since_ms,
            .asked_ms = wish.asked_ms,
            .place = i,
        };
    }
    qsort(server->rooms, request->room_count, sizeof *server->rooms, compare);
}

static void encode(struct past_server *server, uint64_t epoch,
                   const struct room_past *past)
{
    const struct past_answer answer = {
        .epoch = epoch,
        .count = (uint32_t)past->found,
        .room_count = (uint16_t)past->count,
    };

    for (size_t i = 0; i < past->count; i++) {
        const struct past_room *room = &past->rooms[i];
        server->ranges[room->place] =
            (struct past_range){room->base, room->top, room->is_cut};
    }
    buf_clear(&server->answer);
    past_answer_encode(&answer, &server->answer);
    for (size_t i = 0; i < past->count; i++)
        past_range_add(&server->answer, &server->ranges[i]);
}

enum status past_server_answer(struct past_server *server, struct slice bytes,
                               struct slice *answer)
{
    struct past_request request;
    struct event_log_state state;
    enum status st = past_request_decode(bytes, &request);

    if (st)
        return st;
    gather_wishes(server, &request);
    struct room_past past = {
        .rooms = server->rooms,
        .count = request.room_count,
        .oldest_first = request.oldest_first,
        .through = request.through.seq,
        .total = request.total,
    };
    event_log_past(server->log, &past, &state);
    encode(server, state.head.epoch, &past);
    *answer = buf_slice(&server->answer);
    return buf_status(&server->answer);
}
