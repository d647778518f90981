/* A ring of records ordered by seq: see the header. */
#include "bridge/event_log.h"

#include <stdlib.h>
#include <uv.h>

enum {
    FIRST_CAPACITY = 1024,
    TRIM_SLICE = 1000,
    READ_SLICE = 4096,
};

struct record {
    uint64_t seq;
    uint64_t at_ms;
    char *bytes;
    size_t len;
};

struct event_log {
    uv_mutex_t lock;
    struct event_log_limits keep;
    struct event_log_state state;
    struct record *ring;
    size_t capacity; /* a power of two */
    size_t first;    /* index of the oldest; state.events of them follow */
};

struct event_log *event_log_create(uint64_t epoch, const struct event_log_limits *keep)
{
    struct event_log *log = calloc(1, sizeof *log);

    if (!log)
        return NULL;
    log->ring = calloc(FIRST_CAPACITY, sizeof *log->ring);
    if (!log->ring || uv_mutex_init(&log->lock)) {
        free(log->ring);
        free(log);
        return NULL;
    }
    log->capacity = FIRST_CAPACITY;
    log->keep = *keep;
    log->state.head.epoch = epoch;
    return log;
}

static struct record *record_at(struct event_log *log, size_t i)
{
    return &log->ring[(log->first + i) & (log->capacity - 1)];
}

void event_log_destroy(struct event_log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->state.events; i++)
        free(record_at(log, i)->bytes);
    uv_mutex_destroy(&log->lock);
    free(log->ring);
    free(log);
}

/* Room for `count` more records. */
static bool make_room(struct event_log *log, size_t count)
{
    size_t capacity = log->capacity;

    while (capacity < log->state.events + count)
        capacity *= 2;
    if (capacity == log->capacity)
        return true;

    struct record *ring = malloc(capacity * sizeof *ring);
    if (!ring)
        return false;
    for (size_t i = 0; i < log->state.events; i++)
        ring[i] = *record_at(log, i);
    free(log->ring);
    log->ring = ring;
    log->capacity = capacity;
    log->first = 0;
    return true;
}

enum status event_log_append(struct event_log *log, const struct event_log_entry *entries,
                             size_t count, uint64_t now_ms, uint64_t *first)
{
    enum status st = ST_LOG_DOWN;

    uv_mutex_lock(&log->lock);
    if (make_room(log, count)) {
        *first = log->state.head.seq + 1;
        for (size_t i = 0; i < count; i++) {
            uint64_t seq = ++log->state.head.seq;
            if (entries[i].is_volatile)
                continue;
            *record_at(log, log->state.events) =
                (struct record){seq, now_ms, entries[i].bytes, entries[i].len};
            log->state.events++;
            log->state.bytes += entries[i].len;
        }
        st = ST_OK;
    }
    uv_mutex_unlock(&log->lock);
    return st;
}

static bool is_beyond(struct event_log *log, uint64_t now_ms)
{
    const struct event_log_state *state = &log->state;

    if (state->events == 0)
        return false;
    return state->events > log->keep.events || state->bytes > log->keep.bytes ||
           now_ms - record_at(log, 0)->at_ms > log->keep.age_ms;
}

bool event_log_trim(struct event_log *log, uint64_t now_ms)
{
    char *removed[TRIM_SLICE];
    size_t count = 0;

    uv_mutex_lock(&log->lock);
    while (count < TRIM_SLICE && is_beyond(log, now_ms)) {
        struct record *oldest = record_at(log, 0);
        removed[count++] = oldest->bytes;
        log->state.floor = oldest->seq;
        log->state.bytes -= oldest->len;
        log->state.events--;
        log->state.evicted++;
        log->first = (log->first + 1) & (log->capacity - 1);
    }
    bool has_more = is_beyond(log, now_ms);
    uv_mutex_unlock(&log->lock);

    for (size_t i = 0; i < count; i++)
        free(removed[i]);
    return has_more;
}

void event_log_state(struct event_log *log, struct event_log_state *state)
{
    uv_mutex_lock(&log->lock);
    *state = log->state;
    uv_mutex_unlock(&log->lock);
}

/* Index of the oldest record with a seq above `seq`; there are holes, so it is searched.
 */
static size_t index_after(struct event_log *log, uint64_t seq)
{
    size_t low = 0, high = log->state.events;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (record_at(log, middle)->seq > seq)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void event_log_read(struct event_log *log, uint64_t after, uint64_t through,
                    event_log_visit_fn *visit, void *ctx, struct event_log_state *state,
                    uint64_t *read_through)
{
    uv_mutex_lock(&log->lock);
    uint64_t end = through < log->state.head.seq ? through : log->state.head.seq;
    size_t start = index_after(log, after);

    *state = log->state;
    *read_through = end;
    for (size_t i = start; i < log->state.events; i++) {
        const struct record *record = record_at(log, i);
        if (record->seq > end)
            break;
        if (i - start == READ_SLICE ||
            !visit(ctx, record->seq, (struct slice){record->bytes, record->len})) {
            *read_through = record->seq - 1;
            break;
        }
    }
    uv_mutex_unlock(&log->lock);
}
