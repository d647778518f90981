/* The replay's answering thread: pages of the log. See engine_nng_serve.h. */
#include "bridge/engine_nng_serve.h"

#include "bridge/engine_nng_past.h"
#include "bridge/random.h"
#include "bridge/str_map.h"
#include "proto/bus_wire.h"
#include "proto/recovery_proof.h"

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
    struct past_server *past;
    struct buf page;
    struct str_map rooms; /* of the request at hand, by their encoding; empty: all */
    uint64_t hashes[LIMIT_REPLAY_ROOMS]; /* and as the log knows them */
    uint64_t sorted[LIMIT_REPLAY_ROOMS]; /* ascending */
    uint64_t marks[LIMIT_REPLAY_ROOMS];
    uint64_t bases[LIMIT_REPLAY_ROOMS]; /* in the order of the request, as the marks */
    size_t room_count;
    size_t max_bytes;
    uint32_t count;
};

/* Does the event go to one of the rooms that were asked for, after its base? */
static bool is_wanted(struct replay_thread *self, uint64_t seq, struct slice bytes)
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
        const uint64_t *base =
            buf_status(&encoded) ? NULL : str_map_find(&self->rooms, buf_slice(&encoded));
        if (base && seq > *base)
            return true;
    }
    return false;
}

/* Under the log's lock: copies one event into the page. */
static bool add_event(void *ctx, uint64_t seq, struct slice envelope)
{
    struct replay_thread *self = ctx;

    if (!is_wanted(self, seq, envelope))
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

    self->room_count = 0;
    str_map_init(&self->rooms, &self->hash_key, LIMIT_REPLAY_ROOMS);
    for (size_t i = 0; !st && i < request->room_count; i++) {
        struct slice key = rest;
        uint64_t *base = &self->bases[self->room_count];
        replay_room_next(&rest, &room, base);
        key.len -= rest.len + sizeof *base;
        st = str_map_put(&self->rooms, key, base);
        self->hashes[self->room_count++] = event_log_room_hash(self->log, &room);
    }
    return st;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* Of the rooms that are asked for, where something is gone that comes after their base:
 * what is gone of others is nobody's loss here. In the order of the request. */
static uint64_t highest_mark(struct replay_thread *self, uint64_t after)
{
    uint64_t highest = 0;

    event_log_marks(self->log, self->hashes, self->room_count, self->marks);
    for (size_t i = 0; i < self->room_count; i++)
        if (!recovery_is_complete(self->bases[i], after, self->marks[i]) &&
            self->marks[i] > highest)
            highest = self->marks[i];
    return highest;
}

static void add_events(struct replay_thread *self, const struct replay_request *request,
                       struct replay_page *page)
{
    struct event_log_state state;
    const struct room_wishes wishes = {self->sorted, self->room_count};

    memcpy(self->sorted, self->hashes, self->room_count * sizeof *self->hashes);
    qsort(self->sorted, self->room_count, sizeof *self->sorted, compare);
    event_log_state(self->log, &state);
    /* A gateway that has applied what the log never gave cannot go on in this epoch. */
    if (request->after.epoch == state.head.epoch && self->room_count == 0 &&
        request->after.seq > state.head.seq)
        event_log_overtaken(self->log);
    if (request->after.epoch == state.head.epoch)
        event_log_read(self->log, request->after.seq, request->through,
                       self->room_count ? &wishes : NULL, add_event, self, &state,
                       &page->through);
    page->head = state.head;
    page->floor = self->room_count ? highest_mark(self, request->after.seq) : state.floor;
    page->count = self->count;
}

static void add_marks(struct replay_thread *self, struct replay_page *page)
{
    struct event_log_state state;
    struct buf marks = {.max = sizeof self->marks};

    event_log_state(self->log, &state);
    page->head = state.head;
    page->floor = highest_mark(self, 0);
    for (size_t i = 0; i < self->room_count; i++)
        replay_mark_add(&marks, self->marks[i]);
    if (buf_status(&marks) == ST_OK)
        replay_page_add(&self->page, 1, buf_slice(&marks));
    page->count = page->through = buf_status(&marks) == ST_OK;
    buf_finish(&marks);
}

static enum status answer_page(struct replay_thread *self, struct slice bytes)
{
    static const char blank[REPLAY_PAGE_HEAD_BYTES];
    struct replay_request request;
    struct replay_page page = {0};

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
    if (request.max_bytes == 0 && request.room_count > 0)
        add_marks(self, &page);
    else
        add_events(self, &request, &page);
    st = buf_status(&self->page);
    if (!st)
        replay_page_encode(&page, self->page.ptr);
    return st;
}

static void answer(struct replay_thread *self, struct slice bytes)
{
    struct slice past;

    if (!past_server_answer(self->past, bytes, &past)) {
        link_send(self->link, past);
        return;
    }
    if (!answer_page(self, bytes))
        link_send(self->link, buf_slice(&self->page));
    str_map_finish(&self->rooms);
}

static void run_replay(void *arg)
{
    struct replay_thread *self = arg;
    struct link_message *request;

    /* A request that makes no sense gets no answer: whoever sent it is not one of us. */
    while (true) {
        request = link_serve(self->link);
        answer(self, link_message_bytes(request));
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
    self->past = past_server_create(log);
    if (!self->envelope_room || !self->past || link_thread(run_replay, self)) {
        past_server_destroy(self->past);
        free(self->envelope_room);
        free(self);
        return ST_NO_MEMORY;
    }
    return ST_OK;
}
