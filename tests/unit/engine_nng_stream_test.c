/*
 * The gateway's stream against a bus that loses, repeats and reorders, a log that trims
 * and is started anew, and answers that come late or make no sense: whatever happens,
 * each event is heard once and in order, or the listener is told. A seed replays a run.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/stream_world.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"

#include <stdio.h>

enum {
    SEEDS = 300,
    TICK_MS = 100,
    PLANS = 2000, /* runs over the bus shim's bus */
    BUSY_MS = 1000,
    QUIET_MS = 2000,
};

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

static void assert_applied(struct sim *sim, uint64_t seq, bool is_asked)
{
    struct position applied;

    stream_head(sim->stream, &applied);
    assert_int_equal(applied.seq, seq);
    assert_int_equal(sim->replayer.on_page != NULL, is_asked);
}

static void what_the_log_cannot_read_is_asked_for_once_a_tick(void **state)
{
    struct sim *sim = begin_sim(1);

    (void)state;
    read_page(sim, 10);
    deliver_page(sim, true);
    sim->head.seq = 5;
    stream_ask(sim->stream);
    for (int i = 0; i < 40; i++) {
        read_page(sim, 0); /* nothing, and more is there */
        deliver_page(sim, true);
        assert_applied(sim, 0, false);
        tick(sim);
        assert_applied(sim, 0, true);
    }
    assert_false(stream_is_ready(sim->stream)); /* for 4 s */
    read_page(sim, 2);
    deliver_page(sim, true);
    assert_applied(sim, 2, true); /* the rest at once */
    read_page(sim, 10);
    deliver_page(sim, true);
    assert_applied(sim, 5, false);
    end_sim(sim);
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
        cmocka_unit_test(what_the_log_cannot_read_is_asked_for_once_a_tick),
        cmocka_unit_test(what_the_bus_shim_does_is_repaired),
        cmocka_unit_test(without_replay_the_same_is_a_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
