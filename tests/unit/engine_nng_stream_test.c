/*
 * The gateway's stream against a bus that loses, repeats and reorders, a log that trims
 * and is started anew, and answers that come late or make no sense: whatever happens,
 * each event is heard once and in order, or the listener is told. Bus, log and inbox are
 * played here, in place of the functions of their modules; a seed replays a run.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/clock.h"
#include "bridge/engine_nng_stream.h"
#include "bridge/testing/bus_fate.h"
#include "bridge/testing/test_hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = 300,
    STEPS = 1500,
    MAX_SEQ = STEPS * 6,
    MAX_FRAMES = 64, /* in flight */
    TICK_MS = 100,
    PLANS = 2000, /* runs over the bus shim's bus */
    BUSY_MS = 1000,
    QUIET_MS = 2000,
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

/* --- the listener --- */

/* Was anything kept among the seqs after `from` and before `to`? */
static bool has_kept(const struct sim *sim, uint64_t from, uint64_t to)
{
    for (uint64_t seq = from + 1; seq < to; seq++) {
        if (!sim->is_volatile[seq])
            return true;
    }
    return false;
}

static void on_event(void *ctx, const struct engine_event *event)
{
    struct sim *sim = ctx;
    uint64_t value;

    assert_true(event->position.epoch == sim->heard.epoch);
    assert_true(event->position.seq > sim->heard.seq);
    /* What a log of the past had is not known any more. */
    if (sim->may_lose)
        sim->lost += event->position.seq - sim->heard.seq - 1;
    else if (sim->heard.epoch == sim->head.epoch)
        assert_false(has_kept(sim, sim->heard.seq, event->position.seq));
    assert_int_equal(event->envelope.len, sizeof value);
    memcpy(&value, event->envelope.ptr, sizeof value);
    assert_true(value == content(&event->position));
    sim->heard = event->position;
    sim->events++;
    sim->is_unsettled = true;
    sim->has_more = event->has_more;
}

static void on_settled(void *ctx)
{
    struct sim *sim = ctx;

    sim->is_unsettled = false;
    sim->has_more = false;
}

static void on_reset(void *ctx, const char *reason, const struct position *now)
{
    struct sim *sim = ctx;

    if (strcmp(reason, "epoch_changed") == 0) {
        assert_true(now->epoch > sim->heard.epoch && now->seq == 0);
    } else {
        assert_string_equal(reason, "history_overflow");
        assert_true(now->epoch == sim->heard.epoch);
        if (now->epoch == sim->head.epoch) {
            assert_true(now->seq <= sim->floor);
            assert_true(has_kept(sim, sim->heard.seq, now->seq + 1));
        }
    }
    sim->heard = *now;
    sim->resets++;
}

/* --- a run --- */

static const struct engine_listener listener = {
    .on_event = on_event,
    .on_settled = on_settled,
    .on_reset = on_reset,
};

static void run_item(struct sim *sim)
{
    if (sim->item_count == 0)
        return;
    struct inbox_item *item = sim->items[0];
    sim->item_count--;
    memmove(&sim->items[0], &sim->items[1], sim->item_count * sizeof *sim->items);
    item->run(item);
}

static void tick(struct sim *sim)
{
    sim->now_ms += TICK_MS;
    stream_tick(sim->stream, sim->now_ms);
}

static void step(struct sim *sim)
{
    uint64_t dice = draw(sim, 1000);

    if (dice < 200)
        append(sim);
    else if (dice < 450)
        deliver_frame(sim, false);
    else if (dice < 700)
        run_item(sim);
    else if (dice < 800)
        read_page(sim, 1 + draw(sim, 12));
    else if (dice < 900)
        deliver_page(sim, false);
    else if (dice < 960)
        tick(sim);
    else if (dice < 980)
        stream_ask(sim->stream);
    else if (dice < 995)
        trim(sim);
    else
        restart_log(sim);
    /* Who was promised nothing more has been told to write. */
    assert_true(!sim->is_unsettled || sim->has_more);
}

/* Nothing is lost any more: the stream comes to the head. */
static void calm_down(struct sim *sim)
{
    for (int i = 0; i < 400; i++) {
        while (sim->frame_count > 0 || sim->item_count > 0) {
            deliver_frame(sim, true);
            run_item(sim);
        }
        read_page(sim, 10);
        deliver_page(sim, true);
        tick(sim);
        if (i % 5 == 0)
            send_frame(sim, sim->head.seq + 1, 0, true);
    }
}

static struct sim *begin_sim(uint64_t seed)
{
    struct sim *sim = calloc(1, sizeof *sim);

    assert_non_null(sim);
    sim_at_work = sim;
    sim->random = seed;
    sim->now_ms = clock_ms();
    sim->head.epoch = 1;
    sim->replayer.page.max = MAX_SEQ * 32;
    sim->stream = stream_create(&(struct stream_config){
        .door = &sim->door,
        .replayer = &sim->replayer,
        .metrics = &sim->metrics,
        .log = &sim->log,
    });
    assert_non_null(sim->stream);
    assert_int_equal(stream_begin(sim->stream, &listener, sim), ST_OK);
    return sim;
}

static void end_sim(struct sim *sim)
{
    stream_stop(sim->stream);
    while (sim->item_count > 0)
        run_item(sim);
    while (sim->frame_count > 0)
        link_message_free(sim->frames[--sim->frame_count]);
    buf_finish(&sim->replayer.page);
    free(sim->stream);
    free(sim);
}

static void a_run(uint64_t seed, uint64_t *events, uint64_t *resets)
{
    struct sim *sim = begin_sim(seed);
    struct position applied;

    for (int i = 0; i < STEPS; i++)
        step(sim);

    calm_down(sim);
    stream_head(sim->stream, &applied);
    assert_true(applied.epoch == sim->head.epoch && applied.seq == sim->head.seq);
    assert_true(sim->heard.epoch == sim->head.epoch);
    assert_false(has_kept(sim, sim->heard.seq, sim->head.seq + 1));
    assert_false(sim->is_unsettled);
    assert_true(stream_is_ready(sim->stream));
    *events += sim->events;
    *resets += sim->resets;
    end_sim(sim);
}

static void each_event_is_heard_once_in_order_or_a_reset_is_told(void **state)
{
    uint64_t events = 0, resets = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        a_run(seed, &events, &resets);
    /* Something has happened. */
    assert_true(events > SEEDS * 100 && resets > SEEDS);
}

/* --- runs over the bus shim's bus: a step is a millisecond --- */

/* Answers come a little later than they are asked for. */
static void a_millisecond(struct sim *sim, bool is_busy, uint64_t *sent_ms)
{
    sim->now_ms++;
    if (is_busy && draw(sim, 4) == 0) {
        uint64_t first = sim->head.seq + 1;
        uint64_t count = 1 + draw(sim, 3);
        sim->head.seq += count;
        send_frame(sim, first, count, false);
        *sent_ms = sim->now_ms;
    } else if (sim->now_ms - *sent_ms >= TICK_MS) {
        send_frame(sim, sim->head.seq + 1, 0, false); /* a beacon */
        *sent_ms = sim->now_ms;
    }
    while (sim->frame_count > 0 && sim->due_ms[0] <= sim->now_ms &&
           sim->item_count + 2 < MAX_FRAMES)
        deliver_frame(sim, true);
    while (sim->item_count > 0)
        run_item(sim);
    if (draw(sim, 3) == 0)
        deliver_page(sim, true);
    if (draw(sim, 3) == 0)
        read_page(sim, 100);
    if (sim->now_ms % TICK_MS == 0)
        stream_tick(sim->stream, sim->now_ms);
}

/* What the streams met in all runs. */
struct seen {
    uint64_t gaps, duplicates;
};

/* Gives the events that were lost; all that comes is checked by on_event. */
static uint64_t a_planned_run(uint64_t seed, bool may_lose, struct seen *seen)
{
    static const char *const plans[] = {"drop=20,dup=5,reorder=10",
                                        "drop=50,dup=20,reorder=30,delay=3ms", "drop=0"};
    size_t which = seed % (sizeof plans / sizeof *plans);
    struct sim *sim = begin_sim(seed);
    struct position applied;
    struct metrics_snapshot counted;
    struct bus_plan plan;
    char text[100];

    snprintf(text, sizeof text, "%u:%s", (unsigned)seed, plans[which]);
    assert_true(bus_plan_parse(&plan, slice_of(text)));
    sim->may_lose = may_lose;
    uint64_t sent_ms = sim->now_ms;
    for (int i = 0; i < 10; i++) /* it begins before anything happens */
        a_millisecond(sim, false, &sent_ms);
    sim->plan = &plan;
    for (int i = 0; i < BUSY_MS; i++)
        a_millisecond(sim, true, &sent_ms);
    for (int i = 0; i < QUIET_MS; i++)
        a_millisecond(sim, false, &sent_ms);

    stream_head(sim->stream, &applied);
    sim->lost += sim->head.seq - sim->heard.seq; /* the tail of it */
    if (!may_lose)
        assert_true(applied.seq == sim->head.seq);
    assert_int_equal(sim->resets, 0);
    uint64_t lost = sim->lost;
    metrics_snapshot(&sim->metrics, &counted);
    seen->gaps += counted.values[METRIC_BUS_GAPS];
    seen->duplicates += counted.values[METRIC_BUS_DUPLICATES];
    end_sim(sim);
    return lost;
}

static void what_the_bus_shim_does_is_repaired(void **state)
{
    struct seen seen = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= PLANS; seed++)
        assert_int_equal(a_planned_run(seed, false, &seen), 0);
    /* Something has happened. */
    assert_true(seen.gaps > PLANS * 10);
    assert_true(seen.duplicates > PLANS * 10);
}

/* Last: a switch stays on. */
static void without_replay_the_same_is_a_loss(void **state)
{
    struct seen seen = {0};

    (void)state;
    assert_true(test_hook_set("no-replay"));
    for (uint64_t seed = 1; seed <= 30; seed++) {
        uint64_t lost = a_planned_run(seed, true, &seen);
        assert_true(seed % 3 == 2 ? lost == 0 : lost > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_is_heard_once_in_order_or_a_reset_is_told),
        cmocka_unit_test(what_the_bus_shim_does_is_repaired),
        cmocka_unit_test(without_replay_the_same_is_a_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
