/* Pages of the past: see the header. */
#include "bridge/engine_nng_past.h"

#include <stdlib.h>

enum {
    /* A page, or one event that is larger; and what stands before the events. */
    MAX_ITEMS = LIMIT_ENVELOPE_BYTES + LIMIT_REPLAY_PAGE_BYTES,
    MAX_PAGE = MAX_ITEMS + LIMIT_REPLAY_ROOMS + 64,
};

struct past_server {
    struct event_log *log;
    struct envelope_room envelope_room;
    struct past_wish wishes[LIMIT_REPLAY_ROOMS]; /* lent by the request at hand */
    struct past_room rooms[LIMIT_REPLAY_ROOMS];
    uint64_t seqs[LIMIT_PAST_EVENTS];
    char cuts[LIMIT_REPLAY_ROOMS];
    struct room_past past;
    struct buf items, page;
    size_t max_bytes;
    uint32_t count;
};

struct past_server *past_server_create(struct event_log *log)
{
    struct past_server *server = calloc(1, sizeof *server);

    if (!server)
        return NULL;
    server->log = log;
    server->items.max = MAX_ITEMS;
    server->page.max = MAX_PAGE;
    return server;
}

void past_server_destroy(struct past_server *server)
{
    if (!server)
        return;
    buf_finish(&server->items);
    buf_finish(&server->page);
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

    for (size_t i = 0; i < request->room_count; i++) {
        struct past_wish *wish = &server->wishes[i];
        past_wish_next(&rest, wish);
        server->rooms[i] = (struct past_room){
            .hash = event_log_room_hash(server->log, &wish->room),
            .max = wish->max,
            .since_ms = wish->since_ms,
            .asked_ms = wish->asked_ms,
            .place = i,
        };
    }
    qsort(server->rooms, request->room_count, sizeof *server->rooms, compare);
    server->past = (struct room_past){
        .rooms = server->rooms,
        .count = request->room_count,
        .oldest_first = request->oldest_first,
        .through = request->through,
        .seqs = server->seqs,
        .total = request->total,
    };
}

/* Hashes agree by chance: the names decide. */
static bool is_wished(const struct past_server *server, const struct envelope *envelope)
{
    for (size_t i = 0; i < server->past.count; i++) {
        const struct room_key *room = &server->wishes[i].room;
        for (size_t n = 0; n < envelope->target_count; n++)
            if (envelope->targets[n].kind == room->kind &&
                slice_equal(envelope->targets[n].name, room->name) &&
                slice_equal(envelope->nsp, room->nsp))
                return true;
    }
    return false;
}

/* Perhaps under the log's lock: copies one event. */
static bool add_event(void *ctx, uint64_t seq, struct slice bytes)
{
    struct past_server *server = ctx;
    struct envelope envelope;

    if (envelope_decode(bytes, &server->envelope_room, &envelope) ||
        !is_wished(server, &envelope))
        return true;
    if (server->count > 0 && server->items.len + bytes.len > server->max_bytes)
        return false;
    past_page_add(&server->items, seq, bytes);
    server->count++;
    return true;
}

static void tell_cuts(struct past_server *server)
{
    for (size_t i = 0; i < server->past.count; i++)
        server->cuts[server->rooms[i].place] = server->rooms[i].is_cut;
}

enum status past_server_answer(struct past_server *server, struct slice bytes,
                               struct slice *answer)
{
    struct past_request request;
    struct event_log_state state;
    struct past_page page = {0};
    enum status st = past_request_decode(bytes, &request);

    if (st)
        return st;
    gather_wishes(server, &request);
    buf_clear(&server->items);
    buf_clear(&server->page);
    server->count = 0;
    server->max_bytes = request.max_bytes < LIMIT_REPLAY_PAGE_BYTES
                            ? request.max_bytes
                            : (size_t)LIMIT_REPLAY_PAGE_BYTES;
    event_log_past(server->log, &server->past, request.after.seq, add_event, server,
                   &state, &page.through);
    tell_cuts(server);
    page.epoch = state.head.epoch;
    page.end = server->past.through;
    page.cuts = (struct slice){server->cuts, server->past.count};
    /* Another log than the one that the page before came from. */
    if (request.after.epoch != 0 && request.after.epoch != state.head.epoch)
        buf_clear(&server->items);
    else
        page.count = server->count;
    page.items = buf_slice(&server->items);
    past_page_encode(&page, &server->page);
    st = buf_status(&server->items) ? buf_status(&server->items)
                                    : buf_status(&server->page);
    *answer = buf_slice(&server->page);
    return st == ST_BAD_PACKET ? ST_INTERNAL : st;
}
