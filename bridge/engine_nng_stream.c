/* Events in order, once: see the header. */
#include "bridge/engine_nng_stream.h"

#include "bridge/clock.h"
#include "bridge/testing/bus_shim.h"
#include "bridge/testing/test_hook.h"
#include "proto/bus_wire.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    POLL_AFTER_MS = 500, /* of silence; the bus beats every 100 ms */
    SILENCE_MS = 900,    /* until the bus counts as lost: it is told within 1 s */
    MISSING_MS = 3000,   /* and what is missing as not to be had */
    PARKED_PER_TURN = 8, /* frames applied before the sockets have their turn */
    BURST_FRAMES = 16,   /* frames that may share their writes */
};

/* A message of the bus on its way from the receiving thread; parked, it waits in a list.
 */
struct arrival {
    struct inbox_item item;
    struct arrival *next; /* parked */
    struct stream *stream;
    struct link_message *message;
    int64_t received_us;
};

struct stream {
    struct inbox_item resume; /* goes on with what is parked in the next turn */
    struct stream_config config;
    struct bus_shim *shim; /* NULL except in tests */
    const struct engine_listener *listener;
    void *ctx;

    struct position applied; /* epoch 0: not begun */
    bool is_missing;         /* a page that fills a gap is on its way */
    bool has_asked;          /* a page is on its way */
    bool is_resuming;
    bool is_stopped;
    struct arrival *parked, **parked_end;
    size_t parked_count, parked_bytes;

    atomic_int
        waiting; /* frames in the inbox, counted by both threads; -1 for an instant */
    unsigned in_burst; /* frames of this burst that have run */
    bool goes_on;      /* the burst: another frame is in the inbox already */
    bool is_unsettled; /* the listener was promised on_settled */

    uint64_t now_ms; /* of the last tick: a stopped process has not waited */
    uint64_t heard_ms, asked_ms, missing_ms; /* missing_ms: since when */
    bool has_heard;
    bool has_complained; /* of frames without sense */
    uint64_t frames;     /* for the test switch */
};

/* --- receiving thread --- */

static void run_arrival(struct inbox_item *item);

static void free_arrival(struct arrival *arrival)
{
    link_message_free(arrival->message);
    free(arrival);
}

static void drop_arrival(struct inbox_item *item)
{
    free_arrival((struct arrival *)item);
}

static enum status hand_over(struct stream *stream, struct link_message *message)
{
    struct arrival *arrival = malloc(sizeof *arrival);
    enum status st = ST_NO_MEMORY;

    if (arrival) {
        *arrival = (struct arrival){
            .item = {.run = run_arrival,
                     .drop = drop_arrival,
                     .size_bytes = link_message_bytes(message).len},
            .stream = stream,
            .message = message,
            .received_us = clock_us(),
        };
        st = door_offer(stream->config.door, &arrival->item);
    }
    if (!st) {
        /* After it: nothing is counted that is not there. */
        atomic_fetch_add_explicit(&stream->waiting, 1, memory_order_relaxed);
    } else {
        link_message_free(message);
        free(arrival);
    }
    return st;
}

static void run_receiver(void *arg)
{
    struct stream *stream = arg;
    enum status st = ST_OK;

    while (st != ST_DRAINING) {
        st = hand_over(stream, bus_shim_serve(stream->shim, stream->config.link));
        if (st)
            metrics_add(stream->config.metrics, METRIC_BUS_DROPPED, 1);
    }
}

/* --- loop thread: asking the log --- */

static void use_page(void *ctx, const struct replay_page *page);

static void ask(struct stream *stream)
{
    if (stream->has_asked || stream->is_stopped || !stream->listener)
        return;
    stream->asked_ms = stream->now_ms;
    stream->has_asked = true; /* before the call, which may answer at once */
    /* Out of memory: the next tick asks. */
    if (replayer_page(stream->config.replayer, &stream->applied, use_page, stream))
        stream->has_asked = false;
}

static void set_missing(struct stream *stream)
{
    if (stream->is_missing)
        return;
    stream->is_missing = true;
    stream->missing_ms = stream->now_ms;
    metrics_add(stream->config.metrics, METRIC_BUS_GAPS, 1);
}

static void miss(struct stream *stream)
{
    set_missing(stream);
    ask(stream);
}

/* --- parked frames --- */

/* A beacon is not worth a place: the next one comes soon. */
static void park(struct stream *stream, struct arrival *arrival,
                 const struct bus_frame *frame)
{
    size_t bytes = link_message_bytes(arrival->message).len;

    if (frame->span.count == 0) {
        free_arrival(arrival);
        return;
    }
    if (stream->parked_count >= LIMIT_PARKED_FRAMES ||
        stream->parked_bytes + bytes > LIMIT_PARKED_BYTES) {
        metrics_add(stream->config.metrics, METRIC_BUS_DROPPED, 1);
        free_arrival(arrival);
        return;
    }
    arrival->next = NULL;
    *stream->parked_end = arrival;
    stream->parked_end = &arrival->next;
    stream->parked_count++;
    stream->parked_bytes += bytes;
}

static void park_first(struct stream *stream, struct arrival *arrival)
{
    arrival->next = stream->parked;
    if (!stream->parked)
        stream->parked_end = &arrival->next;
    stream->parked = arrival;
    stream->parked_count++;
    stream->parked_bytes += link_message_bytes(arrival->message).len;
}

static struct arrival *unpark(struct stream *stream)
{
    struct arrival *arrival = stream->parked;

    if (!arrival)
        return NULL;
    stream->parked = arrival->next;
    if (!stream->parked)
        stream->parked_end = &stream->parked;
    stream->parked_count--;
    stream->parked_bytes -= link_message_bytes(arrival->message).len;
    return arrival;
}

/* --- applying --- */

static void hand_on(struct stream *stream, const struct engine_event *event)
{
    recent_add(stream->config.recent, event);
    stream->listener->on_event(stream->ctx, event);
}

static void apply_frame(struct stream *stream, const struct bus_frame *frame, size_t skip,
                        int64_t received_us)
{
    struct slice blocks = frame->blocks;
    struct engine_event event = {
        .position = {frame->span.epoch, frame->span.first},
        .sent_us = frame->sent_us,
        .received_us = received_us,
    };

    for (size_t i = 0; i < frame->span.count; i++, event.position.seq++) {
        bus_frame_next(&blocks, &event.envelope);
        if (i < skip)
            continue;
        stream->applied = event.position;
        event.has_more = i + 1 < frame->span.count || stream->parked || stream->goes_on;
        hand_on(stream, &event);
        if (stream->is_stopped)
            return;
    }
}

static void settle(struct stream *stream)
{
    stream->is_unsettled = false;
    if (!stream->is_stopped)
        stream->listener->on_settled(stream->ctx);
}

/* The sabotage switch: goes on behind a gap as if nothing were missing. */
static void jump_to(struct stream *stream, const struct stream_span *span)
{
    stream->applied = (struct position){span->epoch, span->first - 1};
    recent_begin(stream->config.recent, &stream->applied);
}

/* The sabotage switch: what was applied before is delivered again. */
static void repeat(struct stream *stream, const struct bus_frame *frame,
                   int64_t received_us)
{
    struct position applied = stream->applied;

    apply_frame(stream, frame, 0, received_us);
    stream->applied = applied;
}

/* True when the frame could be used; false: something before it is missing. */
static bool use_frame(struct stream *stream, const struct bus_frame *frame,
                      int64_t received_us)
{
    size_t skip;

    enum stream_verdict verdict = stream_order(&stream->applied, &frame->span, &skip);
    if ((verdict == STREAM_GAP || verdict == STREAM_NEW_EPOCH) && test_hook_no_replay()) {
        jump_to(stream, &frame->span);
        verdict = STREAM_APPLY;
    }
    switch (verdict) {
    case STREAM_APPLY: apply_frame(stream, frame, skip, received_us); return true;
    case STREAM_SKIP:
        if (frame->span.count > 0)
            metrics_add(stream->config.metrics, METRIC_BUS_DUPLICATES, 1);
        if (test_hook_no_dedupe())
            repeat(stream, frame, received_us);
        return true;
    case STREAM_GAP:
    case STREAM_NEW_EPOCH: break;
    }
    return false;
}

static void drop_resume(struct inbox_item *item)
{
    (void)item; /* part of the stream */
}

static void continue_parked(struct stream *stream);

/* Goes on with what is parked, a bounded number of frames in one turn. */
static void run_resume(struct inbox_item *item)
{
    struct stream *stream = (struct stream *)item;
    struct bus_frame frame;

    stream->is_resuming = false;
    for (int i = 0; i < PARKED_PER_TURN && stream->parked && !stream->is_missing; i++) {
        struct arrival *arrival = unpark(stream);
        /* Checked when it came. The log has just told its epoch: any other is over. */
        bus_frame_decode(link_message_bytes(arrival->message), &frame);
        if (frame.span.epoch == stream->applied.epoch &&
            !use_frame(stream, &frame, arrival->received_us)) {
            park_first(stream, arrival);
            miss(stream);
        } else {
            free_arrival(arrival);
        }
        if (stream->is_stopped)
            return;
    }
    settle(stream);
    continue_parked(stream);
}

static void continue_parked(struct stream *stream)
{
    if (!stream->parked || stream->is_missing || stream->is_resuming ||
        stream->is_stopped)
        return;
    stream->is_resuming = true;
    stream->resume = (struct inbox_item){.run = run_resume, .drop = drop_resume};
    door_put(stream->config.door, &stream->resume);
}

static void use_arrival(struct stream *stream, struct arrival *arrival,
                        const struct bus_frame *frame)
{
    if (use_frame(stream, frame, arrival->received_us)) {
        free_arrival(arrival);
        if (frame->span.count > 0)
            stream->is_unsettled = true;
        return;
    }
    miss(stream);
    park(stream, arrival, frame);
}

/* So looks a sealed frame to who has no secret. */
static void complain(struct stream *stream, size_t bytes)
{
    if (!stream->has_complained)
        log_error(stream->config.log,
                  "bus: a frame makes no sense; is bus.secret the same everywhere?",
                  LOG_NUM("bytes", bytes));
    stream->has_complained = true;
}

static void take_arrival(struct stream *stream, struct arrival *arrival)
{
    struct bus_frame frame;
    unsigned nth = test_hook_drop_frame();

    if (stream->is_stopped ||
        bus_frame_decode(link_message_bytes(arrival->message), &frame)) {
        if (!stream->is_stopped)
            complain(stream, link_message_bytes(arrival->message).len);
        free_arrival(arrival);
        return;
    }
    metrics_add(stream->config.metrics, METRIC_BUS_RECEIVED, 1);
    stream->heard_ms = stream->now_ms;
    stream->has_heard = true;
    if (nth > 0 && frame.span.count > 0 && ++stream->frames % nth == 0)
        free_arrival(arrival);
    else if (stream->applied.epoch == 0 || stream->is_missing || stream->parked)
        park(stream, arrival, &frame);
    else
        use_arrival(stream, arrival, &frame);
}

/*
 * Frames that are in the inbox together are one burst, as if they had come as one: while
 * a long fan-out ran, more has arrived, and it leaves in fewer writes. A burst is
 * bounded, so that its first frame does not wait for long.
 */
static void run_arrival(struct inbox_item *item)
{
    struct arrival *arrival = (struct arrival *)item;
    struct stream *stream = arrival->stream;
    int waiting =
        atomic_fetch_sub_explicit(&stream->waiting, 1, memory_order_relaxed) - 1;

    stream->goes_on = waiting > 0 && ++stream->in_burst < BURST_FRAMES;
    take_arrival(stream, arrival);
    if (stream->goes_on)
        return;
    stream->in_burst = 0;
    if (stream->is_unsettled)
        settle(stream);
}

/* --- pages of the log --- */

static void reset(struct stream *stream, const char *reason, const struct position *now)
{
    stream->applied = *now;
    recent_begin(stream->config.recent, now);
    if (stream->listener->on_reset)
        stream->listener->on_reset(stream->ctx, reason, now);
}

/*
 * Whether the page goes on where the stream stands. After a reset of the epoch it does
 * not: the question was about the old one, and is asked anew.
 */
static bool align(struct stream *stream, const struct replay_page *page)
{
    if (stream->applied.epoch == 0) {
        stream->applied = page->head; /* the beginning: at the head, silently */
        recent_begin(stream->config.recent, &page->head);
        if (stream->config.on_begun)
            stream->config.on_begun(stream->config.ctx);
        return true;
    }
    if (page->head.epoch != stream->applied.epoch) {
        struct position start = {page->head.epoch, 0};
        log_warn(stream->config.log, "the log began a new epoch",
                 LOG_NUM("applied", stream->applied.seq));
        reset(stream, "epoch_changed", &start);
        return false;
    }
    if (page->floor > stream->applied.seq) {
        struct position now = {page->head.epoch, page->floor};
        log_warn(stream->config.log, "events were removed before they arrived",
                 LOG_NUM("applied", stream->applied.seq), LOG_NUM("floor", page->floor));
        reset(stream, "history_overflow", &now);
    }
    return true;
}

/* Seqs without an event up to here were volatile: they are gone. */
static void pass_over(struct stream *stream, uint64_t through)
{
    if (stream->applied.seq >= through)
        return;
    metrics_add(stream->config.metrics, METRIC_EVENTS_PASSED,
                (int64_t)(through - stream->applied.seq));
    stream->applied.seq = through;
    recent_pass(stream->config.recent, through);
}

static void apply_page(struct stream *stream, const struct replay_page *page)
{
    struct slice items = page->items;
    struct engine_event event = {.position.epoch = page->head.epoch,
                                 .received_us = clock_us()};
    uint32_t applied = 0;

    for (uint32_t i = 0; i < page->count && !stream->is_stopped; i++) {
        replay_page_next(&items, &event.position.seq, &event.envelope);
        if (event.position.seq <= stream->applied.seq)
            continue;
        pass_over(stream, event.position.seq - 1);
        stream->applied = event.position;
        event.has_more = i + 1 < page->count || stream->parked;
        hand_on(stream, &event);
        applied++;
    }
    if (!stream->is_stopped)
        pass_over(stream, page->through);
    metrics_add(stream->config.metrics, METRIC_REPLAYED_EVENTS, applied);
    if (applied > 0)
        settle(stream);
}

static void use_page(void *ctx, const struct replay_page *page)
{
    struct stream *stream = ctx;

    stream->has_asked = false;
    if (!page || stream->is_stopped)
        return; /* the tick asks again */
    uint64_t before = stream->applied.seq;
    bool is_aligned = align(stream, page);
    if (is_aligned && !stream->is_stopped)
        apply_page(stream, page);
    if (stream->is_stopped)
        return;
    if (is_aligned && stream->applied.seq >= page->head.seq) {
        stream->is_missing = false;
        continue_parked(stream);
        return;
    }
    set_missing(stream);
    /* A page that brings nothing is of a log that cannot read now: the tick asks again.
     */
    if (!is_aligned || stream->applied.seq > before)
        ask(stream);
}

/* --- what the engine calls --- */

struct stream *stream_create(const struct stream_config *config)
{
    struct stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return NULL;
    stream->config = *config;
    stream->parked_end = &stream->parked;
    stream->now_ms = clock_ms();
    return stream;
}

enum status stream_begin(struct stream *stream, const struct engine_listener *listener,
                         void *ctx)
{
    stream->listener = listener;
    stream->ctx = ctx;
    stream->shim = bus_shim_start(stream->config.link);
    if (link_thread(run_receiver, stream))
        return ST_NO_MEMORY;
    ask(stream);
    return ST_OK;
}

void stream_ask(struct stream *stream)
{
    ask(stream);
}

void stream_tick(struct stream *stream, uint64_t now_ms)
{
    stream->now_ms = now_ms;
    bool is_silent = now_ms - stream->heard_ms >= POLL_AFTER_MS &&
                     now_ms - stream->asked_ms >= POLL_AFTER_MS;
    if (stream->is_missing || stream->applied.epoch == 0 || is_silent)
        ask(stream);
}

bool stream_is_ready(const struct stream *stream)
{
    return stream->applied.epoch != 0 && stream->has_heard &&
           stream->now_ms - stream->heard_ms < SILENCE_MS &&
           (!stream->is_missing || stream->now_ms - stream->missing_ms < MISSING_MS);
}

void stream_head(const struct stream *stream, struct position *applied)
{
    *applied = stream->applied;
}

void stream_stop(struct stream *stream)
{
    stream->is_stopped = true;
    for (struct arrival *arrival; (arrival = unpark(stream));)
        free_arrival(arrival);
}
