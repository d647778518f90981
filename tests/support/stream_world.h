/*
 * A world for a gateway's stream: the log, its bus and the inbox, played in place of the
 * functions of their modules. The bus loses, repeats and reorders, by dice or by plan;
 * answers come when the test says so. One program includes this once, after cmocka.
 */
#ifndef TESTS_SUPPORT_STREAM_WORLD_H
#define TESTS_SUPPORT_STREAM_WORLD_H

#include "bridge/engine_nng_stream.h"
#include "bridge/testing/bus_fate.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEPS = 1500, /* of a run */
    MAX_SEQ = STEPS * 6,
    MAX_FRAMES = 64, /* in flight */
};

struct link_message {
    struct buf bytes;
};

struct replayer {
    struct position after;
    replayer_page_fn *on_page; /* NULL: nobody asks */
    void *ctx;
    bool is_answered; /* `page` is on its way */
    struct buf page;
};

struct sim {
    struct door door; /* first: what the stream gives back */
    struct replayer replayer;
    struct metrics metrics;
    struct logger log;
    struct stream *stream;
    uint64_t random, now_ms;

    struct inbox_item *items[MAX_FRAMES];
    size_t item_count;
    void (*run_receiver)(void *ctx);
    void *receiver;
    struct link_message *arriving; /* NULL: the receiver's turn ends */

    /* the log */
    struct position head;
    uint64_t floor;
    bool is_volatile[MAX_SEQ];
    struct link_message *frames[MAX_FRAMES]; /* on the bus */
    size_t frame_count;
    struct bus_plan *plan; /* NULL: the dice of this test */
    uint64_t due_ms[MAX_FRAMES];

    /* the listener */
    struct position heard;
    uint64_t events, resets;
    bool is_unsettled, has_more;
    bool may_lose;
    uint64_t lost;
};

/* The fake link has no place for more than a number. */
static struct sim *sim_at_work;

static uint64_t draw(struct sim *sim, uint64_t below)
{
    sim->random = sim->random * 6364136223846793005u + 1442695040888963407u;
    return (sim->random >> 33) % below;
}

/* --- in place of the link, the door and the replayer --- */

enum status link_thread(void (*run)(void *ctx), void *ctx)
{
    sim_at_work->run_receiver = run;
    sim_at_work->receiver = ctx;
    return ST_OK;
}

struct link_message *link_serve(struct link link)
{
    struct link_message *message = sim_at_work->arriving;

    (void)link;
    sim_at_work->arriving = NULL;
    if (!message)
        message = calloc(1, sizeof *message);
    assert_non_null(message);
    return message;
}

struct slice link_message_bytes(const struct link_message *message)
{
    return buf_slice(&message->bytes);
}

struct link_message *link_message_copy(const struct link_message *message)
{
    (void)message;
    return NULL; /* the shim itself does not run here */
}

void link_message_free(struct link_message *message)
{
    if (message)
        buf_finish(&message->bytes);
    free(message);
}

enum status door_put(struct door *door, struct inbox_item *item)
{
    struct sim *sim = (struct sim *)door;

    assert_true(sim->item_count < MAX_FRAMES);
    sim->items[sim->item_count++] = item;
    return ST_OK;
}

/* The empty message ends the receiver's turn. */
enum status door_offer(struct door *door, struct inbox_item *item)
{
    return item->size_bytes == 0 ? ST_DRAINING : door_put(door, item);
}

enum status replayer_page(struct replayer *replayer, const struct position *after,
                          replayer_page_fn *on_page, void *ctx)
{
    assert_null(replayer->on_page); /* one question at a time */
    replayer->after = *after;
    replayer->on_page = on_page;
    replayer->ctx = ctx;
    return ST_OK;
}

/* --- the log and its bus --- */

static uint64_t content(const struct position *position)
{
    return position->epoch << 32 | position->seq;
}

static struct link_message *new_frame(struct sim *sim, uint64_t first, size_t count)
{
    struct link_message *message = calloc(1, sizeof *message);
    struct bus_frame frame = {
        {sim->head.epoch, first, count},
        1, {0         }
    };

    assert_non_null(message);
    message->bytes.max = LIMIT_BUS_MESSAGE_BYTES;
    bus_frame_encode(&frame, &message->bytes);
    for (size_t i = 0; i < count; i++) {
        uint64_t value = content(&(struct position){sim->head.epoch, first + i});
        bus_frame_add(&message->bytes, (struct slice){(char *)&value, sizeof value});
    }
    return message;
}

/* Onto the shim's bus: in the order in which its frames arrive. */
static void send_by_plan(struct sim *sim, uint64_t first, size_t count)
{
    struct link_message *message = new_frame(sim, first, count);
    struct bus_fate fate;

    bus_fate_draw(sim->plan, link_message_bytes(message), &fate);
    link_message_free(message);
    for (unsigned i = 0; i < fate.copies; i++) {
        uint64_t due_ms = sim->now_ms + fate.after_ms[i];
        size_t at = sim->frame_count++;
        assert_true(at < MAX_FRAMES);
        for (; at > 0 && sim->due_ms[at - 1] > due_ms; at--) {
            sim->due_ms[at] = sim->due_ms[at - 1];
            sim->frames[at] = sim->frames[at - 1];
        }
        sim->due_ms[at] = due_ms;
        sim->frames[at] = new_frame(sim, first, count);
    }
}

/* Onto the bus, which may lose it, or bring it twice. */
static void send_frame(struct sim *sim, uint64_t first, size_t count, bool is_kind)
{
    if (sim->plan) {
        send_by_plan(sim, first, count);
        return;
    }
    size_t copies = is_kind ? 1 : draw(sim, 8);

    copies = copies < 2 ? copies * 2 : 1; /* lost, twice, or once */
    for (; copies > 0 && sim->frame_count < MAX_FRAMES; copies--)
        sim->frames[sim->frame_count++] = new_frame(sim, first, count);
}

static void append(struct sim *sim)
{
    uint64_t count = draw(sim, 6); /* 0: a beacon */
    uint64_t first = sim->head.seq + 1;

    for (uint64_t i = 0; i < count; i++)
        sim->is_volatile[++sim->head.seq] = draw(sim, 5) == 0;
    send_frame(sim, first, count, false);
    if (draw(sim, 8) == 0) { /* the same, cut elsewhere */
        uint64_t back = draw(sim, first);
        back = back < 4 ? back : 4;
        send_frame(sim, first - back, count + back, false);
    }
}

static void restart_log(struct sim *sim)
{
    sim->head = (struct position){sim->head.epoch + 1, 0};
    sim->floor = 0;
}

static void trim(struct sim *sim)
{
    uint64_t to = sim->floor + draw(sim, sim->head.seq - sim->floor + 1);

    /* The floor is an event that was kept. */
    while (to > sim->floor && sim->is_volatile[to])
        to--;
    sim->floor = to;
}

/* Hands the receiver a frame: mostly the oldest. */
static void deliver_frame(struct sim *sim, bool is_kind)
{
    if (sim->frame_count == 0 || sim->item_count + 2 >= MAX_FRAMES)
        return;
    size_t at = is_kind || draw(sim, 4) ? 0 : draw(sim, sim->frame_count);
    sim->arriving = sim->frames[at];
    sim->frame_count--;
    memmove(&sim->frames[at], &sim->frames[at + 1],
            (sim->frame_count - at) * sizeof *sim->frames);
    memmove(&sim->due_ms[at], &sim->due_ms[at + 1],
            (sim->frame_count - at) * sizeof *sim->due_ms);
    sim->run_receiver(sim->receiver);
}

/* The log reads a page now; it arrives later. */
static void read_page(struct sim *sim, uint64_t limit)
{
    struct replayer *replayer = &sim->replayer;
    struct replay_page page = {.head = sim->head, .floor = sim->floor};
    static const char blank[REPLAY_PAGE_HEAD_BYTES];

    if (!replayer->on_page || replayer->is_answered)
        return;
    replayer->is_answered = true;
    buf_clear(&replayer->page);
    buf_add(&replayer->page, (struct slice){blank, sizeof blank});
    if (replayer->after.epoch == sim->head.epoch) {
        page.through = replayer->after.seq;
        while (page.through < sim->head.seq && page.count < limit) {
            uint64_t seq = ++page.through;
            uint64_t value = content(&(struct position){sim->head.epoch, seq});
            if (seq <= sim->floor || sim->is_volatile[seq])
                continue;
            replay_page_add(&replayer->page, seq,
                            (struct slice){(char *)&value, sizeof value});
            page.count++;
        }
    }
    replay_page_encode(&page, replayer->page.ptr);
}

static void deliver_page(struct sim *sim, bool is_kind)
{
    struct replayer *replayer = &sim->replayer;
    replayer_page_fn *on_page = replayer->on_page;
    struct buf bytes = replayer->page;
    struct replay_page page;

    if (!replayer->is_answered)
        return;
    replayer->is_answered = false;
    replayer->on_page = NULL;
    replayer->page = (struct buf){.max = bytes.max};
    assert_int_equal(replay_page_decode(buf_slice(&bytes), &page), ST_OK);
    on_page(replayer->ctx, is_kind || draw(sim, 10) ? &page : NULL);
    buf_finish(&bytes);
    if (sim->heard.epoch == 0)
        stream_head(sim->stream, &sim->heard); /* the beginning is silent */
}

#endif
