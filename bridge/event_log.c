/* What the log in memory and the durable one have in common: see the header. */
#include "bridge/event_log_parts.h"

#include "bridge/random.h"

enum {
    FIND_AT_ONCE = 512,
};

uint64_t event_log_random_epoch(void)
{
    uint64_t epoch = 0;

    while (epoch == 0) {
        random_bytes(&epoch, sizeof epoch);
        epoch &= 0xffffffffffffu;
    }
    return epoch;
}

bool event_log_init(struct event_log *log, const struct event_log_ops *ops,
                    const struct event_log_limits *keep)
{
    struct hash_key key = random_hash_key();

    log->ops = ops;
    log->keep = *keep;
    log->rooms = room_index_create(&key);
    if (log->rooms && uv_mutex_init(&log->lock) == 0) {
        if (uv_mutex_init(&log->writing) == 0)
            return true;
        uv_mutex_destroy(&log->lock);
    }
    room_index_destroy(log->rooms);
    return false;
}

void event_log_finish(struct event_log *log)
{
    uv_mutex_destroy(&log->writing);
    uv_mutex_destroy(&log->lock);
    room_index_destroy(log->rooms);
}

void event_log_destroy(struct event_log *log)
{
    if (log)
        log->ops->destroy(log);
}

void event_log_close(struct event_log *log)
{
    uv_mutex_lock(&log->writing);
    log->ops->close(log);
    uv_mutex_unlock(&log->writing);
}

enum status event_log_append(struct event_log *log, const struct event_log_entry *entries,
                             size_t count, uint64_t now_ms, uint64_t *first)
{
    uv_mutex_lock(&log->writing);
    enum status st = log->ops->append(log, entries, count, now_ms, first);
    uv_mutex_unlock(&log->writing);
    return st;
}

bool event_log_trim(struct event_log *log, uint64_t now_ms)
{
    uv_mutex_lock(&log->writing);
    bool has_more = log->ops->trim(log, now_ms);
    uv_mutex_unlock(&log->writing);
    return has_more;
}

void event_log_state(struct event_log *log, struct event_log_state *state)
{
    uv_mutex_lock(&log->lock);
    *state = log->state;
    uv_mutex_unlock(&log->lock);
    state->is_lost = atomic_load(&log->is_lost);
}

void event_log_overtaken(struct event_log *log, uint64_t epoch)
{
    atomic_store(&log->overtaken_epoch, epoch);
}

bool event_log_reading_visit(struct event_log_reading *reading, uint64_t seq,
                             struct slice envelope)
{
    if (reading->visited < EVENT_LOG_READ_SLICE &&
        reading->visit(reading->ctx, seq, envelope)) {
        reading->visited++;
        reading->last = seq;
        return true;
    }
    reading->has_stopped = true;
    reading->read_through = seq - 1;
    return false;
}

/* The index may be of the next epoch by now: the old one's events are nobody's then. */
static bool is_over(const struct event_log *log, struct event_log_reading *reading,
                    uint64_t after)
{
    if (log->state.head.epoch == reading->epoch)
        return false;
    reading->has_stopped = true;
    reading->read_through = after;
    return true;
}

/* The events that the index knows to be for the rooms. */
static void read_found(struct event_log *log, uint64_t after, uint64_t end,
                       const struct room_wishes *wishes,
                       struct event_log_reading *reading)
{
    uint64_t seqs[FIND_AT_ONCE], found_through;

    uv_mutex_lock(&log->lock);
    if (is_over(log, reading, after)) {
        uv_mutex_unlock(&log->lock);
        return;
    }
    size_t count =
        room_index_find(log->rooms, wishes, after, seqs, FIND_AT_ONCE, &found_through);
    if (found_through >= room_index_last(log->rooms))
        found_through = log->state.head.seq; /* what came later was volatile */
    uv_mutex_unlock(&log->lock);
    reading->read_through = found_through < end ? found_through : end;
    while (count > 0 && seqs[count - 1] > end)
        count--;
    log->ops->pick(log, seqs, count, reading);
}

/* Up to where the index begins every event is looked at. */
static void read_events(struct event_log *log, uint64_t after, uint64_t end,
                        const struct room_wishes *wishes,
                        struct event_log_reading *reading)
{
    if (wishes) {
        uv_mutex_lock(&log->lock);
        uint64_t from = room_index_from(log->rooms);
        uv_mutex_unlock(&log->lock);
        if (after >= from) {
            read_found(log, after, end, wishes, reading);
            return;
        }
        if (from < end)
            reading->read_through = end = from;
    }
    log->ops->read(log, after, end, reading);
}

void event_log_read(struct event_log *log, uint64_t after, uint64_t through,
                    const struct room_wishes *wishes, event_log_visit_fn *visit,
                    void *ctx, struct event_log_state *state, uint64_t *read_through)
{
    struct event_log_reading reading = {.visit = visit, .ctx = ctx};

    /* The head first, the floor last: what was removed meanwhile is told. */
    event_log_state(log, state);
    reading.epoch = state->head.epoch;
    uint64_t end = through < state->head.seq ? through : state->head.seq;
    reading.read_through = end;
    if (!log->ops->begin_read(log, state->head.epoch))
        reading.read_through = after < end ? after : end;
    else if (after < end)
        read_events(log, after, end, wishes, &reading);
    log->ops->end_read(log);

    struct event_log_state now;
    event_log_state(log, &now);
    if (now.head.epoch == state->head.epoch)
        now.head = state->head;
    *state = now;
    *read_through = reading.read_through;
}

/* Locked for one slice at a time: writing goes on in between. */
void event_log_past(struct event_log *log, struct room_past *past,
                    struct event_log_state *state)
{
    bool has_more = true;

    event_log_state(log, state);
    if (past->through > state->head.seq)
        past->through = state->head.seq;
    uv_mutex_lock(&log->lock);
    room_past_begin(past, log->rooms);
    uv_mutex_unlock(&log->lock);
    while (has_more) {
        uv_mutex_lock(&log->lock);
        has_more = room_past_step(past, log->rooms);
        uv_mutex_unlock(&log->lock);
    }
    uv_mutex_lock(&log->lock);
    room_past_end(past, log->rooms);
    uv_mutex_unlock(&log->lock);

    struct event_log_state now;
    event_log_state(log, &now);
    if (now.head.epoch != state->head.epoch)
        *state = now;
}

uint64_t event_log_room_hash(struct event_log *log, const struct room_key *room)
{
    return room_index_hash(log->rooms, room); /* the key never changes */
}

void event_log_marks(struct event_log *log, const uint64_t *hashes, size_t count,
                     uint64_t *marks, struct position *head)
{
    uv_mutex_lock(&log->lock);
    *head = log->state.head;
    for (size_t i = 0; i < count; i++)
        marks[i] = room_index_mark(log->rooms, hashes[i]);
    uv_mutex_unlock(&log->lock);
}

void event_log_keys(struct event_log *log, event_log_key_fn *visit, void *ctx)
{
    uv_mutex_lock(&log->writing);
    log->ops->keys(log, visit, ctx);
    uv_mutex_unlock(&log->writing);
}

enum status event_log_records(struct event_log *log, const struct event_log_record *first,
                              uint64_t now_ms)
{
    uv_mutex_lock(&log->writing);
    enum status st = log->ops->records(log, first, now_ms);
    uv_mutex_unlock(&log->writing);
    return st;
}

void event_log_doubt_sessions(struct event_log *log)
{
    uv_mutex_lock(&log->writing);
    log->ops->doubt_sessions(log);
    uv_mutex_unlock(&log->writing);
}

void event_log_sessions(struct event_log *log, event_log_session_fn *visit, void *ctx)
{
    uv_mutex_lock(&log->writing);
    log->ops->sessions(log, visit, ctx);
    uv_mutex_unlock(&log->writing);
}

void event_log_notes(struct event_log *log, enum event_log_subject subject,
                     event_log_note_fn *visit, void *ctx)
{
    uv_mutex_lock(&log->writing);
    log->ops->notes(log, subject, visit, ctx);
    uv_mutex_unlock(&log->writing);
}
