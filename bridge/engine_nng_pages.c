/* The replay's answering thread: pages of the log. See engine_nng_serve.h. */
#include "bridge/engine_nng_serve.h"

#include "bridge/random.h"
#include "bridge/str_map.h"
#include "proto/bus_wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* A page, or one event that is larger. */
    MAX_PAGE = LIMIT_ENVELOPE_BYTES + LIMIT_REPLAY_PAGE_BYTES,
};

struct replay_thread {
    struct link link;
    struct event_log *log;
    struct hash_key hash_key;
    struct envelope_room *envelope_room;
    struct buf page;
    struct str_map rooms; /* of the request at hand, by their encoding; empty: all */
    size_t max_bytes;
    uint32_t count;
};

/* Does the event go to one of the rooms that were asked for? */
static bool is_wanted(struct replay_thread *self, struct slice bytes)
{
    struct envelope envelope;
    char key[8 + LIMIT_NAMESPACE_BYTES + LIMIT_ROOM_BYTES];

    if (str_map_count(&self->rooms) == 0)
        return true;
    if (envelope_decode(bytes, self->envelope_room, &envelope))
        return false;
    for (size_t i = 0; i < envelope.target_count; i++) {
        struct room_key room = {envelope.nsp, envelope.targets[i].kind,
                                envelope.targets[i].name};
        struct buf encoded = {.ptr = key, .cap = sizeof key, .max = sizeof key};
        replay_room_add(&encoded, &room);
        if (!buf_status(&encoded) && str_map_find(&self->rooms, buf_slice(&encoded)))
            return true;
    }
    return false;
}

/* Under the log's lock: copies one event into the page. */
static bool add_event(void *ctx, uint64_t seq, struct slice envelope)
{
    struct replay_thread *self = ctx;

    if (!is_wanted(self, envelope))
        return true;
    if (self->count > 0 && self->page.len + envelope.len > self->max_bytes)
        return false;
    replay_page_add(&self->page, seq, envelope);
    self->count++;
    return true;
}

static enum status gather_rooms(struct replay_thread *self,
                                const struct replay_request *request)
{
    struct slice rest = request->rooms;
    struct room_key room;
    enum status st = request->room_count > LIMIT_REPLAY_ROOMS ? ST_LIMIT : ST_OK;

    str_map_init(&self->rooms, &self->hash_key, LIMIT_REPLAY_ROOMS);
    for (size_t i = 0; !st && i < request->room_count; i++) {
        struct slice key = rest;
        replay_room_next(&rest, &room);
        key.len -= rest.len;
        st = str_map_put(&self->rooms, key, self);
    }
    return st;
}

static enum status answer_page(struct replay_thread *self, struct slice bytes)
{
    static const char blank[REPLAY_PAGE_HEAD_BYTES];
    struct replay_request request;
    struct replay_page page = {0};
    struct event_log_state state;

    enum status st = replay_request_decode(bytes, &request);
    if (!st)
        st = gather_rooms(self, &request);
    if (st)
        return st;

    buf_clear(&self->page);
    buf_add(&self->page, (struct slice){blank, sizeof blank});
    self->count = 0;
    self->max_bytes = request.max_bytes < LIMIT_REPLAY_PAGE_BYTES
                          ? request.max_bytes
                          : (size_t)LIMIT_REPLAY_PAGE_BYTES;
    event_log_state(self->log, &state);
    if (request.after.epoch == state.head.epoch)
        event_log_read(self->log, request.after.seq, request.through, NULL, add_event, self,
                       &state, &page.through);
    page.head = state.head;
    page.floor = state.floor;
    page.count = self->count;
    st = buf_status(&self->page);
    if (!st)
        replay_page_encode(&page, self->page.ptr);
    return st;
}

static void run_replay(void *arg)
{
    struct replay_thread *self = arg;
    struct link_message *request;

    /* A request that makes no sense gets no answer: whoever sent it is not one of us. */
    while (true) {
        request = link_serve(self->link);
        if (!answer_page(self, link_message_bytes(request)))
            link_send(self->link, buf_slice(&self->page));
        str_map_finish(&self->rooms);
        link_message_free(request);
    }
}

enum status serve_replay(struct link link, struct event_log *log)
{
    struct replay_thread *self = calloc(1, sizeof *self);

    if (!self)
        return ST_NO_MEMORY;
    self->link = link;
    self->log = log;
    self->hash_key = random_hash_key();
    self->page.max = MAX_PAGE;
    self->envelope_room = malloc(sizeof *self->envelope_room);
    if (!self->envelope_room || link_thread(run_replay, self)) {
        free(self->envelope_room);
        free(self);
        return ST_NO_MEMORY;
    }
    return ST_OK;
}
