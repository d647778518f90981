/* The publisher's side: see the header. */
#include "sim/recovery/house.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const room_names[HOUSE_ROOMS] = {"r0", "r1", "r2", "r3"};

static void open_log(struct house *house)
{
    const struct event_log_limits keep = {UINT64_MAX, house->keep, UINT64_MAX};

    house->log = event_log_create(house->head.epoch, &keep);
    house->pages = house->log ? page_server_create(house->log) : NULL;
    if (!house->pages)
        abort();
}

static void close_log(struct house *house)
{
    page_server_destroy(house->pages);
    event_log_destroy(house->log);
}

void house_init(struct house *house, struct world *world)
{
    static const struct hash_key key = {1, 2};
    const struct directory_parking parking = {HOUSE_WINDOW_MS, 1000, 1 << 20, true};

    house->world = world;
    house->head = (struct position){1, 0};
    house->keep = 1 + world_pick(world, 12);
    house->first = house->count = 0;
    house->scratch = (struct buf){.max = 4096};
    house->directory = directory_create(&key, 0); /* long ago: all have come */
    if (!house->directory)
        abort();
    directory_set_parking(house->directory, &parking);
    open_log(house);
}

void house_finish(struct house *house)
{
    close_log(house);
    directory_destroy(house->directory);
    buf_finish(&house->scratch);
}

bool house_is_full(const struct house *house)
{
    return house->count == HOUSE_EVENTS;
}

struct room_key house_room(unsigned room)
{
    return (struct room_key){SLICE("/"), ROOM_NAMED, slice_of(room_names[room])};
}

unsigned house_room_number(struct slice name)
{
    return (unsigned)(name.ptr[1] - '0');
}

unsigned house_event_at(const struct house *house, uint64_t seq)
{
    return house->first + (unsigned)seq - 1;
}

struct slice house_envelope(struct house *house, unsigned number)
{
    const struct house_event *event = &house->events[number];
    struct envelope_target targets[HOUSE_ROOMS + 1];
    char text[16];
    struct envelope envelope = {
        .kind = ENVELOPE_EVENT,
        .flags = event->is_volatile ? ENVELOPE_VOLATILE : 0,
        .at_ms = 1,
        .id = SLICE("e"),
        .nsp = SLICE("/"),
        .event = SLICE("n"),
        .event_json = SLICE("\"n\""),
        .data = {text, (size_t)snprintf(text, sizeof text, "%u", number)},
        .targets = targets,
    };

    for (unsigned room = 0; room < HOUSE_ROOMS; room++)
        if (event->rooms & 1u << room)
            targets[envelope.target_count++] =
                (struct envelope_target){ROOM_NAMED, house_room(room).name};
    if (event->rooms & HOUSE_EVERYBODY)
        targets[envelope.target_count++] = (struct envelope_target){.kind = ROOM_ALL};
    buf_clear(&house->scratch);
    envelope_encode(&envelope, &house->scratch);
    if (buf_status(&house->scratch))
        abort();
    return buf_slice(&house->scratch);
}

unsigned house_number_of(const struct envelope *envelope)
{
    uint64_t number;

    if (!slice_to_u64(envelope->data, &number))
        abort();
    return (unsigned)number;
}

void house_publish(struct house *house, unsigned rooms, bool is_volatile)
{
    unsigned number = house->count++;
    struct house_event *event = &house->events[number];
    uint64_t first;

    house->head.seq++;
    *event = (struct house_event){house->head, rooms, is_volatile, is_volatile};
    struct slice envelope = house_envelope(house, number);
    struct event_log_entry entry = {.bytes = is_volatile ? NULL : slice_dup(envelope),
                                    .len = envelope.len,
                                    .is_volatile = is_volatile};
    if (event_log_append(house->log, &entry, 1, 1, &first))
        abort();
    world_trace(house->world, "event %u at %llu for rooms %x%s", number,
                (unsigned long long)house->head.seq, rooms,
                is_volatile ? ", volatile" : "");
}

void house_trim(struct house *house)
{
    struct event_log_state state;

    while (event_log_trim(house->log, 1))
        ;
    event_log_state(house->log, &state);
    for (unsigned i = house->first; i < house->count; i++)
        if (house->events[i].at.seq <= state.floor && !house->events[i].is_gone) {
            house->events[i].is_gone = true;
            world_trace(house->world, "event %u is gone", i);
        }
}

void house_begin_anew(struct house *house)
{
    close_log(house);
    house->head = (struct position){house->head.epoch + 1, 0};
    house->first = house->count;
    open_log(house);
    world_trace(house->world, "the log begins epoch %llu",
                (unsigned long long)house->head.epoch);
}
