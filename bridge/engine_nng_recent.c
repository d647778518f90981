/* What was applied lately: see the header. */
#include "bridge/engine_nng_recent.h"

#include "bridge/clock.h"
#include "bridge/envelope_cache.h"
#include "bridge/event_log.h"

#include <stdlib.h>

enum {
    PASS_MOST = 1024, /* seqs that are passed one by one; beyond it, it begins anew */
};

/* The log in it counts from 1: seqs of ours are so many more. */
struct recent {
    struct event_log *log; /* NULL: nothing has begun, or no memory */
    struct position begun;
    struct envelope_cache *opened; /* by seqs of the log in it */
};

struct recent *recent_create(void)
{
    struct recent *recent = calloc(1, sizeof *recent);

    if (!recent)
        return NULL;
    recent->opened = envelope_cache_create();
    if (recent->opened)
        return recent;
    free(recent);
    return NULL;
}

void recent_destroy(struct recent *recent)
{
    if (!recent)
        return;
    event_log_destroy(recent->log);
    envelope_cache_destroy(recent->opened);
    free(recent);
}

void recent_begin(struct recent *recent, const struct position *now)
{
    static const struct event_log_limits keep = {RECENT_AGE_MS, RECENT_EVENTS,
                                                 RECENT_BYTES};

    if (!recent)
        return;
    envelope_cache_clear(recent->opened);
    event_log_destroy(recent->log);
    recent->log = event_log_create(now->epoch, &keep);
    recent->begun = *now;
}

static uint64_t head_of(const struct recent *recent)
{
    struct event_log_state state;

    event_log_state(recent->log, &state);
    return recent->begun.seq + state.head.seq;
}

/* Takes the bytes; false: it could not be kept. */
static bool append(struct recent *recent, char *bytes, size_t len)
{
    const struct event_log_entry entry = {
        .bytes = bytes, .len = len, .is_volatile = bytes == NULL};
    uint64_t first;

    if (event_log_append(recent->log, &entry, 1, clock_ms(), &first) == ST_OK)
        return true;
    free(bytes);
    return false;
}

void recent_pass(struct recent *recent, uint64_t through)
{
    if (!recent || !recent->log)
        return;
    uint64_t head = head_of(recent);
    bool is_kept = through < head + PASS_MOST;
    while (is_kept && head < through) {
        is_kept = append(recent, NULL, 0);
        head++;
    }
    if (!is_kept)
        recent_begin(recent, &(struct position){recent->begun.epoch, through});
}

void recent_add(struct recent *recent, const struct engine_event *event)
{
    if (!recent || !recent->log || event->position.epoch != recent->begun.epoch ||
        event->position.seq <= head_of(recent))
        return;
    recent_pass(recent, event->position.seq - 1);
    if (!recent->log)
        return;
    bool is_volatile = envelope_is_volatile(event->envelope);
    char *bytes = is_volatile ? NULL : slice_dup(event->envelope);
    if ((!bytes && !is_volatile) || !append(recent, bytes, event->envelope.len))
        recent_begin(recent, &event->position);
    else
        event_log_trim(recent->log, clock_ms());
}

bool recent_has(const struct recent *recent, const struct position *after)
{
    struct event_log_state state;

    if (!recent || !recent->log || after->epoch != recent->begun.epoch)
        return false;
    event_log_state(recent->log, &state);
    return after->seq >= recent->begun.seq + state.floor &&
           after->seq <= recent->begun.seq + state.head.seq;
}

/* --- reading --- */

struct wanted_room {
    struct room_key key;
    uint64_t base;
};

struct reading {
    struct recent *recent;
    struct wanted_room *rooms;
    uint64_t *hashes;
    size_t room_count;
    size_t bytes, max_bytes;
    uint64_t count;
    int64_t began_us;
    void (*on_event)(void *ctx, const struct engine_event *event);
    void *ctx;
};

/* Hashes may agree by chance, and each room has a base of its own. */
static bool is_wanted(const struct reading *reading, uint64_t seq,
                      const struct envelope *envelope)
{
    for (size_t i = 0; i < envelope->target_count; i++) {
        const struct room_key key = {envelope->nsp, envelope->targets[i].kind,
                                     envelope->targets[i].name};
        for (size_t k = 0; k < reading->room_count; k++)
            if (seq > reading->rooms[k].base &&
                room_key_equal(&reading->rooms[k].key, &key))
                return true;
    }
    return false;
}

static bool visit(void *ctx, uint64_t log_seq, struct slice bytes)
{
    struct reading *reading = ctx;
    const struct position *begun = &reading->recent->begun;
    const struct engine_event event = {
        .position = {begun->epoch, begun->seq + log_seq},
        .envelope = bytes,
        .opened = envelope_cache_open(reading->recent->opened, log_seq, bytes),
        .has_more = true,
        .received_us = reading->began_us,
    };

    if (!event.opened || !is_wanted(reading, event.position.seq, event.opened))
        return true;
    if (reading->count > 0 && reading->bytes + bytes.len > reading->max_bytes)
        return false;
    reading->bytes += bytes.len;
    reading->count++;
    reading->on_event(reading->ctx, &event);
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static bool gather(struct reading *reading, const struct replay_request *wanted)
{
    struct slice rest = wanted->rooms;

    reading->rooms = calloc(wanted->room_count + 1u, sizeof *reading->rooms);
    reading->hashes = calloc(wanted->room_count + 1u, sizeof *reading->hashes);
    if (!reading->rooms || !reading->hashes)
        return false;
    reading->room_count = wanted->room_count;
    for (size_t i = 0; i < wanted->room_count; i++) {
        struct wanted_room *room = &reading->rooms[i];
        replay_room_next(&rest, &room->key, &room->base);
        reading->hashes[i] = event_log_room_hash(reading->recent->log, &room->key);
    }
    qsort(reading->hashes, reading->room_count, sizeof *reading->hashes, compare);
    return true;
}

enum status recent_read(struct recent *recent, const struct replay_request *wanted,
                        void (*on_event)(void *ctx, const struct engine_event *event),
                        void *ctx, uint64_t *through)
{
    uint64_t begun = recent->begun.seq;
    uint64_t last = wanted->through > begun ? wanted->through - begun : 0;
    struct reading reading = {.recent = recent,
                              .max_bytes = wanted->max_bytes,
                              .began_us = clock_us(),
                              .on_event = on_event,
                              .ctx = ctx};
    struct event_log_state state;
    enum status st = gather(&reading, wanted) ? ST_OK : ST_NO_MEMORY;

    if (!st) {
        const struct room_wishes wishes = {reading.hashes, reading.room_count};
        event_log_read(recent->log, wanted->after.seq - begun, last, &wishes, visit,
                       &reading, &state, through);
        *through += begun;
    }
    free(reading.rooms);
    free(reading.hashes);
    return st;
}
