/* Pages of the log: see the header. */
#include "bridge/engine_nng_pages.h"

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

struct page_server {
    struct event_log *log;
    struct hash_key hash_key;
    struct envelope_room *envelope_room;
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
static bool is_wanted(struct page_server *server, uint64_t seq, struct slice bytes)
{
    struct envelope envelope;
    char key[8 + LIMIT_NAMESPACE_BYTES + LIMIT_ROOM_BYTES];

    if (str_map_count(&server->rooms) == 0)
        return true;
    if (envelope_decode(bytes, server->envelope_room, &envelope))
        return false;
    for (size_t i = 0; i < envelope.target_count; i++) {
        struct room_key room = {envelope.nsp, envelope.targets[i].kind,
                                envelope.targets[i].name};
        struct buf encoded = {.ptr = key, .cap = sizeof key, .max = sizeof key};
        replay_room_add(&encoded, &room);
        const uint64_t *base = buf_status(&encoded)
                                   ? NULL
                                   : str_map_find(&server->rooms, buf_slice(&encoded));
        if (base && seq > *base)
            return true;
    }
    return false;
}

/* Under the log's lock: copies one event into the page. */
static bool add_event(void *ctx, uint64_t seq, struct slice envelope)
{
    struct page_server *server = ctx;

    if (!is_wanted(server, seq, envelope))
        return true;
    if (server->count > 0 && server->page.len + envelope.len > server->max_bytes)
        return false;
    replay_page_add(&server->page, seq, envelope);
    server->count++;
    return true;
}

static enum status gather_rooms(struct page_server *server,
                                const struct replay_request *request)
{
    struct slice rest = request->rooms;
    struct room_key room;
    enum status st = request->room_count > LIMIT_REPLAY_ROOMS ? ST_LIMIT : ST_OK;

    server->room_count = 0;
    str_map_init(&server->rooms, &server->hash_key, LIMIT_REPLAY_ROOMS);
    for (size_t i = 0; !st && i < request->room_count; i++) {
        struct slice key = rest;
        uint64_t *base = &server->bases[server->room_count];
        replay_room_next(&rest, &room, base);
        key.len -= rest.len + sizeof *base;
        st = str_map_put(&server->rooms, key, base);
        server->hashes[server->room_count++] = event_log_room_hash(server->log, &room);
    }
    return st;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* Of the rooms that are asked for, where something is gone that comes after their base:
 * what is gone of others is nobody's loss here. In the order of the request. `*head` is
 * the log's of that moment. */
static uint64_t highest_mark(struct page_server *server, uint64_t after,
                             struct position *head)
{
    uint64_t highest = 0;

    event_log_marks(server->log, server->hashes, server->room_count, server->marks, head);
    for (size_t i = 0; i < server->room_count; i++)
        if (!recovery_is_complete(server->bases[i], after, server->marks[i]) &&
            server->marks[i] > highest)
            highest = server->marks[i];
    return highest;
}

static void add_events(struct page_server *server, const struct replay_request *request,
                       struct replay_page *page)
{
    struct event_log_state state;
    const struct room_wishes wishes = {server->sorted, server->room_count};

    memcpy(server->sorted, server->hashes, server->room_count * sizeof *server->hashes);
    qsort(server->sorted, server->room_count, sizeof *server->sorted, compare);
    event_log_state(server->log, &state);
    /* A gateway that has applied what the log never gave cannot go on in this epoch. */
    if (request->after.epoch == state.head.epoch && server->room_count == 0 &&
        request->after.seq > state.head.seq)
        event_log_overtaken(server->log, state.head.epoch);
    if (request->after.epoch == state.head.epoch)
        event_log_read(server->log, request->after.seq, request->through,
                       server->room_count ? &wishes : NULL, add_event, server, &state,
                       &page->through);
    page->head = state.head;
    page->floor = state.floor;
    page->count = server->count;
    if (server->room_count == 0)
        return;
    struct position now;
    page->floor = highest_mark(server, request->after.seq, &now);
    if (now.epoch != page->head.epoch)
        page->head = now; /* the marks are of an epoch that has begun meanwhile */
}

static void add_marks(struct page_server *server, struct replay_page *page)
{
    struct buf marks = {.max = sizeof server->marks};

    page->floor = highest_mark(server, 0, &page->head);
    for (size_t i = 0; i < server->room_count; i++)
        replay_mark_add(&marks, server->marks[i]);
    if (buf_status(&marks) == ST_OK)
        replay_page_add(&server->page, 1, buf_slice(&marks));
    page->count = page->through = buf_status(&marks) == ST_OK;
    buf_finish(&marks);
}

/* Nobody is told that nothing is missing of what could not be read: the next publisher
 * answers, when it has begun a new epoch. */
static bool is_lost(struct event_log *log)
{
    struct event_log_state state;

    event_log_state(log, &state);
    return state.is_lost;
}

enum status page_server_answer(struct page_server *server, struct slice bytes,
                               struct slice *answer)
{
    static const char blank[REPLAY_PAGE_HEAD_BYTES];
    struct replay_request request;
    struct replay_page page = {0};

    if (replay_request_decode(bytes, &request))
        return ST_BAD_PACKET;
    enum status st = gather_rooms(server, &request);
    if (st)
        goto out;

    buf_clear(&server->page);
    buf_add(&server->page, (struct slice){blank, sizeof blank});
    server->count = 0;
    server->max_bytes = request.max_bytes < LIMIT_REPLAY_PAGE_BYTES
                            ? request.max_bytes
                            : (size_t)LIMIT_REPLAY_PAGE_BYTES;
    if (request.max_bytes == 0 && request.room_count > 0)
        add_marks(server, &page);
    else
        add_events(server, &request, &page);
    st = is_lost(server->log) ? ST_LOG_DOWN : buf_status(&server->page);
    if (!st)
        replay_page_encode(&page, server->page.ptr);
    *answer = buf_slice(&server->page);
out:
    str_map_finish(&server->rooms);
    return st;
}

struct page_server *page_server_create(struct event_log *log)
{
    struct page_server *server = calloc(1, sizeof *server);

    if (!server)
        return NULL;
    server->log = log;
    server->hash_key = random_hash_key();
    server->page.max = MAX_PAGE;
    server->envelope_room = malloc(sizeof *server->envelope_room);
    if (!server->envelope_room) {
        free(server);
        return NULL;
    }
    return server;
}

void page_server_destroy(struct page_server *server)
{
    if (!server)
        return;
    buf_finish(&server->page);
    free(server->envelope_room);
    free(server);
}
