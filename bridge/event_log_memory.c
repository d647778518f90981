/* The log in memory: a ring of records ordered by seq. See event_log.h. */
#include "bridge/event_log_parts.h"

#include <stdlib.h>

enum {
    FIRST_CAPACITY = 1024,
    TRIM_SLICE = 1000,
};

struct record {
    uint64_t seq;
    uint64_t at_ms;
    char *bytes;
    size_t len;
};

struct memory_log {
    struct event_log base;
    struct record *ring;
    size_t capacity; /* a power of two */
    size_t first;    /* index of the oldest; state.events of them follow */
};

static const struct event_log_ops memory_ops;

static struct memory_log *self_of(struct event_log *log)
{
    return (struct memory_log *)log;
}

struct event_log *event_log_create(uint64_t epoch, const struct event_log_limits *keep)
{
    struct memory_log *log = calloc(1, sizeof *log);

    if (!log)
        return NULL;
    log->ring = calloc(FIRST_CAPACITY, sizeof *log->ring);
    if (!log->ring || !event_log_init(&log->base, &memory_ops, keep)) {
        free(log->ring);
        free(log);
        return NULL;
    }
    log->capacity = FIRST_CAPACITY;
    log->base.state.head.epoch = epoch;
    return &log->base;
}

static struct record *record_at(struct memory_log *log, size_t i)
{
    return &log->ring[(log->first + i) & (log->capacity - 1)];
}

static void destroy(struct event_log *base)
{
    struct memory_log *log = self_of(base);

    for (size_t i = 0; i < base->state.events; i++)
        free(record_at(log, i)->bytes);
    event_log_finish(base);
    free(log->ring);
    free(log);
}

/* Room for `count` more records. */
static bool make_room(struct memory_log *log, size_t count)
{
    size_t capacity = log->capacity;
    size_t events = log->base.state.events;

    while (capacity < events + count)
        capacity *= 2;
    if (capacity == log->capacity)
        return true;

    struct record *ring = malloc(capacity * sizeof *ring);
    if (!ring)
        return false;
    for (size_t i = 0; i < events; i++)
        ring[i] = *record_at(log, i);
    free(log->ring);
    log->ring = ring;
    log->capacity = capacity;
    log->first = 0;
    return true;
}

static void add_record(struct memory_log *log, const struct event_log_entry *entry,
                       uint64_t now_ms)
{
    struct event_log_state *state = &log->base.state;
    uint64_t seq = ++state->head.seq;

    if (entry->is_volatile)
        return;
    *record_at(log, state->events) =
        (struct record){seq, now_ms, entry->bytes, entry->len};
    state->events++;
    state->bytes += entry->len;
    room_index_add(log->base.rooms, seq, (struct slice){entry->bytes, entry->len});
}

static enum status append(struct event_log *base, const struct event_log_entry *entries,
                          size_t count, uint64_t now_ms, uint64_t *first)
{
    struct memory_log *log = self_of(base);
    enum status st = ST_LOG_DOWN;

    uv_mutex_lock(&base->lock);
    if (make_room(log, count)) {
        *first = base->state.head.seq + 1;
        for (size_t i = 0; i < count; i++)
            add_record(log, &entries[i], now_ms);
        st = ST_OK;
    }
    uv_mutex_unlock(&base->lock);
    return st;
}

static bool is_beyond(struct memory_log *log, uint64_t now_ms)
{
    const struct event_log_state *state = &log->base.state;
    const struct event_log_limits *keep = &log->base.keep;

    if (state->events == 0)
        return false;
    return state->events > keep->events || state->bytes > keep->bytes ||
           now_ms - record_at(log, 0)->at_ms > keep->age_ms;
}

static bool trim(struct event_log *base, uint64_t now_ms)
{
    struct memory_log *log = self_of(base);
    struct event_log_state *state = &base->state;
    char *removed[TRIM_SLICE];
    size_t count = 0;

    uv_mutex_lock(&base->lock);
    while (count < TRIM_SLICE && is_beyond(log, now_ms)) {
        struct record *oldest = record_at(log, 0);
        removed[count++] = oldest->bytes;
        state->floor = oldest->seq;
        state->bytes -= oldest->len;
        state->events--;
        state->evicted++;
        log->first = (log->first + 1) & (log->capacity - 1);
    }
    if (count > 0)
        room_index_remove(base->rooms, state->floor);
    bool has_more = is_beyond(log, now_ms);
    uv_mutex_unlock(&base->lock);

    for (size_t i = 0; i < count; i++)
        free(removed[i]);
    return has_more;
}

/* Index of the oldest record from `low` on, before `high`, with a seq above `seq`; there
 * are holes, so it is searched. */
static size_t index_after(struct memory_log *log, uint64_t seq, size_t low, size_t high)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (record_at(log, middle)->seq > seq)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool begin_read(struct event_log *base, uint64_t epoch)
{
    (void)base;
    (void)epoch;
    return true; /* the epoch lasts as long as the log */
}

static bool visit_record(struct event_log_reading *reading, const struct record *record)
{
    return event_log_reading_visit(reading, record->seq,
                                   (struct slice){record->bytes, record->len});
}

static void read_ring(struct event_log *base, uint64_t after, uint64_t through,
                      struct event_log_reading *reading)
{
    struct memory_log *log = self_of(base);

    uv_mutex_lock(&base->lock);
    for (size_t i = index_after(log, after, 0, base->state.events);
         i < base->state.events; i++) {
        const struct record *record = record_at(log, i);
        if (record->seq > through || !visit_record(reading, record))
            break;
    }
    uv_mutex_unlock(&base->lock);
}

static void pick_from_ring(struct event_log *base, const uint64_t *seqs, size_t count,
                           struct event_log_reading *reading)
{
    struct memory_log *log = self_of(base);

    uv_mutex_lock(&base->lock);
    size_t at = 0, end = base->state.events;
    for (size_t i = 0; i < count && !reading->has_stopped; i++) {
        /* Seqs rise by one at least, so it is no further on than they are apart; and just
         * as far unless some between were volatile. */
        uint64_t apart = i > 0 ? seqs[i] - seqs[i - 1] : end;
        size_t high = apart < end - at ? at + (size_t)apart : end;
        bool is_there = high < end && record_at(log, high)->seq == seqs[i];
        at = is_there ? high : index_after(log, seqs[i] - 1, at, high);
        if (at < end && record_at(log, at)->seq == seqs[i])
            visit_record(reading, record_at(log, at));
    }
    uv_mutex_unlock(&base->lock);
}

static void end_read(struct event_log *base)
{
    (void)base;
}

static void no_keys(struct event_log *base, event_log_key_fn *visit, void *ctx)
{
    (void)base;
    (void)visit;
    (void)ctx;
}

static enum status drop_records(struct event_log *base,
                                const struct event_log_record *first, uint64_t now_ms)
{
    (void)base;
    (void)first;
    (void)now_ms;
    return ST_OK;
}

static void doubt_nothing(struct event_log *base)
{
    (void)base;
}

static void no_sessions(struct event_log *base, event_log_session_fn *visit, void *ctx)
{
    (void)base;
    (void)visit;
    (void)ctx;
}

static void no_notes(struct event_log *base, enum event_log_subject subject,
                     event_log_note_fn *visit, void *ctx)
{
    (void)base;
    (void)subject;
    (void)visit;
    (void)ctx;
}

static void close_log(struct event_log *base)
{
    (void)base; /* nothing outlives it */
}

static const struct event_log_ops memory_ops = {
    .append = append,
    .trim = trim,
    .begin_read = begin_read,
    .read = read_ring,
    .pick = pick_from_ring,
    .end_read = end_read,
    .keys = no_keys,
    .records = drop_records,
    .doubt_sessions = doubt_nothing,
    .sessions = no_sessions,
    .notes = no_notes,
    .close = close_log,
    .destroy = destroy,
};
