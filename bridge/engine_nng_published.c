/* From a request to the log, group by group: see the header. */
#include "bridge/engine_nng_published.h"

#include <stdlib.h>

enum {
    FIRST_CAPACITY = 16,
    RECORD_BYTES = 64,
};

static void refuse(struct published *published, uint64_t serial)
{
    directory_refuse(published->directory, published->gateway, published->incarnation,
                     serial);
}

/* A probe is never kept: that would take the place of events. */
static bool is_gateways(struct published *published, const struct directory_op *op)
{
    struct envelope event;

    if (envelope_decode(op->envelope, &published->room, &event))
        return false;
    return event.kind == ENVELOPE_EVENT ||
           (event.kind == ENVELOPE_PROBE && op->is_volatile);
}

static bool has_room(struct published *published)
{
    size_t capacity = published->capacity ? 2 * published->capacity : FIRST_CAPACITY;

    if (published->count < published->capacity)
        return true;
    struct published_event *events =
        realloc(published->events, capacity * sizeof *events);
    if (!events)
        return false;
    published->events = events;
    published->capacity = capacity;
    return true;
}

void published_add(struct published *published, const struct directory_request *request,
                   const struct directory_op *op, size_t at)
{
    published->gateway = request->gateway;
    published->incarnation = request->incarnation;
    if (!is_gateways(published, op) || !has_room(published)) {
        refuse(published, op->serial);
        return;
    }
    published->events[published->count++] = (struct published_event){
        .entry = {op->envelope, op->is_volatile},
        .serial = op->serial,
        .at = at,
    };
}

/* Those behind it are not kept either: what is kept would not be a beginning. */
static void refuse_rest(struct published *published)
{
    for (; published->answered < published->count; published->answered++)
        refuse(published, published->events[published->answered].serial);
}

/* How far the gateway's events are kept with these; false: nobody needs to know. */
static bool make_record(struct published *published, uint64_t last_serial)
{
    const struct directory_published *known = directory_published(
        published->directory, published->gateway, published->incarnation);

    if (!published->keeps_records || !known)
        return false;
    struct directory_published wanted = *known;
    wanted.last_serial = last_serial;
    buf_clear(&published->record);
    published->record.max = RECORD_BYTES;
    directory_published_encode(&wanted, &published->record);
    return true;
}

static void keep_next(struct published *published);

static void on_kept(void *ctx, enum status status, const struct position *position)
{
    struct published *published = ctx;
    size_t n = published->under_way;

    published->under_way = 0;
    if (status)
        refuse_rest(published);
    for (size_t i = 0; i < n && !status; i++) {
        const struct directory_result result = {
            .outcome = OUTCOME_OK,
            .kind = RESULT_POSITION,
            .epoch = position->epoch,
            .seq = position->seq - (n - 1 - i),
        };
        directory_result_settle(published->answer,
                                published->events[published->answered++].at, &result);
    }
    keep_next(published);
}

static enum status keep_group(struct published *published)
{
    const struct published_event *next = &published->events[published->answered];
    struct engine_entry entries[LIMIT_APPEND_GROUP];
    size_t left = published->count - published->answered;
    size_t n = left < LIMIT_APPEND_GROUP ? left : LIMIT_APPEND_GROUP;

    for (size_t i = 0; i < n; i++)
        entries[i] = next[i].entry;
    const struct engine_append what = {.entries = entries, .count = n};
    bool has_record = make_record(published, next[n - 1].serial);
    const struct event_log_record record = {
        .subject = EVENT_LOG_GATEWAY,
        .name = published->gateway,
        .bytes = buf_slice(&published->record),
    };
    if (has_record && buf_status(&published->record))
        return ST_NO_MEMORY;
    published->under_way = n;
    return writer_append(published->writer, &what, has_record ? &record : NULL, on_kept,
                         published);
}

static void keep_next(struct published *published)
{
    if (published->answered < published->count) {
        if (!keep_group(published))
            return;
        refuse_rest(published);
    }
    published->count = published->answered = 0;
    published->on_done(published->ctx);
}

void published_run(struct published *published, struct buf *answer)
{
    published->answer = answer;
    keep_next(published);
}

void published_finish(struct published *published)
{
    free(published->events);
    buf_finish(&published->record);
}
