/*
 * The writer thread: see the header.
 *
 * What one turn of the loop appends is gathered and handed over before the loop waits:
 * one lock, one wake-up, one commit and one bus message for all of it. A thread that each
 * append woke would take them one by one.
 */
#include "bridge/engine_nng_writer.h"

#include "bridge/clock.h"
#include "bridge/engine_nng_records.h"
#include "proto/bus_wire.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_BATCH = 1000, /* also what one turn of the loop answers at once */
    BEACON_MS = 100,
    /* After events the first ones come sooner: they find a frame that was lost before a
     * silence, even where one of them is lost as well. */
    SOON_MS = 25,
    SOON_BEACONS = 3,
    TRIM_SLICES = 4, /* between two batches: what waits does not wait for all of it */
};

_Static_assert((size_t)LIMIT_APPEND_GROUP <= (size_t)MAX_BATCH,
               "a batch holds any append");
_Static_assert((size_t)LIMIT_EMIT_NAMES <= (size_t)LIMIT_APPEND_GROUP &&
                   LIMIT_APPEND_BYTES / LIMIT_ENVELOPE_BYTES >= LIMIT_EMIT_NAMES &&
                   LIMIT_APPEND_BYTES >= LIMIT_DIRECTORY_BYTES,
               "an empty queue holds all names of an event, and a gateway's request");

/* One append on its way: queue, commit, answer. No batch has a part of it. */
struct append_request {
    struct inbox_item item; /* of a batch's first request: carries all of it */
    struct append_request *next;
    struct log_key key;
    struct event_log_record *record; /* the last entry's, or NULL */
    engine_kept_fn *on_kept;
    void *ctx;
    struct writer *writer;
    struct position position; /* the next two are the batch's: in its first request */
    enum status status;
    size_t bytes; /* of all entries */
    size_t count;
    struct event_log_entry entries[];
};

struct request_list {
    struct append_request *first;
    struct append_request **end;
};

struct writer {
    struct writer_config config;
    uv_thread_t thread;

    /* Loop thread. */
    struct position head;
    size_t open_events, open_bytes; /* not answered yet */
    struct request_list gathered;
    uv_prepare_t before_wait;
    uv_idle_t stay_awake; /* active while something is gathered */

    uv_mutex_t lock;
    uv_cond_t wake;
    struct request_list waiting; /* under the lock, as the next two */
    bool are_records_awaited;
    bool is_stopping;

    struct records records;
    atomic_uint turn; /* writer_turn */

    /* Writer thread. */
    struct event_log_entry entries[MAX_BATCH];
    struct buf frame;
    uint64_t sent_ms;
    unsigned beacons; /* since the last event */
    bool has_more_to_trim;
};

static void list_clear(struct request_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

/* --- writer thread --- */

static void send_frame(struct writer *writer)
{
    if (!buf_status(&writer->frame) &&
        !link_send(writer->config.events, buf_slice(&writer->frame)))
        metrics_add(writer->config.metrics, METRIC_BUS_SENT, 1);
    writer->sent_ms = clock_ms();
    buf_clear(&writer->frame);
}

static void begin_frame(struct writer *writer, uint64_t epoch, uint64_t first,
                        size_t count)
{
    struct bus_frame frame = {
        {epoch,  first, count},
        clock_us(), {0}
    };

    bus_frame_encode(&frame, &writer->frame);
}

/* How many of the entries go into one bus message: as many as fit, or one. */
static size_t frame_count(const struct event_log_entry *entries, size_t count)
{
    size_t bytes = BUS_FRAME_HEAD_BYTES;
    size_t n = 0;

    while (n < count) {
        bytes += BUS_FRAME_EVENT_BYTES + entries[n].len;
        if (n > 0 && bytes > LIMIT_BUS_BATCH_BYTES)
            break;
        n++;
    }
    return n;
}

static void send_batch(struct writer *writer, const struct position *first, size_t count)
{
    for (size_t at = 0; at < count;) {
        size_t n = frame_count(&writer->entries[at], count - at);
        begin_frame(writer, first->epoch, first->seq + at, n);
        for (size_t i = at; i < at + n; i++) {
            const struct event_log_entry *entry = &writer->entries[i];
            bus_frame_add(&writer->frame, (struct slice){entry->bytes, entry->len});
        }
        send_frame(writer);
        at += n;
    }
}

/* A beacon is an empty frame in the place of the next event. */
static void send_beacon(struct writer *writer)
{
    struct event_log_state state;

    event_log_state(writer->config.log, &state);
    begin_frame(writer, state.head.epoch, state.head.seq + 1, 0);
    send_frame(writer);
    writer->beacons++;
}

static uint64_t beacon_ms(const struct writer *writer)
{
    return writer->beacons < SOON_BEACONS ? SOON_MS : BEACON_MS;
}

static void run_answers(struct inbox_item *item);

/*
 * What was noted of users before goes first: it would be written over what the batch
 * brings. While there is no room for it there is none for the batch.
 */
static enum status write_notes(struct writer *writer)
{
    records_write(&writer->records, writer->config.log, clock_ms());
    return records_wait(&writer->records) ? ST_LOG_DOWN : ST_OK;
}

/* Commit, then the bus, then the answers: a client never has what the log has not. */
static void write_batch(struct writer *writer, struct append_request *first)
{
    struct event_log_state state;
    size_t count = 0;
    bool has_notes = false;

    for (struct append_request *request = first; request; request = request->next) {
        memcpy(&writer->entries[count], request->entries,
               request->count * sizeof *request->entries);
        count += request->count;
        has_notes |= request->record && request->record->subject == EVENT_LOG_USER;
    }
    first->status = has_notes ? write_notes(writer) : ST_OK;
    event_log_state(writer->config.log, &state);
    first->position.epoch = state.head.epoch;
    int64_t began_us = clock_us();
    if (!first->status)
        first->status = event_log_append(writer->config.log, writer->entries, count,
                                         clock_ms(), &first->position.seq);
    if (!first->status) {
        metrics_add(writer->config.metrics, METRIC_LOG_COMMITS, 1);
        metrics_add(writer->config.metrics, METRIC_LOG_COMMIT_US, clock_us() - began_us);
        send_batch(writer, &first->position, count);
    }
    writer->beacons = 0;

    first->item = (struct inbox_item){.run = run_answers, .drop = run_answers};
    /* The loop stops this thread before it shuts the door. */
    door_put(writer->config.door, &first->item);
}

static void tidy_log(struct writer *writer)
{
    struct event_log_state state;
    int slices = 0;

    do
        writer->has_more_to_trim = event_log_trim(writer->config.log, clock_ms());
    while (writer->has_more_to_trim && ++slices < TRIM_SLICES);
    event_log_state(writer->config.log, &state);
    metrics_set(writer->config.metrics, METRIC_LOG_EVENTS, state.events);
    metrics_set(writer->config.metrics, METRIC_LOG_BYTES, state.bytes);
    metrics_set(writer->config.metrics, METRIC_LOG_EVICTED, state.evicted);
}

/* What waits, at most MAX_BATCH events of it; NULL when it is time for a beacon or to
 * stop. */
static struct append_request *take_batch(struct writer *writer, bool *is_stopping)
{
    struct append_request *first;
    struct append_request **end;

    uv_mutex_lock(&writer->lock);
    if (!writer->waiting.first && !writer->are_records_awaited && !writer->is_stopping &&
        !writer->has_more_to_trim) {
        uint64_t silent_ms = clock_ms() - writer->sent_ms;
        if (silent_ms < beacon_ms(writer))
            uv_cond_timedwait(&writer->wake, &writer->lock,
                              (beacon_ms(writer) - silent_ms) * 1000000);
    }
    first = writer->waiting.first;
    end = &first;
    for (size_t n = 0; *end && n + (*end)->count <= MAX_BATCH; end = &(*end)->next)
        n += (*end)->count;
    writer->waiting.first = *end;
    if (!*end)
        list_clear(&writer->waiting);
    *end = NULL;
    *is_stopping = writer->is_stopping;
    writer->are_records_awaited = false;
    uv_mutex_unlock(&writer->lock);
    return first;
}

static void run_writer(void *arg)
{
    struct writer *writer = arg;
    bool is_stopping = false;

    while (true) {
        struct append_request *first = take_batch(writer, &is_stopping);
        atomic_fetch_add(&writer->turn, 1);
        if (first)
            write_batch(writer, first);
        records_write(&writer->records, writer->config.log, clock_ms());
        if (!first && is_stopping)
            return;
        if (!first && clock_ms() - writer->sent_ms >= beacon_ms(writer))
            send_beacon(writer);
        tidy_log(writer);
        atomic_fetch_add(&writer->turn, 1);
    }
}

/* --- loop thread --- */

/* What the log has not taken is ours to free: volatile events, or all of them. */
static void free_rest(struct append_request *request, bool is_all)
{
    for (size_t i = 0; i < request->count; i++)
        if (is_all || request->entries[i].is_volatile)
            free(request->entries[i].bytes);
}

static void answer_request(struct append_request *request, enum status status,
                           const struct position *position)
{
    struct writer *writer = request->writer;

    writer->open_events -= request->count;
    writer->open_bytes -= request->bytes;
    if (!status)
        writer->head = *position;
    free_rest(request, status != ST_OK);
    free(request->record);
    request->on_kept(request->ctx, status, status ? NULL : position);
    free(request);
}

static void run_answers(struct inbox_item *item)
{
    struct append_request *request = (struct append_request *)item;
    struct position position = request->position;
    enum status status = request->status;

    while (request) {
        struct append_request *next = request->next;
        position.seq += request->count - 1; /* its last one's */
        answer_request(request, status, &position);
        position.seq++;
        request = next;
    }
}

/* False: out of memory. */
static bool fill_request(struct append_request *request, const struct engine_append *what,
                         const struct event_log_record *record)
{
    struct event_log_entry *last = &request->entries[what->count - 1];
    bool is_whole = true;

    for (size_t i = 0; i < what->count; i++) {
        struct event_log_entry *entry = &request->entries[i];
        entry->bytes = slice_dup(what->entries[i].envelope);
        entry->len = what->entries[i].envelope.len;
        entry->is_volatile = what->entries[i].is_volatile;
        is_whole &= entry->bytes != NULL;
    }
    if (what->key) {
        request->key = *what->key;
        last->key = &request->key;
    }
    if (record) {
        request->record = records_copy(record->subject, record->name, record->bytes);
        last->record = request->record;
        is_whole &= request->record != NULL;
    }
    return is_whole;
}

static struct append_request *new_request(const struct engine_append *what,
                                          const struct event_log_record *record)
{
    struct append_request *request =
        calloc(1, sizeof *request + what->count * sizeof *request->entries);

    if (!request)
        return NULL;
    request->count = what->count;
    if (fill_request(request, what, record))
        return request;
    free_rest(request, true);
    free(request->record);
    free(request);
    return NULL;
}

static void hand_over(struct writer *writer)
{
    struct request_list *waiting = &writer->waiting;

    if (!writer->gathered.first)
        return;
    uv_mutex_lock(&writer->lock);
    bool was_empty = !waiting->first;
    *waiting->end = writer->gathered.first;
    waiting->end = writer->gathered.end;
    uv_mutex_unlock(&writer->lock);
    list_clear(&writer->gathered);
    if (was_empty)
        uv_cond_signal(&writer->wake);
}

/*
 * libuv runs prepare handles the youngest first: those of the listeners, which are opened
 * after the engine, have had their turn. What is appended after this one leaves in the
 * next turn, which then comes at once.
 */
static void on_before_wait(uv_prepare_t *handle)
{
    struct writer *writer = handle->data;

    hand_over(writer);
    uv_idle_stop(&writer->stay_awake);
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* the loop does not wait, that is all */
}

/* Whether there is place for all of it; gives how many bytes that takes. */
static enum status find_place(const struct writer *writer,
                              const struct engine_append *what, size_t *bytes)
{
    *bytes = 0;
    if (what->count > LIMIT_APPEND_GROUP)
        return ST_TOO_LARGE;
    for (size_t i = 0; i < what->count; i++) {
        if (what->entries[i].envelope.len > LIMIT_ENVELOPE_BYTES)
            return ST_TOO_LARGE;
        *bytes += what->entries[i].envelope.len;
    }
    if (writer->open_events + what->count > LIMIT_APPEND_EVENTS ||
        writer->open_bytes + *bytes > LIMIT_APPEND_BYTES)
        return ST_BUSY;
    return ST_OK;
}

enum status writer_append(struct writer *writer, const struct engine_append *what,
                          const struct event_log_record *record, engine_kept_fn *on_kept,
                          void *ctx)
{
    size_t bytes;
    enum status st = writer->is_stopping ? ST_DRAINING : find_place(writer, what, &bytes);

    if (st)
        return st;
    struct append_request *request = new_request(what, record);
    if (!request)
        return ST_NO_MEMORY;
    request->on_kept = on_kept;
    request->ctx = ctx;
    request->writer = writer;
    request->bytes = bytes;
    writer->open_events += what->count;
    writer->open_bytes += bytes;
    if (!writer->gathered.first)
        uv_idle_start(&writer->stay_awake, on_idle);

    *writer->gathered.end = request; /* its `next` is NULL: calloc */
    writer->gathered.end = &request->next;
    return ST_OK;
}

/* What is written within a beacon's time need not wake the thread. */
void writer_record(struct writer *writer, enum event_log_subject subject,
                   struct slice name, struct slice bytes)
{
    records_put(&writer->records, subject, name, bytes);
}

void writer_lose_record(struct writer *writer)
{
    records_lose(&writer->records);
}

void writer_await_records(struct writer *writer, uv_sem_t *written)
{
    records_await(&writer->records, written);
    uv_mutex_lock(&writer->lock);
    writer->are_records_awaited = true;
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->lock);
}

bool writer_take_loss(struct writer *writer)
{
    return records_take_loss(&writer->records);
}

unsigned writer_turn(const struct writer *writer)
{
    return atomic_load(&writer->turn);
}

void writer_head(const struct writer *writer, struct position *head)
{
    *head = writer->head;
}

struct writer *writer_start(const struct writer_config *config)
{
    struct writer *writer = calloc(1, sizeof *writer);
    struct event_log_state state;

    if (!writer)
        return NULL;
    writer->config = *config;
    writer->frame.max = LIMIT_BUS_MESSAGE_BYTES;
    list_clear(&writer->gathered);
    list_clear(&writer->waiting);
    event_log_state(config->log, &state);
    writer->head = state.head;
    if (records_init(&writer->records) || uv_mutex_init(&writer->lock) ||
        uv_cond_init(&writer->wake) ||
        uv_thread_create(&writer->thread, run_writer, writer)) {
        free(writer);
        return NULL;
    }
    uv_prepare_init(config->loop, &writer->before_wait);
    writer->before_wait.data = writer;
    uv_prepare_start(&writer->before_wait, on_before_wait);
    uv_idle_init(config->loop, &writer->stay_awake);
    return writer;
}

void writer_stop(struct writer *writer)
{
    uv_close((uv_handle_t *)&writer->before_wait, NULL);
    uv_close((uv_handle_t *)&writer->stay_awake, NULL);
    hand_over(writer);
    uv_mutex_lock(&writer->lock);
    writer->is_stopping = true;
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->lock);
    uv_thread_join(&writer->thread);
    buf_finish(&writer->frame);
}
