/* Questions to the log: see the header. */
#include "bridge/engine_nng_replay.h"

#include "bridge/clock.h"
#include "bridge/engine_nng_ask.h"
#include "bridge/testing/test_hook.h"
#include "proto/past_wire.h"
#include "proto/recovery_proof.h"

#include <stdlib.h>

enum {
    DEADLINE_MS = 2000,
    NEAR_PER_TURN = 16, /* answers from what is recent: a long one takes 0.1 ms */
};

/* Who asked decides what is done with a page; `deadline_ms` 0: never too late. */
struct job {
    struct job *next;
    uint64_t deadline_ms;
    struct position after;
    uint64_t through;
    struct buf rooms; /* encoded */
    uint16_t room_count;
    uint32_t max_bytes; /* of a page; 0: marks are asked for */
    bool is_one_page;
    replayer_page_fn *on_page;
    void (*on_event)(void *ctx, const struct engine_event *event);
    engine_replayed_fn *on_done;
    engine_marks_fn *on_marks;
    engine_past_fn *on_past; /* then `rooms` is the whole request */
    void *ctx;
};

struct job_list {
    struct job *first, **end;
};

struct replayer {
    struct inbox_item turn; /* first: answers those that are near */
    struct asker *asker;
    struct door *door;
    struct recent *recent;
    struct metrics *metrics;
    struct job *first, **end; /* waiting; the first goes next */
    struct job_list near;     /* answered here */
    bool has_turn;
    struct job *late;  /* given up, to be told so */
    struct job *asked; /* NULL also when the one that was asked has been given up */
    uint64_t now_ms;   /* of the last tick: a stopped process has not waited */
    bool is_stopped;
};

static void free_job(struct job *job)
{
    buf_finish(&job->rooms);
    free(job);
}

static void end_job(struct job *job, enum status status)
{
    if (job->on_page)
        job->on_page(job->ctx, NULL);
    else if (job->on_marks)
        job->on_marks(job->ctx, status, 0, NULL, 0);
    else if (job->on_past)
        job->on_past(job->ctx, status, NULL, 0);
    else
        job->on_done(job->ctx, status, job->after.seq);
    free_job(job);
}

static void encode_request(const struct job *job, struct buf *request)
{
    struct replay_request head = {
        .after = job->after,
        .through = job->through,
        .max_bytes = job->max_bytes,
        .room_count = job->room_count,
    };

    if (!job->on_past)
        replay_request_encode(&head, request);
    buf_add(request, buf_slice(&job->rooms));
}

static void ask_next(struct replayer *replayer)
{
    struct job *job = replayer->first;
    struct buf request = {.max = LIMIT_REPLAY_QUESTION_BYTES};

    if (!job || asker_is_busy(replayer->asker) || replayer->is_stopped)
        return;
    replayer->first = job->next;
    if (!replayer->first)
        replayer->end = &replayer->first;

    encode_request(job, &request);
    if (buf_status(&request)) {
        enum status st = buf_status(&request);
        buf_finish(&request);
        end_job(job, st);
        return;
    }
    replayer->asked = job;
    asker_ask(replayer->asker, &request);
    metrics_add(replayer->metrics, METRIC_REPLAYS, 1);
}

static void add_far(struct replayer *replayer, struct job *job)
{
    job->next = NULL;
    *replayer->end = job;
    replayer->end = &job->next;
    ask_next(replayer);
}

/* --- what is near --- */

static struct job *take_near(struct replayer *replayer)
{
    struct job *job = replayer->near.first;

    if (!job)
        return NULL;
    replayer->near.first = job->next;
    if (!replayer->near.first)
        replayer->near.end = &replayer->near.first;
    return job;
}

static void run_turn(struct inbox_item *item);

static void drop_turn(struct inbox_item *item)
{
    (void)item; /* part of the replayer */
}

static void want_turn(struct replayer *replayer)
{
    if (replayer->has_turn || !replayer->near.first)
        return;
    replayer->turn = (struct inbox_item){.run = run_turn, .drop = drop_turn};
    replayer->has_turn = door_put(replayer->door, &replayer->turn) == ST_OK;
}

/* Whoever asks gets no answer before its call has returned. */
static void add_job(struct replayer *replayer, struct job *job)
{
    if (!job->on_done || test_hook_no_recent() ||
        !recent_has(replayer->recent, &job->after)) {
        add_far(replayer, job);
        return;
    }
    job->next = NULL;
    *replayer->near.end = job;
    replayer->near.end = &job->next;
    want_turn(replayer);
}

static void answer_near(struct replayer *replayer, struct job *job)
{
    const struct replay_request wanted = {
        .after = job->after,
        .through = job->through,
        .max_bytes = job->max_bytes,
        .room_count = job->room_count,
        .rooms = buf_slice(&job->rooms),
    };
    uint64_t through;

    if (!recent_has(replayer->recent, &job->after) ||
        recent_read(replayer->recent, &wanted, job->on_event, job->ctx, &through)) {
        add_far(replayer, job);
        return;
    }
    metrics_add(replayer->metrics, METRIC_REPLAYS_NEAR, 1);
    bool is_over = job->is_one_page || through == job->after.seq;
    job->after.seq = through;
    if (replayer->is_stopped)
        free_job(job);
    else if (is_over)
        end_job(job, ST_OK);
    else
        add_job(replayer, job);
}

static void run_turn(struct inbox_item *item)
{
    struct replayer *replayer = (struct replayer *)item;
    struct job *job;

    replayer->has_turn = false;
    for (int i = 0; i < NEAR_PER_TURN && (job = take_near(replayer)); i++)
        answer_near(replayer, job);
    want_turn(replayer);
}

/* --- what comes from the log --- */

static void visit_events(struct replayer *replayer, const struct job *job,
                         const struct replay_page *page)
{
    struct slice items = page->items;
    struct engine_event event = {.position.epoch = page->head.epoch,
                                 .received_us = clock_us()};

    for (uint32_t i = 0; i < page->count && !replayer->is_stopped; i++) {
        replay_page_next(&items, &event.position.seq, &event.envelope);
        event.has_more = i + 1 < page->count;
        job->on_event(job->ctx, &event);
    }
    metrics_add(replayer->metrics, METRIC_REPLAYED_EVENTS, page->count);
}

/* A page of a replay by rooms: its events, then the next page or the end. */
static void use_rooms_page(struct replayer *replayer, struct job *job,
                           const struct replay_page *page)
{
    uint64_t end = job->through < page->head.seq ? job->through : page->head.seq;

    switch (recovery_judge_page(&job->after, page->head.epoch, page->floor)) {
    case RECOVERY_PAGE_WHOLE: break;
    case RECOVERY_PAGE_GONE: end_job(job, ST_NOT_FOUND); return;
    case RECOVERY_PAGE_OTHER: end_job(job, ST_CONFLICT); return;
    }
    visit_events(replayer, job, page);
    job->after.seq = page->through;
    if (replayer->is_stopped) {
        free_job(job);
    } else if (job->is_one_page || page->through >= end) {
        end_job(job, ST_OK);
    } else {
        job->deadline_ms = replayer->now_ms + DEADLINE_MS;
        add_job(replayer, job);
    }
}

static void use_marks_page(struct job *job, const struct replay_page *page)
{
    uint64_t *marks = calloc(job->room_count + 1u, sizeof *marks);

    if (!marks) {
        end_job(job, ST_NO_MEMORY);
        return;
    }
    if (replay_page_marks(page, marks, job->room_count)) {
        job->on_marks(job->ctx, ST_OK, page->head.epoch, marks, job->room_count);
        free_job(job);
    } else {
        end_job(job, ST_UNAVAILABLE);
    }
    free(marks);
}

static void use_past_answer(struct job *job, struct slice answer)
{
    struct past_answer past;
    enum status st = past_answer_decode(answer, &past);

    if (st || past.room_count != job->room_count) {
        end_job(job, ST_UNAVAILABLE);
        return;
    }
    if (past.epoch != job->after.epoch) {
        end_job(job, ST_NOT_FOUND);
        return;
    }
    struct engine_past_range *ranges = calloc(past.room_count, sizeof *ranges);
    if (!ranges) {
        end_job(job, ST_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < past.room_count; i++) {
        struct past_range range;
        past_range_next(&past.ranges, &range);
        ranges[i] = (struct engine_past_range){range.base, range.top, range.is_cut};
    }
    job->on_past(job->ctx, ST_OK, ranges, past.count);
    free(ranges);
    free_job(job);
}

static void on_answer(void *ctx, struct slice answer)
{
    struct replayer *replayer = ctx;
    struct job *job = replayer->asked;
    struct replay_page page = {0};

    replayer->asked = NULL;
    if (job && job->on_past) {
        use_past_answer(job, answer);
    } else if (job && replay_page_decode(answer, &page)) {
        end_job(job, ST_UNAVAILABLE);
    } else if (job && job->on_page) {
        job->on_page(job->ctx, &page);
        free_job(job);
    } else if (job && job->on_marks) {
        use_marks_page(job, &page);
    } else if (job) {
        use_rooms_page(replayer, job, &page);
    }
    ask_next(replayer);
}

struct replayer *replayer_start(struct link link, struct door *door,
                                struct recent *recent, struct metrics *metrics)
{
    struct replayer *replayer = calloc(1, sizeof *replayer);

    if (!replayer)
        return NULL;
    replayer->metrics = metrics;
    replayer->door = door;
    replayer->recent = recent;
    replayer->end = &replayer->first;
    replayer->near.end = &replayer->near.first;
    replayer->asker = asker_start(link, door, on_answer, replayer);
    if (!replayer->asker) {
        free(replayer);
        return NULL;
    }
    return replayer;
}

static struct job *new_job(void)
{
    struct job *job = calloc(1, sizeof *job);

    if (job)
        job->rooms.max = LIMIT_REPLAY_QUESTION_BYTES;
    return job;
}

enum status replayer_page(struct replayer *replayer, const struct position *after,
                          replayer_page_fn *on_page, void *ctx)
{
    struct job *job = new_job();

    if (!job)
        return ST_NO_MEMORY;
    job->after = *after;
    job->through = UINT64_MAX;
    job->max_bytes = LIMIT_REPLAY_PAGE_BYTES;
    job->on_page = on_page;
    job->ctx = ctx;
    add_job(replayer, job);
    return ST_OK;
}

/* `*st` says why there is none. */
static struct job *new_rooms_job(const struct room_key *rooms, const uint64_t *bases,
                                 size_t count, enum status *st)
{
    struct job *job = new_job();

    *st = ST_NO_MEMORY;
    for (size_t i = 0; job && i < count; i++) {
        replay_room_add(&job->rooms, &rooms[i]);
        replay_base_add(&job->rooms, bases ? bases[i] : 0);
    }
    if (!job)
        return NULL;
    *st = count > LIMIT_REPLAY_ROOMS ? ST_LIMIT : buf_status(&job->rooms);
    if (*st || count == 0) {
        free_job(job);
        return NULL;
    }
    job->room_count = (uint16_t)count;
    return job;
}

void replayer_rooms(struct replayer *replayer, const struct engine_replay *wish,
                    uint64_t now_ms)
{
    enum status st;
    struct job *job = new_rooms_job(wish->rooms, wish->bases, wish->room_count, &st);

    if (!job) {
        wish->on_done(wish->ctx, st, wish->from.seq);
        return;
    }
    bool is_bounded = wish->max_bytes > 0 && wish->max_bytes < LIMIT_REPLAY_PAGE_BYTES;
    job->is_one_page = wish->max_bytes > 0;
    job->max_bytes = is_bounded ? (uint32_t)wish->max_bytes : LIMIT_REPLAY_PAGE_BYTES;
    job->after = wish->from;
    job->through = wish->to;
    job->on_event = wish->on_event;
    job->on_done = wish->on_done;
    job->ctx = wish->ctx;
    job->deadline_ms = now_ms + DEADLINE_MS;
    add_job(replayer, job);
}

void replayer_marks(struct replayer *replayer, const struct room_key *rooms, size_t count,
                    engine_marks_fn *on_marks, void *ctx, uint64_t now_ms)
{
    enum status st;
    struct job *job = new_rooms_job(rooms, NULL, count, &st);

    if (!job) {
        on_marks(ctx, st, 0, NULL, 0);
        return;
    }
    job->on_marks = on_marks;
    job->ctx = ctx;
    job->deadline_ms = now_ms + DEADLINE_MS;
    add_job(replayer, job);
}

static void add_wishes(const struct engine_past *wish, struct buf *out)
{
    const struct past_request request = {
        .through = wish->through,
        .total = wish->total,
        .oldest_first = wish->oldest_first,
        .room_count = (uint16_t)wish->count,
    };

    past_request_encode(&request, out);
    for (size_t i = 0; i < wish->count; i++) {
        const struct engine_past_room *room = &wish->rooms[i];
        const struct past_wish one = {room->key, room->max, room->since_ms,
                                      room->asked_ms};
        past_wish_add(out, &one);
    }
}

void replayer_past(struct replayer *replayer, const struct engine_past *wish,
                   engine_past_fn *on_past, void *ctx, uint64_t now_ms)
{
    struct job *job = new_job();
    enum status st = job ? ST_OK : ST_NO_MEMORY;

    if (job && (wish->count == 0 || wish->count > LIMIT_REPLAY_ROOMS))
        st = ST_LIMIT;
    if (!st) {
        add_wishes(wish, &job->rooms);
        st = buf_status(&job->rooms);
    }
    if (st) {
        if (job)
            free_job(job);
        on_past(ctx, st, NULL, 0);
        return;
    }
    job->room_count = (uint16_t)wish->count;
    job->after = wish->through;
    job->on_past = on_past;
    job->ctx = ctx;
    job->deadline_ms = now_ms + DEADLINE_MS;
    add_job(replayer, job);
}

static bool is_late(const struct job *job, uint64_t now_ms)
{
    return job->deadline_ms != 0 && now_ms >= job->deadline_ms;
}

/* From the replayer's list: a callback may stop it, which ends the others. */
static void end_late(struct replayer *replayer, enum status status)
{
    struct job *job;

    while ((job = replayer->late)) {
        replayer->late = job->next;
        end_job(job, status);
    }
}

void replayer_tick(struct replayer *replayer, uint64_t now_ms)
{
    struct job **link = &replayer->first;

    replayer->now_ms = now_ms;
    if (replayer->asked && is_late(replayer->asked, now_ms)) {
        replayer->asked->next = replayer->late;
        replayer->late = replayer->asked;
        replayer->asked = NULL; /* its answer finds nobody */
    }
    while (*link) {
        struct job *job = *link;
        if (!is_late(job, now_ms)) {
            link = &job->next;
            continue;
        }
        *link = job->next;
        job->next = replayer->late;
        replayer->late = job;
    }
    replayer->end = link;
    end_late(replayer, ST_UNAVAILABLE);
    ask_next(replayer);
}

void replayer_stop(struct replayer *replayer)
{
    replayer->is_stopped = true;
    end_late(replayer, ST_DRAINING);
    if (replayer->asked)
        end_job(replayer->asked, ST_DRAINING);
    replayer->asked = NULL; /* its answer finds nobody */
    for (struct job *job; (job = take_near(replayer));)
        end_job(job, ST_DRAINING);
    while (replayer->first) {
        struct job *job = replayer->first;
        replayer->first = job->next;
        end_job(job, ST_DRAINING);
    }
    replayer->end = &replayer->first;
}
