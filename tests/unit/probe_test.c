/* What a gateway finds out about itself: probes go round, and no seq is missing. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "client-gw/probe.h"
#include "support/fake_engine.h"

enum {
    INTERVAL_MS = 40,
    TURNS_MS = 5,
    PATIENCE_MS = 5000,
};

struct rig {
    uv_loop_t loop;
    struct logger log;
    struct metrics metrics;
    struct fake_engine engine;
    struct probe *probe;
    unsigned changes;
    bool is_well;
};

static void on_change(void *ctx, bool is_well)
{
    struct rig *rig = ctx;

    rig->changes++;
    rig->is_well = is_well;
}

static uint64_t counted(const struct rig *rig, enum metric metric)
{
    return atomic_load(&rig->metrics.values[metric]);
}

static int open_rig(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    uv_loop_init(&rig->loop);
    fake_engine_init(&rig->engine, &rig->loop);
    rig->log = (struct logger){.level = LOG_LEVEL_ERROR, .role = "test"};
    rig->is_well = true;
    rig->probe = probe_create(&(struct probe_config){.loop = &rig->loop,
                                                     .log = &rig->log,
                                                     .metrics = &rig->metrics,
                                                     .engine = &rig->engine.base,
                                                     .interval_ms = INTERVAL_MS,
                                                     .on_change = on_change,
                                                     .ctx = rig});
    *state = rig;
    return rig->probe == NULL;
}

static int close_rig(void **state)
{
    struct rig *rig = *state;

    rig->engine.is_silent = false;
    probe_destroy(rig->probe);
    uv_run(&rig->loop, UV_RUN_NOWAIT); /* the engine answers what is under way */
    uv_close((uv_handle_t *)&rig->engine.turn, NULL);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    uv_loop_close(&rig->loop);
    buf_finish(&rig->engine.last_published);
    free(rig);
    return 0;
}

static void turn(struct rig *rig)
{
    uv_run(&rig->loop, UV_RUN_NOWAIT);
    uv_sleep(TURNS_MS);
}

/* The next seq comes to the engine, and to the probe unless it is dropped. */
static void come(struct rig *rig)
{
    rig->engine.head.seq++;
    probe_see(rig->probe, &rig->engine.head);
}

/* Until so many were published, and kept. */
static void await_published(struct rig *rig, size_t count)
{
    for (int ms = 0; rig->engine.published < count && ms < PATIENCE_MS; ms += TURNS_MS)
        turn(rig);
    assert_int_equal(rig->engine.published, count);
    turn(rig);
}

/* The probe that was published last comes back. */
static void come_back(struct rig *rig)
{
    struct envelope_room room;
    struct envelope envelope;

    assert_int_equal(
        envelope_decode(buf_slice(&rig->engine.last_published), &room, &envelope), ST_OK);
    assert_int_equal(envelope.kind, ENVELOPE_PROBE);
    assert_true(envelope.flags & ENVELOPE_VOLATILE);
    come(rig);
    probe_take(rig->probe, envelope.id);
}

static void probes_that_come_back_are_counted(void **state)
{
    struct rig *rig = *state;

    for (size_t i = 1; i <= 3; i++) {
        await_published(rig, i);
        probe_take(rig->probe, SLICE("another gateway's"));
        assert_int_equal(counted(rig, METRIC_PROBE_RECEIVED), i - 1);
        come_back(rig);
        assert_int_equal(counted(rig, METRIC_PROBE_RECEIVED), i);
    }
    assert_int_equal(counted(rig, METRIC_PROBE_SENT), 3);
    assert_int_equal(counted(rig, METRIC_PROBE_LOST), 0);
    assert_true(counted(rig, METRIC_PROBE_LATENCY_US) > 0);
    assert_int_equal(rig->changes, 0);
}

static void a_probe_that_others_overtake_is_lost(void **state)
{
    struct rig *rig = *state;

    await_published(rig, 1);
    rig->engine.head.seq++; /* the probe's own, which nobody hands on */
    for (int ms = 0; rig->is_well && ms < PATIENCE_MS; ms += TURNS_MS)
        turn(rig);
    assert_false(rig->is_well);
    assert_false(probe_is_well(rig->probe));
    assert_int_equal(counted(rig, METRIC_PROBE_LOST), 1);
    assert_int_equal(counted(rig, METRIC_PROBE_FAILING), 1);
    await_published(rig, 2);
    come_back(rig);
    assert_false(rig->is_well); /* one alone is no proof */
    assert_int_equal(rig->changes, 1);
}

/* Volatile events that the bus lost are not in the log either. */
static void a_probe_that_a_replay_passes_over_is_nobodys_fault(void **state)
{
    struct rig *rig = *state;

    come(rig);
    await_published(rig, 1);
    rig->engine.head.seq++;
    metrics_add(&rig->metrics, METRIC_EVENTS_PASSED, 1);
    come(rig);
    await_published(rig, 2);
    assert_int_equal(counted(rig, METRIC_PROBE_LOST), 0);
    assert_int_equal(counted(rig, METRIC_EVENTS_MISSING), 0);
    assert_int_equal(rig->changes, 0);
}

static void a_seq_that_never_comes_is_noticed_with_the_next_one(void **state)
{
    struct rig *rig = *state;

    come(rig);
    rig->engine.head.seq += 2;
    assert_true(rig->is_well);
    come(rig);
    assert_false(rig->is_well);
    assert_int_equal(counted(rig, METRIC_EVENTS), 2);
    assert_int_equal(counted(rig, METRIC_EVENTS_MISSING), 2);
    come(rig);
    assert_int_equal(counted(rig, METRIC_EVENTS_MISSING), 2);
    assert_int_equal(rig->changes, 1);
}

static void an_event_that_comes_twice_is_noticed(void **state)
{
    struct rig *rig = *state;

    come(rig);
    probe_see(rig->probe, &rig->engine.head);
    assert_false(rig->is_well);
    assert_int_equal(counted(rig, METRIC_EVENTS_MISSING), 0);
}

static void a_loss_that_everybody_is_told_of_is_none_here(void **state)
{
    struct rig *rig = *state;
    const struct position now = {.epoch = 9, .seq = 3};

    come(rig);
    probe_reset(rig->probe, &now);
    rig->engine.head = now;
    come(rig);
    assert_int_equal(rig->changes, 0);
}

static void no_probe_is_sent_while_the_bus_is_down(void **state)
{
    struct rig *rig = *state;

    rig->engine.is_down = true;
    for (int ms = 0; ms < 4 * INTERVAL_MS; ms += TURNS_MS)
        turn(rig);
    assert_int_equal(rig->engine.published, 0);
    rig->engine.is_down = false;
    await_published(rig, 1);
}

/* It is not asked for another before. */
static void an_answer_may_come_when_the_probe_is_gone(void **state)
{
    struct rig *rig = *state;

    rig->engine.is_silent = true;
    await_published(rig, 1);
    rig->engine.is_down = true;
    for (int ms = 0; ms < 2 * INTERVAL_MS; ms += TURNS_MS)
        turn(rig);
    rig->engine.is_down = false;
    for (int ms = 0; ms < 4 * INTERVAL_MS; ms += TURNS_MS)
        turn(rig);
    assert_int_equal(rig->engine.published, 1);
}

#define PROBE_TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROBE_TEST(probes_that_come_back_are_counted),
        PROBE_TEST(a_probe_that_others_overtake_is_lost),
        PROBE_TEST(a_probe_that_a_replay_passes_over_is_nobodys_fault),
        PROBE_TEST(a_seq_that_never_comes_is_noticed_with_the_next_one),
        PROBE_TEST(an_event_that_comes_twice_is_noticed),
        PROBE_TEST(a_loss_that_everybody_is_told_of_is_none_here),
        PROBE_TEST(no_probe_is_sent_while_the_bus_is_down),
        PROBE_TEST(an_answer_may_come_when_the_probe_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
