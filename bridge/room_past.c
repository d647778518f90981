/* A choice of the past: see the header. */
#include "bridge/room_past.h"

static struct past_room *find(const struct room_past *past, uint64_t hash)
{
    size_t low = 0, high = past->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (past->rooms[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < past->count && past->rooms[low].hash == hash ? &past->rooms[low] : NULL;
}

/* It gets no more, and is known to lack some. */
static bool is_done(const struct room_past *past, const struct past_room *room)
{
    return room->is_cut && (room->taken >= room->max || past->found == past->total);
}

/* Looks no further than somebody still needs. False: nobody does. */
static bool narrow(struct room_past *past)
{
    uint64_t lowest = UINT64_MAX;

    for (size_t i = 0; i < past->count; i++) {
        const struct past_room *room = &past->rooms[i];
        if (!is_done(past, room) && room->asked_after < lowest)
            lowest = room->asked_after;
    }
    if (lowest > past->low)
        past->low = lowest;
    return past->low < past->high;
}

void room_past_begin(struct room_past *past, const struct room_index *index)
{
    const struct time_marks *times = room_index_times(index);

    for (size_t i = 0; i < past->count; i++) {
        struct past_room *room = &past->rooms[i];
        room->after = time_marks_before(times, room->since_ms);
        room->asked_after = time_marks_before(times, room->asked_ms);
        room->taken = 0;
        room->base = room->top = past->through;
        room->is_cut = false;
    }
    past->found = 0;
    past->low = 0;
    past->high = past->through;
    narrow(past);
}

static void extend(const struct room_past *past, struct past_room *room, uint64_t seq)
{
    if (!past->oldest_first || room->taken == 0)
        room->base = seq - 1;
    if (past->oldest_first || room->taken == 0)
        room->top = seq;
    room->taken++;
}

/* An event is given for the sake of any of its rooms; then none of them lacks it. */
static bool take(void *ctx, uint64_t seq, const uint64_t *hashes, size_t count,
                 bool is_past)
{
    struct room_past *past = ctx;
    bool is_given = false;

    for (size_t i = 0; is_past && i < count; i++) {
        const struct past_room *room = find(past, hashes[i]);
        if (room && seq > room->after && room->taken < room->max)
            is_given = past->found < past->total;
    }
    for (size_t i = 0; is_past && i < count; i++) {
        struct past_room *room = find(past, hashes[i]);
        if (!room || seq <= room->asked_after)
            continue;
        room->is_cut |= !is_given;
        if (is_given && seq > room->after && room->taken < room->max)
            extend(past, room, seq);
    }
    past->found += is_given;
    return true;
}

bool room_past_step(struct room_past *past, const struct room_index *index)
{
    if (past->low >= past->high)
        return false;
    if (past->oldest_first)
        past->low = room_index_forth(index, past->low, past->high, take, past);
    else
        past->high = room_index_back(index, past->high, past->low, take, past);
    if (narrow(past))
        return true;
    past->low = past->high;
    return false;
}

void room_past_end(struct room_past *past, const struct room_index *index)
{
    int64_t from_ms = time_marks_from(room_index_times(index));
    uint64_t covered = room_index_from(index);

    for (size_t i = 0; i < past->count; i++) {
        struct past_room *room = &past->rooms[i];
        uint64_t mark = room_index_mark(index, room->hash);
        if (room->asked_ms < from_ms || room->asked_after < covered ||
            room->asked_after < mark)
            room->is_cut = true;
    }
}
